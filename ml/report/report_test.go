package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/signet-ml/signet/fhe"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func sample(t *testing.T) *Summary {
	t.Helper()
	p, err := fhe.NewParameters(fhe.ParametersLiteral{LogN: 12, LogQ: []int{40, 30}, LogP: []int{36}})
	if err != nil {
		t.Fatal(err)
	}
	s := New("sample")
	s.Commit, s.Machine = "0123456789abcdef", Machine{"linux", "amd64", "a processor", 2, 8 << 30, "go1.26"}
	s.Engine, s.Threads, s.Date = "cpu", 2, "2026-11-24"
	s.Parameters = ParametersOf(p)
	s.Add(Median("server_ms", "ms", []float64{3, 1, 2, 10}, "Job.Run").On("cpu", 1), Number("accuracy", "ratio", 0.975, 40, ""))
	s.Check("labels agree", true)
	s.Check("precision", false)
	return s
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), string(got)); d != "" {
		t.Errorf("%s (-want +got):\n%s", path, d)
	}
}

// TestSchema pins the file: other programs read it.
func TestSchema(t *testing.T) {
	dir := t.TempDir()
	s := sample(t)
	if err := os.WriteFile(filepath.Join(dir, "a.csv"), []byte("row\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := s.Attach(dir, "a.csv", "text/csv"); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "summary.json")
	if err := s.Write(path); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "summary.json", b)
	back, err := Read(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(s, back); d != "" {
		t.Errorf("read back (-written +read):\n%s", d)
	}
}

func TestTable(t *testing.T) {
	var b bytes.Buffer
	if err := sample(t).Table(&b); err != nil {
		t.Fatal(err)
	}
	golden(t, "table.txt", b.Bytes())
}

// TestNoNull checks that lists of an empty summary are lists.
func TestNoNull(t *testing.T) {
	b, err := json.Marshal(New("empty"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"figures":[]`, `"checks":[]`, `"artifacts":[]`} {
		if !strings.Contains(string(b), want) {
			t.Errorf("%s lacks %s", b, want)
		}
	}
}

func TestRefused(t *testing.T) {
	dir := t.TempDir()
	s := sample(t)
	s.Add(Number("loss", "", math.NaN(), 1, ""))
	if err := s.Write(filepath.Join(dir, "s.json")); err == nil || !strings.Contains(err.Error(), "loss") {
		t.Errorf("a figure that is not a number: got %v", err)
	}
	if err := s.Attach(dir, "nosuch", "text/csv"); err == nil {
		t.Error("attach a file that is not there: no error")
	}
	for name, text := range map[string]string{"not.json": "{", "other.json": `{"schema":"other/v1"}`} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := Read(path); err == nil {
			t.Errorf("read %s: no error", text)
		}
	}
}

func TestWriteFileAtomic(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "f")
	write := func(text string, fail error) error {
		return WriteFile(path, 0o600, func(w io.Writer) error { io.WriteString(w, text); return fail })
	}
	if err := write("old", nil); err != nil {
		t.Fatal(err)
	}
	boom := errors.New("boom")
	if err := write("half of the ne", boom); !errors.Is(err, boom) {
		t.Errorf("got %v, want the writer's error", err)
	}
	b, err := os.ReadFile(path)
	if err != nil || string(b) != "old" {
		t.Errorf("after a failed write: %q, %v", b, err)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("left behind: %v", entries)
	}
	if st, _ := os.Stat(path); st.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", st.Mode())
	}
}

func TestNumbers(t *testing.T) {
	f := Median("", "", []float64{5, 1, 3}, "")
	if f.Value != 3 || *f.Min != 1 || f.N != 3 || f.Samples[0] != 5 {
		t.Errorf("median of 5, 1, 3: %+v", f)
	}
	for _, tt := range []struct {
		name      string
		got, want float64
	}{
		{"bits", Bits([]float64{1, 4.25}, []float64{1, 4}), 4},
		{"bits-equal", Bits([]float64{1}, []float64{1}), 53},
		{"bits-zero", Bits([]float64{1}, []float64{0}), 0},
		{"agreement", Agreement([]int{1, 2, 3, 4}, []int{1, 2, 3, 5}), 0.75},
		{"agreement-empty", Agreement(nil, nil), 0},
	} {
		if tt.got != tt.want {
			t.Errorf("%s: got %v, want %v", tt.name, tt.got, tt.want)
		}
	}
	for _, tt := range []struct {
		v          float64
		unit, want string
	}{
		{0.975, "ratio", "97.50 %"}, {12.345, "ms", "12.3 ms"}, {0.01234, "ms", "0.012 ms"}, {1234.5, "ms", "1234 ms"},
		{26214727, "B", "26.2 MB"}, {999, "B", "999 B"}, {1.5e9, "B", "1.50 GB"}, {37, "count", "37"}, {1.88, "x", "1.88 x"},
	} {
		if got := Format(tt.v, tt.unit); got != tt.want {
			t.Errorf("%v %s: got %q, want %q", tt.v, tt.unit, got, tt.want)
		}
	}
	if f := sample(t).Failed(); len(f) != 1 || f[0] != "precision" {
		t.Errorf("failed checks: %q", f)
	}
	if _, ok := sample(t).Get("nosuch"); ok {
		t.Error("a figure that is not there was found")
	}
}

func TestMachine(t *testing.T) {
	m := ThisMachine()
	if m.Cores < 1 || m.Go == "" {
		t.Errorf("%+v", m)
	}
	if m.OS == "linux" && (m.Memory <= 0 || PeakBytes() <= 0) {
		t.Errorf("memory %d, peak %d", m.Memory, PeakBytes())
	}
	if v, ok := Load(); ok && v < 0 || m.OS == "linux" && !ok {
		t.Errorf("load %v, %v", v, ok)
	}
	if Commit() == "" {
		t.Error("no commit")
	}
}
