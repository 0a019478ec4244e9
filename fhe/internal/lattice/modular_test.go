package lattice

import (
	"math/big"
	"testing"

	"github.com/tuneinsight/lattigo/v5/ring"
)

// TestReductions compares the scalar reductions with math/big over their whole range, not only over residues.
func TestReductions(t *testing.T) {
	eachEdgePrime(t, 16, func(t *testing.T, s *SubRing) {
		q, qinv, u, m := s.Modulus, s.MRedConstant, s.BRedConstant[0], bigOf(s.Modulus)
		if u != ^uint64(0)/q {
			t.Fatalf("u is %d, want ⌊2^64/q⌋ = %d", u, ^uint64(0)/q)
		}
		rng := newRand(1)
		any := func() uint64 {
			switch rng.IntN(6) {
			case 0:
				return ^uint64(0) - rng.Uint64N(3)
			case 1: // beside a multiple of q, where a quotient that is one off shows
				return rng.Uint64N(^uint64(0)/q)*q + rng.Uint64N(3) - 1
			case 2:
				return rng.Uint64N(3)
			}
			return rng.Uint64()
		}
		for range 2000 {
			x := any()
			if got := reduce(x, q, u); got != x%q {
				t.Fatalf("reduce(%d) is %d, want %d", x, got, x%q)
			}
			hi, lo := word(rng, q), any()
			sum := new(big.Int).Lsh(bigOf(hi), 64)
			sum.Add(sum, bigOf(lo))
			if got, want := redc(hi, lo, q, qinv), montgomery(sum, q); got != want {
				t.Fatalf("redc(%d, %d) is %d, want %d", hi, lo, got, want)
			}
			// mred takes any x·y < q·2^64: a word and a residue.
			y := word(rng, q)
			prod := new(big.Int).Mul(bigOf(x), bigOf(y))
			if got, want := mred(x, y, q, qinv), montgomery(prod, q); got != want {
				t.Fatalf("mred(%d, %d) is %d, want %d", x, y, got, want)
			}
			if got, want := mred(y, MForm(s, hi), q, qinv), new(big.Int).Mod(new(big.Int).Mul(bigOf(y), bigOf(hi)), m).Uint64(); got != want {
				t.Fatalf("%d·%d is %d, want %d", y, hi, got, want)
			}
		}
	})
}

// TestHeadroom checks terms and capacity, which say when accumulators must fold, against their definitions for sums of
// the largest products.
func TestHeadroom(t *testing.T) {
	for _, q := range edgePrimes(t, 16) {
		sq := new(big.Int).Mul(bigOf(q-1), bigOf(q-1))
		n, c := terms(q), capacity(q)
		if high := new(big.Int).Rsh(new(big.Int).Mul(sq, big.NewInt(int64(n))), 64); high.Cmp(bigOf(q)) >= 0 {
			t.Errorf("q=%d: %d terms have the high word %v", q, n, high)
		}
		if sum := new(big.Int).Mul(sq, big.NewInt(int64(c))); sum.BitLen() > 128 {
			t.Errorf("q=%d: %d products take %d bits", q, c, sum.BitLen())
		}
		if c <= n+1 && c < 1<<20 || n < 4 || c < 15 {
			t.Errorf("q=%d: %d terms, capacity %d", q, n, c)
		}
	}
}

func TestNeg(t *testing.T) {
	eachEdgePrime(t, 16, func(t *testing.T, s *SubRing) {
		q := s.Modulus
		x := []uint64{0, 1, q / 2, q/2 + 1, q - 1}
		out := make([]uint64, len(x))
		Neg(s, x, out)
		equalRows(t, "Neg", out, []uint64{0, q - 1, q/2 + 1, q / 2, 1})
		Neg(s, out, out) // in place
		equalRows(t, "Neg of Neg", out, x)
	})
}

// TestHalves checks the operations with a constant for each half of a row.
func TestHalves(t *testing.T) {
	eachEdgePrime(t, 16, func(t *testing.T, s *SubRing) {
		q, m, rng := s.Modulus, bigOf(s.Modulus), newRand(2)
		for _, c := range [][2]uint64{{0, 0}, {q - 1, q - 1}, {q - 1, 0}, {1, q - 1}, {word(rng, q), word(rng, q)}} {
			x := words(rng, 16, q)
			sum, prod, mac := make([]uint64, 16), make([]uint64, 16), words(rng, 16, q)
			was := append([]uint64(nil), mac...)
			AddScalar(s, x, c[0], c[1], sum)
			MulScalar(s, x, MForm(s, c[0]), MForm(s, c[1]), prod)
			AddMul(s, x, MForm(s, c[0]), mac)
			for i := range x {
				k := bigOf(c[i/8])
				want := new(big.Int).Add(bigOf(x[i]), k)
				if sum[i] != want.Mod(want, m).Uint64() {
					t.Fatalf("AddScalar(%d, %v) is %d", x[i], k, sum[i])
				}
				if prod[i] != want.Mod(want.Mul(bigOf(x[i]), k), m).Uint64() {
					t.Fatalf("MulScalar(%d, %v) is %d", x[i], k, prod[i])
				}
				want.Mul(bigOf(x[i]), bigOf(c[0]))
				if mac[i] != want.Mod(want.Add(want, bigOf(was[i])), m).Uint64() {
					t.Fatalf("AddMul(%d, %d) on %d is %d", x[i], c[0], was[i], mac[i])
				}
			}
		}
	})
}

func TestTensor(t *testing.T) {
	eachEdgePrime(t, 16, func(t *testing.T, s *SubRing) {
		q, m, rng := s.Modulus, bigOf(s.Modulus), newRand(3)
		for round := range 50 {
			var x [4][]uint64
			for i := range x {
				if x[i] = words(rng, 16, q); round == 0 {
					x[i] = constant(16, q-1)
				}
			}
			var z [3][]uint64
			for i := range z {
				z[i] = make([]uint64, 16)
			}
			Tensor(s, x[0], x[1], x[2], x[3], z[0], z[1], z[2])
			for j := range 16 {
				mul := func(a, b int) *big.Int { return new(big.Int).Mul(bigOf(x[a][j]), bigOf(x[b][j])) }
				mid := mul(0, 3)
				mid.Add(mid, mul(1, 2))
				for k, want := range []*big.Int{mul(0, 2), mid, mul(1, 3)} {
					if z[k][j] != want.Mod(want, m).Uint64() {
						t.Fatalf("part %d is %d, want %v", k, z[k][j], want)
					}
				}
			}
		}
	})
}

// TestInverseMod also feeds it numbers above the prime: P mod q may be given unreduced.
func TestInverseMod(t *testing.T) {
	eachEdgePrime(t, 16, func(t *testing.T, s *SubRing) {
		q, rng := s.Modulus, newRand(4)
		for _, x := range []uint64{1, 2, q - 1, q + 1, rng.Uint64N(q-1) + 1, ^uint64(0)} {
			if x%q == 0 {
				continue
			}
			want := MForm(s, new(big.Int).ModInverse(bigOf(x%q), bigOf(q)).Uint64())
			if got := InverseMod(s, x); got != want {
				t.Errorf("InverseMod(%d) is %d, want %d", x, got, want)
			}
		}
	})
}

func TestSubMul(t *testing.T) {
	eachEdgePrime(t, 16, func(t *testing.T, s *SubRing) {
		q, m, rng := s.Modulus, bigOf(s.Modulus), newRand(5)
		for range 20 {
			x, y, c, out := words(rng, 16, q), words(rng, 16, q), word(rng, q), make([]uint64, 16)
			SubMul(s, x, y, MForm(s, c), out)
			for i := range out {
				want := new(big.Int).Sub(bigOf(x[i]), bigOf(y[i]))
				if want.Mod(want.Mul(want, bigOf(c)), m); out[i] != want.Uint64() {
					t.Fatalf("(%d - %d)·%d is %d, want %v", x[i], y[i], c, out[i], want)
				}
			}
		}
	})
}

// TestPrimesProperties: size, congruence, order, and that nothing taken comes again.
func TestPrimesProperties(t *testing.T) {
	for _, size := range []int{28, 36, 40, 45, 55, 60, 61} {
		for _, below := range []bool{true, false} {
			taken := map[uint64]bool{}
			first, err := Primes(size, 17, 3, below, taken)
			if err != nil {
				t.Fatal(err)
			}
			more, err := Primes(size, 17, 3, below, taken)
			if err != nil {
				t.Fatal(err)
			}
			all := append(append([]uint64(nil), first...), more...)
			seen := map[uint64]bool{}
			centre := uint64(1) << size
			distance := func(q uint64) uint64 { return max(q, centre) - min(q, centre) }
			for i, q := range all {
				switch {
				case seen[q] || !taken[q]:
					t.Errorf("size %d: %d comes twice, or is not marked as taken", size, q)
				case !ring.IsPrime(q) || q&(1<<17-1) != 1:
					t.Errorf("size %d: %d is no prime that is 1 mod 2^17", size, q)
				case below && q >= centre, float64(q) < 0.7*float64(centre), float64(q) > 1.42*float64(centre):
					t.Errorf("size %d: %d is out of range", size, q)
				case i > 0 && distance(q) < distance(all[i-1]):
					t.Errorf("size %d: %d is nearer than %d before it", size, q, all[i-1])
				}
				seen[q] = true
			}
			again, err := Primes(size, 17, 6, below, map[uint64]bool{})
			if err != nil {
				t.Fatal(err)
			}
			equalRows(t, "the same search", again, all)
		}
	}
}
