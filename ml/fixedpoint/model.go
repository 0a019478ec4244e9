package fixedpoint

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/signet-ml/signet/ml"
)

// SemanticsVersion is the version of the rules by which ops compute. It changes when any
// input could give another result.
const SemanticsVersion = 1

const (
	maxOps   = 1 << 14
	maxLabel = 128 // bytes
)

// Definition is all of a model, as [New] takes it. Its JSON is that of the Architecture in
// it; [Write] stores all.
type Definition struct {
	Architecture

	// Scales are the real numbers that one unit stands for, in front of the first op and
	// after each: the value of integer q of tensor i is q·Scales[i]. Positive. That of
	// class indices is 1, and so is that of an input with an Encoding.
	Scales []float64

	// Calibrated are the largest magnitudes of the same tensors on the calibration set,
	// in real numbers; 0 where there is none. Information only.
	Calibrated []float64

	// Encoding has the units and offsets of features that have their own.
	Encoding Encoding

	// Relative says that the scores in front of an [Argmax] lack their mean, which is
	// the same for all classes: only their differences have a meaning.
	Relative bool

	// Classes are the names of the classes, or nil.
	Classes []string
}

// Model is a model in integers. It is immutable and safe for concurrent use. Make one
// with [Quantize], [New] or [Read].
type Model struct {
	def   Definition
	sizes []int    // elements of one sample in front of the first op and after each
	worst []spread // where these lie, for any weights in their ranges
}

// New returns the model of a definition, whose ops have weights. Everything is copied.
// It fails with *[OpError] when an op does not fit the one before it, and when worst-case
// weights and inputs could make any number reach 2^62.
func New(d Definition) (*Model, error) {
	sizes, worst, err := d.Architecture.check(true)
	if err != nil {
		return nil, err
	}
	m := &Model{def: d.clone(), sizes: sizes, worst: worst}
	if len(d.Scales) != len(m.sizes) || len(d.Calibrated) != len(m.sizes) {
		return nil, fmt.Errorf("fixedpoint: %d scales and %d calibrated magnitudes for %d tensors", len(d.Scales), len(d.Calibrated), len(m.sizes))
	}
	for i, s := range d.Scales {
		if c := d.Calibrated[i]; !(s > 0) || math.IsInf(s, 0) || !(c >= 0) || math.IsInf(c, 0) {
			return nil, fmt.Errorf("fixedpoint: scale %v and calibrated magnitude %v of tensor %d, want finite numbers above 0 and of at least 0", s, c, i)
		}
	}
	if err := d.Encoding.check(m.InputLen()); err != nil {
		return nil, err
	}
	if !d.Encoding.IsZero() && d.Scales[0] != 1 {
		return nil, fmt.Errorf("fixedpoint: scale %v of an input whose features have units of their own, want 1", d.Scales[0])
	}
	if d.Relative && !m.Class() {
		return nil, errors.New("fixedpoint: relative scores that are the output, want a class index behind them")
	}
	if len(d.Classes) > 0 && len(d.Classes) != m.classes() {
		return nil, fmt.Errorf("fixedpoint: %d class names for a model with %d classes", len(d.Classes), m.classes())
	}
	return m, nil
}

// Ops returns the ops in order. The slice is fresh, the weights and tables in it are the
// model's own: do not write to them.
func (m *Model) Ops() []Op { return slices.Clone(m.def.Ops) }

// Input returns where the integers of a sample lie.
func (m *Model) Input() Interval { return m.def.Input }

// InputShape returns the shape of one sample, without the batch dimension.
func (m *Model) InputShape() []int { return slices.Clone(m.def.InputShape) }

// InputLen returns the number of integers of one sample.
func (m *Model) InputLen() int { return m.sizes[0] }

// InputScale returns the real number that one unit of the input stands for, or 1 where
// every feature has a unit of its own: see [Model.Encoding].
func (m *Model) InputScale() float64 { return m.def.Scales[0] }

// Encoding returns the units and offsets of features that have their own, else the zero
// Encoding. It is a copy.
func (m *Model) Encoding() Encoding { return m.def.Encoding.clone() }

// OutputShape returns the shape of the output for one sample; [1] for class indices.
func (m *Model) OutputShape() []int { return slices.Clone(m.def.OutputShape) }

// OutputLen returns the number of integers that one sample gives.
func (m *Model) OutputLen() int { return m.sizes[len(m.def.Ops)] }

// OutputScale returns the real number that one unit of the output stands for; 1 for class
// indices.
func (m *Model) OutputScale() float64 { return m.def.Scales[len(m.def.Ops)] }

// Scales returns the real number that one unit of each tensor of [Model.Trace] stands for.
func (m *Model) Scales() []float64 { return slices.Clone(m.def.Scales) }

// Calibrated returns the largest magnitude of each tensor of [Model.Trace] on the
// calibration set, in real numbers; 0 where there is none.
func (m *Model) Calibrated() []float64 { return slices.Clone(m.def.Calibrated) }

// Classes returns the class names in the order of the classes, or nil.
func (m *Model) Classes() []string { return slices.Clone(m.def.Classes) }

// Class reports whether the output is the index of a class and not scores.
func (m *Model) Class() bool { return m.def.class() }

// classes returns the number of classes that Labels chooses from.
func (m *Model) classes() int {
	n := m.OutputLen()
	if m.Class() {
		n = m.sizes[len(m.sizes)-2]
	}
	return max(n, 2)
}

// Encode returns x in integers: x/InputScale, or by the [Encoding] (x - offset)/unit of its
// feature, to the nearest, halves up, then saturated to [Model.Input]. x is a batch [n, sample shape...] or one sample. It fails with
// *[ml.ShapeError] when x fits neither form and with *[ml.NonFiniteError] for NaN and
// infinities.
func (m *Model) Encode(x ml.Tensor) ([]int64, error) {
	if _, err := m.samples(x); err != nil {
		return nil, err
	}
	q := make([]int64, len(x.Data))
	for i, v := range x.Data {
		if v-v != 0 {
			return nil, &ml.NonFiniteError{Where: "fixedpoint: encode", Index: i, At: []int{i}, Value: v}
		}
		q[i], _ = m.def.Input.encode(m.units(i, v))
	}
	return q, nil
}

// units returns number v of a batch in units of the input.
func (m *Model) units(i int, v float64) float64 { return m.def.Encoding.units(i, v, m.InputScale()) }

// samples returns how many samples x holds.
func (m *Model) samples(x ml.Tensor) (int, error) {
	n := 1
	if len(x.Shape) == len(m.def.InputShape)+1 {
		n = x.Shape[0]
	}
	rest := x.Shape[min(len(x.Shape), max(0, len(x.Shape)-len(m.def.InputShape))):]
	if !slices.Equal(rest, m.def.InputShape) || n < 1 || len(x.Shape) > len(m.def.InputShape)+1 || n > math.MaxInt/m.sizes[0] || len(x.Data) != n*m.sizes[0] {
		return 0, &ml.ShapeError{Where: "fixedpoint: encode", Got: x.Shape, Want: fmt.Sprintf("%v or a batch of it, and as many numbers", m.def.InputShape)}
	}
	return n, nil
}

// encode returns the nearest integer to v, halves up, that lies in the interval, and
// whether another was nearer.
func (v Interval) encode(x float64) (q int64, saturated bool) {
	switch {
	case x >= float64(v.Hi)+0.5:
		return v.Hi, true
	case x < float64(v.Lo)-0.5:
		return v.Lo, true
	}
	// x - ⌊x⌋ is exact, x + 0.5 would not be.
	f := math.Floor(x)
	if x-f >= 0.5 {
		f++
	}
	return v.clamp(int64(f)), false
}

// Trace returns every tensor of a batch, flat and sample by sample: the input itself,
// then the output of each op. A circuit constrains exactly these numbers.
//
// It fails with *[ml.ShapeError] unless in holds batch samples, and with *[RangeError]
// when a number lies outside [Model.Input]. All tensors are in memory at once.
func (m *Model) Trace(in []int64, batch int) ([][]int64, error) {
	out := [][]int64{slices.Clone(in)}
	err := m.run(in, batch, func(y []int64) { out = append(out, y) })
	if err != nil {
		return nil, err
	}
	return out, nil
}

// Forward returns the output for a batch, flat and sample by sample: the last tensor of
// [Model.Trace], with its errors.
func (m *Model) Forward(in []int64, batch int) ([]int64, error) {
	last := in
	if err := m.run(in, batch, func(y []int64) { last = y }); err != nil {
		return nil, err
	}
	return last, nil
}

func (m *Model) run(in []int64, batch int, emit func([]int64)) error {
	if batch < 1 || len(in)/batch != m.sizes[0] || len(in)%batch != 0 {
		return &ml.ShapeError{Where: "fixedpoint: trace", Got: []int{len(in)}, Want: fmt.Sprintf("%d samples of %d integers", batch, m.sizes[0])}
	}
	for i, v := range in {
		if !m.def.Input.Contains(v) {
			return &RangeError{Index: i, Value: v, Want: m.def.Input}
		}
	}
	for _, o := range m.def.Ops {
		in = o.apply(batch, in)
		emit(in)
	}
	return nil
}

// Decode returns the output of a batch in real numbers: q·OutputScale in the shape
// [n, output shape...], or class indices [n, 1]. It returns the zero Tensor unless out
// holds whole samples, which those of [Model.Forward] do.
func (m *Model) Decode(out []int64) ml.Tensor {
	n := len(out) / m.OutputLen()
	if n == 0 || len(out)%m.OutputLen() != 0 {
		return ml.Tensor{}
	}
	t := ml.Tensor{Shape: append([]int{n}, m.def.OutputShape...), Data: make([]float64, len(out))}
	for i, v := range out {
		t.Data[i] = float64(v) * m.OutputScale()
	}
	return t
}

// Labels returns one class number per sample of an output: the class index itself, the
// lowest index of the largest score, or, for a single score, 1 above the threshold and 0
// otherwise. It returns nil unless out holds whole samples.
func (m *Model) Labels(out []int64) []int {
	w := m.OutputLen()
	if len(out)%w != 0 {
		return nil
	}
	labels := make([]int, len(out)/w)
	for i := range labels {
		switch row := out[i*w:][:w]; {
		case m.Class():
			labels[i] = int(row[0])
		case w > 1:
			labels[i] = argmax(row)
		case row[0] > m.def.Threshold:
			labels[i] = 1
		}
	}
	return labels
}

// Intervals returns where the numbers of each tensor of [Model.Trace] lie for every input.
// With private set, for any weights in the declared ranges, which is what a verifier
// knows who does not see them; otherwise for the weights as they are. Nothing in it comes
// from calibration.
func (m *Model) Intervals(private bool) []Interval {
	spreads := m.worst
	if !private {
		spreads = m.exact()
	}
	out := make([]Interval, len(spreads))
	for i, s := range spreads {
		out[i] = s.all()
	}
	return out
}

func (m *Model) exact() []spread {
	x := uniform(m.sizes[0], m.def.Input)
	out := []spread{x}
	for _, o := range m.def.Ops {
		var err error
		if x, err = o.bounds(x, false); err != nil {
			panic("fixedpoint: bounds of the weights exceed those of their ranges: " + err.Error())
		}
		out = append(out, x)
	}
	return out
}

// Range says where the results of one op lie.
type Range struct {
	Name    string
	Private Interval // for any weights in their ranges
	Public  Interval // for the weights as they are
	// Narrow and Wide are the Public intervals of the channel (of the output, of a dense
	// layer) with the fewest and the most values.
	Narrow, Wide Interval
	Saturates    bool // whether a Rescale could cut for the weights as they are, ReLU's zero aside
}

// Ranges returns the ranges of every op, in order.
func (m *Model) Ranges() []Range {
	exact := m.exact()
	out := make([]Range, len(m.def.Ops))
	for i, o := range m.def.Ops {
		r := Range{Name: o.Name(), Private: m.worst[i+1].all(), Public: exact[i+1].all()}
		r.Narrow, r.Wide = exact[i+1].groups[0], exact[i+1].groups[0]
		for _, v := range exact[i+1].groups {
			if v.width() < r.Narrow.width() {
				r.Narrow = v
			}
			if v.width() > r.Wide.width() {
				r.Wide = v
			}
		}
		if o, ok := o.(Rescale); ok {
			before := exact[i].all()
			r.Saturates = o.cuts(before.Lo) || o.cuts(before.Hi)
		}
		out[i] = r
	}
	return out
}

func (v Interval) width() uint64 { return uint64(v.Hi) - uint64(v.Lo) }

// cuts reports whether x saturates. What an Out from 0 makes of negative numbers is a
// ReLU and no loss.
func (o Rescale) cuts(x int64) bool {
	y := o.round(x)
	return y > o.Out.Hi || y < o.Out.Lo && o.Out.Lo != 0
}

// Architecture returns what the model has in common with every model of the same
// network: all but weights, scales and names. It is a copy.
func (m *Model) Architecture() Architecture {
	a := m.def.Architecture.clone()
	for i, o := range a.Ops {
		a.Ops[i] = withWeights(o, nil, nil)
	}
	return a
}

var errNoOps = errors.New("fixedpoint: a model without ops")
