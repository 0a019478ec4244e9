package commit

import (
	"context"
	"errors"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark-crypto/ecc/bn254"
)

// combRows is how many rows make up for a comb of each blind column: making one takes as long as multiplying its point
// by some 40 elements in one go with others.
const combRows = 64

// commitRows returns C_i = sum_j W_ij [s^j] for every row. Weights are a digit or a few each, for which equal digits
// share additions; biases and blinds are few columns of large values, for which each column has a comb. Few rows have
// many blinds, so that a budget of proofs suffices, and no combs for these.
func (o *Opening) commitRows(ctx context.Context, srs *SRS) ([]bn254.G1Affine, error) {
	layout, points := o.matrix.layout, srs.row(0)
	bias := make([]comb, len(layout.Blocks))
	at := 0
	for l, b := range layout.Blocks {
		at += b.Columns + 1
		bias[l] = newComb(points[at-1], combInteger)
	}
	var blinds []comb
	if layout.Rows() >= combRows {
		blinds = make([]comb, layout.Blinds)
		all(len(blinds), func(k int) { blinds[k] = newComb(points[at+k], combElement) })
	}

	out := make([]bn254.G1Jac, layout.Rows())
	failed := make([]error, len(out))
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
		own := o.blinds[i*layout.Blinds:][:layout.Blinds]
		if blinds == nil {
			var sum bn254.G1Jac
			_, failed[i] = sum.MultiExp(points[at:][:len(own)], own, ecc.MultiExpConfig{NbTasks: 1})
			out[i].AddAssign(&sum)
		}
		for k, c := range blinds {
			c.add(&out[i], own[k])
		}
	})
	if err = errors.Join(append(failed, err)...); err != nil {
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
