package provable_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/signet-ml/signet/ml/fixedpoint"
	"github.com/signet-ml/signet/ml/provable"
	"github.com/signet-ml/signet/zk"
	"github.com/signet-ml/signet/zk/nn"
)

// TestOneSemantics: ml/fixedpoint computes what zk's circuits constrain. Neither may import the other, so that they
// speak of the same version is stated here.
func TestOneSemantics(t *testing.T) {
	if fixedpoint.SemanticsVersion != zk.Semantics {
		t.Errorf("the twin computes by semantics version %d, circuits constrain version %d", fixedpoint.SemanticsVersion, zk.Semantics)
	}
}

// largest is the largest integer of a twin. Circuits allow one more, 2^62 itself, as long as an interval's ends differ
// by less than 2^63.
const largest = 1<<62 - 1

// twin returns a model of one op, on two inputs of an interval; to scales it is indifferent.
func twin(input fixedpoint.Interval, op fixedpoint.Op) (*fixedpoint.Model, error) {
	return fixedpoint.New(fixedpoint.Definition{
		Architecture: fixedpoint.Architecture{Semantics: fixedpoint.SemanticsVersion, InputShape: []int{2}, OutputShape: []int{1},
			Input: input, Ops: []fixedpoint.Op{op}},
		Scales:     slices.Repeat([]float64{1}, 2),
		Calibrated: make([]float64, 2),
	})
}

// TestTwinsFitCircuits: a twin whose integers are as large as a twin's may be has a circuit, and no twin has an integer
// that circuits refuse.
func TestTwinsFitCircuits(t *testing.T) {
	dense := func(bias int64) fixedpoint.Op {
		return fixedpoint.Dense{Label: "dense", In: 2, Out: 1, W: []int64{1, -1}, B: []int64{bias},
			WeightRange: fixedpoint.Interval{Lo: -1, Hi: 1}, BiasRange: fixedpoint.Interval{Lo: -max(bias, -bias), Hi: max(bias, -bias)}}
	}
	for _, tt := range []struct {
		name string
		ends fixedpoint.Interval
		op   fixedpoint.Op
		fits bool
	}{
		{"input", fixedpoint.Interval{Lo: -largest, Hi: largest}, fixedpoint.Argmax{Label: "argmax"}, true},
		{"input above", fixedpoint.Interval{Lo: 0, Hi: largest + 1}, fixedpoint.Argmax{Label: "argmax"}, false},
		{"input below", fixedpoint.Interval{Lo: -largest - 1, Hi: 0}, fixedpoint.Argmax{Label: "argmax"}, false},
		{"sum", fixedpoint.Interval{Lo: -1, Hi: 1}, dense(largest - 2), true},
		{"negative sum", fixedpoint.Interval{Lo: -1, Hi: 1}, dense(2 - largest), true},
		{"sum above", fixedpoint.Interval{Lo: -1, Hi: 1}, dense(largest - 1), false},
		{"sum below", fixedpoint.Interval{Lo: -1, Hi: 1}, dense(1 - largest), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m, err := twin(tt.ends, tt.op)
			if (err == nil) != tt.fits {
				t.Fatalf("a twin with integers of the interval %v: %v", tt.ends, err)
			}
			if err != nil {
				return
			}
			// Public weights: a commitment takes biases of up to 2^55 only, and says so.
			if _, err := provable.CompileTwin(m, provable.Options{Weights: zk.Public}); err != nil {
				t.Errorf("the twin has no circuit: %v", err)
			}
		})
	}

	for _, tt := range []struct {
		ends nn.Interval
		fits bool
	}{
		{nn.Interval{Lo: -largest, Hi: largest}, true},
		{nn.Interval{Lo: 0, Hi: largest + 1}, true},
		{nn.Interval{Lo: -largest - 1, Hi: largest + 1}, false},
		{nn.Interval{Lo: 0, Hi: largest + 2}, false},
	} {
		t.Run(fmt.Sprintf("circuit=%v", tt.ends), func(t *testing.T) {
			_, err := nn.New(nn.Graph{Batch: 1, InputLen: 2, Input: tt.ends, Ops: []nn.Op{nn.Argmax{}}})
			if (err == nil) != tt.fits {
				t.Errorf("a circuit on the interval %v: %v", tt.ends, err)
			}
		})
	}
}
