package nn

import (
	"errors"
	"fmt"

	"github.com/consensys/gnark/frontend"

	"github.com/signet-ml/signet/zk"
	"github.com/signet-ml/signet/zk/commit"
)

// A Circuit is a compiled graph. It implements zk.Circuit and is safe for concurrent use.
type Circuit struct {
	graph      Graph
	layers     []layer
	spec       zk.Spec
	last       shape // one sample of the output
	tables     *tableSet
	inputs     int
	costs      costs
	inputHash  int // constraints
	outputHash int
}

var _ zk.Circuit = (*Circuit)(nil)

// New compiles a graph: it checks the shapes, finds the range of every value, and chooses the tables. The graph's
// slices are kept and must not be changed. It returns a *GraphError for a graph that it refuses.
func New(g Graph) (*Circuit, error) {
	layers, err := g.compile()
	if err != nil {
		return nil, err
	}
	c := &Circuit{graph: g, layers: layers}
	c.last = layers[len(layers)-1].out()
	if err := c.describe(); err != nil {
		return nil, &GraphError{Op: -1, Err: err}
	}
	if err := c.plan(); err != nil {
		return nil, err
	}
	// A lookup table for saturation pays where many elements share few quotients. Try it layer by layer.
	for _, l := range c.layers {
		r, ok := l.(*rescale)
		if !ok || !r.tabled(g.Batch*r.shape.size()) {
			continue
		}
		r.tabulate(true)
		before := *c
		if err := c.plan(); err != nil {
			return nil, err
		}
		if c.Constraints() >= before.Constraints() {
			r.tabulate(false)
			*c = before
		}
	}
	return c, nil
}

// plan chooses the tables for range checks and counts inputs and constraints.
func (c *Circuit) plan() error {
	trial := &build{c: c, checks: make(map[span]int)}
	if _, err := trial.walk(); err != nil {
		return err
	}
	c.tables = choose(trial.checks)
	counted := &build{c: c, lookups: &lookups{}}
	if _, err := counted.walk(); err != nil {
		return err
	}
	c.inputs, c.costs = counted.inputs, counted.costs
	return nil
}

// describe fills in the spec and the costs of digests.
func (c *Circuit) describe() error {
	g := &c.graph
	_, class := c.layers[len(c.layers)-1].(*argmax)
	out := hull(c.last.ranges)
	if !out.valid() {
		return ErrOverflow
	}
	c.spec = zk.Spec{
		Kind:    zk.Inference,
		Version: zk.Semantics,
		Batch:   g.Batch,
		Input:   commit.Packing{Count: g.Batch * g.InputLen, Lo: g.Input.Lo, Hi: g.Input.Hi},
		Output:  commit.Packing{Count: g.Batch * c.last.size(), Lo: out.Lo, Hi: out.Hi},
		Class:   class,
		Hashed:  g.Hidden || !class || g.Batch > 1,
		Layout:  place(c.layers, g.Ops, g.Batch, g.Blinds),
	}
	if c.spec.Layout.Blocks != nil {
		if err := c.spec.Layout.Validate(); err != nil {
			return err
		}
	} else if g.Blinds != 0 {
		return errors.New("blinds without private weights")
	} else {
		c.spec.Layout = commit.Layout{}
	}
	var err error
	if c.inputHash, err = digestCost(c.spec.Input); err != nil {
		return err
	}
	if c.spec.Hashed {
		c.outputHash, err = digestCost(c.spec.Output)
	}
	return err
}

// Spec implements zk.Circuit.
func (c *Circuit) Spec() zk.Spec { return c.spec }

// Ranges returns the interval of every op's output, over all elements.
func (c *Circuit) Ranges() []Interval {
	out := make([]Interval, len(c.layers))
	for i, l := range c.layers {
		out[i] = hull(l.out().ranges)
	}
	return out
}

// Costs returns the constraints of the circuit by part and cause, in the order in which they are made. They add up to
// exactly what gnark compiles the circuit to.
func (c *Circuit) Costs() []Cost { return append([]Cost(nil), c.costs.list...) }

// Constraints returns the number of constraints.
func (c *Circuit) Constraints() int { return c.costs.total() }

// Inputs returns the number of secret inputs. All of them are under the commitment.
func (c *Circuit) Inputs() int { return c.inputs }

// Blank implements zk.Circuit.
func (c *Circuit) Blank() frontend.Circuit {
	return &circuit{c: c, Secret: make([]frontend.Variable, c.inputs)}
}

// circuit is what gnark sees. All secret inputs are one list, in the order in which a build makes them.
type circuit struct {
	Context   frontend.Variable `gnark:",public"`
	Statement frontend.Variable `gnark:",public"`
	Secret    []frontend.Variable

	c *Circuit
}

// Define implements frontend.Circuit.
func (w *circuit) Define(api frontend.API) error {
	statement, err := w.state(api)
	if err != nil {
		return err
	}
	api.AssertIsEqual(w.Statement, statement)
	return nil
}

// state adds all constraints but that on Statement, and returns what that must be.
func (w *circuit) state(api frontend.API) (frontend.Variable, error) {
	b, err := define(api, w.Context, w.Secret)
	if err != nil {
		return nil, err
	}
	b.c = w.c
	return b.walk()
}

// define commits to the context and the secret inputs and returns the build that adds the constraints.
func define(api frontend.API, context frontend.Variable, secrets []frontend.Variable) (*build, error) {
	committer, ok := api.(frontend.Committer)
	if !ok {
		return nil, fmt.Errorf("nn: %T cannot commit", api)
	}
	api.Mul(context, context) // a public input in no constraint could be changed after proving
	h, err := committer.Commit(append([]frontend.Variable{context}, secrets...)...)
	if err != nil {
		return nil, err
	}
	return &build{api: api, raw: newRaw(api), h: h, secrets: secrets, lookups: &lookups{}}, nil
}

// walk makes the whole circuit and returns the statement.
func (b *build) walk() (frontend.Variable, error) {
	c := b.c
	b.powers = make(map[int]frontend.Variable)
	b.begin()

	b.costs.begin("input")
	salt := b.element(b.salts[0])
	b.step = 0
	xs := make([]number, c.spec.Input.Count)
	for i := range xs {
		xs[i] = b.secret(b.output(i))
		b.checkInterval(b.quantity(xs[i]), c.graph.Input)
	}
	in, err := b.digest(commit.TagInput, c.spec.Input, c.inputHash, salt, xs)
	if err != nil {
		return nil, err
	}

	for i, l := range c.layers {
		name := c.graph.Ops[i].Name()
		b.costs.begin(name)
		b.step = i + 1
		if xs, err = l.build(b, xs); err != nil {
			return nil, &GraphError{Op: i, Name: name, Err: err}
		}
	}

	b.costs.begin("output")
	out, err := b.result(xs)
	if err != nil {
		return nil, err
	}
	elements := []frontend.Variable{in, out}
	if c.spec.Layout.Blocks != nil {
		b.costs.begin("weights")
		e1, e2 := b.evaluations()
		elements = append(elements, b.weights.g, b.h, e1, e2)
	}
	b.costs.begin("tables")
	b.finish()
	b.costs.begin("statement")
	b.costs.add(CauseStatement, 2) // the square of the context and the mask of the commitment
	return b.statement(elements...)
}

// result returns the output as it goes into the statement: a class index, or a digest.
func (b *build) result(xs []number) (frontend.Variable, error) {
	c := b.c
	if !c.spec.Hashed {
		return b.quantity(xs[0]).v, nil
	}
	salt := b.element(b.salts[1])
	if !c.last.proven {
		all := hull(c.last.ranges)
		for i := range xs {
			xs[i] = b.short(xs[i])
			b.checkInterval(b.quantity(xs[i]), all)
		}
	}
	return b.digest(commit.TagOutput, c.spec.Output, c.outputHash, salt, xs)
}
