package commit

import (
	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// An OpeningProof shows what a committed matrix W and a vector v in K are at the challenges g and h: that
// E1 = sum_ij W_ij g^i h^j and E2 = sum_k v_k h^k. It is public, and of one form: in the form Rows Q1 stays zero.
type OpeningProof struct {
	K      bn254.G1Affine // commitment to v
	E1, E2 fr.Element
	Q1, Q2 bn254.G1Affine // quotients by X - g and Y - h
}

// Size returns the encoded size in bytes: 128 for Rows, 160 for Compact.
func (OpeningProof) Size(form Form) int {
	if form == Compact {
		return 3*sizeG1 + 2*fr.Bytes
	}
	return 2*sizeG1 + 2*fr.Bytes
}

// AppendBinary appends the proof: K, E1, E2, in the compact form Q1, and Q2. The form is not in it.
func (p *OpeningProof) AppendBinary(b []byte, form Form) []byte {
	point := func(q bn254.G1Affine) {
		x := q.Bytes()
		b = append(b, x[:]...)
	}
	point(p.K)
	e1, e2 := p.E1.Bytes(), p.E2.Bytes()
	b = append(append(b, e1[:]...), e2[:]...)
	if form == Compact {
		point(p.Q1)
	}
	point(p.Q2)
	return b
}

// UnmarshalOpeningProof decodes what AppendBinary appended: exactly Size(form) bytes, points on the curve, elements
// below the modulus, one encoding for each proof. It fails with a *FormatError.
func UnmarshalOpeningProof(form Form, b []byte) (*OpeningProof, error) {
	if err := form.Validate(); err != nil {
		return nil, err
	}
	d := &decoder{what: "opening proof", b: b}
	p := &OpeningProof{K: d.pointG1(), E1: d.element(), E2: d.element()}
	if form == Compact {
		p.Q1 = d.pointG1()
	}
	p.Q2 = d.pointG1()
	if err := d.end(); err != nil {
		return nil, err
	}
	return p, nil
}
