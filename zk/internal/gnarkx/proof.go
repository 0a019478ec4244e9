package gnarkx

import (
	"fmt"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/backend"
	groth16 "github.com/consensys/gnark/backend/groth16/bn254"
)

// ProofSize is the length of a proof, in bytes.
const ProofSize = 4*g1Bytes + g2Bytes + len(countOfCommitments)

const countOfCommitments = "\x00\x00\x00\x01"

// decodeProof returns the proof in gnark's compressed encoding: Ar, Bs, Krs, the number of commitments, the
// commitment, its proof of knowledge.
func decodeProof(b []byte) (*groth16.Proof, error) {
	d := newDecoder("proof", b, ProofSize)
	var p groth16.Proof
	p.Ar, p.Bs, p.Krs = d.g1("Ar"), d.g2("Bs"), d.g1("Krs")
	d.fixed("the count of commitments", []byte(countOfCommitments))
	p.Commitments = []bn254.G1Affine{d.g1("the commitment")}
	p.CommitmentPok = d.g1("the commitment's proof of knowledge")
	if d.err != nil {
		return nil, d.err
	}
	return &p, nil
}

// Challenge returns the challenge that the circuit's commitment took in a proof for this target and context. The proof
// is not verified. Errors are *FormatError, or about an unknown target.
//
// The key decides what else the challenge depends on; every VerifyingKey says: the context.
func Challenge(_ *VerifyingKey, t Target, proof []byte, context fr.Element) (fr.Element, error) {
	p, err := decodeProof(proof)
	if err != nil {
		return fr.Element{}, err
	}
	return t.challenge(&p.Commitments[0], context)
}

// Verify returns nil when the proof, made for this target, proves the statement in the context. Otherwise it returns
// *FormatError when the bytes are no proof at all, an error that wraps ErrProof when the proof is of something else, or
// an error about an unknown target. It never panics, whatever the bytes.
//
// Anybody can turn a proof into other bytes that prove the same, so proof bytes identify nothing.
func Verify(vk *VerifyingKey, t Target, proof []byte, context, statement fr.Element) error {
	p, err := decodeProof(proof)
	if err != nil {
		return err
	}
	hash, err := t.hash()
	if err != nil {
		return err
	}
	err = groth16.Verify(p, vk.key, fr.Vector{context, statement}, backend.WithVerifierHashToFieldFunction(hash))
	if err != nil {
		return fmt.Errorf("%w: %v", ErrProof, err)
	}
	return nil
}
