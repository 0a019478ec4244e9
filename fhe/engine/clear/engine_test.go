package clear_test

import (
	"context"
	"errors"
	"math/big"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/engine/clear"
	"github.com/signet-ml/signet/fhe/fhetest"
	"github.com/signet-ml/signet/fhe/program"
)

func loaded(t testing.TB, cfg clear.Config, p *program.Program, c *program.Constants) program.Job {
	t.Helper()
	e, err := clear.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	job, err := e.Load(context.Background(), p, c, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { job.Close() })
	return job
}

func transparent(t testing.TB, p *program.Program, inputs map[string][]float64) *fhe.Bundle {
	t.Helper()
	var all *fhe.Bundle
	for _, port := range p.Inputs() {
		b, err := clear.Encode(p.Parameters(), port, inputs[port.Name])
		if err != nil {
			t.Fatal(err)
		}
		if all == nil {
			all = b
		} else if err := all.Merge(b); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// TestEngineIsExecute runs random programs through transparent bundles, alone and in batches.
func TestEngineIsExecute(t *testing.T) {
	for seed := range uint64(8) {
		p, c, err := fhetest.RandomDecryptable(fhetest.NewRand(seed), fhetest.InsecureToyParams(t, fhetest.Toys[seed]), 30, false)
		if err != nil {
			t.Fatal(err)
		}
		job := loaded(t, clear.Config{Threads: 3}, p, c)
		var in []*fhe.Bundle
		var want []*clear.Result
		for i := range uint64(4) {
			x := uniform(fhetest.NewRand(100*seed+i), p)
			in, want = append(in, transparent(t, p, x)), append(want, executed(t, p, c, x, clear.ExecuteOptions{}))
		}
		var mu sync.Mutex
		events := 0
		outs, err := job.RunBatch(context.Background(), in, program.WithProgress(func(program.Progress) { events++ }))
		if err != nil {
			t.Fatal(err)
		}
		mu.Lock()
		if events != 4*len(p.Ops()) {
			t.Errorf("%d events", events)
		}
		mu.Unlock()
		for i, out := range outs {
			alone, err := job.Run(context.Background(), in[i])
			if err != nil {
				t.Fatal(err)
			}
			fhetest.AssertBundle(t, out, alone)
			for _, port := range p.Outputs() {
				got, err := clear.Decode(port, out)
				if err != nil {
					t.Fatal(err)
				}
				// Inputs are rounded at their scale, outputs at theirs.
				fhetest.AssertClose(t, got, want[i].Outputs[port.Name], p.Parameters().DefaultScale().Log2()-14)
			}
		}
	}
}

// TestEncodeIsRead: what is encoded is decoded, at any scale that the modulus holds, and for an output of degree 2.
func TestEncodeIsRead(t *testing.T) {
	params := deep(t)
	for _, scale := range []int{20, 40, 58, 70, 120, 250} {
		port := program.Port{Name: "x", Count: 2, Level: 7, Degree: 1, LogSlots: 5, Scale: fhe.PowerOfTwo(scale), Bound: 100,
			Layout: program.Layout{Shape: []int{100}, Runs: []program.Run{
				{SlotStep: 1, IndexStep: 1, Length: 64}, {Ciphertext: 1, Slot: 3, SlotStep: 1, Index: 64, IndexStep: 1, Length: 36},
			}}}
		x := make([]float64, 100)
		for i, rng := 0, fhetest.NewRand(4); i < 100; i++ {
			x[i] = 200*rng.Float64() - 100
		}
		b, err := clear.Encode(params, port, x)
		if err != nil {
			t.Fatal(err)
		}
		got, err := clear.Decode(port, b)
		if err != nil {
			t.Fatal(err)
		}
		fhetest.AssertClose(t, got, x, min(40, float64(scale)-4))
		port.Degree = 2
		if b, err = clear.Encode(params, port, x); err != nil {
			t.Fatal(err)
		}
		if got, err = clear.Decode(port, b); err != nil {
			t.Fatal(err)
		}
		fhetest.AssertClose(t, got, x, min(40, float64(scale)-4))
	}
}

func TestTransparentRefuses(t *testing.T) {
	p, c, _ := mlp(t)
	port, out := p.Inputs()[0], p.Outputs()[0]
	x := uniform(fhetest.NewRand(1), p)
	keys, enc, _ := encrypted(t, p, x)
	ctx := context.Background()
	job := loaded(t, clear.Config{}, p, c)
	var mismatch *fhe.MismatchError

	// An encrypted bundle is refused by its key; one that claims to be transparent, by what it holds.
	if _, err := job.Run(ctx, enc); !errors.As(err, &mismatch) || mismatch.What != "key of the input" {
		t.Errorf("encrypted input: %v", err)
	}
	in := transparent(t, p, x)
	fake := fhe.NewBundle(p.Parameters(), in.Key(), p.Digest())
	if err := fake.Add("x", enc.Get("x")...); err != nil {
		t.Fatal(err)
	}
	if _, err := job.Run(ctx, fake); !errors.Is(err, clear.ErrEncrypted) {
		t.Errorf("an encrypted input without its key: %v", err)
	}
	// Real engines refuse a transparent bundle by its key.
	real, err := cpuEngine(t).Load(ctx, p, c, keys.EvaluationKeys)
	if err != nil {
		t.Fatal(err)
	}
	defer real.Close()
	if _, err := real.Run(ctx, in); !errors.As(err, &mismatch) {
		t.Errorf("transparent input to the cpu engine: %v", err)
	}

	if _, err := clear.Reveal(enc.Get("x")[0]); !errors.Is(err, clear.ErrEncrypted) {
		t.Errorf("%v", err)
	}
	if _, err := clear.Reveal(nil); err == nil {
		t.Error("nil revealed")
	}
	if _, err := clear.Encode(fhe.Parameters{}, port, x["x"]); err == nil {
		t.Error("encoded without parameters")
	}
	var value *program.ValueError
	if _, err := clear.Encode(p.Parameters(), port, append(slices.Clone(x["x"][1:]), 7)); !errors.As(err, &value) {
		t.Errorf("%v", err)
	}
	if _, err := clear.Encode(p.Parameters(), port, nil); !errors.As(err, &mismatch) {
		t.Errorf("%v", err)
	}
	bad := port
	bad.LogSlots = 40
	if _, err := clear.Encode(p.Parameters(), bad, x["x"]); !errors.Is(err, program.ErrPort) {
		t.Errorf("%v", err)
	}
	bad = port
	bad.Scale = fhe.PowerOfTwo(10000)
	if _, err := clear.Encode(p.Parameters(), bad, x["x"]); err != nil { // it wraps around, as it would encrypted
		t.Errorf("%v", err)
	}
	res, err := job.Run(ctx, in)
	if err != nil {
		t.Fatal(err)
	}
	for name, f := range map[string]func() error{
		"nil bundle":    func() error { _, err := clear.Decode(out, nil); return err },
		"encrypted":     func() error { _, err := clear.Decode(port, enc); return err },
		"other port":    func() error { _, err := clear.Decode(port, res); return err },
		"other program": func() error { o := out; o.Program[0]++; _, err := clear.Decode(o, res); return err },
		"fake":          func() error { _, err := clear.Decode(port, fake); return err },
		"a hole": func() error {
			o := out
			o.Layout = program.Layout{Shape: []int{3}, Runs: []program.Run{{Index: 1, Length: 1}}}
			_, err := clear.Decode(o, res)
			return err
		},
	} {
		if err := f(); err == nil {
			t.Errorf("decoded: %s", name)
		}
	}
}

func TestEngineRefuses(t *testing.T) {
	ctx := context.Background()
	for _, cfg := range []clear.Config{{Threads: -1}, {MemoryLimit: -1}} {
		if e, err := clear.Open(cfg); err == nil || e != nil {
			t.Errorf("%+v: opened", cfg)
		}
	}
	p, c, _ := mlp(t)
	e, err := clear.Open(clear.Config{MemoryLimit: clear.Memory(p) - 1})
	if err != nil {
		t.Fatal(err)
	}
	var me *program.MemoryError
	if _, err := e.Load(ctx, p, c, nil); !errors.As(err, &me) || me.Need != clear.Memory(p) {
		t.Errorf("%v", err)
	}
	if e, err = clear.Open(clear.Config{}); err != nil {
		t.Fatal(err)
	}
	if i := e.Info(); i.Name != "clear" || i.Device == "" || i.Threads < 1 {
		t.Errorf("%+v", i)
	}
	var mismatch *fhe.MismatchError
	if _, err := e.Load(ctx, p, nil, nil); !errors.As(err, &mismatch) {
		t.Errorf("%v", err)
	}
	if _, err := e.Load(ctx, nil, c, nil); err == nil {
		t.Error("nil program loaded")
	}
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := e.Load(cancelled, p, c, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}

	in := transparent(t, p, uniform(fhetest.NewRand(1), p))
	job := loaded(t, clear.Config{}, p, c)
	var rec program.TraceRecorder
	for name, f := range map[string]func() error{
		"nil":       func() error { _, err := job.Run(ctx, nil); return err },
		"trace":     func() error { _, err := job.Run(ctx, in, program.WithTrace(&rec)); return err },
		"cancelled": func() error { _, err := job.Run(cancelled, in); return err },
		"batch of values": func() error {
			_, err := job.RunBatch(ctx, []*fhe.Bundle{in}, program.WithValues(func(program.Value, *fhe.Ciphertext) error { return nil }))
			return err
		},
		"batch with nil": func() error { _, err := job.RunBatch(ctx, []*fhe.Bundle{in, nil}); return err },
		"value refused": func() error {
			_, err := job.Run(ctx, in, program.WithValues(func(program.Value, *fhe.Ciphertext) error { return errors.New("stop") }))
			return err
		},
	} {
		if err := f(); err == nil || !strings.HasPrefix(err.Error(), "clear: ") {
			t.Errorf("%s: error %v", name, err)
		}
	}
	if _, err := job.Run(ctx, in); err != nil {
		t.Errorf("after all that: %v", err)
	}
	job.Close()
	job.Close()
	if _, err := job.Run(ctx, in); !errors.Is(err, program.ErrClosed) {
		t.Errorf("%v", err)
	}
	if _, err := job.RunBatch(ctx, nil); !errors.Is(err, program.ErrClosed) {
		t.Errorf("%v", err)
	}

	// A run whose value does not fit the modulus is refused, not wrapped around.
	b, x := network(t, deep(t))
	p, c = built(t, b, b.MulConst(x, new(big.Int).Lsh(big.NewInt(1), 300), new(big.Int), fhe.PowerOfTwo(0)))
	var over *clear.OverflowError
	if _, err := loaded(t, clear.Config{}, p, c).Run(ctx, transparent(t, p, uniform(fhetest.NewRand(1), p))); !errors.As(err, &over) {
		t.Errorf("%v", err)
	}
}
