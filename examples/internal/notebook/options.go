package notebook

import "github.com/signet-ml/signet/examples/internal/ui"

// Options are what a notebook is run with.
type Options struct {
	Data    string // folder with the full data sets; "" uses the embedded ones
	Seed    uint64 // of split and training; encryption is always random
	Samples int    // to predict; 0 means the notebook's own number
	Keys    string // folder for proving keys, which outlive a run
	Bars    ui.Bars
	// Step is the command that takes one step of this notebook in a process of its own: the name of the step is added
	// to it, and flags.
	Step []string
}
