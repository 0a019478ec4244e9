package docs_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/signet-ml/signet/ml/data"
	"github.com/signet-ml/signet/ml/provable"
	"github.com/signet-ml/signet/ml/train"
	"github.com/signet-ml/signet/zk"
)

// The steps of tutorials/proven-inference.md.
func Example_provenInference() {
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
	spec := train.Spec{Layers: []train.LayerSpec{train.Dense(16), train.ReLU(), train.Dense(2)}}
	m, err := train.Fit(ctx, spec, fitSet, train.Options{LearnRate: 0.01, FinalLearnRate: 1e-4,
		WeightDecay: 0.1, LabelSmoothing: 0.1, Epochs: 30, BatchSize: 32, Seed: 1})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(m)

	// Compile.
	c, err := provable.Compile(m, provable.Options{Weights: zk.Committed, Input: zk.Public, Calibration: fitSet.X})
	if err != nil {
		log.Fatal(err)
	}
	twin, err := c.Twin().Compare(m, test.X, test.Y)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(twin.Samples, twin.Accuracy > 0.95, len(twin.Flips) <= 2)

	// Estimate.
	e := c.Estimate()
	fmt.Println(e.Weights, "weights,", e.ProofBytes, "bytes,", e.Constraints < 2000)

	// Keys.
	dir, err := os.MkdirTemp("", "keys-")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	k, err := zk.Setup(ctx, c.Circuit(), zk.CacheDir(filepath.Join(dir, "keys")))
	if err != nil {
		log.Fatal(err)
	}
	vk := k.VerifyingKey()
	fmt.Println(vk.Provenance())

	// Commit.
	commitment, opening, err := c.CommitTo(ctx, k, filepath.Join(dir, "opening"))
	if err != nil {
		log.Fatal(err)
	}
	defer opening.Close()
	model, err := vk.ModelDigest(commitment)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(commitment.Points), "points")

	// Prove.
	x := test.X.Slice(0, 1)
	proof, pred, err := c.Prove(ctx, k, opening, x, zk.Context{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(m.Classes()[pred.Labels[0]])

	// Send.
	statement, err := json.Marshal(c.Statement(commitment, x, pred))
	if err != nil {
		log.Fatal(err)
	}
	key, err := vk.MarshalBinary()
	if err != nil {
		log.Fatal(err)
	}
	pf, err := proof.MarshalBinary()
	if err != nil {
		log.Fatal(err)
	}
	for name, b := range map[string][]byte{"vk.bin": key, "statement.json": statement, "proof.bin": pf} {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o644); err != nil {
			log.Fatal(err)
		}
	}

	// Verify.
	st, err := verify(dir, vk.Digest(), model)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(st.Output.Values, len(st.Input.Values))

	// Other key.
	if _, err := verify(dir, zk.Word{1}, model); err == nil {
		log.Fatal("a key that nobody knows was trusted")
	}
	if _, err := verify(dir, vk.Digest(), zk.Word{1}); err == nil {
		log.Fatal("another model was taken")
	}

	// Forge.
	st.Output.Values[0] = 1 - st.Output.Values[0]
	fmt.Println(errors.Is(zk.Verify(vk, st, proof), zk.ErrProof))

	// Hide.
	hidden, err := provable.CompileTwin(c.Twin(), provable.Options{Input: zk.Committed})
	if err != nil {
		log.Fatal(err)
	}
	proof, pred, err = hidden.Prove(ctx, k, opening, x, zk.Context{})
	if err != nil {
		log.Fatal(err)
	}
	st = hidden.Statement(commitment, x, pred)
	fmt.Println(st.Input.Visibility, len(st.Input.Values), zk.Verify(vk, st, proof))

	// Output:
	// [30] dense 30→16, relu, dense 16→2
	// 114 true true
	// 530 weights, 360 bytes, true
	// local, reference string local
	// 16 points
	// benign
	// [1] 30
	// true
	// committed 0 <nil>
}

// TestEstimateTables: the estimate that the tutorial prints, of its own network.
func TestEstimateTables(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		t.Skip("the page shows an estimate from amd64")
	}
	m, fitSet, _, err := tumours(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	c, err := provable.Compile(m, provable.Options{Weights: zk.Committed, Input: zk.Public, Calibration: fitSet.X})
	if err != nil {
		t.Fatal(err)
	}
	section(t, "tutorials/proven-inference.md", "estimate", fmt.Sprintf("```text\n%v```\n", c.Estimate()))
}
