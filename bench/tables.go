package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/signet-ml/signet/fhe/client"
	"github.com/signet-ml/signet/fhe/engine"
	"github.com/signet-ml/signet/fhe/program"
	"github.com/signet-ml/signet/ml"
	"github.com/signet-ml/signet/ml/data"
	"github.com/signet-ml/signet/ml/encrypted"
	"github.com/signet-ml/signet/ml/fixedpoint"
	"github.com/signet-ml/signet/ml/provable"
	"github.com/signet-ml/signet/ml/report"
	"github.com/signet-ml/signet/zk"
)

// tablesName is the name of a summary of labels of tables.
const tablesName = "accuracy"

type accuracyCmd struct {
	Data   string   `placeholder:"DIR" help:"Folder with the files of scikit-learn. Default: the embedded table alone."`
	JSON   string   `name:"json" placeholder:"FILE" help:"Write figures, as signet/summary/v1."`
	Tables []string `placeholder:"NAME,…" help:"Tables. Default: all."`
	Models []string `placeholder:"NAME,…" help:"Kinds of models. Default: all."`
}

// Run compares the labels of models in float64 with those that are computed encrypted or proved.
func (c *accuracyCmd) Run(e *env) error {
	chosen, err := choose("table", tables, func(t table) string { return t.name }, c.Tables)
	if err != nil {
		return err
	}
	kinds, err := choose("kind of model", learners, func(l learner) string { return l.name }, c.Models)
	if err != nil {
		return err
	}
	if c.Data != "" {
		if info, err := os.Stat(c.Data); err != nil {
			return err
		} else if !info.IsDir() {
			return fmt.Errorf("%s is no folder", c.Data)
		}
	}
	sum, err := compareTables(e.ctx, e.log, c.Data, chosen, kinds)
	if err != nil {
		return err
	}
	fmt.Fprintf(e.out, "labels that agree with the model in float64, on %s, %d cores, engine %s\n", sum.Machine.CPU, sum.Machine.Cores, sum.Engine)
	if err := printTables(e.out, sum); err != nil {
		return err
	}
	return settle(sum, c.JSON)
}

// choose returns those of all with some names, all for none.
func choose[T any](what string, all []T, name func(T) string, names []string) ([]T, error) {
	if len(names) == 0 {
		return all, nil
	}
	var have []string
	for _, t := range all {
		if !slices.Contains(have, name(t)) {
			have = append(have, name(t))
		}
	}
	for _, n := range names {
		if !slices.Contains(have, n) {
			return nil, &usageError{fmt.Errorf("there is no %s %q; there are %s", what, n, strings.Join(have, ", "))}
		}
	}
	return slices.DeleteFunc(slices.Clone(all), func(t T) bool { return !slices.Contains(names, name(t)) }), nil
}

// compareTables measures every cell.
func compareTables(ctx context.Context, log io.Writer, dir string, chosen []table, kinds []learner) (*report.Summary, error) {
	eng, err := engine.Open(ctx, engine.Auto)
	if err != nil {
		return nil, err
	}
	sum := report.New(tablesName)
	sum.Engine, sum.Threads = eng.Info().Name, eng.Info().Threads
	sum.Date = time.Now().UTC().Format(time.DateOnly)
	if load, ok := report.Load(); ok {
		sum.Add(report.Number("load_before", "processes", load, 1, "wanted a processor in the minute before"))
	}
	start, measured := time.Now(), 0
	for _, t := range chosen {
		if dir == "" && t.name != "breast-cancer" {
			fmt.Fprintf(log, "%s: skipped, it is not embedded: name its folder with --data\n", t.name)
			continue
		}
		ds, err := t.load(dir)
		var missing *data.MissingFileError
		if errors.As(err, &missing) {
			fmt.Fprintf(log, "%s: skipped: %v\n", t.name, err)
			continue
		}
		if err != nil {
			return nil, err
		}
		p := divide(ds)
		if p.fit.Len() == 0 || p.test.Len() == 0 {
			return nil, fmt.Errorf("%s: %d samples are too few to divide", t.name, ds.Len())
		}
		for _, l := range kinds {
			if l.target != t.target {
				continue
			}
			if err := compareModel(ctx, log, eng, sum, t, l, p); err != nil {
				return nil, fmt.Errorf("%s, %s: %w", t.name, l.name, err)
			}
			measured++
		}
	}
	if measured == 0 {
		return nil, &usageError{errors.New("no table has a model of these kinds")}
	}
	sum.Add(report.Number("total_s", "s", time.Since(start).Seconds(), 1, "training, compilation, keys, runs and proofs of all cells").On(sum.Engine, sum.Threads))
	return sum, nil
}

// compareModel trains a model and measures it in both forms and three modes.
func compareModel(ctx context.Context, log io.Writer, eng program.Engine, sum *report.Summary, t table, l learner, p parts) error {
	raw := p.fit
	var scaler data.Scaler
	p.fit, scaler = p.fit.Standardize()
	layers, err := l.learn(ctx, p)
	if err != nil {
		return err
	}
	p.fit = raw
	for _, f := range forms {
		read, err := f.read(layers, scaler)
		if err != nil {
			return err
		}
		m, err := ml.Sequential(read...)
		if err != nil {
			return err
		}
		j := &judge{parts: p, target: t.target, model: m, certify: f.name == forms[0].name}
		if err := j.prepare(); err != nil {
			return err
		}
		row := strings.Join([]string{t.name, l.name, f.name}, "/")
		sum.Add(j.clear(row))
		for _, mode := range modes {
			start := time.Now()
			c, err := mode.measure(ctx, eng, j)
			if err != nil {
				return fmt.Errorf("%s, %s: %w", f.name, mode.name, err)
			}
			c.add(sum, row+"/"+mode.name)
			fmt.Fprintf(log, "%s/%s: %s, %.1f s, compilation %.1f s\n", row, mode.name, c, time.Since(start).Seconds(), c.compiled.Seconds())
		}
	}
	return nil
}

// judge compares answers with those of a model in float64.
type judge struct {
	parts
	target  bool
	model   *ml.Model
	certify bool      // make a proof: the other form has a circuit of the same size
	test    ml.Tensor // outputs on the samples to try
	calib   ml.Tensor // and on the calibration set
}

func (j *judge) calibration() ml.Tensor { return j.fit.Head(1000).X }

func (j *judge) prepare() (err error) {
	if j.test, err = j.model.Forward(j.parts.test.X); err != nil {
		return err
	}
	j.calib, err = j.model.Forward(j.calibration())
	return err
}

// clear returns how good the model is.
func (j *judge) clear(row string) report.Figure {
	n := j.parts.test.Len()
	if j.target {
		r2, err := ml.R2(j.test.Data, j.parts.test.Targets)
		if err != nil { // one sample, or a constant target
			r2 = 0
		}
		return report.Number(row+"/accuracy_clear", "", math.Round(1000*r2)/1000, n, "R², the share of the target's variance that the model in float64 explains")
	}
	return report.Number(row+"/accuracy_clear", "ratio", report.Agreement(j.model.Labels(j.test), j.parts.test.Y), n, "right labels of the model in float64")
}

// nearby is how far a prediction may lie from the model's, as a share of the target's reach.
const nearby = 0.01

// same reports for each row of got whether it says what the same row of want does.
func (j *judge) same(got, want ml.Tensor) []bool {
	out := make([]bool, got.Rows())
	if j.target {
		for i := range out {
			out[i] = math.Abs(got.Row(i)[0]-want.Row(i)[0]) <= nearby*j.reach
		}
		return out
	}
	a, b := j.model.Labels(got), j.model.Labels(want)
	for i := range out {
		out[i] = a[i] == b[i]
	}
	return out
}

// cell is a model in one mode.
type cell struct {
	refusal   error // of the compiler: nothing else is set
	compiled  time.Duration
	agreement float64
	samples   int   // that it rests on: those that were not refused
	refused   []int // samples that the client refused, by index
	bits      float64
	flips     int // on the calibration set
	logN      int // of an encrypted mode
	width     int // of the integers of a proof
	note      string
}

// enough is the agreement that a cell must have.
const enough = 0.99

func (c *cell) String() string {
	if c.refusal != nil {
		return fmt.Sprintf("refused: %v", c.refusal)
	}
	s := fmt.Sprintf("%.2f %% of %d, %d refused, %.1f bits, %d flips", 100*c.agreement, c.samples, len(c.refused), c.bits, c.flips)
	if c.width > 0 {
		s += fmt.Sprintf(", integers of %d bits", c.width)
	}
	if c.logN > 0 {
		s += fmt.Sprintf(", N=2^%d", c.logN)
	}
	return s
}

// add adds the cell's figures and its check.
func (c *cell) add(sum *report.Summary, name string) {
	sum.Check(name+": agreement >= 99 % or refused", c.refusal != nil || c.samples > 0 && c.agreement >= enough)
	if c.refusal != nil {
		sum.Add(report.Number(name+"/refusal", "count", 1, 1, fmt.Sprintf("%T: %v", c.refusal, c.refusal)))
		return
	}
	sum.Add(report.Number(name+"/agreement", "ratio", c.agreement, c.samples, c.note),
		report.Number(name+"/bits", "bits", c.bits, 1, "the worst score of the calibration set against the model in float64, noise included"),
		report.Number(name+"/flips", "count", float64(c.flips), 1, "calibration samples with another answer"))
	if c.logN > 0 {
		sum.Add(report.Number(name+"/logN", "", float64(c.logN), 1, "log2 of the ring's degree"))
	}
	if c.width > 0 {
		sum.Add(report.Number(name+"/integers", "bits", float64(c.width), 1, fmt.Sprintf("weights and activations; the fewest that change at most one calibration answer in 200 and give %d bits", leastBits)))
	}
	if len(c.refused) > 0 {
		sum.Add(report.Number(name+"/refused", "count", float64(len(c.refused)), c.samples+len(c.refused),
			"samples that the client refuses: "+strings.Trim(fmt.Sprint(c.refused), "[]")))
	}
}

// mode is a way to compute a model.
type mode struct {
	name    string
	measure func(context.Context, program.Engine, *judge) (*cell, error)
}

var modes = []mode{
	{"single", func(ctx context.Context, eng program.Engine, j *judge) (*cell, error) {
		return j.encrypt(ctx, eng, encrypted.Target{Packing: encrypted.Single})
	}},
	{"batch", func(ctx context.Context, eng program.Engine, j *judge) (*cell, error) {
		return j.encrypt(ctx, eng, encrypted.Target{Packing: encrypted.Batch, Batch: max(2, j.parts.test.Len())})
	}},
	{"proof", func(ctx context.Context, _ program.Engine, j *judge) (*cell, error) { return j.prove(ctx) }},
}

// refusal returns the error if a compiler says by it that a model cannot be served as it is.
func refusal(err error) error {
	var (
		infeasible  *encrypted.InfeasibleError
		layer       *encrypted.UnsupportedLayerError
		calibration *encrypted.CalibrationError
		form        *fixedpoint.UnsupportedError
		op          *fixedpoint.OpError
	)
	switch {
	case errors.As(err, &infeasible):
		return infeasible
	case errors.As(err, &layer):
		return layer
	case errors.As(err, &calibration):
		return calibration
	case errors.As(err, &form):
		return form
	case errors.As(err, &op):
		return op
	}
	return nil
}

// Single samples are encrypted for as long as this would take the machine of the library's cost table, and at most so
// many; the twin stands for the rest.
const (
	singleTime    = 2 * time.Second
	singleSamples = 30
)

// encrypt measures an encrypted mode.
func (j *judge) encrypt(ctx context.Context, eng program.Engine, target encrypted.Target) (*cell, error) {
	target.Calibration = j.calibration()
	target.MinCalibration = min(256, target.Calibration.Rows()) // small tables have no more
	start := time.Now()
	plan, err := encrypted.CompileContext(ctx, j.model, target)
	if r := refusal(err); r != nil {
		return &cell{refusal: r, compiled: time.Since(start)}, nil
	}
	if err != nil {
		return nil, err
	}
	f := plan.Fidelity()
	c := &cell{compiled: time.Since(start), bits: f.Bits, flips: f.Flips, logN: plan.Parameters().LogN()}
	if j.target { // has no labels
		twin, err := plan.Twin().Forward(target.Calibration)
		if err != nil {
			return nil, err
		}
		c.flips = count(j.same(twin, j.calib), false)
	}
	sec := plan.Parameters().Security()
	c.note = fmt.Sprintf("N = 2^%d, log2(QP) = %.0f of at most %.0f", c.logN, sec.Value, sec.Limit)

	taken, refused, err := j.accepted(plan)
	if err != nil {
		return nil, err
	}
	if c.refused = refused; len(taken) == 0 {
		return c, nil
	}
	run := taken
	if plan.Packing() == encrypted.Single {
		run = taken[:min(len(taken), singleSamples, max(3, int(singleTime/max(1, plan.Cost().Run))))]
	}
	y, err := j.run(ctx, eng, plan, run)
	if err != nil {
		return nil, err
	}
	same := j.same(y, j.rows(j.test, run))
	if rest := taken[len(run):]; len(rest) > 0 {
		y, err := plan.Twin().Forward(j.parts.test.Subset(rest).X)
		if err != nil {
			return nil, err
		}
		same = append(same, j.same(y, j.rows(j.test, rest))...)
		c.note += fmt.Sprintf("; %d samples encrypted, one a run, the twin for %d", len(run), len(rest))
	} else {
		c.note += fmt.Sprintf("; %d samples encrypted, up to %d in a run", len(run), plan.Samples())
	}
	c.settle(same)
	return c, nil
}

func (c *cell) settle(same []bool) {
	c.samples, c.agreement = len(same), float64(count(same, true))/float64(len(same))
}

func count(of []bool, what bool) int {
	n := 0
	for _, b := range of {
		if b == what {
			n++
		}
	}
	return n
}

// rows returns some rows of t.
func (j *judge) rows(t ml.Tensor, index []int) ml.Tensor { return data.Dataset{X: t}.Subset(index).X }

// accepted divides the samples to try into those that the plan's input takes and those that it refuses.
func (j *judge) accepted(plan *encrypted.Plan) (taken, refused []int, err error) {
	in := plan.Input()
	for i := range j.parts.test.Len() {
		x, err := plan.Pack(j.parts.test.X.Slice(i, i+1))
		if err != nil {
			return nil, nil, err
		}
		var value *client.ValueError
		err = in.CheckValues(x)
		switch {
		case errors.As(err, &value):
			refused = append(refused, i)
		case err != nil:
			return nil, nil, err
		default:
			taken = append(taken, i)
		}
	}
	return taken, refused, nil
}

// run encrypts samples to try, runs the plan, decrypts, and returns the model's outputs.
func (j *judge) run(ctx context.Context, eng program.Engine, plan *encrypted.Plan, index []int) (y ml.Tensor, err error) {
	kg, err := client.NewKeyGenerator(plan.Parameters())
	if err != nil {
		return y, err
	}
	sk := kg.GenSecretKey()
	keys, err := kg.GenEvaluationKeys(ctx, sk, plan.Keys())
	if err != nil {
		return y, err
	}
	job, err := eng.Load(ctx, plan.Program(), plan.Constants(), keys)
	if err != nil {
		return y, err
	}
	defer func() { err = errors.Join(err, job.Close()) }()
	enc, dec := client.NewEncryptor(sk), client.NewDecryptor(sk)
	samples := j.parts.test.Subset(index).X
	for lo := 0; lo < len(index); lo += plan.Samples() {
		hi := min(lo+plan.Samples(), len(index))
		x, err := plan.Pack(samples.Slice(lo, hi))
		if err != nil {
			return y, err
		}
		in, err := enc.Encrypt(plan.Input(), x)
		if err != nil {
			return y, err
		}
		out, err := job.Run(ctx, in)
		if err != nil {
			return y, err
		}
		slots, err := dec.ForOwner(plan.Output(), out)
		if err != nil {
			return y, err
		}
		part, err := plan.Unpack(slots, hi-lo)
		if err != nil {
			return y, err
		}
		y.Data = append(y.Data, part.Data...)
	}
	return ml.NewTensor([]int{len(index), len(y.Data) / len(index)}, y.Data)
}

// widths are the bits of weights and activations that integers are tried with: more cost constraints, and are needed where
// weights of one layer differ in size.
var widths = []int{8, 10, 12, 14, 16}

// flips is how many of the calibration samples may have another answer before more bits are tried: as many as ml/encrypted
// allows before it tries finer polynomials.
func flips(samples int) int { return samples / 200 }

// leastBits is the precision below which more bits are tried too: labels near the boundary are few in a calibration set
// that the model was trained on.
const leastBits = 7

// prove measures the integers that proofs are about, and proves one prediction.
func (j *judge) prove(ctx context.Context) (*cell, error) {
	var circuit *provable.Circuit
	c := &cell{}
	for _, w := range widths {
		o := provable.Options{Calibration: j.calibration(), Answer: provable.Class, Quantization: fixedpoint.Options{Weights: w, Activations: w}}
		if j.target {
			o.Answer = provable.Values
		}
		next, err := provable.Compile(j.model, o)
		if r := refusal(err); r != nil && circuit != nil { // numbers of so many bits could overflow
			break
		} else if r != nil {
			return &cell{refusal: r}, nil
		}
		if err != nil {
			return nil, err
		}
		same, _, err := j.integers(next.Twin(), o.Calibration, j.calib)
		if err != nil {
			return nil, err
		}
		circuit, c.width, c.flips = next, w, count(same, false)
		if c.flips <= flips(len(same)) && next.Fidelity().Bits >= leastBits {
			break
		}
	}
	twin := circuit.Twin()
	c.bits = circuit.Fidelity().Bits
	taken, refused, err := j.provable(twin)
	if err != nil {
		return nil, err
	}
	if c.refused = refused; len(taken) == 0 {
		return c, nil
	}
	same, answers, err := j.integers(twin, j.rows(j.parts.test.X, taken), j.rows(j.test, taken))
	if err != nil {
		return nil, err
	}
	c.settle(same)
	if c.note = "of the integers, which proofs are about"; j.certify {
		constraints, err := j.proof(ctx, circuit, j.parts.test.X.Slice(taken[0], taken[0]+1), answers[0])
		if err != nil {
			return nil, err
		}
		c.note += fmt.Sprintf("; one proof made and verified, of %d constraints", constraints)
	}
	return c, nil
}

// integers returns whether the answers of the twin are those of the model, and the answers.
func (j *judge) integers(twin *fixedpoint.Model, x, want ml.Tensor) ([]bool, []float64, error) {
	in, err := twin.Encode(x)
	if err != nil {
		return nil, nil, err
	}
	out, err := twin.Forward(in, x.Rows())
	if err != nil {
		return nil, nil, err
	}
	if j.target {
		y := twin.Decode(out)
		return j.same(y, want), y.Data, nil
	}
	labels := j.model.Labels(want)
	same, answers := make([]bool, len(labels)), make([]float64, len(labels))
	for i, l := range twin.Labels(out) {
		same[i], answers[i] = l == labels[i], float64(l)
	}
	return same, answers, nil
}

// provable divides the samples to try into those that a prover takes and those whose integers lie too far out.
func (j *judge) provable(twin *fixedpoint.Model) (taken, refused []int, err error) {
	for i := range j.parts.test.Len() {
		x := j.parts.test.X.Slice(i, i+1)
		in, err := twin.Encode(x)
		if err != nil {
			return nil, nil, err
		}
		trace, err := twin.Trace(in, 1)
		if err != nil {
			return nil, nil, err
		}
		cut, err := twin.Saturations(x, trace)
		if err != nil {
			return nil, nil, err
		}
		if slices.ContainsFunc(cut, func(s fixedpoint.Saturation) bool { return s.Harmful > 0 }) {
			refused = append(refused, i)
		} else {
			taken = append(taken, i)
		}
	}
	return taken, refused, nil
}

// proof proves the answer to a sample, verifies the proof, and returns the number of constraints.
func (j *judge) proof(ctx context.Context, circuit *provable.Circuit, x ml.Tensor, answer float64) (n int, err error) {
	keys, err := zk.Setup(ctx, circuit.Circuit())
	if err != nil {
		return 0, err
	}
	commitment, opening, err := circuit.Commit(keys)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, opening.Close()) }()
	proof, said, err := circuit.Prove(ctx, keys, opening, x, zk.Context{})
	if err != nil {
		return 0, err
	}
	if err := zk.Verify(keys.VerifyingKey(), circuit.Statement(commitment, x, said), proof); err != nil {
		return 0, err
	}
	if got := said.Values.Data[0]; got != answer {
		return 0, fmt.Errorf("a proof says %g, the integers %g", got, answer)
	}
	return keys.Constraints(), nil
}
