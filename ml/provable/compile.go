package provable

import (
	"errors"
	"fmt"

	"github.com/signet-ml/signet/ml"
	"github.com/signet-ml/signet/ml/fixedpoint"
	"github.com/signet-ml/signet/zk"
	"github.com/signet-ml/signet/zk/nn"
)

// A Circuit is a model compiled for proofs: its fixed-point twin and the circuit that constrains it. It is immutable
// and safe for concurrent use.
type Circuit struct {
	twin     *fixedpoint.Model
	circuit  *nn.Circuit
	options  Options
	fidelity Fidelity
}

// Compile returns the circuit of m. It quantises the model (see ml/fixedpoint), lays out the circuit, and compares what
// will be proved with m on the calibration set: look at Fidelity before keys are made. It fails with *fixedpoint.UnsupportedError for a layer that has no exact integer form.
func Compile(m *ml.Model, o Options) (*Circuit, error) {
	o, err := o.fill()
	if err != nil {
		return nil, err
	}
	shape := m.OutputShape()
	outputs := 1
	for _, n := range shape {
		outputs *= n
	}
	q := o.Quantization
	q.Calibration = o.Calibration
	q.Class = o.Answer == Class || o.Answer == Auto && outputs > 1
	twin, err := fixedpoint.Quantize(m, q)
	if err != nil {
		return nil, err
	}
	c, err := CompileTwin(twin, o)
	if err != nil {
		return nil, err
	}
	if c.fidelity, err = fidelity(twin, m, o.Calibration); err != nil {
		return nil, err
	}
	return c, nil
}

// CompileTwin returns the circuit of a model that is integers already. Calibration, Quantization and Answer of the
// options are not used.
func CompileTwin(twin *fixedpoint.Model, o Options) (*Circuit, error) {
	o, err := o.fill()
	if err != nil {
		return nil, err
	}
	c, err := circuit(twin.Architecture(), twin.Ops(), o)
	if err != nil {
		return nil, err
	}
	return &Circuit{twin: twin, circuit: c, options: o}, nil
}

// CompileArchitecture returns the circuit of all models of an architecture, for zk.Setup: whoever makes keys needs no
// weights. Options are those of CompileTwin, and the weights have to be committed.
func CompileArchitecture(a fixedpoint.Architecture, o Options) (zk.Circuit, error) {
	o, err := o.fill()
	if err != nil {
		return nil, err
	}
	if o.Weights != zk.Committed {
		return nil, errors.New("provable: an architecture has no weights to make public")
	}
	c, err := circuit(a, a.Ops, o)
	if err != nil {
		return nil, err // not a nil *nn.Circuit in an interface
	}
	return c, nil
}

// circuit returns the circuit of an architecture with the given ops, which have weights if those are public.
func circuit(a fixedpoint.Architecture, ops []fixedpoint.Op, o Options) (*nn.Circuit, error) {
	g := nn.Graph{
		Batch:    o.Batch,
		InputLen: 1,
		Input:    nn.Interval(a.Input),
		Hidden:   o.Output != zk.Public,
	}
	for _, n := range a.InputShape {
		g.InputLen *= n
	}
	private := o.Weights == zk.Committed
	rows := 0
	for _, op := range ops {
		g.Ops = append(g.Ops, bridge(op, private))
		switch op := op.(type) {
		case fixedpoint.Dense:
			rows = max(rows, op.Out)
		case fixedpoint.Conv2d:
			rows = max(rows, op.Out/op.Groups)
		}
	}
	if private {
		if rows == 0 {
			return nil, fmt.Errorf("provable: no layer has weights: nothing to commit to, use public weights")
		}
		g.Blinds = (o.Proofs+rows)/rows + 1 // rows·(blinds-1) - 1 proofs, rounded up
	}
	c, err := nn.New(g)
	if err != nil {
		return nil, fmt.Errorf("provable: %w", err)
	}
	return c, nil
}

// bridge returns op as the circuit knows it. Private weights stay behind: the circuit is the same for all of them.
func bridge(op fixedpoint.Op, private bool) nn.Op {
	weights := func(w, b []int64) ([]int64, []int64) {
		if private {
			return nil, nil
		}
		return w, b
	}
	switch o := op.(type) {
	case fixedpoint.Dense:
		w, b := weights(o.W, o.B)
		return nn.Dense{Label: o.Label, In: o.In, Out: o.Out, W: w, B: b,
			WeightRange: nn.Interval(o.WeightRange), BiasRange: nn.Interval(o.BiasRange)}
	case fixedpoint.Conv2d:
		w, b := weights(o.W, o.B)
		return nn.Conv2d{Label: o.Label, Channels: o.Channels, Height: o.Height, Width: o.Width, Out: o.Out, Groups: o.Groups,
			Kernel: o.Kernel, Stride: o.Stride, Padding: o.Padding, Dilation: o.Dilation, W: w, B: b,
			WeightRange: nn.Interval(o.WeightRange), BiasRange: nn.Interval(o.BiasRange)}
	case fixedpoint.Rescale:
		return nn.Rescale{Label: o.Label, Multiplier: o.Multiplier, Shift: o.Shift, Out: nn.Interval(o.Out)}
	case fixedpoint.Table:
		return nn.Table{Label: o.Label, Lo: o.Lo, Values: o.Values}
	case fixedpoint.Square:
		return nn.Square{Label: o.Label}
	case fixedpoint.SumPool2d:
		return nn.SumPool2d{Label: o.Label, Channels: o.Channels, Height: o.Height, Width: o.Width,
			Kernel: o.Kernel, Stride: o.Stride, Padding: o.Padding}
	case fixedpoint.MaxPool2d:
		return nn.MaxPool2d{Label: o.Label, Channels: o.Channels, Height: o.Height, Width: o.Width,
			Kernel: o.Kernel, Stride: o.Stride, Padding: o.Padding}
	case fixedpoint.Argmax:
		return nn.Argmax{Label: o.Label}
	}
	panic(fmt.Sprintf("provable: op %T has no circuit", op)) // the set of ops is closed
}

// Circuit returns what zk.Setup makes keys for.
func (c *Circuit) Circuit() zk.Circuit { return c.circuit }

// Twin returns the integers that are proved.
func (c *Circuit) Twin() *fixedpoint.Model { return c.twin }

// Architecture returns what new weights must keep to fit the same keys: give it to Options.Quantization.
func (c *Circuit) Architecture() fixedpoint.Architecture { return c.twin.Architecture() }
