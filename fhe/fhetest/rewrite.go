package fhetest

import (
	"fmt"

	"github.com/signet-ml/signet/fhe/program"
)

// rewriter builds a program out of another's operations, one by one.
type rewriter struct {
	*program.Builder
	src    *program.Program
	consts *program.Constants
	to     map[program.Value]program.Value // from values of src
}

func newRewriter(p *program.Program, c *program.Constants) *rewriter {
	return &rewriter{program.NewBuilder(p.Parameters()), p, c, map[program.Value]program.Value{}}
}

// constant returns the constant of an operation of src, or nil.
func (r *rewriter) constant(o *program.Op) *program.Constant {
	if len(o.Rows) == 0 {
		return nil
	}
	return r.consts.Get(r.src.Constants()[o.Const].Digest)
}

// input declares a port of src, changed by edit, when its first value comes.
func (r *rewriter) input(v program.Value, edit func(*program.Port)) {
	o := &r.src.Ops()[v]
	if o.Index > 0 {
		return
	}
	port := r.src.Inputs()[o.Port]
	if edit != nil {
		edit(&port)
	}
	for i, w := range r.Input(port) {
		r.to[v+program.Value(i)] = w
	}
}

// copy appends operation v of src, unless that is an output.
func (r *rewriter) copy(v program.Value) {
	o := &r.src.Ops()[v]
	r.Scope(r.src.Scope(v))
	switch o.Code {
	case program.Input:
		r.input(v, nil)
	case program.Output:
	default:
		r.to[v] = r.emit(o, r.constant(o))
	}
}

// outputs binds every output of src.
func (r *rewriter) outputs() {
	vals := make([][]program.Value, len(r.src.Outputs()))
	for i, o := range r.src.Ops() {
		if o.Code == program.Output {
			r.Scope(r.src.Scope(program.Value(i)))
			vals[o.Port] = append(vals[o.Port], r.to[o.Args[0]])
		}
	}
	for i, port := range r.src.Outputs() {
		r.bind(port.Name, port.Bound, port.Layout, vals[i]...)
	}
}

// bind declares an output port that fits its values.
func (r *rewriter) bind(name string, bound float64, layout program.Layout, vals ...program.Value) {
	port := r.OutputPort(name, vals[0], bound, layout)
	port.Count = len(vals)
	r.Output(port, vals...)
}

// emit appends an operation on what its operands have become, with a constant that may not be its own.
func (r *rewriter) emit(o *program.Op, c *program.Constant) program.Value {
	x := func(k int) program.Value { return r.to[o.Args[k]] }
	switch o.Code {
	case program.Zero:
		return r.Zero(o.Level, o.Degree, o.LogSlots, o.Scale)
	case program.SetScale:
		return r.SetScale(x(0), o.Scale)
	case program.Drop:
		return r.Drop(x(0), o.Level)
	case program.Add:
		return r.Add(x(0), x(1))
	case program.Sub:
		return r.Sub(x(0), x(1))
	case program.Neg:
		return r.Neg(x(0))
	case program.AddPt:
		return r.AddPt(x(0), c, o.Rows[0])
	case program.SubPt:
		return r.SubPt(x(0), c, o.Rows[0])
	case program.MulPt:
		return r.MulPt(x(0), c, o.Rows[0])
	case program.AddConst:
		return r.AddConst(x(0), o.A, o.B)
	case program.MulConst:
		return r.MulConst(x(0), o.A, o.B, o.By)
	case program.MacConst:
		return r.MacConst(x(0), o.M, x(1), o.A, o.B, o.By)
	case program.Lincomb:
		var ranges []program.Range
		for v := range o.Operands() {
			ranges = append(ranges, program.Range{First: r.to[v], Count: 1})
		}
		return r.Lincomb(ranges, c, o.Rows[0])
	case program.Mul:
		return r.Mul(x(0), x(1))
	case program.MulRelin:
		return r.MulRelin(x(0), x(1))
	case program.Relin:
		return r.Relin(x(0))
	case program.Rescale:
		return r.Rescale(x(0))
	case program.Rot:
		return r.Rot(x(0), o.Galois[0])
	case program.Conj:
		return r.Conj(x(0))
	case program.Hoist:
		return r.Hoist(x(0), o.Level)
	case program.RotHoisted:
		return r.RotHoisted(x(0), o.Galois[0], o.Level)
	case program.Lintrans:
		return r.Lintrans(x(0), c, o.Rows, o.Diagonals, o.N1, o.Level)
	case program.Rotsum:
		return r.Rotsum(x(0), o.Galois, o.Level)
	}
	panic("fhetest: no such opcode: " + o.Code.String())
}

// build checks that nothing failed on the way.
func (r *rewriter) build() (*program.Program, *program.Constants, error) {
	p, c, err := r.Build()
	if err != nil {
		return nil, nil, fmt.Errorf("fhetest: rewrite: %w", err)
	}
	return p, c, nil
}

// spread returns a constant of polynomials as one of more slots: the same polynomials.
func spread(c *program.Constant, logSlots int) (*program.Constant, error) {
	info := c.Info()
	gap := 1 << (logSlots - info.LogSlots)
	rows := make([][]int64, info.Rows)
	for i := range rows {
		rows[i] = make([]int64, 2<<logSlots)
		for j, x := range c.Row(i) {
			rows[i][j*gap] = x
		}
	}
	return program.NewPolynomials(rows, logSlots, info.Scale)
}

// split cuts a program before operation k into two. What the second needs of the first crosses as ports that both name
// alike. Outputs of values of the first are its own. It returns false if a value that crosses is of another degree than
// 1, which no input port takes, or if nothing crosses.
func split(p *program.Program, c *program.Constants, k int) (parts [2]*program.Program, consts [2]*program.Constants, carried []string, ok bool, err error) {
	ops := p.Ops()
	base := func(v program.Value) program.Value { // a hoist does not cross, it is made again
		if ops[v].Code == program.Hoist {
			return ops[v].Args[0]
		}
		return v
	}
	crosses, again := map[program.Value]bool{}, map[program.Value]bool{}
	for i := k; i < len(ops); i++ {
		for v := range ops[i].Operands() {
			if int(v) >= k || ops[i].Code == program.Output {
				continue
			}
			if v != base(v) {
				again[v] = true
			}
			if v = base(v); ops[v].Degree != 1 {
				return parts, consts, nil, false, nil
			}
			crosses[v] = true
		}
	}
	if len(crosses) == 0 || len(crosses) > 200 {
		return parts, consts, nil, false, nil
	}
	name := func(v program.Value) string { return fmt.Sprintf("carry %d", v) }
	first, second := newRewriter(p, c), newRewriter(p, c)
	var results [2]int
	for i := range ops {
		v := program.Value(i)
		switch {
		case i < k:
			first.copy(v)
		case ops[i].Code == program.Input: // inputs come with the first part
			first.copy(v)
			crosses[v] = true
		}
	}
	for i := range ops {
		v := program.Value(i)
		if !crosses[v] {
			if again[v] || i >= k {
				second.copy(v)
			}
			continue
		}
		o := &ops[i]
		second.Scope(p.Scope(v))
		second.to[v] = second.Input(program.Port{Name: name(v), Count: 1, Level: o.Level, Degree: 1, LogSlots: o.LogSlots, Scale: o.Scale, Bound: 1,
			Layout: layout(1, o.LogSlots)})[0]
		first.bind(name(v), 1, layout(1, o.LogSlots), first.to[v])
		carried = append(carried, name(v))
	}
	for _, o := range ops {
		if o.Code != program.Output {
			continue
		}
		part, r := 0, first
		if v := o.Args[0]; int(v) >= k && ops[v].Code != program.Input {
			part, r = 1, second
		}
		r.bind(p.Outputs()[o.Port].Name+fmt.Sprintf("[%d]", o.Index), 1, layout(1, o.LogSlots), r.to[o.Args[0]])
		results[part]++
	}
	if results[1] == 0 {
		return parts, consts, nil, false, nil
	}
	for i, r := range [2]*rewriter{first, second} {
		if parts[i], consts[i], err = r.build(); err != nil {
			return parts, consts, nil, false, err
		}
	}
	return parts, consts, carried, true, nil
}
