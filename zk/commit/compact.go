package commit

import (
	"context"

	"github.com/consensys/gnark-crypto/ecc/bn254"
)

// commitCompact returns C = sum_ij W_ij [t^i s^j] and what the opening's first quotient is made of. By
//
//	(W(X, Y) - W(g, Y)) / (X - g) = sum_d g^d sum_a X^a W_(a+d+1)(Y),   d = 0 … m-2,   a = 0 … m-2-d,
//
// that quotient is sum_d g^d P_d with points P_d = sum_a [t^a W_(a+d+1)(s)] that do not depend on g. C has the shape of
// P_(-1). All together they add every weight about m/2 times: this form is for matrices of some hundred rows.
func (o *Opening) commitCompact(ctx context.Context, srs *SRS) (c, quotients []bn254.G1Affine, err error) {
	layout := o.matrix.layout
	m, at := layout.Rows(), layout.blindsAt()
	blinds := make([]bn254.G1Affine, 0, m*layout.Blinds) // the points under the blinds
	for a := range m {
		blinds = append(blinds, srs.row(a)[at:][:layout.Blinds]...)
	}
	out := make([]bn254.G1Jac, m)
	err = parallel(ctx, m, func(shift int) { // shift is d+1
		at := 0
		for l, b := range layout.Blocks {
			if rows := b.Rows - shift; rows > 0 {
				weights := newBuckets(rows*b.Columns, b.Weight.Lo, b.Weight.Hi)
				biases := newBuckets(rows, b.Bias.Lo, b.Bias.Hi)
				for a := range rows {
					points := srs.row(a)[at:]
					o.matrix.addWeights(weights, l, a+shift, points)
					addPoints(biases, points[b.Columns:], o.matrix.blocks[l].bias[a+shift:][:1])
				}
				for _, part := range []*buckets{weights, biases} {
					sum := part.sum()
					out[shift].AddAssign(&sum)
				}
			}
			at += b.Columns + 1
		}
		n := (m - shift) * layout.Blinds
		sum := multiExp(blinds[:n], o.blinds[len(o.blinds)-n:], 1)
		out[shift].AddAssign(&sum)
	})
	if err != nil {
		return nil, nil, err
	}
	affine := bn254.BatchJacobianToAffineG1(out)
	return affine[:1:1], affine[1:], nil
}
