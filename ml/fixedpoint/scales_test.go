package fixedpoint

import (
	"math"
	"slices"
	"testing"

	"github.com/signet-ml/signet/ml"
)

// table is random data whose columns have any size and lie anywhere.
type table struct {
	mean, deviation []float64
	r               random
}

func newTable(r random) table {
	n := 1 + r.IntN(8)
	t := table{make([]float64, n), make([]float64, n), r}
	for i := range n {
		t.deviation[i] = math.Pow(10, -6+15*r.Float64())
		if r.IntN(4) > 0 {
			t.mean[i] = t.deviation[i] * math.Pow(10, 6*r.Float64()) * float64(1-2*r.IntN(2))
		}
	}
	return t
}

func (t table) samples(n int) ml.Tensor {
	x := ml.Tensor{Shape: []int{n, len(t.mean)}, Data: make([]float64, n*len(t.mean))}
	for i := range x.Data {
		k := i % len(t.mean)
		x.Data[i] = t.mean[k] + t.deviation[k]*t.r.NormFloat64()
	}
	return x
}

// layers returns a random model of standardised columns.
func (t table) layers() (name string, layers []ml.Layer) {
	n, classes := len(t.mean), 2+t.r.IntN(4)
	hidden := 4 + t.r.IntN(12)
	activations := []ml.Layer{ml.ReLU(), ml.Tanh(), ml.Square()}
	switch k := t.r.IntN(5); k {
	case 0:
		return "logistic", []ml.Layer{t.r.dense(n, 1), ml.Sigmoid()}
	case 1: // as discriminant analysis has them: what rows have in common is large
		common := t.r.tensor(-20, 20, n)
		l := t.r.dense(n, classes).(*ml.DenseLayer)
		for r := range l.B {
			for c := range n {
				l.W.Row(r)[c] += common.Data[c]
			}
		}
		return "discriminant", []ml.Layer{l}
	default:
		a := activations[k-2]
		return a.Kind(), []ml.Layer{t.r.dense(n, hidden), a, t.r.dense(hidden, classes)}
	}
}

// model puts the scaler into a layer in front, or into the first layer's weights.
func (t table) model(tb testing.TB) (string, *ml.Model) {
	n := len(t.mean)
	name, layers := t.layers()
	scaler := []string{"batchnorm", "dense", "raw"}[t.r.IntN(3)]
	switch scaler {
	case "batchnorm":
		variance := make([]float64, n)
		for i, d := range t.deviation {
			variance[i] = d * d
		}
		layers = slices.Insert(layers, 0, ml.BatchNorm(nil, nil, t.mean, variance, 0))
	case "dense":
		w, b := ml.Tensor{Shape: []int{n, n}, Data: make([]float64, n*n)}, make([]float64, n)
		for i := range n {
			w.Row(i)[i], b[i] = 1/t.deviation[i], -t.mean[i]/t.deviation[i]
		}
		layers = slices.Insert(layers, 0, ml.Dense(w, b))
	default:
		l := layers[0].(*ml.DenseLayer)
		w, b := before(l.W, l.B, func(_, k int) (scale, shift float64) { return 1 / t.deviation[k], -t.mean[k] / t.deviation[k] })
		layers[0] = ml.Dense(w, b)
	}
	return name + " behind " + scaler, sequential(tb, []int{n}, layers...)
}

// clear returns the samples whose label an error of the scores by so much does not change.
func clear(m *ml.Model, out ml.Tensor, by float64) []bool {
	sure := make([]bool, out.Rows())
	for i := range sure {
		row := slices.Clone(out.Row(i))
		if len(row) == 1 {
			row = append(row, 0)
		}
		slices.Sort(row)
		sure[i] = row[len(row)-1]-row[len(row)-2] > 2*by
	}
	return sure
}

// TestAnyScale quantises random models of random tables: whatever the sizes of the columns, labels are those of the
// float64 model wherever its scores differ by more than the error that calibration stated.
func TestAnyScale(t *testing.T) {
	decided, wrong, all, low := 0, 0, 0, 0
	for seed := range uint64(scaleCases) {
		tab := newTable(seeded(1000 + seed))
		name, m := tab.model(t)
		cal, test := tab.samples(256), tab.samples(256)
		q, err := Quantize(m, Options{Calibration: cal, Class: true})
		if err != nil {
			t.Errorf("seed %d, %s: %v", seed, name, err)
			continue
		}
		stated, err := q.Compare(m, cal, nil)
		if err != nil {
			t.Fatal(err)
		}
		r, err := q.Compare(m, test, nil)
		if err != nil {
			t.Fatal(err)
		}
		trace, err := m.Trace(test)
		if err != nil {
			t.Fatal(err)
		}
		sure := clear(m, trace[scoreLayer(m)], stated.MaxError)
		flips := 0
		for _, f := range r.Flips {
			if sure[f.Sample] {
				flips++
			}
		}
		n := 0
		for _, s := range sure {
			if s {
				n++
			}
		}
		if decided, wrong, all = decided+n, wrong+flips, all+len(sure); n < 128 {
			low++
			t.Logf("seed %d, %s: %d of %d clear, error %.3g", seed, name, n, len(sure), stated.MaxError)
		}
		if flips > 2 {
			t.Errorf("seed %d, %s of %v ± %v: %d of %d clear labels differ", seed, name, tab.mean, tab.deviation, flips, n)
		}
	}
	t.Logf("%d of %d samples clear, %d labels of them differ; %d models of which half is not clear", decided, all, wrong, low)
	if float64(wrong) > 0.001*float64(decided) {
		t.Errorf("%d of %d clear labels differ", wrong, decided)
	}
}

// TestExtremeWeights has features and weights whose sizes undo each other.
func TestExtremeWeights(t *testing.T) {
	dense := func(w ...float64) ml.Layer {
		return ml.Dense(ml.Tensor{Shape: []int{1, len(w)}, Data: w}, nil)
	}
	two := ml.Tensor{Shape: []int{2, 2}, Data: []float64{1e4, 1e-4, -1e4, 1e-4}}
	for _, c := range []struct {
		name      string
		mean, dev []float64
		layers    []ml.Layer
	}{
		{"1e-4 and 1e4", []float64{0, 0}, []float64{1e-4, 1e4}, []ml.Layer{dense(1e4, 1e-4)}},
		{"1e-4 and 1e4, hidden", []float64{0, 0}, []float64{1e-4, 1e4}, []ml.Layer{ml.Dense(two, []float64{0.1, 0.2}), ml.ReLU(), dense(1, -1)}},
		{"1e7", []float64{0}, []float64{1e7}, []ml.Layer{dense(1e-7)}},
		{"1e7 away from zero", []float64{1e7}, []float64{1}, []ml.Layer{ml.Dense(ml.Tensor{Shape: []int{1, 1}, Data: []float64{1e-7}}, []float64{-1})}},
		{"1e7 behind a sigmoid", []float64{0}, []float64{1e7}, []ml.Layer{dense(1e-7), ml.Sigmoid()}},
		{"1e-7", []float64{0}, []float64{1e-7}, []ml.Layer{dense(1e7), ml.Tanh(), dense(1)}},
		{"1e7 and tanh", []float64{3e7, 0}, []float64{1e7, 1e-7}, []ml.Layer{dense(1e-7, 1e7), ml.Tanh(), dense(1e5)}},
		{"1e9 and square", []float64{0}, []float64{1e9}, []ml.Layer{dense(1e-9), ml.Square(), ml.Dense(ml.Tensor{Shape: []int{1, 1}, Data: []float64{1}}, []float64{-1})}},
		{"1e100", []float64{0, 0}, []float64{1e100, 1e-100}, []ml.Layer{dense(1e-100, 1e100)}},
		{"wide hidden rows", []float64{0, 0}, []float64{1, 1}, []ml.Layer{ml.Dense(ml.Tensor{Shape: []int{2, 2}, Data: []float64{1e6, 0, 0, 1e-6}}, nil), ml.ReLU(), dense(1e-6, -1e6)}},
	} {
		m := sequential(t, []int{len(c.mean)}, c.layers...)
		x := seeded(20).columns(256, c.mean, c.dev)
		for _, class := range []bool{false, true} {
			q := quantize(t, m, Options{Calibration: x, Class: class})
			r, err := q.Compare(m, x, nil)
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%s, class %t: %d of %d labels differ, %.1f bits", c.name, class, len(r.Flips), r.Samples, math.Log2(r.LargestOutput/r.MaxError))
			if len(r.Flips) > 3 || r.MaxError > r.LargestOutput/32 {
				t.Errorf("%s, class %t: %v", c.name, class, r)
			}
		}
	}
}
