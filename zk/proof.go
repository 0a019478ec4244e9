package zk

import (
	"bytes"
	"io"

	"github.com/signet-ml/signet/zk/commit"
)

// A Proof is a Groth16 proof and, for private weights, the opening that ties it to the model commitment. Anyone can
// re-randomise a proof, so its bytes identify nothing.
type Proof struct {
	envelope
	opening *commit.OpeningProof // nil when the weights are public
}

// MarshalBinary returns the encoding that ReadProof reads: 232 bytes, 360 with an opening by rows, 392 with a compact
// one.
func (p *Proof) MarshalBinary() ([]byte, error) {
	if p.opening == nil {
		return p.encode(), nil
	}
	return p.opening.AppendBinary(p.encode(), p.form), nil
}

// ReadProof reads a proof from r to its end. It fails with *FormatError for anything but one proof in its only
// encoding, and reads at most as many bytes as the longest proof has.
func ReadProof(r io.Reader) (*Proof, error) {
	b, err := readAll(r, int64(envelopeSize+commit.OpeningProof{}.Size(commit.Compact)), "proof")
	if err != nil {
		return nil, err
	}
	e, rest, err := readEnvelope("proof", b)
	if err != nil {
		return nil, err
	}
	p := &Proof{envelope: e}
	if p.form == 0 {
		if len(rest) > 0 {
			return nil, &FormatError{What: "proof", Reason: "bytes after its end"}
		}
		return p, nil
	}
	if p.opening, err = commit.UnmarshalOpeningProof(p.form, rest); err != nil {
		return nil, &FormatError{What: "proof", Reason: "opening", Err: err}
	}
	return p, nil
}

// Groth16 returns the proof of the circuit alone, in gnark's compressed encoding. Without the opening it does not tie
// the circuit's u and v to the model commitment.
func (p *Proof) Groth16() []byte { return bytes.Clone(p.groth16) }

// Opening returns the opening of the model commitment, nil when the weights are public.
func (p *Proof) Opening() *commit.OpeningProof { return p.opening }
