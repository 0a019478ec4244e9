package fhe

import (
	"encoding/hex"

	"github.com/signet-ml/signet/fhe/internal/lattice"
	"github.com/signet-ml/signet/fhe/internal/wire"
)

// Seed is what the uniformly random half of a key or of a fresh ciphertext is expanded from, and what travels in its
// place. It is as public as that half. The expansion is part of the wire format: docs/reference/wire.md has it.
//
// A seed is drawn where a key or ciphertext is made and serves that one only: two things that are encrypted under one
// secret with one seed give away their difference, and with it the secret. So no function here takes one as an
// argument.
type Seed [32]byte

// String returns the seed in hexadecimal.
func (s Seed) String() string { return hex.EncodeToString(s[:]) }

// flagSeeded says that a seed stands in place of part 1.
const flagSeeded = 1

// writeSeed writes the flags and the seed, if there is one.
func writeSeed(w *wire.Writer, s *Seed) {
	if s == nil {
		w.U8(0)
		return
	}
	w.U8(flagSeeded)
	w.Raw(s[:])
}

// readSeed reads the flags and the seed, if there is one.
func readSeed(r *wire.Reader) *Seed {
	switch flags := r.U8(); {
	case r.Err() != nil || flags == 0:
		return nil
	case flags != flagSeeded:
		r.Fail("unknown flags %#x", flags)
		return nil
	}
	s := new(Seed)
	r.Full(s[:])
	return s
}

// seedOf returns the seed of an expansion.
func seedOf(e *lattice.Expansion) *Seed {
	s := Seed(e.Seed())
	return &s
}

// rowPrime returns the prime of row i of a polynomial modulo q_0 … q_level and the special primes.
func (p Parameters) rowPrime(level, i int) uint64 {
	if i <= level {
		return p.p.lit.Q[i]
	}
	return p.p.lit.P[i-level-1]
}

// rowsBytes returns the size on the wire of one polynomial modulo q_0 … q_level and the given number of special primes.
func (p Parameters) rowsBytes(level, special int) (n int64) {
	for i := range level + 1 + special {
		n += wire.LimbBytes(p.N(), wire.Width(p.rowPrime(level, i)))
	}
	return n
}

// seededBytes is the size of flags and what follows them: parts polynomials of the stated size, or one and a seed.
func seededBytes(parts int, size int64, seeded bool) int64 {
	if seeded {
		return 1 + int64(len(Seed{})) + size*int64(parts)/2
	}
	return 1 + size*int64(parts)
}

// width returns the width of the words of a limb modulo q in a version of the wire form.
func width(version uint8, q uint64) int {
	if version == 1 {
		return wire.Raw
	}
	return wire.Width(q)
}
