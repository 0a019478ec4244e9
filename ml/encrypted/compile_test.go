package encrypted

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/program/cost"
	"github.com/signet-ml/signet/ml"
	"github.com/signet-ml/signet/ml/internal/feature"
)

func TestTargetsAreChecked(t *testing.T) {
	m := sequential(t, dense(2, 5, 1))
	cal := inputs(256, 5, 99)
	nan := cal.Clone()
	nan.Data[7] = math.NaN()
	for name, tc := range map[string]struct {
		target Target
		want   string
	}{
		"no calibration":    {Target{}, "a calibration set of 0 samples; at least 256"},
		"too few":           {Target{Calibration: inputs(255, 5, 1)}, "a calibration set of 255 samples"},
		"fewer than wanted": {Target{Calibration: inputs(9, 5, 1), MinCalibration: 10}, "at least 10"},
		"negative minimum":  {Target{Calibration: cal, MinCalibration: -1}, "MinCalibration = -1"},
		"other width":       {Target{Calibration: inputs(256, 6, 1)}, "calibration tensor of shape [256 6]; the model takes samples of shape [5]"},
		"shape without data": {Target{Calibration: ml.Tensor{Shape: []int{256, 5}, Data: cal.Data[:9]}},
			"calibration"},
		"zeros":          {Target{Calibration: ml.Tensor{Shape: []int{256, 5}, Data: make([]float64, 1280)}}, "holds zeros only"},
		"NaN":            {Target{Calibration: nan}, "NaN"},
		"packing":        {Target{Calibration: cal, Packing: 3}, "unknown packing 3"},
		"security":       {Target{Calibration: cal, Security: 6}, "unknown security level 6"},
		"insecure":       {Target{Calibration: cal, Security: 0xff}, "unknown security level 255"},
		"negative batch": {Target{Calibration: cal, Batch: -1}, "a batch of -1 samples"},
		"batch":          {Target{Calibration: cal, Batch: maxBatch + 1}, "a batch of 131073 samples; 1 to 131072"},
		"single":         {Target{Calibration: cal, Batch: 2, Packing: Single}, "packing single holds one sample, the target wants 2"},
		"precision":      {Target{Calibration: cal, Precision: 41}, "a precision of 41 bits; up to 40"},
		"negative":       {Target{Calibration: cal, Precision: -1}, "a precision of -1 bits"},
		"no number":      {Target{Calibration: cal, Precision: math.NaN()}, "a precision of NaN bits"},
	} {
		p, err := Compile(m, tc.target)
		if err == nil || !strings.HasPrefix(err.Error(), "encrypted: ") || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: got %v, %v; want an error with %q", name, p, err, tc.want)
		}
	}
	if _, err := Compile(nil, Target{Calibration: cal}); err == nil {
		t.Error("nil model")
	}
	if _, err := Compile(m, Target{Calibration: inputs(10, 5, 1), MinCalibration: 10}); err != nil {
		t.Errorf("as few as wanted: %v", err)
	}
	// NaN weights do not get as far as here.
	if _, err := ml.Sequential(ml.Dense(ml.Tensor{Shape: []int{1, 1}, Data: []float64{math.NaN()}}, []float64{0})); err == nil {
		t.Error("a model with NaN weights exists")
	}
	zero := sequential(t, ml.Dense(ml.Tensor{Shape: []int{2, 5}, Data: make([]float64, 10)}, make([]float64, 2)))
	if _, err := Compile(zero, Target{Calibration: cal}); err == nil || !strings.Contains(err.Error(), "is zero") {
		t.Errorf("a model whose outputs are zero: %v", err)
	}
}

// TestUnsupportedLayers: what TestSplitRefuses refuses is refused for every target.
func TestUnsupportedLayers(t *testing.T) {
	for _, layers := range [][]ml.Layer{
		{same(3, 2, 1), ml.MaxPool2d(2, 2, 0), ml.Flatten(), dense(2, 12, 2)},
		{ml.Flatten(), ml.Softmax(), dense(2, 32, 2)},
	} {
		m, err := ml.SequentialFor([]int{2, 4, 4}, layers...)
		if err != nil {
			t.Fatal(err)
		}
		for _, target := range []Target{{}, {Packing: Single}, {Batch: 7}, {Patches: true}} {
			target.Calibration = inputs(256, m.InputLen(), 1)
			_, err := Compile(m, target)
			var u *UnsupportedLayerError
			if !errors.As(err, &u) || u.Layer != 1 || u.Kind != layers[1].Kind() || strings.Count(err.Error(), u.Reason) != 1 {
				t.Errorf("%v: %v", m, err)
			}
		}
	}
	if m, err := ml.SequentialFor([]int{5}, ml.Softmax()); err == nil {
		if _, err := Compile(m, Target{Calibration: inputs(256, 5, 1)}); err == nil {
			t.Error("a softmax alone compiles")
		}
	}
}

// deep returns a model of so many squares.
func deep(t *testing.T, squares int) *ml.Model {
	var layers []ml.Layer
	for i := range squares {
		layers = append(layers, dense(4, 4, uint64(i)), ml.Square())
	}
	return sequential(t, append(layers, dense(2, 4, 77))...)
}

func TestInfeasibleDepth(t *testing.T) {
	for _, packing := range []Packing{Single} { // TestInfeasibleSizes has the batch
		m := deep(t, 60)
		_, err := Compile(m, Target{Calibration: inputs(256, 4, 1), Packing: packing})
		var e *InfeasibleError
		if !errors.As(err, &e) {
			t.Fatalf("%v: %v", packing, err)
		}
		t.Log(err)
		levels := 120
		if e.Levels != levels || e.Precision || e.Err != nil || !(e.Missing > 0) || e.Row != "classical 128, N=2^16, log2(QP) at most 1747" {
			t.Errorf("%v: %+v", packing, e)
		}
		// Every stage takes two levels: the modulus runs out at the one after those that are said to fit.
		var used, of, layer int
		if _, err := fmt.Sscanf(e.Nearest, "%d of %d levels fit", &used, &of); err != nil || of != levels {
			t.Fatalf("%v: nearest %q", packing, e.Nearest)
		}
		if _, err := fmt.Sscanf(e.Layer, "dense%d", &layer); err != nil || layer < 2 || layer > 60 {
			t.Errorf("%v: layer %q", packing, e.Layer)
		}
		if want := used/2 + 1; layer != want {
			t.Errorf("%v: %d levels fit but the modulus runs out at %q", packing, used, e.Layer)
		}
	}
}

func TestInfeasiblePrecision(t *testing.T) {
	for _, tc := range []struct {
		packing Packing
		squares int
	}{{Single, 3}, {Batch, 2}} {
		m := deep(t, tc.squares)
		target := Target{Calibration: inputs(256, 4, 1), Packing: tc.packing, Precision: 40}
		_, err := Compile(m, target)
		var e *InfeasibleError
		if !errors.As(err, &e) {
			t.Fatalf("%v: %v", tc.packing, err)
		}
		t.Log(err)
		if !e.Precision || !(e.Missing > 0) || e.Err != nil || !strings.Contains(e.Layer, "dense") || !strings.Contains(e.Row, "classical 128, N=2^1") {
			t.Errorf("%v: %+v", tc.packing, e)
		}
		var bits float64
		if _, err := fmt.Sscanf(e.Nearest, "a target of %f bits of precision works", &bits); err != nil {
			t.Fatalf("%v: nearest %q", tc.packing, e.Nearest)
		}
		if bits > 40-e.Missing || bits < 40-e.Missing-1 {
			t.Errorf("%v: %.1f bits are lacking, nearest %q", tc.packing, e.Missing, e.Nearest)
		}
		target.Precision = bits
		p, err := Compile(m, target)
		if err != nil {
			t.Fatalf("%v: the nearest target does not work: %v", tc.packing, err)
		}
		if _, worst := p.PredictedBits(); worst < bits+predictionMargin {
			t.Errorf("%v: %.1f bits predicted for a target of %.1f", tc.packing, worst, bits)
		}
		target.Precision++
		if _, err := Compile(m, target); !errors.As(err, &e) {
			t.Errorf("%v: one bit above the nearest target works: %v", tc.packing, err)
		}
	}
}

func TestInfeasibleSizes(t *testing.T) {
	many := sequential(t, scaled(270000, 1, 0.01, 1)) // outputs
	wide := sequential(t, scaled(1, 40000, 0.01, 1))
	for _, tc := range []struct {
		m       *ml.Model
		packing Packing
		want    string
	}{
		{many, Single, "270000 values do not fit 8 ciphertexts of 32768 slots"},
		{many, Batch, "270000 ciphertexts of results, a port has at most 16384"},
		{wide, Batch, "1 to 4096 integers"},
	} {
		_, err := Compile(tc.m, Target{Calibration: inputs(2, tc.m.InputLen(), 1), MinCalibration: 1, Packing: tc.packing})
		var e *InfeasibleError
		if !errors.As(err, &e) || e.Layer != "dense1" || e.Err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%v: %v", tc.packing, err)
		}
	}
	if p, err := Compile(wide, Target{Calibration: inputs(2, 40000, 1), MinCalibration: 1}); err != nil || p.Packing() != Single {
		t.Errorf("40000 features: %v", err)
	}
	// Integer weights make the scale of a batch grow with depth.
	_, err := Compile(deep(t, 60), Target{Calibration: inputs(256, 4, 1), Packing: Batch})
	var e *InfeasibleError
	var layer int
	if !errors.As(err, &e) || e.Err == nil || !strings.Contains(err.Error(), "too large for any prime") {
		t.Fatalf("60 squares: %v", err)
	}
	if _, err := fmt.Sscanf(e.Layer, "dense%d", &layer); err != nil || layer < 4 || layer > 12 {
		t.Errorf("60 squares: layer %q", e.Layer)
	}
	// Auto takes the packing that works: 5000 features fit one ciphertext, not one linear combination.
	p, err := Compile(sequential(t, scaled(1, 5000, 0.01, 1)), Target{Calibration: inputs(2, 5000, 1), MinCalibration: 1})
	if err != nil || p.Packing() != Single {
		t.Errorf("5000 features: %v", err)
	}
	// Too many ciphertexts for a port in a small ring: a larger one holds more samples in each.
	p, err = Compile(sequential(t, dense(2, 200, 1)), Target{Calibration: inputs(256, 200, 1), Batch: maxBatch})
	if err != nil || p.Parameters().LogN() <= minLogN || p.Samples() < maxBatch {
		t.Errorf("%d samples of 200 features: %v", maxBatch, err)
	}
}

func TestAutoPacking(t *testing.T) {
	m := sequential(t, dense(1, 30, 1), ml.Sigmoid())
	for _, tc := range []struct {
		batch  int
		want   Packing
		client string
	}{{0, Single, "sigmoid"}, {1, Single, "sigmoid"}, {2, Batch, "sigmoid"}} {
		p := compile(t, m, Target{Batch: tc.batch})
		if p.Packing() != tc.want || p.ClientLayer() != tc.client {
			t.Errorf("batch of %d: packing %v, the client applies %q", tc.batch, p.Packing(), p.ClientLayer())
		}
	}
}

func TestBatchSizes(t *testing.T) {
	m := sequential(t, dense(2, 4, 1), ml.Square(), dense(1, 2, 2))
	var bits float64
	for _, n := range []int{1, 2, 2047, 2048, 2049, 5000} {
		p := compile(t, m, Target{Packing: Batch, Batch: n})
		slots := p.Parameters().MaxSlots()
		groups := (n + slots - 1) / slots
		if p.Samples() != groups*slots || p.Input().Count != 4*groups || p.Output().Count != groups {
			t.Errorf("%d samples: %d in %d and %d ciphertexts of %d slots", n, p.Samples(), p.Input().Count, p.Output().Count, slots)
		}
		// More groups cost ciphertexts, not precision.
		mean, _ := p.PredictedBits()
		if bits != 0 && mean != bits {
			t.Errorf("%d samples: %.2f bits predicted, %.2f for fewer", n, mean, bits)
		}
		bits = mean
		if n < 2048 && n > 1 {
			continue
		}
		s := open(t, p)
		top := largest(t, p, inputs(256, 4, 99)) // precision is relative to that of the calibration set
		x := inputs(n, 4, 5)
		_, out := s.run(t, x)
		want, err := p.Twin().Scores(x)
		if err != nil {
			t.Fatal(err)
		}
		got := s.scores(t, out, n)
		for i, v := range got.Data {
			if math.Abs(v-want.Data[i]) > top*math.Exp2(-defaultPrecision) {
				t.Fatalf("%d samples: sample %d is %g, want %g", n, i, v, want.Data[i])
			}
		}
	}
}

// TestInputsAtTheBound runs inputs as large as the port allows, twice the calibration set's, through models whose values
// are awkward to hold: biases that cancel, tiny outputs of large hidden values. Nothing may wrap around.
func TestInputsAtTheBound(t *testing.T) {
	cancel := func(w, b []float64, rows int) ml.Layer {
		return ml.Dense(ml.Tensor{Shape: []int{rows, len(w) / rows}, Data: w}, b)
	}
	// w·x lies in [-11, -9] or so for inputs near 1, and the bias brings it back to zero.
	w := []float64{-5, -5, -5, -5}
	near := inputs(256, 2, 3)
	for i := range near.Data {
		near.Data[i] = 1 + near.Data[i]/10
	}
	for _, tc := range []struct {
		name   string
		layers []ml.Layer
		cal    ml.Tensor
	}{
		{"linear", []ml.Layer{dense(3, 2, 1)}, inputs(256, 2, 3)},
		{"bias cancels", []ml.Layer{cancel(w, []float64{10, 10.1}, 2)}, near},
		{"merged", []ml.Layer{dense(7, 2, 1), dense(3, 7, 2)}, inputs(256, 2, 3)},
		{"large hidden values", []ml.Layer{scaled(8, 2, 3000, 1), ml.Square(), scaled(3, 8, 1e-12, 2)}, inputs(256, 2, 3)},
		{"cancelling hidden values", []ml.Layer{cancel([]float64{3000, 3000, 3000, 3000.001}, []float64{0, 0}, 2), ml.Square(), cancel([]float64{1, -1}, []float64{0}, 1)}, inputs(256, 2, 3)},
		{"tiny", []ml.Layer{scaled(3, 2, 1e-9, 1)}, inputs(256, 2, 3)},
		{"huge", []ml.Layer{scaled(3, 2, 1e9, 1)}, inputs(256, 2, 3)},
		{"ends with square", []ml.Layer{scaled(3, 2, 40, 1), ml.Square()}, inputs(256, 2, 3)},
	} {
		for _, packing := range []Packing{Single, Batch} {
			t.Run(fmt.Sprintf("%s/%v", tc.name, packing), func(t *testing.T) {
				m := sequential(t, tc.layers...)
				if l, ok := tc.layers[len(tc.layers)-1].(*ml.DenseLayer); ok && tc.name == "large hidden values" {
					clear(l.B)
				}
				p, err := Compile(m, Target{Calibration: tc.cal, Packing: packing})
				var infeasible *InfeasibleError
				if errors.As(err, &infeasible) && strings.Contains(tc.name, "cancelling") {
					return // an output far below what cancels in it may be out of reach, but must not be wrong
				}
				if err != nil {
					t.Fatal(err)
				}
				bound := p.Input().Bound
				if want := 2 * spanOf(tc.cal.Data).abs(); bound != want {
					t.Errorf("bound %g, want %g", bound, want)
				}
				corners := ml.Tensor{Shape: []int{1, 2}, Data: nil}
				s := open(t, p)
				top := spanOf(tc.cal.Data).abs()
				for _, sign := range []float64{1, -1} {
					// The calibration set's largest sample, doubled, or as large as the port lets in.
					k := 0
					for i := range tc.cal.Rows() {
						if spanOf(tc.cal.Row(i)).abs() == top {
							k = i
						}
					}
					size := 2.0
					if limit := p.Input().Features.Norm; limit > 0 {
						size = min(size, limit/math.Hypot(tc.cal.Row(k)[0], tc.cal.Row(k)[1]))
					}
					corners.Data = []float64{size * sign * tc.cal.Row(k)[0], size * sign * tc.cal.Row(k)[1]}
					if sign < 0 && tc.name == "bias cancels" {
						continue // negative inputs lie outside of what the calibration set shows
					}
					_, out := s.run(t, corners)
					want, err := p.Twin().Scores(corners)
					if err != nil {
						t.Fatal(err)
					}
					got := s.scores(t, out, 1)
					for i, v := range got.Data {
						if math.Abs(v-want.Data[i]) > spanOf(want.Data).abs()*math.Exp2(-8) {
							t.Errorf("input %v: output %d is %g, want %g", corners.Data, i, v, want.Data[i])
						}
					}
				}
			})
		}
	}
}

func TestCompilingTwiceGivesTheSameBytes(t *testing.T) {
	for _, net := range networks() {
		switch net.name {
		case "LR", "LR batch", "MLP 784-32-10", "hidden sigmoid", "two squares batch", "merged batch":
		default:
			continue
		}
		m := net.model(t)
		a, b := compile(t, m, net.target), compile(t, m, net.target)
		if a.Program().Digest() != b.Program().Digest() {
			t.Errorf("%s: programs %v and %v", net.name, a.Program().Digest(), b.Program().Digest())
		}
		digests := func(p *Plan) (d []fhe.Digest) {
			for _, c := range p.Constants().All() {
				d = append(d, c.Digest())
			}
			return d
		}
		if !slices.Equal(digests(a), digests(b)) || a.String() != b.String() {
			t.Errorf("%s: constants or text differ", net.name)
		}
	}
}

func TestBytesAreExact(t *testing.T) {
	for _, net := range networks() {
		switch net.name {
		case "LR", "LR batch", "two squares", "MLP 50-16-10 batch":
		default:
			continue
		}
		m := net.model(t)
		p := compile(t, m, net.target)
		s := open(t, p)
		in, out := s.run(t, inputs(1, m.InputLen(), 1))
		for what, tc := range map[string]struct {
			w    io.WriterTo
			want int64
		}{
			"keys": {s.keys, p.KeysBytes()}, "input": {in, p.InputBytes()}, "output": {out, p.OutputBytes()},
			"constants": {p.Constants(), p.ConstantsBytes()}, "program": {p.Program(), p.Program().Bytes()},
		} {
			var b bytes.Buffer
			if _, err := tc.w.WriteTo(&b); err != nil {
				t.Fatal(err)
			}
			if int64(b.Len()) != tc.want {
				t.Errorf("%s: %s of %d bytes, stated %d", net.name, what, b.Len(), tc.want)
			}
		}
	}
}

// formula returns weights that are multiples of 1/64, so that plans do not depend on how a processor rounds.
func formula(rows, cols int) ml.Layer {
	w, b := make([]float64, rows*cols), make([]float64, rows)
	for i := range w {
		w[i] = float64((i*i+3*i)%29-14) / 64
	}
	for i := range b {
		b[i] = float64(i%5-2) / 8
	}
	return ml.Dense(ml.Tensor{Shape: []int{rows, cols}, Data: w}, b)
}

// formulaConv is a convolution of the same kind of weights.
func formulaConv(out, in, size int, o ml.ConvOptions) ml.Layer {
	l := formula(out, in*size*size).(*ml.DenseLayer)
	return ml.Conv2d(ml.Tensor{Shape: []int{out, in, size, size}, Data: l.W.Data}, l.B, o)
}

// goldenPlan compares what a plan says and its program with a golden. Digests of encoded weights belong to one processor
// architecture, times to one cost table.
func goldenPlan(t *testing.T, name string, p *Plan) {
	t.Helper()
	var b bytes.Buffer
	shipped, err := p.CostBy(cost.Default(), 1)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(&b, "%s\n\n", p.Describe(shipped))
	if err := p.Program().Dump(&b); err != nil {
		t.Fatal(err)
	}
	text := regexp.MustCompile(`(?m)^(program|parameters|constant c\d+) [0-9a-f]{8,}`).ReplaceAll(b.Bytes(), []byte("$1 …"))
	text = regexp.MustCompile(` +[0-9.]+ (µs|ms|s)\b|(thread of ).*| +(time  )`).ReplaceAll(text, []byte(" $2$3…"))
	golden(t, name+".txt", text)
}

// TestGoldenConvolutions pins the layers, levels and rotations of a network with a stride, a pooling and a residual.
func TestGoldenConvolutions(t *testing.T) {
	pad := ml.ConvOptions{Padding: [2]int{1, 1}}
	m, err := ml.SequentialFor([]int{1, 12, 12}, formulaConv(4, 1, 3, pad), ml.Square(), ml.AvgPool2d(2, 2, 0),
		ml.Residual([]ml.Layer{formulaConv(4, 4, 3, pad)}), ml.Square(),
		formulaConv(8, 4, 3, ml.ConvOptions{Stride: [2]int{2, 2}, Padding: [2]int{1, 1}, Groups: 1}), ml.Flatten(), formula(3, 72), ml.Softmax())
	if err != nil {
		t.Fatal(err)
	}
	cal := ml.Tensor{Shape: []int{256, 144}, Data: make([]float64, 256*144)}
	for i := range cal.Data {
		cal.Data[i] = float64(i*7%33-16) / 16
	}
	for _, tc := range []struct {
		name   string
		target Target
	}{{"convolutions", Target{}}, {"patches", Target{Patches: true}}} {
		tc.target.Calibration = cal
		p := compile(t, m, tc.target)
		goldenPlan(t, tc.name, p)
	}
}

func TestGoldenPlans(t *testing.T) {
	m := sequential(t, formula(6, 12), ml.Square(), formula(3, 6), ml.Softmax())
	cal := ml.Tensor{Shape: []int{256, 12}, Data: make([]float64, 256*12)}
	for i := range cal.Data {
		cal.Data[i] = float64(i*7%33-16) / 16
	}
	for _, tc := range []struct {
		name   string
		target Target
	}{{"single", Target{Packing: Single}}, {"batch", Target{Batch: 100}}} {
		tc.target.Calibration = cal
		p := compile(t, m, tc.target)
		goldenPlan(t, tc.name, p)
	}
}

func TestPackAndUnpack(t *testing.T) {
	m := sequential(t, dense(3, 5, 1))
	for _, target := range []Target{{Packing: Single}, {Batch: 10}} {
		p := compile(t, m, target)
		n := min(p.Samples(), 10)
		x := inputs(n, 5, 1)
		flat, err := p.Pack(x)
		if err != nil {
			t.Fatal(err)
		}
		if len(flat) != p.Input().Layout.Len() || !slices.Equal(flat[:n*5], x.Data) {
			t.Errorf("%v: packed %d of %d numbers", p.Packing(), len(flat), p.Input().Layout.Len())
		}
		for i, v := range flat { // the samples again and again
			if v != x.Data[i%len(x.Data)] {
				t.Fatalf("%v: number %d of what was packed is %g", p.Packing(), i, v)
			}
		}
		flat[0]++
		if x.Data[0] == flat[0] {
			t.Errorf("%v: Pack shares memory", p.Packing())
		}
		y := random(p.Output().Layout.Len(), 1, 2)
		scores, err := p.Unpack(y, n)
		if err != nil || !slices.Equal(scores.Shape, []int{n, 3}) || !slices.Equal(scores.Data, y[:3*n]) {
			t.Errorf("%v: unpacked %v, %v", p.Packing(), scores.Shape, err)
		}
		for _, bad := range []ml.Tensor{{}, inputs(p.Samples()+1, 5, 1), inputs(1, 4, 1), {Shape: []int{5}, Data: random(5, 1, 1)}} {
			if _, err := p.Pack(bad); err == nil {
				t.Errorf("%v: packed a tensor of shape %v", p.Packing(), bad.Shape)
			}
		}
		for _, bad := range []int{0, -1, p.Samples() + 1} {
			if _, err := p.Unpack(y, bad); err == nil {
				t.Errorf("%v: unpacked %d samples", p.Packing(), bad)
			}
		}
		if _, err := p.Unpack(y[1:], 1); err == nil {
			t.Errorf("%v: unpacked too few numbers", p.Packing())
		}
		if raw, err := p.Scores(y, n); err != nil || !slices.Equal(raw.Data, scores.Data) {
			t.Errorf("%v: outputs and scores differ without a layer for the client: %v", p.Packing(), err)
		}
	}
	if _, err := compile(t, m, Target{}).Twin().Scores(inputs(2, 4, 1)); err == nil {
		t.Error("the twin takes samples of another length")
	}
}

// TestPackTakesShortData: a tensor whose data is shorter than its shape says must be refused, not padded.
func TestPackTakesShortData(t *testing.T) {
	p := compile(t, sequential(t, dense(3, 5, 1)), Target{Batch: 10})
	if _, err := p.Pack(ml.Tensor{Shape: []int{4, 5}, Data: random(19, 1, 1)}); err == nil {
		t.Error("19 numbers were packed as 4 samples of 5")
	}
}

func TestFinishAppliesTheLastLayer(t *testing.T) {
	m, err := ml.Sequential(dense(3, 5, 1), ml.Softmax())
	if err != nil {
		t.Fatal(err)
	}
	if m, err = m.WithClasses("a", "b", "c"); err != nil {
		t.Fatal(err)
	}
	p := compile(t, m, Target{})
	x := inputs(4, 5, 1)
	got, err := p.Twin().Forward(x)
	if err != nil {
		t.Fatal(err)
	}
	want, err := m.Forward(x)
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range got.Data {
		if math.Abs(v-want.Data[i]) > 1e-12 {
			t.Errorf("probability %d: %g, want %g", i, v, want.Data[i])
		}
	}
	if p.ClientLayer() != "softmax" || !slices.Equal(p.Classes(), []string{"a", "b", "c"}) || !strings.Contains(p.String(), "client      applies the trailing softmax") {
		t.Errorf("client layer %q, classes %v", p.ClientLayer(), p.Classes())
	}
}

// TestNoSwitchingKeysWithoutNeed: a linear batch needs no key at all, and one square with a linear end neither.
func TestNoSwitchingKeysWithoutNeed(t *testing.T) {
	for _, m := range []*ml.Model{sequential(t, dense(3, 5, 1)), sequential(t, dense(3, 5, 1), ml.Square(), dense(2, 3, 2))} {
		p := compile(t, m, Target{Batch: 10})
		if n := len(p.Keys()); n != 0 || p.Parameters().PCount() != 0 {
			t.Errorf("%d keys, %d special primes", n, p.Parameters().PCount())
		}
	}
	p := compile(t, deep(t, 2), Target{Batch: 10})
	if k := p.Keys(); len(k) != 1 || k[0].GaloisElement != 0 {
		t.Errorf("keys %v", k)
	}
	if p := compile(t, sequential(t, dense(3, 5, 1)), Target{Packing: Batch, Security: fhe.Quantum256}); p.Parameters().Security().Row == "" || !strings.Contains(p.String(), "quantum 256") {
		t.Errorf("security %v", p.Parameters().Security())
	}
}

// TestSizesHoldEveryValue walks every choice of sizes through the stages: at each point the primes that are left must
// hold the largest value, with its sign and one bit to spare.
func TestSizesHoldEveryValue(t *testing.T) {
	models := map[string][]ml.Layer{
		"linear":         {dense(3, 5, 1)},
		"square":         {dense(4, 5, 1), ml.Square(), dense(3, 4, 2)},
		"large hidden":   {scaled(4, 5, 1e6, 1), ml.Square(), scaled(3, 4, 1e-12, 2)},
		"cancelling":     {ml.Dense(ml.Tensor{Shape: []int{2, 5}, Data: []float64{9, 8, 7, 6, 5, 9, 8, 7, 6, 5.0001}}, []float64{0, 0}), ml.Square(), ml.Dense(ml.Tensor{Shape: []int{1, 2}, Data: []float64{1, -1}}, []float64{0})},
		"biases":         {ml.Dense(ml.Tensor{Shape: []int{1, 5}, Data: []float64{1, 2, 3, 4, 5}}, []float64{-15})},
		"three squares":  {scaled(4, 5, 100, 1), ml.Square(), scaled(3, 4, 1e-6, 2), ml.Square(), scaled(3, 3, 1e3, 3), ml.Square(), scaled(1, 3, 1e-9, 4)},
		"hidden sigmoid": {scaled(4, 5, 3, 1), ml.Sigmoid(), scaled(3, 4, 20, 2), ml.Square()},
	}
	for name, layers := range models {
		stages, _, err := split(sequential(t, layers...), feature.Scaling{})
		if err != nil {
			t.Fatal(err)
		}
		cal := inputs(256, 5, 1)
		for i := range cal.Data { // near 1, where biases can cancel
			cal.Data[i] = 1 + cal.Data[i]/10
		}
		c := &compiler{stages: stages, inputs: cal.Data, inputShape: []int{5}, effort: effort{normMargin, 1}}
		if err := c.calibrate(256); err != nil {
			t.Fatal(err)
		}
		// The same values, from inputs twice as large; biases stay.
		double := cal.Clone()
		for i := range double.Data {
			double.Data[i] *= 2
		}
		y := stages[0].linear(256, double.Data, nil)
		if top := spanOf(y).abs(); top > stages[0].wide*(1+1e-12) {
			t.Errorf("%s: inputs twice as large reach %g, sizes are for %g", name, top, stages[0].wide)
		}
		for _, packing := range []Packing{Single, Batch} {
			c.packing, c.integerBits = packing, weightBits
			choices := c.choices(13)
			if len(choices) == 0 && name != "three squares" {
				t.Errorf("%s, %v: no choices", name, packing)
			}
			for _, ch := range choices {
				level, scale := len(ch.q)-1, float64(ch.bits)
				holds := func(what string, scale, magnitude float64) {
					left := 0.0
					for _, q := range ch.q[:level+1] {
						left += float64(q)
					}
					if need := scale + math.Log2(magnitude) + 2; left < need-1e-9 {
						t.Fatalf("%s, %v, %+v: %s at level %d needs %.1f bits", name, packing, ch.q, what, level, need)
					}
				}
				rescale := func() { scale -= float64(ch.q[level]); level-- }
				for i, st := range stages {
					pre := st.wide
					if st.act == actPolynomial {
						pre = rangeMargin
					}
					if packing == Batch {
						scale += float64(c.weightScale(i, ch.weights))
						holds(st.name, scale, pre)
					} else if c.rescales(i, ch.single.rescale) {
						scale = float64(ch.bits - st.preBits() + ch.q[level])
						holds(st.name, scale, pre)
						rescale()
					} else {
						scale += float64(ch.weights - st.preBits())
						if i > 0 {
							scale += float64(stages[i-1].postBits())
						}
						holds(st.name, scale, pre)
					}
					switch st.act {
					case actSquare:
						scale *= 2
						holds("square", scale, st.reach())
						if packing == Single || c.relinearises(i) {
							rescale()
							holds("square", scale, st.reach())
						}
					case actPolynomial:
						level -= st.poly.Depth()
						if packing == Batch && i < len(stages)-1 {
							scale = float64(ch.bits)
						}
						scale -= float64(st.postBits())
						holds("polynomial", scale, st.reach())
					}
				}
				if level != ch.base-1 {
					t.Fatalf("%s, %v, %+v: ends at level %d", name, packing, ch.q, level)
				}
			}
		}
	}
}
