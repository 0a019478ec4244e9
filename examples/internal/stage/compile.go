package stage

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/signet-ml/signet/examples/internal/files"
	"github.com/signet-ml/signet/ml"
	"github.com/signet-ml/signet/ml/data"
	"github.com/signet-ml/signet/ml/encrypted"
)

// Prepared is a trained model with what to compile it for and the samples to predict.
type Prepared struct {
	Name   string
	Model  *ml.Model
	Target encrypted.Target
	Test   data.Dataset // as the model wants it: scaled
	Source string       // where the data came from, in words

	TrainSize int // how the model came about
	Epochs    int
	Elapsed   time.Duration
}

// manifest is data/manifest.json: what the owner's later steps must know of the compile.
type manifest struct {
	Schema      string    `json:"schema"`
	Name        string    `json:"name"`
	Program     string    `json:"program"`
	Samples     int       `json:"samples"`
	PerRun      int       `json:"samples_per_run"`
	Shape       []int     `json:"shape"` // of a sample
	Classes     []string  `json:"classes"`
	ClientLayer string    `json:"client_layer"`
	Source      string    `json:"source"`
	Private     bool      `json:"private,omitempty"` // the model is not the data owner's to see
	Twin        []float64 `json:"twin_scores"`       // [samples, outputs], what the ciphertexts should hold; not if Private
	Largest     float64   `json:"largest_score"`     // of the calibration set, which precision is relative to; not if Private
}

const manifestSchema = "signet/stage/v1"

// Compiled is what Compile reports.
type Compiled struct {
	Plan       *encrypted.Plan `json:"-"`
	Parameters string          `json:"parameters"` // digests
	Program    string          `json:"program"`
	Samples    int             `json:"samples"`
	Runs       int             `json:"runs"` // bundles that the samples take
	MS         float64         `json:"compile_ms"`
}

func ms(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e6 }

// Compile compiles the model and writes public/{parameters,program,constants} and data/. If the target has encrypted
// weights, model and weights go to model/ and not to data/.
func Compile(ctx context.Context, d Dirs, p *Prepared) (*Compiled, error) {
	start := time.Now()
	plan, err := encrypted.Compile(p.Model, p.Target)
	if err != nil {
		return nil, err
	}
	elapsed := time.Since(start)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	twin, err := plan.Twin().Scores(p.Test.X)
	if err != nil {
		return nil, err
	}
	m := manifest{Schema: manifestSchema, Name: p.Name, Program: plan.Program().Digest().String(), Samples: p.Test.Len(),
		PerRun: plan.Samples(), Shape: p.Model.InputShape(), Classes: p.Test.Classes, ClientLayer: plan.ClientLayer(), Source: p.Source,
		Twin: twin.Data, Largest: plan.Fidelity().Largest}
	for _, f := range []struct {
		path string
		v    io.WriterTo
	}{{"parameters", plan.Parameters()}, {"program", plan.Program()}, {"constants", plan.Constants()}} {
		if err := writeTo(filepath.Join(d.Public, f.path), f.v); err != nil {
			return nil, err
		}
	}
	home, mode := d.Data, os.FileMode(0o644)
	if p.Target.EncryptedWeights {
		home, mode = d.Model, 0o600
		if err := writeSealed(d, plan, twin.Data); err != nil {
			return nil, err
		}
		m.Private, m.Twin, m.Largest = true, nil, 0
	}
	if err := files.Write(filepath.Join(home, "model.safetensors"), mode, func(w io.Writer) error { return ml.Write(w, p.Model) }); err != nil {
		return nil, err
	}
	if err := files.Write(filepath.Join(d.Data, "samples.csv"), 0o644, func(w io.Writer) error { return writeSamples(w, p.Test) }); err != nil {
		return nil, err
	}
	err = files.Write(filepath.Join(d.Data, "manifest.json"), 0o644, func(w io.Writer) error { return json.NewEncoder(w).Encode(m) })
	if err != nil {
		return nil, err
	}
	return &Compiled{plan, plan.Parameters().Digest().String(), m.Program, m.Samples, (m.Samples + m.PerRun - 1) / m.PerRun, ms(elapsed)}, nil
}

// writeSamples writes a line for each sample: its label, then its values, exactly.
func writeSamples(w io.Writer, ds data.Dataset) error {
	cw := csv.NewWriter(w)
	for i := range ds.Len() {
		line := []string{strconv.Itoa(ds.Y[i])}
		for _, v := range ds.X.Row(i) {
			line = append(line, strconv.FormatFloat(v, 'g', -1, 64))
		}
		if err := cw.Write(line); err != nil {
			return err
		}
	}
	cw.Flush()
	return cw.Error()
}
