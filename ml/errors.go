package ml

import (
	"fmt"
	"strconv"
	"strings"
)

// ShapeError reports a tensor whose shape does not fit.
type ShapeError struct {
	Where string // what was being done: "forward", "layer 2 (dense)", "labels"
	Got   []int
	Want  string // what would have fitted: "[784] or [n 784]"
}

func (e *ShapeError) Error() string {
	return fmt.Sprintf("ml: %s: shape %v, want %s", e.Where, e.Got, e.Want)
}

// NonFiniteError reports a NaN or an infinity and the place where it is.
type NonFiniteError struct {
	Where string  // "input", "layer 0 (dense) weight", "output of layer 1 (square)"
	Index int     // position in the tensor's Data
	At    []int   // the same position as one index per dimension
	Value float64 // NaN, +Inf or -Inf
}

func (e *NonFiniteError) Error() string {
	return fmt.Sprintf("ml: %s: element %d (%s) is %v", e.Where, e.Index, formatIndex(e.At), e.Value)
}

// LayerError reports a layer that cannot take its place in a model. Unwrap
// gives the reason, which may be a *[ShapeError] or a *[NonFiniteError].
type LayerError struct {
	Layer int    // position in the model, or in Part, from 0
	Part  string // "body" or "shortcut" when the layer lies inside a residual, else empty
	Kind  string // Kind of the layer, empty for a nil layer
	Err   error
}

func (e *LayerError) Error() string {
	kind := e.Kind
	if kind == "" {
		kind = "nil"
	}
	part := ""
	if e.Part != "" {
		part = " of the " + e.Part
	}
	return fmt.Sprintf("ml: layer %d (%s)%s: %s", e.Layer, kind, part, strings.TrimPrefix(e.Err.Error(), "ml: "))
}

// Unwrap returns the reason.
func (e *LayerError) Unwrap() error { return e.Err }

// layerError leaves the kind out for a nil layer.
func layerError(i int, l Layer, err error) *LayerError {
	if err == errNilLayer {
		return &LayerError{Layer: i, Err: err}
	}
	return &LayerError{Layer: i, Kind: l.Kind(), Err: err}
}

// ofPart says which part of a residual an error of its layers is about.
func ofPart(part string, err error) error {
	if le, ok := err.(*LayerError); ok {
		le.Part = part
	}
	return err
}

// FormatError reports a model file that is not well formed. Err, when set, is
// the error underneath, for instance io.ErrUnexpectedEOF for a truncated file.
type FormatError struct {
	Reason string
	Err    error
}

func (e *FormatError) Error() string {
	if e.Err != nil {
		return "ml: model file: " + e.Reason + ": " + strings.TrimPrefix(e.Err.Error(), "ml: ")
	}
	return "ml: model file: " + e.Reason
}

// Unwrap returns the error underneath, or nil.
func (e *FormatError) Unwrap() error { return e.Err }

func formatIndex(at []int) string {
	parts := make([]string, len(at))
	for i, v := range at {
		parts[i] = strconv.Itoa(v)
	}
	return "[" + strings.Join(parts, ", ") + "]"
}
