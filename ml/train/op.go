package train

import (
	"errors"
	"fmt"
	"hash"
	"hash/fnv"
	"io"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/signet-ml/signet/ml/internal/parallel"
)

// op is an operation of ours in a gorgonia graph: a function of matrices of float32 with
// a matrix as result. It writes into the memory of the step before, so a step allocates
// little.
type op struct {
	// Op is an operation of gorgonia's with as many matrices, for its type, which belongs
	// to a package that is not imported here. Its other methods are replaced.
	gorgonia.Op

	name       string // says all of it: a graph merges operations of equal names
	rows, cols int    // of the result
	// do fills dst, which holds anything.
	do func(dst []float32, in ...[]float32)
	// diff returns the gradients of the inputs for that of the output; nil for the
	// operations of gradients, which nobody differentiates.
	diff func(in gorgonia.Nodes, grad *gorgonia.Node) (gorgonia.Nodes, error)
}

// applyOp appends o to the graph of its inputs, of which there are one or two.
func applyOp(o op, in ...*gorgonia.Node) (*gorgonia.Node, error) {
	like, err := likeOp(len(in))
	if err != nil {
		return nil, err
	}
	o.Op = like
	return gorgonia.ApplyOp(&o, in...)
}

// likeOp returns an operation of gorgonia's from one or two matrices to one. It is made
// in a graph that is thrown away.
func likeOp(inputs int) (gorgonia.Op, error) {
	m := gorgonia.NewMatrix(gorgonia.NewGraph(), tensor.Float32, gorgonia.WithShape(1, 1), gorgonia.WithName("like"))
	var y *gorgonia.Node
	var err error
	switch inputs {
	case 1:
		y, err = gorgonia.Square(m)
	case 2:
		y, err = gorgonia.Mul(m, m)
	default:
		return nil, fmt.Errorf("train: operation of %d inputs", inputs)
	}
	if err != nil {
		return nil, err
	}
	return y.Op(), nil
}

// InferShape implements gorgonia.Op.
func (o *op) InferShape(...gorgonia.DimSizer) (tensor.Shape, error) {
	return tensor.Shape{o.rows, o.cols}, nil
}

// Do implements gorgonia.Op.
func (o *op) Do(in ...gorgonia.Value) (gorgonia.Value, error) {
	return o.UsePreallocDo(tensor.New(tensor.Of(tensor.Float32), tensor.WithShape(o.rows, o.cols)), in...)
}

// UsePreallocDo implements gorgonia.UsePreallocDoer: dst is what Do returned before.
func (o *op) UsePreallocDo(dst gorgonia.Value, in ...gorgonia.Value) (gorgonia.Value, error) {
	to, err := floats(dst)
	if err != nil {
		return nil, err
	}
	if len(to) != o.rows*o.cols {
		return nil, errors.New("train: " + o.name + ": memory of another size")
	}
	from := make([][]float32, len(in))
	for i, v := range in {
		if from[i], err = floats(v); err != nil {
			return nil, err
		}
	}
	o.do(to, from...)
	return dst, nil
}

// ReturnsPtr implements gorgonia.Op.
func (*op) ReturnsPtr() bool { return true }

// CallsExtern implements gorgonia.Op.
func (*op) CallsExtern() bool { return false }

// OverwritesInput implements gorgonia.Op.
func (*op) OverwritesInput() int { return -1 }

// String implements gorgonia.Op.
func (o *op) String() string { return o.name }

// WriteHash implements gorgonia.Op.
func (o *op) WriteHash(h hash.Hash) { io.WriteString(h, o.name) }

// Hashcode implements gorgonia.Op.
func (o *op) Hashcode() uint32 {
	h := fnv.New32a()
	o.WriteHash(h)
	return h.Sum32()
}

// DiffWRT implements gorgonia.SDOp.
func (o *op) DiffWRT(inputs int) []bool {
	d := make([]bool, inputs)
	for i := range d {
		d[i] = o.diff != nil
	}
	return d
}

// SymDiff implements gorgonia.SDOp.
func (o *op) SymDiff(in gorgonia.Nodes, _, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	if o.diff == nil {
		return nil, errors.New("train: " + o.name + " is not differentiable")
	}
	return o.diff(in, grad)
}

// maxChunks is the number of parts into which [chunks] cuts a batch.
const maxChunks = 16

// chunks calls f for parts lo to hi-1 of [0, n) on all cores and returns when all are
// done. There are at most maxChunks of them, whatever the number of cores, so that sums
// over a batch may be taken part by part and have the same bits everywhere.
func chunks(n int, f func(chunk, lo, hi int)) {
	parts := min(n, maxChunks)
	parallel.Each(parts, func(i int) { f(i, n*i/parts, n*(i+1)/parts) })
}
