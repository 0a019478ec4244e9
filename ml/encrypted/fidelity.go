package encrypted

import (
	"fmt"
	"math"

	"github.com/signet-ml/signet/ml"
)

// Fidelity says how close a plan comes to the model in float64, measured on the calibration set: what polynomials and
// integer weights change, and what noise adds.
type Fidelity struct {
	Samples int
	// Bits is the precision of the worst score of all samples relative to the largest: of the difference between twin and
	// model, and of the noise that the plan predicts for its worst slot.
	Bits float64
	// Flips is how many samples have another label. See ml.Model.Labels.
	Flips int
	// Largest is the largest magnitude of a score.
	Largest float64
}

// String returns the fidelity in a line.
func (f Fidelity) String() string {
	s := fmt.Sprintf("%.1f bits against the model in float64, %d of %d calibration samples with another label", f.Bits, f.Flips, f.Samples)
	if f.Flips > 0 {
		s += ": WARNING: labels flip"
	}
	return s
}

// Fidelity returns how close the plan comes to the model in float64.
func (p *Plan) Fidelity() Fidelity { return p.fidelity }

// fidelitySamples is how many calibration samples plan and model are compared on.
const fidelitySamples = 1024

// compare measures the fidelity on samples x.
func (p *Plan) compare(m *ml.Model, x ml.Tensor) error {
	n := min(x.Rows(), fidelitySamples)
	x, err := ml.NewTensor(append([]int{n}, m.InputShape()...), x.Data[:n*p.inputLen])
	if err != nil {
		return fmt.Errorf("encrypted: calibration: %w", err)
	}
	trace, err := m.Trace(x)
	if err != nil {
		return fmt.Errorf("encrypted: calibration: %w", err)
	}
	got, err := p.twin.Scores(x)
	if err != nil {
		return err
	}
	outputs := trace[len(trace)-1]
	want := outputs
	if p.twin.finish != nil {
		if want = x; len(trace) > 1 {
			want = trace[len(trace)-2]
		}
	}
	f := Fidelity{Samples: n, Largest: spanOf(want.Data).abs()}
	worst := 0.0
	for i, v := range want.Data {
		worst = max(worst, math.Abs(v-got.Data[i]))
	}
	if f.Largest == 0 { // the precision is relative to samples that were not compared
		f.Largest = math.SmallestNonzeroFloat64
	}
	f.Bits = -math.Log2(worst/f.Largest + math.Exp2(-p.worst))
	final, err := finish(p.twin.finish, got)
	if err != nil {
		return err
	}
	labels := m.Labels(final)
	for i, l := range m.Labels(outputs) {
		if l != labels[i] {
			f.Flips++
		}
	}
	p.fidelity = f
	return nil
}
