package polyeval

import (
	"fmt"
	"math"
	"strings"
	"sync"

	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/program"
)

// Minimax names a set of polynomials whose composition approximates the sign on [-1, -gap] ∪ [gap, 1]. Between -gap and
// gap the result lies anywhere between -1 and 1. See [LLNK20] for how they were found.
type Minimax int

// The sets. A smaller gap makes a finer ReLU; a smaller error outside the gap than the precision of the scheme is no
// use.
const (
	Minimax6      Minimax = iota + 1 // degrees 7, 15, 15, gap 2^-6, 11 levels: fits between two bootstraps with a product
	Minimax6Sharp                    // degrees 15, 15, 27, gap 2^-6, 13 levels, error far below a ciphertext's precision
	Minimax8                         // degrees 15, 15, 27, gap 2^-8, 13 levels
	Minimax10                        // degrees 15, 15, 15, 27, gap 2^-10, 17 levels
)

// minimaxSet is one entry of the generated table.
type minimaxSet struct {
	logGap int         // the gap is 2^-logGap
	odd    [][]float64 // by polynomial, the coefficients of T_1, T_3, …
}

// A Composite is a composition of polynomials on [-1, 1], the first one first: an approximation of the sign function or
// of the step function. It is immutable and safe for concurrent use; the zero value is unusable.
type Composite struct {
	name  string
	polys []Chebyshev
	gap   float64
	err   float64
}

// Sign returns the approximation of the sign, -1 or 1, by a set. It fails if there is no such set.
func Sign(m Minimax) (Composite, error) { return cached(m, 0) }

// Step returns the approximation of the step function, 0 for x < 0 and 1 for x > 0: half the sign and a half, at no
// cost. It fails if there is no such set.
func Step(m Minimax) (Composite, error) { return cached(m, 1) }

func cached(m Minimax, kind int) (Composite, error) {
	if m < 1 || int(m) > len(minimaxTable) {
		return Composite{}, fmt.Errorf("polyeval: no set of minimax polynomials %d", int(m))
	}
	return composites[m-1][kind](), nil
}

// composites makes sign and step of every set, once, at the first use: measuring their errors takes some milliseconds.
var composites = func() (out [len(minimaxTable)][2]func() Composite) {
	for i := range out {
		out[i][0] = sync.OnceValue(func() Composite { return newComposite("sign", minimaxTable[i], 1, 0) })
		out[i][1] = sync.OnceValue(func() Composite { return newComposite("step", minimaxTable[i], 0.5, 0.5) })
	}
	return out
}()

// newComposite returns factor·sign + constant.
func newComposite(name string, set minimaxSet, factor, constant float64) Composite {
	c := Composite{name: name, gap: math.Ldexp(1, -set.logGap)}
	for i, odd := range set.odd {
		coeffs := make([]float64, 2*len(odd))
		for k, v := range odd {
			coeffs[2*k+1] = v
		}
		if i == len(set.odd)-1 {
			for k := range coeffs {
				coeffs[k] *= factor
			}
			coeffs[0] += constant
		}
		p, err := NewChebyshev(coeffs, -1, 1)
		if err != nil {
			panic("polyeval: the table of minimax polynomials is damaged: " + err.Error())
		}
		c.polys = append(c.polys, p)
	}
	// The peaks of the first polynomial's error are as narrow as the gap, those of the others follow its slope.
	for _, x := range gapGrid(c.gap) {
		c.err = max(c.err, math.Abs(c.Eval(x)-(constant+factor)), math.Abs(c.Eval(-x)-(constant-factor)))
	}
	return c
}

// gapGrid returns points of [gap, 1], evenly spaced and, as many again, evenly spaced in their logarithm.
func gapGrid(gap float64) []float64 {
	const n = 1 << 14
	xs := make([]float64, 0, 2*n+2)
	for i := range n + 1 {
		t := float64(i) / n
		xs = append(xs, gap+float64(t*(1-gap)), math.Pow(gap, 1-t))
	}
	return xs
}

// Gap returns the smallest |x| for which MaxError holds.
func (c Composite) Gap() float64 { return c.gap }

// MaxError returns the largest error for |x| in [Gap, 1], as measured in double precision.
func (c Composite) MaxError() float64 { return c.err }

// Depth returns the levels that an evaluation consumes: the sum over the polynomials.
func (c Composite) Depth() int {
	d := 0
	for _, p := range c.polys {
		d += p.Depth()
	}
	return d
}

// Eval returns the composition's value at x, in double precision.
func (c Composite) Eval(x float64) float64 {
	for _, p := range c.polys {
		x = p.Eval(x)
	}
	return x
}

// String returns a line such as "step on [-1,1], degrees 7, 15, 15, gap 2^-6, error 2^-24.6, 11 levels".
func (c Composite) String() string {
	var degrees []string
	for _, p := range c.polys {
		degrees = append(degrees, fmt.Sprint(p.Degree()))
	}
	return fmt.Sprintf("%s on [-1,1], degrees %s, gap 2^%g, error 2^%.1f, %s", c.name, strings.Join(degrees, ", "), math.Log2(c.gap), math.Log2(c.err), levels(c.Depth()))
}

// Domain returns what t, given to EvaluateComposite, must hold.
func (c Composite) Domain(t program.Value) program.Domain {
	return program.Domain{Value: t, Lo: -1, Hi: 1, Name: c.String()}
}

// EvaluateComposite appends the composition and returns its value. The slots of t lie in [-1, 1]; imaginary parts are
// noise and are cleared after each polynomial: it is evaluated to half the scale and its conjugate added, as Lattigo's
// comparison evaluator does, because the next polynomial would blow them up. Degree of t: 1. Level: t.Level -
// c.Depth(). Scale: exactly target; between polynomials it is the default scale. If both target and the scale of t are
// the default scale, the bits are those of Lattigo v5.0.7's ComparisonEvaluator.
//
// Errors are a *LevelError, a *ScaleError, or the Builder's. It requires the relinearisation key and the Galois key of
// the conjugation.
func EvaluateComposite(b *program.Builder, t program.Value, c Composite, target fhe.Scale) (program.Value, error) {
	if len(c.polys) == 0 {
		return 0, fmt.Errorf("polyeval: no composition")
	}
	if err := check(b, t, c.Depth(), target, c); err != nil {
		return 0, err
	}
	for i, p := range c.polys {
		scale := b.Parameters().DefaultScale()
		if i == len(c.polys)-1 {
			scale = target
		}
		y, err := Evaluate(b, t, p, scale.Mul(fhe.PowerOfTwo(-1)))
		if err != nil {
			return 0, fmt.Errorf("polyeval: polynomial %d of %s: %w", i, c.name, err)
		}
		y = b.SetScale(y, scale) // halves the value
		t = b.Add(y, b.Conj(y))
	}
	return t, b.Err()
}
