package program

import (
	"errors"
	"fmt"
)

// Rewrite returns the program of the stated operations under the parameters of p, with p's ports and constants. The
// operations are p's own, copied, left out, moved, added or changed; an operand is an index into ops. A new operation
// that starts as a copy of one of p's keeps its scope; one that does not has the empty scope.
//
// Every operation goes through a Builder again, which is told what its methods take (operands, constants, a stated
// level or scale) and computes level, degree, scale and slots anew. Constants that no operation names are left out. The
// ciphertexts of a port follow one another and have the scope of the first.
//
// Errors are *OpError, but for a program without outputs. An operation that appends nothing, such as a Drop to its own
// level, is one.
func (p *Program) Rewrite(ops []Op) (*Program, error) {
	b := NewBuilder(p.params)
	for i := 0; i < len(ops) && b.err == nil; {
		i += b.rewrite(p, ops[i:])
		if b.err == nil && len(b.prog.ops) != i {
			b.fail(ops[i-1].Code, fmt.Errorf("%w: the operation appends nothing", ErrOperand))
		}
	}
	q, _, err := b.Build()
	return q, err
}

// rewrite appends the first of ops, or the first few if it starts a port, and returns how many.
func (b *Builder) rewrite(p *Program, ops []Op) int {
	o := ops[0]
	if o.scope < 0 || o.scope >= len(p.scopes) {
		b.fail(o.Code, errors.New("the operation is of another program"))
		return 1
	}
	b.scope = p.scopes[o.scope]
	switch o.Code {
	case Input, Output:
		return b.rewritePort(p, ops)
	case AddPt, SubPt, MulPt, Lincomb, Lintrans:
		if o.Const < 0 || o.Const >= len(p.consts) || (p.consts[o.Const].Kind == Weights) != (o.Code == Lincomb) {
			b.fail(o.Code, fmt.Errorf("%w: number %d is not there or of another kind", ErrConstant, o.Const))
			return 1
		}
		if o.Const = b.register(o.Code, p.consts[o.Const]); o.Const < 0 {
			return 1
		}
	}
	b.emit(&o)
	return 1
}

func (b *Builder) rewritePort(p *Program, ops []Op) int {
	o := &ops[0]
	ports := p.inputs
	if o.Code == Output {
		ports = p.outputs
	}
	if o.Port < 0 || o.Port >= len(ports) {
		b.fail(o.Code, fmt.Errorf("%w: there is no port %d", ErrPort, o.Port))
		return 1
	}
	port := ports[o.Port]
	var vals []Value
	for i := range port.Count {
		if i >= len(ops) || ops[i].Code != o.Code || ops[i].Port != o.Port || ops[i].Index != i || o.Code == Output && len(ops[i].Args) != 1 {
			b.fail(o.Code, fmt.Errorf("%w: %q: its ciphertexts do not follow one another", ErrPort, port.Name))
			return 1
		}
		vals = append(vals, ops[i].Args...)
	}
	if o.Code == Input {
		b.Input(port)
	} else {
		b.Output(port, vals...)
	}
	return port.Count
}

// operands is the number of operands in Args, of the operations that emit appends.
var operands = [opcodes]int{SetScale: 1, Drop: 1, Add: 2, Sub: 2, Neg: 1, AddPt: 1, SubPt: 1, MulPt: 1, AddConst: 1,
	MulConst: 1, MacConst: 2, Mul: 2, Relin: 1, MulRelin: 2, Rescale: 1, Rot: 1, Conj: 1, Hoist: 1, RotHoisted: 1,
	Lintrans: 1, Rotsum: 1}

// emit appends an operation, not one of a port, through the method of its code. It reads what the method is told, with
// Const an index among the constants that b lists, and lets the method compute the rest.
func (b *Builder) emit(o *Op) Value {
	if o.Code >= opcodes || len(o.Args) != operands[o.Code] {
		return b.fail(o.Code, fmt.Errorf("%w: %d operands", ErrOperand, len(o.Args)))
	}
	if (o.Code == Rot || o.Code == RotHoisted) && len(o.Galois) != 1 {
		return b.fail(o.Code, fmt.Errorf("%w: %d elements", ErrGalois, len(o.Galois)))
	}
	switch o.Code {
	case Zero:
		return b.Zero(o.Level, o.Degree, o.LogSlots, o.Scale)
	case SetScale:
		return b.SetScale(o.Args[0], o.Scale)
	case Drop:
		return b.Drop(o.Args[0], o.Level)
	case Add, Sub:
		return b.sum(o.Code, o.Args[0], o.Args[1])
	case Neg:
		return b.Neg(o.Args[0])
	case AddPt, SubPt, MulPt:
		if b.ciphertext(o.Code, o.Args[0]) == nil || b.row(o) < 0 {
			return 0
		}
		return b.plainAt(o.Code, o.Args[0], o.Const, o.Rows[0])
	case AddConst:
		return b.AddConst(o.Args[0], o.A, o.B)
	case MulConst:
		return b.MulConst(o.Args[0], o.A, o.B, o.By)
	case MacConst:
		return b.MacConst(o.Args[0], o.M, o.Args[1], o.A, o.B, o.By)
	case Lincomb:
		if b.err != nil || b.row(o) < 0 {
			return 0
		}
		return b.lincombAt(o.Ranges, o.Const, o.Rows[0])
	case Mul:
		return b.Mul(o.Args[0], o.Args[1])
	case Relin:
		return b.Relin(o.Args[0])
	case MulRelin:
		return b.MulRelin(o.Args[0], o.Args[1])
	case Rescale:
		return b.Rescale(o.Args[0])
	case Rot:
		return b.Rot(o.Args[0], o.Galois[0])
	case Conj:
		return b.Conj(o.Args[0])
	case Hoist:
		return b.Hoist(o.Args[0], o.Level)
	case RotHoisted:
		return b.RotHoisted(o.Args[0], o.Galois[0], o.Level)
	case Rotsum:
		return b.Rotsum(o.Args[0], o.Galois, o.Level)
	case Lintrans:
		if b.hoisted(o.Code, o.Args[0], o.Level) == nil || b.rows(o.Code, o.Const, o.Rows) < 0 {
			return 0
		}
		return b.lintransAt(o.Args[0], o.Const, o.Rows, o.Diagonals, o.N1, o.Level)
	}
	return b.fail(o.Code, fmt.Errorf("%w: unknown or reserved opcode", ErrOperand))
}

// row checks the one row that an operation names.
func (b *Builder) row(o *Op) int {
	if len(o.Rows) != 1 {
		b.fail(o.Code, fmt.Errorf("%w: %d rows", ErrConstant, len(o.Rows)))
		return -1
	}
	return b.rows(o.Code, o.Const, o.Rows)
}
