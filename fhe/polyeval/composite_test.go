package polyeval_test

import (
	"errors"
	"fmt"
	"math"
	"testing"

	"github.com/tuneinsight/lattigo/v5/core/rlwe"
	"github.com/tuneinsight/lattigo/v5/he/hefloat"

	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/polyeval"
	"github.com/signet-ml/signet/fhe/program"
)

// minimaxes is the table of the design, section 7.2: log2 of errors. Where it says 2^-37.6 and 2^-53 for the sign, the
// digits of a double give their last place, 2^-52; it has no ReLU for the last set.
var minimaxes = []struct {
	set        polyeval.Minimax
	degrees    []int
	logGap     int
	depth      int
	sign, relu float64
}{
	{polyeval.Minimax6, []int{7, 15, 15}, -6, 11, -23.6, -10.5},
	{polyeval.Minimax6Sharp, []int{15, 15, 27}, -6, 13, -52, -11.4},
	{polyeval.Minimax8, []int{15, 15, 27}, -8, 13, -22.9, -12.6},
	{polyeval.Minimax10, []int{15, 15, 15, 27}, -10, 17, -52, -15.3},
}

func TestMinimaxErrors(t *testing.T) {
	near := func(what string, got, want float64) {
		t.Helper()
		if got = math.Log2(got); math.Abs(got-want) > 0.5 {
			t.Errorf("%s: error 2^%.2f, want 2^%g within 0.5", what, got, want)
		}
	}
	for _, c := range minimaxes {
		sign, err := polyeval.Sign(c.set)
		if err != nil {
			t.Fatal(err)
		}
		step, err := polyeval.Step(c.set)
		if err != nil {
			t.Fatal(err)
		}
		relu, err := polyeval.NewReLU(c.set, 1)
		if err != nil {
			t.Fatal(err)
		}
		gap := math.Ldexp(1, c.logGap)
		if sign.Depth() != c.depth || step.Depth() != c.depth || relu.Depth() != c.depth+1 || sign.Gap() != gap || step.Gap() != gap || relu.Gap() != gap {
			t.Errorf("%v; %v; %v", sign, step, relu)
		}
		near(sign.String(), sign.MaxError(), c.sign)
		near(step.String(), step.MaxError(), max(c.sign-1, -52)) // beside 1, a double ends at 2^-53
		near(relu.String(), relu.MaxError(), c.relu)
		for i, p := range sign.Polynomials() {
			if p.Degree() != c.degrees[i] {
				t.Errorf("%v: polynomial %d has degree %d", sign, i, p.Degree())
			}
			for k, v := range p.Coefficients() {
				if k%2 == 0 && v != 0 {
					t.Errorf("%v: polynomial %d is not odd", sign, i)
				}
			}
		}
		for _, x := range grid(-1, 1, 1<<16) {
			y := x
			for _, p := range sign.Polynomials()[:len(c.degrees)-1] {
				if y = p.Eval(y); math.Abs(y) > 1 {
					t.Fatalf("%v: a polynomial leaves [-1, 1]: %g", sign, y)
				}
			}
			if got, want := step.Eval(x), sign.Eval(x)/2+0.5; math.Abs(got-want) > 0x1p-50 {
				t.Fatalf("step(%g) = %g, want %g", x, got, want)
			}
		}
	}
	for _, m := range []polyeval.Minimax{-1, 0, polyeval.Minimax10 + 1} {
		if _, err := polyeval.Sign(m); err == nil {
			t.Errorf("set %d was taken", m)
		}
		if _, err := polyeval.NewReLU(m, 1); err == nil {
			t.Errorf("set %d was taken", m)
		}
	}
}

// noBootstrap answers Lattigo's question for a bootstrapper: trap 11.
type noBootstrap struct{}

func (noBootstrap) Bootstrap(*rlwe.Ciphertext) (*rlwe.Ciphertext, error) {
	return nil, errors.New("no bootstrapper")
}
func (noBootstrap) BootstrapMany([]rlwe.Ciphertext) ([]rlwe.Ciphertext, error) {
	return nil, errors.New("no bootstrapper")
}
func (noBootstrap) Depth() int             { return 0 }
func (noBootstrap) MinimumInputLevel() int { return 0 }
func (noBootstrap) OutputLevel() int       { return 0 }

// TestCompositeBits: at the default scale, sign and step have the bits of Lattigo's ComparisonEvaluator, imaginary
// parts and all.
func TestCompositeBits(t *testing.T) {
	for _, set := range []polyeval.Minimax{polyeval.Minimax6, polyeval.Minimax6Sharp, polyeval.Minimax10} {
		if testing.Short() && set != polyeval.Minimax6 {
			continue
		}
		sign, err := polyeval.Sign(set)
		if err != nil {
			t.Fatal(err)
		}
		step, err := polyeval.Step(set)
		if err != nil {
			t.Fatal(err)
		}
		params := toy(t, 10, sign.Depth()+1)
		m := newMachine(t, params)
		delta := params.DefaultScale()
		var polys hefloat.MinimaxCompositePolynomial
		for _, p := range sign.Polynomials() {
			polys = append(polys, lattigoPolynomial(p))
		}
		cmp := hefloat.NewComparisonEvaluator(m.ckks, m.eval, noBootstrap{}, polys)
		for _, level := range []int{sign.Depth(), sign.Depth() + 1} {
			for _, c := range []struct {
				ours    polyeval.Composite
				lattigo func(*rlwe.Ciphertext) (*rlwe.Ciphertext, error)
			}{{sign, cmp.Sign}, {step, cmp.Step}} {
				ct := m.random(uint64(level), level, delta)
				want, err := c.lattigo(ct)
				if err != nil {
					t.Fatal(err)
				}
				prog := compile(t, params, level, delta, func(b *program.Builder, x program.Value) (program.Value, error) {
					return polyeval.EvaluateComposite(b, x, c.ours, delta)
				})
				sameBits(t, m, m.run(t, prog, ct), want)
			}
		}
	}
}

// TestCompositeValues decrypts. Between -gap and gap the slope of the step multiplies the noise, so there the tolerance
// is wider. Measured at N = 2^10 with 45-bit primes: 2^-33.6 outside, 2^-29.7 inside; tolerances leave four bits.
func TestCompositeValues(t *testing.T) {
	step, err := polyeval.Step(polyeval.Minimax6)
	if err != nil {
		t.Fatal(err)
	}
	params := toy(t, 10, step.Depth())
	m := newMachine(t, params)
	for _, scale := range []fhe.Scale{params.DefaultScale(), fhe.NewScale(1.5 * (1 << 45))} { // trap 12: the second is silent there
		for _, target := range []fhe.Scale{params.DefaultScale(), fhe.NewScale(3 << 46)} {
			prog := compile(t, params, step.Depth(), scale, func(b *program.Builder, x program.Value) (program.Value, error) {
				return polyeval.EvaluateComposite(b, x, step, target)
			})
			if out := prog.Outputs()[0]; out.Level != 0 || out.Scale != target {
				t.Errorf("level %d, scale %v, want 0, %v", out.Level, out.Scale, target)
			}
			xs := grid(-1, 1, params.MaxSlots())
			got := m.decrypt(t, m.run(t, prog, m.encrypt(t, xs, step.Depth(), scale)))
			var inside, outside float64
			for i, x := range xs {
				e := math.Abs(got[i] - step.Eval(x))
				if math.Abs(x) < step.Gap() {
					inside = max(inside, e)
				} else if outside = max(outside, e); math.Abs(got[i]-math.Max(0, math.Copysign(1, x))) > step.MaxError()+0x1p-29 {
					t.Errorf("step(%g) = %g", x, got[i])
				}
			}
			t.Logf("error 2^%.1f outside of the gap, 2^%.1f inside", math.Log2(outside), math.Log2(inside))
			if outside > 0x1p-29 || inside > 0x1p-25 {
				t.Errorf("error 2^%.1f outside of the gap, 2^%.1f inside", math.Log2(outside), math.Log2(inside))
			}
		}
	}
}

// grid returns n points of [lo, hi], evenly spaced.
func grid(lo, hi float64, n int) []float64 {
	xs := make([]float64, n)
	for i := range xs {
		xs[i] = lo + (hi-lo)*float64(i)/float64(n-1)
	}
	return xs
}

// TestReLUValues: the error of the decrypted result is that of the approximation, and the bound costs neither a level
// nor precision: relative to it, errors are alike.
func TestReLUValues(t *testing.T) {
	params := toy(t, 10, 12)
	m := newMachine(t, params)
	delta := params.DefaultScale()
	for _, bound := range []float64{1, 8, 37.5, 0.125} {
		relu, err := polyeval.NewReLU(polyeval.Minimax6, bound)
		if err != nil {
			t.Fatal(err)
		}
		prog := compile(t, params, 12, delta, func(b *program.Builder, x program.Value) (program.Value, error) {
			return polyeval.EvaluateReLU(b, x, relu, delta)
		})
		if out := prog.Outputs()[0]; out.Level != 0 || out.Scale != delta {
			t.Errorf("level %d, scale %v, want 0, %v", out.Level, out.Scale, delta)
		}
		lo, hi := relu.Interval()
		xs, ts := grid(lo, hi, params.MaxSlots()), make([]float64, params.MaxSlots())
		scale, shift := relu.ChangeOfBasis()
		for i, x := range xs {
			ts[i] = scale*x + shift
		}
		got := m.decrypt(t, m.run(t, prog, m.encrypt(t, ts, 12, delta)))
		var twin, exact float64
		for i, x := range xs {
			twin, exact = max(twin, math.Abs(got[i]-relu.Eval(x))/bound), max(exact, math.Abs(got[i]-max(x, 0)))
		}
		t.Logf("%v: 2^%.1f of the bound from the cleartext twin, 2^%.1f from max(x, 0)", relu, math.Log2(twin), math.Log2(exact))
		if twin > 0x1p-28 || exact > relu.MaxError()+0x1p-28*bound {
			t.Errorf("%v: 2^%.1f of the bound from the cleartext twin, 2^%.1f from max(x, 0)", relu, math.Log2(twin), math.Log2(exact))
		}
	}
}

func TestReLUWithin(t *testing.T) {
	for _, c := range []struct {
		bound, tolerance float64
		depth            int
	}{{1, 1e-3, 12}, {1, 4e-4, 14}, {8, 0.01, 12}, {8, 0x1p-9, 14}, {8, 0x1p-12, 18}} {
		r, err := polyeval.ReLUWithin(c.bound, c.tolerance)
		if err != nil {
			t.Fatal(err)
		}
		if r.Depth() != c.depth || r.MaxError() > c.tolerance {
			t.Errorf("bound %g, tolerance %g: %v, want %d levels", c.bound, c.tolerance, r, c.depth)
		}
	}
	var tol *polyeval.ToleranceError
	if _, err := polyeval.ReLUWithin(64, 1e-4); !errors.As(err, &tol) || math.Abs(math.Log2(tol.Best)+9.3) > 0.5 {
		t.Errorf("a tolerance out of reach: %v", err)
	}
	for _, c := range [][2]float64{{0, 1}, {-1, 1}, {math.NaN(), 1}, {math.Inf(1), 1}, {5e-324, 1}, {1, 0}, {1, math.NaN()}} {
		if _, err := polyeval.ReLUWithin(c[0], c[1]); err == nil || errors.As(err, &tol) {
			t.Errorf("bound %g, tolerance %g: %v", c[0], c[1], err)
		}
	}
}

func TestCompositeErrors(t *testing.T) {
	params := toy(t, 10, 13)
	delta := params.DefaultScale()
	step, err := polyeval.Step(polyeval.Minimax6)
	if err != nil {
		t.Fatal(err)
	}
	relu := func(bound float64) polyeval.ReLU {
		r, err := polyeval.NewReLU(polyeval.Minimax6, bound)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	var short *polyeval.LevelError
	var scale *polyeval.ScaleError
	for _, c := range []struct {
		name  string
		level int
		emit  func(b *program.Builder, x program.Value) (program.Value, error)
		want  func(error) bool
	}{
		{"step", 9, func(b *program.Builder, x program.Value) (program.Value, error) {
			return polyeval.EvaluateComposite(b, x, step, delta)
		}, func(err error) bool {
			return errors.As(err, &short) && *short == polyeval.LevelError{Have: 9, Need: 11, Name: step.String()}
		}},
		{"relu", 11, func(b *program.Builder, x program.Value) (program.Value, error) {
			return polyeval.EvaluateReLU(b, x, relu(4), delta)
		}, func(err error) bool { return errors.As(err, &short) && short.Missing() == 1 && short.Need == 12 }},
		{"degree", 13, func(b *program.Builder, x program.Value) (program.Value, error) {
			return polyeval.EvaluateReLU(b, b.Mul(x, x), relu(4), delta)
		}, func(err error) bool { return errors.Is(err, program.ErrDegree) }},
		{"target", 13, func(b *program.Builder, x program.Value) (program.Value, error) {
			return polyeval.EvaluateComposite(b, x, step, fhe.Scale{})
		}, func(err error) bool { return errors.As(err, &scale) }},
		{"small-target", 13, func(b *program.Builder, x program.Value) (program.Value, error) {
			return polyeval.EvaluateComposite(b, x, step, fhe.NewScale(2))
		}, func(err error) bool { return errors.As(err, &scale) }},
		{"overflow", 12, func(b *program.Builder, x program.Value) (program.Value, error) {
			return polyeval.EvaluateReLU(b, x, relu(1<<10), delta) // 10 + 45 bits at level 0, which has 55 and a sign
		}, func(err error) bool { return errors.As(err, &scale) && errors.Is(err, program.ErrScale) }},
		{"fits", 12, func(b *program.Builder, x program.Value) (program.Value, error) {
			return polyeval.EvaluateReLU(b, x, relu(1<<8), delta)
		}, func(err error) bool { return err == nil }},
		{"huge", 13, func(b *program.Builder, x program.Value) (program.Value, error) {
			return polyeval.EvaluateReLU(b, x, relu(1e300), delta)
		}, func(err error) bool { return errors.As(err, &scale) }},
		{"tiny", 13, func(b *program.Builder, x program.Value) (program.Value, error) {
			return polyeval.EvaluateReLU(b, x, relu(1e-300), delta)
		}, func(err error) bool { return errors.As(err, &scale) }},
		{"no-composite", 13, func(b *program.Builder, x program.Value) (program.Value, error) {
			return polyeval.EvaluateComposite(b, x, polyeval.Composite{}, delta)
		}, func(err error) bool { return err != nil }},
		{"no-relu", 13, func(b *program.Builder, x program.Value) (program.Value, error) {
			return polyeval.EvaluateReLU(b, x, polyeval.ReLU{}, delta)
		}, func(err error) bool { return err != nil }},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := program.NewBuilder(params)
			_, err := c.emit(b, b.Input(inputPort(params, "x", c.level, delta))[0])
			if !c.want(err) {
				t.Errorf("%v", err)
			}
			if b.Err() != nil {
				t.Errorf("a refused evaluation spoilt the builder: %v", b.Err())
			}
		})
	}
}

// TestDomains: what is evaluated on a value says which range that value must keep, and what it is.
func TestDomains(t *testing.T) {
	tanh, err := polyeval.At(polyeval.Tanh, -4, 4, 15)
	if err != nil {
		t.Fatal(err)
	}
	step, err := polyeval.Step(polyeval.Minimax6)
	if err != nil {
		t.Fatal(err)
	}
	relu, err := polyeval.NewReLU(polyeval.Minimax8, 16)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range []interface {
		fmt.Stringer
		Domain(program.Value) program.Domain
	}{tanh, step, relu} {
		if got, want := p.Domain(7), (program.Domain{Value: 7, Lo: -1, Hi: 1, Name: p.String()}); got != want {
			t.Errorf("%+v, want %+v", got, want)
		}
	}
	for got, want := range map[string]string{
		tanh.String(): "tanh on [-4,4], degree 15, error 2^-8.5, 4 levels",
		step.String(): "step on [-1,1], degrees 7, 15, 15, gap 2^-6, error 2^-24.6, 11 levels",
		relu.String(): "relu on [-16,16], gap 2^-4, error 2^-8.5, 14 levels",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	p, err := polyeval.NewChebyshev([]float64{0, 1}, -1, 1)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := p.String(), "polynomial on [-1,1], degree 1, 1 level"; got != want || !math.IsNaN(p.MaxError()) {
		t.Errorf("%q, error %g, want %q", got, p.MaxError(), want)
	}
}
