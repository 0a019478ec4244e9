package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/client"
	"github.com/signet-ml/signet/fhe/engine"
	"github.com/signet-ml/signet/fhe/engine/cpu"
	"github.com/signet-ml/signet/fhe/fhetest/stock"
	"github.com/signet-ml/signet/fhe/program"
	"github.com/signet-ml/signet/fhe/program/cost"
	"github.com/signet-ml/signet/ml"
	"github.com/signet-ml/signet/ml/data"
	"github.com/signet-ml/signet/ml/encrypted"
	"github.com/signet-ml/signet/ml/provable"
	"github.com/signet-ml/signet/ml/report"
	"github.com/signet-ml/signet/ml/train"
	"github.com/signet-ml/signet/zk"
)

// A scenario is a model and a packing.
type scenario struct {
	Name  string `json:"name"`
	Title string `json:"title"`
	N     int    `json:"n"` // timed runs by default
	batch int    // samples in one run; 1 packs a single sample
	load  func(dir string) (fit, test data.Dataset, note string, err error)
	fit   func(seed uint64) (train.Spec, train.Options)
	how   encrypted.Target // how the model is compiled, beside packing and calibration
	// own, if set, measures in place of the steps for a model. Without a model, prog is the program.
	own  func(ctx context.Context, s scenario, cfg config, sum *report.Summary) error
	prog func() (*program.Program, *program.Constants, error)
	// prove, if set, makes this a scenario of proofs, see proof.go: how the model is compiled, beside its calibration.
	prove  *provable.Options
	widths []int // of a network with random weights, which stands for a trained one of this size
}

const batchSize = 4096

var scenarios = []scenario{
	{Name: "lr-single", Title: "logistic regression 30-1 on breast cancer, one sample", N: 100, batch: 1, load: loadLR,
		fit: train.LogisticRegression},
	{Name: "lr-batch", Title: "logistic regression 30-1 on breast cancer, 4,096 samples, sigmoid on the server", N: 10,
		batch: batchSize, load: loadLR, fit: train.LogisticRegression, how: encrypted.Target{ServerActivation: true}},
	{Name: "mlp-single", Title: "network 784-128(square)-10 on MNIST, one image", N: 100, batch: 1, load: loadMNIST,
		fit: train.MNISTSquareMLP},
	{Name: "mlp-batch", Title: "network 784-128(square)-10 on MNIST, 4,096 images", N: 3, batch: batchSize,
		load: loadMNIST, fit: train.MNISTSquareMLP},
	{Name: "mlp-private-weights", Title: "the same network with encrypted weights, one image", N: 50, batch: 1,
		load: loadMNIST, fit: train.MNISTSquareMLP, how: encrypted.Target{EncryptedWeights: true}},
	{Name: "cnn-single", Title: "network conv 5 maps 5×5/2 (square)-100(square)-10 on MNIST, one image in one ciphertext",
		N: 200, batch: 1, load: loadMNIST, fit: train.MNISTSquareCNN},
	{Name: "cnn-patches", Title: "the same network, one image that the client sends in patches", N: 200, batch: 1,
		load: loadMNIST, fit: train.MNISTSquareCNN, how: encrypted.Target{Patches: true}},
	{Name: "lenet-single", Title: "LeNet-5 (square, average pools) on MNIST, one image", N: 20, batch: 1,
		load: loadMNIST, fit: train.MNISTLeNet5},
	{Name: "poly-sigmoid", Title: "sigmoid of degree 15 on 8,192 slots", N: 20, own: polySigmoid, prog: sigmoidProgram},
	{Name: "load", Title: "the network 784-128(square)-10 for 1 to 64 clients at a time, and beside a busy process",
		N: 200, batch: 1, load: loadMNIST, fit: train.MNISTSquareMLP, own: loadScenario},
	{Name: "zk-logreg", Title: "proof of a logistic regression 30-1 on breast cancer, sigmoid by table, weights and input private",
		N: 20, load: loadLR, fit: train.LogisticRegression, prove: &provable.Options{}},
	{Name: "zk-mlp", Title: "proof of a network 784-128(ReLU)-10 on MNIST, weights and input private", N: 20,
		load: loadMNIST, fit: reluMLP, prove: &provable.Options{}},
	{Name: "zk-mlp-32", Title: "the same network, 32 images in one proof", N: 10, load: loadMNIST, fit: reluMLP,
		prove: &provable.Options{Batch: 32}},
	{Name: "zk-mlp-public", Title: "the same network with public weights, input private", N: 20, load: loadMNIST,
		fit: reluMLP, prove: &provable.Options{Weights: zk.Public}},
	{Name: "zk-lenet", Title: "proof of LeNet-5 (ReLU, average pools, 61,706 weights) on MNIST, weights and input private",
		N: 10, load: loadMNIST, fit: reluLeNet5, prove: &provable.Options{}},
	{Name: "zk-mlp-1m", Title: "proof of a network 784-1024-256-10 with random weights, weights and input private",
		N: 10, load: loadMNIST, widths: []int{784, 1024, 256, 10}, prove: &provable.Options{}},
	{Name: "zk-mlp-10m", Title: "proof of a network 784-3072-2048-512-10 with random weights, weights and input private",
		N: 10, load: loadMNIST, widths: []int{784, 3072, 2048, 512, 10}, prove: &provable.Options{}},
	{Name: "zk-register", Title: "registration of the network 784-128(ReLU)-10: its 101,770 weights are small integers",
		N: 3, load: loadMNIST, fit: reluMLP, prove: &provable.Options{}, own: registerScenario},
}

func find(name string) (scenario, error) {
	var names []string
	for _, s := range scenarios {
		if s.Name == name {
			return s, nil
		}
		names = append(names, s.Name)
	}
	return scenario{}, &usageError{fmt.Errorf("there is no scenario %q; there are %s", name, strings.Join(names, ", "))}
}

// seed fixes splits and training. Encryption is random.
const seed = 1

func loadLR(dir string) (fit, test data.Dataset, note string, err error) {
	note = "embedded breast cancer set"
	ds, err := data.BreastCancer()
	if err == nil && dir != "" {
		full, e := data.LoadBreastCancer(dir)
		var missing *data.MissingFileError
		switch {
		case e == nil:
			ds, note = full, "breast cancer set"
		case !errors.As(e, &missing):
			err = e
		}
	}
	if err != nil {
		return fit, test, note, err
	}
	fit, test = ds.Split(seed, 0.8)
	fit, scaler := fit.Standardize()
	test, err = scaler.Apply(test)
	return fit, test, note, err
}

func loadMNIST(dir string) (fit, test data.Dataset, note string, err error) {
	if dir != "" {
		fit, test, err = data.LoadMNIST(dir)
		note = "full MNIST"
	} else {
		fit, test, err = data.MNIST()
		note = "embedded subset of MNIST"
	}
	if err != nil {
		return fit, test, note, err
	}
	_, test = test.Split(seed, 0)
	return fit, test, note, nil
}

type config struct {
	data string // folder of full sets, or ""
	n    int    // timed runs; 0 is the scenario's own
	log  io.Writer
	// costs is what predicted times follow from; nil is the shipped table.
	costs *cost.Table
	// serve measures the peak memory of a server process that runs the files of a folder once.
	serve func(ctx context.Context, dir string) (*served, error)
	// spin starts a process that never waits, and returns how to end it.
	spin func(context.Context) (stop func() error, err error)
	// proofs are what zk- scenarios work with.
	proofs proofConfig
}

// pairs is how many turns the comparisons take at most.
const pairs = 10

// measure is one run of a scenario.
type measure struct {
	scenario
	cfg   config
	sum   *report.Summary
	note  string
	fit   data.Dataset
	test  data.Dataset
	model *ml.Model
	plan  *encrypted.Plan
	sk    *client.SecretKey
	keys  *fhe.EvaluationKeys
	eng   program.Engine
	job   program.Job
	own   *fhe.Bundle // encrypted weights, or nil
	last  *fhe.Bundle // an input, for the comparisons,
	lastX []float64   // and its values
}

func ms(since time.Time) float64 { return float64(time.Since(since).Nanoseconds()) / 1e6 }

func (s scenario) run(ctx context.Context, cfg config) (*report.Summary, error) {
	if cfg.n == 0 {
		cfg.n = s.N
	}
	if cfg.costs == nil {
		cfg.costs = cost.Default()
	}
	if cfg.n < 1 {
		return nil, &usageError{fmt.Errorf("-n %d: at least 1", cfg.n)}
	}
	m := &measure{scenario: s, cfg: cfg, sum: report.New(s.Name)}
	if load, ok := report.Load(); ok {
		m.sum.Add(report.Number("load_before", "processes", load, 1,
			"wanted a processor in the minute before; above about half of one, times are doubtful"))
	}
	if s.prove != nil && s.own == nil {
		s.own = proveScenario
	}
	if s.own != nil {
		if err := s.own(ctx, s, cfg, m.sum); err != nil {
			return nil, fmt.Errorf("%s: %w", s.Name, err)
		}
		return m.sum, nil
	}
	for _, step := range []func(context.Context) error{m.compile, m.generate, m.encryptWeights, m.open, m.predict,
		m.compare, m.peak} {
		if err := step(ctx); err != nil {
			if m.job != nil {
				m.job.Close()
			}
			return nil, fmt.Errorf("%s: %w", s.Name, err)
		}
	}
	return m.sum, m.job.Close()
}

func (m *measure) say(format string, args ...any) { fmt.Fprintf(m.cfg.log, format+"\n", args...) }

// compile trains and compiles.
func (m *measure) compile(ctx context.Context) (err error) {
	if m.fit, m.test, m.note, err = m.load(m.cfg.data); err != nil {
		return err
	}
	spec, opts := m.scenario.fit(seed)
	m.say("%s: training on %d samples (%s)", m.Name, m.fit.Len(), m.note)
	if m.model, err = train.Fit(ctx, spec, m.fit, opts); err != nil {
		return err
	}
	target := m.how
	target.Calibration, target.Packing = m.fit.Head(1000).X, encrypted.Single
	if m.batch > 1 {
		target.Packing, target.Batch = encrypted.Batch, m.batch
	}
	start := time.Now()
	if m.plan, err = encrypted.Compile(m.model, target); err != nil {
		return err
	}
	m.sum.Add(report.Number("compile_ms", "ms", ms(start), 1, "encrypted.Compile").On("client", runtime.GOMAXPROCS(0)))
	m.say("%v", m.plan)
	prog := m.plan.Program()
	mean, worst := m.plan.PredictedBits()
	m.sum.Date = time.Now().UTC().Format(time.DateOnly)
	m.sum.Parameters = report.ParametersOf(m.plan.Parameters())
	m.sum.Add(
		report.Number("predicted_bits", "bits", worst, 1,
			fmt.Sprintf("by the noise model, for the worst of many scores; %.1f for the standard deviation", mean)),
		report.Number("rotations", "count", float64(prog.Rotations()), 1,
			fmt.Sprintf("automorphisms, of %d operations", len(prog.Ops()))),
		report.Number("input_bytes", "B", float64(m.plan.InputBytes()), 1,
			fmt.Sprintf("a run, which holds up to %d sample(s), to the server", m.plan.Samples())),
		report.Number("output_bytes", "B", float64(m.plan.OutputBytes()), 1, "a run, to the owner"),
		report.Number("keys_wire_bytes", "B", float64(m.plan.KeysBytes()), len(m.plan.Keys()),
			"evaluation keys as they are sent"),
	)
	return nil
}

// generate makes the keys, several times.
func (m *measure) generate(ctx context.Context) error {
	kg, err := client.NewKeyGenerator(m.plan.Parameters())
	if err != nil {
		return err
	}
	var times []float64
	for range min(3, m.cfg.n) {
		m.keys = nil // only one set in memory
		start := time.Now()
		m.sk = kg.GenSecretKey()
		if m.keys, err = kg.GenEvaluationKeys(ctx, m.sk, m.plan.Keys()); err != nil {
			return err
		}
		times = append(times, ms(start))
	}
	bytes := int64(0)
	for _, g := range m.keys.Elements() {
		k := m.keys.Get(g)
		bytes += 2 * int64(k.Digits()) * int64(k.Rows()) * int64(m.plan.Parameters().N()) * 8
	}
	m.sum.Add(
		report.Median("keygen_ms", "ms", times, "secret key and all evaluation keys").On("client", runtime.GOMAXPROCS(0)),
		report.Number("keys_bytes", "B", float64(bytes), len(m.keys.Elements()), "evaluation keys in memory, before loading"))
	return nil
}

// encryptWeights encrypts the weights under the public key, as their owner would.
func (m *measure) encryptWeights(context.Context) error {
	if len(m.plan.WeightPorts()) == 0 {
		return nil
	}
	kg, err := client.NewKeyGenerator(m.plan.Parameters())
	if err != nil {
		return err
	}
	pk, err := kg.GenPublicKey(m.sk)
	if err != nil {
		return err
	}
	start := time.Now()
	enc := client.NewPublicKeyEncryptor(pk)
	for _, port := range m.plan.WeightPorts() {
		b, err := enc.Encrypt(port, m.plan.Weights(port.Name))
		if err != nil {
			return err
		}
		if m.own == nil {
			m.own = b
		} else if err := m.own.Merge(b); err != nil {
			return err
		}
	}
	took := ms(start)
	bytes, err := m.own.WriteTo(io.Discard)
	m.sum.Add(report.Number("encrypt_weights_ms", "ms", took, 1,
		"by the model's owner, under the public key").On("client", runtime.GOMAXPROCS(0)),
		report.Number("weights_bytes", "B", float64(bytes), 1, "encrypted weights as they are sent"))
	return err
}

// open loads the program, several times.
func (m *measure) open(ctx context.Context) (err error) {
	if m.eng, err = engine.Open(ctx, engine.Auto); err != nil {
		return err
	}
	info := m.eng.Info()
	m.sum.Engine, m.sum.Threads = info.Name, info.Threads
	var times []float64
	for range min(3, m.cfg.n) {
		if m.job != nil {
			if err := m.job.Close(); err != nil {
				return err
			}
		}
		start := time.Now()
		if m.job, err = m.eng.Load(ctx, m.plan.Program(), m.plan.Constants(), m.keys); err != nil {
			return err
		}
		times = append(times, ms(start))
	}
	m.sum.Add(report.Median("load_ms", "ms", times,
		"Engine.Load: expands keys and weights, once for many runs").On(info.Name, info.Threads))
	figures, err := predictions(m.cfg.costs, m.plan.Program(), info)
	m.sum.Add(figures...)
	return err
}

// predictions returns what a table of the engine said of a program's cost before there were keys, or nothing if the
// table is of another engine.
func predictions(t *cost.Table, p *program.Program, info program.Info) ([]report.Figure, error) {
	if info.Name != t.Engine() {
		return nil, nil
	}
	all, err := cpu.Estimate(p, t, info.Threads)
	if err != nil {
		return nil, err
	}
	one, err := cpu.Estimate(p, t, 1)
	if err != nil {
		return nil, err
	}
	return []report.Figure{
		report.Number("predicted_ms", "ms", float64(all.Run)/1e6, 1,
			"server_ms by the cost table of "+all.Machine).On(info.Name, info.Threads),
		report.Number("predicted_1_thread_ms", "ms", float64(one.Run)/1e6, 1,
			"the same for server_1_thread_ms").On(info.Name, 1),
		report.Number("predicted_load_ms", "ms", float64(all.Load)/1e6, 1, "load_ms by the same").On(info.Name, info.Threads),
		report.Number("predicted_job_bytes", "B", float64(all.PeakBytes()), 1,
			"keys and weights as loaded, and the rows of one run"),
	}, nil
}

// predict runs the test samples and compares what comes back with the twin and with the model.
func (m *measure) predict(ctx context.Context) error {
	per := m.batch // the plan may hold more
	test, note := m.test, m.note
	runs := m.cfg.n
	unique := test.Len() // samples that accuracy rests on
	switch {
	case per == 1:
		unique = min(unique, runs)
		test = test.Head(unique)
	case test.Len() < per:
		note += fmt.Sprintf(", %d test samples repeated to fill a run", test.Len())
		index := make([]int, per)
		for i := range index {
			index[i] = i % test.Len()
		}
		test = test.Subset(index)
	}
	batches := (test.Len() + per - 1) / per
	runs = max(runs, batches)
	twin, err := m.plan.Twin().Scores(test.X)
	if err != nil {
		return err
	}
	twinFinal, err := m.plan.Twin().Forward(test.X)
	if err != nil {
		return err
	}
	plain, err := m.model.Forward(test.X)
	if err != nil {
		return err
	}
	enc, dec := client.NewEncryptor(m.sk), client.NewDecryptor(m.sk)
	m.say("%s: %d run(s) of %d sample(s)", m.Name, runs, per)
	var encryptMS, serverMS, decryptMS, each, scores, outputs []float64
	for i := range runs {
		lo := i % batches * per
		hi := min(lo+per, test.Len())
		x, err := m.plan.Pack(test.X.Slice(lo, hi))
		if err != nil {
			return err
		}
		m.lastX = x
		start := time.Now()
		if m.last, err = enc.Encrypt(m.plan.Input(), x); err != nil {
			return err
		}
		encryptMS = append(encryptMS, ms(start))
		if m.own != nil {
			if err := m.last.Merge(m.own); err != nil {
				return err
			}
		}
		start = time.Now()
		out, err := m.job.Run(ctx, m.last)
		if err != nil {
			return err
		}
		serverMS = append(serverMS, ms(start))
		each = append(each, serverMS[i]/float64(per))
		start = time.Now()
		y, err := dec.ForOwner(m.plan.Output(), out)
		if err != nil {
			return err
		}
		decryptMS = append(decryptMS, ms(start))
		if i < batches {
			s, err := m.plan.Scores(y, hi-lo)
			if err != nil {
				return err
			}
			o, err := m.plan.Unpack(y, hi-lo)
			if err != nil {
				return err
			}
			scores, outputs = append(scores, s.Data...), append(outputs, o.Data...)
		}
	}
	s, err := ml.NewTensor([]int{test.Len(), len(scores) / test.Len()}, scores)
	if err != nil {
		return err
	}
	final, err := ml.NewTensor([]int{test.Len(), len(outputs) / test.Len()}, outputs)
	if err != nil {
		return err
	}
	head := func(t ml.Tensor) []int { return m.model.Labels(t.Slice(0, unique)) }
	labels, truth := head(final), test.Y[:unique]
	run := fmt.Sprintf("a run of %d sample(s)", per)
	clientThreads := runtime.GOMAXPROCS(0)
	m.sum.Add(
		report.Median("server_ms", "ms", serverMS, "Job.Run, "+run+"; "+note).On(m.sum.Engine, m.sum.Threads),
		report.Median("per_image_ms", "ms", each, "server_ms by samples in a run").On(m.sum.Engine, m.sum.Threads),
		report.Median("encrypt_ms", "ms", encryptMS, run).On("client", clientThreads),
		report.Median("decrypt_ms", "ms", decryptMS, run).On("client", clientThreads),
		report.Number("precision_bits", "bits", report.BitsTo(s.Data, twin.Data, m.plan.Fidelity().Largest), test.Len(),
			"-log2(max error / max score, of the calibration set too) against the twin"),
		report.Number("precision_float_bits", "bits", report.Bits(final.Data, plain.Data), test.Len(),
			"the same against the float64 model"),
		report.Number("accuracy", "ratio", report.Agreement(labels, truth), unique, "under encryption; "+note),
		report.Number("accuracy_clear", "ratio", report.Agreement(head(plain), truth), unique,
			"of the float64 model on the same samples"),
		report.Number("agreement", "ratio", report.Agreement(labels, head(plain)), unique,
			"labels equal to the float64 model's"),
		report.Number("agreement_twin", "ratio", report.Agreement(labels, head(twinFinal)), unique,
			"labels equal to the twin's"),
	)
	if per == 1 {
		if err := m.whole(); err != nil {
			return err
		}
	}
	m.sum.Check("labels agree with the twin's on at least 99.9 %", report.Agreement(labels, head(twinFinal)) >= 0.999)
	m.sum.Check("at least 12 bits of precision", report.BitsTo(s.Data, twin.Data, m.plan.Fidelity().Largest) >= 12)
	return nil
}

// whole measures the twin on the whole test set: it computes what the encrypted program does, on more samples than that
// is run on.
func (m *measure) whole() error {
	outputs, err := m.plan.Twin().Forward(m.test.X)
	if err != nil {
		return err
	}
	m.sum.Add(report.Number("accuracy_twin", "ratio", report.Agreement(m.model.Labels(outputs), m.test.Y), m.test.Len(),
		"of the twin on the whole test set; "+m.note))
	return nil
}

// compare lets one thread, two threads and Lattigo's stock evaluators take turns on one input.
func (m *measure) compare(ctx context.Context) error {
	one, err := engine.Open(ctx, engine.Auto, engine.Threads(1))
	if err != nil {
		return err
	}
	single, err := one.Load(ctx, m.plan.Program(), m.plan.Constants(), m.keys)
	if err != nil {
		return err
	}
	defer single.Close()
	double := m.job
	if m.sum.Threads != 2 {
		two, err := engine.Open(ctx, engine.Auto, engine.Threads(2))
		if err != nil {
			return err
		}
		if double, err = two.Load(ctx, m.plan.Program(), m.plan.Constants(), m.keys); err != nil {
			return err
		}
		defer double.Close()
	}
	turns := min(pairs, m.cfg.n)
	m.say("%s: comparing with one thread and with Lattigo's evaluators, %d turn(s)", m.Name, turns)
	peer, err := m.bestPeer(ctx)
	if err != nil {
		return err
	}
	var digest fhe.Digest
	same := true
	run := func(j program.Job) (float64, error) {
		start := time.Now()
		out, err := j.Run(ctx, m.last)
		t := ms(start)
		if err != nil {
			return 0, err
		}
		d := out.Digest()
		same = same && (digest.IsZero() || digest == d)
		digest = d
		return t, nil
	}
	times, err := takeTurns(ctx, turns,
		func() (float64, error) { return onOne(func() (float64, error) { return run(single) }) },
		func() (float64, error) {
			return onOne(func() (float64, error) {
				return peer.run()
			})
		},
		func() (float64, error) { return run(double) },
	)
	if err != nil {
		return err
	}
	m.sum.Add(
		report.Median("server_1_thread_ms", "ms", times[0], "Job.Run on one processor").On(m.sum.Engine, 1),
		report.Median("stock_ms", "ms", times[1],
			"Lattigo v5.0.7's own evaluators on one processor, "+peer.note).On("lattigo stock", 1),
		report.Median("speedup_vs_stock", "x", ratios(times[1], times[0]),
			"stock_ms by server_1_thread_ms, turn by turn").On(m.sum.Engine, 1),
	)
	if runtime.GOMAXPROCS(0) > 1 {
		m.sum.Add(report.Median("speedup_2_cores", "x", ratios(times[0], times[2]),
			"one thread by two threads, turn by turn").On(m.sum.Engine, 2))
	}
	m.sum.Check("the stock evaluators compute the same within 8 bits", peer.bits >= 8)
	m.sum.Check("one thread and two give the same bits", same)
	return nil
}

// peak measures the memory of a process that does nothing but serve.
func (m *measure) peak(ctx context.Context) (err error) {
	if m.cfg.serve == nil {
		return nil
	}
	dir, err := os.MkdirTemp("", "signet-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	for _, f := range []struct {
		name string
		v    io.WriterTo
	}{{"parameters", m.plan.Parameters()}, {"program", m.plan.Program()}, {"constants", m.plan.Constants()},
		{"keys", m.keys}, {"input", m.last}} {
		err := report.WriteFile(filepath.Join(dir, f.name), 0o644,
			func(w io.Writer) error { _, err := f.v.WriteTo(w); return err })
		if err != nil {
			return err
		}
	}
	s, err := m.cfg.serve(ctx, dir)
	if err != nil {
		return err
	}
	if s.PeakBytes > 0 {
		job, err := m.plan.CostBy(m.cfg.costs, 1)
		if err != nil {
			return err
		}
		held := s.StartBytes + m.holds()
		m.sum.Add(report.Number("predicted_peak_bytes", "B", float64(job.PeakBytes()+held), 1,
			"peak_bytes: predicted_job_bytes, inputs, outputs, weights as read and one key, and "+
				report.Bytes(s.StartBytes)+" that it has at its start"))
		m.sum.Add(report.Number("peak_bytes", "B", float64(s.PeakBytes), 1,
			"largest resident size of a process that reads the files, loads and runs once").On(s.Engine, s.Threads))
	}
	return nil
}

// takeTurns calls every contestant once a turn and returns their times.
func takeTurns(ctx context.Context, turns int, contestants ...func() (float64, error)) ([][]float64, error) {
	times := make([][]float64, len(contestants))
	for turn := range turns {
		for k := range contestants {
			c := (turn + k) % len(contestants) // who goes first rotates
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			runtime.GC()
			t, err := contestants[c]()
			if err != nil {
				return nil, err
			}
			times[c] = append(times[c], t)
		}
	}
	return times, nil
}

// ratios returns a by b, turn by turn.
func ratios(a, b []float64) []float64 {
	out := make([]float64, len(a))
	for i := range a {
		out[i] = a[i] / b[i]
	}
	return out
}

// holds returns the bytes that a process holds beside its job: inputs, outputs, weights as they were read, and the key
// that is being loaded.
func (m *measure) holds() int64 {
	prog := m.plan.Program()
	row := 8 * int64(prog.Parameters().N())
	n := int64(0)
	for _, p := range append(prog.Inputs(), prog.Outputs()...) {
		n += int64(p.Count) * int64(p.Degree+1) * int64(p.Level+1) * row
	}
	for _, c := range prog.Constants() {
		n += 8 * int64(c.Rows) * int64(c.Width)
	}
	largest := int64(0)
	k := int64(prog.Parameters().PCount())
	for _, r := range prog.Keys() {
		q := int64(r.Level) + 1
		largest = max(largest, (q+k-1)/k*2*(q+k)*row)
	}
	return n + largest
}

// onOne calls f with one processor, the garbage collector's included.
func onOne(f func() (float64, error)) (float64, error) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	return f()
}

// peer is Lattigo's stock evaluators with the program as they like it best.
type peer struct {
	ev   *stock.Evaluator
	in   *fhe.Bundle
	note string
	bits float64 // precision of its result against the engine's
}

func (p *peer) run() (float64, error) {
	start := time.Now()
	_, err := p.ev.Run(p.in)
	return ms(start), err
}

// newPeer prepares the stock evaluators for a program that computes what the plan's does.
func (m *measure) newPeer(ctx context.Context, prog *program.Program, consts *program.Constants) (*peer, error) {
	p := &peer{in: m.last}
	keys := m.keys
	if prog.Digest() != m.plan.Program().Digest() {
		kg, err := client.NewKeyGenerator(prog.Parameters())
		if err != nil {
			return nil, err
		}
		if keys, err = kg.GenEvaluationKeys(ctx, m.sk, prog.Keys()); err != nil {
			return nil, err
		}
		if p.in, err = client.NewEncryptor(m.sk).Encrypt(prog.Inputs()[0], m.lastX); err != nil {
			return nil, err
		}
	}
	var err error
	p.ev, err = stock.New(prog, consts, keys, stock.BestStock())
	return p, err
}

// bestPeer tries, for one diagonal product after the other, numbers of baby steps up to a factor of 8 (2 if a run is
// slow) from the program's, which suit its own engine, and keeps the fastest for the stock evaluators.
func (m *measure) bestPeer(ctx context.Context) (*peer, error) {
	prog, consts := m.plan.Program(), m.plan.Constants()
	best, err := m.newPeer(ctx, prog, consts)
	if err != nil {
		return nil, err
	}
	best.note = "the same program"
	chosen, tried := map[int]int{}, 0
	factor := 8
	first, err := best.least()
	if err != nil {
		return nil, err
	}
	if first > slow {
		factor = 2
	}
	for i, o := range prog.Ops() {
		if o.Code != program.Lintrans {
			continue
		}
		fastest, err := best.least()
		if err != nil {
			return nil, err
		}
		for n1 := max(1, o.N1/factor); n1 <= min(1<<o.LogSlots, o.N1*factor); n1 *= 2 {
			if n1 == o.N1 {
				continue
			}
			try := map[int]int{i: n1}
			for k, v := range chosen {
				try[k] = v
			}
			p, c, err := withBabySteps(prog, consts, try)
			if err != nil {
				return nil, err
			}
			next, err := m.newPeer(ctx, p, c)
			if err != nil {
				return nil, err
			}
			t, err := next.least()
			if err != nil {
				return nil, err
			}
			tried++
			if t < 0.97*fastest { // less is noise
				fastest, best = t, next
				chosen[i] = n1
			}
		}
	}
	if tried > 0 {
		best.note = fmt.Sprintf("the best of %d choices of baby steps", tried+1)
		var steps []string
		for i, o := range prog.Ops() {
			if o.Code == program.Lintrans {
				steps = append(steps, fmt.Sprint(cmp.Or(chosen[i], o.N1)))
			}
		}
		best.note += ": " + strings.Join(steps, ", ")
	}
	want, err := m.job.Run(ctx, m.last)
	if err != nil {
		return nil, err
	}
	got, err := best.ev.Run(best.in)
	if err != nil {
		return nil, err
	}
	dec := client.NewDecryptor(m.sk)
	a, err := dec.ForOwner(m.plan.Output(), want)
	if err != nil {
		return nil, err
	}
	port := m.plan.Output()
	port.Program = got.Program()
	b, err := dec.ForOwner(port, got)
	if err != nil {
		return nil, err
	}
	best.bits = report.Bits(b, a)
	return best, nil
}

// slow is the milliseconds of a run above which fewer are made.
const slow = 500

// least returns the least time of seven runs on one processor, of two if they are slow.
func (p *peer) least() (float64, error) {
	least := 0.0
	for i := range 7 {
		if i == 2 && least > slow {
			break
		}
		t, err := onOne(p.run)
		if err != nil {
			return 0, err
		}
		if i == 0 || t < least {
			least = t
		}
	}
	return least, nil
}
