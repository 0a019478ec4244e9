package secret

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"slices"

	"github.com/signet-ml/signet/fhe/internal/lattice"
)

// AuditError says which limb of a switching key failed which check. It holds nothing secret.
type AuditError struct {
	Galois     uint64 // 0 for the relinearisation key
	Digit, Row int    // Row counts the primes of Q up to the key's level, then P
	Check      error  // ErrUnmasked, ErrNoise, ErrReused
}

func (e *AuditError) Error() string {
	return fmt.Sprintf("secret: audit of the key for element %d, digit %d, row %d: %v", e.Galois, e.Digit, e.Row, e.Check)
}

func (e *AuditError) Unwrap() error { return e.Check }

// The checks of an audit.
var (
	ErrUnmasked = errors.New("the secret is not masked: b less the payload is small or structured")
	ErrNoise    = errors.New("b is not -a·s + e + payload with one error e of the parameters' distribution")
	ErrReused   = errors.New("a is used twice")
)

// Audit limits. A uniform residue row fails the χ² test with 255 degrees of freedom with probability below 10^-11
// (Wilson–Hilferty), so an honest key of 10^4 limbs does with less than 10^-7.
const (
	chiLow, chiHigh = 110.0, 450.0
	chiMinN         = 512 // below, 256 buckets say nothing
	errorBound      = 19  // 6σ = 19.2, rounded to an integer
)

// Audit checks rows [digit][part][Q, then P][N] of a switching key in every limb: that the payload is masked, that the
// noise is that of a fresh encryption, is the same integer polynomial in every limb, and that no a occurs twice.
// It shares no arithmetic with the generator but the NTT. It takes half as long as generating the key [measured, N =
// 2^14].
func (key *Key) Audit(galois uint64, level int, limbs [][2][][]uint64) error {
	k := key.m()
	if err := k.checkSwitchingKey(galois, level); err != nil {
		return err
	}
	ps, rows := k.ps, k.ps.Rows(level)
	if len(limbs) != ps.Digits(level) {
		return fmt.Errorf("secret: audit: %d digits, want %d", len(limbs), ps.Digits(level))
	}
	for _, digit := range limbs {
		for _, part := range digit {
			if len(part) != rows || slices.ContainsFunc(part, func(row []uint64) bool { return len(row) != ps.N() }) {
				return errors.New("secret: audit: a polynomial has the wrong shape")
			}
		}
	}
	p := big.NewInt(1)
	for i := range ps.PCount() {
		p.Mul(p, new(big.Int).SetUint64(ps.RingP(i).Modulus))
	}
	out := k.coeffs
	if galois != 0 {
		out = automorphism(k.coeffs, inverse(galois))
	}
	// The outer loop runs over rows, so that the secrets' rows are made once.
	noise := make([][]int8, len(limbs))
	sOut, payload, v := make([]uint64, ps.N()), make([]uint64, ps.N()), make([]uint64, ps.N())
	for i := range rows {
		s := ps.Row(level, i)
		residues(s, out, sOut)
		s.NTT(sOut, sOut)
		s.MForm(sOut, sOut)
		if i <= level {
			residues(s, k.coeffs, payload)
			s.NTT(payload, payload)
			if galois == 0 {
				s.MulCoeffsBarrett(payload, payload, payload)
			}
			s.MulScalarMontgomery(payload, lattice.MForm(s, lattice.ResidueBig(p, s.Modulus)), payload)
		}
		for d, digit := range limbs {
			fail := func(check error) error { return &AuditError{galois, d, i, check} }
			b, a := digit[0][i], digit[1][i]
			for e := range d {
				if slices.Equal(a, limbs[e][1][i]) {
					return fail(ErrReused)
				}
			}
			v := v
			if i <= level && i/ps.PCount() == d {
				s.Sub(b, payload, v)
			} else {
				copy(v, b)
			}
			masked := make([]uint64, len(v))
			s.INTT(v, masked)
			if !uniform(masked, s.Modulus) {
				return fail(ErrUnmasked)
			}
			s.MulCoeffsMontgomeryThenAdd(a, sOut, v)
			s.INTT(v, v)
			e, ok := small(v, s.Modulus)
			if !ok || noise[d] != nil && !slices.Equal(e, noise[d]) {
				return fail(ErrNoise)
			}
			noise[d] = e
		}
	}
	return nil
}

// uniform reports whether the residues fill [0, q): the largest centred one lies within two bits of q, and a χ² test
// over 256 buckets passes.
func uniform(row []uint64, q uint64) bool {
	var buckets [256]float64
	var largest uint64
	for _, c := range row {
		largest = max(largest, min(c, q-c))
		buckets[min(255, int(float64(c)/float64(q)*256))]++
	}
	if len(row) < chiMinN {
		return largest >= q>>4
	}
	chi, want := 0.0, float64(len(row))/256
	for _, n := range buckets {
		chi += (n - want) * (n - want) / want
	}
	return largest >= q>>2 && chiLow < chi && chi < chiHigh
}

// small returns the centred residues if they look like errors: at most 6σ, and of the right standard deviation.
func small(row []uint64, q uint64) ([]int8, bool) {
	out, sum := make([]int8, len(row)), 0.0
	for j, c := range row {
		x := centre(c, q)
		if x > errorBound || x < -errorBound {
			return nil, false
		}
		out[j] = int8(x)
		sum += float64(x * x)
	}
	std := math.Sqrt(sum / float64(len(row)))
	return out, len(row) < chiMinN && std > 0 || 2.5 < std && std < 4
}

// automorphism returns the coefficients of c(X^g).
func automorphism(c []int8, g uint64) []int8 {
	n := uint64(len(c))
	out := make([]int8, n)
	for i, x := range c {
		if j := uint64(i) * g & (2*n - 1); j >= n {
			out[j-n] = -x
		} else {
			out[j] = x
		}
	}
	return out
}

// inverse returns 1/g modulo 2^64, and so modulo every smaller power of two, for odd g: Newton's iteration doubles the
// number of correct bits, of which an odd g is its own inverse's first three.
func inverse(g uint64) uint64 {
	x := g
	for range 5 {
		x *= 2 - g*x
	}
	return x
}
