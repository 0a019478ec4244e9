package lattice

import (
	"fmt"
	"math"
	"math/big"

	"github.com/tuneinsight/lattigo/v5/he/hefloat"
	"github.com/tuneinsight/lattigo/v5/ring"
)

// FFT holds the roots of the canonical embedding. It is safe for concurrent use.
type FFT struct{ ecd *hefloat.Encoder }

// NewFFT precomputes the embedding's roots of unity in double precision.
func (ps *Params) NewFFT() *FFT { return &FFT{hefloat.NewEncoder(ps.CKKS, 53)} }

// Coefficients turns 2^logSlots slot values, in place, into coefficients: the real parts are those of
// X^0, X^g, X^2g …, the imaginary parts follow, with gap g = N / 2^(logSlots+1).
func (f *FFT) Coefficients(values []complex128, logSlots int) error {
	return f.ecd.IFFT(values, logSlots)
}

// Slots is the inverse of Coefficients.
func (f *FFT) Slots(values []complex128, logSlots int) error {
	return f.ecd.FFT(values, logSlots)
}

// Expand writes the signed coefficients of a polynomial in X^gap as one row modulo the prime of s, in the coefficient
// domain. len(row) must be a multiple of len(coeffs); the gap is their quotient.
func Expand(s *SubRing, coeffs []int64, row []uint64) {
	gap := len(row) / len(coeffs)
	if gap > 1 {
		clear(row)
	}
	q := s.Modulus
	for j, c := range coeffs {
		row[j*gap] = Residue(c, q)
	}
}

// Residue returns c mod q in [0, q).
func Residue(c int64, q uint64) uint64 {
	if c >= 0 {
		return uint64(c) % q
	}
	if r := -uint64(c) % q; r != 0 {
		return q - r
	}
	return 0
}

// ResidueBig returns c mod q in [0, q).
func ResidueBig(c *big.Int, q uint64) uint64 {
	m := new(big.Int).SetUint64(q)
	return m.Mod(c, m).Uint64()
}

// MForm returns x·2^64 mod q.
func MForm(s *SubRing, x uint64) uint64 { return ring.MForm(x, s.Modulus, s.BRedConstant) }

// ConstResidues returns the residues of the polynomial a + b·X^(N/2) in the NTT domain: the first value fills the
// first half of a row, the second the second half.
func ConstResidues(s *SubRing, a, b *big.Int) (first, second uint64) {
	q := s.Modulus
	ra, rb := ResidueBig(a, q), uint64(0)
	if b != nil && b.Sign() != 0 {
		// RootsForward[1] = ψ^(N/2) in Montgomery form.
		rb = ring.MRed(ResidueBig(b, q), s.RootsForward[1], q, s.MRedConstant)
	}
	return ring.CRed(ra+rb, q), ring.CRed(ra+q-rb, q)
}

// Centered returns the coefficients of a polynomial, given by its rows modulo q_0 … q_level in the coefficient
// domain, lifted to (-Q/2, Q/2] and divided by scale.
func (ps *Params) Centered(rows [][]uint64, scale *big.Float) []float64 {
	level := len(rows) - 1
	out := make([]float64, len(rows[0]))
	if level == 0 {
		q := ps.rings[0].Modulus
		sc, _ := scale.Float64()
		for j, c := range rows[0] {
			if c > q/2 {
				out[j] = -float64(q-c) / sc
			} else {
				out[j] = float64(c) / sc
			}
		}
		return out
	}
	q := big.NewInt(1)
	for i := 0; i <= level; i++ {
		q.Mul(q, new(big.Int).SetUint64(ps.rings[i].Modulus))
	}
	half := new(big.Int).Rsh(q, 1)
	basis := make([]*big.Int, level+1)
	for i := range basis {
		qi := new(big.Int).SetUint64(ps.rings[i].Modulus)
		m := new(big.Int).Div(q, qi)
		inv := new(big.Int).ModInverse(m, qi)
		basis[i] = m.Mul(m, inv)
	}
	sum, t, f := new(big.Int), new(big.Int), new(big.Float).SetPrec(128)
	for j := range out {
		sum.SetUint64(0)
		for i, row := range rows {
			sum.Add(sum, t.Mul(basis[i], t.SetUint64(row[j])))
		}
		if sum.Mod(sum, q); sum.Cmp(half) > 0 {
			sum.Sub(sum, q)
		}
		f.SetInt(sum)
		out[j], _ = f.Quo(f, scale).Float64()
	}
	return out
}

// RoundInt64 rounds x half away from zero and fails if it is not finite or does not fit 62 bits.
func RoundInt64(x float64) (int64, error) {
	if math.IsNaN(x) || math.Abs(x) >= 1<<62 {
		return 0, fmt.Errorf("lattice: coefficient %g does not fit 62 bits", x)
	}
	return int64(math.Round(x)), nil
}
