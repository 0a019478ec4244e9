package pass

import (
	"slices"

	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/program"
)

// gone marks a value that the new list does not have.
const gone program.Value = -1

// edit is a program on its way through one pass: a new list of operations that grows in the order of the old one. The
// operations in out have the level, degree, scale and slots that the Builder will compute.
//
// Lincombs name their operands by ranges of consecutive values. A pass keeps the values of a range together: they are
// neither removed nor replaced there, and nothing comes between them. So every range stays one range.
type edit struct {
	params fhe.Parameters
	old    []program.Op
	out    []program.Op
	at     []program.Value // where an old operation went, or gone
	use    []program.Value // what its result is called in operands from now on, or gone
	glue   []bool          // v-1 and v lie in one range; one entry more than values
}

func newEdit(p *program.Program) *edit {
	ops := p.Ops()
	e := &edit{params: p.Parameters(), old: ops, out: make([]program.Op, 0, len(ops)), at: make([]program.Value, len(ops)),
		use: make([]program.Value, len(ops)), glue: make([]bool, len(ops)+1)}
	opens := make([]int, len(ops)+1) // ranges that cover v-1 and v, as differences
	for i := range ops {
		e.at[i], e.use[i] = gone, gone
		for _, r := range ops[i].Ranges {
			opens[r.First+1]++
			opens[int(r.First)+r.Count]--
		}
	}
	n := 0
	for v, d := range opens {
		n += d
		e.glue[v] = n > 0
	}
	return e
}

// pinned reports whether v lies in a range of several values, and so has to stay where it is.
func (e *edit) pinned(v program.Value) bool { return e.glue[v] || e.glue[v+1] }

// mapped returns old operation v with its operands in the new list.
func (e *edit) mapped(v program.Value) program.Op {
	o := e.old[v]
	o.Args = slices.Clone(o.Args)
	for i, a := range o.Args {
		o.Args[i] = e.use[a]
	}
	o.Ranges = slices.Clone(o.Ranges)
	for i, r := range o.Ranges {
		if r.Count == 1 {
			o.Ranges[i].First = e.use[r.First]
		} else {
			o.Ranges[i].First = e.at[r.First]
		}
	}
	return o
}

// insert appends a new operation, whose operands are in the new list.
func (e *edit) insert(o program.Op) program.Value {
	e.out = append(e.out, o)
	return program.Value(len(e.out) - 1)
}

// put appends o as what became of old operation v.
func (e *edit) put(v program.Value, o program.Op) {
	e.at[v] = e.insert(o)
	e.use[v] = e.at[v]
}

// replace says that w, of the new list, takes the place of old operation v. A pinned v stays for its range, and w
// serves everyone else.
func (e *edit) replace(v, w program.Value) {
	if e.pinned(v) {
		e.put(v, e.mapped(v))
	}
	e.use[v] = w
}

// uses returns how many other operations read a value, ranges of several values not counted: those are pinned.
func (e *edit) uses() []int {
	n := make([]int, len(e.old))
	for i := range e.old {
		o := &e.old[i]
		for k, v := range o.Args {
			if k == 0 || v != o.Args[0] {
				n[v]++
			}
		}
		for _, r := range o.Ranges {
			if r.Count == 1 {
				n[r.First]++ // more than once if a Lincomb has it twice, which serves as well
			}
		}
	}
	return n
}

// step counts what the edit did.
func (e *edit) step() Step {
	var s Step
	for v, w := range e.at {
		if w == gone {
			s.Removed++
			continue
		}
		o, m := &e.old[v], &e.out[w]
		same := o.Code == m.Code && o.Level == m.Level && o.Scale == m.Scale && len(o.Args) == len(m.Args)
		for i := 0; same && i < len(o.Args); i++ {
			same = e.at[o.Args[i]] == m.Args[i]
		}
		for i := 0; same && i < len(o.Ranges); i++ {
			same = e.at[o.Ranges[i].First] == m.Ranges[i].First
		}
		if !same {
			s.Changed++
		}
	}
	s.Added = len(e.out) - (len(e.old) - s.Removed)
	return s
}
