package provable_test

import (
	"strings"
	"testing"

	"github.com/signet-ml/signet/ml"
	"github.com/signet-ml/signet/ml/fixedpoint"
	"github.com/signet-ml/signet/ml/provable"
	"github.com/signet-ml/signet/zk"
)

func TestFidelity(t *testing.T) {
	m, x := network(t, 1, ml.ReLU())
	for _, c := range []struct {
		bits    int
		answer  provable.Answer
		lo, hi  float64 // bits of precision
		flipped bool
	}{
		{8, provable.Class, 5, 9, false},
		{8, provable.Values, 5, 9, false},
		{14, provable.Class, 11, 16, false},
		{2, provable.Class, 0, 2, true},
	} {
		circuit, err := provable.Compile(m, provable.Options{Calibration: x, Answer: c.answer, Quantization: fixedpoint.Options{Weights: c.bits, Activations: c.bits}})
		if err != nil {
			t.Fatal(err)
		}
		f := circuit.Fidelity()
		report, err := circuit.Twin().Compare(m, x, nil)
		if err != nil {
			t.Fatal(err)
		}
		if f.Samples != 40 || f.Bits < c.lo || f.Bits > c.hi || f.Flips != len(report.Flips) || f.Flips > 0 != c.flipped {
			t.Errorf("%d bits: %+v, and %d labels differ", c.bits, f, len(report.Flips))
		}
		text := circuit.Estimate().String()
		if strings.Contains(text, "WARNING") != c.flipped || !strings.Contains(text, "fidelity") || !strings.Contains(text, f.String()) {
			t.Errorf("%d bits: %v\n%s", c.bits, f, text)
		}
	}
	circuit, err := provable.Compile(m, provable.Options{Calibration: x})
	if err != nil {
		t.Fatal(err)
	}
	twin, err := provable.CompileTwin(circuit.Twin(), provable.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if f := twin.Fidelity(); f != (provable.Fidelity{}) || !strings.Contains(twin.Estimate().String(), "not compared") {
		t.Errorf("a twin of unknown origin has %v", f)
	}
}

// TestFidelityOfFeatures has columns that need units of their own, and prints their range.
func TestFidelityOfFeatures(t *testing.T) {
	m, x := columns(t)
	circuit, err := provable.Compile(m, provable.Options{Calibration: x, Weights: zk.Public})
	if err != nil {
		t.Fatal(err)
	}
	if f := circuit.Fidelity(); f.Bits < 7 || f.Samples != 256 || f.Flips > 2 {
		t.Errorf("%v", f)
	}
	if text := circuit.Estimate().String(); !strings.Contains(text, "one unit of the input is 0.000122 to 4 by feature") {
		t.Error(text)
	}
}
