package ml

import (
	"fmt"
	"slices"
	"strings"
)

// maxDepth bounds how deep residuals lie inside residuals.
const maxDepth = 8

// ResidualLayer is y = Body(x) + Shortcut(x), two chains of layers on the same input
// whose outputs have the same shape and are added element by element. An empty Shortcut
// is the identity.
type ResidualLayer struct {
	Body, Shortcut []Layer
}

// Residual returns the layer that adds what body and shortcut make of the same input.
// Without a shortcut it adds the input itself. The layer keeps body and shortcut;
// [SequentialFor] checks them and copies their weights. Residuals may be nested 8 deep.
func Residual(body []Layer, shortcut ...Layer) Layer {
	return &ResidualLayer{Body: body, Shortcut: shortcut}
}

// Kind returns "residual".
func (*ResidualLayer) Kind() string { return "residual" }

func (l *ResidualLayer) describe() string {
	s := "residual (" + describeAll(l.Body)
	if len(l.Shortcut) > 0 {
		s += " + " + describeAll(l.Shortcut)
	} else {
		s += " + x"
	}
	return s + ")"
}

func describeAll(layers []Layer) string {
	parts := make([]string, len(layers))
	for i, l := range layers {
		parts[i] = describe(l)
	}
	return strings.Join(parts, ", ")
}

func (l *ResidualLayer) outShape(in []int) ([]int, error) {
	body, err := chain(in, l.Body)
	if err != nil {
		return nil, ofPart("body", err)
	}
	shortcut, err := chain(in, l.Shortcut)
	if err != nil {
		return nil, ofPart("shortcut", err)
	}
	out := body[len(l.Body)]
	if end := shortcut[len(l.Shortcut)]; !slices.Equal(end, out) {
		return nil, &ShapeError{Where: "shortcut", Got: end, Want: fmt.Sprintf("%v, the output of the body", out)}
	}
	return out, nil
}

func (l *ResidualLayer) apply(n int, in []int, x []float64) ([]float64, error) {
	end := func(name string, layers []Layer) ([]float64, error) {
		shapes, err := chain(in, layers)
		if err != nil {
			return nil, err
		}
		last := x
		if err := evaluate([]int{n}, shapes, layers, x, func(y Tensor) { last = y.Data }); err != nil {
			return nil, within(name, err)
		}
		return last, nil
	}
	a, err := end("body", l.Body)
	if err != nil {
		return nil, err
	}
	b, err := end("shortcut", l.Shortcut)
	if err != nil {
		return nil, err
	}
	y := make([]float64, len(a))
	for i := range y {
		y[i] = a[i] + b[i]
	}
	return y, nil
}
