package stock_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/fhetest"
	"github.com/signet-ml/signet/fhe/fhetest/stock"
	"github.com/signet-ml/signet/fhe/program"
)

// engine is the least that satisfies program.Engine: one evaluator, one run at a time. With a fault it is wrong in one
// way.
type engine struct{ mutant, fault string }

func (e engine) Info() program.Info {
	return program.Info{Name: "stock", Device: "Lattigo v5.0.7, one goroutine", Threads: 1}
}

func (e engine) Load(ctx context.Context, p *program.Program, c *program.Constants, keys *fhe.EvaluationKeys) (program.Job, error) {
	if err := ctx.Err(); err != nil && e.fault != "load ignores the context" {
		return nil, err
	}
	ev, err := stock.New(p, c, keys)
	if err != nil {
		if e.fault == "errors lose their type" {
			err = errors.New(err.Error())
		}
		return nil, err
	}
	ev.Mutate(e.mutant)
	return &job{engine: e, p: p, keys: keys, ev: ev}, nil
}

type job struct {
	engine
	p    *program.Program
	keys *fhe.EvaluationKeys

	mu     sync.Mutex
	ev     *stock.Evaluator
	closed bool
	last   *fhe.Bundle
}

func (j *job) Run(ctx context.Context, in *fhe.Bundle, opts ...program.RunOption) (*fhe.Bundle, error) {
	if j.fault != "runs race" {
		j.mu.Lock()
		defer j.mu.Unlock()
	}
	o := program.NewRunOptions(opts)
	if j.closed && j.fault != "runs after close" {
		return nil, program.ErrClosed
	}
	if j.fault == "ignores the key id" && in != nil && in.Key() != j.keys.Key() {
		b := fhe.NewBundle(in.Parameters(), j.keys.Key(), in.Program())
		if err := b.Merge(fhe.NewBundle(in.Parameters(), j.keys.Key(), in.Program())); err != nil {
			return nil, err
		}
		for _, name := range in.Ports() {
			if err := b.Add(name, in.Get(name)...); err != nil {
				return nil, err
			}
		}
		in = b
	}
	if err := ctx.Err(); err != nil {
		if j.fault != "ignores cancellation before" {
			return nil, err
		}
		ctx = context.WithoutCancel(ctx)
	}
	if err := j.p.CheckInput(in, j.keys); err != nil {
		return nil, err
	}
	if j.fault == "leaks a goroutine" {
		go func() { <-context.Background().Done() }()
	}
	if j.fault == "close does not wait" {
		j.mu.Unlock()
		defer j.mu.Lock()
	}
	if o.Trace != nil {
		if err := o.Trace.Begin(j.p, j.keys); err != nil {
			return nil, err
		}
	}
	start, total := time.Now(), len(j.p.Ops())
	out, err := j.ev.RunEach(in, func(i int, ct *fhe.Ciphertext) error {
		if o.Trace != nil && (i != total/2 || j.fault != "trace lacks a record") {
			var d fhe.Digest
			if ct != nil {
				d = ct.Digest()
			}
			o.Trace.Record(j.p, i, d)
		}
		if o.Values != nil && ct != nil && (i != total/2 || j.fault != "a value is not shown") {
			if err := o.Values(program.Value(i), ct); err != nil {
				if j.fault == "loses the error of values" {
					err = errors.New(err.Error())
				}
				return err
			}
		}
		if o.Progress != nil && (i != total-1 || j.fault != "last progress event is missing") {
			done := i + 1
			if j.fault == "progress counts from 0" {
				done = i
			}
			o.Progress(program.Progress{Done: done, Total: total, Scope: j.p.Scope(program.Value(i)), Elapsed: time.Since(start)})
		}
		if j.fault == "ignores cancellation" {
			return nil
		}
		return ctx.Err()
	})
	if err != nil {
		return nil, err
	}
	switch j.fault {
	case "writes to its input":
		in.Get(in.Ports()[0])[0].Limb(0, 0)[0] ^= 1
	case "keeps its results":
		if j.last != nil && j.last.Digest() == out.Digest() {
			return j.last, nil
		}
		j.last = out
	case "output is not bound to the program":
		b := fhe.NewBundle(out.Parameters(), out.Key(), fhe.Digest{})
		for _, name := range out.Ports() {
			if err := b.Add(name, out.Get(name)...); err != nil {
				return nil, err
			}
		}
		return b, nil
	}
	return out, nil
}

func (j *job) RunBatch(ctx context.Context, in []*fhe.Bundle, opts ...program.RunOption) ([]*fhe.Bundle, error) {
	if j.closed && j.fault != "runs after close" {
		return nil, program.ErrClosed
	}
	if o := program.NewRunOptions(opts); o.Values != nil && j.fault != "batch shows values" {
		return nil, errors.New("values are of one run")
	}
	out := make([]*fhe.Bundle, len(in))
	for i := range in {
		var err error
		if out[i], err = j.Run(ctx, in[i], opts...); err != nil {
			return nil, err
		}
	}
	if j.fault == "batch is reversed" {
		slices.Reverse(out)
	}
	return out, nil
}

func (j *job) Close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.closed && j.fault == "second close fails" {
		return errors.New("closed already")
	}
	j.closed = true
	return nil
}

func TestEngine(t *testing.T) {
	fhetest.RunEngine(t, func(t *testing.T) program.Engine { return engine{} })
}
