package inspect_test

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/inspect"
)

func ExampleFile() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	p, err := fhe.NewParameters(fhe.ParametersLiteral{LogN: 12, Q: []uint64{1099511480321, 1073692673}, P: []uint64{34359214081}})
	if err != nil {
		fmt.Println(err)
		return
	}
	path := filepath.Join(dir, "parameters")
	f, err := os.Create(path)
	if err != nil {
		fmt.Println(err)
		return
	}
	if _, err := p.WriteTo(f); err != nil {
		fmt.Println(err)
	}
	if err := f.Close(); err != nil {
		fmt.Println(err)
	}

	if err := inspect.File(os.Stdout, path, inspect.Options{}); err != nil {
		fmt.Println(err)
	}
	// Output:
	// parameters fa19adb49fe4c86ce1c78ae8f81a71c5f9167304a2e2e134bc68a7e5a488c704
	// N=2^12 Q=40+30 P=35 [classical 128, uniform ternary, N=2^12: log2(QP) = 105.0 of at most 106]
	// Q [1099511480321 1073692673]
	// P [34359214081]
	// secret uniform ternary, default scale 2^30
}
