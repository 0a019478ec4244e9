package program

import (
	"fmt"
	"math"
	"math/big"
	"slices"

	"github.com/signet-ml/signet/fhe"
)

// Noise is the model's estimate for one value, in the units of the message: slot values after division by the scale.
type Noise struct {
	Magnitude float64 // root mean square of the real part of the message's slots
	Error     float64 // standard deviation of the error in the real part of a slot
}

// NoiseHints give the model what it cannot know. Without hints magnitudes are propagated from the ports' bounds, which
// overestimates the error after products.
type NoiseHints struct {
	Magnitude map[Value]float64 // root mean square of a value's slots, from calibration
	PublicKey map[string]bool   // input ports that are encrypted under a public key; the others are under the secret key
}

// Noise constants: the standard deviation of fresh errors, and the variance of rounding to an integer.
const (
	errorStd    = 3.2
	roundingVar = 1.0 / 12
)

// Noise propagates the error of every value by the rule of its opcode, as standard deviations of independent
// coefficients, and returns one estimate per operation. It follows the average-case analysis of CKKS with key switching
// by RNS digits: [KLSS] and "Accurate CKKS error estimation" (eprint 2022/162). Measured errors lie within two bits.
func (p *Program) Noise(c *Constants, hints NoiseHints) ([]Noise, error) {
	if err := p.CheckConstants(c); err != nil {
		return nil, err
	}
	for name := range hints.PublicKey {
		if !slices.ContainsFunc(p.inputs, func(port Port) bool { return port.Name == name }) {
			return nil, fmt.Errorf("program: noise: no input port is called %q", name)
		}
	}
	m := newNoiseModel(p, c, hints.PublicKey)
	out := make([]Noise, len(p.ops))
	for i := range p.ops {
		out[i] = m.rule(i, out)
		if h, ok := hints.Magnitude[Value(i)]; ok {
			out[i].Magnitude = h
		}
		if math.IsNaN(out[i].Error) {
			return nil, fmt.Errorf("program: noise of operation %d is not a number", i)
		}
	}
	return out, nil
}

type noiseModel struct {
	p      *Program
	c      *Constants
	public map[string]bool
	n      float64 // ring degree
	h      float64 // expected squared norm of the secret: non-zero coefficients, or N·σ² for a Gaussian one
	logP   float64
	rms    map[[2]int]float64
}

func newNoiseModel(p *Program, c *Constants, public map[string]bool) *noiseModel {
	m := &noiseModel{p: p, c: c, public: public, n: float64(p.params.N()), logP: p.params.LogP(), rms: map[[2]int]float64{}}
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

// slot turns the variance of an integer coefficient into that of the real part of a slot, in message units.
func (m *noiseModel) slot(v float64, scale fhe.Scale) float64 {
	s := scale.Float64()
	return v * m.n / 2 / (s * s)
}

// rounding is the coefficient variance of rounding every part of a ciphertext of the stated degree.
func (m *noiseModel) rounding(degree int) float64 {
	v := 1.0
	if degree >= 1 {
		v += m.h
	}
	if degree >= 2 {
		v += m.h * m.h
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

// fresh is the coefficient variance of an encryption: of the error under a secret key; under a public key that of u·e +
// e_1·s + e_0 for a ternary u, divided by P² and rounded, or not divided without special primes. The message's rounding
// adds to either.
func (m *noiseModel) fresh(public bool) float64 {
	v := errorStd * errorStd
	if public {
		v *= (m.n*2/3 + m.h + 1) * math.Exp2(-2*m.logP)
		if m.p.params.PCount() > 0 {
			v += m.rounding(1)
		}
	}
	return v + roundingVar
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

func (m *noiseModel) rule(i int, vals []Noise) Noise {
	p := m.p
	o := &p.ops[i]
	var x, y Noise
	if len(o.Args) > 0 {
		x = vals[o.Args[0]]
	}
	if len(o.Args) > 1 {
		y = vals[o.Args[1]]
	}
	sq := func(f float64) float64 { return f * f }
	add := func(v ...float64) float64 {
		s := 0.0
		for _, f := range v {
			s += f
		}
		return math.Sqrt(s)
	}
	switch o.Code {
	case Input:
		port := p.inputs[o.Port]
		return Noise{port.Bound, math.Sqrt(m.slot(m.fresh(m.public[port.Name]), o.Scale))}
	case Output, Drop, Neg, Hoist:
		return x
	case AddConst:
		z := math.Hypot(bigFloat(o.A), bigFloat(o.B)) / o.Scale.Float64()
		return Noise{add(sq(x.Magnitude), sq(z)), x.Error}
	case Zero:
		return Noise{}
	case SetScale:
		f := math.Exp2(p.ops[o.Args[0]].Scale.Log2() - o.Scale.Log2())
		return Noise{x.Magnitude * f, x.Error * f}
	case Add, Sub:
		if o.Args[0] == o.Args[1] {
			return Noise{2 * x.Magnitude, 2 * x.Error}
		}
		return Noise{add(sq(x.Magnitude), sq(y.Magnitude)), add(sq(x.Error), sq(y.Error))}
	case AddPt, SubPt:
		return Noise{add(sq(x.Magnitude), sq(m.row(o.Const, o.Rows[0]))), add(sq(x.Error), m.slot(roundingVar, o.Scale))}
	case MulPt:
		w := m.row(o.Const, o.Rows[0])
		return Noise{x.Magnitude * w, add(sq(x.Error*w), sq(x.Magnitude)*m.slot(roundingVar, p.consts[o.Const].Scale))}
	case MulConst:
		w := math.Hypot(bigFloat(o.A), bigFloat(o.B)) / o.By.Float64()
		return Noise{x.Magnitude * w, x.Error * w}
	case MacConst:
		w := math.Hypot(bigFloat(o.A), bigFloat(o.B)) / o.By.Float64()
		return Noise{add(sq(x.Magnitude), sq(y.Magnitude*w)), add(sq(x.Error), sq(y.Error*w))}
	case Lincomb:
		weights := m.c.Get(p.consts[o.Const].Digest).rows[o.Rows[0]]
		s := p.consts[o.Const].Scale.Float64()
		var mag, e float64
		i := 0
		for v := range o.Operands() {
			w := float64(weights[i]) / s
			mag += sq(w * vals[v].Magnitude)
			e += sq(w * vals[v].Error)
			i++
		}
		return Noise{math.Sqrt(mag), math.Sqrt(e)}
	case Mul:
		return m.product(o, x, y)
	case MulRelin:
		r := m.product(o, x, y)
		r.Error = add(sq(r.Error), m.slot(m.keySwitch(o.Level, o.Level)+m.rounding(1), o.Scale))
		return r
	case Relin, Rot, Conj, RotHoisted:
		hoist := o.Level
		if o.Code == RotHoisted {
			hoist = p.ops[o.Args[0]].Level
		}
		return Noise{x.Magnitude, add(sq(x.Error), m.slot(m.keySwitch(o.Level, hoist)+m.rounding(1), o.Scale))}
	case Rescale:
		return Noise{x.Magnitude, add(sq(x.Error), m.slot(m.rounding(o.Degree), o.Scale))}
	case Rotsum:
		k := float64(len(o.Galois))
		v := k*sq(x.Error) + m.slot(float64(len(p.automorphisms(i)))*m.keySwitch(o.Level, p.ops[o.Args[0]].Level)+m.rounding(1), o.Scale)
		return Noise{x.Magnitude * math.Sqrt(k), math.Sqrt(v)}
	case Lintrans:
		return m.lintrans(o, x)
	}
	return Noise{math.NaN(), math.NaN()}
}

func (m *noiseModel) product(o *Op, x, y Noise) Noise {
	e := math.Hypot(x.Error*y.Magnitude, y.Error*x.Magnitude)
	if o.Args[0] == o.Args[1] {
		e = 2 * x.Error * x.Magnitude
	}
	return Noise{x.Magnitude * y.Magnitude, math.Hypot(e, x.Error*y.Error)}
}

// lintrans follows double hoisting: baby rotations keep the error of their key switch unrounded and are multiplied by
// the diagonals; each giant step rounds once and switches keys once; the result is rounded once.
func (m *noiseModel) lintrans(o *Op, x Noise) Noise {
	hx := m.p.ops[o.Args[0]]
	baby := m.slot(m.keySwitch(hx.Level, hx.Level), hx.Scale)
	encode := m.slot(roundingVar, m.p.consts[o.Const].Scale)
	var mag, v float64
	giants := map[int]bool{}
	for j, k := range o.Diagonals {
		w := m.row(o.Const, o.Rows[j])
		b, g := BabyGiant(k, o.N1)
		mag += w * w * x.Magnitude * x.Magnitude
		v += w*w*x.Error*x.Error + x.Magnitude*x.Magnitude*encode
		if b != 0 {
			v += w * w * baby
		}
		if g != 0 {
			giants[g] = true
		}
	}
	v += m.slot(float64(len(giants))*(m.keySwitch(o.Level, o.Level)+m.rounding(1))+m.rounding(1), o.Scale)
	return Noise{math.Sqrt(mag), math.Sqrt(v)}
}

func bigFloat(x *big.Int) float64 {
	f, _ := new(big.Float).SetInt(x).Float64()
	return f
}
