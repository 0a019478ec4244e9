package ml

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Model is a chain of layers with checked shapes and finite weights. It is
// immutable and safe for concurrent use. Make one with [Sequential],
// [SequentialFor], [Load] or package ml/train.
type Model struct {
	layers  []Layer
	shapes  [][]int // shapes[i] is one sample before layer i; shapes[len(layers)] is the output
	classes []string
}

// Sequential returns the model that applies layers in order. The sample shape is
// [in], where in is the number of inputs of the first dense layer; models whose
// samples are images, or that have no dense layer, need [SequentialFor].
//
// Weights are copied. It fails with *[LayerError] when a layer is nil, has weights
// that are not finite, or does not fit the layer before it.
func Sequential(layers ...Layer) (*Model, error) {
	for i, l := range layers {
		switch l := l.(type) {
		case *DenseLayer:
			if err := l.check(); err != nil {
				return nil, layerError(i, l, err)
			}
			return SequentialFor([]int{l.In()}, layers...)
		case FlattenLayer, *ReshapeLayer, *Conv2dLayer, *AvgPool2dLayer, *MaxPool2dLayer, *ResidualLayer:
			return nil, layerError(i, l, errors.New("ml: the sample shape in front of this layer is unknown: use SequentialFor"))
		}
	}
	if len(layers) == 0 {
		return nil, errors.New("ml: sequential: a model needs at least one layer")
	}
	return nil, errors.New("ml: sequential: no dense layer gives the sample shape: use SequentialFor")
}

// SequentialFor returns the model that applies layers in order to samples of shape
// input, without the batch dimension: []int{28, 28} for 28×28 images. Convolutions and
// pools take [channels, height, width]; put Reshape(1, 28, 28) in front for images
// without channels. A model has at most 4,096 layers, those inside residuals included.
// Everything else is as for [Sequential].
func SequentialFor(input []int, layers ...Layer) (*Model, error) {
	if len(layers) == 0 {
		return nil, errors.New("ml: sequential: a model needs at least one layer")
	}
	if _, err := shapeLen(input); err != nil {
		return nil, &ShapeError{Where: "sequential: sample", Got: input, Want: err.Error()}
	}
	owned, err := ownAll(layers, new(maxLayers), 0)
	if err != nil {
		return nil, err
	}
	shapes, err := chain(input, owned)
	if err != nil {
		return nil, err
	}
	return &Model{layers: owned, shapes: shapes}, nil
}

// WithClasses returns the same model with names for its classes, in the order of
// its outputs. A model with one output has two classes: the one of low scores
// first. Names must be distinct and not empty. Weights are shared, not copied.
func (m *Model) WithClasses(names ...string) (*Model, error) {
	want := m.OutputLen()
	if want == 1 {
		want = 2
	}
	if len(names) != want {
		return nil, fmt.Errorf("ml: %d class names for a model with %d classes", len(names), want)
	}
	seen := make(map[string]bool, len(names))
	for i, n := range names {
		if n == "" {
			return nil, fmt.Errorf("ml: class name %d is empty", i)
		}
		if seen[n] {
			return nil, fmt.Errorf("ml: class name %q occurs twice", n)
		}
		seen[n] = true
	}
	c := *m
	c.classes = slices.Clone(names)
	return &c, nil
}

// Layers returns the layers in order. The slice is fresh, the weights in it are the
// model's own: do not write to them.
func (m *Model) Layers() []Layer { return slices.Clone(m.layers) }

// InputShape returns the shape of one sample, without the batch dimension.
func (m *Model) InputShape() []int { return slices.Clone(m.shapes[0]) }

// InputLen returns the number of elements of one sample.
func (m *Model) InputLen() int { n, _ := shapeLen(m.shapes[0]); return n }

// OutputShape returns the shape of the output for one sample.
func (m *Model) OutputShape() []int { return slices.Clone(m.shapes[len(m.layers)]) }

// OutputLen returns the number of outputs for one sample.
func (m *Model) OutputLen() int { n, _ := shapeLen(m.shapes[len(m.layers)]); return n }

// Classes returns the class names in the order of the outputs, or nil when the
// model has none.
func (m *Model) Classes() []string { return slices.Clone(m.classes) }

// String describes the model in one line: "[28 28] reshape [1 28 28], conv2d 1→5 5×5
// stride 2 padding 1, square, flatten, dense 845→10".
func (m *Model) String() string { return fmt.Sprintf("%v %s", m.shapes[0], describeAll(m.layers)) }

// Forward returns the output for x. A batch [n, sample shape...] gives [n, output
// shape...]; one sample without the batch dimension gives the output shape alone.
//
// It fails with *[ShapeError] when x fits neither form, and with *[NonFiniteError]
// when x holds a NaN or an infinity or a layer overflows, so what it returns is
// always finite. x is not written to and not kept. Large batches use all cores.
func (m *Model) Forward(x Tensor) (Tensor, error) {
	var last Tensor
	err := m.run(x, func(y Tensor) { last = y })
	if err != nil {
		return Tensor{}, err
	}
	return last, nil
}

// Trace returns the tensor after each layer, in order: element i is the output of
// layer i, and the last one equals [Model.Forward]. Compilers take the ranges of
// activations from it. What happens inside a residual is not shown; make a model of its
// body to see it. Errors are those of Forward. It holds every intermediate tensor in
// memory at once.
func (m *Model) Trace(x Tensor) ([]Tensor, error) {
	out := make([]Tensor, 0, len(m.layers))
	if err := m.run(x, func(y Tensor) { out = append(out, y) }); err != nil {
		return nil, err
	}
	return out, nil
}

// run evaluates the layers and hands over the tensor after each of them.
func (m *Model) run(x Tensor, emit func(Tensor)) error {
	if err := x.check("forward"); err != nil {
		return err
	}
	in := m.shapes[0]
	var lead []int // the batch dimension, if there is one
	switch {
	case slices.Equal(x.Shape, in):
	case len(x.Shape) == len(in)+1 && slices.Equal(x.Shape[1:], in):
		lead = x.Shape[:1]
	default:
		return &ShapeError{Where: "forward", Got: x.Shape, Want: fmt.Sprintf("%v or %s", in, batchShape(in))}
	}
	if err := x.checkFinite("input"); err != nil {
		return err
	}
	return evaluate(lead, m.shapes, m.layers, x.Data, emit)
}

// Labels returns one class number per sample of scores, an output of this model or
// of its encrypted or proved twin: the index of the largest of several outputs, or,
// for a model with one output, 1 above the threshold and 0 otherwise. The threshold
// is 0.5 when the model ends in a sigmoid, else 0. See the function [Labels].
func (m *Model) Labels(scores Tensor) []int {
	if _, ok := m.layers[len(m.layers)-1].(SigmoidLayer); ok {
		return labels(scores, 0.5)
	}
	return labels(scores, 0)
}

// Predict returns the class number of every sample of x: [Model.Labels] of
// [Model.Forward].
func (m *Model) Predict(x Tensor) ([]int, error) {
	y, err := m.Forward(x)
	if err != nil {
		return nil, err
	}
	if slices.Equal(x.Shape, m.shapes[0]) {
		y.Shape = append([]int{1}, y.Shape...)
	}
	return m.Labels(y), nil
}

func batchShape(in []int) string {
	return "[n " + strings.TrimPrefix(fmt.Sprint(in), "[")
}
