package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/testscript"
	"go.uber.org/goleak"

	"github.com/signet-ml/signet/ml/report"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func TestMain(m *testing.M) { testscript.Main(m, map[string]func(){"bench": main}) }

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{Dir: "testdata", RequireExplicitExec: true})
}

func TestExitStatus(t *testing.T) {
	for _, tt := range []struct {
		name, args string
		status     int
		out        string
	}{
		{"list", "list", 0, "mlp-batch"},
		{"help", "run --help", 0, "--data=DIR"},
		{"nothing", "", 0, "Usage:"},
		{"command", "frobnicate", 2, "commands of bench: list, run, calibrate, accuracy, forecast, results, inspect"},
		{"flag", "run lr-single -frob", 2, "flags of bench run: --help, --json, --data, --costs, --rates, --cache, --cold, --n"},
		{"scenario", "run nosuch", 2, "there are lr-single, lr-batch, mlp-single, mlp-batch"},
		{"runs", "run lr-single -n=-1", 2, "at least 1"},
		{"data", "run mlp-single -data " + t.TempDir(), 1, "MNIST"},
		{"file", "inspect nosuch", 1, "nosuch"},
		{"results", "results -dir " + t.TempDir() + " -out " + filepath.Join(t.TempDir(), "r"), 1, "holds no .json file"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var out bytes.Buffer
			if got := run(strings.Fields(tt.args), &out, &out); got != tt.status || !strings.Contains(out.String(), tt.out) {
				t.Errorf("status %d, want %d; output %q, want %q in it", got, tt.status, out.String(), tt.out)
			}
		})
	}
}

// TestResults pins the page for a fixed result.
func TestResults(t *testing.T) {
	all, err := readResults(filepath.Join("testdata", "results"))
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := writeResults(&b, all); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join("testdata", "RESULTS.golden")
	if *update {
		if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), b.String()); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
}

// TestResultsFresh checks that the pages in the repository are what results writes.
func TestResultsFresh(t *testing.T) {
	want, err := os.ReadFile("RESULTS.md")
	if err != nil {
		t.Fatal(err)
	}
	all, err := readResults("results")
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := writeResults(&b, all); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(want, b.Bytes()) {
		t.Error("RESULTS.md is stale: run go run ./bench results")
	}
	readme, err := os.ReadFile(filepath.Join("..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	fresh, err := withTable(string(readme), all, "bench/RESULTS.md")
	if err != nil {
		t.Fatal(err)
	}
	if fresh != string(readme) {
		t.Error("the table in README.md is stale: run go run ./bench results")
	}
	if _, err := withTable("no marks", all, ""); err == nil {
		t.Error("a page without marks was accepted")
	}
}

// TestNewest: one row for each scenario, of the last day, and of the last commit of a day.
func TestNewest(t *testing.T) {
	of := func(name, date, commit, cpu string) result {
		s := &report.Summary{Name: name, Date: date, Commit: commit, Machine: report.Machine{CPU: cpu}}
		s.Add(report.Number("server_ms", "ms", 1, 1, ""))
		return result{s, name + "_" + date + "_" + short(commit) + ".json"}
	}
	all := []result{
		of("lr-single", "2026-11-24", "1ebbfd2bf77f+dirty", "Intel(R) Xeon(R) Processor"),
		of("lr-single", "2026-11-24", "b14d2b3110a2", "Intel(R) Xeon(R) Processor"),
		of("lr-batch", "2026-12-02", "aaaaaaaaaaaa", "AMD EPYC"),
		of("lr-batch", "2026-11-24", "b14d2b3110a2", "Intel(R) Xeon(R) Processor"),
	}
	const want = `x
<!-- results:begin -->
| scenario | server or prove | per sample | against stock | keys or proof | accuracy |
|---|---|---|---|---|---|
| [lr-single](R.md#lr-single_2026-11-24_1ebbfd2), Xeon | 1.00 ms | – | – | – | – |
| [lr-batch](R.md#lr-batch_2026-12-02_aaaaaaa), EPYC | 1.00 ms | – | – | – | – |
<!-- results:end -->
`
	got, err := withTable("x\n<!-- results:begin -->\nold\n<!-- results:end -->\n", all, "R.md")
	if err != nil || got != want {
		t.Errorf("error %v, -want +got:\n%s", err, cmp.Diff(want, got))
	}
	all = append(all, of("lr-batch", "2026-12-02", "bbbbbbbbbbbb", "AMD EPYC"))
	if _, err := newest(all); err == nil || !strings.Contains(err.Error(), "oneDay") {
		t.Errorf("two commits of one day: error %v", err)
	}
}

// TestRun measures the cheapest scenario in this process, where nothing may be left running.
func TestRun(t *testing.T) {
	defer goleak.VerifyNone(t)
	s, err := find("lr-batch")
	if err != nil {
		t.Fatal(err)
	}
	s.batch = 64
	sum, err := s.run(context.Background(), config{n: 2, log: io.Discard, serve: serve})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range strings.Fields(`server_ms load_ms encrypt_ms decrypt_ms keygen_ms per_image_ms keys_bytes keys_wire_bytes input_bytes output_bytes
		peak_bytes precision_bits precision_float_bits accuracy agreement stock_ms speedup_vs_stock predicted_bits predicted_peak_bytes rotations
		predicted_job_bytes`) {
		f, ok := sum.Get(name)
		if !ok {
			t.Errorf("no figure %s", name)
			continue
		}
		if strings.HasSuffix(name, "_ms") && (len(f.Samples) != f.N || f.Value <= 0 || *f.Median != f.Value || *f.Min > f.Value) {
			t.Errorf("%s: %+v", name, f)
		}
	}
	for _, name := range []string{"predicted_ms", "predicted_1_thread_ms", "predicted_load_ms"} {
		if f, ok := sum.Get(name); !ok || f.Value <= 0 || f.Threads < 1 {
			t.Errorf("%s: %+v", name, f)
		}
	}
	if f := sum.Failed(); len(f) > 0 {
		t.Errorf("failed: %q", f)
	}
	if _, err := json.Marshal(sum); err != nil {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := s.run(ctx, config{n: 1, log: io.Discard}); err == nil {
		t.Error("a cancelled run: no error")
	}
}

func TestRotate(t *testing.T) {
	row := []int64{1, 2, 3, 4, 5, 6, 7, 8} // 4 slots
	if got := rotate(row, 0); !slices.Equal(got, row) {
		t.Errorf("by 0: %v", got)
	}
	if got, want := rotate(row, 1), []int64{1, -6, -3, 8, 5, 2, -7, -4}; !slices.Equal(got, want) { // Y → Y^5 modulo Y^8 + 1
		t.Errorf("by 1: got %v, want %v", got, want)
	}
	for a := -5; a < 6; a++ {
		for b := range 4 {
			if got, want := rotate(rotate(row, a), b), rotate(row, a+b); !slices.Equal(got, want) {
				t.Errorf("by %d, then %d: got %v, want %v", a, b, got, want)
			}
		}
	}
}
