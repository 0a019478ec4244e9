package polyeval

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"math/bits"
	"slices"

	"github.com/signet-ml/signet/fhe/internal/lattice"
)

// MaxDegree is the largest degree of a polynomial: 9 levels.
const MaxDegree = 511

// Chebyshev is a polynomial Σ c_k·T_k(t), t = (2x - a - b)/(b - a), for x in [a, b]. T_k is the Chebyshev polynomial
// of degree k. It is immutable and safe for concurrent use; the zero value is unusable.
type Chebyshev struct {
	coeffs []float64
	a, b   float64
}

// NewChebyshev returns the polynomial with the given coefficients, c_0 first. Zeros at the end do not count; the degree
// left must lie between 1 and MaxDegree.
func NewChebyshev(coeffs []float64, a, b float64) (Chebyshev, error) {
	if err := checkInterval(a, b); err != nil {
		return Chebyshev{}, err
	}
	n := len(coeffs)
	for n > 0 && coeffs[n-1] == 0 {
		n--
	}
	if n < 2 || n > MaxDegree+1 {
		return Chebyshev{}, fmt.Errorf("polyeval: polynomial of degree %d, must lie between 1 and %d", max(n-1, 0), MaxDegree)
	}
	for k, c := range coeffs[:n] {
		if math.IsNaN(c) || math.IsInf(c, 0) {
			return Chebyshev{}, fmt.Errorf("polyeval: coefficient %d is %v", k, c)
		}
	}
	return Chebyshev{slices.Clone(coeffs[:n]), a, b}, nil
}

func checkInterval(a, b float64) error {
	if !(a < b) || math.IsInf(b-a, 0) {
		return fmt.Errorf("polyeval: [%v, %v] is no interval", a, b)
	}
	return nil
}

// Approximate returns the polynomial that interpolates f at degree + 1 Chebyshev nodes of [a, b]. Coefficients below
// 2^-52 of the largest are zero, which makes an odd or even f cheaper; if the last ones are, the degree is smaller. The
// coefficients are as reproducible as f: a function of package math may differ in its last bit between processors.
func Approximate(f func(float64) float64, a, b float64, degree int) (Chebyshev, error) {
	bad := math.NaN()
	p, err := interpolate(func(x *big.Float) *big.Float {
		v, _ := x.Float64()
		y := f(v)
		if math.IsNaN(y) || math.IsInf(y, 0) {
			bad = v
			return new(big.Float)
		}
		return big.NewFloat(y).SetPrec(x.Prec())
	}, a, b, degree)
	if !math.IsNaN(bad) {
		return Chebyshev{}, fmt.Errorf("polyeval: the function is not finite at %v", bad)
	}
	return p, err
}

// Sigmoid returns the polynomial of a degree that interpolates 1/(1 + e^-x) on [a, b]. It has the same coefficients on
// every machine.
func Sigmoid(a, b float64, degree int) (Chebyshev, error) {
	return interpolate(lattice.Sigmoid, a, b, degree)
}

func interpolate(f func(*big.Float) *big.Float, a, b float64, degree int) (Chebyshev, error) {
	if err := checkInterval(a, b); err != nil {
		return Chebyshev{}, err
	}
	if degree < 1 || degree > MaxDegree {
		return Chebyshev{}, fmt.Errorf("polyeval: polynomial of degree %d, must lie between 1 and %d", degree, MaxDegree)
	}
	coeffs := make([]float64, degree+1)
	largest := 0.0
	for k, c := range lattice.Chebyshev(f, a, b, degree) {
		coeffs[k], _ = c.Float64()
		largest = max(largest, math.Abs(coeffs[k]))
	}
	for k, c := range coeffs {
		if math.Abs(c) <= largest*0x1p-52 {
			coeffs[k] = 0
		}
	}
	return NewChebyshev(coeffs, a, b)
}

// ErrTolerance is wrapped by errors of Within when no degree reaches the tolerance.
var ErrTolerance = errors.New("tolerance out of reach")

// Within returns the polynomial of the smallest degree 2^k - 1 that fit gives and whose largest error is at most
// tolerance. Degrees of that form use every level that they cost.
//
//	p, err := polyeval.Within(1e-3, math.Tanh, func(degree int) (polyeval.Chebyshev, error) {
//		return polyeval.Approximate(math.Tanh, -4, 4, degree)
//	})
func Within(tolerance float64, f func(float64) float64, fit func(degree int) (Chebyshev, error)) (Chebyshev, error) {
	if !(tolerance > 0) {
		return Chebyshev{}, fmt.Errorf("polyeval: tolerance %v is not positive", tolerance)
	}
	last := math.Inf(1)
	for degree := 1; degree <= MaxDegree; degree = 2*degree + 1 {
		p, err := fit(degree)
		if err != nil {
			return Chebyshev{}, err
		}
		if last = p.MaxError(f); last <= tolerance {
			return p, nil
		}
	}
	return Chebyshev{}, fmt.Errorf("polyeval: %w: the error is %.3g at degree %d, wanted %.3g", ErrTolerance, last, MaxDegree, tolerance)
}

// SigmoidWithin returns the Sigmoid of the smallest degree 2^k - 1 whose largest error on [a, b] is at most tolerance.
func SigmoidWithin(a, b, tolerance float64) (Chebyshev, error) {
	return Within(tolerance, sigmoid, func(degree int) (Chebyshev, error) { return Sigmoid(a, b, degree) })
}

func sigmoid(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

// Degree returns the degree.
func (p Chebyshev) Degree() int { return len(p.coeffs) - 1 }

// Depth returns the number of levels that an evaluation consumes, ⌈log2(degree + 1)⌉. Degrees 2^k - 1 make the most of
// their levels.
func (p Chebyshev) Depth() int { return bits.Len(uint(p.Degree())) }

// Interval returns the interval on which the polynomial means something.
func (p Chebyshev) Interval() (a, b float64) { return p.a, p.b }

// Coefficients returns a copy of the coefficients, that of T_0 first.
func (p Chebyshev) Coefficients() []float64 { return slices.Clone(p.coeffs) }

// ChangeOfBasis returns the map t = scale·x + shift from [a, b] to [-1, 1]. Whoever evaluates p under encryption applies
// it first, at best by folding it into the weights of the layer before, where it costs no level.
func (p Chebyshev) ChangeOfBasis() (scale, shift float64) {
	return 2 / (p.b - p.a), (-p.a - p.b) / (p.b - p.a)
}

// Eval returns the polynomial's value at x, in double precision, by Clenshaw's recurrence. Intermediate products are
// rounded, never fused, so that the result is the same on every processor.
func (p Chebyshev) Eval(x float64) float64 {
	scale, shift := p.ChangeOfBasis()
	t := float64(scale*x) + shift
	var b1, b2 float64
	for k := len(p.coeffs) - 1; k > 0; k-- {
		b1, b2 = p.coeffs[k]+float64(2*t*b1)-b2, b1
	}
	return p.coeffs[0] + float64(t*b1) - b2
}

// MaxError returns the largest difference from f on the interval, sampled at 32 points per degree and at least 4,096,
// which crowd towards the ends like the peaks of the error do.
func (p Chebyshev) MaxError(f func(float64) float64) float64 {
	n := max(4096, 32*len(p.coeffs))
	worst := 0.0
	for i := range n + 1 {
		x := (p.a+p.b)/2 + (p.b-p.a)/2*math.Cos(math.Pi*float64(i)/float64(n))
		x = min(max(x, p.a), p.b)
		worst = max(worst, math.Abs(p.Eval(x)-f(x)))
	}
	return worst
}
