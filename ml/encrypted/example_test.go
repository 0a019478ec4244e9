package encrypted_test

import (
	"context"
	"fmt"
	"log"
	"math"

	"github.com/signet-ml/signet/fhe/client"
	"github.com/signet-ml/signet/fhe/engine"
	"github.com/signet-ml/signet/ml"
	"github.com/signet-ml/signet/ml/encrypted"
)

// A score of four features, computed by a server that sees neither the features nor the score.
func Example() {
	ctx := context.Background()
	m, err := ml.Sequential(ml.Dense(ml.Tensor{Shape: []int{1, 4}, Data: []float64{0.5, -1, 0.25, 2}}, []float64{-0.5}), ml.Sigmoid())
	if err != nil {
		log.Fatal(err)
	}
	sample := ml.Tensor{Shape: []int{256, 4}, Data: make([]float64, 4*256)} // typical inputs
	for i := range sample.Data {
		sample.Data[i] = math.Sin(float64(i))
	}
	plan, err := encrypted.Compile(m, encrypted.Target{Calibration: sample})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(plan.Parameters()) // and all of plan says what it costs

	kg, err := client.NewKeyGenerator(plan.Parameters()) // the data owner
	if err != nil {
		log.Fatal(err)
	}
	sk := kg.GenSecretKey()
	keys, err := kg.GenEvaluationKeys(ctx, sk, plan.Keys()) // what the server may hold
	if err != nil {
		log.Fatal(err)
	}
	in, err := client.NewEncryptor(sk).Encrypt(plan.Input(), []float64{0.5, -0.25, 1, 0.75})
	if err != nil {
		log.Fatal(err)
	}

	eng, err := engine.Open(ctx, engine.Auto) // the server
	if err != nil {
		log.Fatal(err)
	}
	job, err := eng.Load(ctx, plan.Program(), plan.Constants(), keys)
	if err != nil {
		log.Fatal(err)
	}
	defer job.Close()
	out, err := job.Run(ctx, in)
	if err != nil {
		log.Fatal(err)
	}

	y, err := client.NewDecryptor(sk).ForOwner(plan.Output(), out) // the data owner
	if err != nil {
		log.Fatal(err)
	}
	scores, err := plan.Scores(y, 1)
	if err != nil {
		log.Fatal(err)
	}
	p, err := plan.Unpack(y, 1)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("score %.2f, probability %.2f\n", scores.Data[0], p.Data[0])
	// Output:
	// N=2^12 Q=47 P=48 [classical 128, uniform ternary, N=2^12: log2(QP) = 95.0 of at most 106]
	// score 1.75, probability 0.85
}
