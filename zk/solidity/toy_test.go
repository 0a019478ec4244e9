package solidity

import (
	"errors"

	"github.com/consensys/gnark/frontend"

	"github.com/signet-ml/signet/zk"
	"github.com/signet-ml/signet/zk/commit"
)

// toy is the smallest circuit of the protocol's form: one dense layer of 3 inputs and 2 outputs, and which output is
// larger. It does not check the inputs' range, so it is for tests of verifiers only.
type toy struct {
	private bool
	model   weights // of public weights
}

type weights struct{ w, b []int64 }

var (
	modelA = weights{w: []int64{1, -2, 3, 2, 1, -1}, b: []int64{5, -3}}
	modelB = weights{w: []int64{3, 1, 0, -2, 4, 1}, b: []int64{0, 7}}
)

// trace returns the run of a model: input, sums, class.
func (m weights) trace(x []int64) [][]int64 {
	acc := make([]int64, 2)
	for i := range acc {
		acc[i] = m.b[i]
		for j := range x {
			acc[i] += m.w[3*i+j] * x[j]
		}
	}
	class := int64(0)
	if acc[1] > acc[0] {
		class = 1
	}
	return [][]int64{x, acc, {class}}
}

func (t toy) Spec() zk.Spec {
	s := zk.Spec{Kind: zk.Inference, Version: zk.Semantics, Batch: 1, Class: true,
		Input: commit.Packing{Count: 3, Lo: -8, Hi: 7}, Output: commit.Packing{Count: 1, Lo: 0, Hi: 1}}
	if t.private {
		s.Layout = commit.Layout{Blinds: 9, Accumulators: 2, Blocks: []commit.Block{{Name: "dense", Rows: 2, Columns: 3,
			Weight: commit.Range{Lo: -8, Hi: 7}, Bias: commit.Range{Lo: -100, Hi: 100}}}}
	}
	return s
}

func (t toy) Blank() frontend.Circuit {
	c := &toyCircuit{model: t.model, X: make([]frontend.Variable, 3)}
	if t.private {
		c.Row = make([]frontend.Variable, t.Spec().Layout.Columns())
		c.G, c.Acc, c.Blinds = make([]frontend.Variable, 1), make([]frontend.Variable, 2), make([]frontend.Variable, 2)
	}
	return c
}

func (t toy) Accumulators(trace [][]int64) ([]int64, error) {
	if len(trace) != 3 {
		return nil, errors.New("not a trace of the toy circuit")
	}
	return trace[1], nil
}

func (t toy) Assign(a zk.Assignment) (frontend.Circuit, error) {
	c := t.Blank().(*toyCircuit)
	c.Context, c.Statement, c.Salt, c.Class = a.Context, a.Statement, a.InputSalt, a.Trace[2][0]
	for i := range c.X {
		c.X[i] = a.Trace[0][i]
	}
	if t.private {
		c.G[0] = a.G
		for i := range c.Row {
			c.Row[i] = a.Row[i]
		}
		for i := range c.Acc {
			c.Acc[i] = a.Trace[1][i]
			c.Blinds[i] = a.Blinds[i]
		}
	}
	return c, nil
}

type toyCircuit struct {
	Context   frontend.Variable `gnark:",public"`
	Statement frontend.Variable `gnark:",public"`

	X           []frontend.Variable
	Salt, Class frontend.Variable

	G, Row, Acc, Blinds []frontend.Variable // of private weights

	model weights
}

func (c *toyCircuit) Define(api frontend.API) error {
	committed := []frontend.Variable{c.Context, c.Salt, c.Class}
	for _, part := range [][]frontend.Variable{c.X, c.G, c.Row, c.Acc, c.Blinds} {
		committed = append(committed, part...)
	}
	h, err := api.(frontend.Committer).Commit(committed...)
	if err != nil {
		return err
	}
	api.Mul(c.Context, c.Context)

	acc := c.Acc
	if len(c.Row) == 0 {
		for i, b := range c.model.b {
			var sum frontend.Variable = b
			for j, x := range c.X {
				sum = api.Add(sum, api.Mul(c.model.w[3*i+j], x))
			}
			acc = append(acc, sum)
		}
	} else {
		sum := c.Row[len(c.X)] // bias
		for j, x := range c.X {
			sum = api.Add(sum, api.Mul(c.Row[j], x))
		}
		api.AssertIsEqual(sum, api.Add(acc[0], api.Mul(c.G[0], acc[1])))
	}
	// Class is the sign of acc[1] - acc[0] - 1, as the top bit of 21.
	bits := api.ToBinary(api.Add(api.Sub(acc[1], acc[0]), 1<<20-1), 21)
	api.AssertIsEqual(c.Class, bits[20])

	input, err := (toy{}).Spec().Input.DigestVar(api, commit.TagInput, c.Salt, c.X)
	if err != nil {
		return err
	}
	parts := []frontend.Variable{input, c.Class}
	if len(c.Row) > 0 {
		v := append(append([]frontend.Variable{}, acc...), c.Blinds...)
		parts = append(parts, c.G[0], h, horner(api, c.Row, h), horner(api, v, h))
	} else {
		api.AssertIsDifferent(h, 0)
	}
	digest, err := commit.HashVar(api, commit.TagStatement, parts...)
	if err != nil {
		return err
	}
	api.AssertIsEqual(digest, c.Statement)
	return nil
}

func horner(api frontend.API, c []frontend.Variable, x frontend.Variable) frontend.Variable {
	var y frontend.Variable = 0
	for i := len(c) - 1; i >= 0; i-- {
		y = api.Add(api.Mul(y, x), c[i])
	}
	return y
}

// forever is a budget that never ends: the toy models are no secret.
type forever struct{ blinds [32]byte }

func (forever) Reserve() (int, error) { return 1, nil }

func (f forever) Covers() [32]byte { return f.blinds }
