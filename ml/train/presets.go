package train

// MNISTSquareMLP returns the network 784-128(square)-10 of encrypted inference on MNIST,
// without a softmax at the end, and options that train it with small activations. Any
// set of flat samples or images with ten classes will do. Measured figures are in the
// package comment.
func MNISTSquareMLP(seed uint64) (Spec, Options) {
	return Spec{Layers: []LayerSpec{Dense(128), Square(), Dense(10)}}, Options{
		LearnRate:      0.004,
		FinalLearnRate: 1e-5,
		WeightDecay:    0.3,
		LabelSmoothing: 0.05,
		Epochs:         15,
		BatchSize:      128,
		Seed:           seed,
	}
}

// MNISTSquareCNN returns the small convolutional network of encrypted inference on
// MNIST: 5 maps of 5×5 with stride 2 and padding 1, which make 845 values of an image,
// square, 100 units, square, 10 scores; and options that train it with small
// activations. Any set of 28×28 images with ten classes will do.
//
// Accuracy, and largest magnitudes over the test images behind the convolution and the two
// dense layers, for seeds 1, 2 and 3:
//
//	60,000 images, 10,000 to test   99.02 %, 98.95 %, 98.95 %   at most 2.6, 7.1 and 9.1
//	embedded 8,000 and 1,000        97.1 %, 97.7 %, 98.1 %      at most 2.4, 5.0 and 8.4
//
// Training took 64 to 89 s on the full set and 8 to 10 s on the embedded one, on two
// cores of a Xeon that other work shared; the former is 56 s of processor time.
func MNISTSquareCNN(seed uint64) (Spec, Options) {
	return Spec{Layers: []LayerSpec{
			Conv2d(ConvSpec{Out: 5, Kernel: 5, Stride: 2, Padding: 1}), Square(),
			Dense(100), Square(),
			Dense(10),
		}}, Options{
			LearnRate:      0.004,
			FinalLearnRate: 1e-5,
			WeightDecay:    0.3,
			LabelSmoothing: 0.05,
			Epochs:         12,
			BatchSize:      128,
			Seed:           seed,
		}
}

// MNISTLeNet5 returns LeNet-5 [LBBH98] with squares for activations and means for
// subsampling: 6 maps of 5×5 with padding 2, 16 maps of 5×5, each followed by a square
// and a pool of 2×2, then 120, 84 and 10 units with squares between. It has 61,706
// weights and biases. Any set of 28×28 images with ten classes will do.
//
// Accuracy, and largest magnitudes over the test images behind the layers with weights, in
// order, for seeds 1 and 2, and on the embedded set 3:
//
//	60,000 images, 10,000 to test   99.42 %, 99.31 %         at most 2.0, 2.9, 4.8, 4.7 and 8.0
//	embedded 8,000 and 1,000        99.0 %, 98.6 %, 99.1 %   at most 1.8, 1.9, 3.2, 5.1 and 9.9
//
// Training took 3.5 to 4.3 minutes on the full set and 23 to 34 s on the embedded one, on
// two cores of a Xeon that other work shared; the latter is 22 s of processor time.
func MNISTLeNet5(seed uint64) (Spec, Options) {
	return Spec{Layers: []LayerSpec{
			Conv2d(ConvSpec{Out: 6, Kernel: 5, Padding: 2}), Square(), AvgPool2d(2, 0, 0),
			Conv2d(ConvSpec{Out: 16, Kernel: 5}), Square(), AvgPool2d(2, 0, 0),
			Dense(120), Square(),
			Dense(84), Square(),
			Dense(10),
		}}, Options{
			LearnRate:      0.003,
			FinalLearnRate: 1e-5,
			WeightDecay:    0.3,
			LabelSmoothing: 0.05,
			Epochs:         8,
			BatchSize:      64,
			Seed:           seed,
		}
}

// MNISTReluMLP returns the network 784-128(ReLU)-10 of proved inference on MNIST. A proof
// pays for a ReLU what it pays for any table, and integers want activations that fill
// their interval, so nothing here keeps scores small. Any set of flat samples or images
// with ten classes will do.
//
// Accuracy, for seeds 1 and 2, and on the embedded set 3:
//
//	60,000 images, 10,000 to test   98.28 %, 98.30 %
//	embedded 8,000 and 1,000        96.4 %, 96.2 %, 96.4 %
//
// Training took 32 to 33 s on the full set and 3 to 7 s on the embedded one, on two cores
// of an EPYC that other work shared. What integers of 8 bits make of it is in the comment
// of package ml/fixedpoint.
func MNISTReluMLP(seed uint64) (Spec, Options) {
	return Spec{Layers: []LayerSpec{Dense(128), ReLU(), Dense(10)}}, Options{
		LearnRate:      0.002,
		FinalLearnRate: 1e-5,
		WeightDecay:    0.1,
		LabelSmoothing: 0.05,
		Epochs:         15,
		BatchSize:      128,
		Seed:           seed,
	}
}

// MNISTReluLeNet returns LeNet-5 [LBBH98] with ReLU and means for subsampling, in the
// shape of [MNISTLeNet5] and with as many weights and biases, 61,706. Any set of 28×28
// images with ten classes will do.
//
// Accuracy, for seeds 1 and 2, and on the embedded set 3:
//
//	60,000 images, 10,000 to test   99.35 %, 99.34 %
//	embedded 8,000 and 1,000        98.8 %, 98.7 %, 99.0 %
//
// Training took 4.0 to 5.2 minutes on the full set and 43 to 53 s on the embedded one, on
// two cores of an EPYC that other work shared. What integers of 8 bits make of it is in
// the comment of package ml/fixedpoint.
func MNISTReluLeNet(seed uint64) (Spec, Options) {
	return Spec{Layers: []LayerSpec{
			Conv2d(ConvSpec{Out: 6, Kernel: 5, Padding: 2}), ReLU(), AvgPool2d(2, 0, 0),
			Conv2d(ConvSpec{Out: 16, Kernel: 5}), ReLU(), AvgPool2d(2, 0, 0),
			Dense(120), ReLU(),
			Dense(84), ReLU(),
			Dense(10),
		}}, Options{
			LearnRate:      0.003,
			FinalLearnRate: 1e-5,
			WeightDecay:    0.1,
			LabelSmoothing: 0.05,
			Epochs:         8,
			BatchSize:      64,
			Seed:           seed,
		}
}

// LogisticRegression returns one score with a sigmoid, and options for a small
// set of standardised features in two classes. It is fitted to the labels as they
// are, so that probabilities mean what they say; what a sigmoid under encryption
// costs for scores of that size is the compiler's to pay and to state.
//
// On the breast cancer set, over 10 splits of 80 : 20, it is right on 97.6 % of
// the test samples with a Brier score of 0.023. Predicted and observed frequencies
// are 0.03 apart on average, over 10 bins, and the largest score of any sample is 40.
func LogisticRegression(seed uint64) (Spec, Options) {
	return Spec{Layers: []LayerSpec{Dense(1), Sigmoid()}}, Options{
		LearnRate:      0.01,
		FinalLearnRate: 1e-4,
		WeightDecay:    0.1,
		Epochs:         30,
		BatchSize:      32,
		Seed:           seed,
	}
}
