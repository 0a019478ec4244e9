package ml

import (
	"fmt"
	"math"
	"slices"
)

// BatchNormLayer is batch normalisation with the statistics of training, a fixed map of
// each channel c, the first dimension of a sample (each feature of a flat one):
//
//	y = Scale[c] · (x - Mean[c]) / √(Var[c] + Epsilon) + Shift[c]
type BatchNormLayer struct {
	Scale, Shift, Mean, Var []float64 // [channels]; Var is not negative
	Epsilon                 float64   // not negative; PyTorch's default is 1e-5
}

// BatchNorm returns the normalisation of channels. A nil scale means ones, a nil shift
// zeros. The layer keeps the slices; [SequentialFor] checks and copies them.
func BatchNorm(scale, shift, mean, variance []float64, epsilon float64) Layer {
	if scale == nil {
		scale = slices.Repeat([]float64{1}, len(mean))
	}
	if shift == nil {
		shift = make([]float64, len(mean))
	}
	return &BatchNormLayer{Scale: scale, Shift: shift, Mean: mean, Var: variance, Epsilon: epsilon}
}

// Kind returns "batchnorm".
func (*BatchNormLayer) Kind() string { return "batchnorm" }

// Affine returns the layer as y = scale[c]·x + shift[c], fresh slices of one number per
// channel: scale = Scale/√(Var + Epsilon) and shift = Shift - scale·Mean.
func (l *BatchNormLayer) Affine() (scale, shift []float64) {
	scale, shift = make([]float64, len(l.Scale)), make([]float64, len(l.Scale))
	for c := range scale {
		scale[c] = l.Scale[c] / math.Sqrt(l.Var[c]+l.Epsilon)
		shift[c] = l.Shift[c] - scale[c]*l.Mean[c]
	}
	return scale, shift
}

func (l *BatchNormLayer) describe() string { return fmt.Sprintf("batchnorm %d", len(l.Scale)) }

func (l *BatchNormLayer) own() (Layer, error) {
	if l == nil {
		return nil, errNilLayer
	}
	c := &BatchNormLayer{Epsilon: l.Epsilon}
	for _, v := range []struct {
		name string
		src  []float64
		dst  *[]float64
	}{{"scale", l.Scale, &c.Scale}, {"shift", l.Shift, &c.Shift}, {"mean", l.Mean, &c.Mean}, {"variance", l.Var, &c.Var}} {
		if len(v.src) == 0 || len(v.src) != len(l.Scale) {
			return nil, &ShapeError{Where: v.name, Got: []int{len(v.src)}, Want: "one number per channel, as many as the scale"}
		}
		if err := checkFiniteVector(v.name, v.src); err != nil {
			return nil, err
		}
		*v.dst = slices.Clone(v.src)
	}
	if !(l.Epsilon >= 0) || math.IsInf(l.Epsilon, 1) {
		return nil, fmt.Errorf("ml: epsilon %v, want a finite number of at least 0", l.Epsilon)
	}
	for i, v := range l.Var {
		if v < 0 || v+l.Epsilon == 0 {
			return nil, fmt.Errorf("ml: variance %v of channel %d with epsilon %v, want a sum above 0 of numbers of at least 0", v, i, l.Epsilon)
		}
	}
	scale, shift := c.Affine()
	if err := checkFiniteVector("scale over the deviation", scale); err != nil {
		return nil, err
	}
	return c, checkFiniteVector("folded shift", shift)
}

func (l *BatchNormLayer) outShape(in []int) ([]int, error) {
	if in[0] != len(l.Scale) {
		return nil, &ShapeError{Where: "input", Got: in, Want: fmt.Sprintf("%d channels in the first dimension", len(l.Scale))}
	}
	return sameShape(in)
}

// apply subtracts the mean first: the folded form loses digits when the mean is large.
func (l *BatchNormLayer) apply(n int, in []int, x []float64) ([]float64, error) {
	scale, _ := l.Affine()
	plane := len(x) / (n * in[0])
	y := make([]float64, len(x))
	for p := range n * in[0] {
		c := p % in[0]
		src, dst := x[p*plane:][:plane], y[p*plane:][:plane]
		for i, v := range src {
			dst[i] = scale[c]*(v-l.Mean[c]) + l.Shift[c]
		}
	}
	return y, nil
}
