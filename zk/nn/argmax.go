package nn

// Argmax gives one value per sample: the lowest index at which its input is greatest. It can only be the last op.
type Argmax struct{ Label string }

// Name implements Op.
func (a Argmax) Name() string { return label(a.Label, "argmax") }

func (a Argmax) compile(in shape) (layer, error) {
	return &argmax{in: in, span: loosely(hull(in.ranges).size())}, nil
}

// argmax is a compiled Argmax.
//
// Its inputs are m and t_i = [i < index] for i < n-1; with t_-1 = 1 and t_(n-1) = 0, the selectors s_i = t_(i-1) - t_i
// add up to 1, and their constraints s_i (1 - s_i) = 0 make exactly one of them 1, say that of k, and t_i = [i < k].
// With s_i (m - x_i) = 0 it is m = x_k, and m - x_i - t_i >= 0 makes k the lowest index of a maximum: for two such
// k < l, both x_k - x_l and x_l - x_k - 1 would lie in [0, capacity), but they add up to -1.
type argmax struct {
	in   shape
	span span
}

func (l *argmax) out() shape {
	return shape{ranges: []Interval{{0, int64(l.in.size() - 1)}}, proven: true}
}

func (l *argmax) check(in, out []int64) int {
	if out[0] != int64(first(in)) {
		return 0
	}
	return -1
}

// first returns the lowest index of a maximum.
func first(xs []int64) int {
	k := 0
	for i, x := range xs {
		if x > xs[k] {
			k = i
		}
	}
	return k
}

func (l *argmax) build(b *build, in []number) ([]number, error) {
	var out []number
	for at := 0; at < len(in); at += l.in.size() {
		index, err := l.one(b, in[at:at+l.in.size()])
		if err != nil {
			return nil, err
		}
		out = append(out, index)
	}
	return out, nil
}

func (l *argmax) one(b *build, x []number) (number, error) {
	if len(x) == 1 {
		return constant(0), nil
	}
	values := make([]int64, len(x))
	for i := range x {
		values[i] = x[i].value
	}
	k := first(values)
	max := b.quantity(b.secret(values[k]))
	one := b.constant(1)
	before := one // t of the index before
	marks := make([]number, len(x)-1)
	ones := make([]int64, len(marks))
	for i := range x {
		t := b.constant(0)
		if i < len(marks) {
			marks[i], ones[i] = b.secret(int64(bit(i < k))), 1
			t = b.quantity(marks[i])
		}
		s := b.minus(before, t)
		rest := b.minus(max, b.quantity(x[i]))
		b.assertProduct(causeProduct, vs(s), vs(b.minus(one, s)), nil)
		b.assertProduct(causeProduct, vs(s), vs(rest), nil)
		b.checkRange(b.minus(rest, t), l.span)
		before = t
	}
	index, ok := combine(ones, marks, 0)
	if !ok {
		return number{}, ErrOverflow
	}
	return b.short(index), nil
}
