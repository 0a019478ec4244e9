package gnarkx

import (
	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark/constraint"
)

// ProvingKeyBytes returns what Keys.ProvingKeyBytes will be for the system's keys.
func (s *System) ProvingKeyBytes() int64 {
	inA, inB := 0, 0
	wires := s.wires()
	for side, count := range map[int]*int{left: &inA, right: &inB} {
		for _, used := range s.usedWires(side) {
			if used {
				*count++
			}
		}
	}
	internal, secret, _ := s.r1cs.GetNbVariables()
	committed := s.Committed()
	private := internal + secret - committed - 1 // the commitment itself counts as public
	g1 := inA + inB + s.Domain() - 1 + private + 2*committed
	return int64(g1)*bn254.SizeOfG1AffineUncompressed + int64(inB)*bn254.SizeOfG2AffineUncompressed + int64(2*wires)
}

// Sides of a constraint.
const (
	left = iota
	right
)

// usedWires says of each wire whether it occurs on one side of a constraint: its point in the key is not zero then.
func (s *System) usedWires(side int) []bool {
	used := make([]bool, s.wires())
	it := s.r1cs.GetR1CIterator()
	for c := it.Next(); c != nil; c = it.Next() {
		for _, term := range [2]constraint.LinearExpression{c.L, c.R}[side] {
			if term.CoeffID() != constraint.CoeffIdZero {
				used[term.WireID()] = true
			}
		}
	}
	return used
}
