// Package snippet imports Signet as a user's module does, proves one prediction of a model of its own as the
// documentation says, and verifies it.
package snippet

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/signet-ml/signet/ml"
	"github.com/signet-ml/signet/ml/provable"
	"github.com/signet-ml/signet/zk"
	"github.com/signet-ml/signet/zk/solidity"
)

func TestSnippet(t *testing.T) {
	ctx, dir := context.Background(), t.TempDir()
	rng := rand.New(rand.NewPCG(1, 2))
	tensor := func(rows, cols int) ml.Tensor {
		data := make([]float64, rows*cols)
		for i := range data {
			data[i] = 2*rng.Float64() - 1
		}
		x, err := ml.NewTensor([]int{rows, cols}, data)
		check(t, err)
		return x
	}
	sample := tensor(256, 20)
	x := sample.Slice(7, 8)
	m, err := ml.Sequential(ml.Dense(tensor(8, 20), nil), ml.ReLU(), ml.Dense(tensor(3, 8), []float64{0.1, -0.2, 0.3}))
	check(t, err)

	c, err := provable.Compile(m, provable.Options{Weights: zk.Committed, Input: zk.Public, Calibration: sample})
	check(t, err)
	if text := fmt.Sprint(c.Estimate()); !strings.Contains(text, "constraints") || !strings.Contains(text, "not proved") {
		t.Errorf("the estimate does not say what a proof costs and does not prove:\n%s", text)
	}
	k, err := zk.Setup(ctx, c.Circuit(), zk.CacheDir(dir)) // keys carry their provenance: "local" or a ceremony
	check(t, err)
	commitment, opening, err := c.Commit(k) // the commitment goes to a registry, the opening stays with the model owner
	check(t, err)
	proof, pred, err := c.Prove(ctx, k, opening, x, zk.Context{}) // zero Context: bound to no network
	check(t, err)
	check(t, zk.Verify(k.VerifyingKey(), c.Statement(commitment, x, pred), proof))

	// The prediction is the twin's, and what crosses to the verifier crosses as bytes.
	in, err := c.Twin().Encode(x)
	check(t, err)
	out, err := c.Twin().Forward(in, 1)
	check(t, err)
	if want := c.Twin().Labels(out)[0]; len(pred.Labels) != 1 || pred.Labels[0] != want {
		t.Errorf("classes %v, the twin says %d", pred.Labels, want)
	}
	key, err := k.VerifyingKey().MarshalBinary()
	check(t, err)
	vk, err := zk.ReadVerifyingKey(bytes.NewReader(key), 1<<20)
	check(t, err)
	b, err := proof.MarshalBinary()
	check(t, err)
	pf, err := zk.ReadProof(bytes.NewReader(b))
	check(t, err)
	check(t, zk.Verify(vk, c.Statement(commitment, x, pred), pf))
	if err := zk.Verify(vk, c.Statement(commitment, sample.Slice(8, 9), pred), pf); !errors.Is(err, zk.ErrProof) {
		t.Errorf("for another input: %v, want ErrProof", err)
	}

	// A contract checks compact commitments only, and hashes in another way.
	if _, err := solidity.Export(vk); !errors.Is(err, solidity.ErrTarget) {
		t.Errorf("a contract for keys of another target: %v, want ErrTarget", err)
	}
	k, err = zk.Setup(ctx, c.Circuit(), zk.CacheDir(dir), zk.CompactModel(), zk.For(zk.Solidity))
	check(t, err)
	sol, err := solidity.Export(k.VerifyingKey())
	check(t, err)
	if len(sol.Files) == 0 {
		t.Error("no contract")
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
