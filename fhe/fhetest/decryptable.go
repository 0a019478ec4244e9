package fhetest

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"

	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/program"
)

// tame appends operations whose values fit their modulus, with a bound for every slot.
type tame struct {
	*maker
	enc    *fhe.Encoder
	bound  map[program.Value]float64
	read   map[program.Value]bool
	linear bool // no product of two ciphertexts, no addition of a constant
	exact  bool // no rounding: linear in every word
}

// RandomDecryptable is RandomProgram with constants and scales that keep every value below half of its modulus, for
// inputs up to 1 in magnitude: what it computes means something, and decrypts. Each value that nothing reads is an
// output. With linear, the program computes a linear function of its inputs, over the real numbers.
func RandomDecryptable(rng *rand.Rand, params fhe.Parameters, n int, linear bool) (*program.Program, *program.Constants, error) {
	return randomTame(&tame{maker: newMaker(rng, params), linear: linear}, n)
}

func randomTame(m *tame, n int) (*program.Program, *program.Constants, error) {
	params, rng := m.params, m.rng
	m.enc, m.bound, m.read = fhe.NewEncoder(params), map[program.Value]float64{}, map[program.Value]bool{}
	top, full := params.MaxLevel(), params.LogMaxSlots()
	m.Scope("inputs")
	for _, v := range m.input("x", 2, top, full) {
		m.bound[v] = 1
	}
	m.bound[m.input("y", 1, (top+1)/2, full)[0]] = 1
	m.bound[m.input("sparse", 1, top, 1+rng.IntN(full-1))[0]] = 1
	both := layout(1, full+1) // real and imaginary parts
	z := m.Input(program.Port{Name: "z", Count: 1, Level: top, Degree: 1, LogSlots: full, Scale: params.DefaultScale(), Bound: 1, Layout: both})[0]
	m.vals, m.bound[z] = append(m.vals, z), math.Sqrt2
	for tries := 0; m.count < n && tries < 100*n && m.Err() == nil; tries++ {
		m.Scope(fmt.Sprintf("part %d", m.count/10))
		m.op()
	}
	if m.Err() != nil {
		return nil, nil, m.Err()
	}
	m.Scope("outputs")
	m.leaves()
	return m.Build()
}

// leaves outputs every value that nothing reads.
func (m *tame) leaves() {
	k := 0
	for _, v := range m.vals {
		if !m.read[v] {
			m.output(fmt.Sprintf("out %d", k), v)
			k++
		}
	}
}

// room returns how many bits a value of the stated bound stays below half of its modulus.
func (m *tame) room(level int, scale fhe.Scale, bound float64) float64 {
	half := -1.0
	for i := range level + 1 {
		half += math.Log2(float64(m.params.Prime(i)))
	}
	return half - scale.Log2() - math.Log2(max(bound, 0x1p-20))
}

// fits reports whether a result may be appended. Errors grow the bound a little.
func (m *tame) fits(level int, scale fhe.Scale, bound float64) bool {
	return m.room(level, scale, bound) > 3
}

// keep notes the bound of a value that was appended, and what it read.
func (m *tame) keep(v program.Value, bound float64, operands ...program.Value) program.Value {
	m.bound[m.add(v)] = bound
	for _, o := range operands {
		m.read[o] = true
	}
	return v
}

// rows returns rows of random numbers in slots, up to 1 in modulus, real or complex.
func (m *tame) rows(rows, logSlots int, scale fhe.Scale) (*program.Constant, bool) {
	out := make([][]int64, rows)
	for r := range out {
		z := make([]complex128, 1<<logSlots)
		imaginary := m.rng.IntN(3) == 0
		for i := range z {
			if z[i] = complex(2*m.rng.Float64()-1, 0); imaginary {
				z[i] *= complex(math.Sqrt2/2, math.Sqrt2/2)
			}
		}
		var err error
		if out[r], err = m.enc.Encode(z, logSlots, scale); err != nil {
			return nil, false
		}
	}
	c, err := program.NewPolynomials(out, logSlots, scale)
	return c, err == nil
}

// number returns a real number of up to 1 in magnitude at a scale, as an integer.
func (m *tame) number(scale fhe.Scale) *big.Int {
	f := scale.Big()
	out, _ := f.Mul(f, big.NewFloat(2*m.rng.Float64()-1)).Int(nil)
	return out
}

// alike returns a value at a scale, or false: scales are changed by a few bits only.
func (m *tame) alike(scale fhe.Scale, degree int) (program.Value, bool) {
	for range 8 {
		v := m.pick()
		d := m.Scale(v).Log2() - scale.Log2()
		if m.Degree(v) > degree || math.Abs(d) > 6 {
			continue
		}
		if m.Scale(v) == scale {
			return v, true
		}
		b := m.bound[v] * math.Exp2(d)
		return m.keep(m.SetScale(v, scale), b, v), true
	}
	return 0, false
}

// op appends one random operation, or none if what it picked does not fit.
func (m *tame) op() {
	x := m.pick()
	if m.rng.IntN(2) == 0 { // go on where the program has got to
		x = m.vals[len(m.vals)-1-m.rng.IntN(min(4, len(m.vals)))]
	}
	level, degree, scale, bound := m.Level(x), m.Degree(x), m.Scale(x), m.bound[x]
	if top := m.params.DefaultScale().Log2(); scale.Log2() > top+12 && level > 0 && scale.Log2()-math.Log2(float64(m.params.Prime(level))) > top-6 && m.rng.IntN(4) > 0 && !m.exact {
		m.keep(m.Rescale(x), bound, x)
		return
	}
	factor := fhe.PowerOfTwo(12 + m.rng.IntN(10))
	kinds := 16
	if m.params.PCount() == 0 || m.exact {
		kinds = 11 // the rest need keys, and round
	}
	switch m.rng.IntN(kinds) {
	case 0, 1:
		y, ok := m.alike(scale, degree)
		b := bound + m.bound[y]
		if !ok || !m.fits(min(level, m.Level(y)), scale, b) {
			return
		}
		if m.rng.IntN(2) == 0 {
			m.keep(m.Add(x, y), b, x, y)
		} else {
			m.keep(m.Sub(x, y), b, x, y)
		}
	case 2:
		m.keep(m.Neg(x), bound, x)
	case 3:
		if m.linear || scale.Log2() > 55 || !m.fits(level, scale, bound+1) {
			return
		}
		if c, ok := m.rows(1, m.rng.IntN(m.params.LogMaxSlots()+1), scale); ok && m.rng.IntN(2) == 0 {
			m.keep(m.AddPt(x, c, 0), bound+1, x)
		} else if ok {
			m.keep(m.SubPt(x, c, 0), bound+1, x)
		}
	case 4:
		if c, ok := m.rows(1, m.rng.IntN(m.params.LogMaxSlots()+1), factor); ok && m.fits(level, scale.Mul(factor), bound) {
			m.keep(m.MulPt(x, c, 0), bound, x)
		}
	case 5:
		if !m.linear && m.fits(level, scale, bound+1.5) {
			m.keep(m.AddConst(x, m.number(scale), m.number(scale)), bound+1.5, x)
		}
	case 6:
		if m.fits(level, scale.Mul(factor), bound*1.5) {
			m.keep(m.MulConst(x, m.number(factor), m.number(factor), factor), bound*1.5, x)
		}
	case 7:
		y := m.pick()
		f := 1 + m.rng.Uint64N(1<<18)
		by := scale.Mul(fhe.ScaleFromInt(f)).Div(m.Scale(y))
		b := bound + 1.5*m.bound[y]
		if l := by.Log2(); l > 12 && l < 60 && m.fits(min(level, m.Level(y)), scale.Mul(fhe.ScaleFromInt(f)), b) {
			m.keep(m.MacConst(x, new(big.Int).SetUint64(f), y, m.number(by), m.number(by), by), b, x, y)
		}
	case 8:
		ranges, operands, low, b := []program.Range{{First: x, Count: 1}}, []program.Value{x}, level, bound
		for range m.rng.IntN(4) {
			if y, ok := m.alike(scale, 2); ok {
				ranges, operands = append(ranges, program.Range{First: y, Count: 1}), append(operands, y)
				low, b = min(low, m.Level(y)), b+m.bound[y]
			}
		}
		row := make([]int64, len(ranges))
		for i := range row {
			row[i] = m.rng.Int64N(511) - 255
		}
		c, err := program.NewWeights([][]int64{row}, fhe.PowerOfTwo(8))
		if s := scale.Mul(fhe.PowerOfTwo(8)); err == nil && m.fits(low, s, b) {
			m.keep(m.Lincomb(ranges, c, 0), b, operands...)
		}
	case 9, 13:
		y, ok := m.pickDegree(1)
		b := bound * m.bound[y]
		if m.linear || !ok || degree != 1 || !m.fits(min(level, m.Level(y)), scale.Mul(m.Scale(y)), b) {
			return
		}
		if m.params.PCount() > 0 && m.rng.IntN(2) == 0 {
			m.keep(m.MulRelin(x, y), b, x, y)
		} else {
			m.keep(m.Mul(x, y), b, x, y)
		}
	case 10:
		if level > 0 {
			if low := m.rng.IntN(level); m.fits(low, scale, bound) {
				m.keep(m.Drop(x, low), bound, x)
			}
		}
	case 11:
		switch {
		case degree != 1:
		case m.rng.IntN(3) == 0:
			m.keep(m.Conj(x), bound, x)
		default:
			m.keep(m.rot(x), bound, x)
		}
	case 12:
		if y, ok := m.pickDegree(2); ok {
			m.keep(m.Relin(y), m.bound[y], y)
		}
	default:
		if degree == 1 {
			m.hoist(x)
		}
	}
}

// hoist appends a hoist and up to three operations on it.
func (m *tame) hoist(x program.Value) {
	a := m.Level(x) - m.rng.IntN(min(m.Level(x), 1)+1)
	scale, bound, logSlots := m.Scale(x), m.bound[x], m.slots(x)
	h := program.Value(-1)
	for range 1 + m.rng.IntN(3) {
		b := a - m.rng.IntN(min(a, 1)+1)
		kind := m.rng.IntN(3)
		s, top := scale, bound
		set := append([]uint64{1}, elements(m.params)...)
		set = set[m.rng.IntN(4) : 4+m.rng.IntN(4)]
		var diagonals, rows []int
		switch kind {
		case 1:
			s = scale.Mul(fhe.PowerOfTwo(20))
			for _, k := range append([]int{0}, rotations...) {
				if k < 1<<logSlots && (m.rng.IntN(3) > 0 || k == 0) {
					rows, diagonals = append(rows, len(rows)), append(diagonals, k)
				}
			}
			top *= float64(len(rows))
		case 2:
			top *= float64(len(set))
		}
		if !m.fits(b, s, top) {
			continue
		}
		if h < 0 {
			h = m.Hoist(x, a)
			m.count++
		}
		switch kind {
		case 0:
			m.keep(m.RotHoisted(h, m.element(), b), top, x)
		case 1:
			if c, ok := m.rows(len(rows), logSlots, fhe.PowerOfTwo(20)); ok {
				m.keep(m.Lintrans(h, c, rows, diagonals, min(1<<m.rng.IntN(3), 1<<logSlots), b), top, x)
			}
		case 2:
			m.keep(m.Rotsum(h, set, b), top, x)
		}
	}
}
