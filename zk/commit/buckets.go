package commit

import (
	"github.com/consensys/gnark-crypto/ecc/bn254"
)

// smallBits bounds the integers that buckets take: magnitude up to 2^smallBits.
const smallBits = 56

// buckets sums points times small signed integers, as in Pippenger's algorithm: an integer is cut into signed digits,
// and points with equal digits at equal places are added up first. Cost: one addition a point and digit, then
// about two a bucket. Signed weights of eight bits take one digit each.
type buckets struct {
	width  int             // bits of a digit, which lies in [-2^(width-1), 2^(width-1))
	offset uint64          // added to integers, makes all digits non-negative
	places [][]bn254.G1Jac // places[k][|d|-1] sums the points whose digit k is d, negated for d < 0
	used   []bool          // places that hold a point
}

// newBuckets returns buckets for n integers in [lo, hi], of the width that costs least.
func newBuckets(n int, lo, hi int64) *buckets {
	best, cost := &buckets{}, 0
	for w := 2; w <= 13; w++ {
		// The digits of offset are all 2^(w-1).
		b, offset := &buckets{width: w}, uint64(0)
		for count := 1; count*w < 63; count++ {
			offset |= 1 << (count*w - 1)
			if lo >= -int64(offset) && hi < int64(1<<(count*w)-offset) {
				b.offset, b.places, b.used = offset, make([][]bn254.G1Jac, count), make([]bool, count)
				break
			}
		}
		if c := len(b.places) * (n + 1<<w); c > 0 && (cost == 0 || c < cost) {
			best, cost = b, c
		}
	}
	if cost == 0 {
		panic("commit: integers do not fit buckets")
	}
	for k := range best.places {
		best.places[k] = make([]bn254.G1Jac, 1<<(best.width-1))
	}
	return best
}

// addPoints adds the sum of scalars[i] times points[i], whose order in memory is the scalars'.
func addPoints[T int8 | int32 | int64](b *buckets, points []bn254.G1Affine, scalars []T) {
	half, mask := 1<<(b.width-1), uint64(1)<<b.width-1
	for k, place := range b.places {
		shift := k * b.width
		for i, x := range scalars {
			switch d := int((uint64(int64(x))+b.offset)>>shift&mask) - half; {
			case d > 0:
				place[d-1].AddMixed(&points[i])
				b.used[k] = true
			case d < 0:
				var p bn254.G1Affine
				place[-d-1].AddMixed(p.Neg(&points[i]))
				b.used[k] = true
			}
		}
	}
}

// sum returns the sum of all that was added and empties the buckets.
func (b *buckets) sum() bn254.G1Jac {
	var total bn254.G1Jac
	for k := len(b.places) - 1; k >= 0; k-- {
		for range b.width {
			total.DoubleAssign()
		}
		if !b.used[k] {
			continue
		}
		var running bn254.G1Jac // sum of buckets i, i+1, …: bucket i is in it i+1 times
		for i := len(b.places[k]) - 1; i >= 0; i-- {
			running.AddAssign(&b.places[k][i])
			total.AddAssign(&running)
		}
		clear(b.places[k])
		b.used[k] = false
	}
	return total
}

// magnitude returns the ends of the integers' range.
func magnitude(xs []int64) (lo, hi int64) {
	for _, x := range xs {
		lo, hi = min(lo, x), max(hi, x)
	}
	return lo, hi
}
