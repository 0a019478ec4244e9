package fixedpoint

import (
	"github.com/signet-ml/signet/ml/internal/parallel"
	"github.com/signet-ml/signet/ml/internal/window"
)

// Integer addition is associative, so none of the orders below can be seen in a result.

func (o Dense) apply(batch int, x []int64) []int64 {
	y := make([]int64, batch*o.Out)
	parallel.Ranges(len(y), func(first, last int) {
		for i := first; i < last; i++ {
			sample, row := i/o.Out, i%o.Out
			acc := o.B[row]
			in := x[sample*o.In:][:o.In]
			for j, w := range o.W[row*o.In:][:o.In] {
				acc += w * in[j]
			}
			y[i] = acc
		}
	})
	return y
}

// patchLen bounds the elements of a patch matrix that one worker holds, 512 KiB. One
// column is held whatever its length.
const patchLen = 1 << 16

func (o Conv2d) apply(batch int, x []int64) []int64 {
	g := o.window().grid()
	positions := g.Positions()
	out, planes := o.Out/o.Groups, o.Channels/o.Groups*g.Pixels() // per group
	rows := o.linear().cols
	tile := min(max(patchLen/rows, 1), positions)
	y := make([]int64, batch*o.Out*positions)
	parallel.Ranges(batch*o.Groups, func(first, last int) {
		patches := make([]int64, rows*tile)
		for i := first; i < last; i++ { // sample and group
			group := i % o.Groups
			for lo := 0; lo < positions; lo += tile {
				n := min(tile, positions-lo)
				window.Gather(g, patches[:rows*n], x[i*planes:][:planes], lo, lo+n)
				for c := range out {
					dst := y[(i*out+c)*positions+lo:][:n]
					for p := range dst {
						dst[p] = o.B[group*out+c]
					}
					for k, w := range o.W[(group*out+c)*rows:][:rows] {
						for p, v := range patches[k*n:][:n] {
							dst[p] += w * v
						}
					}
				}
			}
		}
	})
	return y
}

func (o Rescale) apply(_ int, x []int64) []int64 {
	return mapped(x, func(v int64) int64 { return o.Out.clamp(o.round(v)) })
}

// round is the rescaling before it saturates.
func (o Rescale) round(v int64) int64 {
	if o.Shift == 0 {
		return v * o.Multiplier
	}
	return (v*o.Multiplier + 1<<(o.Shift-1)) >> o.Shift // an arithmetic shift rounds down for both signs
}

func (o Table) apply(_ int, x []int64) []int64 {
	return mapped(x, func(v int64) int64 { return o.Values[v-o.Lo] })
}

func (o Square) apply(_ int, x []int64) []int64 {
	return mapped(x, func(v int64) int64 { return v * v })
}

func (o SumPool2d) apply(batch int, x []int64) []int64 {
	return o.window().pool(batch, x, func(acc, v int64) int64 { return acc + v })
}

func (o MaxPool2d) apply(batch int, x []int64) []int64 {
	return o.window().pool(batch, x, func(acc, v int64) int64 { return max(acc, v) })
}

func (o Argmax) apply(batch int, x []int64) []int64 {
	y := make([]int64, batch)
	n := len(x) / batch
	for i := range y {
		y[i] = int64(argmax(x[i*n:][:n]))
	}
	return y
}

// argmax returns the lowest index of the largest number.
func argmax(x []int64) int {
	best := 0
	for i, v := range x {
		if v > x[best] {
			best = i
		}
	}
	return best
}

func mapped(x []int64, f func(int64) int64) []int64 {
	y := make([]int64, len(x))
	for i, v := range x {
		y[i] = f(v)
	}
	return y
}
