package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/signet-ml/signet/examples/internal/convolutions"
	"github.com/signet-ml/signet/examples/internal/notebook"
	"github.com/signet-ml/signet/examples/internal/privatemodel"
	"github.com/signet-ml/signet/examples/internal/quickstart"
	"github.com/signet-ml/signet/examples/internal/stage"
	"github.com/signet-ml/signet/ml/report"
)

// An example is a notebook, and what list shows of it.
type example struct {
	Name   string `json:"name"`
	Title  string `json:"title"`
	Stages bool   `json:"stages"` // stage takes it too

	sources []notebook.Source
	run     func(context.Context, *notebook.Recorder, notebook.Options) (*report.Summary, error)
	prepare func(context.Context, notebook.Options) (*stage.Prepared, error) // for stage
}

var examples = []example{
	{"quickstart", "two models predict on encrypted data: start here (stage takes the second model)", true,
		quickstart.Both, quickstart.Run, quickstart.PrepareMLP},
	{"quickstart-lr", quickstart.TitleLR, true, quickstart.LR, quickstart.RunLR, quickstart.PrepareLR},
	{"quickstart-mlp", quickstart.TitleMLP, true, quickstart.MLP, quickstart.RunMLP, quickstart.PrepareMLP},
	{"convolutions", convolutions.Title, true, convolutions.Sources, convolutions.Run, convolutions.Prepare},
	{"private-model", privatemodel.Title, true, privatemodel.Sources, privatemodel.Run, privatemodel.Prepare},
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
