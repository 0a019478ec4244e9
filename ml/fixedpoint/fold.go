package fixedpoint

import (
	"slices"

	"github.com/signet-ml/signet/ml"
	"github.com/signet-ml/signet/ml/internal/feature"
)

// node is a layer that is left after folding, and where it was in the model.
type node struct {
	layer   ml.Layer
	index   int
	in, out []int // shapes of one sample
}

func (n node) unsupported(reason, nearest string) error {
	return &UnsupportedError{Layer: n.index, Kind: n.layer.Kind(), Reason: reason, Nearest: nearest}
}

// simplify returns the layers of m without batch normalisations, which move into dense
// layers and convolutions, and without what the index of the largest score does not
// depend on. Where features need units and offsets of their own, these move into weights
// too, and the layers are those behind numbers in the units that it returns.
func simplify(m *ml.Model, o Options) ([]node, feature.Scaling, error) {
	var none feature.Scaling
	nodes, err := nodesOf(m)
	if err != nil {
		return nil, none, err
	}
	nodes = foldNormsBack(nodes)
	units, err := inputScaling(m.InputShape(), nodes, o.Calibration, o)
	if err != nil {
		return nil, none, err
	}
	if !units.IsIdentity() {
		if nodes, err = absorb(m.InputShape(), nodes, units); err != nil {
			return nil, none, err
		}
	}
	if nodes, err = foldNormsForward(nodes); err != nil {
		return nil, none, err
	}
	if nodes, err = cutTail(nodes, o.Class); err != nil {
		return nil, none, err
	}
	for _, n := range nodes {
		switch n.layer.(type) {
		case ml.SoftmaxLayer:
			return nil, none, n.unsupported("a softmax between layers", "a softmax at the end, with Options.Class")
		case *ml.ResidualLayer:
			return nil, none, n.unsupported("integers are a chain of ops", "the layers of the body, one after the other")
		}
	}
	return nodes, units, nil
}

// nodesOf returns the layers with the shapes around them, which a sample of zeros shows.
func nodesOf(m *ml.Model) ([]node, error) {
	zero := ml.Tensor{Shape: m.InputShape(), Data: make([]float64, m.InputLen())}
	after, err := m.Trace(zero)
	if err != nil {
		return nil, err
	}
	nodes, in := make([]node, len(after)), m.InputShape()
	for i, l := range m.Layers() {
		nodes[i] = node{l, i, in, after[i].Shape}
		in = after[i].Shape
	}
	return nodes, nil
}

// cutTail removes softmax, sigmoid and tanh from the end when only the largest score
// counts, and gives a single score a 0 in front to compete with.
func cutTail(nodes []node, class bool) ([]node, error) {
	last := len(nodes)
	for ; last > 0; last-- {
		n := nodes[last-1]
		switch n.layer.(type) {
		case ml.FlattenLayer, *ml.ReshapeLayer:
			continue
		case ml.SoftmaxLayer:
			if !class {
				return nil, n.unsupported("exponentials and a quotient have no op", "leave it out and take the scores, or Options.Class")
			}
			continue
		case ml.SigmoidLayer, ml.TanhLayer:
			if class {
				continue
			}
		}
		break
	}
	if !class {
		return nodes, nil
	}
	if last == 0 {
		return nil, nodes[0].unsupported("nothing is left in front of the class", "a dense layer in front")
	}
	nodes = slices.Clone(nodes[:last])
	n := &nodes[last-1]
	if size(n.out) > 1 {
		return nodes, nil
	}
	const reason, nearest = "one output that no weights make", "a dense layer with one output or more at the end"
	switch l := n.layer.(type) {
	case *ml.DenseLayer:
		w := ml.Tensor{Shape: []int{2, l.In()}, Data: slices.Concat(make([]float64, l.W.Len()), l.W.Data)}
		n.layer, n.out = ml.Dense(w, []float64{0, l.B[0]}), []int{2}
	case *ml.Conv2dLayer:
		c := *l
		c.W = ml.Tensor{Shape: slices.Clone(l.W.Shape), Data: slices.Concat(make([]float64, l.W.Len()), l.W.Data)}
		c.W.Shape[0] = 2
		c.B = []float64{0, l.B[0]}
		n.layer, n.out = &c, []int{2, 1, 1}
	default:
		return nil, n.unsupported(reason, nearest)
	}
	return nodes, nil
}

func size(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

// foldNormsBack moves batch normalisations into the weights before them.
func foldNormsBack(nodes []node) []node {
	nodes = slices.Clone(nodes)
	for i := 0; i < len(nodes); {
		if _, ok := nodes[i].layer.(*ml.BatchNormLayer); ok && foldBack(nodes, i) {
			nodes = slices.Delete(nodes, i, i+1)
			continue
		}
		i++
	}
	return nodes
}

// foldNormsForward moves those that are left into the weights after them.
func foldNormsForward(nodes []node) ([]node, error) {
	nodes = slices.Clone(nodes)
	for i := len(nodes) - 1; i >= 0; i-- {
		if _, ok := nodes[i].layer.(*ml.BatchNormLayer); !ok {
			continue
		}
		if !foldForward(nodes, i) {
			return nil, nodes[i].unsupported("no weights beside it can take it in", "batch normalisation right behind a dense layer or a convolution, or right in front of one without padding")
		}
		nodes = slices.Delete(nodes, i, i+1)
	}
	return nodes, nil
}

// affine is scale·x + shift with numbers for every element of a sample.
type affine struct{ scale, shift []float64 }

func (n node) affine() affine {
	scale, shift := n.layer.(*ml.BatchNormLayer).Affine()
	plane := size(n.in) / len(scale)
	var a affine
	for c := range scale {
		a.scale = append(a.scale, slices.Repeat(scale[c:c+1], plane)...)
		a.shift = append(a.shift, slices.Repeat(shift[c:c+1], plane)...)
	}
	return a
}

// grouped returns a with one number for each of so many equal parts, if elements of a
// part have the same ones.
func (a affine) grouped(parts int) (affine, bool) {
	plane := len(a.scale) / parts
	g := affine{make([]float64, parts), make([]float64, parts)}
	for i := range a.scale {
		c := i / plane
		g.scale[c], g.shift[c] = a.scale[c*plane], a.shift[c*plane]
		if a.scale[i] != g.scale[c] || a.shift[i] != g.shift[c] {
			return affine{}, false
		}
	}
	return g, true
}

// acrossMeans returns what a is on the other side of a pool of means from one shape to
// another: the same map of each channel, as long as the pool adds no zeros.
func (a affine) acrossMeans(l *ml.AvgPool2dLayer, to []int) (affine, bool) {
	g, ok := a.grouped(to[0])
	if !ok || l.Padding != [2]int{} {
		return affine{}, false
	}
	plane := to[1] * to[2]
	var b affine
	for c := range g.scale {
		b.scale = append(b.scale, slices.Repeat(g.scale[c:c+1], plane)...)
		b.shift = append(b.shift, slices.Repeat(g.shift[c:c+1], plane)...)
	}
	return b, true
}

// foldBack multiplies the weights before node i and reports whether there were any that
// it could reach.
func foldBack(nodes []node, i int) bool {
	a := nodes[i].affine()
	for j := i - 1; j >= 0; j-- {
		switch l := nodes[j].layer.(type) {
		case ml.FlattenLayer, *ml.ReshapeLayer:
		case *ml.AvgPool2dLayer:
			var ok bool
			if a, ok = a.acrossMeans(l, nodes[j].in); !ok {
				return false
			}
		case *ml.DenseLayer:
			w, b := after(l.W, l.B, a)
			nodes[j].layer = ml.Dense(w, b)
			return true
		case *ml.Conv2dLayer:
			g, ok := a.grouped(l.Out())
			if !ok {
				return false
			}
			c := *l
			c.W, c.B = after(l.W, l.B, g)
			nodes[j].layer = &c
			return true
		default:
			return false
		}
	}
	return false
}

// after returns the weights of a applied to what w and b give, row by row.
func after(w ml.Tensor, b []float64, a affine) (ml.Tensor, []float64) {
	w, b = w.Clone(), slices.Clone(b)
	for r := range b {
		row := w.Row(r)
		for k := range row {
			row[k] *= a.scale[r]
		}
		b[r] = a.scale[r]*b[r] + a.shift[r]
	}
	return w, b
}

// foldForward multiplies the weights behind node i.
func foldForward(nodes []node, i int) bool {
	a := nodes[i].affine()
	for j := i + 1; j < len(nodes); j++ {
		switch l := nodes[j].layer.(type) {
		case ml.FlattenLayer, *ml.ReshapeLayer:
		case *ml.AvgPool2dLayer:
			var ok bool
			if a, ok = a.acrossMeans(l, nodes[j].out); !ok {
				return false
			}
		case *ml.DenseLayer:
			w, b := before(l.W, l.B, func(_, k int) (scale, shift float64) { return a.scale[k], a.shift[k] })
			nodes[j].layer = ml.Dense(w, b)
			return true
		case *ml.Conv2dLayer:
			g, ok := a.grouped(l.In())
			// Where the kernel sticks out it sees zeros, which the shift would move.
			if !ok || l.Padding != [2]int{} && slices.ContainsFunc(g.shift, func(v float64) bool { return v != 0 }) {
				return false
			}
			c := *l
			c.W, c.B = before(l.W, l.B, func(row, k int) (scale, shift float64) {
				channel := channelOf(l, row, k)
				return g.scale[channel], g.shift[channel]
			})
			nodes[j].layer = &c
			return true
		default:
			return false
		}
	}
	return false
}

// before returns the weights that w and b are when column k of a row r takes scale·x +
// shift instead of x.
func before(w ml.Tensor, b []float64, at func(r, k int) (scale, shift float64)) (ml.Tensor, []float64) {
	w, b = w.Clone(), slices.Clone(b)
	for r := range b {
		row := w.Row(r)
		for k := range row {
			scale, shift := at(r, k)
			b[r] += row[k] * shift
			row[k] *= scale
		}
	}
	return w, b
}
