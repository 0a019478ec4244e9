package nn

import (
	"fmt"
	"slices"
)

// Table is an elementwise function of integers: y = Values[x - Lo]. The op before must keep x inside the table.
type Table struct {
	Label  string
	Lo     int64
	Values []int64
}

// maxRows bounds the rows of a table.
const maxRows = 1 << 20

// Name implements Op.
func (t Table) Name() string { return label(t.Label, "table") }

func (t Table) compile(in shape) (layer, error) {
	if len(t.Values) < 1 || len(t.Values) > maxRows {
		return nil, fmt.Errorf("%d rows: want 1 to %d", len(t.Values), maxRows)
	}
	rows := Interval{t.Lo, t.Lo + int64(len(t.Values)-1)}
	if !rows.valid() {
		return nil, ErrOverflow
	}
	used := hull(in.ranges)
	if !rows.Contains(used.Lo) || !rows.Contains(used.Hi) {
		return nil, fmt.Errorf("rows from %d to %d: the input is between %d and %d", rows.Lo, rows.Hi, used.Lo, used.Hi)
	}
	for _, v := range t.Values {
		if magnitude(v) > limit {
			return nil, ErrOverflow
		}
	}
	// Rows that no input can reach are no part of the circuit.
	t.Values = t.Values[used.Lo-t.Lo : used.Hi-t.Lo+1]
	t.Lo = used.Lo
	l := &table{Table: t, shape: shape{ranges: make([]Interval, in.size()), proven: true}}
	for i, x := range in.ranges {
		y := t.Values[x.Lo-t.Lo : x.Hi-t.Lo+1]
		l.shape.ranges[i] = Interval{slices.Min(y), slices.Max(y)}
		// The lookup puts the output among all values, the input's own range among those of its interval.
		if !in.proven {
			l.shape.ranges[i] = Interval{slices.Min(t.Values), slices.Max(t.Values)}
		}
	}
	return l, nil
}

// table is a compiled Table: one lookup of (x, y), and with it the check that x is in the table, for each element.
// Indices ascend, so there are no two rows of one index.
type table struct {
	Table
	shape shape
}

func (l *table) out() shape { return l.shape }

func (l *table) check(in, out []int64) int {
	for i, x := range in {
		if out[i] != l.Values[x-l.Lo] {
			return i
		}
	}
	return -1
}

func (l *table) build(b *build, in []number) ([]number, error) {
	out := make([]number, len(in))
	pairs := b.pairTable(l.Lo, l.Values)
	for i, x := range in {
		out[i] = b.secret(b.output(i))
		if err := b.lookupPair(pairs, b.quantity(x), b.quantity(out[i])); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// pairTable returns the table of pairs (lo + i, values[i]).
func (b *build) pairTable(lo int64, values []int64) *lookupTable {
	if b.lookups == nil {
		return nil
	}
	for _, t := range b.lookups.tables {
		if t.values != nil && t.lo == lo && slices.Equal(t.values, values) {
			return t
		}
	}
	t := &lookupTable{size: uint64(len(values)), lo: lo, values: values}
	b.lookups.tables = append(b.lookups.tables, t)
	return t
}

// lookupPair asserts that (x, y) is in the table. Two constraints.
func (b *build) lookupPair(t *lookupTable, x, y quantity) error {
	if b.lookups == nil {
		return nil
	}
	folded, err := b.fold(x.v, y.v)
	if err != nil {
		return err
	}
	b.costs.add(CauseTable, 1)
	b.look(t, folded, x.n)
	return nil
}
