package fixedpoint_test

import (
	"encoding/json"
	"fmt"
	"log"

	"github.com/signet-ml/signet/ml"
	"github.com/signet-ml/signet/ml/fixedpoint"
)

// model is a network written down by hand: the larger of two sums.
func model(scale float64) (*ml.Model, ml.Tensor) {
	w1, err := ml.FromRows([][]float64{{scale, 0.5, 0}, {0, 0.5, scale}})
	if err != nil {
		log.Fatal(err)
	}
	w2, err := ml.FromRows([][]float64{{1, -1}, {-1, 1}})
	if err != nil {
		log.Fatal(err)
	}
	m, err := ml.Sequential(ml.Dense(w1, nil), ml.ReLU(), ml.Dense(w2, nil), ml.Softmax())
	if err != nil {
		log.Fatal(err)
	}
	x, err := ml.FromRows([][]float64{{1, 0.5, 0.25}, {0, 1, 0.5}, {0.75, 0.5, 1}})
	if err != nil {
		log.Fatal(err)
	}
	return m, x
}

// A model in integers, and the tensors that a proof is about.
func Example() {
	m, x := model(1)
	q, err := fixedpoint.Quantize(m, fixedpoint.Options{Calibration: x, Class: true})
	if err != nil {
		log.Fatal(err)
	}
	in, err := q.Encode(x.Slice(0, 1))
	if err != nil {
		log.Fatal(err)
	}
	trace, err := q.Trace(in, 1)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("input", trace[0], "in", q.Input())
	for i, r := range q.Ranges() {
		fmt.Println(r.Name, trace[i+1], "in", r.Public)
	}
	fmt.Println("class", q.Labels(trace[len(trace)-1]))
	// Output:
	// input [127 64 32] in [0, 127]
	// 0.dense [16218 6528] in [0, 19431]
	// 1.relu [127 51] in [0, 127]
	// 2.dense [9652 -9652] in [-16129, 16129]
	// argmax [0] in [0, 1]
	// class [0]
}

// New weights that fit the keys of the old ones.
func ExampleOptions_architecture() {
	m, x := model(1)
	q, err := fixedpoint.Quantize(m, fixedpoint.Options{Calibration: x, Class: true})
	if err != nil {
		log.Fatal(err)
	}
	stored, err := json.Marshal(q.Architecture()) // beside the keys
	if err != nil {
		log.Fatal(err)
	}

	var a fixedpoint.Architecture
	if err := json.Unmarshal(stored, &a); err != nil {
		log.Fatal(err)
	}
	trained, x := model(0.8)
	again, err := fixedpoint.Quantize(trained, fixedpoint.Options{Calibration: x, Architecture: &a})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(q.Intervals(true)[1] == again.Intervals(true)[1])
	// Output: true
}

// What integers cost in accuracy, and where numbers saturate.
func ExampleModel_Compare() {
	m, x := model(1)
	q, err := fixedpoint.Quantize(m, fixedpoint.Options{Calibration: x, Class: true})
	if err != nil {
		log.Fatal(err)
	}
	report, err := q.Compare(m, x, []int{0, 1, 1})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Print(report)
	// Output:
	// 3 samples, accuracy 100.00 % (float64 100.00 %), 0 labels differ, error at most 0.00591, rms 0.00377
	// tensor   worst case       bits  unit      calibrated  largest  saturated
	// input    [0, 127]         7     0.00787   1           1        0 of 9
	// 0.dense  [-81154, 81154]  18    7.69e-05  1.25        1.25     0 of 6
	// 1.relu   [0, 127]         7     0.00984   1.25        1.25     0 of 6
	// 2.dense  [-65025, 65025]  17    7.75e-05  0.75        0.748    0 of 6
	// argmax   [0, 1]           1     1         0           1        0 of 3
}
