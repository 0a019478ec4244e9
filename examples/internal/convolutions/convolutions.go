package convolutions

// %% [markdown]
// # A convolutional network on encrypted images
//
// A convolution computes the same small sum at every place of an image. Under encryption an image is the slots of a
// ciphertext, and a sum over neighbours needs the neighbours in the same slot: the ciphertext has to be rotated, and
// rotations are what encrypted inference spends its time on. There are two ways out, and this notebook compiles one
// network for both and compares what they cost:
//
//   - **One ciphertext.** The client encrypts the image as it is. The server rotates.
//   - **Patches.** The client cuts the image into the patches that the kernel sees and encrypts those. The server
//     multiplies and adds, and rotates for one sum at the end only. The client sends more.
//
// Everything is measured on the machine that wrote this page. The server is a process of its own, without a secret key.

// %%
import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/signet-ml/signet/examples/internal/chart"
	"github.com/signet-ml/signet/examples/internal/notebook"
	"github.com/signet-ml/signet/examples/internal/samples"
	"github.com/signet-ml/signet/examples/internal/stage"
	"github.com/signet-ml/signet/fhe/engine/clear"
	"github.com/signet-ml/signet/ml/encrypted"
	"github.com/signet-ml/signet/ml/report"
	"github.com/signet-ml/signet/ml/train"
)

// %% [markdown]
// ## The network, trained in the clear
//
// Five maps of 5×5 with stride 2, a square, a hundred units, a square, ten scores. Squares stand where others have ReLUs:
// they are exact under encryption and cost one level each. Training keeps activations small, which keeps the modulus
// small.

// %%

// Prepare trains the network and says what to compile it for: one image in one ciphertext.
func Prepare(ctx context.Context, o notebook.Options) (*stage.Prepared, error) {
	fit, test, source, err := samples.MNIST(o.Data)
	if err != nil {
		return nil, err
	}
	_, test = test.Split(o.Seed, 0) // a random sample, in the proportions of the digits
	if test, err = samples.Head(test, o.Samples, 100); err != nil {
		return nil, err
	}
	p := &stage.Prepared{Name: "convolutions", Test: test, Source: source, Target: encrypted.Target{Calibration: fit.Head(1000).X}}
	spec, opts := train.MNISTSquareCNN(o.Seed)
	return p, p.Train(ctx, spec, fit, opts, o.Bars)
}

// A way is one of the two ways to compile, with what came of it.
type way struct {
	name  string
	r     *notebook.Recorder
	homes *stage.Homes
	stage.Outcome
	expected float64 // milliseconds for an image
}

// Run is the notebook.
func Run(ctx context.Context, r *notebook.Recorder, o notebook.Options) (s *report.Summary, err error) {
	// %%
	r.Println("convolutions: a convolutional network predicts on images that the predicting process never sees.")
	r.Println()
	p, err := Prepare(ctx, o)
	if err != nil {
		return nil, err
	}
	r.Say("data", "%d images to train, %d to predict (%s)", p.TrainSize, p.Test.Len(), p.Source)
	r.Say("train", "%d epochs in the clear, %.1f s\n%v", p.Epochs, p.Elapsed.Seconds(), p.Model)

	// %% [markdown]
	// ## Two plans
	//
	// A plan says everything about the encrypted run before any key exists. The target differs in one field.

	// %%
	sub, err := r.Sub("patches")
	if err != nil {
		return nil, err
	}
	one, patches := &way{name: "one ciphertext", r: r}, &way{name: "patches", r: sub}
	ways := []*way{one, patches}
	for _, w := range ways {
		if w.homes, err = stage.NewHomes(); err != nil {
			return nil, err
		}
		defer func() { err = errors.Join(err, w.homes.Remove()) }()
		q := *p
		q.Target.Patches = w == patches
		c, err := stage.Compile(ctx, w.homes.Dirs, &q)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", w.name, err)
		}
		w.Plan = c.Plan
		r.Printf("\n%s\n%v\n", w.name, w.Plan)
	}

	// %%
	var rows [][]string
	for _, w := range ways {
		_, worst := w.Plan.PredictedBits()
		rows = append(rows, []string{w.name, report.Bytes(w.Plan.InputBytes()), report.Bytes(w.Plan.KeysBytes()), fmt.Sprint(len(w.Plan.Keys())),
			fmt.Sprint(w.Plan.Program().Rotations()), report.Bytes(w.Plan.ConstantsBytes()), fmt.Sprintf("%.1f", worst)})
	}
	r.Table([]string{"way", "image, encrypted", "keys", "number of keys", "rotations", "constants", "bits promised"}, rows...)

	// %% [markdown]
	// ## Encrypted predictions
	//
	// The same images for both ways: keys, encryption, a server process with every processor, and a second one with one
	// thread that repeats three images and has to give the same bits.

	// %%
	for _, w := range ways {
		r.Printf("\n%s\n", w.name)
		if w.Keys, err = stage.Keygen(ctx, w.homes.Dirs, o.Bars); err != nil {
			return nil, err
		}
		r.Say("keys", "%v", w.Keys)
		if w.Encrypted, err = stage.Encrypt(ctx, w.homes.Dirs, o.Bars); err != nil {
			return nil, err
		}
		r.Say("encrypt", "%v", w.Encrypted)
		if w.Secrets, err = stage.FindSecrets(w.homes.Server); err != nil {
			return nil, err
		}
		if w.First, err = stage.Serve(ctx, o.Step, w.homes.Server, 0); err != nil {
			return nil, err
		}
		r.Say("server", "%v", w.First)
		if err := w.homes.CopySome(3); err != nil {
			return nil, err
		}
		if w.Second, err = stage.Serve(ctx, o.Step, w.homes.Again, 1); err != nil {
			return nil, err
		}
		r.Say("again", "process %d, %d thread: the same bits: %v", w.Second.PID, w.Second.Threads, w.Same())
		if w.Decrypted, err = stage.Decrypt(ctx, w.homes.Dirs, filepath.Join(w.r.Dir(), "predictions.csv"), o.Bars); err != nil {
			return nil, err
		}
	}

	// %% [markdown]
	// Encrypted labels are compared with two runs in the clear: of the model, and of the plan's twin, which is what the
	// ciphertexts really compute. With squares for activations both are the same network.

	// %%
	rows = nil
	for _, w := range ways {
		d := w.Decrypted
		rows = append(rows, []string{w.name, fmt.Sprintf("%.1f %%", 100*d.Accuracy), fmt.Sprintf("%.1f %%", 100*d.AccuracyClear),
			fmt.Sprintf("%.1f %%", 100*d.AgreementTwin), fmt.Sprintf("%.1f %%", 100*d.Agreement), fmt.Sprintf("%.1f", d.BitsTwin)})
	}
	r.Table([]string{"way", "right", "right in the clear", "labels as the twin", "labels as the model", "bits of precision"}, rows...)
	d := one.Decrypted
	png, err := chart.Confusion(fmt.Sprintf("%d images predicted under encryption, %.1f %% right", d.Samples, 100*d.Accuracy), d.Encrypted, d.Labels, d.Classes)
	if err != nil {
		return nil, err
	}
	if err := r.Image("confusion.png", "true digits against encrypted predictions", png); err != nil {
		return nil, err
	}

	// %% [markdown]
	// ## Where precision is lost
	//
	// `Compare` runs the program on the first image twice, encrypted and on plain numbers, and opens every ciphertext on
	// the way with the owner's key. Bits count from the root mean square of the error to that of the values. Three lines:
	// what was measured, what the compiler's noise model predicts, and what a run on numbers with simulated noise gives.

	// %%
	reports := map[*way]*clear.Report{}
	for _, w := range ways {
		if reports[w], err = stage.Compare(ctx, w.homes.Dirs, clear.Options{Domains: w.Plan.Domains()}); err != nil {
			return nil, err
		}
		r.Printf("\n%s\n%v\n", w.name, reports[w])
		c := chart.Categories{Title: "Precision after each layer: " + w.name, Names: "layer", Values: "bits of precision",
			Series: []chart.Series{{Name: "measured"}, {Name: "predicted"}, {Name: "simulated"}}}
		for _, l := range reports[w].Layers {
			c.Labels = append(c.Labels, l.Name)
			for k, v := range []float64{l.Out, l.Predicted, l.Simulated} {
				c.Series[k].Values = append(c.Series[k].Values, v)
			}
		}
		png, err := chart.Lines(c)
		if err != nil {
			return nil, err
		}
		if err := w.r.Image("precision.png", "precision after each layer: "+w.name, png); err != nil {
			return nil, err
		}
	}

	// %% [markdown]
	// ## What each layer costs
	//
	// A plan predicts the time of each layer before any key exists: it counts the work and multiplies by a table that was
	// measured once, on the machine that it names. The server reports how long each layer took, the median over all
	// images, and the fastest. On another machine, or one that is busy, all measured bars are longer by about one factor.

	// %%
	for _, w := range ways {
		expected, machine, err := predicted(w.Plan, w.First.Threads)
		if err != nil {
			return nil, err
		}
		c := chart.Categories{Title: fmt.Sprintf("Server time of each layer: %s, %d threads", w.name, w.First.Threads), Names: "layer", Values: "time for one image (ms)",
			Format: "%.1f", Series: []chart.Series{{Name: "predicted"}, {Name: "measured"}}}
		rows = nil
		var sum [3]float64
		for _, l := range w.First.Layers {
			guess := expected[l.Name]
			took, fastest := report.Median("", "", l.MS, "").Value, slices.Min(l.MS)
			sum[0], sum[1], sum[2] = sum[0]+guess, sum[1]+took, sum[2]+fastest
			if l.Name == "input" || l.Name == "output" {
				continue // copies
			}
			rows = append(rows, []string{l.Name, fmt.Sprintf("%.2f", guess), fmt.Sprintf("%.2f", took), fmt.Sprintf("%.2f", fastest)})
			c.Labels = append(c.Labels, l.Name)
			c.Series[0].Values, c.Series[1].Values = append(c.Series[0].Values, guess), append(c.Series[1].Values, took)
		}
		rows = append(rows, []string{"sum", fmt.Sprintf("%.2f", sum[0]), fmt.Sprintf("%.2f", sum[1]), fmt.Sprintf("%.2f", sum[2])})
		w.expected = sum[0]
		r.Printf("\n%s, %d threads; predicted for %s\n", w.name, w.First.Threads, machine)
		r.Table([]string{"layer", "predicted (ms)", "measured (ms)", "fastest (ms)"}, rows...)
		png, err := chart.Bars(c)
		if err != nil {
			return nil, err
		}
		if err := w.r.Image("cost.png", "time of each layer, predicted and measured: "+w.name, png); err != nil {
			return nil, err
		}
	}

	// %% [markdown]
	// ## Figures and checks

	// %%
	for _, w := range ways {
		r.Printf("\n%s\n", w.name)
		sum := w.Summary("convolutions-" + filepath.Base(w.r.Dir()))
		sum.Add(report.Number("predicted_ms", "ms", w.expected, 1, "what the plan expects for an image, on the machine of the library's table").On(w.First.Engine, w.First.Threads))
		sum.Check("labels under encryption are those of the twin on at least 99 %", w.Decrypted.AgreementTwin >= 0.99)
		sum.Check("no layer loses more precision than it may, no value leaves its range", reports[w].OK())
		if err := w.r.Finish(sum, map[string]string{"predictions.csv": "text/csv"}); err != nil {
			return nil, err
		}
		if w == one {
			s = sum
			s.Name = "convolutions"
			continue
		}
		if err := r.Join(s, w.name, sum); err != nil {
			return nil, err
		}
	}
	return s, nil
}
