package nn

import (
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/frontend"

	"github.com/signet-ml/signet/zk/commit"
)

// lookups are the tables of a circuit, and what was looked up in them, as logarithmic derivatives: all looked up values
// f_k lie in the table of rows t_i, the i-th one m_i times, if Σ 1/(X - f_k) = Σ m_i/(X - t_i) as rational functions;
// the circuit compares them at h. Values and multiplicities are fixed before h, so an error goes unseen with
// probability at most (lookups + rows)/p, and a row that equals h, whose quotient would be free, counts in that.
// See [Hab22], lemma 5.
//
// [Hab22] U. Haböck, Multivariate lookups based on logarithmic derivatives, ePrint 2022/1530.
type lookups struct {
	tables []*lookupTable // in order of first use
	beta   frontend.Variable
	hashed bool // beta is made
}

// A lookupTable is one table: of the integers 0 to size-1, or of pairs of those with a value each.
type lookupTable struct {
	size     uint64
	lo       int64   // pairs: index of the first row
	values   []int64 // nil: no pairs
	inverses []frontend.Variable
	counts   []uint64 // assigning
}

// rangeTable returns the table of 0 to size-1.
func (l *lookups) rangeTable(size uint64) *lookupTable {
	for _, t := range l.tables {
		if t.values == nil && t.size == size {
			return t
		}
	}
	t := &lookupTable{size: size}
	l.tables = append(l.tables, t)
	return t
}

// count notes the lookup of a row. A value outside the table, which no checked trace has, makes the sums differ.
func (t *lookupTable) count(n int64) {
	if t.counts == nil {
		t.counts = make([]uint64, t.size)
	}
	if n -= t.lo; 0 <= n && uint64(n) < t.size {
		t.counts[n]++
	}
}

// fold returns index + beta value, which stands for a pair: beta is a digest of the challenge, so pairs that differ
// have equal folds with probability 1/p each. A polynomial of h in the place of beta would not do: what is compared is
// then no longer a sum of distinct poles in h.
func (b *build) fold(index, value frontend.Variable) (frontend.Variable, error) {
	l := b.lookups
	if l != nil && !l.hashed {
		l.hashed = true
		b.costs.add(CauseHash, narrowHash)
		if b.api != nil {
			var err error
			if l.beta, err = commit.HashVar(b.api, commit.TagLookup, b.h); err != nil {
				return nil, err
			}
		}
	}
	b.costs.add(CauseTable, 1)
	if b.api == nil {
		return nil, nil
	}
	return b.api.Add(index, b.api.Mul(l.beta, value)), nil
}

// finish adds the rows of all tables and compares the sums: one constraint for each row. The last row's is the
// comparison: its quotient is no wire but what the other rows leave.
func (b *build) finish() {
	if b.lookups == nil {
		return
	}
	for _, t := range b.lookups.tables {
		var left []frontend.Variable
		for i := range t.size {
			var e fr.Element
			if t.counts != nil {
				e.SetUint64(t.counts[i])
			}
			m := b.element(e)
			if i == t.size-1 {
				b.assertProduct(CauseTable, []frontend.Variable{b.pole(t, i)}, append(left, t.inverses...), []frontend.Variable{m})
				break
			}
			b.costs.add(CauseTable, 1)
			if b.api != nil {
				left = append(left, b.api.Neg(b.api.DivUnchecked(m, b.pole(t, i))))
			}
		}
	}
}

// pole returns h minus row i of a table.
func (b *build) pole(t *lookupTable, i uint64) frontend.Variable {
	if b.api == nil {
		return nil
	}
	row := frontend.Variable(t.lo + int64(i))
	if t.values != nil {
		row = b.api.Add(row, b.api.Mul(b.lookups.beta, t.values[i]))
	}
	return b.api.Sub(b.h, row)
}
