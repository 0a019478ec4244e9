package encrypted

import (
	"fmt"

	"github.com/signet-ml/signet/fhe/polyeval"
	"github.com/signet-ml/signet/ml"
)

// Twin is the cleartext model that a Plan's ciphertexts compute: the model's dense layers, with the integer weights of a
// batch where the plan uses them, squares, and the polynomials that stand for other activations. It is the oracle for
// encrypted results; the original model is not. It is immutable and safe for concurrent use.
type Twin struct {
	input  int
	stages []twinStage
}

// twinStage is a dense layer and the activation after it.
type twinStage struct {
	dense *ml.Model
	act   activation
	poly  polyeval.Chebyshev // of a polynomial activation
}

// Forward returns the scores of every sample of x, [n, input shape…], as [n, outputs].
func (t *Twin) Forward(x ml.Tensor) (ml.Tensor, error) {
	n := x.Rows()
	if n < 1 || x.Len() != n*t.input {
		return ml.Tensor{}, fmt.Errorf("encrypted: twin: tensor of shape %v, want samples of %d numbers", x.Shape, t.input)
	}
	y, err := ml.NewTensor([]int{n, t.input}, append([]float64(nil), x.Data...))
	if err != nil {
		return ml.Tensor{}, fmt.Errorf("encrypted: twin: %w", err)
	}
	for _, s := range t.stages {
		if y, err = s.dense.Forward(y); err != nil {
			return ml.Tensor{}, fmt.Errorf("encrypted: twin: %w", err)
		}
		s.apply(y.Data)
	}
	return y, nil
}

func (s *twinStage) apply(v []float64) {
	switch s.act {
	case actSquare:
		for i := range v {
			v[i] *= v[i]
		}
	case actPolynomial:
		for i := range v {
			v[i] = s.poly.Eval(v[i])
		}
	}
}
