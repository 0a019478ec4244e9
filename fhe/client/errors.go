package client

import "github.com/signet-ml/signet/fhe/program"

// ValueError says which value cannot be encrypted at a port. It does not hold the value, which is the owner's secret.
type ValueError = program.ValueError
