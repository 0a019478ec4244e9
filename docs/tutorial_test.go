package docs_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"testing"

	"github.com/signet-ml/signet/fhe/client"
	"github.com/signet-ml/signet/fhe/engine"
	"github.com/signet-ml/signet/ml"
	"github.com/signet-ml/signet/ml/data"
	"github.com/signet-ml/signet/ml/encrypted"
	"github.com/signet-ml/signet/ml/train"
)

// The steps of tutorials/encrypted-inference.md.
func Example_tutorial() {
	ctx := context.Background()

	// Train.
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
	fmt.Println(m)
	fmt.Println(m.Classes())

	// Compile.
	plan, err := encrypted.Compile(m, encrypted.Target{Calibration: fitSet.X, Packing: encrypted.Single})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(plan.Packing(), plan.Samples(), plan.ClientLayer())

	// Keys.
	kg, err := client.NewKeyGenerator(plan.Parameters())
	if err != nil {
		log.Fatal(err)
	}
	sk := kg.GenSecretKey()
	keys, err := kg.GenEvaluationKeys(ctx, sk, plan.Keys(), client.WithAudit())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(keys.Elements()) == len(plan.Keys()), keys.Bytes() == plan.KeysBytes())

	// Load on the server.
	eng, err := engine.Open(ctx, engine.Auto)
	if err != nil {
		log.Fatal(err)
	}
	job, err := eng.Load(ctx, plan.Program(), plan.Constants(), keys)
	if err != nil {
		log.Fatal(err)
	}
	defer job.Close()

	enc, dec := client.NewEncryptor(sk), client.NewDecryptor(sk)
	var outputs []float64
	for i := range test.Len() {
		// Encrypt.
		in, err := enc.Encrypt(plan.Input(), test.X.Row(i))
		if err != nil {
			log.Fatal(err)
		}

		// Run on the server.
		out, err := job.Run(ctx, in)
		if err != nil {
			log.Fatal(err)
		}

		// Decrypt.
		score, err := dec.ForOwner(plan.Output(), out)
		if err != nil {
			log.Fatal(err)
		}
		p, err := plan.Unpack(score, 1) // the model's output: a probability
		if err != nil {
			log.Fatal(err)
		}
		outputs = append(outputs, p.Data...)
	}

	// Compare.
	y, err := ml.NewTensor([]int{test.Len(), 1}, outputs)
	if err != nil {
		log.Fatal(err)
	}
	clear, err := m.Predict(test.X)
	if err != nil {
		log.Fatal(err)
	}
	agreement, err := ml.Accuracy(m.Labels(y), clear)
	if err != nil {
		log.Fatal(err)
	}
	accuracy, err := ml.Accuracy(m.Labels(y), test.Y)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(test.Len(), agreement, accuracy > 0.95)

	// Output:
	// [30] dense 30→1, sigmoid
	// [malignant benign]
	// single 1 sigmoid
	// true true
	// 114 1 true
}

// The snippets of howto/bring-your-own-model.md: a model that a Python script wrote.
func Example_ownModel() {
	m, err := ml.Load("../ml/testdata/xor_f32.safetensors")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(m)

	x, err := ml.FromRows([][]float64{{0, 0}, {0, 1}, {1, 0}, {1, 1}})
	if err != nil {
		log.Fatal(err)
	}
	plan, err := encrypted.Compile(m, encrypted.Target{Calibration: x, MinCalibration: 4})
	if err != nil {
		log.Fatal(err)
	}
	twin, err := plan.Twin().Forward(x)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(m.Labels(twin))

	// Output:
	// [2] dense 2→2, square, dense 2→1
	// [0 1 1 0]
}

// The snippets of howto/choose-packing-and-precision.md.
func Example_choosing() {
	ctx := context.Background()
	ds, err := data.BreastCancer()
	if err != nil {
		log.Fatal(err)
	}
	ds, _ = ds.Standardize()
	spec, opts := train.LogisticRegression(1)
	m, err := train.Fit(ctx, spec, ds, opts)
	if err != nil {
		log.Fatal(err)
	}

	// One sample, at the lowest latency.
	one, err := encrypted.Compile(m, encrypted.Target{Calibration: ds.X, Packing: encrypted.Single})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(one.Packing(), one.Samples(), one.ClientLayer())

	// A thousand samples in one run.
	many, err := encrypted.Compile(m, encrypted.Target{Calibration: ds.X, Batch: 1000})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(many.Packing(), many.Samples() >= 1000, many.ClientLayer())

	// Output:
	// single 1 sigmoid
	// batch true sigmoid
}

// The search tries every ring, so it has no Output; TestTooDeep runs it.
func Example_tooDeep() {
	ds, err := data.BreastCancer()
	if err != nil {
		log.Fatal(err)
	}
	ds, _ = ds.Standardize()
	spec, opts := train.LogisticRegression(1)
	m, err := train.Fit(context.Background(), spec, ds, opts)
	if err != nil {
		log.Fatal(err)
	}

	// Ask for too much: sixteen sigmoids in a row.
	layers := m.Layers()[:1]
	four, err := ml.FromRows([][]float64{{4}})
	if err != nil {
		log.Fatal(err)
	}
	for range 16 {
		layers = append(layers, ml.Sigmoid(), ml.Dense(four, []float64{-2}))
	}
	deep, err := ml.Sequential(layers...)
	if err != nil {
		log.Fatal(err)
	}
	_, err = encrypted.Compile(deep, encrypted.Target{Calibration: ds.X, Packing: encrypted.Single})
	var infeasible *encrypted.InfeasibleError
	if errors.As(err, &infeasible) {
		fmt.Println(infeasible.Levels > 30, infeasible.Missing > 0)
	}
}

// TestTooDeep runs the example of a network that no parameters hold.
func TestTooDeep(t *testing.T) {
	if testing.Short() {
		t.Skip("long: the tests of ml/encrypted ask for too much of smaller models")
	}
	if got, want := printed(t, Example_tooDeep), "true true\n"; got != want {
		t.Errorf("printed %q, want %q", got, want)
	}
}
