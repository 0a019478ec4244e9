package privatemodel

// %% [markdown]
// # A private model on private data
//
// Two owners who do not show each other what they have: one has images, the other a model. A third party computes, and
// is to see neither. There is one key pair, the data owner's:
//
//   - the **data owner** makes the keys, publishes evaluation keys and a *public* key, and encrypts images;
//   - the **model owner** encrypts the weights under that public key, and cannot decrypt anything, not even those;
//   - the **server** multiplies ciphertexts by ciphertexts and holds no key that decrypts;
//   - the data owner decrypts the predictions.
//
// Read the last section before you use this. Encrypted weights are safe from the server. They are not safe from a server
// that hands them to the owner of the key.

// %%
import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/signet-ml/signet/examples/internal/chart"
	"github.com/signet-ml/signet/examples/internal/notebook"
	"github.com/signet-ml/signet/examples/internal/samples"
	"github.com/signet-ml/signet/examples/internal/stage"
	"github.com/signet-ml/signet/ml/encrypted"
	"github.com/signet-ml/signet/ml/report"
	"github.com/signet-ml/signet/ml/train"
)

// %% [markdown]
// ## The model owner trains and compiles
//
// The network 784-128-10 with a square, as in the quickstart. `EncryptedWeights` makes every weight and bias an input of
// the program instead of a constant. Ranges are measured on data that the model owner has.

// %%

// Prepare trains the network and says what to compile it for.
func Prepare(ctx context.Context, o notebook.Options) (*stage.Prepared, error) {
	fit, test, source, err := samples.MNIST(o.Data)
	if err != nil {
		return nil, err
	}
	_, test = test.Split(o.Seed, 0) // a random sample, in the proportions of the digits
	if test, err = samples.Head(test, o.Samples, 100); err != nil {
		return nil, err
	}
	p := &stage.Prepared{Name: "private-model", Test: test, Source: source, Target: encrypted.Target{
		Calibration: fit.Head(1000).X, EncryptedWeights: true}}
	spec, opts := train.MNISTSquareMLP(o.Seed)
	return p, p.Train(ctx, spec, fit, opts, o.Bars)
}

// Run is the notebook.
func Run(ctx context.Context, r *notebook.Recorder, o notebook.Options) (s *report.Summary, err error) {
	// %%
	r.Println("private-model: neither images nor weights are seen by the process that predicts.")
	r.Println()
	p, err := Prepare(ctx, o)
	if err != nil {
		return nil, err
	}
	r.Say("data", "%d images to train, %d to predict (%s)", p.TrainSize, p.Test.Len(), p.Source)
	r.Say("train", "%d epochs in the clear, %.1f s: %v", p.Epochs, p.Elapsed.Seconds(), p.Model)

	// %%
	homes, err := stage.NewHomes() // a folder for each party, as on three machines
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, homes.Remove()) }()
	c, err := stage.Compile(ctx, homes.Dirs, p)
	if err != nil {
		return nil, err
	}
	r.Println(c.Plan)

	// %% [markdown]
	// The program's constants are empty now. The weights are ports, like the image:

	// %%
	var rows [][]string
	for _, port := range c.Plan.Program().Inputs() {
		rows = append(rows, []string{port.Name, fmt.Sprint(port.Count), fmt.Sprint(port.Level), fmt.Sprintf("%g", port.Bound)})
	}
	r.Table([]string{"port", "ciphertexts", "level", "values at most"}, rows...)

	// %% [markdown]
	// ## The data owner makes keys
	//
	// One secret key, evaluation keys for the server, and a public key for the model owner.

	// %%
	k, err := stage.Keygen(ctx, homes.Dirs, o.Bars)
	if err != nil {
		return nil, err
	}
	r.Say("keys", "%v\na public key of %s goes to the model owner", k, report.Bytes(k.Public))

	// %% [markdown]
	// ## The model owner encrypts the weights
	//
	// Under the data owner's public key, once for any number of images. A ciphertext under a public key is twice as long
	// as one under a secret key, whose random half is a seed.

	// %%
	w, err := stage.EncryptModel(ctx, homes.Dirs, o.Bars)
	if err != nil {
		return nil, err
	}
	r.Say("weights", "%v", w)

	// %% [markdown]
	// ## The data owner encrypts images, the server computes
	//
	// The server is a process of its own, and a second one repeats three images with one thread, for the same bits.

	// %%
	e, err := stage.Encrypt(ctx, homes.Dirs, o.Bars)
	if err != nil {
		return nil, err
	}
	r.Say("encrypt", "%v", e)
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
	r.Say("again", "process %d, %d thread: the same bits: %v", second.PID, second.Threads, done.Same())

	// %% [markdown]
	// ## The data owner decrypts
	//
	// Without the model, so all there is to see are labels. The example plays all parties; so it can do what none of them
	// could and compare with the model in the clear.

	// %%
	predictions := filepath.Join(r.Dir(), "predictions.csv")
	alone, err := stage.Decrypt(ctx, homes.WithoutModel(), predictions, o.Bars)
	if err != nil {
		return nil, err
	}
	r.Say("decrypt", "%d images, %.1f %% right", alone.Samples, 100*alone.Accuracy)
	d, err := stage.Decrypt(ctx, homes.Dirs, predictions, o.Bars)
	if err != nil {
		return nil, err
	}
	done.Decrypted = d
	r.Say("compare", "%.1f %% right in the clear, %.1f %% of the labels the same, %.1f bits of precision", 100*d.AccuracyClear, 100*d.Agreement, d.BitsTwin)
	png, err := chart.Confusion(fmt.Sprintf("%d images, weights and images encrypted, %.1f %% right", d.Samples, 100*d.Accuracy), d.Encrypted, d.Labels, d.Classes)
	if err != nil {
		return nil, err
	}
	if err := r.Image("confusion.png", "true digits against encrypted predictions", png); err != nil {
		return nil, err
	}

	// %% [markdown]
	// ## What it costs
	//
	// The same network with weights as constants, on the first ten images. The weights are ciphertexts now, so their
	// products have to be relinearised, and there are more operations.

	// %%
	plain, err := clearWeights(ctx, *p, o)
	if err != nil {
		return nil, err
	}
	rows = nil
	for _, v := range []struct {
		name string
		plan *encrypted.Plan
		run  *stage.Served
	}{{"encrypted", c.Plan, first}, {"constants", plain.Plan, plain.First}} {
		_, worst := v.plan.PredictedBits()
		rows = append(rows, []string{v.name, fmt.Sprintf("%.1f", report.Median("", "", v.run.MS, "").Value), report.Bytes(v.plan.KeysBytes()),
			report.Bytes(v.plan.InputBytes()), fmt.Sprint(len(v.plan.Program().Ops())), fmt.Sprintf("%.1f", worst)})
	}
	r.Table([]string{"weights", "server (ms)", "keys", "image", "operations", "bits promised"}, rows...)

	// %% [markdown]
	// ## Who holds what
	//
	// These are the files of the three parties. What is in public/ stands with the server; everybody may have it.

	// %%
	rows = nil
	for _, home := range []struct{ party, dir string }{{"data owner", homes.DataOwner}, {"model owner", homes.ModelOwner}, {"server", homes.Server}} {
		files, err := holdings(home.dir)
		if err != nil {
			return nil, err
		}
		for _, f := range files {
			rows = append(rows, []string{home.party, f.path, report.Bytes(f.bytes), meaning[f.path]})
		}
	}
	r.Table([]string{"party", "file", "size", "what it is"}, rows...)

	// %% [markdown]
	// What that lets them see:

	// %%
	r.Table([]string{"", "data owner", "model owner", "server"},
		[]string{"images", "yes", "no", "encrypted"},
		[]string{"predictions", "yes", "no", "encrypted"},
		[]string{"weights", "no (with the server: yes)", "yes", "encrypted"},
		[]string{"layers, their sizes, ranges of values", "yes", "yes", "yes"},
		[]string{"how many images, and when", "yes", "no", "yes"},
		[]string{"can decrypt", "everything", "nothing", "nothing"})

	// %% [markdown]
	// ## What crosses the wire

	// %%
	program, constants := c.Plan.Program().Bytes(), c.Plan.ConstantsBytes()
	r.Table([]string{"from", "to", "what", "size", "how often"},
		[]string{"model owner", "data owner, server", "parameters and program", report.Bytes(program), "once"},
		[]string{"model owner", "server", "constants", report.Bytes(constants), "once"},
		[]string{"data owner", "server", "evaluation keys", report.Bytes(k.Bytes), "once"},
		[]string{"data owner", "model owner", "public key", report.Bytes(k.Public), "once"},
		[]string{"model owner", "server", "encrypted weights", report.Bytes(w.Bytes), "once for each key"},
		[]string{"data owner", "server", "encrypted image", report.Bytes(e.Bytes), "for each image"},
		[]string{"server", "data owner", "encrypted scores", report.Bytes(first.Bytes), "for each image"})

	// %% [markdown]
	// ## What encrypted weights do not hide
	//
	// **The owner of the key can read the weights if the server hands them over.** They are encrypted under the data
	// owner's key: there is no other in this protocol. Here is the data owner with the server's file:

	// %%
	bits, err := stage.OpenWeights(homes.Dirs)
	if err != nil {
		return nil, err
	}
	r.Printf("  the owner of the key reads every weight in the server's file, at %.1f bits or more\n", bits)

	// %% [markdown]
	// So server and data owner must be parties that do not work together, and the model owner has to know which they are.
	// Keys that are shared between both owners are what helps; this library does not have them yet.
	//
	// Further:
	//
	//   - **The architecture is public**: the program shows layers, sizes and activations to server and data owner.
	//   - **Ranges are public**: bounds of weights and activations are in the ports and scales, and they were measured on
	//     the model owner's calibration data.
	//   - **Predictions are functions of the weights.** The data owner sees ten scores for each image. Whoever may ask
	//     often enough can solve for a model that predicts the same: this one is a polynomial of degree 2 in the pixels,
	//     so linear algebra does it.
	//   - **Nothing is proved.** A server can compute something else, or with other weights; a second server that
	//     gives the same bits is a reason to believe the first only if the two do not work together.
	//   - **Decrypted values are for the data owner alone.** They carry noise that depends on the secret key; whoever
	//     sees them beside the ciphertexts can solve for the key. So the data owner must not report scores back.

	// %% [markdown]
	// ## Figures and checks

	// %%
	owned, err := holdings(homes.DataOwner)
	if err != nil {
		return nil, err
	}
	served, err := holdings(homes.Server)
	if err != nil {
		return nil, err
	}
	s = done.Summary(p.Name)
	s.Add(report.Number("weights_bytes", "B", float64(w.Bytes), len(w.Ports), "encrypted weights, to the server, once for each key"),
		report.Number("encrypt_weights_ms", "ms", w.MS, 1, "by the model's owner"),
		report.Number("public_key_bytes", "B", float64(k.Public), 1, "to the model's owner"),
		report.Median("constant_weights_server_ms", "ms", plain.First.MS, "the same network with weights as constants").On(first.Engine, first.Threads))
	s.Check("the program's constants hold no weights", len(c.Plan.Constants().All()) == 0)
	s.Check("neither data owner nor server has a file of the model", !slices.ContainsFunc(append(owned, served...), holding.ofModel))
	s.Check("the data owner's labels are the same without the model", report.Agreement(alone.Encrypted, d.Encrypted) == 1)
	s.Check("the key's owner can read the server's weights, as this page says", bits > 8)
	return s, r.Finish(s, map[string]string{"predictions.csv": "text/csv"})
}

// %% [markdown]
// ## Helpers

// %%

// clearWeights predicts ten images with the weights as constants.
func clearWeights(ctx context.Context, p stage.Prepared, o notebook.Options) (out *stage.Outcome, err error) {
	homes, err := stage.NewHomes()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, homes.Remove()) }()
	p.Target.EncryptedWeights, p.Test = false, p.Test.Head(10)
	c, err := stage.Compile(ctx, homes.Dirs, &p)
	if err != nil {
		return nil, err
	}
	if _, err := stage.Keygen(ctx, homes.Dirs, o.Bars); err != nil {
		return nil, err
	}
	if _, err := stage.Encrypt(ctx, homes.Dirs, o.Bars); err != nil {
		return nil, err
	}
	run, err := stage.Serve(ctx, o.Step, homes.Server, 0)
	return &stage.Outcome{Plan: c.Plan, First: run}, err
}

type holding struct {
	path  string
	bytes int64
}

func (h holding) ofModel() bool { return strings.HasPrefix(h.path, "model/") }

// meaning says what the files of a party are.
var meaning = map[string]string{
	"secret/key":              "decrypts everything",
	"data/samples.csv":        "images and labels",
	"data/manifest.json":      "how many, and names of the classes",
	"model/model.safetensors": "the model",
	"model/weights.json":      "weights as they are packed, expected scores",
	"public/parameters":       "for everybody",
	"public/program":          "what to compute: no weights",
	"public/constants":        "empty",
	"public/keys":             "evaluation keys: compute, do not decrypt",
	"public/encryption-key":   "encrypts, does not decrypt",
	"weights/weights.bundle":  "encrypted weights",
	"in/*.bundle":             "encrypted images, all",
	"out/*.bundle":            "encrypted scores, all",
}

// holdings lists the files below a folder. Bundles of samples are one line together.
func holdings(dir string) ([]holding, error) {
	var out []holding
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		st, err := os.Stat(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		name = filepath.ToSlash(name)
		for _, sub := range []string{"in/", "out/"} {
			if strings.HasPrefix(name, sub) {
				name = sub + "*" + stage.Suffix
			}
		}
		if n := len(out); n > 0 && out[n-1].path == name {
			out[n-1].bytes += st.Size()
			return nil
		}
		out = append(out, holding{name, st.Size()})
		return nil
	})
	return out, err
}
