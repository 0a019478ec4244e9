// Package lattice is the only code that imports Lattigo: rings, encoders and the arithmetic of RNS limbs that the
// engines of this module are built from. A move to a later major version of Lattigo is a change of this folder.
//
// Everything here is public arithmetic. What touches a secret key lives in the package secret below, which no code
// that runs on a server may reach. Known defects of Lattigo v5.0.7 are worked around here, each with a test.
package lattice

import (
	"fmt"
	"sync"

	"github.com/tuneinsight/lattigo/v5/core/rlwe"
	"github.com/tuneinsight/lattigo/v5/he/hefloat"
	"github.com/tuneinsight/lattigo/v5/ring"
)

// SubRing is Z_q[X]/(X^N+1) for one prime q, with its NTT tables.
type SubRing = ring.SubRing

// Secret describes the distribution of a secret key.
type Secret struct {
	Gaussian bool // σ = 3.2, instead of ternary
	Hamming  int  // ternary with this many non-zero coefficients; 0 means uniform ternary (P = 2/3)
}

// Params are the rings of one parameter set. They are immutable and safe for concurrent use.
type Params struct {
	CKKS  hefloat.Parameters
	rings []*SubRing // Q, then P
	nq    int
	small func() (hefloat.Parameters, error)
}

// smallLogN is the ring of Small. Lattigo's smallest is 2^4.
const smallLogN = 5

// Small returns parameters of the same primes and default scale over the ring of 2^5 coefficients, for circuits of
// which only levels and scales matter. They are built once: their rings need the factors of every q-1.
func (p *Params) Small() (hefloat.Parameters, error) { return p.small() }

// NewParams builds the rings for the primes q and p. It checks shape and primality, not security.
func NewParams(logN int, q, p []uint64, secret Secret, logScale int) (*Params, error) {
	var xs ring.DistributionParameters = ring.Ternary{P: 2.0 / 3}
	switch {
	case secret.Gaussian:
		xs = ring.DiscreteGaussian{Sigma: rlwe.DefaultNoise, Bound: rlwe.DefaultNoise * 6}
	case secret.Hamming > 0:
		xs = ring.Ternary{H: secret.Hamming}
	}
	lit := hefloat.ParametersLiteral{
		LogN: logN, Q: q, P: p, Xs: xs, RingType: ring.Standard, LogDefaultScale: logScale,
	}
	if len(p) == 0 {
		lit.P = nil
	}
	ckks, err := hefloat.NewParametersFromLiteral(lit)
	if err != nil {
		return nil, fmt.Errorf("lattice: parameters: %w", err)
	}
	ps := &Params{CKKS: ckks, nq: len(q)}
	ps.small = sync.OnceValues(func() (hefloat.Parameters, error) {
		lit := hefloat.ParametersLiteral{LogN: smallLogN, LogDefaultScale: ckks.LogDefaultScale()}
		lit.Q, lit.P = append(lit.Q, ckks.Q()...), append(lit.P, ckks.P()...)
		return hefloat.NewParametersFromLiteral(lit)
	})
	ps.rings = append(ps.rings, ckks.RingQ().SubRings...)
	if len(p) > 0 {
		ps.rings = append(ps.rings, ckks.RingP().SubRings...)
	}
	return ps, nil
}

// N returns the ring degree.
func (ps *Params) N() int { return ps.CKKS.N() }

// MaxLevel returns the highest level.
func (ps *Params) MaxLevel() int { return ps.nq - 1 }

// PCount returns the number of special primes.
func (ps *Params) PCount() int { return len(ps.rings) - ps.nq }

// RingQ returns the sub-ring of prime q_i.
func (ps *Params) RingQ(i int) *SubRing { return ps.rings[i] }

// RingP returns the sub-ring of special prime p_i.
func (ps *Params) RingP(i int) *SubRing { return ps.rings[ps.nq+i] }

// Row returns the sub-ring of row i of a QP polynomial at a level: level+1 rows of Q, then the rows of P.
func (ps *Params) Row(level, i int) *SubRing {
	if i <= level {
		return ps.rings[i]
	}
	return ps.rings[ps.nq+i-level-1]
}

// Rows returns the number of rows of a QP polynomial at a level.
func (ps *Params) Rows(level int) int { return level + 1 + ps.PCount() }

// Digits returns the number of decomposition digits at a level.
func (ps *Params) Digits(level int) int {
	return (level + ps.PCount()) / ps.PCount()
}

// Roots returns, for every prime of Q and then of P, the primitive 2N-th root of unity ψ of its NTT.
func (ps *Params) Roots() []uint64 {
	out := make([]uint64, len(ps.rings))
	half := ps.N() >> 1
	for i, s := range ps.rings {
		// RootsForward[brev(j)] = ψ^j in Montgomery form, so ψ itself lies at brev(1) = N/2.
		out[i] = ring.IMForm(s.RootsForward[half], s.Modulus, s.MRedConstant)
	}
	return out
}

// GaloisElement returns 5^k mod 2N, the element that rotates slots by k to the left.
func (ps *Params) GaloisElement(k int) uint64 { return ps.CKKS.GaloisElement(k) }
