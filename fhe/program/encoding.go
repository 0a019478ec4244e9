package program

import (
	"bytes"
	"io"
	"math/big"

	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/internal/wire"
)

// The encoding holds what the Builder was told, never what it derived: decoding calls the Builder again, so a program
// from outside passes every check that a program made here has passed. One program has one encoding: scopes and
// constants are listed in the order of their first use, and what decodes but encodes otherwise is refused.
//
// Version 2 has the features of every port behind it. A program without any is written in version 1.
const (
	programMagic   = "SGPR"
	programVersion = 2
	scopeMark      = 0xff // a record that changes the scope of what follows
	endMark        = 0xfe
)

func (p *Program) seal() {
	var b bytes.Buffer
	p.encode(wire.NewWriter(&b))
	p.encoded = b.Bytes()
	p.digest = fhe.Tagged("signet/program/v1", p.encoded)
}

// version returns the oldest version that the program can be written in.
func (p *Program) version() int {
	for i := range p.inputs {
		if !p.inputs[i].Features.IsZero() {
			return programVersion
		}
	}
	return 1
}

func (p *Program) encode(w *wire.Writer) {
	version := p.version()
	w.Version(programMagic, uint8(version))
	pd := p.params.Digest()
	w.Raw(pd[:])
	w.Uvarint(uint64(len(p.scopes) - 1))
	for _, s := range p.scopes[1:] {
		w.String(s)
	}
	w.Uvarint(uint64(len(p.consts)))
	for _, c := range p.consts {
		w.Raw(c.Digest[:])
		w.U8(uint8(c.Kind))
		w.U8(uint8(c.LogSlots))
		encodeScale(w, c.Scale)
		w.Uvarint(uint64(c.Rows))
		w.Uvarint(uint64(c.Width))
	}
	scope := 0
	for i := 0; i < len(p.ops); i++ {
		o := &p.ops[i]
		if o.scope != scope {
			scope = o.scope
			w.U8(scopeMark)
			w.Uvarint(uint64(scope))
		}
		w.U8(uint8(o.Code))
		arg := func(v Value) { w.Uvarint(uint64(i) - uint64(v)) } // distance back to the operand
		for _, v := range o.Args {
			if o.Code != Output {
				arg(v)
			}
		}
		switch o.Code {
		case Input:
			port := &p.inputs[o.Port]
			port.encode(w, version)
			i += port.Count - 1
		case Output:
			port := &p.outputs[o.Port]
			port.encode(w, version)
			for k := range port.Count {
				w.Uvarint(uint64(i) - uint64(p.ops[i+k].Args[0]))
			}
			i += port.Count - 1
		case Zero:
			w.U8(uint8(o.Level))
			w.U8(uint8(o.Degree))
			w.U8(uint8(o.LogSlots))
			encodeScale(w, o.Scale)
		case SetScale:
			encodeScale(w, o.Scale)
		case Drop, Hoist:
			w.U8(uint8(o.Level))
		case AddPt, SubPt, MulPt:
			w.Uvarint(uint64(o.Const))
			w.Uvarint(uint64(o.Rows[0]))
		case AddConst:
			encodeInt(w, o.A)
			encodeInt(w, o.B)
		case MulConst:
			encodeInt(w, o.A)
			encodeInt(w, o.B)
			encodeScale(w, o.By)
		case MacConst:
			encodeInt(w, o.M)
			encodeInt(w, o.A)
			encodeInt(w, o.B)
			encodeScale(w, o.By)
		case Lincomb:
			w.Uvarint(uint64(len(o.Ranges)))
			for _, r := range o.Ranges {
				arg(r.First)
				w.Uvarint(uint64(r.Count))
			}
			w.Uvarint(uint64(o.Const))
			w.Uvarint(uint64(o.Rows[0]))
		case Rot:
			w.Uvarint(o.Galois[0])
		case RotHoisted:
			w.Uvarint(o.Galois[0])
			w.U8(uint8(o.Level))
		case Rotsum:
			w.Uvarint(uint64(len(o.Galois)))
			for _, g := range o.Galois {
				w.Uvarint(g)
			}
			w.U8(uint8(o.Level))
		case Lintrans:
			w.Uvarint(uint64(o.Const))
			w.Uvarint(uint64(len(o.Diagonals)))
			for j, k := range o.Diagonals {
				w.Uvarint(uint64(k))
				w.Uvarint(uint64(o.Rows[j]))
			}
			w.Uvarint(uint64(o.N1))
			w.U8(uint8(o.Level))
		}
	}
	w.U8(endMark)
}

func encodeInt(w *wire.Writer, x *big.Int) {
	mag := x.Bytes()
	n := uint64(len(mag)) << 1
	if x.Sign() < 0 {
		n |= 1
	}
	w.Uvarint(n)
	w.Raw(mag)
}

func decodeInt(r *wire.Reader) *big.Int {
	n := r.Len(2*maxIntBytes+1, "integer")
	x := new(big.Int).SetBytes(r.Bytes(n >> 1))
	if n&1 == 1 {
		x.Neg(x)
	}
	return x
}

// WriteTo writes the encoding.
func (p *Program) WriteTo(w io.Writer) (int64, error) {
	n, err := w.Write(p.encoded)
	return int64(n), err
}

// ReadProgram reads an encoding, at most limit bytes, to the end of r, for the stated parameters. Errors are
// *fhe.FormatError (malformed or not canonical), *fhe.MismatchError (other parameters) or *OpError (a program that the
// Builder would refuse).
func ReadProgram(r io.Reader, params fhe.Parameters, limit int64) (*Program, error) {
	var read bytes.Buffer
	rd := wire.NewReader(io.TeeReader(r, &read), "program", limit)
	version := int(rd.Version(programMagic, 1, programVersion))
	var pd fhe.Digest
	rd.Full(pd[:])
	if rd.Err() == nil && pd != params.Digest() {
		return nil, &fhe.MismatchError{What: "parameters of the program", Want: params.Digest().Short(), Have: pd.Short()}
	}
	b := NewBuilder(params)
	var scopes []string
	for i, n := 0, rd.Len(maxScopes, "scopes"); i < n && rd.Err() == nil; i++ {
		scopes = append(scopes, rd.String(maxName, "scope"))
	}
	decodeConstants(rd, b)
	used := 0
	for rd.Err() == nil && b.err == nil {
		code := rd.U8()
		if rd.Err() != nil || code == endMark {
			break
		}
		if code == scopeMark {
			n := rd.Len(len(scopes), "scope")
			name := ""
			if n > 0 {
				name = scopes[n-1]
			}
			b.Scope(name)
			continue
		}
		decodeOp(rd, b, Opcode(code), &used, version)
	}
	if rd.Err() == nil && b.err != nil {
		return nil, b.err
	}
	rd.End()
	p := b.prog
	if rd.Err() == nil && len(p.outputs) == 0 {
		rd.Fail("no output")
	}
	if rd.Err() == nil && used != len(p.consts) {
		rd.Fail("constant %d is not used", used)
	}
	if rd.Err() != nil {
		return nil, rd.Err()
	}
	p.seal()
	if !bytes.Equal(p.encoded, read.Bytes()) {
		rd.Fail("not in canonical form")
		return nil, rd.Err()
	}
	return p, nil
}

func decodeConstants(r *wire.Reader, b *Builder) {
	n := r.Len(maxConstants, "constants")
	for i := 0; i < n && r.Err() == nil; i++ {
		var c ConstantInfo
		r.Full(c.Digest[:])
		c.Kind, c.LogSlots = ConstantKind(r.U8()), int(r.U8())
		c.Scale = decodeScale(r)
		c.Rows, c.Width = r.Len(maxRows, "rows"), r.Len(2<<16, "integers in a row")
		if r.Err() != nil {
			return
		}
		ok := c.Rows > 0 && c.Scale.Valid()
		switch c.Kind {
		case Polynomials:
			ok = ok && c.LogSlots <= b.prog.params.LogMaxSlots() && c.Width == 2<<c.LogSlots
		case Weights:
			ok = ok && c.LogSlots == 0 && c.Width >= 1 && c.Width <= maxOperands
		default:
			ok = false
		}
		if _, twice := b.index[c.Digest]; !ok || twice {
			r.Fail("constant %d is malformed or appears twice", i)
			return
		}
		b.index[c.Digest] = i
		b.prog.consts = append(b.prog.consts, c)
	}
}

// decodeOp reads one operation. used is the number of constants that operations have named so far.
func decodeOp(r *wire.Reader, b *Builder, code Opcode, used *int, version int) {
	here := Value(len(b.prog.ops))
	arg := func() Value {
		d := r.Uvarint()
		if r.Err() == nil && (d == 0 || d > uint64(here)) {
			r.Fail("operation %d refers to a value that is not before it", here)
		}
		return here - Value(d&(1<<30-1))
	}
	// constant reads a constant's index and checks its kind and that first uses come in order.
	constant := func(kind ConstantKind) int {
		i := r.Len(maxConstants, "constant")
		if r.Err() == nil && (i >= len(b.prog.consts) || b.prog.consts[i].Kind != kind) {
			r.Fail("operation %d names constant %d, which is not there or of another kind", here, i)
			return 0
		}
		if r.Err() == nil && i > *used {
			r.Fail("operation %d names constant %d before constant %d", here, i, *used)
			return 0
		}
		*used = max(*used, i+1)
		return i
	}
	o := Op{Code: code}
	args := func(n int) {
		for range n {
			o.Args = append(o.Args, arg())
		}
	}
	switch code {
	case Input:
		if p := decodePort(r, version); r.Err() == nil {
			b.Input(p)
		}
		return
	case Output:
		p := decodePort(r, version)
		for i := 0; i < p.Count && r.Err() == nil; i++ {
			args(1)
		}
		if r.Err() == nil {
			b.Output(p, o.Args...)
		}
		return
	case Zero:
		o.Level, o.Degree, o.LogSlots = int(r.U8()), int(r.U8()), int(r.U8())
		o.Scale = decodeScale(r)
	case SetScale:
		args(1)
		o.Scale = decodeScale(r)
	case Drop, Hoist:
		args(1)
		o.Level = int(r.U8())
	case Add, Sub, Mul, MulRelin:
		args(2)
	case Neg, Relin, Rescale, Conj:
		args(1)
	case AddPt, SubPt, MulPt:
		args(1)
		o.Const = constant(Polynomials)
		o.Rows = []int{r.Len(maxRows, "row")}
	case AddConst:
		args(1)
		o.A, o.B = decodeInt(r), decodeInt(r)
	case MulConst:
		args(1)
		o.A, o.B = decodeInt(r), decodeInt(r)
		o.By = decodeScale(r)
	case MacConst:
		args(2)
		o.M, o.A, o.B = decodeInt(r), decodeInt(r), decodeInt(r)
		o.By = decodeScale(r)
	case Lincomb:
		for i, n := 0, r.Len(maxOperands, "ranges"); i < n && r.Err() == nil; i++ {
			o.Ranges = append(o.Ranges, Range{arg(), r.Len(maxOperands, "operands")})
		}
		o.Const = constant(Weights)
		o.Rows = []int{r.Len(maxRows, "row")}
	case Rot:
		args(1)
		o.Galois = []uint64{r.Uvarint()}
	case RotHoisted:
		args(1)
		o.Galois = []uint64{r.Uvarint()}
		o.Level = int(r.U8())
	case Rotsum:
		args(1)
		for i, n := 0, r.Len(maxRowRefs, "elements"); i < n && r.Err() == nil; i++ {
			o.Galois = append(o.Galois, r.Uvarint())
		}
		o.Level = int(r.U8())
	case Lintrans:
		args(1)
		o.Const = constant(Polynomials)
		for j, n := 0, r.Len(maxRowRefs, "diagonals"); j < n && r.Err() == nil; j++ {
			o.Diagonals = append(o.Diagonals, r.Len(1<<20, "diagonal"))
			o.Rows = append(o.Rows, r.Len(maxRows, "row"))
		}
		o.N1, o.Level = r.Len(1<<20, "baby steps"), int(r.U8())
	default:
		r.Fail("operation %d: opcode %d is unknown or reserved", here, code)
	}
	if r.Err() == nil {
		b.emit(&o)
	}
}
