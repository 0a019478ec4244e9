package nn

import "math/bits"

// limit bounds every integer that a circuit computes with, in magnitude. Twins of ml/fixedpoint stay below it: a test
// of ml/provable ties the two.
const limit = 1 << 62

// An Interval is the closed set of integers from Lo to Hi.
type Interval struct{ Lo, Hi int64 }

// Contains reports whether x lies in the interval.
func (i Interval) Contains(x int64) bool { return i.Lo <= x && x <= i.Hi }

// size returns how many integers the interval holds.
func (i Interval) size() uint64 { return uint64(i.Hi-i.Lo) + 1 }

// clamp returns the value of the interval that is nearest to x.
func (i Interval) clamp(x int64) int64 { return max(i.Lo, min(i.Hi, x)) }

// valid reports whether the interval is not empty, within the limit, and its ends differ by less than 2^63.
func (i Interval) valid() bool {
	return -limit <= i.Lo && i.Lo <= i.Hi && i.Hi <= limit && i.Hi-i.Lo >= 0
}

// times returns the products of the interval's values with those of j; false: one exceeds the limit.
func (i Interval) times(j Interval) (Interval, bool) {
	out, ok := Interval{limit, -limit}, true
	for _, a := range [2]int64{i.Lo, i.Hi} {
		for _, b := range [2]int64{j.Lo, j.Hi} {
			p, fits := mul(a, b)
			out.Lo, out.Hi, ok = min(out.Lo, p), max(out.Hi, p), ok && fits
		}
	}
	return out, ok
}

// plus returns the sums of the interval's values with those of j; false: one exceeds the limit.
func (i Interval) plus(j Interval) (Interval, bool) {
	out := Interval{i.Lo + j.Lo, i.Hi + j.Hi} // no overflow: all four are within the limit
	return out, out.valid()
}

// hull returns the smallest interval around all of them, which must not be none.
func hull(all []Interval) Interval {
	out := all[0]
	for _, i := range all[1:] {
		out.Lo, out.Hi = min(out.Lo, i.Lo), max(out.Hi, i.Hi)
	}
	return out
}

// mul returns a*b; false: it exceeds the limit.
func mul(a, b int64) (int64, bool) {
	hi, lo := bits.Mul64(magnitude(a), magnitude(b))
	if hi != 0 || lo > limit {
		return 0, false
	}
	return a * b, true
}

func magnitude(a int64) uint64 {
	if a < 0 {
		return -uint64(a)
	}
	return uint64(a)
}
