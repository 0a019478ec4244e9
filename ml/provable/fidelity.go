package provable

import (
	"fmt"
	"math"

	"github.com/signet-ml/signet/ml"
	"github.com/signet-ml/signet/ml/fixedpoint"
)

// A Fidelity says how close what is proved is to the float64 model, on the calibration set.
type Fidelity struct {
	Samples int     // of the calibration set; 0 when nobody compared
	Flips   int     // how many of them have another label
	Bits    float64 // of precision: -log2 of the largest error of an output, or score, relative to the largest output
}

// String returns "7.3 bits of the float64 model on 256 samples, all labels as there", or how many differ.
func (f Fidelity) String() string {
	switch {
	case f.Samples == 0:
		return "not compared with a float64 model"
	case f.Flips == 0:
		return fmt.Sprintf("%.1f bits of the float64 model on %d samples, all labels as there", f.Bits, f.Samples)
	}
	return fmt.Sprintf("%.1f bits of the float64 model on %d samples, %d labels differ", f.Bits, f.Samples, f.Flips)
}

// maxBits are those of a float64: no comparison shows more.
const maxBits = 53

// fidelity compares a twin with the model it was made of.
func fidelity(twin *fixedpoint.Model, m *ml.Model, x ml.Tensor) (Fidelity, error) {
	r, err := twin.Compare(m, x, nil)
	if err != nil {
		return Fidelity{}, fmt.Errorf("provable: fidelity: %w", err)
	}
	bits := math.Log2(r.LargestOutput / r.MaxError)
	if r.MaxError == 0 {
		bits = maxBits
	}
	return Fidelity{Samples: r.Samples, Flips: len(r.Flips), Bits: min(max(bits, 0), maxBits)}, nil
}

// Fidelity returns how close what is proved is to the float64 model, as Compile found on the calibration set. A circuit
// of CompileTwin has the zero Fidelity.
func (c *Circuit) Fidelity() Fidelity { return c.fidelity }
