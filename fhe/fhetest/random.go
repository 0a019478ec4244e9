package fhetest

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"slices"

	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/program"
)

// NewRand returns the generator of the suite's random programs, words and keys. It is predictable: tests only.
func NewRand(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0x5167)) }

// fill writes words below q: uniform, all equal to an edge, or uniform with edges mixed in.
func fill(rng *rand.Rand, limb []uint64, q uint64) {
	edges := [...]uint64{0, 1, (q - 1) / 2, (q + 1) / 2, q - 1}
	mode := rng.IntN(8)
	for i := range limb {
		switch {
		case mode == 0:
			limb[i] = edges[0]
		case mode == 1:
			limb[i] = q - 1
		case mode < 5 && rng.IntN(4) == 0:
			limb[i] = edges[rng.IntN(len(edges))]
		default:
			limb[i] = rng.Uint64N(q)
		}
	}
}

// RandomCiphertext returns a ciphertext of random words, edges of the range among them. It does not decrypt.
func RandomCiphertext(rng *rand.Rand, p fhe.Parameters, degree, level, logSlots int, scale fhe.Scale) (*fhe.Ciphertext, error) {
	ct, err := fhe.NewCiphertext(p, degree, level, logSlots, scale)
	if err != nil {
		return nil, err
	}
	for k := range degree + 1 {
		for i := range level + 1 {
			fill(rng, ct.Limb(k, i), p.Prime(i))
		}
	}
	return ct, nil
}

// RandomBundle returns a bundle for every input port of p, of random words.
func RandomBundle(rng *rand.Rand, p *program.Program, key fhe.KeyID) (*fhe.Bundle, error) {
	b := fhe.NewBundle(p.Parameters(), key, p.Digest())
	for _, port := range p.Inputs() {
		cts := make([]*fhe.Ciphertext, port.Count)
		for i := range cts {
			var err error
			if cts[i], err = RandomCiphertext(rng, p.Parameters(), port.Degree, port.Level, port.LogSlots, port.Scale); err != nil {
				return nil, err
			}
		}
		if err := b.Add(port.Name, cts...); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// RandomKeys returns switching keys of random words for the stated requirements. They switch nothing.
func RandomKeys(rng *rand.Rand, p fhe.Parameters, key fhe.KeyID, reqs []program.KeyRequirement) (*fhe.EvaluationKeys, error) {
	set := fhe.NewEvaluationKeys(p, key)
	primes := func(level int) []uint64 { return append(p.Q()[:level+1], p.P()...) }
	for _, r := range reqs {
		moduli := primes(r.Level)
		limbs := make([][2][][]uint64, (r.Level+p.PCount())/p.PCount())
		for d := range limbs {
			for b := range limbs[d] {
				limbs[d][b] = make([][]uint64, len(moduli))
				for i, q := range moduli {
					limbs[d][b][i] = make([]uint64, p.N())
					fill(rng, limbs[d][b][i], q)
				}
			}
		}
		k, err := fhe.NewEvaluationKey(p, r.GaloisElement, r.Level, limbs)
		if err != nil {
			return nil, err
		}
		if err := set.Add(k); err != nil {
			return nil, err
		}
	}
	return set, nil
}

// Requirements returns the keys that a program needs, with the baby steps of every Lintrans at the level of its hoist,
// where they are taken.
func Requirements(p *program.Program) []program.KeyRequirement {
	reqs := p.Keys()
	ops := p.Ops()
	for i := range ops {
		o := &ops[i]
		if o.Code != program.Lintrans {
			continue
		}
		for _, k := range o.Diagonals {
			baby, _ := program.BabyGiant(k, o.N1)
			for j := range reqs {
				if baby != 0 && reqs[j].GaloisElement == p.Parameters().GaloisElement(baby) {
					reqs[j].Level = max(reqs[j].Level, ops[o.Args[0]].Level)
				}
			}
		}
	}
	return reqs
}

// maker appends operations to a program, from a small set of Galois elements, so that few keys serve it.
type maker struct {
	*program.Builder
	rng    *rand.Rand
	params fhe.Parameters
	vals   []program.Value // ciphertexts so far
	count  int
}

func newMaker(rng *rand.Rand, params fhe.Parameters) *maker {
	return &maker{Builder: program.NewBuilder(params), rng: rng, params: params}
}

// layout puts 2^logSlots elements of count ciphertexts into their slots.
func layout(count, logSlots int) program.Layout {
	n := 1 << logSlots
	l := program.Layout{Shape: []int{count, n}}
	for i := range count {
		l.Runs = append(l.Runs, program.Run{Ciphertext: i, SlotStep: 1, Index: i * n, IndexStep: 1, Length: n})
	}
	return l
}

func (m *maker) input(name string, count, level, logSlots int) []program.Value {
	vals := m.Input(program.Port{Name: name, Count: count, Level: level, Degree: 1, LogSlots: logSlots,
		Scale: m.params.DefaultScale(), Bound: 1, Layout: layout(count, logSlots)})
	m.vals = append(m.vals, vals...)
	return vals
}

func (m *maker) output(name string, v program.Value) {
	p := m.OutputPort(name, v, 1, program.Layout{})
	p.Layout = layout(1, p.LogSlots)
	m.Output(p, v)
}

// add keeps the result of an operation as an operand of later ones.
func (m *maker) add(v program.Value) program.Value {
	m.count++
	if m.Err() == nil {
		m.vals = append(m.vals, v)
	}
	return v
}

func (m *maker) pick() program.Value { return m.vals[m.rng.IntN(len(m.vals))] }

// pickDegree returns a value of a degree, or false.
func (m *maker) pickDegree(degree int) (program.Value, bool) {
	for range 32 {
		if v := m.pick(); m.Degree(v) == degree {
			return v, true
		}
	}
	return 0, false
}

// at returns v at the scale s.
func (m *maker) at(v program.Value, s fhe.Scale) program.Value {
	if m.Scale(v) == s {
		return v
	}
	return m.add(m.SetScale(v, s))
}

// integer returns a signed integer of up to bits bits, edges among them.
func (m *maker) integer(bits int) int64 {
	limit := int64(1)<<bits - 1
	switch m.rng.IntN(8) {
	case 0:
		return limit
	case 1:
		return -limit
	case 2:
		return int64(m.rng.IntN(3)) - 1
	}
	return m.rng.Int64N(2*limit+1) - limit
}

// big returns a signed integer, perhaps much larger than any prime.
func (m *maker) big() *big.Int {
	switch m.rng.IntN(6) {
	case 0:
		return new(big.Int)
	case 1: // a multiple of a prime
		return new(big.Int).Mul(new(big.Int).SetUint64(m.params.Prime(0)), big.NewInt(m.integer(30)))
	case 2:
		x := new(big.Int).Lsh(big.NewInt(m.integer(60)), uint(m.rng.IntN(300)))
		return x.Add(x, big.NewInt(m.integer(50)))
	}
	return big.NewInt(m.integer(1 + m.rng.IntN(62)))
}

func (m *maker) polynomials(rows, logSlots int, scale fhe.Scale) *program.Constant {
	bits := 1 + m.rng.IntN(62)
	out := make([][]int64, rows)
	for r := range out {
		out[r] = make([]int64, 2<<logSlots)
		for j := range out[r] {
			out[r][j] = m.integer(bits)
		}
	}
	c, err := program.NewPolynomials(out, logSlots, scale)
	if err != nil {
		panic(fmt.Sprintf("fhetest: %v", err)) // magnitudes are below the limit by construction
	}
	return c
}

func (m *maker) weights(width int, scale fhe.Scale) *program.Constant {
	row := make([]int64, width)
	for j := range row {
		row[j] = m.integer(31)
	}
	c, err := program.NewWeights([][]int64{row}, scale)
	if err != nil {
		panic(fmt.Sprintf("fhetest: %v", err))
	}
	return c
}

// rotations of the suite: a few small ones, so that keys and diagonals coincide.
var rotations = []int{1, 2, 3, 4, 6}

// elements returns the Galois elements of the suite: rotations, conjugation, and both at once.
func elements(p fhe.Parameters) []uint64 {
	var out []uint64
	for _, k := range rotations {
		out = append(out, p.GaloisElement(k))
	}
	conj := p.GaloisElementForConjugation()
	return append(out, conj, p.GaloisElement(2)*conj&uint64(2*p.N()-1))
}

func (m *maker) element() uint64 {
	e := elements(m.params)
	return e[m.rng.IntN(len(e))]
}

// rot appends an automorphism: the conjugation is an operation of its own.
func (m *maker) rot(x program.Value) program.Value { return m.rotBy(x, m.element()) }

func (m *maker) rotBy(x program.Value, g uint64) program.Value {
	if g != m.params.GaloisElementForConjugation() {
		return m.Rot(x, g)
	}
	return m.Conj(x)
}

// lintrans appends a matrix of random diagonals out of {0, 1, 2, 3, 4, 6}.
func (m *maker) lintrans(h program.Value, logSlots, n1, level int) program.Value {
	var diagonals, rows []int
	for _, k := range append([]int{0}, rotations...) {
		if k < 1<<logSlots && m.rng.IntN(3) > 0 {
			diagonals = append(diagonals, k)
		}
	}
	if len(diagonals) == 0 {
		diagonals = []int{m.rng.IntN(min(1<<logSlots, 5))}
	}
	c := m.polynomials(len(diagonals)+1, logSlots, fhe.PowerOfTwo(20))
	for range diagonals {
		rows = append(rows, m.rng.IntN(len(diagonals)+1))
	}
	return m.add(m.Lintrans(h, c, rows, diagonals, min(n1, 1<<logSlots), level))
}

// rotsum appends a sum over a random set of elements.
func (m *maker) rotsum(h program.Value, level int) program.Value {
	set := append([]uint64{1}, elements(m.params)...)
	m.rng.Shuffle(len(set), func(i, j int) { set[i], set[j] = set[j], set[i] })
	return m.add(m.Rotsum(h, set[:1+m.rng.IntN(len(set))], level))
}

// op appends one random operation, or none if what it picked does not fit.
func (m *maker) op() {
	x := m.pick()
	level, degree, scale := m.Level(x), m.Degree(x), m.Scale(x)
	if l := scale.Log2(); l > 150 || l < 1 {
		m.at(x, m.params.DefaultScale())
		return
	}
	kinds := 19
	if m.params.PCount() == 0 {
		kinds = 13 // the rest need keys
	}
	switch m.rng.IntN(kinds) {
	case 0, 1:
		m.add(m.Add(x, m.at(m.pick(), scale)))
	case 2:
		y := m.at(m.pick(), scale)
		if m.Degree(y) > degree {
			x, y = y, x
		}
		m.add(m.Sub(x, y))
	case 3:
		m.add(m.Neg(x))
	case 4:
		c := m.polynomials(2, m.rng.IntN(m.params.LogMaxSlots()+1), scale)
		if m.rng.IntN(2) == 0 {
			m.add(m.AddPt(x, c, 1))
		} else {
			m.add(m.SubPt(x, c, 0))
		}
	case 5:
		m.add(m.MulPt(x, m.polynomials(1, m.rng.IntN(m.params.LogMaxSlots()+1), fhe.PowerOfTwo(20)), 0))
	case 6:
		m.add(m.AddConst(x, m.big(), m.big()))
	case 7:
		m.add(m.MulConst(x, m.big(), m.big(), fhe.PowerOfTwo(10)))
	case 8:
		y, f := m.pick(), 1+m.rng.Uint64N(1<<40)
		by := scale.Mul(fhe.ScaleFromInt(f)).Div(m.Scale(y))
		m.add(m.MacConst(x, new(big.Int).SetUint64(f), y, m.big(), m.big(), by))
	case 9:
		first := m.at(x, scale)
		ranges := []program.Range{{First: first, Count: 1}}
		for range m.rng.IntN(5) {
			ranges = append(ranges, program.Range{First: m.at(m.pick(), scale), Count: 1})
		}
		m.add(m.Lincomb(ranges, m.weights(len(ranges), fhe.PowerOfTwo(8)), 0))
	case 10:
		if y, ok := m.pickDegree(1); ok && degree == 1 {
			m.add(m.Mul(x, y))
		}
	case 11:
		if level > 0 && scale.Log2() > m.params.DefaultScale().Log2() {
			m.add(m.Rescale(x))
		}
	case 12:
		if level > 0 {
			m.add(m.Drop(x, m.rng.IntN(level)))
		}
	case 13:
		if y, ok := m.pickDegree(1); ok && degree == 1 {
			m.add(m.MulRelin(x, y))
		}
	case 18:
		if y, ok := m.pickDegree(2); ok {
			m.add(m.Relin(y))
		}
	case 14:
		if degree == 1 {
			m.add(m.rot(x))
		}
	case 15:
		if degree == 1 {
			m.add(m.Conj(x))
		}
	case 16, 17:
		if degree != 1 {
			return
		}
		a := m.rng.IntN(level + 1)
		if m.rng.IntN(2) == 0 {
			a = level
		}
		h := m.Hoist(x, a)
		m.count++
		for range 1 + m.rng.IntN(3) {
			b := m.rng.IntN(a + 1)
			switch m.rng.IntN(3) {
			case 0:
				m.add(m.RotHoisted(h, m.element(), b))
			case 1:
				m.lintrans(h, m.slots(x), 1<<m.rng.IntN(3), b)
			default:
				m.rotsum(h, b)
			}
		}
	}
}

// slots returns log2 of the slots of a value.
func (m *maker) slots(v program.Value) int { return m.OutputPort("", v, 1, program.Layout{}).LogSlots }

// fold outputs, for every level, a random linear combination of all values at that level, so that an error in any of
// them changes an output.
func (m *maker) fold() {
	byLevel := make(map[int][]program.Value)
	for _, v := range m.vals {
		byLevel[m.Level(v)] = append(byLevel[m.Level(v)], v)
	}
	for level := range m.params.MaxLevel() + 1 {
		vals := byLevel[level]
		slices.Sort(vals)
		vals = slices.Compact(vals)
		ranges := make([]program.Range, 0, len(vals))
		degree := 0
		for _, v := range vals {
			degree = max(degree, m.Degree(v))
			ranges = append(ranges, program.Range{First: m.at(v, m.params.DefaultScale()), Count: 1})
		}
		if degree > 0 {
			m.output(fmt.Sprintf("level %d", level), m.Lincomb(ranges, m.weights(len(ranges), fhe.PowerOfTwo(0)), 0))
		}
	}
}

// RandomProgram returns a program of at least n operations besides its ports, of all opcodes, with hoists consumed
// below their level, sparse slots and values of degree 0 to 2. Its outputs depend on every operation. The Galois keys
// that it may need are few.
func RandomProgram(rng *rand.Rand, params fhe.Parameters, n int) (*program.Program, *program.Constants, error) {
	m := newMaker(rng, params)
	top := params.MaxLevel()
	m.Scope("inputs")
	m.input("x", 2, top, params.LogMaxSlots())
	m.input("y", 1, rng.IntN(top+1), params.LogMaxSlots())
	m.input("sparse", 1, top, 1+rng.IntN(params.LogMaxSlots()-1))
	m.add(m.Zero(rng.IntN(top+1), rng.IntN(fhe.MaxDegree+1), rng.IntN(params.LogMaxSlots()+1), params.DefaultScale()))
	for m.count < n && m.Err() == nil {
		m.Scope(fmt.Sprintf("part %d", m.count/10))
		m.op()
	}
	m.Scope("outputs")
	m.fold()
	return m.Build()
}
