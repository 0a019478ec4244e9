package gnarkx

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/backend"
	groth16 "github.com/consensys/gnark/backend/groth16/bn254"
	"github.com/consensys/gnark/backend/solidity"
	"github.com/consensys/gnark/backend/witness"
)

// What is exported is read by gnark alone, and verifies there.
func TestGnarkReads(t *testing.T) {
	k := toyKeys()
	for target, options := range map[Target][]backend.VerifierOption{
		Native:   nil,
		Solidity: {solidity.WithVerifierTargetSolidityVerifier(backend.GROTH16)},
	} {
		t.Run(target.String(), func(t *testing.T) {
			v := good()
			var proof groth16.Proof
			if _, err := proof.ReadFrom(bytes.NewReader(mustProve(t, k, target, v))); err != nil {
				t.Fatal(err)
			}
			var key bytes.Buffer
			if err := k.VerifyingKey().writeTo(&key); err != nil {
				t.Fatal(err)
			}
			var vk groth16.VerifyingKey
			if n, err := vk.ReadFrom(&key); err != nil || int(n) != VerifyingKeySize {
				t.Fatalf("%d bytes, %v", n, err)
			}
			public, err := PublicWitness(v.context, v.statement)
			if err != nil {
				t.Fatal(err)
			}
			w, err := witness.New(ecc.BN254.ScalarField())
			if err == nil {
				err = w.UnmarshalBinary(public)
			}
			if err != nil {
				t.Fatal(err)
			}
			if err := groth16.Verify(&proof, &vk, w.Vector().(fr.Vector), options...); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestSolidityProof(t *testing.T) {
	k := toyKeys()
	proof := mustProve(t, k, Solidity, good())
	got, err := SolidityProof(proof)
	if err != nil || len(got) != SolidityProofSize {
		t.Fatalf("%d bytes, %v", len(got), err)
	}
	p, err := decodeProof(proof)
	if err != nil {
		t.Fatal(err)
	}
	x, y := p.Commitments[0].X.Bytes(), p.CommitmentPok.Y.Bytes()
	imaginary := p.Bs.X.A1.Bytes()
	if !bytes.Equal(got[256:288], x[:]) || !bytes.Equal(got[352:], y[:]) || !bytes.Equal(got[64:96], imaginary[:]) {
		t.Error("the coordinates are not where the contract reads them")
	}
}

func TestExportSolidity(t *testing.T) {
	k := toyKeys()
	digest := k.VerifyingKey().Digest()
	var contract bytes.Buffer
	if err := ExportSolidity(k.VerifyingKey(), &contract, "0.8.37"); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"pragma solidity 0.8.37;",
		"function verifyProof(\n        bytes calldata proof,\n        uint256[2] calldata input\n    )",
		"keccak256(",
		"ALPHA_X = " + k.vk.key.G1.Alpha.X.String() + ";",
	} {
		if !strings.Contains(contract.String(), want) {
			t.Errorf("the contract lacks %q", want)
		}
	}
	if strings.Contains(contract.String(), "sha256") {
		t.Error("the contract hashes with SHA-256: proofs for it would need another target")
	}
	var other bytes.Buffer
	if err := ExportSolidity(k.VerifyingKey(), &other, ""); err != nil || !strings.Contains(other.String(), "pragma solidity ^0.8.0;") {
		t.Errorf("without a pragma: %v", err)
	}
	if err := ExportSolidity(k.VerifyingKey(), full{}, ""); err == nil {
		t.Error("a writer that fails: no error")
	}
	v := good()
	if err := Verify(k.VerifyingKey(), Native, mustProve(t, k, Native, v), v.context, v.statement); err != nil || k.VerifyingKey().Digest() != digest {
		t.Errorf("exporting changed the key: %v", err)
	}
}

// full is a writer without room.
var errFull = errors.New("full")

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errFull }
