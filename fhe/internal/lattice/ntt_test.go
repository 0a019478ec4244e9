package lattice

import (
	"math/big"
	"testing"
)

// TestNTT multiplies by way of the transform and compares with the product of polynomials. Lattigo's lazy butterflies
// hold up to 8q, so they are right for primes up to 2^61 only; parameters take no others.
func TestNTT(t *testing.T) {
	const n = 64
	eachEdgePrime(t, n, func(t *testing.T, s *SubRing) {
		q, m, rng := s.Modulus, bigOf(s.Modulus), newRand(11)
		if q > 1<<61+1<<30 {
			t.Skip("no parameters have this prime")
		}
		for round := range 8 {
			a, b := words(rng, n, q), words(rng, n, q)
			if round == 0 {
				a, b = constant(n, q-1), constant(n, q-1)
			}
			want := make([]uint64, n)
			for k := range want {
				sum := new(big.Int)
				for i := range a {
					if j := k - i; j >= 0 {
						sum.Add(sum, new(big.Int).Mul(bigOf(a[i]), bigOf(b[j])))
					} else {
						sum.Sub(sum, new(big.Int).Mul(bigOf(a[i]), bigOf(b[j+n])))
					}
				}
				want[k] = sum.Mod(sum, m).Uint64()
			}
			s.NTT(a, a)
			s.NTT(b, b)
			s.MForm(a, a)
			s.MulCoeffsMontgomery(a, b, a)
			s.INTT(a, a)
			equalRows(t, "product", a, want)
		}
	})
}
