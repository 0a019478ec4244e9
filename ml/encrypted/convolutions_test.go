package encrypted

import (
	"testing"

	"github.com/signet-ml/signet/ml"
)

// convolutions are the networks of images in the table that encrypted results are compared on.
func convolutions() []network {
	square := ml.Square()
	pad := ml.ConvOptions{Padding: [2]int{1, 1}}
	model := func(shape []int, layers ...ml.Layer) func(tb testing.TB) *ml.Model {
		return func(tb testing.TB) *ml.Model {
			m, err := ml.SequentialFor(shape, layers...)
			if err != nil {
				tb.Fatal(err)
			}
			return m
		}
	}
	stride := model([]int{1, 8, 8}, half(4, 1, 1), square, ml.Flatten(), dense(3, 64, 2))
	pool := model([]int{1, 8, 8}, same(4, 1, 1), square, ml.AvgPool2d(2, 2, 0), same(6, 4, 2), square, ml.Flatten(), dense(3, 96, 3))
	projection := model([]int{2, 8, 8}, same(4, 2, 1), square, ml.Residual([]ml.Layer{half(6, 4, 2), norm(6, 3), square, same(6, 6, 4)}, half(6, 4, 5)), ml.Flatten(), dense(4, 96, 6))
	list := []network{
		{name: "conv stride 2", model: stride},
		{name: "conv batch", model: stride, target: Target{Batch: 30}},
		{name: "conv, pool, conv", model: pool},
		{name: "pool of 4", model: model([]int{3, 8, 8}, same(4, 3, 1), square, ml.AvgPool2d(4, 4, 0), ml.Flatten(), dense(3, 16, 3))},
		{name: "dilation", model: model([]int{2, 9, 9}, kernel(3, 2, [2]int{3, 3}, ml.ConvOptions{Dilation: [2]int{2, 2}}, 1), square, ml.Flatten(), dense(3, 75, 2))},
		{name: "groups", model: model([]int{4, 6, 6}, kernel(8, 4, [2]int{3, 3}, ml.ConvOptions{Padding: [2]int{1, 1}, Groups: 4}, 1), square, kernel(4, 8, [2]int{1, 1}, ml.ConvOptions{Groups: 2}, 2), square, ml.Flatten(), dense(3, 144, 3))},
		{name: "kernel 2 × 3", model: model([]int{1, 7, 10}, kernel(3, 1, [2]int{2, 3}, ml.ConvOptions{Stride: [2]int{1, 2}, Padding: [2]int{1, 0}}, 1), square, ml.Flatten(), dense(2, 96, 2))},
		{name: "batchnorm", model: model([]int{3, 6, 6}, norm(3, 1), same(4, 3, 2), norm(4, 3), square, norm(4, 4), half(4, 4, 5), ml.Flatten())},
		{name: "image out", model: model([]int{1, 6, 6}, same(2, 1, 1), square, same(3, 2, 2))},
		{name: "residual", model: model([]int{2, 6, 6}, same(3, 2, 1), square, ml.Residual([]ml.Layer{kernel(3, 3, [2]int{3, 3}, pad, 2), square, same(3, 3, 3)}), ml.Flatten(), dense(3, 108, 4))},
		{name: "projection", model: projection},
		{name: "residual of the input", model: model([]int{2, 6, 6}, ml.Residual([]ml.Layer{same(2, 2, 1), square}), ml.Flatten(), dense(3, 72, 2))},
		{name: "several ciphertexts in", model: model([]int{9000}, dense(3, 9000, 1), square)},
		{name: "several ciphertexts out", model: model([]int{5}, dense(9000, 5, 1))},
		{name: "several ciphertexts of sigmoids", model: model([]int{5}, scaled(9000, 5, 2, 1), ml.Sigmoid()), target: Target{ServerActivation: true}},
		{name: "patches", model: stride, target: Target{Patches: true}},
		{name: "patches of colours", model: model([]int{3, 12, 12}, half(5, 3, 1), square, ml.Flatten(), dense(3, 180, 2)), target: Target{Patches: true}},
		{name: "encrypted weights", model: model([]int{1, 6, 6}, half(2, 1, 1), square, ml.Flatten(), dense(3, 18, 2)), target: Target{EncryptedWeights: true}},
		{name: "encrypted weights of an MLP", model: model([]int{20}, dense(16, 20, 1), square, dense(3, 16, 2)), target: Target{EncryptedWeights: true}},
		{name: "encrypted weights, residual", model: model([]int{12}, dense(8, 12, 1), square, ml.Residual([]ml.Layer{dense(8, 8, 2), square}), dense(3, 8, 3)), target: Target{EncryptedWeights: true}},
		{name: "encrypted weights of patches", model: model([]int{1, 8, 8}, half(3, 1, 1), square, ml.Flatten(), dense(2, 48, 2)), target: Target{Patches: true, EncryptedWeights: true}},
	}
	return list
}
