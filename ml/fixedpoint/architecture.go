package fixedpoint

import (
	"bytes"
	"encoding/json"
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
	Ops         []Op       `json:"-"`                   // without weights
	Functions   []Function `json:"functions,omitempty"` // of the tables, in order
	Threshold   int64      `json:"threshold,omitempty"` // a single score above it means class 1
	Weights     int        `json:"weight_bits"`
	Activations int        `json:"activation_bits"`
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
		if l, ok := weighted(o); ok && (l.w != nil || l.b != nil) != weights {
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
	if tables := a.tables(); len(a.Functions) > 0 {
		if len(a.Functions) != len(tables) {
			return nil, nil, fmt.Errorf("fixedpoint: %d functions for %d tables", len(a.Functions), len(tables))
		}
		for i, t := range tables {
			if err := a.Functions[i].check(t.rows()); err != nil {
				return nil, nil, fmt.Errorf("fixedpoint: function of table %s: %w", t.Label, err)
			}
			if t.Lo != -int64(t.rows()/2) {
				return nil, nil, fmt.Errorf("fixedpoint: table %s starts at %d, want %d for a function", t.Label, t.Lo, -t.rows()/2)
			}
		}
	}
	if out, err := elements(a.OutputShape); err != nil || out != n {
		return nil, nil, fmt.Errorf("fixedpoint: output shape %v for %d elements", a.OutputShape, n)
	}
	return sizes, bounds, nil
}

// tables returns the tables in order.
func (a Architecture) tables() []Table {
	var tables []Table
	for _, o := range a.Ops {
		if t, ok := o.(Table); ok {
			tables = append(tables, t)
		}
	}
	return tables
}

func (o Table) rows() int { return len(o.Values) }

// differs returns an *ArchitectureError for the first difference of b from a.
func (a Architecture) differs(b Architecture) error {
	text := func(v any) []byte {
		doc, err := json.Marshal(v)
		if err != nil {
			panic("fixedpoint: an architecture that cannot be written: " + err.Error())
		}
		return doc
	}
	for i := range min(len(a.Ops), len(b.Ops)) {
		if x, y := text(tagged{a.Ops[i]}), text(tagged{b.Ops[i]}); !bytes.Equal(x, y) {
			return &ArchitectureError{i, fmt.Sprintf("%.200s, and the network has %.200s", x, y)}
		}
	}
	if len(a.Ops) != len(b.Ops) {
		return &ArchitectureError{min(len(a.Ops), len(b.Ops)), fmt.Sprintf("%d ops, and the network has %d", len(a.Ops), len(b.Ops))}
	}
	if !bytes.Equal(text(a), text(b)) {
		return &ArchitectureError{-1, "the network has other shapes, bits or functions"}
	}
	return nil
}

// MarshalJSON writes each op as an object with one key, its kind.
func (a Architecture) MarshalJSON() ([]byte, error) {
	doc := architectureJSON{plain: plain(a), Ops: make([]tagged, len(a.Ops))}
	for i, o := range a.Ops {
		doc.Ops[i] = tagged{o}
	}
	return json.Marshal(doc)
}

// UnmarshalJSON reads what MarshalJSON writes, refuses unknown fields, and checks the
// result as [Quantize] does.
func (a *Architecture) UnmarshalJSON(b []byte) error {
	var doc architectureJSON
	if err := strictJSON(b, &doc); err != nil {
		return err
	}
	read := Architecture(doc.plain)
	for _, o := range doc.Ops {
		read.Ops = append(read.Ops, o.Op)
	}
	if _, _, err := read.check(false); err != nil {
		return err
	}
	*a = read
	return nil
}

type plain Architecture // without methods

type architectureJSON struct {
	plain
	Ops []tagged `json:"ops"`
}

// tagged is an op as JSON has it: {"square": {"label": "1.square"}}.
type tagged struct{ Op }

func (t tagged) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]Op{t.kind(): t.Op})
}

func (t *tagged) UnmarshalJSON(b []byte) error {
	var doc map[string]json.RawMessage
	if err := json.Unmarshal(b, &doc); err != nil {
		return err
	}
	if len(doc) != 1 {
		return fmt.Errorf("an op of %d kinds, want 1", len(doc))
	}
	for kind, raw := range doc {
		read, ok := opReaders[kind]
		if !ok {
			return fmt.Errorf("op of unknown kind %q", kind)
		}
		var err error
		if t.Op, err = read(raw); err != nil {
			return fmt.Errorf("%s: %w", kind, err)
		}
	}
	return nil
}

var opReaders = map[string]func([]byte) (Op, error){
	Dense{}.kind(): readOp[Dense], Conv2d{}.kind(): readOp[Conv2d], Rescale{}.kind(): readOp[Rescale], Table{}.kind(): readOp[Table],
	Square{}.kind(): readOp[Square], SumPool2d{}.kind(): readOp[SumPool2d], MaxPool2d{}.kind(): readOp[MaxPool2d], Argmax{}.kind(): readOp[Argmax],
}

func readOp[T Op](b []byte) (Op, error) {
	var o T
	err := strictJSON(b, &o)
	return o, err
}

// strictJSON decodes one JSON value, refusing unknown fields and anything after it.
func strictJSON(doc []byte, v any) error {
	dec := json.NewDecoder(bytes.NewReader(doc))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return err
	}
	if dec.More() {
		return errors.New("data after the JSON value")
	}
	return nil
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
		if l, ok := weighted(o); ok {
			a.Ops[i] = withWeights(o, slices.Clone(l.w), slices.Clone(l.b))
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
	d.Encoding = d.Encoding.clone()
	return d
}

// weighted returns what an op multiplies with, if it has weights.
func weighted(o Op) (linear, bool) {
	switch o := o.(type) {
	case Dense:
		return o.linear(), true
	case Conv2d:
		return o.linear(), true
	}
	return linear{}, false
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
