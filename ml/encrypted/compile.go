package encrypted

import (
	"errors"
	"fmt"
	"math"

	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/program"
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
		if err != nil {
			failed = errors.Join(failed, err)
			continue
		}
		candidates = append(candidates, plan)
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
	c := &compiler{stages: stages, target: t, input: spanOf(t.Calibration.Data).abs()}
	if c.input == 0 {
		return nil, errors.New("encrypted: the calibration set holds zeros only")
	}
	var found *candidate
	if packing == Single {
		found, err = c.single()
	} else {
		found, err = c.batch()
	}
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

// compiler searches parameters and emits programs for one packing.
type compiler struct {
	stages []*stage
	target Target
	input  float64 // largest magnitude of an input element in the calibration set
}

// candidate is a compiled program that the noise model has judged.
type candidate struct {
	prog    *program.Program
	consts  *program.Constants
	stages  []*stage // with quantised weights, for a batch
	samples int
	bits    float64
	worst   float64
}

// worstOf is how many standard deviations the largest of a thousand errors lies from zero, in bits.
var worstOf = math.Log2(3.3)

// predictionMargin is what the noise model may be wrong by, in bits.
const predictionMargin = 1.5

// judge asks the noise model for the precision of a program's output relative to the largest output.
func (c *compiler) judge(p *program.Program, consts *program.Constants, hints program.NoiseHints) (bits, worst float64, err error) {
	noise, err := p.Noise(consts, hints)
	if err != nil {
		return 0, 0, err
	}
	e := 0.0
	for i, o := range p.Ops() {
		if o.Code == program.Output {
			e = max(e, noise[i].Error)
		}
	}
	bits = math.Log2(c.tail().post.abs() / e)
	return bits, bits - worstOf, nil
}

func (c *compiler) tail() *stage { return c.stages[len(c.stages)-1] }

// enough reports whether a predicted worst-slot precision serves the target.
func (c *compiler) enough(worst float64) bool { return worst >= c.target.Precision+predictionMargin }

// transferRate and the unit below turn a plan into an estimated latency, to choose between packings: bytes over a link
// of 100 Mbit/s, and rows of a transform on one core. Only their ratio matters.
const (
	transferRate = 12.5e6  // bytes per second
	rowNTT       = 13.2e-9 // seconds per word of a row's transform
)

// latency estimates the seconds from encrypted input to decrypted output of one sample.
func (p *Plan) latency() float64 {
	n := float64(p.Parameters().N())
	k := p.Parameters().PCount()
	cost := 0.0
	for _, o := range p.prog.Ops() {
		rows := float64(o.Level + 1)
		switch o.Code {
		case program.Lincomb:
			for _, r := range o.Ranges {
				cost += 0.02 * float64(r.Count) * rows * float64(o.Degree+1)
			}
		case program.Mul, program.MulPt:
			cost += 0.3 * rows
		case program.Rescale:
			cost += rows * float64(o.Degree+1)
		case program.Relin, program.MulRelin, program.Rot, program.Conj, program.RotHoisted, program.Hoist:
			cost += float64((o.Level+k)/k*(o.Level+1+k)) + 2*(rows+float64(k))
		case program.Lintrans, program.Rotsum:
			cost += 2*(rows+float64(k)) + 0.5*float64(len(o.Diagonals)+len(o.Galois))*(rows+float64(k))
		}
	}
	return cost*n*rowNTT + float64(p.InputBytes()+p.OutputBytes())/transferRate
}

// InfeasibleError says that no legal parameters serve a target.
type InfeasibleError struct {
	Layer   string  // where the modulus runs out
	Levels  int     // levels that the model needs
	Missing float64 // bits of modulus that are lacking at the largest ring degree, or bits of precision if Precision
	// Precision says that the modulus suffices but the noise does not leave the bits asked for.
	Precision bool
	Row       string // security row of the largest ring degree tried
	Nearest   string // the nearest target that works, or what to change in the model
}

func (e *InfeasibleError) Error() string {
	what := fmt.Sprintf("%.0f bits of modulus are lacking for its %d levels", e.Missing, e.Levels)
	if e.Precision {
		what = fmt.Sprintf("%.1f bits of precision are lacking", e.Missing)
	}
	return fmt.Sprintf("encrypted: no legal parameters: at layer %q, %s (%s); %s", e.Layer, what, e.Row, e.Nearest)
}

// Limits of the search.
const (
	minLogN = 11
	maxLogN = 15
	// fastBits is the largest size of a prime that kernels in double precision can use; larger ones serve as well, so
	// they are taken only where the smaller do not.
	fastBits = 49
	maxBits  = 60
)

// newParameters returns parameters for the stated sizes, or an error of the gate.
func newParameters(logN int, q, p []int, security fhe.SecurityLevel) (fhe.Parameters, error) {
	return fhe.NewParameters(fhe.ParametersLiteral{LogN: logN, LogQ: q, LogP: p, Security: security})
}

// bitsFor returns the bits that a magnitude takes in front of the scale, sign and rounding included.
func bitsFor(magnitude float64) float64 { return math.Log2(magnitude) + 2 }
