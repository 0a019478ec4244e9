// Package ml describes trained models and evaluates them in float64.
//
// A model here is mathematics, nothing else: a list of layers with float64 weights
// (dense, conv2d, average and maximum pooling, batch normalisation, residual blocks,
// square, ReLU, sigmoid, tanh, SiLU, GELU, softmax, flatten, reshape). How a layer is
// approximated under encryption, or quantised inside a proof, belongs to the
// compilers in [ml/encrypted] and [ml/provable]; both take the *[Model] of this
// package, and both are tested against its [Model.Forward]. This package is
// therefore the oracle of the library: when an encrypted or proved answer is
// said to be right, it is right compared with the number computed here.
//
//	m, err := ml.Load("credit.safetensors")
//	if err != nil {
//		return err
//	}
//	y, err := m.Forward(x)  // x is [n, features]; y is [n, outputs]
//	labels := m.Labels(y)   // class numbers; names in m.Classes()
//
// Models come from package ml/train, from a file ([Load], [Read]), or from code:
//
//	m, err := ml.Sequential(ml.Dense(w1, b1), ml.Square(), ml.Dense(w2, b2))
//
// # Shapes
//
// A [Tensor] is a shape and row-major data. A batch has the sample number as its
// first dimension: [n, in...]. A dense layer computes y = W·x + b for W of shape
// [out, in] and b of length out, the convention of PyTorch and of most papers, so
// weights copied from there need no transposition. Layers that mix features
// (dense, softmax) take flat samples; put [Flatten] in front of them when samples
// are images, and state the image's shape with [SequentialFor]. Convolutions and pools
// take images as [channels, height, width], as in PyTorch; put [Reshape] in front of
// them when samples are [height, width]:
//
//	m, err := ml.SequentialFor([]int{28, 28},
//		ml.Reshape(1, 28, 28),
//		ml.Conv2d(w1, b1, ml.ConvOptions{Stride: [2]int{2, 2}, Padding: [2]int{1, 1}}), // w1 is [5, 1, 5, 5]
//		ml.Square(), ml.Flatten(),
//		ml.Dense(w2, b2)) // w2 is [10, 845]
//
// # File format
//
// [Write] and [Read] use safetensors: 8 bytes of little-endian header length, a
// JSON header, then the tensors. The layer list is a JSON document in the header's
// __metadata__ under the key "signet", schema "signet/model/v1". Any safetensors
// reader can look at the weights and a few lines of Python can write a model;
// testdata/write_f32.py is such a script. Weights are written as F64; F64, F32, F16
// and BF16 are read, none with a loss. A layer carries its sizes beside the names of its tensors:
//
//	{"kind": "conv2d", "weight": "1.weight", "bias": "1.bias", "stride": [2, 2], "padding": [1, 1]}
//	{"kind": "avgpool2d", "kernel": [2, 2]}
//	{"kind": "residual", "body": [...], "shortcut": [...]}
//
// docs/howto/load-a-model.md lists the fields of every kind. A reader that does not know
// a kind refuses the file, so new kinds leave the schema as it is. [Read] is meant for bytes from strangers: it takes a limit, allocates
// in proportion to the bytes received, and reports what is wrong as *[FormatError].
//
// # Errors and concurrency
//
// Wrong shapes are *[ShapeError], NaN and infinities are *[NonFiniteError] and name
// the element, malformed files are *[FormatError]. Nothing is printed. A *Model is
// immutable and safe for concurrent use; a Tensor is a plain value whose Data may be
// shared, with the rules of a Go slice.
//
// # What this package does not do
//
// It keeps nothing secret: a Model is plaintext weights, and Forward sees plaintext
// inputs. Floating-point results may differ in the last bits between processor
// architectures, so they are never hashed or proved; the compilers encode weights as
// integers first.
//
// [ml/encrypted]: https://pkg.go.dev/github.com/signet-ml/signet/ml/encrypted
// [ml/provable]: https://pkg.go.dev/github.com/signet-ml/signet/ml/provable
package ml
