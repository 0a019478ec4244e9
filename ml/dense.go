package ml

import (
	"fmt"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// DenseLayer is y = W·x + b.
type DenseLayer struct {
	W Tensor    // [out, in]
	B []float64 // [out]
}

// Dense returns the layer y = W·x + b for w of shape [out, in] and b of length
// out; a nil b means zeros. The layer keeps w and b; [Sequential] checks and copies
// them.
func Dense(w Tensor, b []float64) Layer {
	if b == nil && len(w.Shape) == 2 {
		b = zeroBias(w)
	}
	return &DenseLayer{W: w, B: b}
}

// zeroBias returns one zero per output of w, or nil for a w that is not well formed:
// its first size alone may ask for any amount of memory.
func zeroBias(w Tensor) []float64 {
	if w.Shape[0] < 1 || w.Shape[0] > len(w.Data) {
		return nil
	}
	return make([]float64, w.Shape[0])
}

// Kind returns "dense".
func (*DenseLayer) Kind() string { return "dense" }

// In returns the number of inputs. It panics when W is not a matrix, which no
// layer inside a model can be.
func (l *DenseLayer) In() int { return l.W.Shape[1] }

// Out returns the number of outputs, with the same precondition as In.
func (l *DenseLayer) Out() int { return l.W.Shape[0] }

func (l *DenseLayer) describe() string { return fmt.Sprintf("dense %d→%d", l.In(), l.Out()) }

// check reports whether the weights are well formed and finite.
func (l *DenseLayer) check() error {
	if l == nil {
		return errNilLayer
	}
	return checkWeights(l.W, l.B, 2, "[out in]")
}

func (l *DenseLayer) own() (Layer, error) {
	if err := l.check(); err != nil {
		return nil, err
	}
	return &DenseLayer{W: l.W.Clone(), B: slices.Clone(l.B)}, nil
}

// checkWeights reports whether w has dims sizes, b one number per row of w, and all of
// them are finite.
func checkWeights(w Tensor, b []float64, dims int, want string) error {
	if err := w.check("weight"); err != nil {
		return err
	}
	if len(w.Shape) != dims {
		return &ShapeError{Where: "weight", Got: w.Shape, Want: want}
	}
	if len(b) != w.Shape[0] {
		return &ShapeError{Where: "bias", Got: []int{len(b)}, Want: fmt.Sprintf("[%d], one per output of the weight", w.Shape[0])}
	}
	if err := w.checkFinite("weight"); err != nil {
		return err
	}
	return checkFiniteVector("bias", b)
}

func checkFiniteVector(where string, v []float64) error {
	return Tensor{Shape: []int{len(v)}, Data: v}.checkFinite(where)
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

func (l *DenseLayer) apply(n int, _ []int, x []float64) ([]float64, error) {
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
	return y, nil
}
