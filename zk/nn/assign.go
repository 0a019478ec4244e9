package nn

import (
	"fmt"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/frontend"

	"github.com/signet-ml/signet/zk"
)

// Assign implements zk.Circuit. It returns a *TraceError if the trace is not one of this circuit: if a tensor has
// another length, a value is out of range, or an op does not give its output. For private weights it checks the
// accumulators against the row instead.
func (c *Circuit) Assign(a zk.Assignment) (frontend.Circuit, error) {
	if err := c.check(a.Trace); err != nil {
		return nil, err
	}
	if n := c.spec.Layout.Columns(); c.spec.Layout.Blocks != nil {
		if len(a.Row) != n {
			return nil, fmt.Errorf("nn: row of %d elements: want %d", len(a.Row), n)
		}
		if err := c.checkRow(a); err != nil {
			return nil, err
		}
	}
	return c.fill(a)
}

// fill computes the inputs from a trace that fits the shapes.
func (c *Circuit) fill(a zk.Assignment) (*circuit, error) {
	b := &build{c: c, lookups: &lookups{}, trace: a.Trace, g: a.G, row: a.Row, blinds: a.Blinds}
	b.salts = [2]fr.Element{a.InputSalt, a.OutputSalt}
	if _, err := b.walk(); err != nil {
		return nil, err
	}
	w := &circuit{c: c, Context: a.Context, Statement: a.Statement, Secret: make([]frontend.Variable, len(b.values))}
	for i, v := range b.values {
		w.Secret[i] = v
	}
	return w, nil
}

// Accumulators implements zk.Circuit. It returns a *TraceError like Assign, but does not know private weights.
func (c *Circuit) Accumulators(trace [][]int64) ([]int64, error) {
	if err := c.check(trace); err != nil {
		return nil, err
	}
	var out []int64
	for i, l := range c.layers {
		if w, ok := l.(weighted); ok && w.private() {
			out = append(out, trace[i+1]...)
		}
	}
	return out, nil
}

// check returns a *TraceError unless every tensor of a trace has its length, every value its range, and every op but
// those with private weights gives its output.
func (c *Circuit) check(trace [][]int64) error {
	if len(trace) != len(c.layers)+1 {
		return &TraceError{Op: -1, Element: -1, Reason: fmt.Sprintf("%d tensors: want %d", len(trace), len(c.layers)+1)}
	}
	ranges := repeat(c.graph.Input, c.graph.InputLen)
	for i := range trace {
		op, name := i-1, ""
		if op >= 0 {
			name, ranges = c.graph.Ops[op].Name(), c.layers[op].out().ranges
		}
		if n := c.graph.Batch * len(ranges); len(trace[i]) != n {
			return &TraceError{op, name, -1, fmt.Sprintf("%d values: want %d", len(trace[i]), n)}
		}
		for k, x := range trace[i] {
			if !ranges[k%len(ranges)].Contains(x) {
				return &TraceError{op, name, k, "is out of range"}
			}
		}
		if op < 0 {
			continue
		}
		err := c.each(trace, op, func(in, out []int64) int { return c.layers[op].check(in, out) })
		if err != nil {
			return err
		}
	}
	return nil
}

// checkRow returns a *TraceError unless the accumulators of a checked trace are those of the weights behind a row.
func (c *Circuit) checkRow(a zk.Assignment) error {
	for op, l := range c.layers {
		if w, ok := l.(weighted); ok {
			err := c.each(a.Trace, op, func(in, out []int64) int { return w.defect(in, out, a.Row, &a.G) })
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// each calls f for every sample of an op and returns a *TraceError for the first element that it gives.
func (c *Circuit) each(trace [][]int64, op int, f func(in, out []int64) int) error {
	in, out := trace[op], trace[op+1]
	n, m := len(in)/c.graph.Batch, len(out)/c.graph.Batch
	for s := range c.graph.Batch {
		if k := f(in[s*n:(s+1)*n], out[s*m:(s+1)*m]); k >= 0 {
			return &TraceError{op, c.graph.Ops[op].Name(), s*m + k, "is not what the op gives"}
		}
	}
	return nil
}
