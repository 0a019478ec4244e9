package train

import (
	"math"
	"math/rand/v2"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// convStep is the product of a batch of LeNet-5's second convolution with its gradients,
// by this package or by gorgonia. After run, values are the sum of the output, and the
// gradients of that sum by x and by the weights.
type convStep struct {
	vm     gorgonia.VM
	values [3]gorgonia.Value
}

const convBatch = 128

func newConvStep(t testing.TB, stock bool) *convStep {
	t.Helper()
	rng := rand.New(rand.NewPCG(1, 1))
	normal := func(n int) []float32 {
		d := make([]float32, n)
		for i := range d {
			d[i] = float32(rng.NormFloat64())
		}
		return d
	}
	x, w, mask := normal(convBatch*6*14*14), normal(16*6*25), normal(convBatch*16*100)
	g := gorgonia.NewGraph()
	node := func(name string, data []float32, shape ...int) *gorgonia.Node {
		v := tensor.New(tensor.WithShape(shape...), tensor.WithBacking(data))
		return gorgonia.NewTensor(g, tensor.Float32, len(shape), gorgonia.WithShape(shape...), gorgonia.WithName(name), gorgonia.WithValue(v))
	}
	var in gorgonia.Nodes
	var y *gorgonia.Node
	var err error
	if stock {
		in = gorgonia.Nodes{node("x", x, convBatch, 6, 14, 14), node("w", w, 16, 6, 5, 5), node("mask", mask, convBatch, 16, 10, 10)}
		y, err = gorgonia.Conv2d(in[0], in[1], tensor.Shape{5, 5}, []int{0, 0}, []int{1, 1}, []int{1, 1})
	} else {
		s, err2 := stages([]LayerSpec{Conv2d(ConvSpec{Out: 16, Kernel: 5})}, []int{6, 14, 14})
		if err2 != nil {
			t.Fatal(err2)
		}
		in = gorgonia.Nodes{node("x", x, convBatch, 6*14*14), node("w", w, 16, 150), node("mask", mask, convBatch, 1600)}
		y, err = newConvolution(s[0], convBatch).apply(in[0], in[1])
	}
	if err != nil {
		t.Fatal(err)
	}
	if y, err = gorgonia.HadamardProd(y, in[2]); err != nil {
		t.Fatal(err)
	}
	cost, err := gorgonia.Sum(y)
	if err != nil {
		t.Fatal(err)
	}
	grads, err := gorgonia.Grad(cost, in[0], in[1])
	if err != nil {
		t.Fatal(err)
	}
	s := &convStep{}
	out := gorgonia.Nodes{gorgonia.Read(cost, &s.values[0]), gorgonia.Read(grads[0], &s.values[1]), gorgonia.Read(grads[1], &s.values[2])}
	prog, locs, err := gorgonia.CompileFunction(g, in, out)
	if err != nil {
		t.Fatal(err)
	}
	s.vm = gorgonia.NewTapeMachine(g, gorgonia.WithPrecompiled(prog, locs))
	t.Cleanup(func() { s.vm.Close() })
	return s
}

func (s *convStep) run(t testing.TB) {
	s.vm.Reset()
	if err := s.vm.RunAll(); err != nil {
		t.Fatal(err)
	}
}

// TestConv2dMatchesGorgonia compares output and gradients with gorgonia's own operation.
// Tolerance: sums of up to 12,800 products in float32.
func TestConv2dMatchesGorgonia(t *testing.T) {
	stock, own := newConvStep(t, true), newConvStep(t, false)
	stock.run(t)
	own.run(t)
	for i, what := range []string{"sum", "gradient of the input", "gradient of the weights"} {
		want, err := floats(stock.values[i])
		if err != nil {
			t.Fatal(err)
		}
		got, err := floats(own.values[i])
		if err != nil || len(got) != len(want) {
			t.Fatalf("%s: %d numbers, want %d: %v", what, len(got), len(want), err)
		}
		top := 0.0
		for _, v := range want {
			top = max(top, math.Abs(float64(v)))
		}
		for k, v := range want {
			if math.Abs(float64(v)-float64(got[k])) > 1e-4*top {
				t.Errorf("%s: element %d: %v, gorgonia has %v", what, k, got[k], v)
				break
			}
		}
	}
}

func BenchmarkConv2d(b *testing.B) {
	for _, impl := range []string{"train", "gorgonia"} {
		b.Run("conv=16@6x5x5/batch=128/impl="+impl, func(b *testing.B) {
			s := newConvStep(b, impl == "gorgonia")
			for b.Loop() {
				s.run(b)
			}
			b.ReportMetric(float64(convBatch*b.N)/b.Elapsed().Seconds(), "samples/s")
		})
	}
}
