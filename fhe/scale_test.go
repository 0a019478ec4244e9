package fhe

import (
	"math"
	"math/big"
	"strings"
	"testing"

	"github.com/tuneinsight/lattigo/v5/core/rlwe"
	"pgregory.net/rapid"
)

func drawScale(t *rapid.T, label string) Scale {
	s, err := ScaleFromWords(rapid.Uint64().Draw(t, label+" hi")|1<<63, rapid.Uint64().Draw(t, label+" lo"), rapid.Int32Range(-1000, 1000).Draw(t, label+" exp"))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func lattigoScale(s Scale) rlwe.Scale { return rlwe.NewScale(s.Big()) }

// TestScaleArithmetic compares products, quotients and order with big.Float and with Lattigo's Scale.
func TestScaleArithmetic(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := drawScale(t, "a"), drawScale(t, "b")
		x, y := a.Big(), b.Big()
		if x.Prec() != ScalePrecision {
			t.Fatalf("precision %d", x.Prec())
		}
		for _, c := range []struct {
			name string
			got  Scale
			want *big.Float
			ref  rlwe.Scale
		}{
			{"product", a.Mul(b), new(big.Float).SetMode(big.ToNearestEven).SetPrec(128).Mul(x, y), lattigoScale(a).Mul(lattigoScale(b))},
			{"quotient", a.Div(b), new(big.Float).SetMode(big.ToNearestEven).SetPrec(128).Quo(x, y), lattigoScale(a).Div(lattigoScale(b))},
		} {
			if c.got.Big().Cmp(c.want) != 0 || c.got.Big().Cmp(&c.ref.Value) != 0 || !c.got.Valid() {
				t.Fatalf("%s of %v and %v: %v, big.Float %v, Lattigo %v", c.name, x, y, c.got.Big(), c.want, &c.ref.Value)
			}
		}
		if a.Mul(b) != b.Mul(a) {
			t.Fatal("the product depends on the order")
		}
		if a.Cmp(b) != x.Cmp(y) || a.Cmp(a) != 0 {
			t.Fatalf("Cmp of %v and %v is %d", x, y, a.Cmp(b))
		}
		if back, err := ScaleFromBig(x); err != nil || back != a {
			t.Fatalf("through big.Float: %v, %v", back, err)
		}
		hi, lo, exp := a.Words()
		if back, err := ScaleFromWords(hi, lo, exp); err != nil || back != a {
			t.Fatalf("through words: %v, %v", back, err)
		}
		f, _ := x.Float64()
		if a.Float64() != f {
			t.Fatalf("Float64: %v, want %v", a.Float64(), f)
		}
		if f != 0 && !math.IsInf(f, 0) && math.Abs(a.Log2()-math.Log2(f)) > 1e-9 {
			t.Fatalf("Log2: %v, want %v", a.Log2(), math.Log2(f))
		}
	})
}

// TestScaleNear checks the definition |s - t| ≤ 2^-100·max(s, t) against rational arithmetic, where it is tight: t is s
// times about 1 ± 2^-100, also across a power of two.
func TestScaleNear(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawScale(t, "s")
		if rapid.Bool().Draw(t, "at a power of two") {
			s = Scale{hi: 1 << 63, lo: rapid.Uint64Range(0, 1<<28).Draw(t, "above"), exp: s.exp}
		}
		d := rapid.Int64Range(-1<<29, 1<<29).Draw(t, "difference in units of the last place")
		if rapid.Bool().Draw(t, "tight") {
			d = (1<<28 + rapid.Int64Range(-2, 2).Draw(t, "off")) * (1 - 2*rapid.Int64Range(0, 1).Draw(t, "sign"))
		}
		f := new(big.Float).SetPrec(256).SetMantExp(big.NewFloat(float64(d)), int(s.exp))
		u, err := ScaleFromBig(f.Add(f, s.Big()))
		if err != nil {
			t.Fatal(err)
		}
		x, _ := s.Big().Rat(nil)
		y, _ := u.Big().Rat(nil)
		diff := new(big.Rat).Sub(x, y)
		diff.Abs(diff).Mul(diff, new(big.Rat).SetInt(new(big.Int).Lsh(big.NewInt(1), 100)))
		top := x
		if x.Cmp(y) < 0 {
			top = y
		}
		want := diff.Cmp(top) <= 0
		if s.Near(u) != want || u.Near(s) != want {
			t.Fatalf("Near(%v, %v) = %v, %v; want %v", x, y, s.Near(u), u.Near(s), want)
		}
	})
	if PowerOfTwo(0).Near(PowerOfTwo(1)) || PowerOfTwo(-9000).Near(PowerOfTwo(9000)) {
		t.Error("scales far apart are near")
	}
}

func TestScaleConstructors(t *testing.T) {
	for k := -200; k <= 200; k += 7 {
		if s := PowerOfTwo(k); s != NewScale(math.Ldexp(1, k)) || !s.Valid() {
			t.Errorf("2^%d: %v", k, s)
		}
	}
	for _, x := range []uint64{1, 2, 3, 1<<61 - 1, math.MaxUint64} {
		want, _ := ScaleFromBig(new(big.Float).SetPrec(128).SetUint64(x))
		if s := ScaleFromInt(x); s != want {
			t.Errorf("%d: %v, want %v", x, s, want)
		}
	}
	if s := PowerOfTwo(40).String(); s != "2^40" {
		t.Error(s)
	}
	if s := NewScale(3).String(); !strings.HasPrefix(s, "2^1.58") {
		t.Error(s)
	}
	if s := (Scale{}).String(); s != "invalid" {
		t.Error(s)
	}
	mustPanic := func(name string, f func()) {
		t.Helper()
		defer func() {
			if recover() == nil {
				t.Errorf("%s: no panic", name)
			}
		}()
		f()
	}
	for _, x := range []float64{0, -1, math.NaN(), math.Inf(1)} {
		mustPanic("NewScale", func() { NewScale(x) })
	}
	mustPanic("ScaleFromInt(0)", func() { ScaleFromInt(0) })
	mustPanic("PowerOfTwo(16384)", func() { PowerOfTwo(1 << 14) })
	mustPanic("PowerOfTwo(2^32)", func() { PowerOfTwo(1 << 32) })
}

// TestScaleRange checks that every way to a Scale has the same range.
func TestScaleRange(t *testing.T) {
	for _, k := range []int{-1 << 14, 1<<14 - 1} {
		s := PowerOfTwo(k)
		if back, err := ScaleFromBig(s.Big()); !s.Valid() || err != nil || back != s {
			t.Errorf("2^%d: valid %v, %v", k, s.Valid(), err)
		}
	}
	for _, s := range []Scale{PowerOfTwo(1<<14 - 1).Mul(PowerOfTwo(1)), PowerOfTwo(-1 << 14).Div(PowerOfTwo(1))} {
		if _, err := ScaleFromBig(s.Big()); s.Valid() || err == nil {
			t.Errorf("%v: valid %v, error %v", s.Big(), s.Valid(), err)
		}
	}
	for _, x := range []*big.Float{new(big.Float), big.NewFloat(-1), new(big.Float).SetInf(false)} {
		if _, err := ScaleFromBig(x); err == nil {
			t.Errorf("%v was accepted", x)
		}
	}
	// 1 - 2^-200 below the upper end rounds up to it.
	top := new(big.Float).SetPrec(300).SetMantExp(big.NewFloat(1), 1<<14)
	low := new(big.Float).SetPrec(300).SetMantExp(big.NewFloat(1), 1<<14-200)
	if _, err := ScaleFromBig(top.Sub(top, low)); err == nil {
		t.Error("a scale that rounds to 2^16384 was accepted")
	}
	for _, w := range []Scale{{}, {1, 0, 0}, {1<<63 - 1, 5, 0}, {1 << 63, 0, math.MaxInt32}, {1 << 63, 0, math.MinInt32}} {
		if _, err := ScaleFromWords(w.Words()); err == nil {
			t.Errorf("words %v were accepted", w)
		}
	}
}
