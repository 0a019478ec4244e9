// Package clear executes programs on numbers instead of ciphertexts: every value as its slots, in double precision,
// with the noise that the encrypted run would have. It serves three questions.
//
// What does the program compute? Execute runs it on tensors and returns tensors:
//
//	res, err := clear.Execute(ctx, prog, consts, map[string][]float64{"x": x}, clear.ExecuteOptions{})
//	y := res.Outputs["y"]
//
// What would a server answer? Open returns a program.Engine, for tests and for simulations before one pays for keys and
// encrypted runs. Its bundles are transparent: Encode makes them, Decode reads them, and no key is involved.
//
// Where does an encrypted run lose its precision? Compare runs a program on another engine and here, side by side,
// opens every intermediate value with the owner's help, and reports per operation and per layer.
//
// A program is followed to the letter: polynomials are evaluated as the program does it, never as the functions that
// they stand for, and constants are the integers that were encoded. What only a ciphertext has is checked instead: a
// value that does not fit its modulus is an *OverflowError, where an encrypted run would wrap around without a word.
//
// What it does not protect against: it protects nothing. A transparent bundle is readable by anyone, and a Report holds
// decrypted values, which are for the owner of the key only.
package clear
