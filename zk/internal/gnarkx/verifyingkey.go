package gnarkx

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"slices"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr/pedersen"
	groth16 "github.com/consensys/gnark/backend/groth16/bn254"
)

// VerifyingKeySize is the length of an encoded verifying key, in bytes.
const VerifyingKeySize = 7*g1Bytes + 5*g2Bytes + len(countOfPublics) + len(countsOfCommitments)

// The counts inside an encoded verifying key: the one wire, two public inputs and the commitment; one commitment, to
// public wire 1; one commitment key.
const (
	countOfPublics      = "\x00\x00\x00\x04"
	countsOfCommitments = "\x00\x00\x00\x01" + "\x00\x00\x00\x01" + "\x00\x00\x00\x00\x00\x00\x00\x01" + "\x00\x00\x00\x01"
)

// A VerifyingKey verifies the proofs of one system under one setup. It is immutable and safe for concurrent use.
type VerifyingKey struct {
	key     *groth16.VerifyingKey
	encoded []byte
}

// UnmarshalVerifyingKey returns the key that MarshalBinary wrote, in gnark's compressed encoding. Errors are
// *FormatError: another length, other counts than those of two public inputs and one commitment to the first, points
// that are not in the group, or at infinity, or encoded in another way.
//
// It does not say who made the key: whoever ran the setup can forge proofs.
func UnmarshalVerifyingKey(b []byte) (*VerifyingKey, error) {
	key, err := decodeKey(b)
	if err != nil {
		return nil, err
	}
	return &VerifyingKey{key, slices.Clone(b)}, nil
}

// newVerifyingKey takes over a key of gnark. It fails where UnmarshalVerifyingKey would.
func newVerifyingKey(key *groth16.VerifyingKey) (*VerifyingKey, error) {
	var b bytes.Buffer
	if _, err := key.WriteTo(&b); err != nil {
		return nil, fmt.Errorf("gnarkx: verifying key: %w", err)
	}
	return UnmarshalVerifyingKey(b.Bytes())
}

// MarshalBinary returns the key in gnark's compressed encoding, VerifyingKeySize bytes, as gnark's
// VerifyingKey.ReadFrom reads it. The error is always nil.
func (vk *VerifyingKey) MarshalBinary() ([]byte, error) { return slices.Clone(vk.encoded), nil }

func (vk *VerifyingKey) writeTo(w io.Writer) error {
	_, err := w.Write(vk.encoded)
	return err
}

// Digest returns the SHA-256 of the encoded key.
func (vk *VerifyingKey) Digest() [32]byte { return sha256.Sum256(vk.encoded) }

func decodeKey(b []byte) (*groth16.VerifyingKey, error) {
	d := newDecoder("verifying key", b, VerifyingKeySize)
	var key groth16.VerifyingKey
	key.G1.Alpha, key.G1.Beta = d.g1("α in G1"), d.g1("β in G1")
	key.G2.Beta, key.G2.Gamma = d.g2("β in G2"), d.g2("γ in G2")
	key.G1.Delta, key.G2.Delta = d.g1("δ in G1"), d.g2("δ in G2")
	d.fixed("the count of public wires", []byte(countOfPublics))
	for _, name := range []string{"K of one", "K of Context", "K of Statement", "K of the commitment"} {
		key.G1.K = append(key.G1.K, d.g1(name))
	}
	d.fixed("the list of commitments", []byte(countsOfCommitments))
	key.PublicAndCommitmentCommitted = [][]int{{contextWire}}
	key.CommitmentKeys = []pedersen.VerifyingKey{{G: d.g2("the commitment's G"), GSigmaNeg: d.g2("the commitment's -σG")}}
	if d.err != nil {
		return nil, d.err
	}
	if err := key.Precompute(); err != nil {
		return nil, &FormatError{What: "verifying key", Reason: err.Error()}
	}
	return &key, nil
}
