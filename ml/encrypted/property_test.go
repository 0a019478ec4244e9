package encrypted

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/signet-ml/signet/fhe/engine/clear"
	"github.com/signet-ml/signet/ml"
)

// column kinds of tables as people have them.
type tableColumn struct {
	centre, spread float64
	kind           int // normal, of two values, skewed, uniform, constant
}

func (c tableColumn) draw(rng *rand.Rand) float64 {
	z := 0.0
	switch c.kind {
	case 0:
		z = rng.NormFloat64()
	case 1:
		z = float64(2*rng.IntN(2) - 1)
	case 2:
		z = rng.ExpFloat64() - 1
	case 3:
		z = 1.7 * (2*rng.Float64() - 1)
	}
	return c.centre + c.spread*z
}

// tableModel is a random table and a network for it, with the scaler as a first layer or in the weights.
type tableModel struct {
	columns []tableColumn
	m       *ml.Model
	text    string
}

func newTableModel(rng *rand.Rand) tableModel {
	var t tableModel
	n := 1 + rng.IntN(12)
	if rng.IntN(4) == 0 {
		n = 1 + rng.IntN(40)
	}
	wild := rng.IntN(4) > 0 // columns of many sizes, or all of one
	common := math.Pow(10, -6+15*rng.Float64())
	mean, variance := make([]float64, n), make([]float64, n)
	for i := range n {
		c := tableColumn{spread: common, kind: []int{0, 0, 0, 1, 2, 3, 4}[rng.IntN(7)]}
		if n == 1 {
			c.kind = 0
		}
		if wild {
			c.spread = math.Pow(10, -6+15*rng.Float64())
		}
		if rng.IntN(3) > 0 {
			c.centre = c.spread * math.Pow(10, -1+7*rng.Float64()) * float64(2*rng.IntN(2)-1)
		}
		t.columns = append(t.columns, c)
		mean[i], variance[i] = c.centre, c.spread*c.spread
	}
	normal := func(rows, cols int, size float64) (ml.Tensor, []float64) {
		w, b := ml.Tensor{Shape: []int{rows, cols}}, make([]float64, rows)
		for range rows * cols {
			w.Data = append(w.Data, size*rng.NormFloat64()/math.Sqrt(float64(cols)))
		}
		for i := range b {
			b[i] = 0.3 * rng.NormFloat64()
		}
		return w, b
	}
	outputs := 1 + rng.IntN(4)
	var layers []ml.Layer
	width := n
	for range rng.IntN(3) {
		h := 1 + rng.IntN(10)
		w, b := normal(h, width, 1.2)
		act := []ml.Layer{ml.Square(), ml.Tanh(), ml.Sigmoid(), ml.Square(), ml.Tanh(), ml.ReLU(), ml.GELU()}[rng.IntN(7)]
		layers = append(layers, ml.Dense(w, b), act)
		width = h
	}
	w, b := normal(outputs, width, 2)
	layers = append(layers, ml.Dense(w, b))
	first := layers[0].(*ml.DenseLayer)
	scaler := "raw"
	if rng.IntN(2) == 0 {
		scaler = "scaler"
		layers = append([]ml.Layer{ml.BatchNorm(nil, nil, mean, variance, 0)}, layers...)
	} else {
		for r := range first.Out() {
			for k, v := range first.W.Row(r) {
				first.W.Row(r)[k] = v / t.columns[k].spread
				first.B[r] -= v / t.columns[k].spread * t.columns[k].centre
			}
		}
	}
	switch {
	case outputs > 1 && rng.IntN(2) == 0:
		layers = append(layers, ml.Softmax())
	case outputs == 1 && rng.IntN(2) == 0:
		layers = append(layers, ml.Sigmoid())
	}
	var err error
	if t.m, err = ml.SequentialFor([]int{n}, layers...); err != nil {
		panic(err)
	}
	t.text = fmt.Sprintf("%s %v", scaler, t.m)
	return t
}

func (t tableModel) samples(rng *rand.Rand, n int) ml.Tensor {
	x := ml.Tensor{Shape: []int{n, len(t.columns)}}
	for range n {
		for _, c := range t.columns {
			x.Data = append(x.Data, c.draw(rng))
		}
	}
	return x
}

// tally counts what random tables came to.
type tally struct {
	cases, refused, infeasible, samples, wrong, left int
	bits                                             []float64
}

// defaultTables is how many random tables the default run has; TestManyRandomTables has hundreds, behind -tags secure.
const defaultTables = 12

// TestRandomTables: whatever the scale and offset of columns, a plan computes what the model does, one sample or a batch
// of any fill, or Compile says why not. Nothing is wrong in silence.
func TestRandomTables(t *testing.T) {
	n := defaultTables
	if testing.Short() {
		n = 3
	}
	randomTables(t, 0, n)
}

func randomTables(t *testing.T, first, cases int) {
	var sum tally
	for seed := first; seed < first+cases; seed++ {
		for _, packing := range []Packing{Single, Batch} {
			sum.run(t, seed, packing)
		}
	}
	slices.Sort(sum.bits)
	if len(sum.bits) == 0 {
		t.Fatal("no plan")
	}
	t.Logf("%d cases: %d refused by Compile (%d infeasible); %d samples, %d with another label beyond the stated precision, %d refused by the port; bits against the model: least %.1f, a tenth below %.1f, median %.1f",
		sum.cases, sum.refused, sum.infeasible, sum.samples, sum.wrong, sum.left, sum.bits[0], sum.bits[len(sum.bits)/10], sum.bits[len(sum.bits)/2])
	if sum.wrong*200 > sum.samples {
		t.Errorf("%d of %d labels differ", sum.wrong, sum.samples)
	}
	if sum.refused*2 > sum.cases {
		t.Errorf("%d of %d are refused", sum.refused, sum.cases)
	}
}

func (sum *tally) run(t *testing.T, seed int, packing Packing) {
	t.Helper()
	rng := rand.New(rand.NewPCG(uint64(seed), 0x7ab1e))
	tm := newTableModel(rng)
	cal := tm.samples(rng, 256)
	target := Target{Calibration: cal, Packing: packing}
	fill := 1
	if packing == Batch {
		fill = 1 + rng.IntN(64)
	}
	name := fmt.Sprintf("seed=%d %v: %s", seed, packing, tm.text)
	sum.cases++
	p, err := Compile(tm.m, target)
	if err != nil {
		sum.refused++
		if errors.As(err, new(*InfeasibleError)) {
			sum.infeasible++
			t.Logf("%s: %v", name, err)
			return
		}
		if !errors.As(err, new(*CalibrationError)) {
			t.Errorf("%s: %v", name, err)
		}
		return
	}
	f := p.Fidelity()
	sum.bits = append(sum.bits, f.Bits)
	port := p.Input()
	var x ml.Tensor // new samples that the port lets in
	x.Shape = []int{0, len(tm.columns)}
	for range fill {
		s := tm.samples(rng, 1)
		flat, err := p.Pack(s)
		if err != nil {
			t.Fatal(err)
		}
		if port.CheckValues(flat) != nil {
			sum.left++
			continue
		}
		x.Shape[0]++
		x.Data = append(x.Data, s.Data...)
	}
	if x.Shape[0] == 0 {
		return
	}
	// What ciphertexts would hold, with noise, unless the program is long.
	twin, err := p.Twin().Scores(x)
	if err != nil {
		t.Fatal(err)
	}
	got := twin
	allowed := f.Largest * math.Exp2(-f.Bits) * 2
	if len(p.Program().Ops()) < 3000 && p.Parameters().LogN() <= 14 {
		flat, err := p.Pack(x)
		if err != nil {
			t.Fatal(err)
		}
		res, err := clear.Execute(context.Background(), p.Program(), p.Constants(), map[string][]float64{"input": flat}, clear.ExecuteOptions{Simulate: true, Seed: uint64(seed)})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			return
		}
		if got, err = p.Scores(res.Outputs["output"], x.Rows()); err != nil {
			t.Fatal(err)
		}
		for i, v := range got.Data {
			if d := math.Abs(v - twin.Data[i]); !(d <= f.Largest*math.Exp2(-9)) {
				t.Errorf("%s: output %d is %g, the twin gives %g", name, i, v, twin.Data[i])
				return
			}
		}
	}
	outputs, err := finish(p.twin.finish, got)
	if err != nil {
		t.Fatal(err)
	}
	want := clearly(t, tm.m, x)
	exact := clearly(t, scoresModel(t, tm.m), x)
	labels := tm.m.Labels(outputs)
	for i, l := range tm.m.Labels(want) {
		if margin(exact.Row(i)) <= allowed {
			continue
		}
		sum.samples++
		if labels[i] != l {
			sum.wrong++
			t.Logf("%s: sample %d has label %d, the model says %d; margin %g, allowed %g", name, i, labels[i], l, margin(exact.Row(i)), allowed)
		}
	}
}

// scoresModel is the model without a last sigmoid or softmax.
func scoresModel(tb testing.TB, m *ml.Model) *ml.Model {
	layers := m.Layers()
	switch layers[len(layers)-1].(type) {
	case ml.SigmoidLayer, ml.SoftmaxLayer:
		n, err := ml.SequentialFor(m.InputShape(), layers[:len(layers)-1]...)
		if err != nil {
			tb.Fatal(err)
		}
		return n
	}
	return m
}

// margin is how far the scores of a sample lie from another label.
func margin(scores []float64) float64 {
	if len(scores) == 1 {
		return math.Abs(scores[0])
	}
	s := slices.Clone(scores)
	slices.Sort(s)
	return s[len(s)-1] - s[len(s)-2]
}
