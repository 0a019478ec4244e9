package feature

import (
	"math"
	"math/rand/v2"
	"testing"
)

// table returns n samples of features with the given centres and spreads.
func table(n int, centre, spread []float64) []float64 {
	rng := rand.New(rand.NewPCG(1, 2))
	var x []float64
	for range n {
		for i, c := range centre {
			x = append(x, c+spread[i]*rng.NormFloat64())
		}
	}
	return x
}

func TestFind(t *testing.T) {
	centre, spread := []float64{1000, 0.1, 1.7e12, -3e-6, 5}, []float64{350, 0.014, 1e9, 1e-6, 0}
	x := table(300, centre, spread)
	u := NewUse(5)
	u.Row([]int32{0, 1, 2, 3}, []float64{1. / 350, 1 / 0.014, 1e-9, 1e6}, 3)
	s := Find(x, u, Options{Limit: 16, Centred: true})
	if s.IsIdentity() {
		t.Fatal("features of five sizes are not scaled")
	}
	z := s.Apply(x)
	for i := range centre {
		most := 0.0
		for k := i; k < len(z); k += 5 {
			most = max(most, math.Abs(z[k]))
		}
		if spread[i] > 0 && (most < 0.4 || most > 1.07) {
			t.Errorf("feature %d of size %g after scaling, want about 1", i, most)
		}
		if f, _ := math.Frexp(s.Scale[i]); f != 0.5 {
			t.Errorf("scale %g of feature %d is no power of two", s.Scale[i], i)
		}
		if r := s.Offset[i] / s.Scale[i] * 8; r != math.Round(r) {
			t.Errorf("offset %g of feature %d is not a multiple of an eighth of %g", s.Offset[i], i, s.Scale[i])
		}
		if i == 4 && most > 1 {
			t.Errorf("a constant feature is %g after scaling", most)
		}
	}
}

func TestFindLeavesPixels(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	u := NewUse(64)
	w, cols := make([]float64, 64), make([]int32, 64)
	for i := range w {
		w[i], cols[i] = 0.2*rng.NormFloat64(), int32(i)
	}
	u.Row(cols, w, 1.5)
	x := make([]float64, 64*256)
	for i := range x {
		if i%64 > 8 { // the first are never lit
			x[i] = rng.Float64()
		}
	}
	if s := Find(x, u, Options{Limit: 16, Size: 64, Centred: true}); !s.IsIdentity() {
		t.Errorf("pixels in [0, 1] are scaled by %v", s.Scale)
	}
	// The same in other units, with a size that is too large, is scaled, and takes what no sample has.
	for i := range x {
		x[i] *= 1e6
	}
	v := NewUse(64)
	for i := range w {
		w[i] /= 1e6
	}
	v.Row(cols, w, 1.5)
	s := Find(x, v, Options{Limit: 16, Size: 64, Centred: true})
	for i, c := range s.Scale {
		if z := (1e6 - s.Offset[i]) / c; math.Abs(z) > 2 {
			t.Errorf("a lit pixel %d is %g after scaling", i, z)
		}
	}
}

func TestFindGroups(t *testing.T) {
	x := table(100, []float64{3, 300, 4, 400}, []float64{1, 100, 1, 100})
	u := NewUse(4)
	u.Row([]int32{0, 1, 2, 3}, []float64{1, 1, 1, 1}, 1)
	s := Find(x, u, Options{Limit: 4, Group: func(i int) int { return i % 2 }})
	if s.Scale[0] != s.Scale[2] || s.Scale[1] != s.Scale[3] || s.Scale[0] == s.Scale[1] {
		t.Errorf("scales %v, want two groups", s.Scale)
	}
	for i, o := range s.Offset {
		if o != 0 || math.Signbit(o) {
			t.Errorf("offset %g of feature %d, want none", o, i)
		}
	}
}

func TestPowerAbove(t *testing.T) {
	for x, want := range map[float64]float64{1: 1, 0.75: 1, 1.5: 2, 4: 4, 0.1: 0.125, math.MaxFloat64: math.Ldexp(1, 1000)} {
		if got := PowerAbove(x); got != want {
			t.Errorf("PowerAbove(%g) = %g, want %g", x, got, want)
		}
	}
}
