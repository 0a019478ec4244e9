package fixedpoint

import (
	"math"
	"slices"

	"github.com/signet-ml/signet/ml"
	"github.com/signet-ml/signet/ml/internal/feature"
)

// equalize gives the numbers between two linear layers one size where their sizes differ so much that rounding the small
// ones would be seen: row r of the first is divided by a power of two, and what the second multiplies with its results
// is multiplied by it. That changes nothing but rounding where what lies between is a maximum, a mean, a ReLU or a
// square. It reports whether anything changed.
func equalize(nodes []node, cal calibration) ([]node, bool) {
	nodes, changed := slices.Clone(nodes), false
	for i := range nodes {
		j, squares, ok := nextLinear(nodes, i)
		if !ok {
			continue
		}
		n := size(nodes[j].in)
		count := newRows(nodes[i]).count()
		group := func(k int) int { return k / (n / count) }
		seen := newRows(nodes[j])
		seen.add(cal.samples[j+1].Data)
		u := feature.NewUse(n)
		seen.use(u, nodes[j], cal.samples[j].Rows() < few, func(k int) (int32, float64) { return int32(k), 1 })
		s := feature.Find(cal.samples[j].Data, u, feature.Options{Limit: hiddenLimit, Group: group})
		if s.IsIdentity() {
			continue
		}
		changed = true
		root := make([]float64, count)
		for c := range root {
			// Halved once for each square, rounded up.
			_, e := math.Frexp(s.Scale[c*(n/count)]) // the scale is 2^(e-1)
			root[c] = math.Ldexp(1, (e-1+1<<squares-1)>>squares)
		}
		behind := func(c int) float64 { return math.Pow(root[c], float64(int(1)<<squares)) } // exact
		nodes[i].layer = scaled(nodes[i].layer, func(row, _ int) float64 { return 1 / root[row] }, func(row int) float64 { return 1 / root[row] })
		one := func(int) float64 { return 1 }
		switch l := nodes[j].layer.(type) {
		case *ml.DenseLayer:
			nodes[j].layer = scaled(l, func(_, k int) float64 { return behind(group(k)) }, one)
		case *ml.Conv2dLayer:
			nodes[j].layer = scaled(l, func(row, k int) float64 { return behind(channelOf(l, row, k)) }, one)
		}
	}
	return nodes, changed
}

func (r rows) count() int { return len(r.seen) }

// nextLinear returns the linear layer that reads the rows of node i, a linear layer itself, one by one, and the squares
// between them.
func nextLinear(nodes []node, i int) (j, squares int, ok bool) {
	_, images := nodes[i].layer.(*ml.Conv2dLayer)
	if _, dense := nodes[i].layer.(*ml.DenseLayer); !dense && !images {
		return 0, 0, false
	}
	for j = i + 1; j < len(nodes); j++ {
		switch nodes[j].layer.(type) {
		case ml.ReLULayer:
		case ml.SquareLayer:
			squares++
		case *ml.AvgPool2dLayer, *ml.MaxPool2dLayer:
			if !images {
				return 0, 0, false
			}
		case ml.FlattenLayer, *ml.ReshapeLayer:
			images = false // channels are not what they were
		case *ml.DenseLayer:
			return j, squares, squares <= 2
		case *ml.Conv2dLayer:
			return j, squares, images && squares <= 2
		default:
			return 0, 0, false
		}
	}
	return 0, 0, false
}

// scaled returns a linear layer with other weights and biases.
func scaled(l ml.Layer, weight func(row, k int) float64, bias func(row int) float64) ml.Layer {
	change := func(w ml.Tensor, b []float64) (ml.Tensor, []float64) {
		w, b = w.Clone(), slices.Clone(b)
		for r := range b {
			row := w.Row(r)
			for k := range row {
				row[k] *= weight(r, k)
			}
			b[r] *= bias(r)
		}
		return w, b
	}
	switch l := l.(type) {
	case *ml.DenseLayer:
		w, b := change(l.W, l.B)
		return ml.Dense(w, b)
	case *ml.Conv2dLayer:
		c := *l
		c.W, c.B = change(l.W, l.B)
		return &c
	}
	return l
}

// center returns nodes whose last layer gives scores without their mean, and whether that makes weights or biases four
// times smaller: the largest score stays where it is, and what rows have in common takes no levels from their differences.
func center(nodes []node, cal calibration) ([]node, bool) {
	i := len(nodes) - 1
	for ; i > 0; i-- {
		switch nodes[i].layer.(type) {
		case ml.FlattenLayer, *ml.ReshapeLayer:
			continue
		}
		break
	}
	l, ok := nodes[i].layer.(*ml.DenseLayer)
	if !ok {
		return nodes, false
	}
	w, b := l.W.Clone(), slices.Clone(l.B)
	column := make([]float64, len(b))
	for k := range l.In() {
		for r := range b {
			column[r] = w.Row(r)[k]
		}
		subtractMean(column)
		for r := range b {
			w.Row(r)[k] = column[r]
		}
	}
	subtractMean(b)
	// Weights may have to be coarser for the sake of biases, which may be as large as all products together.
	products := cal.seen[i].magnitude() * float64(l.In())
	size := func(w, b []float64) float64 {
		return max(largest(w), largest(b)/max(products, math.SmallestNonzeroFloat64))
	}
	if size(l.W.Data, l.B) < 4*size(w.Data, b) {
		return nodes, false
	}
	nodes = slices.Clone(nodes)
	nodes[i].layer = ml.Dense(w, b)
	return nodes, true
}

// subtractMean leaves numbers whose sum is 0, to their rounding.
func subtractMean(v []float64) {
	mean := 0.0
	for _, x := range v {
		mean += x / float64(len(v))
	}
	for i := range v {
		v[i] -= mean
	}
}

// largest returns the largest magnitude.
func largest(v []float64) float64 {
	m := 0.0
	for _, x := range v {
		m = max(m, math.Abs(x))
	}
	return m
}
