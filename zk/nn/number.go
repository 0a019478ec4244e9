package nn

import (
	"slices"

	"github.com/consensys/gnark/frontend"
)

// long is the number of terms from which a sum gets a wire of its own. gnark gives sums of 300 terms one unasked; below
// this, what gadgets add to a sum never reaches that, so the number of constraints is known exactly.
const long = 200

// A number is an integer in a circuit: a linear form of wires with integer coefficients. Forms cost no constraints.
// Their coefficients are within the limit.
type number struct {
	terms []term // by ascending wire, no coefficient is zero
	shift int64
	value int64 // while assigning
}

type term struct {
	wire  int
	times int64
}

// constant returns the number k.
func constant(k int64) number { return number{shift: k, value: k} }

// combine returns Σ weights[i] xs[i] + bias; false: a coefficient exceeds the limit.
func combine(weights []int64, xs []number, bias int64) (number, bool) {
	out := number{shift: bias, value: bias}
	sorted, last := true, -1
	for i, x := range xs {
		w := weights[i]
		out.value += w * x.value
		if w == 0 {
			continue
		}
		s, ok := mul(w, x.shift)
		if out.shift += s; !ok || magnitude(out.shift) > limit {
			return number{}, false
		}
		for _, t := range x.terms {
			k, ok := mul(w, t.times)
			if !ok {
				return number{}, false
			}
			out.terms = append(out.terms, term{t.wire, k})
			sorted, last = sorted && t.wire > last, t.wire
		}
	}
	return out, sorted || out.merge()
}

// merge puts the terms in order and adds up those of the same wire; false: a coefficient exceeds the limit.
func (x *number) merge() bool {
	slices.SortFunc(x.terms, func(s, t term) int { return s.wire - t.wire })
	merged := x.terms[:0]
	for _, t := range x.terms {
		if n := len(merged); n > 0 && merged[n-1].wire == t.wire {
			merged[n-1].times += t.times
			if magnitude(merged[n-1].times) > limit {
				return false
			}
			continue
		}
		merged = append(merged, t)
	}
	x.terms = slices.DeleteFunc(merged, func(t term) bool { return t.times == 0 })
	return true
}

// single reports whether x is one wire as it stands.
func (x number) single() bool {
	return len(x.terms) == 1 && x.terms[0].times == 1 && x.shift == 0
}

// parts returns the variables that x is the sum of; nil unless constraints are being made.
func (b *build) parts(x number) []frontend.Variable {
	if b.api == nil {
		return nil
	}
	out := make([]frontend.Variable, 0, len(x.terms)+1)
	for _, t := range x.terms {
		v := b.wires[t.wire]
		if t.times != 1 {
			v = b.api.Mul(v, t.times)
		}
		out = append(out, v)
	}
	if x.shift != 0 || len(out) == 0 {
		out = append(out, b.constant(x.shift).v)
	}
	return out
}

// quantity returns x for use in gadgets. It must have fewer terms than long.
func (b *build) quantity(x number) quantity {
	q := quantity{n: x.value}
	if b.api != nil {
		q.v = b.total(b.parts(x))
	}
	return q
}

// short returns x, or a new wire that equals it if it is a sum of many terms, for one constraint. A constant gets a
// wire too: gnark folds products with constants, which would upset the count.
func (b *build) short(x number) number {
	if 0 < len(x.terms) && len(x.terms) < long {
		return x
	}
	return b.materialise(x)
}

// materialise returns a new wire that equals x. One constraint.
func (b *build) materialise(x number) number {
	out := b.secret(x.value)
	b.assertProduct(CauseLinear, b.parts(x), b.one(), b.parts(out))
	return out
}

// A quantity is a small integer in a circuit that gadgets compute with: an expression, and its value while assigning.
type quantity struct {
	v frontend.Variable
	n int64
}

// constant returns the quantity k.
func (b *build) constant(k int64) quantity {
	q := quantity{n: k}
	if b.api != nil {
		q.v = b.api.Add(0, k) // as an expression, not a Go number
	}
	return q
}

// plus returns the sum of all.
func (b *build) plus(x quantity, more ...quantity) quantity {
	parts := []frontend.Variable{x.v}
	for _, y := range more {
		x.n += y.n
		parts = append(parts, y.v)
	}
	if b.api != nil {
		x.v = b.total(parts)
	}
	return x
}

// minus returns x - y.
func (b *build) minus(x, y quantity) quantity {
	q := quantity{n: x.n - y.n}
	if b.api != nil {
		q.v = b.api.Sub(x.v, y.v)
	}
	return q
}

// scaled returns k x.
func (b *build) scaled(k int64, x quantity) quantity {
	q := quantity{n: k * x.n}
	if b.api != nil {
		q.v = b.api.Mul(x.v, k)
	}
	return q
}

// divided returns x / k, for x a multiple of k.
func (b *build) divided(x quantity, k int64) quantity {
	q := quantity{n: x.n / k}
	if b.api != nil {
		q.v = b.api.DivUnchecked(x.v, k)
	}
	return q
}

// total returns the sum of variables.
func (b *build) total(vs []frontend.Variable) frontend.Variable {
	if len(vs) == 1 {
		return vs[0]
	}
	return b.api.Add(vs[0], vs[1], vs[2:]...)
}
