package program

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/signet-ml/signet/fhe"
)

// Engine executes programs. Every engine but the cleartext one gives the same ciphertext bits for the same program,
// constants, keys and inputs. An Engine is safe for concurrent use.
type Engine interface {
	// Info says what the engine is and what it may use.
	Info() Info
	// Load checks that constants and keys are those that the program needs, states the memory that it takes and
	// refuses what exceeds the engine's limit before allocating, then expands constants and keys. keys may be nil if
	// the program needs none. Load is not part of "server time".
	Load(ctx context.Context, p *Program, c *Constants, keys *fhe.EvaluationKeys) (Job, error)
}

// Job is a loaded program. It is safe for concurrent use.
type Job interface {
	// Run executes the program on one bundle, whose ports are the program's inputs. It checks the context between
	// operations. After an error the job may be used again, unless the error wraps ErrPoisoned.
	Run(ctx context.Context, in *fhe.Bundle, opts ...RunOption) (*fhe.Bundle, error)
	// RunBatch executes the program on each bundle and returns the results in order, or the first error.
	RunBatch(ctx context.Context, in []*fhe.Bundle, opts ...RunOption) ([]*fhe.Bundle, error)
	// Close waits for runs in flight and frees what Load allocated. It is idempotent; a later Run fails with ErrClosed.
	Close() error
}

// Info describes an engine.
type Info struct {
	Name        string // "cpu", …
	Device      string // what it runs on, in words
	Threads     int
	MemoryLimit int64 // bytes; 0 means none
}

// Errors of jobs.
var (
	ErrClosed   = errors.New("program: job is closed")
	ErrPoisoned = errors.New("program: job is poisoned by an earlier panic")
)

// MemoryError says that a job needs more memory than its engine may use.
type MemoryError struct{ Need, Limit int64 } // bytes

func (e *MemoryError) Error() string {
	return fmt.Sprintf("program: the job needs %d bytes of memory, the engine's limit is %d", e.Need, e.Limit)
}

// PanicError is a panic of the arithmetic below an engine, turned into an error. It wraps ErrPoisoned.
type PanicError struct {
	Op    int // index of the operation, or -1
	Code  Opcode
	Scope string
	Value any // what the code panicked with
}

func (e *PanicError) Error() string {
	return fmt.Sprintf("program: operation %d, %v in %q panicked: %v", e.Op, e.Code, e.Scope, e.Value)
}

func (e *PanicError) Unwrap() error { return ErrPoisoned }

// Progress is one event of a run: an operation has finished.
type Progress struct {
	Done, Total int    // operations
	Scope       string // of the operation that finished
	Elapsed     time.Duration
}

// RunOptions are the options of one run, for engines to read.
type RunOptions struct {
	Progress func(Progress)
	Trace    *TraceRecorder
	Values   func(v Value, ct *fhe.Ciphertext) error
}

// RunOption changes a run.
type RunOption func(*RunOptions)

// NewRunOptions applies opts.
func NewRunOptions(opts []RunOption) RunOptions {
	var o RunOptions
	for _, f := range opts {
		f(&o)
	}
	return o
}

// WithProgress calls f after every operation, from one goroutine at a time. f must not block.
func WithProgress(f func(Progress)) RunOption { return func(o *RunOptions) { o.Progress = f } }

// WithTrace records the digest of every operation's result and its trace leaf, which costs about as much as the run.
func WithTrace(t *TraceRecorder) RunOption { return func(o *RunOptions) { o.Trace = t } }

// WithValues calls f with every operation's ciphertext, in the order of the program's operations and from one goroutine
// at a time; hoists and outputs have none. The ciphertext is a copy that f may keep and change. An error of f stops the
// run, which returns it wrapped. A batch refuses the option. It is for debugging: beside the copies, the run gives the
// same bits.
func WithValues(f func(v Value, ct *fhe.Ciphertext) error) RunOption {
	return func(o *RunOptions) { o.Values = f }
}

// CheckInput checks that a bundle is one that the program can run on: its parameters, its key (unless keys is nil),
// its program, and every port's count, level, degree, scale and slots. Engines call it first.
func (p *Program) CheckInput(in *fhe.Bundle, keys *fhe.EvaluationKeys) error {
	if in == nil {
		return fmt.Errorf("program: nil bundle")
	}
	if !in.Parameters().Equal(p.params) {
		return &fhe.MismatchError{What: "parameters of the input", Want: p.params.Digest().Short(), Have: in.Parameters().Digest().Short()}
	}
	if keys != nil && in.Key() != keys.Key() {
		return &fhe.MismatchError{What: "key of the input", Want: keys.Key().String(), Have: in.Key().String()}
	}
	if d := in.Program(); !d.IsZero() && d != p.digest {
		return &fhe.MismatchError{What: "program of the input", Want: p.digest.Short(), Have: d.Short()}
	}
	if n := len(in.Ports()); n != len(p.inputs) {
		return &fhe.MismatchError{What: "number of input ports", Want: fmt.Sprint(len(p.inputs)), Have: fmt.Sprint(n)}
	}
	for i := range p.inputs {
		if err := p.inputs[i].CheckBundle(in); err != nil {
			return err
		}
	}
	return nil
}

// CheckBundle checks that the bundle has this port, with the port's count, level, degree, scale and slots.
func (p *Port) CheckBundle(b *fhe.Bundle) error {
	cts := b.Get(p.Name)
	if cts == nil {
		return &fhe.MismatchError{What: "port", Want: fmt.Sprintf("%q", p.Name), Have: fmt.Sprintf("%q", b.Ports())}
	}
	if len(cts) != p.Count {
		return &fhe.MismatchError{What: fmt.Sprintf("number of ciphertexts of port %q", p.Name), Want: fmt.Sprint(p.Count), Have: fmt.Sprint(len(cts))}
	}
	for i, ct := range cts {
		if ct.Level() != p.Level || ct.Degree() != p.Degree || ct.Scale() != p.Scale || ct.LogSlots() != p.LogSlots {
			return &fhe.MismatchError{What: fmt.Sprintf("ciphertext %d of port %q", i, p.Name),
				Want: fmt.Sprintf("level %d, degree %d, scale %v, 2^%d slots", p.Level, p.Degree, p.Scale, p.LogSlots),
				Have: fmt.Sprintf("level %d, degree %d, scale %v, 2^%d slots", ct.Level(), ct.Degree(), ct.Scale(), ct.LogSlots())}
		}
	}
	return nil
}

// CheckConstants returns an error that names the first constant of the program that c lacks.
func (p *Program) CheckConstants(c *Constants) error {
	for i, info := range p.consts {
		k := c.Get(info.Digest)
		if k == nil {
			return &fhe.MismatchError{What: fmt.Sprintf("constants: number %d is missing", i), Want: info.Digest.Short(), Have: "none"}
		}
		if k.Info() != info {
			return &fhe.MismatchError{What: fmt.Sprintf("constants: number %d", i), Want: fmt.Sprint(info), Have: fmt.Sprint(k.Info())}
		}
	}
	return nil
}
