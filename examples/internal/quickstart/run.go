package quickstart

import (
	"context"

	"github.com/signet-ml/signet/examples/internal/notebook"
	"github.com/signet-ml/signet/ml/report"
)

// The sources of the notebook with both models, and of those with one.
var (
	Both = []notebook.Source{{Text: introSource, Func: intro}, {Text: lrSource, Func: runLR}, {Text: mlpSource, Func: runMLP}}
	LR   = []notebook.Source{{Text: introSource, Func: intro}, {Text: lrSource, Func: runLR}}
	MLP  = []notebook.Source{{Text: introSource, Func: intro}, {Text: mlpSource, Func: runMLP}}
)

// RunLR runs the notebook LR and returns its summary.
func RunLR(ctx context.Context, r *notebook.Recorder, o notebook.Options) (*report.Summary, error) {
	intro(r, "quickstart-lr")
	return runLR(ctx, r, o)
}

// RunMLP runs the notebook MLP and returns its summary.
func RunMLP(ctx context.Context, r *notebook.Recorder, o notebook.Options) (*report.Summary, error) {
	intro(r, "quickstart-mlp")
	return runMLP(ctx, r, o)
}

// Run runs the notebook Both. The first model's files go into a folder of their own, lr, and its figures and checks into
// the summary of the second as well.
func Run(ctx context.Context, r *notebook.Recorder, o notebook.Options) (*report.Summary, error) {
	intro(r, "quickstart")
	sub, err := r.Sub("lr")
	if err != nil {
		return nil, err
	}
	lr, err := runLR(ctx, sub, o)
	if err != nil {
		return nil, err
	}
	s, err := runMLP(ctx, r, o)
	if err != nil {
		return nil, err
	}
	s.Name = "quickstart"
	return s, r.Join(s, "lr", lr)
}
