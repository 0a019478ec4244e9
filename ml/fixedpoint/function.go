package fixedpoint

import (
	"fmt"
	"math"
	"math/big"
	"sync"
)

// Function is the real function behind one [Table], by which its integers can be made
// again: entry i is the function at x = Range·(i/h - 1) for a table of 2h rows, divided by
// [Function.Unit], and rounded to the nearest integer, halves up. Both steps are exact
// (package comment), so every machine makes the same table.
type Function struct {
	// Name is the kind of the layer in package ml: "sigmoid", "tanh", "silu" or "gelu".
	Name string `json:"name"`

	// Range is a power of two. Arguments from -Range on lie in the table; others saturate.
	Range float64 `json:"range"`

	// Peak is the integer of the value 1 for sigmoid and tanh, and of Range for silu and
	// gelu, which no entry exceeds.
	Peak int64 `json:"peak"`
}

// Unit returns what one unit of the table's results stands for.
func (f Function) Unit() float64 { return f.amplitude() / float64(f.Peak) }

func (f Function) amplitude() float64 {
	if curves[f.Name].bounded {
		return 1
	}
	return f.Range
}

// Step returns the distance of two arguments of a table of so many rows.
func (f Function) Step(rows int) float64 { return f.Range / float64(rows/2) }

const (
	// precision is that of all intermediate numbers, in bits. A sum below loses fewer
	// than 20 of them.
	precision = 192
	// doubt is the distance from a half below which a rounding is refused, as a power of
	// two: far above the error of the sums, and far below the 2^-50 or so by which a
	// silu or gelu misses the halves that x itself would hit.
	doubt = -100

	minTableBits, maxTableBits = 4, 16
	minRange, maxRange         = 1. / 4, 1 << 20
)

// curve is a function of which exact tables can be made.
type curve struct {
	bounded bool    // by 1, and flat beyond Range most
	most    float64 // largest sensible Range
	signed  bool    // whether it has negative values
	half    int64   // twice its value at 0, where it is rational
	// far is where an unbounded function is below x for positive x, and below 0 for
	// negative, by less than what its tables can tell: an entry is a multiple of 2^-15
	// away from any half or on it, and the difference is below 2^-30 of a unit.
	far  float64
	eval func(x *big.Float) *big.Float // for 0 < |x| < far
}

var curves = map[string]curve{
	"sigmoid": {bounded: true, most: 8, far: math.Inf(1), half: 1, eval: sigmoid},
	"tanh":    {bounded: true, most: 4, far: math.Inf(1), signed: true, eval: tanh},
	"silu":    {most: maxRange, far: 32, signed: true, eval: silu},
	"gelu":    {most: maxRange, far: 8, signed: true, eval: gelu},
}

// check reports whether the function has a table of so many rows.
func (f Function) check(rows int) error {
	c, ok := curves[f.Name]
	if !ok {
		return fmt.Errorf("function %q, want sigmoid, tanh, silu or gelu", f.Name)
	}
	if frac, _ := math.Frexp(f.Range); frac != 0.5 || f.Range < minRange || f.Range > c.most {
		return fmt.Errorf("range %v, want a power of two from %v to %v", f.Range, minRange, c.most)
	}
	if f.Peak < 1 || f.Peak > 1<<15 {
		return fmt.Errorf("peak %d, want 1 to 2^15", f.Peak)
	}
	if rows < 1<<minTableBits || rows > 1<<maxTableBits || rows&(rows-1) != 0 {
		return fmt.Errorf("%d rows, want a power of two from 2^%d to 2^%d", rows, minTableBits, maxTableBits)
	}
	return nil
}

// table returns the entries, whose first is that of index -rows/2.
func (f Function) table(rows int) ([]int64, error) {
	if err := f.check(rows); err != nil {
		return nil, err
	}
	values := make([]int64, rows)
	for i := range values {
		var err error
		if values[i], err = f.entry(int64(i-rows/2), f.Step(rows)); err != nil {
			return nil, err
		}
	}
	return values, nil
}

// entry returns the integer of the function at index·step.
func (f Function) entry(index int64, step float64) (int64, error) {
	c := curves[f.Name]
	if index == 0 { // ⌊half·Peak/2 + 1/2⌋
		return (c.half*f.Peak + 1) >> 1, nil
	}
	x := number().SetInt64(index)
	x.Mul(x, number().SetFloat64(step))
	if at, _ := x.Float64(); math.Abs(at) >= c.far {
		if index < 0 {
			return 0, nil
		}
		// The function is a little below x, so that ⌊x·Peak/Range + 1/2⌋ counts unless
		// it is an integer itself. Everything here is a dyadic rational of few bits.
		v := x.Add(x.Quo(x.Mul(x, f.peak()), number().SetFloat64(f.Range)), number().SetFloat64(0.5))
		n, exact := v.Int64()
		if exact == big.Exact {
			n--
		}
		return n, nil
	}
	v := c.eval(x)
	v.Quo(v.Mul(v, f.peak()), number().SetFloat64(f.amplitude()))
	v.Add(v, number().SetFloat64(0.5))
	n := floor(v)
	// How far v is from an integer, on either side.
	rest := number().Sub(v, number().SetInt64(n))
	if other := number().Sub(number().SetInt64(1), rest); other.Cmp(rest) < 0 {
		rest = other
	}
	if rest.Sign() == 0 || rest.MantExp(nil) < doubt {
		return 0, fmt.Errorf("fixedpoint: %s at %d steps of %v lies too close to a half", f.Name, index, step)
	}
	return n, nil
}

func (f Function) peak() *big.Float { return number().SetInt64(f.Peak) }

func number() *big.Float { return new(big.Float).SetPrec(precision) }

// floor returns ⌊v⌋ for a small v.
func floor(v *big.Float) int64 {
	n, acc := v.Int64() // towards zero
	if acc == big.Above {
		n--
	}
	return n
}

// exp returns e^x for -64 < x <= 0: 24 terms and more of the series at x/2^8, squared 8
// times.
func exp(x *big.Float) *big.Float {
	const halvings = 8
	y := number().SetMantExp(x, -halvings)
	sum, term := number().SetInt64(1), number().SetInt64(1)
	for n := int64(1); term.Sign() != 0 && term.MantExp(nil) > -precision-16; n++ {
		term.Quo(term.Mul(term, y), number().SetInt64(n))
		sum.Add(sum, term)
	}
	for range halvings {
		sum.Mul(sum, sum)
	}
	return sum
}

// decay returns e^-|x|.
func decay(x *big.Float) *big.Float { return exp(number().Neg(number().Abs(x))) }

func sigmoid(x *big.Float) *big.Float {
	e := decay(x)
	s := number().Add(number().SetInt64(1), e)
	if x.Sign() < 0 {
		return s.Quo(e, s)
	}
	return s.Quo(number().SetInt64(1), s)
}

func tanh(x *big.Float) *big.Float {
	e := decay(number().SetMantExp(x, 1))
	t := number().Sub(number().SetInt64(1), e)
	t.Quo(t, number().Add(number().SetInt64(1), e))
	if x.Sign() < 0 {
		t.Neg(t)
	}
	return t
}

func silu(x *big.Float) *big.Float {
	s := sigmoid(x)
	return s.Mul(s, x)
}

// gelu is x·Φ(x) with Φ(x) = 1/2 + φ(x)·Σ x^(2n+1)/(1·3·…·(2n+1)), all of whose terms have
// the sign of x.
func gelu(x *big.Float) *big.Float {
	square := number().Mul(x, x)
	sum, term := number().Set(x), number().Set(x)
	for n := int64(3); term.MantExp(nil) > -precision-64; n += 2 {
		term.Quo(term.Mul(term, square), number().SetInt64(n))
		sum.Add(sum, term)
	}
	phi := exp(square.SetMantExp(square.Neg(square), -1))
	sum.Quo(sum.Mul(sum, phi), rootOfTau())
	sum.Add(sum, number().SetFloat64(0.5))
	return sum.Mul(sum, x)
}

// rootOfTau returns √(2π), where π = 16·arctan(1/5) - 4·arctan(1/239).
var rootOfTau = sync.OnceValue(func() *big.Float {
	arctan := func(n int64) *big.Float {
		sum, power := number(), number().Quo(number().SetInt64(1), number().SetInt64(n))
		for k, sign := int64(1), int64(1); power.MantExp(nil) > -precision-16; k, sign = k+2, -sign {
			sum.Add(sum, number().Quo(power, number().SetInt64(sign*k)))
			power.Quo(power, number().SetInt64(n*n))
		}
		return sum
	}
	tau := number().SetMantExp(arctan(5), 5)
	tau.Sub(tau, number().SetMantExp(arctan(239), 3))
	return tau.Sqrt(tau)
})
