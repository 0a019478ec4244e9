package convolutions

import (
	_ "embed"

	"github.com/signet-ml/signet/examples/internal/notebook"
)

//go:embed convolutions.go
var text string

// Title is what the command line says about the notebook.
const Title = "MNIST: a convolutional network, an image sent in one ciphertext or in patches"

// Sources is the notebook.
var Sources = []notebook.Source{{Text: text, Func: Run}}
