package clear

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/program"
)

// Config are the engine's options. The zero value uses every processor that Go may use, has no memory limit and adds no
// noise.
type Config struct {
	Threads     int   // bundles of a batch at a time; 0 means GOMAXPROCS at the time of Open
	MemoryLimit int64 // bytes that one run may take; 0 means no limit
	// Simulate adds to every run the error of every operation, drawn from the noise model. The same Seed gives the same
	// errors, in every run.
	Simulate bool
	Seed     uint64
}

// Engine executes programs on transparent bundles. It is safe for concurrent use.
type Engine struct{ cfg Config }

var _ program.Engine = (*Engine)(nil)

// Open returns an engine.
func Open(cfg Config) (*Engine, error) {
	if cfg.Threads < 0 || cfg.MemoryLimit < 0 {
		return nil, fmt.Errorf("clear: %d threads and a memory limit of %d bytes are not possible", cfg.Threads, cfg.MemoryLimit)
	}
	if cfg.Threads == 0 {
		cfg.Threads = runtime.GOMAXPROCS(0)
	}
	return &Engine{cfg}, nil
}

// Info describes the engine.
func (e *Engine) Info() program.Info {
	return program.Info{Name: "clear", Device: "numbers in the clear, nothing is encrypted", Threads: e.cfg.Threads, MemoryLimit: e.cfg.MemoryLimit}
}

// Load checks constants and turns them into slots. Keys are ignored and may be nil.
func (e *Engine) Load(ctx context.Context, p *program.Program, c *program.Constants, _ *fhe.EvaluationKeys) (program.Job, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("clear: load: %w", err)
	}
	if p != nil {
		if need := Memory(p); e.cfg.MemoryLimit > 0 && need > e.cfg.MemoryLimit {
			return nil, &program.MemoryError{Need: need, Limit: e.cfg.MemoryLimit}
		}
	}
	t, err := newTables(p, c)
	if err != nil {
		return nil, fmt.Errorf("clear: load: %w", err)
	}
	return &job{tables: t, consts: c, cfg: e.cfg}, nil
}

type job struct {
	*tables
	consts *program.Constants
	cfg    Config

	mu     sync.Mutex
	closed bool
	runs   sync.WaitGroup
}

func (j *job) enter() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.closed {
		return program.ErrClosed
	}
	j.runs.Add(1)
	return nil
}

// Close waits for the runs in flight.
func (j *job) Close() error {
	j.mu.Lock()
	j.closed = true
	j.mu.Unlock()
	j.runs.Wait()
	return nil
}

// Run executes the program on a transparent bundle and returns one. It refuses what is encrypted, with a
// *fhe.MismatchError for the key or ErrEncrypted, and a trace, which is one of ciphertexts. Progress events have no
// time. Values that program.WithValues shows are transparent ciphertexts.
func (j *job) Run(ctx context.Context, in *fhe.Bundle, opts ...program.RunOption) (*fhe.Bundle, error) {
	if err := j.enter(); err != nil {
		return nil, err
	}
	defer j.runs.Done()
	return j.run(ctx, in, program.NewRunOptions(opts))
}

// RunBatch executes the program on each bundle.
func (j *job) RunBatch(ctx context.Context, in []*fhe.Bundle, opts ...program.RunOption) ([]*fhe.Bundle, error) {
	if err := j.enter(); err != nil {
		return nil, err
	}
	defer j.runs.Done()
	o := program.NewRunOptions(opts)
	if o.Values != nil {
		return nil, fmt.Errorf("clear: values are of one run, not of a batch")
	}
	if f := o.Progress; f != nil {
		var mu sync.Mutex
		o.Progress = func(p program.Progress) { mu.Lock(); defer mu.Unlock(); f(p) }
	}
	out, errs := make([]*fhe.Bundle, len(in)), make([]error, len(in))
	var next atomic.Int64
	var failed atomic.Bool
	var wg sync.WaitGroup
	for range min(len(in), j.cfg.Threads) {
		wg.Go(func() {
			for !failed.Load() {
				i := int(next.Add(1)) - 1
				if i >= len(in) {
					return
				}
				if out[i], errs[i] = j.run(ctx, in[i], o); errs[i] != nil {
					failed.Store(true)
				}
			}
		})
	}
	wg.Wait()
	for i, err := range errs {
		if err != nil {
			return nil, fmt.Errorf("clear: bundle %d of %d: %w", i, len(in), err)
		}
	}
	return out, nil
}

func (j *job) run(ctx context.Context, in *fhe.Bundle, opts program.RunOptions) (*fhe.Bundle, error) {
	if opts.Trace != nil {
		return nil, fmt.Errorf("clear: run: there is no trace of values that are no ciphertexts")
	}
	if err := j.prog.CheckInput(in, nil); err != nil {
		return nil, fmt.Errorf("clear: run: %w", err)
	}
	if in.Key() != key {
		return nil, fmt.Errorf("clear: run: %w", &fhe.MismatchError{What: "key of the input", Want: "none, a transparent bundle", Have: in.Key().String()})
	}
	var slots [][][]complex128
	for _, port := range j.prog.Inputs() {
		var cts [][]complex128
		for i, ct := range in.Get(port.Name) {
			z, err := reveal(j.enc, ct)
			if err != nil {
				return nil, fmt.Errorf("clear: run: port %q, ciphertext %d: %w", port.Name, i, err)
			}
			cts = append(cts, z)
		}
		slots = append(slots, cts)
	}
	var sim *simulator
	if j.cfg.Simulate {
		var err error
		if sim, err = newSimulator(j.prog, j.consts, j.cfg.Seed); err != nil {
			return nil, fmt.Errorf("clear: run: %w", err)
		}
	}
	ops := j.prog.Ops()
	results, err := j.execute(ctx, slots, sim, func(v program.Value, z []complex128) error {
		if o := &ops[v]; opts.Values != nil && o.IsCiphertext() {
			ct, err := encode(j.enc, z, o.Level, o.Degree, o.LogSlots, o.Scale)
			if err == nil {
				err = opts.Values(v, ct)
			}
			if err != nil {
				return fmt.Errorf("values of operation %d, %v in %q: %w", v, o.Code, j.prog.Scope(v), err)
			}
		}
		if opts.Progress != nil {
			opts.Progress(program.Progress{Done: int(v) + 1, Total: len(ops), Scope: j.prog.Scope(v)})
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("clear: run: %w", err)
	}
	out := fhe.NewBundle(j.prog.Parameters(), key, j.prog.Digest())
	for i, port := range j.prog.Outputs() {
		var cts []*fhe.Ciphertext
		for k, z := range results[i] {
			ct, err := encode(j.enc, z, port.Level, port.Degree, port.LogSlots, port.Scale)
			if err != nil {
				return nil, fmt.Errorf("clear: run: port %q, ciphertext %d: %w", port.Name, k, err)
			}
			cts = append(cts, ct)
		}
		if err := out.Add(port.Name, cts...); err != nil {
			return nil, fmt.Errorf("clear: run: %w", err)
		}
	}
	return out, nil
}
