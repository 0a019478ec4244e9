// Package polyeval evaluates polynomials on encrypted values: it fits an activation function by a polynomial in the
// Chebyshev basis, or a step by a composition of minimax polynomials, and emits the operations that evaluate it into a
// program.
//
// Who should use it: code that compiles models into programs and meets a function that is no polynomial.
//
//	sigmoid, err := polyeval.Within(polyeval.Sigmoid, -8, 8, 0.01)  // degree 15, largest error 2^-9.5, 4 levels
//	scale, shift := sigmoid.ChangeOfBasis()                         // fold t = scale·x + shift into the layer before
//	...                                                             // t is a value of the program, its slots in [-1, 1]
//	y, err := polyeval.Evaluate(b, t, sigmoid, b.Parameters().DefaultScale())
//
// Sigmoid, Tanh, GELU, SiLU and Exp are smooth: Within and At fit them, and any Function of yours, by one polynomial. A
// ReLU is not, and one polynomial gains a bit with each doubling of its degree. ReLU and Step compare instead:
//
//	relu, err := polyeval.ReLUWithin(8, 0.01)  // on [-8, 8], 12 levels
//	y, err := polyeval.EvaluateReLU(b, t, relu, b.Parameters().DefaultScale())
//
// The operations are those of Lattigo v5.0.7's own evaluator, recorded for the level and scale at hand, so an engine
// that executes them computes Lattigo's bits; see [Bossuat21, algorithm 1 and section 4] for the method and for how the
// result comes out at exactly the scale that was asked for.
//
// What it does not protect against: outside of its interval a Chebyshev polynomial explodes, and nobody sees it under
// encryption. Calibrate the interval on data and leave a margin. A value that was not mapped to [-1, 1] gives numbers
// without a meaning: no function here applies the change of basis. Domain tells a debug run, which knows the slots,
// what to check.
//
// [Bossuat21]: Bossuat, Mouchet, Troncoso-Pastoriza, Hubaux: Efficient Bootstrapping for Approximate Homomorphic
// Encryption with Non-Sparse Keys, https://eprint.iacr.org/2020/1203
//
// [LLNK20]: Lee, Lee, No, Kim: Minimax Approximation of Sign Function by Composite Polynomial for Homomorphic
// Comparison, https://eprint.iacr.org/2020/834
package polyeval
