package fixedpoint

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/signet-ml/signet/ml"
)

// random fills tensors and layers from a seed.
type random struct{ *rand.Rand }

func seeded(seed uint64) random { return random{rand.New(rand.NewPCG(seed, 17))} }

func (r random) tensor(lo, hi float64, shape ...int) ml.Tensor {
	t := ml.Tensor{Shape: shape, Data: make([]float64, size(shape))}
	for i := range t.Data {
		t.Data[i] = lo + (hi-lo)*r.Float64()
	}
	return t
}

// dense has weights of a variance that keeps activations at their size.
func (r random) dense(in, out int) ml.Layer {
	a := math.Sqrt(6 / float64(in))
	return ml.Dense(r.tensor(-a, a, out, in), r.tensor(-0.3, 0.3, out).Data)
}

func (r random) conv(in, out, kernel int, o ml.ConvOptions) ml.Layer {
	per := in / max(o.Groups, 1)
	a := math.Sqrt(6 / float64(per*kernel*kernel))
	return ml.Conv2d(r.tensor(-a, a, out, per, kernel, kernel), r.tensor(-0.3, 0.3, out).Data, o)
}

func (r random) norm(channels int) ml.Layer {
	return ml.BatchNorm(r.tensor(0.5, 2, channels).Data, r.tensor(-1, 1, channels).Data, r.tensor(-1, 1, channels).Data, r.tensor(0.5, 2, channels).Data, 1e-5)
}

func sequential(t testing.TB, in []int, layers ...ml.Layer) *ml.Model {
	t.Helper()
	m, err := ml.SequentialFor(in, layers...)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func quantize(t testing.TB, m *ml.Model, o Options) *Model {
	t.Helper()
	q, err := Quantize(m, o)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

// run returns the twin's output for float samples in real numbers.
func run(t testing.TB, q *Model, x ml.Tensor) ml.Tensor {
	t.Helper()
	in, err := q.Encode(x)
	if err != nil {
		t.Fatal(err)
	}
	out, err := q.Forward(in, x.Rows())
	if err != nil {
		t.Fatal(err)
	}
	return q.Decode(out)
}

func kinds(q *Model) string {
	var s []string
	for _, o := range q.Ops() {
		s = append(s, o.Name())
	}
	return strings.Join(s, " ")
}

// networks are models of all layers and combinations, with the ops they become. bits is
// the precision that 8-bit activations reach at least: -log2 of the root mean square
// error over the largest output.
func networks() []struct {
	name   string
	in     []int
	layers []ml.Layer
	lo     float64 // samples lie in [lo, 1]
	ops    string
	bits   float64
} {
	r := seeded(1)
	square := [2]int{2, 2}
	return []struct {
		name   string
		in     []int
		layers []ml.Layer
		lo     float64
		ops    string
		bits   float64
	}{
		{"linear", []int{9}, []ml.Layer{r.dense(9, 4)}, -1, "0.dense", 7},
		{"mlp", []int{3, 4}, []ml.Layer{ml.Flatten(), r.dense(12, 20), ml.ReLU(), r.dense(20, 5)}, 0, "1.dense 2.relu 3.dense", 6},
		{"two dense", []int{6}, []ml.Layer{r.dense(6, 9), r.dense(9, 3)}, -1, "0.dense 0.rescale 1.dense", 6},
		{"square", []int{6}, []ml.Layer{r.dense(6, 9), ml.Square(), r.dense(9, 3)}, -1, "0.dense 0.rescale 1.square 2.dense", 5},
		{"square twice", []int{6}, []ml.Layer{r.dense(6, 9), ml.Square(), ml.Square(), r.dense(9, 3)}, -1, "0.dense 0.rescale 1.square 2.rescale 2.square 3.dense", 4},
		{"square first", []int{6}, []ml.Layer{ml.Square(), r.dense(6, 3)}, -1, "0.square 1.dense", 5},
		{"relu first", []int{6}, []ml.Layer{ml.ReLU(), r.dense(6, 3)}, -1, "0.relu 1.dense", 6},
		{"relu twice", []int{6}, []ml.Layer{r.dense(6, 9), ml.ReLU(), ml.ReLU(), r.dense(9, 3)}, -1, "0.dense 1.relu 3.dense", 6},
		{"relu last", []int{6}, []ml.Layer{r.dense(6, 3), ml.ReLU()}, -1, "0.dense 1.relu", 6},
		{"sigmoid", []int{6}, []ml.Layer{r.dense(6, 9), ml.Sigmoid(), r.dense(9, 3)}, -1, "0.dense 1.sigmoid.index 1.sigmoid 2.dense", 6},
		{"tanh", []int{6}, []ml.Layer{r.dense(6, 9), ml.Tanh(), r.dense(9, 3)}, -1, "0.dense 1.tanh.index 1.tanh 2.dense", 6},
		{"silu", []int{6}, []ml.Layer{r.dense(6, 9), ml.SiLU(), r.dense(9, 3)}, -1, "0.dense 1.silu.index 1.silu 2.dense", 5},
		{"gelu", []int{6}, []ml.Layer{r.dense(6, 9), ml.GELU(), r.dense(9, 3)}, -1, "0.dense 1.gelu.index 1.gelu 2.dense", 5},
		{"logistic", []int{30}, []ml.Layer{r.dense(30, 1), ml.Sigmoid()}, -1, "0.dense 1.sigmoid.index 1.sigmoid", 7},
		{"sigmoids", []int{6}, []ml.Layer{r.dense(6, 4), ml.Sigmoid()}, -1, "0.dense 1.sigmoid.index 1.sigmoid", 7},
		{"conv", []int{1, 8, 8}, []ml.Layer{
			r.conv(1, 4, 3, ml.ConvOptions{Padding: [2]int{1, 1}}), ml.ReLU(), ml.AvgPool2d(2, 0, 0), ml.Flatten(), r.dense(64, 5),
		}, 0, "0.conv2d 1.relu 2.sumpool2d 4.dense", 6},
		{"conv of groups", []int{4, 9, 7}, []ml.Layer{
			r.conv(4, 6, 3, ml.ConvOptions{Groups: 2, Stride: square, Dilation: [2]int{2, 1}, Padding: [2]int{2, 0}}), ml.SiLU(), ml.Flatten(), r.dense(90, 3),
		}, -1, "0.conv2d 1.silu.index 1.silu 3.dense", 5},
		{"pool before relu", []int{1, 8, 8}, []ml.Layer{
			r.conv(1, 4, 3, ml.ConvOptions{}), ml.MaxPool2d(2, 0, 0), ml.ReLU(), ml.Flatten(), r.dense(36, 3),
		}, 0, "0.conv2d 2.relu 1.maxpool2d 4.dense", 6},
		{"pool before gelu", []int{1, 8, 8}, []ml.Layer{
			r.conv(1, 4, 3, ml.ConvOptions{}), ml.MaxPool2d(2, 0, 0), ml.GELU(), ml.Flatten(), r.dense(36, 3),
		}, 0, "0.conv2d 2.gelu.index 1.maxpool2d 2.gelu 4.dense", 5},
		{"pool after relu", []int{1, 8, 8}, []ml.Layer{
			r.conv(1, 4, 3, ml.ConvOptions{}), ml.ReLU(), ml.MaxPool2d(3, 2, 1), ml.Flatten(), r.dense(36, 3),
		}, 0, "0.conv2d 1.relu 2.maxpool2d 4.dense", 6},
		{"pool without activation", []int{1, 8, 8}, []ml.Layer{
			r.conv(1, 4, 3, ml.ConvOptions{}), ml.MaxPool2d(2, 0, 0), ml.Flatten(), r.dense(36, 3),
		}, 0, "0.conv2d 0.rescale 1.maxpool2d 3.dense", 6},
		{"pool first", []int{2, 4, 4}, []ml.Layer{ml.MaxPool2d(2, 0, 0), ml.AvgPool2d(2, 0, 0), ml.Flatten(), r.dense(2, 3)}, -1, "0.maxpool2d 1.sumpool2d 3.dense", 6},
		{"mean before relu", []int{1, 8, 8}, []ml.Layer{
			r.conv(1, 4, 3, ml.ConvOptions{}), ml.AvgPool2d(2, 0, 0), ml.AvgPool2d(3, 2, 1), ml.ReLU(), ml.Flatten(), r.dense(16, 3),
		}, 0, "0.conv2d 1.sumpool2d 2.sumpool2d 3.relu 5.dense", 6},
		{"mean before tanh", []int{1, 8, 8}, []ml.Layer{
			r.conv(1, 4, 3, ml.ConvOptions{}), ml.AvgPool2d(2, 0, 0), ml.Tanh(), ml.Flatten(), r.dense(36, 3),
		}, 0, "0.conv2d 1.sumpool2d 2.tanh.index 2.tanh 4.dense", 6},
		{"mean last", []int{1, 8, 8}, []ml.Layer{r.conv(1, 4, 3, ml.ConvOptions{}), ml.AvgPool2d(6, 0, 0), ml.Flatten()}, 0, "0.conv2d 1.sumpool2d", 6},
		{"square of means", []int{1, 8, 8}, []ml.Layer{
			r.conv(1, 4, 3, ml.ConvOptions{}), ml.Square(), ml.AvgPool2d(2, 0, 0), ml.Square(), ml.Flatten(), r.dense(36, 3),
		}, 0, "0.conv2d 0.rescale 1.square 2.sumpool2d 3.rescale 3.square 5.dense", 3.5},
		{"norm behind", []int{2, 6, 6}, []ml.Layer{
			r.conv(2, 4, 3, ml.ConvOptions{Padding: [2]int{1, 1}}), r.norm(4), ml.ReLU(), ml.Flatten(), r.dense(144, 5), r.norm(5), ml.ReLU(), r.dense(5, 2),
		}, -1, "0.conv2d 2.relu 4.dense 6.relu 7.dense", 6},
		{"norm behind means", []int{2, 6, 6}, []ml.Layer{
			r.conv(2, 4, 3, ml.ConvOptions{}), ml.AvgPool2d(2, 0, 0), r.norm(4), r.norm(4), ml.ReLU(), ml.Flatten(), r.dense(16, 2),
		}, -1, "0.conv2d 1.sumpool2d 4.relu 6.dense", 6},
		{"norm behind a reshape", []int{5}, []ml.Layer{
			r.dense(5, 12), ml.Reshape(3, 2, 2), r.norm(3), ml.ReLU(), ml.Flatten(), r.dense(12, 2),
		}, -1, "0.dense 3.relu 5.dense", 6},
		{"norm in front", []int{2, 6, 6}, []ml.Layer{
			r.norm(2), r.conv(2, 4, 3, ml.ConvOptions{Groups: 2}), ml.ReLU(), r.norm(4), ml.AvgPool2d(2, 0, 0), ml.Flatten(), r.dense(16, 3),
		}, -1, "1.conv2d 2.relu 4.sumpool2d 6.dense", 6},
		{"norms in front", []int{4}, []ml.Layer{ml.ReLU(), r.norm(4), r.norm(4), r.dense(4, 3)}, -1, "0.relu 3.dense", 6},
	}
}

// TestNetworks quantises every kind of network and compares it with float64.
func TestNetworks(t *testing.T) {
	for _, n := range networks() {
		t.Run(n.name, func(t *testing.T) {
			m := sequential(t, n.in, n.layers...)
			r := seeded(2)
			x := r.tensor(n.lo, 1, append([]int{200}, n.in...)...)
			q := quantize(t, m, Options{Calibration: x})
			if got := kinds(q); got != n.ops {
				t.Errorf("ops %q, want %q", got, n.ops)
			}
			if in := q.Input(); in.Hi != 127 || (in.Lo == 0) != (n.lo == 0) {
				t.Errorf("input %v for samples from %v on", in, n.lo)
			}
			test := r.tensor(n.lo, 1, append([]int{200}, n.in...)...)
			want, err := m.Forward(test)
			if err != nil {
				t.Fatal(err)
			}
			got := run(t, q, test)
			if !slices.Equal(got.Shape, want.Shape) {
				t.Fatalf("shape %v, want %v", got.Shape, want.Shape)
			}
			squares, largest := 0.0, 0.0
			for i, v := range want.Data {
				squares += (v - got.Data[i]) * (v - got.Data[i])
				largest = max(largest, math.Abs(v))
			}
			bits := math.Log2(largest / math.Sqrt(squares/float64(len(want.Data))))
			t.Logf("%.1f bits", bits)
			if bits < n.bits {
				t.Errorf("%.2f bits, want %.1f", bits, n.bits)
			}
			// With 16 bits instead of 8 it is far better on what calibration saw, so what is
			// left above is rounding and not a mistake.
			fine := quantize(t, m, Options{Calibration: x, Weights: 16, Activations: 16, TableBits: 11})
			rep, err := fine.Compare(m, x, nil)
			if err != nil {
				t.Fatal(err)
			}
			if rep.MaxError > largest/100 {
				t.Errorf("with 16 bits the error is %.3g of %.3g", rep.MaxError, largest)
			}

			for _, v := range [][]Interval{q.Intervals(true), q.Intervals(false)} {
				if len(v) != len(q.Ops())+1 {
					t.Errorf("%d intervals", len(v))
				}
			}

			// New weights of the same network: the architecture holds.
			a := q.Architecture()
			doc, err := json.Marshal(a)
			if err != nil {
				t.Fatal(err)
			}
			var back Architecture
			if err := json.Unmarshal(doc, &back); err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(back, a) {
				t.Errorf("%+v came back as %+v", a, back)
			}
			again := quantize(t, m, Options{Calibration: x, Architecture: &back})
			if err := a.differs(again.Architecture()); err != nil {
				t.Error(err)
			}
			if got := kinds(again); got != n.ops {
				t.Errorf("again: ops %q, want %q", got, n.ops)
			}
		})
	}
}

// TestNewWeights keeps an architecture while weights and data grow and shrink.
func TestNewWeights(t *testing.T) {
	layers := func(r random, scale float64) []ml.Layer {
		var out []ml.Layer
		for _, l := range []ml.Layer{r.conv(1, 4, 3, ml.ConvOptions{}), ml.ReLU(), ml.AvgPool2d(2, 0, 0), ml.Flatten(), r.dense(36, 8), ml.Square(), r.dense(8, 6), ml.ReLU(), r.dense(6, 3)} {
			switch l := l.(type) {
			case *ml.DenseLayer:
				for i := range l.W.Data {
					l.W.Data[i] *= scale
				}
			case *ml.Conv2dLayer:
				for i := range l.W.Data {
					l.W.Data[i] *= scale
				}
			}
			out = append(out, l)
		}
		return out
	}
	in := []int{1, 8, 8}
	x := seeded(3).tensor(0, 1, 200, 1, 8, 8)
	first := quantize(t, sequential(t, in, layers(seeded(4), 1)...), Options{Calibration: x, Class: true})
	a := first.Architecture()
	for _, scale := range []float64{0.05, 0.5, 1, 2, 20} {
		for seed := range uint64(3) {
			m := sequential(t, in, layers(seeded(5+seed), scale)...)
			big := x.Clone()
			for i := range big.Data {
				big.Data[i] *= scale
			}
			q := quantize(t, m, Options{Calibration: big, Architecture: &a, Weights: 3, Activations: 3, TableBits: 4})
			if err := a.differs(q.Architecture()); err != nil {
				t.Fatal(err)
			}
			if !q.Class() {
				t.Error("the class is lost")
			}
			for i, v := range q.Intervals(true) {
				if v != first.Intervals(true)[i] {
					t.Errorf("scale %v: worst case of tensor %d is %v, want %v", scale, i, v, first.Intervals(true)[i])
				}
			}
			rep, err := q.Compare(m, big, nil)
			if err != nil {
				t.Fatal(err)
			}
			own, err := quantize(t, m, Options{Calibration: big, Class: true}).Compare(m, big, nil)
			if err != nil {
				t.Fatal(err)
			}
			if rep.RMSError > 4*own.RMSError {
				t.Errorf("scale %v, seed %d: rms error %.3g, and %.3g with an architecture of its own", scale, seed, rep.RMSError, own.RMSError)
			}
		}
	}
}

// TestNewWeightsBeforeTable lets weights in front of a table grow by what an architecture
// promises, and no more than it can hold.
func TestNewWeightsBeforeTable(t *testing.T) {
	r := seeded(6)
	w, b := r.tensor(-1, 1, 1, 10), []float64{0.2}
	x := r.tensor(-1, 1, 100, 10)
	scaled := func(s float64) *ml.Model {
		c := w.Clone()
		for i := range c.Data {
			c.Data[i] *= s
		}
		return sequential(t, []int{10}, ml.Dense(c, b), ml.Sigmoid())
	}
	q := quantize(t, scaled(1), Options{Calibration: x})
	a := q.Architecture()
	if want := (Function{"sigmoid", a.Functions[0].Range, outputPeak}); len(a.Functions) != 1 || a.Functions[0] != want || a.Threshold != outputPeak/2 {
		t.Errorf("functions %+v, threshold %d", a.Functions, a.Threshold)
	}
	for _, s := range []float64{0.01, 0.3, 0.9, 1, 1.1, 1.24} {
		m := scaled(s)
		again := quantize(t, m, Options{Calibration: x, Architecture: &a})
		rep, err := again.Compare(m, x, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := a.differs(again.Architecture()); err != nil || rep.MaxError > 0.03 {
			t.Errorf("weights times %v: %v, largest error %.3g", s, err, rep.MaxError)
		}
	}
	var ae *ArchitectureError
	if _, err := Quantize(scaled(3), Options{Calibration: x, Architecture: &a}); !errors.As(err, &ae) || !strings.Contains(err.Error(), "times too large") {
		t.Errorf("weights times 3: %v", err)
	}
}

// TestOtherNetworkRefused gives an architecture networks that it is not of.
func TestOtherNetworkRefused(t *testing.T) {
	r := seeded(7)
	x := r.tensor(0, 1, 20, 6)
	base := []ml.Layer{r.dense(6, 5), ml.ReLU(), r.dense(5, 4), ml.Tanh(), r.dense(4, 3)}
	a := quantize(t, sequential(t, []int{6}, base...), Options{Calibration: x}).Architecture()
	for _, c := range []struct {
		name   string
		in     int
		layers []ml.Layer
		change func(*Architecture)
		want   string
	}{
		{"more units", 6, []ml.Layer{r.dense(6, 7), base[1], r.dense(7, 4), base[3], base[4]}, nil, "op 0"},
		{"other activation", 6, []ml.Layer{base[0], ml.Tanh(), base[2], base[3], base[4]}, nil, "op "},
		{"other function", 6, []ml.Layer{base[0], base[1], base[2], ml.Sigmoid(), base[4]}, nil, "sigmoid"},
		{"fewer layers", 6, base[:3], nil, "network has 3"},
		{"more layers", 6, append(slices.Clone(base), ml.ReLU()), nil, "rescale here"},
		{"more inputs", 7, []ml.Layer{r.dense(7, 5), base[1], base[2], base[3], base[4]}, nil, "op 0"},
		{"no activation", 6, base[:1], nil, "1"},
		{"another shift range", 6, base, func(a *Architecture) {
			o := a.Ops[1].(Rescale)
			o.Multiplier = 3
			a.Ops[1] = o
		}, "op 1"},
		{"another table", 6, base, func(a *Architecture) {
			for i, o := range a.Ops {
				if o, ok := o.(Table); ok {
					o.Values[0]++
					a.Ops[i] = o
				}
			}
		}, "table"},
		{"invalid", 6, base, func(a *Architecture) { a.Semantics = 0 }, "semantics"},
		{"no functions", 6, base, func(a *Architecture) { a.Functions = nil }, "tanh"},
		{"bits", 6, base, func(a *Architecture) { a.Weights = 9 }, "op 0"},
		{"silly bits", 6, base, func(a *Architecture) { a.Weights = 70 }, "Weights"},
		{"threshold", 6, base, func(a *Architecture) { a.Threshold = 3 }, "other shapes"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := a.clone()
			if c.change != nil {
				c.change(&b)
			}
			_, err := Quantize(sequential(t, []int{c.in}, c.layers...), Options{Calibration: r.tensor(0, 1, 20, c.in), Architecture: &b})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got %v, want %q", err, c.want)
			}
			var ae *ArchitectureError
			if c.change == nil && !errors.As(err, &ae) {
				t.Errorf("%v is no ArchitectureError", err)
			}
		})
	}
	// Samples below zero for an unsigned input.
	var ae *ArchitectureError
	if _, err := Quantize(sequential(t, []int{6}, base...), Options{Calibration: r.tensor(-1, 1, 20, 6), Architecture: &a}); !errors.As(err, &ae) {
		t.Errorf("got %v, want an ArchitectureError", err)
	}
}

func TestUnsupported(t *testing.T) {
	r := seeded(8)
	dense := func() ml.Layer { return r.dense(4, 4) }
	image := []int{2, 4, 4}
	for _, c := range []struct {
		name   string
		in     []int
		layers []ml.Layer
		class  bool
		layer  int
		want   string
	}{
		{"softmax", []int{4}, []ml.Layer{dense(), ml.Softmax()}, false, 1, "Options.Class"},
		{"softmax and shape", []int{4}, []ml.Layer{dense(), ml.Softmax(), ml.Reshape(2, 2)}, false, 1, "Options.Class"},
		{"softmax between", []int{4}, []ml.Layer{dense(), ml.Softmax(), dense()}, true, 1, "at the end"},
		{"softmax alone", []int{4}, []ml.Layer{ml.Softmax()}, true, 0, "dense layer in front"},
		{"residual", []int{4}, []ml.Layer{ml.Residual([]ml.Layer{dense()})}, false, 0, "body"},
		{"sigmoid first", []int{4}, []ml.Layer{ml.Sigmoid(), dense()}, false, 0, "dense layer or a convolution in front"},
		{"tanh twice", []int{4}, []ml.Layer{dense(), ml.Tanh(), ml.Tanh(), dense()}, false, 2, "in front"},
		{"gelu of relu", []int{4}, []ml.Layer{dense(), ml.ReLU(), ml.GELU(), dense()}, false, 2, "in front"},
		{"silu of means of maxima", image, []ml.Layer{r.conv(2, 2, 1, ml.ConvOptions{}), ml.MaxPool2d(2, 0, 0), ml.AvgPool2d(2, 0, 0), ml.SiLU()}, false, 3, "in front"},
		{"norm between activations", []int{4}, []ml.Layer{dense(), ml.ReLU(), r.norm(4), ml.ReLU(), dense()}, false, 2, "right behind"},
		{"norm before padding", image, []ml.Layer{r.norm(2), r.conv(2, 2, 3, ml.ConvOptions{Padding: [2]int{1, 1}})}, false, 0, "without padding"},
		{"norm behind padded means", image, []ml.Layer{r.conv(2, 2, 1, ml.ConvOptions{}), ml.AvgPool2d(2, 2, 1), r.norm(2)}, false, 2, "right behind"},
		{"norm of pixels", image, []ml.Layer{r.conv(2, 2, 1, ml.ConvOptions{}), ml.Flatten(), r.norm(32)}, false, 2, "right behind"},
		{"norm alone", []int{4}, []ml.Layer{r.norm(4)}, false, 0, "right behind"},
		{"class of one square", []int{4}, []ml.Layer{r.dense(4, 1), ml.Square()}, true, 1, "dense layer with one output"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := sequential(t, c.in, c.layers...)
			_, err := Quantize(m, Options{Calibration: r.tensor(-1, 1, append([]int{10}, c.in...)...), Class: c.class})
			var ue *UnsupportedError
			if !errors.As(err, &ue) {
				t.Fatalf("got %v, want an UnsupportedError", err)
			}
			if ue.Layer != c.layer || ue.Kind != m.Layers()[c.layer].Kind() || !strings.Contains(ue.Nearest, c.want) || ue.Reason == "" {
				t.Errorf("got %+v, want layer %d and %q", ue, c.layer, c.want)
			}
		})
	}
}

// TestNormWithoutShiftPassesPadding folds into a padded convolution what zeros survive.
func TestNormWithoutShiftPassesPadding(t *testing.T) {
	r := seeded(9)
	m := sequential(t, []int{2, 4, 4}, ml.BatchNorm([]float64{2, 3}, nil, []float64{0, 0}, []float64{1, 4}, 0), r.conv(2, 3, 3, ml.ConvOptions{Padding: [2]int{1, 1}}))
	x := r.tensor(-1, 1, 50, 2, 4, 4)
	rep, err := quantize(t, m, Options{Calibration: x}).Compare(m, x, nil)
	if err != nil || rep.RMSError > 0.02 {
		t.Errorf("rms error %v, %v", rep.RMSError, err)
	}
}

// TestClass compares labels with those of float64: the tail of a model that does not move
// the largest score is gone, and a single score competes with 0.
func TestClass(t *testing.T) {
	r := seeded(10)
	for _, c := range []struct {
		name string
		in   []int
		tail []ml.Layer
		ops  string
	}{
		{"scores", []int{8}, []ml.Layer{r.dense(8, 4)}, "0.dense argmax"},
		{"softmax", []int{8}, []ml.Layer{r.dense(8, 4), ml.Softmax()}, "0.dense argmax"},
		{"sigmoids", []int{8}, []ml.Layer{r.dense(8, 4), ml.Sigmoid()}, "0.dense argmax"},
		{"tanh, softmax and shape", []int{8}, []ml.Layer{r.dense(8, 4), ml.Tanh(), ml.Reshape(2, 2), ml.Flatten(), ml.Softmax()}, "0.dense argmax"},
		{"relu", []int{8}, []ml.Layer{r.dense(8, 4), ml.ReLU()}, "0.dense 1.relu argmax"},
		{"one score", []int{8}, []ml.Layer{r.dense(8, 1)}, "0.dense argmax"},
		{"one probability", []int{8}, []ml.Layer{r.dense(8, 1), ml.Sigmoid()}, "0.dense argmax"},
		{"one score of an image", []int{2, 3, 3}, []ml.Layer{r.conv(2, 1, 3, ml.ConvOptions{}), ml.Flatten()}, "0.conv2d argmax"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := sequential(t, c.in, c.tail...)
			x := r.tensor(-1, 1, append([]int{300}, c.in...)...)
			q := quantize(t, m, Options{Calibration: x, Class: true})
			if got := kinds(q); got != c.ops || !q.Class() || q.OutputLen() != 1 || q.OutputScale() != 1 {
				t.Errorf("ops %q, want %q; class %v, %d outputs of scale %v", got, c.ops, q.Class(), q.OutputLen(), q.OutputScale())
			}
			rep, err := q.Compare(m, x, nil)
			if err != nil {
				t.Fatal(err)
			}
			if len(rep.Flips) > 9 || rep.RMSError > 0.05 {
				t.Errorf("%d of 300 labels differ, rms error %v", len(rep.Flips), rep.RMSError)
			}
			out := run(t, q, x)
			if !slices.Equal(out.Shape, []int{300, 1}) {
				t.Errorf("shape %v", out.Shape)
			}
			seen := map[float64]bool{}
			for _, v := range out.Data {
				seen[v] = true
			}
			if len(seen) < 2 {
				t.Errorf("classes %v", seen)
			}
		})
	}
}

// TestOneScoreIsClassOneAboveZero looks at the border itself.
func TestOneScoreIsClassOneAboveZero(t *testing.T) {
	w := ml.Tensor{Shape: []int{1, 1}, Data: []float64{1}}
	x := ml.Tensor{Shape: []int{3, 1}, Data: []float64{-1, 0, 1}}
	for _, class := range []bool{true, false} {
		m := sequential(t, []int{1}, ml.Dense(w, nil))
		q := quantize(t, m, Options{Calibration: x, Class: class})
		in, err := q.Encode(x)
		if err != nil {
			t.Fatal(err)
		}
		out, err := q.Forward(append(in, 1, -2), 5)
		if err != nil {
			t.Fatal(err)
		}
		if got := q.Labels(out); !slices.Equal(got, []int{0, 0, 1, 1, 0}) {
			t.Errorf("class %v: labels %v of %v", class, got, out)
		}
	}
	m := sequential(t, []int{1}, ml.Dense(w, nil), ml.Sigmoid())
	q := quantize(t, m, Options{Calibration: x})
	out, err := q.Forward([]int64{-127, -3, 0, 3, 127}, 5)
	if err != nil {
		t.Fatal(err)
	}
	if got := q.Labels(out); !slices.Equal(got, []int{0, 0, 0, 1, 1}) {
		t.Errorf("labels %v of %v", got, out)
	}
}

func TestOptionsRefused(t *testing.T) {
	m := sequential(t, []int{2}, seeded(11).dense(2, 2))
	x := seeded(12).tensor(0, 1, 5, 2)
	for _, c := range []struct {
		field string
		o     Options
	}{
		{"Weights", Options{Calibration: x, Weights: 1}}, {"Weights", Options{Calibration: x, Weights: 17}}, {"Weights", Options{Calibration: x, Weights: -8}},
		{"Activations", Options{Calibration: x, Activations: 1}}, {"Activations", Options{Calibration: x, Activations: 17}},
		{"TableBits", Options{Calibration: x, TableBits: 3}}, {"TableBits", Options{Calibration: x, TableBits: 17}},
		{"Calibration", Options{}}, {"Calibration", Options{Calibration: ml.Tensor{Shape: []int{2}, Data: []float64{1, 2}}}},
	} {
		var oe *OptionsError
		if _, err := Quantize(m, c.o); !errors.As(err, &oe) || oe.Field != c.field {
			t.Errorf("got %v, want an OptionsError for %s", err, c.field)
		}
	}
	var se *ml.ShapeError
	if _, err := Quantize(m, Options{Calibration: ml.Tensor{Shape: []int{1, 3}, Data: []float64{1, 2, 3}}}); !errors.As(err, &se) {
		t.Errorf("got %v, want a ShapeError", err)
	}
	if _, err := Quantize(m, Options{Calibration: ml.Tensor{Shape: []int{0, 2}}}); err == nil {
		t.Error("no samples: no error")
	}
	var nf *ml.NonFiniteError
	if _, err := Quantize(m, Options{Calibration: ml.Tensor{Shape: []int{1, 2}, Data: []float64{1, math.NaN()}}}); !errors.As(err, &nf) {
		t.Errorf("got %v, want a NonFiniteError", err)
	}
	if _, err := Quantize(sequential(t, []int{2}, ml.Flatten()), Options{Calibration: x}); err == nil {
		t.Error("a model of nothing: no error")
	}
}

// TestOverflowNamesLayer squares 16-bit numbers until no accumulator holds them.
func TestOverflowNamesLayer(t *testing.T) {
	r := seeded(13)
	m := sequential(t, []int{1, 64, 64}, ml.Square(), ml.AvgPool2d(64, 0, 0), ml.Flatten(), r.dense(1, 2))
	x := r.tensor(-1, 1, 3, 1, 64, 64)
	if _, err := Quantize(m, Options{Calibration: x, Weights: 16, Activations: 16}); err != nil {
		t.Errorf("30 + 12 + 15 bits: %v", err)
	}
	m = sequential(t, []int{1, 128, 128}, ml.Square(), ml.AvgPool2d(128, 0, 0), ml.Reshape(1, 1, 1), ml.AvgPool2d(1, 0, 0), ml.Flatten(), r.dense(1, 2))
	if _, err := Quantize(m, Options{Calibration: r.tensor(-1, 1, 3, 1, 128, 128), Weights: 16, Activations: 16}); err != nil {
		t.Errorf("30 + 14 + 15 bits: %v", err)
	}
	m = sequential(t, []int{1, 512, 512}, ml.Square(), ml.AvgPool2d(512, 0, 0), ml.Flatten(), r.dense(1, 2))
	var oe *OpError
	_, err := Quantize(m, Options{Calibration: r.tensor(-1, 1, 1, 1, 512, 512), Weights: 16, Activations: 16})
	if !errors.As(err, &oe) || !errors.Is(err, ErrOverflow) || oe.Name != "3.dense" {
		t.Errorf("30 + 18 + 15 bits: %v", err)
	}
}

// TestBiasRange checks what biases may be against the rule in words.
func TestBiasRange(t *testing.T) {
	for _, c := range []struct{ sum, hi int64 }{
		{1, 1<<15 - 1}, {127 * 127 * 30, 1<<15 - 1}, {127 * 127 * 25, 1<<16 - 1}, {127 * 127 * 784, 1<<21 - 1},
		{1<<20 - 1, 1<<16 - 1}, {1 << 19, 1<<19 - 1}, {1<<62 - 1, 1<<58 - 1},
	} {
		got := biasRange(c.sum)
		if got != (Interval{-c.hi, c.hi}) {
			t.Errorf("sum %d: %v, want ±%d", c.sum, got, c.hi)
		}
	}
	// A bias far beyond the products pushes the unit of the weights up.
	m := sequential(t, []int{1}, ml.Dense(ml.Tensor{Shape: []int{1, 1}, Data: []float64{1}}, []float64{10}))
	x := ml.Tensor{Shape: []int{2, 1}, Data: []float64{-1, 1}}
	rep, err := quantize(t, m, Options{Calibration: x}).Compare(m, x, nil)
	if err != nil || rep.MaxError > 0.03 {
		t.Errorf("largest error %v, %v", rep.MaxError, err)
	}
}

// TestDeadLayers quantises what calibration sees only zeros of.
func TestDeadLayers(t *testing.T) {
	zero := ml.Tensor{Shape: []int{2, 2}, Data: make([]float64, 4)}
	r := seeded(14)
	x := r.tensor(-1, 1, 4, 2)
	for name, layers := range map[string][]ml.Layer{
		"weights": {ml.Dense(zero, nil), ml.ReLU(), r.dense(2, 2)},
		"relu":    {ml.Dense(r.tensor(-1, 1, 2, 2), []float64{-9, -9}), ml.ReLU(), r.dense(2, 2)},
		"tanh":    {ml.Dense(zero, nil), ml.Tanh(), r.dense(2, 2)},
		"square":  {ml.Dense(zero, nil), ml.Square(), ml.Square(), r.dense(2, 2)},
	} {
		m := sequential(t, []int{2}, layers...)
		rep, err := quantize(t, m, Options{Calibration: x}).Compare(m, x, nil)
		if err != nil || rep.MaxError > 0.02 {
			t.Errorf("%s: largest error %v, %v", name, rep.MaxError, err)
		}
	}
	m := sequential(t, []int{2}, r.dense(2, 2))
	if q := quantize(t, m, Options{Calibration: ml.Tensor{Shape: []int{1, 2}, Data: []float64{0, 0}}}); q.InputScale() != 1 {
		t.Errorf("input scale %v for samples of zeros", q.InputScale())
	}
}

// TestExtremeScales quantises numbers near the ends of float64.
func TestExtremeScales(t *testing.T) {
	for _, s := range []float64{1e-300, 1e-150, 1e150, 1e300} {
		w := ml.Tensor{Shape: []int{1, 1}, Data: []float64{s}}
		m := sequential(t, []int{1}, ml.Dense(w, nil), ml.ReLU(), ml.Dense(w, nil))
		x := ml.Tensor{Shape: []int{1, 1}, Data: []float64{1 / s}}
		q, err := Quantize(m, Options{Calibration: x})
		if err != nil {
			t.Errorf("%v: %v", s, err)
			continue
		}
		if got := run(t, q, x).Data[0]; math.Abs(got/s-1) > 0.01 {
			t.Errorf("%v: %v", s, got)
		}
	}
	tiny := ml.Dense(ml.Tensor{Shape: []int{1, 1}, Data: []float64{1e-200}}, nil)
	_, err := Quantize(sequential(t, []int{1}, tiny, ml.ReLU(), tiny), Options{Calibration: ml.Tensor{Shape: []int{1, 1}, Data: []float64{1}}})
	var oe *OpError
	if !errors.As(err, &oe) {
		t.Errorf("scales that vanish: %v", err)
	}
}

// TestEncode rounds and saturates by hand, and refuses what is no input. Zero has one encoding, whatever its sign.
//
// Soundness: S13b.
func TestEncode(t *testing.T) {
	m := build(t, Definition{
		Architecture: Architecture{Semantics: 1, InputShape: []int{2}, OutputShape: []int{2}, Input: Interval{-3, 4}, Ops: []Op{Square{"s"}}},
		Scales:       []float64{0.5, 0.25}, Calibrated: []float64{0, 0},
	})
	x := ml.Tensor{Shape: []int{5, 2}, Data: []float64{0.25, -0.25, 0.2499999999999999, -0.2500000000000001, 0.75, -0.75, 2.2, 2.25, -1.75, -1e300}}
	in, err := m.Encode(x)
	if err != nil {
		t.Fatal(err)
	}
	// Halves go up: 0.5 to 1, -0.5 to 0, -1.5 to -1, -3.5 to -3.
	if want := []int64{1, 0, 0, -1, 2, -1, 4, 4, -3, -3}; !slices.Equal(in, want) {
		t.Errorf("got %v, want %v", in, want)
	}
	if one, err := m.Encode(ml.Tensor{Shape: []int{2}, Data: []float64{1, 1}}); err != nil || !slices.Equal(one, []int64{2, 2}) {
		t.Errorf("one sample: %v, %v", one, err)
	}
	if zeros, err := m.Encode(ml.Tensor{Shape: []int{2}, Data: []float64{0, math.Copysign(0, -1)}}); err != nil || !slices.Equal(zeros, []int64{0, 0}) {
		t.Errorf("zeros of both signs: %v, %v", zeros, err)
	}
	if got := m.Decode([]int64{4, 9, 1, 0}); !reflect.DeepEqual(got, ml.Tensor{Shape: []int{2, 2}, Data: []float64{1, 2.25, 0.25, 0}}) {
		t.Errorf("decoded %v", got)
	}
	for _, out := range [][]int64{nil, {1}, {1, 2, 3}} {
		if got := m.Decode(out); got.Shape != nil {
			t.Errorf("%v decoded to %v", out, got)
		}
		if got := m.Labels(out); len(got) != 0 {
			t.Errorf("%v labelled %v", out, got)
		}
	}
	for _, x := range []ml.Tensor{
		{}, {Shape: []int{3}, Data: []float64{1, 2, 3}}, {Shape: []int{1, 1, 2}, Data: []float64{1, 2}}, {Shape: []int{2, 2}, Data: []float64{1, 2}},
		{Shape: []int{0, 2}}, {Shape: []int{-1, 2}, Data: []float64{1, 2}}, {Shape: []int{math.MaxInt, 2}, Data: []float64{1, 2}}, {Shape: []int{2}, Data: []float64{1}},
	} {
		var se *ml.ShapeError
		if _, err := m.Encode(x); !errors.As(err, &se) {
			t.Errorf("shape %v: got %v, want a ShapeError", x.Shape, err)
		}
	}
	for _, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		var nf *ml.NonFiniteError
		if _, err := m.Encode(ml.Tensor{Shape: []int{2}, Data: []float64{0, v}}); !errors.As(err, &nf) || nf.Index != 1 {
			t.Errorf("%v: got %v, want a NonFiniteError", v, err)
		}
	}
}

// TestRandomNetworks quantises random networks of dense layers and activations, and
// checks that inputs from anywhere stay in their intervals and agree with the oracle.
func TestRandomNetworks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := seeded(rapid.Uint64().Draw(t, "seed"))
		width := rapid.IntRange(1, 6).Draw(t, "inputs")
		in := width
		var layers []ml.Layer
		for range rapid.IntRange(1, 4).Draw(t, "layers") {
			out := rapid.IntRange(1, 6).Draw(t, "outputs")
			layers = append(layers, r.dense(width, out))
			if rapid.Bool().Draw(t, "norm") {
				layers = append(layers, r.norm(out))
			}
			switch rapid.IntRange(0, 6).Draw(t, "activation") {
			case 1:
				layers = append(layers, ml.ReLU())
			case 2:
				layers = append(layers, ml.Sigmoid())
			case 3:
				layers = append(layers, ml.Tanh())
			case 4:
				layers = append(layers, ml.SiLU())
			case 5:
				layers = append(layers, ml.GELU())
			case 6:
				layers = append(layers, ml.Square())
			}
			width = out
		}
		m, err := ml.SequentialFor([]int{in}, layers...)
		if err != nil {
			t.Fatal(err)
		}
		o := Options{
			Calibration: r.tensor(-1, 1, 20, in), TableBits: 6,
			Weights: rapid.IntRange(2, 9).Draw(t, "weight bits"), Activations: rapid.IntRange(2, 9).Draw(t, "activation bits"),
		}
		q, err := Quantize(m, o)
		var ue *UnsupportedError
		if errors.As(err, &ue) && strings.Contains(ue.Reason, "table") && min(o.Weights, o.Activations) < 8 { // coarse integers may not reach a table
			t.Skip(err)
		}
		if err != nil {
			t.Fatal(err)
		}
		wild := r.tensor(-100, 100, 3, in) // far from the calibration set
		ints, err := q.Encode(wild)
		if err != nil {
			t.Fatal(err)
		}
		trace, err := q.Trace(ints, 3)
		if err != nil {
			t.Fatal(err)
		}
		exact, worst := q.Intervals(false), q.Intervals(true)
		x := toBig(ints[:in])
		for i := range trace {
			if i > 0 {
				x = reference(q.Ops()[i-1], x)
			}
			if got := trace[i][:q.sizes[i]]; !slices.Equal(got, toInts(x)) {
				t.Fatalf("tensor %d: %v, want %v", i, got, x)
			}
			for _, v := range trace[i] {
				if !exact[i].Contains(v) || !exact[i].within(worst[i]) {
					t.Fatalf("tensor %d: %d outside %v or that outside %v", i, v, exact[i], worst[i])
				}
			}
		}
	})
}

// TestLargeNetworks quantises the two networks that proofs are measured on, with random
// weights.
func TestLargeNetworks(t *testing.T) {
	if testing.Short() {
		t.Skip("millions of weights")
	}
	for _, s := range [][]int{{784, 1024, 256, 10}, {784, 3072, 2048, 512, 10}} {
		t.Run(fmt.Sprint(s), func(t *testing.T) {
			r := seeded(15)
			var layers []ml.Layer
			for i := range len(s) - 1 {
				if i > 0 {
					layers = append(layers, ml.ReLU())
				}
				layers = append(layers, r.dense(s[i], s[i+1]))
			}
			m := sequential(t, s[:1], layers...)
			x := r.tensor(0, 1, 20, s[0])
			q := quantize(t, m, Options{Calibration: x, Class: true})
			rep, err := q.Compare(m, x, nil)
			if err != nil {
				t.Fatal(err)
			}
			if len(rep.Flips) > 3 {
				t.Errorf("%d of 20 labels differ", len(rep.Flips))
			}
		})
	}
}
