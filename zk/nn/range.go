package nn

import (
	"math/bits"

	"github.com/consensys/gnark/frontend"
)

// A span is a range check: of a value in [0, n), or in any range from there up to its capacity.
type span struct {
	n     uint64
	exact bool
}

// loosely returns the span that admits n values and maybe more.
func loosely(n uint64) span { return span{n: 1 << bits.Len64(n-1)} }

// A limbing says how to check a span with lookups in tables of 0, 1, ..., size-1. The value is a mixed-radix number:
// its limbs lie in the tables low[0], low[1], ..., top.
type limbing struct {
	low   []uint64 // sizes of the tables of all limbs but the top one
	top   uint64   // size of the top limb's table
	tail  uint64   // if not zero, the top limb is less than tail: top limb + top - tail is looked up too
	twice bool     // n-1 minus the value is checked too, in the same way
}

// lookups returns how many lookups a check takes.
func (l limbing) lookups() int {
	n := len(l.low) + 1
	if l.tail != 0 {
		n++
	}
	if l.twice {
		n *= 2
	}
	return n
}

// capacity returns the bits of the largest value that passes the check.
func (l limbing) capacity() int {
	n := bits.Len64(l.top - 1)
	for _, size := range l.low {
		n += bits.Len64(size - 1)
	}
	return n
}

// capacity returns the bits of the largest value that passes a check of s.
func (b *build) capacity(s span) int {
	if b.lookups == nil || s.n == 1 {
		return bits.Len64(s.n - 1)
	}
	return b.c.tables.limbing(s).capacity()
}

// checkRange asserts that x lies in the span. The top limb is no input: it is what the others leave, so no
// constraint ties the limbs to x.
func (b *build) checkRange(x quantity, s span) {
	if s.n == 1 {
		b.assertProduct(CauseRange, vs(x), b.one(), nil)
		return
	}
	if b.lookups == nil {
		b.checks[s]++
		return
	}
	l := b.c.tables.limbing(s)
	b.checkLimbs(x, l)
	if l.twice {
		b.checkLimbs(b.minus(b.constant(int64(s.n-1)), x), l)
	}
}

// checkInterval asserts that x lies in the interval.
func (b *build) checkInterval(x quantity, i Interval) {
	b.checkRange(b.minus(x, b.constant(i.Lo)), span{i.size(), true})
}

// checkLimbs asserts that a value is a number with limbs in their tables.
func (b *build) checkLimbs(x quantity, l limbing) {
	place := int64(1)
	rest := x
	for _, size := range l.low {
		limb := b.quantity(b.secret(floorMod(rest.n/place, int64(size))))
		b.lookup(size, limb)
		rest = b.minus(rest, b.scaled(place, limb))
		place *= int64(size)
	}
	top := b.divided(rest, place)
	b.lookup(l.top, top)
	if l.tail != 0 {
		b.lookup(l.top, b.plus(top, b.constant(int64(l.top-l.tail))))
	}
}

// lookup asserts that x lies in the table of 0, 1, ..., size-1. One constraint.
func (b *build) lookup(size uint64, x quantity) {
	b.costs.add(CauseRange, 1)
	b.look(b.lookups.rangeTable(size), x.v, x.n)
}

// look records a lookup in t of the folded row x, whose index is n. It adds one constraint, which the caller counts.
func (b *build) look(t *lookupTable, x frontend.Variable, n int64) {
	if b.assigning() {
		t.count(n)
	}
	if b.api != nil {
		t.inverses = append(t.inverses, b.api.Inverse(b.api.Sub(b.h, x)))
	}
}

// floorMod returns a modulo n, from 0 to n-1.
func floorMod(a, n int64) int64 {
	m := a % n
	if m < 0 {
		m += n
	}
	return m
}
