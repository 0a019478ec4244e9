package cpu

import (
	"context"
	"fmt"
	"maps"
	"math"
	"runtime"
	"slices"
	"time"

	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/program"
	"github.com/signet-ml/signet/fhe/program/cost"
)

// Probe measures this machine for about a second and returns the shipped cost table scaled to it: each kind of work by
// the time that it takes here in a ring of degree 2^13, on one thread and on all. It needs about 250 MB meanwhile.
// "bench calibrate" measures every ring degree, and for a minute; Costs remembers the result of Probe.
//
// Other work beside it distorts a probe, on several threads most of all. If the system says that other processes held
// the processor, several threads scale as one does.
func Probe(ctx context.Context) (*cost.Table, error) {
	t, _, err := probeHere(ctx)
	return t, err
}

// probeHere is Probe, and reports whether the processor was free.
func probeHere(ctx context.Context) (t *cost.Table, quiet bool, err error) {
	ms, quiet, err := probe(ctx)
	if err == nil {
		t, err = scaled(cost.Default(), ms, quiet, machine())
	}
	if err != nil {
		return nil, false, fmt.Errorf("cpu: probe: %w", err)
	}
	return t, quiet, nil
}

// busy is the share of its time that a thread may wait for the processor before a probe is taken to be disturbed.
const busy = 0.1

// probed is a measurement: the work of a run, or of loading, on threads.
type probed struct {
	threads int
	load    bool
	cost.Sample
}

// The ring of the probes. Primes are as many as fit 128 bits of security.
var probeRing = fhe.ParametersLiteral{LogN: 13, LogQ: []int{50, 36, 36, 36}, LogP: []int{56}, LogDefaultScale: 30}

// Runs of one program: at least so many, and for so long. The fastest counts, which other processes disturb least.
const (
	probeRuns = 3
	probeFor  = 12 * time.Millisecond
)

// probes are programs that together do all kinds of work, each few of them.
var probes = []func(e *prober){
	func(e *prober) { // transforms and conversions
		x := e.input(1, 3)[0]
		for range 3 {
			e.Hoist(x, 3)
		}
		e.output(x)
	},
	func(e *prober) { // the same with a key product
		x := e.input(1, 3)[0]
		e.output(e.MulRelin(x, x))
	},
	func(e *prober) { // transforms in short phases
		for _, x := range e.input(3, 3) {
			e.output(e.Rescale(e.MulPt(x, e.polynomials(1), 0)))
		}
	},
	func(e *prober) { // passes and products
		x, c := e.input(1, 3)[0], e.polynomials(8)
		sum := e.MulPt(x, c, 0)
		for i := 1; i < 8; i++ {
			sum = e.Add(sum, e.MulPt(x, c, i))
		}
		for range 10 {
			sum = e.Add(sum, sum)
		}
		e.output(sum)
	},
	func(e *prober) { // copies
		for _, x := range e.input(8, 3) {
			e.output(x)
		}
	},
	func(e *prober) { e.output(e.rotations(16, 2)) }, // key products of three digits
	func(e *prober) { e.output(e.matrix(64, 16, 2)) },
	func(e *prober) { e.output(e.matrix(32, 4, 2)) }, // far more giant steps
	func(e *prober) { e.output(e.rotations(8, 3)) },  // key products of four digits
	func(e *prober) { e.output(e.rotations(28, 3)) }, // the same with keys that no cache holds
}

// probe measures all programs, and reports whether the processor was free.
func probe(ctx context.Context) (ms []probed, quiet bool, err error) {
	p, err := fhe.NewParameters(probeRing)
	if err != nil {
		return nil, false, err
	}
	all := runtime.GOMAXPROCS(0)
	threads := []int{1}
	for _, n := range []int{2, all} {
		if n > threads[len(threads)-1] && n <= all {
			threads = append(threads, n)
		}
	}
	keys := map[int][][2][][]uint64{}
	var c clock
	for _, emit := range probes {
		some, err := probeOne(ctx, p, emit, keys, threads, &c)
		if err != nil {
			return nil, false, err
		}
		ms = append(ms, some...)
	}
	return ms, c.waited <= time.Duration(busy*float64(c.wall)), nil
}

// probeOne measures one program, which is loaded on one thread and run on each number of threads by turns.
func probeOne(ctx context.Context, p fhe.Parameters, emit func(e *prober), keys map[int][][2][][]uint64,
	threads []int, c *clock) ([]probed, error) {
	e := &prober{Builder: program.NewBuilder(p)}
	emit(e)
	prog, consts, err := e.Build()
	if err == nil {
		err = e.err
	}
	if err != nil {
		return nil, err
	}
	in, evaluation, err := e.material(prog, keys)
	if err != nil {
		return nil, err
	}
	var loading program.Job
	took, err := c.timed(1, func() (err error) {
		loading, err = (&Engine{cfg: Config{Threads: 1}}).Load(ctx, prog, consts, evaluation)
		return err
	})
	if err != nil {
		return nil, err
	}
	defer loading.Close()
	first := loading.(*job)
	out := []probed{{1, true, cost.Sample{Work: Work(prog, 1).Load, Nanos: took}}}
	var jobs []*job
	for _, n := range threads {
		j := newJob(first.loaded, n)
		j.pool = first.pool
		jobs = append(jobs, j)
		est := Work(prog, n)
		for _, w := range est.Ops {
			est.Run.Add(w)
		}
		out = append(out, probed{n, false, cost.Sample{Work: est.Run, Nanos: math.Inf(1)}})
	}
	for i, begin := 0, now(); i < probeRuns || now()-begin < probeFor*time.Duration(len(jobs)); i++ {
		for k, j := range jobs {
			took, err := c.timed(j.threads, func() error { _, err := j.Run(ctx, in); return err })
			if err != nil {
				return nil, err
			}
			out[k+1].Nanos = min(out[k+1].Nanos, took)
		}
	}
	return out, nil
}

// clock adds up what it measured of one thread.
type clock struct {
	wall, waited time.Duration // for the processor
}

// timed returns the nanoseconds that f takes. One thread's are of its processor, where the system says them: those of
// other processes are not among them.
func (c *clock) timed(threads int, f func() error) (float64, error) {
	start := now()
	before, ok := processorTime()
	err := f()
	took := now() - start
	if after, _ := processorTime(); ok && threads == 1 {
		c.wall += took
		if used := after - before; used < took {
			c.waited += took - used
			took = used
		}
	}
	return float64(took), err
}

// Kinds whose times scale together, as far as few programs can tell: arithmetic of transforms, sums of products, rows
// from memory, passes. Kinds of no group scale as the whole does. Linear combinations scale with passes: those that a
// probe has time for took 2.8 times as long on an AMD EPYC as on the table's machine, those of a network 1.2 times.
var (
	runGroups = [][]cost.Kind{
		{cost.Transform, cost.Convert},
		{cost.Key, cost.Accumulate, cost.Diagonal, cost.DiagonalFar},
		{cost.Stream},
		{cost.Multiply, cost.Pass, cost.Store, cost.Combine, cost.CombineOne},
	}
	loadGroups = [][]cost.Kind{{cost.LoadKey}, {cost.LoadConstant}}
)

// Limits of factors: those of a group beside that of the whole, and those of several threads beside those of one, which
// other processes distort most.
const (
	groupsApart  = 3.0
	threadsApart = 1.5
)

// scaled returns a table for the machine that was measured: it multiplies the numbers of each group by the ratio of the
// time that its work took here to the time by t. Unless the machine was quiet, several threads scale as one does.
func scaled(t *cost.Table, ms []probed, quiet bool, machine string) (*cost.Table, error) {
	byThreads := map[int]map[cost.Kind]float64{}
	for _, m := range ms {
		byThreads[m.threads] = map[cost.Kind]float64{}
	}
	threads := slices.Sorted(maps.Keys(byThreads))
	for _, n := range threads {
		of := n
		if !quiet {
			of = 1
		}
		run := factors(t, ms, of, false, runGroups)
		load := factors(t, ms, 1, true, loadGroups) // loading was measured on one thread
		for _, k := range cost.Kinds() {
			f := run
			if k >= cost.LoadKey && k <= cost.LoadWeights || k == cost.Load {
				f = load
			}
			one := f(k)
			if n > 1 {
				one = byThreads[1][k]
			}
			byThreads[n][k] = min(max(f(k), one/threadsApart), one*threadsApart)
		}
	}
	var entries []cost.Entry
	for _, n := range threads {
		seen := map[[2]int]bool{}
		for _, e := range t.Entries() {
			if at := [2]int{int(e.Kind), e.LogN}; !seen[at] {
				seen[at] = true
				ns := byThreads[n][e.Kind] * t.Nanos(e.Kind, e.LogN, n)
				entries = append(entries, cost.Entry{Kind: e.Kind, LogN: e.LogN, Threads: n, Nanos: ns})
			}
		}
	}
	return cost.NewTable(t.Engine(), machine, t.Commit()+", scaled by a probe", entries)
}

// factors returns the factor of each kind that makes the times of a table agree with measurements of runs, or of
// loading.
func factors(t *cost.Table, ms []probed, threads int, load bool, groups [][]cost.Kind) func(cost.Kind) float64 {
	group := map[cost.Kind]cost.Kind{} // by kind: the first of its group
	for _, g := range groups {
		for _, k := range g {
			group[k] = g[0]
		}
	}
	rest := cost.Operation
	of := func(k cost.Kind) cost.Kind {
		if g, ok := group[k]; ok {
			return g
		}
		return rest
	}
	var samples []cost.Sample
	var ratios []float64
	for _, m := range ms {
		if m.threads != threads || m.load != load {
			continue
		}
		var expected, all cost.Work // nanoseconds by the table, in place of work
		for k, n := range m.Work {
			var one cost.Work
			one[k] = n
			ns := float64(t.Time(one, probeRing.LogN, threads))
			expected[of(cost.Kind(k))] += ns
			all[rest] += ns
		}
		samples = append(samples, cost.Sample{Work: expected, Nanos: m.Nanos})
		ratios = append(ratios, m.Nanos/max(1, all[rest]))
	}
	slices.Sort(ratios)
	whole := ratios[len(ratios)/2]
	prior := map[cost.Kind]float64{}
	for _, k := range cost.Kinds() {
		prior[k] = whole
	}
	fit := cost.Fit(samples, 0, prior)
	return func(k cost.Kind) float64 {
		f, ok := fit[of(k)]
		if !ok || of(k) == rest {
			return whole
		}
		return min(max(f, whole/groupsApart), whole*groupsApart)
	}
}

// prober emits a program of random words. It keeps the first error of constants; the builder keeps its own.
type prober struct {
	*program.Builder
	ports int
	seed  uint64
	err   error
}

// word returns the next of a fixed sequence of words: splitmix64 [SLF14].
//
// [SLF14]: https://doi.org/10.1145/2714064.2660195
func (e *prober) word() uint64 {
	e.seed += 0x9e3779b97f4a7c15
	z := e.seed
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

func (e *prober) row(q uint64) []uint64 {
	row := make([]uint64, e.Parameters().N())
	for i := range row {
		row[i] = e.word() % q
	}
	return row
}

func (e *prober) layout(count int) program.Layout {
	l := program.Layout{Shape: []int{count}}
	for i := range count {
		l.Runs = append(l.Runs, program.Run{Ciphertext: i, Index: i, Length: 1})
	}
	return l
}

func (e *prober) input(count, level int) []program.Value {
	p := e.Parameters()
	e.ports++
	return e.Input(program.Port{Name: fmt.Sprint("x", e.ports), Count: count, Level: level, Degree: 1,
		LogSlots: p.LogMaxSlots(), Scale: p.DefaultScale(), Bound: 1, Layout: e.layout(count)})
}

func (e *prober) output(v program.Value) {
	e.ports++
	e.Output(e.OutputPort(fmt.Sprint("y", e.ports), v, 1, e.layout(1)), v)
}

func (e *prober) integers(rows, width int, bound int64) [][]int64 {
	out := make([][]int64, rows)
	for r := range out {
		out[r] = make([]int64, width)
		for j := range out[r] {
			out[r][j] = int64(e.word()>>1)%(2*bound-1) - bound + 1
		}
	}
	return out
}

func (e *prober) polynomials(n int) *program.Constant {
	p := e.Parameters()
	c, err := program.NewPolynomials(e.integers(n, p.N(), 1<<20), p.LogMaxSlots(), fhe.PowerOfTwo(20))
	if e.err == nil {
		e.err = err
	}
	return c
}

// rotations adds up n automorphisms of a value.
func (e *prober) rotations(n, level int) program.Value {
	elements := make([]uint64, n)
	for k := range elements {
		elements[k] = e.Parameters().GaloisElement(k)
	}
	return e.Rotsum(e.Hoist(e.input(1, level)[0], level), elements, level)
}

// matrix multiplies a value by n diagonals.
func (e *prober) matrix(n, babySteps, level int) program.Value {
	index := make([]int, n)
	for i := range index {
		index[i] = i
	}
	return e.Lintrans(e.Hoist(e.input(1, level)[0], level), e.polynomials(n), index, index, babySteps, level)
}

// material returns an input of random words, and keys that share theirs: the engine copies each.
func (e *prober) material(prog *program.Program, limbs map[int][][2][][]uint64) (*fhe.Bundle, *fhe.EvaluationKeys,
	error) {
	p, owner := prog.Parameters(), fhe.KeyID{'p', 'r', 'o', 'b', 'e'}
	keys, in := fhe.NewEvaluationKeys(p, owner), fhe.NewBundle(p, owner, prog.Digest())
	for _, r := range prog.Keys() {
		if limbs[r.Level] == nil {
			digits := (r.Level + p.PCount()) / p.PCount()
			limbs[r.Level] = make([][2][][]uint64, digits)
			for d := range digits {
				for part := range 2 {
					var rows [][]uint64
					for i := range r.Level + 1 {
						rows = append(rows, e.row(p.Prime(i)))
					}
					for _, q := range p.P() {
						rows = append(rows, e.row(q))
					}
					limbs[r.Level][d][part] = rows
				}
			}
		}
		k, err := fhe.NewEvaluationKey(p, r.GaloisElement, r.Level, limbs[r.Level])
		if err == nil {
			err = keys.Add(k)
		}
		if err != nil {
			return nil, nil, err
		}
	}
	for _, port := range prog.Inputs() {
		cts := make([]*fhe.Ciphertext, port.Count)
		for i := range cts {
			parts := make([][][]uint64, port.Degree+1)
			for k := range parts {
				for l := range port.Level + 1 {
					parts[k] = append(parts[k], e.row(p.Prime(l)))
				}
			}
			var err error
			if cts[i], err = fhe.CiphertextFromLimbs(p, parts, port.LogSlots, port.Scale); err != nil {
				return nil, nil, err
			}
		}
		if err := in.Add(port.Name, cts...); err != nil {
			return nil, nil, err
		}
	}
	return in, keys, nil
}
