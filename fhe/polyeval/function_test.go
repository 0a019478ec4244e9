package polyeval_test

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/signet-ml/signet/fhe/polyeval"
)

// others are functions of the table that have no name in the package.
var (
	relu        = polyeval.Function{Name: "relu", F: func(x float64) float64 { return max(x, 0) }}
	inverseRoot = polyeval.Function{Name: "1/sqrt", F: func(x float64) float64 { return 1 / math.Sqrt(x) }}
	inverse     = polyeval.Function{Name: "1/x", F: func(x float64) float64 { return 1 / x }}
)

// table is the error table of the design, section 7.1: log2 of the largest error at degrees 7, 15, 31, 63 and 127, 0
// where it has no entry. The page docs/explanation/activations.md shows it.
var table = []struct {
	f      polyeval.Function
	lo, hi float64
	bits   [5]float64
}{
	{polyeval.Sigmoid, -8, 8, [5]float64{-5.1, -9.5, -18.3, -36}},
	{polyeval.Sigmoid, -16, 16, [5]float64{-3.2, -5.2, -9.7, -18.7, -36.7}},
	{polyeval.Tanh, -4, 4, [5]float64{-4.1, -8.5, -17.3, -35}},
	{polyeval.Tanh, -8, 8, [5]float64{-2.2, -4.2, -8.7, -17.7, -35.7}},
	{polyeval.GELU, -4, 4, [5]float64{-4.3, -12, -33.6}},
	{polyeval.GELU, -8, 8, [5]float64{-1.3, -4.5, -13.4, -41.6}},
	{polyeval.SiLU, -8, 8, [5]float64{-2.4, -6.8, -15.7, -33.4}},
	{polyeval.SiLU, -16, 16, [5]float64{-0.2, -2.5, -7, -16, -34}},
	{polyeval.Exp, -8, 0, [5]float64{-10.8, -32}},
	{polyeval.Exp, -16, 0, [5]float64{-6.4, -20.8}},
	{polyeval.Exp, -32, 0, [5]float64{-3.4, -12.2, -40}},
	{relu, -1, 1, [5]float64{-4, -5, -6, -7, -8}},
	{inverseRoot, 0.01, 1, [5]float64{0, -1.7, -6.7, -16.4, -35}},
	{inverse, 1.0 / 64, 1, [5]float64{0, 0, -4.6, -16.2, -39}},
}

// TestErrorTable reproduces every entry within half a bit, and fits the functions of the package once more from
// doubles.
func TestErrorTable(t *testing.T) {
	for _, c := range table {
		for i, want := range c.bits {
			if want == 0 {
				continue
			}
			degree := 8<<i - 1
			t.Run(fmt.Sprintf("f=%s/lo=%g/hi=%g/degree=%d", c.f.Name, c.lo, c.hi, degree), func(t *testing.T) {
				p, err := polyeval.At(c.f, c.lo, c.hi, degree)
				if err != nil {
					t.Fatal(err)
				}
				// GELU, SiLU and ReLU are half of x and an even function, so their last odd coefficient is zero.
				if d := p.Degree(); d != degree && d != degree-1 || p.Depth() != i+3 || !strings.HasPrefix(p.String(), c.f.Name+" on [") {
					t.Errorf("%v", p)
				}
				if got := math.Log2(p.MaxError()); math.Abs(got-want) > 0.5 {
					t.Errorf("error 2^%.2f, want 2^%g within 0.5", got, want)
				}
				if got := p.Distance(c.f.F); got != p.MaxError() {
					t.Errorf("measured again: %g, was %g", got, p.MaxError())
				}
				q, err := polyeval.At(polyeval.Function{Name: "doubles", F: c.f.F}, c.lo, c.hi, degree)
				if err != nil {
					t.Fatal(err)
				}
				largest := 0.0
				for _, v := range p.Coefficients() {
					largest = max(largest, math.Abs(v))
				}
				for k, v := range q.Coefficients() {
					if w := p.Coefficients()[k]; math.Abs(v-w) > 0x1p-49*largest {
						t.Errorf("coefficient %d: %g from doubles, %g from big floats", k, v, w)
					}
				}
			})
		}
	}
}

func TestWithin(t *testing.T) {
	for _, c := range []struct {
		f         polyeval.Function
		lo, hi    float64
		tolerance float64
		degree    int
	}{
		{polyeval.Sigmoid, -8, 8, 0.5, 1}, {polyeval.Sigmoid, -8, 8, 0.05, 7}, {polyeval.Sigmoid, -8, 8, 0.01, 15},
		{polyeval.Sigmoid, -8, 8, 1e-3, 31}, {polyeval.Sigmoid, -8, 8, 1e-9, 63},
		{polyeval.Tanh, -4, 4, 0.01, 15}, {polyeval.GELU, -4, 4, 0x1p-11, 14}, {polyeval.SiLU, -8, 8, 0x1p-15, 30}, {polyeval.Exp, -8, 0, 1e-3, 7},
		{relu, -1, 1, 1.01 * 0x1p-9, 254},
	} {
		p, err := polyeval.Within(c.f, c.lo, c.hi, c.tolerance)
		if err != nil {
			t.Fatal(err)
		}
		if p.Degree() != c.degree || p.MaxError() > c.tolerance {
			t.Errorf("tolerance %g: %v, want degree %d", c.tolerance, p, c.degree)
		}
	}
	p, err := polyeval.Within(polyeval.Sigmoid, -8, 8, 0.01)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := p.String(), "sigmoid on [-8,8], degree 15, error 2^-9.5, 4 levels"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestWithinRefused(t *testing.T) {
	var tol *polyeval.ToleranceError
	_, err := polyeval.Within(relu, -1, 1, 1e-4)
	if !errors.As(err, &tol) || tol.Tolerance != 1e-4 || math.Abs(math.Log2(tol.Best)+10) > 0.5 {
		t.Errorf("a ReLU within 1e-4: %v", err)
	}
	if want := "relu on [-1,1]: the error is 2^-10.0 at best, at degree 510 of at most 511, wanted 2^-13.3"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%v, want %q", err, want)
	}
	for _, tolerance := range []float64{0, -1, math.NaN()} {
		if _, err := polyeval.Within(relu, -1, 1, tolerance); err == nil || errors.As(err, &tol) {
			t.Errorf("tolerance %g: %v", tolerance, err)
		}
	}
	if _, err := polyeval.Within(polyeval.Sigmoid, 1, -1, 0.1); err == nil {
		t.Error("an empty interval was taken")
	}
}

func TestAtRefused(t *testing.T) {
	for _, degree := range []int{-1, 0, polyeval.MaxDegree + 1} {
		if _, err := polyeval.At(polyeval.Sigmoid, -1, 1, degree); err == nil {
			t.Errorf("degree %d was taken", degree)
		}
	}
	for _, c := range []struct {
		f      polyeval.Function
		lo, hi float64
		want   string
	}{
		{polyeval.Function{Name: "log", F: math.Log}, -1, 1, "log is not finite at"},
		{polyeval.Exp, 0, 1000, "exp is not finite at"},
		{polyeval.Function{Name: "nothing"}, -1, 1, "without F"},
		{polyeval.Function{Name: "one", F: func(float64) float64 { return 1 }}, -1, 1, "degree 0"},
		{polyeval.Sigmoid, 1, -1, "no interval"}, {polyeval.Sigmoid, 1, 1, "no interval"}, {polyeval.Sigmoid, math.NaN(), 1, "no interval"},
		{polyeval.Sigmoid, math.Inf(-1), 1, "no interval"},
	} {
		if _, err := polyeval.At(c.f, c.lo, c.hi, 3); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s on [%g, %g]: %v, want %q", c.f.Name, c.lo, c.hi, err, c.want)
		}
	}
}

// TestWide: functions of the package take no longer where their arguments are huge.
func TestWide(t *testing.T) {
	for _, f := range []polyeval.Function{polyeval.Sigmoid, polyeval.Tanh, polyeval.GELU, polyeval.SiLU} {
		quick(t, func() {
			if _, err := polyeval.At(f, -1e300, 1e300, 15); err != nil {
				t.Error(err)
			}
		})
	}
	quick(t, func() {
		if p, err := polyeval.At(polyeval.Exp, -1e300, 0, 15); err == nil {
			t.Errorf("e^x is 0 at every node, and became %v", p)
		}
	})
}
