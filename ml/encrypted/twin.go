package encrypted

import (
	"fmt"

	"github.com/signet-ml/signet/ml"
	"github.com/signet-ml/signet/ml/internal/feature"
)

// Twin is the cleartext model that a Plan computes, ciphertexts and client together: the model's linear layers, with the integer weights of a
// batch where the plan uses them, squares, and the polynomials that stand for other activations. It is the oracle for
// encrypted results; the original model is not. It is immutable and safe for concurrent use.
type Twin struct {
	input    int
	features feature.Scaling
	stages   []*stage
	finish   ml.Layer // what is left to the client, or nil
}

// Forward returns the outputs of the model for every sample of x, [n, input shape…], as [n, outputs]: probabilities where
// the model ends in a sigmoid or softmax, whoever computes it. Give them to ml.Model.Labels. It uses all processors.
func (t *Twin) Forward(x ml.Tensor) (ml.Tensor, error) {
	y, err := t.Scores(x)
	if err != nil {
		return y, err
	}
	return finish(t.finish, y)
}

// Scores returns what the output's ciphertexts hold for every sample of x, as Forward does: its results before the layer
// that is left to the client.
func (t *Twin) Scores(x ml.Tensor) (ml.Tensor, error) {
	n := x.Rows()
	if n < 1 || x.Len() != n*t.input || len(x.Data) != x.Len() {
		return ml.Tensor{}, fmt.Errorf("encrypted: twin: tensor of shape %v, want samples of %d numbers", x.Shape, t.input)
	}
	y := scoresOf(t.stages, n, t.features.Apply(x.Data))
	return ml.NewTensor([]int{n, len(y) / n}, y)
}

// finish applies a layer that is left to the client to scores, [n, outputs].
func finish(l ml.Layer, scores ml.Tensor) (ml.Tensor, error) {
	if l == nil {
		return scores, nil
	}
	m, err := ml.SequentialFor([]int{scores.Len() / scores.Rows()}, l)
	if err != nil {
		return ml.Tensor{}, err
	}
	return m.Forward(scores)
}
