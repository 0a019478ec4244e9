package fhetest

import (
	"fmt"
	"math/big"
	"slices"
	"sync"
	"testing"

	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/fhetest/stock"
	"github.com/signet-ml/signet/fhe/program"
)

// testCase is a program with everything that a run needs, and what it must give.
type testCase struct {
	name   string
	prog   *program.Program
	consts *program.Constants
	keys   *fhe.EvaluationKeys // nil if the program needs none
	in     *fhe.Bundle         // copied by bundle for every run, so that an engine that writes to it spoils one run
	want   *fhe.Bundle
	ops    []fhe.Digest // of every operation's result; zero for hoists and outputs
}

// bundle returns a copy of the inputs.
func (tc *testCase) bundle() *fhe.Bundle {
	b := fhe.NewBundle(tc.in.Parameters(), tc.in.Key(), tc.in.Program())
	for _, name := range tc.in.Ports() {
		var cts []*fhe.Ciphertext
		for _, ct := range tc.in.Get(name) {
			limbs := make([][][]uint64, ct.Degree()+1)
			for k := range limbs {
				for i := range ct.Level() + 1 {
					limbs[k] = append(limbs[k], slices.Clone(ct.Limb(k, i)))
				}
			}
			c, err := fhe.CiphertextFromLimbs(ct.Parameters(), limbs, ct.LogSlots(), ct.Scale())
			if err != nil {
				panic(fmt.Sprintf("fhetest: copy of a ciphertext: %v", err))
			}
			cts = append(cts, c)
		}
		if err := b.Add(name, cts...); err != nil {
			panic(fmt.Sprintf("fhetest: copy of a bundle: %v", err))
		}
	}
	return b
}

// key is the id of the secret key that the suite's keys and bundles claim to be made under.
var key = fhe.KeyID{0: 's', 15: 1}

// newCase makes random keys and inputs for a program and runs it on stock Lattigo.
func newCase(name string, seed uint64, p *program.Program, c *program.Constants) (*testCase, error) {
	rng := NewRand(seed)
	tc := &testCase{name: name, prog: p, consts: c}
	var err error
	if reqs := Requirements(p); len(reqs) > 0 {
		if tc.keys, err = RandomKeys(rng, p.Parameters(), key, reqs); err != nil {
			return nil, err
		}
	}
	if tc.in, err = RandomBundle(rng, p, key); err != nil {
		return nil, err
	}
	ev, err := stock.New(p, c, tc.keys)
	if err != nil {
		return nil, err
	}
	tc.ops = make([]fhe.Digest, len(p.Ops()))
	tc.want, err = ev.RunEach(tc.in, func(i int, ct *fhe.Ciphertext) error {
		if ct != nil {
			tc.ops[i] = ct.Digest()
		}
		return nil
	})
	return tc, err
}

// opsProgram applies every opcode, in every degree it takes, to values at every level of the parameters.
func opsProgram(params fhe.Parameters, seed uint64) (*program.Program, *program.Constants, error) {
	m := newMaker(NewRand(seed), params)
	full, scale := params.LogMaxSlots(), params.DefaultScale()
	keys := params.PCount() > 0
	var higher program.Value // one level above
	for level := params.MaxLevel(); level >= 0; level-- {
		m.Scope(fmt.Sprintf("level %d", level))
		in := m.input(fmt.Sprintf("in %d", level), 2, level, full)
		x, y := in[0], in[1]
		if level == params.MaxLevel() {
			higher = x
		}
		d0 := m.add(m.Zero(level, 0, full, scale))
		m.add(m.Zero(level, 1, full, scale))
		m.add(m.Zero(level, 2, 0, scale))
		xy, xx := m.add(m.Mul(x, y)), m.add(m.Mul(x, x))
		d2 := m.at(xy, scale)
		degrees := []program.Value{d0, x, d2}
		for i, a := range degrees {
			for j, b := range degrees {
				m.add(m.Add(a, b))
				if j <= i {
					m.add(m.Sub(a, b))
				}
				f := m.rng.Uint64N(1<<50) + 1
				m.add(m.MacConst(a, new(big.Int).SetUint64(f), b, m.big(), m.big(), fhe.ScaleFromInt(f)))
			}
			m.add(m.Neg(a))
			sparse := m.rng.IntN(full)
			m.add(m.AddPt(a, m.polynomials(1, full, scale), 0))
			m.add(m.AddPt(a, m.polynomials(1, sparse, scale), 0))
			m.add(m.SubPt(a, m.polynomials(1, full, scale), 0))
			m.add(m.SubPt(a, m.polynomials(1, sparse, scale), 0))
			m.add(m.MulPt(a, m.polynomials(1, full, fhe.PowerOfTwo(20)), 0))
			m.add(m.MulPt(a, m.polynomials(1, 0, fhe.PowerOfTwo(20)), 0))
			for range 3 {
				m.add(m.AddConst(a, m.big(), m.big()))
				m.add(m.MulConst(a, m.big(), m.big(), fhe.PowerOfTwo(3)))
			}
			m.add(m.Lincomb([]program.Range{{First: a, Count: 1}}, m.weights(1, fhe.PowerOfTwo(4)), 0))
			if level > 0 {
				m.add(m.Rescale(a))
				m.add(m.Drop(a, m.rng.IntN(level)))
			}
		}
		m.add(m.Add(x, higher))
		m.add(m.Add(higher, x))
		m.add(m.Sub(x, higher))
		m.add(m.Sub(higher, x))
		m.add(m.Sub(x, x))
		m.add(m.Mul(higher, y))
		m.add(m.MacConst(higher, big.NewInt(1), y, m.big(), m.big(), fhe.PowerOfTwo(0)))
		ranges := []program.Range{{First: x, Count: 2}, {First: d2, Count: 1}, {First: d0, Count: 1}, {First: higher, Count: 1}, {First: x, Count: 1}}
		for range 3 {
			m.add(m.Lincomb(ranges, m.weights(6, fhe.PowerOfTwo(4)), 0))
		}
		if keys {
			m.add(m.Relin(xy))
			m.add(m.Relin(xx))
			m.add(m.MulRelin(x, y))
			m.add(m.MulRelin(x, x))
			m.add(m.MulRelin(y, higher))
			for _, g := range elements(params) {
				m.add(m.rotBy(x, g))
			}
			m.add(m.Conj(y))
		}
		higher = x
	}
	m.fold()
	return m.Build()
}

// hoistProgram hoists at every level a and consumes at every level b ≤ a, from values at a and above.
func hoistProgram(params fhe.Parameters, seed uint64) (*program.Program, *program.Constants, error) {
	m := newMaker(NewRand(seed), params)
	full := params.LogMaxSlots()
	for _, logSlots := range []int{full, 2, 0} {
		top := m.input(fmt.Sprintf("2^%d slots", logSlots), 1, params.MaxLevel(), logSlots)[0]
		for a := params.MaxLevel(); a >= 0; a-- {
			hoists := []program.Value{m.Hoist(top, a)}
			if a < params.MaxLevel() && logSlots == full {
				hoists = append(hoists, m.Hoist(m.add(m.Drop(top, a)), a))
			}
			for _, h := range hoists {
				for b := a; b >= 0; b-- {
					m.Scope(fmt.Sprintf("hoist at %d, use at %d", a, b))
					if logSlots == full {
						m.add(m.RotHoisted(h, m.element(), b))
						m.rotsum(h, b)
					}
					m.lintrans(h, logSlots, 1<<m.rng.IntN(3), b)
				}
			}
		}
		m.Scope("shapes of matrices")
		h := m.Hoist(top, params.MaxLevel())
		slots := 1 << logSlots
		c := m.polynomials(3, logSlots, fhe.PowerOfTwo(20))
		for _, d := range [][]int{{0}, {1}, {2}, {4}, {0, 4}, {3, 6}, {2, 4, 6}} {
			if d[len(d)-1] >= slots {
				continue
			}
			for n1 := 1; n1 <= min(8, slots); n1 *= 2 {
				m.add(m.Lintrans(h, c, []int{2, 0, 1}[:len(d)], d, n1, params.MaxLevel()))
			}
			m.add(m.Lintrans(h, c, []int{1, 1, 1}[:len(d)], d, slots, params.MaxLevel()))
		}
		for _, set := range [][]uint64{{1}, elements(params), append(elements(params), 1)} {
			m.add(m.Rotsum(h, set, params.MaxLevel()))
		}
	}
	m.fold()
	return m.Build()
}

// wideLincomb sums as many operands as a Lincomb may have, with the largest weights.
func wideLincomb(params fhe.Parameters, seed uint64) (*program.Program, *program.Constants, error) {
	m := newMaker(NewRand(seed), params)
	xs := m.input("x", 512, min(1, params.MaxLevel()), params.LogMaxSlots())
	weights := make([][]int64, 3)
	for r := range weights {
		weights[r] = make([]int64, 4096)
		for j := range weights[r] {
			weights[r][j] = []int64{1<<31 - 1, 1 - 1<<31, m.integer(31)}[r]
		}
	}
	c, err := program.NewWeights(weights, fhe.PowerOfTwo(31))
	if err != nil {
		return nil, nil, err
	}
	var ranges []program.Range
	for range 8 {
		ranges = append(ranges, program.Range{First: xs[0], Count: 512})
	}
	m.vals = nil
	for r := range weights {
		m.add(m.Lincomb(ranges, c, r))
	}
	m.fold()
	return m.Build()
}

// passProgram binds inputs to outputs, as they are, renamed in scale, and cut.
func passProgram(params fhe.Parameters, _ uint64) (*program.Program, *program.Constants, error) {
	m := newMaker(NewRand(1), params)
	x := m.input("x", 2, params.MaxLevel(), params.LogMaxSlots())
	m.output("same", x[0])
	m.output("same again", x[0])
	m.output("other scale", m.SetScale(x[1], fhe.NewScale(3)))
	m.output("cut", m.Drop(x[1], 0))
	m.output("zero", m.Zero(0, 2, 0, fhe.PowerOfTwo(1)))
	return m.Build()
}

// chainProgram is a long chain of key switches: time enough to cancel or close.
func chainProgram(params fhe.Parameters, n int) (*program.Program, *program.Constants, error) {
	m := newMaker(NewRand(2), params)
	x := m.input("x", 1, params.MaxLevel(), params.LogMaxSlots())[0]
	for i := range n {
		m.Scope(fmt.Sprintf("link %d", i/8))
		x = m.rot(x)
	}
	m.output("y", x)
	return m.Build()
}

type family struct {
	name  string
	build func(fhe.Parameters, uint64) (*program.Program, *program.Constants, error)
	toys  []string // nil: all
}

var families = []family{
	{"every opcode", opsProgram, nil},
	{"hoists", hoistProgram, []string{"digits of one", "digits of two", "digits of three", "small primes", "wide primes", "more P than Q"}},
	{"wide sums", wideLincomb, []string{"small primes", "wide primes", "more P than Q"}},
	{"ports", passProgram, []string{"digits of one", "no P"}},
	{"random programs", nil, nil},
}

// Random programs: five for each toy, two in short tests.
const randomPrograms, shortPrograms, randomOps = 40, 16, 40

// large tells whether a toy is left to the random programs of short tests.
func large(toy Toy) bool { return testing.Short() && toy.LogN > 10 }

// buildCases returns the cases of one family. Expected results are computed once per process.
func buildCases(f family) ([]*testCase, error) {
	var out []*testCase
	add := func(toy Toy, seed uint64, build func(fhe.Parameters, uint64) (*program.Program, *program.Constants, error)) error {
		params, err := insecureToy(toy)
		if err != nil {
			return err
		}
		name := fmt.Sprintf("%s/toy=%s/seed=%d", f.name, toy.Name, seed)
		p, c, err := build(params, seed)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		tc, err := newCase(name, seed, p, c)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		out = append(out, tc)
		return nil
	}
	if f.build == nil {
		n := randomPrograms
		if testing.Short() {
			n = shortPrograms
		}
		for seed := range uint64(n) {
			err := add(Toys[int(seed)%len(Toys)], seed, func(p fhe.Parameters, seed uint64) (*program.Program, *program.Constants, error) {
				return RandomProgram(NewRand(seed), p, randomOps)
			})
			if err != nil {
				return nil, err
			}
		}
		return out, nil
	}
	for i, toy := range Toys {
		if !large(toy) && (f.toys == nil || slices.Contains(f.toys, toy.Name)) {
			if err := add(toy, 100+uint64(i), f.build); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// casesOf returns the cases of each family, built when first asked for.
var casesOf = func() map[string]func() ([]*testCase, error) {
	m := make(map[string]func() ([]*testCase, error))
	for _, f := range families {
		m[f.name] = sync.OnceValues(func() ([]*testCase, error) { return buildCases(f) })
	}
	return m
}()

// smallCase is one program for the checks of behaviour rather than of bits, and chainCase a long one.
var (
	smallCase = sync.OnceValues(func() (*testCase, error) { return behaviourCase("small", 12) })
	chainCase = sync.OnceValues(func() (*testCase, error) { return behaviourCase("chain", 300) })
)

func behaviourCase(name string, n int) (*testCase, error) {
	params, err := insecureToy(Toys[0])
	if err != nil {
		return nil, err
	}
	var p *program.Program
	var c *program.Constants
	if name == "chain" {
		p, c, err = chainProgram(params, n)
	} else {
		p, c, err = behaviourProgram(params)
	}
	if err != nil {
		return nil, err
	}
	return newCase(name, 7, p, c)
}

// behaviourProgram has two input ports, two constants and needs the relinearisation key and two Galois keys.
func behaviourProgram(params fhe.Parameters) (*program.Program, *program.Constants, error) {
	m := newMaker(NewRand(3), params)
	m.Scope("in")
	x := m.input("x", 2, params.MaxLevel(), params.LogMaxSlots())
	y := m.input("y", 1, 1, 3)
	m.Scope("middle")
	v := m.add(m.Rescale(m.MulRelin(x[0], x[1])))
	v = m.add(m.Rot(v, params.GaloisElement(1)))
	v = m.add(m.MulPt(v, m.polynomials(1, params.LogMaxSlots(), fhe.PowerOfTwo(10)), 0))
	h := m.Hoist(v, params.MaxLevel()-1)
	v = m.add(m.Rotsum(h, []uint64{1, params.GaloisElement(1), params.GaloisElement(2)}, params.MaxLevel()-1))
	m.Scope("out")
	w := m.add(m.Lincomb([]program.Range{{First: m.at(v, params.DefaultScale()), Count: 1}, {First: y[0], Count: 1}}, m.weights(2, fhe.PowerOfTwo(0)), 0))
	m.output("v", v)
	m.output("w", w)
	return m.Build()
}
