package nn

import (
	"errors"
	"fmt"
	"testing"
)

// The constraints of a rescale once more, over the integers modulo a small prime, with every witness tried: for every
// field element t, every accepted output is the clamp of t's quotient, as long as the prime is large enough.
//
// Soundness: P13, S13c.
func TestRescaleUnique(t *testing.T) {
	const shift = 2
	const lo, hi = -1, 3
	type witness struct{ out, e, r int }
	// accepted calls f for every accepted witness modulo p whose e is less than the capacity.
	accepted := func(form clamping, p, capacity, t int, f func(witness)) {
		zero := func(x int) bool { return x%p == 0 }
		quarter := 1
		for quarter*4%p != 1 {
			quarter++
		}
		for out := lo; out <= hi; out++ {
			for e := range capacity {
				for r := range 1 << shift {
					y := (t - r) * quarter // modulo p
					ok := false
					switch form {
					case exactly:
						ok = e == 0 && zero(y-out)
					case above:
						ok = zero(y-out+e) && zero(e*(out-lo))
					case below:
						ok = zero(y-out-e) && zero(e*(hi-out))
					case within:
						d := y - out + e
						ok = zero(2*e*(out-lo)-(hi-lo)*d) && zero(d*(hi-out))
					}
					if ok {
						f(witness{out, e, r})
					}
				}
			}
		}
	}
	for _, form := range []clamping{exactly, above, below, within} {
		for _, capacity := range []int{1, 2, 4, 8} {
			wide := 1 // quotients from lo - capacity + 1 to hi + capacity - 1
			for 1<<wide < hi-lo+2*capacity-1 {
				wide++
			}
			const p = 127 // above 2^(wide+shift) for capacity 8: 19 quotients, wide = 5, 2^7 > 127
			enough := 1<<(wide+shift) < p
			unique := true
			for x := range p {
				seen := make(map[int]bool)
				n := 0
				accepted(form, p, capacity, x, func(w witness) { seen[w.out] = true; n++ })
				if len(seen) > 1 || n > 1 {
					unique = false
				}
				// As an integer of either sign near zero, x has the quotient y.
				for _, v := range []int{x, x - p} {
					y := v >> shift
					inside := lo-capacity < y && y < hi+capacity && (form&above != 0 || y >= lo) && (form&below != 0 || y <= hi)
					if enough && inside && (len(seen) != 1 || !seen[min(max(y, lo), hi)]) {
						t.Errorf("form %d, capacity %d, t = %d: outputs %v", form, capacity, v, seen)
					}
				}
			}
			if enough && !unique {
				t.Errorf("form %d, capacity %d: two witnesses for one input", form, capacity)
			}
		}
	}
	// Without room the bound is needed: with p = 31 some input has two outputs.
	ambiguous := false
	for x := range 31 {
		seen := make(map[int]bool)
		accepted(within, 31, 8, x, func(w witness) { seen[w.out] = true })
		ambiguous = ambiguous || len(seen) > 1
	}
	if !ambiguous {
		t.Error("a prime that is too small makes no difference")
	}
}

// TestFits walks widths and shifts to the bound.
//
// Soundness: P13.
func TestFits(t *testing.T) {
	for _, x := range []struct {
		wide, shift int
		ok          bool
	}{{8, 9, true}, {251, 0, true}, {252, 0, false}, {190, 61, true}, {191, 61, false}, {0, 251, true}, {0, 252, false}} {
		t.Run(fmt.Sprint(x.wide, x.shift), func(t *testing.T) {
			err := fits(x.wide, x.shift)
			if (err == nil) != x.ok || (err != nil && !errors.Is(err, ErrTooWide)) {
				t.Errorf("%v", err)
			}
		})
	}
}

// Every value in and around the range, both by element and by lookup, in every form: the circuit's relation is the op.
//
// Soundness: P13, S13b.
func TestRescaleExhaustive(t *testing.T) {
	for _, r := range []Rescale{
		{Multiplier: 1, Shift: 2, Out: Interval{0, 5}},
		{Multiplier: 3, Shift: 1, Out: Interval{-4, 20}},
		{Multiplier: 1, Shift: 0, Out: Interval{-3, 3}},
		{Multiplier: 5, Shift: 3, Out: Interval{-100, 4}},
		{Multiplier: 5, Shift: 3, Out: Interval{-100, 100}},
	} {
		for _, table := range []bool{false, true} {
			n := &net{graph: Graph{Batch: 1, InputLen: 1, Input: Interval{-8, 8}, Ops: []Op{r}}}
			c := build1(t, n.graph)
			l := c.layers[0].(*rescale)
			if l.tabulate(table); table {
				if err := c.plan(); err != nil {
					t.Fatal(err)
				}
			}
			s := newSolver(t, c)
			for x := int64(-8); x <= 8; x++ {
				want := n.trace([]int64{x})[1][0]
				all := c.Ranges()[0]
				for y := all.Lo - 2; y <= all.Hi+2; y++ {
					if testing.Short() && all.Lo-1 < y && y < all.Hi+1 && (y < want-2 || y > want+2) {
						continue // neither near the result nor at an end
					}
					w, err := c.fill(n.assignment(t, c, [][]int64{{x}, {y}}))
					if err != nil {
						t.Fatal(err)
					}
					if l.Shift == 0 && len(w.Secret) == 2 {
						continue
					}
					if ok := s.solved(t, w.Secret) == nil; ok != (y == want) {
						t.Errorf("%+v, table %t: rescale(%d) = %d: %v", r, table, x, y, ok)
					}
				}
			}
		}
	}
}
