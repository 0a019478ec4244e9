package nn

// Argmax gives one value per sample: the lowest index at which its input is greatest. It can only be the last op.
type Argmax struct{ Label string }

// Name implements Op.
func (a Argmax) Name() string { return label(a.Label, "argmax") }

func (a Argmax) compile(in shape) (layer, error) {
	all := hull(in.ranges)
	if !all.valid() {
		return nil, ErrOverflow
	}
	return &argmax{in: in, span: loosely(all.size())}, nil
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
		x := in[at : at+l.in.size()]
		values, marks := make([]int64, len(x)), make([]int64, len(x)-1)
		for i := range x {
			values[i] = x[i].value
		}
		k := first(values)
		for i := range k {
			marks[i] = 1
		}
		out = append(out, l.index(b, x, values[k], marks))
	}
	return out, nil
}

// index returns the index for x, given the values of m and of t.
func (l *argmax) index(b *build, x []number, most int64, marks []int64) number {
	if len(x) == 1 {
		return constant(0)
	}
	m, one := b.quantity(b.secret(most)), b.constant(1)
	before, index := one, number{} // before is t of the index before
	for i := range x {
		t := b.constant(0)
		if i < len(marks) {
			mark := b.secret(marks[i])
			t = b.quantity(mark)
			index.terms = append(index.terms, mark.terms...)
			index.value += mark.value
		}
		s, rest := b.minus(before, t), b.minus(m, b.quantity(x[i]))
		b.assertProduct(CauseProduct, vs(s), vs(b.minus(one, s)), nil)
		b.assertProduct(CauseProduct, vs(s), vs(rest), nil)
		b.checkRange(b.minus(rest, t), l.span)
		before = t
	}
	return b.short(index)
}
