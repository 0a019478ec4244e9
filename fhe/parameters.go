package fhe

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"math/bits"
	"slices"
	"strings"

	"github.com/signet-ml/signet/fhe/internal/lattice"
	"github.com/signet-ml/signet/fhe/internal/wire"
)

// ParametersLiteral describes a parameter set before it is checked. The primes are either given (Q, P) or found by
// their sizes in bits (LogQ, LogP).
type ParametersLiteral struct {
	LogN int      // log2 of the ring degree N, from 10 to 17
	Q, P []uint64 // prime chain and special primes, each congruent to 1 mod 2N and at most 2^61 + 2^30 (P below 2^61)

	LogQ, LogP []int // sizes of the primes in bits, used if Q is empty; P may be empty if no key is ever needed

	LogDefaultScale int // log2 of the default scale; 0 means the size of the last prime of Q

	Secret       SecretDistribution
	Security     SecurityLevel // the row to be judged by; zero is 128 bits, classical
	SparseSecret bool          // allow Secret.Hamming, which flags the parameters Borderline; no effect without it
}

// Parameters are a validated CKKS parameter set: ring degree, prime chain q_0 … q_L, special primes p_0 … p_k and the
// distribution of the secret. They are immutable, safe for concurrent use, and cost at least 128 bits of security by
// the tables of [BCC24] (see Security). The zero value is unusable.
//
// Version 1 has the standard ring X^N + 1 with N/2 complex slots only.
type Parameters struct{ p *parameters }

type parameters struct {
	lit      ParametersLiteral
	rings    *lattice.Params
	security Security
	roots    []uint64
	encoded  []byte
	digest   Digest
}

// Limits of the wire form.
const (
	maxPrimes          = 64
	maxSpecialPrimes   = 32
	parametersMagic    = "SGPA"
	parametersVersion  = 1
	maxParametersBytes = 4096
	ringStandard       = 0
	flagSparse         = 1
)

// NewParameters finds the primes if need be and returns the parameters, or an error that says what is wrong: a
// *SecurityError if log2(QP) exceeds the row of the tables for (N, secret, level). No flag turns that gate off.
func NewParameters(lit ParametersLiteral) (Parameters, error) { return newParameters(lit, false) }

// newParameters is NewParameters, and for toys without the security gate.
func newParameters(lit ParametersLiteral, toy bool) (Parameters, error) {
	minLogN := 10
	if toy {
		minLogN = 4
	}
	if lit.LogN < minLogN || lit.LogN > 17 {
		return Parameters{}, fmt.Errorf("fhe: parameters: LogN = %d, must lie between %d and 17", lit.LogN, minLogN)
	}
	if lit.Secret.Hamming < 0 || lit.Secret.Hamming > 1<<lit.LogN {
		return Parameters{}, fmt.Errorf("fhe: parameters: a secret of Hamming weight %d does not exist for N = 2^%d", lit.Secret.Hamming, lit.LogN)
	}
	if lit.Secret.Gaussian && lit.Secret.Hamming != 0 {
		return Parameters{}, errors.New("fhe: parameters: a secret is either Gaussian or sparse ternary, not both")
	}
	if lit.Secret.Hamming > 0 && !lit.SparseSecret && !toy {
		return Parameters{}, errors.New("fhe: parameters: a sparse secret needs the option SparseSecret")
	}
	lit.SparseSecret = lit.Secret.Hamming > 0 // one parameter set, one encoding
	if err := lit.findPrimes(); err != nil {
		return Parameters{}, err
	}
	if err := lit.checkPrimes(); err != nil {
		return Parameters{}, err
	}
	if lit.LogDefaultScale == 0 {
		lit.LogDefaultScale = roundLog2(lit.Q[len(lit.Q)-1])
	}
	if lit.LogDefaultScale < 1 || lit.LogDefaultScale > 60 {
		return Parameters{}, fmt.Errorf("fhe: parameters: LogDefaultScale = %d, must lie between 1 and 60", lit.LogDefaultScale)
	}
	p := &parameters{lit: lit}
	level := lit.Security
	if toy {
		level = insecureLevel
	} else if level > Quantum256 {
		return Parameters{}, fmt.Errorf("fhe: parameters: unknown security level %d", level)
	}
	var err error
	p.security, err = judge("parameters", level, lit.LogN, lit.Secret, logProduct(lit.Q, lit.P))
	if err != nil && !toy {
		return Parameters{}, err
	}
	p.lit.Security = level
	p.rings, err = lattice.NewParams(lit.LogN, lit.Q, lit.P, lattice.Secret(lit.Secret), lit.LogDefaultScale)
	if err != nil {
		return Parameters{}, fmt.Errorf("fhe: %w", err)
	}
	p.roots = p.rings.Roots()
	var b bytes.Buffer
	p.encode(wire.NewWriter(&b))
	p.encoded = b.Bytes()
	p.digest = Tagged("signet/parameters/v1", p.encoded)
	return Parameters{p}, nil
}

func (lit *ParametersLiteral) findPrimes() error {
	if len(lit.Q) > 0 {
		lit.Q, lit.P = append([]uint64(nil), lit.Q...), append([]uint64(nil), lit.P...)
		lit.LogQ, lit.LogP = nil, nil
		return nil
	}
	if len(lit.P) > 0 {
		return errors.New("fhe: parameters: P is given but Q is not")
	}
	if err := checkCounts(len(lit.LogQ), len(lit.LogP)); err != nil {
		return err
	}
	taken := make(map[uint64]bool)
	find := func(sizes []int, below func(i int) bool) ([]uint64, error) {
		var out []uint64
		for i, size := range sizes {
			q, err := lattice.Primes(size, lit.LogN+1, 1, below(i), taken)
			if err != nil {
				return nil, fmt.Errorf("fhe: parameters: %w", err)
			}
			out = append(out, q...)
		}
		return out, nil
	}
	// Rescaling primes lie around their power of two so that scales stay near it. The first prime and P lie below:
	// kernels hold for special primes under 2^61, and log2(QP) never exceeds the sum of the sizes by rounding.
	var err error
	if lit.Q, err = find(lit.LogQ, func(i int) bool { return i == 0 }); err != nil {
		return err
	}
	lit.P, err = find(lit.LogP, func(int) bool { return true })
	lit.LogQ, lit.LogP = nil, nil
	return err
}

func (lit *ParametersLiteral) checkPrimes() error {
	if err := checkCounts(len(lit.Q), len(lit.P)); err != nil {
		return err
	}
	seen := make(map[uint64]bool)
	for i, q := range append(append([]uint64(nil), lit.Q...), lit.P...) {
		// Lattigo's transforms hold up to 8q in a word: above 2^61 they overflow, and products are wrong without an
		// error. Just above, where the nearest primes of 61 bits lie, that takes a word within 2^-30 of the largest.
		limit := uint64(1<<61 + 1<<30)
		if i >= len(lit.Q) {
			limit = 1<<61 - 1
		}
		switch {
		case q > limit:
			return fmt.Errorf("fhe: parameters: modulus %d is larger than %d", q, limit)
		case q&(1<<(lit.LogN+1)-1) != 1:
			return fmt.Errorf("fhe: parameters: modulus %d is not 1 mod 2N = 2^%d", q, lit.LogN+1)
		case seen[q]:
			return fmt.Errorf("fhe: parameters: modulus %d appears twice", q)
		}
		seen[q] = true
	}
	return nil
}

func checkCounts(q, p int) error {
	if q == 0 || q > maxPrimes || p > maxSpecialPrimes {
		return fmt.Errorf("fhe: parameters: %d primes in Q and %d in P, need 1 to %d and at most %d", q, p, maxPrimes, maxSpecialPrimes)
	}
	return nil
}

// roundLog2 returns log2(q) rounded to an integer. The default scale may come from it, and that is hashed, so it is
// computed without floats.
func roundLog2(q uint64) int {
	n := bits.Len64(q) - 1
	if hi, lo := bits.Mul64(q, q); 2*n+1 >= 64 && hi>>(2*n+1-64) != 0 || 2*n+1 < 64 && (hi != 0 || lo>>(2*n+1) != 0) {
		return n + 1 // q² ≥ 2^(2n+1)
	}
	return n
}

func logProduct(lists ...[]uint64) float64 {
	var sum float64
	for _, l := range lists {
		for _, q := range l {
			sum += math.Log2(float64(q))
		}
	}
	return sum
}

// LogN returns log2 of the ring degree.
func (p Parameters) LogN() int { return p.p.lit.LogN }

// N returns the ring degree: the number of coefficients of a polynomial, and of words of a limb.
func (p Parameters) N() int { return 1 << p.p.lit.LogN }

// LogMaxSlots returns log2 of the number of complex slots, LogN - 1.
func (p Parameters) LogMaxSlots() int { return p.p.lit.LogN - 1 }

// MaxSlots returns the number of complex slots, N/2.
func (p Parameters) MaxSlots() int { return 1 << (p.p.lit.LogN - 1) }

// MaxLevel returns the level of a fresh ciphertext: the number of primes in Q less one.
func (p Parameters) MaxLevel() int { return len(p.p.lit.Q) - 1 }

// Q returns a copy of the prime chain.
func (p Parameters) Q() []uint64 { return append([]uint64(nil), p.p.lit.Q...) }

// P returns a copy of the special primes.
func (p Parameters) P() []uint64 { return append([]uint64(nil), p.p.lit.P...) }

// Prime returns q_i.
func (p Parameters) Prime(i int) uint64 { return p.p.lit.Q[i] }

// PCount returns the number of special primes.
func (p Parameters) PCount() int { return len(p.p.lit.P) }

// Roots returns the primitive 2N-th root of unity that the NTT uses, for each prime of Q and then of P.
func (p Parameters) Roots() []uint64 { return append([]uint64(nil), p.p.roots...) }

// LogQ returns log2 of the product of the prime chain.
func (p Parameters) LogQ() float64 { return logProduct(p.p.lit.Q) }

// LogP returns log2 of the product of the special primes.
func (p Parameters) LogP() float64 { return logProduct(p.p.lit.P) }

// LogQP returns log2(QP), the number that the security gate judges.
func (p Parameters) LogQP() float64 { return logProduct(p.p.lit.Q, p.p.lit.P) }

// DefaultScale returns 2^LogDefaultScale.
func (p Parameters) DefaultScale() Scale { return PowerOfTwo(p.p.lit.LogDefaultScale) }

// Secret returns the distribution of the secret key.
func (p Parameters) Secret() SecretDistribution { return p.p.lit.Secret }

// Security returns the row by which the parameters were accepted.
func (p Parameters) Security() Security { return p.p.security }

// Insecure reports whether these are toy parameters. They exist in tests only.
func (p Parameters) Insecure() bool { return p.p.lit.Security == insecureLevel }

// CheckKey judges a switching key on its own: RLWE under its output secret, modulo q_0 … q_level and all of P.
func (p Parameters) CheckKey(level int) error {
	if level < 0 || level > p.MaxLevel() {
		return fmt.Errorf("fhe: switching key at level %d, the parameters have levels 0 to %d", level, p.MaxLevel())
	}
	if p.Insecure() {
		return nil
	}
	_, err := judge(fmt.Sprintf("switching key at level %d", level), p.p.lit.Security, p.p.lit.LogN, p.p.lit.Secret,
		logProduct(p.p.lit.Q[:level+1], p.p.lit.P))
	return err
}

// Digest returns the digest of the canonical encoding, which holds every prime and its root of unity.
func (p Parameters) Digest() Digest { return p.p.digest }

// Equal reports whether p and o are the same parameters.
func (p Parameters) Equal(o Parameters) bool {
	return p.p == o.p || p.p != nil && o.p != nil && p.p.digest == o.p.digest
}

// IsZero reports whether p is the zero value.
func (p Parameters) IsZero() bool { return p.p == nil }

// GaloisElement returns the element 5^k mod 2N whose automorphism rotates the slots by k to the left.
func (p Parameters) GaloisElement(k int) uint64 {
	m, mask := uint64(5), uint64(2*p.N()-1)
	k &= p.MaxSlots() - 1
	g := uint64(1)
	for ; k > 0; k >>= 1 {
		if k&1 == 1 {
			g = g * m & mask
		}
		m = m * m & mask
	}
	return g
}

// GaloisElementForConjugation returns 2N - 1, the element of complex conjugation.
func (p Parameters) GaloisElementForConjugation() uint64 { return uint64(2*p.N() - 1) }

// Rotation returns the k in [0, N/2) and whether conjugation is applied too, such that g is 5^k or -5^k mod 2N, and
// false if g is even or not below 2N.
func (p Parameters) Rotation(g uint64) (k int, conj, ok bool) {
	twoN := uint64(2 * p.N())
	if g&1 == 0 || g >= twoN {
		return 0, false, false
	}
	if g&3 == 3 { // powers of 5 are 1 mod 4
		g, conj = twoN-g, true
	}
	// Lift the discrete logarithm bit by bit: 5^(2^i) ≡ 1 + 2^(i+2) mod 2^(i+3).
	x, pow := uint64(1), uint64(5)
	for i := 0; i < p.LogMaxSlots(); i++ {
		if (x^g)>>(i+2)&1 == 1 {
			k |= 1 << i
			x = x * pow & (twoN - 1)
		}
		pow = pow * pow & (twoN - 1)
	}
	return k, conj, x == g
}

// String prints ring degree, chain and security row on one line.
func (p Parameters) String() string {
	if p.p == nil {
		return "Parameters{}"
	}
	size := func(l []uint64) string {
		s := make([]string, len(l))
		for i, q := range l {
			s[i] = fmt.Sprintf("%.0f", math.Log2(float64(q)))
		}
		return strings.Join(s, "+")
	}
	s := fmt.Sprintf("N=2^%d Q=%s", p.LogN(), size(p.p.lit.Q))
	if len(p.p.lit.P) > 0 {
		s += " P=" + size(p.p.lit.P)
	}
	return s + fmt.Sprintf(" [%v]", p.p.security)
}

func (p *parameters) encode(w *wire.Writer) {
	w.Version(parametersMagic, parametersVersion)
	w.U8(uint8(p.lit.LogN))
	w.U8(ringStandard)
	w.U8(uint8(p.lit.Security))
	var flags uint8
	if p.lit.SparseSecret {
		flags |= flagSparse
	}
	w.U8(flags)
	var gaussian uint8
	if p.lit.Secret.Gaussian {
		gaussian = 1
	}
	w.U8(gaussian)
	w.U32(uint32(p.lit.Secret.Hamming))
	w.U8(uint8(p.lit.LogDefaultScale))
	w.U8(uint8(len(p.lit.Q)))
	w.U8(uint8(len(p.lit.P)))
	for _, x := range slices.Concat(p.lit.Q, p.lit.P, p.roots) {
		w.U64(x)
	}
}

// WriteTo writes the wire form.
func (p Parameters) WriteTo(w io.Writer) (int64, error) {
	n, err := w.Write(p.p.encoded)
	return int64(n), err
}

// ReadParameters reads the wire form, at most limit bytes, to the end of r, and passes it through the security gate
// again. Toy parameters are refused, and so is any form but the one that WriteTo writes. Errors are *FormatError or
// *SecurityError. The NTT tables of accepted parameters take 16·N bytes for each prime, up to 200 MB.
func ReadParameters(r io.Reader, limit int64) (Parameters, error) {
	var read bytes.Buffer
	rd := wire.NewReader(io.TeeReader(r, &read), "parameters", min(limit, maxParametersBytes))
	rd.Version(parametersMagic, parametersVersion)
	var lit ParametersLiteral
	lit.LogN = int(rd.U8())
	ringType := rd.U8()
	lit.Security = SecurityLevel(rd.U8())
	flags := rd.U8()
	gaussian := rd.U8()
	lit.Secret.Hamming = int(rd.U32())
	lit.LogDefaultScale = int(rd.U8())
	nq, np := int(rd.U8()), int(rd.U8())
	if rd.Err() == nil {
		switch {
		case ringType != ringStandard:
			rd.Fail("ring type %d; version 1 has the standard ring only", ringType)
		case flags&^flagSparse != 0 || gaussian > 1:
			rd.Fail("unknown flags")
		case nq == 0 || nq > maxPrimes || np > maxSpecialPrimes:
			rd.Fail("%d and %d primes", nq, np)
		case lit.Security == insecureLevel:
			rd.Fail("toy parameters, which are insecure, are not accepted from outside")
		}
	}
	lit.SparseSecret, lit.Secret.Gaussian = flags&flagSparse != 0, gaussian == 1
	if rd.Err() != nil {
		return Parameters{}, rd.Err()
	}
	words := make([]uint64, 2*(nq+np))
	for i := range words {
		words[i] = rd.U64()
	}
	rd.End()
	if rd.Err() != nil {
		return Parameters{}, rd.Err()
	}
	lit.Q, lit.P = words[:nq:nq], words[nq:nq+np:nq+np]
	roots := words[nq+np:]
	p, err := NewParameters(lit)
	if err != nil {
		var sec *SecurityError
		if errors.As(err, &sec) {
			return Parameters{}, err
		}
		return Parameters{}, &FormatError{Kind: "parameters", Reason: "invalid", Err: err}
	}
	for i, psi := range p.p.roots {
		if roots[i] != psi {
			return Parameters{}, &FormatError{Kind: "parameters", Reason: fmt.Sprintf("root of unity %d of prime %d is not the one that Signet uses", roots[i], i)}
		}
	}
	if !bytes.Equal(p.p.encoded, read.Bytes()) {
		return Parameters{}, &FormatError{Kind: "parameters", Reason: "not in canonical form"}
	}
	return p, nil
}
