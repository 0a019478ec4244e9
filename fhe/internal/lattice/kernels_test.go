package lattice

import (
	"fmt"
	"math/big"
	"slices"
	"testing"

	"github.com/tuneinsight/lattigo/v5/ring"
)

func rowsOf(count int, f func() []uint64) [][]uint64 {
	out := make([][]uint64, count)
	for i := range out {
		out[i] = f()
	}
	return out
}

// dot returns Σ a[k][j]·b[k][j]·2^-64 mod q.
func dot(a, b [][]uint64, j int, q uint64) uint64 {
	sum := new(big.Int)
	for k := range a {
		sum.Add(sum, new(big.Int).Mul(bigOf(a[k][j]), bigOf(b[k][j])))
	}
	return montgomery(sum, q)
}

// TestKeyDot sums 1 to 20 digits, all of the largest products among them: sums that fold once, several times, and at
// their last term.
func TestKeyDot(t *testing.T) {
	const n, off, width = 16, 3, 11 // an odd piece in the middle of a row
	eachEdgePrime(t, n, func(t *testing.T, s *SubRing) {
		q, rng := s.Modulus, newRand(6)
		for digits := 1; digits <= 20; digits++ {
			for round := range 4 {
				row := func() []uint64 { return words(rng, n, q) }
				if round == 0 {
					row = func() []uint64 { return constant(n, q-1) }
				}
				a, k, out := rowsOf(digits, row), rowsOf(digits, row), make([]uint64, width)
				KeyDot(s, a, k, off, out)
				for j, got := range out {
					if want := dot(a, k, off+j, q); got != want {
						t.Fatalf("%d digits, word %d: %d, want %d", digits, j, got, want)
					}
				}
			}
		}
	})
}

// TestAcc sums up to several hundred products, by Mul, MulGather, Mul2 and mulScalar in turn.
func TestAcc(t *testing.T) {
	const n = 16
	eachEdgePrime(t, n, func(t *testing.T, s *SubRing) {
		q, rng := s.Modulus, newRand(7)
		perm := NewAutomorphism(n, 5)
		var acc Acc
		for _, count := range []int{0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 63, 64, 65, 300, 700} {
			for round := range 3 {
				acc.Reset(n)
				sums := rowsOfBig(n)
				for k := range count {
					a, x := words(rng, n, q), words(rng, n, q)
					if round == 0 {
						a, x = constant(n, q-1), constant(n, q-1)
					}
					switch k % 4 {
					case 0:
						acc.Mul(s, a, x)
					case 1:
						// x is a window of the row that begins at base.
						const base = 100
						index := make(Automorphism, n)
						y := make([]uint64, n)
						for j := range index {
							index[j] = perm[j] + base
							y[perm[j]] = x[j]
						}
						acc.MulGather(s, a, y, index, base)
						turned := make([]uint64, n)
						if Gather(y, index, base, turned); !slices.Equal(turned, x) {
							t.Fatalf("gathered %v, want %v", turned, x)
						}
					case 2:
						b, y := words(rng, n, q), constant(n, q-1)
						acc.Mul2(s, b, y, a, x)
						for j := range sums {
							sums[j].Add(sums[j], new(big.Int).Mul(bigOf(b[j]), bigOf(y[j])))
						}
					default:
						a = constant(n, a[0])
						acc.mulScalar(s, x, a[0])
					}
					for j := range sums {
						sums[j].Add(sums[j], new(big.Int).Mul(bigOf(a[j]), bigOf(x[j])))
					}
				}
				out := make([]uint64, n)
				acc.Reduce(s, out)
				for j := range out {
					if want := montgomery(sums[j], q); out[j] != want {
						t.Fatalf("%d products, word %d: %d, want %d", count, j, out[j], want)
					}
				}
			}
		}
	})
}

func rowsOfBig(n int) []*big.Int {
	out := make([]*big.Int, n)
	for i := range out {
		out[i] = new(big.Int)
	}
	return out
}

// TestAccFold fills an accumulator with as many of the largest products as it holds, makes it fold to every size of
// high word, and fills it again. A folded sum may exceed terms(q) products by a part of one: where 2^64/q has a larger
// fraction than its square, counting it as terms(q) lets the next fill overflow.
func TestAccFold(t *testing.T) {
	const n = 256
	eachEdgePrime(t, 16, func(t *testing.T, s *SubRing) {
		q, rng := s.Modulus, newRand(8)
		c := capacity(q)
		if c > 1000 {
			t.Skip("holds more products than a program has")
		}
		var acc Acc
		acc.Reset(n)
		sums := rowsOfBig(n)
		full := constant(n, q-1)
		for k := range 4*c + 1 {
			a := full
			if k%c == 0 {
				a = make([]uint64, n)
				for j := range a {
					a[j] = rng.Uint64N(q)
				}
			}
			products := int64(1)
			if k/c%2 == 0 {
				acc.Mul(s, a, full)
			} else {
				acc.Mul2(s, a, full, a, full)
				products = 2
			}
			for j := range sums {
				sum := new(big.Int).Mul(bigOf(a[j]), bigOf(q-1))
				sums[j].Add(sums[j], sum.Mul(sum, big.NewInt(products)))
			}
		}
		out := make([]uint64, n)
		acc.Reduce(s, out)
		for j := range out {
			if want := montgomery(sums[j], q); out[j] != want {
				t.Fatalf("word %d: %d, want %d", j, out[j], want)
			}
		}
	})
}

func TestAddGather(t *testing.T) {
	const n = 64
	eachEdgePrime(t, n, func(t *testing.T, s *SubRing) {
		q, rng := s.Modulus, newRand(9)
		perm := NewAutomorphism(n, 2*n-1)
		x, out := words(rng, n, q), words(rng, n, q)
		x[0], out[perm[0]] = q-1, q-1
		was := append([]uint64(nil), out...)
		AddGather(s, x, perm, 0, out)
		for j := range out {
			want := new(big.Int).Add(bigOf(was[j]), bigOf(x[perm[j]]))
			if want.Mod(want, bigOf(q)); out[j] != want.Uint64() {
				t.Fatalf("word %d: %d, want %v", j, out[j], want)
			}
		}
	})
}

// TestCombine covers sums in one word, sums in one word by pieces, and sums in two words; numbers of outputs that are
// not multiples of four, odd numbers of operands, and pieces of a row.
func TestCombine(t *testing.T) {
	const n = 512
	shapes := []struct{ operands, rows, lo, hi int }{{1, 1, 0, 8}, {2, 4, 0, n}, {3, 5, 256, 300}, {7, 4, 3, 260}, {9, 9, 0, 16}, {33, 6, 0, 8}, {1000, 5, 500, 504}}
	eachEdgePrime(t, n, func(t *testing.T, s *SubRing) {
		q, rng := s.Modulus, newRand(10)
		for _, sh := range shapes {
			for _, bits := range []int{1, 8, 31} {
				for _, extreme := range []bool{true, false} {
					limit := int64(1)<<bits - 1
					w := make([]int64, sh.operands*sh.rows)
					for i := range w {
						switch {
						case !extreme:
							w[i] = rng.Int64N(2*limit+1) - limit
						case i/sh.operands%3 == 0:
							w[i] = limit // all of one sign: the largest sum
						case i/sh.operands%3 == 1:
							w[i] = -limit
						default:
							w[i] = limit * int64(1-2*(i%2))
						}
					}
					checkCombine(t, s, sh.operands, sh.rows, sh.lo, sh.hi, w, func() []uint64 {
						if extreme {
							return constant(n, q-1)
						}
						return words(rng, n, q)
					}, fmt.Sprintf("%d operands, %d rows, [%d, %d), weights of %d bits, extreme=%v", sh.operands, sh.rows, sh.lo, sh.hi, bits, extreme))
				}
			}
		}
	})
}

// TestCombineLargest is the largest matrix product that a program may state: 4,096 operands of the largest words and
// weights.
func TestCombineLargest(t *testing.T) {
	const n, k = 16, 4096
	eachEdgePrime(t, n, func(t *testing.T, s *SubRing) {
		w := make([]int64, 5*k)
		for i := range w {
			w[i] = 1<<31 - 1
			if i/k == 3 {
				w[i] = -w[i]
			}
		}
		full := constant(n, s.Modulus-1)
		checkCombine(t, s, k, 5, 8, 16, w, func() []uint64 { return full }, "largest")
	})
}

func checkCombine(t *testing.T, s *SubRing, k, rows, lo, hi int, w []int64, row func() []uint64, what string) {
	t.Helper()
	x := rowsOf(k, row)
	n := len(x[0])
	const untouched = 12345
	out := rowsOf(rows, func() []uint64 { return constant(n, untouched) })
	Combine(s, x, w, rows, lo, hi, out)
	m, term := bigOf(s.Modulus), new(big.Int)
	for r := range rows {
		for _, j := range []int{lo, lo + 1, (lo + hi) / 2, hi - 1} {
			sum := new(big.Int)
			for i := range x {
				sum.Add(sum, term.Mul(big.NewInt(w[r*k+i]), term.SetUint64(x[i][j])))
			}
			if sum.Mod(sum, m); out[r][j] != sum.Uint64() {
				t.Fatalf("%s: row %d, word %d is %d, want %v", what, r, j, out[r][j], sum)
			}
		}
		for j, v := range out[r] {
			if (j < lo || j >= hi) && v != untouched {
				t.Fatalf("%s: row %d, word %d outside the piece was written", what, r, j)
			}
		}
	}
}

// TestRescaleRow compares with exact division by the last prime, rounded, in the coefficient domain, and with Lattigo.
// The last prime is larger than the others, and smaller.
func TestRescaleRow(t *testing.T) {
	const n = 64
	primes := edgePrimes(t, n)
	primes = primes[2 : len(primes)-1] // those that transforms are made for
	for last, top := range primes {
		q := append(append([]uint64(nil), primes[:last]...), primes[last+1:]...)
		q = append(q, top)
		r := rings(t, n, q...)
		rng := newRand(uint64(20 + last))
		lastRing := r.SubRings[len(q)-1]
		c := r.NewPoly() // coefficients
		for round := range 4 {
			for i, s := range r.SubRings {
				copy(c.Coeffs[i], words(rng, n, s.Modulus))
			}
			if round == 0 { // beside the tie
				for j := range n {
					c.Coeffs[len(q)-1][j] = top/2 + uint64(j%4) - 1
				}
			}
			ntt := r.NewPoly()
			for i, s := range r.SubRings {
				s.NTT(c.Coeffs[i], ntt.Coeffs[i])
			}
			z, tmp, out := make([]uint64, n), make([]uint64, n), make([]uint64, n)
			lastRing.INTT(ntt.Coeffs[len(q)-1], z)
			RescalePre(lastRing, z)
			lattigo := r.AtLevel(len(q) - 2).NewPoly()
			r.DivRoundByLastModulusNTT(ntt, r.NewPoly(), lattigo)
			for i, s := range r.SubRings[:len(q)-1] {
				what := fmt.Sprintf("last prime %d, row of %d", top, s.Modulus)
				RescaleRow(s, lastRing, z, ntt.Coeffs[i], InverseMod(s, top), tmp, out)
				equalRows(t, what+", Lattigo", out, lattigo.Coeffs[i])
				// (c - x)/q_L for the residue x of c of smallest magnitude.
				m := bigOf(s.Modulus)
				inv := new(big.Int).ModInverse(bigOf(top), m)
				want := make([]uint64, n)
				for j := range want {
					x := bigOf(c.Coeffs[len(q)-1][j])
					if x.Cmp(bigOf(top/2)) > 0 {
						x.Sub(x, bigOf(top))
					}
					x.Sub(bigOf(c.Coeffs[i][j]), x)
					want[j] = x.Mod(x.Mul(x, inv), m).Uint64()
				}
				s.INTT(out, out)
				equalRows(t, what, out, want)
			}
		}
	}
}

// TestAutomorphism compares with Lattigo's index and checks the two properties that engines and kernels rely on:
// aligned blocks map onto aligned blocks, and the permutation is that of the polynomial X → X^g.
func TestAutomorphism(t *testing.T) {
	for _, logN := range []int{4, 7, 11} {
		n := 1 << logN
		r := rings(t, n, primeBelow(t, 1<<50, n))
		s := r.SubRings[0]
		for _, g := range []uint64{1, 5, 25, uint64(2*n - 1), uint64(2*n - 5), 3, uint64(n + 1)} {
			perm := NewAutomorphism(n, g)
			want, err := ring.AutomorphismNTTIndex(n, uint64(2*n), g)
			if err != nil {
				t.Fatal(err)
			}
			for j := range want {
				if uint64(perm[j]) != want[j] {
					t.Fatalf("N=%d, g=%d: index %d is %d, want %d", n, g, j, perm[j], want[j])
				}
			}
			for b := 1; b <= n; b *= 2 {
				for lo := 0; lo < n; lo += b {
					base := int(perm[lo]) &^ (b - 1)
					seen := make([]bool, b)
					for _, k := range perm[lo : lo+b] {
						if i := int(k) - base; i < 0 || i >= b || seen[i] {
							t.Fatalf("N=%d, g=%d: block of %d words at %d leaves the block at %d", n, g, b, lo, base)
						} else {
							seen[i] = true
						}
					}
				}
			}
			poly := r.NewPoly()
			copy(poly.Coeffs[0], words(newRand(g), n, s.Modulus))
			image := r.NewPoly()
			r.Automorphism(poly, g, image)
			r.NTT(poly, poly)
			r.NTT(image, image)
			out := make([]uint64, n)
			perm.Apply(poly.Coeffs[0], out)
			equalRows(t, fmt.Sprintf("N=%d, g=%d", n, g), out, image.Coeffs[0])
		}
	}
}
