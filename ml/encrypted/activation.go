package encrypted

import (
	"math"

	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/polyeval"
	"github.com/signet-ml/signet/fhe/program"
)

// The functions that a polynomial can stand for.
const (
	square  function = "square"
	sigmoid function = "sigmoid"
)

// polynomial stands for an activation under encryption.
type polynomial interface {
	Depth() int
	// ChangeOfBasis returns the map of the input that is folded into the linear layer before it.
	ChangeOfBasis() (scale, shift float64)
	// Eval evaluates it at x, before the map.
	Eval(x float64) float64
	// emit appends it to a value that the map was applied to; the result has the scale target.
	emit(b *program.Builder, v program.Value, target fhe.Scale) (program.Value, error)
}

type chebyshev struct{ polyeval.Chebyshev }

func (p chebyshev) emit(b *program.Builder, v program.Value, target fhe.Scale) (program.Value, error) {
	return polyeval.Evaluate(b, v, p.Chebyshev, target)
}

// fit returns the polynomial for a function on a calibrated range, widened by the range margin.
func fit(f function, r span) (polynomial, error) {
	// A symmetric range makes the polynomial exact at 0, where a classifier decides.
	reach := rangeMargin * math.Max(r.abs(), 0.5)
	p, err := polyeval.SigmoidWithin(-reach, reach, sigmoidTolerance)
	return chebyshev{p}, err
}
