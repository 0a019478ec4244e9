// Package feature finds, from a calibration set, how the features of a sample become numbers of size one: what is
// encrypted, batched or proved must be neither far from zero nor of many different sizes, and columns of real tables are
// both.
package feature

import (
	"math"
	"slices"
)

// Scaling turns feature i into z = (x - Offset[i]) / Scale[i]. The zero value leaves features as they are.
//
// Scales are powers of two, so that dividing by them is exact, and offsets are multiples of an eighth of their scale: who
// sees a Scaling learns no more of the calibration set.
type Scaling struct {
	Offset, Scale []float64
}

// IsIdentity reports whether features stay as they are.
func (s Scaling) IsIdentity() bool { return len(s.Scale) == 0 }

// Apply returns samples, flat and one after the other, in numbers of size one.
func (s Scaling) Apply(x []float64) []float64 {
	z := slices.Clone(x)
	if s.IsIdentity() {
		return z
	}
	for i := range z {
		k := i % len(s.Scale)
		z[i] = (z[i] - s.Offset[k]) / s.Scale[k]
	}
	return z
}

// Use says what the layers that read the features do with them.
type Use struct {
	most []float64 // by feature, the largest part of a row's spread that a change by 1 moves
	norm float64   // the largest norm of a row's weights, by the row's spread
}

// NewUse returns the Use of n features by no layer.
func NewUse(n int) *Use { return &Use{most: make([]float64, n)} }

// Row adds a linear map of features: weights of some columns, and half of how far its results lie apart on the
// calibration set. Rows without spread say nothing.
func (u *Use) Row(cols []int32, weights []float64, spread float64) {
	if !(spread > 0) {
		return
	}
	sum := 0.0
	for i, c := range cols {
		w := math.Abs(weights[i]) / spread
		u.most[c] = max(u.most[c], w)
		sum += w * w
	}
	u.norm = max(u.norm, math.Sqrt(sum))
}

// Options say when features are scaled, and how.
type Options struct {
	// Limit is how many times the spread of a result the largest input may contribute to it before features are scaled:
	// errors of the input come out larger by as much.
	Limit float64
	// Size is the largest magnitude that is not scaled, and one over the smallest; 0 is any.
	Size float64
	// Blind makes scales, and whether there are any, a matter of the calibration set alone, whatever the layers do: they then
	// say nothing about weights. The result to contribute to is then the feature that varies least.
	Blind bool
	// Group returns the number of the group that a feature belongs to, from 0: features of a group are scaled alike. nil is
	// one group a feature.
	Group func(i int) int
	// Centred says that offsets are possible. Without them only scales differ.
	Centred bool
}

// tolerated is the part of a row's spread that a feature can always move it by, however little the feature differs in
// the calibration set: a pixel that was never lit there is not refused when it is.
const tolerated = 1.0 / 8

// furthest is how many times the largest number of all a feature may be tolerated at.
const furthest = 1 << 20

// leastSpread returns half of the smallest range of a feature that varies, or infinity.
func leastSpread(x []float64, n int) float64 {
	least := math.Inf(1)
	for i := range n {
		lo, hi := math.Inf(1), math.Inf(-1)
		for k := i; k < len(x); k += n {
			lo, hi = min(lo, x[k]), max(hi, x[k])
		}
		if d := hi/2 - lo/2; d > 0 {
			least = min(least, d)
		}
	}
	return least
}

// Find returns the Scaling for samples x, flat and one after the other, or the identity if they need none.
func Find(x []float64, u *Use, o Options) Scaling {
	n := len(u.most)
	group := o.Group
	if group == nil {
		group = func(i int) int { return i }
	}
	largest := 0.0
	for _, v := range x {
		largest = max(largest, math.Abs(v))
	}
	norm := u.norm
	if o.Blind {
		norm = 1 / leastSpread(x, n)
	}
	if largest*norm <= o.Limit && (o.Size == 0 || largest <= o.Size && largest >= 1/o.Size) || largest == 0 {
		return Scaling{}
	}
	groups := 0
	for i := range n {
		groups = max(groups, group(i)+1)
	}
	sum, count := make([]float64, groups), make([]float64, groups)
	for i, v := range x {
		sum[group(i%n)] += v / float64(len(x)) // does not overflow
		count[group(i%n)] += 1 / float64(len(x))
	}
	most := make([]float64, groups)
	for i, m := range u.most {
		most[group(i)] = max(most[group(i)], m)
	}
	centre, deviation, magnitude := make([]float64, groups), make([]float64, groups), make([]float64, groups)
	for g := range groups {
		if o.Centred {
			centre[g] = sum[g] / count[g]
		}
	}
	for i, v := range x {
		g := group(i % n)
		deviation[g], magnitude[g] = max(deviation[g], math.Abs(v-centre[g])), max(magnitude[g], math.Abs(v))
	}
	s := Scaling{make([]float64, n), make([]float64, n)}
	for i := range n {
		g := group(i)
		d := deviation[g]
		if most[g] > 0 && !o.Blind {
			d = max(d, min(tolerated/most[g], largest*furthest))
		}
		if d < magnitude[g]*math.Exp2(-50) { // a constant, up to rounding
			d = magnitude[g]
		}
		if d == 0 {
			d = 1
		}
		s.Scale[i] = PowerAbove(d)
		s.Offset[i] = math.Round(centre[g]/s.Scale[i]*8)/8*s.Scale[i] + 0 // no negative zero
	}
	return s
}

// PowerAbove returns the smallest power of two that is at least x, for x above 0, between 2^-1000 and 2^1000.
func PowerAbove(x float64) float64 {
	f, e := math.Frexp(min(x, math.MaxFloat64))
	if f == 0.5 {
		e--
	}
	return math.Ldexp(1, min(max(e, -1000), 1000))
}
