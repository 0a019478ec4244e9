package zk

import (
	"fmt"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/signet-ml/signet/zk/commit"
	"github.com/signet-ml/signet/zk/internal/gnarkx"
)

// Verify returns nil if pf proves st under vk: a few milliseconds, no secret, no randomness, any input. Errors wrap
// ErrStatement when the statement does not fit the key, ErrProof when the proof does not prove it.
//
// The caller vouches for three things: that vk is the key of the circuit it means and of a provenance it accepts, that
// st.Context comes from its own records, and that st.Model is the commitment that was agreed on (compare
// vk.ModelDigest(st.Model)).
func Verify(vk *VerifyingKey, st *Statement, pf *Proof) error {
	b, err := vk.bind(st)
	if err != nil {
		return err
	}
	refuse := func(what string, err error) error { return fmt.Errorf("%w: %s: %w", ErrProof, what, err) }
	switch {
	case pf == nil:
		return fmt.Errorf("%w: none given", ErrProof)
	case pf.target != vk.target:
		return fmt.Errorf("%w: made for another verifier: target %d, the key's is %d", ErrProof, pf.target, vk.target)
	case pf.form != vk.form || (pf.opening == nil) != (vk.form == 0):
		return fmt.Errorf("%w: opening of form %d, the key's is %d", ErrProof, pf.form, vk.form)
	case pf.key != vk.digest:
		return fmt.Errorf("%w: made under verifying key %v, this is %v", ErrProof, pf.key, vk.digest)
	}
	if vk.form == 0 {
		return orRefuse(refuse, "circuit", gnarkx.Verify(vk.groth16, vk.target, pf.groth16, b.context, b.publicStatement()))
	}
	h, err := gnarkx.Challenge(vk.groth16, vk.target, pf.groth16, b.context)
	if err != nil {
		return refuse("circuit", err)
	}
	o := pf.opening
	t := b.transcribe(o.K, h)
	if err := gnarkx.Verify(vk.groth16, vk.target, pf.groth16, b.context, b.statement(t, o.E1, o.E2)); err != nil {
		return refuse("circuit", err)
	}
	return orRefuse(refuse, "opening", commit.VerifyOpening(vk.srs, st.Model, t, o))
}

func orRefuse(refuse func(string, error) error, what string, err error) error {
	if err != nil {
		return refuse(what, err)
	}
	return nil
}

// transcribe returns the challenges and what the opening's last challenge absorbs besides the proof.
func (b *bound) transcribe(k bn254.G1Affine, h fr.Element) commit.Transcribe {
	g := commit.NewTranscript("signet/zk/g/v1").Element(b.context).Word(b.model).Element(b.input).Point(k).Challenge()
	return commit.Transcribe{Context: b.context, CD: b.model, G: g, H: h}
}

// statement returns the second public input of a circuit with private weights.
func (b *bound) statement(t commit.Transcribe, e1, e2 fr.Element) fr.Element {
	return commit.Hash(commit.TagStatement, b.input, b.output, t.G, t.H, e1, e2)
}

// publicStatement returns the second public input of a circuit with public weights.
func (b *bound) publicStatement() fr.Element {
	return commit.Hash(commit.TagStatement, b.input, b.output)
}
