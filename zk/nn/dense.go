package nn

import (
	"fmt"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/frontend"
)

// Dense is a linear layer: Wx + b, exactly.
type Dense struct {
	Label       string
	In, Out     int
	W           []int64  // public weights, row by row: Out x In, of 32 bits; nil: private
	B           []int64  // public biases; nil: private
	WeightRange Interval // private weights: the registered ones lie in it
	BiasRange   Interval // private biases: likewise
}

// Name implements Op.
func (d Dense) Name() string { return label(d.Label, "dense") }

func (d Dense) compile(in shape) (layer, error) {
	if d.In != in.size() || d.Out < 1 || d.Out > maxTensor {
		return nil, fmt.Errorf("%d inputs, %d outputs: want %d inputs, 1 to %d outputs", d.In, d.Out, in.size(), maxTensor)
	}
	p, err := newParameters(d.W, d.B, d.WeightRange, d.BiasRange, d.Out, d.In, 1)
	if err != nil {
		return nil, err
	}
	l := &dense{parameters: p, name: d.Name(), in: d.In}
	if l.shape, err = p.shape(in, d.Out, func(int) []int { return nil }); err != nil {
		return nil, err
	}
	return l, nil
}

// dense is a compiled Dense.
type dense struct {
	parameters
	shape shape
	name  string
	in    int
}

func (l *dense) out() shape { return l.shape }

func (l *dense) build(b *build, in []number) ([]number, error) {
	var out []number
	for at := 0; at < len(in); at += l.in {
		x := in[at : at+l.in]
		if !l.private() {
			y, err := l.sums(b, x)
			if err != nil {
				return nil, err
			}
			out = append(out, y...)
			continue
		}
		acc := b.accumulators(l.rows, len(out))
		for _, a := range acc {
			b.weights.absorb(1, b.quantity(a).v)
		}
		b.assertRow(b.variables(x), b.weights.columns(l.places[0]), b.variables(acc))
		out = append(out, acc...)
	}
	return out, nil
}

// sums returns the outputs of public weights.
func (l *dense) sums(b *build, x []number) ([]number, error) {
	out := make([]number, l.rows)
	for i := range out {
		y, ok := combine(l.w[i*l.in:(i+1)*l.in], x, l.b[i])
		if !ok {
			return nil, ErrOverflow
		}
		out[i] = b.short(y)
	}
	return out, nil
}

func (l *dense) check(in, out []int64) int {
	if l.private() {
		return -1
	}
	for i := range out {
		sum := l.b[i]
		for j, x := range in {
			sum += l.w[i*l.in+j] * x
		}
		if out[i] != sum {
			return i
		}
	}
	return -1
}

func (l *dense) defect(in, out []int64, u []fr.Element, g *fr.Element) int {
	k := l.places[0]
	if d := rowDefect(in, u[k.at:k.at+k.columns+1], out, g); !d.IsZero() {
		return 0
	}
	return -1
}

// variables returns the variables of numbers, or nils.
func (b *build) variables(xs []number) []frontend.Variable {
	out := make([]frontend.Variable, len(xs))
	for i, x := range xs {
		out[i] = b.quantity(x).v
	}
	return out
}

// accumulators returns n secret inputs: the elements of the op's output from index at on.
func (b *build) accumulators(n, at int) []number {
	out := make([]number, n)
	for i := range out {
		out[i] = b.secret(b.output(at + i))
	}
	return out
}

// assertRow asserts Σ x[j] u[j] + u[len(x)] = Σ G^i acc[i]: len(x) + len(acc) - 1 constraints, at least one.
func (b *build) assertRow(x, u, acc []frontend.Variable) {
	bias := u[len(x)]
	sum := []frontend.Variable{bias, b.negated(acc[0])}
	if len(acc) > 1 {
		for j := range x {
			sum = append(sum, b.product(CauseLinear, x[j], u[j]))
		}
		b.assertProduct(CauseLinear, []frontend.Variable{b.weights.g}, []frontend.Variable{b.horner(acc[1:])}, sum)
		return
	}
	if len(x) == 0 {
		b.assertProduct(CauseLinear, sum, b.one(), nil)
		return
	}
	for j := range len(x) - 1 {
		sum = append(sum, b.product(CauseLinear, x[j], u[j]))
	}
	for i := range sum {
		sum[i] = b.negated(sum[i])
	}
	last := len(x) - 1
	b.assertProduct(CauseLinear, []frontend.Variable{x[last]}, []frontend.Variable{u[last]}, sum)
}

// negated returns -x.
func (b *build) negated(x frontend.Variable) frontend.Variable {
	if b.api == nil {
		return nil
	}
	return b.api.Neg(x)
}

// rowDefect returns Σ x[j] u[j] + u[len(x)] - Σ g^i acc[i], which is zero for the right accumulators.
func rowDefect(x []int64, u []fr.Element, acc []int64, g *fr.Element) fr.Element {
	sum := u[len(x)]
	var t, s fr.Element
	for j := range x {
		sum.Add(&sum, t.Mul(t.SetInt64(x[j]), &u[j]))
	}
	for i := len(acc) - 1; i >= 0; i-- {
		s.Add(s.Mul(&s, g), t.SetInt64(acc[i]))
	}
	return *sum.Sub(&sum, &s)
}
