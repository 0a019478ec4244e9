package commit

import (
	"encoding/binary"
	"fmt"
	"math/big"
	"math/bits"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/frontend"
)

// packedBits is how many bits of an element hold values: the largest multiple of 4 below the 253 that always fit.
const packedBits = 252

// packLimit bounds the ends of a packing's range in magnitude, so that their offset fits 63 bits of the header.
const packLimit = 1 << 62

// A Packing says how integers of one range fill field elements.
type Packing struct {
	Count  int   // how many integers
	Lo, Hi int64 // every one lies in [Lo, Hi]
}

// Validate returns an error unless 1 <= Count < 2^32 and -2^62 <= Lo <= Hi <= 2^62.
func (p Packing) Validate() error {
	switch {
	case p.Count < 1 || int64(p.Count) > 1<<32-1:
		return fmt.Errorf("commit: packing of %d values: want 1 to 2^32-1", p.Count)
	case p.Lo > p.Hi || p.Lo < -packLimit || p.Hi > packLimit:
		return fmt.Errorf("commit: packing of values in [%d, %d]: want ends in order, of magnitude up to 2^62", p.Lo, p.Hi)
	}
	return nil
}

// Width returns the bits that one value takes, at least 1.
func (p Packing) Width() int { return max(1, bits.Len64(uint64(p.Hi-p.Lo))) }

// PerElement returns how many values one field element holds.
func (p Packing) PerElement() int { return packedBits / p.Width() }

// Elements returns how many field elements hold all values.
func (p Packing) Elements() int { return (p.Count + p.PerElement() - 1) / p.PerElement() }

// header returns the element that stands before the salt in a digest: count, width and lower end.
func (p Packing) header() fr.Element {
	var b [16]byte // lo + 2^62 from bit 40, width from bit 32, count
	lo := uint64(p.Lo + packLimit)
	binary.BigEndian.PutUint64(b[:8], lo>>24)
	binary.BigEndian.PutUint64(b[8:], lo<<40|uint64(p.Width())<<32|uint64(p.Count))
	var h fr.Element
	h.SetBytes(b[:])
	return h
}

// Pack returns the field elements that hold values: each takes Width bits, less Lo, the first value in the low bits.
// It fails unless there are Count values, all in [Lo, Hi].
func (p Packing) Pack(values []int64) ([]fr.Element, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	if len(values) != p.Count {
		return nil, fmt.Errorf("commit: pack %d values: want %d", len(values), p.Count)
	}
	w, k := p.Width(), p.PerElement()
	out := make([]fr.Element, 0, p.Elements())
	var e, x big.Int
	for at := 0; at < len(values); at += k {
		e.SetUint64(0)
		for i := min(k, len(values)-at) - 1; i >= 0; i-- {
			v := values[at+i]
			if v < p.Lo || v > p.Hi {
				return nil, fmt.Errorf("commit: pack value %d: outside [%d, %d]", at+i, p.Lo, p.Hi)
			}
			e.Lsh(&e, uint(w)).Or(&e, x.SetUint64(uint64(v-p.Lo)))
		}
		var packed fr.Element
		out = append(out, *packed.SetBigInt(&e))
	}
	return out, nil
}

// PackVar returns what Pack returns, in a circuit and without constraints. It does NOT check that the values lie in
// [Lo, Hi]: packing is injective only if the circuit constrains every one of them to, otherwise the packed elements
// prove nothing about the values. It panics unless the packing is valid and there are Count variables.
func (p Packing) PackVar(api frontend.API, vars []frontend.Variable) []frontend.Variable {
	if err := p.check(vars); err != nil {
		panic(err.Error())
	}
	w, k := p.Width(), p.PerElement()
	out := make([]frontend.Variable, 0, p.Elements())
	for at := 0; at < len(vars); at += k {
		block := vars[at:min(at+k, len(vars))]
		terms := make([]frontend.Variable, len(block)+1)
		offset := new(big.Int)
		for i, v := range block {
			shift := new(big.Int).Lsh(big.NewInt(1), uint(w*i))
			terms[i+1] = api.Mul(v, shift)
			offset.Add(offset, shift.Mul(shift, big.NewInt(p.Lo)))
		}
		terms[0] = offset.Neg(offset)
		out = append(out, api.Add(terms[0], terms[1], terms[2:]...))
	}
	return out
}

func (p Packing) check(vars []frontend.Variable) error {
	if err := p.Validate(); err != nil {
		return err
	}
	if len(vars) != p.Count {
		return fmt.Errorf("commit: pack %d variables: want %d", len(vars), p.Count)
	}
	return nil
}

// Digest returns the hash under tag of the packing's header, salt and the packed values. It hides the values if salt
// is fresh from NewSalt, and fails like Pack.
func (p Packing) Digest(tag Tag, salt fr.Element, values []int64) (fr.Element, error) {
	packed, err := p.Pack(values)
	if err != nil {
		return fr.Element{}, err
	}
	return Hash(tag, append([]fr.Element{p.header(), salt}, packed...)...), nil
}

// DigestVar returns what Digest returns, in a circuit. Like PackVar it does NOT check the values' range: the circuit
// must, or other values have the same digest. It fails for an invalid packing and another number of variables.
func (p Packing) DigestVar(api frontend.API, tag Tag, salt frontend.Variable, vars []frontend.Variable) (frontend.Variable, error) {
	if err := p.check(vars); err != nil {
		return nil, err
	}
	return HashVar(api, tag, append([]frontend.Variable{p.header(), salt}, p.PackVar(api, vars)...)...)
}

// NewSalt returns a uniform field element from crypto/rand.
func NewSalt() (fr.Element, error) {
	var x fr.Element
	_, err := x.SetRandom()
	return x, err
}
