package quickstart

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/signet-ml/signet/examples/internal/stage"
	"github.com/signet-ml/signet/ml/report"
)

// A Server runs the run step as a process of its own, with the files below dir and nothing else, and returns what it
// reports.
type Server func(ctx context.Context, dir string, threads int) (*stage.Served, error)

// Exec returns a Server that starts the executable with args, to which "-dir DIR -threads N" is added.
func Exec(executable string, args ...string) Server {
	return func(ctx context.Context, dir string, threads int) (*stage.Served, error) {
		cmd := exec.CommandContext(ctx, executable, slices.Concat(args, []string{"--dir", dir, "--threads", fmt.Sprint(threads)})...)
		cmd.Dir = dir
		cmd.Stderr = os.Stderr // progress and errors
		out, err := cmd.Output()
		if err != nil {
			return nil, fmt.Errorf("server process: %w", err)
		}
		var s stage.Served
		if err := json.Unmarshal(out, &s); err != nil {
			return nil, fmt.Errorf("server process: its report: %w", err)
		}
		return &s, nil
	}
}

// Run runs models one after the other and writes the summary of the last into out, those of the others into a folder
// of their own below it. It reports failed checks through the summaries.
func Run(ctx context.Context, w io.Writer, out, name string, models []*Model, o Options, serve Server) ([]*report.Summary, error) {
	fmt.Fprintf(w, "%s: models predict on data that the predicting process never sees.\n", name)
	fmt.Fprint(w, `
  owner   this process. It has the data and the secret key, and encrypts.
  server  another process, in a folder without a secret key. It has the model, the encrypted data and evaluation
          keys, which let it compute on encrypted numbers and not read them.
`)
	if err := os.MkdirAll(out, 0o755); err != nil {
		return nil, err
	}
	var all []*report.Summary
	for i, m := range models {
		dir := ""
		if i < len(models)-1 {
			dir = strings.TrimPrefix(m.Name, "quickstart-")
		}
		s, err := runModel(ctx, w, filepath.Join(out, dir), cmp.Or(map[bool]string{dir == "": name}[true], m.Name), m, o, serve)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", m.Name, err)
		}
		all = append(all, s)
	}
	last := all[len(all)-1]
	for i, m := range models[:len(models)-1] {
		dir := strings.TrimPrefix(m.Name, "quickstart-")
		for _, c := range all[i].Checks {
			last.Check(dir+": "+c.Name, c.Pass)
		}
		for _, f := range all[i].Figures {
			f.Name = dir + "_" + f.Name
			last.Add(f)
		}
		for _, a := range all[i].Artifacts {
			a.Path = dir + "/" + a.Path
			last.Artifacts = append(last.Artifacts, a)
		}
		if err := last.Attach(out, dir+"/summary.json", "application/json"); err != nil {
			return nil, err
		}
	}
	return all, last.Write(filepath.Join(out, "summary.json"))
}

// repeated is how many bundles the second server process computes once more.
const repeated = 3

func runModel(ctx context.Context, w io.Writer, out, name string, m *Model, o Options, serve Server) (s *report.Summary, err error) {
	say := func(topic, format string, args ...any) {
		fmt.Fprintf(w, "  %-9s%s\n", topic, strings.ReplaceAll(fmt.Sprintf(format, args...), "\n", "\n           "))
	}
	fmt.Fprintf(w, "\n%s\n", m.Title)
	if err := os.MkdirAll(out, 0o755); err != nil {
		return nil, err
	}
	tmp, err := os.MkdirTemp("", "signet-quickstart-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(tmp)) }()
	// The owner's folders and the server's lie apart, as on two machines.
	server, again := filepath.Join(tmp, "server"), filepath.Join(tmp, "server-again")
	d := stage.At(server)
	owner := stage.At(filepath.Join(tmp, "owner"))
	d.Secret, d.Data = owner.Secret, owner.Data

	t, err := m.Prepare(ctx, o)
	if err != nil {
		return nil, err
	}
	say("data", "%d samples to train, %d to predict (%s)", t.TrainSize, t.Test.Len(), t.Source)
	say("train", "%d epochs in the clear, %.1f s: %v", t.Epochs, t.Elapsed.Seconds(), t.Model)

	c, err := stage.Compile(ctx, d, &t.Prepared)
	if err != nil {
		return nil, err
	}
	plan := c.Plan
	mean, worst := plan.PredictedBits()
	say("compile", "%v\n%d operations; %.1f bits of precision expected, %.1f at the worst", plan.Parameters(), len(plan.Program().Ops()), mean, worst)

	k, err := stage.Keygen(ctx, d, o.Bars)
	if err != nil {
		return nil, err
	}
	say("keys", "the secret key stays with the owner; evaluation keys, %d of together %s, go to the server", k.Count, report.Bytes(k.Bytes))

	e, err := stage.Encrypt(ctx, d, o.Bars)
	if err != nil {
		return nil, err
	}
	crossing := "a sample"
	if plan.Samples() > 1 {
		crossing = fmt.Sprintf("%d samples together", e.Samples)
	}
	say("encrypt", "%s to the server for %s, %.0f ms each time", report.Bytes(e.Bytes), crossing, median(e.MS))

	secrets, err := stage.FindSecrets(server)
	if err != nil {
		return nil, err
	}
	first, err := serve(ctx, server, 0)
	if err != nil {
		return nil, err
	}
	say("server", "process %d, %d threads: loaded in %.0f ms, then %.0f ms for %s; peak memory %s", first.PID, first.Threads, first.LoadMS,
		median(first.MS), crossing, report.Bytes(first.PeakBytes))

	if err := copySome(server, again, repeated); err != nil {
		return nil, err
	}
	second, err := serve(ctx, again, 1)
	if err != nil {
		return nil, err
	}
	same := len(second.Outputs) > 0 && slices.Equal(second.Outputs, first.Outputs[:len(second.Outputs)])
	say("again", "process %d, 1 thread, %d of %d inputs: the same bits: %v", second.PID, len(second.Outputs), len(first.Outputs), same)

	r, err := stage.Decrypt(ctx, d, filepath.Join(out, "predictions.csv"), o.Bars)
	if err != nil {
		return nil, err
	}
	say("decrypt", "%s back to the owner for %s, %.1f ms; only the owner sees predictions", report.Bytes(first.Bytes), crossing, median(r.MS))
	say("sees", "The server saw the model's weights, how many numbers go in and out, and when. It saw no sample, no\n"+
		"prediction, and not whether a prediction was right.")

	s = report.New(name)
	s.Parameters = report.ParametersOf(plan.Parameters())
	n := r.Samples
	per := make([]float64, len(first.MS))
	for i, v := range first.MS {
		per[i] = v / float64(min(plan.Samples(), n))
	}
	keysNote := "evaluation keys; the secret key is not among them"
	s.Add(
		report.Number("accuracy", "ratio", r.Accuracy, n, "predictions under encryption against the labels"),
		report.Number("accuracy_clear", "ratio", r.AccuracyClear, n, "the same model on the same samples in the clear"),
		report.Number("agreement", "ratio", r.Agreement, n, "share of samples with the same label under encryption and in the clear"),
		report.Number("precision_bits", "bits", r.BitsTwin, n, "-log2(max error / max score) against the polynomials that were compiled"),
		report.Number("precision_float_bits", "bits", r.BitsFloat, n, "the same against the model in the clear"),
		report.Number("predicted_bits", "bits", worst, 1, "what the compiler promised for the worst of many scores"),
		report.Median("server_ms", "ms", first.MS, "Job.Run for "+crossing).On(first.Engine, first.Threads),
		report.Median("per_image_ms", "ms", per, "server_ms by samples in a run").On(first.Engine, first.Threads),
		report.Number("load_ms", "ms", first.LoadMS, 1, "Engine.Load: keys and weights, once for many runs").On(first.Engine, first.Threads),
		report.Number("keygen_ms", "ms", k.MS, 1, "all keys, written to disk"),
		report.Median("encrypt_ms", "ms", e.MS, "for "+crossing),
		report.Median("decrypt_ms", "ms", r.MS, "for "+crossing),
		report.Number("keys_bytes", "B", float64(k.Bytes), k.Count, keysNote),
		report.Number("keys_wire_bytes", "B", float64(k.Bytes), k.Count, keysNote),
		report.Number("input_bytes", "B", float64(e.Bytes), 1, "to the server, "+crossing),
		report.Number("output_bytes", "B", float64(first.Bytes), 1, "to the owner, "+crossing),
		report.Number("peak_bytes", "B", float64(first.PeakBytes), 1, "largest resident size of the server process"),
		report.Number("rotations", "count", float64(plan.Program().Rotations()), 1, "automorphisms in the program"),
	)
	s.Check("labels under encryption agree with the clear model on at least 99 %", r.Agreement >= 0.99)
	s.Check("accuracy within 1 % of the clear model's", math.Abs(r.Accuracy-r.AccuracyClear) <= 0.01)
	s.Check("at least 12 bits of precision", r.BitsTwin >= 12)
	s.Check("the server's folder held no secret key", len(secrets) == 0)
	s.Check("the server ran in a process of its own", first.PID != os.Getpid())
	s.Check("two server processes gave the same bits", same)

	confusion := fmt.Sprintf("%d samples predicted under encryption, %.1f %% right", n, 100*r.Accuracy)
	if err := writeConfusion(filepath.Join(out, "confusion.png"), confusion, r.Encrypted, r.Labels, r.Classes); err != nil {
		return nil, err
	}
	if err := s.Attach(out, "predictions.csv", "text/csv"); err != nil {
		return nil, err
	}
	if err := s.Attach(out, "confusion.png", "image/png"); err != nil {
		return nil, err
	}
	fmt.Fprintln(w)
	if err := s.Table(w); err != nil {
		return nil, err
	}
	for _, c := range s.Checks {
		fmt.Fprintf(w, "  %s  %s\n", map[bool]string{true: "pass", false: "FAIL"}[c.Pass], c.Name)
	}
	return s, s.Write(filepath.Join(out, "summary.json"))
}

func median(v []float64) float64 { return report.Median("", "", v, "").Value }

// copySome makes dir a server's folder with the first inputs of another's. Files are linked: they never change.
func copySome(from, dir string, inputs int) error {
	for _, sub := range []string{"public", "in"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
			return err
		}
		entries, err := os.ReadDir(filepath.Join(from, sub))
		if err != nil {
			return err
		}
		if sub == "in" {
			entries = entries[:min(inputs, len(entries))]
		}
		for _, e := range entries {
			if err := linkOrCopy(filepath.Join(from, sub, e.Name()), filepath.Join(dir, sub, e.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

func linkOrCopy(from, to string) error {
	err := os.Link(from, to)
	if err == nil || errors.Is(err, fs.ErrExist) {
		return err
	}
	b, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return report.WriteFile(to, 0o644, func(w io.Writer) error { _, err := io.Copy(w, bytes.NewReader(b)); return err })
}
