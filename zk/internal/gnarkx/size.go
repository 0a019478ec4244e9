package gnarkx

import (
	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark/constraint"
)

// Terms returns the number of terms of all constraints, which is what solving them takes time for.
func (s *System) Terms() int {
	n := 0
	it := s.r1cs.GetR1CIterator()
	for c := it.Next(); c != nil; c = it.Next() {
		n += len(c.L) + len(c.R) + len(c.O)
	}
	return n
}

// ProvingKeyBytes returns what Keys.ProvingKeyBytes will be for the system's keys. A wire in no left side of a
// constraint has no point in the key's A, one in no right side none in its B.
func (s *System) ProvingKeyBytes() int64 {
	left, right := make([]bool, s.wires()), make([]bool, s.wires())
	mark := func(in []bool, side constraint.LinearExpression) {
		for _, term := range side {
			in[term.WireID()] = in[term.WireID()] || term.CoeffID() != constraint.CoeffIdZero
		}
	}
	it := s.r1cs.GetR1CIterator()
	for c := it.Next(); c != nil; c = it.Next() {
		mark(left, c.L)
		mark(right, c.R)
	}
	inA, inB := 0, 0
	for wire := range left {
		if left[wire] {
			inA++
		}
		if right[wire] {
			inB++
		}
	}
	internal, secret, _ := s.r1cs.GetNbVariables()
	committed := s.Committed()
	private := internal + secret - committed - 1 // the commitment itself counts as public
	g1 := inA + inB + s.Domain() - 1 + private + 2*committed
	return int64(g1)*bn254.SizeOfG1AffineUncompressed + int64(inB)*bn254.SizeOfG2AffineUncompressed + int64(2*s.wires())
}
