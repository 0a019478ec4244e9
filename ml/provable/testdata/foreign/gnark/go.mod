// A module of its own: it has gnark and nothing of Signet.
module example.com/plain

go 1.26.0

require (
	github.com/consensys/gnark v0.16.0
	github.com/consensys/gnark-crypto v0.21.0
)
