package polyeval

import (
	"fmt"
	"math"
	"sync"

	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/program"
)

// ReLU approximates max(x, 0) on [-bound, bound] as x·step(x/bound). Its error is that of the gap, where the step is
// neither 0 nor 1. It is immutable and safe for concurrent use; the zero value is unusable.
type ReLU struct {
	step  Composite
	bound float64
	err   float64 // for bound 1
}

// reluErrors measures every set once.
var reluErrors = func() (out [len(minimaxTable)]func() float64) {
	for i := range out {
		out[i] = sync.OnceValue(func() float64 {
			step := composites[i][1]()
			worst := 0.0
			visit := func(x float64) { worst = max(worst, math.Abs(float64(x*step.Eval(x))-max(x, 0))) }
			for _, x := range gapGrid(step.gap) {
				visit(x)
				visit(-x)
				visit(step.gap * x)
				visit(-step.gap * x)
			}
			return worst
		})
	}
	return out
}()

// NewReLU returns the approximation by a set for |x| ≤ bound. A power of two or another integer is as good a bound as
// any: dividing by it is the caller's, multiplying by it costs nothing.
func NewReLU(m Minimax, bound float64) (ReLU, error) {
	if !(bound > 0) || math.IsInf(bound, 0) || math.IsInf(1/bound, 0) {
		return ReLU{}, fmt.Errorf("polyeval: %v bounds no interval", bound)
	}
	step, err := Step(m)
	if err != nil {
		return ReLU{}, err
	}
	return ReLU{step: step, bound: bound, err: reluErrors[m-1]()}, nil
}

// ReLUWithin returns the ReLU of the fewest levels whose largest error for |x| ≤ bound is at most tolerance. If there
// is none, the error is a *ToleranceError.
func ReLUWithin(bound, tolerance float64) (ReLU, error) {
	if !(tolerance > 0) {
		return ReLU{}, fmt.Errorf("polyeval: tolerance %v is not positive", tolerance)
	}
	var found ReLU
	best := math.Inf(1)
	for m := range len(minimaxTable) {
		r, err := NewReLU(Minimax(m+1), bound)
		if err != nil {
			return ReLU{}, err
		}
		best = min(best, r.MaxError())
		if r.MaxError() <= tolerance && (found.bound == 0 || r.Depth() < found.Depth()) {
			found = r
		}
	}
	if found.bound == 0 {
		return ReLU{}, &ToleranceError{Name: fmt.Sprintf("relu on [%g,%g]", -bound, bound), Tolerance: tolerance, Best: best, Detail: "by the set with the smallest gap"}
	}
	return found, nil
}

// Step returns the composition that stands for the step function.
func (r ReLU) Step() Composite { return r.step }

// Interval returns the interval on which the approximation means something, [-bound, bound].
func (r ReLU) Interval() (a, b float64) { return -r.bound, r.bound }

// Gap returns the |x| below which the step is neither 0 nor 1.
func (r ReLU) Gap() float64 { return r.step.gap * r.bound }

// MaxError returns the largest error on the interval, as measured in double precision.
func (r ReLU) MaxError() float64 { return r.err * r.bound }

// Depth returns the levels that an evaluation consumes: those of the step, and one for the product.
func (r ReLU) Depth() int { return r.step.Depth() + 1 }

// ChangeOfBasis returns the map t = scale·x + shift from the interval to [-1, 1]; shift is 0. Whoever evaluates r under
// encryption applies it first, at best by folding it into the weights of the layer before, where it costs no level.
func (r ReLU) ChangeOfBasis() (scale, shift float64) { return 1 / r.bound, 0 }

// Eval returns the approximation's value at x, in double precision.
func (r ReLU) Eval(x float64) float64 { return x * r.step.Eval(x/r.bound) }

// String returns a line such as "relu on [-8,8], gap 2^-3, error 2^-7.5, 12 levels".
func (r ReLU) String() string {
	return fmt.Sprintf("relu on [%g,%g], gap 2^%.4g, error 2^%.1f, %s", -r.bound, r.bound, math.Log2(r.Gap()), math.Log2(r.MaxError()), levels(r.Depth()))
}

// Domain returns what t, a value that was mapped by ChangeOfBasis and given to EvaluateReLU, must hold.
func (r ReLU) Domain(t program.Value) program.Domain {
	return program.Domain{Value: t, Lo: -1, Hi: 1, Name: r.String()}
}

// EvaluateReLU appends r(x) and returns its value. The slots of t hold x mapped to [-1, 1] by r.ChangeOfBasis, which is
// the caller's to apply; the bound is multiplied back without a level, by stating the scale of x instead of that of t.
// Degree of t: 1. Level: t.Level - r.Depth(). Scale: exactly target.
//
// Errors are a *LevelError, a *ScaleError (also where the bound at the target scale does not fit the primes of the
// result's level), or the Builder's. It requires the relinearisation key and the Galois key of the conjugation.
func EvaluateReLU(b *program.Builder, t program.Value, r ReLU, target fhe.Scale) (program.Value, error) {
	if r.bound == 0 {
		return 0, fmt.Errorf("polyeval: no ReLU")
	}
	if err := check(b, t, r.Depth(), target, r); err != nil {
		return 0, err
	}
	out := b.Level(t) - r.Depth()
	capacity := -1.0 // a sign
	for i := range out + 1 {
		capacity += math.Log2(float64(b.Parameters().Prime(i)))
	}
	bound := fhe.NewScale(r.bound)
	if need := bound.Log2() + target.Log2(); need >= capacity {
		return 0, &ScaleError{b.Scale(t), target, fmt.Errorf("%w: %g at that scale needs %.1f bits, level %d holds %.1f", program.ErrScale, r.bound, need, out, capacity)}
	}
	x := b.SetScale(t, b.Scale(t).Div(bound)) // the same slots, times the bound
	// x·step is rescaled by the last prime of the step's level.
	want := target.Mul(fhe.ScaleFromInt(b.Parameters().Prime(out + 1))).Div(b.Scale(x))
	step, err := EvaluateComposite(b, t, r.step, want)
	if err != nil {
		return 0, err
	}
	y := b.Rescale(b.MulRelin(x, step))
	if s := b.Scale(y); b.Err() == nil && s != target { // an ulp of 128 bits, of the quotient and the product
		y = b.SetScale(y, target)
	}
	return y, b.Err()
}
