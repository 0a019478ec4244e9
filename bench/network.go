package main

import (
	"math"
	"math/rand/v2"

	"github.com/signet-ml/signet/ml"
	"github.com/signet-ml/signet/ml/train"
)

// Networks with ReLU, which proofs take as they are: no square, and no need for small activations.

// reluMLP returns the network 784-128-10.
func reluMLP(seed uint64) (train.Spec, train.Options) {
	return train.Spec{Layers: []train.LayerSpec{train.Dense(128), train.ReLU(), train.Dense(10)}}, reluOptions(seed, 15, 128)
}

// reluLeNet5 returns LeNet-5 with 61,706 weights and biases.
func reluLeNet5(seed uint64) (train.Spec, train.Options) {
	return train.Spec{Layers: []train.LayerSpec{
		train.Conv2d(train.ConvSpec{Out: 6, Kernel: 5, Padding: 2}), train.ReLU(), train.AvgPool2d(2, 0, 0),
		train.Conv2d(train.ConvSpec{Out: 16, Kernel: 5}), train.ReLU(), train.AvgPool2d(2, 0, 0),
		train.Dense(120), train.ReLU(),
		train.Dense(84), train.ReLU(),
		train.Dense(10),
	}}, reluOptions(seed, 8, 64)
}

// reluOptions regularises as the presets of package train do, which is what a few thousand images need.
func reluOptions(seed uint64, epochs, batch int) train.Options {
	return train.Options{LearnRate: 0.004, FinalLearnRate: 1e-5, WeightDecay: 0.3, LabelSmoothing: 0.05, Epochs: epochs, BatchSize: batch, Seed: seed}
}

// randomNetwork returns dense layers of the widths with ReLU between them, for samples of a shape with widths[0]
// numbers. Weights have the normal distribution that training starts from and stays close to in width [HZRS15, §2.2]:
// variance 2/inputs; biases are a tenth as wide.
//
// [HZRS15]: https://arxiv.org/abs/1502.01852
func randomNetwork(seed uint64, shape, widths []int) (*ml.Model, error) {
	r := rand.New(rand.NewPCG(seed, 0))
	var layers []ml.Layer
	if len(shape) > 1 {
		layers = append(layers, ml.Flatten())
	}
	for i, in := range widths[:len(widths)-1] {
		out := widths[i+1]
		width := math.Sqrt(2 / float64(in))
		w, b := make([]float64, out*in), make([]float64, out)
		for j := range w {
			w[j] = width * r.NormFloat64()
		}
		for j := range b {
			b[j] = 0.1 * width * r.NormFloat64()
		}
		t, err := ml.NewTensor([]int{out, in}, w)
		if err != nil {
			return nil, err
		}
		if i > 0 {
			layers = append(layers, ml.ReLU())
		}
		layers = append(layers, ml.Dense(t, b))
	}
	return ml.SequentialFor(shape, layers...)
}
