package nn

// Square multiplies every element by itself. A Rescale follows as a rule.
type Square struct{ Label string }

// Name implements Op.
func (s Square) Name() string { return label(s.Label, "square") }

func (s Square) compile(in shape) (layer, error) {
	l := &square{shape{ranges: make([]Interval, in.size()), proven: in.proven}}
	for i, x := range in.ranges {
		y, ok := x.times(x)
		if !ok {
			return nil, ErrOverflow
		}
		if x.Contains(0) {
			y.Lo = 0
		} else {
			y.Lo = min(x.Lo*x.Lo, x.Hi*x.Hi)
		}
		l.shape.ranges[i] = y
	}
	return l, nil
}

// square is a compiled Square: one product for each element.
type square struct{ shape shape }

func (l *square) out() shape { return l.shape }

func (l *square) check(in, out []int64) int {
	for i, x := range in {
		if out[i] != x*x {
			return i
		}
	}
	return -1
}

func (l *square) build(b *build, in []number) ([]number, error) {
	out := make([]number, len(in))
	for i, x := range in {
		q := b.quantity(x)
		out[i] = b.wire(b.product(CauseProduct, q.v, q.v))
		out[i].value = b.output(i)
	}
	return out, nil
}
