package pass_test

import (
	"fmt"

	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/program"
	"github.com/signet-ml/signet/fhe/program/pass"
)

// A window of three neighbours, once as a sum and once in a product, by code that emits it twice.
func Example() {
	params, err := fhe.NewParameters(fhe.ParametersLiteral{LogN: 13, LogQ: []int{40, 30, 30}, LogP: []int{40}})
	if err != nil {
		panic(err)
	}
	layout := program.Layout{Shape: []int{4}, Runs: []program.Run{{SlotStep: 1, IndexStep: 1, Length: 4}}}
	b := program.NewBuilder(params)
	x := b.Input(program.Port{Name: "x", Count: 1, Level: 2, Degree: 1, LogSlots: 12, Scale: params.DefaultScale(), Bound: 1, Layout: layout})[0]
	window := func() program.Value {
		sum := x
		for _, k := range []int{-1, 1} {
			sum = b.Add(sum, b.Rot(x, params.GaloisElement(k)))
		}
		return sum
	}
	sum := window()
	square := b.Rescale(b.MulRelin(sum, window()))
	b.Output(b.OutputPort("sum", sum, 1, layout), sum)
	b.Output(b.OutputPort("square", square, 1, layout), square)
	p, _, err := b.Build()
	if err != nil {
		panic(err)
	}
	q, report, err := pass.Optimize(p)
	if err != nil {
		panic(err)
	}
	fmt.Print(report)
	v, ok := report.Map(square)
	fmt.Println("square:", square, "became", v, ok, "at level", q.Ops()[v].Level)
	// Output:
	// round 1, equal:            4 removed     0 added     1 changed, key switches 5 → 3
	// round 1, hoists:           0 removed     1 added     2 changed, key switches 3 → 3
	// operations 13 → 10
	// key switches 5 → 3
	// rotations 4 → 2
	// decompositions 5 → 2
	// limbs 64 → 40
	// bits stay
	// square: 10 became 7 true at level 1
}
