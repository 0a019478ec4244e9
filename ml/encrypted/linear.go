package encrypted

import (
	"fmt"
	"slices"

	"github.com/signet-ml/signet/ml"
)

// linear is a sparse matrix by rows. Every linear layer is one, whatever its stride, padding, dilation and groups, so
// layers that follow one another are multiplied into one and cost one level. Entries are those that the layers' shapes
// allow, weights that happen to be zero included: what a program with encrypted weights looks like must not depend on
// them. See pruned.
type linear struct {
	rows, cols int
	start      []int   // entries of row r are start[r] … start[r+1]
	col        []int32 // ascending within a row
	val        []float64
}

// maxEntries bounds a matrix, so that a product of layers fails by name instead of filling the memory.
const maxEntries = 1 << 26

// Rows returns the number of rows.
func (l *linear) Rows() int { return l.rows }

// Cols returns the number of columns.
func (l *linear) Cols() int { return l.cols }

// Row returns the entries of a row.
func (l *linear) Row(r int) ([]int32, []float64) {
	return l.col[l.start[r]:l.start[r+1]], l.val[l.start[r]:l.start[r+1]]
}

// rowBuilder makes a matrix row by row; entries of a row may come in any order and are added up.
type rowBuilder struct {
	m       *linear
	sums    []float64
	touched []int32
	is      []bool
}

func newRows(rows, cols int) *rowBuilder {
	return &rowBuilder{m: &linear{rows: rows, cols: cols, start: append(make([]int, 0, rows+1), 0)}, sums: make([]float64, cols), is: make([]bool, cols)}
}

func (b *rowBuilder) add(col int, w float64) {
	if !b.is[col] {
		b.is[col] = true
		b.touched = append(b.touched, int32(col))
	}
	b.sums[col] += w
}

func (b *rowBuilder) endRow() {
	slices.Sort(b.touched)
	for _, c := range b.touched {
		b.m.col, b.m.val = append(b.m.col, c), append(b.m.val, b.sums[c])
		b.sums[c], b.is[c] = 0, false
	}
	b.touched = b.touched[:0]
	b.m.start = append(b.m.start, len(b.m.col))
}

// pruned returns the matrix without entries of zero.
func (l *linear) pruned() *linear {
	b := newRows(l.rows, l.cols)
	for r := range l.rows {
		cols, vals := l.Row(r)
		for i, c := range cols {
			if vals[i] != 0 {
				b.add(int(c), vals[i])
			}
		}
		b.endRow()
	}
	return b.m
}

// identity returns the matrix that leaves n elements as they are.
func identity(n int) *linear {
	b := newRows(n, n)
	for r := range n {
		b.add(r, 1)
		b.endRow()
	}
	return b.m
}

// after returns the matrix of outer after inner.
func after(outer, inner *linear) (*linear, error) {
	b := newRows(outer.rows, inner.cols)
	for r := range outer.rows {
		cols, vals := outer.Row(r)
		for i, k := range cols {
			ic, iv := inner.Row(int(k))
			for j, c := range ic {
				b.add(int(c), float64(vals[i]*iv[j]))
			}
		}
		b.endRow()
		if len(b.m.col) > maxEntries {
			return nil, fmt.Errorf("the product with the layer before it has more than %d weights", maxEntries)
		}
	}
	return b.m, nil
}

// sumOf returns the sum of two matrices of one size.
func sumOf(x, y *linear) *linear {
	b := newRows(x.rows, x.cols)
	for r := range x.rows {
		for _, m := range []*linear{x, y} {
			cols, vals := m.Row(r)
			for j, c := range cols {
				b.add(int(c), vals[j])
			}
		}
		b.endRow()
	}
	return b.m
}

// scaled returns the matrix with every weight of row r multiplied by f(r).
func (l *linear) scaled(f func(r int) float64) *linear {
	b := newRows(l.rows, l.cols)
	for r := range l.rows {
		s := f(r)
		cols, vals := l.Row(r)
		for i, c := range cols {
			b.add(int(c), float64(vals[i]*s))
		}
		b.endRow()
	}
	return b.m
}

// addTo adds the product of the matrix and x to y. Products are rounded before they are added, so that the result is
// the same on every processor.
func (l *linear) addTo(y, x []float64) {
	for r := range l.rows {
		sum := 0.0
		for i := l.start[r]; i < l.start[r+1]; i++ {
			sum += float64(l.val[i] * x[l.col[i]])
		}
		y[r] += sum
	}
}

// denseMap returns the matrix of a dense layer.
func denseMap(l *ml.DenseLayer) *linear {
	rows, cols := l.Out(), l.In()
	b := newRows(rows, cols)
	for r := range rows {
		for c, w := range l.W.Data[r*cols : (r+1)*cols] {
			b.add(c, w)
		}
		b.endRow()
	}
	return b.m
}

// window is the sliding window of a convolution or a pooling over one image.
type window struct{ kernel, stride, padding, dilation [2]int }

// taps calls yield for every pixel under the window at an output position: its place in the kernel and in the image.
func (w window) taps(y, x, rows, cols int, yield func(ky, kx, iy, ix int)) {
	for ky := range w.kernel[0] {
		iy := y*w.stride[0] + ky*w.dilation[0] - w.padding[0]
		if iy < 0 || iy >= rows {
			continue
		}
		for kx := range w.kernel[1] {
			if ix := x*w.stride[1] + kx*w.dilation[1] - w.padding[1]; ix >= 0 && ix < cols {
				yield(ky, kx, iy, ix)
			}
		}
	}
}

// convMap returns the matrix of a convolution from images of shape in to images of shape out, [channels, rows, columns].
func convMap(l *ml.Conv2dLayer, in, out []int) *linear {
	b := newRows(out[0]*out[1]*out[2], in[0]*in[1]*in[2])
	kernel := [2]int{l.W.Shape[2], l.W.Shape[3]}
	w := window{kernel, l.Stride, l.Padding, l.Dilation}
	perGroup, outGroup := in[0]/l.Groups, out[0]/l.Groups
	for o := range out[0] {
		for y := range out[1] {
			for x := range out[2] {
				for i := range perGroup {
					c := o/outGroup*perGroup + i
					w.taps(y, x, in[1], in[2], func(ky, kx, iy, ix int) {
						b.add((c*in[1]+iy)*in[2]+ix, l.W.Data[((o*perGroup+i)*kernel[0]+ky)*kernel[1]+kx])
					})
				}
				b.endRow()
			}
		}
	}
	return b.m
}

// poolMap returns the matrix that adds up, with the stated weight, the pixels under every window of a pooling.
func poolMap(w window, weight float64, in, out []int) *linear {
	b := newRows(out[0]*out[1]*out[2], in[0]*in[1]*in[2])
	for c := range out[0] {
		for y := range out[1] {
			for x := range out[2] {
				w.taps(y, x, in[1], in[2], func(_, _, iy, ix int) { b.add((c*in[1]+iy)*in[2]+ix, weight) })
				b.endRow()
			}
		}
	}
	return b.m
}
