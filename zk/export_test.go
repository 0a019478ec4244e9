package zk

import (
	"context"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/signet-ml/signet/zk/commit"
)

// ForgeRegistration makes a registration like Register, but as somebody does who checks nothing: it puts the weights of
// wires into the circuit, takes the opening from open, which gets both challenges, and does not verify.
func ForgeRegistration(ctx context.Context, regKeys *Keys, vk *VerifyingKey, model *commit.Commitment, registrant Word,
	wires *commit.Opening, open func(g, r fr.Element) (*commit.MatrixOpening, error)) (*Registration, error) {
	cd, err := vk.ModelDigest(model)
	if err != nil {
		return nil, err
	}
	a := Assignment{Context: regKeys.vk.registrationContext(cd, registrant), Opening: wires}
	var g, r fr.Element
	reg := &Registration{envelope: regKeys.vk.envelope()}
	reg.groth16, err = regKeys.proveCircuit(ctx, &a, func(h fr.Element) fr.Element {
		g, r = rowChallenge(h), h
		return registrationStatement(r, horner(wires.Row(g), r))
	})
	if err != nil {
		return nil, err
	}
	reg.opening, err = open(g, r)
	return reg, err
}
