package nn

import (
	"fmt"
	"slices"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/frontend"
)

// Conv2d is a convolution as networks mean it, a correlation: exact sums over windows, padded with zeros.
//
// Private weights of g groups take g blocks of the layout, in order: that of group k holds the rows of its outputs,
// from k Out/Groups on.
type Conv2d struct {
	Label                             string
	Channels, Height, Width           int      // of the input
	Out                               int      // channels
	Groups                            int      // 0: one
	Kernel, Stride, Padding, Dilation [2]int   // of height and width; a dilation of 0 is 1
	W                                 []int64  // public weights, Out x Channels/Groups x Kernel, of 32 bits; nil: private
	B                                 []int64  // public biases, one for each output channel; nil: private
	WeightRange                       Interval // private weights: the registered ones lie in it
	BiasRange                         Interval // private biases: likewise
}

// Name implements Op.
func (c Conv2d) Name() string { return label(c.Label, "conv") }

func (c Conv2d) compile(in shape) (layer, error) {
	c.Groups = max(c.Groups, 1)
	for i := range c.Dilation {
		if c.Dilation[i] == 0 {
			c.Dilation[i] = 1
		}
	}
	m, err := newImage(in, c.Channels, c.Height, c.Width, c.Kernel, c.Stride, c.Padding, c.Dilation)
	if err != nil {
		return nil, err
	}
	if c.Out < 1 || c.Out > maxTensor/m.outputs() || c.Out%c.Groups != 0 || c.Channels%c.Groups != 0 {
		return nil, fmt.Errorf("%d channels to %d in %d groups: want multiples of the groups", c.Channels, c.Out, c.Groups)
	}
	area := m.y.kernel * m.x.kernel
	l := &conv{image: m, outs: c.Out / c.Groups, ins: c.Channels / c.Groups}
	if l.ins*area > maxTaps/(c.Out*m.outputs()) {
		return nil, fmt.Errorf("%d windows of %d taps: too many", c.Out*m.outputs(), l.ins*area)
	}
	l.parameters, err = newParameters(c.W, c.B, c.WeightRange, c.BiasRange, c.Out, l.ins*area, c.Groups)
	if err != nil {
		return nil, err
	}
	if l.shape, err = l.parameters.shape(in, c.Out*m.outputs(), l.window); err != nil {
		return nil, err
	}
	if l.private() {
		if p := newProduct(l); p.meets() && p.cost(l) < l.directCost() {
			l.product = p
		}
	}
	return l, nil
}

// conv is a compiled Conv2d.
//
// With private weights there are two ways. Directly, every position is a row of a dense layer: the taps of its window
// times u. As a product of polynomials, an axis of stride S splits input positions i = S i' + ρ by phase ρ; tap k meets
// them where k dilation - padding = S q + ρ, and adds to output i' - q. So with X_cρ and U_cρ the polynomials, in two
// variables, of the inputs i' and taps -q of channel c and phase ρ,
//
//	Σ_cρ X_cρ U_cρ + u_bias Σ_o z^o = Σ_o (Σ_k G^k acc_ko) z^o + Σ_t d_t z^t,
//
// where o are the outputs and t the other monomials of the product. The d_t are secret inputs that nothing else uses.
// Rows of the plane become one polynomial in h, each as long as the widest row of the product, so that no two monomials
// meet. All coefficients are under the commitment that h comes from, so if both sides are equal at h they are equal in
// every coefficient, except with probability at most (size of the product)/p; at the outputs that is the identity
// of a row.
type conv struct {
	parameters
	image
	shape     shape
	outs, ins int      // channels of one group
	product   *product // nil: directly
}

func (l *conv) out() shape { return l.shape }

// window returns, for output i, the inputs that the columns of the weights take, -1 for padding.
func (l *conv) window(i int) []int {
	area, plane := l.y.kernel*l.x.kernel, l.y.in*l.x.in
	out := make([]int, l.columns)
	for k := range out {
		out[k] = -1
	}
	first := i / l.outputs() / l.outs * l.ins // channel
	l.taps(i%l.outputs(), func(tap, at int) {
		for c := range l.ins {
			out[c*area+tap] = (first+c)*plane + at
		}
	})
	return out
}

// gather returns the columns of a window that are not padding, and the inputs that they take.
func (l *conv) gather(i int) (columns, inputs []int) {
	for k, at := range l.window(i) {
		if at >= 0 {
			columns, inputs = append(columns, k), append(inputs, at)
		}
	}
	return columns, inputs
}

func (l *conv) check(in, out []int64) int {
	if l.private() {
		return -1
	}
	for i := range out {
		row := i / l.outputs()
		sum := l.b[row]
		columns, inputs := l.gather(i)
		for n, k := range columns {
			sum += l.w[row*l.columns+k] * in[inputs[n]]
		}
		if out[i] != sum {
			return i
		}
	}
	return -1
}

func (l *conv) defect(in, out []int64, u []fr.Element, g *fr.Element) int {
	for group, k := range l.places {
		for o := range l.outputs() {
			first := group*l.outs*l.outputs() + o
			columns, inputs := l.gather(first)
			x := make([]int64, len(inputs))
			part := make([]fr.Element, len(columns)+1)
			for n := range columns {
				x[n], part[n] = in[inputs[n]], u[k.at+columns[n]]
			}
			part[len(columns)] = u[k.at+k.columns]
			acc := make([]int64, l.outs)
			for c := range acc {
				acc[c] = out[first+c*l.outputs()]
			}
			if d := rowDefect(x, part, acc, g); !d.IsZero() {
				return first
			}
		}
	}
	return -1
}

func (l *conv) build(b *build, in []number) ([]number, error) {
	if l.private() {
		if l.product != nil {
			return l.product.build(b, l, in), nil
		}
		return l.direct(b, in), nil
	}
	var out []number
	for _, x := range l.samples(in) {
		for i := range l.shape.ranges {
			row := i / l.outputs()
			columns, inputs := l.gather(i)
			w, xs := make([]int64, len(columns)), make([]number, len(columns))
			for n, k := range columns {
				w[n], xs[n] = l.w[row*l.columns+k], x[inputs[n]]
			}
			y, ok := combine(w, xs, l.b[row])
			if !ok {
				return nil, ErrOverflow
			}
			out = append(out, b.short(y))
		}
	}
	return out, nil
}

// samples splits an input.
func (l *conv) samples(in []number) [][]number {
	return slices.Collect(slices.Chunk(in, l.channels*l.y.in*l.x.in))
}

// direct builds every position as a row of a dense layer.
func (l *conv) direct(b *build, in []number) []number {
	var out []number
	for _, x := range l.samples(in) {
		acc := b.accumulators(len(l.shape.ranges), len(out))
		for _, a := range acc {
			b.weights.absorb(1, b.quantity(a).v)
		}
		for group, k := range l.places {
			u := b.weights.columns(k)
			for o := range l.outputs() {
				first := group*l.outs*l.outputs() + o
				columns, inputs := l.gather(first)
				var xs, us, as []frontend.Variable
				for n, c := range columns {
					xs, us = append(xs, b.quantity(x[inputs[n]]).v), append(us, u[c])
				}
				for c := range l.outs {
					as = append(as, b.quantity(acc[first+c*l.outputs()]).v)
				}
				b.assertRow(xs, append(us, u[l.columns]), as)
			}
		}
		out = append(out, acc...)
	}
	return out
}

// directCost returns about how many constraints direct adds for one sample, without the evaluation of v.
func (l *conv) directCost() int {
	n := 0
	for o := range l.outputs() {
		taps := 0
		l.taps(o, func(int, int) { taps++ })
		n += max(1, taps*l.ins+l.outs-1)
	}
	return n * l.groups
}
