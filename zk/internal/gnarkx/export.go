package gnarkx

import (
	"encoding"
	"fmt"
	"io"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/backend/solidity"
	"github.com/consensys/gnark/backend/witness"
)

// SolidityProofSize is the length of a proof as the exported contract takes it, in bytes.
const SolidityProofSize = 384

// SolidityProof returns a proof in the form that the exported contract's verifyProof takes: the coordinates of Ar, Bs,
// Krs, the commitment and its proof of knowledge, SolidityProofSize bytes. The proof is not verified; it must be one
// for the target Solidity. Errors are *FormatError.
func SolidityProof(proof []byte) ([]byte, error) {
	p, err := decodeProof(proof)
	if err != nil {
		return nil, err
	}
	return p.MarshalSolidity(), nil
}

// ExportSolidity writes the Solidity contract that verifies proofs for the target Solidity under this key, which
// marshals as a VerifyingKey does. The pragma is a version like "^0.8.0", gnark's choice when it is empty.
func ExportSolidity(vk encoding.BinaryMarshaler, w io.Writer, pragma string) error {
	b, err := vk.MarshalBinary()
	if err != nil {
		return err
	}
	key, err := decodeKey(b) // gnark changes the key while it writes: it gets a copy
	if err != nil {
		return err
	}
	var options []solidity.ExportOption
	if pragma != "" {
		options = append(options, solidity.WithPragmaVersion(pragma))
	}
	if err := key.ExportSolidity(w, options...); err != nil {
		return fmt.Errorf("gnarkx: export: %w", err)
	}
	return nil
}

// PublicWitness returns the public inputs in gnark's encoding of a public witness, for verifiers written with gnark.
func PublicWitness(context, statement fr.Element) ([]byte, error) {
	w, err := witness.New(ecc.BN254.ScalarField())
	if err != nil {
		return nil, fmt.Errorf("gnarkx: public witness: %w", err)
	}
	inputs := make(chan any, 2)
	inputs <- context
	inputs <- statement
	close(inputs)
	if err := w.Fill(2, 0, inputs); err != nil {
		return nil, fmt.Errorf("gnarkx: public witness: %w", err)
	}
	return w.MarshalBinary()
}
