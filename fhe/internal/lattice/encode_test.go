package lattice

import (
	"math"
	"math/big"
	"math/cmplx"
	"slices"
	"sync"
	"testing"

	"pgregory.net/rapid"
)

// TestExpand: coefficients of a polynomial in X^gap, on a row that was dirty.
func TestExpand(t *testing.T) {
	eachEdgePrime(t, 16, func(t *testing.T, s *SubRing) {
		for _, count := range []int{1, 2, 8, 16} {
			coeffs := make([]int64, count)
			edges := []int64{0, -1, 1, math.MinInt64, math.MaxInt64, 1<<62 - 1, -1 << 62, -int64(s.Modulus), int64(s.Modulus)}
			for i := range coeffs {
				coeffs[i] = edges[i%len(edges)]
			}
			row := constant(16, 99)
			Expand(s, coeffs, row)
			for j, w := range row {
				want := uint64(0)
				if j%(16/count) == 0 {
					want = ResidueBig(big.NewInt(coeffs[j*count/16]), s.Modulus)
				}
				if w != want {
					t.Fatalf("%d coefficients, word %d is %d, want %d", count, j, w, want)
				}
			}
		}
	})
}

// TestCentered lifts signed integers of any size below half the modulus and gets them back, divided by the scale.
func TestCentered(t *testing.T) {
	ps := params(t, 5)
	rapid.Check(t, func(t *rapid.T) {
		level := rapid.IntRange(0, ps.MaxLevel()).Draw(t, "level")
		q := big.NewInt(1)
		for i := range level + 1 {
			q.Mul(q, bigOf(ps.RingQ(i).Modulus))
		}
		half := new(big.Int).Rsh(q, 1)
		scale := new(big.Float).SetPrec(128).SetMantExp(big.NewFloat(rapid.Float64Range(0.5, 1).Draw(t, "scale")), rapid.IntRange(1, 90).Draw(t, "exponent"))
		values := make([]*big.Int, ps.N())
		rows := rowsOf(level+1, func() []uint64 { return make([]uint64, ps.N()) })
		for j := range values {
			v := new(big.Int)
			switch j {
			case 0:
			case 1:
				v.Set(half) // the largest
			case 2:
				v.Neg(half) // the smallest
			default:
				v.SetBytes(rapid.SliceOfN(rapid.Byte(), 0, 14).Draw(t, "value"))
				v.Mod(v, q).Sub(v, half)
			}
			values[j] = v
			for i := range rows {
				rows[i][j] = ResidueBig(v, ps.RingQ(i).Modulus)
			}
		}
		for j, got := range ps.Centered(rows, scale) {
			f := new(big.Float).SetPrec(256).SetInt(values[j])
			want, _ := f.Quo(f, scale).Float64()
			if math.Abs(got-want) > math.Abs(want)*0x1p-51 {
				t.Fatalf("level %d: %v / %v is %v, want %v", level, values[j], scale, got, want)
			}
		}
	})
}

func TestRoundInt64(t *testing.T) {
	for x, want := range map[float64]int64{0.5: 1, -0.5: -1, 2.5: 3, -2.5: -3, 0.49999999999999994: 0, 1<<62 - 512: 1<<62 - 512, -1<<62 + 512: -1<<62 + 512} {
		if got, err := RoundInt64(x); got != want || err != nil {
			t.Errorf("%v: %d, %v; want %d", x, got, err, want)
		}
	}
	for _, x := range []float64{1 << 62, -1 << 62, math.Inf(1), math.Inf(-1), math.NaN()} {
		if got, err := RoundInt64(x); err == nil {
			t.Errorf("%v is rounded to %d", x, got)
		}
	}
}

// TestEmbedding: Slots undoes Coefficients; a constant has one coefficient; slot j is the polynomial at ψ^(5^j).
func TestEmbedding(t *testing.T) {
	ps := params(t, 5)
	fft := ps.NewFFT()
	for logSlots := 0; logSlots <= 4; logSlots++ {
		n := 1 << logSlots
		rng := newRand(uint64(logSlots))
		values := make([]complex128, n)
		for i := range values {
			values[i] = complex(rng.Float64()*2-1, rng.Float64()*2-1)
		}
		c := append([]complex128(nil), values...)
		if err := fft.Coefficients(c, logSlots); err != nil {
			t.Fatal(err)
		}
		for j, want := range values {
			// Real parts are coefficients 0 … n-1 of a polynomial in Y of degree 2n, imaginary parts n … 2n-1.
			power := 1
			for range j {
				power = power * 5 % (4 * n)
			}
			root := cmplx.Exp(complex(0, 2*math.Pi*float64(power)/float64(4*n)))
			sum := complex(0, 0)
			for k := 2*n - 1; k >= 0; k-- {
				a := real(c[k%n])
				if k >= n {
					a = imag(c[k%n])
				}
				sum = sum*root + complex(a, 0)
			}
			if cmplx.Abs(sum-want) > 1e-12 {
				t.Fatalf("2^%d slots: slot %d is %v, want %v", logSlots, j, sum, want)
			}
		}
		if err := fft.Slots(c, logSlots); err != nil {
			t.Fatal(err)
		}
		for j := range values {
			if cmplx.Abs(c[j]-values[j]) > 1e-12 {
				t.Fatalf("2^%d slots: slot %d comes back as %v, was %v", logSlots, j, c[j], values[j])
			}
		}
	}
}

// TestTrap10SharedEncoder (Lattigo's evaluators and encoders share scratch buffers): an FFT is used by many goroutines,
// which is safe because it touches the roots and the caller's values only.
func TestTrap10SharedEncoder(t *testing.T) {
	ps := params(t, 8)
	fft := ps.NewFFT()
	values := func(i int) []complex128 {
		rng, out := newRand(uint64(i)), make([]complex128, 128)
		for j := range out {
			out[j] = complex(rng.Float64(), rng.Float64())
		}
		return out
	}
	var wg sync.WaitGroup
	for i := range 8 {
		want := values(i)
		if err := fft.Coefficients(want, 7); err != nil {
			t.Fatal(err)
		}
		wg.Go(func() {
			for range 20 {
				got := values(i)
				if err := fft.Coefficients(got, 7); err != nil || !slices.Equal(got, want) {
					t.Errorf("goroutine %d gets another result than alone: %v", i, err)
					return
				}
			}
		})
	}
	wg.Wait()
}

// TestTrap28BadPrimes (malformed input makes Lattigo panic): NewParams returns errors.
func TestTrap28BadPrimes(t *testing.T) {
	const q = 193 // 1 mod 2^6
	for name, c := range map[string]struct {
		logN int
		q, p []uint64
	}{
		"even":          {5, []uint64{1 << 20}, nil},
		"zero":          {5, []uint64{0}, nil},
		"one":           {5, []uint64{1}, nil},
		"twice":         {5, []uint64{q, q}, nil},
		"large":         {5, []uint64{q, 1<<63 + 1<<62 + 1}, nil},
		"no ring":       {0, []uint64{q}, nil},
		"negative ring": {-1, []uint64{q}, nil},
		"large ring":    {40, []uint64{q}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if v := recover(); v != nil {
					t.Errorf("panic: %v", v)
				}
			}()
			if _, err := NewParams(c.logN, c.q, c.p, Secret{}, 5); err == nil {
				t.Error("accepted")
			}
		})
	}
}
