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
	score, err := predict(ctx, m, fitSet.X, test.X.Row(0))
	if err != nil {
		log.Fatal(err)
	}
	if score[0] > 0 {
		fmt.Println("benign")
	}
}

// TestPredict checks the score that the snippet of README.md returns: within 2^-12 of the model's own, relative to the
// largest score of the calibration set, as the plan promises.
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
	// The sigmoid is left to the client, so scores are compared: the model without its last layer.
	linear, err := ml.Sequential(m.Layers()[0])
	if err != nil {
		t.Fatal(err)
	}
	all, err := linear.Forward(ds.X)
	if err != nil {
		t.Fatal(err)
	}
	largest := 0.0
	for _, v := range all.Data {
		largest = max(largest, math.Abs(v))
	}
	if e := math.Abs(got[0]-all.Data[7]) / largest; len(got) != 1 || e > 0x1p-12 {
		t.Errorf("score %v, want %v: relative error %g", got, all.Data[7], e)
	}
}
