package docs_test

import (
	"context"
	"fmt"
	"log"

	"github.com/signet-ml/signet/fhe/client"
	"github.com/signet-ml/signet/fhe/engine"
	"github.com/signet-ml/signet/fhe/engine/clear"
	"github.com/signet-ml/signet/ml"
	"github.com/signet-ml/signet/ml/encrypted"
)

// The snippets of howto/find-the-layer-that-loses-precision.md.
func Example_precision() {
	ctx := context.Background()
	m, err := ml.Load("../ml/testdata/xor_f32.safetensors")
	if err != nil {
		log.Fatal(err)
	}
	x, err := ml.FromRows([][]float64{{0, 0}, {0, 1}, {1, 0}, {1, 1}})
	if err != nil {
		log.Fatal(err)
	}
	plan, err := encrypted.Compile(m, encrypted.Target{Calibration: x, MinCalibration: 4, Packing: encrypted.Single})
	if err != nil {
		log.Fatal(err)
	}

	// What would the server answer? No key is needed to know.
	inputs := map[string][]float64{plan.Input().Name: x.Row(2)}
	sim, err := clear.Execute(ctx, plan.Program(), plan.Constants(), inputs, clear.ExecuteOptions{Simulate: true})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%.2f\n", sim.Outputs[plan.Output().Name])

	kg, err := client.NewKeyGenerator(plan.Parameters())
	if err != nil {
		log.Fatal(err)
	}
	sk := kg.GenSecretKey()
	keys, err := kg.GenEvaluationKeys(ctx, sk, plan.Keys())
	if err != nil {
		log.Fatal(err)
	}

	// Where do an encrypted run and the clear one part?
	in, err := client.NewEncryptor(sk).Encrypt(plan.Input(), x.Row(2))
	if err != nil {
		log.Fatal(err)
	}
	eng, err := engine.Open(ctx, engine.Auto)
	if err != nil {
		log.Fatal(err)
	}
	open := client.NewDecryptor(sk).Open // every value on the way is decrypted: for the owner of sk, and nobody else
	report, err := clear.Compare(ctx, eng, plan.Program(), plan.Constants(), keys, in, open, clear.Options{Tolerance: 10})
	if err != nil {
		log.Fatal(err)
	}
	log.Println(report)
	if report.OK() {
		fmt.Println("no layer is suspect")
	}

	// Output:
	// [0.50]
	// no layer is suspect
}
