package provable

import (
	"fmt"
	"strings"

	"github.com/signet-ml/signet/ml/fixedpoint"
)

// A SaturatedError reports samples so far outside of what calibration saw that numbers were cut to their intervals, and
// a proof would be about an answer that the float64 model may not give. Prove returns it before anything is spent.
// AllowSaturation proves nevertheless; a calibration set with such samples makes the intervals wide enough.
type SaturatedError struct {
	Saturations []fixedpoint.Saturation // of all tensors, the harmless ones too
}

// Error names where and how far out, not the numbers.
func (e *SaturatedError) Error() string {
	var parts []string
	for _, s := range e.Saturations {
		if s.Harmful > 0 {
			parts = append(parts, fmt.Sprintf("%s: %d of %d numbers, of sample %d number %d at %.2g times its interval", s.Tensor, s.Harmful, s.Values, s.Sample, s.Element, s.Times))
		}
	}
	return "provable: prove: saturated far beyond calibration: " + strings.Join(parts, "; ")
}

// refuse returns a *SaturatedError if one of the saturations is harmful.
func refuse(all []fixedpoint.Saturation) error {
	for _, s := range all {
		if s.Harmful > 0 {
			return &SaturatedError{all}
		}
	}
	return nil
}
