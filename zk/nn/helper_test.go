package nn

import (
	"errors"
	"flag"
	"math/big"
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/constraint"
	"github.com/consensys/gnark/frontend"
	"github.com/consensys/gnark/frontend/cs/r1cs"
	"github.com/consensys/gnark/logger"

	"github.com/signet-ml/signet/zk"
	"github.com/signet-ml/signet/zk/commit"
)

var update = flag.Bool("update", false, "rewrite golden files")

func TestMain(m *testing.M) {
	logger.Disable()
	flag.Parse()
	os.Exit(m.Run())
}

// A net is a graph with weights and what computes its traces: the semantics once more, written for reading.
type net struct {
	graph Graph
	w, b  [][]int64 // of the linear ops, in order
}

// open is a circuit without its last constraint: it takes any Statement and returns the right one in Got.
type open struct {
	Context   frontend.Variable `gnark:",public"`
	Statement frontend.Variable `gnark:",public"`
	Secret    []frontend.Variable
	c         *Circuit
}

func (o *open) Define(api frontend.API) error {
	w := circuit{Context: o.Context, Statement: o.Statement, Secret: o.Secret, c: o.c}
	_, err := w.state(api)
	return err
}

func compile(t testing.TB, c frontend.Circuit) constraint.ConstraintSystem {
	t.Helper()
	s, err := frontend.Compile(ecc.BN254.ScalarField(), r1cs.NewBuilder, c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// solver checks the secret inputs of a circuit, whatever the statement is.
type solver struct {
	c      *Circuit
	system constraint.ConstraintSystem
}

func newSolver(t testing.TB, c *Circuit) *solver {
	return &solver{c, compile(t, &open{c: c, Secret: make([]frontend.Variable, c.inputs)})}
}

// solved returns an error unless the inputs satisfy all constraints.
func (s *solver) solved(t testing.TB, secret []frontend.Variable) error {
	t.Helper()
	w, err := frontend.NewWitness(&open{Context: 1, Statement: 2, Secret: secret}, ecc.BN254.ScalarField())
	if err != nil {
		t.Fatal(err)
	}
	return s.system.IsSolved(w)
}

// assigned returns the secret inputs for a trace.
func (n *net) assigned(t testing.TB, c *Circuit, trace [][]int64) []frontend.Variable {
	t.Helper()
	w, err := c.Assign(n.assignment(t, c, trace))
	if err != nil {
		t.Fatal(err)
	}
	return w.(*circuit).Secret
}

// assignment returns what Assign takes for a trace, with weights evaluated at a random challenge.
func (n *net) assignment(t testing.TB, c *Circuit, trace [][]int64) zk.Assignment {
	t.Helper()
	a := zk.Assignment{Context: element(7), Trace: trace, InputSalt: element(8), OutputSalt: element(9), G: element(10)}
	layout := c.Spec().Layout
	if layout.Blocks == nil {
		return a
	}
	a.Blinds = [2]fr.Element{element(11), element(12)}
	linear, done := 0, 0 // rows of the op that are in earlier blocks
	for _, k := range layout.Blocks {
		w, b := n.w[linear], n.b[linear]
		for j := range k.Columns + 1 {
			var u, x fr.Element
			for i := k.Rows - 1; i >= 0; i-- {
				if j < k.Columns {
					x.SetInt64(w[(done+i)*k.Columns+j])
				} else {
					x.SetInt64(b[done+i])
				}
				u.Mul(&u, &a.G).Add(&u, &x)
			}
			a.Row = append(a.Row, u)
		}
		if done += k.Rows; done == len(b) {
			linear, done = linear+1, 0
		}
	}
	for i := range layout.Blinds {
		a.Row = append(a.Row, element(uint64(100+i)))
	}
	return a
}

// element returns an element that no circuit has by chance.
func element(x uint64) fr.Element { return commit.Hash("test", fr.NewElement(x)) }

// input returns a random input of all samples.
func (n *net) input(r *rand.Rand) []int64 {
	out := make([]int64, n.graph.Batch*n.graph.InputLen)
	for i := range out {
		out[i] = between(r, n.graph.Input)
	}
	return out
}

func between(r *rand.Rand, i Interval) int64 { return i.Lo + int64(r.Uint64N(i.size())) }

// trace runs the net on an input.
func (n *net) trace(in []int64) [][]int64 {
	out := [][]int64{in}
	linear := 0
	for _, op := range n.graph.Ops {
		var w, b []int64
		switch op.(type) {
		case Dense, Conv2d:
			w, b = n.w[linear], n.b[linear]
			linear++
		}
		last := out[len(out)-1]
		size := len(last) / n.graph.Batch
		var next []int64
		for s := range n.graph.Batch {
			next = append(next, run(op, last[s*size:(s+1)*size], w, b)...)
		}
		out = append(out, next)
	}
	return out
}

// run applies an op to one sample.
func run(op Op, x, w, b []int64) []int64 {
	var y []int64
	switch op := op.(type) {
	case Dense:
		for i := range op.Out {
			sum := b[i]
			for j := range op.In {
				sum += w[i*op.In+j] * x[j]
			}
			y = append(y, sum)
		}
	case Rescale:
		for _, v := range x {
			v *= op.Multiplier
			if op.Shift > 0 {
				v = (v + 1<<(op.Shift-1)) >> op.Shift
			}
			y = append(y, min(max(v, op.Out.Lo), op.Out.Hi))
		}
	case Argmax:
		best := 0
		for i, v := range x {
			if v > x[best] {
				best = i
			}
		}
		y = append(y, int64(best))
	case Table:
		for _, v := range x {
			y = append(y, op.Values[v-op.Lo])
		}
	case Square:
		for _, v := range x {
			y = append(y, v*v)
		}
	case SumPool2d:
		y = pool(op, x, func(all []int64) int64 {
			var sum int64
			for _, v := range all {
				sum += v
			}
			return sum
		})
	case MaxPool2d:
		y = pool(SumPool2d(op), x, slices.Max)
	case Conv2d:
		dy, dx := max(op.Dilation[0], 1), max(op.Dilation[1], 1)
		groups := max(op.Groups, 1)
		ins, outs := op.Channels/groups, op.Out/groups
		oh := (op.Height+2*op.Padding[0]-dy*(op.Kernel[0]-1)-1)/op.Stride[0] + 1
		ow := (op.Width+2*op.Padding[1]-dx*(op.Kernel[1]-1)-1)/op.Stride[1] + 1
		for o := range op.Out {
			for oy := range oh {
				for ox := range ow {
					sum := b[o]
					for c := range ins {
						for ky := range op.Kernel[0] {
							for kx := range op.Kernel[1] {
								iy, ix := oy*op.Stride[0]+ky*dy-op.Padding[0], ox*op.Stride[1]+kx*dx-op.Padding[1]
								if iy >= 0 && iy < op.Height && ix >= 0 && ix < op.Width {
									sum += w[((o*ins+c)*op.Kernel[0]+ky)*op.Kernel[1]+kx] * x[((o/outs*ins+c)*op.Height+iy)*op.Width+ix]
								}
							}
						}
					}
					y = append(y, sum)
				}
			}
		}
	default:
		panic("no such op")
	}
	return y
}

// pool applies f to every window.
func pool(op SumPool2d, x []int64, f func([]int64) int64) []int64 {
	oh := (op.Height+2*op.Padding[0]-op.Kernel[0])/op.Stride[0] + 1
	ow := (op.Width+2*op.Padding[1]-op.Kernel[1])/op.Stride[1] + 1
	var y []int64
	for c := range op.Channels {
		for oy := range oh {
			for ox := range ow {
				var all []int64
				for ky := range op.Kernel[0] {
					for kx := range op.Kernel[1] {
						iy, ix := oy*op.Stride[0]+ky-op.Padding[0], ox*op.Stride[1]+kx-op.Padding[1]
						if iy >= 0 && iy < op.Height && ix >= 0 && ix < op.Width {
							all = append(all, x[(c*op.Height+iy)*op.Width+ix])
						}
					}
				}
				y = append(y, f(all))
			}
		}
	}
	return y
}

// random fills in weights for the linear ops of a graph; public: as constants of the circuit too.
func random(r *rand.Rand, g Graph, public bool) *net {
	n := &net{graph: g}
	g.Ops = append([]Op(nil), g.Ops...)
	for i, op := range g.Ops {
		switch op := op.(type) {
		case Dense:
			w, b := fill(r, op.Out*op.In, op.WeightRange), fill(r, op.Out, op.BiasRange)
			n.w, n.b = append(n.w, w), append(n.b, b)
			if public {
				op.W, op.B = w, b
			}
			g.Ops[i] = op
		case Conv2d:
			w := fill(r, op.Out*op.Channels/max(op.Groups, 1)*op.Kernel[0]*op.Kernel[1], op.WeightRange)
			b := fill(r, op.Out, op.BiasRange)
			n.w, n.b = append(n.w, w), append(n.b, b)
			if public {
				op.W, op.B = w, b
			}
			g.Ops[i] = op
		}
	}
	n.graph = g
	return n
}

func fill(r *rand.Rand, n int, i Interval) []int64 {
	out := make([]int64, n)
	for k := range out {
		out[k] = between(r, i)
	}
	return out
}

func build1(t testing.TB, g Graph) *Circuit {
	t.Helper()
	c, err := New(g)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func traceError(err error) bool {
	var e *TraceError
	return errors.As(err, &e)
}

// digestOf is the tests' short form of a packing's digest.
func digestOf(t testing.TB, tag commit.Tag, p commit.Packing, salt fr.Element, xs []int64) fr.Element {
	t.Helper()
	d, err := p.Digest(tag, salt, xs)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// probe records the challenge of the test engine.
type probe struct{ h fr.Element }

// probed is a circuit without its last constraint that tells its probe the challenge.
type probed struct {
	circuit
	probe *probe
}

func (p *probed) Define(api frontend.API) error {
	h, err := api.(frontend.Committer).Commit(append([]frontend.Variable{p.Context}, p.Secret...)...)
	if err != nil {
		return err
	}
	if v, ok := h.(*big.Int); ok {
		p.probe.h.SetBigInt(v)
	}
	_, err = p.state(api)
	return err
}

// statement is the second public input as a verifier computes it, from what the assignment says.
func (n *net) statement(t testing.TB, c *Circuit, a zk.Assignment, h fr.Element) fr.Element {
	t.Helper()
	spec := c.Spec()
	last := a.Trace[len(a.Trace)-1]
	in := digestOf(t, commit.TagInput, spec.Input, a.InputSalt, a.Trace[0])
	var out fr.Element
	if spec.Hashed {
		out = digestOf(t, commit.TagOutput, spec.Output, a.OutputSalt, last)
	} else {
		out.SetInt64(last[0])
	}
	if spec.Layout.Blocks == nil {
		return commit.Hash(commit.TagStatement, in, out)
	}
	acc, err := c.Accumulators(a.Trace)
	if err != nil {
		t.Fatal(err)
	}
	v := make([]fr.Element, len(acc), spec.Layout.Vector())
	for i := range acc {
		v[i].SetInt64(acc[i])
	}
	v = append(v, a.Blinds[:]...)
	return commit.Hash(commit.TagStatement, in, out, a.G, h, at(a.Row, h), at(v, h))
}

// at evaluates a polynomial.
func at(p []fr.Element, x fr.Element) fr.Element {
	var sum fr.Element
	for i := len(p) - 1; i >= 0; i-- {
		sum.Mul(&sum, &x).Add(&sum, &p[i])
	}
	return sum
}
