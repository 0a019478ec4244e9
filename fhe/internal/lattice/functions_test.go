package lattice

import (
	"math"
	"math/big"
	"testing"
)

// TestFunctions compares with package math, at a precision that shows no rounding of ours.
func TestFunctions(t *testing.T) {
	for _, c := range []struct {
		name string
		f    func(*big.Float) *big.Float
		want func(float64) float64
	}{
		{"exp", Exp, math.Exp},
		{"sigmoid", Sigmoid, func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }},
		{"tanh", Tanh, math.Tanh},
		{"silu", SiLU, func(x float64) float64 { return x / (1 + math.Exp(-x)) }},
		{"gelu", GELU, func(x float64) float64 { return x / 2 * math.Erfc(-x/math.Sqrt2) }},
		{"erf", Erf, math.Erf},
	} {
		for x := -20.0; x <= 20; x += 0.125 {
			got, _ := c.f(new(big.Float).SetPrec(128).SetFloat64(x)).Float64()
			if want := c.want(x); math.Abs(got-want) > 0x1p-50*max(1, math.Abs(want)) {
				t.Errorf("%s(%g) = %g, want %g", c.name, x, got, want)
			}
		}
	}
	// 40 digits of erf(1), from DLMF 7.2: the series is as precise as its argument.
	want, _ := new(big.Float).SetPrec(128).SetString("0.84270079294971486934122063508260925929606")
	d := new(big.Float).Sub(Erf(new(big.Float).SetPrec(128).SetInt64(1)), want)
	if d.Sign() != 0 && d.MantExp(nil) > -120 {
		t.Errorf("erf(1) is off by %v", d)
	}
}
