package commit

import (
	"context"

	"github.com/consensys/gnark-crypto/ecc/bn254"
)

// commitRows returns C_i = sum_j W_ij [s^j] for every row. Weights are a digit or a few each, for which equal digits
// share additions; biases and blinds are few columns of large values, for which each column has a comb.
func (o *Opening) commitRows(ctx context.Context, srs *SRS) ([]bn254.G1Affine, error) {
	layout, points := o.matrix.layout, srs.row(0)
	bias := make([]comb, len(layout.Blocks))
	at := 0
	for l, b := range layout.Blocks {
		at += b.Columns + 1
		bias[l] = newComb(points[at-1], combInteger)
	}
	blinds := make([]comb, layout.Blinds)
	all(len(blinds), func(k int) { blinds[k] = newComb(points[at+k], combElement) })

	out := make([]bn254.G1Jac, layout.Rows())
	err := parallel(ctx, len(out), func(i int) {
		at := 0
		for l, b := range layout.Blocks {
			if i < b.Rows {
				weights := newBuckets(b.Columns, b.Weight.Lo, b.Weight.Hi)
				o.matrix.addWeights(weights, l, i, points[at:])
				sum := weights.sum()
				out[i].AddAssign(&sum)
				bias[l].addInt(&out[i], o.matrix.blocks[l].bias[i])
			}
			at += b.Columns + 1
		}
		for k, c := range blinds {
			c.add(&out[i], o.blinds[i*layout.Blinds+k])
		}
	})
	if err != nil {
		return nil, err
	}
	return bn254.BatchJacobianToAffineG1(out), nil
}

// addWeights adds the weights in row i of block l times points.
func (m *Matrix) addWeights(b *buckets, l, i int, points []bn254.G1Affine) {
	n := m.layout.Blocks[l].Columns
	if c := m.blocks[l]; c.narrow != nil {
		addPoints(b, points[:n], c.narrow[i*n:][:n])
	} else {
		addPoints(b, points[:n], c.wide[i*n:][:n])
	}
}
