package ml

import (
	"errors"
	"fmt"
	"slices"
)

// Layer is one step of a model. The set is closed (the interface has unexported
// methods) so that a compiler can switch over it completely. Layers with fields are
// pointers, layers without are values:
//
//	switch l := layer.(type) {
//	case *ml.DenseLayer: // l.W, l.B
//	case *ml.Conv2dLayer, *ml.AvgPool2dLayer, *ml.MaxPool2dLayer, *ml.BatchNormLayer:
//	case *ml.ResidualLayer: // l.Body and l.Shortcut are layers again
//	case ml.SquareLayer, ml.SigmoidLayer, ml.TanhLayer, ml.ReLULayer, ml.SiLULayer, ml.GELULayer, ml.SoftmaxLayer:
//	case ml.FlattenLayer, *ml.ReshapeLayer: // the numbers do not move
//	default: // a layer of a later version: refuse it by its Kind
//	}
//
// Layers hold no state: they are safe for concurrent use as long as nobody writes
// to their fields.
type Layer interface {
	// Kind names the layer as model files do: "dense", "conv2d", "avgpool2d",
	// "maxpool2d", "batchnorm", "residual", "square", "sigmoid", "tanh", "relu",
	// "silu", "gelu", "softmax", "flatten", "reshape".
	Kind() string

	// outShape returns the shape of one sample after the layer. The sizes of in are
	// at least 1 and their product fits an int.
	outShape(in []int) ([]int, error)
	// apply maps n samples of shape in, flat in x, to fresh memory. It fails only when
	// a number inside it overflows.
	apply(n int, in []int, x []float64) ([]float64, error)
}

// owner is a layer with fields.
type owner interface {
	// own returns a copy that shares no memory with the layer, or says what is wrong
	// with its fields. The layer may be a nil pointer.
	own() (Layer, error)
}

// describer is a layer of which [Model.String] says more than the kind.
type describer interface {
	describe() string
}

var errNilLayer = errors.New("ml: nil layer")

func describe(l Layer) string {
	if d, ok := l.(describer); ok {
		return d.describe()
	}
	return l.Kind()
}

// ownAll checks and copies layers; left is how many more the model may have, those
// inside residuals included, and depth how deep these lie. Residuals are walked here
// and not in a method, so that one that contains itself ends too.
func ownAll(layers []Layer, left *int, depth int) ([]Layer, error) {
	if *left -= len(layers); *left < 0 {
		return nil, fmt.Errorf("ml: more than %d layers", maxLayers)
	}
	owned := slices.Clone(layers)
	for i, l := range layers {
		var err error
		switch l := l.(type) {
		case nil:
			err = errNilLayer
		case *ResidualLayer:
			owned[i], err = ownResidual(l, left, depth)
		case owner:
			owned[i], err = l.own()
		}
		if err != nil {
			return nil, layerError(i, l, err)
		}
	}
	return owned, nil
}

func ownResidual(l *ResidualLayer, left *int, depth int) (Layer, error) {
	switch {
	case l == nil:
		return nil, errNilLayer
	case depth == maxDepth:
		return nil, fmt.Errorf("ml: residuals nested more than %d deep", maxDepth)
	case len(l.Body) == 0:
		return nil, errors.New("ml: a residual without a body")
	}
	body, err := ownAll(l.Body, left, depth+1)
	if err != nil {
		return nil, ofPart("body", err)
	}
	shortcut, err := ownAll(l.Shortcut, left, depth+1)
	if err != nil {
		return nil, ofPart("shortcut", err)
	}
	return &ResidualLayer{Body: body, Shortcut: shortcut}, nil
}

// chain returns the shapes of one sample before each layer and after the last.
func chain(in []int, layers []Layer) ([][]int, error) {
	shapes := [][]int{slices.Clone(in)}
	for i, l := range layers {
		out, err := l.outShape(shapes[i])
		if err != nil {
			return nil, layerError(i, l, err)
		}
		shapes = append(shapes, out)
	}
	return shapes, nil
}

// evaluate applies layers to samples and hands over the numbers after each of them, if
// they are finite. lead is the batch dimension, or nothing for one sample, and shapes
// are those of chain.
func evaluate(lead []int, shapes [][]int, layers []Layer, x []float64, emit func(Tensor)) error {
	n := 1
	if len(lead) > 0 {
		n = lead[0]
	}
	for i, l := range layers {
		y, err := l.apply(n, shapes[i], x)
		if err != nil {
			return within(fmt.Sprintf("layer %d (%s)", i, l.Kind()), err)
		}
		t := Tensor{Shape: slices.Concat(lead, shapes[i+1]), Data: y}
		if err := t.checkFinite(fmt.Sprintf("output of layer %d (%s)", i, l.Kind())); err != nil {
			return err
		}
		emit(t)
		x = y
	}
	return nil
}

// within says in which part of a model a number was not finite.
func within(part string, err error) error {
	var nf *NonFiniteError
	if errors.As(err, &nf) {
		inner := *nf
		inner.Where = part + ": " + nf.Where
		return &inner
	}
	return fmt.Errorf("ml: %s: %w", part, err)
}
