package train

import (
	"math"

	"gorgonia.org/gorgonia"
)

// normEpsilon is added to variances, PyTorch's default.
const normEpsilon = 1e-5

// normMomentum is the weight of the last batch in the running statistics, PyTorch's
// default.
const normMomentum = 0.1

// norm is the normalisation inside a batchnorm layer: every channel gets mean 0 and
// variance 1 over the samples of a batch that take part.
type norm struct {
	channels
	active *int // samples that take part, the first ones

	mean, variance       []float64 // of the last batch
	runMean, runVariance []float64 // over the last batches; variances are those of the population
	steps                int
}

func newNorm(c channels, active *int) *norm {
	v := func() []float64 { return make([]float64, c.count) }
	return &norm{channels: c, active: active, mean: v(), variance: v(), runMean: v(), runVariance: v()}
}

// apply appends (x - mean)/√(variance + ε), with the mean and the variance of x. Samples
// that take no part become zero. The name says which layer it is, because the operation
// remembers the statistics.
func (n *norm) apply(name string, x *gorgonia.Node) (*gorgonia.Node, error) {
	return applyOp(op{
		name: name, rows: n.batch, cols: n.sampleLen(),
		do: func(dst []float32, in ...[]float32) { n.forward(dst, in[0]) },
		diff: func(in gorgonia.Nodes, grad *gorgonia.Node) (gorgonia.Nodes, error) {
			dx, err := applyOp(op{
				name: name + ", gradient", rows: n.batch, cols: n.sampleLen(),
				do: func(dst []float32, in ...[]float32) { n.gradient(dst, in[0], in[1]) },
			}, in[0], grad)
			return gorgonia.Nodes{dx}, err
		},
	}, x)
}

// elements calls f for the elements of a channel, those of samples that take part.
func (n *norm) elements(channel int, f func(i int)) {
	for s := range *n.active {
		at := (s*n.count + channel) * n.plane
		for i := at; i < at+n.plane; i++ {
			f(i)
		}
	}
}

func (n *norm) forward(dst, x []float32) {
	clear(dst)
	size := float64(*n.active * n.plane)
	chunks(n.count, func(_, lo, hi int) {
		for c := lo; c < hi; c++ {
			sum, squares := 0.0, 0.0
			n.elements(c, func(i int) { sum += float64(x[i]) })
			mean := sum / size
			n.elements(c, func(i int) { squares += (float64(x[i]) - mean) * (float64(x[i]) - mean) })
			n.mean[c], n.variance[c] = mean, squares/size
			inv := 1 / math.Sqrt(n.variance[c]+normEpsilon)
			n.elements(c, func(i int) { dst[i] = float32((float64(x[i]) - mean) * inv) })
		}
	})
}

// gradient follows from the statistics being functions of x, with x̂ the normalised x:
// ∂x = (∂y - mean(∂y) - x̂·mean(∂y·x̂)) / √(variance + ε) [IS15, section 3].
func (n *norm) gradient(dx, x, dy []float32) {
	clear(dx)
	size := float64(*n.active * n.plane)
	chunks(n.count, func(_, lo, hi int) {
		for c := lo; c < hi; c++ {
			inv := 1 / math.Sqrt(n.variance[c]+normEpsilon)
			hat := func(i int) float64 { return (float64(x[i]) - n.mean[c]) * inv }
			sum, products := 0.0, 0.0
			n.elements(c, func(i int) {
				sum += float64(dy[i])
				products += float64(dy[i]) * hat(i)
			})
			n.elements(c, func(i int) { dx[i] = float32(inv * (float64(dy[i]) - sum/size - hat(i)*products/size)) })
		}
	})
}

// observe adds the statistics of the last batch to the running ones, which are plain
// means at first.
func (n *norm) observe() {
	n.steps++
	weight := max(normMomentum, 1/float64(n.steps))
	size := float64(*n.active * n.plane)
	for c := range n.mean {
		n.runMean[c] += weight * (n.mean[c] - n.runMean[c])
		n.runVariance[c] += weight * (n.variance[c]*size/max(size-1, 1) - n.runVariance[c])
	}
}
