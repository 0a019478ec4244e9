package fixedpoint

import (
	"errors"
	"math"
	"reflect"
	"testing"

	"github.com/signet-ml/signet/ml"
)

// saturations returns where samples saturate.
func saturations(t testing.TB, q *Model, x ml.Tensor) []Saturation {
	t.Helper()
	in, err := q.Encode(x)
	if err != nil {
		t.Fatal(err)
	}
	trace, err := q.Trace(in, len(in)/q.InputLen())
	if err != nil {
		t.Fatal(err)
	}
	s, err := q.Saturations(x, trace)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSaturationsByHand(t *testing.T) {
	q := build(t, Definition{
		Architecture: Architecture{Semantics: 1, InputShape: []int{2}, OutputShape: []int{2}, Input: Interval{-4, 4}, Ops: []Op{
			Dense{Label: "d", In: 2, Out: 2, W: []int64{2, 0, 0, 2}, B: []int64{0, 0}, WeightRange: symmetric(3), BiasRange: symmetric(3)},
			Rescale{"r", 1, 0, Interval{0, 3}},
		}},
		Scales: []float64{0.5, 1, 1}, Calibrated: []float64{1, 8, 2},
	})
	for _, c := range []struct {
		x    []float64
		want []Saturation
	}{
		{[]float64{1.5, 1, -2, -2}, nil}, // 3, 2, -4, -4, and a ReLU's zeros; 6 and 4 of 3 follow
		{[]float64{0, 0, -3.75, -2.25}, []Saturation{{"input", 4, 1, 0, 1, 0, 1 + 3.5/4}}},
		{[]float64{-2, -4.5, -2, -40}, []Saturation{{"input", 4, 2, 2, 1, 1, 20}}},
	} {
		got := saturations(t, q, ml.Tensor{Shape: []int{2, 2}, Data: c.x})
		if c.want == nil {
			c.want = []Saturation{{"r", 4, 2, 0, 0, 0, 2}}
		}
		if !reflect.DeepEqual(got, c.want) {
			t.Errorf("%v: got %+v, want %+v", c.x, got, c.want)
		}
	}
	x := ml.Tensor{Shape: []int{1, 2}, Data: []float64{1, 1}}
	var se *ml.ShapeError
	for name, trace := range map[string][][]int64{"none": nil, "short": {{2, 2}, {4, 4}}, "two samples": {{2, 2, 2, 2}, {4, 4, 4, 4}, {3, 3, 3, 3}}} {
		if _, err := q.Saturations(x, trace); !errors.As(err, &se) {
			t.Errorf("trace of %s: got %v, want a ShapeError", name, err)
		}
	}
	if _, err := q.Saturations(ml.Tensor{Shape: []int{3}, Data: []float64{1, 1, 1}}, nil); !errors.As(err, &se) {
		t.Errorf("three features: got %v, want a ShapeError", err)
	}
	var nf *ml.NonFiniteError
	if _, err := q.Saturations(ml.Tensor{Shape: []int{2}, Data: []float64{1, math.NaN()}}, [][]int64{{2, 2}, {4, 4}, {3, 3}}); !errors.As(err, &nf) {
		t.Errorf("NaN: got %v, want a NonFiniteError", err)
	}
}

// TestFlatEnds does not count arguments beyond a sigmoid's table, and those below a gelu's.
func TestFlatEnds(t *testing.T) {
	x := seeded(18).tensor(-1, 1, 200, 1)
	one := func(w float64) ml.Layer { return ml.Dense(ml.Tensor{Shape: []int{1, 1}, Data: []float64{w}}, nil) }
	for name, c := range map[string]struct {
		layer ml.Layer
		at    float64
	}{"sigmoid at 16": {ml.Sigmoid(), 1}, "tanh at -16": {ml.Tanh(), -1}} {
		q := quantize(t, sequential(t, []int{1}, one(16), c.layer, one(1)), Options{Calibration: x})
		if s := saturations(t, q, ml.Tensor{Shape: []int{1}, Data: []float64{c.at}}); len(s) > 0 && s[len(s)-1].Tensor != "input" {
			t.Errorf("%s: %+v", name, s)
		}
	}
	f := quantize(t, sequential(t, []int{1}, one(12), ml.GELU(), one(1)), Options{Calibration: x})
	if low, high := f.flat(1, 0); !low || high {
		t.Errorf("gelu: flat below %t, above %t, range %v", low, high, f.def.Functions)
	}
	f = quantize(t, sequential(t, []int{1}, one(0.4), ml.Tanh(), one(1)), Options{Calibration: x})
	if low, high := f.flat(1, 0); low || high {
		t.Errorf("a steep tanh: flat below %t, above %t", low, high)
	}
	if low, high := f.flat(0, 0); low || high {
		t.Error("what precedes a rescale is no index")
	}
}

// TestOrdinarySaturations counts harmful saturations of samples from the distribution of the calibration set, and of
// samples five times as far out.
func TestOrdinarySaturations(t *testing.T) {
	refused, far, all := 0, 0, 0
	for seed := range uint64(30) {
		tab := newTable(seeded(3000 + seed))
		_, m := tab.model(t)
		q := quantize(t, m, Options{Calibration: tab.samples(256), Class: true})
		x := tab.samples(64)
		for i := range 64 {
			all++
			one := x.Slice(i, i+1)
			if harmful(saturations(t, q, one)) {
				refused++
			}
			out := one.Clone()
			for k := range out.Data { // all features 20 deviations out, five times what calibration saw
				out.Data[k] = tab.mean[k] + 20*tab.deviation[k]
			}
			if harmful(saturations(t, q, out)) {
				far++
			}
		}
	}
	t.Logf("%d of %d ordinary samples refused, %d far ones", refused, all, far)
	if refused > all/200 || far < all*9/10 {
		t.Errorf("%d of %d ordinary samples refused, %d far ones", refused, all, far)
	}
}

func harmful(all []Saturation) bool {
	for _, s := range all {
		if s.Harmful > 0 {
			return true
		}
	}
	return false
}
