package nn

import (
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/frontend"
)

// A product is the way of a convolution with private weights over polynomials: see conv.
type product struct{ y, x side }

// A side is one axis of the polynomials.
type side struct {
	axis
	low    int    // the output, real or not, of degree 0
	hit    []bool // for each degree, whether a tap meets an input there
	phases []phase
}

// A phase is the inputs and taps that meet.
type phase struct {
	inputs []int // positions, by degree from 0 on
	taps   []tap // by ascending degree
}

type tap struct{ k, degree int }

func newSide(a axis) side {
	s := side{axis: a}
	// Outputs from low to high are all that a tap of an input adds to, and the real ones.
	reach := a.in + a.padding + a.dilation*a.kernel + a.out
	low, high := 0, a.out-1
	hit := func(t int) bool {
		for k := range a.kernel {
			if _, ok := a.at(t, k); ok {
				return true
			}
		}
		return false
	}
	for t := -reach; t <= reach; t++ {
		if hit(t) {
			low, high = min(low, t), max(high, t)
		}
	}
	s.low, s.hit = low, make([]bool, high-low+1)
	for i := range s.hit {
		s.hit[i] = hit(low + i)
	}
	for r := range min(a.stride, a.in) {
		var p phase
		for i := r; i < a.in; i += a.stride {
			p.inputs = append(p.inputs, i)
		}
		for k := a.kernel - 1; k >= 0; k-- {
			if d := k*a.dilation - a.padding - r; d%a.stride == 0 {
				p.taps = append(p.taps, tap{k, -d/a.stride - low})
			}
		}
		if len(p.taps) > 0 {
			s.phases = append(s.phases, p)
		}
	}
	return s
}

func newProduct(l *conv) *product { return &product{newSide(l.y), newSide(l.x)} }

// meets reports whether any tap meets an input. If all windows are padding, there are no polynomials.
func (p *product) meets() bool { return len(p.y.phases) > 0 && len(p.x.phases) > 0 }

// degree returns the degree of the output in row y and column x, in the polynomials in one variable.
func (p *product) degree(y, x int) int { return (y-p.y.low)*len(p.x.hit) + x - p.x.low }

// each calls f for every pair of a phase of rows and one of columns.
func (p *product) each(f func(y, x phase)) {
	for _, y := range p.y.phases {
		for _, x := range p.x.phases {
			f(y, x)
		}
	}
}

// others calls f for every monomial of the full product that is no output, and row for every row of outputs, by
// ascending degree.
func (p *product) others(row func(y int), f func(y, x int)) {
	for i := range p.y.hit {
		y := p.y.low + i
		output := 0 <= y && y < p.y.out
		for j := range p.x.hit {
			x := p.x.low + j
			switch {
			case output && x == 0:
				row(y)
			case output && 0 < x && x < p.x.out:
			case p.y.hit[i] && p.x.hit[j]:
				f(y, x)
			}
		}
	}
}

// cost returns about how many constraints the product adds for one sample, without the evaluation of v.
func (p *product) cost(l *conv) int {
	n := 0
	p.each(func(y, x phase) { n += l.ins * (len(y.inputs)*len(x.inputs) + len(y.taps)*len(x.taps) + 1) })
	p.others(func(int) { n += l.outs }, func(int, int) { n++ })
	return n*l.groups + 32 // powers of h
}

func (p *product) build(b *build, l *conv, in []number) []number {
	width := len(p.x.hit)
	// The polynomials of the taps at h, and the biases' part, are the same for all samples.
	var taps [][]frontend.Variable
	var biases []frontend.Variable
	var ones []frontend.Variable
	if p.x.out > 1 {
		ones = append(ones, b.geometric(1, p.x.out))
	}
	if p.y.out > 1 {
		ones = append(ones, b.geometric(width, p.y.out))
	}
	if d := p.degree(0, 0); d > 0 {
		ones = append(ones, b.power(d))
	}
	for _, k := range l.places {
		u := b.weights.columns(k)
		var polynomials []frontend.Variable
		for c := range l.ins {
			p.each(func(y, x phase) {
				var m []monomial
				for _, ty := range y.taps {
					for _, tx := range x.taps {
						m = append(m, monomial{ty.degree*width + tx.degree, u[(c*l.y.kernel+ty.k)*l.x.kernel+tx.k]})
					}
				}
				polynomials = append(polynomials, b.evaluate(m))
			})
		}
		taps = append(taps, polynomials)
		bias := u[l.columns]
		for _, f := range ones {
			bias = b.product(CauseLinear, bias, f)
		}
		biases = append(biases, bias)
	}

	var out []number
	for _, x := range l.samples(in) {
		acc := b.accumulators(len(l.shape.ranges), len(out))
		// Each row of accumulators, at h, serves v and the identity.
		rows := make([]frontend.Variable, l.rows*l.y.out)
		for i := range rows {
			m := make([]monomial, l.x.out)
			for j := range m {
				m[j] = monomial{j, b.quantity(acc[i*l.x.out+j]).v}
			}
			rows[i] = b.evaluate(m)
			b.weights.absorb(l.x.out, rows[i])
		}
		for group := range l.groups {
			p.identity(b, l, group, x, rows, taps[group], biases[group])
		}
		out = append(out, acc...)
	}
	return out
}

// identity asserts the identity of one group and sample.
func (p *product) identity(b *build, l *conv, group int, in []number, rows, taps []frontend.Variable, bias frontend.Variable) {
	width, plane := len(p.x.hit), l.y.in*l.x.in
	var right []monomial
	p.others(func(y int) {
		column := make([]frontend.Variable, l.outs)
		for c := range column {
			column[c] = rows[(group*l.outs+c)*l.y.out+y]
		}
		right = append(right, monomial{p.degree(y, 0), b.horner(column)})
	}, func(y, x int) {
		right = append(right, monomial{p.degree(y, x), b.element(p.other(b, l, group, in, y, x))})
	})
	rest := []frontend.Variable{b.evaluate(right), b.negated(bias)}

	var inputs []frontend.Variable
	for c := range l.ins {
		channel := in[(group*l.ins+c)*plane:]
		p.each(func(y, x phase) {
			var m []monomial
			for i, iy := range y.inputs {
				for j, ix := range x.inputs {
					m = append(m, monomial{i*width + j, b.quantity(channel[iy*l.x.in+ix]).v})
				}
			}
			inputs = append(inputs, b.evaluate(m))
		})
	}
	last := len(inputs) - 1
	for i := range last {
		rest = append(rest, b.negated(b.product(CauseLinear, inputs[i], taps[i])))
	}
	b.assertProduct(CauseLinear, []frontend.Variable{inputs[last]}, []frontend.Variable{taps[last]}, rest)
}

// other returns the coefficient of a monomial that is no output: what a window there would give without bias.
func (p *product) other(b *build, l *conv, group int, in []number, y, x int) fr.Element {
	var sum, t fr.Element
	if !b.assigning() {
		return sum
	}
	at := l.places[group].at
	for ky := range l.y.kernel {
		iy, ok := l.y.at(y, ky)
		if !ok {
			continue
		}
		for kx := range l.x.kernel {
			ix, ok := l.x.at(x, kx)
			if !ok {
				continue
			}
			for c := range l.ins {
				v := in[((group*l.ins+c)*l.y.in+iy)*l.x.in+ix].value
				u := &b.row[at+(c*l.y.kernel+ky)*l.x.kernel+kx]
				sum.Add(&sum, t.Mul(t.SetInt64(v), u))
			}
		}
	}
	return sum
}
