package nn

import (
	"cmp"
	"maps"
	"math/bits"
	"slices"
)

// Bits of the tables that choose tries, and the rows up to which a span may have a table of its own.
const (
	leastBits = 2
	mostBits  = 14
	ownRows   = 1 << 16
)

// A tableSet says how every range check of a circuit is done.
type tableSet struct{ limbings map[span]limbing }

// limbing returns how to check s, which is one of the spans that the set was chosen for.
func (t *tableSet) limbing(s span) limbing { return t.limbings[s] }

// choose returns the tables with the fewest constraints in all for the given numbers of range checks: it tries all sets
// of up to three tables of 2^leastBits to 2^mostBits rows, and with each, for every exact span, a table of its own.
func choose(checks map[span]int) *tableSet {
	spans := slices.SortedFunc(maps.Keys(checks), func(s, t span) int {
		if s.exact != t.exact {
			return cmp.Compare(bit(s.exact), bit(t.exact))
		}
		return cmp.Compare(s.n, t.n)
	})
	best, least := &tableSet{}, -1
	try := func(widths ...int) {
		if t, cost := assess(spans, checks, widths); least < 0 || cost < least {
			best, least = t, cost
		}
	}
	for i := leastBits; i <= mostBits; i++ {
		try(i)
		for j := leastBits; j < i; j++ {
			try(j, i)
			for k := leastBits; k < j; k++ {
				try(k, j, i)
			}
		}
	}
	return best
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

// assess returns the cheapest limbings with tables of the given widths, which ascend, and their constraints.
func assess(spans []span, checks map[span]int, widths []int) (*tableSet, int) {
	t := &tableSet{limbings: make(map[span]limbing, len(spans))}
	used := make(map[uint64]bool)
	cost := 0
	for _, s := range spans {
		l := limb(s, widths)
		if own := uint64(checks[s])*uint64(l.lookups()-1) > s.n; own && s.exact && s.n <= ownRows {
			l = limbing{top: s.n}
		}
		for _, size := range append(l.low, l.top) {
			if !used[size] {
				used[size] = true
				cost += int(size)
			}
		}
		cost += checks[s] * l.lookups()
		t.limbings[s] = l
	}
	return t, cost
}

// limb returns the limbing of s with the fewest lookups in tables of 2^w rows, w from widths, which ascend.
func limb(s span, widths []int) limbing {
	most := widths[len(widths)-1]
	k := bits.Len64(s.n - 1) // bits of the largest value
	loose := limbing{top: 1 << most}
	for left := k - most; left > 0; left -= most {
		loose.low = append(loose.low, 1<<most)
	}
	if !s.exact {
		return loose
	}
	best := loose
	best.twice = true
	sums := coins(k, widths)
	better := func(l limbing, low []int) {
		for _, w := range low {
			l.low = append(l.low, 1<<w)
		}
		if l.lookups() < best.lookups() {
			best = l
		}
	}
	// n is a power of two: the limbs fill it.
	if s.n == 1<<k && sums[k] != nil {
		low := sums[k]
		better(limbing{top: 1 << low[len(low)-1]}, low[:len(low)-1])
	}
	// n is tail times a power of two: the top limb is less than tail.
	for i := 0; i <= bits.TrailingZeros64(s.n) && i < k; i++ {
		if tail := s.n >> i; sums[i] != nil && tail <= 1<<most {
			better(limbing{top: 1 << most, tail: tail}, sums[i])
		}
	}
	return best
}

// coins returns for every k from 0 to n the fewest widths that add up to k; nil: none do.
func coins(n int, widths []int) [][]int {
	out := make([][]int, n+1)
	out[0] = []int{}
	for k := 1; k <= n; k++ {
		for _, w := range widths {
			if w <= k && out[k-w] != nil && (out[k] == nil || len(out[k-w])+1 < len(out[k])) {
				out[k] = append(slices.Clone(out[k-w]), w)
			}
		}
	}
	return out
}
