package fhetest

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/program"
)

// RunEngine is the conformance suite. It compares every opcode at every level and random programs with stock Lattigo,
// limb for limb, and checks errors, concurrency, cancellation, closing, progress, traces and
// intermediate values. open returns a new engine;
// what it must release it releases with t.Cleanup. Do not call RunEngine from a parallel test: it looks for leaked
// goroutines. It takes some ten seconds with an engine as fast as stock Lattigo.
//
// Loading and running must be possible without a limit on memory below 256 MiB.
func RunEngine(t *testing.T, open func(t *testing.T) program.Engine) {
	for _, c := range checks() {
		t.Run(c.name, func(t *testing.T) {
			if err := c.run(func() program.Engine { return open(t) }); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// CheckEngine is RunEngine as a function that returns the name of every check that failed, with its error. With names,
// it runs those checks only. Tests of the suite itself use it.
func CheckEngine(open func() program.Engine, names ...string) map[string]error {
	failed := make(map[string]error)
	for _, c := range checks() {
		if len(names) > 0 && !slices.Contains(names, c.name) {
			continue
		}
		if err := c.run(open); err != nil {
			failed[c.name] = err
		}
	}
	return failed
}

type check struct {
	name string
	run  func(open func() program.Engine) error
}

func checks() []check {
	list := []check{{"info", checkInfo}}
	for _, f := range families {
		list = append(list, check{f.name, func(open func() program.Engine) error { return checkFamily(open, f.name) }})
	}
	return append(list,
		check{"load refuses", checkLoad},
		check{"run refuses", checkRun},
		check{"inputs and outputs are the caller's", checkOwnership},
		check{"batch", checkBatch},
		check{"concurrent runs", checkConcurrent},
		check{"cancel", checkCancel},
		check{"close", checkClose},
		check{"progress", checkProgress},
		check{"trace", checkTrace},
		check{"values", checkValues},
	)
}

// guard turns a panic into an error: an engine must not panic on anything that the suite gives it.
func guard(what string, f func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%s: panic: %v\n%s", what, r, debug.Stack())
		}
	}()
	if err := f(); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// with loads a case, runs f and closes the job.
func with(eng program.Engine, tc *testCase, f func(job program.Job) error) error {
	return guard(tc.name, func() error {
		job, err := eng.Load(context.Background(), tc.prog, tc.consts, tc.keys)
		if err != nil {
			return fmt.Errorf("load: %w", err)
		}
		err = f(job)
		if cerr := job.Close(); err == nil && cerr != nil {
			err = fmt.Errorf("close: %w", cerr)
		}
		return err
	})
}

// same runs the case and compares.
func same(job program.Job, tc *testCase, opts ...program.RunOption) error {
	out, err := job.Run(context.Background(), tc.bundle(), opts...)
	if err != nil {
		return fmt.Errorf("run: %w", err)
	}
	return Diff(out, tc.want)
}

func checkInfo(open func() program.Engine) error {
	info := open().Info()
	if info.Name == "" || info.Device == "" || info.Threads < 1 {
		return fmt.Errorf("engine without name, device or threads: %+v", info)
	}
	return nil
}

// checkFamily compares bits. The traced run comes first, because it names the operation that is wrong.
func checkFamily(open func() program.Engine, name string) error {
	cases, err := casesOf[name]()
	if err != nil {
		return err
	}
	eng := open()
	for _, tc := range cases {
		err := with(eng, tc, func(job program.Job) error {
			var rec program.TraceRecorder
			out, err := job.Run(context.Background(), tc.bundle(), program.WithTrace(&rec))
			if err != nil {
				return fmt.Errorf("traced run: %w", err)
			}
			if err := checkRecords(tc, &rec); err != nil {
				return err
			}
			if err := Diff(out, tc.want); err != nil {
				return fmt.Errorf("traced run: %w", err)
			}
			return same(job, tc)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// checkRecords recomputes a trace from the digests of stock Lattigo's results.
func checkRecords(tc *testCase, rec *program.TraceRecorder) error {
	ops, records := tc.prog.Ops(), rec.Records()
	if len(records) != len(ops) {
		return fmt.Errorf("trace of %d records for %d operations", len(records), len(ops))
	}
	keys := make(map[uint64]fhe.Digest)
	for _, r := range tc.prog.Keys() {
		keys[r.GaloisElement] = tc.keys.Get(r.GaloisElement).Digest()
	}
	want, leaves := make([]fhe.Digest, len(ops)), make([]fhe.Digest, len(ops))
	for i := range ops {
		var in []fhe.Digest
		for v := range ops[i].Operands() {
			in = append(in, want[v])
		}
		switch ops[i].Code {
		case program.Hoist:
			want[i] = program.HoistDigest(in[0], ops[i].Level)
		case program.Output:
			want[i] = in[0]
		default:
			want[i] = tc.ops[i]
		}
		leaves[i] = tc.prog.TraceLeaf(i, in, keys, want[i])
		switch got := records[i]; {
		case got.Op != i:
			return fmt.Errorf("record %d of the trace is of operation %d", i, got.Op)
		case got.Output != want[i]:
			return fmt.Errorf("operation %d, %v at level %d, degree %d, in %q: digest %v, stock Lattigo has %v",
				i, ops[i].Code, ops[i].Level, ops[i].Degree, tc.prog.Scope(program.Value(i)), got.Output.Short(), want[i].Short())
		case got.Leaf != leaves[i]:
			return fmt.Errorf("operation %d, %v: wrong leaf", i, ops[i].Code)
		}
	}
	if rec.Root() != fhe.MerkleRoot(leaves) {
		return fmt.Errorf("wrong root of the trace")
	}
	return nil
}

// mustBe fails unless err is, or wraps, a T.
func mustBe[T error](what string, err error) error {
	var t T
	if err == nil {
		return fmt.Errorf("%s: no error, want a %T", what, t)
	}
	if !errors.As(err, &t) {
		return fmt.Errorf("%s: error %q, want a %T", what, err, t)
	}
	return nil
}

func checkLoad(open func() program.Engine) error {
	tc, err := smallCase()
	if err != nil {
		return err
	}
	eng := open()
	load := func(ctx context.Context, c *program.Constants, keys *fhe.EvaluationKeys) error {
		return guard("load", func() error {
			job, err := eng.Load(ctx, tc.prog, c, keys)
			if err == nil {
				job.Close()
			} else if job != nil {
				return fmt.Errorf("a job beside the error %v", err)
			}
			return err
		})
	}
	params := tc.prog.Parameters()
	reqs := Requirements(tc.prog)
	without := func(skip int) *fhe.EvaluationKeys {
		set := fhe.NewEvaluationKeys(params, key)
		for i, r := range reqs {
			if i != skip {
				set.Add(tc.keys.Get(r.GaloisElement))
			}
		}
		return set
	}
	below := func(i int) (*fhe.EvaluationKeys, error) {
		low := append([]program.KeyRequirement(nil), reqs...)
		low[i].Level--
		return RandomKeys(NewRand(5), params, key, low)
	}
	ctx := context.Background()
	for i := range reqs {
		what := fmt.Sprintf("load without the key of element %d", reqs[i].GaloisElement)
		if err := mustBe[*fhe.MissingKeyError](what, load(ctx, tc.consts, without(i))); err != nil {
			return err
		}
		keys, err := below(i)
		if err != nil {
			return err
		}
		what = fmt.Sprintf("load with a key of element %d below its level", reqs[i].GaloisElement)
		if err := mustBe[*fhe.MissingKeyError](what, load(ctx, tc.consts, keys)); err != nil {
			return err
		}
	}
	if err := mustBe[*fhe.MissingKeyError]("load with nil keys", load(ctx, tc.consts, nil)); err != nil {
		return err
	}
	other, err := insecureToy(Toys[1])
	if err != nil {
		return err
	}
	foreign, err := RandomKeys(NewRand(5), other, key, []program.KeyRequirement{{GaloisElement: 0, Level: 0}})
	if err != nil {
		return err
	}
	if err := mustBe[*fhe.MismatchError]("load with keys of other parameters", load(ctx, tc.consts, foreign)); err != nil {
		return err
	}
	for i := range tc.consts.All() {
		var some []*program.Constant
		for j, c := range tc.consts.All() {
			if i != j {
				some = append(some, c)
			}
		}
		if err := mustBe[*fhe.MismatchError](fmt.Sprintf("load without constant %d", i), load(ctx, program.NewConstants(some...), tc.keys)); err != nil {
			return err
		}
	}
	if err := mustBe[*fhe.MismatchError]("load with nil constants", load(ctx, nil, tc.keys)); err != nil {
		return err
	}
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	if err := load(cancelled, tc.consts, tc.keys); !errors.Is(err, context.Canceled) {
		return fmt.Errorf("load with a cancelled context: error %v, want context.Canceled", err)
	}
	// Keys above the level of use, and more of them than needed, change nothing.
	if err := load(ctx, tc.consts, tc.keys); err != nil {
		return err
	}
	return with(eng, tc, func(job program.Job) error { return same(job, tc) })
}

func checkRun(open func() program.Engine) error {
	tc, err := smallCase()
	if err != nil {
		return err
	}
	p := tc.prog
	ports := p.Inputs()
	rng := NewRand(11)
	// change returns the case's bundle with one thing changed.
	change := func(id fhe.KeyID, prog fhe.Digest, edit func(i int, port *program.Port) (keep bool)) (*fhe.Bundle, error) {
		b := fhe.NewBundle(p.Parameters(), id, prog)
		for i, port := range ports {
			if edit != nil && !edit(i, &port) {
				continue
			}
			var cts []*fhe.Ciphertext
			for range port.Count {
				ct, err := RandomCiphertext(rng, p.Parameters(), port.Degree, port.Level, port.LogSlots, port.Scale)
				if err != nil {
					return nil, err
				}
				cts = append(cts, ct)
			}
			if err := b.Add(port.Name, cts...); err != nil {
				return nil, err
			}
		}
		return b, nil
	}
	first := func(f func(port *program.Port)) func(int, *program.Port) bool {
		return func(i int, port *program.Port) bool {
			if i == 0 {
				f(port)
			}
			return true
		}
	}
	other, err := insecureToy(Toys[1])
	if err != nil {
		return err
	}
	foreign := fhe.NewBundle(other, key, p.Digest())
	extra, err := change(key, p.Digest(), nil)
	if err != nil {
		return err
	}
	if err := extra.Add("extra", extra.Get(ports[0].Name)...); err != nil {
		return err
	}
	bad := []struct {
		what string
		in   func() (*fhe.Bundle, error)
	}{
		{"other key", func() (*fhe.Bundle, error) { return change(fhe.KeyID{1}, p.Digest(), nil) }},
		{"other program", func() (*fhe.Bundle, error) { return change(key, fhe.Digest{1}, nil) }},
		{"other parameters", func() (*fhe.Bundle, error) { return foreign, nil }},
		{"no ports", func() (*fhe.Bundle, error) { return fhe.NewBundle(p.Parameters(), key, p.Digest()), nil }},
		{"a port missing", func() (*fhe.Bundle, error) {
			return change(key, p.Digest(), func(i int, _ *program.Port) bool { return i > 0 })
		}},
		{"a port too many", func() (*fhe.Bundle, error) { return extra, nil }},
		{"a port of another name", func() (*fhe.Bundle, error) {
			return change(key, p.Digest(), first(func(port *program.Port) { port.Name += "'" }))
		}},
		{"too few ciphertexts", func() (*fhe.Bundle, error) {
			return change(key, p.Digest(), first(func(port *program.Port) { port.Count-- }))
		}},
		{"too many ciphertexts", func() (*fhe.Bundle, error) {
			return change(key, p.Digest(), first(func(port *program.Port) { port.Count++ }))
		}},
		{"lower level", func() (*fhe.Bundle, error) {
			return change(key, p.Digest(), first(func(port *program.Port) { port.Level-- }))
		}},
		{"degree 0", func() (*fhe.Bundle, error) {
			return change(key, p.Digest(), first(func(port *program.Port) { port.Degree = 0 }))
		}},
		{"degree 2", func() (*fhe.Bundle, error) {
			return change(key, p.Digest(), first(func(port *program.Port) { port.Degree = 2 }))
		}},
		{"other scale", func() (*fhe.Bundle, error) {
			return change(key, p.Digest(), first(func(port *program.Port) { port.Scale = port.Scale.Mul(fhe.PowerOfTwo(1)) }))
		}},
		{"other slots", func() (*fhe.Bundle, error) {
			return change(key, p.Digest(), first(func(port *program.Port) { port.LogSlots-- }))
		}},
	}
	return with(open(), tc, func(job program.Job) error {
		run := func(in *fhe.Bundle) error {
			return guard("run", func() error {
				out, err := job.Run(context.Background(), in)
				if err != nil && out != nil {
					return fmt.Errorf("a bundle beside the error %v", err)
				}
				return err
			})
		}
		for _, c := range bad {
			in, err := c.in()
			if err != nil {
				return fmt.Errorf("%s: %w", c.what, err)
			}
			if err := mustBe[*fhe.MismatchError]("run on a bundle with "+c.what, run(in)); err != nil {
				return err
			}
		}
		if err := run(nil); err == nil {
			return fmt.Errorf("run on a nil bundle: no error")
		}
		unbound, err := change(key, fhe.Digest{}, nil)
		if err != nil {
			return err
		}
		if err := run(unbound); err != nil {
			return fmt.Errorf("run on a bundle bound to no program: %w", err)
		}
		return same(job, tc) // refused inputs leave the job usable
	})
}

func checkOwnership(open func() program.Engine) error {
	eng := open()
	cases, err := casesOf["ports"]()
	if err != nil {
		return err
	}
	tc, err := smallCase()
	if err != nil {
		return err
	}
	for _, tc := range append([]*testCase{tc}, cases...) {
		err := with(eng, tc, func(job program.Job) error {
			in := tc.bundle()
			before := in.Digest()
			out, err := job.Run(context.Background(), in)
			if err != nil {
				return err
			}
			if in.Digest() != before {
				return fmt.Errorf("the run changed its input")
			}
			again, err := job.Run(context.Background(), in)
			if err != nil {
				return err
			}
			// Overwriting one result must change neither the input, nor another result, nor a later run.
			for _, name := range out.Ports() {
				for _, ct := range out.Get(name) {
					clear(ct.Limb(0, 0))
				}
			}
			if in.Digest() != before {
				return fmt.Errorf("a result shares memory with the input")
			}
			if err := Diff(again, tc.want); err != nil {
				return fmt.Errorf("results share memory: %w", err)
			}
			return same(job, tc)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// inputs returns n bundles for a case and what each must give.
func inputs(eng program.Engine, tc *testCase, n int) (in []*fhe.Bundle, want []fhe.Digest, err error) {
	err = with(eng, tc, func(job program.Job) error {
		for i := range n {
			b, err := RandomBundle(NewRand(uint64(1000+i)), tc.prog, key)
			if err != nil {
				return err
			}
			out, err := job.Run(context.Background(), b)
			if err != nil {
				return err
			}
			in, want = append(in, b), append(want, out.Digest())
		}
		return nil
	})
	return in, want, err
}

func checkBatch(open func() program.Engine) error {
	tc, err := smallCase()
	if err != nil {
		return err
	}
	eng := open()
	in, want, err := inputs(eng, tc, 5)
	if err != nil {
		return err
	}
	return leaks(func() error {
		return with(eng, tc, func(job program.Job) error {
			ctx := context.Background()
			for n := range len(in) + 1 {
				out, err := job.RunBatch(ctx, in[:n])
				if err != nil {
					return fmt.Errorf("batch of %d: %w", n, err)
				}
				if len(out) != n {
					return fmt.Errorf("batch of %d: %d results", n, len(out))
				}
				for i := range out {
					if out[i].Digest() != want[i] {
						return fmt.Errorf("batch of %d: result %d is not that of input %d run alone", n, i, i)
					}
				}
			}
			bad := append(append([]*fhe.Bundle(nil), in[:2]...), fhe.NewBundle(tc.prog.Parameters(), key, tc.prog.Digest()), in[2])
			out, err := job.RunBatch(ctx, bad)
			if out != nil {
				return fmt.Errorf("batch with a bad bundle: results beside the error")
			}
			if err := mustBe[*fhe.MismatchError]("batch with a bad bundle", err); err != nil {
				return err
			}
			cancelled, cancel := context.WithCancel(ctx)
			cancel()
			if _, err := job.RunBatch(cancelled, in); !errors.Is(err, context.Canceled) {
				return fmt.Errorf("batch with a cancelled context: error %v, want context.Canceled", err)
			}
			return same(job, tc)
		})
	})
}

func checkConcurrent(open func() program.Engine) error {
	tc, err := smallCase()
	if err != nil {
		return err
	}
	eng := open()
	in, want, err := inputs(eng, tc, 8)
	if err != nil {
		return err
	}
	return leaks(func() error {
		return with(eng, tc, func(job program.Job) error {
			var wg sync.WaitGroup
			errs := make([]error, len(in))
			for g := range in {
				wg.Go(func() {
					errs[g] = guard("concurrent run", func() error {
						for k := range 3 {
							i := (g + k) % len(in)
							out, err := job.Run(context.Background(), in[i])
							if err != nil {
								return err
							}
							if out.Digest() != want[i] {
								return fmt.Errorf("another result than alone")
							}
						}
						return nil
					})
				})
			}
			// A second job of the same engine at the same time.
			second := with(eng, tc, func(job program.Job) error { return same(job, tc) })
			wg.Wait()
			return errors.Join(append(errs, second)...)
		})
	})
}

// leaks runs f and reports goroutines that outlive it.
func leaks(f func() error) error {
	before := goleak.IgnoreCurrent()
	if err := f(); err != nil {
		return err
	}
	if err := goleak.Find(before); err != nil {
		return fmt.Errorf("goroutines left: %w", err)
	}
	return nil
}

func checkCancel(open func() program.Engine) error {
	tc, err := chainCase()
	if err != nil {
		return err
	}
	eng := open()
	return leaks(func() error {
		return with(eng, tc, func(job program.Job) error {
			ctx, cancel := context.WithCancel(context.Background())
			cancel()
			out, err := job.Run(ctx, tc.bundle())
			if !errors.Is(err, context.Canceled) || out != nil {
				return fmt.Errorf("run with a cancelled context: error %v, want context.Canceled and no result", err)
			}
			ctx, cancel = context.WithCancel(context.Background())
			defer cancel()
			last := 0
			out, err = job.Run(ctx, tc.bundle(), program.WithProgress(func(p program.Progress) {
				last = p.Done
				if p.Done == 2 {
					cancel()
				}
			}))
			switch {
			case !errors.Is(err, context.Canceled) || out != nil:
				return fmt.Errorf("run cancelled after two of %d operations: error %v, want context.Canceled and no result", len(tc.prog.Ops()), err)
			case last == 0:
				return fmt.Errorf("no progress event before cancellation")
			case last > len(tc.prog.Ops())/2:
				return fmt.Errorf("cancelled after two of %d operations, went on to %d", len(tc.prog.Ops()), last)
			}
			ctx, cancel = context.WithDeadline(context.Background(), time.Unix(0, 0))
			defer cancel()
			if _, err := job.Run(ctx, tc.bundle()); !errors.Is(err, context.DeadlineExceeded) {
				return fmt.Errorf("run past its deadline: error %v, want context.DeadlineExceeded", err)
			}
			return same(job, tc)
		})
	})
}

func checkClose(open func() program.Engine) error {
	tc, err := chainCase()
	if err != nil {
		return err
	}
	eng := open()
	return leaks(func() error {
		return guard(tc.name, func() error {
			job, err := eng.Load(context.Background(), tc.prog, tc.consts, tc.keys)
			if err != nil {
				return err
			}
			// Close while a run is in flight: it waits, and the run ends as it would have, or was refused.
			var events, atClose atomic.Int64
			started := make(chan struct{})
			result := make(chan error, 1)
			go func() {
				out, err := job.Run(context.Background(), tc.bundle(), program.WithProgress(func(p program.Progress) {
					if events.Add(1) == 1 {
						close(started)
					}
				}))
				if err == nil {
					err = Diff(out, tc.want)
				}
				result <- err
			}()
			select {
			case <-started:
			case err := <-result:
				return fmt.Errorf("run without a progress event, error %v", err)
			}
			if err := job.Close(); err != nil {
				return fmt.Errorf("close during a run: %w", err)
			}
			atClose.Store(events.Load())
			if err := <-result; err != nil {
				return fmt.Errorf("a run in flight when the job was closed: %w", err)
			}
			if n := events.Load(); n != atClose.Load() {
				return fmt.Errorf("close returned after %d of %d operations of a run in flight", atClose.Load(), n)
			}
			if err := job.Close(); err != nil {
				return fmt.Errorf("second close: %w", err)
			}
			if _, err := job.Run(context.Background(), tc.bundle()); !errors.Is(err, program.ErrClosed) {
				return fmt.Errorf("run after close: error %v, want program.ErrClosed", err)
			}
			if _, err := job.RunBatch(context.Background(), []*fhe.Bundle{tc.bundle()}); !errors.Is(err, program.ErrClosed) {
				return fmt.Errorf("batch after close: error %v, want program.ErrClosed", err)
			}
			// Many goroutines close at once.
			job, err = eng.Load(context.Background(), tc.prog, tc.consts, tc.keys)
			if err != nil {
				return err
			}
			var wg sync.WaitGroup
			errs := make([]error, 4)
			for i := range errs {
				wg.Go(func() { errs[i] = guard("concurrent close", job.Close) })
			}
			wg.Wait()
			return errors.Join(errs...)
		})
	})
}

func checkProgress(open func() program.Engine) error {
	tc, err := smallCase()
	if err != nil {
		return err
	}
	total := len(tc.prog.Ops())
	scopes := make(map[string]int)
	for i := range total {
		scopes[tc.prog.Scope(program.Value(i))]++
	}
	return with(open(), tc, func(job program.Job) error {
		var events []program.Progress
		var inside atomic.Int32
		overlap := false
		if err := same(job, tc, program.WithProgress(func(p program.Progress) {
			if inside.Add(1) > 1 {
				overlap = true
			}
			events = append(events, p)
			inside.Add(-1)
		})); err != nil {
			return err
		}
		if overlap {
			return fmt.Errorf("progress called from two goroutines at once")
		}
		if len(events) != total {
			return fmt.Errorf("%d progress events for %d operations", len(events), total)
		}
		for i, e := range events {
			if e.Done != i+1 || e.Total != total {
				return fmt.Errorf("progress event %d says %d of %d, want %d of %d", i, e.Done, e.Total, i+1, total)
			}
			if e.Elapsed < 0 || i > 0 && e.Elapsed < events[i-1].Elapsed {
				return fmt.Errorf("progress event %d: time runs backwards", i)
			}
			if scopes[e.Scope]--; scopes[e.Scope] < 0 {
				return fmt.Errorf("progress event %d: scope %q is not one of the operations left", i, e.Scope)
			}
		}
		return nil
	})
}

func checkTrace(open func() program.Engine) error {
	tc, err := smallCase()
	if err != nil {
		return err
	}
	var roots []fhe.Digest
	for range 2 { // two engines
		err := with(open(), tc, func(job program.Job) error {
			var rec program.TraceRecorder
			for range 2 { // the recorder is emptied by every run
				if err := same(job, tc, program.WithTrace(&rec)); err != nil {
					return err
				}
				if err := checkRecords(tc, &rec); err != nil {
					return err
				}
				roots = append(roots, rec.Root())
			}
			// Concurrent runs have a recorder each.
			recs := make([]program.TraceRecorder, 4)
			errs := make([]error, len(recs))
			var wg sync.WaitGroup
			for i := range recs {
				wg.Go(func() {
					errs[i] = guard("traced run", func() error { return same(job, tc, program.WithTrace(&recs[i])) })
				})
			}
			wg.Wait()
			for i := range recs {
				roots = append(roots, recs[i].Root())
			}
			return errors.Join(errs...)
		})
		if err != nil {
			return err
		}
	}
	for _, r := range roots {
		if r != roots[0] {
			return fmt.Errorf("roots of traces of one program on one input differ: %v and %v", roots[0].Short(), r.Short())
		}
	}
	return nil
}

// checkValues compares the ciphertexts that program.WithValues shows with stock Lattigo's, and what happens to them.
func checkValues(open func() program.Engine) error {
	cases, err := casesOf["every opcode"]()
	if err != nil {
		return err
	}
	small, err := smallCase()
	if err != nil {
		return err
	}
	eng := open()
	for _, tc := range []*testCase{small, cases[0]} {
		ops := tc.prog.Ops()
		err := with(eng, tc, func(job program.Job) error {
			last, shown := program.Value(-1), 0
			var kept []*fhe.Ciphertext
			var digests []fhe.Digest
			var inside atomic.Int32
			err := same(job, tc, program.WithValues(func(v program.Value, ct *fhe.Ciphertext) error {
				defer inside.Add(-1)
				switch {
				case inside.Add(1) > 1:
					return fmt.Errorf("values shown from two goroutines at once")
				case v <= last || int(v) >= len(ops) || !ops[v].IsCiphertext():
					return fmt.Errorf("value %d shown after value %d", v, last)
				case ct.Digest() != tc.ops[v]:
					return fmt.Errorf("value %d, %v in %q: digest %v, stock Lattigo has %v", v, ops[v].Code, tc.prog.Scope(v),
						ct.Digest().Short(), tc.ops[v].Short())
				}
				last = v
				if shown++; shown%2 == 0 { // whoever is shown a value owns it
					kept, digests = append(kept, ct), append(digests, tc.ops[v])
				} else {
					clear(ct.Limb(0, 0))
				}
				return nil
			}))
			if err != nil {
				return fmt.Errorf("run that shows values: %w", err)
			}
			want := 0
			for i := range ops {
				if ops[i].IsCiphertext() {
					want++
				}
			}
			if shown != want {
				return fmt.Errorf("%d values shown, want %d", shown, want)
			}
			for i, ct := range kept {
				if ct.Digest() != digests[i] {
					return fmt.Errorf("a value that was shown changed later")
				}
			}
			stop := errors.New("enough")
			calls := 0
			out, err := job.Run(context.Background(), tc.bundle(), program.WithValues(func(program.Value, *fhe.Ciphertext) error {
				calls++
				return stop
			}))
			switch {
			case !errors.Is(err, stop) || out != nil:
				return fmt.Errorf("run whose values are refused: error %v, want it wrapped and no result", err)
			case calls != 1:
				return fmt.Errorf("run went on for %d values after the first was refused", calls-1)
			}
			if _, err := job.RunBatch(context.Background(), []*fhe.Bundle{tc.bundle()}, program.WithValues(func(program.Value, *fhe.Ciphertext) error {
				return nil
			})); err == nil {
				return fmt.Errorf("batch that shows values: no error")
			}
			return same(job, tc)
		})
		if err != nil {
			return err
		}
	}
	return nil
}
