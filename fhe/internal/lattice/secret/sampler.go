package secret

import (
	"fmt"
	"io"

	"github.com/signet-ml/signet/fhe/internal/lattice"
	"github.com/tuneinsight/lattigo/v5/core/rlwe"
	"github.com/tuneinsight/lattigo/v5/ring"
	"github.com/tuneinsight/lattigo/v5/utils/sampling"
)

// newStream returns a BLAKE2b stream under 64 fresh bytes of crypto/rand.
func newStream() *sampling.KeyedPRNG {
	prng, err := sampling.NewPRNG()
	if err != nil {
		panic(fmt.Sprintf("secret: no randomness: %v", err))
	}
	return prng
}

// gaussian draws error polynomials: rounded Gaussian coefficients of standard deviation 3.2, at most 19 in magnitude.
// It has a stream of its own, and is for one goroutine at a time.
type gaussian struct {
	sampler *ring.GaussianSampler
	poly    ring.Poly // one row, modulo q_0
	q       uint64
}

func newGaussian(ps *lattice.Params) *gaussian {
	r := ps.CKKS.RingQ().AtLevel(0)
	x := ring.DiscreteGaussian{Sigma: rlwe.DefaultNoise, Bound: 6 * rlwe.DefaultNoise}
	return &gaussian{ring.NewGaussianSampler(newStream(), r, x, false), r.NewPoly(), ps.RingQ(0).Modulus}
}

// draw fills out with one polynomial.
func (g *gaussian) draw(out []int8) {
	g.sampler.Read(g.poly)
	for j, c := range g.poly.Coeffs[0] {
		out[j] = int8(centre(c, g.q))
	}
	clear(g.poly.Coeffs[0])
}

// ternary draws independent coefficients from {-1, 0, 1}, each with probability 1/3, by rejection of pairs of bits.
// Lattigo's sampler for this distribution uses the bit that gave one coefficient its sign again as the first bit of the
// next one: after -1 a zero follows with probability 0.04, after +1 with 0.62 [measured, 2^20 pairs]. That is not the
// distribution that the security tables assume.
type ternary struct{ prng io.Reader }

func newTernary() *ternary { return &ternary{newStream()} }

func (t *ternary) draw(n int) []int8 {
	out := make([]int8, 0, n)
	buf := make([]byte, 1024)
	for {
		if _, err := io.ReadFull(t.prng, buf); err != nil {
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
