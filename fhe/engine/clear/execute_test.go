package clear_test

import (
	"context"
	"errors"
	"math"
	"math/big"
	"math/cmplx"
	"slices"
	"strings"
	"testing"

	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/engine/clear"
	"github.com/signet-ml/signet/fhe/fhetest"
	"github.com/signet-ml/signet/fhe/polyeval"
	"github.com/signet-ml/signet/fhe/program"
)

func executed(t testing.TB, p *program.Program, c *program.Constants, inputs map[string][]float64, opts clear.ExecuteOptions) *clear.Result {
	t.Helper()
	r, err := clear.Execute(context.Background(), p, c, inputs, opts)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestExecuteIsWhatDecrypts runs random programs in the clear and encrypted, from tensor to tensor. Outputs agree
// within 24 times the deviation that Result.Noise states: in the slots where the secret is large, rounding is too.
func TestExecuteIsWhatDecrypts(t *testing.T) {
	for seed := range uint64(16) {
		p, c, err := fhetest.RandomDecryptable(fhetest.NewRand(100+seed), fhetest.InsecureToyParams(t, fhetest.Toys[int(seed)%len(fhetest.Toys)]), 30, false)
		if err != nil {
			t.Fatal(err)
		}
		inputs := uniform(fhetest.NewRand(seed), p)
		res := executed(t, p, c, inputs, clear.ExecuteOptions{})
		keys, in, open := encrypted(t, p, inputs)
		job, err := cpuEngine(t).Load(context.Background(), p, c, keys.EvaluationKeys)
		if err != nil {
			t.Fatal(err)
		}
		out, err := job.Run(context.Background(), in)
		if err != nil {
			t.Fatal(err)
		}
		job.Close()
		for i, o := range p.Ops() {
			if o.Code != program.Output {
				continue
			}
			port := p.Outputs()[o.Port]
			slots, err := open(out.Get(port.Name)[0])
			if err != nil {
				t.Fatal(err)
			}
			k, err := program.NewPacker(p.Parameters(), port)
			if err != nil {
				t.Fatal(err)
			}
			got, err := k.Unpack([][]complex128{slots})
			if err != nil {
				t.Fatal(err)
			}
			n := res.Noise[i]
			limit := 24*n.Error + n.Magnitude*0x1p-40
			for j, want := range res.Outputs[port.Name] {
				if d := math.Abs(got[j] - want); d > limit {
					t.Errorf("seed %d, output %q, value %d, %v: got %g, want %g: 2^%.1f, at most 2^%.1f", seed, port.Name, j, o.Args, got[j], want, math.Log2(d), math.Log2(limit))
					break
				}
			}
		}
	}
}

// TestExecutePolynomial: the program's polynomial is evaluated, not the function that it stands for.
func TestExecutePolynomial(t *testing.T) {
	sigmoid, err := polyeval.At(polyeval.Sigmoid, -8, 8, 7)
	if err != nil {
		t.Fatal(err)
	}
	b, x := network(t, deep(t))
	y, err := polyeval.Evaluate(b, x, sigmoid, b.Parameters().DefaultScale())
	if err != nil {
		t.Fatal(err)
	}
	p, c := built(t, b, y)
	inputs := uniform(fhetest.NewRand(3), p)
	res := executed(t, p, c, inputs, clear.ExecuteOptions{})
	var poly, function []float64
	for _, v := range inputs["x"] {
		poly = append(poly, sigmoid.Eval(8*v))
		function = append(function, 1/(1+math.Exp(-8*v)))
	}
	fhetest.AssertClose(t, res.Outputs["y0"], poly, 30) // coefficients are rounded at scale 2^40
	if bits := fhetest.Precision(res.Outputs["y0"], function); bits > 10 {
		t.Errorf("the function to %.1f bits", bits)
	}
}

// TestExecuteOptions looks at kept and visited slots, and at simulated errors.
func TestExecuteOptions(t *testing.T) {
	p, c, err := fhetest.RandomDecryptable(fhetest.NewRand(1), fhetest.InsecureToyParamsNamed(t, "digits of two"), 40, false)
	if err != nil {
		t.Fatal(err)
	}
	inputs := uniform(fhetest.NewRand(2), p)
	var seen []program.Value
	all := map[program.Value][]complex128{}
	keep := []program.Value{0, 7, program.Value(len(p.Ops()) - 1)}
	res := executed(t, p, c, inputs, clear.ExecuteOptions{Keep: keep, Visit: func(v program.Value, slots []complex128) error {
		seen, all[v] = append(seen, v), slices.Clone(slots)
		if len(slots) != 1<<p.Ops()[v].LogSlots {
			t.Errorf("value %d: %d slots", v, len(slots))
		}
		return nil
	}})
	if len(seen) != len(p.Ops()) || !slices.IsSorted(seen) {
		t.Errorf("visited %v", seen)
	}
	if len(res.Slots) != len(keep) {
		t.Errorf("%d values kept, want %d", len(res.Slots), len(keep))
	}
	for _, v := range keep {
		if !slices.Equal(res.Slots[v], all[v]) {
			t.Errorf("value %d: kept and visited slots differ", v)
		}
	}
	// A simulation has errors of the stated size, the same for the same seed.
	noisy := func(seed uint64) map[program.Value][]complex128 {
		out := map[program.Value][]complex128{}
		executed(t, p, c, inputs, clear.ExecuteOptions{Simulate: true, Seed: seed, Visit: func(v program.Value, slots []complex128) error {
			out[v] = slices.Clone(slots)
			return nil
		}})
		return out
	}
	one, again, other := noisy(1), noisy(1), noisy(2)
	for v, want := range all {
		if !slices.Equal(one[v], again[v]) || slices.Equal(one[v], other[v]) {
			t.Fatalf("value %d: errors do not follow the seed", v)
		}
		sum := 0.0
		for i, z := range one[v] {
			sum += math.Pow(cmplx.Abs(z-want[i]), 2)
		}
		got, expected := math.Sqrt(sum/float64(2*len(want))), res.Noise[v].Error
		if r := got / expected; len(want) >= 64 && expected > 0x1p-44*res.Noise[v].Magnitude && (r > 3 || r < 1./3) {
			t.Errorf("value %d, %v: simulated error 2^%.1f, the model says 2^%.1f", v, p.Ops()[v].Code, math.Log2(got), math.Log2(expected))
		}
	}
}

func TestExecuteRefuses(t *testing.T) {
	b, x := network(t, deep(t))
	b.Scope("huge")
	y := b.MulConst(x, new(big.Int).Lsh(big.NewInt(1), 900), new(big.Int), fhe.PowerOfTwo(0))
	p, c := built(t, b, y)
	good := func() map[string][]float64 { return uniform(fhetest.NewRand(3), p) }
	zero := map[string][]float64{"x": make([]float64, 512)}
	if _, err := clear.Execute(context.Background(), p, c, zero, clear.ExecuteOptions{}); err != nil {
		t.Error(err)
	}
	run := func(in map[string][]float64, opts clear.ExecuteOptions) error {
		res, err := clear.Execute(context.Background(), p, c, in, opts)
		if res != nil {
			t.Error("a result beside the error")
		}
		return err
	}
	var over *clear.OverflowError
	if err := run(good(), clear.ExecuteOptions{}); !errors.As(err, &over) || over.Scope != "huge" || over.Code != program.MulConst || over.Op != 1 || over.Bits < 600 {
		t.Errorf("%v", err)
	}
	var value *program.ValueError
	in := good()
	in["x"][3] = 2
	if err := run(in, clear.ExecuteOptions{}); !errors.As(err, &value) || value.Index != 3 {
		t.Errorf("a value above the bound: %v", err)
	}
	var mismatch *fhe.MismatchError
	for name, in := range map[string]map[string][]float64{
		"none": nil, "short": {"x": {1}}, "other port": {"y": make([]float64, 512)}, "two ports": {"x": make([]float64, 512), "y": {1}},
	} {
		if err := run(in, clear.ExecuteOptions{}); !errors.As(err, &mismatch) {
			t.Errorf("inputs %s: %v", name, err)
		}
	}
	for name, f := range map[string]func() (*clear.Result, error){
		"no program": func() (*clear.Result, error) {
			return clear.Execute(context.Background(), nil, c, good(), clear.ExecuteOptions{})
		},
		"keep nothing": func() (*clear.Result, error) {
			return clear.Execute(context.Background(), p, c, good(), clear.ExecuteOptions{Keep: []program.Value{3}})
		},
	} {
		if res, err := f(); err == nil || res != nil || !strings.HasPrefix(err.Error(), "clear: execute: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
	stop := errors.New("stop")
	if err := run(zero, clear.ExecuteOptions{Visit: func(program.Value, []complex128) error { return stop }}); !errors.Is(err, stop) {
		t.Errorf("%v", err)
	}
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := clear.Execute(cancelled, p, c, zero, clear.ExecuteOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	// A scale of 2^-8000 makes numbers that no float64 holds.
	b, x = network(t, deep(t))
	p, c = built(t, b, b.SetScale(x, fhe.PowerOfTwo(-8000)))
	if err := run(good(), clear.ExecuteOptions{}); err == nil || !strings.Contains(err.Error(), "SETSCALE") {
		t.Errorf("%v", err)
	}
}
