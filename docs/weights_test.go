package docs_test

import (
	"context"
	"fmt"
	"log"
	"math"

	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/client"
	"github.com/signet-ml/signet/fhe/engine"
	"github.com/signet-ml/signet/ml/data"
	"github.com/signet-ml/signet/ml/encrypted"
	"github.com/signet-ml/signet/ml/train"
)

// The snippets of howto/encrypt-the-weights.md.
func Example_encryptedWeights() {
	ctx := context.Background()
	ds, err := data.BreastCancer()
	if err != nil {
		log.Fatal(err)
	}
	ds, _ = ds.Standardize()
	m, err := train.Fit(ctx, train.Spec{Layers: []train.LayerSpec{train.Dense(8), train.Square(), train.Dense(2)}}, ds,
		train.Options{Epochs: 5, LearnRate: 0.01, BatchSize: 32, Seed: 1, WeightDecay: 0.3})
	if err != nil {
		log.Fatal(err)
	}

	// The model owner.
	plan, err := encrypted.Compile(m, encrypted.Target{Calibration: ds.X, EncryptedWeights: true})
	if err != nil {
		log.Fatal(err)
	}
	params, prog := plan.Parameters(), plan.Program() // both may be shown to everybody
	for _, port := range plan.WeightPorts() {
		fmt.Println(port.Name, port.Count > 0, len(plan.Weights(port.Name)) == port.Layout.Len())
	}

	// The data owner.
	kg, err := client.NewKeyGenerator(params)
	if err != nil {
		log.Fatal(err)
	}
	sk := kg.GenSecretKey()
	pk, err := kg.GenPublicKey(sk) // for the model owner
	if err != nil {
		log.Fatal(err)
	}
	keys, err := kg.GenEvaluationKeys(ctx, sk, prog.Keys()) // for the server
	if err != nil {
		log.Fatal(err)
	}

	// The model owner again.
	enc := client.NewPublicKeyEncryptor(pk)
	weights := fhe.NewBundle(params, pk.Key(), prog.Digest())
	for _, port := range plan.WeightPorts() {
		b, err := enc.Encrypt(port, plan.Weights(port.Name))
		if err != nil {
			log.Fatal(err)
		}
		if err := weights.Merge(b); err != nil {
			log.Fatal(err)
		}
	}

	// The data owner encrypts a sample.
	in, err := client.NewEncryptor(sk).Encrypt(prog.Inputs()[0], ds.X.Row(7))
	if err != nil {
		log.Fatal(err)
	}

	// The server.
	eng, err := engine.Open(ctx, engine.Auto)
	if err != nil {
		log.Fatal(err)
	}
	job, err := eng.Load(ctx, prog, plan.Constants(), keys)
	if err != nil {
		log.Fatal(err)
	}
	defer job.Close()
	if err := in.Merge(weights); err != nil { // refused unless key, parameters and program are the same
		log.Fatal(err)
	}
	out, err := job.Run(ctx, in)
	if err != nil {
		log.Fatal(err)
	}

	// The data owner decrypts.
	y, err := client.NewDecryptor(sk).ForOwner(prog.Outputs()[0], out)
	if err != nil {
		log.Fatal(err)
	}

	twin, err := plan.Twin().Scores(ds.Subset([]int{7}).X)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(math.Abs(y[0]-twin.Data[0]) < 0.01)

	// Output:
	// weights of dense1 true true
	// bias of dense1 true true
	// weights of dense2 true true
	// bias of dense2 true true
	// true
}
