package encrypted

import (
	"errors"
	"fmt"

	"github.com/signet-ml/signet/ml"
)

// sigmoidTolerance is the largest error of a polynomial that stands for an activation, on the calibrated range. The
// error is part of the Twin, so it costs accuracy against the model, not precision against the Twin.
const sigmoidTolerance = 1.0 / 16

// Compile returns the Plan of a model for a target, or an error that says what to change: *UnsupportedLayerError names a
// layer that cannot be compiled, *InfeasibleError the layer at which the modulus runs out, at which security row, and
// the nearest target that works.
//
// The search is deterministic: the same model and target give the same program on the same processor architecture.
func Compile(m *ml.Model, t Target) (*Plan, error) {
	if m == nil {
		return nil, errors.New("encrypted: nil model")
	}
	t, err := t.normalise()
	if err != nil {
		return nil, err
	}
	n := t.Calibration.Rows()
	if t.Calibration.Len() == 0 {
		n = 0
	}
	if n < t.MinCalibration {
		return nil, fmt.Errorf("encrypted: a calibration set of %d samples; at least %d typical inputs are needed to find the ranges (Target.Calibration, Target.MinCalibration)", n, t.MinCalibration)
	}
	if t.Calibration.Len() != n*m.InputLen() {
		return nil, fmt.Errorf("encrypted: calibration tensor of shape %v; the model takes samples of shape %v", t.Calibration.Shape, m.InputShape())
	}
	var candidates []*Plan
	var failed error
	for _, p := range []Packing{Single, Batch} {
		if t.Packing != Auto && t.Packing != p {
			continue
		}
		plan, err := compileFor(m, t, p, n)
		var infeasible *InfeasibleError
		switch {
		case err == nil:
			candidates = append(candidates, plan)
		case !errors.As(err, &infeasible):
			return nil, err // the same for either packing
		default:
			failed = errors.Join(failed, err)
		}
	}
	if len(candidates) == 0 {
		return nil, failed
	}
	best := candidates[0]
	for _, c := range candidates[1:] {
		if c.latency() < best.latency() {
			best = c
		}
	}
	return best, nil
}

func compileFor(m *ml.Model, t Target, packing Packing, n int) (*Plan, error) {
	stages, last, err := split(m)
	if err != nil {
		return nil, err
	}
	// A trailing sigmoid is computed under encryption for a batch, where it is shared by thousands of samples.
	if tail := stages[len(stages)-1]; tail.activationName == "sigmoid" && (packing == Batch && t.Batch > 1 || t.ServerActivation) {
		tail.act, last = actPolynomial, nil
	}
	if err := calibrate(stages, t.Calibration, n, m.InputLen(), sigmoidTolerance); err != nil {
		return nil, err
	}
	c := &compiler{stages: stages, target: t, packing: packing, input: spanOf(t.Calibration.Data).abs()}
	if c.input == 0 {
		return nil, errors.New("encrypted: the calibration set holds zeros only")
	}
	if c.tail().post.abs() == 0 {
		return nil, errors.New("encrypted: every output for the calibration set is zero: precision relative to the largest output means nothing")
	}
	found, err := c.search()
	if err != nil {
		return nil, err
	}
	twin, err := twinOf(found.stages)
	if err != nil {
		return nil, err
	}
	return &Plan{packing: packing, samples: found.samples, classes: m.Classes(), inputLen: m.InputLen(), outputLen: m.OutputLen(),
		prog: found.prog, consts: found.consts, twin: twin, finish: last, bits: found.bits, worst: found.worst}, nil
}

// compiler emits programs for one packing. What search.go needs to know about packings is in choices, emit and depth.
type compiler struct {
	stages  []*stage
	target  Target
	packing Packing
	input   float64 // largest magnitude of an input element in the calibration set
}

// choices returns what can be tried in a ring, best first.
func (c *compiler) choices(logN int) ([]choice, error) {
	if c.packing == Single {
		return c.singleChoices(logN)
	}
	return c.batchChoices(), nil
}

// emit compiles a choice as far as it takes to judge it.
func (c *compiler) emit(logN int, ch choice) (*candidate, error) {
	if c.packing == Single {
		return c.emitSingle(ch)
	}
	return c.emitBatch(logN, ch, 1)
}

// depth returns the levels that stage i consumes under a choice.
func (c *compiler) depth(i int, ch choice) int {
	if c.packing == Single {
		return c.stages[i].depth(c.rescales(i, ch.single.rescale))
	}
	return c.batchDepth(i)
}

func (c *compiler) tail() *stage { return c.stages[len(c.stages)-1] }

// transferRate is that of a link of 100 Mbit/s, in bytes per second.
const transferRate = 12.5e6

// latency estimates the seconds from encrypted input to decrypted output of one sample, to choose between packings.
func (p *Plan) latency() float64 {
	return p.Cost().Run.Seconds() + float64(p.InputBytes()+p.OutputBytes())/transferRate
}
