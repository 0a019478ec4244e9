package zk

import (
	"bytes"
	"fmt"
	"io"

	"github.com/signet-ml/signet/zk/commit"
	"github.com/signet-ml/signet/zk/internal/gnarkx"
)

// A Proof is a Groth16 proof and, for private weights, the opening that ties it to the model commitment. Anyone can
// re-randomise a proof, so its bytes identify nothing.
type Proof struct {
	target  Target
	form    commit.Form
	key     Word
	groth16 []byte
	opening *commit.OpeningProof // nil when the weights are public
}

// The encoding: version, system, target, form, digest of the verifying key, Groth16 proof, opening. All lengths are
// fixed by the form.
const (
	proofVersion = 1
	proofSystem  = 1 // Groth16 on BN254
	proofHeader  = 4 + 32
)

// MarshalBinary returns the encoding that ReadProof reads: 232 bytes, 360 with an opening by rows, 392 with a compact
// one.
func (p *Proof) MarshalBinary() ([]byte, error) {
	b := append([]byte{proofVersion, proofSystem, byte(p.target), byte(p.form)}, p.key[:]...)
	b = append(b, p.groth16...)
	if p.opening == nil {
		return b, nil
	}
	return p.opening.AppendBinary(b)
}

// ReadProof reads a proof from r to its end. It fails with *FormatError for anything but one proof in its only
// encoding, and reads at most as many bytes as the longest proof has.
func ReadProof(r io.Reader) (*Proof, error) {
	longest := proofHeader + gnarkx.ProofSize + commit.Compact.OpeningSize()
	b, err := readAll(r, int64(longest), "proof")
	if err != nil {
		return nil, err
	}
	refuse := func(reason string, err error) (*Proof, error) {
		return nil, &FormatError{What: "proof", Reason: reason, Err: err}
	}
	switch {
	case len(b) < proofHeader+gnarkx.ProofSize:
		return refuse("too short", nil)
	case b[0] != proofVersion:
		return refuse(fmt.Sprintf("version %d, this library reads %d", b[0], proofVersion), nil)
	case b[1] != proofSystem:
		return refuse(fmt.Sprintf("proof system %d is not known", b[1]), nil)
	case Target(b[2]) != Native && Target(b[2]) != Solidity:
		return refuse(fmt.Sprintf("target %d is not known", b[2]), nil)
	}
	p := &Proof{target: Target(b[2]), form: commit.Form(b[3]), key: Word(b[4:proofHeader])}
	p.groth16 = bytes.Clone(b[proofHeader : proofHeader+gnarkx.ProofSize])
	rest := b[proofHeader+gnarkx.ProofSize:]
	switch p.form {
	case 0:
		if len(rest) > 0 {
			return refuse("bytes after its end", nil)
		}
	case commit.Rows, commit.Compact:
		if p.opening, err = commit.UnmarshalOpeningProof(p.form, rest); err != nil {
			return refuse("opening", err)
		}
	default:
		return refuse(fmt.Sprintf("form %d is not known", b[3]), nil)
	}
	return p, nil
}

// Groth16 returns the proof of the circuit alone, in gnark's compressed encoding. Without the opening it does not tie
// the circuit's u and v to the model commitment.
func (p *Proof) Groth16() []byte { return bytes.Clone(p.groth16) }

// Opening returns the opening of the model commitment, nil when the weights are public.
func (p *Proof) Opening() *commit.OpeningProof { return p.opening }
