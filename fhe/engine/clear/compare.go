package clear

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/cmplx"

	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/program"
)

// Opener returns the slots of a ciphertext of degree 0 to 2. The owner of the key supplies it: client.Decryptor.Open.
// For transparent bundles it is Reveal.
type Opener func(ct *fhe.Ciphertext) ([]complex128, error)

// Options are the options of Compare. Zero fields have the stated defaults.
type Options struct {
	Tolerance float64          // bits of precision that a layer may lose; 0 means 8
	Total     float64          // bits that the whole program may lose; 0 means any number
	Surprise  float64          // bits by which a measured precision may be below the simulated one; 0 means 3
	Headroom  float64          // bits that a value has to stay below half of its modulus; 0 means 1
	Domains   []program.Domain // where values have to lie
	Seed      uint64           // of the simulated errors
}

func (o *Options) defaults() {
	for _, d := range []struct {
		field *float64
		value float64
	}{{&o.Tolerance, 8}, {&o.Surprise, 3}, {&o.Headroom, 1}} {
		if *d.field == 0 {
			*d.field = d.value
		}
	}
}

func (o *Options) check(p *program.Program) error {
	for name, x := range map[string]float64{"tolerance": o.Tolerance, "total": o.Total, "surprise": o.Surprise, "headroom": o.Headroom} {
		if !(x >= 0) || math.IsInf(x, 0) {
			return fmt.Errorf("%s of %g bits", name, x)
		}
	}
	ops := p.Ops()
	for i, d := range o.Domains {
		if d.Value < 0 || int(d.Value) >= len(ops) || !ops[d.Value].IsCiphertext() {
			return fmt.Errorf("domain %d, %q: %d is not a ciphertext of the program", i, d.Name, d.Value)
		}
		if !(d.Lo < d.Hi) || math.IsInf(d.Lo, 0) || math.IsInf(d.Hi, 0) {
			return fmt.Errorf("domain %d, %q: no interval [%g, %g]", i, d.Name, d.Lo, d.Hi)
		}
	}
	return nil
}

// Compare runs a program on an engine and in the clear, side by side, and reports where the two part: per operation and
// per layer, which is a scope of the program. Every intermediate ciphertext is opened with open, so Compare is for the
// owner of the key, or for tests; the run takes the time of as many decryptions.
//
// The clear inputs are what open gives for the ciphertexts of in, so the error of their encryption is in both runs and
// cannot be measured. Precisions count it as it is simulated, from the inputs on. Rounding of constants is in both runs
// as well, and no precision counts it.
//
// Memory: that of the engine and three times Memory(p), more for values of few slots. Errors are those of loading and
// running, of open, and for an engine that does not honour program.WithValues. What the comparison finds is no error:
// it is in the Report, which holds decrypted values and must not leave the owner.
func Compare(ctx context.Context, eng program.Engine, p *program.Program, c *program.Constants, keys *fhe.EvaluationKeys,
	in *fhe.Bundle, open Opener, opts Options) (*Report, error) {
	if eng == nil || open == nil {
		return nil, errors.New("clear: compare without an engine or an opener")
	}
	t, err := newTables(p, c)
	if err != nil {
		return nil, fmt.Errorf("clear: compare: %w", err)
	}
	opts.defaults()
	if err := opts.check(p); err != nil {
		return nil, fmt.Errorf("clear: compare: %w", err)
	}
	job, err := eng.Load(ctx, p, c, keys)
	if err != nil {
		return nil, fmt.Errorf("clear: compare: %w", err)
	}
	defer job.Close()
	sim, err := newSimulator(p, c, opts.Seed)
	if err != nil {
		return nil, fmt.Errorf("clear: compare: %w", err)
	}
	fresh, err := ofInputs(p, c, opts.Seed)
	if err != nil {
		return nil, fmt.Errorf("clear: compare: %w", err)
	}
	w := &watcher{opts: opts, exact: t.machine(nil, whole), noisy: t.machine(sim, outside), fresh: t.machine(fresh, inside), open: open, seen: make([]observation, len(p.Ops()))}
	if _, err := job.Run(ctx, in, program.WithValues(w.value)); err != nil {
		return nil, fmt.Errorf("clear: compare: %w", err)
	}
	if err := w.skip(len(p.Ops())); err != nil {
		return nil, fmt.Errorf("clear: compare: engine %q: %w", eng.Info().Name, err)
	}
	r, err := w.report(p, c)
	if err != nil {
		return nil, fmt.Errorf("clear: compare: %w", err)
	}
	r.Engine = eng.Info().Name
	return r, nil
}

// watcher follows a run value by value.
type watcher struct {
	opts       Options
	exact      *machine // without errors
	noisy      *machine // with those that operations add
	fresh      *machine // with those of the inputs
	open       Opener
	next       int // operation
	seen       []observation
	violations []Violation
}

// observation is what one value showed. Errors are root mean squares over real and imaginary parts.
type observation struct {
	mean                complex128
	magnitude, largest  float64
	measured, simulated float64 // as the operations make them
	fresh               float64 // simulated, as the inputs have them
	worst               int     // slot
	worstError          float64
	headroom            float64
}

// skip steps over operations without a ciphertext up to operation i.
func (w *watcher) skip(i int) error {
	for ; w.next < i; w.next++ {
		o := &w.exact.prog.Ops()[w.next]
		if o.IsCiphertext() {
			return fmt.Errorf("the engine did not show value %d, %v in %q", w.next, o.Code, w.exact.prog.Scope(program.Value(w.next)))
		}
		if err := w.step(w.next, nil); err != nil {
			return err
		}
	}
	return nil
}

// machines are all of them.
func (w *watcher) machines() []*machine { return []*machine{w.exact, w.noisy, w.fresh} }

func (w *watcher) free(i int) {
	for _, m := range w.machines() {
		m.free(i)
	}
}

// step executes an operation in all machines and forgets what it was the last to read.
func (w *watcher) step(i int, in []complex128) error {
	for _, m := range w.machines() {
		if err := m.step(i, in); err != nil {
			return err
		}
	}
	if x := w.exact.vals[i]; !w.exact.prog.Ops()[i].IsCiphertext() {
		w.seen[i].magnitude = rms(x)
		w.free(i)
	}
	return nil
}

// value takes part in the run of the engine.
func (w *watcher) value(v program.Value, ct *fhe.Ciphertext) error {
	i := int(v)
	if i < w.next || i >= len(w.seen) {
		return fmt.Errorf("value %d shown after value %d", v, w.next-1)
	}
	if err := w.skip(i); err != nil {
		return err
	}
	z, err := w.open(ct)
	if err != nil {
		return fmt.Errorf("open: %w", err)
	}
	if want := 1 << w.exact.prog.Ops()[i].LogSlots; len(z) != want {
		return fmt.Errorf("open: %d slots, want %d", len(z), want)
	}
	if err := w.step(i, z); err != nil {
		return err
	}
	w.next++
	x := w.exact.vals[i]
	s := observation{magnitude: rms(x), mean: mean(x)}
	for k := range x {
		s.largest = max(s.largest, cmplx.Abs(x[k]))
		if d := cmplx.Abs(z[k] - x[k]); d > s.worstError {
			s.worst, s.worstError = k, d
		}
	}
	s.measured, s.simulated, s.fresh = distance(z, x), distance(w.noisy.slots(i), x), distance(w.fresh.slots(i), x)
	if s.headroom, err = w.exact.headroom(i); err != nil {
		return err
	}
	w.seen[i] = s
	w.domains(v, x)
	w.free(i)
	return nil
}

// distance returns the root mean square of the difference, over real and imaginary parts.
func distance(x, y []complex128) float64 {
	diff := make([]complex128, len(x))
	for k := range diff {
		diff[k] = x[k] - y[k]
	}
	return rms(diff) / math.Sqrt2
}

// edge is how far outside of a domain, relative to its width, a value is still on its border: calibration and encoding
// round.
const edge = 1e-6

func (w *watcher) domains(v program.Value, x []complex128) {
	for _, d := range w.opts.Domains {
		if d.Value != v {
			continue
		}
		out := Violation{Name: d.Name, Layer: w.exact.prog.Scope(v), Value: v, Lo: d.Lo, Hi: d.Hi}
		far := edge * (d.Hi - d.Lo)
		for s, z := range x {
			if by := d.Excess(real(z)); by > edge*(d.Hi-d.Lo) {
				out.Slots++
				if by > far {
					far, out.Slot, out.X = by, s, real(z)
				}
			}
		}
		if out.Slots > 0 {
			w.violations = append(w.violations, out)
		}
	}
}

// report judges what was seen.
func (w *watcher) report(p *program.Program, c *program.Constants) (*Report, error) {
	ops := p.Ops()
	hints := program.NoiseHints{Magnitude: map[program.Value]float64{}, Mean: map[program.Value]complex128{}, Exact: true}
	for i := range ops {
		hints.Magnitude[program.Value(i)], hints.Mean[program.Value(i)] = w.seen[i].magnitude, w.seen[i].mean
	}
	predicted, err := p.Noise(c, hints)
	if err != nil {
		return nil, err
	}
	r := &Report{Program: p.Digest(), Tolerance: w.opts.Tolerance, Total: w.opts.Total, Violations: w.violations}
	for i := range ops {
		o, s := &ops[i], &w.seen[i]
		if !o.IsCiphertext() {
			continue
		}
		op := OpReport{
			Value: program.Value(i), Code: o.Code.String(), Layer: p.Scope(program.Value(i)), Level: o.Level, Degree: o.Degree,
			LogScale: o.Scale.Log2(), Magnitude: s.magnitude, Mean: [2]float64{real(s.mean), imag(s.mean)}, Largest: s.largest, Error: s.measured, Expected: s.simulated,
			Bits:      precision(math.Hypot(s.measured, s.fresh), s.magnitude),
			Simulated: precision(math.Hypot(s.simulated, s.fresh), s.magnitude),
			Predicted: precision(predicted[i].Error, s.magnitude),
			WorstSlot: s.worst, WorstError: s.worstError, Headroom: s.headroom,
		}
		if op.Headroom < w.opts.Headroom {
			r.Overflows = append(r.Overflows, Overflow{op.Layer, op.Value, op.Code, op.Level, op.Headroom})
		}
		// Against what operations add: a large error of the inputs would hide it.
		if r.Surprise == nil && precision(s.simulated, s.magnitude)-precision(s.measured, s.magnitude) > w.opts.Surprise {
			surprise := op
			r.Surprise = &surprise
		}
		r.Ops = append(r.Ops, op)
	}
	r.layers(p)
	return r, nil
}

// precision returns -log2(error/magnitude), within ±maxBits. Where the message is zero it is that of the error itself.
func precision(e, magnitude float64) float64 {
	if magnitude == 0 {
		magnitude = 1
	}
	switch {
	case e == 0:
		return maxBits
	case math.IsNaN(e):
		return -maxBits
	}
	return max(-maxBits, min(maxBits, math.Log2(magnitude/e)))
}

// maxBits bounds precisions: double precision has no more after some operations, and JSON has no infinity.
const maxBits = 50
