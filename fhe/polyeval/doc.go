// Package polyeval evaluates polynomials on encrypted values: it fits an activation function by a polynomial in the
// Chebyshev basis and emits the operations that evaluate it into a program.
//
// Who should use it: code that compiles models into programs and meets a function that is no polynomial.
//
//	sigmoid, err := polyeval.Sigmoid(-8, 8, 15)  // largest error 2^-9.5, 4 levels
//	scale, shift := sigmoid.ChangeOfBasis()      // fold t = scale·x + shift into the layer before
//	...                                          // t is a value of the program, its slots in [-1, 1]
//	y, err := polyeval.Evaluate(b, t, sigmoid, b.Parameters().DefaultScale())
//
// The operations are those of Lattigo v5.0.7's own evaluator, recorded for the level and scale at hand, so an engine
// that executes them computes Lattigo's bits; see [Bossuat21, algorithm 1 and section 4] for the method and for how the
// result comes out at exactly the scale that was asked for.
//
// What it does not protect against: outside of its interval a Chebyshev polynomial explodes, and nobody sees it under
// encryption. Calibrate the interval on data and leave a margin. A value that was not mapped to [-1, 1] gives numbers
// without a meaning: Evaluate does not apply the change of basis.
//
// [Bossuat21]: Bossuat, Mouchet, Troncoso-Pastoriza, Hubaux: Efficient Bootstrapping for Approximate Homomorphic
// Encryption with Non-Sparse Keys, https://eprint.iacr.org/2020/1203
package polyeval
