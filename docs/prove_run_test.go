package docs_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"testing"

	"github.com/signet-ml/signet/ml"
	"github.com/signet-ml/signet/ml/data"
	"github.com/signet-ml/signet/ml/train"
)

// tumours returns a small network with a ReLU, trained on the breast cancer set, and the set in two parts.
func tumours(ctx context.Context) (m *ml.Model, fitSet, test data.Dataset, err error) {
	ds, err := data.BreastCancer()
	if err != nil {
		return nil, ds, ds, err
	}
	fitSet, test = ds.Split(1, 0.8)
	fitSet, scaler := fitSet.Standardize()
	if test, err = scaler.Apply(test); err != nil {
		return nil, ds, ds, err
	}
	spec := train.Spec{Layers: []train.LayerSpec{train.Dense(16), train.ReLU(), train.Dense(2)}}
	m, err = train.Fit(ctx, spec, fitSet, train.Options{LearnRate: 0.01, FinalLearnRate: 1e-4, WeightDecay: 0.1, LabelSmoothing: 0.1, Epochs: 30, BatchSize: 32, Seed: 1})
	return m, fitSet, test, err
}

// It prints an estimate, whose times are of one machine, so it has no Output; TestProve runs it.
func Example_prove() {
	ctx := context.Background()
	m, fitSet, test, err := tumours(ctx)
	if err != nil {
		log.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "keys-")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	class, err := prove(ctx, m, fitSet.X, test.X.Slice(0, 1), dir)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(m.Classes()[class])
}

// TestProve checks the class that the snippet of README.md proves: that of the model in floats, for samples of both
// classes.
func TestProve(t *testing.T) {
	ctx, dir := context.Background(), t.TempDir()
	m, fitSet, test, err := tumours(ctx)
	if err != nil {
		t.Fatal(err)
	}
	want, err := m.Predict(test.X)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[int]bool{}
	for i := 0; len(seen) < 2 && i < test.Len(); i++ {
		if seen[want[i]] {
			continue
		}
		seen[want[i]] = true
		got, err := prove(ctx, m, fitSet.X, test.X.Slice(i, i+1), dir)
		if err != nil {
			t.Fatal(err)
		}
		if got != want[i] {
			t.Errorf("sample %d: class %d, the model says %d", i, got, want[i])
		}
	}
	if len(seen) != 2 {
		t.Errorf("the model knows %d classes", len(seen))
	}
}
