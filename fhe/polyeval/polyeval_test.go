package polyeval_test

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tuneinsight/lattigo/v5/core/rlwe"
	"github.com/tuneinsight/lattigo/v5/he/hefloat"

	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/fhetest"
	"github.com/signet-ml/signet/fhe/polyeval"
	"github.com/signet-ml/signet/fhe/program"
)

func mustSigmoid(t testing.TB, a, b float64, degree int) polyeval.Chebyshev {
	t.Helper()
	p, err := polyeval.At(polyeval.Sigmoid, a, b, degree)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestEval: Clenshaw's recurrence against the definition T_k(t) = cos(k·arccos t).
func TestEval(t *testing.T) {
	coeffs := []float64{0.25, -1, 0.5, 0, 3, -0.125}
	p, err := polyeval.NewChebyshev(append(coeffs, 0, 0), -3, 5)
	if err != nil {
		t.Fatal(err)
	}
	if p.Degree() != 5 || p.Depth() != 3 {
		t.Errorf("degree %d, depth %d", p.Degree(), p.Depth())
	}
	for x := -3.0; x <= 5; x += 0.25 {
		u, want := math.Acos((2*x-2)/8), 0.0
		for k, c := range coeffs {
			want += c * math.Cos(float64(k)*u)
		}
		if got := p.Eval(x); math.Abs(got-want) > 1e-12 {
			t.Errorf("p(%g) = %g, want %g", x, got, want)
		}
	}
	p.Coefficients()[0] = 99
	if p.Coefficients()[0] != 0.25 {
		t.Error("coefficients are shared with the caller")
	}
}

func TestInvalidPolynomials(t *testing.T) {
	inf, nan := math.Inf(1), math.NaN()
	for _, c := range []struct {
		coeffs []float64
		a, b   float64
	}{
		{nil, -1, 1}, {[]float64{1}, -1, 1}, {[]float64{1, 0, 0}, -1, 1}, {[]float64{1, nan}, -1, 1}, {[]float64{-inf, 1}, -1, 1},
		{[]float64{0, 1}, 1, 1}, {[]float64{0, 1}, 2, 1}, {[]float64{0, 1}, nan, 1}, {[]float64{0, 1}, -inf, 1}, {[]float64{0, 1}, -1e308, 1e308},
		{append(make([]float64, polyeval.MaxDegree+1), 1), -1, 1},
	} {
		if p, err := polyeval.NewChebyshev(c.coeffs, c.a, c.b); err == nil {
			t.Errorf("degree %d on [%v, %v] was taken", p.Degree(), c.a, c.b)
		}
	}
}

// TestValues decrypts and compares with the cleartext twin. Measured at N = 2^10 with 45-bit primes: errors from
// 2^-35.3 to 2^-33.4, fresh encryption included; the tolerance leaves five bits to the randomness of keys and noise.
func TestValues(t *testing.T) {
	params := toy(t, 10, 6)
	m := newMachine(t, params)
	for _, degree := range []int{7, 15, 31} {
		for _, iv := range [][2]float64{{-8, 8}, {-2, 10}} {
			t.Run(fmt.Sprintf("degree=%d/a=%g", degree, iv[0]), func(t *testing.T) {
				p := mustSigmoid(t, iv[0], iv[1], degree)
				checkValues(t, m, p, 6, params.DefaultScale(), params.DefaultScale())
			})
		}
	}
}

// checkValues evaluates p on a grid over its interval, mapped by the change of basis.
func checkValues(t *testing.T, m *machine, p polyeval.Chebyshev, level int, scale, target fhe.Scale) {
	t.Helper()
	prog := compile(t, m.fhe, level, scale, func(b *program.Builder, x program.Value) (program.Value, error) {
		return polyeval.Evaluate(b, x, p, target)
	})
	if got := prog.Outputs()[0].Scale; got != target {
		t.Errorf("scale %v, want exactly %v", got, target)
	}
	if got, want := prog.Outputs()[0].Level, level-p.Depth(); got != want {
		t.Errorf("level %d, want %d", got, want)
	}
	a, b := p.Interval()
	s, shift := p.ChangeOfBasis()
	xs, ts := make([]float64, m.fhe.MaxSlots()), make([]float64, m.fhe.MaxSlots())
	for i := range xs {
		xs[i] = a + (b-a)*float64(i)/float64(len(xs)-1)
		ts[i] = s*xs[i] + shift
	}
	got := m.decrypt(t, m.run(t, prog, m.encrypt(t, ts, level, scale)))
	worst := 0.0
	for i, x := range xs {
		worst = max(worst, math.Abs(got[i]-p.Eval(x)))
	}
	if worst > 0x1p-28 {
		t.Errorf("error 2^%.1f against the polynomial in the clear", math.Log2(worst))
	}
	t.Logf("error 2^%.1f", math.Log2(worst))
}

// TestDepth: every degree consumes exactly the levels that Depth says, and comes out at the target scale.
func TestDepth(t *testing.T) {
	params := toy(t, 10, 7)
	for degree := 1; degree <= 70; degree++ {
		coeffs := make([]float64, degree+1)
		for k := range coeffs {
			coeffs[k] = 1 / float64(k+1)
		}
		p, err := polyeval.NewChebyshev(coeffs, -1, 1)
		if err != nil {
			t.Fatal(err)
		}
		if want := int(math.Ceil(math.Log2(float64(degree + 1)))); p.Depth() != want {
			t.Errorf("degree %d: depth %d, want %d", degree, p.Depth(), want)
		}
		prog := compile(t, params, p.Depth(), params.DefaultScale(), func(b *program.Builder, x program.Value) (program.Value, error) {
			return polyeval.Evaluate(b, x, p, params.DefaultScale())
		})
		if out := prog.Outputs()[0]; out.Level != 0 || out.Scale != params.DefaultScale() {
			t.Errorf("degree %d: level %d, scale %v", degree, out.Level, out.Scale)
		}
	}
}

// TestTrap12 (scales other than the default are silent there): an input off the default scale gives right values, and
// the result has the scale asked for, not the input's.
func TestTrap12InputScale(t *testing.T) {
	params := toy(t, 10, 5)
	m := newMachine(t, params)
	p := mustSigmoid(t, -8, 8, 7)
	for _, scale := range []fhe.Scale{fhe.NewScale(1.5 * (1 << 45)), fhe.NewScale(1.1 * (1 << 43))} {
		for _, target := range []fhe.Scale{params.DefaultScale(), scale, fhe.ScaleFromInt(params.Prime(2))} {
			checkValues(t, m, p, 5, scale, target)
		}
	}
}

// TestTrap16Depth: Lattigo says that degree 16 needs 4 levels and then runs out of them; it needs 5.
func TestTrap16Depth(t *testing.T) {
	params := toy(t, 10, 5)
	for degree, depth := range map[int]int{8: 4, 16: 5, 31: 5} {
		coeffs := make([]float64, degree+1)
		coeffs[1], coeffs[degree] = 1, 1
		p, err := polyeval.NewChebyshev(coeffs, -1, 1)
		if err != nil {
			t.Fatal(err)
		}
		lattigo := lattigoPolynomial(p)
		if said := lattigo.Depth(); degree&(degree-1) == 0 && said != depth-1 {
			t.Errorf("Lattigo counts %d levels for degree %d now: the trap is gone", said, degree)
		}
		for _, level := range []int{depth - 1, depth} {
			b := program.NewBuilder(params)
			x := b.Input(inputPort(params, "x", level, params.DefaultScale()))[0]
			_, err := polyeval.Evaluate(b, x, p, params.DefaultScale())
			var short *polyeval.LevelError
			switch {
			case level == depth && err != nil:
				t.Errorf("degree %d at level %d: %v", degree, level, err)
			case level < depth && (!errors.As(err, &short) || short.Missing() != 1 || !strings.Contains(err.Error(), "1 missing")):
				t.Errorf("degree %d at level %d: %v", degree, level, err)
			case level < depth && b.Err() != nil:
				t.Errorf("a refused evaluation spoilt the builder: %v", b.Err())
			}
		}
	}
}

// TestTrap17TargetScale: Lattigo's result has the target scale up to rounding only, ours has all of its bits.
func TestTrap17TargetScale(t *testing.T) {
	params := toy(t, 10, 6)
	m := newMachine(t, params)
	p := mustSigmoid(t, -8, 8, 15)
	rounded := 0
	for level := p.Depth(); level <= 6; level++ {
		for _, target := range []fhe.Scale{params.DefaultScale(), fhe.ScaleFromInt(params.Prime(max(1, level-p.Depth()))), fhe.NewScale(3e13)} {
			scale := fhe.NewScale(1.25 * (1 << 45))
			raw, err := hefloat.NewPolynomialEvaluator(m.ckks, m.eval).Evaluate(m.random(1, level, scale), lattigoPolynomial(p), rlwe.NewScale(target.Big()))
			if err != nil {
				t.Fatal(err)
			}
			s, err := fhe.ScaleFromBig(&raw.Scale.Value)
			if err != nil {
				t.Fatal(err)
			}
			if !s.Near(target) {
				t.Errorf("Lattigo missed the scale %v by far", target)
			}
			if s != target {
				rounded++
			}
			prog := compile(t, params, level, scale, func(b *program.Builder, x program.Value) (program.Value, error) {
				return polyeval.Evaluate(b, x, p, target)
			})
			if got := prog.Outputs()[0].Scale; got != target {
				t.Errorf("level %d: scale %v is not %v", level, got, target)
			}
		}
	}
	if rounded == 0 {
		t.Error("Lattigo hits every target scale now: the trap is gone")
	}
}

// TestTrap18ChangeOfBasis: the program does not depend on the interval; mapping to [-1, 1] is the caller's.
func TestTrap18ChangeOfBasis(t *testing.T) {
	params := toy(t, 10, 4)
	p := mustSigmoid(t, -3, 13, 7)
	scale, shift := p.ChangeOfBasis()
	if got := []float64{scale*-3 + shift, scale*13 + shift, scale*5 + shift}; got[0] != -1 || got[1] != 1 || got[2] != 0 {
		t.Errorf("the interval is mapped to %v", got)
	}
	q, err := polyeval.NewChebyshev(p.Coefficients(), -1, 1)
	if err != nil {
		t.Fatal(err)
	}
	digest := func(p polyeval.Chebyshev) fhe.Digest {
		return compile(t, params, 4, params.DefaultScale(), func(b *program.Builder, x program.Value) (program.Value, error) {
			return polyeval.Evaluate(b, x, p, params.DefaultScale())
		}).Digest()
	}
	if digest(p) != digest(q) {
		t.Error("the interval changes the program")
	}
}

func TestEvaluateErrors(t *testing.T) {
	params := toy(t, 10, 4)
	p := mustSigmoid(t, -8, 8, 7)
	delta := params.DefaultScale()
	fresh := func(params fhe.Parameters, level int, scale fhe.Scale) (*program.Builder, program.Value) {
		b := program.NewBuilder(params)
		return b, b.Input(inputPort(params, "x", level, scale))[0]
	}
	var short *polyeval.LevelError
	b, x := fresh(params, 1, delta)
	if _, err := polyeval.Evaluate(b, x, p, delta); !errors.As(err, &short) || short.Missing() != 2 || short.Have != 1 || short.Need != 3 || short.Name != p.String() {
		t.Errorf("two levels short: %v", err)
	}
	for _, target := range []fhe.Scale{{}, fhe.NewScale(0.25), fhe.NewScale(2), fhe.PowerOfTwo(14)} {
		b, x := fresh(params, 4, delta)
		var scale *polyeval.ScaleError
		if _, err := polyeval.Evaluate(b, x, p, target); !errors.As(err, &scale) || scale.Input != delta || scale.Target != target {
			t.Errorf("target %v: %v", target, err)
		}
	}
	b, x = fresh(params, 4, delta)
	if _, err := polyeval.Evaluate(b, x, p, fhe.PowerOfTwo(20)); err != nil {
		t.Errorf("target 2^20: %v", err)
	}
	b, x = fresh(params, 4, delta)
	if _, err := polyeval.Evaluate(b, b.Mul(x, x), p, delta); !errors.Is(err, program.ErrDegree) {
		t.Errorf("degree 2: %v", err)
	}
	if _, err := polyeval.Evaluate(b, x, polyeval.Chebyshev{}, delta); err == nil {
		t.Error("the zero polynomial was taken")
	}
	b.Rescale(b.Drop(x, 0))
	if _, err := polyeval.Evaluate(b, x, p, delta); !errors.Is(err, program.ErrLevelExhausted) {
		t.Errorf("a builder that failed before: %v", err)
	}
	keyless, err := fhetest.InsecureParams(fhe.ParametersLiteral{LogN: 10, LogQ: []int{55, 45, 45, 45}, LogDefaultScale: 45})
	if err != nil {
		t.Fatal(err)
	}
	b, x = fresh(keyless, 3, delta)
	if _, err := polyeval.Evaluate(b, x, p, delta); err == nil {
		t.Error("parameters without special primes were taken")
	}
}

// TestSlots: a value of fewer slots than the ring has keeps its number of slots.
func TestSlots(t *testing.T) {
	params := toy(t, 10, 4)
	b := program.NewBuilder(params)
	port := inputPort(params, "x", 4, params.DefaultScale())
	port.LogSlots, port.Layout = 3, program.Layout{Shape: []int{8}, Runs: []program.Run{{SlotStep: 1, IndexStep: 1, Length: 8}}}
	y, err := polyeval.Evaluate(b, b.Input(port)[0], mustSigmoid(t, -8, 8, 7), params.DefaultScale())
	if err != nil {
		t.Fatal(err)
	}
	if got := b.OutputPort("y", y, 1, port.Layout).LogSlots; got != 3 {
		t.Errorf("2^%d slots, want 2^3", got)
	}
}

// recordingBudget is what a whole evaluation may cost at compile time.
var recordingBudget = 200 * time.Millisecond

// quick fails if the fastest of three calls of f exceeds the budget.
func quick(t *testing.T, f func()) {
	t.Helper()
	best := time.Duration(math.MaxInt64)
	for range 3 {
		start := time.Now()
		f()
		best = min(best, time.Since(start))
	}
	if best > recordingBudget {
		t.Errorf("recording took %v, the budget is %v", best, recordingBudget)
	}
}

func TestQuick(t *testing.T) {
	params := toy(t, 10, 8)
	p := mustSigmoid(t, -16, 16, 127)
	quick(t, func() {
		compile(t, params, 8, params.DefaultScale(), func(b *program.Builder, x program.Value) (program.Value, error) {
			return polyeval.Evaluate(b, x, p, params.DefaultScale())
		})
	})
}

// TestConcurrent: builders of their own may evaluate at once, and give the same program.
func TestConcurrent(t *testing.T) {
	params := toy(t, 10, 5)
	p := mustSigmoid(t, -8, 8, 15)
	digests := make([]fhe.Digest, 4)
	var wg sync.WaitGroup
	for i := range digests {
		wg.Go(func() {
			b := program.NewBuilder(params)
			x := b.Input(inputPort(params, "x", 5, params.DefaultScale()))[0]
			y, err := polyeval.Evaluate(b, x, p, params.DefaultScale())
			if err != nil {
				t.Error(err)
				return
			}
			b.Output(b.OutputPort("y", y, 1, fullLayout(params)), y)
			prog, _, err := b.Build()
			if err != nil {
				t.Error(err)
				return
			}
			digests[i] = prog.Digest()
		})
	}
	wg.Wait()
	for _, d := range digests {
		if d != digests[0] || d.IsZero() {
			t.Errorf("programs %v", digests)
		}
	}
}

func BenchmarkEvaluate(b *testing.B) {
	params := toy(b, 10, 6)
	for _, degree := range []int{7, 15, 31} {
		p := mustSigmoid(b, -8, 8, degree)
		b.Run(fmt.Sprintf("sigmoid/degree=%d", degree), func(b *testing.B) {
			for b.Loop() {
				compile(b, params, 6, params.DefaultScale(), func(bu *program.Builder, x program.Value) (program.Value, error) {
					return polyeval.Evaluate(bu, x, p, params.DefaultScale())
				})
			}
		})
	}
}
