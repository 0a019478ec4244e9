package cost_test

import (
	"fmt"
	"log"

	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/engine/cpu"
	"github.com/signet-ml/signet/fhe/program"
	"github.com/signet-ml/signet/fhe/program/cost"
)

// What the square of a ciphertext costs, on a machine that was measured. Seconds differ from table to table, so they
// are compared here, not printed.
func Example() {
	params, err := fhe.NewParameters(fhe.ParametersLiteral{LogN: 13, LogQ: []int{50, 36, 36}, LogP: []int{51},
		LogDefaultScale: 36})
	if err != nil {
		log.Fatal(err)
	}
	b := program.NewBuilder(params)
	layout := program.Layout{Shape: []int{1}, Runs: []program.Run{{Length: 1}}}
	x := b.Input(program.Port{Name: "x", Count: 1, Level: 2, Degree: 1, LogSlots: 12, Scale: params.DefaultScale(),
		Bound: 1, Layout: layout})[0]
	b.Scope("square")
	y := b.Rescale(b.MulRelin(x, x))
	b.Output(b.OutputPort("y", y, 1, layout), y)
	prog, _, err := b.Build()
	if err != nil {
		log.Fatal(err)
	}

	table := cost.Default() // or cost.ReadTable, of a file that "bench calibrate" wrote
	one, err := cpu.Estimate(prog, table, 1)
	if err != nil {
		log.Fatal(err)
	}
	two, err := cpu.Estimate(prog, table, 2)
	if err != nil {
		log.Fatal(err)
	}
	s := one.Scopes[1]
	fmt.Printf("%s: level %d to %d, %d operations\n", s.Name, s.Entering, s.Leaving, s.Ops)
	fmt.Println("keys", cost.Bytes(one.Keys), "a run", cost.Bytes(one.Values))
	fmt.Println("two threads are faster:", two.Run < one.Run)
	// Output:
	// square: level 2 to 1, 2 operations
	// keys 1.57 MB a run 2.69 MB
	// two threads are faster: true
}
