package quickstart

import (
	_ "embed"

	"github.com/signet-ml/signet/examples/internal/notebook"
)

//go:embed intro.go
var introSource string

// %% [markdown]
// # Predict on data that nobody else can read
//
// A data owner has samples and wants predictions. Somebody else has a server with a model. The owner encrypts the
// samples, the server computes on the ciphertexts, and only the owner can read what comes out. The scheme is CKKS: a
// ciphertext holds a vector of numbers, and ciphertexts can be added, multiplied and rotated without a secret key.
//
// Everything below is measured on the machine that wrote this page; nothing is simulated. The server is a process of
// its own, in a folder without a secret key.

// intro prints who takes part, before anything that takes time.
func intro(r *notebook.Recorder, name string) {
	// %%
	r.Printf("%s: models predict on data that the predicting process never sees.\n", name)
	r.Println(`
  owner   this process. It has the data and the secret key, and encrypts.
  server  another process, in a folder without a secret key. It has the model, the encrypted data and evaluation
          keys, which let it compute on encrypted numbers and not read them.`)
}
