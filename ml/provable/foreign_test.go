package provable_test

import (
	"context"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/signet-ml/signet/fhe/fhetest"
	"github.com/signet-ml/signet/ml"
	"github.com/signet-ml/signet/ml/provable"
	"github.com/signet-ml/signet/zk"
)

var update = flag.Bool("update", false, "rewrite the proof of testdata/foreign/gnark/testdata")

// TestPlainGnark: a module that has gnark and nothing of ours verifies the circuit of a new proof, and of the one that it
// keeps.
func TestPlainGnark(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a module of its own")
	}
	const module = "testdata/foreign/gnark"
	m, x := network(t, 1, ml.ReLU())
	c, err := provable.Compile(m, provable.Options{Calibration: x})
	if err != nil {
		t.Fatal(err)
	}
	k := keys(t, c)
	_, opening, err := c.Commit(k)
	if err != nil {
		t.Fatal(err)
	}
	proof, pred, err := c.Prove(context.Background(), k, opening, sample(x, 0, 1), zk.Context{})
	if err != nil {
		t.Fatal(err)
	}
	key, err := k.VerifyingKey().Groth16().MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	public, err := zk.PublicWitness(k.VerifyingKey(), pred.Statement(), proof)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if *update {
		dir = filepath.Join(module, "testdata")
	}
	for name, b := range map[string][]byte{"vk.gnark": key, "public.gnark": public, "proof.gnark": proof.Groth16()} {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	fhetest.RunForeign(t, module, "../..") // the proof of its testdata
	if dir, err = filepath.Abs(dir); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SIGNET_EVIDENCE", dir)
	fhetest.RunForeign(t, module, "../..")
}

// TestSnippetInForeignModule: a module of its own runs the documentation's snippet that proves one prediction.
func TestSnippetInForeignModule(t *testing.T) {
	fhetest.RunForeign(t, "testdata/foreign/snippet", "../..")
}
