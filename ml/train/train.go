package train

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/signet-ml/signet/ml"
	"github.com/signet-ml/signet/ml/data"
)

// ErrNoLabels is returned for a set without class numbers.
var ErrNoLabels = errors.New("train: the set has no labels")

// DivergedError reports a loss or a weight that became NaN or infinite. Lower the
// learning rate, standardise the features, or, with square activations, add weight decay.
type DivergedError struct {
	Epoch int     // from 1
	Step  int     // step within the epoch, from 1
	Loss  float64 // the loss of that step
}

func (e *DivergedError) Error() string {
	return fmt.Sprintf("train: diverged in epoch %d, step %d: loss %v", e.Epoch, e.Step, e.Loss)
}

// Fit trains a model of architecture spec on ds by minimising the cross-entropy of its
// scores and returns it. The model takes samples of ds's shape and carries ds's class
// names.
//
// ctx is checked before every step; when it ends, Fit returns its error and no model.
// Fit fails with *[SpecError] when the architecture
// does not fit the set, *[OptionsError] for an option out of range, [ErrNoLabels], an error
// of [data.Dataset.Validate], or *[DivergedError].
//
// Memory is that of one batch beside the set, which is read only. Several Fits may run
// concurrently.
func Fit(ctx context.Context, spec Spec, ds data.Dataset, o Options) (*ml.Model, error) {
	start := time.Now()
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	if err := ds.Validate(); err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	if ds.Y == nil {
		return nil, ErrNoLabels
	}
	classes := max(len(ds.Classes), slices.Max(ds.Y)+1, 2)
	body, head, err := spec.check(ds.SampleShape(), classes)
	if err != nil {
		return nil, err
	}
	// The second word keeps this stream apart from the one that splits sets.
	rng := rand.New(rand.NewPCG(o.Seed, 0x747261696e)) // "train"
	net, err := newNetwork(body, min(o.BatchSize, ds.Len()), rng)
	if err != nil {
		return nil, err
	}
	defer net.close()
	// Export once before the work: a class name that occurs twice should not cost an
	// hour of training.
	if _, err := net.model(body, head, ds); err != nil {
		return nil, err
	}
	t := trainer{net: net, ds: ds, o: o}
	t.steps = (ds.Len() + net.batch - 1) / net.batch * o.Epochs
	for epoch := 1; epoch <= o.Epochs; epoch++ {
		p, err := t.epoch(ctx, epoch, rng.Perm(ds.Len()))
		if err != nil {
			return nil, err
		}
		if o.Progress != nil {
			p.Elapsed = time.Since(start)
			o.Progress(p)
		}
	}
	return net.model(body, head, ds)
}

// trainer carries a training from epoch to epoch.
type trainer struct {
	net   *network
	ds    data.Dataset
	o     Options
	step  int // steps done
	steps int // steps in all
}

// epoch runs one pass over the samples in the given order.
func (t *trainer) epoch(ctx context.Context, epoch int, order []int) (Progress, error) {
	p := Progress{Epoch: epoch, Epochs: t.o.Epochs}
	right := 0
	for lo := 0; lo < len(order); lo += t.net.batch {
		if err := ctx.Err(); err != nil {
			return p, fmt.Errorf("train: epoch %d of %d: %w", epoch, t.o.Epochs, err)
		}
		part := order[lo:min(lo+t.net.batch, len(order))]
		t.load(part)
		if err := t.net.run(); err != nil {
			return p, err
		}
		loss, err := floats(t.net.loss)
		if err != nil {
			return p, err
		}
		scores, err := floats(t.net.scores)
		if err != nil {
			return p, err
		}
		l := float64(loss[0])
		if math.IsNaN(l) || math.IsInf(l, 0) {
			return p, &DivergedError{Epoch: epoch, Step: lo/t.net.batch + 1, Loss: l}
		}
		if err := t.update(); err != nil {
			return p, err
		}
		for _, n := range t.net.norms {
			n.observe()
		}
		p.Loss += l * float64(len(part)) / float64(len(order))
		k := t.net.scoreLen
		for r, i := range part {
			if best(scores[r*k:(r+1)*k]) == t.ds.Y[i] {
				right++
			}
		}
	}
	p.Accuracy = float64(right) / float64(len(order))
	// A last step can spoil the weights without a loss that shows it.
	for _, prm := range t.net.params {
		for _, w := range prm.data {
			if w-w != 0 {
				return p, &DivergedError{Epoch: epoch, Step: (len(order) + t.net.batch - 1) / t.net.batch, Loss: p.Loss}
			}
		}
	}
	return p, nil
}

// load fills the inputs of the graph with samples; rows that are left over become zero.
func (t *trainer) load(part []int) {
	t.net.active = len(part)
	x, y, in, k := t.net.x.data, t.net.targets.data, t.net.in, t.net.classes
	off := t.o.LabelSmoothing / float64(k) / float64(len(part))
	on := off + (1-t.o.LabelSmoothing)/float64(len(part))
	for r, i := range part {
		for j, v := range t.ds.X.Row(i) {
			x[r*in+j] = float32(v)
		}
		for j := range k {
			y[r*k+j] = float32(off)
		}
		y[r*k+t.ds.Y[i]] = float32(on)
	}
	clear(x[len(part)*in:])
	clear(y[len(part)*k:])
}

// update applies weight decay and the optimizer to every parameter.
func (t *trainer) update() error {
	at := float64(t.step) / float64(max(t.steps-1, 1)) // 0 at the first step, 1 at the last
	lr := t.o.FinalLearnRate + (t.o.LearnRate-t.o.FinalLearnRate)*(1+math.Cos(math.Pi*at))/2
	t.step++
	keep := float32(1 - lr*t.o.WeightDecay)
	for _, p := range t.net.params {
		g, err := floats(p.grad)
		if err != nil {
			return err
		}
		if keep != 1 && !p.bias {
			for i := range p.data {
				p.data[i] *= keep
			}
		}
		t.o.Optimizer.step(p.data, g, &p.state, lr, t.step)
	}
	return nil
}

// best returns the class that scores stand for.
func best(scores []float32) int {
	if len(scores) == 1 {
		if scores[0] > 0 {
			return 1
		}
		return 0
	}
	b := 0
	for j, v := range scores {
		if v > scores[b] {
			b = j
		}
	}
	return b
}

// model exports the weights.
func (n *network) model(body []stage, head LayerSpec, ds data.Dataset) (*ml.Model, error) {
	var layers []ml.Layer
	params, norms := n.params, n.norms
	take := func() (a, b *param) {
		a, b, params = params[0], params[1], params[2:]
		return a, b
	}
	for _, s := range append(slices.Clone(body), stage{LayerSpec: head}) {
		if s.before != nil {
			layers = append(layers, s.before)
		}
		switch s.kind {
		case "dense":
			w, b := take()
			layers = append(layers, ml.Dense(w.transposed(), wide(b.data)))
		case "conv2d":
			w, b := take()
			shape := []int{s.conv.Out, s.in[0] / s.conv.Groups, s.conv.Kernel, s.conv.Kernel}
			layers = append(layers, ml.Conv2d(ml.Tensor{Shape: shape, Data: wide(w.data)}, wide(b.data), s.conv.options()))
		case "batchnorm":
			scale, shift := take()
			layers = append(layers, ml.BatchNorm(wide(scale.data), wide(shift.data), norms[0].runMean, norms[0].runVariance, normEpsilon))
			norms = norms[1:]
		case "avgpool2d":
			layers = append(layers, ml.AvgPool2d(s.conv.Kernel, s.conv.Stride, s.conv.Padding))
		case "maxpool2d":
			layers = append(layers, ml.MaxPool2d(s.conv.Kernel, s.conv.Stride, s.conv.Padding))
		case "square":
			layers = append(layers, ml.Square())
		case "relu":
			layers = append(layers, ml.ReLU())
		case "sigmoid":
			layers = append(layers, ml.Sigmoid())
		case "tanh":
			layers = append(layers, ml.Tanh())
		case "silu":
			layers = append(layers, ml.SiLU())
		case "gelu":
			layers = append(layers, ml.GELU())
		case "softmax":
			layers = append(layers, ml.Softmax())
		}
	}
	m, err := ml.SequentialFor(ds.SampleShape(), layers...)
	if err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	if len(ds.Classes) < 2 {
		return m, nil
	}
	if m, err = m.WithClasses(ds.Classes...); err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	return m, nil
}

// transposed returns the weights as package ml holds them, [out, in].
func (p *param) transposed() ml.Tensor {
	t := ml.Tensor{Shape: []int{p.out, p.in}, Data: make([]float64, len(p.data))}
	for i := range p.in {
		for j := range p.out {
			t.Data[j*p.in+i] = float64(p.data[i*p.out+j])
		}
	}
	return t
}

func wide(x []float32) []float64 {
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = float64(v)
	}
	return y
}
