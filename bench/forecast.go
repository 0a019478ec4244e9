package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/engine/cpu"
	"github.com/signet-ml/signet/fhe/polyeval"
	"github.com/signet-ml/signet/fhe/program/cost"
	"github.com/signet-ml/signet/ml/report"
)

type forecastCmd struct {
	Costs   string   `placeholder:"FILE" help:"The cost table, or shipped. Default: this machine's, calibrated or probed."`
	Threads []int    `placeholder:"N,…" help:"Numbers of threads. Default: powers of two, and all processors."`
	Only    []string `enum:"models,mixtures,calibration" default:"models,mixtures" help:"What to measure: models, mixtures, or the programs of calibrate."`
}

// Run prints predicted beside measured times and memory.
func (c *forecastCmd) Run(e *env) error {
	t, err := costTable(e.ctx, e.log, c.Costs)
	if err != nil {
		return err
	}
	if c.Threads == nil {
		c.Threads = teams()
	}
	fmt.Fprintf(e.out, "%-48s%8s%9s%9s%7s%9s%9s%7s%9s%9s%7s\n", "program: predicted, measured, ratio of", "threads",
		"run", "", "", "load", "", "", "memory", "", "")
	var worst float64
	for _, what := range c.Only {
		for progs, err := range forecastSets[what](e.ctx, e.log) {
			if err != nil {
				return err
			}
			all, err := measureAll(e.ctx, progs, c.Threads)
			if err != nil {
				return err
			}
			for _, m := range all {
				est, err := cpu.Estimate(m.prog, t, m.threads)
				if err != nil {
					return err
				}
				held, err := holds(e.ctx, m.synthetic, m.threads)
				if err != nil {
					return err
				}
				ratio := func(got, want float64) float64 {
					worst = max(worst, math.Abs(math.Log2(got/want)))
					return got / want
				}
				fmt.Fprintf(e.out, "%-48s%8d%9s%9s%7.2f%9s%9s%7.2f%9s%9s%7.2f\n", m.name, m.threads,
					cost.Seconds(est.Run), cost.Seconds(time.Duration(m.run)), ratio(float64(est.Run), m.run),
					cost.Seconds(est.Load), cost.Seconds(time.Duration(m.load)), float64(est.Load)/m.load,
					cost.Bytes(est.PeakBytes()), cost.Bytes(held), float64(est.PeakBytes())/float64(held))
			}
		}
	}
	_, err = fmt.Fprintf(e.out, "the worst run is off by a factor of %.2f\n", math.Exp2(worst))
	return err
}

// shippedCosts stands for the shipped table in place of a file.
const shippedCosts = "shipped"

// costTable returns the cost table of a file, the shipped one, or that of this machine: calibrated, or probed. It warns
// of a table of another machine.
func costTable(ctx context.Context, log io.Writer, path string) (*cost.Table, error) {
	if path == shippedCosts {
		return cost.Default(), nil
	}
	t, warning, err := report.CostTable(path)
	if err == nil && path == "" && t == cost.Default() { // not calibrated
		return cpu.Costs(ctx)
	}
	if warning != "" {
		fmt.Fprintf(log, "warning: %s\n", warning)
	}
	return t, err
}

// holds returns the bytes that a job holds after a run, when its pool has every row that a run takes.
func holds(ctx context.Context, s *synthetic, threads int) (int64, error) {
	heap := func() int64 {
		runtime.GC()
		runtime.GC() // the second empties the standard library's pools
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	eng, err := cpu.Open(cpu.Config{Threads: threads})
	if err != nil {
		return 0, err
	}
	before := heap()
	job, err := eng.Load(ctx, s.prog, s.consts, s.keys)
	if err != nil {
		return 0, err
	}
	defer job.Close()
	if _, err := job.Run(ctx, s.in); err != nil {
		return 0, err
	}
	held := heap() - before
	runtime.KeepAlive(job)
	return held, nil
}

// forecastSets yield programs to compare, some at a time: all of them together would not fit memory.
var forecastSets = map[string]func(context.Context, io.Writer) func(func([]*synthetic, error) bool){
	"calibration": func(context.Context, io.Writer) func(func([]*synthetic, error) bool) {
		return func(yield func([]*synthetic, error) bool) {
			for _, r := range rings {
				progs, err := r.programs()
				if !yield(progs, err) || err != nil {
					return
				}
			}
		}
	},
	"mixtures": func(context.Context, io.Writer) func(func([]*synthetic, error) bool) {
		return func(yield func([]*synthetic, error) bool) {
			for _, m := range mixtures {
				p, err := m.program()
				ok := yield([]*synthetic{p}, err)
				p = nil
				debug.FreeOSMemory()
				if !ok || err != nil {
					return
				}
			}
		}
	},
	"models": func(ctx context.Context, log io.Writer) func(func([]*synthetic, error) bool) {
		return func(yield func([]*synthetic, error) bool) {
			for _, s := range scenarios {
				if s.prove != nil || s.own != nil && s.prog == nil { // no program, or that of another scenario
					continue
				}
				p, err := s.program(ctx, log)
				if !yield([]*synthetic{p}, err) || err != nil {
					return
				}
			}
		}
	},
}

// program returns a scenario's program with keys and inputs of random words, which take the time of real ones.
func (s scenario) program(ctx context.Context, log io.Writer) (*synthetic, error) {
	if s.prog != nil {
		prog, consts, err := s.prog()
		if err != nil {
			return nil, err
		}
		return synthesiserFor(prog.Parameters()).complete(s.Name, prog, consts)
	}
	m := &measure{scenario: s, cfg: config{n: 1, log: log}, sum: report.New(s.Name)}
	if err := m.compile(ctx); err != nil {
		return nil, err
	}
	return synthesiserFor(m.plan.Parameters()).complete(s.Name, m.plan.Program(), m.plan.Constants())
}

// mixture is a deep program of many kinds of work: products with matrices, a polynomial, rotate-and-sum.
type mixture struct {
	name      string
	logN      int
	primes    int // of 45 bits
	degree    int // of the polynomial, at the top level
	diagonals int // of a product with a matrix, at the level after it
	n1        int
	level     int // that the value is dropped to before it
}

var mixtures = []mixture{
	{"degree 15, 1024 diagonals at level 3, sums", 14, 8, 15, 1024, 32, 3},
	{"degree 7, 256 diagonals at level 2, sums", 14, 8, 7, 256, 16, 2},
	{"degree 15, 16 diagonals at level 2, sums", 14, 8, 15, 16, 8, 2},
	{"degree 15, 1024 diagonals at level 2, sums", 15, 9, 15, 1024, 64, 2},
	{"degree 31, 64 diagonals at level 6, sums", 15, 16, 31, 64, 8, 6},
	{"degree 15, 128 diagonals at level 1, sums", 15, 9, 15, 128, 128, 1},
}

func (m mixture) program() (*synthetic, error) {
	s, err := newSynthesiser(m.logN, ints(45, m.primes), []int{56})
	if err != nil {
		return nil, err
	}
	poly, err := polyeval.At(polyeval.Sigmoid, -8, 8, m.degree)
	if err != nil {
		return nil, err
	}
	return s.build(fmt.Sprintf("N=2^%d, %s", m.logN, m.name), func(e *emitter) {
		scale := fhe.PowerOfTwo(45)
		v := e.SetScale(e.input(1, e.Parameters().MaxLevel())[0], scale)
		e.Scope("polynomial")
		if v, err = polyeval.Evaluate(e.Builder, v, poly, scale); err != nil {
			e.err = err
			return
		}
		e.Scope("matrix")
		v = e.Rescale(e.lintrans(e.Drop(v, m.level), m.diagonals, m.n1))
		e.Scope("sums")
		v = e.rotsum(v, 16, 1)
		v = e.rotsum(v, 8, 16)
		e.output(v)
	})
}
