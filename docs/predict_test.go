package docs_test

import (
	"context"
	"fmt"

	"github.com/signet-ml/signet/fhe/client"
	"github.com/signet-ml/signet/fhe/engine"
	"github.com/signet-ml/signet/ml"
	"github.com/signet-ml/signet/ml/encrypted"
)

// predict returns the scores of m for one sample x that only the data owner sees in the clear.
func predict(ctx context.Context, m *ml.Model, sample ml.Tensor, x []float64) ([]float64, error) {
	plan, err := encrypted.Compile(m, encrypted.Target{Calibration: sample}) // 128 bits, one sample, lowest latency
	if err != nil {
		return nil, err
	}
	fmt.Println(plan) // parameters and security row, levels, bits of precision, bytes of keys

	kg, err := client.NewKeyGenerator(plan.Parameters()) // the data owner
	if err != nil {
		return nil, err
	}
	sk := kg.GenSecretKey()
	keys, err := kg.GenEvaluationKeys(ctx, sk, plan.Keys()) // what the server may hold
	if err != nil {
		return nil, err
	}
	in, err := client.NewEncryptor(sk).Encrypt(plan.Input(), x)
	if err != nil {
		return nil, err
	}

	eng, err := engine.Open(ctx, engine.Auto) // the server
	if err != nil {
		return nil, err
	}
	job, err := eng.Load(ctx, plan.Program(), plan.Constants(), keys)
	if err != nil {
		return nil, err
	}
	defer job.Close()
	out, err := job.Run(ctx, in)
	if err != nil {
		return nil, err
	}

	return client.NewDecryptor(sk).ForOwner(plan.Output(), out) // the data owner
}
