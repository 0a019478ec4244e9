// Package encrypted compiles a model to encrypted inference.
//
//	plan, err := encrypted.Compile(model, encrypted.Target{Calibration: sample})
//	fmt.Println(plan) // parameters and security row, levels, bits, bytes, before any key exists
//
// Compile collects linear layers (dense, convolution, average pool, batch norm, what a residual connection adds) in one
// sparse matrix until an activation ends them: a stage. It fits a polynomial to every activation on the range that the
// calibration set shows, chooses how every stage's product is computed and in which slots its result lies, searches the
// smallest legal CKKS parameters at which the noise model promises the precision asked for, and emits a program with
// its constants. The same ml.Model serves plaintext, encrypted and proved inference: how a layer is approximated
// belongs to the Target.
//
// One sample is packed into one or a few ciphertexts. A product is a sum of diagonals built from the entries of its
// matrix between two layouts, so a convolution of any stride, padding, dilation and number of groups takes one level
// [Orion]; layouts of images are multiplexed grids [LKLL22] with phases, which make a pooling a rotate-and-sum without
// a level; they are found by a beam search over the cost of the products. The first product is packed by the client for
// it: replicas, two real numbers in a complex slot, or patches. A batch has one ciphertext per feature, samples in the
// slots: a stage is integer linear combinations, needs no rotations and no Galois keys.
//
// Whoever holds the Plan's constants holds the model: the server sees the weights, unless the target encrypts them too.
// What the client decrypts is the output and nothing else: unused slots hold no partial sums.
//
// [Orion]: https://arxiv.org/abs/2311.03470
// [LKLL22]: https://eprint.iacr.org/2021/1688
package encrypted
