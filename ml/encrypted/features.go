package encrypted

import (
	"math"
	"slices"

	"github.com/signet-ml/signet/fhe/program"
	"github.com/signet-ml/signet/ml"
	"github.com/signet-ml/signet/ml/internal/feature"
)

// What is encrypted must be of size one: a value far from zero, or of another size than its neighbours, takes modulus and
// precision from all of them. Where the calibration set shows that features are not, the client subtracts an offset from
// each and divides it by a power of two as it packs, and the first layers' weights take that back.

const (
	// amplification is how many times the spread of a result the largest input may contribute before features are scaled:
	// so many times larger its error comes out.
	amplification = 16
	// blindAmplification is the same for encrypted weights, where scales must not say what weights are: only what cannot be
	// computed otherwise is scaled.
	blindAmplification = 1 << 10
	// plainSize is the largest magnitude of features that are not scaled, and one over the smallest.
	plainSize = 64
	// spreadSamples is how many calibration samples the spreads of the first layers are measured on.
	spreadSamples = 1024
)

// scaling returns how features of x, n samples, are scaled, and the stages of the model that reads them.
func scaling(m *ml.Model, x []float64, n int, blind bool) (feature.Scaling, []*stage, ml.Layer, error) {
	stages, client, err := split(m, feature.Scaling{})
	if err != nil {
		return feature.Scaling{}, nil, nil, err
	}
	width := m.InputLen()
	o := feature.Options{Limit: amplification, Size: plainSize, Blind: blind, Centred: true}
	if blind {
		o.Limit = blindAmplification
	}
	image := hasWindows(m.Layers())
	if shape := m.InputShape(); image {
		plane := width
		if len(shape) == 3 {
			plane = shape[1] * shape[2]
		}
		o.Group = func(i int) int { return i / plane }
	}
	use, err := useOf(stages, x[:min(n, spreadSamples)*width], width, image)
	if err != nil {
		return feature.Scaling{}, nil, nil, err
	}
	s := feature.Find(x, use, o)
	if !s.IsIdentity() {
		stages, client, err = split(m, s)
	}
	return s, stages, client, err
}

// useOf returns what the stages that read nothing but the input do with it. Of an image, whose pixels share weights, all
// results count as one.
func useOf(stages []*stage, x []float64, width int, image bool) (*feature.Use, error) {
	use, n := feature.NewUse(width), len(x)/width
	for _, st := range stages {
		if slices.ContainsFunc(st.terms, func(t term) bool { return t.from >= 0 }) {
			continue
		}
		y, rows := st.linear(n, x, nil), st.rows()
		spreads := make([]span, rows)
		for r := range spreads {
			spreads[r] = span{math.Inf(1), math.Inf(-1)}
		}
		for i, v := range y {
			s := &spreads[i%rows]
			s.lo, s.hi = min(s.lo, v), max(s.hi, v)
		}
		all := spanOf(y)
		for j := range st.terms {
			w, err := st.terms[j].whole()
			if err != nil {
				return nil, err
			}
			for r := range rows {
				s := spreads[r]
				if image {
					s = all
				}
				half := (s.hi - s.lo) / 2
				if half <= s.abs()*math.Exp2(-40) { // a constant, up to rounding
					half = s.abs()
				}
				cols, vals := w.Row(r)
				use.Row(cols, vals, half)
			}
		}
	}
	return use, nil
}

// hasWindows reports whether a layer slides a window over its input.
func hasWindows(layers []ml.Layer) bool {
	return slices.ContainsFunc(layers, func(l ml.Layer) bool {
		switch l := l.(type) {
		case *ml.Conv2dLayer, *ml.AvgPool2dLayer, *ml.MaxPool2dLayer:
			return true
		case *ml.ResidualLayer:
			return hasWindows(l.Body) || hasWindows(l.Shortcut)
		}
		return false
	})
}

// features returns what the input's port makes of samples. A norm of 0 is none.
func (c *compiler) features(norm float64) program.Features {
	if c.scaling.IsIdentity() && norm == 0 {
		return program.Features{}
	}
	return program.Features{Len: c.inputLen(), Offset: c.scaling.Offset, Scale: c.scaling.Scale, Norm: norm}
}
