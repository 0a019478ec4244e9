package fixedpoint

import (
	"fmt"
	"math/bits"
)

// maxBits bounds every integer of a twin: interval analysis proves magnitudes below
// 2^62, which leaves an int64 room for a sign and a rounding term.
const maxBits = 62

// Interval holds the integers from Lo to Hi, both included.
type Interval struct {
	Lo int64 `json:"lo"`
	Hi int64 `json:"hi"`
}

// String returns "[-127, 127]".
func (v Interval) String() string { return fmt.Sprintf("[%d, %d]", v.Lo, v.Hi) }

// Contains reports whether x lies in the interval.
func (v Interval) Contains(x int64) bool { return v.Lo <= x && x <= v.Hi }

// Bits returns the bits of the number of values less one: the width of x - Lo.
func (v Interval) Bits() int { return bits.Len64(uint64(v.Hi) - uint64(v.Lo)) }

func (v Interval) clamp(x int64) int64 { return min(max(x, v.Lo), v.Hi) }

func (v Interval) union(u Interval) Interval { return Interval{min(v.Lo, u.Lo), max(v.Hi, u.Hi)} }

// within reports whether v lies in u.
func (v Interval) within(u Interval) bool { return u.Lo <= v.Lo && v.Hi <= u.Hi }

// magnitude returns the largest absolute value, for an interval that check accepts.
func (v Interval) magnitude() int64 { return max(v.Hi, -v.Lo) }

// check reports whether the interval is one, of magnitudes below 2^62.
func (v Interval) check() error {
	if v.Lo > v.Hi || v.Lo <= -1<<maxBits || v.Hi >= 1<<maxBits {
		return fmt.Errorf("interval %v, want Lo <= Hi and magnitudes below 2^%d", v, maxBits)
	}
	return nil
}

// symmetric returns the interval of signed numbers of so many bits without the one that
// has no negative: [-127, 127] for 8.
func symmetric(bits int) Interval {
	hi := int64(1)<<(bits-1) - 1
	return Interval{-hi, hi}
}
