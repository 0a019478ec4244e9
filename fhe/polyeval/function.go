package polyeval

import (
	"fmt"
	"math"
	"math/big"

	"github.com/signet-ml/signet/fhe/internal/lattice"
)

// Function is a real function that polynomials stand in for. Those of this package are fitted from big floats, so that
// their polynomials have the same coefficients on every machine. One of your own, Function{Name: …, F: …}, is as
// reproducible as F: a function of package math may differ in its last bit between processors.
type Function struct {
	Name  string
	F     func(x float64) float64
	exact func(x *big.Float) *big.Float // of F for |x| ≤ maxExact; nil: F itself
}

// The activation functions. They are values to read, not to assign to.
var (
	Sigmoid = Function{"sigmoid", func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }, lattice.Sigmoid}
	Tanh    = Function{"tanh", math.Tanh, lattice.Tanh}
	GELU    = Function{"gelu", func(x float64) float64 { return x / 2 * math.Erfc(-x/math.Sqrt2) }, lattice.GELU} // x·Φ(x), not the form with tanh
	SiLU    = Function{"silu", func(x float64) float64 { return x / (1 + math.Exp(-x)) }, lattice.SiLU}           // x·sigmoid(x), also called swish
	Exp     = Function{"exp", math.Exp, lattice.Exp}
)

// maxExact bounds the arguments of exact: beyond it every function of this package is 0, 1, ±1, x or not finite, to
// more digits than a fit has, and F says so without taking time that grows with x.
const maxExact = 1024

// big returns F lifted to big floats. Where F is not finite, it writes the place to *bad and returns 0.
func (f Function) big(bad *float64) func(x *big.Float) *big.Float {
	return func(x *big.Float) *big.Float {
		v, _ := x.Float64()
		y := f.F(v)
		switch {
		case math.IsNaN(y) || math.IsInf(y, 0):
			*bad = v
			return new(big.Float)
		case f.exact != nil && math.Abs(v) <= maxExact:
			return f.exact(x)
		}
		return big.NewFloat(y).SetPrec(x.Prec())
	}
}

// At returns the polynomial of a degree that interpolates f at degree + 1 Chebyshev nodes of [lo, hi], and measures its
// largest error there. Coefficients below 2^-52 of the largest are zero, which makes an odd or even f cheaper; if the
// last ones are, the degree is smaller. It fails if f is not finite at a node, or if nothing is left but a constant.
func At(f Function, lo, hi float64, degree int) (Chebyshev, error) {
	switch {
	case f.F == nil:
		return Chebyshev{}, fmt.Errorf("polyeval: a function without F")
	case !isInterval(lo, hi):
		return Chebyshev{}, fmt.Errorf("polyeval: [%v, %v] is no interval", lo, hi)
	case degree < 1 || degree > MaxDegree:
		return Chebyshev{}, fmt.Errorf("polyeval: polynomial of degree %d, must lie between 1 and %d", degree, MaxDegree)
	}
	bad := math.NaN()
	coeffs := make([]float64, degree+1)
	largest := 0.0
	for k, c := range lattice.Chebyshev(f.big(&bad), lo, hi, degree) {
		coeffs[k], _ = c.Float64()
		largest = max(largest, math.Abs(coeffs[k]))
	}
	if !math.IsNaN(bad) {
		return Chebyshev{}, fmt.Errorf("polyeval: %s is not finite at %v", f.Name, bad)
	}
	for k, c := range coeffs {
		if math.Abs(c) <= largest*0x1p-52 {
			coeffs[k] = 0
		}
	}
	p, err := NewChebyshev(coeffs, lo, hi)
	if err != nil {
		return Chebyshev{}, err
	}
	p.name, p.err = f.Name, p.Distance(f.F)
	return p, nil
}

// Within returns the polynomial of the smallest degree 2^k - 1 whose largest error on [lo, hi], as measured, is at most
// tolerance. Degrees of that form use every level that they cost. If none up to MaxDegree is, the error is a
// *ToleranceError.
func Within(f Function, lo, hi, tolerance float64) (Chebyshev, error) {
	if !(tolerance > 0) {
		return Chebyshev{}, fmt.Errorf("polyeval: tolerance %v is not positive", tolerance)
	}
	best := Chebyshev{err: math.Inf(1)}
	for degree := 1; degree <= MaxDegree; degree = 2*degree + 1 {
		p, err := At(f, lo, hi, degree)
		if err != nil {
			return Chebyshev{}, err
		}
		if p.err <= tolerance {
			return p, nil
		}
		if p.err < best.err {
			best = p
		}
	}
	return Chebyshev{}, &ToleranceError{Name: fmt.Sprintf("%s on [%g,%g]", f.Name, lo, hi), Tolerance: tolerance,
		Best: best.err, Detail: fmt.Sprintf("at degree %d of at most %d", best.Degree(), MaxDegree)}
}
