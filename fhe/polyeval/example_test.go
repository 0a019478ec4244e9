package polyeval_test

import (
	"fmt"
	"math"

	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/polyeval"
	"github.com/signet-ml/signet/fhe/program"
)

// The sigmoid of an encrypted vector whose values lie in [-8, 8], once they are mapped to [-1, 1].
func Example() {
	params, err := fhe.NewParameters(fhe.ParametersLiteral{LogN: 14, LogQ: []int{55, 45, 45, 45, 45}, LogP: []int{56, 56}})
	if err != nil {
		fmt.Println(err)
		return
	}
	sigmoid, err := polyeval.Sigmoid(-8, 8, 15)
	if err != nil {
		fmt.Println(err)
		return
	}
	scale, shift := sigmoid.ChangeOfBasis()
	fmt.Printf("fold t = %g·x + %g into the layer before\n", scale, shift)

	b := program.NewBuilder(params)
	n := params.MaxSlots()
	t := b.Input(program.Port{Name: "t", Count: 1, Level: 4, Degree: 1, LogSlots: params.LogMaxSlots(), Scale: params.DefaultScale(), Bound: 1,
		Layout: program.Layout{Shape: []int{n}, Runs: []program.Run{{SlotStep: 1, IndexStep: 1, Length: n}}}})[0]
	y, err := polyeval.Evaluate(b, t, sigmoid, params.DefaultScale())
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("level %d, scale %v, keys for one relinearisation\n", b.Level(y), b.Scale(y))
	fmt.Printf("sigmoid(2) ≈ %.4f\n", sigmoid.Eval(2))
	// Output:
	// fold t = 0.125·x + 0 into the layer before
	// level 0, scale 2^45, keys for one relinearisation
	// sigmoid(2) ≈ 0.8816
}

// The cheapest tanh within a tolerance.
func ExampleWithin() {
	p, err := polyeval.Within(0.01, math.Tanh, func(degree int) (polyeval.Chebyshev, error) {
		return polyeval.Approximate(math.Tanh, -4, 4, degree)
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("degree %d, %d levels, error 2^%.1f\n", p.Degree(), p.Depth(), math.Log2(p.MaxError(math.Tanh)))
	// Output:
	// degree 15, 4 levels, error 2^-8.5
}
