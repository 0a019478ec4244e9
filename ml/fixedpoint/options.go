package fixedpoint

import (
	"fmt"

	"github.com/signet-ml/signet/ml"
)

// Options say how to quantise. Only Calibration is required.
type Options struct {
	// Calibration is a batch of ordinary samples. It chooses scales and nothing else:
	// whatever comes later, no number leaves its interval. A few hundred samples do.
	Calibration ml.Tensor

	// Weights is the number of bits of a weight, sign included: 8 means [-127, 127].
	// Default 8; 2 to 16.
	Weights int

	// Activations is the number of bits of the input and of what a [Rescale] gives, sign
	// included: 8 means [0, 127] behind a ReLU and [-127, 127] elsewhere. Default 8; 2
	// to 16. An input whose features have each a unit of their own gets two more.
	Activations int

	// TableBits is the number of bits of the index of a [Table], which then has
	// 2^TableBits rows. A layer whose accumulators are coarser than that gets fewer.
	// Default 10; 4 to 16.
	TableBits int

	// Class makes the output the index of the class, by an [Argmax] on the scores. A
	// softmax, sigmoid or tanh at the end is dropped, because it does not move the
	// largest score. A model with one score s gets a second one, 0, in front of it:
	// class 1 if and only if s > 0.
	Class bool

	// Architecture, when given, is kept: its shifts, intervals, bits and tables, and
	// whether the output is a class. The four options above are then not looked at. A
	// network of another shape, or with weights too large for its tables, is refused with
	// *[ArchitectureError].
	Architecture *Architecture
}

// withDefaults returns o with defaults filled in, or the first option out of range.
func (o Options) withDefaults() (Options, error) {
	if a := o.Architecture; a != nil {
		if _, _, err := a.check(false); err != nil {
			return o, err
		}
		o.Weights, o.Activations, o.Class = a.Weights, a.Activations, a.class()
	}
	for _, f := range []struct {
		name        string
		v           *int
		def, lo, hi int
	}{
		{"Weights", &o.Weights, 8, 2, 16},
		{"Activations", &o.Activations, 8, 2, 16},
		{"TableBits", &o.TableBits, 10, minTableBits, maxTableBits},
	} {
		if *f.v == 0 {
			*f.v = f.def
		}
		if *f.v < f.lo || *f.v > f.hi {
			return o, &OptionsError{f.name, *f.v, fmt.Sprintf("%d to %d", f.lo, f.hi)}
		}
	}
	return o, nil
}
