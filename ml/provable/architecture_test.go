package provable_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"

	"github.com/signet-ml/signet/ml"
	"github.com/signet-ml/signet/ml/fixedpoint"
	"github.com/signet-ml/signet/ml/provable"
	"github.com/signet-ml/signet/zk"
)

// TestCompileArchitecture: keys made from an architecture that crossed as JSON, without weights, are those of the model.
func TestCompileArchitecture(t *testing.T) {
	m, x := network(t, 1, ml.ReLU())
	c, err := provable.Compile(m, provable.Options{Calibration: x, Proofs: 50})
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(c.Architecture())
	if err != nil {
		t.Fatal(err)
	}
	var a fixedpoint.Architecture
	if err := json.Unmarshal(b, &a); err != nil {
		t.Fatal(err)
	}
	blank, err := provable.CompileArchitecture(a, provable.Options{Proofs: 50})
	if err != nil {
		t.Fatal(err)
	}
	made, err := zk.Setup(context.Background(), blank, zk.CacheDir(cacheDir))
	if err != nil {
		t.Fatal(err)
	}
	if found := keys(t, c); !found.Cached() || found.VerifyingKey().Digest() != made.VerifyingKey().Digest() {
		t.Errorf("the model's keys: from the cache is %t, digest %v, want %v", found.Cached(), found.VerifyingKey().Digest(), made.VerifyingKey().Digest())
	}

	if _, err := provable.CompileArchitecture(a, provable.Options{Weights: zk.Public}); err == nil {
		t.Error("public weights of an architecture were accepted")
	}
	if _, err := provable.CompileArchitecture(a, provable.Options{Proofs: -1}); err == nil {
		t.Error("a negative number of proofs was accepted")
	}
	if c, err := provable.CompileArchitecture(fixedpoint.Architecture{InputShape: []int{2}}, provable.Options{}); err == nil || c != nil {
		t.Errorf("an architecture without ops: %v, %v", c, err)
	}
}

// TestPublicWitness: it fails where key, statement and proof do not fit each other.
func TestPublicWitness(t *testing.T) {
	m, x := network(t, 1, ml.ReLU())
	c, err := provable.Compile(m, provable.Options{Calibration: x})
	if err != nil {
		t.Fatal(err)
	}
	k := keys(t, c)
	vk := k.VerifyingKey()
	_, opening, err := c.Commit(k)
	if err != nil {
		t.Fatal(err)
	}
	proof, pred, err := c.Prove(context.Background(), k, opening, sample(x, 0, 1), zk.Context{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := zk.PublicWitness(vk, pred.Statement(), proof); err != nil {
		t.Fatal(err)
	}
	if _, err := zk.PublicWitness(vk, nil, proof); !errors.Is(err, zk.ErrStatement) {
		t.Errorf("no statement: %v, want ErrStatement", err)
	}
	if _, err := zk.PublicWitness(vk, pred.Statement(), nil); !errors.Is(err, zk.ErrProof) {
		t.Errorf("no proof: %v, want ErrProof", err)
	}
	other, err := provable.Compile(m, provable.Options{Weights: zk.Public, Calibration: x})
	if err != nil {
		t.Fatal(err)
	}
	public := keys(t, other)
	proof, pred, err = other.Prove(context.Background(), public, nil, sample(x, 0, 1), zk.Context{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := zk.PublicWitness(public.VerifyingKey(), pred.Statement(), proof); err != nil {
		t.Errorf("public weights: %v", err)
	}
	if _, err := zk.PublicWitness(vk, pred.Statement(), proof); !errors.Is(err, zk.ErrStatement) {
		t.Errorf("a statement of other keys: %v, want ErrStatement", err)
	}
}
