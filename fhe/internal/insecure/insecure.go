// Package insecure is the one door past the security gate, for the toy parameters of tests.
//
// Only fhe/fhetest may import this package; the layering test enforces it, and the compiler keeps every other module
// out.
package insecure

import (
	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/internal/hook"
)

// The hook is set: fhe is initialised before this package.
var parameters = hook.InsecureParameters.(func(fhe.ParametersLiteral) (fhe.Parameters, error))

// Parameters is fhe.NewParameters without the security gate. What it returns says that it is insecure.
func Parameters(lit fhe.ParametersLiteral) (fhe.Parameters, error) { return parameters(lit) }
