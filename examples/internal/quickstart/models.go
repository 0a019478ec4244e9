package quickstart

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/signet-ml/signet/examples/internal/stage"
	"github.com/signet-ml/signet/examples/internal/ui"
	"github.com/signet-ml/signet/ml"
	"github.com/signet-ml/signet/ml/data"
	"github.com/signet-ml/signet/ml/encrypted"
	"github.com/signet-ml/signet/ml/train"
)

// Options are what all models take.
type Options struct {
	Data    string // folder with the full data sets; "" uses the embedded ones
	Seed    uint64 // of split and training; encryption is always random
	Samples int    // to predict; 0 means the model's own number
	Bars    ui.Bars
}

// Trained is a model with how it came about.
type Trained struct {
	stage.Prepared
	TrainSize int
	Epochs    int
	Elapsed   time.Duration
}

// Model is one of quickstart's two.
type Model struct {
	Name    string // for command lines
	Title   string
	Samples int // predicted by default
	train   func(context.Context, Options) (*Trained, error)
}

// Prepare trains the model and says what to compile it for.
func (m *Model) Prepare(ctx context.Context, o Options) (*Trained, error) {
	if o.Samples == 0 {
		o.Samples = m.Samples
	}
	if o.Samples < 0 {
		return nil, fmt.Errorf("%d samples: at least 1", o.Samples)
	}
	t, err := m.train(ctx, o)
	if err != nil {
		return nil, err
	}
	t.Name = m.Name
	return t, nil
}

// LR is a logistic regression on the breast cancer set: all samples in one run, the sigmoid on the server.
var LR = &Model{"quickstart-lr", "breast cancer: logistic regression, a whole batch at once, sigmoid on the server", 114, trainLR}

// MLP is a network on MNIST: one image at a time.
var MLP = &Model{"quickstart-mlp", "MNIST: network 784-128-10 with square activation, one image at a time", 100, trainMLP}

func fit(ctx context.Context, spec train.Spec, set data.Dataset, opts train.Options, bars ui.Bars) (*ml.Model, time.Duration, error) {
	step, done := bars.Start("train", opts.Epochs)
	defer done()
	start := time.Now()
	opts.Progress = func(p train.Progress) { step(p.Epoch) }
	m, err := train.Fit(ctx, spec, set, opts)
	return m, time.Since(start), err
}

func trainLR(ctx context.Context, o Options) (*Trained, error) {
	source := "embedded, Wolberg, Street and Mangasarian, CC BY 4.0"
	ds, err := data.BreastCancer()
	if err == nil && o.Data != "" {
		full, e := data.LoadBreastCancer(o.Data)
		var missing *data.MissingFileError
		switch {
		case e == nil:
			ds, source = full, "from "+o.Data
		case !errors.As(e, &missing):
			err = e
		}
	}
	if err != nil {
		return nil, err
	}
	fitSet, test := ds.Split(o.Seed, 0.8)
	fitSet, scaler := fitSet.Standardize()
	if test, err = scaler.Apply(test); err != nil {
		return nil, err
	}
	test = test.Head(o.Samples)
	spec, opts := train.LogisticRegression(o.Seed)
	m, elapsed, err := fit(ctx, spec, fitSet, opts, o.Bars)
	if err != nil {
		return nil, err
	}
	target := encrypted.Target{Calibration: fitSet.X, Packing: encrypted.Batch, Batch: max(test.Len(), 2), ServerActivation: true}
	return &Trained{stage.Prepared{Model: m, Target: target, Test: test, Source: source}, fitSet.Len(), opts.Epochs, elapsed}, nil
}

// calibration is how many training images measure the ranges inside the network.
const calibration = 1000

func trainMLP(ctx context.Context, o Options) (*Trained, error) {
	source := "embedded subset, LeCun, Cortes and Burges, CC BY-SA 3.0"
	load := data.MNIST
	if o.Data != "" {
		source = "from " + o.Data
		load = func() (data.Dataset, data.Dataset, error) { return data.LoadMNIST(o.Data) }
	}
	fitSet, test, err := load()
	if err != nil {
		return nil, err
	}
	_, test = test.Split(o.Seed, 0) // a random sample, in the proportions of the digits
	test = test.Head(o.Samples)
	spec, opts := train.MNISTSquareMLP(o.Seed)
	m, elapsed, err := fit(ctx, spec, fitSet, opts, o.Bars)
	if err != nil {
		return nil, err
	}
	target := encrypted.Target{Calibration: fitSet.Head(calibration).X, Packing: encrypted.Single}
	return &Trained{stage.Prepared{Model: m, Target: target, Test: test, Source: source}, fitSet.Len(), opts.Epochs, elapsed}, nil
}
