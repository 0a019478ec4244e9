package fixedpoint

import (
	"fmt"
	"math"
	"slices"
)

// Encoding says which real numbers the integers of a sample stand for where every feature has a unit of its own: integer q
// of feature i is Offsets[i] + q·Units[i]. The zero Encoding is that of a model whose features share the unit
// [Model.InputScale] and have no offset.
//
// Quantize makes units powers of two and offsets multiples of a few of them, so that who sees them learns little more than
// the size of each feature.
type Encoding struct {
	Offsets []float64 `json:"offsets"` // finite, and 0 rather than -0
	Units   []float64 `json:"units"`   // finite and above 2^-1022
}

// IsZero reports whether e is the zero Encoding.
func (e Encoding) IsZero() bool { return len(e.Offsets) == 0 && len(e.Units) == 0 }

func (e Encoding) clone() Encoding { return Encoding{slices.Clone(e.Offsets), slices.Clone(e.Units)} }

func (e Encoding) check(features int) error {
	if e.IsZero() {
		return nil
	}
	if len(e.Offsets) != features || len(e.Units) != features {
		return fmt.Errorf("fixedpoint: encoding: %d offsets and %d units for %d features", len(e.Offsets), len(e.Units), features)
	}
	for i, u := range e.Units {
		if o := e.Offsets[i]; o-o != 0 || o == 0 && math.Signbit(o) || !(u >= minUnit) || math.IsInf(u, 0) {
			return fmt.Errorf("fixedpoint: encoding: offset %v and unit %v of feature %d, want finite numbers without -0, units of at least 2^-1022", o, u, i)
		}
	}
	return nil
}

// minUnit is the smallest number that float64 holds with all its digits.
const minUnit = 0x1p-1022

// units returns number v of a batch in units of its feature, scale where features share one.
func (e Encoding) units(i int, v, scale float64) float64 {
	if e.IsZero() {
		return v / scale
	}
	k := i % len(e.Units)
	return (v - e.Offsets[k]) / e.Units[k]
}
