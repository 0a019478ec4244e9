package proveninference

import (
	_ "embed"

	"github.com/signet-ml/signet/examples/internal/notebook"
)

//go:embed proveninference.go
var text string

// Title is what the command line says about the notebook.
const Title = "MNIST: a prediction of a private model, with a proof that anyone checks"

// Sources is the notebook.
var Sources = []notebook.Source{{Text: text, Func: Run}}
