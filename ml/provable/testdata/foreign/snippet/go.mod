// A module of its own: it sees of Signet what every user sees.
module example.com/snippet

go 1.26.0

require github.com/signet-ml/signet v0.0.0

replace github.com/signet-ml/signet => ../../../../..
