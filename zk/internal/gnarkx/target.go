package gnarkx

import (
	"fmt"
	"hash"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr/hash_to_field"
	"github.com/consensys/gnark/constraint"
	"golang.org/x/crypto/sha3"
)

// A Target is the kind of verifier a proof is made for. A proof for one target does not verify under the other: they
// hash the commitment to the challenge in different ways.
type Target uint8

// The targets.
const (
	Native   Target = 1 // hash to field of RFC 9380 with the tag bsb22-commitment, gnark's default
	Solidity Target = 2 // Keccak-256, which a contract computes cheaply
)

// String returns the target's name.
func (t Target) String() string {
	switch t {
	case Native:
		return "native"
	case Solidity:
		return "solidity"
	}
	return fmt.Sprintf("Target(%d)", uint8(t))
}

// hash returns a new hash of the target. The solidity one is that of gnark's solidity.WithProverTargetSolidityVerifier.
func (t Target) hash() (hash.Hash, error) {
	switch t {
	case Native:
		return hash_to_field.New([]byte(constraint.CommitmentDst)), nil
	case Solidity:
		return sha3.NewLegacyKeccak256(), nil
	}
	return nil, fmt.Errorf("gnarkx: unknown target %v", t)
}

// challenge returns the value of the commitment d in a proof with this context.
func (t Target) challenge(d *bn254.G1Affine, context fr.Element) (h fr.Element, err error) {
	hash, err := t.hash()
	if err != nil {
		return h, err
	}
	point, public := d.RawBytes(), context.Bytes()
	hash.Write(point[:])
	hash.Write(public[:])
	h.SetBytes(hash.Sum(nil)[:fr.Bytes]) // reduces modulo the field's order
	return h, nil
}
