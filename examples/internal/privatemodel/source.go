package privatemodel

import (
	_ "embed"

	"github.com/signet-ml/signet/examples/internal/notebook"
)

//go:embed privatemodel.go
var text string

// Title is what the command line says about the notebook.
const Title = "MNIST: one owner's weights and another's images, all encrypted (stage has a step more: encrypt-model)"

// Sources is the notebook.
var Sources = []notebook.Source{{Text: text, Func: Run}}
