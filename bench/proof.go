package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/signet-ml/signet/ml"
	"github.com/signet-ml/signet/ml/data"
	"github.com/signet-ml/signet/ml/provable"
	"github.com/signet-ml/signet/ml/report"
	"github.com/signet-ml/signet/ml/train"
	"github.com/signet-ml/signet/zk"
)

// proofConfig is what scenarios of proofs work with.
type proofConfig struct {
	cache string // folder of keys; empty: none is kept
	rates zk.Rates
	// setup and prove work on a folder, in a process of their own where peak memory is to be measured.
	setup func(ctx context.Context, dir string) (*made, error)
	prove func(ctx context.Context, dir string) (*proved, error)
}

// proving is one run of a scenario of proofs.
type proving struct {
	scenario
	cfg        config
	sum        *report.Summary
	dir        string // files that other processes read
	cache      string
	note       string
	test       data.Dataset
	model      *ml.Model
	circuit    *provable.Circuit
	report     *zk.Report
	keys       *zk.Keys
	commitment *provable.Commitment
	opening    *provable.Opening // nil when the weights are public
	threads    int
}

// proveScenario trains, sets up in a process of its own, commits, and proves and verifies n times. Then another process
// proves once from the files.
func proveScenario(ctx context.Context, s scenario, cfg config, sum *report.Summary) (err error) {
	p := &proving{scenario: s, cfg: cfg, sum: sum, threads: runtime.GOMAXPROCS(0), cache: cfg.proofs.cache}
	sum.Engine, sum.Threads = "groth16-bn254", p.threads
	sum.Date = time.Now().UTC().Format(time.DateOnly)
	if p.dir, err = os.MkdirTemp("", "signet-bench-"); err != nil {
		return err
	}
	defer func() {
		if p.opening != nil {
			err = errors.Join(err, p.opening.Close())
		}
		err = errors.Join(err, os.RemoveAll(p.dir))
	}()
	if p.cache == "" {
		p.cache = filepath.Join(p.dir, "keys")
	}
	for _, step := range []func(context.Context) error{p.compile, p.foresee, p.setup, p.load, p.commit, p.predict, p.peak} {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (p *proving) say(format string, args ...any) {
	fmt.Fprintf(p.cfg.log, p.Name+": "+format+"\n", args...)
}

// time adds a figure of one measurement.
func (p *proving) time(name string, since time.Time, note string) {
	p.sum.Add(report.Number(name, "ms", ms(since), 1, note).On(p.sum.Engine, p.threads))
}

// compile trains and quantises.
func (p *proving) compile(ctx context.Context) error {
	fit, test, note, err := p.scenario.load(p.cfg.data)
	if err != nil {
		return err
	}
	p.test, p.note = test, note
	if p.widths != nil {
		p.note = "random weights; " + note
		p.model, err = randomNetwork(seed, fit.SampleShape(), p.widths)
	} else {
		p.say("training on %d samples (%s)", fit.Len(), note)
		spec, opts := p.scenario.fit(seed)
		p.model, err = train.Fit(ctx, spec, fit, opts)
	}
	if err != nil {
		return err
	}
	o := *p.scenario.prove
	o.Calibration = fit.Head(500).X
	o.Proofs = max(o.Proofs, 1000, p.cfg.n+1)
	start := time.Now()
	if p.circuit, err = provable.Compile(p.model, o); err != nil {
		return err
	}
	p.time("quantize_ms", start, "provable.Compile: integers from floats, and the circuit's layout")
	q, err := p.circuit.Twin().Compare(p.model, test.X, test.Y)
	if err != nil {
		return err
	}
	cut := 0
	for _, t := range q.Tensors {
		cut += t.Saturated
	}
	p.sum.Add(
		report.Number("accuracy", "ratio", q.Accuracy, q.Samples, "of the integers, which proofs are about; "+p.note),
		report.Number("accuracy_float", "ratio", q.FloatAccuracy, q.Samples, "of the float64 model on the same samples"),
		report.Number("agreement", "ratio", 1-float64(len(q.Flips))/float64(q.Samples), q.Samples, "labels of the integers equal to the float64 model's"),
		report.Number("saturated", "count", float64(cut), q.Samples, "integers that were cut, of all layers and samples"),
	)
	return nil
}

// security is what a reader of times must know of what they buy.
const security = "BN254, about 100 bits; keys and reference string made here (local)"

// foresee adds what is known before there are keys.
func (p *proving) foresee(context.Context) error {
	start := time.Now()
	r, err := p.circuit.EstimateBy(p.cfg.proofs.rates, zk.CacheDir(p.cache))
	if err != nil {
		return err
	}
	p.report = r
	p.time("compile_ms", start, "constraints from the layout, and the report on them")
	p.say("%s", r)
	by := "by the rates of " + r.Machine
	ns := func(name string, d time.Duration, note string) report.Figure {
		return report.Number(name, "ms", float64(d)/1e6, 1, note).On(p.sum.Engine, r.Threads)
	}
	p.sum.Add(
		report.Number("constraints", "count", float64(r.Constraints), 1, fmt.Sprintf("FFT domain %d; %s", r.Domain, p.about())),
		report.Number("weights", "count", float64(r.Weights), 1, "private, biases included"),
		report.Number("proof_bytes", "B", float64(r.ProofBytes), 1, "opening included"),
		report.Number("vk_bytes", "B", float64(r.VerifyingKeyBytes), 1, "with the reference string's key and what the inputs mean"),
		report.Number("model_bytes", "B", float64(r.ModelBytes), 1, "model commitment, which a verifier holds"),
		report.Number("pk_bytes", "B", float64(r.ProvingKeyBytes), 1, "proving key"),
		report.Number("srs_bytes", "B", float64(r.ReferenceBytes), 1, "reference string"),
		ns("predicted_setup_ms", r.Setup, "setup_ms "+by),
		ns("predicted_prove_ms", r.Prove, "prove_ms "+by),
		ns("predicted_verify_ms", r.Verify, "verify_ms "+by),
		report.Number("predicted_peak_bytes", "B", float64(r.ProveBytes), 1, "peak_bytes "+by),
		report.Number("predicted_setup_peak_bytes", "B", float64(r.SetupBytes), 1, "setup_peak_bytes "+by),
	)
	return nil
}

// about says what is private and what security there is.
func (p *proving) about() string {
	private := "private: weights and input"
	if p.report.Rows == 0 {
		private = "private: input; weights public"
	}
	return private + "; " + security
}

// setup makes the keys in another process, unless they are cached.
func (p *proving) setup(ctx context.Context) error {
	if p.report.Cache == "hit" {
		p.say("keys from %s: no setup_ms, run with --cold for one", p.cache)
		return p.write(nil)
	}
	if err := p.write(nil); err != nil {
		return err
	}
	p.say("making keys")
	m, err := p.cfg.proofs.setup(ctx, p.dir)
	if err != nil {
		return err
	}
	p.sum.Add(report.Number("setup_ms", "ms", m.SetupMS, 1, "once for the architecture: constraints, keys and reference string, stored in the cache; "+security).On(p.sum.Engine, m.Threads))
	if m.PeakBytes > 0 {
		p.sum.Add(report.Number("setup_peak_bytes", "B", float64(m.PeakBytes), 1, "largest resident size of a process that makes the keys").On(p.sum.Engine, m.Threads))
	}
	return nil
}

// write writes the files for other processes: the integers, and what to do with a sample.
func (p *proving) write(x []float64) error {
	o := p.scenario.prove
	return writeProofJob(p.dir, p.circuit.Twin(), proofJob{Weights: o.Weights, Input: o.Input, Output: o.Output, Batch: o.Batch,
		Proofs: max(o.Proofs, 1000, p.cfg.n+1), Cache: p.cache, X: x})
}

// load reads the keys from the cache, several times.
func (p *proving) load(ctx context.Context) (err error) {
	var times []float64
	for range min(3, p.cfg.n) {
		p.keys = nil
		runtime.GC()
		start := time.Now()
		if p.keys, err = zk.Setup(ctx, p.circuit.Circuit(), zk.CacheDir(p.cache), zk.Existing()); err != nil {
			return err
		}
		times = append(times, ms(start))
	}
	p.sum.Add(report.Median("load_ms", "ms", times, "zk.Setup with cached keys: constraints, proving key, reference string, all checked").On(p.sum.Engine, p.threads))
	vk, err := p.keys.VerifyingKey().MarshalBinary()
	if err != nil {
		return err
	}
	p.sum.Check("the report's sizes are those of the keys", p.keys.Constraints() == p.report.Constraints && len(vk) == p.report.VerifyingKeyBytes &&
		p.keys.ProvingKeyBytes() == p.report.ProvingKeyBytes)
	return nil
}

// private reports whether weights are committed to.
func (p *proving) private() bool { return p.report.Rows > 0 }

// commit commits to the model.
func (p *proving) commit(ctx context.Context) (err error) {
	if !p.private() {
		return nil
	}
	start := time.Now()
	if p.commitment, p.opening, err = p.circuit.CommitTo(ctx, p.keys, filepath.Join(p.dir, openingDir)); err != nil {
		return err
	}
	p.time("commit_ms", start, "once for the model, opening and budget written to files; by rows")
	return nil
}

// predict proves and verifies.
func (p *proving) predict(ctx context.Context) error {
	per := max(1, p.scenario.prove.Batch)
	var witness, prove, verify, each []float64
	twin, right := p.circuit.Twin(), true
	p.say("%d proof(s) of %d sample(s)", p.cfg.n, per)
	for i := range p.cfg.n {
		x := p.sample(i, per)
		start := time.Now()
		in, err := twin.Encode(x)
		if err != nil {
			return err
		}
		out, err := twin.Forward(in, per)
		if err != nil {
			return err
		}
		witness = append(witness, ms(start))
		runtime.GC()
		start = time.Now()
		proof, pred, err := p.circuit.Prove(ctx, p.keys, p.opening, x, zk.Context{})
		if err != nil {
			return err
		}
		prove = append(prove, ms(start))
		each = append(each, ms(start)/float64(per))
		want := twin.Labels(out)
		right = right && report.Agreement(pred.Labels, want) == 1
		st := p.circuit.Statement(p.commitment, x, pred)
		start = time.Now()
		if err := zk.Verify(p.keys.VerifyingKey(), st, proof); err != nil {
			return err
		}
		verify = append(verify, ms(start))
		if i == 0 {
			if err := p.refuse(st, proof); err != nil {
				return err
			}
		}
	}
	p.sum.Add(
		report.Median("prove_ms", "ms", prove, fmt.Sprintf("Circuit.Prove of %d sample(s), opening and its own verification included; %s", per, p.about())).On(p.sum.Engine, p.threads),
		report.Median("per_sample_ms", "ms", each, "prove_ms by samples in a proof").On(p.sum.Engine, p.threads),
		report.Median("witness_ms", "ms", witness, "part of prove_ms: the integers' run on the input").On("client", 1),
		report.Median("verify_ms", "ms", verify, "zk.Verify; every proof was verified").On(p.sum.Engine, p.threads),
	)
	p.sum.Check("every prediction is the integers' own", right)
	return nil
}

// sample returns the i-th samples of the test set, again from the start past its end.
func (p *proving) sample(i, per int) ml.Tensor {
	index := make([]int, per)
	for k := range index {
		index[k] = (i*per + k) % p.test.Len()
	}
	return p.test.Subset(index).X
}

// refuse checks that the proof proves no other statement.
func (p *proving) refuse(st *zk.Statement, proof *zk.Proof) error {
	b, err := proof.MarshalBinary()
	if err != nil {
		return err
	}
	p.sum.Check("the proof has the report's length", len(b) == p.report.ProofBytes)
	vk := p.keys.VerifyingKey()
	elsewhere := *st
	elsewhere.Context.Task[0]++
	p.sum.Check("a proof for another task is refused", errors.Is(zk.Verify(vk, &elsewhere, proof), zk.ErrProof))
	other := *st
	if out := &other.Output; out.Values != nil {
		out.Values = append([]int64(nil), out.Values...)
		if out.Values[0] > vk.Spec().Output.Lo {
			out.Values[0]--
		} else {
			out.Values[0]++
		}
	} else {
		out.Digest[31] ^= 1
	}
	p.sum.Check("another output is refused", errors.Is(zk.Verify(vk, &other, proof), zk.ErrProof))
	return nil
}

// peak measures the memory of a process that does nothing but load and prove.
func (p *proving) peak(ctx context.Context) error {
	if p.opening != nil { // two processes cannot have it
		if err := p.opening.Close(); err != nil {
			return err
		}
		p.opening = nil
	}
	if err := p.write(p.sample(0, max(1, p.scenario.prove.Batch)).Data); err != nil {
		return err
	}
	r, err := p.cfg.proofs.prove(ctx, p.dir)
	if err != nil || r.PeakBytes == 0 {
		return err
	}
	p.sum.Add(report.Number("peak_bytes", "B", float64(r.PeakBytes), 1,
		"largest resident size of a process that loads cached keys and the opening, and proves once").On(p.sum.Engine, r.Threads))
	return nil
}
