package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"time"

	"github.com/signet-ml/signet/ml"
	"github.com/signet-ml/signet/ml/provable"
	"github.com/signet-ml/signet/ml/report"
	"github.com/signet-ml/signet/zk"
)

// ratesName is what the file of rates is called in place of an engine.
const ratesName = "proofs"

// proofRates returns the rates in a file or, if path is empty, those of this machine, or the shipped ones if it was not
// calibrated. It warns of rates of another machine.
func proofRates(log io.Writer, path string) (zk.Rates, error) {
	own := path == ""
	if own {
		var err error
		if path, err = report.CostTablePath(ratesName); err != nil {
			path = "" // a user without a home has calibrated nothing
		}
	}
	r, err := readRates(path)
	switch {
	case own && (path == "" || errors.Is(err, fs.ErrNotExist)):
		r = zk.DefaultRates()
	case err != nil:
		return r, fmt.Errorf("rates %s: %w", path, err)
	}
	if here := report.ThisMachine().String(); r.Machine != here {
		fmt.Fprintf(log, "warning: predicted times of proofs are those of another machine (%s; this is %s) and may be off by a factor: run bench calibrate\n", r.Machine, here)
	}
	return r, nil
}

func readRates(path string) (zk.Rates, error) {
	f, err := os.Open(path)
	if err != nil {
		return zk.Rates{}, err
	}
	defer f.Close()
	return zk.ReadRates(f, zk.MaxRatesBytes)
}

// A shape is a network that is proved to learn what proofs cost.
type shape struct {
	widths []int
	batch  int
	public bool // the weights
}

// shapes differ in what dominates: constraints from 4,000 to 50,000, on both sides of powers of two, weights from none
// to millions. All secrets are committed and range checks are most of the constraints, as in real circuits.
var shapes = []shape{
	{[]int{64, 48, 10}, 1, false},
	{[]int{64, 96, 96, 10}, 2, false},
	{[]int{256, 128, 10}, 4, false},
	{[]int{1000, 200, 10}, 1, true},
	{[]int{4000, 1200, 10}, 1, false},
	{[]int{256, 256, 128, 10}, 10, false},
}

// calibrateProofs measures proofs about networks of the shapes and fits rates to them. Keys are made, and one proof of
// each, by run and prove, on a folder.
func calibrateProofs(ctx context.Context, log io.Writer, shapes []shape, p proofConfig) (zk.Rates, error) {
	start := time.Now()
	r := zk.DefaultRates()
	prior := r
	r.Machine, r.Threads, r.Commit = report.ThisMachine().String(), runtime.GOMAXPROCS(0), report.Commit()
	var all []proofSample
	for _, s := range shapes {
		m, err := s.measure(ctx, p)
		if err != nil {
			return r, fmt.Errorf("network %v, %d samples: %w", s.widths, s.batch, err)
		}
		all = append(all, m)
		fmt.Fprintf(log, "calibrate: network %v, %d sample(s): %d constraints, setup %.1f s, proof %.0f ms (%.0f s)\n",
			s.widths, s.batch, m.Constraints, m.setup/1e9, m.prove/1e6, time.Since(start).Seconds())
	}
	for _, f := range []struct {
		to    *zk.Rate
		prior zk.Rate
		of    func(proofSample) float64
	}{
		{&r.Compile, prior.Compile, func(m proofSample) float64 { return m.compile }},
		{&r.Setup, prior.Setup, func(m proofSample) float64 { return m.setup }},
		{&r.Load, prior.Load, func(m proofSample) float64 { return m.load }},
		{&r.Model, prior.Model, func(m proofSample) float64 { return m.model }},
		{&r.Prove, prior.Prove, func(m proofSample) float64 { return m.prove }},
		{&r.Verify, prior.Verify, func(m proofSample) float64 { return m.verify }},
		{&r.SetupMemory, prior.SetupMemory, func(m proofSample) float64 { return m.setupPeak }},
		{&r.ProveMemory, prior.ProveMemory, func(m proofSample) float64 { return m.provePeak }},
	} {
		*f.to = fitRate(all, f.of, f.prior)
	}
	worst := 1.0
	for _, m := range all {
		for _, pair := range [][2]float64{{r.Setup.Of(m.Sizes), m.setup}, {r.Prove.Of(m.Sizes), m.prove}, {r.ProveMemory.Of(m.Sizes), m.provePeak}} {
			if pair[1] > 0 {
				worst = max(worst, pair[0]/pair[1], pair[1]/pair[0])
			}
		}
	}
	_, err := fmt.Fprintf(log, "calibrate: the rates explain setup, proofs and memory within a factor of %.2f\n", worst)
	return r, err
}

// proofSample is what proofs of one shape cost, in nanoseconds and bytes.
type proofSample struct {
	zk.Sizes
	compile, setup, load, model, prove, verify float64
	setupPeak, provePeak                       float64 // 0 where the system does not say
}

// proofRounds is how many proofs are made of a shape. The fastest counts, which other processes disturb least.
const proofRounds = 4

// measure returns what proofs about a network of the shape cost.
func (s shape) measure(ctx context.Context, p proofConfig) (m proofSample, err error) {
	dir, err := os.MkdirTemp("", "signet-bench-")
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	c, x, err := s.circuit()
	if err != nil {
		return m, err
	}
	since := func(start time.Time) float64 { return float64(time.Since(start)) }
	start := time.Now()
	r, err := c.EstimateBy(zk.DefaultRates())
	if err != nil {
		return m, err
	}
	m.Sizes, m.compile = r.Sizes, since(start)
	j := proofJob{Weights: s.weights(), Batch: s.batch, Proofs: proofRounds + 1, Cache: filepath.Join(dir, "keys"), X: x.Data}
	if err := writeProofJob(dir, c.Twin(), j); err != nil {
		return m, err
	}
	made, err := p.setup(ctx, dir)
	if err != nil {
		return m, err
	}
	m.setup, m.setupPeak = made.SetupMS*1e6, float64(made.PeakBytes)
	start = time.Now()
	k, err := zk.Setup(ctx, c.Circuit(), zk.CacheDir(j.Cache))
	if err != nil {
		return m, err
	}
	m.load = since(start)
	var commitment *provable.Commitment
	var o *provable.Opening
	if !s.public {
		start = time.Now()
		if commitment, o, err = c.CommitTo(ctx, k, filepath.Join(dir, openingDir)); err != nil {
			return m, err
		}
		m.model = since(start)
		defer func() { // for every way out
			if o != nil {
				err = errors.Join(err, o.Close())
			}
		}()
	}
	m.prove, m.verify = math.Inf(1), math.Inf(1)
	for range proofRounds {
		runtime.GC()
		start = time.Now()
		proof, pred, err := c.Prove(ctx, k, o, x, zk.Context{})
		if err != nil {
			return m, err
		}
		m.prove = min(m.prove, since(start))
		st := c.Statement(commitment, x, pred)
		for range 5 {
			start = time.Now()
			if err := zk.Verify(k.VerifyingKey(), st, proof); err != nil {
				return m, err
			}
			m.verify = min(m.verify, since(start))
		}
	}
	if o != nil { // another process is to open it
		err, o = o.Close(), nil
		if err != nil {
			return m, err
		}
	}
	once, err := p.prove(ctx, dir)
	if err != nil {
		return m, err
	}
	m.provePeak = float64(once.PeakBytes)
	return m, nil
}

func (s shape) weights() zk.Visibility {
	if s.public {
		return zk.Public
	}
	return zk.Committed
}

// circuit returns a circuit of random weights and an input for it.
func (s shape) circuit() (*provable.Circuit, ml.Tensor, error) {
	model, err := randomNetwork(seed, s.widths[:1], s.widths)
	if err != nil {
		return nil, ml.Tensor{}, err
	}
	x := make([]float64, max(s.batch, 16)*s.widths[0])
	for i := range x {
		x[i] = float64(i*7919%1000) / 1000
	}
	all, err := ml.NewTensor([]int{len(x) / s.widths[0], s.widths[0]}, x)
	if err != nil {
		return nil, all, err
	}
	c, err := provable.Compile(model, provable.Options{Weights: s.weights(), Batch: s.batch, Proofs: proofRounds + 1, Calibration: all})
	return c, all.Slice(0, s.batch), err
}

// pull is how strongly a fit holds to its prior: as much as one sample that consists of a size alone and of which the
// relative error counts by the square root of this. The samples do not tell sizes apart that grow together.
const pull = 0.01

// fitRate returns the rate that minimises the sum of the squared relative errors of samples, with no negative number in
// it. The sizes that count are those that the prior counts. It is non-negative least squares by coordinate descent, as
// in package cost.
func fitRate(samples []proofSample, of func(proofSample) float64, prior zk.Rate) zk.Rate {
	known := rateVector(prior)
	n := len(known)
	x, target := slices.Clone(known), make([]float64, n)
	gram := make([][]float64, n)
	for i := range gram {
		gram[i] = make([]float64, n)
		if known[i] > 0 {
			gram[i][i] = pull / (known[i] * known[i])
			target[i] = pull / known[i]
		}
	}
	measured := false
	for _, s := range samples {
		want := of(s)
		if !(want > 0) {
			continue
		}
		measured = true
		row := sizeVector(s.Sizes)
		for i := range row {
			target[i] += row[i] / want
			for j := range row {
				gram[i][j] += row[i] * row[j] / (want * want)
			}
		}
	}
	if !measured {
		return prior
	}
	for range 20000 {
		for i := range x {
			if known[i] == 0 {
				continue
			}
			r := target[i]
			for j := range x {
				if j != i {
					r -= gram[i][j] * x[j]
				}
			}
			x[i] = max(0, r/gram[i][i])
		}
	}
	for i := range x { // more digits than three mean nothing
		x[i], _ = strconv.ParseFloat(strconv.FormatFloat(x[i], 'g', 3, 64), 64)
	}
	return zk.Rate{Fixed: x[0], Constraint: x[1], Committed: x[2], Domain: x[3], Point: x[4], Column: x[5], Row: x[6], Weight: x[7], KeyByte: x[8], Term: x[9]}
}

func rateVector(r zk.Rate) []float64 {
	return []float64{r.Fixed, r.Constraint, r.Committed, r.Domain, r.Point, r.Column, r.Row, r.Weight, r.KeyByte, r.Term}
}

func sizeVector(s zk.Sizes) []float64 {
	out := []float64{1}
	for _, n := range []int{s.Constraints, s.Committed, s.Domain, s.Points, s.Columns, s.Rows, s.Weights, int(s.ProvingKeyBytes), s.Terms} {
		out = append(out, float64(n))
	}
	return out
}
