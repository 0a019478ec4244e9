package polyeval

import (
	"fmt"
	"math"
	"math/bits"
	"slices"

	"github.com/signet-ml/signet/fhe/program"
)

// MaxDegree is the largest degree of a polynomial: 9 levels.
const MaxDegree = 511

// Chebyshev is a polynomial Σ c_k·T_k(t), t = (2x - a - b)/(b - a), for x in [a, b]. T_k is the Chebyshev polynomial
// of degree k. It is immutable and safe for concurrent use; the zero value is unusable.
type Chebyshev struct {
	coeffs []float64
	a, b   float64
	name   string  // of the function that it stands for, or ""
	err    float64 // largest difference from that function on [a, b], or NaN
}

// NewChebyshev returns the polynomial with the given coefficients, c_0 first. Zeros at the end do not count; the degree
// left must lie between 1 and MaxDegree.
func NewChebyshev(coeffs []float64, a, b float64) (Chebyshev, error) {
	if !isInterval(a, b) {
		return Chebyshev{}, fmt.Errorf("polyeval: [%v, %v] is no interval", a, b)
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
	return Chebyshev{coeffs: slices.Clone(coeffs[:n]), a: a, b: b, err: math.NaN()}, nil
}

func isInterval(a, b float64) bool { return a < b && !math.IsInf(b-a, 0) }

// Degree returns the degree.
func (p Chebyshev) Degree() int { return len(p.coeffs) - 1 }

// Depth returns the number of levels that an evaluation consumes, ⌈log2(degree + 1)⌉. Degrees 2^k - 1 make the most of
// their levels.
func (p Chebyshev) Depth() int { return bits.Len(uint(p.Degree())) }

// Interval returns the interval on which the polynomial means something.
func (p Chebyshev) Interval() (a, b float64) { return p.a, p.b }

// MaxError returns the largest difference from the function that At or Within fitted, as they measured it on the
// interval, or NaN for a polynomial made of coefficients.
func (p Chebyshev) MaxError() float64 { return p.err }

// String returns a line such as "tanh on [-4,4], degree 15, error 2^-8.5, 4 levels".
func (p Chebyshev) String() string {
	name, fit := p.name, ""
	if name == "" {
		name = "polynomial"
	}
	if !math.IsNaN(p.err) {
		fit = fmt.Sprintf(", error 2^%.1f", math.Log2(p.err))
	}
	return fmt.Sprintf("%s on [%g,%g], degree %d%s, %s", name, p.a, p.b, p.Degree(), fit, levels(p.Depth()))
}

func levels(n int) string {
	if n == 1 {
		return "1 level"
	}
	return fmt.Sprintf("%d levels", n)
}

// Domain returns what t, a value that was mapped by ChangeOfBasis and given to Evaluate, must hold.
func (p Chebyshev) Domain(t program.Value) program.Domain {
	return program.Domain{Value: t, Lo: -1, Hi: 1, Name: p.String()}
}

// Coefficients returns a copy of the coefficients, that of T_0 first.
func (p Chebyshev) Coefficients() []float64 { return slices.Clone(p.coeffs) }

// ChangeOfBasis returns the map t = scale·x + shift from [a, b] to [-1, 1]. Whoever evaluates p under encryption
// applies it first, at best by folding it into the weights of the layer before, where it costs no level.
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

// Distance returns the largest difference from f on the interval, sampled at 32 points per degree and at least 4,096,
// which crowd towards the ends like the peaks of the error do.
func (p Chebyshev) Distance(f func(x float64) float64) float64 {
	n := max(4096, 32*len(p.coeffs))
	worst := 0.0
	for i := range n + 1 {
		x := (p.a+p.b)/2 + (p.b-p.a)/2*math.Cos(math.Pi*float64(i)/float64(n))
		x = min(max(x, p.a), p.b)
		worst = max(worst, math.Abs(p.Eval(x)-f(x)))
	}
	return worst
}
