// Package train fits the models of package ml in the clear, on gorgonia.
//
// An architecture is a [Spec] of mathematical layers, the data a [data.Dataset], and
// [Fit] returns an [ml.Model] whose weights are plain float64:
//
//	train, test, err := data.MNIST()
//	if err != nil {
//		return err
//	}
//	spec, opts := train.MNISTSquareMLP(1) // 784-128(square)-10
//	m, err := train.Fit(ctx, spec, train, opts)
//
// Layers are dense, convolutions, pools, batch normalisation and activations ([Spec]).
// [MNISTSquareMLP], [MNISTSquareCNN] and [MNISTLeNet5] are networks for encrypted
// inference with the options that train them; [MNISTReluMLP] and [MNISTReluLeNet] are
// their counterparts for proved inference. Their comments hold the figures.
//
// The last dense layer gives scores; the loss is the cross-entropy of their softmax (of
// their sigmoid when there is one score), computed from the scores and not from
// probabilities, so that confident answers neither overflow nor lose their gradient.
//
// # Models that will run encrypted
//
// Under CKKS a square costs one level and a large number costs precision or a larger
// modulus, so the size of activations matters as much as accuracy. Three habits, all of
// which the presets of networks follow, keep it small:
//
//   - Label smoothing. Without it training goes on enlarging scores after every
//     answer is right. With it probabilities are less sure than they should be, so
//     [LogisticRegression], whose output is a probability, goes without.
//   - Weight decay.
//   - A learning rate that ends near zero.
//
// Largest magnitudes over the 10,000 test images of MNIST for 784-128(square)-10, and
// accuracy, after 15 epochs on the 60,000 training images, seed 1, rate 0.004 and batch
// 128 unless said otherwise:
//
//	options                                            |before square|  |score|  accuracy
//	no decay, no smoothing                                     15.53    191.6   98.01 %
//	rate 0.002, batch 64, decay 0.5, smoothing 0.05             5.83     11.3   98.16 %
//	decay 0.3, smoothing 0.1                                    5.79      8.8   98.18 %
//	MNISTSquareMLP: decay 0.3, smoothing 0.05                   5.87     11.7   98.26 %
//
// Seeds 2 and 3 of the last line give 98.30 % and 98.19 %, with at most 7.3 before the
// square and scores of at most 11.9. On the embedded subset it reaches 97.1 %, 5.0 and 9.4.
//
// Square layers are initialised so that activations keep their size from layer to layer;
// two of them in a row train without special care. If a training diverges, Fit says so
// with *[DivergedError] instead of returning a model of NaN.
//
// # Reproducibility
//
// Options.Seed decides initial weights and the order of samples. Runs with the same seed
// on the same processor architecture give the same weights bit for bit, whatever the
// number of cores: parallel products are split by output, and sums over a batch into
// parts whose number is fixed. Other
// architectures may fuse multiplications with additions and differ in the last bits.
//
// # Speed
//
// Arithmetic is float32 on gonum's assembly kernels and needs no cgo. Convolutions are
// products of gonum's too, sample by sample, as operations of this package in gorgonia's
// graph. An epoch of the MLP above over 60,000 images takes about 1.2 s on two cores
// (Xeon, 2026-11), and the whole training 18 s; the convolutional presets state theirs.
// A step allocates little; memory is the set, the weights three times, and the
// activations of one batch.
//
// # What this package does not do
//
// Nothing here is private: the trainer sees data and weights. For training on encrypted
// data see ml/encrypted. The package prints nothing; see Options.Progress. Residual blocks
// of package ml have no counterpart in a [Spec].
//
// [He15]: Delving Deep into Rectifiers, https://arxiv.org/abs/1502.01852
// [IS15]: Batch Normalization, https://arxiv.org/abs/1502.03167
// [KB15]: Adam, https://arxiv.org/abs/1412.6980
// [LBBH98]: Gradient-based learning applied to document recognition, https://doi.org/10.1109/5.726791
// [LH19]: Decoupled Weight Decay Regularization, https://arxiv.org/abs/1711.05101
package train
