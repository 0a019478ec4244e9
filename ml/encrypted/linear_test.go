package encrypted

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/signet-ml/signet/ml"
)

// kernel is a convolution of any kernel with random weights.
func kernel(out, in int, size [2]int, o ml.ConvOptions, seed uint64) ml.Layer {
	per := in / max(1, o.Groups)
	n := per * size[0] * size[1]
	return ml.Conv2d(ml.Tensor{Shape: []int{out, per, size[0], size[1]}, Data: random(out*n, math.Sqrt(3/float64(n)), seed)}, random(out, 0.25, seed+1000), o)
}

// checkMatrix reports a matrix that is not one: columns ascend within a row.
func checkMatrix(t *testing.T, m *linear, rows, cols int) {
	t.Helper()
	if m.Rows() != rows || m.Cols() != cols || len(m.start) != rows+1 || m.start[0] != 0 || m.start[rows] != len(m.col) || len(m.col) != len(m.val) {
		t.Fatalf("a matrix of %d × %d with %d starts, %d columns and %d weights, want %d × %d", m.Rows(), m.Cols(), len(m.start), len(m.col), len(m.val), rows, cols)
	}
	for r := range rows {
		c, w := m.Row(r)
		for i := range c {
			if int(c[i]) >= cols || c[i] < 0 || i > 0 && c[i] <= c[i-1] {
				t.Fatalf("row %d: columns %v, weights %v", r, c, w)
			}
		}
	}
}

// apply returns m·x + b for samples.
func apply(m *linear, b []float64, x ml.Tensor) []float64 {
	n := x.Rows()
	y := make([]float64, 0, n*m.rows)
	for i := range n {
		out := make([]float64, m.rows)
		if b != nil {
			copy(out, b)
		}
		m.addTo(out, x.Data[i*m.cols:(i+1)*m.cols])
		y = append(y, out...)
	}
	return y
}

// forward is the oracle: the model's own layers.
func forward(t *testing.T, shape []int, x ml.Tensor, layers ...ml.Layer) []float64 {
	t.Helper()
	m, err := ml.SequentialFor(shape, layers...)
	if err != nil {
		t.Fatal(err)
	}
	y, err := m.Forward(ml.Tensor{Shape: append([]int{x.Rows()}, shape...), Data: x.Data})
	if err != nil {
		t.Fatal(err)
	}
	return y.Data
}

func closeTo(t *testing.T, got, want []float64, tolerance float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d numbers, want %d", len(got), len(want))
	}
	for i, v := range got {
		if !(math.Abs(v-want[i]) <= tolerance*max(1, math.Abs(want[i]))) {
			t.Fatalf("element %d is %g, want %g", i, v, want[i])
		}
	}
}

// TestConvolutionsAreMatrices compares matrices with the convolution of ml over a grid of everything a convolution has.
func TestConvolutionsAreMatrices(t *testing.T) {
	shape := []int{4, 9, 7}
	x := inputs(2, elements(shape), 1)
	n := 0
	for _, size := range [][2]int{{1, 1}, {3, 3}, {2, 3}, {5, 1}} {
		for _, stride := range [][2]int{{1, 1}, {2, 2}, {3, 1}} {
			for _, padding := range [][2]int{{0, 0}, {1, 1}, {2, 0}} {
				for _, dilation := range [][2]int{{1, 1}, {2, 2}, {1, 3}} {
					for _, groups := range []int{1, 2, 4} {
						o := ml.ConvOptions{Stride: stride, Padding: padding, Dilation: dilation, Groups: groups}
						l := kernel(8, 4, size, o, uint64(n))
						m, err := ml.SequentialFor(shape, l)
						if err != nil {
							continue // the padding is larger than the kernel, or the kernel than the image
						}
						n++
						out := m.OutputShape()
						conv := m.Layers()[0].(*ml.Conv2dLayer)
						w := convMap(conv, shape, out)
						checkMatrix(t, w, elements(out), elements(shape))
						t.Run(fmt.Sprintf("kernel=%v/stride=%v/padding=%v/dilation=%v/groups=%d", size, stride, padding, dilation, groups), func(t *testing.T) {
							closeTo(t, apply(w, perChannel(conv.B, out), x), forward(t, shape, x, l), 1e-12)
						})
					}
				}
			}
		}
	}
	if n < 200 {
		t.Errorf("%d convolutions are possible, expected 200", n)
	}
}

func TestPoolsAreMatrices(t *testing.T) {
	shape := []int{3, 9, 8}
	x := inputs(2, elements(shape), 1)
	for _, kernel := range []int{1, 2, 3, 4} {
		for _, stride := range []int{0, 1, 2, 3} {
			for padding := 0; 2*padding <= kernel; padding++ {
				l := ml.AvgPool2d(kernel, stride, padding).(*ml.AvgPool2dLayer)
				m, err := ml.SequentialFor(shape, l)
				if err != nil {
					t.Fatal(err)
				}
				w := poolMap(window{l.Kernel, l.Stride, l.Padding, [2]int{1, 1}}, 1/float64(kernel*kernel), shape, m.OutputShape())
				checkMatrix(t, w, m.OutputLen(), m.InputLen())
				closeTo(t, apply(w, nil, x), forward(t, shape, x, l), 1e-12)
			}
		}
	}
	// Kernels need not be square.
	l := &ml.AvgPool2dLayer{Kernel: [2]int{3, 2}, Stride: [2]int{1, 2}, Padding: [2]int{1, 0}}
	m, err := ml.SequentialFor(shape, l)
	if err != nil {
		t.Fatal(err)
	}
	w := poolMap(window{l.Kernel, l.Stride, l.Padding, [2]int{1, 1}}, 1.0/6, shape, m.OutputShape())
	closeTo(t, apply(w, nil, x), forward(t, shape, x, l), 1e-12)
}

func TestDenseIsAMatrix(t *testing.T) {
	l := dense(7, 11, 1).(*ml.DenseLayer)
	l.W.Data[5], l.W.Data[76] = 0, 0
	w := denseMap(l)
	checkMatrix(t, w, 7, 11)
	if p := w.pruned(); len(w.val) != 77 || len(p.val) != 75 || slices.Contains(p.val, 0) {
		t.Errorf("%d weights, %d pruned, two of 77 are zero", len(w.val), len(p.val))
	}
	x := inputs(3, 11, 2)
	closeTo(t, apply(w, l.B, x), forward(t, []int{11}, x, l), 1e-12)
}

// TestMatrixAlgebra: products, sums and scalings of sparse matrices against the same on vectors.
func TestMatrixAlgebra(t *testing.T) {
	sparse := func(rows, cols int, seed uint64) *linear {
		b := newRows(rows, cols)
		rng := random(rows*cols, 1, seed)
		for r := range rows {
			for c := cols - 1; c >= 0; c-- { // in any order
				if v := rng[r*cols+c]; v > 0.3 {
					b.add(c, v)
				}
			}
			b.endRow()
		}
		return b.m
	}
	x := inputs(3, 20, 9)
	a, b, c := sparse(15, 20, 1), sparse(8, 15, 2), sparse(15, 20, 3)
	for _, m := range []*linear{a, c} {
		checkMatrix(t, m, 15, 20)
	}
	ba, err := after(b, a)
	if err != nil {
		t.Fatal(err)
	}
	checkMatrix(t, ba, 8, 20)
	closeTo(t, apply(ba, nil, x), apply(b, nil, ml.Tensor{Shape: []int{3, 15}, Data: apply(a, nil, x)}), 1e-12)

	sum := sumOf(a, c)
	checkMatrix(t, sum, 15, 20)
	want := apply(a, nil, x)
	for i, v := range apply(c, nil, x) {
		want[i] += v
	}
	closeTo(t, apply(sum, nil, x), want, 1e-12)

	twice := a.scaled(func(r int) float64 { return float64(r + 1) })
	checkMatrix(t, twice, 15, 20)
	want = apply(a, nil, x)
	for i := range want {
		want[i] *= float64(i%15 + 1)
	}
	closeTo(t, apply(twice, nil, x), want, 1e-12)

	id := identity(20)
	checkMatrix(t, id, 20, 20)
	if got := apply(id, nil, x); !slices.Equal(got, x.Data) {
		t.Error("the identity changes a vector")
	}
	// What cancels stays an entry until it is pruned.
	minus := a.scaled(func(int) float64 { return -1 })
	if zero := sumOf(a, minus); len(zero.val) != len(a.val) || len(zero.pruned().val) != 0 {
		t.Errorf("a matrix minus itself has %d entries, %d pruned", len(zero.val), len(zero.pruned().val))
	}
	checkMatrix(t, a.scaled(func(r int) float64 { return float64(r % 2) }), 15, 20)
}

// TestProductsOfLayersAreBounded: two layers whose product would not fit the memory fail by name.
func TestProductsOfLayersAreBounded(t *testing.T) {
	if testing.Short() {
		t.Skip("takes memory up to the bound")
	}
	const n = 8192
	one := &linear{rows: n, cols: 1, start: make([]int, n+1), col: make([]int32, n), val: slices.Repeat([]float64{1}, n)}
	for r := range one.start {
		one.start[r] = r
	}
	all := &linear{rows: 1, cols: n + 1, start: []int{0, n + 1}, col: make([]int32, n+1), val: slices.Repeat([]float64{1}, n+1)}
	for c := range all.col {
		all.col[c] = int32(c)
	}
	if m, err := after(one, all); err == nil {
		t.Errorf("a matrix of %d weights", len(m.val))
	}
}
