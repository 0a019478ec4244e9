package encrypted

import (
	"fmt"
	"math"

	"github.com/signet-ml/signet/fhe/polyeval"
	"github.com/signet-ml/signet/ml"
)

// activation is what follows a dense layer under encryption.
type activation uint8

const (
	actNone activation = iota
	actSquare
	actPolynomial
)

// stage is a dense layer and its activation, with what calibration found.
type stage struct {
	name string    // for scopes and errors: "dense1"
	w    []float64 // rows × cols, row-major
	b    []float64
	rows int
	cols int
	act  activation
	poly polyeval.Chebyshev

	pre, post       span    // of the values before and after the activation
	preRMS, postRMS float64 // root mean square
	activationName  string
	inputRMS        float64   // of the stage's input
	largest         float64   // magnitude of a weight
	wide            float64   // magnitude before the activation of inputs larger than the calibration set's by the range margin
	samples         []float64 // some values before the activation
}

// span is the range of a set of values.
type span struct{ lo, hi float64 }

func spanOf(v []float64) span {
	s := span{math.Inf(1), math.Inf(-1)}
	for _, x := range v {
		s.lo, s.hi = min(s.lo, x), max(s.hi, x)
	}
	return s
}

// abs returns the largest magnitude.
func (s span) abs() float64 { return max(math.Abs(s.lo), math.Abs(s.hi)) }

// reach returns the magnitude after the activation that must not overflow: that of inputs which are larger than those
// of the calibration set by the range margin.
func (s *stage) reach() float64 {
	switch s.act {
	case actSquare:
		return s.wide * s.wide
	case actPolynomial:
		return rangeMargin * s.post.abs()
	}
	return s.wide
}

func rms(v []float64) float64 {
	sum := 0.0
	for _, x := range v {
		sum += x * x
	}
	return math.Sqrt(sum / float64(max(1, len(v))))
}

// UnsupportedLayerError names a layer that cannot be compiled to encrypted inference and what can be used instead.
type UnsupportedLayerError struct {
	Layer       int // index in the model
	Kind        string
	Reason      string
	Alternative string
}

func (e *UnsupportedLayerError) Error() string {
	return fmt.Sprintf("encrypted: layer %d (%s): %s; %s", e.Layer, e.Kind, e.Reason, e.Alternative)
}

// split cuts a model into stages and the layer that is left to the client. Flatten moves nothing; dense layers that
// follow one another are multiplied into one.
func split(m *ml.Model) (stages []*stage, last ml.Layer, err error) {
	layers := m.Layers()
	kind := map[string]int{}
	for i, l := range layers {
		refuse := func(reason, alternative string) error {
			return &UnsupportedLayerError{i, l.Kind(), reason, alternative}
		}
		end := i == len(layers)-1
		var cur *stage
		if len(stages) > 0 {
			cur = stages[len(stages)-1]
		}
		if _, dense := l.(*ml.DenseLayer); !dense && l.Kind() != "flatten" && !(end && l.Kind() == "softmax") {
			switch {
			case cur == nil:
				return nil, nil, refuse("there is no dense layer before it", "start the model with a dense layer")
			case cur.act != actNone || cur.activationName != "":
				return nil, nil, refuse("it follows another activation", "put a dense layer between them")
			}
		}
		switch l := l.(type) {
		case ml.FlattenLayer:
		case *ml.DenseLayer:
			kind["dense"]++
			s := &stage{name: fmt.Sprintf("dense%d", kind["dense"]), rows: l.Out(), cols: l.In(),
				w: append([]float64(nil), l.W.Data...), b: append([]float64(nil), l.B...)}
			if cur != nil && cur.act == actNone && cur.activationName == "" {
				stages[len(stages)-1] = merge(cur, s)
			} else {
				stages = append(stages, s)
			}
		case ml.SquareLayer:
			cur.act, cur.activationName = actSquare, "square"
		case ml.SigmoidLayer:
			cur.activationName = "sigmoid"
			if end {
				last = l
			} else {
				cur.act = actPolynomial
			}
		case ml.SoftmaxLayer:
			if !end {
				return nil, nil, refuse("softmax inside a model is not supported", "use it as the last layer, where the client applies it")
			}
			if cur == nil {
				return nil, nil, refuse("there is nothing to compute before it", "start the model with a dense layer")
			}
			last = l
		case ml.ReLULayer:
			return nil, nil, refuse("ReLU needs a comparison, which this version does not compile", "train with Square or Sigmoid instead")
		default:
			return nil, nil, refuse("this version does not compile it", "use Dense, Square, Sigmoid, Flatten or a last Softmax")
		}
	}
	if len(stages) == 0 {
		return nil, nil, fmt.Errorf("encrypted: the model has no dense layer")
	}
	return stages, last, nil
}

// merge returns the stage that computes b after a.
func merge(a, b *stage) *stage {
	out := &stage{name: b.name, rows: b.rows, cols: a.cols, w: make([]float64, b.rows*a.cols), b: append([]float64(nil), b.b...)}
	for i := range b.rows {
		row := out.w[i*a.cols : (i+1)*a.cols]
		for k := range a.rows {
			f := b.w[i*b.cols+k]
			out.b[i] += f * a.b[k]
			for j, x := range a.w[k*a.cols : (k+1)*a.cols] {
				row[j] += f * x
			}
		}
	}
	return out
}

// calibrate runs the calibration set through the stages and records ranges and magnitudes. It fits the polynomials of
// activations to the widened ranges.
func calibrate(stages []*stage, x ml.Tensor, n, inputLen int, tolerance float64) error {
	y, err := ml.NewTensor([]int{n, inputLen}, x.Data)
	if err != nil {
		return fmt.Errorf("encrypted: calibration: %w", err)
	}
	for _, s := range stages {
		s.inputRMS = rms(y.Data)
		m, err := s.model()
		if err != nil {
			return err
		}
		if y, err = m.Forward(y); err != nil {
			return fmt.Errorf("encrypted: calibration of %s: %w", s.name, err)
		}
		s.pre, s.preRMS = spanOf(y.Data), rms(y.Data)
		s.largest = spanOf(s.w).abs()
		for i, v := range y.Data {
			bias := s.b[i%s.rows]
			s.wide = max(s.wide, rangeMargin*math.Abs(v-bias)+math.Abs(bias))
		}
		s.samples = append([]float64(nil), y.Data[:min(len(y.Data), 256)]...)
		if s.act == actPolynomial {
			// A symmetric range makes the polynomial exact at 0, where a classifier decides.
			r := rangeMargin * max(s.pre.abs(), 0.5)
			if s.poly, err = polyeval.SigmoidWithin(-r, r, tolerance); err != nil {
				return fmt.Errorf("encrypted: %s after %s: %w", s.activationName, s.name, err)
			}
		}
		t := twinStage{act: s.act, poly: s.poly}
		t.apply(y.Data)
		s.post, s.postRMS = spanOf(y.Data), rms(y.Data)
	}
	return nil
}

// model returns the stage's dense layer.
func (s *stage) model() (*ml.Model, error) {
	w, err := ml.NewTensor([]int{s.rows, s.cols}, s.w)
	if err != nil {
		return nil, fmt.Errorf("encrypted: %s: %w", s.name, err)
	}
	m, err := ml.Sequential(ml.Dense(w, s.b))
	if err != nil {
		return nil, fmt.Errorf("encrypted: %s: %w", s.name, err)
	}
	return m, nil
}

// twinOf returns the cleartext model of the stages.
func twinOf(stages []*stage) (*Twin, error) {
	t := &Twin{input: stages[0].cols}
	for _, s := range stages {
		m, err := s.model()
		if err != nil {
			return nil, err
		}
		t.stages = append(t.stages, twinStage{m, s.act, s.poly})
	}
	return t, nil
}

// depth returns the levels that a stage consumes: its activation, and the rescale of its product.
func (s *stage) depth(rescale bool) int {
	d := 0
	if rescale {
		d++
	}
	switch s.act {
	case actSquare:
		d++
	case actPolynomial:
		d += s.poly.Depth()
	}
	return d
}

// mapped returns samples of the activation's input, mapped to [-1, 1] as the polynomial wants them.
func (s *stage) mapped() []float64 {
	scale, shift := s.poly.ChangeOfBasis()
	out := make([]float64, len(s.samples))
	for i, x := range s.samples {
		out[i] = x*scale + shift
	}
	return out
}
