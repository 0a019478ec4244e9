package lattice

import (
	"crypto/rand"
	"crypto/sha3"
	"encoding/binary"
	"math/bits"
)

// Seed is what the uniformly random half of a key or of a fresh ciphertext is expanded from. It is as public as what it
// expands to. One seed serves one key or one ciphertext: two under one secret with one seed give it away.
type Seed [32]byte

// NewSeed returns a fresh seed.
func NewSeed() (s Seed) {
	rand.Read(s[:]) // never fails: it crashes the program instead
	return s
}

// Expansion is what a seed expands to: for each digit, rows of uniformly random residues. They are taken as they are
// for a polynomial in the NTT domain, not in Montgomery form. Only the methods of Params make one, so rows and seed
// agree.
type Expansion struct {
	seed Seed
	rows [][][]uint64 // [digit][row][N]
}

// ExpandKey expands the half of a switching key at a level: for every digit the rows of Q up to level, then of P.
func (ps *Params) ExpandKey(seed Seed, level int) *Expansion {
	return ps.expand(seed, ps.Digits(level), level, ps.PCount())
}

// ExpandPublicKey expands the half of a public key: all rows of Q, then of P.
func (ps *Params) ExpandPublicKey(seed Seed) *Expansion {
	return ps.expand(seed, 1, ps.MaxLevel(), ps.PCount())
}

// ExpandCiphertext expands the half of a ciphertext: the rows of Q up to level.
func (ps *Params) ExpandCiphertext(seed Seed, level int) *Expansion {
	return ps.expand(seed, 1, level, 0)
}

func (ps *Params) expand(seed Seed, digits, level, special int) *Expansion {
	e := &Expansion{seed, make([][][]uint64, digits)}
	x := newExpander()
	for d := range e.rows {
		e.rows[d] = make([][]uint64, level+1+special)
		for i := range e.rows[d] {
			row := make([]uint64, ps.N())
			prime := i
			if i > level {
				prime += ps.nq - level - 1
			}
			x.row(seed, d, prime, ps.rings[prime].Modulus, row)
			e.rows[d][i] = row
		}
	}
	return e
}

// Seed returns the seed.
func (e *Expansion) Seed() Seed { return e.seed }

// Rows returns the rows of a digit: those of Q, then those of P, if any.
func (e *Expansion) Rows(digit int) [][]uint64 { return e.rows[digit] }

// expander is the scratch of expansion.
type expander struct {
	h     *sha3.SHAKE
	in    []byte
	out   [expandWords*8 + 8]byte // the last eight are never written, so that every word is one load
	words [expandWords]uint64
}

// expandWords is how many candidates are drawn at a time. For any k ≤ 8, that many of k bytes are k blocks of SHAKE128.
const expandWords = 168

func newExpander() *expander { return &expander{h: sha3.NewSHAKE128()} }

// row fills a row modulo the prime of the stated index in Q, then P: the accepted ones of the words, of as many whole
// bytes as q has, little-endian and cut to the number of bits of q, that SHAKE128 gives for a tag, the seed, the digit
// and the index. A word is accepted if it is below q, so at least every second one is. Whole bytes rather than eight
// for every word because the hash is what takes the time: primes of 30 bits expand twice as fast.
func (x *expander) row(seed Seed, digit, prime int, q uint64, row []uint64) {
	x.in = append(append(x.in[:0], "signet/expand/v1"...), seed[:]...)
	x.in = binary.LittleEndian.AppendUint32(x.in, uint32(digit))
	x.in = binary.LittleEndian.AppendUint32(x.in, uint32(prime))
	x.h.Reset()
	x.h.Write(x.in)
	width := bits.Len64(q)
	k, mask := (width+7)/8, uint64(1)<<width-1
	for len(row) > 0 {
		x.h.Read(x.out[:expandWords*k])
		n := 0
		for i := range expandWords {
			v := binary.LittleEndian.Uint64(x.out[i*k:]) & mask
			x.words[n] = v
			n += int(1 - (q-1-v)>>63) // no branch: it would be mispredicted half of the time
		}
		row = row[copy(row, x.words[:n]):]
	}
}
