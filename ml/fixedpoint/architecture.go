package fixedpoint

import (
	"errors"
	"fmt"
	"slices"
)

// Architecture is everything of a model but weights and scales: what a proving key
// depends on. Give it to [Quantize] with new weights of the same network, and the result
// fits the same key. It is a value that encoding/json writes and reads.
type Architecture struct {
	Semantics   int        `json:"semantics"` // SemanticsVersion
	InputShape  []int      `json:"input_shape"`
	OutputShape []int      `json:"output_shape"`
	Input       Interval   `json:"input"`
	Ops         []Op       `json:"-"` // without weights
	Functions   []Function `json:"functions,omitempty"`
	Threshold   int64      `json:"threshold,omitempty"` // a single score above it means class 1
	Weights     int        `json:"weight_bits"`
	Activations int        `json:"activation_bits"`
}

// Function is the real function behind one [Table], in the order of the tables.
type Function struct {
	Name string `json:"name"` // "sigmoid", "tanh", "silu" or "gelu", as the kinds of package ml
	// Range is where the index ends: a table of 2^b rows has the arguments
	// -Range, ..., Range - Step in steps of Range/2^(b-1), a power of two.
	Range float64 `json:"range"`
}

// check returns the sizes and worst-case bounds of the tensors. weights says whether ops
// must have weights or must not.
func (a Architecture) check(weights bool) ([]int, []spread, error) {
	if a.Semantics != SemanticsVersion {
		return nil, nil, fmt.Errorf("fixedpoint: semantics version %d, want %d", a.Semantics, SemanticsVersion)
	}
	if len(a.Ops) == 0 {
		return nil, nil, errNoOps
	}
	if len(a.Ops) > maxOps {
		return nil, nil, fmt.Errorf("fixedpoint: more than %d ops", maxOps)
	}
	if err := a.Input.check(); err != nil {
		return nil, nil, fmt.Errorf("fixedpoint: input: %w", err)
	}
	n, err := elements(a.InputShape)
	if err != nil {
		return nil, nil, fmt.Errorf("fixedpoint: input shape %v: %w", a.InputShape, err)
	}
	sizes, bounds := []int{n}, []spread{uniform(n, a.Input)}
	seen := make(map[string]bool)
	for i, o := range a.Ops {
		fail := func(err error) error { return &OpError{Op: i, Name: nameOf(o), Err: err} }
		switch {
		case o == nil:
			return nil, nil, fail(errors.New("nil op"))
		case o.Name() == "" || len(o.Name()) > maxLabel || seen[o.Name()]:
			return nil, nil, fail(fmt.Errorf("the label is empty, longer than %d bytes, or not the first of its kind", maxLabel))
		case i > 0 && a.Ops[i-1].kind() == Argmax{}.kind():
			return nil, nil, fail(errors.New("an op after argmax"))
		}
		seen[o.Name()] = true
		if n, err = o.check(n); err != nil {
			return nil, nil, fail(err)
		}
		if w, b, ok := weightsOf(o); ok && (w != nil || b != nil) != weights {
			return nil, nil, fail(errors.New("a model has weights, an architecture has none"))
		}
		x, err := o.bounds(bounds[i], true)
		if err != nil {
			return nil, nil, fail(err)
		}
		if n > maxSampleLen {
			return nil, nil, fail(fmt.Errorf("more than %d elements", maxSampleLen))
		}
		sizes, bounds = append(sizes, n), append(bounds, x)
	}
	if out, err := elements(a.OutputShape); err != nil || out != n {
		return nil, nil, fmt.Errorf("fixedpoint: output shape %v for %d elements", a.OutputShape, n)
	}
	return sizes, bounds, nil
}

func nameOf(o Op) string {
	if o == nil {
		return ""
	}
	return o.Name()
}

// class reports whether the output is the index of a class.
func (a Architecture) class() bool {
	_, ok := a.Ops[len(a.Ops)-1].(Argmax)
	return ok
}

func (a Architecture) clone() Architecture {
	a.InputShape, a.OutputShape = slices.Clone(a.InputShape), slices.Clone(a.OutputShape)
	a.Functions, a.Ops = slices.Clone(a.Functions), slices.Clone(a.Ops)
	for i, o := range a.Ops {
		if w, b, ok := weightsOf(o); ok {
			a.Ops[i] = withWeights(o, slices.Clone(w), slices.Clone(b))
		}
		if o, ok := o.(Table); ok {
			o.Values = slices.Clone(o.Values)
			a.Ops[i] = o
		}
	}
	return a
}

func (d Definition) clone() Definition {
	d.Architecture = d.Architecture.clone()
	d.Scales, d.Calibrated, d.Classes = slices.Clone(d.Scales), slices.Clone(d.Calibrated), slices.Clone(d.Classes)
	return d
}

// weightsOf returns the weights and biases of an op that has some.
func weightsOf(o Op) (w, b []int64, ok bool) {
	switch o := o.(type) {
	case Dense:
		return o.W, o.B, true
	case Conv2d:
		return o.W, o.B, true
	}
	return nil, nil, false
}

// withWeights returns o with other weights, if it has any.
func withWeights(o Op, w, b []int64) Op {
	switch o := o.(type) {
	case Dense:
		o.W, o.B = w, b
		return o
	case Conv2d:
		o.W, o.B = w, b
		return o
	}
	return o
}

// elements multiplies a shape up.
func elements(shape []int) (int, error) {
	if len(shape) == 0 {
		return 0, errors.New("no dimensions")
	}
	n := 1
	for _, d := range shape {
		if d < 1 || d > maxSampleLen || n > maxSampleLen/d {
			return 0, fmt.Errorf("want sizes of at least 1 and at most %d elements", maxSampleLen)
		}
		n *= d
	}
	return n, nil
}
