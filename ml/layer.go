package ml

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// Layer is one step of a model. The set is closed (the interface has unexported
// methods) so that a compiler can switch over it completely:
//
//	switch l := layer.(type) {
//	case *ml.DenseLayer: // l.W, l.B
//	case ml.SquareLayer, ml.SigmoidLayer, ml.ReLULayer, ml.SoftmaxLayer, ml.FlattenLayer:
//	default: // a layer of a later version: refuse it by its Kind
//	}
//
// Layers hold no state: they are safe for concurrent use as long as nobody writes
// to the weights of a *[DenseLayer].
type Layer interface {
	// Kind names the layer as model files do: "dense", "square", "sigmoid",
	// "relu", "softmax", "flatten".
	Kind() string

	// outShape returns the shape of one sample after the layer.
	outShape(in []int) ([]int, error)
	// apply maps n samples of shape in, flat in x, to fresh memory.
	apply(n int, in []int, x []float64) []float64
}

// DenseLayer is y = W·x + b.
type DenseLayer struct {
	W Tensor    // [out, in]
	B []float64 // [out]
}

// SquareLayer is y = x², element by element: the activation that costs one
// multiplication under encryption and one constraint in a proof.
type SquareLayer struct{}

// SigmoidLayer is y = 1/(1+e^-x), element by element.
type SigmoidLayer struct{}

// ReLULayer is y = max(x, 0), element by element.
type ReLULayer struct{}

// SoftmaxLayer is y_k = e^(x_k) / Σ_j e^(x_j) over each sample.
type SoftmaxLayer struct{}

// FlattenLayer turns samples of any shape into flat ones, in row-major order.
// The numbers do not move.
type FlattenLayer struct{}

// Dense returns the layer y = W·x + b for w of shape [out, in] and b of length
// out; a nil b means zeros. The layer keeps w and b; [Sequential] checks and copies
// them.
func Dense(w Tensor, b []float64) Layer {
	if b == nil && len(w.Shape) == 2 && w.Shape[0] > 0 && w.Shape[0] <= len(w.Data) {
		b = make([]float64, w.Shape[0])
	}
	return &DenseLayer{W: w, B: b}
}

// Square returns the layer y = x².
func Square() Layer { return SquareLayer{} }

// Sigmoid returns the layer y = 1/(1+e^-x).
func Sigmoid() Layer { return SigmoidLayer{} }

// ReLU returns the layer y = max(x, 0).
func ReLU() Layer { return ReLULayer{} }

// Softmax returns the layer that turns scores into probabilities of sum 1.
func Softmax() Layer { return SoftmaxLayer{} }

// Flatten returns the layer that makes samples flat.
func Flatten() Layer { return FlattenLayer{} }

// Kind returns "dense".
func (*DenseLayer) Kind() string { return "dense" }

// Kind returns "square".
func (SquareLayer) Kind() string { return "square" }

// Kind returns "sigmoid".
func (SigmoidLayer) Kind() string { return "sigmoid" }

// Kind returns "relu".
func (ReLULayer) Kind() string { return "relu" }

// Kind returns "softmax".
func (SoftmaxLayer) Kind() string { return "softmax" }

// Kind returns "flatten".
func (FlattenLayer) Kind() string { return "flatten" }

// In returns the number of inputs. It panics when W is not a matrix, which no
// layer inside a model can be.
func (l *DenseLayer) In() int { return l.W.Shape[1] }

// Out returns the number of outputs, with the same precondition as In.
func (l *DenseLayer) Out() int { return l.W.Shape[0] }

// check reports whether the weights are well formed and finite.
func (l *DenseLayer) check() error {
	if err := l.W.check("weight"); err != nil {
		return err
	}
	if len(l.W.Shape) != 2 {
		return &ShapeError{Where: "weight", Got: l.W.Shape, Want: "[out in]"}
	}
	if len(l.B) != l.W.Shape[0] {
		return &ShapeError{Where: "bias", Got: []int{len(l.B)}, Want: fmt.Sprintf("[%d], one per row of the weight", l.W.Shape[0])}
	}
	if err := l.W.checkFinite("weight"); err != nil {
		return err
	}
	return Tensor{Shape: []int{len(l.B)}, Data: l.B}.checkFinite("bias")
}

func (l *DenseLayer) outShape(in []int) ([]int, error) {
	if len(in) != 1 {
		return nil, &ShapeError{Where: "input", Got: in, Want: "flat samples: put Flatten in front"}
	}
	if in[0] != l.In() {
		return nil, &ShapeError{Where: "input", Got: in, Want: fmt.Sprintf("[%d], the columns of the weight", l.In())}
	}
	return []int{l.Out()}, nil
}

func (l *DenseLayer) apply(n int, _ []int, x []float64) []float64 {
	in, out := l.In(), l.Out()
	y := make([]float64, n*out)
	dst := mat.NewDense(n, out, y)
	dst.Mul(mat.NewDense(n, in, x), mat.NewDense(out, in, l.W.Data).T())
	for i := range n {
		row := y[i*out : (i+1)*out]
		for j, b := range l.B {
			row[j] += b
		}
	}
	return y
}

func sameShape(in []int) ([]int, error) { return slices.Clone(in), nil }

func (SquareLayer) outShape(in []int) ([]int, error)  { return sameShape(in) }
func (SigmoidLayer) outShape(in []int) ([]int, error) { return sameShape(in) }
func (ReLULayer) outShape(in []int) ([]int, error)    { return sameShape(in) }

func (SoftmaxLayer) outShape(in []int) ([]int, error) {
	if len(in) != 1 {
		return nil, &ShapeError{Where: "input", Got: in, Want: "flat samples: put Flatten in front"}
	}
	return sameShape(in)
}

func (FlattenLayer) outShape(in []int) ([]int, error) {
	n, err := shapeLen(in)
	if err != nil {
		return nil, &ShapeError{Where: "input", Got: in, Want: err.Error()}
	}
	return []int{n}, nil
}

func (SquareLayer) apply(_ int, _ []int, x []float64) []float64 {
	return mapped(x, func(v float64) float64 { return v * v })
}

func (SigmoidLayer) apply(_ int, _ []int, x []float64) []float64 { return mapped(x, sigmoid) }

func (ReLULayer) apply(_ int, _ []int, x []float64) []float64 {
	return mapped(x, func(v float64) float64 { return max(v, 0) })
}

// apply subtracts the largest score first: the result is the same and e^x cannot
// overflow.
func (SoftmaxLayer) apply(n int, in []int, x []float64) []float64 {
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
	return y
}

func (FlattenLayer) apply(_ int, _ []int, x []float64) []float64 { return slices.Clone(x) }

func mapped(x []float64, f func(float64) float64) []float64 {
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = f(v)
	}
	return y
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
