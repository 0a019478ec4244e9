package encrypted

import (
	"fmt"

	"github.com/signet-ml/signet/ml"
)

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

// expression is a value as linear maps of results of stages: what linear layers are collected in until an activation
// ends them.
type expression struct {
	name  string // of the last layer with weights
	shape []int
	terms []term
	b     []float64
}

// plain reports whether the expression is one earlier value as it is.
func (e *expression) plain() bool {
	return e.name == "" && len(e.terms) == 1
}

// splitter runs a model on expressions.
type splitter struct {
	stages []*stage
	count  map[string]int // layers by kind, for names
	layer  int            // index in the model
	last   bool           // the layer is the model's last
	client ml.Layer       // left to the client
}

// split cuts a model into stages and the layer that is left to the client. Linear layers that follow one another become
// one, so does what a residual connection adds: it costs no level of its own.
func split(m *ml.Model) (stages []*stage, client ml.Layer, err error) {
	n := m.InputLen()
	s := &splitter{count: map[string]int{}}
	e := expression{shape: m.InputShape(), terms: []term{{from: -1, m: identity(n)}}, b: make([]float64, n)}
	layers := m.Layers()
	for i, l := range layers {
		s.layer, s.last = i, i == len(layers)-1
		if e, err = s.apply(e, l); err != nil {
			return nil, nil, err
		}
	}
	if len(s.stages) == 0 || !e.plain() || e.terms[0].from != len(s.stages)-1 {
		s.stages = append(s.stages, s.stage(e))
	}
	if s.client != nil && s.client.Kind() == "sigmoid" {
		s.stages[len(s.stages)-1].fn = sigmoid
	}
	return s.stages, s.client, nil
}

// stage returns the stage that computes an expression.
func (s *splitter) stage(e expression) *stage {
	if e.name == "" {
		e.name = s.name("identity")
	}
	return &stage{name: e.name, shape: e.shape, terms: e.terms, b: e.b}
}

func (s *splitter) name(kind string) string {
	s.count[kind]++
	return fmt.Sprintf("%s%d", kind, s.count[kind])
}

func (s *splitter) refuse(l ml.Layer, reason, alternative string) error {
	return &UnsupportedLayerError{s.layer, l.Kind(), reason, alternative}
}

func (s *splitter) apply(e expression, l ml.Layer) (expression, error) {
	switch l := l.(type) {
	case ml.FlattenLayer:
		e.shape = []int{len(e.b)}
		return e, nil
	case *ml.DenseLayer:
		return s.affine(e, s.name("dense"), denseMap(l), l.B, []int{l.Out()})
	case ml.SquareLayer:
		return s.activation(e, actSquare, square)
	case ml.SigmoidLayer:
		if s.last {
			s.client = l
			return e, nil
		}
		return s.activation(e, actPolynomial, sigmoid)
	case ml.SoftmaxLayer:
		if !s.last {
			return e, s.refuse(l, "softmax inside a model is not supported", "use it as the last layer, where the client applies it")
		}
		s.client = l
		return e, nil
	case ml.ReLULayer:
		return e, s.refuse(l, "ReLU needs a comparison, which this version does not compile", "train with Square or Sigmoid instead")
	}
	return e, s.refuse(l, "this version does not compile it", "use Dense, Square, Sigmoid, Flatten or a last Softmax")
}

// activation ends an expression with an activation: a stage is complete.
func (s *splitter) activation(e expression, act activation, fn function) (expression, error) {
	st := s.stage(e)
	st.act, st.fn = act, fn
	s.stages = append(s.stages, st)
	n := len(st.b)
	return expression{shape: st.shape, terms: []term{{from: len(s.stages) - 1, m: identity(n)}}, b: make([]float64, n)}, nil
}

// affine applies y = m·x + b to an expression.
func (s *splitter) affine(e expression, name string, m *linear, b []float64, shape []int) (expression, error) {
	out := expression{name: name, shape: shape, b: append([]float64(nil), b...)}
	m.addTo(out.b, e.b)
	for _, t := range e.terms {
		w, err := after(m, t.m)
		if err != nil {
			return e, fmt.Errorf("%w: %s", err, name)
		}
		out.terms = append(out.terms, term{t.from, t.pool, w})
	}
	return out, nil
}

// plus adds two expressions of one shape.
func plus(x, y expression, name string) (expression, error) {
	out := expression{name: name, shape: x.shape, terms: append([]term(nil), x.terms...), b: append([]float64(nil), x.b...)}
	for i, v := range y.b {
		out.b[i] += v
	}
	for _, t := range y.terms {
		found := false
		for i, u := range out.terms {
			if u.from != t.from {
				continue
			}
			a, err := u.whole()
			if err != nil {
				return out, err
			}
			b, err := t.whole()
			if err != nil {
				return out, err
			}
			out.terms[i], found = term{from: u.from, m: sumOf(a, b)}, true
		}
		if !found {
			out.terms = append(out.terms, t)
		}
	}
	return out, nil
}
