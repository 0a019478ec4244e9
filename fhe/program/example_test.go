package program_test

import (
	"fmt"
	"os"

	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/program"
)

// The square of a vector of 4 numbers, one level deep.
func ExampleBuilder() {
	params, err := fhe.NewParameters(fhe.ParametersLiteral{LogN: 12, LogQ: []int{40, 30}, LogP: []int{36}})
	if err != nil {
		panic(err)
	}
	layout := program.Layout{Shape: []int{4}, Runs: []program.Run{{SlotStep: 1, IndexStep: 1, Length: 4}}}
	b := program.NewBuilder(params)
	x := b.Input(program.Port{Name: "x", Count: 1, Level: 1, Degree: 1, LogSlots: 11, Scale: params.DefaultScale(), Bound: 1, Layout: layout})[0]
	b.Scope("square")
	y := b.Rescale(b.MulRelin(x, x))
	b.Output(b.OutputPort("y", y, 1, layout), y)
	p, _, err := b.Build()
	if err != nil {
		panic(err)
	}
	if err := p.Dump(os.Stdout); err != nil {
		panic(err)
	}
	fmt.Printf("%+v\n", p.Keys())
	// Output:
	// program cc0663a3
	// parameters 9c947f87 N=2^12 Q=40+30 P=36 [classical 128, uniform ternary, N=2^12: log2(QP) = 106.0 of at most 106]
	// input "x" 1 × (level 1, degree 1, scale 2^30, 2^11 slots), |x| ≤ 1, tensor [4] in 1 runs
	// output "y" 1 × (level 0, degree 1, scale 2^30.0000, 2^11 slots), |x| ≤ 1, tensor [4] in 1 runs
	// %0 = INPUT "x"[0]  : level 1, scale 2^30
	// # square
	// %1 = MUL_RELIN %0 %0  : level 1, scale 2^60
	// %2 = RESCALE %1  : level 0, scale 2^30.0000
	// %3 = OUTPUT %2 "y"[0]
	// [{GaloisElement:0 Level:1 Scope:square}]
}
