package zk

import (
	"context"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/signet-ml/signet/zk/commit"
	"github.com/signet-ml/signet/zk/internal/gnarkx"
)

// What follows gives the steps of the protocol to tests one by one, for provers that take some of them wrongly.

// Bound is what both sides compute of a statement before the challenges.
type Bound struct {
	Input, Output fr.Element
	Model         Word // cd
	Context       fr.Element
}

// Bind is the first step of both sides.
func (vk *VerifyingKey) Bind(st *Statement) (Bound, error) {
	b, err := vk.bind(st)
	return Bound{b.input, b.output, b.model, b.context}, err
}

func (b Bound) bound() *bound { return &bound{b.Input, b.Output, b.Model, b.Context} }

// Transcribe returns the first challenge for k, beside the second one.
func (b Bound) Transcribe(k bn254.G1Affine, h fr.Element) commit.Transcribe {
	return b.bound().transcribe(k, h)
}

// Statement returns the second public input.
func (b Bound) Statement(t commit.Transcribe, e1, e2 fr.Element) fr.Element {
	return b.bound().statement(t, e1, e2)
}

// ProveCircuit makes the Groth16 proof alone.
func (k *Keys) ProveCircuit(ctx context.Context, a *Assignment, statement func(h fr.Element) fr.Element) ([]byte, error) {
	return k.proveCircuit(ctx, a, statement)
}

// VerifyCircuit verifies the Groth16 proof alone.
func (vk *VerifyingKey) VerifyCircuit(groth16 []byte, context, statement fr.Element) error {
	return gnarkx.Verify(vk.groth16, gnarkx.Target(vk.target), groth16, context, statement)
}

// NewProof puts together a proof for a key.
func NewProof(vk *VerifyingKey, groth16 []byte, o *commit.OpeningProof) *Proof {
	p := &Proof{envelope: vk.envelope(), opening: o}
	p.groth16 = groth16
	return p
}

// Under returns the keys with another reference string: those that a setup with it would have made.
func (k *Keys) Under(srs *commit.SRS) (*Keys, error) {
	out := *k
	out.srs = srs
	var err error
	out.vk, err = k.vk.Under(srs.VerifyingKey())
	return &out, err
}

// Under returns the key with another reference string.
func (vk *VerifyingKey) Under(srs commit.SRSKey) (*VerifyingKey, error) {
	out := *vk
	out.srs = srs
	return &out, out.seal()
}

// Of returns a key like vk, of another circuit.
func (vk *VerifyingKey) Of(layout commit.Layout, circuit Word) (*VerifyingKey, error) {
	out := *vk
	out.spec.Layout, out.circuit = layout, circuit
	return &out, out.seal()
}

// With returns the keys with another way to fill in the circuit.
func (k *Keys) With(c Circuit) *Keys {
	out := *k
	out.circuit = c
	return &out
}

// Verified returns the keys with another verifying key.
func (k *Keys) Verified(vk *VerifyingKey) *Keys {
	out := *k
	out.vk = vk
	return &out
}
