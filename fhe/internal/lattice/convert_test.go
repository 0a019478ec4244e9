package lattice

import (
	"fmt"
	"math/big"
	"testing"

	"github.com/tuneinsight/lattigo/v5/ring"
)

// besideTies returns residues of integers modulo the product of the primes: every other one lies within 64 of half the
// product, where the overflow count is decided by the rounding of doubles, the rest anywhere.
func besideTies(seed uint64, n int, primes []uint64) (rows [][]uint64, x []*big.Int) {
	rng := newRand(seed)
	d := big.NewInt(1)
	for _, q := range primes {
		d.Mul(d, bigOf(q))
	}
	half := new(big.Int).Rsh(d, 1)
	rows = rowsOf(len(primes), func() []uint64 { return make([]uint64, n) })
	for i := range n {
		v := new(big.Int)
		switch {
		case i%2 == 0:
			v.Add(half, big.NewInt(int64(i%128)-64))
		case i < 8:
			v.SetInt64(int64(i - 4))
		default:
			for range primes {
				v.Lsh(v, 64)
				v.Add(v, bigOf(rng.Uint64()))
			}
		}
		v.Mod(v, d)
		x = append(x, v)
		for j, q := range primes {
			rows[j][i] = ResidueBig(v, q)
		}
	}
	return rows, x
}

var conversions = []struct {
	name string
	q, p []int // sizes of primes in bits
}{
	{"d=1", []int{55, 45, 40}, []int{60}},
	{"d=1, wide", []int{61, 61, 60}, []int{61}},
	{"d=2", []int{60, 50, 40, 45, 39}, []int{61, 60}},
	{"d=3", []int{55, 45, 45, 49, 45, 45, 45, 45}, []int{61, 61, 60}},
	{"d=3, small", []int{30, 29, 28, 31}, []int{33, 32, 31}},
	{"d=5", []int{60, 58, 57, 56, 55, 54, 53}, []int{61, 61, 61, 61, 61}},
}

func conversionParams(t *testing.T, q, p []int) *Params {
	t.Helper()
	taken := map[uint64]bool{}
	find := func(sizes []int, below bool) (out []uint64) {
		for _, size := range sizes {
			f, err := Primes(size, 9, 1, below, taken)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, f...)
		}
		return out
	}
	ps, err := NewParams(8, find(q, false), find(p, true), Secret{}, 40)
	if err != nil {
		t.Fatal(err)
	}
	return ps
}

func moduli(s []*SubRing) (out []uint64) {
	for _, r := range s {
		out = append(out, r.Modulus)
	}
	return out
}

func copyRows(rows [][]uint64) (out [][]uint64) {
	for _, r := range rows {
		out = append(out, append([]uint64(nil), r...))
	}
	return out
}

// TestDecomposition compares every digit at every level with Lattigo's Decomposer, bit for bit, beside ties: where
// exact arithmetic would give other bits. [The contract is Lattigo's bits, not the true floor.]
func TestDecomposition(t *testing.T) {
	for _, c := range conversions {
		t.Run(c.name, func(t *testing.T) {
			ps := conversionParams(t, c.q, c.p)
			ringQ, ringP := ps.CKKS.RingQ(), ps.CKKS.RingP()
			dec := ring.NewDecomposer(ringQ, ringP)
			k, n := ps.PCount(), ps.N()
			inexact := 0
			for level := range ps.MaxLevel() + 1 {
				for d := range ps.Digits(level) {
					lo, hi := d*k, min(d*k+k, level+1)
					src := ps.rings[lo:hi]
					rows, x := besideTies(uint64(100*level+d), n, moduli(src))
					in := ringQ.NewPoly()
					for i, r := range rows {
						copy(in.Coeffs[lo+i], r)
					}
					outQ, outP := ringQ.NewPoly(), ringP.NewPoly()
					dec.DecomposeAndSplit(level, k-1, k, d, in, outQ, outP)

					conv, v := NewConversion(src), make([]uint8, n)
					y := copyRows(rows)
					if len(src) > 1 {
						// In pieces, as engines do.
						for _, piece := range [][2]int{{0, n / 4}, {n / 4, n - 8}, {n - 8, n}} {
							conv.Source(y, v, piece[0], piece[1])
						}
					}
					for i := range ps.Rows(level) {
						s := ps.Row(level, i)
						want := outQ.Coeffs[min(i, level)]
						if i > level {
							want = outP.Coeffs[i-level-1]
						}
						got := make([]uint64, n)
						switch {
						case i >= lo && i < hi:
							continue // a digit's own rows are copied, not converted
						case len(src) == 1:
							Center(rows[0], src[0].Modulus, s, got)
							// Lattigo leaves the prime where the residue of a negative value is 0.
							want = canonical(want, s.Modulus)
						default:
							conv.Target(s).Write(y, v, got)
						}
						equalRows(t, fmt.Sprintf("level %d, digit %d, row %d", level, d, i), got, canonical(want, s.Modulus))
						for j := range got {
							if got[j] != centred(x[j], conv.d, s.Modulus) {
								inexact++
							}
						}
					}
				}
			}
			if k > 1 && inexact == 0 {
				t.Error("no value lies where rounding decides: the test shows nothing")
			}
		})
	}
}

func canonical(row []uint64, q uint64) []uint64 {
	out := make([]uint64, len(row))
	for i, v := range row {
		out[i] = v % q
	}
	return out
}

// centred returns x, or x - d if x ≥ d/2, modulo q.
func centred(x, d *big.Int, q uint64) uint64 {
	if x.Cmp(new(big.Int).Rsh(d, 1)) >= 0 {
		x = new(big.Int).Sub(x, d)
	}
	return ResidueBig(x, q)
}

// TestModDown composes the division by P of Conversion and SubMul as engines do, and compares with Lattigo's, with rows
// of P beside the tie. One prime of 61 bits in P rounds too: there is no shortcut.
func TestModDown(t *testing.T) {
	for _, c := range conversions {
		t.Run(c.name, func(t *testing.T) {
			ps := conversionParams(t, c.q, c.p)
			ringQ, ringP := ps.CKKS.RingQ(), ps.CKKS.RingP()
			k, n := ps.PCount(), ps.N()
			be := ring.NewBasisExtender(ringQ, ringP)
			conv := NewConversion(ps.rings[ps.nq:])
			for level := range ps.MaxLevel() + 1 {
				rng := newRand(uint64(level))
				q := ringQ.AtLevel(level).NewPoly()
				for i := range q.Coeffs {
					copy(q.Coeffs[i], words(rng, n, ps.RingQ(i).Modulus))
				}
				rows, _ := besideTies(uint64(level), n, moduli(ps.rings[ps.nq:]))
				p := ringP.NewPoly()
				for i := range p.Coeffs {
					ps.RingP(i).NTT(rows[i], p.Coeffs[i])
				}
				want := ringQ.AtLevel(level).NewPoly()
				be.ModDownQPtoQNTT(level, k-1, q, *p.CopyNew(), want)

				v, y, tmp := make([]uint8, n), copyRows(rows), make([]uint64, n)
				conv.Source(y, v, 0, n)
				for i := range level + 1 {
					s := ps.RingQ(i)
					conv.Target(s).Write(y, v, tmp)
					s.NTT(tmp, tmp)
					SubMul(s, q.Coeffs[i], tmp, InverseMod(s, ResidueBig(conv.d, s.Modulus)), tmp)
					equalRows(t, fmt.Sprintf("level %d, row %d", level, i), tmp, want.Coeffs[i])
				}
			}
		})
	}
}

// TestCenter: (q-1)/2, which is q>>1, counts as negative; the result is always below the target, 0 for multiples of it.
func TestCenter(t *testing.T) {
	for _, q := range edgePrimes(t, 16) {
		for _, target := range edgePrimes(t, 16) {
			s := rings(t, 16, target).SubRings[0]
			x := []uint64{0, 1, q/2 - 1, q / 2, q/2 + 1, q - 1}
			if target < q/2 {
				x = append(x, target, q-target)
			}
			out, want := make([]uint64, len(x)), make([]uint64, len(x))
			Center(x, q, s, out)
			for i, a := range x {
				v := bigOf(a)
				if a >= (q-1)/2 {
					v.Sub(v, bigOf(q))
				}
				want[i] = ResidueBig(v, target)
			}
			equalRows(t, fmt.Sprintf("q=%d, target %d", q, target), out, want)
		}
	}
}

// TestSourceCountsBeyondOne: with one source prime of 61 bits, the largest residues divided by the prime round to 1, as
// in Lattigo.
func TestSourceCountsBeyondOne(t *testing.T) {
	q := primeBelow(t, 1<<61, 16)
	s, target := rings(t, 16, q).SubRings[0], rings(t, 16, primeBelow(t, 1<<40, 16)).SubRings[0]
	conv := NewConversion([]*SubRing{s})
	y, v, out := [][]uint64{{q / 2, q/2 - 1, q - 1, 0}}, make([]uint8, 4), make([]uint64, 4)
	half := q / 2
	y[0][0] = q - 1 - half // + half is q - 1
	conv.Source(y, v, 0, 4)
	if v[0] != 1 || v[3] != 0 {
		t.Fatalf("counts %v", v)
	}
	conv.Target(target).Write(y, v, out)
	if want := ResidueBig(new(big.Int).Sub(bigOf(q-1-half), bigOf(q)), target.Modulus); out[0] != want {
		t.Errorf("residue %d, want %d", out[0], want)
	}
}
