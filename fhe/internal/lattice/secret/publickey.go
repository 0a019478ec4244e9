package secret

import (
	"fmt"
	"io"
	"math/big"

	"github.com/signet-ml/signet/fhe/internal/lattice"
	"github.com/tuneinsight/lattigo/v5/ring"
)

// PublicKey returns the two halves of a fresh public key modulo all of Q and P: rows b = -a·s + e, with an error of
// standard deviation 3.2, the same in every row, and a, expanded from a fresh seed.
func (key *Key) PublicKey() (b [][]uint64, a *lattice.Expansion) {
	k := key.m()
	ps, level := k.ps, k.ps.MaxLevel()
	a = ps.ExpandPublicKey(lattice.NewSeed())
	e := make([]int8, ps.N())
	newGaussian(ps).draw(e)
	b = make([][]uint64, ps.Rows(level))
	for i := range b {
		s, row := ps.Row(level, i), make([]uint64, ps.N())
		residues(s, e, row)
		s.NTT(row, row)
		s.MulCoeffsMontgomeryThenSub(a.Rows(0)[i], k.row(i), row)
		b[i] = row
	}
	clear(e)
	return b, a
}

// PublicEncryptor encrypts under a public key. It holds scratch and random streams of its own: one goroutine at a time.
type PublicEncryptor struct {
	f func() *publicEncryptor // see Key: who sees the scratch can decrypt
}

type publicEncryptor struct {
	ps      *lattice.Params
	key     [2][][]uint64 // b and a: all rows of Q, then P
	ternary *ternary
	gauss   *gaussian
	e       []int8
	u       [][]uint64 // NTT domain, Montgomery form
	m, t    []uint64

	// The division by P, which is 1 without special primes.
	conv      *lattice.Conversion // P to Q, or nil
	x         [][]uint64          // rows of P
	over      []uint8
	target    []*lattice.ConversionTarget
	negP, inv []uint64 // -P and 1/P modulo each prime of Q, Montgomery form
}

// NewPublicEncryptor returns an encryptor under the public key of rows b and a, all of Q and then P, with freshly
// seeded streams. It only reads them.
func NewPublicEncryptor(ps *lattice.Params, b, a [][]uint64) *PublicEncryptor {
	row := func() []uint64 { return make([]uint64, ps.N()) }
	e := &publicEncryptor{ps: ps, key: [2][][]uint64{b, a}, ternary: newTernary(), gauss: newGaussian(ps), e: make([]int8, ps.N()), m: row(), t: row()}
	for range b {
		e.u = append(e.u, row())
	}
	p, special := big.NewInt(1), []*lattice.SubRing{}
	for i := range ps.PCount() {
		special = append(special, ps.RingP(i))
		p.Mul(p, new(big.Int).SetUint64(ps.RingP(i).Modulus))
		e.x = append(e.x, row())
	}
	if len(special) > 0 {
		e.conv, e.over = lattice.NewConversion(special), make([]uint8, ps.N())
	}
	for i := range ps.MaxLevel() + 1 {
		s := ps.RingQ(i)
		r := lattice.ResidueBig(p, s.Modulus)
		e.negP, e.inv = append(e.negP, lattice.MForm(s, s.Modulus-r)), append(e.inv, lattice.InverseMod(s, r))
		if e.conv != nil {
			e.target = append(e.target, e.conv.Target(s))
		}
	}
	return &PublicEncryptor{func() *publicEncryptor { return e }}
}

// Format hides the scratch from every verb of package fmt.
func (e PublicEncryptor) Format(f fmt.State, _ rune) {
	io.WriteString(f, "secret.PublicEncryptor(hidden)")
}

// Encrypt returns limbs [2][level+1][N] of a fresh encryption of the polynomial in X^(N/len(coeffs)) with the stated
// integer coefficients: (u·b + e_0, u·a + e_1), modulo the primes up to level and P, divided by P and rounded, plus the
// message. u is uniformly ternary; e_0 and e_1 have standard deviation 3.2. Without special primes nothing is divided.
// The caller checks that the message, with noise of magnitude PublicNoise, fits the modulus.
func (enc *PublicEncryptor) Encrypt(coeffs []int64, level int) ([][][]uint64, error) {
	e := enc.f()
	ps := e.ps
	if err := checkPlaintext(ps, coeffs, level); err != nil {
		return nil, err
	}
	u := e.ternary.draw(ps.N())
	for i := range ps.Rows(level) {
		s := ps.Row(level, i)
		residues(s, u, e.u[i])
		s.NTT(e.u[i], e.u[i])
		s.MForm(e.u[i], e.u[i])
	}
	out := make([][][]uint64, 2)
	for part := range out {
		e.gauss.draw(e.e)
		for i, x := range e.x {
			s := ps.RingP(i)
			s.MulCoeffsMontgomery(e.key[part][ps.MaxLevel()+1+i], e.u[level+1+i], x)
			s.INTT(x, x)
			addResidues(s, e.e, x)
		}
		if e.conv != nil {
			e.conv.Source(e.x, e.over, 0, ps.N())
		}
		out[part] = make([][]uint64, level+1)
		for i := range out[part] {
			// (u·b + e_0 + P·m - r)/P for the centred residue r modulo P, all but the first as one row to transform.
			s, row := ps.RingQ(i), make([]uint64, ps.N())
			s.MulCoeffsMontgomery(e.key[part][i], e.u[i], row)
			if e.conv != nil {
				e.target[i].Write(e.x, e.over, e.t)
			} else {
				clear(e.t)
			}
			residues(s, e.e, e.m)
			s.Sub(e.t, e.m, e.t)
			if part == 0 {
				lattice.Expand(s, coeffs, e.m)
				lattice.AddMul(s, e.m, e.negP[i], e.t)
			}
			s.NTT(e.t, e.t)
			lattice.SubMul(s, row, e.t, e.inv[i], row)
			out[part][i] = row
		}
	}
	e.wipe(u)
	return out, nil
}

// wipe clears what would decrypt the ciphertext that was just made.
func (e *publicEncryptor) wipe(u []int8) {
	clear(u)
	clear(e.e)
	clear(e.m)
	clear(e.t)
	for _, row := range append(e.u, e.x...) {
		clear(row)
	}
}

// PublicNoise returns a bound of the magnitude of the noise of a fresh encryption under a public key: of u·e + e_1·s +
// e_0, or of the P-th part of that and of the rounding of both parts.
func PublicNoise(ps *lattice.Params) int64 {
	n, s := int64(ps.N()), int64(1) // s bounds a coefficient of the secret
	if _, ok := ps.CKKS.Xs().(ring.DiscreteGaussian); ok {
		s = errorBound
	}
	noise := errorBound * (n + n*s + 1)
	if ps.PCount() > 0 {
		noise = noise/int64(ps.RingP(0).Modulus) + 1 + (1+n*s)/2 + 1
	}
	return noise
}
