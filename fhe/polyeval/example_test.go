package polyeval_test

import (
	"fmt"

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
	sigmoid, err := polyeval.At(polyeval.Sigmoid, -8, 8, 15)
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
	p, err := polyeval.Within(polyeval.Tanh, -4, 4, 0.01)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(p)
	_, err = polyeval.Within(polyeval.Tanh, -4000, 4000, 0.01)
	fmt.Println(err)
	// Output:
	// tanh on [-4,4], degree 15, error 2^-8.5, 4 levels
	// polyeval: tanh on [-4000,4000]: the error is 2^-0.4 at best, at degree 511 of at most 511, wanted 2^-6.6
}

// ReLU needs a comparison: a composition of polynomials, whose error is a matter of the gap around zero.
func ExampleEvaluateReLU() {
	params, err := fhe.NewParameters(fhe.ParametersLiteral{LogN: 15, LogQ: []int{60, 45, 45, 45, 45, 45, 45, 45, 45, 45, 45, 45, 45, 45}, LogP: []int{61, 61, 61}})
	if err != nil {
		fmt.Println(err)
		return
	}
	relu, err := polyeval.ReLUWithin(8, 0.01)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(relu)
	n := params.MaxSlots()
	port := program.Port{Name: "t", Count: 1, Level: 13, Degree: 1, LogSlots: params.LogMaxSlots(), Scale: params.DefaultScale(), Bound: 1,
		Layout: program.Layout{Shape: []int{n}, Runs: []program.Run{{SlotStep: 1, IndexStep: 1, Length: n}}}}
	b := program.NewBuilder(params)
	t := b.Input(port)[0] // x/8: fold relu.ChangeOfBasis() into the layer before
	y, err := polyeval.EvaluateReLU(b, t, relu, params.DefaultScale())
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("level %d, scale %v\n", b.Level(y), b.Scale(y))
	_, err = polyeval.EvaluateReLU(b, y, relu, params.DefaultScale())
	fmt.Println(err)
	// Output:
	// relu on [-8,8], gap 2^-3, error 2^-7.5, 12 levels
	// level 1, scale 2^45
	// polyeval: relu on [-8,8], gap 2^-3, error 2^-7.5, 12 levels consumes 12 levels, the value has 1: 11 missing, which a bootstrap before it would give
}
