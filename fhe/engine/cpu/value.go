package cpu

import "sync/atomic"

// value is the result of an operation while a run needs it: a ciphertext's rows, or the digits of a hoist.
type value struct {
	parts  [][][]uint64 // ciphertext: [part][row]
	digits [][][]uint64 // hoist: [digit][rows of Q, then P]
	mem    *memory      // what the rows belong to; nil for rows of the input
}

// memory is a set of pooled rows that one or more values share: DROP and SETSCALE copy nothing.
type memory struct {
	refs atomic.Int32
	rows [][]uint64
}

func newMemory(rows [][]uint64) *memory {
	m := &memory{rows: rows}
	m.refs.Store(1)
	return m
}

func (m *memory) share() *memory {
	if m != nil {
		m.refs.Add(1)
	}
	return m
}

func (v *value) release(p *pool) {
	if v.mem != nil && v.mem.refs.Add(-1) == 0 {
		p.put(v.mem.rows...)
	}
	*v = value{}
}

// newParts returns a ciphertext of fresh rows, their contents undefined.
func newParts(p *pool, degree, level int) *value {
	rows := p.rows((degree + 1) * (level + 1))
	v := &value{mem: newMemory(rows)}
	for i := 0; i <= degree; i++ {
		v.parts = append(v.parts, rows[i*(level+1):(i+1)*(level+1)])
	}
	return v
}
