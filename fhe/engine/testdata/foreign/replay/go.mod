// A module of its own: it replays programs on Lattigo with nothing but what Signet exports.
module example.com/replay

go 1.26.0

require (
	github.com/signet-ml/signet v0.0.0
	github.com/tuneinsight/lattigo/v5 v5.0.7
)

replace github.com/signet-ml/signet => ../../../../..
