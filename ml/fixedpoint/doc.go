// Package fixedpoint turns a trained model into integers: the twin of an [ml.Model] whose
// every operation is exact, so that a circuit can state it, and two machines cannot
// disagree on it.
//
// Use it to prepare a model for proofs, or wherever an answer must be the same bit by bit
// on every processor. Package ml/provable proves what this package computes.
//
//	q, err := fixedpoint.Quantize(model, fixedpoint.Options{Calibration: sample, Class: true})
//	if err != nil {
//		return err
//	}
//	in, err := q.Encode(x)              // real numbers to integers
//	out, err := q.Forward(in, x.Rows()) // exact; Trace gives every tensor on the way
//	labels := q.Labels(out)
//	report, err := q.Compare(model, test.X, test.Y)
//	fmt.Println(report) // accuracy beside float64, errors, ranges, what saturated
//
// # Numbers
//
// A tensor of integers q has a scale s, and stands for the real numbers q·s. Scales are
// float64 and only explain: no result depends on them but [Model.Encode] and
// [Model.Decode]. The same is true of the [Encoding] of an input whose features have units
// of their own. The integers of weights, shifts, intervals and tables are the model, and
// they are what [Write] stores and [Model.Digest] names. They are never made again from
// floats.
//
// Semantics version 1:
//
//   - Dense layers, convolutions, squares and sums are exact integers. The order of
//     additions cannot be seen.
//   - Rescale(x, M, s) is ⌊(x·M + 2^(s-1))/2^s⌋ with an arithmetic shift, so halves go towards
//     plus infinity for both signs; s = 0 has no rounding term. Saturation to an interval
//     follows, and is the only place where anything is lost.
//   - ReLU is a saturation at 0. Sigmoid, tanh, SiLU and GELU are tables of a rescaled and
//     saturated index.
//   - Of equal largest numbers the one with the lowest index wins an argmax. Padding never
//     wins a pool of maxima.
//
// # Intervals
//
// Every tensor has an interval that no input can leave ([Model.Intervals]), found from
// declared ranges and not from data. An input unlike any in the calibration set therefore
// has an answer too, and a proof: its numbers saturate as defined. A model whose numbers
// could reach 2^62 with worst-case weights is refused.
//
// # Scales
//
// Quantize rescales by powers of two only, where [Jacob18] multiplies by a constant for each
// layer. As the unit of the weights is a free real number, little is lost by it: results
// of any scale are reached by a shift, and by weights that use 64 to 127 of their 127
// levels. Weights have one unit per layer and lie in [-127, 127] by default; numbers lie in
// [0, 127] behind a ReLU, in [-127, 127] elsewhere, and squares and sums of them are taken
// as they are.
//
// The arguments of a table are multiples of a power of two, so that they are exact real
// numbers. Entries come from series in numbers of 192 bits, whose rules package math/big
// fixes, and are rounded to the nearest integer. An entry that the series puts closer than
// 2^-100 to a half would be refused; none that occurs is. So no entry depends on the
// processor. [Function] says which table it is.
//
// # Features
//
// Columns of real tables have different sizes and lie far from zero. If one unit for all
// of them would move a result of the first linear layer by more than a sixty-fourth of how
// far its results lie apart, every feature gets a unit and an offset of its own, and the
// weights of that layer absorb both, in front of any rounding, with a batch normalisation
// before it. Such an input has two bits more than activations. So it does not matter whether a model starts with a scaler or was trained on
// the columns as they are. Units are powers of two, and an interval has room for 1.25 to
// 2.5 times what calibration saw of its feature. Channels of an image share a unit. A
// convolution or a pool that pads has no offsets, as its zeros would have to move too.
// Where no linear layer reads the input, and only shape, means and normalisation lie in
// between, it keeps one scale.
//
// In the same way, rows of a hidden layer get one size where a ReLU, a square, a pool or
// nothing lies in front of the next linear layer, if that halves the error at least; and
// scores in front of an argmax lose what they have in common, if that leaves their
// differences four times the levels. Pixels and standardised columns need none of it.
//
// # New weights
//
// An [Architecture] is all of this without weights, scales and encoding. A model that was trained
// again keeps it with Options.Architecture, and then fits the keys that were made for the
// first one. Only the real numbers that its integers stand for differ.
//
// # Accuracy
//
// Of 10,000 test images of MNIST, trained on 60,000, with 1,000 of these for calibration,
// for seeds 1 and 2 of ml/train's presets:
//
//	                float64             8 bits              labels that differ
//	MNISTReluMLP    98.28 %, 98.30 %    98.28 %, 98.28 %    6, 4
//	MNISTReluLeNet  99.35 %, 99.34 %    99.33 %, 99.34 %    5, 2
//
// # What this package does not do
//
// It keeps nothing secret and proves nothing. It does not train: a model that loses too
// much at 8 bits needs more bits in [Options]. Residual connections and softmax have no
// form here; [UnsupportedError] names the nearest that has one.
//
// [Jacob18]: Quantization and Training of Neural Networks for Efficient
// Integer-Arithmetic-Only Inference, https://arxiv.org/abs/1712.05877
package fixedpoint
