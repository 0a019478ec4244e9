package nn

import (
	"errors"
	"fmt"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/frontend"

	"github.com/signet-ml/signet/zk"
	"github.com/signet-ml/signet/zk/commit"
)

// A Registration is the circuit which proves that the private weights of a layout are small integers: it holds all of
// them, checks every weight and bias against the range of its block, and exports one evaluation of the whole matrix, at
// challenges that are drawn after the weights were committed to. What it proves holds for every circuit with this
// layout. It implements zk.Circuit and is safe for concurrent use.
//
// It costs about two constraints for every weight, one for the range and one for the evaluation. Rows below a block's
// own are zero by having no inputs.
type Registration struct {
	layout commit.Layout
	tables *tableSet
	inputs int
	costs  costs
}

var _ zk.Circuit = (*Registration)(nil)

// NewRegistration returns the registration circuit of a layout, usually the one in the Spec of the circuit that will
// use the weights. The layout's slices are kept and must not be changed. It fails if the layout is not valid or has
// more than 2^24 cells.
func NewRegistration(layout commit.Layout) (*Registration, error) {
	if err := layout.Validate(); err != nil {
		return nil, fmt.Errorf("nn: registration: %w", err)
	}
	if n := layout.Rows() * layout.Columns(); n > maxTensor {
		return nil, fmt.Errorf("nn: registration: a layout of %d cells: want at most %d", n, maxTensor)
	}
	r := &Registration{layout: layout}
	trial := &build{checks: make(map[span]int)} // counts range checks, as in New
	if _, err := r.walk(trial, nil); err != nil {
		return nil, err
	}
	r.tables = choose(trial.checks)
	plan := &build{lookups: &lookups{}}
	if _, err := r.walk(plan, nil); err != nil {
		return nil, err
	}
	r.inputs, r.costs = plan.inputs, plan.costs
	return r, nil
}

// Spec implements zk.Circuit. It says nothing of inputs and outputs: there are none.
func (r *Registration) Spec() zk.Spec {
	return zk.Spec{Kind: zk.RangeProof, Version: zk.Semantics, Layout: r.layout}
}

// Costs returns the constraints of the circuit by part and cause, like those of a Circuit.
func (r *Registration) Costs() []Cost { return append([]Cost(nil), r.costs.list...) }

// Constraints returns the number of constraints.
func (r *Registration) Constraints() int { return r.costs.total() }

// Inputs returns the number of secret inputs: weights, biases and blinds, limbs, multiplicities. All of them are under
// the commitment.
func (r *Registration) Inputs() int { return r.inputs }

// Blank implements zk.Circuit.
func (r *Registration) Blank() frontend.Circuit {
	return &matrixCircuit{r: r, Secret: make([]frontend.Variable, r.inputs)}
}

// Accumulators implements zk.Circuit. It fails: nothing is computed with the weights here.
func (r *Registration) Accumulators([][]int64) ([]int64, error) {
	return nil, errors.New("nn: a registration has no accumulators")
}

// Assign implements zk.Circuit. It takes the context, the statement and the opening, which must be of this layout.
func (r *Registration) Assign(a zk.Assignment) (frontend.Circuit, error) {
	if a.Opening == nil || a.Opening.Layout().Digest() != r.layout.Digest() {
		return nil, errors.New("nn: registration: no opening, or one of another layout")
	}
	m := &matrix{blinds: a.Opening.BlindColumns()}
	for l := range r.layout.Blocks {
		w, b := a.Opening.Weights(l)
		m.weights, m.bias = append(m.weights, w), append(m.bias, b)
	}
	w, err := r.fill(m)
	if err != nil {
		return nil, err
	}
	w.Context, w.Statement = a.Context, a.Statement
	return w, nil
}

// fill computes the secret inputs from a matrix.
func (r *Registration) fill(m *matrix) (*matrixCircuit, error) {
	b := &build{trace: [][]int64{}, lookups: &lookups{}} // a trace, though an empty one: it is assigning
	if _, err := r.walk(b, m); err != nil {
		return nil, err
	}
	w := &matrixCircuit{r: r, Secret: make([]frontend.Variable, len(b.values))}
	for i, v := range b.values {
		w.Secret[i] = v
	}
	return w, nil
}

// matrixCircuit is what gnark sees of a Registration.
type matrixCircuit struct {
	Context   frontend.Variable `gnark:",public"`
	Statement frontend.Variable `gnark:",public"`
	Secret    []frontend.Variable

	r *Registration
}

// Define implements frontend.Circuit.
func (w *matrixCircuit) Define(api frontend.API) error {
	statement, err := w.state(api)
	if err != nil {
		return err
	}
	api.AssertIsEqual(w.Statement, statement)
	return nil
}

// state adds all constraints but that on Statement, and returns what that must be.
func (w *matrixCircuit) state(api frontend.API) (frontend.Variable, error) {
	b, err := define(api, w.Context, w.Secret)
	if err != nil {
		return nil, err
	}
	return w.r.walk(b, nil)
}

// A matrix is what a registration is assigned: the weights and biases of all blocks, and the blinds of all rows.
type matrix struct {
	weights, bias [][]int64
	blinds        []fr.Element
}

// walk makes the whole circuit and returns the statement. m is nil unless it is assigning.
func (r *Registration) walk(b *build, m *matrix) (frontend.Variable, error) {
	b.c = &Circuit{tables: r.tables}
	b.powers = make(map[int]frontend.Variable)
	b.costs.begin("weights")
	rows := make([]frontend.Variable, r.layout.Rows())
	for i := range rows {
		rows[i] = b.evaluate(r.row(b, m, i))
	}

	// Rows are combined with powers of a second challenge. With powers of the first, or none, an error in one row could
	// be taken back in another.
	b.costs.begin("rows")
	g, err := b.hash(CauseHash, commit.TagRows, b.h)
	if err != nil {
		return nil, err
	}
	b.weights.g = g
	e := b.horner(rows)

	b.costs.begin("tables")
	b.finish()
	b.costs.begin("statement")
	b.costs.add(CauseStatement, 3) // the square of the context, the mask of the commitment, the comparison with the public input
	return b.hash(CauseStatement, commit.TagRegistration, b.h, e)
}

// row returns row i as a polynomial in the challenge, and checks its weights and biases.
func (r *Registration) row(b *build, m *matrix, i int) []monomial {
	var row []monomial
	at := 0
	for l, k := range r.layout.Blocks {
		if i < k.Rows {
			for j := range k.Columns {
				var x int64
				if m != nil {
					x = m.weights[l][i*k.Columns+j]
				}
				row = append(row, monomial{at + j, b.bounded(x, Interval(k.Weight))})
			}
			var x int64
			if m != nil {
				x = m.bias[l][i]
			}
			row = append(row, monomial{at + k.Columns, b.bounded(x, Interval(k.Bias))})
		}
		at += k.Columns + 1
	}
	for j := range r.layout.Blinds {
		var x fr.Element
		if m != nil {
			x = m.blinds[i*r.layout.Blinds+j]
		}
		row = append(row, monomial{at + j, b.element(x)})
	}
	return row
}

// bounded returns a secret input that lies in the interval.
func (b *build) bounded(value int64, in Interval) frontend.Variable {
	x := b.quantity(b.secret(value))
	if in.Lo == in.Hi {
		b.assertProduct(CauseRange, vs(b.minus(x, b.constant(in.Lo))), b.one(), nil)
	} else {
		b.checkInterval(x, in)
	}
	return x.v
}

// hash returns the digest of up to 7 elements.
func (b *build) hash(cause Cause, tag commit.Tag, elements ...frontend.Variable) (frontend.Variable, error) {
	b.costs.add(cause, narrowHash)
	if b.api == nil {
		return nil, nil
	}
	return commit.HashVar(b.api, tag, elements...)
}
