package encrypted

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/signet-ml/signet/fhe/engine/cpu"
	"github.com/signet-ml/signet/fhe/lintrans"
	"github.com/signet-ml/signet/fhe/program"
	"github.com/signet-ml/signet/fhe/program/cost"
	"github.com/signet-ml/signet/ml"
	"github.com/signet-ml/signet/ml/internal/feature"
)

// Compile returns the Plan of a model for a target, or an error that says what to change: *UnsupportedLayerError names a
// layer that cannot be compiled, *InfeasibleError the layer at which the modulus runs out, at which security row, and
// the nearest target that works, and *CalibrationError says why nothing follows from the calibration set.
//
// The search is deterministic: the same model and target give the same program on the same processor architecture.
// Features of any scale and offset are welcome: see Plan.Input.
func Compile(m *ml.Model, t Target) (*Plan, error) { return CompileContext(context.Background(), m, t) }

// CompileContext is Compile under a context, which is checked between the choices that the search tries. It then returns
// the context's error. Target.Progress hears of every choice.
func CompileContext(ctx context.Context, m *ml.Model, t Target) (*Plan, error) {
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
		return nil, &CalibrationError{fmt.Sprintf("a calibration set of %d samples; at least %d typical inputs are needed to find the ranges (Target.Calibration, Target.MinCalibration)", n, t.MinCalibration)}
	}
	if t.Calibration.Len() != n*m.InputLen() {
		return nil, &CalibrationError{fmt.Sprintf("calibration tensor of shape %v; the model takes samples of shape %v", t.Calibration.Shape, m.InputShape())}
	}
	if _, err := ml.NewTensor(t.Calibration.Shape, t.Calibration.Data); err != nil {
		return nil, &CalibrationError{"calibration: " + err.Error()}
	}
	if _, err := m.Forward(ml.Tensor{Shape: append([]int{n}, m.InputShape()...), Data: t.Calibration.Data}); err != nil {
		return nil, &CalibrationError{"calibration: " + err.Error()} // numbers that are not finite, of the input or of a layer
	}
	var failed error
	for _, p := range []Packing{Single, Batch} {
		if t.Packing != Auto && t.Packing != p {
			continue
		}
		plan, err := compileFor(ctx, m, t, p, n)
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

// effort is how a compilation is tried.
type effort struct {
	margin float64 // normMargin of a batch
	finer  float64 // of the default tolerances
}

// compileFor tries a packing. A batch that is not feasible for samples half as large again as those of the calibration
// set may be for those that are little larger. Where polynomials flip more labels than one in 200, finer ones are tried.
func compileFor(ctx context.Context, m *ml.Model, t Target, packing Packing, n int) (*Plan, error) {
	e := effort{normMargin, 1}
	plan, err := attempt(ctx, m, t, packing, n, e)
	if errors.As(err, new(*InfeasibleError)) && packing == Batch && bends(m) {
		e.margin = tightMargin
		var second error
		plan, second = attempt(ctx, m, t, packing, n, e)
		if second == nil || !errors.As(second, new(*InfeasibleError)) {
			err = second
		}
	}
	if err != nil {
		return nil, err
	}
	for k := 0; k < 2 && t.Tolerance == 0 && len(plan.domains) > 0 && plan.fidelity.Flips*200 > plan.fidelity.Samples; k++ {
		e.finer /= 4
		better, err := attempt(ctx, m, t, packing, n, e)
		switch {
		case errors.As(err, new(*InfeasibleError)):
			return plan, nil
		case err != nil:
			return nil, err
		case better.fidelity.Flips >= plan.fidelity.Flips:
			return plan, nil // polynomials are not what flips them
		}
		plan = better
	}
	return plan, nil
}

// bends reports whether a layer is an activation: without one, what samples may come to decides on nothing but the modulus.
func bends(m *ml.Model) bool { return !isLinear(m.Layers()) }

func attempt(ctx context.Context, m *ml.Model, t Target, packing Packing, n int, e effort) (*Plan, error) {
	features, stages, last, err := scaling(m, t.Calibration.Data, n, t.EncryptedWeights)
	if err != nil {
		return nil, err
	}
	if last != nil && last.Kind() == string(sigmoid) && t.ServerActivation {
		stages, last = endIn(stages, sigmoid), nil
	}
	if !t.EncryptedWeights {
		for _, st := range stages {
			for i := range st.terms {
				st.terms[i].m = st.terms[i].m.pruned()
			}
		}
	}
	x := features.Apply(t.Calibration.Data)
	c := &compiler{ctx: ctx, effort: e, stages: stages, target: t, packing: packing, inputShape: m.InputShape(), scaling: features, inputs: x,
		input: rangeMargin * spanOf(x).abs(), inputRMS: rms(x),
		integers: map[int]*integerModel{}, drafts: map[string]judged{}, layouts: map[[2]int][]*layoutCandidate{}, scaled: make([][]scaledTerm, len(stages)), products: map[productKey]*lintrans.Product{}}
	switch largest := c.input / rangeMargin; {
	case largest == 0 && features.IsIdentity():
		return nil, &CalibrationError{"the calibration set holds zeros only"}
	case features.IsIdentity():
	case largest < math.Exp2(-20):
		return nil, &CalibrationError{"no feature of the calibration set varies"}
	case largest > rangeMargin:
		return nil, &CalibrationError{"features of the calibration set are too far apart"}
	default:
		c.input = rangeMargin
	}
	if packing == Batch {
		if err := c.chained(); err != nil {
			return nil, err
		}
		r := inputReach(x, c.inputLen(), c.input, e.margin)
		c.norm, c.reach = r.norm, &r
	}
	if err := c.calibrate(n); err != nil {
		return nil, err
	}
	if c.tail().post.abs() == 0 {
		return nil, &CalibrationError{"every output for the calibration set is zero: precision relative to the largest output means nothing"}
	}
	if packing == Batch {
		if err := c.quantiseAll(); err != nil {
			return nil, err
		}
	}
	found, err := c.search()
	if err != nil {
		return nil, err
	}
	if err := found.optimise(); err != nil {
		return nil, err
	}
	plan := &Plan{packing: packing, samples: found.samples, classes: m.Classes(), inputLen: m.InputLen(), outputLen: m.OutputLen(),
		prog: found.prog, consts: found.consts, private: found.private, domains: found.domains,
		twin: &Twin{m.InputLen(), features, found.stages, last}, bits: found.bits, worst: found.worst}
	return plan, plan.compare(m, t.Calibration)
}

// compiler emits programs for one packing. What search.go needs to know about packings is in choices, emit and depth.
type compiler struct {
	ctx        context.Context
	effort     effort
	stages     []*stage
	target     Target
	packing    Packing
	inputShape []int
	scaling    feature.Scaling
	inputs     []float64  // the calibration set as it enters
	input      float64    // largest magnitude of an input element that the port lets in
	norm       float64    // largest norm of a sample that it lets in; 0 is any
	reach      *reachable // of the input, where no sample may reach into another
	inputRMS   float64
	logN       int // of the ring that is searched
	tried      int // programs that were judged
	drafts     map[string]judged

	// Of a batch: the sizes of integer weights that leave enough precision, and the networks that they make.
	integerBits []int
	integers    map[int]*integerModel

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

// draft compiles a choice as far as it takes to judge it, once.
func (c *compiler) draft(logN int, ch choice) (*candidate, error) {
	key := fmt.Sprint(logN, ch.q, ch.special, ch.bits, ch.weights)
	if d, ok := c.drafts[key]; ok {
		return d.found, d.err
	}
	var d judged
	if c.packing == Single {
		d.found, d.err = c.emitSingle(ch, true)
	} else {
		d.found, d.err = c.emitBatch(logN, ch, 1, true)
	}
	c.drafts[key] = d
	return d.found, d.err
}

// judged is what a draft came to.
type judged struct {
	found *candidate
	err   error
}

// depth returns the levels that stage i consumes under a choice.
func (c *compiler) depth(i int, ch choice) int {
	if c.packing == Single {
		return c.stages[i].depth(c.rescales(i, ch.single.rescale))
	}
	return c.batchDepth(i)
}

func (c *compiler) tail() *stage { return c.stages[len(c.stages)-1] }

// chained refuses a batch of a network that is no chain.
func (c *compiler) chained() error {
	for i, st := range c.stages {
		if len(st.terms) != 1 || st.terms[0].from != i-1 {
			return &InfeasibleError{Layer: st.name, Err: errors.New("a batch has no residual connections in this version"), Nearest: "use packing single"}
		}
	}
	return nil
}

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
