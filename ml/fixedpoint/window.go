package fixedpoint

import (
	"fmt"

	"github.com/signet-ml/signet/ml/internal/parallel"
	"github.com/signet-ml/signet/ml/internal/window"
)

// sliding is a kernel on images of some channels.
type sliding struct {
	channels                          int
	image                             [2]int
	kernel, stride, padding, dilation [2]int
}

func (o Conv2d) window() sliding {
	return sliding{o.Channels, [2]int{o.Height, o.Width}, o.Kernel, o.Stride, o.Padding, o.Dilation}
}

func (o SumPool2d) window() sliding {
	return sliding{o.Channels, [2]int{o.Height, o.Width}, o.Kernel, o.Stride, o.Padding, [2]int{1, 1}}
}

func (o MaxPool2d) window() sliding { return SumPool2d(o).window() }

// check returns the elements of one sample with out channels. The padding of a pool is
// at most half its kernel, that of a convolution less than what its kernel covers: every
// window then sees the image, unless a dilated one steps over it.
func (s sliding) check(in, out int, pool bool) (int, error) {
	if s.channels < 1 || out < 1 || s.channels > maxSampleLen || out > maxSampleLen {
		return 0, fmt.Errorf("%d channels in and %d out, want 1 to %d", s.channels, out, maxSampleLen)
	}
	n, elements := int64(out), int64(s.channels)
	for d, axis := range [2]string{"rows", "columns"} {
		for _, f := range []struct {
			name   string
			v      int
			lo, hi int
		}{
			{"image", s.image[d], 1, maxSampleLen}, {"kernel", s.kernel[d], 1, maxWindow}, {"stride", s.stride[d], 1, maxWindow},
			{"padding", s.padding[d], 0, maxWindow}, {"dilation", s.dilation[d], 1, maxWindow},
		} {
			if f.v < f.lo || f.v > f.hi {
				return 0, fmt.Errorf("%s of %d %s, want %d to %d", f.name, f.v, axis, f.lo, f.hi)
			}
		}
		extent := s.dilation[d]*(s.kernel[d]-1) + 1
		most := extent - 1
		if pool {
			most = extent / 2
		}
		if s.padding[d] > most {
			return 0, fmt.Errorf("padding of %d %s, want at most %d", s.padding[d], axis, most)
		}
		room := s.image[d] + 2*s.padding[d] - extent
		if room < 0 {
			return 0, fmt.Errorf("image of %d %s for a kernel that covers %d", s.image[d], axis, extent)
		}
		// Both products stay below 2^54.
		if elements *= int64(s.image[d]); elements > maxSampleLen {
			return 0, fmt.Errorf("images of more than %d elements", maxSampleLen)
		}
		if n *= int64(room/s.stride[d] + 1); n > maxSampleLen {
			return 0, fmt.Errorf("outputs of more than %d elements", maxSampleLen)
		}
	}
	return int(n), expect(in, int(elements))
}

// grid returns where the kernel of a checked window stops.
func (s sliding) grid() window.Grid {
	g := window.Grid{Image: s.image, Kernel: s.kernel, Stride: s.stride, Padding: s.padding, Dilation: s.dilation}
	for d := range g.Out {
		g.Out[d] = (s.image[d]+2*s.padding[d]-s.dilation[d]*(s.kernel[d]-1)-1)/s.stride[d] + 1
	}
	return g
}

// pool folds what lies under each window with step, starting from its first number.
func (s sliding) pool(batch int, x []int64, step func(acc, v int64) int64) []int64 {
	g := s.grid()
	pixels, positions := g.Pixels(), g.Positions()
	y := make([]int64, batch*s.channels*positions)
	parallel.Ranges(batch*s.channels, func(first, last int) {
		for p := first; p < last; p++ {
			img, dst := x[p*pixels:][:pixels], y[p*positions:][:positions]
			g.Each(func(pos, r0, r1, c0, c1 int) {
				acc := img[r0*s.image[1]+c0]
				for r := r0; r < r1; r++ {
					for c := c0; c < c1; c++ {
						if r > r0 || c > c0 {
							acc = step(acc, img[r*s.image[1]+c])
						}
					}
				}
				dst[pos] = acc
			})
		}
	})
	return y
}
