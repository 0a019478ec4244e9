package solidity

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/signet-ml/signet/zk"
	"github.com/signet-ml/signet/zk/commit"
	"github.com/signet-ml/signet/zk/internal/gnarkx"
)

// Reasons for which Export, ConstructorArguments, Proof and Calldata refuse. Errors wrap one of them.
var (
	// ErrKind: the key is of a registration circuit. Registrations are checked before a model is deployed, in Go.
	ErrKind = errors.New("solidity: the verifying key is not for predictions")
	// ErrTarget: proofs under the key are for Go's verifier, which hashes in another way. Make keys for zk.Solidity.
	ErrTarget = errors.New("solidity: the verifying key is not for the target Solidity")
	// ErrForm: the key's model commitments have one point for every row. A contract would have to multiply each of
	// them, at 6,000 gas; only the compact form fits.
	ErrForm = errors.New("solidity: model commitments by rows cannot be checked on a chain")
	// ErrCommitments: the circuit does not commit exactly once. gnark would export a contract that checks one of
	// several commitments, for which anybody can forge.
	ErrCommitments = errors.New("solidity: the circuit does not have exactly one commitment")
)

// ErrEncoding: the statement says which real numbers the input's integers stand for, in a hash that contracts do not
// compute. Prove without it (provable.Options.OmitEncoding), and agree on offsets and units elsewhere: their digest can
// be part of the task's specification in the Context.
var ErrEncoding = errors.New("solidity: the statement has an input encoding, which contracts do not hash: prove without it (provable.Options.OmitEncoding)")

// Name is the contract to deploy.
const Name = "Inference"

// Contracts are the sources that verify proofs under one key.
type Contracts struct {
	Files []File // each imports only others of the list, as "./Name"
}

// A File is one Solidity source.
type File struct {
	Name   string // like "Inference.sol"
	Source string
}

// Export returns the contracts for a key: Inference.sol, which is to be deployed and checks proofs with all that they
// are bound to; Verifier.sol, gnark's contract for the key, under the MIT licence; Poseidon2.sol. The same key gives
// the same bytes. A key with private weights gives a contract whose constructor takes the model's commitment.
//
// It fails with ErrKind, ErrTarget, ErrForm or ErrCommitments for keys that no contract can serve. It does not judge
// the key's provenance: a contract with a "local" key convinces only those who trust the machine that made it.
func Export(vk *zk.VerifyingKey) (*Contracts, error) {
	f, err := newFields(vk)
	if err != nil {
		return nil, err
	}
	inference, err := f.render()
	if err != nil {
		return nil, err
	}
	var verifier bytes.Buffer
	if err := gnarkx.ExportSolidity(vk.Groth16(), &verifier, pragma); err != nil {
		return nil, fmt.Errorf("solidity: %w", err)
	}
	if err := checkVerifier(verifier.String()); err != nil {
		return nil, err
	}
	return &Contracts{Files: []File{
		{Name + ".sol", inference},
		{"Poseidon2.sol", poseidon2Library(license, pragma)},
		{"Verifier.sol", strings.TrimLeft(verifier.String(), "\n")},
	}}, nil
}

// newFields returns the template's constants for a key.
func newFields(vk *zk.VerifyingKey) (fields, error) {
	spec := vk.Spec()
	if spec.Kind != zk.Inference {
		return fields{}, ErrKind
	}
	if vk.Target() != zk.Solidity {
		return fields{}, ErrTarget
	}
	f := fields{Kind: uint64(spec.Kind), Version: uint64(spec.Version), KeyDigest: vk.Digest(), Hashed: spec.Hashed}
	switch vk.Form() {
	case 0:
		return f, nil
	case commit.Compact:
	default:
		return fields{}, ErrForm
	}
	srs := vk.ReferenceString()
	f.Private = true
	f.SRSDigest, f.LayoutDigest, f.CircuitDigest = srs.Digest(), spec.Layout.Digest(), vk.Circuit()
	f.One = srs.G2
	f.TNeg.Neg(&srs.T2)
	f.SNeg.Neg(&srs.S2)
	return f, nil
}

// checkVerifier returns an error unless gnark's contract is for two public inputs and one commitment, to the first
// input, hashed with Keccak-256: what Inference.sol repeats.
func checkVerifier(source string) error {
	for _, want := range []string{
		"uint256 constant PEDERSEN_G_X_0 =",
		"uint256 constant PUB_2_X =",
		"uint256[2] calldata input",
		"publicAndCommitmentCommitted = new uint256[](1);",
		"calldatacopy(add(publicAndCommitmentCommittedOffset, 0), add(input, 0), 32)",
		"publicCommitments[0] = uint256(keccak256(hashInput)) % R;",
	} {
		if !strings.Contains(source, want) {
			return fmt.Errorf("%w: gnark's contract lacks %q", ErrCommitments, want)
		}
	}
	if strings.Contains(source, "PUB_3_X") {
		return fmt.Errorf("%w: gnark's contract has a fourth public point", ErrCommitments)
	}
	return nil
}

// StandardJSON returns the input for solc --standard-json with which the gas in the documentation was measured: solc
// 0.8.37, 200 runs, for Cancun. Compiling by way of the intermediate representation (viaIR) gives a contract that is
// too large.
func (c *Contracts) StandardJSON() ([]byte, error) {
	type content struct {
		Content string `json:"content"`
	}
	sources := map[string]content{}
	for _, f := range c.Files {
		sources[f.Name] = content{f.Source}
	}
	type object = map[string]any
	return json.Marshal(object{
		"language": "Solidity",
		"sources":  sources,
		"settings": object{
			"evmVersion": "cancun",
			"optimizer":  object{"enabled": true, "runs": 200},
			"outputSelection": object{"*": object{"*": []string{
				"abi", "evm.bytecode.object", "evm.deployedBytecode.object"}}},
		},
	})
}

// ConstructorArguments returns what follows the contract's bytecode in the deployment of a model: the commitment's
// coordinates. Without private weights it returns nothing, and m has to be nil.
func ConstructorArguments(vk *zk.VerifyingKey, m *commit.Commitment) ([]byte, error) {
	f, err := newFields(vk)
	if err != nil {
		return nil, err
	}
	if !f.Private && m == nil {
		return nil, nil
	}
	if _, err := vk.ModelDigest(m); err != nil {
		return nil, fmt.Errorf("solidity: %w", err)
	}
	if m.Points[0].IsInfinity() {
		return nil, errors.New("solidity: the commitment is the point at infinity")
	}
	return appendPoint(nil, m.Points[0]), nil
}
