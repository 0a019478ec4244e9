package main

import (
	"fmt"
	"math/big"
	"math/rand/v2"

	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/program"
)

// synthetic is a program with keys, constants and an input of random words. Times do not depend on what ciphertexts
// hold, so nothing is encrypted.
type synthetic struct {
	name   string
	prog   *program.Program
	consts *program.Constants
	keys   *fhe.EvaluationKeys
	in     *fhe.Bundle
}

// syntheticKey is the id of a secret key that nobody has.
var syntheticKey = fhe.KeyID{'b', 'e', 'n', 'c', 'h'}

// synthesiser makes synthetic programs for one set of parameters.
type synthesiser struct {
	params fhe.Parameters
	rng    *rand.Rand
	keys   map[uint64]*fhe.EvaluationKey
}

func newSynthesiser(logN int, logQ, logP []int) (*synthesiser, error) {
	params, err := fhe.NewParameters(fhe.ParametersLiteral{LogN: logN, LogQ: logQ, LogP: logP, LogDefaultScale: 30})
	return synthesiserFor(params), err
}

func synthesiserFor(params fhe.Parameters) *synthesiser {
	return &synthesiser{params: params, rng: rand.New(rand.NewPCG(1, 0x5167)), keys: map[uint64]*fhe.EvaluationKey{}}
}

// build makes the program that emit appends to the builder.
func (s *synthesiser) build(name string, emit func(e *emitter)) (*synthetic, error) {
	e := &emitter{Builder: program.NewBuilder(s.params), s: s}
	emit(e)
	if e.err != nil {
		return nil, fmt.Errorf("%s: %w", name, e.err)
	}
	prog, consts, err := e.Build()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return s.complete(name, prog, consts)
}

// complete adds keys and an input to a program for the synthesiser's parameters.
func (s *synthesiser) complete(name string, prog *program.Program, consts *program.Constants) (*synthetic, error) {
	out := &synthetic{name: name, prog: prog, consts: consts, keys: fhe.NewEvaluationKeys(s.params, syntheticKey), in: fhe.NewBundle(s.params, syntheticKey, prog.Digest())}
	for _, r := range prog.Keys() {
		k, err := s.key(r)
		if err != nil {
			return nil, err
		}
		if err := out.keys.Add(k); err != nil {
			return nil, err
		}
	}
	for _, port := range prog.Inputs() {
		cts := make([]*fhe.Ciphertext, port.Count)
		for i := range cts {
			var err error
			limbs := make([][][]uint64, port.Degree+1)
			for k := range limbs {
				for l := range port.Level + 1 {
					limbs[k] = append(limbs[k], s.words(s.params.Prime(l)))
				}
			}
			if cts[i], err = fhe.CiphertextFromLimbs(s.params, limbs, port.LogSlots, port.Scale); err != nil {
				return nil, err
			}
		}
		if err := out.in.Add(port.Name, cts...); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (s *synthesiser) words(q uint64) []uint64 {
	row := make([]uint64, s.params.N())
	for i := range row {
		row[i] = s.rng.Uint64() % q
	}
	return row
}

// key returns a key of random words for an element, and remembers it: programs share keys.
func (s *synthesiser) key(r program.KeyRequirement) (*fhe.EvaluationKey, error) {
	if k := s.keys[r.GaloisElement]; k != nil && k.Level() >= r.Level {
		return k, nil
	}
	p := s.params.P()
	digits := (r.Level + len(p)) / len(p)
	limbs := make([][2][][]uint64, digits)
	for d := range limbs {
		for part := range limbs[d] {
			for i := range r.Level + 1 {
				limbs[d][part] = append(limbs[d][part], s.words(s.params.Prime(i)))
			}
			for _, q := range p {
				limbs[d][part] = append(limbs[d][part], s.words(q))
			}
		}
	}
	k, err := fhe.NewEvaluationKey(s.params, r.GaloisElement, r.Level, limbs)
	s.keys[r.GaloisElement] = k
	return k, err
}

// emitter appends operations to a program. It keeps the first error; the builder keeps its own.
type emitter struct {
	*program.Builder
	s     *synthesiser
	ports int
	err   error
}

func (e *emitter) layout(count int) program.Layout {
	l := program.Layout{Shape: []int{count}}
	for i := range count {
		l.Runs = append(l.Runs, program.Run{Ciphertext: i, Index: i, Length: 1})
	}
	return l
}

// input returns count fresh values at a level.
func (e *emitter) input(count, level int) []program.Value {
	p := e.Parameters()
	e.ports++
	return e.Input(program.Port{Name: fmt.Sprint("x", e.ports), Count: count, Level: level, Degree: 1, LogSlots: p.LogMaxSlots(),
		Scale: p.DefaultScale(), Bound: 1, Layout: e.layout(count)})
}

func (e *emitter) output(v program.Value) {
	e.ports++
	e.Output(e.OutputPort(fmt.Sprint("y", e.ports), v, 1, e.layout(1)), v)
}

// polynomials returns a constant of n rows of small integers, at a scale of 2^20.
func (e *emitter) polynomials(n int) *program.Constant {
	p := e.Parameters()
	rows := make([][]int64, n)
	for r := range rows {
		rows[r] = make([]int64, p.N())
		for j := range rows[r] {
			rows[r][j] = e.s.rng.Int64N(1<<20) - 1<<19
		}
	}
	c, err := program.NewPolynomials(rows, p.LogMaxSlots(), fhe.PowerOfTwo(20))
	if err != nil && e.err == nil {
		e.err = err
	}
	return c
}

// weights returns rows of integers below 2^bits.
func (e *emitter) weights(n, width, bits int) *program.Constant {
	rows := make([][]int64, n)
	for r := range rows {
		rows[r] = make([]int64, width)
		for j := range rows[r] {
			rows[r][j] = e.s.rng.Int64N(2<<bits-1) - (1<<bits - 1)
		}
	}
	c, err := program.NewWeights(rows, fhe.PowerOfTwo(bits))
	if err != nil && e.err == nil {
		e.err = err
	}
	return c
}

// lintrans multiplies v by a matrix of n diagonals.
func (e *emitter) lintrans(v program.Value, n, n1 int) program.Value {
	index := make([]int, n)
	for i := range index {
		index[i] = i
	}
	level := e.Level(v)
	return e.Lintrans(e.Hoist(v, level), e.polynomials(n), index, index, n1, level)
}

// rotsum adds up radix rotations of v, itself among them.
func (e *emitter) rotsum(v program.Value, radix, step int) program.Value {
	elements := make([]uint64, radix)
	for k := range elements {
		elements[k] = e.Parameters().GaloisElement(k * step)
	}
	return e.Rotsum(e.Hoist(v, e.Level(v)), elements, e.Level(v))
}

// lincomb returns count linear combinations of values that follow one another.
func (e *emitter) lincomb(xs []program.Value, count int) []program.Value {
	w := e.weights(count, len(xs), 8)
	out := make([]program.Value, count)
	for i := range out {
		out[i] = e.Lincomb([]program.Range{{First: xs[0], Count: len(xs)}}, w, i)
	}
	return out
}

// times multiplies by the integer 3 at scale 1.
func (e *emitter) times(v program.Value) program.Value {
	return e.MulConst(v, three, zero, fhe.PowerOfTwo(0))
}

var three, zero = big.NewInt(3), new(big.Int)
