package docs_test

import (
	"testing"

	"github.com/signet-ml/signet/fhe/fhetest"
)

// TestProofsPage verifies the goldens, and changes of them, with a module that was written from reference/proofs.md and
// has nothing of Signet.
func TestProofsPage(t *testing.T) {
	fhetest.RunForeign(t, "../zk/testdata/foreign/verifier", "..")
}
