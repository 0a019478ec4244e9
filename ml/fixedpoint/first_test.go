package fixedpoint

import (
	"slices"
	"testing"
)

func TestTraceByHand(t *testing.T) {
	m, err := New(Definition{
		Architecture: Architecture{
			Semantics: 1, InputShape: []int{2}, OutputShape: []int{1}, Input: Interval{-127, 127},
			Ops: []Op{
				Dense{Label: "0", In: 2, Out: 3, W: []int64{1, 2, -3, 4, 0, -1}, B: []int64{5, -6, 7}, WeightRange: symmetric(8), BiasRange: symmetric(16)},
				Rescale{Label: "1", Multiplier: 1, Shift: 1, Out: Interval{0, 127}},
				Square{Label: "2"}, Argmax{Label: "3"},
			},
		},
		Scales: []float64{1, 1, 2, 4, 1}, Calibrated: make([]float64, 5),
	})
	if err != nil {
		t.Fatal(err)
	}
	got, err := m.Trace([]int64{10, 20, -127, 127}, 2)
	if err != nil {
		t.Fatal(err)
	}
	want := [][]int64{{10, 20, -127, 127}, {55, 44, -13, 132, 883, -120}, {28, 22, 0, 66, 127, 0}, {784, 484, 0, 4356, 16129, 0}, {0, 1}}
	if !slices.EqualFunc(got, want, slices.Equal) {
		t.Errorf("got %v, want %v", got, want)
	}
}
