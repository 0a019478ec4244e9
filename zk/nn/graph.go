package nn

import (
	"errors"
	"fmt"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/signet-ml/signet/zk/commit"
)

// Limits of a graph: what New may be asked to hold.
const (
	maxOps    = 1 << 12
	maxTensor = 1 << 24 // elements of a tensor, all samples together
)

// A Graph is a quantised network for a batch of samples: a chain of ops, each on the output of the one before.
type Graph struct {
	Batch    int      // samples under one proof
	InputLen int      // values of one sample
	Input    Interval // of every input value
	Ops      []Op
	Hidden   bool // the output is salted and hashed; it always is unless it is one class index
	Blinds   int  // private weights: columns of random elements, which bound the number of proofs
}

// An Op is one layer of a graph: Dense, Conv2d, Rescale, Table, Square, SumPool2d, MaxPool2d or Argmax.
type Op interface {
	// Name returns the op's label, or the kind of op where it has none.
	Name() string
	// compile checks the op against the tensor that it takes and returns what builds it.
	compile(in shape) (layer, error)
}

// A shape says what is known of one sample of a tensor.
type shape struct {
	ranges []Interval // of every element
	proven bool       // the constraints so far put every element in its range, whatever the weights are
}

func (s shape) size() int { return len(s.ranges) }

// A layer is a compiled op.
type layer interface {
	// out returns the shape of one sample of the output.
	out() shape
	// build adds the op's constraints for all samples and returns its output.
	build(b *build, in []number) ([]number, error)
	// check reports the first element of one sample's output that the op does not give for its input, or -1. An output
	// has the right length. A layer with private weights reports nothing here.
	check(in, out []int64) int
}

// label returns the name of an op.
func label(s, kind string) string {
	if s == "" {
		return kind
	}
	return s
}

// repeat returns n times the same interval.
func repeat(i Interval, n int) []Interval {
	out := make([]Interval, n)
	for k := range out {
		out[k] = i
	}
	return out
}

// check validates everything of a graph but its ops.
func (g *Graph) check() error {
	switch {
	case g.Batch < 1 || g.InputLen < 1 || g.Batch > maxTensor || g.InputLen > maxTensor/g.Batch:
		return fmt.Errorf("%d samples of %d values: want 1 to %d values in all", g.Batch, g.InputLen, maxTensor)
	case !g.Input.valid() || g.Input.Lo == g.Input.Hi:
		return errors.New("the input's interval is empty, one value, or exceeds 2^62")
	case len(g.Ops) < 1 || len(g.Ops) > maxOps:
		return fmt.Errorf("%d ops: want 1 to %d", len(g.Ops), maxOps)
	}
	return nil
}

// compile returns the layers of a graph and the names of their ops.
func (g *Graph) compile() ([]layer, error) {
	if err := g.check(); err != nil {
		return nil, &GraphError{Op: -1, Err: err}
	}
	var layers []layer
	var linear, private int
	s := shape{ranges: repeat(g.Input, g.InputLen), proven: true}
	for i, op := range g.Ops {
		if op == nil {
			return nil, &GraphError{Op: i, Err: errors.New("is nil")}
		}
		fail := func(err error) error { return &GraphError{Op: i, Name: op.Name(), Err: err} }
		l, err := op.compile(s)
		if err != nil {
			return nil, fail(err)
		}
		if p, ok := l.(weighted); ok {
			linear++
			if p.private() {
				private++
			}
			if private != 0 && private != linear {
				return nil, fail(ErrMixedWeights)
			}
		}
		if _, ok := l.(*argmax); ok && i != len(g.Ops)-1 {
			return nil, fail(errors.New("an argmax must be the last op"))
		}
		if _, ok := l.(*table); ok && i > 0 {
			if r, ok := layers[i-1].(*rescale); ok {
				r.looked = true
			}
		}
		s = l.out()
		if s.size() > maxTensor/g.Batch {
			return nil, fail(fmt.Errorf("%d samples of %d values: want up to %d values in all", g.Batch, s.size(), maxTensor))
		}
		layers = append(layers, l)
	}
	return layers, nil
}

// weighted is a layer with weights.
type weighted interface {
	layer
	private() bool
	blocks(name string) []commit.Block
	place(at int) int
	// defect returns the first element of one sample's output that private weights with the given columns do not give,
	// or -1.
	defect(in, out []int64, u []fr.Element, g *fr.Element) int
}
