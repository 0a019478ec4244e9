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
	Magnitude float64 // root mean square of the modulus of the message's slots
	Error     float64 // standard deviation of the error in the real part of a slot, and in the imaginary part
	Added     float64 // the part of Error that the operation itself adds, independent of what came before
}

// NoiseHints give the model what it cannot know. Without hints magnitudes are propagated from the ports' bounds, which
// overestimates the error after products.
type NoiseHints struct {
	Magnitude map[Value]float64 // root mean square of a value's slots, from calibration
	PublicKey map[string]bool   // input ports that are encrypted under a public key; the others are under the secret key
	// Mean is the mean of a value's slots, from calibration; without a hint, 0. It tells in how far products have their
	// errors in common: the powers of a value that is about the same in all slots have.
	Mean  map[Value]complex128
	Error map[Value]float64 // standard deviation of a value's error, where it is known: 0 for inputs that are given
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
// by RNS digits: [KLSS] and "Accurate CKKS error estimation" (eprint 2022/162). Linear combinations of values with
// errors in common are exact, so that a difference of equals has none. Of a product, what is in common is counted by
// the means of its factors, and the rest as independent. With hints of the magnitudes, measured errors lie within 1.5
// bits for the programs of the tests of engine/clear. It fails with ErrNoise when an estimate is not a number.
func (p *Program) Noise(c *Constants, hints NoiseHints) ([]Noise, error) {
	if err := p.CheckConstants(c); err != nil {
		return nil, err
	}
	for name := range hints.PublicKey {
		if !slices.ContainsFunc(p.inputs, func(port Port) bool { return port.Name == name }) {
			return nil, fmt.Errorf("program: noise: no input port is called %q", name)
		}
	}
	m := newNoiseModel(p, c, hints)
	last := p.LastUses()
	out := make([]Noise, len(p.ops))
	for i := range p.ops {
		x := m.rule(i)
		if h, ok := hints.Magnitude[Value(i)]; ok {
			x.mag = h * h
		}
		if h, ok := hints.Error[Value(i)]; ok {
			x.own, x.added, x.terms = h*h, h*h, nil
		}
		if math.IsNaN(x.own) {
			return nil, fmt.Errorf("%w of operation %d in %q", ErrNoise, i, p.Scope(Value(i)))
		}
		if x.terms == nil {
			x.terms = []term{m.source(x.own, x.all, x.logSlots)}
		}
		m.vals[i] = x
		out[i] = Noise{math.Sqrt(x.mag), math.Sqrt(x.own), math.Sqrt(x.added)}
		for v := range p.ops[i].Operands() {
			if last[v] == Value(i) {
				m.vals[v].terms = nil
			}
		}
	}
	return out, nil
}

// estimate is what the model knows of a value. Variances are those of the real part of a slot, in message units.
type estimate struct {
	mag float64 // mean square of the modulus of the message's slots
	own float64 // variance in the value's own slots
	// all is the variance in all slots of the ring. A message in n slots is a polynomial in X^(N/2n), and decoding it
	// drops the errors of the other coefficients, but where the value meets one of more slots they come back.
	all      float64
	added    float64 // part of own
	logSlots int
	terms    []term // the error as a sum of independent ones; nil for one of its own
}

// term is a multiple of the error of a source: an operation that adds one, or whose result depends on its operands in
// another way than by numbers.
type term struct {
	source int
	weight complex128
}

// source is an error that is independent of all others.
type source struct {
	own, all float64
	logSlots int
}

// maxSources bounds what the model remembers of a value's error. More terms become one.
const maxSources = 32

// summand is a multiple of a value.
type summand struct {
	value  Value
	weight complex128
}

func abs2(w complex128) float64 { return real(w)*real(w) + imag(w)*imag(w) }

type noiseModel struct {
	p    *Program
	c    *Constants
	n    float64 // ring degree
	h    float64 // expected squared norm of the secret: non-zero coefficients, or N·σ² for a Gaussian one
	logP float64
	rms  map[[2]int]float64
	hint NoiseHints

	vals    []estimate
	sources []source
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

// source returns the term of a new error.
func (m *noiseModel) source(own, all float64, logSlots int) term {
	m.sources = append(m.sources, source{own, all, logSlots})
	return term{len(m.sources) - 1, 1}
}

// add returns x with an error of the stated variance in every coefficient of a ciphertext at a scale.
func (m *noiseModel) add(x estimate, v float64, scale fhe.Scale) estimate {
	s := scale.Float64()
	v /= s * s
	return m.disturb(x, v*math.Exp2(float64(x.logSlots)), v*m.n/2)
}

func (m *noiseModel) disturb(x estimate, own, all float64) estimate {
	x.own += own
	x.added += own
	x.all += all
	if x.terms != nil && len(x.terms) < maxSources {
		x.terms = append(slices.Clip(x.terms), m.source(own, all, x.logSlots))
	} else {
		x.terms = nil
	}
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
	return m.disturb(x, v, v)
}

// widen returns the variance in 2^logSlots slots of an error with the stated variances in fewer and in all.
func (m *noiseModel) widen(own, all float64, from, to int) float64 {
	if to <= from {
		return own
	}
	n, wide := math.Exp2(float64(from)), math.Exp2(float64(to))
	return own + (all-own)*(wide-n)/(m.n/2-n)
}

// operand returns the value in the slots of a result, whose message repeats in them.
func (m *noiseModel) operand(v Value, logSlots int) estimate {
	x := m.vals[v]
	x.own, x.added = m.widen(x.own, x.all, x.logSlots, logSlots), 0
	x.logSlots = max(x.logSlots, logSlots)
	return x
}

// times returns x times something of the stated mean squared modulus, whose slots are not known.
func (x estimate) times(f float64) estimate {
	x.mag, x.own, x.all, x.terms = x.mag*f, x.own*f, x.all*f, nil
	return x
}

// linear returns a sum of multiples of values. What they have in common adds up or cancels.
func (m *noiseModel) linear(logSlots int, sum ...summand) estimate {
	values := merge(sum, func(s summand) (Value, complex128) { return s.value, s.weight })
	out := estimate{logSlots: logSlots}
	var terms []term
	for _, s := range values {
		x := m.vals[s.key]
		out.mag += abs2(s.weight) * x.mag
		for _, t := range x.terms {
			terms = append(terms, term{t.source, t.weight * s.weight})
		}
	}
	for _, t := range merge(terms, func(t term) (int, complex128) { return t.source, t.weight }) {
		s := m.sources[t.key]
		out.own += abs2(t.weight) * m.widen(s.own, s.all, s.logSlots, logSlots)
		out.all += abs2(t.weight) * s.all
		out.terms = append(out.terms, term{t.key, t.weight})
	}
	if len(out.terms) > maxSources {
		out.terms = nil
	}
	return out
}

type weighted[K comparable] struct {
	key    K
	weight complex128
}

// merge adds the weights of equal keys and keeps the order of the first ones: sums of floats depend on it.
func merge[T any, K comparable](list []T, f func(T) (K, complex128)) []weighted[K] {
	index, out := make(map[K]int, len(list)), make([]weighted[K], 0, len(list))
	for _, x := range list {
		k, w := f(x)
		i, ok := index[k]
		if !ok {
			i = len(out)
			index[k] = i
			out = append(out, weighted[K]{k, 0})
		}
		out[i].weight += w
	}
	return out
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

// fresh is the coefficient variance of an encryption: of the error under a secret key; under a public key that of u·e +
// e_1·s + e_0 for a ternary u, divided by P² and rounded, or not divided without special primes.
func (m *noiseModel) fresh(public bool) float64 {
	v := errorStd * errorStd
	if public {
		v *= (m.n*2/3 + m.h + 1) * math.Exp2(-2*m.logP)
		if m.p.params.PCount() > 0 {
			v += m.rounding(1)
		}
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
	var x estimate
	if len(o.Args) > 0 {
		x = m.operand(o.Args[0], o.LogSlots)
	}
	switch o.Code {
	case Input:
		port := &p.inputs[o.Port]
		x = m.add(estimate{mag: port.Bound * port.Bound, logSlots: o.LogSlots}, m.fresh(m.hint.PublicKey[port.Name]), o.Scale)
		return m.encoded(x, o.LogSlots, o.Scale, 1)
	case Output, Drop, Neg, Hoist:
		w := complex(1, 0)
		if o.Code == Neg {
			w = -1
		}
		return m.linear(o.LogSlots, summand{o.Args[0], w})
	case AddConst:
		x.mag += abs2(constant(o, o.Scale))
		return x
	case Zero:
		return estimate{logSlots: o.LogSlots}
	case SetScale:
		f := math.Exp2(p.ops[o.Args[0]].Scale.Log2() - o.Scale.Log2())
		return m.linear(o.LogSlots, summand{o.Args[0], complex(f, 0)})
	case Add:
		return m.linear(o.LogSlots, summand{o.Args[0], 1}, summand{o.Args[1], 1})
	case Sub:
		return m.linear(o.LogSlots, summand{o.Args[0], 1}, summand{o.Args[1], -1})
	case MulConst:
		return m.linear(o.LogSlots, summand{o.Args[0], constant(o, o.By)})
	case MacConst:
		return m.linear(o.LogSlots, summand{o.Args[0], 1}, summand{o.Args[1], constant(o, o.By)})
	case Lincomb:
		row, s := m.c.Get(p.consts[o.Const].Digest).rows[o.Rows[0]], p.consts[o.Const].Scale.Float64()
		sum := make([]summand, 0, len(row))
		for v := range o.Operands() {
			sum = append(sum, summand{v, complex(float64(row[len(sum)])/s, 0)})
		}
		return m.linear(o.LogSlots, sum...)
	case AddPt, SubPt:
		w := m.row(o.Const, o.Rows[0])
		x.mag += w * w
		return m.encoded(x, p.consts[o.Const].LogSlots, o.Scale, 1)
	case MulPt:
		w, info := m.row(o.Const, o.Rows[0]), p.consts[o.Const]
		// A polynomial's mean over the slots is its part c_0 + c_(N/2)·X^(N/2).
		row, s := m.c.Get(info.Digest).rows[o.Rows[0]], info.Scale.Float64()
		mean := complex(float64(row[0])/s, float64(row[len(row)/2])/s)
		vary := max(0, w*w-abs2(mean))
		out := m.spread(m.linear(o.LogSlots, summand{o.Args[0], mean}), x.own*vary, x.all*vary)
		out.mag = x.mag * w * w
		return m.encoded(out, info.LogSlots, info.Scale, x.mag)
	case Mul:
		return m.product(o)
	case MulRelin:
		return m.add(m.product(o), m.keySwitch(o.Level, o.Level)+m.rounding(1), o.Scale)
	case Relin:
		return m.add(x, m.keySwitch(o.Level, o.Level)+m.rounding(1), o.Scale)
	case Rescale:
		return m.add(x, m.rounding(o.Degree), o.Scale)
	case Rot, Conj, RotHoisted:
		hoist := o.Level
		if o.Code == RotHoisted {
			hoist = p.ops[o.Args[0]].Level
		}
		return m.add(x.times(1), m.keySwitch(o.Level, hoist)+m.rounding(1), o.Scale)
	case Rotsum:
		switches := float64(len(p.automorphisms(i))) * m.keySwitch(o.Level, p.ops[o.Args[0]].Level)
		return m.add(x.times(float64(len(o.Galois))), switches+m.rounding(1), o.Scale)
	case Lintrans:
		return m.lintrans(o, x)
	}
	return estimate{own: math.NaN()}
}

// constant returns A + B·i at a scale.
func constant(o *Op, scale fhe.Scale) complex128 {
	s := scale.Float64()
	return complex(bigFloat(o.A)/s, bigFloat(o.B)/s)
}

// product returns x·y, with the errors x·f + y·e + e·f: those of the factors times the other's mean, and what varies
// from slot to slot as an error of its own.
func (m *noiseModel) product(o *Op) estimate {
	a, b := o.Args[0], o.Args[1]
	x, y := m.operand(a, o.LogSlots), m.operand(b, o.LogSlots)
	u, v := m.hint.Mean[a], m.hint.Mean[b]
	varX, varY := max(0, x.mag-abs2(u)), max(0, y.mag-abs2(v))
	rest := func(e, f float64) float64 {
		if a == b {
			return 4*e*varX + 4*e*e // a Gaussian's fourth moment
		}
		return e*varY + f*varX + 2*e*f // |e·f|² has the mean 4·Var·Var, half of it in the real part
	}
	out := m.spread(m.linear(o.LogSlots, summand{a, v}, summand{b, u}), rest(x.own, y.own), rest(x.all, y.all))
	out.mag = x.mag * y.mag
	return out
}

// spread returns x with an error that the operation does not add, but that has nothing in common with others.
func (m *noiseModel) spread(x estimate, own, all float64) estimate {
	x = m.disturb(x, own, all)
	x.added = 0
	return x
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
	out := m.encoded(x.times(sum), info.LogSlots, info.Scale, x.mag*float64(len(o.Diagonals)))
	out = m.add(out, babies*m.keySwitch(hx.Level, hx.Level), hx.Scale)
	return m.add(out, float64(len(giants))*(m.keySwitch(o.Level, o.Level)+m.rounding(1))+m.rounding(1), o.Scale)
}

func bigFloat(x *big.Int) float64 {
	f, _ := new(big.Float).SetInt(x).Float64()
	return f
}
