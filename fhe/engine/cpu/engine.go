package cpu

import (
	"fmt"
	"runtime"

	"github.com/signet-ml/signet/fhe/program"
)

// name is the engine's, in program.Info and in cost tables.
const name = "cpu"

// Config are the engine's options. The zero value uses every processor that Go may use and no memory limit.
type Config struct {
	Threads     int   // worker threads of one run; 0 means GOMAXPROCS at the time of Open
	MemoryLimit int64 // bytes that one job may take: keys, constants and the scratch of one run; 0 means no limit
}

// Engine executes programs on the processor. It is safe for concurrent use.
type Engine struct{ cfg Config }

var _ program.Engine = (*Engine)(nil)

// Open returns an engine.
func Open(cfg Config) (*Engine, error) {
	if cfg.Threads < 0 || cfg.MemoryLimit < 0 {
		return nil, fmt.Errorf("cpu: %d threads and a memory limit of %d bytes are not possible", cfg.Threads,
			cfg.MemoryLimit)
	}
	if cfg.Threads == 0 {
		cfg.Threads = runtime.GOMAXPROCS(0)
	}
	return &Engine{cfg}, nil
}

// Info describes the engine.
func (e *Engine) Info() program.Info {
	return program.Info{Name: name, Device: fmt.Sprintf("%s processor, Lattigo v5.0.7 arithmetic", runtime.GOARCH),
		Threads: e.cfg.Threads, MemoryLimit: e.cfg.MemoryLimit}
}
