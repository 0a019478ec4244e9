package commit

import (
	"fmt"
	"math"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// A Matrix holds the weights and biases of a layout, one byte a weight where the range allows it and four otherwise.
// It is secret, immutable and safe for concurrent use.
type Matrix struct {
	layout Layout
	blocks []cells
}

// cells are the weights of one block, row by row, in one of two widths, and its biases.
type cells struct {
	narrow []int8
	wide   []int32
	bias   []int64
}

// isNarrow reports whether the block's weights fit one byte.
func (b Block) isNarrow() bool { return b.Weight.within(math.MinInt8, math.MaxInt8) }

// NewMatrix returns the matrix of the given weights, for each block Rows times Columns of them row by row, and biases,
// for each block one a row. It copies them. It fails if the layout is invalid, lengths differ from it or a value lies
// outside its block's range.
func NewMatrix(layout Layout, weights, bias [][]int64) (*Matrix, error) {
	if err := layout.Validate(); err != nil {
		return nil, err
	}
	if len(weights) != len(layout.Blocks) || len(bias) != len(layout.Blocks) {
		return nil, fmt.Errorf("commit: weights of %d blocks, biases of %d: want %d", len(weights), len(bias), len(layout.Blocks))
	}
	m := &Matrix{layout: layout.clone(), blocks: make([]cells, len(layout.Blocks))}
	for l, b := range layout.Blocks {
		if len(weights[l]) != b.Rows*b.Columns || len(bias[l]) != b.Rows {
			return nil, fmt.Errorf("commit: block %q: %d weights, %d biases: want %d, %d", b.Name, len(weights[l]), len(bias[l]), b.Rows*b.Columns, b.Rows)
		}
		var err error
		c := &m.blocks[l]
		if b.isNarrow() {
			c.narrow, err = convert[int8](b, "weight", b.Weight, weights[l])
		} else {
			c.wide, err = convert[int32](b, "weight", b.Weight, weights[l])
		}
		if err != nil {
			return nil, err
		}
		if c.bias, err = convert[int64](b, "bias", b.Bias, bias[l]); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// convert copies values of r into another width. The values are secret: an error names only the place.
func convert[T int8 | int32 | int64](b Block, what string, r Range, values []int64) ([]T, error) {
	out := make([]T, len(values))
	for i, x := range values {
		if !r.Contains(x) {
			return nil, fmt.Errorf("commit: block %q: %s %d lies outside [%d, %d]", b.Name, what, i, r.Lo, r.Hi)
		}
		out[i] = T(x)
	}
	return out, nil
}

// Layout returns the layout.
func (m *Matrix) Layout() Layout { return m.layout.clone() }

func (l Layout) clone() Layout {
	l.Blocks = append([]Block(nil), l.Blocks...)
	return l
}

// powers returns x^0 … x^(n-1).
func powers(x fr.Element, n int) []fr.Element {
	out := make([]fr.Element, n)
	out[0].SetOne()
	for i := 1; i < n; i++ {
		out[i].Mul(&out[i-1], &x)
	}
	return out
}
