package commit

import (
	"encoding/binary"
	"hash"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"golang.org/x/crypto/sha3"
)

// A Transcript hashes a tag and what follows with Keccak-256, as one row of 32-byte big-endian words: what a contract
// can recompute with abi.encode. Its methods return it, so that calls can be chained. It is not safe for concurrent
// use.
type Transcript struct{ h hash.Hash }

// NewTranscript returns a transcript whose first word is the Keccak-256 digest of tag.
func NewTranscript(tag string) *Transcript {
	return (&Transcript{h: sha3.NewLegacyKeccak256()}).Text(tag)
}

// Word appends one word.
func (t *Transcript) Word(w [32]byte) *Transcript {
	t.h.Write(w[:])
	return t
}

// Text appends the Keccak-256 digest of s as one word.
func (t *Transcript) Text(s string) *Transcript {
	h := sha3.NewLegacyKeccak256()
	h.Write([]byte(s))
	return t.Word([32]byte(h.Sum(nil)))
}

// Uint appends x as one word.
func (t *Transcript) Uint(x uint64) *Transcript {
	var w [32]byte
	binary.BigEndian.PutUint64(w[24:], x)
	return t.Word(w)
}

// Int appends x + 2^63 as one word.
func (t *Transcript) Int(x int64) *Transcript { return t.Uint(uint64(x) ^ 1<<63) }

// Element appends the canonical value of x as one word.
func (t *Transcript) Element(x fr.Element) *Transcript { return t.Word(x.Bytes()) }

// Point appends the coordinates X and Y as two words; the point at infinity is two zero words.
func (t *Transcript) Point(p bn254.G1Affine) *Transcript {
	return t.Word(p.X.Bytes()).Word(p.Y.Bytes())
}

// PointG2 appends four words, imaginary parts first: X.A1, X.A0, Y.A1, Y.A0, the order of the pairing precompile.
func (t *Transcript) PointG2(p bn254.G2Affine) *Transcript {
	return t.Word(p.X.A1.Bytes()).Word(p.X.A0.Bytes()).Word(p.Y.A1.Bytes()).Word(p.Y.A0.Bytes())
}

// Sum returns the digest of what was appended so far. More may be appended afterwards.
func (t *Transcript) Sum() [32]byte { return [32]byte(t.h.Sum(nil)) }

// Challenge returns the digest without its last byte as an integer: 248 bits, always below the field's modulus.
func (t *Transcript) Challenge() fr.Element {
	sum := t.Sum()
	var x fr.Element
	x.SetBytes(sum[:31])
	return x
}
