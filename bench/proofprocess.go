package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"time"

	"github.com/signet-ml/signet/ml"
	"github.com/signet-ml/signet/ml/fixedpoint"
	"github.com/signet-ml/signet/ml/provable"
	"github.com/signet-ml/signet/ml/report"
	"github.com/signet-ml/signet/zk"
)

// proofJob is what a process that sets up or proves does, beside the integers of the model.
type proofJob struct {
	Weights zk.Visibility `json:"weights,omitzero"`
	Input   zk.Visibility `json:"input,omitzero"`
	Output  zk.Visibility `json:"output,omitzero"`
	Batch   int           `json:"batch"`
	Proofs  int           `json:"proofs"`
	Cache   string        `json:"cache"`
	X       []float64     `json:"x,omitempty"` // samples to prove
}

// made is what a process that makes keys reports.
type made struct {
	Threads   int     `json:"threads"`
	SetupMS   float64 `json:"setup_ms"`
	PeakBytes int64   `json:"peak_bytes"`
}

// proved is what a process that proves reports.
type proved struct {
	Threads   int     `json:"threads"`
	ProveMS   float64 `json:"prove_ms"`
	PeakBytes int64   `json:"peak_bytes"`
}

// Files of a folder that these processes work on.
const (
	twinFile   = "twin"
	jobFile    = "job.json"
	openingDir = "opening" // if weights are private
)

func writeProofJob(dir string, twin *fixedpoint.Model, j proofJob) error {
	b, err := json.Marshal(j)
	if err != nil {
		return err
	}
	if err := report.WriteFile(filepath.Join(dir, jobFile), 0o600, func(w io.Writer) error { _, err := w.Write(b); return err }); err != nil {
		return err
	}
	return report.WriteFile(filepath.Join(dir, twinFile), 0o600, func(w io.Writer) error { return fixedpoint.Write(w, twin) })
}

// readProofJob returns the job of a folder and its circuit.
func readProofJob(dir string) (*proofJob, *provable.Circuit, error) {
	b, err := os.ReadFile(filepath.Join(dir, jobFile))
	if err != nil {
		return nil, nil, err
	}
	j := new(proofJob)
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if err := dec.Decode(j); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", jobFile, err)
	}
	f, err := os.Open(filepath.Join(dir, twinFile))
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	twin, err := fixedpoint.Read(bufio.NewReaderSize(f, 1<<16), maxFile)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", twinFile, err)
	}
	c, err := provable.CompileTwin(twin, provable.Options{Weights: j.Weights, Input: j.Input, Output: j.Output, Batch: j.Batch, Proofs: j.Proofs})
	return j, c, err
}

// minding makes the collector work as in a process that minds its memory: what the work needs counts, not when garbage
// is collected. It returns what undoes it.
func minding() func() {
	old := debug.SetGCPercent(20)
	return func() { debug.SetGCPercent(old) }
}

// makeKeys makes the keys of a folder's circuit and leaves them in the cache.
func makeKeys(ctx context.Context, dir string) (*made, error) {
	defer minding()()
	j, c, err := readProofJob(dir)
	if err != nil {
		return nil, err
	}
	start := time.Now()
	k, err := zk.Setup(ctx, c.Circuit(), zk.CacheDir(j.Cache))
	if err != nil {
		return nil, err
	}
	took := ms(start)
	if k.Cached() {
		return nil, fmt.Errorf("keys are in %s already", j.Cache)
	}
	return &made{runtime.GOMAXPROCS(0), took, report.PeakBytes()}, nil
}

// proveOnce loads keys and opening of a folder and proves its samples.
func proveOnce(ctx context.Context, dir string) (_ *proved, err error) {
	defer minding()()
	j, c, err := readProofJob(dir)
	if err != nil {
		return nil, err
	}
	k, err := zk.Setup(ctx, c.Circuit(), zk.CacheDir(j.Cache), zk.Existing())
	if err != nil {
		return nil, err
	}
	x, err := ml.NewTensor(slices.Concat([]int{max(1, j.Batch)}, c.Twin().InputShape()), j.X)
	if err != nil {
		return nil, err
	}
	var o *provable.Opening
	if j.Weights != zk.Public {
		if o, err = c.LoadOpening(k, filepath.Join(dir, openingDir)); err != nil {
			return nil, err
		}
		defer func() { err = errors.Join(err, o.Close()) }()
	}
	start := time.Now()
	if _, _, err := c.Prove(ctx, k, o, x, zk.Context{}); err != nil {
		return nil, err
	}
	return &proved{runtime.GOMAXPROCS(0), ms(start), report.PeakBytes()}, nil
}
