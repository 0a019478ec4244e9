package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"

	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/engine"
	"github.com/signet-ml/signet/fhe/program"
	"github.com/signet-ml/signet/ml/report"
)

// served is what a server process reports.
type served struct {
	Engine     string `json:"engine"`
	Threads    int    `json:"threads"`
	StartBytes int64  `json:"start_bytes"` // resident before anything is read
	PeakBytes  int64  `json:"peak_bytes"`
	Output     string `json:"output"` // digest
}

const maxFile = 1 << 36

// serve reads parameters, program, constants, keys and input from a folder and runs once.
func serve(ctx context.Context, dir string) (*served, error) {
	start := report.PeakBytes()
	// As a server that minds its memory: what it needs counts, not when the garbage of reading is collected.
	defer debug.SetGCPercent(debug.SetGCPercent(20))
	open := func(name string, f func(io.Reader) error) error {
		file, err := os.Open(filepath.Join(dir, name))
		if err != nil {
			return err
		}
		defer file.Close()
		return f(bufio.NewReaderSize(file, 1<<16))
	}
	var params fhe.Parameters
	var prog *program.Program
	var consts *program.Constants
	var in *fhe.Bundle
	for _, f := range []struct {
		name string
		read func(io.Reader) error
	}{
		{"parameters", func(r io.Reader) (err error) { params, err = fhe.ReadParameters(r, maxFile); return err }},
		{"program", func(r io.Reader) (err error) { prog, err = program.ReadProgram(r, params, maxFile); return err }},
		{"constants", func(r io.Reader) (err error) { consts, err = program.ReadConstants(r, maxFile); return err }},
		{"input", func(r io.Reader) (err error) { in, err = fhe.ReadBundle(r, params, maxFile); return err }},
	} {
		if err := open(f.name, f.read); err != nil {
			return nil, fmt.Errorf("serve %s: %w", f.name, err)
		}
	}
	// Keys are read one at a time as the engine loads them, so they are in memory once.
	file, err := os.Open(filepath.Join(dir, "keys"))
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	keys, err := fhe.OpenEvaluationKeys(file, info.Size(), params, 0)
	if err != nil {
		return nil, fmt.Errorf("serve keys: %w", err)
	}
	eng, err := engine.Open(ctx, engine.Auto)
	if err != nil {
		return nil, err
	}
	job, err := eng.Load(ctx, prog, consts, keys)
	if err != nil {
		return nil, err
	}
	defer job.Close()
	out, err := job.Run(ctx, in)
	if err != nil {
		return nil, err
	}
	about := eng.Info()
	return &served{about.Name, about.Threads, start, report.PeakBytes(), out.Digest().String()}, nil
}

// elsewhere returns a hidden command of this program as a function: it works on a folder in a process of its own, whose
// memory is therefore that of the work alone, and reports in JSON.
func elsewhere[T any](executable string, command ...string) func(context.Context, string) (*T, error) {
	return func(ctx context.Context, dir string) (*T, error) {
		cmd := exec.CommandContext(ctx, executable, append(command, dir)...)
		cmd.Stderr = os.Stderr
		out, err := cmd.Output()
		if err != nil {
			return nil, fmt.Errorf("%s process: %w", command[0], err)
		}
		v := new(T)
		if err := json.Unmarshal(out, v); err != nil {
			return nil, fmt.Errorf("%s process: its report: %w", command[0], err)
		}
		return v, nil
	}
}
