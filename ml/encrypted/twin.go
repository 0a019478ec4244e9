package encrypted

import (
	"fmt"

	"github.com/signet-ml/signet/ml"
)

// Twin is the cleartext model that a Plan's ciphertexts compute: the model's linear layers, with the integer weights of a
// batch where the plan uses them, squares, and the polynomials that stand for other activations. It is the oracle for
// encrypted results; the original model is not. It is immutable and safe for concurrent use.
type Twin struct {
	input  int
	stages []*stage
}

// Forward returns the scores of every sample of x, [n, input shape…], as [n, outputs]. It uses all processors.
func (t *Twin) Forward(x ml.Tensor) (ml.Tensor, error) {
	n := x.Rows()
	if n < 1 || x.Len() != n*t.input || len(x.Data) != x.Len() {
		return ml.Tensor{}, fmt.Errorf("encrypted: twin: tensor of shape %v, want samples of %d numbers", x.Shape, t.input)
	}
	values := make([][]float64, len(t.stages))
	for i, s := range t.stages {
		values[i] = s.linear(n, x.Data, values)
		s.activate(values[i])
	}
	y := values[len(values)-1]
	return ml.NewTensor([]int{n, len(y) / n}, y)
}
