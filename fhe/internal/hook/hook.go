// Package hook is where package fhe leaves the functions that the other packages of this module need and no other
// module may have: they name types of Lattigo and of internal packages, or pass the security gate. fhe cannot export
// them, and a package that fhe imports cannot name fhe's types, so each is kept here as a value.
//
// fhe sets them when it is initialised. Packages access and insecure, which import fhe and so are initialised later,
// give them their types back; nobody else may import this package, and the layering test enforces it.
package hook

// Functions of package fhe, with their types.
var (
	Lattice             any // func(fhe.Parameters) *lattice.Params
	SeededCiphertext    any // func(fhe.Parameters, [][]uint64, *lattice.Expansion, int, fhe.Scale) (*fhe.Ciphertext, error)
	SeededEvaluationKey any // func(fhe.Parameters, uint64, int, [][][]uint64, *lattice.Expansion) (*fhe.EvaluationKey, error)
	NewPublicKey        any // func(fhe.Parameters, fhe.KeyID, [][]uint64, *lattice.Expansion) (*fhe.PublicKey, error)
	InsecureParameters  any // func(fhe.ParametersLiteral) (fhe.Parameters, error)
)
