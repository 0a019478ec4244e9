package program

import "fmt"

// Opcode names an operation of the waist, version 1. Numbers are part of the encoding and never reused.
type Opcode uint8

// The opcodes. Levels, degrees and scales of results are stated at the Builder's methods.
const (
	invalid    Opcode = iota
	Input             // a ciphertext of a port
	Output            // a result, bound to a port
	Zero              // the all-zero ciphertext
	SetScale          // same limbs, another scale
	Drop              // fewer limbs
	Add               // sum
	Sub               // difference
	Neg               // negation, 0 stays 0
	AddPt             // plus a constant polynomial, on part 0
	SubPt             // minus a constant polynomial, on part 0
	MulPt             // times a constant polynomial
	AddConst          // plus a + b·X^(N/2)
	MulConst          // times a + b·X^(N/2)
	MacConst          // acc·m + x·(a + b·X^(N/2))
	Lincomb           // Σ w_k·x_k with integer weights
	Mul               // product of degree 2
	Relin             // degree 2 to 1
	MulRelin          // Relin of Mul
	Rescale           // divide by the last prime, rounded
	Rot               // an automorphism
	Conj              // complex conjugation
	Hoist             // decomposition of part 1, for the operations below
	RotHoisted        // an automorphism of a hoisted value
	Lintrans          // a diagonal matrix product of a hoisted value
	Rotsum            // a sum of automorphisms of a hoisted value
	KeySwitch         // reserved for bootstrapping
	ModRaise          // reserved for bootstrapping
	Trace             // reserved for bootstrapping
	opcodes
)

var opcodeNames = [opcodes]string{"INVALID", "INPUT", "OUTPUT", "ZERO", "SETSCALE", "DROP", "ADD", "SUB", "NEG", "ADD_PT",
	"SUB_PT", "MUL_PT", "ADD_CONST", "MUL_CONST", "MAC_CONST", "LINCOMB", "MUL", "RELIN", "MUL_RELIN", "RESCALE", "ROT",
	"CONJ", "HOIST", "ROT_HOISTED", "LINTRANS", "ROTSUM", "KEYSWITCH", "MODRAISE", "TRACE"}

func (c Opcode) String() string {
	if c < opcodes {
		return opcodeNames[c]
	}
	return fmt.Sprintf("OPCODE(%d)", uint8(c))
}
