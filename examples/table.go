package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/signet-ml/signet/examples/internal/convolutions"
	"github.com/signet-ml/signet/examples/internal/notebook"
	"github.com/signet-ml/signet/examples/internal/privatemodel"
	"github.com/signet-ml/signet/examples/internal/proveninference"
	"github.com/signet-ml/signet/examples/internal/quickstart"
	"github.com/signet-ml/signet/ml/report"
)

// An example is a notebook, and what list shows of it.
type example struct {
	Name   string `json:"name"`
	Title  string `json:"title"`
	Stages bool   `json:"stages"` // stage takes it too
	Steps  steps  `json:"steps"`  // through these

	sources []notebook.Source
	run     func(context.Context, *notebook.Recorder, notebook.Options) (*report.Summary, error)
	// recap, if set, is what run prints of a summary and the folder of its files, instead of all that the notebook does.
	recap func(s *report.Summary, dir string) string
}

var examples = []example{
	{"quickstart", "two models predict on encrypted data: start here (stage takes the second model)", true,
		encrypted(quickstart.PrepareMLP), quickstart.Both, quickstart.Run, quickstart.Recap},
	{"quickstart-lr", quickstart.TitleLR, true, encrypted(quickstart.PrepareLR), quickstart.LR, quickstart.RunLR, quickstart.Recap},
	{"quickstart-mlp", quickstart.TitleMLP, true, encrypted(quickstart.PrepareMLP), quickstart.MLP, quickstart.RunMLP, quickstart.Recap},
	{"convolutions", convolutions.Title, true, encrypted(convolutions.Prepare), convolutions.Sources, convolutions.Run, nil},
	{"private-model", privatemodel.Title, true, encrypted(privatemodel.Prepare), privatemodel.Sources, privatemodel.Run, nil},
	{"proven-inference", proveninference.Title, true, proven(proveninference.Prepare), proveninference.Sources, proveninference.Run, nil},
}

func find(name string) (example, error) {
	var names []string
	for _, e := range examples {
		if e.Name == name {
			return e, nil
		}
		names = append(names, e.Name)
	}
	return example{}, &usageError{fmt.Errorf("there is no example %q; there are %s", name, strings.Join(names, ", "))}
}
