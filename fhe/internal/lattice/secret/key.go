// Package secret is the only code of this module that hands a secret key to Lattigo: generation of secret and switching
// keys, encryption under the secret key, decryption, and the audit of switching keys.
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
	"github.com/tuneinsight/lattigo/v5/utils/sampling"
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
		return expand(ps, uniformTernary(ps.N()))
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

// uniformTernary draws n independent coefficients from {-1, 0, 1}, each with probability 1/3, by rejection of pairs of
// bits. Lattigo's sampler for this distribution uses the bit that gave one coefficient its sign again as the first bit
// of the next one: after -1 a zero follows with probability 0.04, after +1 with 0.62 [measured, 2^20 pairs]. That is not
// the distribution that the security tables assume.
func uniformTernary(n int) []int8 {
	prng, err := sampling.NewPRNG()
	if err != nil {
		panic(fmt.Sprintf("secret: no randomness: %v", err))
	}
	out := make([]int8, 0, n)
	buf := make([]byte, 1024)
	for {
		if _, err := io.ReadFull(prng, buf); err != nil {
			panic(fmt.Sprintf("secret: no randomness: %v", err))
		}
		for _, b := range buf {
			for range 4 {
				// A rejected pair says nothing about those that are kept.
				if v := b & 3; v != 3 {
					if out = append(out, int8(v)-1); len(out) == n {
						return out
					}
				}
				b >>= 2
			}
		}
	}
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

// Coefficients returns a copy of the coefficients.
func (k *Key) Coefficients() []int8 { return append([]int8(nil), k.m().coeffs...) }

// SwitchingKey returns rows [digit][part][Q, then P][N] of a fresh switching key modulo q_0 … q_level and all special
// primes: the relinearisation key for Galois element 0, else the Galois key. Part 0 is b = -a·s_out + e + P·w·s_in, part
// 1 is a. For relinearisation s_in = s² and s_out = s; for the element g, s_in = s and s_out = s(X^(1/g)), so that the
// automorphism comes after the key switch, as in Lattigo. Both levels are always stated, and LevelP is the highest.
func (key *Key) SwitchingKey(galois uint64, level int) ([][2][][]uint64, error) {
	k := key.m()
	p := k.ps.CKKS
	if err := k.checkSwitchingKey(galois, level); err != nil {
		return nil, err
	}
	levelP := p.MaxLevelP()
	at := rlwe.EvaluationKeyParameters{LevelQ: &level, LevelP: &levelP}
	// A generator of its own for every key: its PRNG is seeded with 64 fresh bytes, its buffers are shared with nobody.
	kg := rlwe.NewKeyGenerator(p)
	var g rlwe.GadgetCiphertext
	if galois == 0 {
		g = kg.GenRelinearizationKeyNew(k.sk, at).GadgetCiphertext
	} else {
		g = kg.GenGaloisKeyNew(galois, k.sk, at).GadgetCiphertext
	}
	out := make([][2][][]uint64, len(g.Value))
	for d := range g.Value {
		if len(g.Value[d]) != 1 || len(g.Value[d][0]) != 2 {
			panic("secret: a switching key has one pair of polynomials per digit")
		}
		for part := range out[d] {
			poly := g.Value[d][0][part]
			rows := append(append(make([][]uint64, 0, k.ps.Rows(level)), poly.Q.Coeffs...), poly.P.Coeffs...)
			for i, row := range rows {
				k.ps.Row(level, i).IMForm(row, row)
			}
			out[d][part] = rows
		}
	}
	return out, nil
}

func (k *material) checkSwitchingKey(galois uint64, level int) error {
	twoN := uint64(2 * k.ps.N())
	switch {
	case k.ps.PCount() == 0:
		return fmt.Errorf("secret: switching key under parameters without special primes")
	case level < 0 || level > k.ps.MaxLevel():
		return fmt.Errorf("secret: switching key at level %d, the parameters have levels 0 to %d", level, k.ps.MaxLevel())
	case galois != 0 && (galois&1 == 0 || galois >= twoN || galois == 1):
		return fmt.Errorf("secret: Galois key for the element %d, want an odd one from 3 to %d", galois, twoN-1)
	}
	return nil
}

// residues writes small coefficients as a row modulo the prime of s.
func residues(s *lattice.SubRing, coeffs []int8, row []uint64) {
	for j, c := range coeffs {
		// The sign bit extends to a mask: q is added to negative coefficients, without a branch.
		row[j] = uint64(int64(c)) + s.Modulus&uint64(int64(c)>>63)
	}
}

// centre lifts c in [0, q) to (-q/2, q/2].
func centre(c, q uint64) int64 {
	if c > q/2 {
		return -int64(q - c)
	}
	return int64(c)
}
