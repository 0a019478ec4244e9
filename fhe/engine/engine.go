// Package engine opens engines: what executes a program.
//
//	eng, err := engine.Open(ctx, engine.Auto)
//	job, err := eng.Load(ctx, plan.Program(), plan.Constants(), keys)
//	defer job.Close()
//	out, err := job.Run(ctx, in)
//
// Every engine but Clear gives the same ciphertext bits for the same program, constants, keys and inputs; they differ
// in what they run on. Clear executes on numbers, for tests and simulations. An engine holds no secrets, but it sees
// the model: the constants are in the clear.
package engine

import (
	"context"
	"fmt"

	"github.com/signet-ml/signet/fhe/engine/clear"
	"github.com/signet-ml/signet/fhe/engine/cpu"
	"github.com/signet-ml/signet/fhe/program"
)

// Kind names an engine.
type Kind string

// The engines that this version has.
const (
	Auto  Kind = "auto"  // the fastest here, never Clear
	CPU   Kind = "cpu"   // the processor, on Lattigo's arithmetic
	Clear Kind = "clear" // numbers, not ciphertexts: bundles are those of clear.Encode, keys are ignored
)

// Kinds returns every kind that Open knows, for command lines.
func Kinds() []Kind { return []Kind{Auto, CPU, Clear} }

type config struct {
	threads     int
	memoryLimit int64
}

// Option changes an engine.
type Option func(*config)

// MemoryLimit bounds the bytes that one job may take; Load refuses a larger one before it allocates. 0 means no limit.
func MemoryLimit(bytes int64) Option { return func(c *config) { c.memoryLimit = bytes } }

// Threads sets the number of threads of one run, of one batch for Clear. The default, 0, is GOMAXPROCS. Output bits do
// not depend on it.
func Threads(n int) Option { return func(c *config) { c.threads = n } }

// Open returns an engine of the stated kind. An unknown kind is an error.
func Open(ctx context.Context, kind Kind, opts ...Option) (program.Engine, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var c config
	for _, o := range opts {
		o(&c)
	}
	switch kind {
	case Auto, CPU:
		return cpu.Open(cpu.Config{Threads: c.threads, MemoryLimit: c.memoryLimit})
	case Clear:
		return clear.Open(clear.Config{Threads: c.threads, MemoryLimit: c.memoryLimit})
	}
	return nil, fmt.Errorf("engine: no engine %q; there are %v", kind, Kinds())
}
