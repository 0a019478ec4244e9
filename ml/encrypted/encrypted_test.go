package encrypted

import (
	"math"
	"slices"
	"testing"

	"github.com/signet-ml/signet/ml"
)

// network is one model of the table that encrypted results are compared on.
type network struct {
	name   string
	model  func(tb testing.TB) *ml.Model
	target Target
	slack  float64 // bits by which the prediction may be too low, beside two
}

func networks() []network {
	lr := func(tb testing.TB) *ml.Model { return sequential(tb, dense(1, 30, 1), ml.Sigmoid()) }
	mlp := func(in, hidden, out int, act ml.Layer) func(tb testing.TB) *ml.Model {
		return func(tb testing.TB) *ml.Model {
			return sequential(tb, dense(hidden, in, 2), act, dense(out, hidden, 3))
		}
	}
	squares := func(tb testing.TB) *ml.Model {
		return sequential(tb, dense(12, 40, 4), ml.Square(), dense(6, 12, 5), ml.Square(), dense(3, 6, 6))
	}
	merged := func(tb testing.TB) *ml.Model { return sequential(tb, dense(9, 12, 7), dense(5, 9, 8)) }
	images := func(tb testing.TB) *ml.Model {
		m, err := ml.SequentialFor([]int{1, 6, 5}, ml.Flatten(), dense(7, 30, 9), ml.Square(), dense(4, 7, 10), ml.Softmax())
		if err != nil {
			tb.Fatal(err)
		}
		return m
	}
	ending := func(tb testing.TB) *ml.Model { return sequential(tb, dense(3, 10, 11), ml.Square()) }
	three := func(tb testing.TB) *ml.Model { return sequential(tb, dense(3, 10, 12), ml.Sigmoid()) }
	list := []network{
		{name: "LR", model: lr, target: Target{}},
		{name: "LR sigmoid", model: lr, target: Target{ServerActivation: true}},
		{name: "LR batch", model: lr, target: Target{Batch: 100}},
		{name: "LR batch sigmoid", model: lr, target: Target{Batch: 100, ServerActivation: true}},
		{name: "LR batch scores", model: lr, target: Target{Packing: Batch}},
		{name: "3 sigmoids", model: three, target: Target{ServerActivation: true}},
		{name: "3 sigmoids batch", model: three, target: Target{Batch: 64, ServerActivation: true}},
		{name: "MLP 784-32-10", model: mlp(784, 32, 10, ml.Square()), target: Target{Packing: Single}},
		{name: "MLP 784-128-10", model: mlp(784, 128, 10, ml.Square()), target: Target{Packing: Single}},
		{name: "MLP 50-16-10 batch", model: mlp(50, 16, 10, ml.Square()), target: Target{Batch: 200}},
		{name: "two squares", model: squares, target: Target{Packing: Single}},
		{name: "two squares batch", model: squares, target: Target{Batch: 30}},
		{name: "hidden sigmoid", model: mlp(20, 6, 3, ml.Sigmoid()), target: Target{Packing: Single}},
		{name: "hidden sigmoid batch", model: mlp(20, 6, 3, ml.Sigmoid()), target: Target{Batch: 20}},
		{name: "hidden tanh", model: mlp(20, 6, 3, ml.Tanh()), target: Target{Packing: Single}},
		{name: "hidden SiLU", model: mlp(20, 6, 3, ml.SiLU()), target: Target{Packing: Single}},
		{name: "hidden GELU batch", model: mlp(20, 6, 3, ml.GELU()), target: Target{Batch: 20}},
		{name: "hidden ReLU", model: mlp(20, 6, 3, ml.ReLU()), target: Target{Packing: Single},
			slack: 2}, // the error of a comparison depends on how many values lie near 0
		{name: "merged", model: merged, target: Target{Packing: Single}},
		{name: "merged batch", model: merged, target: Target{Batch: 2}},
		{name: "images", model: images, target: Target{Packing: Single}},
		{name: "ends with square", model: ending, target: Target{Packing: Single}},
		{name: "ends with square batch", model: ending, target: Target{Batch: 8}},
		{name: "20 bits", model: mlp(50, 16, 10, ml.Square()), target: Target{Packing: Single, Precision: 20}},
		{name: "20 bits batch", model: mlp(50, 16, 10, ml.Square()), target: Target{Batch: 16, Precision: 20}},
	}
	return append(list, convolutions()...)
}

// errorsOfSlots are the differences of decrypted slots from what a twin computes.
type errorsOfSlots struct {
	top    float64   // what bits are relative to
	sum    float64   // of squares, in real parts of slots that hold samples
	count  int       // of those
	worst  float64   // of declared outputs
	imag   float64   // the largest in an imaginary part
	scores ml.Tensor // decrypted
}

func (e *errorsOfSlots) add(o errorsOfSlots) {
	e.top, e.sum, e.count, e.worst, e.imag = o.top, e.sum+o.sum, e.count+o.count, max(e.worst, o.worst), max(e.imag, o.imag)
}

// bits is the precision relative to the largest output, as the plan predicts it.
func (e *errorsOfSlots) bits() float64 { return math.Log2(e.top / math.Sqrt(e.sum/float64(e.count))) }

// compare runs samples under encryption and decrypts all slots of all outputs: each must hold, with so many bits, what
// the twin says, a repetition of it, or zero. Imaginary parts are zero.
func (s *session) compare(t *testing.T, x ml.Tensor, top, precision float64) errorsOfSlots {
	t.Helper()
	plan, n := s.plan, x.Rows()
	_, out := s.run(t, x)
	padded, err := plan.Pack(x)
	if err != nil {
		t.Fatal(err)
	}
	want, err := plan.Twin().Scores(ml.Tensor{Shape: []int{plan.Samples(), x.Len() / n}, Data: padded})
	if err != nil {
		t.Fatal(err)
	}
	e := errorsOfSlots{top: top, scores: s.scores(t, out, n)}
	for i, v := range e.scores.Data {
		e.worst = max(e.worst, math.Abs(v-want.Data[i]))
	}
	all := s.everything(t, out)
	for c, slots := range s.declared(t, want) {
		for k, v := range slots {
			d := all[c][k] - v
			if bits := math.Log2(top / math.Abs(d)); bits < precision {
				_, worst := plan.PredictedBits()
				t.Fatalf("ciphertext %d of %d, real slot %d of %d holds %g, declared %g: %.1f bits, predicted %.1f at worst", c, len(all), k, len(slots), all[c][k], v, bits, worst)
			}
			switch {
			case k >= len(slots)/2:
				e.imag = max(e.imag, math.Abs(d))
			default:
				e.sum += d * d
				e.count++
			}
		}
	}
	return e
}

// shortNetworks has a network of every kind: packings, products, activations, residuals, pools and encrypted weights.
var shortNetworks = []string{"LR", "LR batch", "hidden sigmoid", "two squares batch", "residual of the input", "pool of 4", "image out", "encrypted weights", "batchnorm"}

// TestEncryptedNetworks runs every network. All slots of all outputs are decrypted, so one test answers three questions:
// whether the results have the bits that were asked for, whether the noise is what the plan predicts, and whether
// anything but the declared outputs, replicas of them and zeros ever reaches the client.
func TestEncryptedNetworks(t *testing.T) {
	for _, net := range networks() {
		t.Run(net.name, func(t *testing.T) {
			if testing.Short() && !slices.Contains(shortNetworks, net.name) {
				t.Skip("shorter networks of its kind run in its place")
			}
			m := net.model(t)
			cal := inputs(256, m.InputLen(), 99)
			net.target.Calibration = cal
			plan := compile(t, m, net.target)
			s := open(t, plan)
			top := largest(t, plan, cal)
			mean, _ := plan.PredictedBits()
			precision := net.target.Precision
			if precision == 0 {
				precision = defaultPrecision
			}
			runs := 3
			if plan.Packing() == Batch {
				runs = 1
			}
			var total errorsOfSlots
			for r := range runs {
				n := min(plan.Samples(), 64) // the other samples of a batch repeat them
				x := inputs(n, m.InputLen(), uint64(200+r))
				e := s.compare(t, x, top, precision-1)
				total.add(e)
				got := e.scores
				// The model agrees with the twin as far as the approximations of activations and weights allow.
				shaped, err := ml.NewTensor(append([]int{n}, m.InputShape()...), x.Data)
				if err != nil {
					t.Fatal(err)
				}
				model, err := m.Forward(shaped)
				if err != nil {
					t.Fatal(err)
				}
				done, err := finish(plan.twin.finish, got)
				if err != nil {
					t.Fatal(err)
				}
				for i, v := range done.Data {
					if d := math.Abs(v - model.Data[i]); d > 0.1*max(1, spanOf(model.Data).abs()) {
						t.Errorf("output %d: %g, the model gives %g", i, v, model.Data[i])
					}
				}
			}
			if bits := math.Log2(top / total.worst); bits < precision {
				t.Errorf("%.1f bits, %.1f were asked for", bits, precision)
			}
			measured := total.bits()
			t.Logf("%-22s %-6v %-60v predicted %.1f measured %.1f (imaginary at worst %.1f), worst output %.1f bits", net.name, plan.Packing(), plan.Parameters(), mean, measured,
				math.Log2(top/total.imag), math.Log2(top/total.worst))
			if d := measured - mean; d < -2 || d > 2+net.slack {
				t.Errorf("%.1f bits measured, %.1f predicted", measured, mean)
			}
		})
	}
}
