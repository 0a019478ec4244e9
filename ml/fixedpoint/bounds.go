package fixedpoint

import (
	"errors"
	"math/bits"
)

// ErrOverflow says that worst-case weights and inputs could reach 2^62.
var ErrOverflow = errors.New("fixedpoint: a number could reach 2^62")

// spread says where the numbers of one sample lie: groups of as many successive elements
// each, with an interval per group. Dense layers give one per output, convolutions one
// per channel. Flattening moves nothing, so groups survive it.
type spread struct {
	n      int // elements
	groups []Interval
}

func uniform(n int, v Interval) spread { return spread{n, []Interval{v}} }

// over returns where elements first to last-1 lie.
func (s spread) over(first, last int) Interval {
	size := s.n / len(s.groups)
	v := s.groups[first/size]
	for _, u := range s.groups[first/size : (last-1)/size+1] {
		v = v.union(u)
	}
	return v
}

func (s spread) all() Interval { return s.over(0, s.n) }

// each maps every group by f to as many elements.
func (s spread) each(f func(Interval) (Interval, error)) (spread, error) {
	t := spread{s.n, make([]Interval, len(s.groups))}
	for i, v := range s.groups {
		var err error
		if t.groups[i], err = f(v); err != nil {
			return spread{}, err
		}
	}
	return t, nil
}

// mul and add fail when the result reaches 2^62; arguments lie below it.
func mul(a, b int64) (int64, error) {
	hi, lo := bits.Mul64(magnitude(a), magnitude(b))
	if hi != 0 || lo >= 1<<maxBits {
		return 0, ErrOverflow
	}
	return a * b, nil
}

func add(a, b int64) (int64, error) {
	if s := a + b; magnitude(s) < 1<<maxBits { // below 2^63 in any case
		return s, nil
	}
	return 0, ErrOverflow
}

func magnitude(a int64) uint64 {
	if a < 0 {
		return -uint64(a)
	}
	return uint64(a)
}

// times returns the products of an element of v and one of u.
func (v Interval) times(u Interval) (Interval, error) {
	var all Interval
	for i, p := range [4][2]int64{{v.Lo, u.Lo}, {v.Lo, u.Hi}, {v.Hi, u.Lo}, {v.Hi, u.Hi}} {
		q, err := mul(p[0], p[1])
		if err != nil {
			return Interval{}, err
		}
		if i == 0 {
			all = Interval{q, q}
		}
		all = all.union(Interval{q, q})
	}
	return all, nil
}

// plus returns the sums of an element of v and one of u.
func (v Interval) plus(u Interval) (Interval, error) {
	lo, err := add(v.Lo, u.Lo)
	if err != nil {
		return Interval{}, err
	}
	hi, err := add(v.Hi, u.Hi)
	return Interval{lo, hi}, err
}

// worst returns the accumulators of any weights in their range, when elements of one row
// lie in x.
func (l linear) worst(x Interval) (Interval, error) {
	term, err := l.weight.times(x)
	if err != nil {
		return Interval{}, err
	}
	n := int64(l.cols)
	if term, err = term.times(Interval{n, n}); err != nil {
		return Interval{}, err
	}
	return term.plus(l.bias)
}

// exact returns the accumulators of row, where column j takes the numbers of x(j).
func (l linear) exact(row int, x func(col int) Interval) (Interval, error) {
	acc := Interval{l.b[row], l.b[row]}
	for j, w := range l.w[row*l.cols:][:l.cols] {
		term, err := x(j).times(Interval{w, w})
		if err != nil {
			return Interval{}, err
		}
		if acc, err = acc.plus(term); err != nil {
			return Interval{}, err
		}
	}
	return acc, nil
}

func (o Dense) bounds(x spread, private bool) (spread, error) {
	l := o.linear()
	if private {
		v, err := l.worst(x.all())
		return uniform(o.Out, v), err
	}
	size := x.n / len(x.groups)
	y := spread{o.Out, make([]Interval, o.Out)}
	for row := range y.groups {
		var err error
		if y.groups[row], err = l.exact(row, func(j int) Interval { return x.groups[j/size] }); err != nil {
			return spread{}, err
		}
	}
	return y, nil
}

func (o Conv2d) bounds(x spread, private bool) (spread, error) {
	g := o.window().grid()
	n := o.Out * g.Positions()
	l := o.linear()
	in := make([]Interval, 1, o.Channels)
	if private {
		in[0] = x.all()
	} else {
		in = in[:o.Channels]
		for c := range in {
			in[c] = x.over(c*g.Pixels(), (c+1)*g.Pixels())
		}
	}
	if o.Padding != [2]int{} { // a kernel that sticks out sees zeros
		for c := range in {
			in[c] = in[c].union(Interval{})
		}
	}
	if private {
		v, err := l.worst(in[0])
		return uniform(n, v), err
	}
	y := spread{n, make([]Interval, o.Out)}
	kernel, group := o.Kernel[0]*o.Kernel[1], o.Channels/o.Groups
	for c := range y.groups {
		first := c / (o.Out / o.Groups) * group
		var err error
		if y.groups[c], err = l.exact(c, func(j int) Interval { return in[first+j/kernel] }); err != nil {
			return spread{}, err
		}
	}
	return y, nil
}

func (o Rescale) bounds(x spread, _ bool) (spread, error) {
	return x.each(func(v Interval) (Interval, error) {
		p, err := v.times(Interval{o.Multiplier, o.Multiplier})
		if err != nil {
			return Interval{}, err
		}
		if o.Shift > 0 {
			if _, err := add(p.Hi, 1<<(o.Shift-1)); err != nil {
				return Interval{}, err
			}
		}
		return Interval{o.Out.clamp(o.round(v.Lo)), o.Out.clamp(o.round(v.Hi))}, nil
	})
}

func (o Table) bounds(x spread, _ bool) (spread, error) {
	return x.each(func(v Interval) (Interval, error) {
		if !v.within(o.domain()) {
			return Interval{}, &DomainError{v, o.domain()}
		}
		return Table{Values: o.Values[v.Lo-o.Lo : v.Hi-o.Lo+1]}.values(), nil
	})
}

func (o Square) bounds(x spread, _ bool) (spread, error) {
	return x.each(func(v Interval) (Interval, error) {
		most, err := mul(v.magnitude(), v.magnitude())
		if err != nil {
			return Interval{}, err
		}
		least := max(v.Lo, -v.Hi, 0)
		return Interval{least * least, most}, nil
	})
}

func (o SumPool2d) bounds(x spread, _ bool) (spread, error) {
	g := o.window().grid()
	y := pooled(x, o.Channels, g.Positions())
	n := int64(o.Kernel[0]) * int64(o.Kernel[1])
	// A window that sticks out sums fewer pixels; one that never does sums n.
	least := n
	if o.Padding != [2]int{} {
		least = 1
	}
	return y.each(func(v Interval) (Interval, error) { return v.times(Interval{least, n}) })
}

func (o MaxPool2d) bounds(x spread, _ bool) (spread, error) {
	return pooled(x, o.Channels, o.window().grid().Positions()), nil
}

// pooled returns the groups of x for channels of so many elements each, or one group if
// these do not match.
func pooled(x spread, channels, positions int) spread {
	n := channels * positions
	if len(x.groups) == channels {
		return spread{n, x.groups}
	}
	return uniform(n, x.all())
}

func (o Argmax) bounds(x spread, _ bool) (spread, error) {
	return uniform(1, Interval{0, int64(x.n) - 1}), nil
}
