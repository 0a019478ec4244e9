package commit

import (
	"context"
	"crypto/rand"
	"fmt"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// Check returns nil if the points really are powers of the key's secrets and those are not zero. A prover that uses a
// string of wrong powers can leak its weights. A false string passes with probability below 2^-120: one random linear
// combination of all points is compared by pairings. Two sums of all points take about a second for 2^20. ctx is looked
// at every 2^16 points. The error wraps ErrSRS, or is ctx's.
func (s *SRS) Check(ctx context.Context) error {
	if err := s.key.validate(); err != nil {
		return fmt.Errorf("%w: %w", ErrSRS, err)
	}
	if !s.points[0].Equal(&g1Generator) {
		return fmt.Errorf("%w: the first power is not the generator of G1", ErrSRS)
	}
	for i := range s.points {
		if i%checkStrip == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		if s.points[i].IsInfinity() || !s.points[i].IsOnCurve() {
			return fmt.Errorf("%w: point %d is zero or not on the curve", ErrSRS, i)
		}
	}
	// In every row, each point is s times the one before.
	var low, high bn254.G1Jac
	for i := range s.rows {
		row := s.row(i)
		if err := combineAt(ctx, &low, &high, row[:len(row)-1], row[1:]); err != nil {
			return err
		}
	}
	if !samePairing(low, s.key.S2, high) {
		return fmt.Errorf("%w: the points are not powers of the key's secret", ErrSRS)
	}
	if s.rows == 1 {
		return nil
	}
	// Each row starts with t times the start of the one before.
	starts := make([]bn254.G1Affine, s.rows)
	for i := range starts {
		starts[i] = s.row(i)[0]
	}
	low, high = bn254.G1Jac{}, bn254.G1Jac{}
	if err := combineAt(ctx, &low, &high, starts[:s.rows-1], starts[1:]); err != nil {
		return err
	}
	if !samePairing(low, s.key.T2, high) {
		return fmt.Errorf("%w: the rows are not powers of the key's second secret", ErrSRS)
	}
	return nil
}

// checkStrip is how many points are combined between two looks at the context.
const checkStrip = 1 << 16

// combineAt adds to low and high the sums of a and b with the same random coefficients of 120 bits.
func combineAt(ctx context.Context, low, high *bn254.G1Jac, a, b []bn254.G1Affine) error {
	for len(a) > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		n := min(len(a), checkStrip)
		random := make([]byte, 15*n)
		if _, err := rand.Read(random); err != nil {
			return err
		}
		scalars := make([]fr.Element, n)
		for i := range scalars {
			scalars[i].SetBytes(random[15*i:][:15])
		}
		x, y := multiExp(a[:n], scalars, 0), multiExp(b[:n], scalars, 0)
		low.AddAssign(&x)
		high.AddAssign(&y)
		a, b = a[n:], b[n:]
	}
	return nil
}

// samePairing reports whether e(low, q) = e(high, [1]).
func samePairing(low bn254.G1Jac, q bn254.G2Affine, high bn254.G1Jac) bool {
	p := make([]bn254.G1Affine, 2)
	p[0].FromJacobian(&low)
	p[1].FromJacobian(high.Neg(&high))
	ok, err := bn254.PairingCheck(p, []bn254.G2Affine{q, g2Generator})
	return err == nil && ok
}
