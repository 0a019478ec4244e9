package cpu

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/program"
)

// job is a loaded program. Runs share its tables and its pool of rows; each has its own values and its own team.
type job struct {
	*loaded
	threads   int
	turn      *gate
	pool      *pool
	scratches sync.Pool // of *scratch
	poisoned  atomic.Bool

	mu     sync.Mutex
	closed bool
	runs   sync.WaitGroup
}

func newJob(l *loaded, threads int) *job {
	return &job{loaded: l, threads: threads, turn: &processors, pool: &pool{n: l.n}}
}

// enter registers a run, or says why there can be none.
func (j *job) enter() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	switch {
	case j.closed:
		return program.ErrClosed
	case j.poisoned.Load():
		return program.ErrPoisoned
	}
	j.runs.Add(1)
	return nil
}

// wait waits for a run's turn, which the caller must end with leave. A job that another run has poisoned meanwhile has
// none to give.
func (j *job) wait(ctx context.Context) error {
	if err := j.turn.enter(ctx); err != nil {
		return err
	}
	if j.poisoned.Load() {
		j.turn.leave()
		return program.ErrPoisoned
	}
	return nil
}

// Close waits for the runs in flight and frees keys, constants and rows.
func (j *job) Close() error {
	j.mu.Lock()
	first := !j.closed
	j.closed = true
	j.mu.Unlock()
	j.runs.Wait()
	if first {
		j.pool.drain()
		j.switching, j.plain, j.weights = nil, nil, nil
	}
	return nil
}

// Run executes the program on one bundle, when its turn comes: of the runs of a process as many work at a time as there
// are processors, and the others wait in the order of their calls.
func (j *job) Run(ctx context.Context, in *fhe.Bundle, opts ...program.RunOption) (*fhe.Bundle, error) {
	if err := j.enter(); err != nil {
		return nil, err
	}
	defer j.runs.Done()
	if err := j.wait(ctx); err != nil {
		return nil, fmt.Errorf("cpu: run stopped before its turn: %w", err)
	}
	defer j.turn.leave()
	t := newTeam(j.threads, j.turn)
	defer t.stop()
	return j.run(ctx, t, in, program.NewRunOptions(opts))
}

// RunBatch executes the program on each bundle: as many at a time as there are threads, which together use no more
// threads than one run. A batch has one turn, as a run has.
func (j *job) RunBatch(ctx context.Context, in []*fhe.Bundle, opts ...program.RunOption) ([]*fhe.Bundle, error) {
	if err := j.enter(); err != nil {
		return nil, err
	}
	defer j.runs.Done()
	o := program.NewRunOptions(opts)
	if o.Trace != nil || o.Values != nil {
		return nil, fmt.Errorf("cpu: a trace and values are of one run, not of a batch")
	}
	if f := o.Progress; f != nil {
		var mu sync.Mutex
		o.Progress = func(p program.Progress) { mu.Lock(); defer mu.Unlock(); f(p) }
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if err := j.wait(ctx); err != nil {
		return nil, fmt.Errorf("cpu: batch stopped before its turn: %w", err)
	}
	defer j.turn.leave()
	out, errs := make([]*fhe.Bundle, len(in)), make([]error, len(in))
	t := newTeam(j.threads, j.turn)
	defer t.stop()
	t.do(len(in), func(i int) {
		if out[i], errs[i] = j.run(ctx, t, in[i], o); errs[i] != nil {
			cancel()
		}
	})
	var first error
	for i, err := range errs {
		// The error that caused the cancellation says more than those that followed from it.
		if err != nil && (first == nil || ctx.Err() != nil && isCancel(first) && !isCancel(err)) {
			first = fmt.Errorf("cpu: bundle %d of %d: %w", i, len(in), err)
		}
	}
	if first != nil {
		return nil, first
	}
	return out, nil
}

func isCancel(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// run is the state of one execution.
type run struct {
	*job
	team *team
	in   *fhe.Bundle
	vals []value
	out  []*fhe.Ciphertext // by operation, for Output
	cur  atomic.Int64      // an operation that is executing, for errors
}

func (j *job) run(ctx context.Context, t *team, in *fhe.Bundle, opts program.RunOptions) (res *fhe.Bundle, err error) {
	if err := j.prog.CheckInput(in, j.keys); err != nil {
		return nil, fmt.Errorf("cpu: run: %w", err)
	}
	ops := j.prog.Ops()
	r := &run{job: j, team: t, in: in, vals: make([]value, len(ops)), out: make([]*fhe.Ciphertext, len(ops))}
	defer func() {
		if v := recover(); v != nil {
			// Other threads may still use rows: give none back, and let no later run start.
			j.poisoned.Store(true)
			op := int(r.cur.Load())
			e := &program.PanicError{Op: op, Code: ops[op].Code, Scope: j.prog.Scope(program.Value(op)), Value: v}
			if p, ok := v.(*panicked); ok {
				e.Value = p.value
			}
			res, err = nil, e
			return
		}
		for i := range r.vals {
			r.vals[i].release(j.pool)
		}
	}()
	if opts.Trace != nil {
		if err := opts.Trace.Begin(j.prog, j.keys); err != nil {
			return nil, fmt.Errorf("cpu: run: %w", err)
		}
	}
	start := time.Now()
	for si := range j.steps {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("cpu: run stopped before %q: %w", j.prog.Scope(program.Value(j.steps[si].first)), err)
		}
		s := &j.steps[si]
		t.do(len(s.groups), func(g int) { r.exec(s.groups[g]) })
		for i := s.first; i < s.first+s.count; i++ {
			if opts.Trace != nil {
				if err := r.record(opts.Trace, i); err != nil {
					return nil, err
				}
			}
			if opts.Values != nil {
				if err := r.show(opts.Values, i); err != nil {
					return nil, err
				}
			}
			r.free(i)
			if opts.Progress != nil {
				scope := j.prog.Scope(program.Value(i))
				opts.Progress(program.Progress{Done: i + 1, Total: len(ops), Scope: scope, Elapsed: time.Since(start)})
			}
		}
	}
	res = fhe.NewBundle(j.prog.Parameters(), in.Key(), j.prog.Digest())
	ports := j.prog.Outputs()
	cts := make([][]*fhe.Ciphertext, len(ports))
	for i := range ops {
		if ops[i].Code == program.Output {
			cts[ops[i].Port] = append(cts[ops[i].Port], r.out[i])
		}
	}
	for i, p := range ports {
		if err := res.Add(p.Name, cts[i]...); err != nil {
			return nil, fmt.Errorf("cpu: run: %w", err)
		}
	}
	return res, nil
}

// free releases what operation i was the last to read, and its own result if nothing reads it.
func (r *run) free(i int) {
	done := func(v program.Value) {
		if r.last[v] == program.Value(i) {
			r.vals[v].release(r.pool)
		}
	}
	o := &r.prog.Ops()[i]
	for v := range o.Operands() {
		done(v)
	}
	switch o.Code {
	case program.RotHoisted, program.Lintrans, program.Rotsum:
		done(r.prog.Ops()[o.Args[0]].Args[0])
	}
	done(program.Value(i))
}

// show calls f with a copy of the result of operation i, unless that is no ciphertext.
func (r *run) show(f func(program.Value, *fhe.Ciphertext) error, i int) error {
	o := &r.prog.Ops()[i]
	if !o.IsCiphertext() {
		return nil
	}
	ct := r.output(o, &r.vals[i])
	if err := r.turn.outside(func() error { return f(program.Value(i), ct) }); err != nil {
		return fmt.Errorf("cpu: values of operation %d, %v in %q: %w", i, o.Code, r.prog.Scope(program.Value(i)), err)
	}
	return nil
}

func (r *run) record(t *program.TraceRecorder, i int) error {
	o := &r.prog.Ops()[i]
	var d fhe.Digest
	if o.IsCiphertext() {
		ct, err := fhe.CiphertextFromLimbs(r.prog.Parameters(), r.vals[i].parts, o.LogSlots, o.Scale)
		if err != nil {
			return fmt.Errorf("cpu: operation %d gave an invalid ciphertext: %w", i, err)
		}
		d = ct.Digest()
	}
	t.Record(r.prog, i, d)
	return nil
}
