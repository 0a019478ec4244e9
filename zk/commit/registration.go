package commit

import (
	"context"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// TagRegistration is the tag of the second public input of a circuit that proves the ranges of weights.
const TagRegistration Tag = "signet/zk/registration/v1"

// A MatrixOpening shows what a committed matrix W alone is at the challenges g and h: that E = sum_ij W_ij g^i h^j. It
// is public, and of one form: in the form Rows Q1 stays zero.
type MatrixOpening struct {
	E      fr.Element
	Q1, Q2 bn254.G1Affine // quotients by X - g and Y - h
}

// Size returns the encoded size in bytes: 64 for Rows, 96 for Compact.
func (MatrixOpening) Size(form Form) int {
	if form == Compact {
		return fr.Bytes + 2*sizeG1
	}
	return fr.Bytes + sizeG1
}

// AppendBinary appends the opening: E, in the compact form Q1, and Q2. The form is not in it.
func (p *MatrixOpening) AppendBinary(b []byte, form Form) []byte {
	e, q1, q2 := p.E.Bytes(), p.Q1.Bytes(), p.Q2.Bytes()
	b = append(b, e[:]...)
	if form == Compact {
		b = append(b, q1[:]...)
	}
	return append(b, q2[:]...)
}

// UnmarshalMatrixOpening decodes what AppendBinary appended: exactly Size(form) bytes, points on the curve, an element
// below the modulus, one encoding for each opening. It fails with a *FormatError.
func UnmarshalMatrixOpening(form Form, b []byte) (*MatrixOpening, error) {
	if err := form.Validate(); err != nil {
		return nil, err
	}
	d := &decoder{what: "matrix opening", b: b}
	p := &MatrixOpening{E: d.element()}
	if form == Compact {
		p.Q1 = d.pointG1()
	}
	p.Q2 = d.pointG1()
	if err := d.end(); err != nil {
		return nil, err
	}
	return p, nil
}

// OpenMatrix returns the opening of o's commitment at (g, h): that of Open with a vector of zeros. u is o.Row(g). It
// shows one more linear combination of the weights, E: one such opening of a commitment is accounted for in its
// layout's Budget, any other spends one unit. It fails like Open.
func OpenMatrix(ctx context.Context, srs *SRS, o *Opening, g, h fr.Element, u []fr.Element) (*MatrixOpening, error) {
	v := make([]fr.Element, o.matrix.layout.Vector())
	p, err := Open(ctx, srs, o, Transcribe{G: g, H: h}, u, v, bn254.G1Affine{})
	if err != nil {
		return nil, err
	}
	return &MatrixOpening{E: p.E1, Q1: p.Q1, Q2: p.Q2}, nil
}

// VerifyMatrixOpening returns nil if p opens c at (g, h), under the key's secrets:
//
//	rows      e(sum_i g^i C_i - E[1] + h Q2, [1]) = e(Q2, [s])
//	compact   e(C - E[1] + g Q1 + h Q2, [1]) = e(Q1, [t]) e(Q2, [s])
//
// The caller answers for g and h, which must have been drawn after c was fixed. The error wraps ErrOpening. It is safe
// for concurrent use.
func VerifyMatrixOpening(key SRSKey, c *Commitment, g, h fr.Element, p *MatrixOpening) error {
	// With K and E2 of zero the last challenge has nothing to join.
	return VerifyOpening(key, c, Transcribe{G: g, H: h}, &OpeningProof{E1: p.E, Q1: p.Q1, Q2: p.Q2})
}

// Weights returns the weights of a block, row by row, and its biases. They are copies, and secret.
func (o *Opening) Weights(block int) (weights, bias []int64) {
	c := o.matrix.blocks[block]
	weights = make([]int64, 0, len(c.narrow)+len(c.wide))
	for _, x := range c.narrow {
		weights = append(weights, int64(x))
	}
	for _, x := range c.wide {
		weights = append(weights, int64(x))
	}
	return weights, append([]int64(nil), c.bias...)
}

// Blinds returns the random elements of all rows, row by row. They are copies, and secret.
func (o *Opening) Blinds() []fr.Element { return append([]fr.Element(nil), o.blinds...) }
