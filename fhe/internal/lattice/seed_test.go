package lattice

import (
	"crypto/sha3"
	"encoding/binary"
	"fmt"
	"math"
	"math/big"
	"math/bits"
	"slices"
	"testing"
)

// TestExpandSeed compares every row with the definition, written plainly: one word after another from one stream.
func TestExpandSeed(t *testing.T) {
	ps := seedParams(t, 6)
	seed := Seed{1, 2, 31: 3}
	want := func(digit, prime int) (row []uint64) {
		q := ps.rings[prime].Modulus
		h := sha3.NewSHAKE128()
		h.Write([]byte("signet/expand/v1"))
		h.Write(seed[:])
		h.Write([]byte{byte(digit), 0, 0, 0, byte(prime), 0, 0, 0})
		for len(row) < ps.N() {
			var b [8]byte
			h.Read(b[:(bits.Len64(q)+7)/8])
			if v := binary.LittleEndian.Uint64(b[:]) & (1<<bits.Len64(q) - 1); v < q {
				row = append(row, v)
			}
		}
		return row
	}
	check := func(name string, e *Expansion, digits int, primes []int) {
		t.Helper()
		if len(e.rows) != digits || e.Seed() != seed {
			t.Fatalf("%s: %d digits of seed %x", name, len(e.rows), e.Seed())
		}
		for d := range digits {
			if len(e.Rows(d)) != len(primes) {
				t.Fatalf("%s: %d rows, want %d", name, len(e.Rows(d)), len(primes))
			}
			for i, prime := range primes {
				if !slices.Equal(e.Rows(d)[i], want(d, prime)) {
					t.Errorf("%s: digit %d, row %d differs", name, d, i)
				}
			}
		}
	}
	check("key", ps.ExpandKey(seed, 2), 2, []int{0, 1, 2, 4, 5})
	check("public key", ps.ExpandPublicKey(seed), 1, []int{0, 1, 2, 3, 4, 5})
	check("ciphertext", ps.ExpandCiphertext(seed, 1), 1, []int{0, 1})
	if a, b := NewSeed(), NewSeed(); a == b || a == (Seed{}) {
		t.Error("seeds are not random")
	}
}

// seedParams have primes of 3, 4, 7 and 8 bytes on both sides of powers of two, so that half of the words of some are
// rejected.
func seedParams(t testing.TB, logN int) *Params {
	t.Helper()
	taken := map[uint64]bool{}
	find := func(sizes ...int) (out []uint64) {
		for i, b := range sizes {
			primes, err := Primes(b, logN+1, 1, i%2 == 0, taken)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, primes...)
		}
		return out
	}
	ps, err := NewParams(logN, find(60, 55, 29, 24), find(61, 58), Secret{}, 30)
	if err != nil {
		t.Fatal(err)
	}
	return ps
}

// TestExpandSeedUniform tests the residues for uniformity: mean, and χ² over 256 buckets.
func TestExpandSeedUniform(t *testing.T) {
	ps := seedParams(t, 14)
	for i, row := range ps.ExpandPublicKey(Seed{7}).Rows(0) {
		q := ps.rings[i].Modulus
		var buckets [256]float64
		sum := new(big.Int)
		for _, c := range row {
			if c >= q {
				t.Fatalf("row %d: %d is not below %d", i, c, q)
			}
			buckets[min(255, int(float64(c)/float64(q)*256))]++
			sum.Add(sum, new(big.Int).SetUint64(c))
		}
		n := float64(len(row))
		chi := 0.0
		for _, b := range buckets {
			chi += (b - n/256) * (b - n/256) / (n / 256)
		}
		s, _ := new(big.Float).SetInt(sum).Float64()
		if mean := s / n / float64(q); math.Abs(mean-0.5) > 6/math.Sqrt(12*n) || chi < 110 || chi > 450 {
			t.Errorf("row %d: mean %.4f q, χ² = %.0f", i, mean, chi)
		}
	}
}

func BenchmarkExpandSeed(b *testing.B) {
	ps := seedParams(b, 13)
	for i := range ps.rings {
		b.Run(fmt.Sprintf("bits=%d", bits.Len64(ps.rings[i].Modulus)), func(b *testing.B) {
			row, x := make([]uint64, ps.N()), newExpander()
			b.SetBytes(int64(8 * ps.N()))
			for b.Loop() {
				x.row(Seed{}, 0, i, ps.rings[i].Modulus, row)
			}
		})
	}
}
