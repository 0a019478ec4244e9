package provable_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/signet-ml/signet/ml"
	"github.com/signet-ml/signet/ml/provable"
	"github.com/signet-ml/signet/zk"
)

// TestSaturated proves nothing about an input five times outside of the calibration set, unless it is told to.
func TestSaturated(t *testing.T) {
	m, x := network(t, 21, ml.ReLU())
	circuit, err := provable.Compile(m, provable.Options{Calibration: x, Batch: 2, Weights: zk.Public})
	if err != nil {
		t.Fatal(err)
	}
	k := keys(t, circuit)
	in := sample(x, 3, 5)
	_, pred, err := circuit.Prove(context.Background(), k, nil, in, zk.Context{})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range pred.Saturated {
		if s.Harmful > 0 {
			t.Errorf("a calibration sample saturates: %+v", s)
		}
	}
	far := in.Clone()
	far.Data[7] = 5 * slices.Min(x.Data) // feature 2 of sample 1
	_, _, err = circuit.Prove(context.Background(), k, nil, far, zk.Context{})
	var se *provable.SaturatedError
	if !errors.As(err, &se) || !strings.Contains(err.Error(), "input: 1 of 10 numbers, of sample 1 number 2") {
		t.Fatalf("got %v, want a SaturatedError", err)
	}
	if s := se.Saturations[0]; s.Tensor != "input" || s.Cut != 1 || s.Harmful != 1 || s.Sample != 1 || s.Element != 2 || s.Times < 2.5 || s.Times > 6 {
		t.Errorf("got %+v", s)
	}
	proof, pred, err := circuit.Prove(context.Background(), k, nil, far, zk.Context{}, provable.AllowSaturation())
	if err != nil {
		t.Fatal(err)
	}
	if len(pred.Saturated) == 0 || pred.Saturated[0] != se.Saturations[0] {
		t.Errorf("the prediction says %+v, the error %+v", pred.Saturated, se.Saturations)
	}
	if err := zk.Verify(k.VerifyingKey(), circuit.Statement(nil, far, pred), proof); err != nil {
		t.Error(err)
	}
}

// TestSaturatedSpendsNothing refuses before the budget is charged.
func TestSaturatedSpendsNothing(t *testing.T) {
	m, x := network(t, 1, ml.ReLU())
	circuit, err := provable.Compile(m, provable.Options{Calibration: x})
	if err != nil {
		t.Fatal(err)
	}
	k := keys(t, circuit)
	_, opening, err := circuit.Commit(k)
	if err != nil {
		t.Fatal(err)
	}
	_, before, err := circuit.Prove(context.Background(), k, opening, sample(x, 0, 1), zk.Context{})
	if err != nil {
		t.Fatal(err)
	}
	far := sample(x, 0, 1).Clone()
	far.Data[0] = 1e6
	var se *provable.SaturatedError
	if _, _, err := circuit.Prove(context.Background(), k, opening, far, zk.Context{}); !errors.As(err, &se) {
		t.Fatalf("got %v, want a SaturatedError", err)
	}
	_, after, err := circuit.Prove(context.Background(), k, opening, sample(x, 1, 2), zk.Context{})
	if err != nil {
		t.Fatal(err)
	}
	if after.ProofsLeft() != before.ProofsLeft()-1 {
		t.Errorf("%d proofs left, then %d", before.ProofsLeft(), after.ProofsLeft())
	}
}
