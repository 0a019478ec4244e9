package cpu

import (
	"context"
	"fmt"
	"testing"

	"go.uber.org/goleak"

	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/fhetest"
	"github.com/signet-ml/signet/fhe/program"
)

// Whatever a test does, no goroutine of a team outlives it.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var testKey = fhe.KeyID{7}

// loadable is a program with everything that it needs to run: keys and inputs of random words, which decrypt to
// nothing and exercise every bit.
type loadable struct {
	prog   *program.Program
	consts *program.Constants
	keys   *fhe.EvaluationKeys
	in     []*fhe.Bundle
}

func complete(tb testing.TB, b *program.Builder, inputs int) *loadable {
	tb.Helper()
	p, c, err := b.Build()
	if err != nil {
		tb.Fatal(err)
	}
	return completed(tb, p, c, inputs)
}

func completed(tb testing.TB, p *program.Program, c *program.Constants, inputs int) *loadable {
	tb.Helper()
	l := &loadable{prog: p, consts: c}
	var err error
	if l.keys, err = fhetest.RandomKeys(fhetest.NewRand(1), p.Parameters(), testKey, p.Keys()); err != nil {
		tb.Fatal(err)
	}
	for i := range inputs {
		in, err := fhetest.RandomBundle(fhetest.NewRand(uint64(100+i)), p, testKey)
		if err != nil {
			tb.Fatal(err)
		}
		l.in = append(l.in, in)
	}
	return l
}

func open(tb testing.TB, cfg Config) *Engine {
	tb.Helper()
	e, err := Open(cfg)
	if err != nil {
		tb.Fatal(err)
	}
	return e
}

func (l *loadable) load(tb testing.TB, cfg Config) *job {
	tb.Helper()
	j, err := open(tb, cfg).Load(context.Background(), l.prog, l.consts, l.keys)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { j.Close() })
	return j.(*job)
}

func (l *loadable) digest(tb testing.TB, j *job, i int) fhe.Digest {
	tb.Helper()
	out, err := j.Run(context.Background(), l.in[i])
	if err != nil {
		tb.Fatal(err)
	}
	return out.Digest()
}

// onePort is a layout for programs whose values nobody packs.
func onePort(count int) program.Layout {
	l := program.Layout{Shape: []int{count}}
	for i := range count {
		l.Runs = append(l.Runs, program.Run{Ciphertext: i, Index: i, Length: 1})
	}
	return l
}

func input(b *program.Builder, name string, count, level int) []program.Value {
	p := b.Parameters()
	return b.Input(program.Port{Name: name, Count: count, Level: level, Degree: 1, LogSlots: p.LogMaxSlots(),
		Scale: p.DefaultScale(), Bound: 1, Layout: onePort(count)})
}

func output(b *program.Builder, name string, v program.Value) {
	b.Output(b.OutputPort(name, v, 1, onePort(1)), v)
}

func polynomials(tb testing.TB, p fhe.Parameters, rows int) *program.Constant {
	tb.Helper()
	rng := fhetest.NewRand(11)
	out := make([][]int64, rows)
	for r := range out {
		out[r] = make([]int64, p.N())
		for j := range out[r] {
			out[r][j] = rng.Int64N(1<<30) - 1<<29
		}
	}
	c, err := program.NewPolynomials(out, p.LogMaxSlots(), fhe.PowerOfTwo(20))
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

func weights(tb testing.TB, rows, width int) *program.Constant {
	tb.Helper()
	rng := fhetest.NewRand(12)
	out := make([][]int64, rows)
	for r := range out {
		out[r] = make([]int64, width)
		for j := range out[r] {
			out[r][j] = rng.Int64N(1<<9) - 1<<8
		}
	}
	c, err := program.NewWeights(out, fhe.PowerOfTwo(8))
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

func upTo(n int) (out []int) {
	for i := range n {
		out = append(out, i)
	}
	return out
}

// rotations returns the identity and the rotations by step, 2·step, … : radix elements in all.
func rotations(p fhe.Parameters, step, radix int) (out []uint64) {
	for k := range radix {
		out = append(out, p.GaloisElement(k*step))
	}
	return out
}

// network is a program of the shape of a compiled model: a matrix product of many inputs, squares, a diagonal product,
// rotate-and-sum in two rounds of radix four, and sums of products.
func network(tb testing.TB, p fhe.Parameters, inputs, hidden, diagonals, n1 int) *program.Builder {
	tb.Helper()
	b := program.NewBuilder(p)
	b.Scope("dense")
	xs := input(b, "x", inputs, p.MaxLevel())
	w := weights(tb, hidden, inputs)
	var sums []program.Value
	for i := range hidden {
		sums = append(sums, b.Lincomb([]program.Range{{First: xs[0], Count: inputs}}, w, i))
	}
	b.Scope("square")
	acc := b.Mul(sums[0], sums[0])
	for _, s := range sums[1:] {
		acc = b.Add(acc, b.Mul(s, s))
	}
	y := b.Rescale(b.Relin(acc))
	b.Scope("diagonals")
	h := b.Hoist(y, b.Level(y))
	z := b.Rescale(b.Lintrans(h, polynomials(tb, p, diagonals), upTo(diagonals), upTo(diagonals), n1, b.Level(y)))
	b.Scope("sum")
	for _, step := range []int{1, 4} {
		z = b.Rotsum(b.Hoist(z, b.Level(z)), rotations(p, step, 4), b.Level(z))
	}
	output(b, "z", z)
	output(b, "conj", b.Conj(b.Rot(z, p.GaloisElement(3))))
	return b
}

// chain is a long program of steps that depend on one another.
func chain(tb testing.TB, p fhe.Parameters, n int) *program.Builder {
	tb.Helper()
	b := program.NewBuilder(p)
	v := input(b, "x", 1, p.MaxLevel())[0]
	for i := range n {
		b.Scope(fmt.Sprintf("step %d", i))
		v = b.SetScale(b.MulRelin(v, v), p.DefaultScale())
	}
	output(b, "y", v)
	return b
}
