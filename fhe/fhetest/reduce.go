package fhetest

import (
	"errors"
	"fmt"

	"github.com/signet-ml/signet/fhe/program"
)

// maxTrials bounds how many smaller programs a reduction tries.
const maxTrials = 2000

// Reduce returns a smaller program for which fails still holds: with fewer outputs, operations, operands, matrix
// diagonals and rotations, with intermediate values as inputs, and with constants of one coefficient. It tries one
// change after another until none helps. fails must hold for p, and must take programs of any shape.
func Reduce(p *program.Program, c *program.Constants, fails func(*program.Program, *program.Constants) bool) (*program.Program, *program.Constants) {
	r := &reducer{p: p, c: c, fails: fails}
	for changed := true; changed && r.trials < maxTrials; {
		changed = false
		for _, pass := range []func() bool{r.prefix, r.inputs, r.bypass, r.operands, r.constants} {
			changed = pass() || changed
		}
	}
	return r.p, r.c
}

type reducer struct {
	p      *program.Program
	c      *program.Constants
	fails  func(*program.Program, *program.Constants) bool
	trials int
}

// edit says how a program is changed. What no output depends on goes.
type edit struct {
	outputs []program.Value                 // nil: as they are
	inputs  map[program.Value]bool          // become input ports
	bypass  map[program.Value]program.Value // replaced by an operand
	ops     map[program.Value]program.Op    // changed
	consts  map[program.Value]*program.Constant
}

// try takes over an edit that is smaller, builds, and fails.
func (r *reducer) try(e edit) bool {
	if r.trials >= maxTrials {
		return false
	}
	p, c, err := rebuild(r.p, r.c, e)
	if err != nil || size(p, c) >= size(r.p, r.c) {
		return false
	}
	r.trials++
	if !r.fails(p, c) {
		return false
	}
	r.p, r.c = p, c
	return true
}

// size orders programs: operations and what they name, then ports, then bytes of constants.
func size(p *program.Program, c *program.Constants) int64 {
	n := 0
	for _, o := range p.Ops() {
		n += 4 + len(o.Diagonals) + len(o.Galois)
		for range o.Operands() {
			n++
		}
	}
	return int64(n)<<32 + c.Bytes()
}

// prefix ends the program at a value: the first that will do is its only output.
func (r *reducer) prefix() bool {
	for v, o := range r.p.Ops() {
		if o.IsCiphertext() && o.Degree > 0 && r.try(edit{outputs: []program.Value{program.Value(v)}}) {
			return true
		}
	}
	return false
}

// inputs begins the program at a value, the last ones first.
func (r *reducer) inputs() (changed bool) {
	for v := len(r.p.Ops()) - 1; v >= 0; v-- {
		if v < len(r.p.Ops()) && r.p.Ops()[v].Code != program.Input && r.p.Ops()[v].IsCiphertext() && r.p.Ops()[v].Degree == 1 {
			changed = r.try(edit{inputs: map[program.Value]bool{program.Value(v): true}}) || changed
		}
	}
	return changed
}

// bypass replaces operations by one of their operands.
func (r *reducer) bypass() (changed bool) {
	for v := len(r.p.Ops()) - 1; v >= 0; v-- {
		if v >= len(r.p.Ops()) || !r.p.Ops()[v].IsCiphertext() {
			continue
		}
		for x := range r.p.Ops()[v].Operands() {
			if r.p.Ops()[x].Code == program.Hoist {
				x = r.p.Ops()[x].Args[0]
			}
			if r.try(edit{bypass: map[program.Value]program.Value{program.Value(v): x}}) {
				changed = true
				break
			}
		}
	}
	return changed
}

// operands takes terms out of sums.
func (r *reducer) operands() (changed bool) {
	for v := len(r.p.Ops()) - 1; v >= 0; v-- {
		for k := 63; k >= 0; k-- {
			if v >= len(r.p.Ops()) {
				break
			}
			o, c := without(r.p.Ops()[v], constantOf(r.p, r.c, v), k)
			if o.Code == program.Output {
				break
			}
			id := program.Value(v)
			changed = r.try(edit{ops: map[program.Value]program.Op{id: o}, consts: map[program.Value]*program.Constant{id: c}}) || changed
		}
	}
	return changed
}

func constantOf(p *program.Program, c *program.Constants, v int) *program.Constant {
	if o := p.Ops()[v]; len(o.Rows) > 0 {
		return c.Get(p.Constants()[o.Const].Digest)
	}
	return nil
}

// without returns an operation without its term k, or an Output if it has none such or only one.
func without(o program.Op, c *program.Constant, k int) (program.Op, *program.Constant) {
	none := program.Op{Code: program.Output}
	switch o.Code {
	case program.Lintrans:
		if k >= len(o.Diagonals) || len(o.Diagonals) == 1 {
			return none, nil
		}
		o.Diagonals, o.Rows = cut(o.Diagonals, k), cut(o.Rows, k)
	case program.Rotsum:
		if k >= len(o.Galois) || len(o.Galois) == 1 {
			return none, nil
		}
		o.Galois = cut(o.Galois, k)
	case program.Lincomb:
		var vals []program.Value
		for v := range o.Operands() {
			vals = append(vals, v)
		}
		if k >= len(vals) || len(vals) == 1 {
			return none, nil
		}
		w, err := program.NewWeights([][]int64{cut(c.Row(o.Rows[0]), k)}, c.Info().Scale)
		if err != nil {
			return none, nil
		}
		o.Ranges, o.Rows = nil, []int{0}
		for _, v := range cut(vals, k) {
			o.Ranges = append(o.Ranges, program.Range{First: v, Count: 1})
		}
		return o, w
	default:
		return none, nil
	}
	return o, c
}

func cut[T any](list []T, k int) []T { return append(append([]T(nil), list[:k]...), list[k+1:]...) }

// constants leaves one coefficient of every polynomial, and no rows that nothing names.
func (r *reducer) constants() (changed bool) {
	for v := 0; v < len(r.p.Ops()); v++ {
		c := constantOf(r.p, r.c, v)
		if c == nil || c.Info().Kind != program.Polynomials {
			continue
		}
		o := r.p.Ops()[v]
		rows, all := make([][]int64, len(o.Rows)), make([]int, len(o.Rows))
		one, short := make([][]int64, len(rows)), make([][]int64, len(rows))
		for i, row := range o.Rows {
			rows[i], all[i] = append([]int64(nil), c.Row(row)...), i
			one[i], short[i] = make([]int64, len(rows[i])), make([]int64, len(rows[i]))
			one[i][0], short[i][0] = 1, rows[i][0]
		}
		o.Rows = all
		for _, list := range [][][]int64{one, short, rows} {
			less, err := program.NewPolynomials(list, c.Info().LogSlots, c.Info().Scale)
			id := program.Value(v)
			if err == nil && r.try(edit{ops: map[program.Value]program.Op{id: o}, consts: map[program.Value]*program.Constant{id: less}}) {
				changed = true
				break
			}
		}
	}
	return changed
}

// rebuild returns an edited program. Every input that is left becomes a port of its own.
func rebuild(p *program.Program, c *program.Constants, e edit) (*program.Program, *program.Constants, error) {
	ops := p.Ops()
	op := func(v program.Value) program.Op {
		if o, ok := e.ops[v]; ok {
			return o
		}
		return ops[v]
	}
	outputs := e.outputs
	if outputs == nil {
		for _, o := range ops {
			if o.Code == program.Output {
				outputs = append(outputs, o.Args[0])
			}
		}
	}
	needed := make([]bool, len(ops))
	for _, v := range outputs {
		needed[v] = true
	}
	for i := len(ops) - 1; i >= 0; i-- {
		v := program.Value(i)
		if !needed[i] || e.inputs[v] {
			continue
		}
		if x, ok := e.bypass[v]; ok {
			needed[x] = true
			continue
		}
		o := op(v)
		for x := range o.Operands() {
			needed[x] = true
		}
	}
	r := newRewriter(p, c)
	ports := 0
	for i := range ops {
		v := program.Value(i)
		if !needed[i] {
			continue
		}
		r.Scope(p.Scope(v))
		o := op(v)
		switch x, bypassed := e.bypass[v]; {
		case o.Code == program.Input || e.inputs[v]:
			r.to[v] = r.Input(program.Port{Name: fmt.Sprintf("x%d", ports), Count: 1, Level: o.Level, Degree: 1, LogSlots: o.LogSlots, Scale: o.Scale,
				Bound: 1, Layout: layout(1, o.LogSlots)})[0]
			ports++
		case bypassed:
			r.to[v] = r.to[x]
		default:
			k := r.constant(&ops[v])
			if other, ok := e.consts[v]; ok {
				k = other
			}
			r.to[v] = r.emit(&o, k)
		}
		if r.Err() != nil {
			return nil, nil, r.Err()
		}
	}
	for i, v := range outputs {
		if r.Degree(r.to[v]) < 1 {
			return nil, nil, errors.New("fhetest: an output of degree 0")
		}
		r.bind(fmt.Sprintf("y%d", i), 1, layout(1, r.slots(r.to[v])), r.to[v])
	}
	return r.build()
}

// slots returns log2 of the slots of a value.
func (r *rewriter) slots(v program.Value) int {
	return r.OutputPort("", v, 1, program.Layout{}).LogSlots
}

// reduce shrinks a program that breaks the law.
func (l *law) reduce(eng program.Engine, toy Toy, p *program.Program, c *program.Constants, err error) error {
	last := err
	small, consts := Reduce(p, c, func(p *program.Program, c *program.Constants) bool {
		err := l.try(eng, p, c)
		var s *setupError
		if err == nil || errors.As(err, &s) {
			return false
		}
		last = err
		return true
	})
	return &Counterexample{l.name, toy, small, consts, len(p.Ops()), last}
}
