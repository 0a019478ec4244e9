package ml

import (
	"fmt"
	"slices"

	"gonum.org/v1/gonum/mat"

	"github.com/signet-ml/signet/ml/internal/parallel"
	"github.com/signet-ml/signet/ml/internal/window"
)

// Conv2dLayer is the cross-correlation that PyTorch calls Conv2d, on samples
// [channels, height, width]:
//
//	y[o, i, j] = B[o] + Σ_c Σ_k Σ_l W[o, c, k, l] · x[c₀+c, i·Stride₀-Padding₀+k·Dilation₀, j·Stride₁-Padding₁+l·Dilation₁]
//
// with x zero outside the image and c₀ the first channel of o's group. Each axis of the
// result has ⌊(size + 2·padding - dilation·(kernel-1) - 1)/stride⌋ + 1 elements.
type Conv2dLayer struct {
	W                         Tensor    // [out, in/Groups, kernel rows, kernel columns]
	B                         []float64 // [out]
	Stride, Padding, Dilation [2]int    // rows, columns
	Groups                    int       // channels in and out are cut into as many parts, each of which sees its own part only
}

// ConvOptions say how the kernel of [Conv2d] moves. The zero value means stride 1, no
// padding, dilation 1 and one group; so does a zero in any field.
type ConvOptions struct {
	Stride, Padding, Dilation [2]int // rows, columns
	Groups                    int
}

// Conv2d returns the convolution with w of shape [out, in/groups, kernel rows, kernel
// columns] and b of length out; a nil b means zeros. The layer keeps w and b;
// [SequentialFor] checks and copies them.
//
// Sizes are at most 16,384, a padding is smaller than what the kernel covers, and the
// output of one sample has at most 2^27 elements.
func Conv2d(w Tensor, b []float64, o ConvOptions) Layer {
	if b == nil && len(w.Shape) == 4 {
		b = zeroBias(w)
	}
	l := &Conv2dLayer{W: w, B: b, Stride: o.Stride, Padding: o.Padding, Dilation: o.Dilation, Groups: o.Groups}
	for d := range 2 {
		if l.Stride[d] == 0 {
			l.Stride[d] = 1
		}
		if l.Dilation[d] == 0 {
			l.Dilation[d] = 1
		}
	}
	if l.Groups == 0 {
		l.Groups = 1
	}
	return l
}

// Kind returns "conv2d".
func (*Conv2dLayer) Kind() string { return "conv2d" }

// In returns the number of channels of the input. It panics when W does not have four
// dimensions, which no layer inside a model can.
func (l *Conv2dLayer) In() int { return l.W.Shape[1] * l.Groups }

// Out returns the number of channels of the output, with the same precondition as In.
func (l *Conv2dLayer) Out() int { return l.W.Shape[0] }

// Kernel returns the rows and columns of the kernel, with the same precondition as In.
func (l *Conv2dLayer) Kernel() [2]int { return [2]int{l.W.Shape[2], l.W.Shape[3]} }

func (l *Conv2dLayer) window() sliding {
	return sliding{kernel: l.Kernel(), stride: l.Stride, padding: l.Padding, dilation: l.Dilation}
}

func (l *Conv2dLayer) describe() string {
	s := fmt.Sprintf("conv2d %d→%d %s", l.In(), l.Out(), l.window().describe())
	if l.Groups != 1 {
		s += fmt.Sprintf(" groups %d", l.Groups)
	}
	return s
}

func (l *Conv2dLayer) own() (Layer, error) {
	if l == nil {
		return nil, errNilLayer
	}
	if err := checkWeights(l.W, l.B, 4, "[out in/groups rows columns]"); err != nil {
		return nil, err
	}
	// A window that lies in the padding alone would see zeros only.
	if err := l.window().check(func(extent int) int { return extent - 1 }); err != nil {
		return nil, err
	}
	// Out bounds the groups, and the weight's size bounds the product in In.
	if l.Groups < 1 || l.Out()%l.Groups != 0 {
		return nil, fmt.Errorf("ml: %d groups for %d channels of output, want a divisor", l.Groups, l.Out())
	}
	c := *l
	c.W, c.B = l.W.Clone(), slices.Clone(l.B)
	return &c, nil
}

func (l *Conv2dLayer) outShape(in []int) ([]int, error) {
	if err := images(in); err != nil {
		return nil, err
	}
	if in[0] != l.In() {
		return nil, &ShapeError{Where: "input", Got: in, Want: fmt.Sprintf("%d channels, those of the weight times %d groups", l.In(), l.Groups)}
	}
	return l.window().out(l.Out(), in)
}

// patchLen bounds the elements of a patch matrix that one worker holds: 1 MiB, which
// stays in the second cache. One column is held whatever its length.
const patchLen = 1 << 17

// apply multiplies the weights by the matrix whose columns are the patches under the
// kernel, a tile of output positions at a time, so that the copies of the input stay
// small. Samples are independent: one gives the same bits alone and in a batch.
func (l *Conv2dLayer) apply(n int, in []int, x []float64) ([]float64, error) {
	shape, err := l.outShape(in)
	if err != nil {
		return nil, err
	}
	grid := l.window().grid(in, shape)
	positions := grid.Positions()
	out, planes := shape[0]/l.Groups, in[0]/l.Groups*grid.Pixels() // per group
	rows := l.W.Len() / l.Out()
	tile := min(max(patchLen/rows, 1), positions)
	y := make([]float64, n*shape[0]*positions)
	parallel.Ranges(n, func(first, last int) {
		patches := make([]float64, rows*tile)
		for i := first; i < last; i++ {
			for g := range l.Groups {
				img := x[(i*l.Groups+g)*planes:][:planes]
				dst := mat.NewDense(out, positions, y[(i*l.Groups+g)*out*positions:][:out*positions])
				w := mat.NewDense(out, rows, l.W.Data[g*out*rows:][:out*rows])
				for lo := 0; lo < positions; lo += tile {
					hi := min(lo+tile, positions)
					p := patches[:rows*(hi-lo)]
					window.Gather(grid, p, img, lo, hi)
					dst.Slice(0, out, lo, hi).(*mat.Dense).Mul(w, mat.NewDense(rows, hi-lo, p))
				}
			}
			for o, b := range l.B {
				plane := y[(i*shape[0]+o)*positions:][:positions]
				for k := range plane {
					plane[k] += b
				}
			}
		}
	})
	return y, nil
}
