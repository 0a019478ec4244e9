package cpu

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"

	"github.com/signet-ml/signet/fhe/program/cost"
)

// Costs returns a cost table of this machine: the result of the first Probe. It keeps that in signet/ in the user's
// cache folder, under a name for the processor and the shipped table, or only in this process if the folder cannot be
// used or the machine was busy. The first call may therefore take a second.
//
// The table is for predictions that people read. Code that chooses by a table takes cost.Default, which is the same
// everywhere, or one that "bench calibrate" wrote.
func Costs(ctx context.Context) (*cost.Table, error) {
	dir, err := os.UserCacheDir()
	if err != nil {
		dir = "" // no folder is no reason to fail
	} else {
		dir = filepath.Join(dir, "signet")
	}
	return remembered.costs(ctx, dir, probeHere)
}

// remembered are the costs of this process.
var remembered costMemory

type costMemory struct {
	mu    sync.Mutex
	table *cost.Table
}

// costs returns the table of this process, or that of the folder, or a new one, which it stores if it can.
func (m *costMemory) costs(ctx context.Context, dir string,
	probe func(context.Context) (t *cost.Table, quiet bool, err error)) (*cost.Table, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.table != nil {
		return m.table, nil
	}
	path := ""
	if dir != "" {
		path = filepath.Join(dir, costsName())
		if t, err := readCosts(path); err == nil && t.Engine() == name && t.Machine() == machine() {
			m.table = t
			return t, nil
		}
	}
	t, quiet, err := probe(ctx)
	if err != nil {
		return nil, err
	}
	m.table = t
	if path != "" && quiet {
		_ = writeCosts(path, t) // the next process probes again
	}
	return t, nil
}

// probeVersion changes whenever a probe would give other tables on the same machine.
const probeVersion = 2

// costsName returns the name of the file of this machine's table.
func costsName() string {
	h := sha256.New()
	fmt.Fprintf(h, "%d\n%s\n", probeVersion, machine())
	if _, err := cost.Default().WriteTo(h); err != nil {
		panic(err) // a hash takes all
	}
	return fmt.Sprintf("costs-%s-%x.json", name, h.Sum(nil)[:8])
}

func readCosts(path string) (*cost.Table, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return cost.ReadTable(f, cost.MaxBytes)
}

// writeCosts writes a table whole or not at all.
func writeCosts(path string, t *cost.Table) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".costs-*")
	if err != nil {
		return err
	}
	_, err = t.WriteTo(f)
	if err = cmp.Or(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}

// machine describes this machine as package report and "bench calibrate" do: model, processors, system.
var machine = sync.OnceValue(func() string {
	model := "unknown"
	if b, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		model = cmp.Or(modelName(b), model)
	}
	return fmt.Sprintf("%s, %d cores, %s/%s", model, runtime.GOMAXPROCS(0), runtime.GOOS, runtime.GOARCH)
})

// modelName returns the first processor's model in a file of the form of /proc/cpuinfo, or "".
func modelName(b []byte) string {
	for line := range bytes.Lines(b) {
		if k, v, ok := strings.Cut(string(line), ":"); ok && strings.TrimSpace(k) == "model name" {
			return strings.TrimSpace(v)
		}
	}
	return ""
}
