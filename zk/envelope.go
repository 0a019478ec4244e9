package zk

import (
	"bytes"
	"fmt"

	"github.com/signet-ml/signet/zk/commit"
	"github.com/signet-ml/signet/zk/internal/gnarkx"
)

// An envelope is what proofs and registrations have in common: whom they are for, and a Groth16 proof.
type envelope struct {
	target  Target
	form    commit.Form // 0 when the weights are public
	key     Word        // digest of the verifying key
	groth16 []byte
}

// The encoding: version, system, target, form, digest of the verifying key, Groth16 proof. An opening follows, whose
// length the form fixes.
const (
	proofVersion = 1
	proofSystem  = 1 // Groth16 on BN254
	proofHeader  = 4 + 32
	envelopeSize = proofHeader + gnarkx.ProofSize
)

// envelope returns an envelope for the key, without a proof.
func (vk *VerifyingKey) envelope() envelope {
	return envelope{target: vk.target, form: vk.form, key: vk.digest}
}

func (e *envelope) encode() []byte {
	b := append([]byte{proofVersion, proofSystem, byte(e.target), byte(e.form)}, e.key[:]...)
	return append(b, e.groth16...)
}

// readEnvelope returns the envelope of what and the bytes after it. It fails with *FormatError.
func readEnvelope(what string, b []byte) (e envelope, rest []byte, err error) {
	refuse := func(format string, a ...any) (envelope, []byte, error) {
		return envelope{}, nil, &FormatError{What: what, Reason: fmt.Sprintf(format, a...)}
	}
	switch {
	case len(b) < envelopeSize:
		return refuse("too short")
	case b[0] != proofVersion:
		return refuse("version %d, this library reads %d", b[0], proofVersion)
	case b[1] != proofSystem:
		return refuse("proof system %d is not known", b[1])
	case Target(b[2]) != Native && Target(b[2]) != Solidity:
		return refuse("target %d is not known", b[2])
	}
	e = envelope{target: Target(b[2]), form: commit.Form(b[3]), key: Word(b[4:proofHeader])}
	if e.form != 0 && e.form.Validate() != nil {
		return refuse("form %d is not known", b[3])
	}
	e.groth16 = bytes.Clone(b[proofHeader:envelopeSize])
	return e, b[envelopeSize:], nil
}

// check returns why the envelope is not one for the key, nil if it is.
func (e *envelope) check(vk *VerifyingKey) error {
	switch {
	case e.target != vk.target:
		return fmt.Errorf("made for another verifier: target %d, the key's is %d", e.target, vk.target)
	case e.form != vk.form:
		return fmt.Errorf("opening of form %d, the key's is %d", e.form, vk.form)
	case e.key != vk.digest:
		return fmt.Errorf("made under verifying key %v, this is %v", e.key, vk.digest)
	}
	return nil
}
