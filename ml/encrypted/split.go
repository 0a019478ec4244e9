package encrypted

import (
	"fmt"
	"slices"

	"github.com/signet-ml/signet/ml"
	"github.com/signet-ml/signet/ml/internal/feature"
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
	// scaled says that the one term is the model's input as the client scaled it.
	scaled bool
}

// plain reports whether the expression is one earlier value as it is.
func (e *expression) plain() bool {
	return e.name == "" && len(e.terms) == 1
}

// light reports whether both branches of a residual connection may compute the expression: it has few more weights than
// elements, such as a pooling or a batch normalisation. That saves the level of a stage of its own.
func (e *expression) light() bool {
	n := 0
	for _, t := range e.terms {
		n += len(t.m.val)
	}
	return n <= 2*len(e.b)
}

// isLinear reports whether no layer is an activation.
func isLinear(layers []ml.Layer) bool {
	for _, l := range layers {
		switch l := l.(type) {
		case *ml.DenseLayer, *ml.Conv2dLayer, *ml.AvgPool2dLayer, *ml.BatchNormLayer, ml.FlattenLayer, *ml.ReshapeLayer:
		case *ml.ResidualLayer:
			if !isLinear(l.Body) || !isLinear(l.Shortcut) {
				return false
			}
		default:
			return false
		}
	}
	return true
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
// one, so does what a residual connection adds: it costs no level of its own. The stages read features as the client
// scales them, and take that back.
func split(m *ml.Model, features feature.Scaling) (stages []*stage, client ml.Layer, err error) {
	n := m.InputLen()
	s := &splitter{count: map[string]int{}}
	e := expression{shape: m.InputShape(), terms: []term{{from: -1, m: identity(n)}}, b: make([]float64, n)}
	if !features.IsIdentity() {
		e.terms[0].m = identity(n).scaled(func(r int) float64 { return features.Scale[r] })
		e.b = slices.Clone(features.Offset)
		e.scaled = true
	}
	layers := m.Layers()
	for i, l := range layers {
		s.layer, s.last = i, i == len(layers)-1
		if e, err = s.apply(e, l); err != nil {
			return nil, nil, err
		}
	}
	if len(s.stages) == 0 && e.plain() {
		l := layers[len(layers)-1]
		return nil, nil, &UnsupportedLayerError{len(layers) - 1, l.Kind(), "the model has no layer that is computed under encryption", "put a layer with weights in front"}
	}
	if len(s.stages) == 0 || !e.plain() || e.terms[0].from != len(s.stages)-1 {
		s.stages = append(s.stages, s.stage(e))
	}
	return s.stages, s.client, nil
}

// endIn appends a function to stages: to the last one, if it has no activation yet.
func endIn(stages []*stage, fn function) []*stage {
	tail := stages[len(stages)-1]
	if tail.act != actNone {
		n := tail.rows()
		tail = &stage{name: "scores", shape: tail.shape, terms: []term{{from: len(stages) - 1, m: identity(n)}}, b: make([]float64, n)}
		stages = append(stages, tail)
	}
	tail.act, tail.fn = actPolynomial, fn
	return stages
}

// stage returns the stage that computes an expression.
func (s *splitter) stage(e expression) *stage {
	return &stage{name: s.orName(e, "identity"), shape: e.shape, terms: e.terms, b: e.b}
}

func (s *splitter) name(kind string) string {
	s.count[kind]++
	return fmt.Sprintf("%s%d", kind, s.count[kind])
}

// orName returns the name of an expression, or a new one of a kind for an expression without.
func (s *splitter) orName(e expression, kind string) string {
	if e.name != "" {
		return e.name
	}
	return s.name(kind)
}

func (s *splitter) refuse(l ml.Layer, reason, alternative string) error {
	return &UnsupportedLayerError{s.layer, l.Kind(), reason, alternative}
}

// bounded refuses a layer of so many weights for each element of its result that its matrix is too large.
func (s *splitter) bounded(l ml.Layer, out []int, weights int) error {
	if n := elements(out); n > maxEntries/weights {
		return s.refuse(l, fmt.Sprintf("%d elements of %d weights each are more than %d", n, weights, maxEntries), "use smaller images, fewer channels or a larger stride")
	}
	return nil
}

func (s *splitter) apply(e expression, l ml.Layer) (expression, error) {
	one, err := ml.SequentialFor(e.shape, l)
	if err != nil {
		return e, fmt.Errorf("encrypted: layer %d: %w", s.layer, err)
	}
	out := one.OutputShape()
	switch l := l.(type) {
	case ml.FlattenLayer, *ml.ReshapeLayer:
		e.shape = out
		return e, nil
	case *ml.DenseLayer:
		return s.affine(e, l, s.name("dense"), denseMap(l), l.B, out)
	case *ml.Conv2dLayer:
		if err := s.bounded(l, out, l.W.Len()/l.Out()); err != nil {
			return e, err
		}
		return s.affine(e, l, s.name("conv"), convMap(l, e.shape, out), perChannel(l.B, out), out)
	case *ml.BatchNormLayer:
		scale, shift := l.Affine()
		f, n := perChannel(scale, out), len(e.b)
		y, err := s.affine(e, l, s.orName(e, "batchnorm"), identity(n).scaled(func(r int) float64 { return f[r] }), perChannel(shift, out), out)
		if e.scaled { // the offsets are about the means: subtract them first
			mean, shift := perChannel(l.Mean, out), perChannel(l.Shift, out)
			for i, v := range e.b {
				y.b[i] = f[i]*(v-mean[i]) + shift[i]
			}
		}
		return y, err
	case *ml.AvgPool2dLayer:
		return s.average(e, l, out)
	case *ml.ResidualLayer:
		return s.residual(e, l)
	case ml.SquareLayer:
		return s.activation(e, actSquare, square)
	case ml.SigmoidLayer:
		if s.last {
			s.client = l
			return e, nil
		}
		return s.activation(e, actPolynomial, sigmoid)
	case ml.TanhLayer, ml.GELULayer, ml.SiLULayer, ml.ReLULayer:
		return s.activation(e, actPolynomial, function(l.Kind()))
	case ml.SoftmaxLayer:
		if !s.last {
			return e, s.refuse(l, "softmax inside a model is not supported", "use it as the last layer, where the client applies it")
		}
		s.client = l
		return e, nil
	case *ml.MaxPool2dLayer:
		return e, s.refuse(l, "a maximum needs comparisons deeper than a program without bootstrapping", "train with AvgPool2d instead")
	}
	return e, s.refuse(l, "this version does not compile it", "use Dense, Conv2d, AvgPool2d, BatchNorm, an activation, or a last Softmax")
}

// perChannel repeats one number per channel over the pixels of an image, or returns it as it is for flat samples.
func perChannel(v []float64, shape []int) []float64 {
	n := 1
	for _, d := range shape[1:] {
		n *= d
	}
	out := make([]float64, 0, len(v)*n)
	for _, x := range v {
		for range n {
			out = append(out, x)
		}
	}
	return out
}

// average applies an average pooling. Where it cuts the image of one earlier value into squares, the sums are kept
// apart from the linear layers that follow: a rotate-and-sum computes them without a level.
func (s *splitter) average(e expression, l *ml.AvgPool2dLayer, out []int) (expression, error) {
	k := l.Kernel[0]
	weight := 1 / float64(l.Kernel[0]*l.Kernel[1])
	p := &pooling{k, e.shape}
	if e.plain() && !e.scaled && e.terms[0].pool == nil && k > 1 && k&(k-1) == 0 && l.Kernel == [2]int{k, k} && l.Stride == l.Kernel && l.Padding == [2]int{} &&
		e.shape[1]%k == 0 && e.shape[2]%k == 0 {
		n := out[0] * out[1] * out[2]
		sums := term{from: e.terms[0].from, pool: p, m: identity(n).scaled(func(int) float64 { return weight })}
		return expression{name: s.name("avgpool"), shape: out, terms: []term{sums}, b: make([]float64, n)}, nil
	}
	if err := s.bounded(l, out, l.Kernel[0]*l.Kernel[1]); err != nil {
		return e, err
	}
	w := window{l.Kernel, l.Stride, l.Padding, [2]int{1, 1}}
	return s.affine(e, l, s.orName(e, "avgpool"), poolMap(w, weight, e.shape, out), make([]float64, out[0]*out[1]*out[2]), out)
}

// residual runs both branches on the same expression and adds them.
func (s *splitter) residual(e expression, l *ml.ResidualLayer) (expression, error) {
	last := s.last
	s.last = false
	defer func() { s.last = last }()
	if !e.plain() && !e.light() && !(isLinear(l.Body) && isLinear(l.Shortcut)) { // both branches would compute it
		s.stages = append(s.stages, s.stage(e))
		e = s.result(s.stages[len(s.stages)-1])
	}
	x, y := e, e
	var err error
	for _, b := range l.Body {
		if x, err = s.apply(x, b); err != nil {
			return e, err
		}
	}
	for _, b := range l.Shortcut {
		if y, err = s.apply(y, b); err != nil {
			return e, err
		}
	}
	return plus(x, y, s.orName(x, "residual"))
}

// result returns the last stage's result as an expression.
func (s *splitter) result(st *stage) expression {
	n := len(st.b)
	return expression{shape: st.shape, terms: []term{{from: len(s.stages) - 1, m: identity(n)}}, b: make([]float64, n)}
}

// activation ends an expression with an activation: a stage is complete.
func (s *splitter) activation(e expression, act activation, fn function) (expression, error) {
	st := s.stage(e)
	st.act, st.fn = act, fn
	s.stages = append(s.stages, st)
	return s.result(st), nil
}

// affine applies y = m·x + b to an expression.
func (s *splitter) affine(e expression, l ml.Layer, name string, m *linear, b []float64, shape []int) (expression, error) {
	out := expression{name: name, shape: shape, b: append([]float64(nil), b...)}
	m.addTo(out.b, e.b)
	for _, t := range e.terms {
		w, err := after(m, t.m)
		if err != nil {
			return e, s.refuse(l, err.Error(), "put an activation between the two, or use smaller layers")
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
