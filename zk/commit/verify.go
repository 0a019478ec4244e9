package commit

import (
	"fmt"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// VerifyOpening returns nil if p opens c and its own K at t's challenges to E1 and E2, under the key's secrets:
//
//	rows      e(sum_i g^i C_i + gamma K - (E1 + gamma E2)[1] + h Q2, [1]) = e(Q2, [s])
//	compact   e(C + gamma K - (E1 + gamma E2)[1] + g Q1 + h Q2, [1]) = e(Q1, [t]) e(Q2, [s])
//
// The caller answers for t: it recomputes t.CD with c.Digest, and the challenges from what was fixed before them. The
// error wraps ErrOpening. It is safe for concurrent use.
func VerifyOpening(key SRSKey, c *Commitment, t Transcribe, p *OpeningProof) error {
	switch {
	case key.Form.Validate() != nil || c.Form != key.Form:
		return fmt.Errorf("%w: a commitment of form %v under a key of form %v", ErrOpening, c.Form, key.Form)
	case len(c.Points) < 1 || c.Form == Compact && len(c.Points) != 1:
		return fmt.Errorf("%w: a commitment of %d points", ErrOpening, len(c.Points))
	case c.Form == Rows && !p.Q1.IsInfinity():
		return fmt.Errorf("%w: a first quotient in the rows form", ErrOpening)
	}
	for _, points := range [][]bn254.G1Affine{c.Points, {p.K, p.Q1, p.Q2}} {
		for i := range points {
			if !points[i].IsOnCurve() {
				return fmt.Errorf("%w: a point is not on the curve", ErrOpening)
			}
		}
	}
	if !holds(key, c, t, p, t.gamma(c.Form, p)) {
		return ErrOpening
	}
	return nil
}

// holds reports whether the equation of c's form is true.
func holds(key SRSKey, c *Commitment, t Transcribe, p *OpeningProof, gamma fr.Element) bool {
	var value fr.Element
	value.Mul(&gamma, &p.E2).Add(&value, &p.E1).Neg(&value)
	points := append(append([]bn254.G1Affine{}, c.Points...), p.K, g1Generator, p.Q2)
	scalars := append(powers(t.G, len(c.Points)), gamma, value, t.H)
	left, right := []bn254.G1Affine{{}, p.Q2}, []bn254.G2Affine{key.G2, key.S2}
	if c.Form == Compact {
		points, scalars = append(points, p.Q1), append(scalars, t.G)
		left, right = append(left, p.Q1), append(right, key.T2)
	}
	sum := multiExp(points, scalars, 0)
	left[0].FromJacobian(&sum)
	left[0].Neg(&left[0])
	ok, err := bn254.PairingCheck(left, right)
	return err == nil && ok
}
