package nn

import (
	"errors"
	"fmt"
	"math"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/frontend"

	"github.com/signet-ml/signet/zk/commit"
)

// parameters are the weights and biases of a linear layer, or the ranges of private ones.
type parameters struct {
	w, b          []int64 // nil: private
	weight, bias  Interval
	rows, columns int
	groups        int     // of consecutive rows, which take inputs of their own
	places        []block // private: one for each group
}

func newParameters(w, b []int64, weight, bias Interval, rows, columns, groups int) (parameters, error) {
	p := parameters{w: w, b: b, weight: weight, bias: bias, rows: rows, columns: columns, groups: groups}
	switch {
	case (w == nil) != (b == nil):
		return p, errors.New("weights and biases must both be public or both private")
	case w == nil:
		if !weight.valid() || weight.Lo < math.MinInt32 || weight.Hi > math.MaxInt32 || !bias.valid() {
			return p, errors.New("ranges of private weights: want ends in order, of 32 bits for weights and up to 2^62 for biases")
		}
		return p, nil
	case len(w) != rows*columns || len(b) != rows:
		return p, fmt.Errorf("%d weights and %d biases: want %d and %d", len(w), len(b), rows*columns, rows)
	}
	for _, x := range w {
		if x < math.MinInt32 || x > math.MaxInt32 {
			return p, errors.New("a weight exceeds 32 bits")
		}
	}
	for _, x := range b {
		if magnitude(x) > limit {
			return p, ErrOverflow
		}
	}
	return p, nil
}

func (p *parameters) private() bool { return p.w == nil }

// shape returns the ranges of n outputs. Output i is in row i / (n/rows) and takes the inputs that taps returns, -1 for
// a column without one; nil: all of them in order.
func (p *parameters) shape(in shape, n int, taps func(i int) []int) (shape, error) {
	out := shape{ranges: make([]Interval, n), proven: in.proven && !p.private()}
	for i := range n {
		row := i / (n / p.rows)
		if p.private() && row%(p.rows/p.groups) != 0 {
			out.ranges[i] = out.ranges[i-n/p.rows]
			continue
		}
		sum := p.bias
		if !p.private() {
			sum = Interval{p.b[row], p.b[row]}
		}
		t := taps(i)
		for k := range p.columns {
			at := k
			if t != nil {
				at = t[k]
			}
			if at < 0 {
				continue
			}
			w := p.weight
			if !p.private() {
				w = Interval{p.w[row*p.columns+k], p.w[row*p.columns+k]}
			}
			product, ok := w.times(in.ranges[at])
			if ok {
				sum, ok = sum.plus(product)
			}
			if !ok {
				return shape{}, ErrOverflow
			}
		}
		out.ranges[i] = sum
	}
	return out, nil
}

// blocks returns the layer's part of the layout.
func (p *parameters) blocks(name string) []commit.Block {
	out := make([]commit.Block, p.groups)
	for i := range out {
		out[i] = commit.Block{
			Name: name, Rows: p.rows / p.groups, Columns: p.columns,
			Weight: commit.Range(p.weight), Bias: commit.Range(p.bias),
		}
		if p.groups > 1 {
			out[i].Name = fmt.Sprintf("%s/%d", name, i)
		}
	}
	return out
}

// place gives the layer its columns from the given one on and returns the column after them.
func (p *parameters) place(at int) int {
	p.places = make([]block, p.groups)
	for i := range p.places {
		p.places[i] = block{at, p.columns}
		at += p.columns + 1
	}
	return at
}

// A block is the place of a linear layer, or of one group of a convolution, among the columns of private weights.
type block struct{ at, columns int } // columns without the bias

// weights are what a build knows of private weights.
type weights struct {
	g      frontend.Variable
	u      []frontend.Variable // one for each column; nil: public weights
	v      []monomial          // accumulators, or sums of them times powers of h
	length int                 // of v so far
}

// columns returns the part of u of a block: one element for each column, then the bias's.
func (w *weights) columns(k block) []frontend.Variable { return w.u[k.at : k.at+k.columns+1] }

// absorb appends n elements to v; value is Σ h^i of the i-th of them.
func (w *weights) absorb(n int, value frontend.Variable) {
	w.v = append(w.v, monomial{w.length, value})
	w.length += n
}

// begin makes the inputs for private weights: the first challenge, and u.
func (b *build) begin() {
	if b.c.spec.Layout.Blocks == nil {
		return
	}
	b.costs.begin("weights")
	b.weights.g = b.element(b.g)
	b.weights.u = make([]frontend.Variable, b.c.spec.Layout.Columns())
	for i := range b.weights.u {
		var e fr.Element
		if b.assigning() {
			e = b.row[i]
		}
		b.weights.u[i] = b.element(e)
	}
}

// evaluations returns u(h) and v(h), which end with the two blinds.
func (b *build) evaluations() (e1, e2 frontend.Variable) {
	for i := range b.blinds {
		b.weights.absorb(1, b.element(b.blinds[i]))
	}
	u := make([]monomial, len(b.weights.u))
	for i := range u {
		u[i] = monomial{i, b.weights.u[i]}
	}
	return b.evaluate(u), b.evaluate(b.weights.v)
}

// place gives every private linear layer its columns and returns the layout.
func place(layers []layer, ops []Op, batch, blinds int) commit.Layout {
	layout := commit.Layout{Blinds: blinds}
	at := 0
	for i, l := range layers {
		w, ok := l.(weighted)
		if !ok || !w.private() {
			continue
		}
		layout.Accumulators += batch * l.out().size()
		layout.Blocks = append(layout.Blocks, w.blocks(ops[i].Name())...)
		at = w.place(at)
	}
	return layout
}
