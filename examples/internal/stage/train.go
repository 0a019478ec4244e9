package stage

import (
	"context"
	"time"

	"github.com/signet-ml/signet/examples/internal/ui"
	"github.com/signet-ml/signet/ml/data"
	"github.com/signet-ml/signet/ml/train"
)

// Train sets the model of p to one fitted to set, with how long that took.
func (p *Prepared) Train(ctx context.Context, spec train.Spec, set data.Dataset, opts train.Options, bars ui.Bars) error {
	step, done := bars.Start("train", opts.Epochs)
	defer done()
	start := time.Now()
	opts.Progress = func(p train.Progress) { step(p.Epoch) }
	m, err := train.Fit(ctx, spec, set, opts)
	p.Model, p.TrainSize, p.Epochs, p.Elapsed = m, set.Len(), opts.Epochs, time.Since(start)
	return err
}
