package fhe

import (
	"github.com/signet-ml/signet/fhe/internal/hook"
	"github.com/signet-ml/signet/fhe/internal/lattice"
)

// What the other packages of this module need and no other module may have: a caller who holds the rings could change a
// modulus under parameters that are immutable, and one who names a seed could pretend that a client drew it.
func init() {
	hook.Lattice = func(p Parameters) *lattice.Params { return p.p.rings }
	hook.SeededCiphertext = seededCiphertext
	hook.SeededEvaluationKey = seededEvaluationKey
	hook.NewPublicKey = newPublicKey
	hook.InsecureParameters = func(lit ParametersLiteral) (Parameters, error) { return newParameters(lit, true) }
}
