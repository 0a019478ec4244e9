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

// OptionsError reports an option outside its range.
type OptionsError struct {
	Field string // name of the field of Options
	Value any
	Want  string
}

func (e *OptionsError) Error() string {
	return fmt.Sprintf("fixedpoint: option %s is %v, want %s", e.Field, e.Value, e.Want)
}

// ArchitectureError reports a model that does not fit the architecture it was to have.
type ArchitectureError struct {
	Op     int // the first op that differs, or -1 when it is not an op
	Reason string
}

func (e *ArchitectureError) Error() string {
	if e.Op < 0 {
		return "fixedpoint: architecture: " + e.Reason
	}
	return fmt.Sprintf("fixedpoint: architecture: op %d: %s", e.Op, e.Reason)
}
