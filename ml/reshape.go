package ml

import (
	"fmt"
	"slices"
)

// FlattenLayer turns samples of any shape into flat ones, in row-major order.
// The numbers do not move.
type FlattenLayer struct{}

// ReshapeLayer gives samples another shape of as many elements, in row-major order.
// The numbers do not move.
type ReshapeLayer struct {
	Shape []int // of one sample, without the batch dimension
}

// Flatten returns the layer that makes samples flat.
func Flatten() Layer { return FlattenLayer{} }

// Reshape returns the layer that gives samples the shape of as many elements, without
// the batch dimension. Reshape(1, 28, 28) makes a 28×28 image one channel for [Conv2d].
func Reshape(shape ...int) Layer { return &ReshapeLayer{Shape: shape} }

// Kind returns "flatten".
func (FlattenLayer) Kind() string { return "flatten" }

// Kind returns "reshape".
func (*ReshapeLayer) Kind() string { return "reshape" }

func (l *ReshapeLayer) describe() string { return fmt.Sprintf("reshape %v", l.Shape) }

func (l *ReshapeLayer) own() (Layer, error) {
	if l == nil {
		return nil, errNilLayer
	}
	if _, err := shapeLen(l.Shape); err != nil {
		return nil, &ShapeError{Where: "reshape", Got: l.Shape, Want: err.Error()}
	}
	return &ReshapeLayer{Shape: slices.Clone(l.Shape)}, nil
}

func (FlattenLayer) outShape(in []int) ([]int, error) {
	n, err := shapeLen(in)
	if err != nil {
		return nil, &ShapeError{Where: "input", Got: in, Want: err.Error()}
	}
	return []int{n}, nil
}

func (l *ReshapeLayer) outShape(in []int) ([]int, error) {
	have, err := shapeLen(in)
	if err != nil {
		return nil, &ShapeError{Where: "input", Got: in, Want: err.Error()}
	}
	if want, err := shapeLen(l.Shape); err != nil || have != want {
		return nil, &ShapeError{Where: "input", Got: in, Want: fmt.Sprintf("as many elements as %v", l.Shape)}
	}
	return slices.Clone(l.Shape), nil
}

func (FlattenLayer) apply(_ int, _ []int, x []float64) ([]float64, error) {
	return slices.Clone(x), nil
}

func (*ReshapeLayer) apply(_ int, _ []int, x []float64) ([]float64, error) {
	return slices.Clone(x), nil
}
