package program

import (
	"fmt"
	"math"
	"math/big"

	"github.com/signet-ml/signet/fhe"
)

// Noise is the model's estimate for one value, in the units of the message: slot values after division by the scale.
type Noise struct {
	Magnitude float64 // root mean square of the modulus of the message's slots
	Error     float64 // standard deviation of the error in the real part of a slot, and in the imaginary part
	Added     float64 // the part of Error that the operation itself adds, independent of what came before
}

// NoiseHints give the model what it cannot know. Without hints magnitudes are propagated from the ports' bounds, which
// overestimates the error after products.
type NoiseHints struct {
	Magnitude map[Value]float64 // root mean square of a value's slots, from calibration
	Error     map[Value]float64 // standard deviation of a value's error, where it is known: 0 for inputs that are given
	// Exact says that the message is what the integers of the constants stand for, not the numbers that were rounded to
	// them: encoding adds no error.
	Exact bool
}

// Noise constants: the standard deviation of fresh errors, and the variance of rounding to an integer.
const (
	errorStd    = 3.2
	roundingVar = 1.0 / 12
)

// Noise propagates the error of every value by the rule of its opcode, as standard deviations of independent
// coefficients, and returns one estimate per operation. It follows the average-case analysis of CKKS with key switching
// by RNS digits: [KLSS] and "Accurate CKKS error estimation" (eprint 2022/162). Errors of different operands count as
// independent, so sums of powers of one value come out too large or too small; with hints of the magnitudes, measured
// errors lie within 1.5 bits for the programs of the tests of engine/clear, which also simulates what is dependent.
func (p *Program) Noise(c *Constants, hints NoiseHints) ([]Noise, error) {
	if err := p.CheckConstants(c); err != nil {
		return nil, err
	}
	m := newNoiseModel(p, c, hints)
	out := make([]Noise, len(p.ops))
	for i := range p.ops {
		x := m.rule(i)
		if h, ok := hints.Magnitude[Value(i)]; ok {
			x.mag = h * h
		}
		if h, ok := hints.Error[Value(i)]; ok {
			x.own, x.added = h*h, h*h
		}
		if math.IsNaN(x.own) {
			return nil, fmt.Errorf("program: noise of operation %d is not a number", i)
		}
		m.vals[i] = x
		out[i] = Noise{math.Sqrt(x.mag), math.Sqrt(x.own), math.Sqrt(x.added)}
	}
	return out, nil
}

// estimate is what the model knows of a value. Variances are those of the real part of a slot, in message units.
type estimate struct {
	mag float64 // mean square of the modulus of the message's slots
	own float64 // variance in the value's own slots
	// all is the variance in all slots of the ring. A message in n slots is a polynomial in X^(N/2n), and decoding it drops
	// the errors of the other coefficients, but where the value meets one of more slots they come back.
	all      float64
	added    float64 // part of own
	logSlots int
}

// scaled returns x times a number whose squared modulus is f.
func (x estimate) scaled(f float64) estimate {
	x.mag, x.own, x.all, x.added = x.mag*f, x.own*f, x.all*f, 0
	return x
}

type noiseModel struct {
	p    *Program
	c    *Constants
	n    float64 // ring degree
	h    float64 // expected squared norm of the secret: non-zero coefficients, or N·σ² for a Gaussian one
	logP float64
	rms  map[[2]int]float64
	vals []estimate
	hint NoiseHints
}

func newNoiseModel(p *Program, c *Constants, hints NoiseHints) *noiseModel {
	m := &noiseModel{p: p, c: c, n: float64(p.params.N()), logP: p.params.LogP(), rms: map[[2]int]float64{},
		vals: make([]estimate, len(p.ops)), hint: hints}
	switch s := p.params.Secret(); {
	case s.Gaussian:
		m.h = m.n * errorStd * errorStd
	case s.Hamming > 0:
		m.h = float64(s.Hamming)
	default:
		m.h = m.n * 2 / 3
	}
	return m
}

// add returns x with an error of the stated variance in every coefficient of a ciphertext at a scale.
func (m *noiseModel) add(x estimate, v float64, scale fhe.Scale) estimate {
	s := scale.Float64()
	v /= s * s
	own := v * math.Exp2(float64(x.logSlots))
	x.own += own
	x.added += own
	x.all += v * m.n / 2
	return x
}

// encoded returns x with the rounding of a plaintext of 2^logSlots slots, at a scale and times a factor of squared
// modulus f.
func (m *noiseModel) encoded(x estimate, logSlots int, scale fhe.Scale, f float64) estimate {
	if m.hint.Exact {
		return x
	}
	s := scale.Float64()
	v := f * roundingVar * math.Exp2(float64(logSlots)) / (s * s)
	x.own += v
	x.added += v
	x.all += v
	return x
}

// widen returns a value as one of more slots: its message repeats, and errors of more coefficients count.
func (m *noiseModel) widen(x estimate, logSlots int) estimate {
	if logSlots <= x.logSlots {
		return x
	}
	n, wide := math.Exp2(float64(x.logSlots)), math.Exp2(float64(logSlots))
	x.own += (x.all - x.own) * (wide - n) / (m.n/2 - n)
	x.logSlots = logSlots
	return x
}

// sum returns x + y with independent errors.
func (m *noiseModel) sum(x, y estimate) estimate {
	logSlots := max(x.logSlots, y.logSlots)
	x, y = m.widen(x, logSlots), m.widen(y, logSlots)
	return estimate{mag: x.mag + y.mag, own: x.own + y.own, all: x.all + y.all, logSlots: logSlots}
}

// rounding is the coefficient variance of rounding every part of a ciphertext of the stated degree: s has a squared
// norm of h, s² one of 2·h² on average.
func (m *noiseModel) rounding(degree int) float64 {
	v := 1.0
	if degree >= 1 {
		v += m.h
	}
	if degree >= 2 {
		v += 2 * m.h * m.h
	}
	return v * roundingVar
}

// keySwitch is the coefficient variance of one gadget product at a level, before the division by P is rounded:
// Σ over digits of N · D²/12 · σ² / P². The digits were made at level hoist, so the last one may hold more primes.
func (m *noiseModel) keySwitch(level, hoist int) float64 {
	k := m.p.params.PCount()
	v := 0.0
	for d := 0; d <= level; d += k {
		logD := 0.0
		for i := d; i < min(d+k, hoist+1); i++ {
			logD += math.Log2(float64(m.p.params.Prime(i)))
		}
		v += m.n * roundingVar * errorStd * errorStd * math.Exp2(2*(logD-m.logP))
	}
	return v
}

// row returns the root mean square of the slots of a polynomial row, in message units: Parseval's identity.
func (m *noiseModel) row(constant, row int) float64 {
	key := [2]int{constant, row}
	if v, ok := m.rms[key]; ok {
		return v
	}
	info := m.p.consts[constant]
	sum := 0.0
	for _, c := range m.c.Get(info.Digest).rows[row] {
		sum += float64(c) * float64(c)
	}
	v := math.Sqrt(sum) / info.Scale.Float64()
	m.rms[key] = v
	return v
}

// rule returns the estimate of operation i from those of its operands.
func (m *noiseModel) rule(i int) estimate {
	p := m.p
	o := &p.ops[i]
	var x, y estimate
	if len(o.Args) > 0 {
		x = m.vals[o.Args[0]]
		x.added = 0
	}
	if len(o.Args) > 1 {
		y = m.vals[o.Args[1]]
		y.added = 0
	}
	twice := len(o.Args) == 2 && o.Args[0] == o.Args[1]
	switch o.Code {
	case Input:
		port := &p.inputs[o.Port]
		x = m.add(estimate{mag: port.Bound * port.Bound, logSlots: o.LogSlots}, errorStd*errorStd, o.Scale)
		return m.encoded(x, o.LogSlots, o.Scale, 1)
	case Output, Drop, Neg, Hoist:
		return x
	case AddConst:
		x.mag += m.constant(o.A, o.B, o.Scale)
		return x
	case Zero:
		return estimate{logSlots: o.LogSlots}
	case SetScale:
		return x.scaled(math.Exp2(2 * (p.ops[o.Args[0]].Scale.Log2() - o.Scale.Log2())))
	case Add, Sub:
		switch {
		case !twice:
			return m.sum(x, y)
		case o.Code == Add:
			return x.scaled(4)
		}
		return estimate{logSlots: o.LogSlots}
	case AddPt, SubPt:
		x = m.widen(x, o.LogSlots)
		w := m.row(o.Const, o.Rows[0])
		x.mag += w * w
		return m.encoded(x, p.consts[o.Const].LogSlots, o.Scale, 1)
	case MulPt:
		w, info := m.row(o.Const, o.Rows[0]), p.consts[o.Const]
		x = m.widen(x, o.LogSlots)
		return m.encoded(x.scaled(w*w), info.LogSlots, info.Scale, x.mag)
	case MulConst:
		return x.scaled(m.constant(o.A, o.B, o.By))
	case MacConst:
		w := m.constant(o.A, o.B, o.By)
		if !twice {
			return m.sum(x, y.scaled(w))
		}
		a, b := bigFloat(o.A)/o.By.Float64(), bigFloat(o.B)/o.By.Float64()
		return x.scaled((1+a)*(1+a) + b*b)
	case Lincomb:
		return m.lincomb(o)
	case Mul:
		return m.product(x, y, twice)
	case MulRelin:
		return m.add(m.product(x, y, twice), m.keySwitch(o.Level, o.Level)+m.rounding(1), o.Scale)
	case Relin, Rot, Conj, RotHoisted:
		hoist := o.Level
		if o.Code == RotHoisted {
			hoist = p.ops[o.Args[0]].Level
		}
		return m.add(x, m.keySwitch(o.Level, hoist)+m.rounding(1), o.Scale)
	case Rescale:
		return m.add(x, m.rounding(o.Degree), o.Scale)
	case Rotsum:
		switches := float64(len(p.automorphisms(i))) * m.keySwitch(o.Level, p.ops[o.Args[0]].Level)
		return m.add(x.scaled(float64(len(o.Galois))), switches+m.rounding(1), o.Scale)
	case Lintrans:
		return m.lintrans(o, x)
	}
	return estimate{own: math.NaN()}
}

// constant returns the squared modulus of a + b·i at a scale.
func (m *noiseModel) constant(a, b *big.Int, scale fhe.Scale) float64 {
	w := math.Hypot(bigFloat(a), bigFloat(b)) / scale.Float64()
	return w * w
}

// lincomb adds up the weights of an operand that occurs several times: its error is the same each time.
func (m *noiseModel) lincomb(o *Op) estimate {
	row := m.c.Get(m.p.consts[o.Const].Digest).rows[o.Rows[0]]
	s := m.p.consts[o.Const].Scale.Float64()
	weights := make(map[Value]float64)
	var order []Value // a sum of floats depends on it
	i := 0
	for v := range o.Operands() {
		if _, ok := weights[v]; !ok {
			order = append(order, v)
		}
		weights[v] += float64(row[i]) / s
		i++
	}
	out := estimate{logSlots: o.LogSlots}
	for _, v := range order {
		out = m.sum(out, m.vals[v].scaled(weights[v]*weights[v]))
	}
	return out
}

// product returns x·y: each error times the other message, and the product of the errors. twice says that x is y.
func (m *noiseModel) product(x, y estimate, twice bool) estimate {
	logSlots := max(x.logSlots, y.logSlots)
	x, y = m.widen(x, logSlots), m.widen(y, logSlots)
	cross := 2.0 // |e·f|² has the mean 4·Var·Var, half of it in the real part
	if twice {
		cross = 4 // a Gaussian's fourth moment
	}
	e := func(ex, ey float64) float64 {
		v := ex*y.mag + ey*x.mag
		if twice {
			v *= 2
		}
		return v + cross*ex*ey
	}
	return estimate{mag: x.mag * y.mag, own: e(x.own, y.own), all: e(x.all, y.all), logSlots: logSlots}
}

// lintrans follows double hoisting: baby rotations keep the error of their key switch unrounded and are multiplied by
// the diagonals; each giant step rounds once and switches keys once; the result is rounded once.
func (m *noiseModel) lintrans(o *Op, x estimate) estimate {
	hx, info := m.p.ops[o.Args[0]], m.p.consts[o.Const]
	var sum, babies float64 // of squared diagonals
	giants := map[int]bool{}
	for j, k := range o.Diagonals {
		w := m.row(o.Const, o.Rows[j])
		b, g := BabyGiant(k, o.N1)
		sum += w * w
		if b != 0 {
			babies += w * w
		}
		if g != 0 {
			giants[g] = true
		}
	}
	out := m.encoded(x.scaled(sum), info.LogSlots, info.Scale, x.mag*float64(len(o.Diagonals)))
	out = m.add(out, babies*m.keySwitch(hx.Level, hx.Level), hx.Scale)
	return m.add(out, float64(len(giants))*(m.keySwitch(o.Level, o.Level)+m.rounding(1))+m.rounding(1), o.Scale)
}

func bigFloat(x *big.Int) float64 {
	f, _ := new(big.Float).SetInt(x).Float64()
	return f
}
