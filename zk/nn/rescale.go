package nn

import (
	"errors"
	"fmt"
	"math/bits"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/frontend"
)

// Rescale rounds and saturates: y = clamp(floor((x*Multiplier + 2^(Shift-1)) / 2^Shift), Out.Lo, Out.Hi). With Shift 0
// there is no rounding term. ReLU is an Out that starts at 0.
type Rescale struct {
	Label      string
	Multiplier int64 // 1 to 2^31 - 1
	Shift      int   // 0 to 61
	Out        Interval
}

// Name implements Op.
func (r Rescale) Name() string { return label(r.Label, "rescale") }

func (r Rescale) compile(in shape) (layer, error) {
	switch {
	case r.Multiplier < 1 || r.Multiplier > 1<<31-1:
		return nil, errors.New("multiplier: want 1 to 2^31-1")
	case r.Shift < 0 || r.Shift > 61:
		return nil, errors.New("shift: want 0 to 61")
	case !r.Out.valid() || r.Out.Lo == r.Out.Hi:
		return nil, errors.New("the output's interval is empty, one value, or exceeds 2^62")
	}
	l := &rescale{Rescale: r, proven: in.proven, quotients: make([]Interval, in.size())}
	l.shape = shape{ranges: make([]Interval, in.size()), proven: true}
	for i, x := range in.ranges {
		t, ok := x.times(Interval{r.Multiplier, r.Multiplier})
		if ok {
			t, ok = t.plus(Interval{r.half(), r.half()})
		}
		if !ok {
			return nil, ErrOverflow
		}
		q := Interval{t.Lo >> r.Shift, t.Hi >> r.Shift}
		l.quotients[i] = q
		l.shape.ranges[i] = Interval{r.Out.clamp(q.Lo), r.Out.clamp(q.Hi)}
		if r.Shift == 0 && l.form(q) == exactly && !in.proven {
			l.shape.proven = false
		}
	}
	if !in.proven {
		// What is checked must be what the shape says, and it must not depend on the weights being in their range: one
		// interval for all elements, no larger than Out, which is cheapest if that is a power of two.
		l.checked = hull(l.shape.ranges)
		if bits.Len64(l.checked.size()-1) == bits.Len64(r.Out.size()-1) {
			l.checked = r.Out
		}
		if l.shape.proven {
			l.shape.ranges = repeat(l.checked, in.size())
		}
	}
	l.all = hull(l.shape.ranges)
	return l, nil
}

// half returns the rounding term.
func (r *Rescale) half() int64 { return 1 << r.Shift >> 1 }

// apply returns y for x.
func (r *Rescale) apply(x int64) int64 {
	return r.Out.clamp((x*r.Multiplier + r.half()) >> r.Shift)
}

// rescale is a compiled Rescale.
//
// Let t = xM + 2^(s-1). An element's constraints make y and r integers with t = y 2^s + r and 0 <= r < 2^s, hence
// y = floor(t / 2^s), and out the clamp of y:
//
//	exactly   y cannot leave Out                    out = y
//	above     y may be less than Out.Lo             y = out - e, e >= 0, e (out - Lo) = 0
//	below     y may be greater than Out.Hi          y = out + e, e >= 0, e (Hi - out) = 0
//	within    both                                  e >= 0, 2 e (out - Lo) = (Hi - Lo) (y - out + e),
//	                                                (y - out + e) (Hi - out) = 0
//
// In the last: if out = Lo, the first product makes y = out - e; if out = Hi, it makes y = out + e; else the second
// makes y = out - e, and then the first e = 0. out, y, r and e are unique given t, whatever field element that is, as
// long as no two values of y 2^s + r are equal modulo p: see fits.
//
// If it is cheaper, (y, out) is looked up in a table of all y instead.
type rescale struct {
	Rescale
	shape     shape
	proven    bool       // the inputs are
	quotients []Interval // of y
	checked   Interval   // what every output is checked to be in, if the inputs are not proven
	clamps    []int64    // saturation is a lookup of y: the outputs, from the least quotient on
	all       Interval   // of all outputs
	looked    bool       // a table follows, whose rows are the interval of all outputs: it checks out's range
}

// A clamping says on which side an output may saturate.
type clamping uint8

const (
	exactly clamping = 0
	above   clamping = 1
	below   clamping = 2
	within  clamping = above | below
)

// form returns how an element with quotients q may saturate.
func (r *Rescale) form(q Interval) clamping {
	c := exactly
	if q.Lo < r.Out.Lo {
		c |= above
	}
	if q.Hi > r.Out.Hi {
		c |= below
	}
	return c
}

func (l *rescale) out() shape { return l.shape }

func (l *rescale) check(in, out []int64) int {
	for i, x := range in {
		if out[i] != l.apply(x) {
			return i
		}
	}
	return -1
}

func (l *rescale) build(b *build, in []number) ([]number, error) {
	out := make([]number, len(in))
	var err error
	if l.clamps != nil {
		pairs := b.pairTable(hull(l.quotients).Lo, l.clamps)
		for i, x := range in {
			if out[i], err = l.lookup(b, pairs, x, b.output(i)); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
	for i, x := range in {
		k := i % len(l.quotients)
		if out[i], err = l.element(b, x, l.quotients[k], l.shape.ranges[k], l.hints(x.value, b.output(i))); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// hints are the inputs that an element may take besides limbs.
type hints struct{ out, e, r int64 }

// hints returns an honest prover's hints for the output for x.
func (l *rescale) hints(x, out int64) hints {
	t := x*l.Multiplier + l.half()
	return hints{out, int64(magnitude(t>>l.Shift - out)), t & (1<<l.Shift - 1)}
}

// element returns the output for x, given the intervals of its quotient and output.
func (l *rescale) element(b *build, x number, q, to Interval, h hints) (number, error) {
	form := l.form(q)
	if l.Shift == 0 && form == exactly {
		y, ok := combine([]int64{l.Multiplier}, []number{x}, 0)
		if !ok {
			return number{}, ErrOverflow
		}
		return y, nil
	}
	wire := b.secret(h.out)
	out, lo, hi := b.quantity(wire), b.constant(l.Out.Lo), b.constant(l.Out.Hi)
	t := b.plus(b.scaled(l.Multiplier, b.quantity(x)), b.constant(l.half()))

	checked := loosely(to.size())
	var from quantity // what must lie in it
	switch {
	case l.looked:
		checked = loosely(l.all.size())
	case !l.proven:
		from, checked = b.minus(out, b.constant(l.checked.Lo)), span{l.checked.size(), true}
	case form == within:
		from, checked = b.minus(out, lo), span{l.Out.size(), true}
	case form == below:
		from = b.minus(hi, out)
	default:
		from = b.minus(out, b.constant(to.Lo))
	}
	if !l.looked {
		b.checkRange(from, checked)
	}
	wide := b.capacity(checked)

	var e quantity
	if form != exactly {
		excess := loosely(uint64(max(l.Out.Lo-q.Lo, q.Hi-l.Out.Hi)) + 1)
		switch {
		case l.Shift == 0 && form == above:
			e = b.minus(out, t)
		case l.Shift == 0 && form == below:
			e = b.minus(t, out)
		default:
			e = b.quantity(b.secret(h.e))
		}
		b.checkRange(e, excess)
		wide = max(wide, b.capacity(excess)+1)
	}
	if err := fits(wide, l.Shift); err != nil {
		return number{}, err
	}

	switch form {
	case exactly:
		l.remainder(b, t, out)
	case above:
		l.remainder(b, t, b.minus(out, e))
		b.assertProduct(CauseProduct, vs(e), vs(b.minus(out, lo)), nil)
	case below:
		l.remainder(b, t, b.plus(out, e))
		b.assertProduct(CauseProduct, vs(e), vs(b.minus(hi, out)), nil)
	case within:
		y := t
		if l.Shift > 0 {
			r := b.quantity(b.secret(h.r))
			b.checkRange(r, remainders(l.Shift))
			y = b.divided(b.minus(t, r), 1<<l.Shift)
		}
		d := b.plus(b.minus(y, out), e)
		b.assertProduct(CauseProduct, vs(b.scaled(2, e)), vs(b.minus(out, lo)), vs(b.scaled(l.Out.Hi-l.Out.Lo, d)))
		b.assertProduct(CauseProduct, vs(d), vs(b.minus(hi, out)), nil)
	}
	return wire, nil
}

// lookup returns the output for x by a lookup of (y, out) in the table of all quotients.
func (l *rescale) lookup(b *build, pairs *lookupTable, x number, value int64) (number, error) {
	t := b.plus(b.scaled(l.Multiplier, b.quantity(x)), b.constant(l.half()))
	y := t
	if l.Shift > 0 {
		y = b.quantity(b.secret(t.n >> l.Shift))
		l.remainder(b, t, y)
	}
	if err := fits(bits.Len(uint(len(l.clamps))), l.Shift); err != nil {
		return number{}, err
	}
	out := b.secret(value)
	return out, b.lookupPair(pairs, y, b.quantity(out))
}

// tabled reports whether a lookup may be the cheaper way to saturate n elements: it saves at most as many constraints
// as it has rows.
func (l *rescale) tabled(n int) bool {
	saturates := false
	for _, q := range l.quotients {
		saturates = saturates || l.form(q) != exactly
	}
	all := hull(l.quotients)
	return saturates && !l.looked && all.size() <= maxRows && all.size() < 16*uint64(n)
}

// tabulate makes saturation a lookup, or not.
func (l *rescale) tabulate(table bool) {
	l.clamps = nil
	if !table {
		return
	}
	all := hull(l.quotients)
	l.clamps = make([]int64, all.size())
	for i := range l.clamps {
		l.clamps[i] = l.Out.clamp(all.Lo + int64(i))
	}
}

// remainder asserts 0 <= t - y 2^s < 2^s. Nothing with s = 0, where y was made from t.
func (l *rescale) remainder(b *build, t, y quantity) {
	if l.Shift > 0 {
		b.checkRange(b.minus(t, b.scaled(1<<l.Shift, y)), remainders(l.Shift))
	}
}

// fits returns an error unless integers y 2^shift + r, of y in a range of less than 2^(wide+1) and 0 <= r < 2^shift,
// differ by less than p, so that no two are equal in the field.
func fits(wide, shift int) error {
	if wide+shift+2 >= fr.Bits {
		return fmt.Errorf("%w: quotients of %d bits, a shift by %d", ErrTooWide, wide, shift)
	}
	return nil
}

// remainders returns the span of the remainders of 2^shift.
func remainders(shift int) span { return span{1 << shift, true} }

// vs returns the sum that is x.
func vs(x quantity) []frontend.Variable { return []frontend.Variable{x.v} }
