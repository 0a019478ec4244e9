package train

import (
	"fmt"

	"gorgonia.org/gorgonia"

	"github.com/signet-ml/signet/ml/internal/window"
)

// pool is a pooling layer at one batch size.
type pool struct {
	kind  string
	grid  window.Grid
	batch int
	in    int // channels
}

// planes calls f for every channel of every sample, on all cores: its elements start at
// x before the pool and at y behind it.
func (p pool) planes(f func(x, y int)) {
	pixels, positions := p.grid.Pixels(), p.grid.Positions()
	chunks(p.batch*p.in, func(_, lo, hi int) {
		for i := lo; i < hi; i++ {
			f(i*pixels, i*positions)
		}
	})
}

// apply appends the pool.
func (p pool) apply(x *gorgonia.Node) (*gorgonia.Node, error) {
	name := fmt.Sprintf("%s of %d: %d channels, %v", p.kind, p.batch, p.in, p.grid)
	forward, backward := p.mean, p.meanGradient
	if p.kind == "maxpool2d" {
		forward, backward = p.max, p.maxGradient
	}
	inLen, outLen := p.in*p.grid.Pixels(), p.in*p.grid.Positions()
	return applyOp(op{
		name: name, rows: p.batch, cols: outLen,
		do: func(dst []float32, in ...[]float32) { forward(dst, in[0]) },
		diff: func(in gorgonia.Nodes, grad *gorgonia.Node) (gorgonia.Nodes, error) {
			dx, err := applyOp(op{
				name: name + ", gradient", rows: p.batch, cols: inLen,
				do: func(dst []float32, in ...[]float32) {
					clear(dst)
					backward(dst, in[0], in[1])
				},
			}, in[0], grad)
			return gorgonia.Nodes{dx}, err
		},
	}, x)
}

func (p pool) mean(dst, x []float32) {
	share := 1 / float32(p.grid.Kernel[0]*p.grid.Kernel[1])
	p.planes(func(xAt, yAt int) {
		p.grid.Each(func(pos, r0, r1, c0, c1 int) {
			sum := float32(0)
			for r := r0; r < r1; r++ {
				for _, v := range x[xAt+r*p.grid.Image[1]:][c0:c1] {
					sum += v
				}
			}
			dst[yAt+pos] = sum * share
		})
	})
}

func (p pool) meanGradient(dx, _, dy []float32) {
	share := 1 / float32(p.grid.Kernel[0]*p.grid.Kernel[1])
	p.planes(func(xAt, yAt int) {
		p.grid.Each(func(pos, r0, r1, c0, c1 int) {
			g := dy[yAt+pos] * share
			for r := r0; r < r1; r++ {
				for i := range dx[xAt+r*p.grid.Image[1]:][c0:c1] {
					dx[xAt+r*p.grid.Image[1]+c0+i] += g
				}
			}
		})
	})
}

func (p pool) max(dst, x []float32) {
	p.planes(func(xAt, yAt int) {
		p.grid.Each(func(pos, r0, r1, c0, c1 int) {
			dst[yAt+pos] = x[p.largest(x, xAt, r0, r1, c0, c1)]
		})
	})
}

// maxGradient gives the gradient to the first of several equal maxima.
func (p pool) maxGradient(dx, x, dy []float32) {
	p.planes(func(xAt, yAt int) {
		p.grid.Each(func(pos, r0, r1, c0, c1 int) {
			dx[p.largest(x, xAt, r0, r1, c0, c1)] += dy[yAt+pos]
		})
	})
}

// largest returns the place of the largest element of a window, which is not empty.
func (p pool) largest(x []float32, xAt, r0, r1, c0, c1 int) int {
	best := xAt + r0*p.grid.Image[1] + c0
	for r := r0; r < r1; r++ {
		for c := c0; c < c1; c++ {
			if i := xAt + r*p.grid.Image[1] + c; x[i] > x[best] {
				best = i
			}
		}
	}
	return best
}
