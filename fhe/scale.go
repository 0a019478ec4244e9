package fhe

import (
	"fmt"
	"math"
	"math/big"
	"math/bits"
)

// ScalePrecision is the precision in bits of a Scale's mantissa.
const ScalePrecision = 128

// Scale is the factor by which a plaintext's values are multiplied before they are rounded to integers: a positive
// 128-bit float. Scales are compared within 2^-100; products and quotients are rounded to nearest even, once per
// operation, as Lattigo does. The zero Scale is invalid. Scale is comparable with ==, which compares all bits.
type Scale struct {
	hi, lo uint64 // mantissa, top bit set
	exp    int32  // value = mantissa · 2^exp
}

// NewScale returns x as a Scale. It panics unless x is positive and finite: scales never come from outside as floats.
func NewScale(x float64) Scale {
	if !(x > 0) || math.IsInf(x, 0) {
		panic(fmt.Sprintf("fhe: scale %g is not positive and finite", x))
	}
	return scaleOf(new(big.Float).SetPrec(ScalePrecision).SetFloat64(x))
}

// PowerOfTwo returns the scale 2^k. It panics where 2^k is no valid scale.
func PowerOfTwo(k int) Scale {
	if k < -maxScaleExp || k >= maxScaleExp {
		panic(fmt.Sprintf("fhe: scale 2^%d is out of range", k))
	}
	return Scale{hi: 1 << 63, exp: int32(k - 127)}
}

// ScaleFromInt returns the scale of an integer, such as a prime that a rescale divides by.
func ScaleFromInt(x uint64) Scale {
	if x == 0 {
		panic("fhe: scale 0")
	}
	n := bits.LeadingZeros64(x)
	return Scale{hi: x << n, exp: int32(-64 - n)}
}

// ScaleFromBig returns x rounded to 128 bits. It fails unless x is positive and finite.
func ScaleFromBig(x *big.Float) (Scale, error) {
	if x.Sign() <= 0 || x.IsInf() {
		return Scale{}, fmt.Errorf("fhe: scale %v is not positive and finite", x)
	}
	f := new(big.Float).SetPrec(ScalePrecision).Set(x)
	if e := f.MantExp(nil); e <= -maxScaleExp || e > maxScaleExp {
		return Scale{}, fmt.Errorf("fhe: scale 2^%d is out of range", e)
	}
	return scaleOf(f), nil
}

// maxScaleExp bounds scales to [2^-maxScaleExp, 2^maxScaleExp): chains of products beyond it are bugs or attacks, never
// computations.
const maxScaleExp = 1 << 14

func scaleOf(f *big.Float) Scale {
	m := new(big.Float)
	e := f.MantExp(m) // f = m·2^e, m in [1/2, 1)
	m.SetMantExp(m, ScalePrecision)
	i, _ := m.Int(nil)
	lo := new(big.Int).And(i, new(big.Int).SetUint64(math.MaxUint64)).Uint64()
	return Scale{hi: i.Rsh(i, 64).Uint64(), lo: lo, exp: int32(e - ScalePrecision)}
}

// Big returns the scale as a float of 128 bits of precision.
func (s Scale) Big() *big.Float {
	i := new(big.Int).SetUint64(s.hi)
	i.Lsh(i, 64).Or(i, new(big.Int).SetUint64(s.lo))
	f := new(big.Float).SetPrec(ScalePrecision).SetInt(i)
	return f.SetMantExp(f, int(s.exp))
}

// Valid reports whether s is a scale: normalised and in [2^-16384, 2^16384). The zero value is not.
func (s Scale) Valid() bool {
	return s.hi>>63 == 1 && s.exp > -maxScaleExp-ScalePrecision && s.exp <= maxScaleExp-ScalePrecision
}

// Float64 returns the nearest float64.
func (s Scale) Float64() float64 { f, _ := s.Big().Float64(); return f }

// Log2 returns the binary logarithm.
func (s Scale) Log2() float64 {
	return math.Log2(float64(s.hi)+float64(s.lo)*0x1p-64) + float64(s.exp) + 64
}

// Mul returns s·t, rounded to nearest even.
func (s Scale) Mul(t Scale) Scale {
	return scaleOf(new(big.Float).SetPrec(ScalePrecision).Mul(s.Big(), t.Big()))
}

// Div returns s/t, rounded to nearest even.
func (s Scale) Div(t Scale) Scale {
	return scaleOf(new(big.Float).SetPrec(ScalePrecision).Quo(s.Big(), t.Big()))
}

// Cmp returns -1, 0 or +1 as s is smaller than, equal to or larger than t.
func (s Scale) Cmp(t Scale) int {
	switch {
	case s == t:
		return 0
	case s.exp != t.exp:
		if s.exp < t.exp {
			return -1
		}
		return 1
	case s.hi < t.hi || s.hi == t.hi && s.lo < t.lo:
		return -1
	}
	return 1
}

// Near reports whether s and t are equal within a relative 2^-100: |s - t| ≤ 2^-100 · max(s, t), without rounding.
// It is symmetric.
func (s Scale) Near(t Scale) bool {
	if s == t {
		return true
	}
	if s.Cmp(t) < 0 {
		s, t = t, s
	}
	// s > t. Where the answer can be yes, t > s/2, so the difference is exact [Sterbenz].
	d := new(big.Float).SetPrec(ScalePrecision).Sub(s.Big(), t.Big())
	return d.SetMantExp(d, 100).Cmp(s.Big()) <= 0
}

// String prints the scale as a power of two.
func (s Scale) String() string {
	if !s.Valid() {
		return "invalid"
	}
	if s.lo == 0 && s.hi == 1<<63 {
		return fmt.Sprintf("2^%d", s.exp+127)
	}
	return fmt.Sprintf("2^%.4f", s.Log2())
}

// Words returns the mantissa's high and low word and the exponent: value = (hi·2^64 + lo)·2^exp.
func (s Scale) Words() (hi, lo uint64, exp int32) { return s.hi, s.lo, s.exp }

// ScaleFromWords is the inverse of Words; it fails on a value that Words does not return.
func ScaleFromWords(hi, lo uint64, exp int32) (Scale, error) {
	s := Scale{hi, lo, exp}
	if !s.Valid() {
		return Scale{}, fmt.Errorf("fhe: scale with mantissa %x:%x and exponent %d is not normalised", hi, lo, exp)
	}
	return s, nil
}
