package cpu

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/fhetest"
	"github.com/signet-ml/signet/fhe/fhetest/stock"
	"github.com/signet-ml/signet/fhe/program"
)

func TestOpen(t *testing.T) {
	for _, cfg := range []Config{{Threads: -1}, {MemoryLimit: -1}} {
		if e, err := Open(cfg); err == nil {
			t.Errorf("%+v: %+v", cfg, e.Info())
		}
	}
	if info := open(t, Config{}).Info(); info.Threads != runtime.GOMAXPROCS(0) || info.MemoryLimit != 0 {
		t.Errorf("defaults: %+v", info)
	}
	if info := open(t, Config{Threads: 5, MemoryLimit: 99}).Info(); info.Threads != 5 || info.MemoryLimit != 99 ||
		info.Name != "cpu" {
		t.Errorf("%+v", info)
	}
	if _, err := open(t, Config{}).Load(context.Background(), nil, nil, nil); err == nil {
		t.Error("a nil program is loaded")
	}
}

// TestBitsDoNotDependOnThreads runs programs with 1, 2, 3 and 8 threads, and with other settings of GOMAXPROCS, and
// compares digests with stock Lattigo's on one goroutine.
func TestBitsDoNotDependOnThreads(t *testing.T) {
	programs := map[string]*loadable{
		"network": complete(t, network(t, fhetest.InsecureToyParamsNamed(t, "large ring"), 12, 6, 12, 4), 2),
	}
	seeds := uint64(2)
	if testing.Short() {
		seeds = 1
	}
	for _, toy := range fhetest.Toys[:6] {
		params := fhetest.InsecureToyParams(t, toy)
		for seed := range seeds {
			p, c, err := fhetest.RandomProgram(fhetest.NewRand(seed+70), params, 60)
			if err != nil {
				t.Fatal(err)
			}
			programs[fmt.Sprintf("toy=%s/seed=%d", toy.Name, seed)] = completed(t, p, c, 2)
		}
	}
	for name, l := range programs {
		t.Run(name, func(t *testing.T) {
			ev, err := stock.New(l.prog, l.consts, l.keys)
			if err != nil {
				t.Fatal(err)
			}
			var want []fhe.Digest
			for _, in := range l.in {
				out, err := ev.Run(in)
				if err != nil {
					t.Fatal(err)
				}
				want = append(want, out.Digest())
			}
			check := func(procs, threads int) {
				defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
				j := l.load(t, Config{Threads: threads})
				for range 2 { // fresh rows, then dirty ones
					for i := range l.in {
						if got := l.digest(t, j, i); got != want[i] {
							t.Fatalf("%d threads, GOMAXPROCS %d: digest %v, want %v", threads, procs, got.Short(), want[i].Short())
						}
					}
				}
				out, err := j.RunBatch(context.Background(), l.in)
				if err != nil {
					t.Fatal(err)
				}
				for i := range out {
					if got := out[i].Digest(); got != want[i] {
						t.Fatalf("batch, %d threads, GOMAXPROCS %d: digest %v, want %v", threads, procs, got.Short(), want[i].Short())
					}
				}
			}
			procs := runtime.GOMAXPROCS(0)
			for _, threads := range []int{1, 2, 3, 8} {
				check(procs, threads)
			}
			for _, procs := range []int{1, 3} {
				check(procs, 3)
			}
		})
	}
}

// TestConcurrentRunsShareAPool runs one job from many goroutines: rows come back dirty and from other runs.
func TestConcurrentRunsShareAPool(t *testing.T) {
	l := complete(t, network(t, fhetest.InsecureToyParamsNamed(t, "digits of two"), 6, 3, 6, 2), 4)
	j := l.load(t, Config{Threads: 3})
	var want []fhe.Digest
	for i := range l.in {
		want = append(want, l.digest(t, j, i))
	}
	var wg sync.WaitGroup
	for g := range 6 {
		wg.Go(func() {
			for k := range 4 {
				i := (g + k) % len(l.in)
				out, err := j.Run(context.Background(), l.in[i])
				if err != nil || out.Digest() != want[i] {
					t.Errorf("goroutine %d: another result than alone, error %v", g, err)
					return
				}
			}
		})
	}
	wg.Wait()
}

// TestPanicPoisonsTheJob takes a loaded key away, so that the arithmetic panics inside helpers.
func TestPanicPoisonsTheJob(t *testing.T) {
	params := fhetest.InsecureToyParamsNamed(t, "digits of two")
	b := program.NewBuilder(params)
	x := input(b, "x", 1, params.MaxLevel())[0]
	b.Scope("harmless")
	y := b.Add(x, x)
	b.Scope("broken")
	z := b.MulRelin(y, y)
	b.Scope("after")
	output(b, "z", b.Neg(z))
	l := complete(t, b, 3)
	ctx := context.Background()
	for _, threads := range []int{1, 3} {
		for _, batch := range []bool{false, true} {
			t.Run(fmt.Sprintf("threads=%d/batch=%v", threads, batch), func(t *testing.T) {
				defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
				j := l.load(t, Config{Threads: threads})
				l.digest(t, j, 0)
				j.switching[0] = nil
				var err error
				var out any
				if batch {
					var res []*fhe.Bundle
					if res, err = j.RunBatch(ctx, l.in); res != nil {
						out = res
					}
				} else {
					var res *fhe.Bundle
					if res, err = j.Run(ctx, l.in[0]); res != nil {
						out = res
					}
				}
				var pe *program.PanicError
				if !errors.As(err, &pe) || !errors.Is(err, program.ErrPoisoned) || out != nil {
					t.Fatalf("result %v, error %v; want a *program.PanicError that wraps ErrPoisoned", out, err)
				}
				if pe.Op != int(z) || pe.Code != program.MulRelin || pe.Scope != "broken" || pe.Value == nil {
					t.Errorf("the panic is said to be at %d, %v in %q, of %v; want %d in %q", pe.Op, pe.Code, pe.Scope, pe.Value, z,
						"broken")
				}
				if _, ok := pe.Value.(*panicked); ok {
					t.Error("the panic's value is a wrapper")
				}
				for range 2 {
					if _, err := j.Run(ctx, l.in[0]); !errors.Is(err, program.ErrPoisoned) {
						t.Errorf("run of a poisoned job: error %v", err)
					}
					if _, err := j.RunBatch(ctx, l.in); !errors.Is(err, program.ErrPoisoned) {
						t.Errorf("batch of a poisoned job: error %v", err)
					}
				}
				for range 2 {
					if err := j.Close(); err != nil {
						t.Errorf("close of a poisoned job: %v", err)
					}
				}
				if _, err := j.Run(ctx, l.in[0]); !errors.Is(err, program.ErrClosed) {
					t.Errorf("run of a closed job: error %v", err)
				}
				// The engine, and another job of the same program, are as good as before.
				l.digest(t, l.load(t, Config{Threads: threads}), 0)
			})
		}
	}
}

// TestPanicInOneOfConcurrentRuns: the others end, by a result or by an error, and the job is poisoned.
func TestPanicInOneOfConcurrentRuns(t *testing.T) {
	l := complete(t, chain(t, fhetest.InsecureToyParamsNamed(t, "digits of two"), 10), 1)
	j := l.load(t, Config{Threads: 2})
	want := l.digest(t, j, 0)
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			out, err := j.Run(context.Background(), l.in[0])
			if err == nil && out.Digest() != want {
				t.Error("a run beside a panic gave another result")
			}
			if err != nil && !errors.Is(err, program.ErrPoisoned) {
				t.Error(err)
			}
		})
	}
	_, err := j.Run(context.Background(), l.in[0], program.WithProgress(func(p program.Progress) {
		if p.Done == 5 {
			panic("a callback of the caller")
		}
	}))
	var pe *program.PanicError
	if !errors.As(err, &pe) || pe.Value != "a callback of the caller" {
		t.Errorf("error %v", err)
	}
	wg.Wait()
	if _, err := j.Run(context.Background(), l.in[0]); !errors.Is(err, program.ErrPoisoned) {
		t.Errorf("run after a panic: error %v", err)
	}
}

// TestCancelStopsWithinAStep cancels a long program in the middle: no operation of a later step runs.
func TestCancelStopsWithinAStep(t *testing.T) {
	params := fhetest.InsecureToyParamsNamed(t, "digits of two")
	b := program.NewBuilder(params)
	xs := input(b, "x", 3, params.MaxLevel())
	for range 40 {
		for i, x := range xs {
			xs[i] = b.Neg(x)
		}
	}
	for i, x := range xs {
		output(b, fmt.Sprint(i), x)
	}
	l := complete(t, b, 1)
	total := len(l.prog.Ops())
	for _, threads := range []int{1, 2} {
		for _, at := range []int{1, 4, total / 2, total - 2} {
			j := l.load(t, Config{Threads: threads})
			ctx, cancel := context.WithCancel(context.Background())
			last := 0
			out, err := j.Run(ctx, l.in[0], program.WithProgress(func(p program.Progress) {
				if last = p.Done; last == at {
					cancel()
				}
			}))
			cancel()
			i := slices.IndexFunc(j.steps, func(s step) bool { return s.first+s.count >= at })
			if end := j.steps[i].first + j.steps[i].count; end == total {
				if err != nil || out == nil { // cancelled in its last step, a run is complete
					t.Errorf("cancelled at %d of %d: error %v", at, total, err)
				}
			} else if !errors.Is(err, context.Canceled) || out != nil || last != end {
				t.Errorf("cancelled at %d: went on to %d, want %d; error %v", at, last, end, err)
			}
			l.digest(t, j, 0)
			if j.pool.lost() {
				t.Errorf("cancelled at %d: a row is in the pool twice", at)
			}
		}
	}
}

// lost reports whether a row is in the pool more than once.
func (p *pool) lost() bool {
	seen := map[*uint64]bool{}
	for _, r := range p.free {
		if seen[&r[0]] {
			return true
		}
		seen[&r[0]] = true
	}
	return false
}

// TestRowsComeBack: after a run, cancelled or not, every row that it took is in the pool, and a second run takes no
// more.
func TestRowsComeBack(t *testing.T) {
	l := complete(t, network(t, fhetest.InsecureToyParamsNamed(t, "digits of two"), 6, 3, 6, 2), 1)
	j := l.load(t, Config{Threads: 1}) // with more, scratch rows depend on what overlaps
	l.digest(t, j, 0)
	rows, counts := len(j.pool.free), len(j.pool.counts)
	for done := range len(l.prog.Ops()) {
		ctx, cancel := context.WithCancel(context.Background())
		j.Run(ctx, l.in[0], program.WithProgress(func(p program.Progress) {
			if p.Done > done {
				cancel()
			}
		}))
		cancel()
		if len(j.pool.free) != rows || len(j.pool.counts) != counts || j.pool.lost() {
			t.Fatalf("cancelled after %d: %d rows and %d counts in the pool, want %d and %d", done, len(j.pool.free),
				len(j.pool.counts), rows, counts)
		}
	}
	j.Close()
	if len(j.pool.free)+len(j.pool.counts) != 0 {
		t.Error("a closed job keeps its rows")
	}
}

// TestBatchNamesTheBadBundle: the error is that of the bundle that is wrong, not of those that its failure stopped.
func TestBatchNamesTheBadBundle(t *testing.T) {
	l := complete(t, chain(t, fhetest.InsecureToyParamsNamed(t, "digits of two"), 10), 4)
	for _, threads := range []int{1, 3} {
		j := l.load(t, Config{Threads: threads})
		for bad := range l.in {
			in := slices.Clone(l.in)
			in[bad] = fhe.NewBundle(l.prog.Parameters(), testKey, l.prog.Digest())
			out, err := j.RunBatch(context.Background(), in)
			var me *fhe.MismatchError
			if out != nil || !errors.As(err, &me) || !strings.Contains(err.Error(), fmt.Sprintf("bundle %d of 4", bad)) {
				t.Errorf("%d threads, bundle %d is bad: error %v", threads, bad, err)
			}
		}
		ctx, cancel := context.WithCancel(context.Background())
		_, err := j.RunBatch(ctx, l.in, program.WithProgress(func(program.Progress) { cancel() }))
		if !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled batch: error %v", err)
		}
		if _, err := j.RunBatch(context.Background(), l.in[:1], program.WithTrace(new(program.TraceRecorder))); err == nil {
			t.Error("a batch is traced")
		}
		if out, err := j.RunBatch(context.Background(), nil); err != nil || len(out) != 0 {
			t.Errorf("empty batch: %v, %v", out, err)
		}
		l.digest(t, j, 0)
	}
}

// TestLoadIsCancelled stops a load before it starts and in the middle.
func TestLoadIsCancelled(t *testing.T) {
	l := complete(t, network(t, fhetest.InsecureToyParamsNamed(t, "digits of two"), 2, 2, 6, 2), 0)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if j, err := open(t, Config{}).Load(ctx, l.prog, l.consts, l.keys); !errors.Is(err, context.Canceled) || j != nil {
		t.Errorf("job %v, error %v", j, err)
	}
	for n := 1; ; n++ { // cancelled at the n-th look at the context
		ctx := &countdown{Context: context.Background(), left: n}
		j, err := open(t, Config{Threads: 1}).Load(ctx, l.prog, l.consts, l.keys)
		if err == nil {
			j.Close()
			if n < 4 {
				t.Errorf("load looks at its context %d times", n)
			}
			return
		}
		if !errors.Is(err, context.Canceled) || j != nil {
			t.Fatalf("job %v, error %v", j, err)
		}
	}
}

// countdown is a context that is cancelled when Err has been called a number of times.
type countdown struct {
	context.Context
	left int
}

func (c *countdown) Err() error {
	if c.left--; c.left < 0 {
		return context.Canceled
	}
	return nil
}
