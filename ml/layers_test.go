package ml

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// filled is a tensor of standard normal numbers.
func filled(rng *rand.Rand, shape ...int) Tensor {
	n, err := shapeLen(shape)
	if err != nil {
		panic(err)
	}
	t := Tensor{Shape: shape, Data: make([]float64, n)}
	for i := range t.Data {
		t.Data[i] = rng.NormFloat64()
	}
	return t
}

func model(t testing.TB, in []int, layers ...Layer) *Model {
	t.Helper()
	m, err := SequentialFor(in, layers...)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func forward(t testing.TB, m *Model, x Tensor) Tensor {
	t.Helper()
	y, err := m.Forward(x)
	if err != nil {
		t.Fatal(err)
	}
	return y
}

// naiveConv is the formula of Conv2dLayer's comment, one output at a time.
func naiveConv(l *Conv2dLayer, x Tensor) Tensor {
	n, c, h, w := x.Shape[0], x.Shape[1], x.Shape[2], x.Shape[3]
	size := func(d, have int) int {
		return (have+2*l.Padding[d]-l.Dilation[d]*(l.W.Shape[2+d]-1)-1)/l.Stride[d] + 1
	}
	rows, cols := size(0, h), size(1, w)
	y := Tensor{Shape: []int{n, l.Out(), rows, cols}}
	per := l.W.Shape[1]
	for s := range n {
		for o := range l.Out() {
			first := o / (l.Out() / l.Groups) * per
			for i := range rows {
				for j := range cols {
					sum := l.B[o]
					for k := range per {
						for a := range l.W.Shape[2] {
							for b := range l.W.Shape[3] {
								r, q := i*l.Stride[0]-l.Padding[0]+a*l.Dilation[0], j*l.Stride[1]-l.Padding[1]+b*l.Dilation[1]
								if r >= 0 && r < h && q >= 0 && q < w {
									sum += l.W.Data[((o*per+k)*l.W.Shape[2]+a)*l.W.Shape[3]+b] * x.Data[((s*c+first+k)*h+r)*w+q]
								}
							}
						}
					}
					y.Data = append(y.Data, sum)
				}
			}
		}
	}
	return y
}

// TestConv2dMatchesLoops: 300 products of standard normals round to about 1e-14.
func TestConv2dMatchesLoops(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, c := range []struct {
		in, w []int
		o     ConvOptions
	}{
		{[]int{1, 28, 28}, []int{5, 1, 5, 5}, ConvOptions{Stride: [2]int{2, 2}, Padding: [2]int{1, 1}}},
		{[]int{6, 14, 14}, []int{16, 6, 5, 5}, ConvOptions{}},
		{[]int{3, 7, 9}, []int{4, 3, 3, 2}, ConvOptions{Stride: [2]int{2, 3}, Padding: [2]int{2, 1}}},
		{[]int{4, 9, 8}, []int{6, 2, 3, 3}, ConvOptions{Groups: 2, Dilation: [2]int{2, 3}, Padding: [2]int{4, 1}}},
		{[]int{4, 5, 5}, []int{8, 1, 3, 3}, ConvOptions{Groups: 4, Padding: [2]int{1, 1}}}, // depthwise
		{[]int{3, 6, 6}, []int{5, 3, 1, 1}, ConvOptions{Stride: [2]int{2, 2}}},
		{[]int{2, 5, 5}, []int{3, 2, 5, 5}, ConvOptions{}},                                              // one position
		{[]int{2, 4, 4}, []int{3, 2, 2, 2}, ConvOptions{Stride: [2]int{9, 9}}},                          // stride beyond the image
		{[]int{128, 40, 40}, []int{2, 128, 3, 3}, ConvOptions{Padding: [2]int{1, 1}}},                   // several tiles
		{[]int{1, 1, 300}, []int{2, 1, 1, 7}, ConvOptions{Padding: [2]int{0, 6}}},                       // a signal
		{[]int{1, 3, 3}, []int{1, 1, 2, 2}, ConvOptions{Dilation: [2]int{2, 2}}},                        // gaps as wide as the image
		{[]int{1, 2, 2}, []int{1, 1, 2, 2}, ConvOptions{Dilation: [2]int{3, 3}, Padding: [2]int{3, 3}}}, // gaps wider than it
	} {
		w := filled(rng, c.w...)
		conv := Conv2d(w, filled(rng, c.w[0]).Data, c.o)
		m := model(t, c.in, conv)
		x := filled(rng, slices.Concat([]int{3}, c.in)...)
		got, want := forward(t, m, x), naiveConv(conv.(*Conv2dLayer), x)
		if !slices.Equal(got.Shape, want.Shape) {
			t.Errorf("%v: shape %v, want %v", m, got.Shape, want.Shape)
			continue
		}
		for i := range want.Data {
			if math.Abs(got.Data[i]-want.Data[i]) > 1e-12*max(1, math.Abs(want.Data[i])) {
				t.Errorf("%v: element %d: %v, want %v", m, i, got.Data[i], want.Data[i])
				break
			}
		}
		one := forward(t, m, Tensor{Shape: c.in, Data: x.Row(1)})
		if !slices.Equal(one.Data, got.Row(1)) {
			t.Errorf("%v: a sample alone gives other bits than in a batch", m)
		}
	}
}

func TestPoolsByHand(t *testing.T) {
	x := mustTensor(t, []int{1, 1, 4, 4}, 1, 2, 3, 4, 5, 6, 7, 8, -9, -10, -11, -12, -13, -14, -15, -16)
	for _, c := range []struct {
		layer Layer
		shape []int
		want  []float64
	}{
		{AvgPool2d(2, 0, 0), []int{1, 1, 2, 2}, []float64{3.5, 5.5, -11.5, -13.5}},
		{MaxPool2d(2, 0, 0), []int{1, 1, 2, 2}, []float64{6, 8, -9, -11}},
		{AvgPool2d(2, 2, 1), []int{1, 1, 3, 3}, []float64{0.25, 1.25, 1, -1, -2, -1, -3.25, -7.25, -4}},
		{MaxPool2d(2, 2, 1), []int{1, 1, 3, 3}, []float64{1, 3, 4, 5, 7, 8, -13, -14, -16}},
		{AvgPool2d(3, 1, 0), []int{1, 1, 2, 2}, []float64{-6. / 9, -3. / 9, -54. / 9, -57. / 9}},
		{MaxPool2d(3, 2, 0), []int{1, 1, 1, 1}, []float64{7}}, // the last row and column are left over
		{&AvgPool2dLayer{Kernel: [2]int{1, 4}, Stride: [2]int{3, 1}}, []int{1, 1, 2, 1}, []float64{2.5, -14.5}},
		{&MaxPool2dLayer{Kernel: [2]int{4, 1}, Stride: [2]int{1, 3}, Padding: [2]int{1, 0}}, []int{1, 1, 3, 2}, []float64{5, 8, 5, 8, 5, 8}},
	} {
		m := model(t, []int{1, 4, 4}, c.layer)
		got := forward(t, m, x)
		if !slices.Equal(got.Shape, c.shape) {
			t.Errorf("%v: shape %v, want %v", m, got.Shape, c.shape)
			continue
		}
		for i, v := range got.Data {
			if math.Abs(v-c.want[i]) > 1e-15*16 {
				t.Errorf("%v: %v, want %v", m, got.Data, c.want)
				break
			}
		}
	}
	// Channels and samples do not mix.
	rng := rand.New(rand.NewPCG(3, 4))
	y := filled(rng, 2, 3, 4, 4)
	for _, l := range []Layer{AvgPool2d(2, 0, 0), MaxPool2d(3, 1, 1)} {
		all := forward(t, model(t, []int{3, 4, 4}, l), y)
		one := forward(t, model(t, []int{1, 4, 4}, l), Tensor{Shape: []int{6, 1, 4, 4}, Data: y.Data})
		if !slices.Equal(all.Data, one.Data) {
			t.Errorf("%s: channels mix", l.Kind())
		}
	}
}

func TestBatchNorm(t *testing.T) {
	l := BatchNorm([]float64{2, -1}, []float64{1, 0.5}, []float64{3, 1e6}, []float64{4, 0.25}, 0).(*BatchNormLayer)
	m := model(t, []int{2, 1, 2}, l)
	got := forward(t, m, mustTensor(t, []int{2, 2, 1, 2}, 3, 5, 1e6, 1e6+1, 1, 3, 1e6-1, 1e6))
	if want := []float64{1, 3, 0.5, -1.5, -1, 1, 2.5, 0.5}; !slices.Equal(got.Data, want) {
		t.Errorf("%v, want %v", got.Data, want)
	}
	scale, shift := l.Affine()
	if !slices.Equal(scale, []float64{1, -2}) || !slices.Equal(shift, []float64{-2, 2e6 + 0.5}) {
		t.Errorf("folded to %v, %v", scale, shift)
	}
	flat := model(t, []int{2}, BatchNorm(nil, nil, []float64{1, 2}, []float64{0, 3}, 1))
	if got := forward(t, flat, mustTensor(t, []int{2}, 5, 6)); !slices.Equal(got.Data, []float64{4, 2}) {
		t.Errorf("flat: %v", got.Data)
	}
}

func TestResidual(t *testing.T) {
	w := mustTensor(t, []int{2, 2}, 1, 2, 3, 4)
	x := mustTensor(t, []int{2, 2}, 1, -1, 2, 0.5)
	identity := model(t, []int{2}, Residual([]Layer{Dense(w, []float64{1, 0}), Square()}))
	if got, want := forward(t, identity, x).Data, []float64{1, 0, 18, 64.5}; !slices.Equal(got, want) {
		t.Errorf("identity: %v, want %v", got, want)
	}
	both := model(t, []int{2}, Residual([]Layer{Square()}, Dense(w, nil)), ReLU())
	if got, want := forward(t, both, x).Data, []float64{0, 0, 7, 8.25}; !slices.Equal(got, want) {
		t.Errorf("shortcut: %v, want %v", got, want)
	}
	nested := model(t, []int{2}, Residual([]Layer{Residual([]Layer{Square()})})) // x² + x + x
	if got, want := forward(t, nested, x).Data, []float64{3, -1, 8, 1.25}; !slices.Equal(got, want) {
		t.Errorf("nested: %v, want %v", got, want)
	}
	if got, want := both.String(), "[2] residual (square + dense 2→2), relu"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	// An overflow inside does not hide behind a sigmoid.
	hidden := model(t, []int{2}, Square(), Residual([]Layer{Square(), Residual([]Layer{Sigmoid(), Dense(w, []float64{1e308, 0}), Square(), Sigmoid()})}, Square()))
	_, err := hidden.Forward(x)
	var nf *NonFiniteError
	if want := "layer 1 (residual): body: layer 1 (residual): body: output of layer 2 (square)"; !errors.As(err, &nf) || nf.Where != want {
		t.Errorf("overflow inside: %v", err)
	}
}

func TestSmoothActivations(t *testing.T) {
	x := []float64{-40, -3, -1, 0, 0.5, 2, 1e4}
	for _, c := range []struct {
		layer Layer
		want  []float64 // from 60 decimal digits
	}{
		{Tanh(), []float64{-1, -0.99505475368673046, -0.76159415595576489, 0, 0.46211715726000976, 0.9640275800758169, 1}},
		{SiLU(), []float64{-1.6993417021166355e-16, -0.14227761953270035, -0.2689414213699951, 0, 0.31122966560092728, 1.7615941559557649, 1e4}},
		{GELU(), []float64{0, -0.0040496940948902836, -0.15865525393145705, 0, 0.34573123063700656, 1.9544997361036416, 1e4}},
	} {
		got := forward(t, model(t, []int{len(x)}, c.layer), mustTensor(t, []int{len(x)}, x...))
		for i, v := range got.Data {
			if math.Abs(v-c.want[i]) > 1e-15*math.Abs(c.want[i]) {
				t.Errorf("%s(%v) = %v, want %v", c.layer.Kind(), x[i], v, c.want[i])
			}
		}
	}
}

func TestReshape(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	x := filled(rng, 2, 28, 28)
	conv := Conv2d(filled(rng, 5, 1, 5, 5), nil, ConvOptions{Stride: [2]int{2, 2}, Padding: [2]int{1, 1}})
	m := model(t, []int{28, 28}, Reshape(1, 28, 28), conv, Square(), Flatten(), Dense(filled(rng, 3, 845), nil))
	y := forward(t, m, x)
	if !slices.Equal(y.Shape, []int{2, 3}) {
		t.Errorf("shape %v", y.Shape)
	}
	if got, want := m.String(), "[28 28] reshape [1 28 28], conv2d 1→5 5×5 stride 2 padding 1, square, flatten, dense 845→3"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if len(forward(t, model(t, []int{28, 28}, Reshape(1, 28, 28), conv), x).Data) != 2*845 {
		t.Error("the convolution does not give 845 values")
	}
}

func TestDescriptions(t *testing.T) {
	w := Tensor{Shape: []int{4, 1, 3, 3}, Data: make([]float64, 36)}
	m := model(t, []int{2, 20, 20},
		Conv2d(w, nil, ConvOptions{Stride: [2]int{2, 1}, Padding: [2]int{1, 0}, Dilation: [2]int{1, 2}, Groups: 2}),
		BatchNorm(nil, nil, make([]float64, 4), make([]float64, 4), 1e-5), SiLU(), AvgPool2d(2, 0, 0), MaxPool2d(3, 1, 1),
		Residual([]Layer{Tanh(), GELU()}))
	if got, want := m.String(), "[2 20 20] conv2d 2→4 3×3 stride 2×1 padding 1×0 dilation 1×2 groups 2, batchnorm 4, silu, avgpool2d 2×2 stride 2, maxpool2d 3×3 padding 1, residual (tanh, gelu + x)"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestLayersRefused(t *testing.T) {
	w := func(shape ...int) Tensor {
		n := 1
		for _, d := range shape {
			n *= max(d, 0)
		}
		return Tensor{Shape: shape, Data: make([]float64, n)}
	}
	nan := w(1, 1, 1, 1)
	nan.Data[0] = math.NaN()
	image := []int{2, 8, 8}
	one, two := []float64{1}, []float64{1, 1}
	self := &ResidualLayer{}
	self.Body = []Layer{self, self, self}
	wide := &ResidualLayer{Body: slices.Repeat([]Layer{Square()}, 2000)}
	deep := func(n int) Layer {
		l := Square()
		for range n {
			l = Residual([]Layer{l})
		}
		return l
	}
	for _, c := range []struct {
		name, want string
		in         []int
		layer      Layer
	}{
		{"conv of a matrix", "[out in/groups rows columns]", image, Conv2d(w(2, 2), nil, ConvOptions{})},
		{"conv of nothing", "at least one dimension", image, Conv2d(Tensor{}, nil, ConvOptions{})},
		{"conv of short data", "product", image, Conv2d(Tensor{Shape: []int{1 << 40, 2, 3, 3}, Data: one}, nil, ConvOptions{})},
		{"conv bias", "one per output", image, Conv2d(w(3, 2, 3, 3), one, ConvOptions{})},
		{"conv nan", "is NaN", []int{1, 8, 8}, Conv2d(nan, nil, ConvOptions{})},
		{"conv nan bias", "is NaN", image, Conv2d(w(1, 2, 3, 3), []float64{math.NaN()}, ConvOptions{})},
		{"conv channels", "2 channels", []int{3, 8, 8}, Conv2d(w(1, 2, 3, 3), nil, ConvOptions{})},
		{"conv of flat samples", "Reshape", []int{64}, Conv2d(w(1, 1, 3, 3), nil, ConvOptions{})},
		{"conv of a plain image", "Reshape", []int{8, 8}, Conv2d(w(1, 1, 3, 3), nil, ConvOptions{})},
		{"conv larger than the image", "at least 9 columns", image, Conv2d(w(1, 2, 8, 9), nil, ConvOptions{})},
		{"conv padding", "at most 2", image, Conv2d(w(1, 2, 3, 3), nil, ConvOptions{Padding: [2]int{3, 0}})},
		{"conv padding of a point", "at most 0", image, Conv2d(w(1, 2, 1, 1), nil, ConvOptions{Padding: [2]int{0, 1}})},
		{"conv negative padding", "padding of -1", image, Conv2d(w(1, 2, 3, 3), nil, ConvOptions{Padding: [2]int{-1, 0}})},
		{"conv negative stride", "stride of -1", image, Conv2d(w(1, 2, 3, 3), nil, ConvOptions{Stride: [2]int{-1, 1}})},
		{"conv huge stride", "stride of", image, Conv2d(w(1, 2, 3, 3), nil, ConvOptions{Stride: [2]int{1, math.MaxInt}})},
		{"conv huge dilation", "dilation of", image, Conv2d(w(1, 2, 3, 3), nil, ConvOptions{Dilation: [2]int{math.MaxInt, 1}})},
		{"conv wide dilation", "at least", image, Conv2d(w(1, 2, 3, 3), nil, ConvOptions{Dilation: [2]int{maxWindow, 1}})},
		{"conv zero stride", "stride of 0", image, &Conv2dLayer{W: w(1, 2, 3, 3), B: one, Dilation: [2]int{1, 1}, Groups: 1}},
		{"conv groups", "3 groups for 4", []int{3, 8, 8}, Conv2d(w(4, 1, 3, 3), nil, ConvOptions{Groups: 3})},
		{"conv group mismatch", "channels", image, Conv2d(w(4, 2, 3, 3), nil, ConvOptions{Groups: 2})},
		{"conv negative groups", "-1 groups", image, Conv2d(w(4, 2, 3, 3), nil, ConvOptions{Groups: -1})},
		{"conv huge output", "at most 134217728 elements", []int{1, 8, 8}, Conv2d(w(1, 1, 2, 2), nil, ConvOptions{Dilation: [2]int{maxWindow, maxWindow}, Padding: [2]int{maxWindow, maxWindow}})},
		{"conv nil", "nil", image, (*Conv2dLayer)(nil)},
		{"pool of flat samples", "Reshape", []int{64}, AvgPool2d(2, 0, 0)},
		{"pool kernel", "kernel of 0", image, AvgPool2d(0, 1, 0)},
		{"pool negative", "kernel of -1", image, MaxPool2d(-1, 0, 0)},
		{"pool stride", "stride of -2", image, MaxPool2d(2, -2, 0)},
		{"pool padding", "at most 1", image, AvgPool2d(2, 2, 2)},
		{"pool padding of max", "at most 1", image, MaxPool2d(3, 2, 2)},
		{"pool larger than the image", "at least 9 rows", image, MaxPool2d(9, 0, 0)},
		{"pool huge", "kernel of", image, AvgPool2d(math.MaxInt, 0, math.MaxInt/2)},
		{"pool image too tall", "rows", []int{1, 1 << 40, 1}, AvgPool2d(1, 1<<13, 0)},
		{"pool nil", "nil", image, (*AvgPool2dLayer)(nil)},
		{"max pool nil", "nil", image, (*MaxPool2dLayer)(nil)},
		{"batchnorm of nothing", "one number per channel", image, BatchNorm(nil, nil, nil, nil, 1)},
		{"batchnorm lengths", "one number per channel", image, BatchNorm(two, two, two, one, 1)},
		{"batchnorm channels", "1 channels", image, BatchNorm(one, one, one, one, 1)},
		{"batchnorm negative variance", "variance -1", image, BatchNorm(two, two, two, []float64{1, -1}, 2)},
		{"batchnorm no variance", "variance 0", image, BatchNorm(two, two, two, []float64{1, 0}, 0)},
		{"batchnorm epsilon", "epsilon", image, BatchNorm(two, two, two, two, math.NaN())},
		{"batchnorm infinite epsilon", "epsilon", image, BatchNorm(two, two, two, two, math.Inf(1))},
		{"batchnorm nan", "mean", image, BatchNorm(two, two, []float64{1, math.NaN()}, two, 1)},
		{"batchnorm overflow", "+Inf", image, BatchNorm([]float64{1, 1e300}, two, two, []float64{1, 1e-300}, 0)},
		{"batchnorm nil", "nil", image, (*BatchNormLayer)(nil)},
		{"residual empty", "without a body", image, Residual(nil)},
		{"residual nil", "nil", image, (*ResidualLayer)(nil)},
		{"residual of nil", "layer 1 (nil) of the body", image, Residual([]Layer{Square(), nil})},
		{"residual shapes", "[128], the output of the body", image, Residual([]Layer{Flatten()})},
		{"residual shapes of as many elements", "the output of the body", image, Residual([]Layer{Flatten()}, Reshape(64, 2))},
		{"residual inside", "layer 1 (dense) of the shortcut", []int{2}, Residual([]Layer{Square()}, Square(), Dense(w(2, 3), nil))},
		{"residual weights", "layer 0 (conv2d) of the body", []int{1, 8, 8}, Residual([]Layer{Conv2d(nan, nil, ConvOptions{})})},
		{"residual too deep", "nested more than 8 deep", image, deep(9)},
		{"residual in itself", "nested more than 8 deep", image, self},
		{"residual too wide", "more than 4096 layers", image, Residual([]Layer{wide, wide}, wide)},
		{"reshape", "as many elements as [3 3]", []int{8}, Reshape(3, 3)},
		{"reshape to nothing", "at least one dimension", []int{8}, Reshape()},
		{"reshape negative", "at least 1", []int{8}, Reshape(-2, -4)},
		{"reshape overflow", "fits an int", []int{8}, Reshape(math.MaxInt, math.MaxInt)},
		{"reshape nil", "nil", []int{8}, (*ReshapeLayer)(nil)},
	} {
		m, err := SequentialFor(c.in, ReLU(), c.layer)
		var le *LayerError
		if !errors.As(err, &le) || le.Layer != 1 || le.Part != "" || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, %v, want *LayerError for layer 1 with %q", c.name, m, err, c.want)
		}
		if err != nil && strings.Count(err.Error(), "ml:") != 1 {
			t.Errorf("%s: message %q", c.name, err)
		}
	}
	if _, err := SequentialFor(image, deep(8)); err != nil {
		t.Errorf("8 residuals deep: %v", err)
	}
	if _, err := SequentialFor(image, slices.Repeat([]Layer{Square()}, maxLayers+1)...); err == nil {
		t.Error("too many layers accepted")
	}
	if _, err := Sequential(Reshape(1, 2), Flatten(), Dense(w(2, 2), nil)); err == nil {
		t.Error("a sample shape guessed through Reshape")
	}
}

// TestModelOwnsItsLayers changes everything that went in.
func TestModelOwnsItsLayers(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	conv := Conv2d(filled(rng, 2, 2, 3, 3), []float64{1, 2}, ConvOptions{Padding: [2]int{1, 1}}).(*Conv2dLayer)
	norm := BatchNorm([]float64{1, 2}, []float64{3, 4}, []float64{5, 6}, []float64{7, 8}, 0.5).(*BatchNormLayer)
	pool := AvgPool2d(3, 1, 1).(*AvgPool2dLayer)
	maxPool := MaxPool2d(3, 1, 1).(*MaxPool2dLayer)
	reshape := Reshape(2, 4, 4).(*ReshapeLayer)
	res := Residual([]Layer{reshape, conv, norm}, pool, Residual([]Layer{maxPool, conv})).(*ResidualLayer)
	m := model(t, []int{2, 4, 4}, res)
	x := filled(rng, 2, 2, 4, 4)
	before := forward(t, m, x)

	conv.W.Data[0], conv.W.Shape[0], conv.B[0], conv.Stride, conv.Groups = 99, 1, 99, [2]int{2, 2}, 0
	norm.Scale[0], norm.Shift[0], norm.Mean[0], norm.Var[0], norm.Epsilon = 99, 99, 99, -99, -1
	pool.Kernel, maxPool.Kernel, reshape.Shape[0] = [2]int{}, [2]int{}, 99
	res.Body[0], res.Shortcut = nil, nil
	if after := forward(t, m, x); !reflect.DeepEqual(after, before) {
		t.Error("the model shares memory with the layers it was made of")
	}
}

func BenchmarkConv2d(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 1))
	for _, c := range []struct {
		name string
		in   []int
		w    []int
		o    ConvOptions
	}{
		{"5@5x5s2", []int{1, 28, 28}, []int{5, 1, 5, 5}, ConvOptions{Stride: [2]int{2, 2}, Padding: [2]int{1, 1}}},
		{"16@6x5x5", []int{6, 14, 14}, []int{16, 6, 5, 5}, ConvOptions{}},
		{"64@64x3x3", []int{64, 32, 32}, []int{64, 64, 3, 3}, ConvOptions{Padding: [2]int{1, 1}}},
	} {
		m := model(b, c.in, Conv2d(filled(rng, c.w...), nil, c.o))
		for _, n := range []int{1, 64} {
			b.Run(fmt.Sprintf("conv=%s/batch=%d", c.name, n), func(b *testing.B) {
				x := filled(rng, slices.Concat([]int{n}, c.in)...)
				for b.Loop() {
					if _, err := m.Forward(x); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(n*b.N)/b.Elapsed().Seconds(), "samples/s")
			})
		}
	}
}
