package zk

import (
	"errors"
	"fmt"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/signet-ml/signet/zk/commit"
	"github.com/signet-ml/signet/zk/internal/gnarkx"
)

// A VerifyOption tells Verify what else to check.
type VerifyOption func(*verification)

type verification struct {
	registration func(*VerifyingKey, *commit.Commitment) error
}

// WithRegistration gives Verify the registration of the statement's model: see VerifyRegistration, whose arguments
// these are. It is checked whether or not the statement says that the weights are range-proved.
func WithRegistration(regKey *VerifyingKey, reg *Registration, registrant Word) VerifyOption {
	return func(v *verification) {
		v.registration = func(vk *VerifyingKey, model *commit.Commitment) error {
			return VerifyRegistration(regKey, vk, model, registrant, reg)
		}
	}
}

// Verify returns nil if pf proves st under vk: a few milliseconds, no secret, no randomness, any input. Errors wrap
// ErrStatement when the statement does not fit the key, ErrProof when the proof does not prove it, ErrRegistration when
// the statement says that the weights are range-proved and no registration in the options proves it.
//
// The caller vouches for three things: that vk is the key of the circuit it means and of a provenance it accepts, that
// st.Context comes from its own records, and that st.Model is the commitment that was agreed on (compare
// vk.ModelDigest(st.Model)).
func Verify(vk *VerifyingKey, st *Statement, pf *Proof, opts ...VerifyOption) error {
	var v verification
	for _, o := range opts {
		o(&v)
	}
	b, err := vk.bind(st)
	if err != nil {
		return err
	}
	switch {
	case v.registration != nil:
		if err := v.registration(vk, st.Model); err != nil {
			return err
		}
	case st.RangeProved:
		return fmt.Errorf("%w: the statement says that the weights are range-proved, and no registration is given", ErrRegistration)
	}
	return vk.verify(b, st, pf)
}

// verify is Verify without the checks of a registration.
func (vk *VerifyingKey) verify(b bound, st *Statement, pf *Proof) error {
	if pf == nil {
		return fmt.Errorf("%w: none given", ErrProof)
	}
	if err := pf.check(vk); err != nil {
		return fmt.Errorf("%w: %w", ErrProof, err)
	}
	statement, t, err := vk.publicInput(&b, pf)
	if err == nil {
		err = gnarkx.Verify(vk.groth16, gnarkx.Target(vk.target), pf.groth16, b.context, statement)
	}
	if err != nil || pf.opening == nil {
		return refusal(ErrProof, "circuit", err)
	}
	return refusal(ErrProof, "opening", commit.VerifyOpening(vk.srs, st.Model, t, pf.opening))
}

// refusal wraps err in kind and the part that failed; nil stays nil.
func refusal(kind error, part string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w: %s: %w", kind, part, err)
}

// publicInput returns the second public input of a proof that fits the key and, for private weights, the challenges.
func (vk *VerifyingKey) publicInput(b *bound, pf *Proof) (fr.Element, commit.Transcribe, error) {
	o := pf.opening
	switch {
	case (o == nil) != (vk.form == 0):
		return fr.Element{}, commit.Transcribe{}, errors.New("an opening is missing, or belongs to no weights")
	case o == nil:
		return b.publicStatement(), commit.Transcribe{}, nil
	}
	h, err := gnarkx.Challenge(vk.groth16, gnarkx.Target(vk.target), pf.groth16, b.context)
	if err != nil {
		return fr.Element{}, commit.Transcribe{}, err
	}
	t := b.transcribe(o.K, h)
	return b.statement(t, o.E1, o.E2), t, nil
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
