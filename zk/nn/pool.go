package nn

import (
	"errors"

	"github.com/consensys/gnark/frontend"
)

// SumPool2d sums over windows of each channel; padding counts as zero. With a Rescale by 1/k it is average pooling.
type SumPool2d struct {
	Label                   string
	Channels, Height, Width int
	Kernel, Stride, Padding [2]int // of height and width
}

// MaxPool2d takes the maximum over windows of each channel; padding never wins.
type MaxPool2d SumPool2d

// Name implements Op.
func (p SumPool2d) Name() string { return label(p.Label, "sumpool") }

// Name implements Op.
func (p MaxPool2d) Name() string { return label(p.Label, "maxpool") }

// pooling is what sums and maxima have in common.
type pooling struct {
	shape   shape
	windows [][]int // for each output, the inputs in its window
	inputs  int
}

func newPooling(p SumPool2d, in shape) (pooling, error) {
	m, err := newImage(in, p.Channels, p.Height, p.Width, p.Kernel, p.Stride, p.Padding, [2]int{1, 1})
	if err != nil {
		return pooling{}, err
	}
	l := pooling{inputs: in.size(), windows: make([][]int, m.channels*m.outputs())}
	for i := range l.windows {
		channel := i / m.outputs() * m.y.in * m.x.in
		m.taps(i%m.outputs(), func(_, at int) { l.windows[i] = append(l.windows[i], channel+at) })
	}
	l.shape = shape{ranges: make([]Interval, len(l.windows)), proven: in.proven}
	return l, nil
}

func (l *pooling) out() shape { return l.shape }

// each calls f for every window of all samples, with the numbers in it.
func (l *pooling) each(in []number, f func(i int, xs []number)) {
	for at := 0; at < len(in); at += l.inputs {
		for i, w := range l.windows {
			xs := make([]number, len(w))
			for k, j := range w {
				xs[k] = in[at+j]
			}
			f(at/l.inputs*len(l.windows)+i, xs)
		}
	}
}

func (p SumPool2d) compile(in shape) (layer, error) {
	l, err := newPooling(p, in)
	if err != nil {
		return nil, err
	}
	for i, w := range l.windows {
		ok := true
		for _, j := range w {
			if l.shape.ranges[i], ok = l.shape.ranges[i].plus(in.ranges[j]); !ok {
				return nil, ErrOverflow
			}
		}
	}
	return &sumPool{l}, nil
}

// sumPool is a compiled SumPool2d: sums are free.
type sumPool struct{ pooling }

func (l *sumPool) check(in, out []int64) int {
	for i, w := range l.windows {
		var sum int64
		for _, j := range w {
			sum += in[j]
		}
		if out[i] != sum {
			return i
		}
	}
	return -1
}

func (l *sumPool) build(b *build, in []number) ([]number, error) {
	out := make([]number, len(in)/l.inputs*len(l.windows))
	var err error
	l.each(in, func(i int, xs []number) {
		ones := make([]int64, len(xs))
		for k := range ones {
			ones[k] = 1
		}
		sum, ok := combine(ones, xs, 0)
		if !ok {
			err = ErrOverflow
		}
		out[i] = b.short(sum)
	})
	return out, err
}

func (p MaxPool2d) compile(in shape) (layer, error) {
	l, err := newPooling(SumPool2d(p), in)
	if err != nil {
		return nil, err
	}
	if !hull(in.ranges).valid() {
		return nil, ErrOverflow
	}
	for i, w := range l.windows {
		if len(w) == 0 {
			return nil, errors.New("a window holds nothing but padding")
		}
		l.shape.ranges[i] = in.ranges[w[0]]
		for _, j := range w {
			l.shape.ranges[i].Lo = max(l.shape.ranges[i].Lo, in.ranges[j].Lo)
			l.shape.ranges[i].Hi = max(l.shape.ranges[i].Hi, in.ranges[j].Hi)
		}
	}
	return &maxPool{pooling: l, in: in}, nil
}

// maxPool is a compiled MaxPool2d: out - x_i lies in [0, capacity) for every x_i of a window, and their product is
// zero. No two of the x_i can both be out: their difference and its opposite would lie in [0, capacity).
type maxPool struct {
	pooling
	in shape
}

func (l *maxPool) check(in, out []int64) int {
	for i, w := range l.windows {
		most := in[w[0]]
		for _, j := range w {
			most = max(most, in[j])
		}
		if out[i] != most {
			return i
		}
	}
	return -1
}

func (l *maxPool) build(b *build, in []number) ([]number, error) {
	out := make([]number, len(in)/l.inputs*len(l.windows))
	l.each(in, func(i int, xs []number) {
		if len(xs) == 1 {
			out[i] = xs[0]
			return
		}
		k := i % len(l.windows)
		out[i] = b.secret(b.output(i))
		most := b.quantity(out[i])
		rest := make([]quantity, len(xs))
		for j, x := range xs {
			rest[j] = b.minus(most, b.quantity(x))
			b.checkRange(rest[j], loosely(uint64(l.shape.ranges[k].Hi-l.in.ranges[l.windows[k][j]].Lo)+1))
		}
		product := rest[0].v
		for _, r := range rest[1 : len(rest)-1] {
			product = b.product(CauseProduct, product, r.v)
		}
		b.assertProduct(CauseProduct, []frontend.Variable{product}, vs(rest[len(rest)-1]), nil)
	})
	return out, nil
}
