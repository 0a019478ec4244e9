package commit

import (
	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// A comb multiplies one point by many scalars: entry k holds 1 to 128 times 2^(8k) times the point, so that a product
// is one addition a byte of the scalar and no doubling.
type comb [][]bn254.G1Affine

// The entries that scalars need: elements have 254 bits, and 64-bit integers may carry into a ninth byte.
const (
	combElement = 32
	combInteger = 9
)

func newComb(base bn254.G1Affine, entries int) comb {
	points := make([]bn254.G1Jac, 0, entries*128)
	var at bn254.G1Jac
	at.FromAffine(&base)
	for range entries {
		step := at
		for range 128 {
			points = append(points, at)
			at.AddAssign(&step)
		}
		// at is 129 steps; the next entry's step is 256 of them.
		at = points[len(points)-1]
		at.DoubleAssign()
	}
	affine := bn254.BatchJacobianToAffineG1(points)
	c := make(comb, entries)
	for k := range c {
		c[k] = affine[k*128:][:128]
	}
	return c
}

// add adds the point times x to sum, digit by digit from -127 to 128.
func (c comb) add(sum *bn254.G1Jac, x fr.Element) {
	b := x.Bytes()
	carry := 0
	for k := range c {
		carry = c.addDigit(sum, k, int(b[fr.Bytes-1-k])+carry)
	}
}

// addInt adds the point times x to sum.
func (c comb) addInt(sum *bn254.G1Jac, x int64) {
	for k := 0; x != 0; k++ {
		carry := c.addDigit(sum, k, int(x&0xff))
		x = x>>8 + int64(carry)
	}
}

// addDigit adds entry k times d, less 256 if that is nearer to zero, and returns the carry into the next digit.
func (c comb) addDigit(sum *bn254.G1Jac, k, d int) (carry int) {
	if d > 128 {
		d, carry = d-256, 1
	}
	switch {
	case d > 0:
		sum.AddMixed(&c[k][d-1])
	case d < 0:
		var p bn254.G1Affine
		sum.AddMixed(p.Neg(&c[k][-d-1]))
	}
	return carry
}

// mulAll returns base times every scalar, on all processors.
func mulAll(base bn254.G1Affine, scalars []fr.Element) []bn254.G1Affine {
	c := newComb(base, combElement)
	points := make([]bn254.G1Jac, len(scalars))
	all(len(scalars), func(i int) { c.add(&points[i], scalars[i]) })
	return bn254.BatchJacobianToAffineG1(points)
}
