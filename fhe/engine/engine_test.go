package engine_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"

	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/engine"
	"github.com/signet-ml/signet/fhe/fhetest"
	"github.com/signet-ml/signet/fhe/program"
)

func TestOpenKinds(t *testing.T) {
	kinds := engine.Kinds()
	if len(kinds) == 0 || kinds[0] != engine.Auto {
		t.Errorf("kinds %v", kinds)
	}
	for _, kind := range kinds {
		t.Run("kind="+string(kind), func(t *testing.T) {
			e, err := engine.Open(context.Background(), kind)
			if err != nil {
				t.Fatal(err)
			}
			info := e.Info()
			if info.Name == "" || info.Device == "" || info.Threads != runtime.GOMAXPROCS(0) || info.MemoryLimit != 0 {
				t.Errorf("%+v", info)
			}
			if kind != engine.Auto && info.Name != string(kind) {
				t.Errorf("engine %q for kind %q", info.Name, kind)
			}
			e, err = engine.Open(context.Background(), kind, engine.Threads(3), engine.MemoryLimit(1<<30))
			if err != nil {
				t.Fatal(err)
			}
			if info := e.Info(); info.Threads != 3 || info.MemoryLimit != 1<<30 {
				t.Errorf("options are lost: %+v", info)
			}
		})
	}
}

func TestOpenRefuses(t *testing.T) {
	ctx := context.Background()
	for _, kind := range []engine.Kind{"", "CPU", "tpu"} {
		e, err := engine.Open(ctx, kind)
		if e != nil || err == nil || !strings.HasPrefix(err.Error(), "engine: ") || !strings.Contains(err.Error(), string(engine.CPU)) {
			t.Errorf("kind %q: engine %v, error %v; want one that names the kinds there are", kind, e, err)
		}
	}
	for name, opt := range map[string]engine.Option{"threads": engine.Threads(-1), "memory": engine.MemoryLimit(-1)} {
		for _, kind := range engine.Kinds() {
			if _, err := engine.Open(ctx, kind, opt); err == nil {
				t.Errorf("%s, negative %s: no error", kind, name)
			}
		}
	}
	ctx, cancel := context.WithCancel(ctx)
	cancel()
	if e, err := engine.Open(ctx, engine.Auto); !errors.Is(err, context.Canceled) || e != nil {
		t.Errorf("cancelled context: engine %v, error %v", e, err)
	}
}

// TestKindsGiveTheSameBits runs a program on every kind but the clear one, and meets the memory limit of each.
func TestKindsGiveTheSameBits(t *testing.T) {
	p, c, err := fhetest.RandomProgram(fhetest.NewRand(1), fhetest.InsecureToyParamsNamed(t, "digits of two"), 40)
	if err != nil {
		t.Fatal(err)
	}
	key := fhe.KeyID{1}
	keys, err := fhetest.RandomKeys(fhetest.NewRand(2), p.Parameters(), key, p.Keys())
	if err != nil {
		t.Fatal(err)
	}
	in, err := fhetest.RandomBundle(fhetest.NewRand(3), p, key)
	if err != nil {
		t.Fatal(err)
	}
	var want fhe.Digest
	for _, kind := range engine.Kinds() {
		small, err := engine.Open(context.Background(), kind, engine.MemoryLimit(1000))
		if err != nil {
			t.Fatal(err)
		}
		var me *program.MemoryError
		if _, err := small.Load(context.Background(), p, c, keys); !errors.As(err, &me) || me.Limit != 1000 || me.Need <= 1000 {
			t.Errorf("kind %q: error %v, want a *program.MemoryError", kind, err)
		}
		e, err := engine.Open(context.Background(), kind)
		if err != nil {
			t.Fatal(err)
		}
		job, err := e.Load(context.Background(), p, c, keys)
		if err != nil {
			t.Fatal(err)
		}
		defer job.Close()
		out, err := job.Run(context.Background(), in)
		if kind == engine.Clear { // refuses what is encrypted
			var mismatch *fhe.MismatchError
			if !errors.As(err, &mismatch) {
				t.Errorf("kind %q: error %v, want a *fhe.MismatchError", kind, err)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if want.IsZero() {
			want = out.Digest()
		}
		fhetest.AssertDigest(t, out.Digest(), want)
	}
}
