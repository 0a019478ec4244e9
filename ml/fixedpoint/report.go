package fixedpoint

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/signet-ml/signet/ml"
)

// Report compares a model with the float64 one it came from, on given samples.
type Report struct {
	Samples int

	// Labelled says that true labels were given; the two accuracies are the shares of
	// right answers, 0 to 1, and 0 without.
	Labelled                bool
	FloatAccuracy, Accuracy float64

	// MaxError and RMSError are of the outputs in real numbers; of the scores when the
	// output is a class.
	MaxError, RMSError float64
	LargestOutput      float64 // largest magnitude of the same numbers in float64

	Flips   []Flip         // samples on which the labels of the two models differ
	Tensors []TensorReport // the input, then the result of each op
}

// Flip is a sample with two answers.
type Flip struct {
	Sample      int
	Float, Twin int // labels
}

// TensorReport says how one tensor used its interval.
type TensorReport struct {
	Name       string   // "input", then names of ops
	Interval   Interval // worst case, of [Model.Intervals] with private weights
	Scale      float64  // the real number of one unit
	Calibrated float64  // largest magnitude on the calibration set, in real numbers; 0 where unknown
	Largest    float64  // largest magnitude of the integers on these samples, in real numbers
	Values     int      // how many there were
	// Saturated is how many of them the encoding of the input, or a [Rescale], cut. What
	// a ReLU makes of negative numbers does not count.
	Saturated int
}

// Compare evaluates both models on x, a batch, and compares them. labels are the true
// ones, or nil. m is the model that q was made of.
//
// It fails with *[ml.ShapeError] when x or labels do not fit, and with the errors of
// [ml.Model.Forward].
func (q *Model) Compare(m *ml.Model, x ml.Tensor, labels []int) (Report, error) {
	n, err := q.samples(x)
	if err != nil {
		return Report{}, err
	}
	if len(x.Shape) == len(q.def.InputShape) { // one sample
		x.Shape = append([]int{1}, x.Shape...)
	}
	if labels != nil && len(labels) != n {
		return Report{}, &ml.ShapeError{Where: "fixedpoint: compare: labels", Got: []int{len(labels)}, Want: fmt.Sprintf("[%d], one per sample", n)}
	}
	r := Report{Samples: n, Labelled: labels != nil, Tensors: make([]TensorReport, len(q.sizes))}
	for i, b := range q.worst {
		t := TensorReport{Name: "input", Interval: b.all(), Scale: q.def.Scales[i], Calibrated: q.def.Calibrated[i]}
		if i > 0 {
			t.Name = q.def.Ops[i-1].Name()
		}
		r.Tensors[i] = t
	}
	squares, outputs := 0.0, 0
	var hits, floatHits int
	for lo := 0; lo < n; lo += chunk {
		part := x.Slice(lo, min(lo+chunk, n))
		exact, err := m.Trace(part)
		if err != nil {
			return Report{}, err
		}
		in, err := q.Encode(part)
		if err != nil {
			return Report{}, err
		}
		trace, err := q.Trace(in, part.Rows())
		if err != nil {
			return Report{}, err
		}
		r.count(q, part, trace)

		want := m.Labels(exact[len(exact)-1])
		for i, got := range q.Labels(trace[len(trace)-1]) {
			if got != want[i] {
				r.Flips = append(r.Flips, Flip{lo + i, want[i], got})
			}
			if labels != nil && got == labels[lo+i] {
				hits++
			}
			if labels != nil && want[i] == labels[lo+i] {
				floatHits++
			}
		}
		got, ref, err := q.scores(m, exact, trace)
		if err != nil {
			return Report{}, err
		}
		for i, v := range got {
			d := math.Abs(v - ref[i])
			r.MaxError, r.LargestOutput = max(r.MaxError, d), max(r.LargestOutput, math.Abs(ref[i]))
			squares += d * d
		}
		outputs += len(got)
	}
	r.RMSError = math.Sqrt(squares / float64(outputs))
	if labels != nil {
		r.Accuracy, r.FloatAccuracy = float64(hits)/float64(n), float64(floatHits)/float64(n)
	}
	return r, nil
}

// count adds how the tensors of some samples use their intervals.
func (r *Report) count(q *Model, x ml.Tensor, trace [][]int64) {
	for i, v := range x.Data {
		if _, cut := q.def.Input.encode(q.units(i, v)); cut {
			r.Tensors[0].Saturated++
		}
	}
	for i, t := range trace {
		s := &r.Tensors[i]
		s.Values += len(t)
		for _, v := range t {
			s.Largest = max(s.Largest, float64(magnitude(v))*s.Scale)
		}
		if i == len(q.def.Ops) {
			return
		}
		if o, ok := q.def.Ops[i].(Rescale); ok {
			for _, v := range t {
				if o.cuts(v) {
					r.Tensors[i+1].Saturated++
				}
			}
		}
	}
}

// scores returns the outputs of both models as real numbers of one meaning: of a class,
// the scores that it is chosen by.
func (q *Model) scores(m *ml.Model, exact []ml.Tensor, trace [][]int64) (got, ref []float64, err error) {
	at := len(trace) - 1
	ref = exact[len(exact)-1].Data
	if q.Class() {
		at--
		ref = exact[scoreLayer(m)].Data
	}
	got = make([]float64, len(trace[at]))
	for i, v := range trace[at] {
		got[i] = float64(v) * q.def.Scales[at]
	}
	if q.Class() && len(got) == 2*len(ref) { // the second score is the model's, the first a 0
		for i := range ref {
			got[i] = got[2*i+1] - got[2*i]
		}
		got = got[:len(ref)]
	}
	if w := q.sizes[at]; q.def.Relative && len(got) == len(ref) {
		ref = slices.Clone(ref)
		for i := 0; i < len(ref); i += w {
			subtractMean(ref[i : i+w])
		}
	}
	if len(got) != len(ref) {
		return nil, nil, &ml.ShapeError{Where: "fixedpoint: compare: outputs", Got: []int{len(ref)}, Want: fmt.Sprintf("[%d], as the model in integers", len(got))}
	}
	return got, ref, nil
}

// scoreLayer returns the last layer that moves the largest score.
func scoreLayer(m *ml.Model) int {
	layers := m.Layers()
	for i := len(layers) - 1; i > 0; i-- {
		switch layers[i].(type) {
		case ml.SoftmaxLayer, ml.SigmoidLayer, ml.TanhLayer, ml.FlattenLayer, *ml.ReshapeLayer:
		default:
			return i
		}
	}
	return 0
}

// String returns the report as text: a line of figures, a table of tensors, and the first
// flips.
func (r Report) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d samples", r.Samples)
	if r.Labelled {
		fmt.Fprintf(&b, ", accuracy %.2f %% (float64 %.2f %%)", 100*r.Accuracy, 100*r.FloatAccuracy)
	}
	fmt.Fprintf(&b, ", %d labels differ, error at most %.3g, rms %.3g\n", len(r.Flips), r.MaxError, r.RMSError)
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "tensor\tworst case\tbits\tunit\tcalibrated\tlargest\tsaturated")
	for _, t := range r.Tensors {
		fmt.Fprintf(w, "%s\t%v\t%d\t%.3g\t%.3g\t%.3g\t%d of %d\n", t.Name, t.Interval, t.Interval.Bits(), t.Scale, t.Calibrated, t.Largest, t.Saturated, t.Values)
	}
	w.Flush() // to a strings.Builder, which does not fail
	const shown = 10
	for i, f := range r.Flips {
		if i == shown {
			fmt.Fprintf(&b, "and %d more\n", len(r.Flips)-shown)
			break
		}
		fmt.Fprintf(&b, "sample %d: class %d, float64 class %d\n", f.Sample, f.Twin, f.Float)
	}
	return b.String()
}
