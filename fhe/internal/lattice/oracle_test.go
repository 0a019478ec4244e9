package lattice

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/tuneinsight/lattigo/v5/ring"
)

// Tests of kernels compare with math/big, which knows nothing of words, and with Lattigo's ring package, whose bits are
// the contract. Random words alone would never meet the limits of the kernels: every row has the edges of [0, q) in it.

// edgePrimes are primes that are 1 mod 2n: at both sides of 2^62, 2^61 and 2^60, where headroom changes by one product,
// small ones, and one whose accumulators fold at an awkward place (see TestAccFold).
func edgePrimes(tb testing.TB, n int) []uint64 {
	tb.Helper()
	return []uint64{
		primeBelow(tb, 1<<62, n), primeAbove(tb, 1<<62*40/49, n), primeAbove(tb, 1<<61, n), primeBelow(tb, 1<<61, n),
		primeAbove(tb, 1<<60, n), primeBelow(tb, 1<<60, n), primeBelow(tb, 1<<54, n), primeBelow(tb, 1<<45, n),
		primeBelow(tb, 1<<28, n), primeAbove(tb, uint64(2*n), n),
	}
}

func primeBelow(tb testing.TB, bound uint64, n int) uint64 {
	tb.Helper()
	m := uint64(2 * n)
	for q := (bound-2)/m*m + 1; q > m; q -= m {
		if ring.IsPrime(q) {
			return q
		}
	}
	tb.Fatalf("no prime below %d that is 1 mod %d", bound, m)
	return 0
}

func primeAbove(tb testing.TB, bound uint64, n int) uint64 {
	tb.Helper()
	m := uint64(2 * n)
	for q := (bound+m-1)/m*m + 1; ; q += m {
		if ring.IsPrime(q) {
			return q
		}
	}
}

// rings returns the sub-rings of Z[X]/(X^n+1) for distinct primes.
func rings(tb testing.TB, n int, primes ...uint64) *ring.Ring {
	tb.Helper()
	r, err := ring.NewRing(n, primes)
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

func eachEdgePrime(t *testing.T, n int, f func(t *testing.T, s *SubRing)) {
	for _, q := range edgePrimes(t, n) {
		t.Run(fmt.Sprintf("q=%d", q), func(t *testing.T) { f(t, rings(t, n, q).SubRings[0]) })
	}
}

func newRand(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 7)) }

// word returns a word below q, an edge of the range as often as not.
func word(rng *rand.Rand, q uint64) uint64 {
	edges := [...]uint64{0, 1, 2, q/2 - 1, q / 2, q/2 + 1, q - 2, q - 1}
	if i := rng.IntN(2 * len(edges)); i < len(edges) {
		return edges[i] % q
	}
	return rng.Uint64N(q)
}

func words(rng *rand.Rand, n int, q uint64) []uint64 {
	out := make([]uint64, n)
	for i := range out {
		out[i] = word(rng, q)
	}
	return out
}

func constant(n int, w uint64) []uint64 {
	out := make([]uint64, n)
	for i := range out {
		out[i] = w
	}
	return out
}

func bigOf(x uint64) *big.Int { return new(big.Int).SetUint64(x) }

// montgomery returns x·2^-64 mod q.
func montgomery(x *big.Int, q uint64) uint64 {
	m := bigOf(q)
	inv := new(big.Int).ModInverse(new(big.Int).Lsh(big.NewInt(1), 64), m)
	return inv.Mul(inv, x).Mod(inv, m).Uint64()
}

func equalRows(t *testing.T, what string, got, want []uint64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d words, want %d", what, len(got), len(want))
	}
	for i := range want {
		if got[i] != want[i] {
			t.Fatalf("%s: word %d is %d, want %d", what, i, got[i], want[i])
		}
	}
}
