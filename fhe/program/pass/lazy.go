package pass

import (
	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/program"
)

func isSum(o *program.Op) bool { return o.Code == program.Add || o.Code == program.Sub }

// singles returns a predicate: one operation reads the value, and it need not stay in a place.
func (e *edit) singles() func(v program.Value) bool {
	uses := e.uses()
	return func(v program.Value) bool { return uses[v] == 1 && !e.pinned(v) }
}

// lazyRescale turns the sum of two RESCALE of one level and equal scales into the RESCALE of a sum. It decides from
// first to last, so that a tree of sums is rescaled once.
func lazyRescale(e *edit) {
	single := e.singles()
	type inner struct { // what a value is the RESCALE of
		ok    bool
		level int
		scale fhe.Scale
	}
	of := make([]inner, len(e.old))
	sum, taken := make([]bool, len(e.old)), make([]bool, len(e.old))
	for i := range e.old {
		o := &e.old[i]
		if o.Code == program.Rescale {
			x := &e.old[o.Args[0]]
			of[i] = inner{true, x.Level, x.Scale}
		}
		if !isSum(o) || e.glue[i] {
			continue
		}
		x, y := o.Args[0], o.Args[1]
		a, b := of[x], of[y]
		if !a.ok || !b.ok || !single(x) || !single(y) || a.level != b.level || !a.scale.Near(b.scale) {
			continue
		}
		if a.scale.Cmp(b.scale) < 0 {
			a.scale = b.scale
		}
		// Rounding a quotient keeps order, so this holds; the port of an output depends on it.
		if a.scale.Div(fhe.ScaleFromInt(e.params.Prime(a.level))) == o.Scale {
			of[i], sum[i], taken[x], taken[y] = a, true, true, true
		}
	}
	for v := range program.Value(len(e.old)) {
		o := e.mapped(v)
		switch {
		case sum[v]:
			s := o // of the operands of the RESCALEs: that is what they are called now
			s.Level, s.Scale = of[v].level, of[v].scale
			if taken[v] {
				e.put(v, s)
				continue
			}
			o.Code, o.Args = program.Rescale, []program.Value{e.insert(s)}
			e.put(v, o)
		case taken[v]:
			e.use[v] = o.Args[0]
		default:
			e.put(v, o)
		}
	}
}

// lazyRelin turns a tree of sums with two or more RELIN or MUL_RELIN among its leaves into a tree of degree 2 with one
// RELIN at its root. Sums and leaves inside of the tree have no other use.
func lazyRelin(e *edit) {
	inner, root := e.productTrees()
	for v := range program.Value(len(e.old)) {
		o := e.mapped(v)
		switch {
		case inner[v] && o.Code == program.Relin:
			e.use[v] = o.Args[0]
		case inner[v] || root[v]:
			s := o
			if s.Degree = 2; s.Code == program.MulRelin {
				s.Code = program.Mul
			}
			if inner[v] {
				e.put(v, s)
				continue
			}
			o.Code, o.Args = program.Relin, []program.Value{e.insert(s)}
			e.put(v, o)
		default:
			e.put(v, o)
		}
	}
}

// productTrees finds the largest trees: the values inside of them that become degree 2, and their roots.
func (e *edit) productTrees() (inner, root []bool) {
	single := e.singles()
	// leaves counts what a value can give up: RELINs in the tree below it.
	leaves := make([]int, len(e.old))
	below := func(o *program.Op) (left, right int) {
		if x := o.Args[0]; single(x) {
			left = leaves[x]
		}
		// SUB takes no second operand of a higher degree.
		if y := o.Args[1]; y != o.Args[0] && single(y) && (o.Code == program.Add || left > 0) {
			right = leaves[y]
		}
		return left, right
	}
	for i := range e.old {
		switch o := &e.old[i]; {
		case o.Code == program.Relin || o.Code == program.MulRelin:
			leaves[i] = 1
		case isSum(o) && o.Degree == 1:
			left, right := below(o)
			leaves[i] = left + right
		}
	}
	inner, root = make([]bool, len(e.old)), make([]bool, len(e.old))
	for i := len(e.old) - 1; i >= 0; i-- {
		o := &e.old[i]
		if !isSum(o) || o.Degree != 1 || leaves[i] == 0 {
			continue
		}
		root[i] = !inner[i] && leaves[i] >= 2 && !e.glue[i]
		if !root[i] && !inner[i] {
			continue
		}
		left, right := below(o)
		if left > 0 {
			inner[o.Args[0]] = true
		}
		if right > 0 {
			inner[o.Args[1]] = true
		}
	}
	return inner, root
}
