package engine_test

import (
	"testing"

	"github.com/signet-ml/signet/fhe/fhetest"
)

// TestReplayOnStockLattigo: a module of its own replays compiled programs on Lattigo's evaluators and gets the engine's
// digests.
func TestReplayOnStockLattigo(t *testing.T) {
	fhetest.RunForeign(t, "testdata/foreign/replay", "../..")
}
