package commit

import (
	"fmt"
	"runtime"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// CommitVector returns K, the sum of v_k times power k of the reference string's secret. It hides v only if v ends in
// two uniform elements that nothing else uses. Elements of magnitude below 2^56, as accumulators are, cost a few point
// additions each, others a full multiplication. It fails if v has more elements than the string has powers.
func CommitVector(srs *SRS, v []fr.Element) (bn254.G1Affine, error) {
	if len(v) > srs.Powers() {
		return bn254.G1Affine{}, fmt.Errorf("%w: a vector of %d elements, %d powers", ErrSRS, len(v), srs.Powers())
	}
	small := make([]int64, len(v))
	var points []bn254.G1Affine
	var large []fr.Element
	for i := range v {
		x, ok := smallInt(&v[i])
		if !ok {
			points, large = append(points, srs.row(0)[i]), append(large, v[i])
		}
		small[i] = x
	}
	sum := sumInts(srs.row(0)[:len(v)], small)
	rest := multiExp(points, large, 0)
	sum.AddAssign(&rest)
	var k bn254.G1Affine
	return *k.FromJacobian(&sum), nil
}

// smallInt returns x as an integer if its magnitude is below 2^smallBits.
func smallInt(x *fr.Element) (int64, bool) {
	var neg fr.Element
	neg.Neg(x)
	if b := x.Bits(); b[0]>>smallBits|b[1]|b[2]|b[3] == 0 {
		return int64(b[0]), true
	}
	if b := neg.Bits(); b[0]>>smallBits|b[1]|b[2]|b[3] == 0 {
		return -int64(b[0]), true
	}
	return 0, false
}

// sumInts returns the sum of xs[i] times points[i], for small integers, on all processors.
func sumInts(points []bn254.G1Affine, xs []int64) bn254.G1Jac {
	const least = 1024 // below, a second set of buckets costs more than it saves
	parts := max(1, min(runtime.GOMAXPROCS(0), len(xs)/least))
	lo, hi := magnitude(xs)
	sums := make([]bn254.G1Jac, parts)
	all(parts, func(i int) {
		from, to := len(xs)*i/parts, len(xs)*(i+1)/parts
		b := newBuckets(to-from, lo, hi)
		addPoints(b, points[from:to], xs[from:to])
		sums[i] = b.sum()
	})
	for i := range sums[1:] {
		sums[0].AddAssign(&sums[i+1])
	}
	return sums[0]
}

// multiExp returns the sum of scalars[i] times points[i], by the given number of goroutines; 0 means one a processor.
func multiExp(points []bn254.G1Affine, scalars []fr.Element, tasks int) bn254.G1Jac {
	var sum bn254.G1Jac
	if len(points) == 0 {
		return sum
	}
	if _, err := sum.MultiExp(points, scalars, ecc.MultiExpConfig{NbTasks: tasks}); err != nil {
		panic("commit: sum of points: " + err.Error()) // lengths differ
	}
	return sum
}
