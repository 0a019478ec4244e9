package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/signet-ml/signet/ml/report"
	"github.com/signet-ml/signet/zk"
)

// registerScenario measures the registration of a model: the proof, once for a commitment, that its weights are small
// integers. Keys of the registration are kept in the folder for keys, so setup_ms is there only if they were made.
func registerScenario(ctx context.Context, s scenario, cfg config, sum *report.Summary) (err error) {
	p := &proving{scenario: s, cfg: cfg, sum: sum, threads: runtime.GOMAXPROCS(0), cache: cfg.proofs.cache}
	sum.Engine, sum.Threads = "groth16-bn254", p.threads
	sum.Date = time.Now().UTC().Format(time.DateOnly)
	if p.dir, err = os.MkdirTemp("", "signet-bench-"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(p.dir)) }()
	if p.cache == "" {
		p.cache = filepath.Join(p.dir, "keys")
	}
	if err := p.compile(ctx); err != nil {
		return err
	}
	if p.keys, err = zk.Setup(ctx, p.circuit.Circuit(), zk.CacheDir(p.cache)); err != nil {
		return err
	}
	circuit, err := p.circuit.RegistrationCircuit()
	if err != nil {
		return err
	}
	r, err := zk.Estimate(circuit, cfg.proofs.rates, zk.CacheDir(p.cache), zk.ReferenceString(p.keys.ReferenceString()))
	if err != nil {
		return err
	}
	p.say("%s", r)
	about := "once for a commitment; " + security
	sum.Add(
		report.Number("constraints", "count", float64(r.Constraints), 1, fmt.Sprintf("FFT domain %d; every weight is a wire; %s", r.Domain, security)),
		report.Number("weights", "count", float64(r.Weights), 1, "private, biases included"),
		report.Number("proof_bytes", "B", float64(r.ProofBytes), 1, "opening included"),
		report.Number("vk_bytes", "B", float64(r.VerifyingKeyBytes), 1, "of the registration circuit"),
		report.Number("pk_bytes", "B", float64(r.ProvingKeyBytes), 1, "proving key of the registration circuit"),
	)
	p.say("making keys of the registration, about a minute")
	start := time.Now()
	keys, err := zk.Setup(ctx, circuit, zk.CacheDir(p.cache), zk.ReferenceString(p.keys.ReferenceString()))
	if err != nil {
		return err
	}
	if !keys.Cached() {
		p.time("setup_ms", start, "keys of the registration circuit, once for the layout; "+security)
	}
	commitment, opening, err := p.circuit.Commit(p.keys)
	if err != nil {
		return err
	}
	vk, registrant := p.keys.VerifyingKey(), zk.Word{31: 1}
	var prove, verify []float64
	for i := range cfg.n {
		start := time.Now()
		reg, err := opening.Register(ctx, keys, vk, registrant)
		if err != nil {
			return err
		}
		prove = append(prove, ms(start))
		start = time.Now()
		if err := zk.VerifyRegistration(keys.VerifyingKey(), vk, commitment, registrant, reg); err != nil {
			return err
		}
		verify = append(verify, ms(start))
		if i == 0 {
			err := zk.VerifyRegistration(keys.VerifyingKey(), vk, commitment, zk.Word{31: 2}, reg)
			sum.Check("a registration under another name is refused", err != nil)
			other, _, err := p.circuit.Commit(p.keys)
			if err != nil {
				return err
			}
			sum.Check("a registration of other blinds is refused", zk.VerifyRegistration(keys.VerifyingKey(), vk, other, registrant, reg) != nil)
		}
	}
	sum.Add(
		report.Median("prove_ms", "ms", prove, "Opening.Register, its own verification included; "+about).On(sum.Engine, p.threads),
		report.Median("verify_ms", "ms", verify, "zk.VerifyRegistration").On(sum.Engine, p.threads),
		report.Number("peak_bytes", "B", float64(report.PeakBytes()), 1, "largest resident size of this process, training and setup included").On(sum.Engine, p.threads),
	)
	return nil
}
