package lattice

import (
	"math/big"

	"github.com/tuneinsight/lattigo/v5/utils/bignum"
)

// approximationPrecision is the precision, in bits, at which polynomials are fitted.
const approximationPrecision = 128

// Chebyshev returns the coefficients in the Chebyshev basis of the polynomial that interpolates f at the degree + 1
// Chebyshev nodes of [a, b]. It computes with big floats only, so the same f gives the same bits on every machine.
func Chebyshev(f func(x *big.Float) *big.Float, a, b float64, degree int) []*big.Float {
	interval := bignum.Interval{Nodes: degree}
	interval.A.SetPrec(approximationPrecision).SetFloat64(a)
	interval.B.SetPrec(approximationPrecision).SetFloat64(b)
	p := bignum.ChebyshevApproximation(f, interval)
	out := make([]*big.Float, len(p.Coeffs))
	for i, c := range p.Coeffs {
		out[i] = c[0]
	}
	return out
}
