package nn

import (
	"errors"
	"fmt"
)

// Reasons to refuse a graph that callers may want to tell apart.
var (
	ErrMixedWeights = errors.New("some linear layers have public weights and some have private ones")
	ErrOverflow     = errors.New("a value could exceed 2^62")
	ErrTooWide      = errors.New("values are too wide for the field")
)

// A GraphError says why a graph is refused.
type GraphError struct {
	Op   int    // index of the op; -1: the graph as a whole or its input
	Name string // of the op
	Err  error
}

// Error implements error.
func (e *GraphError) Error() string {
	if e.Op < 0 {
		return "nn: graph: " + e.Err.Error()
	}
	return fmt.Sprintf("nn: op %d, %s: %v", e.Op, e.Name, e.Err)
}

// Unwrap returns the reason.
func (e *GraphError) Unwrap() error { return e.Err }

// A TraceError says where a trace disagrees with its circuit. Its text holds no values.
type TraceError struct {
	Op      int    // index of the op whose output is wrong; -1: the input
	Name    string // of the op
	Element int    // index in the output of all samples; -1: the output as a whole
	Reason  string
}

// Error implements error.
func (e *TraceError) Error() string {
	at := "input"
	if e.Op >= 0 {
		at = fmt.Sprintf("op %d, %s", e.Op, e.Name)
	}
	if e.Element >= 0 {
		at += fmt.Sprintf(", element %d", e.Element)
	}
	return "nn: trace: " + at + ": " + e.Reason
}
