package ml

import (
	"math"
	"slices"
)

// SquareLayer is y = x², element by element: the activation that costs one
// multiplication under encryption and one constraint in a proof.
type SquareLayer struct{}

// SigmoidLayer is y = 1/(1+e^-x), element by element.
type SigmoidLayer struct{}

// TanhLayer is y = tanh x, element by element.
type TanhLayer struct{}

// ReLULayer is y = max(x, 0), element by element.
type ReLULayer struct{}

// SiLULayer is y = x/(1+e^-x), element by element; also called swish.
type SiLULayer struct{}

// GELULayer is y = x·Φ(x) = x/2·(1+erf(x/√2)), element by element: the exact form,
// PyTorch's default, and not the approximation by tanh.
type GELULayer struct{}

// SoftmaxLayer is y_k = e^(x_k) / Σ_j e^(x_j) over each sample.
type SoftmaxLayer struct{}

// Square returns the layer y = x².
func Square() Layer { return SquareLayer{} }

// Sigmoid returns the layer y = 1/(1+e^-x).
func Sigmoid() Layer { return SigmoidLayer{} }

// Tanh returns the layer y = tanh x.
func Tanh() Layer { return TanhLayer{} }

// ReLU returns the layer y = max(x, 0).
func ReLU() Layer { return ReLULayer{} }

// SiLU returns the layer y = x/(1+e^-x).
func SiLU() Layer { return SiLULayer{} }

// GELU returns the layer y = x·Φ(x), where Φ is the normal distribution function: the
// exact form with erf.
func GELU() Layer { return GELULayer{} }

// Softmax returns the layer that turns scores into probabilities of sum 1.
func Softmax() Layer { return SoftmaxLayer{} }

// Kind returns "square".
func (SquareLayer) Kind() string { return "square" }

// Kind returns "sigmoid".
func (SigmoidLayer) Kind() string { return "sigmoid" }

// Kind returns "tanh".
func (TanhLayer) Kind() string { return "tanh" }

// Kind returns "relu".
func (ReLULayer) Kind() string { return "relu" }

// Kind returns "silu".
func (SiLULayer) Kind() string { return "silu" }

// Kind returns "gelu".
func (GELULayer) Kind() string { return "gelu" }

// Kind returns "softmax".
func (SoftmaxLayer) Kind() string { return "softmax" }

func sameShape(in []int) ([]int, error) { return slices.Clone(in), nil }

func (SquareLayer) outShape(in []int) ([]int, error)  { return sameShape(in) }
func (SigmoidLayer) outShape(in []int) ([]int, error) { return sameShape(in) }
func (TanhLayer) outShape(in []int) ([]int, error)    { return sameShape(in) }
func (ReLULayer) outShape(in []int) ([]int, error)    { return sameShape(in) }
func (SiLULayer) outShape(in []int) ([]int, error)    { return sameShape(in) }
func (GELULayer) outShape(in []int) ([]int, error)    { return sameShape(in) }

func (SoftmaxLayer) outShape(in []int) ([]int, error) {
	if len(in) != 1 {
		return nil, &ShapeError{Where: "input", Got: in, Want: "flat samples: put Flatten in front"}
	}
	return sameShape(in)
}

func (SquareLayer) apply(_ int, _ []int, x []float64) ([]float64, error) {
	return mapped(x, func(v float64) float64 { return v * v })
}

func (SigmoidLayer) apply(_ int, _ []int, x []float64) ([]float64, error) { return mapped(x, sigmoid) }

func (TanhLayer) apply(_ int, _ []int, x []float64) ([]float64, error) { return mapped(x, math.Tanh) }

func (ReLULayer) apply(_ int, _ []int, x []float64) ([]float64, error) {
	return mapped(x, func(v float64) float64 { return max(v, 0) })
}

func (SiLULayer) apply(_ int, _ []int, x []float64) ([]float64, error) {
	return mapped(x, func(v float64) float64 { return v * sigmoid(v) })
}

// apply uses 1+erf(z) = erfc(-z), which keeps the small tail for negative x.
func (GELULayer) apply(_ int, _ []int, x []float64) ([]float64, error) {
	return mapped(x, func(v float64) float64 { return v / 2 * math.Erfc(-v/math.Sqrt2) })
}

// apply subtracts the largest score first: the result is the same and e^x cannot
// overflow.
func (SoftmaxLayer) apply(n int, in []int, x []float64) ([]float64, error) {
	y := make([]float64, len(x))
	k := in[0]
	for i := range n {
		src, dst := x[i*k:(i+1)*k], y[i*k:(i+1)*k]
		m, sum := slices.Max(src), 0.0
		for j, v := range src {
			dst[j] = math.Exp(v - m)
			sum += dst[j]
		}
		for j := range dst {
			dst[j] /= sum
		}
	}
	return y, nil
}

func mapped(x []float64, f func(float64) float64) ([]float64, error) {
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = f(v)
	}
	return y, nil
}

// sigmoid evaluates e^-|x| only, so that it neither overflows nor loses the small
// tail for negative x.
func sigmoid(x float64) float64 {
	e := math.Exp(-math.Abs(x))
	if x >= 0 {
		return 1 / (1 + e)
	}
	return e / (1 + e)
}
