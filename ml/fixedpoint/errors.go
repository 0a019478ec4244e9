package fixedpoint

import (
	"fmt"
	"strings"
)

// UnsupportedError reports a layer that has no integer form here.
type UnsupportedError struct {
	Layer   int    // position in the ml.Model, from 0
	Kind    string // its Kind
	Reason  string
	Nearest string // the nearest form that is supported
}

func (e *UnsupportedError) Error() string {
	return fmt.Sprintf("fixedpoint: layer %d (%s): %s: %s", e.Layer, e.Kind, e.Reason, e.Nearest)
}

// OpError reports an op that cannot take its place in a model.
type OpError struct {
	Op   int    // position in the model, from 0
	Name string // its label
	Err  error  // [ErrOverflow], a *[DomainError], or what is wrong with its fields
}

func (e *OpError) Error() string {
	return fmt.Sprintf("fixedpoint: op %d (%s): %s", e.Op, e.Name, strings.TrimPrefix(e.Err.Error(), "fixedpoint: "))
}

// Unwrap returns the reason.
func (e *OpError) Unwrap() error { return e.Err }

// DomainError reports a table whose arguments may lie outside it.
type DomainError struct{ Got, Want Interval }

func (e *DomainError) Error() string {
	return fmt.Sprintf("fixedpoint: numbers in %v for a table over %v", e.Got, e.Want)
}

// RangeError reports an input integer outside the model's input interval.
type RangeError struct {
	Index int // position in the batch's data
	Value int64
	Want  Interval
}

func (e *RangeError) Error() string {
	return fmt.Sprintf("fixedpoint: input %d is %d, want a number in %v", e.Index, e.Value, e.Want)
}
