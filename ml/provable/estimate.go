package provable

import (
	"fmt"
	"slices"

	"github.com/signet-ml/signet/zk"
)

// Estimate returns what proofs will cost by the rates that the library carries: see EstimateBy. Printed, it is a table
// for people.
func (c *Circuit) Estimate() *zk.Report {
	r, err := c.EstimateBy(zk.DefaultRates())
	if err != nil { // without options nothing can fail but the circuit
		panic("provable: a compiled circuit that does not compile: " + err.Error())
	}
	return r
}

// EstimateBy returns the report of zk.Estimate, which needs no keys, for rates and the options that zk.Setup will get.
// It adds the largest magnitudes that calibration saw beside every range, what the integers are and how close
// they come to the float64 model, with a warning where labels differ, and what the options of Compile let a verifier see.
func (c *Circuit) EstimateBy(rates zk.Rates, opts ...zk.Option) (*zk.Report, error) {
	r, err := zk.Estimate(c.circuit, rates, opts...)
	if err != nil {
		return nil, err
	}
	r.Shows(c.options.Input, c.options.Output)
	scales, largest := c.twin.Scales(), c.twin.Calibrated()
	for i := range r.Layers {
		r.Layers[i].Calibrated = largest[i] / scales[i]
	}
	a := c.twin.Architecture()
	unit := fmt.Sprintf("%.3g", c.twin.InputScale())
	if e := c.twin.Encoding(); !e.IsZero() {
		unit = fmt.Sprintf("%.3g to %.3g by feature", slices.Min(e.Units), slices.Max(e.Units))
	}
	r.Quantization = fmt.Sprintf("%d-bit weights, %d-bit activations; one unit of the input is %s, of the output %.3g",
		a.Weights, a.Activations, unit, c.twin.OutputScale())
	r.Fidelity = c.fidelity.String()
	if f := c.fidelity; f.Flips > 0 {
		r.Warning = fmt.Sprintf("%d of %d labels of the calibration set are not the float64 model's, and would be proved: "+
			"give Quantization.Weights or Activations more bits", f.Flips, f.Samples)
	}
	return r, nil
}
