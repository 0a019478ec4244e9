package fixedpoint

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/signet-ml/signet/ml"
)

// TestCompareByHand compares a model that is exact with one that is off by known amounts.
func TestCompareByHand(t *testing.T) {
	identity := ml.Tensor{Shape: []int{2, 2}, Data: []float64{1, 0, 0, 1}}
	m := sequential(t, []int{2}, ml.Dense(identity, nil), ml.ReLU())
	q := build(t, Definition{
		Architecture: Architecture{Semantics: 1, InputShape: []int{2}, OutputShape: []int{2}, Input: Interval{-4, 4}, Ops: []Op{
			Dense{Label: "d", In: 2, Out: 2, W: []int64{2, 0, 0, 2}, B: []int64{1, 0}, WeightRange: symmetric(3), BiasRange: symmetric(3)},
			Rescale{"r", 1, 1, Interval{0, 3}},
		}},
		Scales: []float64{1, 0.5, 1}, Calibrated: []float64{4, 4, 3},
	})
	// Rows become 2x+1 and 2y, halved with halves up: x+1 and y, cut to [0, 3].
	x := ml.Tensor{Shape: []int{4, 2}, Data: []float64{1, 2, 2, 2.25, -2, -1, 9, 0}}
	r, err := q.Compare(m, x, []int{1, 1, 0, 0})
	if err != nil {
		t.Fatal(err)
	}
	// Float outputs: 1 2, 2 2.25, 0 0, 9 0; of the twin: 2 2, 3 2, 0 0, 3 0.
	if r.Samples != 4 || !r.Labelled || r.FloatAccuracy != 1 || r.Accuracy != 0.5 {
		t.Errorf("%d samples, accuracies %v and %v", r.Samples, r.FloatAccuracy, r.Accuracy)
	}
	if want := []Flip{{0, 1, 0}, {1, 1, 0}}; !slices.Equal(r.Flips, want) {
		t.Errorf("flips %v, want %v", r.Flips, want)
	}
	if want := math.Sqrt((1 + 1 + 0.0625 + 36) / 8); r.MaxError != 6 || math.Abs(r.RMSError-want) > 1e-12 {
		t.Errorf("errors %v and %v, want 6 and %v", r.MaxError, r.RMSError, want)
	}
	if r.LargestOutput != 9 {
		t.Errorf("largest output %v, want 9", r.LargestOutput)
	}
	want := []TensorReport{
		{"input", Interval{-4, 4}, 1, 4, 4, 8, 1},
		{"d", Interval{-27, 27}, 0.5, 4, 4.5, 8, 0},
		{"r", Interval{0, 3}, 1, 3, 3, 8, 1}, // 5 of the last sample; -1 is the ReLU's
	}
	if !slices.Equal(r.Tensors, want) {
		t.Errorf("tensors %+v, want %+v", r.Tensors, want)
	}
	golden(t, "report.txt", r.String())

	one, err := q.Compare(m, ml.Tensor{Shape: []int{2}, Data: []float64{1, 2}}, nil)
	if err != nil || one.Samples != 1 || one.Labelled || strings.Contains(one.String(), "accuracy") {
		t.Errorf("one sample: %+v, %v", one, err)
	}
}

func TestCompareRefuses(t *testing.T) {
	r := seeded(30)
	m := sequential(t, []int{3}, r.dense(3, 2))
	x := r.tensor(-1, 1, 5, 3)
	q := quantize(t, m, Options{Calibration: x})
	var se *ml.ShapeError
	for name, f := range map[string]func() error{
		"labels":        func() error { _, err := q.Compare(m, x, []int{1}); return err },
		"samples":       func() error { _, err := q.Compare(m, r.tensor(-1, 1, 5, 2), nil); return err },
		"another model": func() error { _, err := q.Compare(sequential(t, []int{3}, r.dense(3, 4)), x, nil); return err },
		"other inputs":  func() error { _, err := q.Compare(sequential(t, []int{4}, r.dense(4, 2)), x, nil); return err },
	} {
		if err := f(); !errors.As(err, &se) {
			t.Errorf("%s: got %v, want a ShapeError", name, err)
		}
	}
	var nf *ml.NonFiniteError
	if _, err := q.Compare(m, ml.Tensor{Shape: []int{1, 3}, Data: []float64{1, 2, math.NaN()}}, nil); !errors.As(err, &nf) {
		t.Errorf("got %v, want a NonFiniteError", err)
	}
}

// TestReportShowsTenFlips keeps the text short.
func TestReportShowsTenFlips(t *testing.T) {
	s := Report{Samples: 20, Flips: make([]Flip, 12)}.String()
	if strings.Count(s, "float64 class") != 10 || !strings.HasSuffix(s, "and 2 more\n") {
		t.Errorf("got %q", s)
	}
}
