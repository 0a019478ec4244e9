package nn

import (
	"errors"
	"fmt"
)

// An axis is one direction of a convolution or pooling: in positions, out windows of kernel taps.
type axis struct{ in, out, kernel, stride, padding, dilation int }

// newAxis finds the number of windows. It fails if there is none, or a side is too long.
func newAxis(in, kernel, stride, padding, dilation int) (axis, error) {
	a := axis{in: in, kernel: kernel, stride: stride, padding: padding, dilation: dilation}
	for _, n := range []int{in, kernel, stride, dilation} {
		if n < 1 || n > maxSide {
			return a, fmt.Errorf("sizes, strides and dilations: want 1 to %d", maxSide)
		}
	}
	if padding < 0 || padding > maxSide {
		return a, fmt.Errorf("padding: want 0 to %d", maxSide)
	}
	room := in + 2*padding - dilation*(kernel-1) - 1
	if room < 0 {
		return a, errors.New("the kernel is larger than the padded input")
	}
	a.out = room/stride + 1
	if a.out > maxSide {
		return a, fmt.Errorf("more than %d outputs on one side", maxSide)
	}
	return a, nil
}

// maxSide bounds the sides of images and kernels, maxTaps the elements in all windows.
const (
	maxSide = 1 << 12
	maxTaps = 1 << 30
)

// at returns the input position of tap k of window o; false: it is padding.
func (a axis) at(o, k int) (int, bool) {
	i := o*a.stride + k*a.dilation - a.padding
	return i, 0 <= i && i < a.in
}

// An image is the plane of windows over channels of equal size.
type image struct {
	channels int
	y, x     axis
}

func newImage(in shape, channels, height, width int, kernel, stride, padding, dilation [2]int) (image, error) {
	m := image{channels: channels}
	var err error
	if m.y, err = newAxis(height, kernel[0], stride[0], padding[0], dilation[0]); err != nil {
		return m, err
	}
	if m.x, err = newAxis(width, kernel[1], stride[1], padding[1], dilation[1]); err != nil {
		return m, err
	}
	if channels < 1 || channels > maxTensor || channels*height*width != in.size() {
		return m, fmt.Errorf("%d channels of %d x %d: the input has %d elements", channels, height, width, in.size())
	}
	if m.channels*m.outputs() > maxTensor || m.channels*m.outputs()*m.y.kernel*m.x.kernel > maxTaps {
		return m, fmt.Errorf("%d windows of %d x %d: too many", m.channels*m.outputs(), m.y.kernel, m.x.kernel)
	}
	return m, nil
}

// outputs returns the number of windows of one channel.
func (m image) outputs() int { return m.y.out * m.x.out }

// taps calls f for every tap of window o that is not padding: its number in the kernel, and its position in a channel.
func (m image) taps(o int, f func(tap, at int)) {
	for ky := range m.y.kernel {
		y, ok := m.y.at(o/m.x.out, ky)
		if !ok {
			continue
		}
		for kx := range m.x.kernel {
			if x, ok := m.x.at(o%m.x.out, kx); ok {
				f(ky*m.x.kernel+kx, y*m.x.in+x)
			}
		}
	}
}
