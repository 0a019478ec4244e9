package provable_test

import (
	"context"
	"fmt"
	"log"

	"github.com/signet-ml/signet/ml"
	"github.com/signet-ml/signet/ml/provable"
	"github.com/signet-ml/signet/zk"
)

// A model with private weights, a proof of one prediction, and a verifier who knows the input.
func Example() {
	ctx := context.Background()
	m, err := ml.Sequential(
		ml.Dense(ml.Tensor{Shape: []int{3, 2}, Data: []float64{1, -1, 0.5, 0.25, -1, 2}}, nil),
		ml.ReLU(),
		ml.Dense(ml.Tensor{Shape: []int{2, 3}, Data: []float64{1, 0.5, -1, -1, 0.25, 1}}, nil))
	check(err)
	sample := ml.Tensor{Shape: []int{4, 2}, Data: []float64{1, 0, 0, 1, 0.5, 0.5, 0.25, 1}}

	c, err := provable.Compile(m, provable.Options{Input: zk.Public, Calibration: sample})
	check(err)
	k, err := zk.Setup(ctx, c.Circuit()) // zk.CacheDir keeps the keys for the next run
	check(err)
	commitment, opening, err := c.Commit(k) // the commitment is public, the opening stays
	check(err)

	x := ml.Tensor{Shape: []int{2}, Data: []float64{0.25, 1}}
	proof, pred, err := c.Prove(ctx, k, opening, x, zk.Context{})
	check(err)
	fmt.Println("class", pred.Labels[0])

	// The verifier.
	fmt.Println("verified:", zk.Verify(k.VerifyingKey(), c.Statement(commitment, x, pred), proof) == nil)
	other := ml.Tensor{Shape: []int{2}, Data: []float64{1, 0}}
	fmt.Println("for another input:", zk.Verify(k.VerifyingKey(), c.Statement(commitment, other, pred), proof) == nil)
	// Output:
	// class 1
	// verified: true
	// for another input: false
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
