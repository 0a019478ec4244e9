package lattice

import (
	"math/big"

	"github.com/tuneinsight/lattigo/v5/utils/bignum"
)

// The functions below return their value at the precision of x, with an error of a few units in the last place of
// max(|f(x)|, 1). They compute with big floats only, so they give the same bits on every machine. Arguments beyond
// ±1,024 are the caller's to avoid: time and memory grow with them.

// Exp returns e^x.
func Exp(x *big.Float) *big.Float { return bignum.Exp(x) }

// Sigmoid returns 1/(1 + e^-x).
func Sigmoid(x *big.Float) *big.Float {
	one := new(big.Float).SetPrec(x.Prec()).SetInt64(1)
	e := bignum.Exp(new(big.Float).Neg(x))
	return e.Quo(one, e.Add(e, one))
}

// Tanh returns the hyperbolic tangent, 2·sigmoid(2x) - 1.
func Tanh(x *big.Float) *big.Float {
	two := new(big.Float).SetPrec(x.Prec()).SetInt64(2)
	y := Sigmoid(new(big.Float).Mul(x, two))
	return y.Sub(y.Mul(y, two), new(big.Float).SetPrec(x.Prec()).SetInt64(1))
}

// SiLU returns x·sigmoid(x).
func SiLU(x *big.Float) *big.Float { return new(big.Float).Mul(x, Sigmoid(x)) }

// GELU returns x·Φ(x), Φ the distribution function of the normal distribution.
func GELU(x *big.Float) *big.Float {
	two := new(big.Float).SetPrec(x.Prec()).SetInt64(2)
	root := new(big.Float).SetPrec(x.Prec()).Sqrt(two)
	y := Erf(root.Quo(x, root))
	y.Add(y, new(big.Float).SetPrec(x.Prec()).SetInt64(1))
	return y.Quo(y.Mul(y, x), two)
}

// Erf returns the error function, by the series 2/√π·e^(-x²)·Σ 2^n·x^(2n+1)/(2n+1)!!, whose terms have one sign.
// Source: Abramowitz and Stegun 7.1.6.
func Erf(x *big.Float) *big.Float {
	prec := x.Prec()
	square := new(big.Float).Mul(x, x)
	// 1 - erf(x) < e^(-x²) < 2^(-1.44·x²)
	if s, _ := square.Float64(); s > float64(prec) {
		return new(big.Float).SetPrec(prec).SetInt64(int64(x.Sign()))
	}
	sum, term := new(big.Float).Set(x), new(big.Float).Set(x)
	twice := new(big.Float).Add(square, square)
	odd := new(big.Float).SetPrec(prec)
	for n := int64(1); term.Sign() != 0 && term.MantExp(nil) > sum.MantExp(nil)-int(prec); n++ {
		term.Mul(term, twice)
		term.Quo(term, odd.SetInt64(2*n+1))
		sum.Add(sum, term)
	}
	sum.Mul(sum, bignum.Exp(square.Neg(square)))
	sum.Add(sum, sum)
	return sum.Quo(sum, new(big.Float).SetPrec(prec).Sqrt(bignum.Pi(prec)))
}
