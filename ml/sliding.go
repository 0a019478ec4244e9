package ml

import (
	"fmt"

	"github.com/signet-ml/signet/ml/internal/window"
)

const (
	// maxWindow bounds kernels, strides, paddings and dilations. Products of two of
	// them with a few added then fit a 32-bit int.
	maxWindow = 1 << 14
	// maxSampleLen bounds what a window makes of one sample: a few bytes of a file can
	// ask for any padding. 1 GiB of float64.
	maxSampleLen = 1 << 27
)

// sliding is a kernel that moves over images, in rows and columns.
type sliding struct {
	kernel, stride, padding, dilation [2]int
}

// check reports whether the window is one, and whether its padding is at most
// maxPadding(extent), where extent is the kernel's size with its gaps.
func (w sliding) check(maxPadding func(extent int) int) error {
	for d, axis := range [2]string{"rows", "columns"} {
		for _, f := range []struct {
			name   string
			v, min int
		}{{"kernel", w.kernel[d], 1}, {"stride", w.stride[d], 1}, {"padding", w.padding[d], 0}, {"dilation", w.dilation[d], 1}} {
			if f.v < f.min || f.v > maxWindow {
				return fmt.Errorf("ml: %s of %d %s, want %d to %d", f.name, f.v, axis, f.min, maxWindow)
			}
		}
		if most := maxPadding(w.extent(d)); w.padding[d] > most {
			return fmt.Errorf("ml: padding of %d %s for a kernel that covers %d, want at most %d", w.padding[d], axis, w.extent(d), most)
		}
	}
	return nil
}

// extent returns how many rows (d = 0) or columns (d = 1) the kernel covers.
func (w sliding) extent(d int) int { return w.dilation[d]*(w.kernel[d]-1) + 1 }

// images checks that in is [channels height width].
func images(in []int) error {
	if len(in) != 3 {
		return &ShapeError{Where: "input", Got: in, Want: "samples [channels height width]: put Reshape in front"}
	}
	return nil
}

// out returns the shape [channels, rows, columns] of what a checked window gives for
// samples [_, height, width]: per axis ⌊(size + 2·padding - extent)/stride⌋ + 1.
func (w sliding) out(channels int, in []int) ([]int, error) {
	shape := []int{channels, 0, 0}
	for d, axis := range [2]string{"rows", "columns"} {
		size := in[1+d]
		if size > maxSampleLen {
			return nil, &ShapeError{Where: "input", Got: in, Want: fmt.Sprintf("at most %d %s", maxSampleLen, axis)}
		}
		room := size + 2*w.padding[d] - w.extent(d)
		if room < 0 {
			return nil, &ShapeError{Where: "input", Got: in, Want: fmt.Sprintf("at least %d %s for a kernel that covers %d and a padding of %d", w.extent(d)-2*w.padding[d], axis, w.extent(d), w.padding[d])}
		}
		shape[1+d] = room/w.stride[d] + 1
	}
	if n, err := shapeLen(shape); err != nil || n > maxSampleLen {
		return nil, &ShapeError{Where: "output", Got: shape, Want: fmt.Sprintf("at most %d elements", maxSampleLen)}
	}
	return shape, nil
}

// grid returns where the kernel stops on images of shape in, for the shape that out gave.
func (w sliding) grid(in, out []int) window.Grid {
	return window.Grid{
		Image: [2]int(in[1:]), Out: [2]int(out[1:]),
		Kernel: w.kernel, Stride: w.stride, Padding: w.padding, Dilation: w.dilation,
	}
}

func (w sliding) describe() string {
	s := times(w.kernel)
	if w.stride != [2]int{1, 1} {
		s += " stride " + pair(w.stride)
	}
	if w.padding != [2]int{} {
		s += " padding " + pair(w.padding)
	}
	if w.dilation != [2]int{1, 1} {
		s += " dilation " + pair(w.dilation)
	}
	return s
}

func times(v [2]int) string { return fmt.Sprintf("%d×%d", v[0], v[1]) }

// pair writes equal sizes once.
func pair(v [2]int) string {
	if v[0] == v[1] {
		return fmt.Sprint(v[0])
	}
	return times(v)
}
