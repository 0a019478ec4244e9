package quickstart

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/signet-ml/signet/examples/internal/chart"
	"github.com/signet-ml/signet/examples/internal/notebook"
	"github.com/signet-ml/signet/examples/internal/samples"
	"github.com/signet-ml/signet/examples/internal/stage"
	"github.com/signet-ml/signet/ml/encrypted"
	"github.com/signet-ml/signet/ml/report"
	"github.com/signet-ml/signet/ml/train"
)

//go:embed mlp.go
var mlpSource string

// TitleMLP is what the command line says about the second model.
const TitleMLP = "MNIST: network 784-128-10 with square activation, one image at a time"

// %% [markdown]
// ## A network, one image at a time
//
// 784 pixels, a hidden layer of 128, ten digits. The activation is a square: it costs one multiplication of
// ciphertexts, where a ReLU has no exact polynomial at all. `Packing: encrypted.Single` puts one image into one
// ciphertext, for the lowest latency; products with weight matrices then need rotations, and keys for them.

// %%

// PrepareMLP trains the network and says what to compile it for.
func PrepareMLP(ctx context.Context, o notebook.Options) (*stage.Prepared, error) {
	fit, test, source, err := samples.MNIST(o.Data)
	if err != nil {
		return nil, err
	}
	_, test = test.Split(o.Seed, 0) // a random sample, in the proportions of the digits
	if test, err = samples.Head(test, o.Samples, 100); err != nil {
		return nil, err
	}
	p := &stage.Prepared{Name: "quickstart-mlp", Test: test, Source: source, Target: encrypted.Target{
		Calibration: fit.Head(1000).X, Packing: encrypted.Single}}
	spec, opts := train.MNISTSquareMLP(o.Seed)
	return p, p.Train(ctx, spec, fit, opts, o.Bars)
}

func runMLP(ctx context.Context, r *notebook.Recorder, o notebook.Options) (s *report.Summary, err error) {
	// %%
	r.Printf("\n%s\n", TitleMLP)
	p, err := PrepareMLP(ctx, o)
	if err != nil {
		return nil, err
	}
	r.Say("data", "%d samples to train, %d to predict (%s)", p.TrainSize, p.Test.Len(), p.Source)
	r.Say("train", "%d epochs in the clear, %.1f s: %v", p.Epochs, p.Elapsed.Seconds(), p.Model)

	// %% [markdown]
	// ### Compile, make keys, encrypt

	// %%
	homes, err := stage.NewHomes()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, homes.Remove()) }()
	c, err := stage.Compile(ctx, homes.Dirs, p)
	if err != nil {
		return nil, err
	}
	r.Println(c.Plan)
	k, err := stage.Keygen(ctx, homes.Dirs, o.Bars)
	if err != nil {
		return nil, err
	}
	r.Say("keys", "%v", k)
	e, err := stage.Encrypt(ctx, homes.Dirs, o.Bars)
	if err != nil {
		return nil, err
	}
	r.Say("encrypt", "%v", e)

	// %% [markdown]
	// ### The server, and a second one
	//
	// The second has one thread and repeats three images. The bits have to be the same.

	// %%
	secrets, err := stage.FindSecrets(homes.Server)
	if err != nil {
		return nil, err
	}
	first, err := stage.Serve(ctx, o.Step, homes.Server, 0)
	if err != nil {
		return nil, err
	}
	r.Say("server", "%v", first)
	if err := homes.CopySome(3); err != nil {
		return nil, err
	}
	second, err := stage.Serve(ctx, o.Step, homes.Again, 1)
	if err != nil {
		return nil, err
	}
	done := &stage.Outcome{Plan: c.Plan, Keys: k, Encrypted: e, Secrets: secrets, First: first, Second: second}
	r.Say("again", "process %d, %d thread, %d of %d inputs: the same bits: %v", second.PID, second.Threads, len(second.Outputs), len(first.Outputs), done.Same())

	// %% [markdown]
	// ### Back at the owner

	// %%
	d, err := stage.Decrypt(ctx, homes.Dirs, filepath.Join(r.Dir(), "predictions.csv"), o.Bars)
	if err != nil {
		return nil, err
	}
	done.Decrypted = d
	r.Say("decrypt", "%s back to the owner for each, %.1f ms", report.Bytes(first.Bytes), d.MS[0])
	r.Say("sees", "The server saw the model's weights, how many numbers go in and out, and when. It saw no sample, no\n"+
		"prediction, and not whether a prediction was right.")
	png, err := chart.Confusion(fmt.Sprintf("%d samples predicted under encryption, %.1f %% right", d.Samples, 100*d.Accuracy), d.Encrypted, d.Labels, d.Classes)
	if err != nil {
		return nil, err
	}
	if err := r.Image("confusion.png", "true digits against encrypted predictions", png); err != nil {
		return nil, err
	}

	// %% [markdown]
	// ### Figures and checks

	// %%
	s = done.Summary(p.Name)
	return s, r.Finish(s, map[string]string{"predictions.csv": "text/csv"})
}
