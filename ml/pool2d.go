package ml

import (
	"math"

	"github.com/signet-ml/signet/ml/internal/parallel"
)

// AvgPool2dLayer is the mean over a window that moves over each channel of samples
// [channels, height, width]. Padding counts as zeros in the mean, PyTorch's
// count_include_pad=True: the divisor is always the size of the kernel. Each axis of
// the result has ⌊(size + 2·padding - kernel)/stride⌋ + 1 elements.
type AvgPool2dLayer struct {
	Kernel, Stride, Padding [2]int // rows, columns
}

// MaxPool2dLayer is the largest element in a window that moves over each channel of
// samples [channels, height, width]. Padding never wins. Sizes are those of
// [AvgPool2dLayer].
type MaxPool2dLayer struct {
	Kernel, Stride, Padding [2]int // rows, columns
}

// AvgPool2d returns the layer of means over square windows. A stride of 0 means the
// kernel, so windows do not overlap. The padding is at most half the kernel, sizes at
// most 16,384; [SequentialFor] checks them.
func AvgPool2d(kernel, stride, padding int) Layer {
	w := poolWindow(kernel, stride, padding)
	return &AvgPool2dLayer{Kernel: w.kernel, Stride: w.stride, Padding: w.padding}
}

// MaxPool2d returns the layer of maxima over square windows, with the conventions of
// [AvgPool2d].
func MaxPool2d(kernel, stride, padding int) Layer {
	w := poolWindow(kernel, stride, padding)
	return &MaxPool2dLayer{Kernel: w.kernel, Stride: w.stride, Padding: w.padding}
}

func poolWindow(kernel, stride, padding int) sliding {
	if stride == 0 {
		stride = kernel
	}
	return sliding{kernel: [2]int{kernel, kernel}, stride: [2]int{stride, stride}, padding: [2]int{padding, padding}, dilation: [2]int{1, 1}}
}

// Kind returns "avgpool2d".
func (*AvgPool2dLayer) Kind() string { return "avgpool2d" }

// Kind returns "maxpool2d".
func (*MaxPool2dLayer) Kind() string { return "maxpool2d" }

func (l *AvgPool2dLayer) window() sliding {
	return sliding{kernel: l.Kernel, stride: l.Stride, padding: l.Padding, dilation: [2]int{1, 1}}
}

func (l *MaxPool2dLayer) window() sliding {
	return sliding{kernel: l.Kernel, stride: l.Stride, padding: l.Padding, dilation: [2]int{1, 1}}
}

func (l *AvgPool2dLayer) describe() string { return "avgpool2d " + l.window().describe() }
func (l *MaxPool2dLayer) describe() string { return "maxpool2d " + l.window().describe() }

// half keeps at least one pixel of the image in every window, as PyTorch does.
func half(extent int) int { return extent / 2 }

func (l *AvgPool2dLayer) own() (Layer, error) {
	if l == nil {
		return nil, errNilLayer
	}
	c := *l
	return &c, l.window().check(half)
}

func (l *MaxPool2dLayer) own() (Layer, error) {
	if l == nil {
		return nil, errNilLayer
	}
	c := *l
	return &c, l.window().check(half)
}

func (l *AvgPool2dLayer) outShape(in []int) ([]int, error) { return l.window().pooled(in) }
func (l *MaxPool2dLayer) outShape(in []int) ([]int, error) { return l.window().pooled(in) }

func (w sliding) pooled(in []int) ([]int, error) {
	if err := images(in); err != nil {
		return nil, err
	}
	return w.out(in[0], in)
}

func (l *AvgPool2dLayer) apply(n int, in []int, x []float64) ([]float64, error) {
	size := float64(l.Kernel[0] * l.Kernel[1])
	return l.window().pool(n, in, x, 0, func(acc, v float64) float64 { return acc + v }, func(acc float64) float64 { return acc / size })
}

func (l *MaxPool2dLayer) apply(n int, in []int, x []float64) ([]float64, error) {
	return l.window().pool(n, in, x, math.Inf(-1), func(acc, v float64) float64 { return max(acc, v) }, func(acc float64) float64 { return acc })
}

// pool folds the pixels under each window, without padding, from start with step, and
// maps the result by finish.
func (w sliding) pool(n int, in []int, x []float64, start float64, step func(acc, v float64) float64, finish func(float64) float64) ([]float64, error) {
	shape, err := w.pooled(in)
	if err != nil {
		return nil, err
	}
	grid := w.grid(in, shape)
	pixels, positions := grid.Pixels(), grid.Positions()
	y := make([]float64, n*in[0]*positions)
	parallel.Ranges(n*in[0], func(first, last int) {
		for p := first; p < last; p++ {
			img, dst := x[p*pixels:][:pixels], y[p*positions:][:positions]
			grid.Each(func(pos, r0, r1, c0, c1 int) {
				acc := start
				for r := r0; r < r1; r++ {
					for _, v := range img[r*in[2]+c0 : r*in[2]+c1] {
						acc = step(acc, v)
					}
				}
				dst[pos] = finish(acc)
			})
		}
	})
	return y, nil
}
