package nn

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// values returns all integers that pass a limbing's lookups, as checkLimbs makes them.
func (l limbing) all() map[int64]bool {
	sums := []int64{0}
	place := int64(1)
	for _, size := range l.low {
		var next []int64
		for _, s := range sums {
			for limb := range int64(size) {
				next = append(next, s+place*limb)
			}
		}
		sums, place = next, place*int64(size)
	}
	out := make(map[int64]bool)
	for _, s := range sums {
		for top := range int64(l.top) {
			if shifted := top + int64(l.top-l.tail); l.tail == 0 || shifted >= 0 && shifted < int64(l.top) {
				out[s+place*top] = true
			}
		}
	}
	return out
}

// Of every small span, exactly its values pass its limbing, or at least those if it is loose.
func TestLimbings(t *testing.T) {
	for _, widths := range [][]int{{2}, {3}, {4}, {2, 3}, {2, 5}, {3, 4, 6}} {
		for n := uint64(2); n <= 260; n++ {
			for _, exact := range []bool{false, true} {
				s := span{n, exact}
				if !exact {
					s = loosely(n)
				}
				l := limb(s, widths)
				all := l.all()
				passes := func(x int64) bool { return all[x] && (!l.twice || all[int64(s.n)-1-x]) }
				for x := int64(-300); x < 2000; x++ {
					inside := 0 <= x && x < int64(s.n)
					if exact && passes(x) != inside || inside && !passes(x) {
						t.Fatalf("%v with widths %v, %+v: %d passes: %t", s, widths, l, x, passes(x))
					}
					if !exact && passes(x) && (x < 0 || x >= 1<<l.capacity()) {
						t.Fatalf("%v with widths %v, %+v: %d passes, beyond %d bits", s, widths, l, x, l.capacity())
					}
				}
			}
		}
	}
}

// The limbings that were chosen cost no more than those with any one or two tables, counted anew.
func TestChoose(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	for range 20 {
		checks := make(map[span]int)
		for range 1 + r.IntN(5) {
			n := uint64(2 + r.IntN(1<<r.IntN(20)+1))
			if r.IntN(2) == 0 {
				checks[span{n, true}] += 1 + r.IntN(3000)
			} else {
				checks[loosely(n)] += 1 + r.IntN(3000)
			}
		}
		cost := func(limbings map[span]limbing) int {
			n, sizes := 0, make(map[uint64]bool)
			for s, k := range checks {
				l := limbings[s]
				n += k * l.lookups()
				for _, size := range append(slices.Clone(l.low), l.top) {
					sizes[size] = true
				}
			}
			for size := range sizes {
				n += int(size)
			}
			return n
		}
		chosen := cost(choose(checks).limbings)
		for i := leastBits; i <= mostBits; i++ {
			for j := leastBits; j <= i; j++ {
				other := make(map[span]limbing)
				for s := range checks {
					other[s] = limb(s, slices.Compact([]int{j, i}))
				}
				if c := cost(other); c < chosen {
					t.Errorf("%v: %d constraints, %d with widths %d and %d", checks, chosen, c, j, i)
				}
			}
		}
	}
}

// Two tables of the same indices keep their rows apart: a value of one is none of the other.
func TestTablesApart(t *testing.T) {
	n := &net{graph: Graph{Batch: 1, InputLen: 2, Input: Interval{0, 3}, Ops: []Op{
		Table{Label: "first", Values: []int64{0, 1, 2, 3}},
		Table{Label: "second", Values: []int64{3, 2, 1, 0}},
	}}}
	c := build1(t, n.graph)
	s := newSolver(t, c)
	if err := s.solved(t, n.assigned(t, c, n.trace([]int64{1, 3}))); err != nil {
		t.Fatal(err)
	}
	for _, x := range [][][]int64{
		{{1, 3}, {2, 0}, {1, 3}}, // second, second
		{{1, 3}, {1, 3}, {1, 3}}, // first, first
		{{1, 3}, {2, 0}, {2, 0}}, // second, first
		{{1, 3}, {3, 1}, {0, 2}}, // the samples' values exchanged
		{{1, 3}, {1, 4}, {2, -1}},
	} {
		w, err := c.fill(n.assignment(t, c, x))
		if err != nil {
			t.Fatal(err)
		}
		if s.solved(t, w.Secret) == nil {
			t.Errorf("%v: accepted", x)
		}
	}
}

func TestCauses(t *testing.T) {
	for c, want := range map[Cause]string{CauseRange: "range", CauseStatement: "statement", 0: "Cause(0)", 99: "Cause(99)"} {
		if got := fmt.Sprint(c); got != want {
			t.Errorf("%d: %q, want %q", c, got, want)
		}
	}
}
