package encrypted

import (
	"errors"
	"fmt"
	"math"

	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/polyeval"
	"github.com/signet-ml/signet/fhe/program"
)

// function names what an activation computes, as the kind of the layer does; the empty one is none.
type function string

const (
	square  function = "square"
	sigmoid function = "sigmoid"
	relu    function = "relu"
)

// smooth holds the functions that one polynomial stands for.
var smooth = map[function]polyeval.Function{
	sigmoid: polyeval.Sigmoid,
	"tanh":  polyeval.Tanh,
	"gelu":  polyeval.GELU,
	"silu":  polyeval.SiLU,
}

// polynomial stands for an activation under encryption.
type polynomial interface {
	Depth() int
	// ChangeOfBasis returns the map of the input that is folded into the linear layer before it.
	ChangeOfBasis() (scale, shift float64)
	// Eval evaluates it at x, before the map.
	Eval(x float64) float64
	// Interval is where it means something.
	Interval() (lo, hi float64)
	MaxError() float64
	// Domain says what a value that the map was applied to must hold.
	Domain(t program.Value) program.Domain
	String() string
	// emit appends it to a value that the map was applied to; the result has the scale target.
	emit(b *program.Builder, t program.Value, target fhe.Scale) (program.Value, error)
}

type chebyshev struct{ polyeval.Chebyshev }

func (p chebyshev) emit(b *program.Builder, t program.Value, target fhe.Scale) (program.Value, error) {
	return polyeval.Evaluate(b, t, p.Chebyshev, target)
}

type composite struct{ polyeval.ReLU }

func (p composite) emit(b *program.Builder, t program.Value, target fhe.Scale) (program.Value, error) {
	return polyeval.EvaluateReLU(b, t, p.ReLU, target)
}

// smallRange is the range below which an activation is little but a line, or of ReLU has no size of its own.
const smallRange = 0.25

// floor returns the interval that a function is fitted on at least, of values up to a magnitude.
func (f function) floor(magnitude float64) float64 {
	if f == relu || magnitude < smallRange {
		return 0
	}
	return 0.5
}

// fit returns the polynomial for a function on [-reach, reach], with an error of at most tolerance times the largest
// magnitude that the function takes on the calibrated range r.
func fit(f function, r span, reach, tolerance float64) (polynomial, error) {
	// A symmetric range makes the polynomial of an odd function exact at 0, where a classifier decides.
	if f == relu {
		p, err := polyeval.ReLUWithin(reach, tolerance*rangeMargin*r.abs())
		return composite{p}, err
	}
	fn, ok := smooth[f]
	if !ok {
		return nil, fmt.Errorf("no polynomial for %q", f)
	}
	largest := 0.0
	const steps = 64
	for k := range steps + 1 {
		largest = max(largest, math.Abs(fn.F(r.lo+(r.hi-r.lo)*float64(k)/steps)))
	}
	if f == sigmoid || f == "tanh" && r.abs() >= smallRange {
		largest = 1
	}
	if largest == 0 {
		return nil, errors.New("it is zero on the whole calibrated range")
	}
	p, err := polyeval.Within(fn, -reach, reach, tolerance*largest)
	return chebyshev{p}, err
}

// Activation says how one activation of a model is computed under encryption.
type Activation struct {
	Layer       string // the linear layer before it
	Function    string
	Calibrated  [2]float64 // range of its inputs in the calibration set
	Lo, Hi      float64    // range on which the polynomial stands for it: an input outside gives garbage
	MaxError    float64    // largest difference on [Lo, Hi]; 0 for a square
	Levels      int
	Description string
}

// activations describes those of a plan.
func activations(stages []*stage) []Activation {
	var out []Activation
	for _, st := range stages {
		a := Activation{Layer: st.name, Function: string(st.fn), Calibrated: [2]float64{st.pre.lo, st.pre.hi}}
		switch st.act {
		case actSquare:
			a.Lo, a.Hi, a.Levels, a.Description = -st.wide, st.wide, 1, "square, exact"
		case actPolynomial:
			a.Lo, a.Hi = st.poly.Interval()
			a.MaxError, a.Levels, a.Description = st.poly.MaxError(), st.poly.Depth(), st.poly.String()
		default:
			continue
		}
		out = append(out, a)
	}
	return out
}
