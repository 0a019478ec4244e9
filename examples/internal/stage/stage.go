package stage

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/signet-ml/signet/examples/internal/ui"
	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/client"
	"github.com/signet-ml/signet/fhe/engine"
	"github.com/signet-ml/signet/fhe/program"
	"github.com/signet-ml/signet/ml"
	"github.com/signet-ml/signet/ml/data"
	"github.com/signet-ml/signet/ml/encrypted"
	"github.com/signet-ml/signet/ml/report"
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
	Classes     []string  `json:"classes"`
	ClientLayer string    `json:"client_layer"`
	Source      string    `json:"source"`
	Twin        []float64 `json:"twin_scores"` // [samples, outputs], what the ciphertexts should hold
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

// Compile compiles the model and writes public/{parameters,program,constants} and data/.
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
	twin, err := plan.Twin().Forward(p.Test.X)
	if err != nil {
		return nil, err
	}
	m := manifest{Schema: manifestSchema, Name: p.Name, Program: plan.Program().Digest().String(), Samples: p.Test.Len(),
		PerRun: plan.Samples(), Classes: p.Test.Classes, ClientLayer: plan.ClientLayer(), Source: p.Source, Twin: twin.Data}
	for _, f := range []struct {
		path string
		v    io.WriterTo
	}{{"parameters", plan.Parameters()}, {"program", plan.Program()}, {"constants", plan.Constants()}} {
		if err := writeTo(filepath.Join(d.Public, f.path), f.v); err != nil {
			return nil, err
		}
	}
	if err := write(filepath.Join(d.Data, "model.safetensors"), 0o644, func(w io.Writer) error { return ml.Write(w, p.Model) }); err != nil {
		return nil, err
	}
	if err := write(filepath.Join(d.Data, "samples.csv"), 0o644, func(w io.Writer) error { return writeSamples(w, p.Test) }); err != nil {
		return nil, err
	}
	err = write(filepath.Join(d.Data, "manifest.json"), 0o644, func(w io.Writer) error { return json.NewEncoder(w).Encode(m) })
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

// owner is what the data owner's steps read: the program, for its ports, and data/.
type owner struct {
	manifest
	prog   *program.Program
	model  *ml.Model
	x      ml.Tensor
	labels []int
}

func (d Dirs) owner() (*owner, error) {
	prog, err := d.program()
	if err != nil {
		return nil, err
	}
	o := &owner{prog: prog}
	path := filepath.Join(d.Data, "manifest.json")
	o.manifest, err = read(path, "compile", func(r io.Reader) (m manifest, err error) {
		b, err := io.ReadAll(io.LimitReader(r, 1<<30))
		if err != nil {
			return m, err
		}
		if err := json.Unmarshal(b, &m); err != nil || m.Schema != manifestSchema {
			return m, &fhe.FormatError{Kind: "manifest", Reason: fmt.Sprintf("no JSON of schema %s", manifestSchema), Err: err}
		}
		if m.Program != prog.Digest().String() {
			return m, &fhe.MismatchError{What: "program", Want: prog.Digest().Short(), Have: m.Program[:min(8, len(m.Program))]}
		}
		if m.Samples < 1 || m.PerRun < 1 || len(m.Twin)%m.Samples != 0 {
			return m, &fhe.FormatError{Kind: "manifest", Reason: "numbers of samples and scores do not fit"}
		}
		return m, nil
	})
	if err != nil {
		return nil, err
	}
	path = filepath.Join(d.Data, "model.safetensors")
	if o.model, err = read(path, "compile", func(r io.Reader) (*ml.Model, error) { return ml.Read(r, 1<<30) }); err != nil {
		return nil, err
	}
	path = filepath.Join(d.Data, "samples.csv")
	rows, err := read(path, "compile", func(r io.Reader) ([][]string, error) { return csv.NewReader(r).ReadAll() })
	if err != nil {
		return nil, err
	}
	var values []float64
	for i, row := range rows {
		y, err := strconv.Atoi(row[0])
		for _, s := range row[1:] {
			v, e := strconv.ParseFloat(s, 64)
			err = errors.Join(err, e)
			values = append(values, v)
		}
		if err != nil {
			return nil, fileError(path, "compile", fmt.Errorf("line %d: %w", i+1, err))
		}
		o.labels = append(o.labels, y)
	}
	if o.x, err = ml.NewTensor(append([]int{len(rows)}, o.model.InputShape()...), values); err != nil || len(rows) != o.Samples {
		return nil, fileError(path, "compile", &fhe.FormatError{Kind: "samples", Reason: fmt.Sprintf("%d lines for %d samples of the model", len(rows), o.Samples), Err: err})
	}
	return o, nil
}

// runs is the number of bundles that the samples take, and rows the samples of one of them.
func (o *owner) runs() int { return (o.Samples + o.PerRun - 1) / o.PerRun }

func (o *owner) rows(run int) (lo, hi int) {
	return run * o.PerRun, min((run+1)*o.PerRun, o.Samples)
}

func bundleName(run int) string { return fmt.Sprintf("%04d", run) }

// Keys is what Keygen reports.
type Keys struct {
	ID        string  `json:"key"`
	Count     int     `json:"count"`
	Bytes     int64   `json:"keys_bytes"`
	SecretNew bool    `json:"secret_new"`
	MS        float64 `json:"keygen_ms"`
}

// Keygen writes secret/key, which it never overwrites, and public/keys.
func Keygen(ctx context.Context, d Dirs, bars ui.Bars) (*Keys, error) {
	prog, err := d.program()
	if err != nil {
		return nil, err
	}
	public := filepath.Join(d.Public, "keys")
	_, errSecret := os.Stat(d.secretPath())
	_, errKeys := os.Stat(public)
	if errSecret == nil && errKeys == nil {
		if _, err := d.secretKey(prog.Parameters()); err != nil {
			return nil, err
		}
		return nil, errors.New("secret/key and public/keys exist: a key is never overwritten; take another -dir, or remove both yourself")
	}
	if errSecret != nil && !errors.Is(errSecret, fs.ErrNotExist) {
		return nil, errSecret
	}
	kg, err := client.NewKeyGenerator(prog.Parameters())
	if err != nil {
		return nil, err
	}
	var sk *client.SecretKey
	start := time.Now()
	if errSecret == nil { // an earlier keygen was interrupted: its secret key serves
		if sk, err = d.secretKey(prog.Parameters()); err != nil {
			return nil, err
		}
	} else {
		sk = kg.GenSecretKey()
		if err := d.writeSecret(sk); err != nil {
			return nil, err
		}
	}
	reqs := prog.Keys()
	set, done := bars.Start("evaluation keys", len(reqs))
	defer done()
	err = write(public, 0o644, func(w io.Writer) error {
		return kg.WriteEvaluationKeys(ctx, w, sk, reqs, client.WithProgress(func(n, _ int) { set(n) }))
	})
	if err != nil {
		return nil, err
	}
	return &Keys{sk.ID().String(), len(reqs), prog.KeysBytes(), errSecret != nil, ms(time.Since(start))}, nil
}

// writeSecret writes secret/key with mode 0600 and fails if it exists, even if it appeared this moment.
func (d Dirs) writeSecret(sk *client.SecretKey) error {
	fresh := d.secretPath() + ".new"
	if err := os.Remove(fresh); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := write(fresh, 0o600, func(w io.Writer) error { _, err := sk.WriteTo(w); return err }); err != nil {
		return err
	}
	defer os.Remove(fresh)
	return os.Link(fresh, d.secretPath())
}

// Encrypted is what Encrypt reports.
type Encrypted struct {
	Bundles int       `json:"bundles"`
	Samples int       `json:"samples"`
	PerRun  int       `json:"samples_per_run"`
	Bytes   int64     `json:"input_bytes"` // of one bundle
	MS      []float64 `json:"encrypt_ms"`  // of each bundle
	Digests []string  `json:"digests"`
}

// Encrypt encrypts the samples of data/ into in/, replacing the bundles there.
func Encrypt(ctx context.Context, d Dirs, bars ui.Bars) (*Encrypted, error) {
	o, err := d.owner()
	if err != nil {
		return nil, err
	}
	sk, err := d.secretKey(o.prog.Parameters())
	if err != nil {
		return nil, err
	}
	if err := removeBundles(d.In); err != nil {
		return nil, err
	}
	port := o.prog.Inputs()[0]
	enc := client.NewEncryptor(sk)
	res := &Encrypted{Bundles: o.runs(), Samples: o.Samples, PerRun: min(o.PerRun, o.Samples)}
	set, done := bars.Start("encrypt", res.Bundles)
	defer done()
	for i := range res.Bundles {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		lo, hi := o.rows(i)
		x := make([]float64, port.Layout.Len())
		copy(x, o.x.Slice(lo, hi).Data)
		start := time.Now()
		b, err := enc.Encrypt(port, x)
		if err != nil {
			return nil, fmt.Errorf("samples %d to %d: %w", lo, hi-1, err)
		}
		res.MS = append(res.MS, ms(time.Since(start)))
		path := filepath.Join(d.In, bundleName(i)+Suffix)
		if err := writeTo(path, b); err != nil {
			return nil, err
		}
		if st, err := os.Stat(path); err == nil {
			res.Bytes = st.Size()
		}
		res.Digests = append(res.Digests, b.Digest().String())
		set(i + 1)
	}
	return res, nil
}

// Served is what Run reports.
type Served struct {
	PID       int       `json:"pid"`
	Engine    string    `json:"engine"`
	Device    string    `json:"device"`
	Threads   int       `json:"threads"`
	LoadMS    float64   `json:"load_ms"`   // Engine.Load
	MS        []float64 `json:"server_ms"` // Job.Run, for each bundle
	Names     []string  `json:"names"`
	Inputs    []string  `json:"inputs"` // digests
	Outputs   []string  `json:"outputs"`
	Bytes     int64     `json:"output_bytes"` // of one bundle
	PeakBytes int64     `json:"peak_bytes"`   // of the process
	TraceRoot []string  `json:"trace_roots,omitempty"`
}

// ServeOptions are the options of Run. The zero value uses the fastest engine and every processor.
type ServeOptions struct {
	Engine  string
	Threads int
	Trace   string // file for the digest of every operation's result; "" traces nothing
	Bars    ui.Bars
}

// Run is the server: it reads public/ and in/, runs the program on every bundle, one after the other, and writes out/.
// It touches neither secret/ nor data/.
func Run(ctx context.Context, d Dirs, o ServeOptions) (*Served, error) {
	prog, err := d.program()
	if err != nil {
		return nil, err
	}
	names, err := bundles(d.In, "encrypt")
	if err != nil {
		return nil, err
	}
	consts, err := d.constants(prog)
	if err != nil {
		return nil, err
	}
	keys, err := d.keys(prog)
	if err != nil {
		return nil, err
	}
	if err := removeBundles(d.Out); err != nil {
		return nil, err
	}
	kind := engine.Kind(o.Engine)
	if kind == "" {
		kind = engine.Auto
	}
	eng, err := engine.Open(ctx, kind, engine.Threads(o.Threads))
	if err != nil {
		return nil, err
	}
	start := time.Now()
	job, err := eng.Load(ctx, prog, consts, keys)
	if err != nil {
		return nil, err
	}
	defer job.Close()
	info := eng.Info()
	res := &Served{PID: os.Getpid(), Engine: info.Name, Device: info.Device, Threads: info.Threads, LoadMS: ms(time.Since(start)), Names: names}
	ops := len(prog.Ops())
	set, done := o.Bars.Start("server", ops*len(names))
	defer done()
	var traces []*program.TraceRecorder
	for i, name := range names {
		in, err := readBundle(filepath.Join(d.In, name+Suffix), "encrypt", prog)
		if err != nil {
			return nil, err
		}
		if in.Key() != keys.Key() {
			return nil, fmt.Errorf("in/%s%s is encrypted under another key than public/keys was made for (%s, not %s): run stage encrypt again", name, Suffix, in.Key(), keys.Key())
		}
		opts := []program.RunOption{program.WithProgress(func(p program.Progress) { set(i*ops + p.Done) })}
		if o.Trace != "" {
			traces = append(traces, &program.TraceRecorder{})
			opts = append(opts, program.WithTrace(traces[i]))
		}
		start := time.Now()
		out, err := job.Run(ctx, in, opts...)
		if err != nil {
			return nil, fmt.Errorf("in/%s%s: %w", name, Suffix, err)
		}
		res.MS = append(res.MS, ms(time.Since(start)))
		path := filepath.Join(d.Out, name+Suffix)
		if err := writeTo(path, out); err != nil {
			return nil, err
		}
		if st, err := os.Stat(path); err == nil {
			res.Bytes = st.Size()
		}
		res.Inputs = append(res.Inputs, in.Digest().String())
		res.Outputs = append(res.Outputs, out.Digest().String())
	}
	if o.Trace != "" {
		for _, t := range traces {
			res.TraceRoot = append(res.TraceRoot, t.Root().String())
		}
		err := write(o.Trace, 0o644, func(w io.Writer) error { return writeTrace(w, prog, names, traces) })
		if err != nil {
			return nil, fmt.Errorf("trace: %w", err)
		}
	}
	res.PeakBytes = report.PeakBytes()
	return res, nil
}

// writeTrace writes a line for every operation of every run, and one with the root after each run.
func writeTrace(w io.Writer, p *program.Program, names []string, traces []*program.TraceRecorder) error {
	enc := json.NewEncoder(w)
	for i, t := range traces {
		for _, r := range t.Records() {
			err := enc.Encode(struct {
				Bundle string `json:"bundle"`
				I      int    `json:"i"`
				Op     string `json:"op"`
				Scope  string `json:"scope"`
				Output string `json:"output"`
				Leaf   string `json:"leaf"`
			}{names[i], r.Op, p.Ops()[r.Op].Code.String(), p.Scope(program.Value(r.Op)), r.Output.String(), r.Leaf.String()})
			if err != nil {
				return err
			}
		}
		err := enc.Encode(struct {
			Bundle  string `json:"bundle"`
			Program string `json:"program"`
			Root    string `json:"root"`
		}{names[i], p.Digest().String(), t.Root().String()})
		if err != nil {
			return err
		}
	}
	return nil
}

// Decrypted is what Decrypt reports. It follows from decrypted values, so it is for the owner only.
type Decrypted struct {
	Samples       int       `json:"samples"`
	Accuracy      float64   `json:"accuracy"`             // of the encrypted predictions
	AccuracyClear float64   `json:"accuracy_clear"`       // of the model in the clear, same samples
	Agreement     float64   `json:"agreement"`            // of their labels
	BitsTwin      float64   `json:"precision_bits"`       // of scores against the plan's twin
	BitsFloat     float64   `json:"precision_float_bits"` // of outputs against the model in the clear
	MS            []float64 `json:"decrypt_ms"`           // of each bundle
	Labels        []int     `json:"-"`
	Clear         []int     `json:"-"` // predicted
	Encrypted     []int     `json:"-"`
	OutputsClear  ml.Tensor `json:"-"` // [samples, outputs]
	Outputs       ml.Tensor `json:"-"`
	Classes       []string  `json:"-"`
}

// Decrypt decrypts out/, compares with the model in the clear, and writes row, label and both predictions as CSV.
func Decrypt(ctx context.Context, d Dirs, predictions string, bars ui.Bars) (*Decrypted, error) {
	o, err := d.owner()
	if err != nil {
		return nil, err
	}
	sk, err := d.secretKey(o.prog.Parameters())
	if err != nil {
		return nil, err
	}
	port := o.prog.Outputs()[0]
	outputs := port.Layout.Len() / o.PerRun
	dec := client.NewDecryptor(sk)
	res := &Decrypted{Samples: o.Samples, Labels: o.labels, Classes: o.Classes}
	names, err := bundles(d.Out, "run")
	if err != nil {
		return nil, err
	}
	if len(names) != o.runs() {
		return nil, fmt.Errorf("out/ holds %d bundles, the samples of data/ take %d: run stage run again", len(names), o.runs())
	}
	scores := make([]float64, 0, o.Samples*outputs)
	set, done := bars.Start("decrypt", o.runs())
	defer done()
	for i := range o.runs() {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		path := filepath.Join(d.Out, bundleName(i)+Suffix)
		b, err := readBundle(path, "run", o.prog)
		if err != nil {
			return nil, err
		}
		start := time.Now()
		y, err := dec.ForOwner(port, b)
		if err != nil {
			return nil, fileError(path, "run", err)
		}
		res.MS = append(res.MS, ms(time.Since(start)))
		lo, hi := o.rows(i)
		scores = append(scores, y[:(hi-lo)*outputs]...)
		set(i + 1)
	}
	if len(o.Twin) != len(scores) {
		return nil, fmt.Errorf("data/manifest.json holds %d scores, the program gives %d: run stage compile again", len(o.Twin), len(scores))
	}
	res.BitsTwin = report.Bits(scores, o.Twin)
	y, err := ml.NewTensor([]int{o.Samples, outputs}, scores)
	if err != nil {
		return nil, err
	}
	if o.ClientLayer != "" {
		layers := o.model.Layers()
		finish, err := ml.SequentialFor([]int{outputs}, layers[len(layers)-1])
		if err != nil {
			return nil, err
		}
		if y, err = finish.Forward(y); err != nil {
			return nil, err
		}
	}
	plain, err := o.model.Forward(o.x)
	if err != nil {
		return nil, err
	}
	res.Outputs, res.OutputsClear = y, plain
	res.BitsFloat = report.Bits(y.Data, plain.Data)
	res.Clear, res.Encrypted = o.model.Labels(plain), o.model.Labels(y)
	res.Accuracy = report.Agreement(res.Encrypted, o.labels)
	res.AccuracyClear = report.Agreement(res.Clear, o.labels)
	res.Agreement = report.Agreement(res.Encrypted, res.Clear)
	return res, write(predictions, 0o644, func(w io.Writer) error { return res.writePredictions(w) })
}

func (r *Decrypted) writePredictions(w io.Writer) error {
	name := func(class int) string {
		if class >= 0 && class < len(r.Classes) {
			return r.Classes[class]
		}
		return strconv.Itoa(class)
	}
	cw := csv.NewWriter(w)
	lines := [][]string{{"row", "label", "clear", "encrypted"}}
	for i := range r.Samples {
		lines = append(lines, []string{strconv.Itoa(i), name(r.Labels[i]), name(r.Clear[i]), name(r.Encrypted[i])})
	}
	return errors.Join(cw.WriteAll(lines), cw.Error())
}
