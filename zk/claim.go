package zk

import (
	"fmt"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/signet-ml/signet/zk/commit"
)

// A Claim is what a statement says of the inputs or of the outputs: the integers themselves when they are Public, else
// their digest.
type Claim struct {
	Visibility Visibility `json:"visibility"`
	Values     []int64    `json:"values,omitempty"` // Public: all samples' integers in order
	Digest     Word       `json:"digest,omitzero"`  // Hashed, Committed: a field element
	// Encoding, of an input only, says which real numbers the integers stand for where every feature has a unit of its own.
	Encoding *Encoding `json:"encoding,omitempty"`
}

// newClaim returns the claim about values and the salt that it uses, fresh for Committed values and zero otherwise.
func newClaim(v Visibility, tag commit.Tag, p commit.Packing, values []int64, salt *Word) (Claim, fr.Element, error) {
	var s fr.Element
	switch {
	case v == Public && salt == nil:
		return Claim{Visibility: v, Values: append([]int64(nil), values...)}, s, nil
	case v == Hashed && salt == nil:
	case v == Committed && salt != nil:
		if err := s.SetBytesCanonical(salt[:]); err != nil {
			return Claim{}, s, fmt.Errorf("zk: salt: %w", err)
		}
	case v == Committed:
		var err error
		if s, err = commit.NewSalt(); err != nil {
			return Claim{}, s, fmt.Errorf("zk: drawing a salt: %w", err)
		}
	case salt != nil:
		return Claim{}, s, fmt.Errorf("zk: a salt belongs to committed values, not to %v ones", v)
	default:
		return Claim{}, s, fmt.Errorf("zk: no visibility %d", uint8(v))
	}
	d, err := p.Digest(tag, s, values)
	if err != nil {
		return Claim{}, s, err
	}
	return Claim{Visibility: v, Digest: d.Bytes()}, s, nil
}

// element returns the field element that stands for the claim in the hashes. It fails when the claim has not the form
// of its visibility or its values do not fit the packing.
func (c Claim) element(tag commit.Tag, p commit.Packing) (fr.Element, error) {
	var e fr.Element
	switch c.Visibility {
	case Public:
		if c.Digest != (Word{}) {
			return e, fmt.Errorf("public values beside a digest")
		}
		return p.Digest(tag, fr.Element{}, c.Values)
	case Hashed, Committed:
		if c.Values != nil {
			return e, fmt.Errorf("%v values in the clear", c.Visibility)
		}
		if err := e.SetBytesCanonical(c.Digest[:]); err != nil {
			return e, fmt.Errorf("digest is not a field element")
		}
		return e, nil
	}
	return e, fmt.Errorf("no visibility %d", uint8(c.Visibility))
}

// index returns the class index of a claim about one class in the clear.
func (c Claim) index(p commit.Packing) (fr.Element, error) {
	var e fr.Element
	if c.Visibility != Public || c.Digest != (Word{}) || len(c.Values) != 1 {
		return e, fmt.Errorf("this circuit shows its class: want one public value")
	}
	if c.Values[0] < p.Lo || c.Values[0] > p.Hi {
		return e, fmt.Errorf("class %d: want %d to %d", c.Values[0], p.Lo, p.Hi)
	}
	e.SetInt64(c.Values[0])
	return e, nil
}
