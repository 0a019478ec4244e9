// A module of its own: it has the curve's arithmetic, a hash, and nothing of Signet.
module example.com/verifier

go 1.26.0

require (
	github.com/consensys/gnark-crypto v0.21.0
	golang.org/x/crypto v0.54.0
)
