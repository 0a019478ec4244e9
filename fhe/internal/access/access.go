// Package access reaches what package fhe holds and does not export: the rings of its parameters, and constructors that
// take an expanded seed. Engines, emitters and the client of this module use it; the compiler keeps other modules out.
package access

import (
	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/internal/hook"
	"github.com/signet-ml/signet/fhe/internal/lattice"
)

// The hooks are set: fhe is initialised before this package. A wrong type panics when a program starts.
var (
	latticeOf           = hook.Lattice.(func(fhe.Parameters) *lattice.Params)
	seededCiphertext    = hook.SeededCiphertext.(func(fhe.Parameters, [][]uint64, *lattice.Expansion, int, fhe.Scale) (*fhe.Ciphertext, error))
	seededEvaluationKey = hook.SeededEvaluationKey.(func(fhe.Parameters, uint64, int, [][][]uint64, *lattice.Expansion) (*fhe.EvaluationKey, error))
	newPublicKey        = hook.NewPublicKey.(func(fhe.Parameters, fhe.KeyID, [][]uint64, *lattice.Expansion) (*fhe.PublicKey, error))
)

// Lattice returns the rings of the parameters, which must not be the zero value. They are shared: nobody changes them.
func Lattice(p fhe.Parameters) *lattice.Params { return latticeOf(p) }

// SeededCiphertext returns a ciphertext of degree 1 that takes ownership of its limbs c0 of polynomial 0, checked for
// shape and range, and of the expansion that is polynomial 1, and carries the seed.
func SeededCiphertext(p fhe.Parameters, c0 [][]uint64, c1 *lattice.Expansion, logSlots int, scale fhe.Scale) (*fhe.Ciphertext, error) {
	return seededCiphertext(p, c0, c1, logSlots, scale)
}

// SeededEvaluationKey returns a key that takes ownership of b[digit][row], checked for shape and range, and of the
// expansion that is its other half, and carries the seed.
func SeededEvaluationKey(p fhe.Parameters, galois uint64, level int, b [][][]uint64, a *lattice.Expansion) (*fhe.EvaluationKey, error) {
	return seededEvaluationKey(p, galois, level, b, a)
}

// NewPublicKey returns a key that takes ownership of its limbs b[row], checked for shape and range, and of the
// expansion that is its other half.
func NewPublicKey(p fhe.Parameters, key fhe.KeyID, b [][]uint64, a *lattice.Expansion) (*fhe.PublicKey, error) {
	return newPublicKey(p, key, b, a)
}
