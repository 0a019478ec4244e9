package solidity

import (
	"encoding/binary"
	"fmt"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"golang.org/x/crypto/sha3"

	"github.com/signet-ml/signet/zk"
	"github.com/signet-ml/signet/zk/commit"
	"github.com/signet-ml/signet/zk/internal/gnarkx"
)

// Signature is the function of the contract that verifies: context, digest of the input, output, proof.
const Signature = "verifyInference((bytes32,bytes32,bytes32,bytes32,bytes32,bytes32),bytes32,uint256,bytes)"

// Calldata returns a call of Signature for a proof, which it verifies first: what the contract is certain to answer
// with true, if it holds this key and this model. 708 bytes, 964 with private weights. A contract knows nothing of
// registrations, so st.RangeProved makes no difference here: see zk.VerifyRegistration.
//
// It fails with ErrKind, ErrTarget or ErrForm for keys that no contract can serve, with ErrEncoding for a statement with
// an input encoding, and as zk.Verify does.
func Calldata(vk *zk.VerifyingKey, st *zk.Statement, pf *zk.Proof) ([]byte, error) {
	proof, err := Proof(vk, st, pf)
	if err != nil {
		return nil, err
	}
	input, output, err := vk.Digests(st)
	if err != nil {
		return nil, fmt.Errorf("solidity: %w", err)
	}
	h := sha3.NewLegacyKeccak256()
	h.Write([]byte(Signature))
	b := h.Sum(nil)[:4]
	c := st.Context
	for _, w := range []zk.Word{c.Network, c.Market, c.Task, c.Specification, c.Output, c.Worker, input, output} {
		b = append(b, w[:]...)
	}
	b = appendUint(b, 9*32) // where the proof begins
	b = appendUint(b, uint64(len(proof)))
	return append(b, proof...), nil // a multiple of 32 bytes: no padding
}

// Proof returns the last argument of Signature for a proof, for callers that encode the call themselves; it verifies
// and fails as Calldata does. 384 bytes: the coordinates of A, B, C, the commitment and its proof of knowledge. With
// private weights 640: K, e1, e2, Q1, Q2 follow. Infinity is two zero words.
func Proof(vk *zk.VerifyingKey, st *zk.Statement, pf *zk.Proof) ([]byte, error) {
	f, err := newFields(vk)
	if err != nil {
		return nil, err
	}
	if st != nil {
		if st.Input.Encoding != nil {
			return nil, ErrEncoding
		}
		unregistered := *st
		unregistered.RangeProved = false
		st = &unregistered
	}
	if err := zk.Verify(vk, st, pf); err != nil {
		return nil, fmt.Errorf("solidity: %w", err)
	}
	b, err := gnarkx.SolidityProof(pf.Groth16())
	if err != nil {
		return nil, fmt.Errorf("solidity: %w", err)
	}
	if f.Private {
		b = appendOpening(b, pf.Opening())
	}
	return b, nil
}

func appendOpening(b []byte, p *commit.OpeningProof) []byte {
	b = appendPoint(b, p.K)
	e1, e2 := p.E1.Bytes(), p.E2.Bytes()
	b = append(append(b, e1[:]...), e2[:]...)
	return appendPoint(appendPoint(b, p.Q1), p.Q2)
}

func appendPoint(b []byte, p bn254.G1Affine) []byte {
	x, y := p.X.Bytes(), p.Y.Bytes()
	return append(append(b, x[:]...), y[:]...)
}

func appendUint(b []byte, x uint64) []byte {
	return binary.BigEndian.AppendUint64(append(b, make([]byte, 24)...), x)
}
