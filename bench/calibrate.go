package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/engine"
	"github.com/signet-ml/signet/fhe/engine/cpu"
	"github.com/signet-ml/signet/fhe/program"
	"github.com/signet-ml/signet/fhe/program/cost"
	"github.com/signet-ml/signet/ml/report"
)

type calibrateCmd struct {
	Out   string   `placeholder:"FILE" help:"Where the cost table goes. Default: signet/cost-cpu.json in the user's configuration folder, where run looks for it."`
	Rates string   `placeholder:"FILE" help:"Where the rates of proofs go. Default: signet/cost-proofs.json in the same folder."`
	Only  []string `enum:"fhe,proofs" default:"fhe,proofs" help:"What to measure: fhe, proofs or both."`
}

// Run measures this machine and writes its cost table and its rates.
func (c *calibrateCmd) Run(e *env) error {
	if load, ok := report.Load(); ok && load > 0.5 {
		fmt.Fprintf(e.log, "calibrate: %.1f processes wanted a processor in the minute before: times will be too long\n", load)
	}
	for _, what := range c.Only {
		if err := map[string]func(*env) error{"fhe": c.fhe, "proofs": c.proofs}[what](e); err != nil {
			return err
		}
	}
	return nil
}

func (c *calibrateCmd) fhe(e *env) error {
	path, err := calibrated(c.Out, engineName)
	if err != nil {
		return err
	}
	t, err := calibrate(e.ctx, e.log, rings)
	if err != nil {
		return err
	}
	if err := report.WriteFile(path, 0o644, func(w io.Writer) error { _, err := t.WriteTo(w); return err }); err != nil {
		return err
	}
	fmt.Fprintf(e.out, "cost table of engine %s on %s, up to %d thread(s): %s\n", t.Engine(), t.Machine(), t.Threads(), path)
	return nil
}

func (c *calibrateCmd) proofs(e *env) error {
	path, err := calibrated(c.Rates, ratesName)
	if err != nil {
		return err
	}
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	r, err := calibrateProofs(e.ctx, e.log, shapes, proofConfig{setup: elsewhere[made](exe, "setup"), prove: elsewhere[proved](exe, "prove")})
	if err != nil {
		return err
	}
	if err := report.WriteFile(path, 0o644, func(w io.Writer) error { _, err := r.WriteTo(w); return err }); err != nil {
		return err
	}
	fmt.Fprintf(e.out, "rates of proofs on %s, %d thread(s): %s\n", r.Machine, r.Threads, path)
	return nil
}

// calibrated returns where the result of a calibration goes, in a folder that exists: path or, if that is empty, the
// file of this name that run looks for.
func calibrated(path, name string) (string, error) {
	if path != "" {
		return path, nil
	}
	path, err := report.CostTablePath(name)
	if err != nil {
		return "", err
	}
	return path, os.MkdirAll(filepath.Dir(path), 0o755)
}

// engineName is the engine that is calibrated: the only one that has a cost so far.
const engineName = "cpu"

// ring is a set of parameters that programs are measured in.
type ring struct {
	logN       int
	logQ, logP []int
	batch      []int // primes of a second set, for linear combinations, which need no special prime
	operands   int   // of a linear combination
	diagonals  int   // of the largest matrix product
	level      int   // of matrix products and rotations: keys of the top level would be too large
	full       bool  // more programs, where they take little time
}

// rings are all of at least 128 bits of security, so that primes are as many as real programs have.
var rings = []ring{
	{logN: 12, logQ: []int{38, 28}, logP: []int{40}, batch: []int{44, 44}, operands: 256, diagonals: 64, level: 1, full: true},
	{logN: 13, logQ: []int{50, 36, 36, 36}, logP: []int{56}, batch: []int{44, 44}, operands: 128, diagonals: 64, level: 3, full: true},
	{logN: 14, logQ: ints(45, 8), logP: []int{56}, operands: 64, diagonals: 32, level: 5},
	{logN: 14, logQ: ints(45, 7), logP: []int{50, 50}, diagonals: 16, level: 3},
	{logN: 15, logQ: ints(45, 17), logP: []int{56}, operands: 32, diagonals: 32, level: 4},
}

func ints(v, n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = v
	}
	return out
}

// programs returns the synthetic programs of a ring. Each is dominated by few kinds of work.
func (r ring) programs() ([]*synthetic, error) {
	s, err := newSynthesiser(r.logN, r.logQ, r.logP)
	if err != nil {
		return nil, err
	}
	var out []*synthetic
	add := func(s *synthesiser, name string, emit func(e *emitter)) {
		if err == nil {
			var p *synthetic
			if p, err = s.build(fmt.Sprintf("N=2^%d, %s", r.logN, name), emit); err == nil {
				out = append(out, p)
			}
		}
	}
	top := s.params.MaxLevel()
	if r.full {
		add(s, "nothing", func(e *emitter) { e.output(e.input(1, 0)[0]) })
		add(s, "integers", func(e *emitter) {
			v := e.input(1, 0)[0]
			for range 20 {
				v = e.times(v)
			}
			e.output(v)
		})
	}
	if r.operands > 0 {
		add(s, "outputs", func(e *emitter) {
			for _, x := range e.input(8, top) {
				e.output(x)
			}
		})
		add(s, "sums", func(e *emitter) {
			v := e.input(1, top)[0]
			for range 20 {
				v = e.Add(v, v)
			}
			e.output(v)
		})
		add(s, "plaintexts", func(e *emitter) {
			x, c := e.input(1, top)[0], e.polynomials(8)
			sum := e.MulPt(x, c, 0)
			for i := range 7 {
				sum = e.Add(sum, e.MulPt(x, c, i+1))
			}
			e.output(sum)
		})
		add(s, "rescales", func(e *emitter) {
			for _, x := range e.input(3, top) {
				e.output(e.Rescale(e.MulConst(x, three, zero, fhe.PowerOfTwo(30))))
			}
		})
		batch := s
		if r.batch != nil {
			if batch, err = newSynthesiser(r.logN, r.batch, nil); err != nil {
				return nil, err
			}
		}
		for _, shape := range [][2]int{{r.operands, 16}, {r.operands, 3}, {16, 8}} {
			add(batch, fmt.Sprintf("%d combinations of %d", shape[1], shape[0]), func(e *emitter) {
				for _, v := range e.lincomb(e.input(shape[0], 1), shape[1]) {
					e.output(v)
				}
			})
		}
		if r.full { // loading is mostly of weights
			add(batch, "many combinations", func(e *emitter) {
				for _, v := range e.lincomb(e.input(64, 0), 256) {
					e.output(v)
				}
			})
		}
		add(batch, "wide combinations", func(e *emitter) {
			xs := e.input(16, 1)
			w := e.weights(2, len(xs), 30)
			for i := range 2 {
				e.output(e.Lincomb([]program.Range{{First: xs[0], Count: len(xs)}}, w, i))
			}
		})
	}
	product := func(level, count int) {
		add(s, fmt.Sprintf("%d products at level %d", count, level), func(e *emitter) {
			for _, x := range e.input(count, level) {
				e.output(e.MulRelin(x, x))
			}
		})
	}
	product(min(top, 11), 1)
	product(min(top/2, 5), 2)
	add(s, "hoists", func(e *emitter) {
		x := e.input(1, r.level)[0]
		for range 3 {
			e.Hoist(x, r.level)
		}
		e.output(x)
	})
	matrix := func(level, diagonals, n1 int) {
		add(s, fmt.Sprintf("%d diagonals, %d baby steps, at level %d", diagonals, n1, level), func(e *emitter) {
			e.output(e.lintrans(e.input(1, level)[0], diagonals, n1))
		})
	}
	matrix(r.level/2, 4*r.diagonals, 4*r.diagonals/16)
	for _, level := range slices.Compact([]int{r.level, min(2, r.level), 0}) { // key products of many, of two or three, and of one digit
		if level == r.level || level == 0 {
			add(s, fmt.Sprintf("rotations at level %d", level), func(e *emitter) {
				v := e.Rot(e.input(1, level)[0], e.Parameters().GaloisElement(1))
				e.output(e.Rot(v, e.Parameters().GaloisElement(2)))
			})
			add(s, fmt.Sprintf("sum of 4 rotations at level %d", level), func(e *emitter) {
				e.output(e.rotsum(e.input(1, level)[0], 4, 1))
			})
			matrix(level, 16, 4)
			matrix(level, r.diagonals, 16)
		}
		add(s, fmt.Sprintf("hoisted rotations at level %d", level), func(e *emitter) {
			h := e.Hoist(e.input(1, level)[0], level)
			sum := e.RotHoisted(h, e.Parameters().GaloisElement(1), level)
			for k := 2; k < 8; k++ {
				sum = e.Add(sum, e.RotHoisted(h, e.Parameters().GaloisElement(k), level))
			}
			e.output(sum)
		})
		add(s, fmt.Sprintf("sum of 16 rotations at level %d", level), func(e *emitter) {
			e.output(e.rotsum(e.input(1, level)[0], 16, 1))
		})
		if r.diagonals > 16 {
			matrix(level, 16, 16)
		}
		if r.full && level > 1 { // keys that no cache holds, in a small ring too
			add(s, fmt.Sprintf("sums of 48 rotations at level %d", level), func(e *emitter) {
				x := e.input(1, level)[0]
				for i := range 3 {
					e.output(e.rotsum(x, 16, i+1))
				}
			})
		}
	}
	return out, err
}

// measured are times of one program, in nanoseconds.
type measured struct {
	*synthetic
	threads   int
	load, run float64
}

// Repetitions of a measurement. Passes lie far apart, rounds near one another; the fastest tenth counts, which other
// processes disturb least.
const (
	passes   = 2
	rounds   = 3
	roundFor = 5 * time.Millisecond
)

// measureAll loads and runs one program after the other, several times over, with every number of threads by turns.
func measureAll(ctx context.Context, progs []*synthetic, threads []int) ([]measured, error) {
	var out []measured
	for _, p := range progs {
		for _, n := range threads {
			out = append(out, measured{synthetic: p, threads: n, load: math.Inf(1)})
		}
	}
	times := make([][]float64, len(out))
	for range passes {
		for i := 0; i < len(out); i += len(threads) {
			if err := measureTogether(ctx, out[i:i+len(threads)], times[i:]); err != nil {
				return nil, fmt.Errorf("%s: %w", out[i].name, err)
			}
		}
	}
	for i := range out {
		out[i].run = quantile(times[i], 0.1)
	}
	return out, nil
}

// measureTogether loads one program for every entry of ms and lets them take turns.
func measureTogether(ctx context.Context, ms []measured, times [][]float64) error {
	jobs := make([]program.Job, len(ms))
	for i := range ms {
		m := &ms[i]
		eng, err := engine.Open(ctx, engine.CPU, engine.Threads(m.threads))
		if err != nil {
			return err
		}
		t, err := timed(m.threads, func() (err error) {
			jobs[i], err = eng.Load(ctx, m.prog, m.consts, m.keys)
			return err
		})
		if err != nil {
			return err
		}
		m.load = min(m.load, t)
		defer jobs[i].Close()
	}
	for round := range rounds {
		for i := range ms {
			run := func() error {
				_, err := jobs[i].Run(ctx, ms[i].in)
				return err
			}
			if round == 0 {
				if err := run(); err != nil { // fills the job's pool
					return err
				}
			}
			for start, first := time.Now(), true; first || time.Since(start) < roundFor; first = false {
				t, err := timed(ms[i].threads, run)
				if err != nil {
					return err
				}
				times[i] = append(times[i], t)
			}
		}
	}
	return nil
}

// timed returns how long f takes, in nanoseconds, on as many processors as there are threads. One thread's time is its
// processor time, where the system says it: that of other processes is not in it.
func timed(threads int, f func() error) (float64, error) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(min(threads, runtime.NumCPU())))
	start := time.Now()
	before, ok := processorTime()
	err := f()
	wall := time.Since(start)
	if after, _ := processorTime(); ok && threads == 1 {
		return float64(min(wall, after-before)), err
	}
	return float64(wall), err
}

func quantile(x []float64, q float64) float64 {
	x = slices.Clone(x)
	slices.Sort(x)
	return x[int(q*float64(len(x)-1))]
}

// maxLogN is the largest ring degree that programs may have.
const maxLogN = 17

// teams are the numbers of threads that are measured: powers of two, and all processors.
func teams() []int {
	n := runtime.GOMAXPROCS(0)
	var out []int
	for t := 1; t < n; t *= 2 {
		out = append(out, t)
	}
	return append(out, n)
}

// calibrate measures synthetic programs in every ring and fits the kinds of work to them, ring degree by ring degree.
func calibrate(ctx context.Context, log io.Writer, rings []ring) (*cost.Table, error) {
	start := time.Now()
	type key struct{ logN, threads int }
	runs, loads := map[key][]cost.Sample{}, map[key][]cost.Sample{}
	var all []measured
	for _, r := range rings {
		progs, err := r.programs()
		if err != nil {
			return nil, err
		}
		ms, err := measureAll(ctx, progs, teams())
		if err != nil {
			return nil, err
		}
		for _, m := range ms {
			k := key{r.logN, m.threads}
			run, load := works(m.prog, m.threads)
			if !r.full { // overheads are too small beside rows of this size to be told from them
				run[cost.Operation], run[cost.Fork], run[cost.Run] = 0, 0, 0
			}
			runs[k] = append(runs[k], cost.Sample{Work: run, Nanos: m.run})
			loads[k] = append(loads[k], cost.Sample{Work: load, Nanos: m.load})
		}
		all = append(all, ms...)
		fmt.Fprintf(log, "calibrate: N=2^%d: %d programs (%.0f s)\n", r.logN, len(progs), time.Since(start).Seconds())
	}
	var entries []cost.Entry
	for _, samples := range []map[key][]cost.Sample{runs, loads} {
		fits := map[key]map[cost.Kind]float64{}
		for logN := range maxLogN + 1 {
			for i, threads := range teams() {
				k := key{logN, threads}
				if samples[k] == nil {
					continue
				}
				// What these samples do not tell apart follows from the ring below, or from fewer threads.
				prior := maps.Clone(fits[key{logN - 1, threads}])
				if i > 0 {
					fork := prior[cost.Fork] // one thread has none
					prior = maps.Clone(fits[key{logN, teams()[i-1]}])
					prior[cost.Fork] = max(fork, prior[cost.Fork])
				}
				fits[k] = cost.Fit(samples[k], logN, prior)
				for kind, ns := range fits[k] {
					entries = append(entries, cost.Entry{Kind: kind, LogN: logN, Threads: threads, Nanos: ns})
				}
			}
		}
	}
	for _, r := range rings {
		if r.full {
			entries = append(entries, cost.Entry{Kind: cost.Fork, LogN: r.logN, Threads: 1}) // there is nobody to wait for
		}
	}
	t, err := cost.NewTable(engineName, report.ThisMachine().String(), report.Commit(), entries)
	if err != nil {
		return nil, err
	}
	return t, explainFit(log, t, all)
}

// works returns the work of a run and of loading.
func works(p *program.Program, threads int) (run, load cost.Work) {
	e := cpu.Work(p, threads)
	run = e.Run
	for _, w := range e.Ops {
		run.Add(w)
	}
	return run, e.Load
}

// explainFit says how well a table explains the measurements that it was fitted to.
func explainFit(log io.Writer, t *cost.Table, all []measured) error {
	within, worst, which := 0, 1.0, ""
	for _, m := range all {
		c, err := cpu.Estimate(m.prog, t, m.threads)
		if err != nil {
			return err
		}
		off := float64(c.Run) / m.run
		if off = max(off, 1/off); off > worst {
			worst, which = off, fmt.Sprintf("%s, %d thread(s)", m.name, m.threads)
		}
		if off <= 1.2 {
			within++
		}
	}
	_, err := fmt.Fprintf(log, "calibrate: the table explains %d of %d runs within 20 %%, the worst by a factor of %.2f: %s\n", within, len(all), worst, which)
	return err
}
