// Package encrypted compiles a model to encrypted inference.
//
//	plan, err := encrypted.Compile(model, encrypted.Target{Calibration: sample})
//	fmt.Println(plan) // parameters and security row, levels, bits, bytes, before any key exists
//
// Compile folds the model's layers into products, chooses a packing, searches the smallest legal CKKS parameters at
// which the noise model promises the precision asked for, and emits a program with its constants. The same ml.Model
// serves plaintext, encrypted and proved inference: how a layer is approximated belongs to the Target.
//
// One sample is packed into one ciphertext: a dense layer is a squat diagonal product (few giant steps) and a
// rotate-and-sum, two real features share a complex slot. A batch has one ciphertext per feature, samples in the
// slots: a dense layer is integer linear combinations, needs no rotations and no Galois keys.
//
// Whoever holds the Plan's constants holds the model: the server sees the weights. What the client decrypts is the
// output and nothing else: unused slots hold no partial sums.
package encrypted
