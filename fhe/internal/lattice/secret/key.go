// Package secret is the only code of this module that handles secret keys: generation of secret, switching and public
// keys, encryption under secret and public keys, decryption, and the audit of switching keys.
//
// Only fhe/client and fhe/threshold import it, and nothing that runs on a server reaches it; the layering test enforces
// both. It speaks in raw limbs, in the form that fhe.Ciphertext and fhe.EvaluationKey hold: NTT domain, not Montgomery.
//
// It judges no security: the caller asks fhe.Parameters.CheckKey first. It is not constant-time throughout.
package secret

import (
	"fmt"
	"io"
	"math"

	"github.com/signet-ml/signet/fhe/internal/lattice"
	"github.com/tuneinsight/lattigo/v5/core/rlwe"
	"github.com/tuneinsight/lattigo/v5/ring"
)

// Key is a secret key. It is immutable and safe for concurrent use, and prints as a fixed string.
type Key struct {
	// A function, because package fmt calls no method of an unexported field, and for a verb that does not fit follows
	// the field's pointer and prints what it finds. It follows no function.
	m func() *material
}

type material struct {
	ps     *lattice.Params
	coeffs []int8
	sk     *rlwe.SecretKey // modulo all of Q and P, NTT domain, Montgomery form
}

func (m *material) key() *Key { return &Key{func() *material { return m }} }

// Format hides the key from every verb of package fmt.
func (k Key) Format(f fmt.State, _ rune) { io.WriteString(f, "secret.Key(hidden)") }

// Generate returns a fresh key of the parameters' distribution. Its randomness is a BLAKE2b stream under 64 bytes of
// crypto/rand.
func Generate(ps *lattice.Params) *Key {
	x, ok := ps.CKKS.Xs().(ring.Ternary)
	if ok && x.H == 0 {
		return expand(ps, newTernary().draw(ps.N()))
	}
	k := &material{ps: ps, sk: rlwe.NewKeyGenerator(ps.CKKS).GenSecretKeyNew(), coeffs: make([]int8, ps.N())}
	s := ps.RingQ(0)
	row := make([]uint64, ps.N())
	s.IMForm(k.sk.Value.Q.Coeffs[0], row)
	s.INTT(row, row)
	for j, c := range row {
		k.coeffs[j] = int8(centre(c, s.Modulus))
	}
	return k.key()
}

// FromCoefficients returns the key with the stated coefficients, which it copies. It fails if they cannot have been
// drawn from the parameters' distribution: a value outside its support, another Hamming weight, or a second moment that
// is ten standard deviations off. A key of zeros encrypts nothing.
func FromCoefficients(ps *lattice.Params, coeffs []int8) (*Key, error) {
	if len(coeffs) != ps.N() {
		return nil, fmt.Errorf("secret: %d coefficients, want %d", len(coeffs), ps.N())
	}
	sum, largest := 0, 0
	for _, c := range coeffs {
		x := int(c)
		sum += x * x
		largest = max(largest, x, -x)
	}
	n := float64(len(coeffs))
	var limit, hamming int
	var mean, std float64 // of the sum of squares
	switch x := ps.CKKS.Xs().(type) {
	case ring.Ternary:
		limit, hamming = 1, x.H
		mean, std = n*2/3, math.Sqrt(n*2/9)
	case ring.DiscreteGaussian:
		limit = int(x.Bound)
		v := x.Sigma*x.Sigma + 1.0/12
		mean, std = n*v, math.Sqrt(2*n)*v
	default:
		return nil, fmt.Errorf("secret: unknown distribution %T", x)
	}
	switch {
	case largest > limit:
		return nil, fmt.Errorf("secret: a coefficient is outside the distribution's support")
	case hamming > 0 && sum != hamming:
		return nil, fmt.Errorf("secret: the Hamming weight is not %d", hamming)
	case hamming == 0 && math.Abs(float64(sum)-mean) > 10*std, sum == 0:
		return nil, fmt.Errorf("secret: the coefficients were not drawn from the distribution")
	}
	return expand(ps, append([]int8(nil), coeffs...)), nil
}

// expand takes ownership of coeffs.
func expand(ps *lattice.Params, coeffs []int8) *Key {
	k := &material{ps: ps, coeffs: coeffs, sk: rlwe.NewSecretKey(ps.CKKS)}
	for i := range ps.Rows(ps.MaxLevel()) {
		s := ps.Row(ps.MaxLevel(), i)
		row := k.row(i)
		residues(s, coeffs, row)
		s.NTT(row, row)
		s.MForm(row, row)
	}
	return k.key()
}

// row returns the key's row modulo the i-th prime of Q, then P.
func (k *material) row(i int) []uint64 {
	if q := k.sk.Value.Q.Coeffs; i < len(q) {
		return q[i]
	} else {
		return k.sk.Value.P.Coeffs[i-len(q)]
	}
}

// rowAt returns the key's row modulo the i-th prime of Q up to level, then P.
func (k *material) rowAt(level, i int) []uint64 {
	if i > level {
		i += k.ps.MaxLevel() - level
	}
	return k.row(i)
}

// Coefficients returns a copy of the coefficients.
func (k *Key) Coefficients() []int8 { return append([]int8(nil), k.m().coeffs...) }

// residues writes small coefficients as a row modulo the prime of s.
func residues(s *lattice.SubRing, coeffs []int8, row []uint64) {
	for j, c := range coeffs {
		// The sign bit extends to a mask: q is added to negative coefficients, without a branch.
		row[j] = uint64(int64(c)) + s.Modulus&uint64(int64(c)>>63)
	}
}

// addResidues adds small coefficients to a row modulo the prime of s.
func addResidues(s *lattice.SubRing, coeffs []int8, row []uint64) {
	q := s.Modulus
	for j, c := range coeffs {
		r := row[j] + uint64(int64(c)) + q&uint64(int64(c)>>63)
		r -= q
		row[j] = r + q&uint64(int64(r)>>63) // q < 2^62: the top bit says that r was below q
	}
}

// centre lifts c in [0, q) to (-q/2, q/2].
func centre(c, q uint64) int64 {
	if c > q/2 {
		return -int64(q - c)
	}
	return int64(c)
}
