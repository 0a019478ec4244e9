package train

import (
	"errors"
	"fmt"
	"hash"
	"hash/fnv"
	"io"
	"math"
	"math/rand/v2"
	"sync"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// network is the gorgonia graph of one architecture at one batch size, with the
// machine that runs it. Numbers are float32, which halves the time of a step; weights
// are exported as float64. Weights are [in, out] here, the transpose of package ml:
// with the batch as the left factor, gonum's matrix product skips the zeros of the
// input, four fifths of an MNIST image, in both directions.
type network struct {
	batch, in int
	scoreLen  int // scores per sample
	classes   int // columns of targets: 2 when scoreLen is 1

	x, targets   feed // inputs that change per batch
	active       int  // samples of the batch that take part, the first ones
	params       []*param
	norms        []*norm        // in the order of the batchnorm layers
	loss, scores gorgonia.Value // valid after run
	machine      gorgonia.VM
}

// feed is an input node and the memory behind it.
type feed struct {
	node  *gorgonia.Node
	value *tensor.Dense
	data  []float32
}

// param is a weight or a bias.
type param struct {
	feed
	bias    bool           // a number per unit or channel, which does not decay
	in, out int            // shape; in is 1 for a bias, and a convolution's is [out, in]
	grad    gorgonia.Value // valid after run
	state   [2][]float32   // of the optimizer
}

func newFeed(g *gorgonia.ExprGraph, name string, rows, cols int) feed {
	data := make([]float32, rows*cols)
	value := tensor.New(tensor.WithShape(rows, cols), tensor.WithBacking(data))
	node := gorgonia.NewMatrix(g, tensor.Float32, gorgonia.WithShape(rows, cols), gorgonia.WithName(name), gorgonia.WithValue(value))
	return feed{node: node, value: value, data: data}
}

func (n *network) newParam(g *gorgonia.ExprGraph, bias bool, in, out int) *param {
	p := &param{feed: newFeed(g, fmt.Sprintf("p%d", len(n.params)), in, out), bias: bias, in: in, out: out}
	p.state = [2][]float32{make([]float32, in*out), make([]float32, in*out)}
	n.params = append(n.params, p)
	return p
}

// building serialises the making of graphs: gorgonia's constants are shared by all
// graphs and remember their hash when one is added. Running machines share nothing.
var building sync.Mutex

// newNetwork builds the graph of
//
//	loss = -Σ targets ⊙ logsoftmax(scores)
//
// and of its gradients. A row of targets holds the wanted probabilities divided by the
// number of samples; a row of zeros takes no part, which is how short batches run.
func newNetwork(body []stage, batch int, rng *rand.Rand) (*network, error) {
	building.Lock()
	defer building.Unlock()
	g := gorgonia.NewGraph()
	n := &network{batch: batch, in: product(body[0].in), active: batch}
	n.x = newFeed(g, "x", batch, n.in)
	ones := newFeed(g, "ones", batch, 1)
	for i := range ones.data {
		ones.data[i] = 1
	}
	inputs := gorgonia.Nodes{n.x.node, ones.node}

	h := n.x.node
	var err error
	for i, s := range body {
		switch s.kind {
		case "dense":
			w, b := n.newParam(g, false, s.in[0], s.units), n.newParam(g, true, 1, s.units)
			w.draw(rng, gain(body, i)/math.Sqrt(float64(s.in[0])))
			h, err = affine(h, w.node, ones.node, b.node)
		case "conv2d":
			c := newConvolution(s, batch)
			w, b := n.newParam(g, false, c.out, c.rows), n.newParam(g, true, 1, c.out)
			w.draw(rng, gain(body, i)/math.Sqrt(float64(c.rows)))
			if h, err = c.apply(h, w.node); err == nil {
				h, err = channelsOf(s.out, batch).bias(h, b.node)
			}
		case "avgpool2d", "maxpool2d":
			h, err = pool{kind: s.kind, grid: s.grid, batch: batch, in: s.in[0]}.apply(h)
		case "batchnorm":
			c := channelsOf(s.in, batch)
			scale, shift := n.newParam(g, true, 1, c.count), n.newParam(g, true, 1, c.count)
			for k := range scale.data {
				scale.data[k] = 1
			}
			n.norms = append(n.norms, newNorm(c, &n.active))
			if h, err = n.norms[len(n.norms)-1].apply(fmt.Sprintf("norm of layer %d", i), h); err == nil {
				if h, err = c.scale(h, scale.node); err == nil {
					h, err = c.bias(h, shift.node)
				}
			}
		case "relu":
			h, err = gorgonia.Rectify(h)
		case "sigmoid":
			h, err = gorgonia.Sigmoid(h)
		default:
			h, err = activate(s.kind, h)
		}
		if err != nil {
			return nil, fmt.Errorf("train: graph of layer %d (%s): %w", i, s, err)
		}
	}
	width := body[len(body)-1].units
	n.scoreLen, n.classes = width, width
	outputs := gorgonia.Nodes{gorgonia.Read(h, &n.scores)}
	if width == 1 {
		// One score z stands for the pair (0, z), whose softmax is (1-σ(z), σ(z)): the
		// binary loss is the other one in disguise.
		pair := newFeed(g, "pair", 1, 2)
		pair.data[1] = 1
		inputs = append(inputs, pair.node)
		n.classes = 2
		if h, err = gorgonia.Mul(h, pair.node); err != nil {
			return nil, fmt.Errorf("train: graph of the score: %w", err)
		}
	}
	n.targets = newFeed(g, "targets", batch, n.classes)
	inputs = append(inputs, n.targets.node)
	cost, err := crossEntropy(h, n.targets.node)
	if err != nil {
		return nil, fmt.Errorf("train: graph of the loss: %w", err)
	}
	outputs = append(outputs, gorgonia.Read(cost, &n.loss))

	var wrt gorgonia.Nodes
	for _, p := range n.params {
		wrt = append(wrt, p.node)
	}
	grads, err := gorgonia.Grad(cost, wrt...)
	if err != nil {
		return nil, fmt.Errorf("train: gradients: %w", err)
	}
	for i, p := range n.params {
		outputs = append(outputs, gorgonia.Read(grads[i], &p.grad))
	}
	// Compiling from the outputs leaves out the gradient of the images, which gorgonia
	// derives along with the others and which is the largest product of a step.
	prog, locs, err := gorgonia.CompileFunction(g, append(inputs, wrt...), outputs)
	if err != nil {
		return nil, fmt.Errorf("train: compile graph: %w", err)
	}
	n.machine = gorgonia.NewTapeMachine(g, gorgonia.WithPrecompiled(prog, locs))
	return n, nil
}

// affine returns h·w + ones·b. The bias is a product of rank one because its gradient
// is then one more product, where gorgonia's broadcast would copy the batch.
func affine(h, w, ones, b *gorgonia.Node) (*gorgonia.Node, error) {
	hw, err := gorgonia.Mul(h, w)
	if err != nil {
		return nil, err
	}
	rows, err := gorgonia.Mul(ones, b)
	if err != nil {
		return nil, err
	}
	return gorgonia.Add(hw, rows)
}

// draw fills a weight with normal numbers.
func (p *param) draw(rng *rand.Rand, std float64) {
	for k := range p.data {
		p.data[k] = float32(rng.NormFloat64() * std)
	}
}

// gain is the standard deviation of layer i's initial weights times √inputs. It keeps
// the size of activations from layer to layer: half of a ReLU's input power is lost
// [He15], and about as much of a SiLU's and a GELU's; of a tanh's, three fifths; the
// square of a standard normal has mean square 3, and without the 1/√3 two square layers
// in a row grow like x⁴ from the start. Pools are taken to change nothing.
func gain(body []stage, i int) float64 {
	for i--; i >= 0; i-- {
		switch body[i].kind {
		case "avgpool2d", "maxpool2d":
			continue
		case "relu", "silu", "gelu":
			return math.Sqrt2
		case "tanh":
			return 1.6
		case "square":
			return 1 / math.Sqrt(3)
		}
		return 1
	}
	return 1
}

// crossEntropy returns -Σ targets ⊙ logsoftmax(scores).
func crossEntropy(scores, targets *gorgonia.Node) (*gorgonia.Node, error) {
	logp, err := stableLogSoftmax(scores)
	if err != nil {
		return nil, err
	}
	weighted, err := gorgonia.HadamardProd(targets, logp)
	if err != nil {
		return nil, err
	}
	sum, err := gorgonia.Sum(weighted)
	if err != nil {
		return nil, err
	}
	return gorgonia.Neg(sum)
}

// run evaluates loss, scores and gradients for what x and targets hold.
func (n *network) run() error {
	n.machine.Reset()
	if err := n.machine.RunAll(); err != nil {
		return fmt.Errorf("train: step: %w", err)
	}
	return nil
}

func (n *network) close() error { return n.machine.Close() }

// floats returns the numbers of a value of the graph.
func floats(v gorgonia.Value) ([]float32, error) {
	switch d := v.Data().(type) {
	case []float32:
		return d, nil
	case float32:
		return []float32{d}, nil
	}
	return nil, fmt.Errorf("train: graph value of type %T", v.Data())
}

// logSoftmax is gorgonia's operation of that name with another forward pass.
// gorgonia.org/tensor v0.9.24 subtracts, in every row, a maximum that starts at the
// first score of the whole batch and skips the first score of the row: rows far below
// it give log 0, rows whose first score is large overflow. Its backward pass is sound
// and is used as it is.
type logSoftmax struct {
	gorgonia.Op
}

func stableLogSoftmax(x *gorgonia.Node) (*gorgonia.Node, error) {
	// gorgonia's operation is made in a graph that is thrown away, because a graph merges
	// nodes that look alike.
	like := gorgonia.NewMatrix(gorgonia.NewGraph(), tensor.Float32, gorgonia.WithShape(x.Shape()...), gorgonia.WithName("like"))
	y, err := gorgonia.LogSoftMax(like, 1)
	if err != nil {
		return nil, err
	}
	if _, ok := y.Op().(gorgonia.SDOp); !ok {
		return nil, errors.New("gorgonia's log-softmax has no symbolic derivative")
	}
	return gorgonia.ApplyOp(logSoftmax{y.Op()}, x)
}

// Do implements gorgonia.Op for a matrix of float32.
func (logSoftmax) Do(inputs ...gorgonia.Value) (gorgonia.Value, error) {
	if len(inputs) != 1 || len(inputs[0].Shape()) != 2 {
		return nil, errors.New("log-softmax wants one matrix")
	}
	x, err := floats(inputs[0])
	if err != nil {
		return nil, err
	}
	rows, k := inputs[0].Shape()[0], inputs[0].Shape()[1]
	y := make([]float32, len(x))
	for i := range rows {
		src, dst := x[i*k:(i+1)*k], y[i*k:(i+1)*k]
		top := src[0]
		for _, v := range src {
			top = max(top, v)
		}
		sum := 0.0
		for _, v := range src {
			sum += math.Exp(float64(v - top))
		}
		lse := float32(math.Log(sum))
		for j, v := range src {
			dst[j] = v - top - lse
		}
	}
	return tensor.New(tensor.WithShape(rows, k), tensor.WithBacking(y)), nil
}

// String implements gorgonia.Op.
func (o logSoftmax) String() string { return "Stable" + o.Op.String() }

// WriteHash and Hashcode keep the operation apart from gorgonia's own.
func (o logSoftmax) WriteHash(h hash.Hash) { io.WriteString(h, o.String()) }

// Hashcode implements gorgonia.Op.
func (o logSoftmax) Hashcode() uint32 {
	h := fnv.New32a()
	o.WriteHash(h)
	return h.Sum32()
}

// DiffWRT implements gorgonia.SDOp.
func (o logSoftmax) DiffWRT(inputs int) []bool { return o.Op.(gorgonia.SDOp).DiffWRT(inputs) }

// SymDiff implements gorgonia.SDOp.
func (o logSoftmax) SymDiff(inputs gorgonia.Nodes, output, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	return o.Op.(gorgonia.SDOp).SymDiff(inputs, output, grad)
}
