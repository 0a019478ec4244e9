package encrypted

import (
	"errors"
	"fmt"

	"github.com/signet-ml/signet/fhe/engine/cpu"
	"github.com/signet-ml/signet/fhe/lintrans"
	"github.com/signet-ml/signet/fhe/program"
	"github.com/signet-ml/signet/fhe/program/cost"
	"github.com/signet-ml/signet/ml"
)

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
	var failed error
	for _, p := range []Packing{Single, Batch} {
		if t.Packing != Auto && t.Packing != p {
			continue
		}
		plan, err := compileFor(m, t, p, n)
		var infeasible *InfeasibleError
		switch {
		case err == nil:
			return plan, nil
		case !errors.As(err, &infeasible):
			return nil, err // the same for either packing
		}
		failed = errors.Join(failed, err)
	}
	return nil, failed
}

func compileFor(m *ml.Model, t Target, packing Packing, n int) (*Plan, error) {
	stages, last, err := split(m)
	if err != nil {
		return nil, err
	}
	// A trailing sigmoid is computed under encryption for a batch, where it is shared by thousands of samples.
	if last != nil && last.Kind() == string(sigmoid) && (packing == Batch && t.Batch > 1 || t.ServerActivation) {
		stages, last = endIn(stages, sigmoid), nil
	}
	if !t.EncryptedWeights {
		for _, st := range stages {
			for i := range st.terms {
				st.terms[i].m = st.terms[i].m.pruned()
			}
		}
	}
	if err := calibrate(stages, t.Calibration, n, t.Tolerance); err != nil {
		return nil, err
	}
	c := &compiler{stages: stages, target: t, packing: packing, inputShape: m.InputShape(), input: spanOf(t.Calibration.Data).abs(), inputRMS: rms(t.Calibration.Data),
		layouts: map[[2]int][]*layoutCandidate{}, scaled: make([][]scaledTerm, len(stages)), products: map[productKey]*lintrans.Product{}}
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
	if err := found.optimise(); err != nil {
		return nil, err
	}
	return &Plan{packing: packing, samples: found.samples, classes: m.Classes(), inputLen: m.InputLen(), outputLen: m.OutputLen(),
		prog: found.prog, consts: found.consts, private: found.private, domains: found.domains, twin: &Twin{m.InputLen(), found.stages}, finish: last, bits: found.bits, worst: found.worst}, nil
}

// compiler emits programs for one packing. What search.go needs to know about packings is in choices, emit and depth.
type compiler struct {
	stages     []*stage
	target     Target
	packing    Packing
	inputShape []int
	input      float64 // largest magnitude of an input element in the calibration set
	inputRMS   float64

	layouts  map[[2]int][]*layoutCandidate // by stage, -1 for the model's input, and slots
	scaled   [][]scaledTerm                // by stage
	products map[productKey]*lintrans.Product
}

// inputLen is the number of elements of a sample.
func (c *compiler) inputLen() int { return elements(c.inputShape) }

func elements(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

// choices returns what can be tried in a ring, best first.
func (c *compiler) choices(logN int) []choice {
	if c.packing == Single {
		return c.singleChoices(logN)
	}
	return c.batchChoices()
}

// emit compiles a choice as far as it takes to judge it.
func (c *compiler) emit(logN int, ch choice, draft bool) (*candidate, error) {
	if c.packing == Single {
		return c.emitSingle(ch, draft)
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

// transferRate and the unit below weigh bytes over a link of 100 Mbit/s against transforms of a row on one core.
const (
	transferRate = 12.5e6  // bytes per second
	rowNTT       = 13.2e-9 // seconds per word of a row's transform
)

// seconds estimates those of one run on one thread.
func seconds(p *program.Program) (float64, error) {
	c, err := cpu.Estimate(p, cost.Default(), 1)
	if err != nil {
		return 0, fmt.Errorf("encrypted: %w", err)
	}
	return c.Run.Seconds(), nil
}
