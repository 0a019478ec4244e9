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
	if pf == nil {
		return nil, fmt.Errorf("%w: none given", ErrProof)
	}
	if err := pf.check(vk); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrProof, err)
	}
	statement, _, err := vk.publicInput(&b, pf)
	if err != nil {
		return nil, fmt.Errorf("%w: circuit: %w", ErrProof, err)
	}
	return gnarkx.PublicWitness(b.context, statement)
}
