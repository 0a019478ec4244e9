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
// [Model.Decode]. The integers of weights, shifts, intervals and tables are the model, and
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
// declared ranges and not from data: [Jacob18] and most after it calibrate ranges, and a
// later input that exceeds them has no proof. Here it has one, and its numbers saturate as
// defined. A model whose numbers could reach 2^62 with worst-case weights is refused.
//
// # Scales
//
// Quantize multiplies by powers of two only. As long as the unit of the weights is free,
// nothing is lost by it: results of any scale are reached by a shift and by weights that
// use 64 to 127 of their 127 levels. Weights have one unit per layer, [-127, 127] by
// default; behind a ReLU numbers lie in [0, 127], elsewhere in [-127, 127].
//
// The arguments of a table are multiples of a power of two, so that they are exact real
// numbers. Entries are computed with 192 bits from series of exact terms and rounded, and a
// rounding that would depend on the last hundred bits is refused: no entry depends on the
// machine. [Function] says which table it is.
//
// # New weights
//
// An [Architecture] is all of this without weights and scales. A model that was trained
// again keeps it with Options.Architecture, and then fits the keys that were made for the
// first one. Only the real numbers that its integers stand for differ.
//
// # Accuracy
//
// Of 10,000 test images of MNIST, trained on 60,000, with 1,000 of these for calibration,
// for seeds 1 and 2 of ml/train's presets:
//
//	              float64             8 bits             labels that differ
//	MNISTReluMLP    98.28 %, 98.30 %    98.28 %, 00.00 %    6, 0
//	MNISTReluLeNet  99.35 %, 99.34 %    99.36 %, 00.00 %    1, 0
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
