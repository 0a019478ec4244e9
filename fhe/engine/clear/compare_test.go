package clear_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"math/big"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"

	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/engine/clear"
	"github.com/signet-ml/signet/fhe/fhetest"
	"github.com/signet-ml/signet/fhe/polyeval"
	"github.com/signet-ml/signet/fhe/program"
)

// compared runs a Compare on the cpu engine.
func compared(t testing.TB, p *program.Program, c *program.Constants, inputs map[string][]float64, opts clear.Options) *clear.Report {
	t.Helper()
	keys, in, open := encrypted(t, p, inputs)
	r, err := clear.Compare(context.Background(), cpuEngine(t), p, c, keys.EvaluationKeys, in, open, opts)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestPrecisionAsPredicted runs models and random programs and compares, for every operation, the error measured with
// that of the noise model and with that of the simulation.
func TestPrecisionAsPredicted(t *testing.T) {
	type deviations struct{ predicted, simulated, sum, square, n float64 }
	codes, beyond, all := map[string]*deviations{}, 0, 0
	count := func(r *clear.Report, p *program.Program, c *program.Constants) {
		// The error of encryption is in both runs: without it, the model says what the operations make.
		hints := program.NoiseHints{Magnitude: map[program.Value]float64{}, Mean: map[program.Value]complex128{}, Error: map[program.Value]float64{}, Exact: true}
		for _, o := range r.Ops {
			hints.Magnitude[o.Value], hints.Mean[o.Value] = o.Magnitude, complex(o.Mean[0], o.Mean[1])
			if o.Code == "INPUT" {
				hints.Error[o.Value] = 0
			}
		}
		noise, err := p.Noise(c, hints)
		if err != nil {
			t.Fatal(err)
		}
		bits := func(e, magnitude float64) float64 { return math.Log2(magnitude / e) }
		for _, o := range r.Ops {
			total := math.Abs(o.Predicted - o.Bits)
			o.Bits, o.Simulated, o.Predicted = bits(o.Error, o.Magnitude), bits(o.Expected, o.Magnitude), bits(noise[o.Value].Error, o.Magnitude)
			// Double precision measures no more than these, and a few slots say little of a distribution.
			if o.Bits > 44 || o.Magnitude < 1e-9 || p.Ops()[o.Value].LogSlots < 5 || o.Code == "INPUT" {
				continue
			}
			d := codes[o.Code]
			if d == nil {
				d = &deviations{}
				codes[o.Code] = d
			}
			x := o.Predicted - o.Bits
			d.predicted, d.simulated = max(d.predicted, math.Abs(x)), max(d.simulated, math.Abs(o.Simulated-o.Bits))
			d.sum, d.square, d.n = d.sum+x, d.square+x*x, d.n+1
			if all++; math.Abs(x) > 1.5 || total > 1.5 {
				beyond++
				t.Logf("value %d, %s in %q: %.1f bits, predicted %.1f, simulated %.1f", o.Value, o.Code, o.Layer, o.Bits, o.Predicted, o.Simulated)
			}
			if math.Abs(o.Simulated-o.Bits) > 1.5 {
				t.Errorf("value %d, %s in %q: %.1f bits, simulated %.1f", o.Value, o.Code, o.Layer, o.Bits, o.Simulated)
			}
		}
	}
	p, c, domain := mlp(t)
	for _, size := range []float64{1, 0.1} {
		inputs := uniform(fhetest.NewRand(1), p)
		for i := range inputs["x"] {
			inputs["x"][i] *= size
		}
		r := compared(t, p, c, inputs, clear.Options{Domains: []program.Domain{domain}})
		if count(r, p, c); beyond > 0 || !r.OK() {
			t.Errorf("a network: %v", r)
		}
		t.Log(r)
	}
	// The sigmoid of imprecise inputs of little variation: its powers have almost all of their errors in common.
	params := deep(t)
	b := program.NewBuilder(params)
	b.Scope("input")
	x := b.Input(program.Port{Name: "x", Count: 1, Level: 7, Degree: 1, LogSlots: 9, Scale: fhe.PowerOfTwo(20), Bound: 1, Layout: flat(512)})[0]
	b.Scope("scale")
	x = b.MulConst(x, big.NewInt(1<<17), new(big.Int), fhe.PowerOfTwo(20))
	b.Scope("sigmoid")
	sigmoid, err := polyeval.At(polyeval.Sigmoid, -8, 8, 15)
	if err != nil {
		t.Fatal(err)
	}
	y, err := polyeval.Evaluate(b, x, sigmoid, params.DefaultScale())
	if err != nil {
		t.Fatal(err)
	}
	p, c = built(t, b, y)
	r := compared(t, p, c, uniform(fhetest.NewRand(1), p), clear.Options{})
	if count(r, p, c); beyond > 0 || !r.OK() {
		t.Errorf("a sigmoid of imprecise inputs: %v", r)
	}
	t.Log(r)
	seeds := uint64(32)
	if testing.Short() {
		seeds = 16
	}
	for seed := range seeds {
		toy := fhetest.Toys[int(seed)%len(fhetest.Toys)]
		p, c, err := fhetest.RandomDecryptable(fhetest.NewRand(seed), fhetest.InsecureToyParams(t, toy), 40, false)
		if err != nil {
			t.Fatal(err)
		}
		r := compared(t, p, c, uniform(fhetest.NewRand(1000+seed), p), clear.Options{Tolerance: 50})
		if r.Surprise != nil && p.Ops()[r.Surprise.Value].LogSlots >= 5 {
			t.Errorf("seed %d: %v", seed, r)
		}
		count(r, p, c)
	}
	// The model takes rotations of one value for independent; a sum of them may be off.
	if beyond*100 > all {
		t.Errorf("%d of %d values are not within 1.5 bits of the prediction", beyond, all)
	}
	var table strings.Builder
	w := tabwriter.NewWriter(&table, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "predicted - measured, bits:\tvalues\tmean\tdeviation\tworst\tworst simulated\t")
	for _, code := range slices.Sorted(maps.Keys(codes)) {
		d := codes[code]
		fmt.Fprintf(w, "%s\t%.0f\t%+.2f\t%.2f\t%.2f\t%.2f\t\n", code, d.n, d.sum/d.n, math.Sqrt(d.square/d.n), d.predicted, d.simulated)
	}
	w.Flush()
	t.Logf("%d of %d values beyond 1.5 bits\n%s", beyond, all, table.String())
}

// TestCompareNamesTheLayer feeds programs that are wrong in one layer.
func TestCompareNamesTheLayer(t *testing.T) {
	plain := func(b *program.Builder, x program.Value) program.Value { return dense(t, b, x, 3) }
	square := func(b *program.Builder, x program.Value) program.Value { return b.Rescale(b.MulRelin(x, x)) }
	for _, tt := range []struct {
		name  string
		wrong func(b *program.Builder, x program.Value) program.Value
		found func(r *clear.Report) string
	}{
		{"nothing", plain, func(r *clear.Report) string {
			if r.OK() {
				return "wrong"
			}
			return ""
		}},
		// The author takes the scale for larger than it is: the values shrink, and rounding eats them.
		{"scale too large", func(b *program.Builder, x program.Value) program.Value {
			return b.Rescale(b.MulConst(b.SetScale(x, b.Scale(x).Mul(fhe.PowerOfTwo(20))), big.NewInt(1<<19), new(big.Int), fhe.PowerOfTwo(20)))
		}, func(r *clear.Report) string { return r.Culprit }},
		// A rescale is forgotten twice, and the third product does not fit.
		{"no rescale", func(b *program.Builder, x program.Value) program.Value {
			for range 3 {
				x = b.MulRelin(x, x)
			}
			return b.Rescale(x)
		}, func(r *clear.Report) string {
			if len(r.Overflows) == 0 || r.Overflows[0].Headroom >= 0 || r.Surprise == nil || r.Surprise.Layer != r.Overflows[0].Layer {
				return ""
			}
			return r.Overflows[0].Layer
		}},
		{"out of domain", func(b *program.Builder, x program.Value) program.Value {
			return b.AddConst(x, big.NewInt(3<<40), new(big.Int))
		}, func(r *clear.Report) string {
			if len(r.Violations) != 1 || r.Violations[0].X < 2 || r.Violations[0].Slots != 512 {
				return ""
			}
			return r.Violations[0].Layer
		}},
		{"cancellation", func(b *program.Builder, x program.Value) program.Value {
			y := b.Rescale(b.MulConst(x, big.NewInt(1<<40-1<<25), new(big.Int), fhe.ScaleFromInt(b.Parameters().Prime(b.Level(x)))))
			return b.Sub(b.SetScale(y, b.Scale(x)), x)
		}, func(r *clear.Report) string { return r.Culprit }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b, x := network(t, deep(t))
			b.Scope("before")
			x = square(b, plain(b, x))
			b.Scope("wrong")
			x = tt.wrong(b, x)
			domain := program.Domain{Value: x, Lo: -1, Hi: 1, Name: "tanh"}
			b.Scope("after")
			p, c := built(t, b, square(b, x))
			r := compared(t, p, c, uniform(fhetest.NewRand(5), p), clear.Options{Domains: []program.Domain{domain}})
			if got := tt.found(r); got != "wrong" {
				t.Errorf("found %q: %v", got, r)
			}
			t.Log(r)
			data, err := json.Marshal(r)
			if err != nil {
				t.Fatal(err)
			}
			var again clear.Report
			if err := json.Unmarshal(data, &again); err != nil || again.String() != r.String() {
				t.Errorf("the report does not survive JSON: %v", err)
			}
		})
	}
}

// TestCompareTotal: no layer loses much, all together do.
func TestCompareTotal(t *testing.T) {
	b, x := network(t, deep(t))
	for i := range 6 {
		b.Scope(fmt.Sprintf("square %d", i))
		x = b.Rescale(b.MulRelin(x, x))
	}
	p, c := built(t, b, x)
	r := compared(t, p, c, uniform(fhetest.NewRand(5), p), clear.Options{Total: 3})
	if r.Culprit == "" || r.Culprit == "square 0" || r.Culprit == "square 5" {
		t.Errorf("%v", r)
	}
	if r := compared(t, p, c, uniform(fhetest.NewRand(5), p), clear.Options{}); r.Culprit != "" {
		t.Errorf("%v", r)
	}
}

// TestCompareWrongKey: a key of the right form that switches to nothing.
func TestCompareWrongKey(t *testing.T) {
	p, c, _ := mlp(t)
	keys, in, open := encrypted(t, p, uniform(fhetest.NewRand(1), p))
	wrong, err := fhetest.RandomKeys(fhetest.NewRand(9), p.Parameters(), keys.Key(), fhetest.Requirements(p))
	if err != nil {
		t.Fatal(err)
	}
	mixed := fhe.NewEvaluationKeys(p.Parameters(), keys.Key())
	for _, g := range keys.Elements() {
		k := keys.Get(g)
		if g == 0 {
			k = wrong.Get(g)
		}
		if err := mixed.Add(k); err != nil {
			t.Fatal(err)
		}
	}
	r, err := clear.Compare(context.Background(), cpuEngine(t), p, c, mixed, in, open, clear.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if r.Surprise == nil || r.Surprise.Layer != "square" || r.Surprise.Code != "MUL_RELIN" || r.Surprise.Error < 1 {
		t.Errorf("%v", r)
	}
}

// TestCompareTransparent compares the clear engine with itself.
func TestCompareTransparent(t *testing.T) {
	p, c, _ := mlp(t)
	port := p.Inputs()[0]
	in, err := clear.Encode(p.Parameters(), port, uniform(fhetest.NewRand(1), p)["x"])
	if err != nil {
		t.Fatal(err)
	}
	for _, cfg := range []clear.Config{{}, {Simulate: true, Seed: 4}} {
		eng, err := clear.Open(cfg)
		if err != nil {
			t.Fatal(err)
		}
		r, err := clear.Compare(context.Background(), eng, p, c, nil, in, clear.Reveal, clear.Options{})
		if err != nil {
			t.Fatal(err)
		}
		out := r.Layers[len(r.Layers)-1]
		if !r.OK() || r.Engine != "clear" || cfg.Simulate && math.Abs(out.Out-out.Simulated) > 1 || !cfg.Simulate && out.Out < out.Simulated+2 {
			t.Errorf("%+v: %v", cfg, r)
		}
	}
}

// silent is an engine that shows no values.
type silent struct{ program.Engine }

type silentJob struct{ program.Job }

func (s silent) Load(ctx context.Context, p *program.Program, c *program.Constants, keys *fhe.EvaluationKeys) (program.Job, error) {
	j, err := s.Engine.Load(ctx, p, c, keys)
	return silentJob{j}, err
}

func (j silentJob) Run(ctx context.Context, in *fhe.Bundle, _ ...program.RunOption) (*fhe.Bundle, error) {
	return j.Job.Run(ctx, in)
}

func TestCompareRefuses(t *testing.T) {
	p, c, domain := mlp(t)
	keys, in, open := encrypted(t, p, uniform(fhetest.NewRand(1), p))
	ctx, eng := context.Background(), cpuEngine(t)
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	failed := errors.New("no key")
	with := func(change func(*program.Domain)) clear.Options {
		d := domain
		change(&d)
		return clear.Options{Domains: []program.Domain{d}}
	}
	for _, tt := range []struct {
		name, want string
		err        error
		run        func() (*clear.Report, error)
	}{
		{"no engine", "without an engine", nil, func() (*clear.Report, error) {
			return clear.Compare(ctx, nil, p, c, keys.EvaluationKeys, in, open, clear.Options{})
		}},
		{"no opener", "or an opener", nil, func() (*clear.Report, error) {
			return clear.Compare(ctx, eng, p, c, keys.EvaluationKeys, in, nil, clear.Options{})
		}},
		{"no program", "nil program", nil, func() (*clear.Report, error) {
			return clear.Compare(ctx, eng, nil, c, keys.EvaluationKeys, in, open, clear.Options{})
		}},
		{"no constants", "constants", nil, func() (*clear.Report, error) {
			return clear.Compare(ctx, eng, p, nil, keys.EvaluationKeys, in, open, clear.Options{})
		}},
		{"no keys", "missing", nil, func() (*clear.Report, error) {
			return clear.Compare(ctx, eng, p, c, nil, in, open, clear.Options{})
		}},
		{"no input", "nil bundle", nil, func() (*clear.Report, error) {
			return clear.Compare(ctx, eng, p, c, keys.EvaluationKeys, nil, open, clear.Options{})
		}},
		{"cancelled", "", context.Canceled, func() (*clear.Report, error) {
			return clear.Compare(cancelled, eng, p, c, keys.EvaluationKeys, in, open, clear.Options{})
		}},
		{"opener fails", "", failed, func() (*clear.Report, error) {
			return clear.Compare(ctx, eng, p, c, keys.EvaluationKeys, in, func(*fhe.Ciphertext) ([]complex128, error) { return nil, failed }, clear.Options{})
		}},
		{"opener of few slots", "slots, want 512", nil, func() (*clear.Report, error) {
			return clear.Compare(ctx, eng, p, c, keys.EvaluationKeys, in, func(*fhe.Ciphertext) ([]complex128, error) { return make([]complex128, 3), nil }, clear.Options{})
		}},
		{"opener of nothing", "is (NaN", nil, func() (*clear.Report, error) {
			return clear.Compare(ctx, eng, p, c, keys.EvaluationKeys, in, func(*fhe.Ciphertext) ([]complex128, error) {
				return append(make([]complex128, 511), complex(math.NaN(), 0)), nil
			}, clear.Options{})
		}},
		{"silent engine", "did not show value 0", nil, func() (*clear.Report, error) {
			return clear.Compare(ctx, silent{eng}, p, c, keys.EvaluationKeys, in, open, clear.Options{})
		}},
		{"negative tolerance", "tolerance of -1", nil, func() (*clear.Report, error) {
			return clear.Compare(ctx, eng, p, c, keys.EvaluationKeys, in, open, clear.Options{Tolerance: -1})
		}},
		{"headroom NaN", "headroom of NaN", nil, func() (*clear.Report, error) {
			return clear.Compare(ctx, eng, p, c, keys.EvaluationKeys, in, open, clear.Options{Headroom: math.NaN()})
		}},
		{"domain of no value", "is not a ciphertext", nil, func() (*clear.Report, error) {
			return clear.Compare(ctx, eng, p, c, keys.EvaluationKeys, in, open, with(func(d *program.Domain) { d.Value = 1 << 20 }))
		}},
		{"empty domain", "no interval", nil, func() (*clear.Report, error) {
			return clear.Compare(ctx, eng, p, c, keys.EvaluationKeys, in, open, with(func(d *program.Domain) { d.Hi = d.Lo }))
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, err := tt.run()
			if r != nil || err == nil || tt.err != nil && !errors.Is(err, tt.err) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("report %v, error %v, want one with %q", r, err, tt.want)
			}
		})
	}
}
