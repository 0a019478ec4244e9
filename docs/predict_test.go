package docs_test

import (
	"context"
	"fmt"

	"github.com/signet-ml/signet/fhe/client"
	"github.com/signet-ml/signet/fhe/engine"
	"github.com/signet-ml/signet/ml"
	"github.com/signet-ml/signet/ml/encrypted"
)

// predict returns what m gives for one sample x that only the data owner sees in the clear.
func predict(ctx context.Context, m *ml.Model, sample ml.Tensor, x []float64) (y ml.Tensor, err error) {
	plan, err := encrypted.Compile(m, encrypted.Target{Calibration: sample}) // 128 bits, one sample, lowest latency
	if err != nil {
		return y, err
	}
	fmt.Println(plan) // parameters, security row, levels, precision, bytes

	kg, err := client.NewKeyGenerator(plan.Parameters()) // the data owner
	if err != nil {
		return y, err
	}
	sk := kg.GenSecretKey()
	keys, err := kg.GenEvaluationKeys(ctx, sk, plan.Keys()) // what the server may hold
	if err != nil {
		return y, err
	}
	in, err := client.NewEncryptor(sk).Encrypt(plan.Input(), x)
	if err != nil {
		return y, err
	}

	eng, err := engine.Open(ctx, engine.Auto) // the server
	if err != nil {
		return y, err
	}
	job, err := eng.Load(ctx, plan.Program(), plan.Constants(), keys)
	if err != nil {
		return y, err
	}
	defer job.Close()
	out, err := job.Run(ctx, in)
	if err != nil {
		return y, err
	}

	scores, err := client.NewDecryptor(sk).ForOwner(plan.Output(), out) // the data owner
	if err != nil {
		return y, err
	}
	return plan.Unpack(scores, 1) // a sigmoid or softmax at the end is applied here
}
