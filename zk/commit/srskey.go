package commit

import (
	"github.com/consensys/gnark-crypto/ecc/bn254"
)

// An SRSKey is the verifier's part of a reference string. The generator of G1 is the curve's own, [1] = (1, 2).
type SRSKey struct {
	Form Form
	G2   bn254.G2Affine // [1], the curve's own generator of G2
	S2   bn254.G2Affine // [s]
	T2   bn254.G2Affine // [t], in the compact form; otherwise the point at infinity
}

const srsKeyVersion = 1

// The curve's generators.
var _, _, g1Generator, g2Generator = bn254.Generators()

// Digest returns the digest that pins the key: commitments and transcripts absorb it.
func (k SRSKey) Digest() [32]byte {
	t := NewTranscript("signet/zk/srs/v1").Uint(uint64(k.Form)).Point(g1Generator).PointG2(k.G2).PointG2(k.S2)
	if k.Form == Compact {
		t.PointG2(k.T2)
	}
	return t.Sum()
}

// validate returns an error unless the points are what they should be; S2 and T2 may not be zero.
func (k SRSKey) validate() error {
	if err := k.Form.Validate(); err != nil {
		return err
	}
	if !k.G2.Equal(&g2Generator) {
		return badFormat("reference string key", "[1] is not the generator of G2")
	}
	for _, p := range k.secrets() {
		if p.IsInfinity() || !p.IsOnCurve() || !p.IsInSubGroup() {
			return badFormat("reference string key", "a point is zero or not in G2")
		}
	}
	return nil
}

// secrets returns the points that hold secrets.
func (k SRSKey) secrets() []bn254.G2Affine {
	if k.Form == Compact {
		return []bn254.G2Affine{k.S2, k.T2}
	}
	return []bn254.G2Affine{k.S2}
}

// MarshalBinary returns the key as a version byte, the form and the compressed points [s] and, in the compact form,
// [t].
func (k SRSKey) MarshalBinary() ([]byte, error) {
	if err := k.validate(); err != nil {
		return nil, err
	}
	b := []byte{srsKeyVersion, byte(k.Form)}
	for _, p := range k.secrets() {
		x := p.Bytes()
		b = append(b, x[:]...)
	}
	return b, nil
}

// UnmarshalSRSKey decodes what MarshalBinary wrote: exactly, nothing before or after. It fails with a *FormatError.
func UnmarshalSRSKey(b []byte) (SRSKey, error) {
	d := &decoder{what: "reference string key", b: b}
	d.version(srsKeyVersion)
	k := SRSKey{Form: d.form(), G2: g2Generator}
	k.S2 = d.pointG2()
	if k.Form == Compact {
		k.T2 = d.pointG2()
	}
	if err := d.end(); err != nil {
		return SRSKey{}, err
	}
	if err := k.validate(); err != nil {
		return SRSKey{}, err
	}
	return k, nil
}
