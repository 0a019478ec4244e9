package train

import (
	"fmt"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas32"
	"gorgonia.org/gorgonia"

	"github.com/signet-ml/signet/ml/internal/window"
)

// convolution is a conv2d layer at one batch size. Samples are rows of channels, pixel
// by pixel; weights are [out, in/groups · kernel], the layout of package ml.
//
// Operations are ours: gorgonia's Conv2d knows no groups, copies the patches of a whole
// batch one number at a time and transposes the result. A step of LeNet-5's second
// convolution takes it 1.6 times as long and 3.4 times the memory (BenchmarkConv2d).
type convolution struct {
	grid          window.Grid
	batch         int
	in, out       int // channels
	groups        int
	rows          int // of the patch matrix: in/groups · kernel
	positions     int
	inLen, outLen int // elements of a sample
}

func newConvolution(s stage, batch int) convolution {
	c := convolution{grid: s.grid, batch: batch, in: s.in[0], out: s.out[0], groups: s.conv.Groups, positions: s.grid.Positions()}
	c.rows = c.in / c.groups * c.grid.Kernel[0] * c.grid.Kernel[1]
	c.inLen, c.outLen = c.in*c.grid.Pixels(), c.out*c.positions
	return c
}

func (c convolution) String() string {
	return fmt.Sprintf("conv2d of %d: %d to %d channels in %d groups, %v", c.batch, c.in, c.out, c.groups, c.grid)
}

// apply appends the convolution of x by w, without a bias.
func (c convolution) apply(x, w *gorgonia.Node) (*gorgonia.Node, error) {
	return applyOp(op{
		name: c.String(), rows: c.batch, cols: c.outLen,
		do: func(dst []float32, in ...[]float32) { c.forward(dst, in[0], in[1]) },
		diff: func(in gorgonia.Nodes, grad *gorgonia.Node) (gorgonia.Nodes, error) {
			dx, err := applyOp(op{
				name: c.String() + ", gradient of the input", rows: c.batch, cols: c.inLen,
				do: func(dst []float32, in ...[]float32) { c.gradInput(dst, in[0], in[1]) },
			}, in[1], grad)
			if err != nil {
				return nil, err
			}
			dw, err := applyOp(op{
				name: c.String() + ", gradient of the weights", rows: c.out, cols: c.rows,
				do: func(dst []float32, in ...[]float32) { c.gradWeights(dst, in[0], in[1]) },
			}, in[0], grad)
			return gorgonia.Nodes{dx, dw}, err
		},
	}, x, w)
}

// tileLen is the number of output positions whose patches are copied at a time: gonum
// splits no product of this width over cores, which are busy with other samples, and
// 150 rows of patches stay in the second cache.
const tileLen = 192

// tiles calls f for the pieces of the products of samples lo to hi-1: where the parts of
// x, w and y begin that belong to one group, and a range of positions. patches has room for
// the patches of one tile.
func (c convolution) tiles(lo, hi int, f func(x, w, y, first, last int, patches []float32)) {
	patches := make([]float32, c.rows*min(tileLen, c.positions))
	perGroup := c.out / c.groups
	for s := lo; s < hi; s++ {
		for g := range c.groups {
			x := s*c.inLen + g*c.inLen/c.groups
			y := s*c.outLen + g*c.outLen/c.groups
			for first := 0; first < c.positions; first += tileLen {
				last := min(first+tileLen, c.positions)
				f(x, g*perGroup*c.rows, y+first, first, last, patches[:c.rows*(last-first)])
			}
		}
	}
}

// The three products per group and tile, with W of shape [out, rows], patches P of shape
// [rows, positions] and Y of shape [out, positions]: Y = W·P, ∂P = Wᵀ·∂Y, ∂W = Σ ∂Y·Pᵀ.

func (c convolution) forward(y, x, w []float32) {
	chunks(c.batch, func(_, lo, hi int) {
		c.tiles(lo, hi, func(xAt, wAt, yAt, first, last int, patches []float32) {
			window.Gather(c.grid, patches, x[xAt:xAt+c.inLen/c.groups], first, last)
			blas32.Gemm(blas.NoTrans, blas.NoTrans, 1, c.weights(w[wAt:]), c.patches(patches), 0, c.outputs(y[yAt:], last-first))
		})
	})
}

func (c convolution) gradInput(dx, w, dy []float32) {
	chunks(c.batch, func(_, lo, hi int) {
		clear(dx[lo*c.inLen : hi*c.inLen])
		c.tiles(lo, hi, func(xAt, wAt, yAt, first, last int, patches []float32) {
			blas32.Gemm(blas.Trans, blas.NoTrans, 1, c.weights(w[wAt:]), c.outputs(dy[yAt:], last-first), 0, c.patches(patches))
			window.Scatter(c.grid, dx[xAt:xAt+c.inLen/c.groups], patches, first, last)
		})
	})
}

// gradWeights sums over the samples of each chunk, then over the chunks in their order.
func (c convolution) gradWeights(dw, x, dy []float32) {
	var sums [maxChunks][]float32
	chunks(c.batch, func(chunk, lo, hi int) {
		sum := make([]float32, len(dw))
		c.tiles(lo, hi, func(xAt, wAt, yAt, first, last int, patches []float32) {
			window.Gather(c.grid, patches, x[xAt:xAt+c.inLen/c.groups], first, last)
			blas32.Gemm(blas.NoTrans, blas.Trans, 1, c.outputs(dy[yAt:], last-first), c.patches(patches), 1, c.weights(sum[wAt:]))
		})
		sums[chunk] = sum
	})
	clear(dw)
	for _, sum := range sums {
		for i, v := range sum {
			dw[i] += v
		}
	}
}

func (c convolution) weights(w []float32) blas32.General {
	return blas32.General{Rows: c.out / c.groups, Cols: c.rows, Stride: c.rows, Data: w}
}

func (c convolution) patches(p []float32) blas32.General {
	return blas32.General{Rows: c.rows, Cols: len(p) / c.rows, Stride: len(p) / c.rows, Data: p}
}

func (c convolution) outputs(y []float32, cols int) blas32.General {
	return blas32.General{Rows: c.out / c.groups, Cols: cols, Stride: c.positions, Data: y}
}
