package cpu

import (
	"context"
	"math"
	"testing"
	"time"

	"github.com/signet-ml/signet/fhe/fhetest"
	"github.com/signet-ml/signet/fhe/program"
	"github.com/signet-ml/signet/fhe/program/cost"
)

func build(t *testing.T, b *program.Builder) *program.Program {
	t.Helper()
	p, _, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// total is the work of a run.
func total(p *program.Program, threads int) (sum cost.Work) {
	for _, w := range Work(p, threads).Ops {
		sum.Add(w)
	}
	return sum
}

// TestWorkByHand compares counts of one thread with those of the algorithms, counted on paper: q rows of Q, k of P and
// β = ⌈q/k⌉ digits. A decomposition transforms q rows back and β(q+k)-q forth, a division by P k back and q forth.
func TestWorkByHand(t *testing.T) {
	for _, toy := range []string{"digits of one", "digits of two", "digits of three"} {
		p := fhetest.InsecureToyParamsNamed(t, toy)
		k := float64(p.PCount())
		for level := range p.MaxLevel() + 1 {
			q := float64(level + 1)
			beta := math.Ceil(q / k)
			hoist, down := beta*(q+k), k+q // transforms
			products := cost.Key
			if beta > 3 {
				products = cost.Accumulate
			}
			for name, c := range map[string]struct {
				emit                         func(b *program.Builder, x program.Value) program.Value
				transforms, key, outs, turns float64
			}{
				"MUL_RELIN": {func(b *program.Builder, x program.Value) program.Value { return b.MulRelin(x, x) }, hoist + 2*down,
					2 * (q + k) * beta, 3, 0},
				"ROT": {func(b *program.Builder, x program.Value) program.Value { return b.Rot(x, p.GaloisElement(1)) },
					hoist + 2*down, 2 * (q + k) * beta, 2, 1},
				"ROTSUM": {func(b *program.Builder, x program.Value) program.Value {
					return b.Rotsum(b.Hoist(x, level), rotations(p, 1, 4), level)
				}, hoist + 2*down, 3 * 2 * (q + k) * beta, 2, 3},
				"LINTRANS": {func(b *program.Builder, x program.Value) program.Value { // 4 baby and 2 giant steps
					return b.Lintrans(b.Hoist(x, level), polynomials(t, p, 8), upTo(8), upTo(8), 4, level)
				}, hoist + 2*down + (down + hoist), (3 + 1) * 2 * (q + k) * beta, 2, 4},
			} {
				b := program.NewBuilder(p)
				x := input(b, "x", 1, level)[0]
				output(b, "y", c.emit(b, x))
				prog := build(t, b)
				w := total(prog, 1)
				got := w[products]
				if name == "LINTRANS" { // the diagonals of the value itself go into sums too
					if products == cost.Accumulate {
						got -= 2 * 2 * q
					}
					if w[cost.Diagonal] != 6*2*(q+k) {
						t.Errorf("%s, level %d: %v rows of diagonals, want %v", toy, level, w[cost.Diagonal], 6*2*(q+k))
					}
				}
				if w[cost.Transform] != c.transforms || got != c.key || w[cost.Store] != 2*q || w[cost.Fork] != 0 {
					t.Errorf("%s, %s at level %d: %v transforms, %v key rows, %v stored, %v forks; want %v, %v, %v, 0",
						toy, name, level, w[cost.Transform], got, w[cost.Store], w[cost.Fork], c.transforms, c.key, 2*q)
				}
				if got := prog.Rotations(); got != int(c.turns) {
					t.Errorf("%s: %d rotations, want %v", name, got, c.turns)
				}
			}
		}
	}
}

// TestWorkOfTeams: a team of t does at least a t-th of the work of one, and no more than all of it.
func TestWorkOfTeams(t *testing.T) {
	p := fhetest.InsecureToyParamsNamed(t, "digits of two")
	for seed := range uint64(8) {
		prog, _, err := fhetest.RandomProgram(fhetest.NewRand(seed), p, 60)
		if err != nil {
			t.Fatal(err)
		}
		one := total(prog, 1)
		for _, threads := range []int{2, 3, 8} {
			team := total(prog, threads)
			for _, k := range cost.Kinds() {
				if !k.PerWord() {
					continue
				}
				if team[k] < one[k]/float64(threads)-1e-9 || team[k] > one[k]+1e-9 {
					t.Errorf("seed %d, %v: %v with %d threads, %v with one", seed, k, team[k], threads, one[k])
				}
			}
		}
	}
}

// TestWorkOfLincombs: a group of combinations counts as one matrix product, and weights that overflow a word as sums.
func TestWorkOfLincombs(t *testing.T) {
	for _, c := range []struct {
		toy                                   string
		outputs, width                        int
		combine, single, accumulate, multiply float64 // by row of the operands
	}{
		{"large ring", 10, 12, 2 * 12, 2 * 12, 0, 10},
		{"large ring", 4, 12, 12, 0, 0, 4},
		{"wide primes", 2, 12, 0, 0, 24, 2},
	} {
		p := fhetest.InsecureToyParamsNamed(t, c.toy)
		b := program.NewBuilder(p)
		xs := input(b, "x", c.width, 1)
		w := weights(t, c.outputs, c.width)
		var ys []program.Value
		for i := range c.outputs {
			ys = append(ys, b.Lincomb([]program.Range{{First: xs[0], Count: c.width}}, w, i))
		}
		for i, y := range ys {
			output(b, string(rune('a'+i)), y)
		}
		got := total(build(t, b), 1)
		for k := range got {
			got[k] = math.Round(got[k]*1e6) / 1e6 // the group's work was divided and added up again
		}
		const rows = 4 // of a ciphertext at level 1
		if got[cost.Combine] != rows*c.combine || got[cost.CombineOne] != rows*c.single ||
			got[cost.Accumulate] != rows*c.accumulate || got[cost.Multiply] != rows*c.multiply {
			t.Errorf("%s, %d outputs: %v, want %v × %v, %v, %v, %v", c.toy, c.outputs, got, rows, c.combine, c.single,
				c.accumulate, c.multiply)
		}
	}
}

func TestEstimate(t *testing.T) {
	p := fhetest.InsecureToyParamsNamed(t, "large ring")
	small, large := build(t, network(t, p, 4, 4, 8, 4)), build(t, network(t, p, 12, 4, 32, 4))
	a, err := Estimate(small, cost.Default(), 1)
	if err != nil {
		t.Fatal(err)
	}
	b, err := Estimate(large, cost.Default(), 1)
	if err != nil {
		t.Fatal(err)
	}
	if a.Run >= b.Run || a.Load >= b.Load || a.Constants >= b.Constants {
		t.Errorf("the larger program costs %v and %v to load, the smaller %v and %v", b.Run, b.Load, a.Run, a.Load)
	}
	if c, err := Estimate(large, cost.Default(), 2); err != nil || c.Run >= b.Run || c.Run < b.Run*2/5 || c.Threads != 2 {
		t.Errorf("two threads: %v, error %v; one takes %v", c.Run, err, b.Run)
	}
	for _, prog := range []*program.Program{small, large} {
		c, err := Estimate(prog, cost.Default(), 2)
		if err != nil || c.PeakBytes() != Memory(prog) {
			t.Errorf("%d bytes, Memory says %d; error %v", c.PeakBytes(), Memory(prog), err)
		}
	}

	var entries []cost.Entry
	for _, k := range cost.Kinds() {
		entries = append(entries, cost.Entry{Kind: k, LogN: 12, Threads: 1, Nanos: 1})
	}
	other, err := cost.NewTable("gpu", "m", "c", entries)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		p       *program.Program
		t       *cost.Table
		threads int
	}{"no program": {nil, cost.Default(), 1}, "no table": {small, nil, 1}, "no threads": {small, cost.Default(),
		0}, "other engine": {small, other, 1}} {
		if _, err := Estimate(c.p, c.t, c.threads); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// TestEstimateIsOfThisOrder: on any machine, the time of a run is within a factor of thirty of the shipped table's.
// What is closer is measured by "bench forecast".
func TestEstimateIsOfThisOrder(t *testing.T) {
	l := complete(t, network(t, fhetest.InsecureToyParamsNamed(t, "large ring"), 12, 6, 16, 4), 1)
	c, err := Estimate(l.prog, cost.Default(), 1)
	if err != nil {
		t.Fatal(err)
	}
	j := l.load(t, Config{Threads: 1})
	least := time.Duration(math.MaxInt64)
	for range 5 {
		start := time.Now()
		if _, err := j.Run(context.Background(), l.in[0]); err != nil {
			t.Fatal(err)
		}
		least = min(least, time.Since(start))
	}
	if least < c.Run/30 || least > 30*c.Run {
		t.Errorf("a run takes %v, the estimate is %v", least, c.Run)
	}
}
