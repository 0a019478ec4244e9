// Package plain verifies the circuit part of a proof with gnark alone, from three files in gnark's own encodings.
//
// What gnark cannot see is the opening: that the circuit's weights are those of the model commitment. That, and what the
// two public inputs are hashes of, only zk.Verify checks.
package plain

import (
	"bytes"
	"cmp"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark/backend/groth16"
	"github.com/consensys/gnark/backend/witness"
)

// read fills v from a file of the folder that SIGNET_EVIDENCE names, or of testdata.
func read(t *testing.T, name string, v io.ReaderFrom) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(cmp.Or(os.Getenv("SIGNET_EVIDENCE"), "testdata"), name))
	if err != nil {
		t.Fatal(err)
	}
	if n, err := v.ReadFrom(bytes.NewReader(b)); err != nil || n != int64(len(b)) {
		t.Fatalf("%s: read %d of %d bytes: %v", name, n, len(b), err)
	}
}

func TestVerify(t *testing.T) {
	proof, vk := groth16.NewProof(ecc.BN254), groth16.NewVerifyingKey(ecc.BN254)
	public, err := witness.New(ecc.BN254.ScalarField())
	if err != nil {
		t.Fatal(err)
	}
	read(t, "proof.gnark", proof)
	read(t, "vk.gnark", vk)
	read(t, "public.gnark", public)
	if err := groth16.Verify(proof, vk, public); err != nil {
		t.Error(err)
	}

	// The same proof for another second input: the last byte of the file is that of the statement.
	b, err := public.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)-1] ^= 1
	if err := public.UnmarshalBinary(b); err != nil {
		t.Fatal(err)
	}
	if groth16.Verify(proof, vk, public) == nil {
		t.Error("the proof verifies for another statement")
	}
}
