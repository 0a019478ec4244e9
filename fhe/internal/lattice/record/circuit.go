// Package record takes circuits from Lattigo instead of writing them again: a Recorder stands in for Lattigo's
// evaluator, lets one of Lattigo's own circuits run on it once, and writes down what the circuit asked for.
//
// It runs on the ring of 2^5 coefficients over the same primes (a prime that is 1 mod 2N serves every smaller N), with
// all-zero keys, so a recording takes milliseconds; levels, degrees and scales are Lattigo's own. Ciphertexts carry no
// data, only the number of the value they stand for. Constants are found by probing: the call is repeated on all-zero
// and all-one polynomials and the residues are lifted to integers, so no rounding rule is written twice. Integers by
// which Lattigo multiplies an operand without being asked become operations of their own.
//
// The result is a Circuit: neutral data, in single-assignment form, which fhe/internal/replay emits into a program. It
// names no type of fhe, which imports the folder above. Linear transforms, key switches and rotations do not pass
// through the interface that the Recorder implements, so a circuit that needs one does not compile against it.
package record

import (
	"fmt"
	"math/big"
	"math/bits"
)

// Op is an operation of a circuit. Each means what the opcode of the same name of fhe/program means.
type Op uint8

// The operations that circuits are recorded as.
const (
	Zero     Op = iota + 1 // the all-zero ciphertext
	SetScale               // same limbs, another scale
	Drop                   // fewer limbs
	Add                    // x + y
	Sub                    // x - y
	Neg                    // -x, 0 stays 0
	AddConst               // x + (A + B·X^(N/2)), on part 0
	MulConst               // x·(A + B·X^(N/2)), the constant at scale By
	MacConst               // acc·M + x·(A + B·X^(N/2)), the constant at scale By
	Mul                    // product of degree 2
	Relin                  // degree 2 to 1
	MulRelin               // Relin of Mul
	Rescale                // divide by the last prime, rounded
)

var opNames = [...]string{Zero: "ZERO", SetScale: "SETSCALE", Drop: "DROP", Add: "ADD", Sub: "SUB", Neg: "NEG",
	AddConst: "ADD_CONST", MulConst: "MUL_CONST", MacConst: "MAC_CONST", Mul: "MUL", Relin: "RELIN",
	MulRelin: "MUL_RELIN", Rescale: "RESCALE"}

func (o Op) String() string {
	if o >= Zero && int(o) < len(opNames) {
		return opNames[o]
	}
	return fmt.Sprintf("OP(%d)", uint8(o))
}

// A Record is one operation: Args are the numbers of its operands, Level, Degree and Scale describe its result.
type Record struct {
	Op      Op
	Args    []int
	Level   int
	Degree  int
	Scale   Scale
	A, B, M *big.Int
	By      Scale
}

// A Circuit is what was recorded. Values are numbered: the inputs first, then the result of each record. It is
// immutable and safe for concurrent use.
type Circuit struct {
	Inputs  int
	Records []Record
	Result  int
}

// Prune returns the circuit without additions of zero and without operations that no result depends on. Limbs, level,
// degree and scale of the result stay the same. Lattigo multiplies zero coefficients like all others and computes
// powers that only they use: half of the work for an odd function.
func (c *Circuit) Prune() *Circuit {
	alias := make([]int, c.Inputs+len(c.Records))
	for i := range alias {
		alias[i] = i
	}
	zero := func(r *Record) bool { return r.A.Sign() == 0 && r.B.Sign() == 0 }
	for i := range c.Records {
		r := &c.Records[i]
		if r.Op != MacConst && r.Op != AddConst || !zero(r) || r.Op == MacConst && r.M.Cmp(one) != 0 {
			continue
		}
		acc := alias[r.Args[0]]
		if acc < c.Inputs {
			continue // its shape is not ours to know
		}
		if a := &c.Records[acc-c.Inputs]; a.Level == r.Level && a.Degree == r.Degree && a.Scale == r.Scale {
			alias[c.Inputs+i] = acc
		}
	}
	live := make([]bool, len(alias))
	live[alias[c.Result]] = true
	for i := len(c.Records) - 1; i >= 0; i-- {
		if live[c.Inputs+i] {
			for _, a := range c.Records[i].Args {
				live[alias[a]] = true
			}
		}
	}
	out := &Circuit{Inputs: c.Inputs}
	number := make([]int, len(alias))
	for v := range alias {
		switch {
		case v < c.Inputs:
			number[v] = v
		case live[v]:
			r := c.Records[v-c.Inputs]
			args := make([]int, len(r.Args))
			for j, a := range r.Args {
				args[j] = number[alias[a]]
			}
			r.Args = args
			number[v] = out.Inputs + len(out.Records)
			out.Records = append(out.Records, r)
		}
	}
	out.Result = number[alias[c.Result]]
	return out
}

// Scale is a positive 128-bit float, (Hi·2^64 + Lo)·2^Exp with the top bit of Hi set: the words of fhe.Scale.
type Scale struct {
	Hi, Lo uint64
	Exp    int32
}

const scalePrecision = 128

// scaleOf returns a positive float, rounded to 128 bits.
func scaleOf(x *big.Float) (Scale, error) {
	f := new(big.Float).SetPrec(scalePrecision).Set(x)
	if f.Sign() <= 0 || f.IsInf() {
		return Scale{}, fmt.Errorf("record: a scale of %v", x)
	}
	exp := f.MantExp(f) // f in [1/2, 1)
	i, _ := f.SetMantExp(f, scalePrecision).Int(nil)
	w := i.FillBytes(make([]byte, 16))
	s := Scale{Exp: int32(exp - scalePrecision)}
	for _, b := range w[:8] {
		s.Hi = s.Hi<<8 | uint64(b)
	}
	for _, b := range w[8:] {
		s.Lo = s.Lo<<8 | uint64(b)
	}
	return s, nil
}

// Big returns the scale as a float of 128 bits of precision.
func (s Scale) Big() *big.Float {
	i := new(big.Int).SetUint64(s.Hi)
	i.Lsh(i, 64).Or(i, new(big.Int).SetUint64(s.Lo))
	f := new(big.Float).SetPrec(scalePrecision).SetInt(i)
	return f.SetMantExp(f, int(s.Exp))
}

// below returns the next smaller scale.
func (s Scale) below() Scale {
	var borrow uint64
	s.Lo, borrow = bits.Sub64(s.Lo, 1, 0)
	s.Hi -= borrow
	if s.Hi>>63 == 0 { // 2^127 less one has 127 bits
		s.Hi, s.Lo = s.Hi<<1|s.Lo>>63, s.Lo<<1|1
		s.Exp--
	}
	return s
}

// quotient returns the largest s near y/x for which x·s, rounded, is at most y: it is y itself where some s gives that.
// A constant at scale s then brings a value of scale x to y or an ulp below, and a sum with a value of scale y has
// scale y exactly.
func quotient(y, x Scale) Scale {
	s, err := scaleOf(new(big.Float).SetPrec(scalePrecision).Quo(y.Big(), x.Big()))
	if err != nil {
		panic("record: quotient of positive scales is not positive") // unreachable
	}
	for new(big.Float).SetPrec(scalePrecision).Mul(x.Big(), s.Big()).Cmp(y.Big()) > 0 {
		s = s.below()
	}
	return s
}

var one = big.NewInt(1)
