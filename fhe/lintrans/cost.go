package lintrans

import "github.com/signet-ml/signet/fhe/program/cost"

// Cost is the time of operations relative to one another, at a level. The zero value is unusable; see DefaultCost.
type Cost struct {
	NTT    float64 // one row
	KeyRow float64 // one row of one digit of a key product
	Row    float64 // one pass over a row: permute, multiply-add
}

// DefaultCost was measured on one core of an AMD EPYC of 2021 with engine/cpu: a row of 2^13 words takes 61 µs to
// transform, 4.7 µs for each digit of a key product, and 2.7 + 5.6 µs to finish the product and add it permuted. It is
// not taken from the shipped cost table, since with it shapes, and with them the programs of models, would change
// whenever that is measured anew; a test says when shapes chosen by it are no longer cheap by that table.
var DefaultCost = Cost{NTT: 1, KeyRow: 0.077, Row: 0.136}

// CostOf returns the cost of operations by a table, in a ring of degree 2^logN on one thread. Shapes that are chosen by
// it suit the machine that the table was measured on.
func CostOf(t *cost.Table, logN int) Cost {
	ns := func(k cost.Kind) float64 { return t.Nanos(k, logN, 1) }
	// Where rows are transformed they are converted too, up or down. Few digits are multiplied at once, many are added
	// up; keys come from a cache or from memory. Without knowing which, it is half of each.
	unit := ns(cost.Transform) + ns(cost.Convert)
	if unit == 0 {
		return DefaultCost
	}
	return Cost{
		NTT:    1,
		KeyRow: (ns(cost.Key) + ns(cost.Accumulate) + ns(cost.Stream)) / 2 / unit,
		Row:    (ns(cost.Multiply) + 1.5*ns(cost.Pass) + ns(cost.Diagonal)) / 2 / unit,
	}
}

// Hoist returns the cost of a decomposition at a level, with k special primes.
func (c Cost) Hoist(level, k int) float64 {
	return c.NTT * float64((level+k)/k*(level+1+k))
}

// ModDown returns the cost of dividing polys polynomials by P.
func (c Cost) ModDown(level, k, polys int) float64 {
	return c.NTT * float64(polys*(level+1+k))
}

// Rotation returns the cost of one hoisted rotation that stays over QP.
func (c Cost) Rotation(level, k int) float64 {
	return float64(2*(level+1+k)) * (c.KeyRow*float64((level+k)/k) + c.Row)
}

// lintrans returns the cost of a diagonal product of a hoisted value by double hoisting. Steps of 0 do not count.
func (c Cost) lintrans(babies, giants, diagonals, level, k int) float64 {
	return c.ModDown(level, k, 2) + float64(babies)*c.Rotation(level, k) + float64(diagonals)*c.Row*float64(2*(level+1+k)) +
		float64(giants)*(c.ModDown(level, k, 1)+c.Hoist(level, k)+c.Rotation(level, k))
}
