package fixedpoint

import (
	"math"
	"math/big"
	"math/bits"
	"slices"

	"github.com/signet-ml/signet/ml"
	"github.com/signet-ml/signet/ml/internal/feature"
)

const (
	// inputLimit is how many times the spread of a result the largest feature may contribute to it before features get
	// units of their own. Rounding it to 7 bits and a sign then moves the result by at most 1/64 of its spread. Pixels and
	// standardised tables stay below 4.
	inputLimit = 4
	// hiddenLimit is the same of the numbers between two linear layers. Many rows share them, and their errors average
	// out, so that more is needed before anything is lost.
	hiddenLimit = 16
	// few is how many samples tell how far the results of one row lie apart. Of fewer, the widest row speaks for all.
	few = 16
	// full is the part of its interval that a feature may use on the calibration set. What is left is for new samples:
	// units are powers of two, so that it is 1.25 to 2.5 times what calibration saw.
	full = 0.8
)

// reader returns the first linear layer, if only what can move into its weights lies in front of it, or -1.
func reader(nodes []node) int {
	for i, n := range nodes {
		switch n.layer.(type) {
		case *ml.DenseLayer, *ml.Conv2dLayer:
			return i
		case *ml.BatchNormLayer, *ml.AvgPool2dLayer, ml.FlattenLayer, *ml.ReshapeLayer:
		default:
			return -1
		}
	}
	return -1
}

// front is what lies before the first linear layer.
type front struct {
	nodes    []node // up to that layer
	features int
	channels int  // groups of features that have to be scaled alike, 0 when each may be scaled alone
	pooled   int  // features behind an element that the layer reads
	padded   bool // a window sees zeros beside the features, which an offset would move
}

func frontOf(in []int, nodes []node) (front, bool) {
	j := reader(nodes)
	if j < 0 {
		return front{}, false
	}
	f := front{nodes: nodes[:j+1], features: size(in), pooled: 1}
	if len(in) == 3 {
		f.channels = in[0]
	}
	for _, n := range f.nodes {
		switch l := n.layer.(type) {
		case *ml.AvgPool2dLayer:
			f.pooled *= l.Kernel[0] * l.Kernel[1]
			f.padded = f.padded || l.Padding != [2]int{}
			f.channels = n.in[0]
		case *ml.Conv2dLayer:
			f.padded = f.padded || l.Padding != [2]int{}
			f.channels = n.in[0]
		}
	}
	return f, true
}

// bits returns the bits of an input with units and offsets: features that have each their own are few, and two bits more
// cost little beside what their rounding would.
func (f front) bits(o Options) int {
	if f.channels > 0 {
		return o.Activations
	}
	return o.Activations + 2
}

// group returns the number of the group of feature i.
func (f front) group(i int) int { return i / (f.features / f.channels) }

// carry returns what the layer reads when feature i is a.scale[i]·z + a.shift[i].
func (f front) carry(a affine) (affine, bool) {
	for _, n := range f.nodes[:len(f.nodes)-1] {
		switch l := n.layer.(type) {
		case *ml.BatchNormLayer:
			a = a.normalized(l, len(a.scale)/len(l.Mean))
		case *ml.AvgPool2dLayer:
			shifted := slices.ContainsFunc(a.shift, func(v float64) bool { return v != 0 })
			unpadded := *l
			if !shifted {
				unpadded.Padding = [2]int{}
			}
			var ok bool
			if a, ok = a.acrossMeans(&unpadded, n.out); !ok {
				return affine{}, false
			}
		}
	}
	return a, true
}

// normalized returns a batch normalisation of a. It subtracts the mean first: a shift folded into one number loses the
// digits of a mean that is far from zero.
func (a affine) normalized(l *ml.BatchNormLayer, plane int) affine {
	scale, _ := l.Affine()
	b := affine{make([]float64, len(a.scale)), make([]float64, len(a.scale))}
	for i := range a.scale {
		c := i / plane
		b.scale[i] = scale[c] * a.scale[i]
		b.shift[i] = scale[c]*(a.shift[i]-l.Mean[c]) + l.Shift[c]
	}
	return b
}

// inputScaling returns the units and offsets of features, or the identity if they need none.
func inputScaling(in []int, nodes []node, x ml.Tensor, o Options) (feature.Scaling, error) {
	f, ok := frontOf(in, nodes)
	if !ok {
		return feature.Scaling{}, nil
	}
	a, ok := f.carry(affine{slices.Repeat([]float64{1}, f.features), make([]float64, f.features)})
	if !ok {
		return feature.Scaling{}, nil
	}
	layers := make([]ml.Layer, len(f.nodes))
	for i, n := range f.nodes {
		layers[i] = n.layer
	}
	m, err := ml.SequentialFor(in, layers...)
	if err != nil {
		return feature.Scaling{}, err
	}
	last := f.nodes[len(f.nodes)-1]
	seen := newRows(last)
	for lo := 0; lo < x.Rows(); lo += chunk {
		y, err := m.Forward(x.Slice(lo, min(lo+chunk, x.Rows())))
		if err != nil {
			return feature.Scaling{}, err
		}
		seen.add(y.Data)
	}
	plane := len(a.scale)
	if f.channels > 0 {
		plane /= f.channels
	}
	// A feature of its group stands for an element that pools made. The weight of a mean of k features is that of each
	// times k, and its norm that of all times √k.
	weight := 1 / math.Sqrt(float64(f.pooled))
	u := feature.NewUse(f.features)
	seen.use(u, last, x.Rows() < few, func(k int) (int32, float64) {
		if f.pooled == 1 {
			return int32(k), a.scale[k]
		}
		return int32(k / plane * (f.features / f.channels)), a.scale[k] * weight
	})
	options := feature.Options{Limit: inputLimit, Centred: !f.padded}
	if f.channels > 0 {
		options.Group = f.group
	}
	s := feature.Find(x.Data, u, options)
	if s.IsIdentity() {
		return s, nil
	}
	return f.units(x.Data, s, o), nil
}

// units returns s in units of the input's interval.
func (f front) units(x []float64, s feature.Scaling, o Options) feature.Scaling {
	most := make([]float64, f.features)
	for i, z := range s.Apply(x) {
		k := i % f.features
		if f.channels > 0 {
			k = f.group(k)
		}
		most[k] = max(most[k], math.Abs(z))
	}
	input := symmetric(f.bits(o))
	if o.Architecture != nil {
		input = o.Architecture.Input
	}
	levels := math.Ldexp(1, bits.Len64(uint64(input.Hi)))
	for i := range s.Scale {
		k := i
		if f.channels > 0 {
			k = f.group(k)
		}
		if most[k] > full {
			s.Scale[i] *= 2
		}
		if input.Lo >= 0 && !f.padded { // an architecture of features that were not negative
			s.Offset[i] -= s.Scale[i]
			s.Scale[i] *= 2
		}
		s.Scale[i] /= levels
		s.Offset[i] += 0 // no -0
	}
	return s
}

// absorb moves offsets and units of features into the first linear layer, with the normalisations in front of it.
func absorb(in []int, nodes []node, s feature.Scaling) ([]node, error) {
	f, _ := frontOf(in, nodes)
	j := len(f.nodes) - 1
	last := f.nodes[j]
	a, ok := f.carry(affine{s.Scale, s.Offset})
	if !ok {
		return nodes, nil // the normalisation is refused later
	}
	switch l := last.layer.(type) {
	case *ml.DenseLayer:
		w, b := beforeExactly(l.W, l.B, func(_, k int) (scale, shift float64) { return a.scale[k], a.shift[k] })
		last.layer = ml.Dense(w, b)
	case *ml.Conv2dLayer:
		g, ok := a.grouped(l.In())
		if !ok || l.Padding != [2]int{} && slices.ContainsFunc(g.shift, func(v float64) bool { return v != 0 }) {
			return nil, last.unsupported("no weights take in the normalisation or the sizes of features in front", "batch normalisation by channel, without padding behind it")
		}
		c := *l
		c.W, c.B = beforeExactly(l.W, l.B, func(row, k int) (scale, shift float64) {
			channel := channelOf(l, row, k)
			return g.scale[channel], g.shift[channel]
		})
		last.layer = &c
	}
	kept := slices.DeleteFunc(slices.Clone(f.nodes[:j]), func(n node) bool {
		_, norm := n.layer.(*ml.BatchNormLayer)
		return norm
	})
	return slices.Concat(kept, []node{last}, nodes[j+1:]), nil
}

// channelOf returns the channel that weight k of a row reads.
func channelOf(l *ml.Conv2dLayer, row, k int) int {
	kernel, group, rows := l.W.Shape[2]*l.W.Shape[3], l.W.Shape[1], l.Out()/l.Groups
	return row/rows*group + k/kernel
}

// beforeExactly is before with biases that are rounded once: an offset may be a million times what is left of it.
func beforeExactly(w ml.Tensor, b []float64, at func(r, k int) (scale, shift float64)) (ml.Tensor, []float64) {
	w, b = w.Clone(), slices.Clone(b)
	sum, term, factor := wide(), wide(), wide()
	for r := range b {
		sum.SetFloat64(b[r])
		row := w.Row(r)
		for k := range row {
			scale, shift := at(r, k)
			if shift != 0 && row[k] != 0 {
				sum.Add(sum, term.Mul(term.SetFloat64(row[k]), factor.SetFloat64(shift)))
			}
			row[k] *= scale
		}
		b[r], _ = sum.Float64()
	}
	return w, b
}

// wide returns a number of enough bits for sums of products of float64 whose exponents differ by a few hundred.
func wide() *big.Float { return new(big.Float).SetPrec(512) }

// rows is how far the results of a linear layer lie apart, by row of its weights.
type rows struct {
	seen  []stretch
	plane int // results of a row in a sample
}

func newRows(n node) rows {
	count := n.out[0]
	if l, ok := n.layer.(*ml.DenseLayer); ok {
		count = l.Out()
	}
	return rows{slices.Repeat([]stretch{{math.Inf(1), math.Inf(-1)}}, count), size(n.out) / count}
}

func (r rows) add(y []float64) {
	for i := 0; i < len(y); i += r.plane {
		s := &r.seen[i/r.plane%len(r.seen)]
		*s = s.with(y[i : i+r.plane])
	}
}

// use tells u the weights of n, the layer of r. alike says that all rows count as the widest, as those of kernels do. at
// returns the feature behind element k of a sample in front of n, and what it is multiplied with on the way. Kernels read
// one element of each channel.
func (r rows) use(u *feature.Use, n node, alike bool, at func(k int) (int32, float64)) {
	widest := 0.0
	for _, s := range r.seen {
		widest = max(widest, s.half())
	}
	var columns []int32
	var weights []float64
	add := func(k int, w float64) {
		column, factor := at(k)
		columns, weights = append(columns, column), append(weights, w*factor)
	}
	switch l := n.layer.(type) {
	case *ml.DenseLayer:
		for row, s := range r.seen {
			columns, weights = columns[:0], weights[:0]
			for k, w := range l.W.Row(row) {
				add(k, w)
			}
			spread := s.half()
			if alike {
				spread = widest
			}
			u.Row(columns, weights, spread)
		}
	case *ml.Conv2dLayer:
		for row := range r.seen {
			columns, weights = columns[:0], weights[:0]
			for k, w := range l.W.Row(row) {
				add(channelOf(l, row, k)*n.in[1]*n.in[2], w)
			}
			u.Row(columns, weights, widest)
		}
	}
}

// half returns half the length of s, which does not overflow.
func (s stretch) half() float64 { return s.hi/2 - s.lo/2 }
