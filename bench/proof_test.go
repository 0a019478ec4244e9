package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/signet-ml/signet/ml/provable"
	"github.com/signet-ml/signet/ml/report"
	"github.com/signet-ml/signet/zk"
)

// inProcess is a configuration that starts no process.
func inProcess(t *testing.T) proofConfig {
	return proofConfig{cache: filepath.Join(t.TempDir(), "keys"), rates: zk.DefaultRates(), setup: makeKeys, prove: proveOnce}
}

// toy is a network that is proved in a blink.
func toy(o provable.Options) scenario {
	return scenario{Name: "toy", N: 2, load: loadLR, widths: []int{30, 4, 2}, prove: &o}
}

// TestProofs runs toy scenarios in this process, where nothing may be left running.
func TestProofs(t *testing.T) {
	defer goleak.VerifyNone(t)
	figures := strings.Fields(`quantize_ms compile_ms constraints proof_bytes vk_bytes pk_bytes predicted_setup_ms predicted_prove_ms predicted_verify_ms
		predicted_peak_bytes predicted_setup_peak_bytes load_ms prove_ms per_sample_ms witness_ms verify_ms accuracy accuracy_float agreement saturated`)
	for _, tt := range []struct {
		name       string
		o          provable.Options
		proofBytes float64
		more       string // figures
	}{
		{"private", provable.Options{}, 360, "setup_ms commit_ms weights model_bytes srs_bytes"},
		{"hidden batch", provable.Options{Batch: 2, Output: zk.Committed, Input: zk.Public}, 360, "setup_ms commit_ms"},
		{"public weights", provable.Options{Weights: zk.Public}, 232, "setup_ms"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if testing.Short() && tt.name == "hidden batch" {
				t.Skip("long: the others have all steps")
			}
			cfg := config{n: 2, log: io.Discard, proofs: inProcess(t)}
			s := toy(tt.o)
			sum, err := s.run(t.Context(), cfg)
			if err != nil {
				t.Fatal(err)
			}
			for _, name := range append(figures, strings.Fields(tt.more)...) {
				f, ok := sum.Get(name)
				if !ok || f.Note == "" {
					t.Errorf("%s: there is %v, %+v", name, ok, f)
					continue
				}
				if strings.HasSuffix(name, "_ms") && (f.Value <= 0 || f.Threads < 1) {
					t.Errorf("%s: %+v", name, f)
				}
			}
			for _, name := range []string{"prove_ms", "verify_ms", "witness_ms"} {
				if f, _ := sum.Get(name); len(f.Samples) != cfg.n {
					t.Errorf("%s has %d samples, want %d", name, len(f.Samples), cfg.n)
				}
			}
			if f, _ := sum.Get("proof_bytes"); f.Value != tt.proofBytes {
				t.Errorf("proof of %v bytes, want %v", f.Value, tt.proofBytes)
			}
			if f := sum.Failed(); len(f) > 0 || len(sum.Checks) < 5 {
				t.Errorf("failed: %q of %d", f, len(sum.Checks))
			}
			if sum, err = s.run(t.Context(), cfg); err != nil {
				t.Fatal(err)
			}
			if _, ok := sum.Get("setup_ms"); ok {
				t.Error("a setup was measured, although the keys are cached")
			}
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := toy(provable.Options{}).run(ctx, config{n: 1, log: io.Discard, proofs: inProcess(t)}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: error %v", err)
	}
}

// TestProofProcesses gives folders that do not fit to the commands that work on them.
func TestProofProcesses(t *testing.T) {
	c, x, err := shape{[]int{6, 4, 3}, 1, false}.circuit()
	if err != nil {
		t.Fatal(err)
	}
	folder := func(t *testing.T) string {
		dir := t.TempDir()
		if err := writeProofJob(dir, c.Twin(), proofJob{Batch: 1, Proofs: 2, Cache: filepath.Join(dir, "keys"), X: x.Data}); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	t.Run("empty", func(t *testing.T) {
		for _, f := range []func(string) error{
			func(dir string) error { _, err := makeKeys(t.Context(), dir); return err },
			func(dir string) error { _, err := proveOnce(t.Context(), dir); return err },
		} {
			if err := f(t.TempDir()); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("error %v", err)
			}
		}
	})
	t.Run("field", func(t *testing.T) {
		dir := folder(t)
		if err := os.WriteFile(filepath.Join(dir, jobFile), []byte(`{"weight":1}`), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := makeKeys(t.Context(), dir); err == nil || !strings.Contains(err.Error(), jobFile) {
			t.Errorf("error %v", err)
		}
	})
	t.Run("no keys, keys, keys again, no opening", func(t *testing.T) {
		dir := folder(t)
		if _, err := proveOnce(t.Context(), dir); !errors.Is(err, zk.ErrNoKeys) {
			t.Errorf("proof without keys: error %v", err)
		}
		dir = folder(t)
		m, err := makeKeys(t.Context(), dir)
		if err != nil || m.SetupMS <= 0 || m.Threads < 1 {
			t.Fatalf("%+v, error %v", m, err)
		}
		if _, err := makeKeys(t.Context(), dir); err == nil || !strings.Contains(err.Error(), "already") {
			t.Errorf("keys a second time: error %v", err)
		}
		if _, err := proveOnce(t.Context(), dir); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("proof without an opening: error %v", err)
		}
	})
}

// TestCalibrateProofs measures two small networks and reads back what it wrote.
func TestCalibrateProofs(t *testing.T) {
	if testing.Short() {
		t.Skip("seconds of measuring")
	}
	defer goleak.VerifyNone(t)
	var log, b bytes.Buffer
	small := []shape{{[]int{16, 8, 3}, 1, false}, {[]int{32, 16, 3}, 2, false}}
	r, err := calibrateProofs(t.Context(), &log, small, inProcess(t))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	if back, err := zk.ReadRates(&b, zk.MaxRatesBytes); err != nil || back != r || back.Machine != report.ThisMachine().String() {
		t.Errorf("read %+v, error %v", back, err)
	}
	if !strings.Contains(log.String(), "the rates explain") {
		t.Errorf("log %q", log.String())
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := calibrateProofs(ctx, io.Discard, small, inProcess(t)); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: error %v", err)
	}
}

// TestFitRate recovers known rates from exact samples, and keeps to the prior without any.
func TestFitRate(t *testing.T) {
	want := zk.Rate{Fixed: 5e6, Constraint: 2e4, Domain: 3e3, Weight: 20}
	prior := zk.Rate{Fixed: 1e7, Constraint: 1e4, Domain: 6e3, Weight: 40}
	var samples []proofSample
	for i, n := range []int{1000, 3000, 9000, 20000, 50000, 130000} {
		s := zk.Sizes{Constraints: n, Domain: 1 << (10 + i), Weights: (i * i % 3) * 1e6}
		samples = append(samples, proofSample{Sizes: s, prove: want.Of(s)})
	}
	got := fitRate(samples, func(m proofSample) float64 { return m.prove }, prior)
	for _, s := range samples {
		if off := got.Of(s.Sizes)/s.prove - 1; math.Abs(off) > 0.03 {
			t.Errorf("%+v: off by %.1f %%", s.Sizes, 100*off)
		}
	}
	if got.Committed != 0 || got.Column != 0 {
		t.Errorf("sizes that the prior does not count have rates: %+v", got)
	}
	if got := fitRate(samples, func(m proofSample) float64 { return m.verify }, prior); got != prior {
		t.Errorf("without samples: %+v", got)
	}
}

func TestProofRates(t *testing.T) {
	home := t.TempDir()
	t.Setenv("XDG_CONFIG_HOME", home)
	t.Setenv("HOME", home)
	var log bytes.Buffer
	if r, err := proofRates(&log, ""); err != nil || r != zk.DefaultRates() {
		t.Errorf("nothing calibrated: %+v, error %v", r, err)
	}
	own, err := calibrated("", ratesName)
	if err != nil {
		t.Fatal(err)
	}
	mine := zk.DefaultRates()
	mine.Machine = report.ThisMachine().String()
	mine.Commit = "c0ffee"
	if err := report.WriteFile(own, 0o644, func(w io.Writer) error { _, err := mine.WriteTo(w); return err }); err != nil {
		t.Fatal(err)
	}
	log.Reset()
	if r, err := proofRates(&log, ""); err != nil || r != mine || log.Len() > 0 {
		t.Errorf("this machine's: %+v, error %v, log %q", r, err, log.String())
	}
	other := filepath.Join(home, "other.json")
	mine.Machine = "a mainframe"
	if err := report.WriteFile(other, 0o644, func(w io.Writer) error { _, err := mine.WriteTo(w); return err }); err != nil {
		t.Fatal(err)
	}
	if r, err := proofRates(&log, other); err != nil || r != mine || !strings.Contains(log.String(), "a mainframe; this is") {
		t.Errorf("another machine's: error %v, log %q", err, log.String())
	}
	if _, err := proofRates(io.Discard, filepath.Join(home, "nosuch")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no such file: error %v", err)
	}
	if err := os.WriteFile(own, []byte("{"), 0o644); err != nil {
		t.Fatal(err)
	}
	var fe *zk.FormatError
	if _, err := proofRates(io.Discard, ""); !errors.As(err, &fe) || !strings.Contains(err.Error(), own) {
		t.Errorf("broken rates: error %v, want a *zk.FormatError that names the file", err)
	}
}
