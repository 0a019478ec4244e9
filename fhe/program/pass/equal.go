package pass

import (
	"encoding/binary"
	"math/big"

	"github.com/signet-ml/signet/fhe/program"
)

func equal(e *edit) {
	first := make(map[string]program.Value) // of the new list, by what is computed
	var key []byte
	for v := range program.Value(len(e.old)) {
		o := e.mapped(v)
		if o.Code == program.Input || o.Code == program.Output {
			e.put(v, o)
			continue
		}
		k := o
		if k.Code == program.Relin && e.out[k.Args[0]].Code == program.Mul {
			k.Code, k.Args = program.MulRelin, e.out[k.Args[0]].Args // which has the same bits
		}
		key = appendKey(key[:0], &k)
		if w, ok := first[string(key)]; ok {
			e.replace(v, w)
			continue
		}
		e.put(v, o)
		first[string(key)] = e.at[v]
	}
}

// appendKey appends an encoding of everything that an operation's result depends on. Sums and products of two
// ciphertexts have their operands in order of number: their words, level, degree, scale and slots are the same in
// either order. The scale of a constant shows in the scale of the result and nowhere else.
func appendKey(b []byte, o *program.Op) []byte {
	num := func(x uint64) { b = binary.AppendUvarint(b, x) }
	integer := func(x *big.Int) {
		if x == nil {
			num(0)
			return
		}
		mag := x.Bytes()
		num(uint64(len(mag))<<2 | uint64(x.Sign()+2)) // the low bits are 1, 2 or 3
		b = append(b, mag...)
	}
	b = append(b, byte(o.Code), byte(o.Level), byte(o.Degree), byte(o.LogSlots))
	hi, lo, exp := o.Scale.Words()
	b = binary.LittleEndian.AppendUint64(b, hi)
	b = binary.LittleEndian.AppendUint64(b, lo)
	b = binary.LittleEndian.AppendUint32(b, uint32(exp))
	args := o.Args
	if c := o.Code; (c == program.Add || c == program.Mul || c == program.MulRelin) && args[0] > args[1] {
		args = []program.Value{args[1], args[0]}
	}
	for _, v := range args {
		num(uint64(v))
	}
	num(uint64(len(o.Ranges)))
	for _, r := range o.Ranges {
		num(uint64(r.First))
		num(uint64(r.Count))
	}
	num(uint64(len(o.Galois)))
	for _, g := range o.Galois {
		num(g)
	}
	num(uint64(o.Const))
	num(uint64(len(o.Rows)))
	for _, r := range o.Rows {
		num(uint64(r))
	}
	for _, k := range o.Diagonals { // as many as rows
		num(uint64(k))
	}
	num(uint64(o.N1))
	integer(o.A)
	integer(o.B)
	integer(o.M)
	return b
}
