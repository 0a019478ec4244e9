package encrypted_test

import (
	"testing"

	"github.com/signet-ml/signet/fhe/fhetest"
)

// TestSnippetInForeignModule: a module of its own runs the first snippet of the documentation.
func TestSnippetInForeignModule(t *testing.T) {
	fhetest.RunForeign(t, "testdata/foreign/snippet", "../..")
}
