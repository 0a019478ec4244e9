package docs_test

import (
	"context"
	"fmt"

	"github.com/signet-ml/signet/ml"
	"github.com/signet-ml/signet/ml/provable"
	"github.com/signet-ml/signet/zk"
)

// prove returns the class that m gives x, once it has proved it and verified the proof. dir keeps keys for the next time.
func prove(ctx context.Context, m *ml.Model, sample, x ml.Tensor, dir string) (int, error) {
	c, err := provable.Compile(m, provable.Options{Weights: zk.Committed, Input: zk.Public, Calibration: sample})
	if err != nil {
		return 0, err
	}
	fmt.Println(c.Estimate()) // constraints by layer, ranges, seconds, memory, what becomes public

	k, err := zk.Setup(ctx, c.Circuit(), zk.CacheDir(dir)) // keys carry their provenance: "local" or a ceremony
	if err != nil {
		return 0, err
	}
	commitment, opening, err := c.Commit(k) // publish the commitment, keep the opening
	if err != nil {
		return 0, err
	}
	proof, pred, err := c.Prove(ctx, k, opening, x, zk.Context{}) // zero Context: bound to no network
	if err != nil {
		return 0, err
	}

	return pred.Labels[0], zk.Verify(k.VerifyingKey(), c.Statement(commitment, x, pred), proof) // anybody
}
