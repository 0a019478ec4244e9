package fixedpoint_test

import (
	"testing"

	"github.com/signet-ml/signet/ml/data"
	"github.com/signet-ml/signet/ml/fixedpoint"
	"github.com/signet-ml/signet/ml/train"
)

type preset func(seed uint64) (train.Spec, train.Options)

// compare trains a preset and compares the twin with float64 on the test set.
func compare(t *testing.T, p preset, set, test data.Dataset, change func(*train.Options)) fixedpoint.Report {
	t.Helper()
	spec, o := p(1)
	if change != nil {
		change(&o)
	}
	m, err := train.Fit(t.Context(), spec, set, o)
	if err != nil {
		t.Fatal(err)
	}
	q, err := fixedpoint.Quantize(m, fixedpoint.Options{Calibration: set.Head(1000).X, Class: true})
	if err != nil {
		t.Fatal(err)
	}
	r, err := q.Compare(m, test.X, test.Y)
	if err != nil {
		t.Fatal(err)
	}
	t.Log(r)
	if len(r.Flips) == test.Len() || r.Tensors[len(r.Tensors)-2].Largest == 0 {
		t.Error("the twin gives nothing")
	}
	return r
}

// lost is how much accuracy 8 bits may cost: 0.2 points.
const lost = 0.002

func TestMNIST(t *testing.T) {
	set, test, err := data.MNIST()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		p      preset
		images int
		epochs int
		want   float64 // accuracy
	}{
		{"mlp", train.MNISTReluMLP, 4000, 6, 0.92},
		{"lenet", train.MNISTReluLeNet, 1000, 2, 0.8},
	} {
		t.Run(c.name, func(t *testing.T) {
			if testing.Short() {
				if c.name != "mlp" {
					t.Skip("convolutions train for seconds")
				}
				c.images, c.epochs, c.want = 1000, 2, 0.7
			}
			r := compare(t, c.p, set.Head(c.images), test, func(o *train.Options) { o.Epochs, o.BatchSize = c.epochs, 32 })
			if r.FloatAccuracy < c.want || r.Accuracy < r.FloatAccuracy-lost-1e-9 {
				t.Errorf("accuracy %.4f, in float64 %.4f, want %.2f and at most %.3f less", r.Accuracy, r.FloatAccuracy, c.want, lost)
			}
		})
	}
}

// TestLogisticRegression keeps the probabilities and the labels of a sigmoid.
func TestLogisticRegression(t *testing.T) {
	ds, err := data.BreastCancer()
	if err != nil {
		t.Fatal(err)
	}
	set, test := ds.Split(1, 0.8)
	set, scaler := set.Standardize()
	if test, err = scaler.Apply(test); err != nil {
		t.Fatal(err)
	}
	spec, o := train.LogisticRegression(1)
	m, err := train.Fit(t.Context(), spec, set, o)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		o   fixedpoint.Options
		rms float64 // error of a probability, or of a score
	}{{fixedpoint.Options{}, 0.01}, {fixedpoint.Options{Class: true}, 0.1}} {
		c.o.Calibration = set.X
		q, err := fixedpoint.Quantize(m, c.o)
		if err != nil {
			t.Fatal(err)
		}
		r, err := q.Compare(m, test.X, test.Y)
		if err != nil {
			t.Fatal(err)
		}
		t.Log(r)
		if r.FloatAccuracy < 0.95 || r.Accuracy < r.FloatAccuracy-0.01 || r.RMSError > c.rms { // one of 114 samples
			t.Errorf("class %v: accuracy %.4f, in float64 %.4f, rms error %.3g", c.o.Class, r.Accuracy, r.FloatAccuracy, r.RMSError)
		}
	}
}
