package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/engine"
	"github.com/signet-ml/signet/fhe/program"
	"github.com/signet-ml/signet/ml/report"
)

// The scenario load measures what a server meets: many clients of one job, and another process that wants a processor.
// Keys and inputs are random words, which take the time of real ones.

// Numbers of clients that the scenario load lets wait at the same time, and how often they take turns.
const (
	mostClients = 64
	loadTurns   = 5
)

// spinFor bounds the life of a spinning process, whatever becomes of the one that started it.
const spinFor = 5 * time.Minute

// loaded is one run of the scenario load.
type loaded struct {
	cfg    config
	sum    *report.Summary
	job    program.Job
	in     *fhe.Bundle
	want   fhe.Digest // of every output
	differ atomic.Int64
}

func loadScenario(ctx context.Context, s scenario, cfg config, sum *report.Summary) error {
	p, err := s.program(ctx, cfg.log)
	if err != nil {
		return err
	}
	return measureLoad(ctx, s, cfg, sum, p)
}

// measureLoad lets clients and a competing process meet a program.
func measureLoad(ctx context.Context, s scenario, cfg config, sum *report.Summary, p *synthetic) error {
	eng, err := engine.Open(ctx, engine.Auto)
	if err != nil {
		return err
	}
	info := eng.Info()
	sum.Engine, sum.Threads = info.Name, info.Threads
	sum.Date = time.Now().UTC().Format(time.DateOnly)
	sum.Parameters = report.ParametersOf(p.prog.Parameters())
	l := &loaded{cfg: cfg, sum: sum, in: p.in}
	if l.job, err = eng.Load(ctx, p.prog, p.consts, p.keys); err != nil {
		return err
	}
	defer l.job.Close()
	out, err := l.job.Run(ctx, p.in)
	if err != nil {
		return err
	}
	l.want = out.Digest()
	turns := min(loadTurns, cfg.n)
	fmt.Fprintf(cfg.log, "%s: %s for up to %d clients, %d turn(s)\n", s.Name, p.name, mostClients, turns)
	if err := l.clients(ctx, turns); err != nil {
		return err
	}
	if cfg.spin != nil {
		fmt.Fprintf(cfg.log, "%s: one client beside a process that spins, %d turn(s)\n", s.Name, turns)
		if err := l.beside(ctx, turns); err != nil {
			return err
		}
	}
	sum.Check("every run gave the same bits", l.differ.Load() == 0)
	return nil
}

// rush is what clients meet.
type rush struct {
	perSecond float64   // runs
	took      []float64 // by run, from its request on
	processor float64   // time of a run, 0 if the system does not say
}

// serve lets clients make runs one after the other until there have been count.
func (l *loaded) serve(ctx context.Context, clients, count int) (rush, error) {
	took := make([]float64, count)
	var next atomic.Int64
	var wg sync.WaitGroup
	errs := make([]error, clients)
	start := time.Now()
	before, ok := processorTime()
	for c := range clients {
		wg.Go(func() {
			for i := next.Add(1) - 1; i < int64(count); i = next.Add(1) - 1 {
				begin := time.Now()
				out, err := l.job.Run(ctx, l.in)
				took[i] = ms(begin)
				if err != nil {
					errs[c] = err
					return
				}
				if out.Digest() != l.want {
					l.differ.Add(1)
				}
			}
		})
	}
	wg.Wait()
	r := rush{perSecond: float64(count) / time.Since(start).Seconds(), took: took}
	if after, _ := processorTime(); ok {
		r.processor = (after - before).Seconds() * 1e3 / float64(count)
	}
	return r, errors.Join(errs...)
}

// clients measures throughput and latency for 1, 2, 4, … clients at a time, which take turns.
func (l *loaded) clients(ctx context.Context, turns int) error {
	var levels []int
	for c := 1; c <= mostClients; c *= 2 {
		levels = append(levels, c)
	}
	rates, times, work := make([][]float64, len(levels)), make([][]float64, len(levels)), make([][]float64, len(levels))
	for range turns {
		for i, c := range levels {
			if err := ctx.Err(); err != nil {
				return err
			}
			runtime.GC()
			r, err := l.serve(ctx, c, max((l.cfg.n+turns-1)/turns, 3*c))
			if err != nil {
				return fmt.Errorf("%d clients: %w", c, err)
			}
			rates[i], times[i] = append(rates[i], r.perSecond), append(times[i], r.took...)
			work[i] = append(work[i], r.processor)
		}
	}
	best, last, p99, median := 0.0, 0.0, 0.0, 0.0
	for i, c := range levels {
		rate := report.Median(fmt.Sprintf("throughput_%d", c), "runs/s", rates[i], fmt.Sprintf("%d client(s) at a time", c))
		took := report.Median(fmt.Sprintf("latency_%d_ms", c), "ms", times[i], "from a client's request to its result")
		p99, median, last = quantile(times[i], 0.99), took.Value, rate.Value
		best = max(best, last)
		tail := report.Number(fmt.Sprintf("latency_%d_p99_ms", c), "ms", p99, len(times[i]), "99 of 100 take less")
		l.sum.Add(rate, took, tail, report.Median(fmt.Sprintf("processor_%d_ms", c), "ms", work[i],
			"processor time of a run, which other processes disturb least"))
	}
	l.sum.Add(
		report.Number("throughput_kept", "ratio", last/best, turns,
			fmt.Sprintf("throughput of %d clients by the best of all numbers of clients", mostClients)),
		report.Number("latency_spread", "x", p99/median, 1,
			fmt.Sprintf("99th percentile by median for %d clients", mostClients)),
	)
	l.sum.Check("64 clients have at least 95 % of the best throughput", last >= 0.95*best)
	l.sum.Check("of 64 clients' runs 99 % take at most three times the median", p99 <= 3*median)
	return nil
}

// beside measures one client alone and beside a process that never waits, by turns.
func (l *loaded) beside(ctx context.Context, turns int) error {
	count := max(1, l.cfg.n/turns)
	contest := func() (float64, error) {
		r, err := l.serve(ctx, 1, count)
		return r.perSecond, err
	}
	times, err := takeTurns(ctx, turns, contest, func() (rate float64, err error) {
		stop, err := l.cfg.spin(ctx)
		if err != nil {
			return 0, err
		}
		defer func() { err = errors.Join(err, stop()) }()
		return contest()
	})
	if err != nil {
		return err
	}
	// A scheduler that is fair to threads gives each of ours as much as the one of the other process.
	share := min(1, float64(runtime.NumCPU())/float64(l.sum.Threads+1))
	kept := ratios(times[1], times[0])
	for i := range kept {
		kept[i] /= share
	}
	of := report.Median("fair_share", "ratio", kept, fmt.Sprintf(
		"throughput_beside by throughput_alone, by the %.2f of a processor that is the fair part of a thread", share))
	l.sum.Add(report.Median("throughput_alone", "runs/s", times[0], "one client"),
		report.Median("throughput_beside", "runs/s", times[1], "one client beside a process that spins on one thread"), of)
	l.sum.Check("beside a busy process a run has at least 80 % of its fair share", of.Value >= 0.8)
	return nil
}

// spinning returns a function that starts a process which never waits, and returns how to end it.
func spinning(executable string) func(context.Context) (stop func() error, err error) {
	return func(ctx context.Context) (func() error, error) {
		ctx, cancel := context.WithTimeout(ctx, spinFor)
		cmd := exec.CommandContext(ctx, executable, "spin")
		out, err := cmd.StdoutPipe()
		if err == nil {
			err = cmd.Start()
		}
		if err != nil {
			cancel()
			return nil, fmt.Errorf("spin process: %w", err)
		}
		stop := func() error {
			cancel()
			_ = cmd.Wait() // it was killed
			return nil
		}
		if _, err := io.ReadFull(out, make([]byte, 1)); err != nil { // it says when it begins
			return nil, errors.Join(fmt.Errorf("spin process: %w", err), stop())
		}
		return stop, nil
	}
}

type spinCmd struct {
	For time.Duration `default:"5m"`
}

// Run keeps one processor busy for a while, unless it is killed before.
func (c *spinCmd) Run(e *env) error {
	runtime.GOMAXPROCS(1)
	if _, err := fmt.Fprintln(e.out, "spinning"); err != nil {
		return err
	}
	for start := time.Now(); time.Since(start) < c.For && e.ctx.Err() == nil; {
	}
	return nil
}
