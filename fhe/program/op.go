package program

import (
	"iter"
	"math/big"

	"github.com/signet-ml/signet/fhe"
)

// Value is the result of an operation: its index in Program.Ops.
type Value int32

// Range is a run of consecutive values.
type Range struct {
	First Value
	Count int
}

// Op is one operation. Which fields it uses depends on Code; Level, Degree, Scale and LogSlots describe its result.
// A Hoist's Level is the level of the decomposition, and its result is no ciphertext. The slices are the program's own.
type Op struct {
	Code     Opcode
	Args     []Value // operands in order; empty for Lincomb
	Level    int
	Degree   int
	LogSlots int
	Scale    fhe.Scale

	Ranges    []Range   // Lincomb: operands, as few ranges as there can be
	Port      int       // Input, Output: index among the program's input or output ports
	Index     int       // Input, Output: which ciphertext of the port
	Galois    []uint64  // Rot, Conj, RotHoisted: one element; Rotsum: several, ascending; 1 is the identity
	Const     int       // AddPt, SubPt, MulPt, Lincomb, Lintrans: index among the program's constants
	Rows      []int     // rows of the constant: one, or one for each diagonal of a Lintrans
	Diagonals []int     // Lintrans: indices in [0, slots), ascending
	N1        int       // Lintrans: number of baby steps, a power of two
	A, B      *big.Int  // AddConst, MulConst, MacConst: the polynomial A + B·X^(N/2)
	M         *big.Int  // MacConst: the accumulator's integer factor
	By        fhe.Scale // MulConst, MacConst: the scale of A + B·X^(N/2)
	scope     int
}

// Operands yields every operand of the operation in order.
func (o *Op) Operands() iter.Seq[Value] {
	return func(yield func(Value) bool) {
		for _, v := range o.Args {
			if !yield(v) {
				return
			}
		}
		for _, r := range o.Ranges {
			for i := 0; i < r.Count; i++ {
				if !yield(r.First + Value(i)) {
					return
				}
			}
		}
	}
}

// IsCiphertext reports whether the operation's result is a ciphertext: all are but those of Hoist and Output.
func (o *Op) IsCiphertext() bool { return o.Code != Hoist && o.Code != Output }

// BabyGiant splits diagonal k of a Lintrans into its baby and giant step: k = giant + baby, giant a multiple of n1.
func BabyGiant(k, n1 int) (baby, giant int) { return k & (n1 - 1), k &^ (n1 - 1) }
