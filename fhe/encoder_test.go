package fhe

import (
	"fmt"
	"math"
	"math/big"
	"sync"
	"testing"

	"github.com/signet-ml/signet/fhe/internal/lattice"
	"github.com/tuneinsight/lattigo/v5/core/rlwe"
	"github.com/tuneinsight/lattigo/v5/he/hefloat"
)

func slotValues(n int, bound float64) []complex128 {
	next := stream(uint64(n))
	f := func() float64 { return (float64(next()>>11)/(1<<52) - 1) * bound }
	z := make([]complex128, n)
	for i := range z {
		z[i] = complex(f(), f())
	}
	return z
}

// TestEncoder compares coefficients with those of Lattigo's encoder, full and sparse, and checks the way back.
func TestEncoder(t *testing.T) {
	for _, logN := range []int{5, 10} {
		p := toy(t, logN)
		e := NewEncoder(p)
		ref := hefloat.NewEncoder(p.p.rings.CKKS)
		for logSlots := 0; logSlots < logN; logSlots++ {
			t.Run(fmt.Sprintf("logn=%d/logslots=%d", logN, logSlots), func(t *testing.T) {
				z := slotValues(1<<logSlots, 3)
				scale := NewScale(1.2345 * (1 << 30))
				got, err := e.Encode(z, logSlots, scale)
				if err != nil {
					t.Fatal(err)
				}
				pt := hefloat.NewPlaintext(p.p.rings.CKKS, p.MaxLevel())
				pt.Scale = rlwe.NewScale(scale.Big())
				pt.LogDimensions.Cols = logSlots
				if err := ref.Encode(z, pt); err != nil {
					t.Fatal(err)
				}
				ringQ := p.p.rings.CKKS.RingQ()
				ringQ.INTT(pt.Value, pt.Value)
				row := make([]uint64, p.N())
				for i := 0; i <= p.MaxLevel(); i++ {
					lattice.Expand(p.p.rings.RingQ(i), got, row)
					for j := range row {
						if row[j] != pt.Value.Coeffs[i][j] {
							t.Fatalf("limb %d, coefficient %d: %d, Lattigo has %d", i, j, row[j], pt.Value.Coeffs[i][j])
						}
					}
				}
				f := make([]float64, len(got))
				for i, c := range got {
					f[i] = float64(c) / scale.Float64()
				}
				back, err := e.Decode(f)
				if err != nil {
					t.Fatal(err)
				}
				for i := range z {
					// Rounding 2n coefficients to integers: each slot is off by less than 2n·(1/2)/scale.
					if d := back[i] - z[i]; math.Hypot(real(d), imag(d)) > float64(len(got))/scale.Float64() {
						t.Fatalf("slot %d: %v, want %v", i, back[i], z[i])
					}
				}
			})
		}
	}
}

func TestEncoderRefuses(t *testing.T) {
	p := toy(t, 5)
	e := NewEncoder(p)
	s := PowerOfTwo(30)
	if c, err := e.Encode(nil, 4, s); err != nil || len(c) != 32 {
		t.Errorf("no values: %v, %v", c, err)
	}
	if c, err := e.EncodeReal([]float64{1}, 0, s); err != nil || c[0] != 1<<30 || c[1] != 0 {
		t.Errorf("one slot: %v, %v", c, err)
	}
	if c, err := e.EncodeReal([]float64{-1 + 0x1p-53}, 0, PowerOfTwo(62)); err != nil || c[0] != -(1<<62-1<<9) {
		t.Errorf("just below 2^62: %v, %v", c, err)
	}
	if e.Parameters().N() != 32 {
		t.Error("Parameters")
	}
	for name, c := range map[string]struct {
		z        []complex128
		logSlots int
		scale    Scale
	}{
		"too many values":        {make([]complex128, 5), 2, s},
		"negative slots":         {nil, -1, s},
		"too many slots":         {nil, 5, s},
		"no scale":               {nil, 2, Scale{}},
		"not a number":           {[]complex128{complex(math.NaN(), 0)}, 2, s},
		"infinite":               {[]complex128{complex(0, math.Inf(-1))}, 2, s},
		"2^62":                   {[]complex128{1}, 0, PowerOfTwo(62)},
		"-2^62":                  {[]complex128{-1}, 0, PowerOfTwo(62)},
		"infinite scale":         {[]complex128{1}, 2, PowerOfTwo(2000)},
		"infinite scale of zero": {[]complex128{0}, 2, PowerOfTwo(2000)},
	} {
		if got, err := e.Encode(c.z, c.logSlots, c.scale); err == nil {
			t.Errorf("%s: %v", name, got)
		}
	}
	for _, n := range []int{0, 1, 3, 6, 64} {
		if _, err := e.Decode(make([]float64, n)); err == nil {
			t.Errorf("%d coefficients were decoded", n)
		}
	}
}

// TestEncoderConcurrent is for the race detector: an Encoder has no scratch.
func TestEncoderConcurrent(t *testing.T) {
	e := NewEncoder(toy(t, 8))
	z := slotValues(128, 1)
	want, err := e.Encode(z, 7, PowerOfTwo(30))
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 10 {
				got, err := e.Encode(z, 7, PowerOfTwo(30))
				if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
					t.Error("another result in parallel")
				}
			}
		})
	}
	wg.Wait()
}

// TestCentered lifts what Expand has reduced, at one limb and at several.
func TestCentered(t *testing.T) {
	p := toy(t, 5)
	coeffs := make([]int64, 32)
	next := stream(3)
	for i := range coeffs {
		coeffs[i] = int64(next()>>36) - 1<<27
	}
	for level := range 3 {
		rows := make([][]uint64, level+1)
		for i := range rows {
			rows[i] = make([]uint64, 32)
			lattice.Expand(p.p.rings.RingQ(i), coeffs, rows[i])
		}
		for i, f := range p.p.rings.Centered(rows, big.NewFloat(1<<10)) {
			if f != float64(coeffs[i])/(1<<10) {
				t.Fatalf("level %d, coefficient %d: %v", level, i, f)
			}
		}
	}
}

// TestEncoderAtLargeScale: Lattigo takes parameters of a default scale above 2^53 for a wish for big floats, which an
// encoder in double precision cannot read.
func TestEncoderAtLargeScale(t *testing.T) {
	p, err := newParameters(ParametersLiteral{LogN: 8, LogQ: []int{61, 61}, LogDefaultScale: 60}, true)
	if err != nil {
		t.Fatal(err)
	}
	e, z := NewEncoder(p), slotValues(16, 1)
	coeffs, err := e.Encode(z, 4, PowerOfTwo(50))
	if err != nil {
		t.Fatal(err)
	}
	x := make([]float64, len(coeffs))
	for i, c := range coeffs {
		x[i] = float64(c) / (1 << 50)
	}
	got, err := e.Decode(x)
	if err != nil {
		t.Fatal(err)
	}
	for i := range z {
		if d := got[i] - z[i]; math.Hypot(real(d), imag(d)) > 0x1p-44 {
			t.Errorf("slot %d: %v, want %v", i, got[i], z[i])
		}
	}
}

// TestDecodeResidues lifts rows to signed integers, and refuses those of other parameters.
func TestDecodeResidues(t *testing.T) {
	p := toy(t, 6)
	e, z, scale := NewEncoder(p), slotValues(8, 3), PowerOfTwo(40)
	coeffs, err := e.Encode(z, 3, scale)
	if err != nil {
		t.Fatal(err)
	}
	rows := func(n, words int) [][]uint64 {
		out := make([][]uint64, n)
		for i := range out {
			out[i] = make([]uint64, words)
			if words == p.N() {
				lattice.Expand(p.p.rings.RingQ(i%3), coeffs, out[i])
			}
		}
		return out
	}
	got, err := e.DecodeResidues(rows(3, p.N()), 3, scale)
	if err != nil {
		t.Fatal(err)
	}
	for i := range z {
		if d := got[i] - z[i]; math.Hypot(real(d), imag(d)) > 0x1p-34 {
			t.Errorf("slot %d: %v, want %v", i, got[i], z[i])
		}
	}
	for name, f := range map[string]func() ([]complex128, error){
		"no rows":       func() ([]complex128, error) { return e.DecodeResidues(nil, 3, scale) },
		"too many rows": func() ([]complex128, error) { return e.DecodeResidues(rows(4, p.N()), 3, scale) },
		"short rows":    func() ([]complex128, error) { return e.DecodeResidues(rows(2, p.N()/2), 3, scale) },
		"slots":         func() ([]complex128, error) { return e.DecodeResidues(rows(2, p.N()), 6, scale) },
		"no slots":      func() ([]complex128, error) { return e.DecodeResidues(rows(2, p.N()), -1, scale) },
		"no scale":      func() ([]complex128, error) { return e.DecodeResidues(rows(2, p.N()), 3, Scale{}) },
	} {
		if z, err := f(); err == nil || z != nil {
			t.Errorf("%s: decoded", name)
		}
	}
}
