package fhetest

import (
	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/internal/insecure"
)

// InsecureParams returns parameters that skip the security gate, for tests. They protect nothing.
func InsecureParams(lit fhe.ParametersLiteral) (fhe.Parameters, error) {
	return insecure.Parameters(lit)
}
