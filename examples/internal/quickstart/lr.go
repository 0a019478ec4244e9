package quickstart

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"math"
	"path/filepath"

	"github.com/signet-ml/signet/examples/internal/chart"
	"github.com/signet-ml/signet/examples/internal/notebook"
	"github.com/signet-ml/signet/examples/internal/samples"
	"github.com/signet-ml/signet/examples/internal/stage"
	"github.com/signet-ml/signet/ml/encrypted"
	"github.com/signet-ml/signet/ml/report"
	"github.com/signet-ml/signet/ml/train"
)

//go:embed lr.go
var lrSource string

// TitleLR is what the command line says about the first model.
const TitleLR = "breast cancer: logistic regression, a whole batch at once"

// %% [markdown]
// ## First model: logistic regression, a batch at once
//
// The Breast Cancer Wisconsin set has 569 tumours with 30 measurements each, benign or malignant. A fifth of them is
// kept for the test. Features are scaled by the mean and the deviation of the training set, which belong to the model.
//
// `Target` says what to compile for: `Calibration` is data on which ranges are measured, and `Batch` puts the test
// samples into the slots of one set of ciphertexts. The server computes scores. The sigmoid that makes probabilities of
// them is left to the owner, who applies it after decryption, exactly; `ServerActivation` would have the server evaluate
// it, as a polynomial.

// %%

// PrepareLR trains the logistic regression and says what to compile it for.
func PrepareLR(ctx context.Context, o notebook.Options) (*stage.Prepared, error) {
	ds, source, err := samples.BreastCancer(o.Data)
	if err != nil {
		return nil, err
	}
	fit, test := ds.Split(o.Seed, 0.8)
	fit, scaler := fit.Standardize()
	if test, err = scaler.Apply(test); err != nil {
		return nil, err
	}
	if test, err = samples.Head(test, o.Samples, 114); err != nil {
		return nil, err
	}
	p := &stage.Prepared{Name: "quickstart-lr", Test: test, Source: source, Target: encrypted.Target{
		Calibration: fit.X, Packing: encrypted.Batch, Batch: max(test.Len(), 2)}}
	spec, opts := train.LogisticRegression(o.Seed)
	return p, p.Train(ctx, spec, fit, opts, o.Bars)
}

// share prints the observed share of a bin.
func share(b chart.Bin) string {
	if b.Count == 0 {
		return ""
	}
	return fmt.Sprintf("%.2f", b.Observed)
}

func runLR(ctx context.Context, r *notebook.Recorder, o notebook.Options) (s *report.Summary, err error) {
	// %%
	r.Printf("\n%s\n", TitleLR)
	p, err := PrepareLR(ctx, o)
	if err != nil {
		return nil, err
	}
	r.Say("data", "%d samples to train, %d to predict (%s)", p.TrainSize, p.Test.Len(), p.Source)
	r.Say("train", "%d epochs in the clear, %.1f s: %v", p.Epochs, p.Elapsed.Seconds(), p.Model)

	// %% [markdown]
	// ### Compile
	//
	// The compiler turns the model into a program on ciphertexts and searches the smallest parameters that are secure
	// and precise enough. All of this is known before any key exists. `homes` are two folders, the owner's and the
	// server's, which stand for two machines: what is to reach the server has to be written into its folder.

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
	mean, worst := c.Plan.PredictedBits()
	r.Say("compile", "%v\n%d operations; %.1f bits of precision expected, %.1f at the worst", c.Plan.Parameters(), len(c.Plan.Program().Ops()), mean, worst)

	// %% [markdown]
	// ### Keys, and the encrypted samples
	//
	// The owner makes a secret key, and from it the evaluation keys that the program needs. Those are public: they let
	// the server multiply and rotate, and not decrypt. A sum with weights needs none.

	// %%
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
	// ### The server
	//
	// It is started as a process of its own and sees its folder only. Running a program is integer arithmetic, so a
	// second server has to give the same bits, with another number of threads too: whoever does not trust one server can
	// ask another and compare digests.

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
	if err := homes.CopySome(1); err != nil {
		return nil, err
	}
	second, err := stage.Serve(ctx, o.Step, homes.Again, 1)
	if err != nil {
		return nil, err
	}
	done := &stage.Outcome{Plan: c.Plan, Keys: k, Encrypted: e, Secrets: secrets, First: first, Second: second}
	r.Say("again", "process %d, %d thread: the same bits: %v", second.PID, second.Threads, done.Same())

	// %% [markdown]
	// ### Back at the owner
	//
	// The server saw the model's weights, how many numbers go in and out, and when. It saw no sample, no prediction, and
	// not whether a prediction was right.

	// %%
	d, err := stage.Decrypt(ctx, homes.Dirs, filepath.Join(r.Dir(), "predictions.csv"), o.Bars)
	if err != nil {
		return nil, err
	}
	done.Decrypted = d
	r.Say("decrypt", "%s back to the owner, %.1f ms; %.1f %% right, %.1f %% in the clear", report.Bytes(first.Bytes), d.MS[0], 100*d.Accuracy, 100*d.AccuracyClear)

	// %% [markdown]
	// ### Are the probabilities worth their name?
	//
	// Of the samples to which a model gives 80 %, 80 % should be benign. The diagram sorts the test set by predicted
	// probability: rings are the model in the clear, dots what the owner decrypted.
	//
	// The model is fitted to the labels as they are, and the owner applies the sigmoid itself, so encryption adds nothing
	// to the error of the probabilities but noise: each dot lies in its ring. The calibration error is the mean distance
	// of predicted from observed frequency, and the Brier score the mean square of probability minus outcome; both are 0
	// for an oracle.

	// %%
	event := d.Classes[1]
	happened := make([]bool, d.Samples)
	for i, y := range d.Labels {
		happened[i] = y == 1
	}
	clear, err := chart.Bins(d.OutputsClear.Data, happened, 10)
	if err != nil {
		return nil, err
	}
	enc, err := chart.Bins(d.Outputs.Data, happened, 10)
	if err != nil {
		return nil, err
	}
	var rows [][]string
	for i := range clear {
		rows = append(rows, []string{fmt.Sprintf("%.1f to %.1f", float64(i)/10, float64(i+1)/10),
			fmt.Sprint(clear[i].Count), fmt.Sprint(enc[i].Count), share(clear[i]), share(enc[i])})
	}
	difference, brier, brierClear := 0.0, 0.0, 0.0
	for i, y := range d.Labels {
		p, q := d.Outputs.Data[i], d.OutputsClear.Data[i]
		difference = max(difference, math.Abs(p-q))
		brier += (p - float64(y)) * (p - float64(y)) / float64(d.Samples)
		brierClear += (q - float64(y)) * (q - float64(y)) / float64(d.Samples)
	}
	r.Table([]string{"probability of " + event, "clear", "encrypted", "observed, clear", "observed, encrypted"}, rows...)
	png, err := chart.Reliability(fmt.Sprintf("Logistic regression, %d test samples", d.Samples), event,
		chart.Calibration{Name: "clear", Bins: clear}, chart.Calibration{Name: "encrypted", Bins: enc})
	if err != nil {
		return nil, err
	}
	if err := r.Image("reliability.png", "observed frequency against predicted probability, clear and encrypted", png); err != nil {
		return nil, err
	}

	// %%
	png, err = chart.Confusion(fmt.Sprintf("%d samples predicted under encryption, %.1f %% right", d.Samples, 100*d.Accuracy), d.Encrypted, d.Labels, d.Classes)
	if err != nil {
		return nil, err
	}
	if err := r.Image("confusion.png", "true classes against encrypted predictions", png); err != nil {
		return nil, err
	}

	// %% [markdown]
	// ### Figures and checks

	// %%
	s = done.Summary(p.Name)
	s.Add(report.Number("calibration_error_clear", "ratio", chart.CalibrationError(clear), d.Samples, "mean distance of observed from predicted frequency, 10 bins"),
		report.Number("calibration_error", "ratio", chart.CalibrationError(enc), d.Samples, "the same of the encrypted predictions"),
		report.Number("brier_clear", "ratio", brierClear, d.Samples, "mean square of probability minus outcome"),
		report.Number("brier", "ratio", brier, d.Samples, "the same of the encrypted predictions"),
		report.Number("probability_difference", "ratio", difference, d.Samples, "largest, of a sample under encryption and in the clear"))
	s.Check("every probability within 0.01 of the clear model's", difference <= 0.01)
	s.Check("Brier score within 0.01 of the clear model's", math.Abs(brier-brierClear) <= 0.01)
	return s, r.Finish(s, map[string]string{"predictions.csv": "text/csv"})
}
