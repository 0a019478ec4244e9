package zk

import (
	"fmt"

	"github.com/signet-ml/signet/zk/internal/gnarkx"
)

// PublicWitness returns the two public inputs of the circuit that pf proves st with, in gnark's encoding of a public
// witness. With vk.Groth16 and pf.Groth16, which are in gnark's encodings too, gnark's own groth16.Verify checks the
// circuit without this library; the opening, which ties it to the model commitment, only Verify checks. It verifies
// nothing, and fails with ErrStatement or ErrProof when st, vk and pf do not fit each other.
//
// Proofs for the target Solidity need gnark's solidity.WithVerifierTargetSolidityVerifier.
func PublicWitness(vk *VerifyingKey, st *Statement, pf *Proof) ([]byte, error) {
	b, err := vk.bind(st)
	if err != nil {
		return nil, err
	}
	if pf == nil || pf.target != vk.target || pf.form != vk.form || (pf.opening == nil) != (vk.form == 0) {
		return nil, fmt.Errorf("%w: none, or not of the key's form", ErrProof)
	}
	statement := b.publicStatement()
	if o := pf.opening; o != nil {
		h, err := gnarkx.Challenge(vk.groth16, vk.target, pf.groth16, b.context)
		if err != nil {
			return nil, fmt.Errorf("%w: circuit: %w", ErrProof, err)
		}
		statement = b.statement(b.transcribe(o.K, h), o.E1, o.E2)
	}
	return gnarkx.PublicWitness(b.context, statement)
}
