package zk

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/signet-ml/signet/zk/commit"
	"github.com/signet-ml/signet/zk/internal/gnarkx"
)

// A Registration proves that every weight and bias behind a model commitment lies in the range of its block, and every
// row below a block's own is zero. With it, what a proof of inference claims of sums modulo the field's order is true
// of integers. It says nothing else of the model, hides the weights like a proof, and can be shown to anyone. It is
// made once for a commitment, whatever circuits of the same layout will use that.
type Registration struct {
	envelope
	opening *commit.MatrixOpening
}

// MarshalBinary returns the encoding that ReadRegistration reads: 296 bytes for a commitment by rows, 328 for a compact
// one.
func (r *Registration) MarshalBinary() ([]byte, error) {
	return r.opening.AppendBinary(r.encode(), r.form), nil
}

// ReadRegistration reads a registration from r to its end. It fails with *FormatError for anything but one registration
// in its only encoding, and reads at most as many bytes as the longest has.
func ReadRegistration(r io.Reader) (*Registration, error) {
	b, err := readAll(r, int64(envelopeSize+commit.MatrixOpening{}.Size(commit.Compact)), "registration")
	if err != nil {
		return nil, err
	}
	e, rest, err := readEnvelope("registration", b)
	if err != nil {
		return nil, err
	}
	o, err := commit.UnmarshalMatrixOpening(e.form, rest)
	if err != nil {
		return nil, &FormatError{What: "registration", Reason: "opening", Err: err}
	}
	return &Registration{envelope: e, opening: o}, nil
}

// Register proves that the weights behind model lie in the ranges of vk's layout. regKeys are the keys of the layout's
// registration circuit (zk/nn's NewRegistration), set up with the reference string of vk. registrant is who registers
// the model: nobody can show the registration under another name. It takes about 60 µs per weight. The context is
// checked between phases. The registration is verified before it is returned.
//
// It shows one linear combination of the weights, masked by their blinds. The first registration of a commitment is
// accounted for in the budget of proofs; before any other, and before one that follows a failed attempt, the caller
// must take a unit of that budget. ml/provable does.
func Register(ctx context.Context, regKeys *Keys, vk *VerifyingKey, model *commit.Commitment, opening *commit.Opening, registrant Word) (*Registration, error) {
	fail := func(err error) (*Registration, error) { return nil, fmt.Errorf("zk: register: %w", err) }
	regKey := regKeys.vk
	if err := regKey.serves(vk); err != nil {
		return fail(err)
	}
	cd, err := vk.ModelDigest(model)
	if err != nil {
		return fail(err)
	}
	if opening == nil || opening.Form() != vk.form || opening.Layout().Digest() != vk.spec.Layout.Digest() {
		return fail(errors.New("no opening, or one of another form or layout"))
	}
	a := Assignment{Context: regKey.registrationContext(cd, registrant), Opening: opening}
	var g, r fr.Element
	var u []fr.Element
	reg := &Registration{envelope: regKey.envelope()}
	reg.groth16, err = regKeys.proveCircuit(ctx, &a, func(h fr.Element) fr.Element {
		g, r = rowChallenge(h), h
		u = opening.Row(g)
		return registrationStatement(r, horner(u, r))
	})
	if err != nil {
		return nil, err
	}
	if reg.opening, err = commit.OpenMatrix(ctx, regKeys.srs, opening, g, r, u); err != nil {
		return fail(err)
	}
	if err := VerifyRegistration(regKey, vk, model, registrant, reg); err != nil {
		return fail(err)
	}
	return reg, nil
}

// VerifyRegistration returns nil if reg proves that the weights behind model lie in the ranges of vk's layout, and was
// made in registrant's name by somebody who knew them: a few milliseconds, no secret, no randomness, any input. Errors
// wrap ErrRegistration, or ErrStatement when model does not fit vk.
//
// The caller vouches for four things: that regKey is the key of the registration circuit of this layout (compare its
// Digest with one that you trust: the layout and the circuit's digest in a stranger's key are claims), that its
// provenance is one that it accepts, that model is the commitment that was agreed on, and that registrant comes from
// its own records.
func VerifyRegistration(regKey, vk *VerifyingKey, model *commit.Commitment, registrant Word, reg *Registration) error {
	if err := regKey.serves(vk); err != nil {
		return err
	}
	cd, err := vk.ModelDigest(model)
	if err != nil {
		return err
	}
	if reg == nil {
		return fmt.Errorf("%w: none given", ErrRegistration)
	}
	if err := reg.check(regKey); err != nil {
		return fmt.Errorf("%w: %w", ErrRegistration, err)
	}
	c := regKey.registrationContext(cd, registrant)
	h, err := gnarkx.Challenge(regKey.groth16, gnarkx.Target(regKey.target), reg.groth16, c)
	if err == nil {
		err = gnarkx.Verify(regKey.groth16, gnarkx.Target(regKey.target), reg.groth16, c, registrationStatement(h, reg.opening.E))
	}
	if err != nil {
		return refusal(ErrRegistration, "circuit", err)
	}
	return refusal(ErrRegistration, "opening", commit.VerifyMatrixOpening(vk.srs, model, rowChallenge(h), h, reg.opening))
}

// serves returns ErrRegistration unless regKey is for registrations of vk's models: both are about the same weights, in
// the same layout, ranges included, and under the same reference string.
func (regKey *VerifyingKey) serves(vk *VerifyingKey) error {
	refuse := func(reason string) error { return fmt.Errorf("%w: %s", ErrRegistration, reason) }
	switch {
	case regKey == nil || vk == nil:
		return refuse("a key is missing")
	case regKey.spec.Kind != RangeProof:
		return refuse("its key is not that of a registration circuit")
	case vk.spec.Kind != Inference || !vk.spec.private():
		return refuse("it is for a circuit without private weights")
	case regKey.spec.Version != vk.spec.Version:
		return refuse("the keys are of two versions of the semantics")
	case regKey.spec.Layout.Digest() != vk.spec.Layout.Digest():
		return refuse("the keys have two layouts, or ranges")
	case regKey.srs.Digest() != vk.srs.Digest(): // covers the form
		return refuse("the keys have two reference strings")
	}
	return nil
}

// registrationContext returns the first public input of a registration. The model's digest cd, which names the circuit
// that will use it and the reference string too, is fixed by it before the circuit's challenge.
func (regKey *VerifyingKey) registrationContext(cd, registrant Word) fr.Element {
	subject := commit.NewTranscript("signet/zk/subject/v1").
		Uint(uint64(RangeProof)).Uint(uint64(regKey.spec.Version)).Word(regKey.digest).Word(cd).Word(registrant).Sum()
	return Context{}.value(subject)
}

// rowChallenge returns the challenge that combines rows, from the circuit's.
func rowChallenge(h fr.Element) fr.Element { return commit.Hash(commit.TagRows, h) }

// registrationStatement returns the second public input of a registration.
func registrationStatement(h, e fr.Element) fr.Element {
	return commit.Hash(commit.TagRegistration, h, e)
}
