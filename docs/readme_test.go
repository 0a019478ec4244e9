package docs_test

import (
	"context"
	"fmt"
	"log"
	"math"
	"testing"

	"github.com/signet-ml/signet/ml"
	"github.com/signet-ml/signet/ml/data"
	"github.com/signet-ml/signet/ml/train"
)

// It prints a plan, whose numbers may differ from machine to machine, so it has no Output; TestPredict runs it.
func Example_predict() {
	ctx := context.Background()
	ds, err := data.BreastCancer()
	if err != nil {
		log.Fatal(err)
	}
	fitSet, test := ds.Split(1, 0.8)
	fitSet, scaler := fitSet.Standardize()
	if test, err = scaler.Apply(test); err != nil {
		log.Fatal(err)
	}
	spec, opts := train.LogisticRegression(1)
	m, err := train.Fit(ctx, spec, fitSet, opts)
	if err != nil {
		log.Fatal(err)
	}
	y, err := predict(ctx, m, fitSet.X, test.X.Row(0))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(m.Classes()[m.Labels(y)[0]])
}

// TestPredict checks the probability that the snippet of README.md returns. The plan promises scores within 2^-12 of the
// model's own, relative to the largest of the calibration set, and a sigmoid is nowhere steeper than 1/4.
func TestPredict(t *testing.T) {
	ctx := context.Background()
	ds, err := data.BreastCancer()
	if err != nil {
		t.Fatal(err)
	}
	ds, _ = ds.Standardize()
	spec, opts := train.LogisticRegression(1)
	opts.Epochs = 3
	m, err := train.Fit(ctx, spec, ds, opts)
	if err != nil {
		t.Fatal(err)
	}
	got, err := predict(ctx, m, ds.X, ds.X.Row(7))
	if err != nil {
		t.Fatal(err)
	}
	want, err := m.Forward(ds.X)
	if err != nil {
		t.Fatal(err)
	}
	linear, err := ml.Sequential(m.Layers()[0])
	if err != nil {
		t.Fatal(err)
	}
	scores, err := linear.Forward(ds.X)
	if err != nil {
		t.Fatal(err)
	}
	largest := 0.0
	for _, v := range scores.Data {
		largest = max(largest, math.Abs(v))
	}
	if len(got.Data) != 1 || math.Abs(got.Data[0]-want.Data[7]) > largest/4*0x1p-12 {
		t.Errorf("probability %v, want %v within %g", got.Data, want.Data[7], largest/4*0x1p-12)
	}
}
