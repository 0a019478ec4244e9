package report

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/ml/internal/atomicfile"
)

// Schema is the value of Summary.Schema. Fields may be added under it; none changes its meaning.
const Schema = "signet/summary/v1"

// Summary is one run. Fill it from one goroutine.
type Summary struct {
	Schema     string      `json:"schema"`
	Name       string      `json:"name"`
	Commit     string      `json:"commit"` // revision of the source, "+dirty" after it if files differ, or "unknown"
	Machine    Machine     `json:"machine"`
	Engine     string      `json:"engine,omitempty"`  // of every figure that names no other
	Threads    int         `json:"threads,omitempty"` // of every figure that names no other
	Date       string      `json:"date,omitempty"`    // day of the run, YYYY-MM-DD
	Parameters *Parameters `json:"parameters"`
	Figures    []Figure    `json:"figures"`
	Checks     []Check     `json:"checks"`
	Artifacts  []Artifact  `json:"artifacts"`
}

// Parameters are what a reader needs to judge cost and security.
type Parameters struct {
	LogN     int      `json:"logN"`
	LogQ     float64  `json:"logQ"` // log2 of the product of the primes
	LogP     float64  `json:"logP"` // of the special primes, which only keys have
	Security Security `json:"security"`
}

// Security is the row of the tables by which the parameters were accepted.
type Security struct {
	Row   string  `json:"row"`
	Limit float64 `json:"limit"` // largest log2(QP) of the row
	Value float64 `json:"value"` // log2(QP)
}

// Figure is a measured or computed number.
type Figure struct {
	Name    string    `json:"name"`
	Value   float64   `json:"value"` // the median of Samples if there are any
	Unit    string    `json:"unit"`
	N       int       `json:"n"` // how many measurements or samples the value rests on
	Note    string    `json:"note"`
	Samples []float64 `json:"samples,omitempty"` // in the order in which they were taken
	Min     *float64  `json:"min,omitempty"`
	Median  *float64  `json:"median,omitempty"`
	Threads int       `json:"threads,omitempty"`
	Engine  string    `json:"engine,omitempty"`
}

// Check is a condition that the run had to meet.
type Check struct {
	Name string `json:"name"`
	Pass bool   `json:"pass"`
}

// Artifact is a file beside the summary.
type Artifact struct {
	Path   string `json:"path"` // slash-separated, relative to the summary
	SHA256 string `json:"sha256"`
	Media  string `json:"media"` // media type: "text/csv", "image/png"
}

// New returns a summary of a run on this machine, with empty lists.
func New(name string) *Summary {
	return &Summary{Schema: Schema, Name: name, Commit: Commit(), Machine: ThisMachine(),
		Figures: []Figure{}, Checks: []Check{}, Artifacts: []Artifact{}}
}

// ParametersOf returns the description of p.
func ParametersOf(p fhe.Parameters) *Parameters {
	s := p.Security()
	row := s.Row
	if s.Borderline {
		row += " (borderline)"
	}
	return &Parameters{LogN: p.LogN(), LogQ: round3(p.LogQ()), LogP: round3(p.LogP()), Security: Security{Row: row, Limit: s.Limit, Value: round3(s.Value)}}
}

func round3(x float64) float64 { return math.Round(x*1000) / 1000 }

// Number returns a figure that is one number, resting on n measurements or samples.
func Number(name, unit string, value float64, n int, note string) Figure {
	return Figure{Name: name, Value: value, Unit: unit, N: n, Note: note}
}

// Median returns a figure whose value is the median of samples, which must not be empty.
func Median(name, unit string, samples []float64, note string) Figure {
	s := slices.Clone(samples)
	slices.Sort(s)
	low, mid := s[0], (s[(len(s)-1)/2]+s[len(s)/2])/2
	return Figure{Name: name, Value: mid, Unit: unit, N: len(s), Note: note, Samples: slices.Clone(samples), Min: &low, Median: &mid}
}

// On returns the figure with the engine and number of threads that it was measured on.
func (f Figure) On(engine string, threads int) Figure {
	f.Engine, f.Threads = engine, threads
	return f
}

// Add appends figures.
func (s *Summary) Add(figures ...Figure) { s.Figures = append(s.Figures, figures...) }

// Get returns the figure of a name.
func (s *Summary) Get(name string) (Figure, bool) {
	for _, f := range s.Figures {
		if f.Name == name {
			return f, true
		}
	}
	return Figure{}, false
}

// Check appends a condition.
func (s *Summary) Check(name string, pass bool) { s.Checks = append(s.Checks, Check{name, pass}) }

// Failed returns the names of the checks that failed.
func (s *Summary) Failed() []string {
	var out []string
	for _, c := range s.Checks {
		if !c.Pass {
			out = append(out, c.Name)
		}
	}
	return out
}

// Attach appends the file dir/path, path slash-separated, with its digest.
func (s *Summary) Attach(dir, path, media string) error {
	f, err := os.Open(filepath.Join(dir, filepath.FromSlash(path)))
	if err != nil {
		return fmt.Errorf("report: attach: %w", err)
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return fmt.Errorf("report: attach %s: %w", path, err)
	}
	s.Artifacts = append(s.Artifacts, Artifact{path, hex.EncodeToString(h.Sum(nil)), media})
	return nil
}

// Write writes the summary as JSON, whole or not at all. A figure that is not a number is an error that names it.
func (s *Summary) Write(path string) error {
	for _, f := range s.Figures {
		if math.IsNaN(f.Value) || math.IsInf(f.Value, 0) {
			return fmt.Errorf("report: figure %s of %s is %v", f.Name, s.Name, f.Value)
		}
	}
	b, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	return WriteFile(path, 0o644, func(w io.Writer) error { _, err := w.Write(append(b, '\n')); return err })
}

// Read reads a summary that Write wrote. A file of another schema is an error.
func Read(path string) (*Summary, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("report: %w", err)
	}
	var s Summary
	if err := json.Unmarshal(b, &s); err != nil {
		return nil, fmt.Errorf("report: %s: %w", path, err)
	}
	if s.Schema != Schema {
		return nil, fmt.Errorf("report: %s: schema %q, want %q", path, s.Schema, Schema)
	}
	return &s, nil
}

// WriteFile writes a file through write, under a temporary name that becomes path when all is written and on disk.
func WriteFile(path string, mode os.FileMode, write func(io.Writer) error) error {
	return atomicfile.Write(path, mode, write)
}

// Bits returns the precision of got against want: -log2(max|got-want| / max|want|), at most 53, that of a float64. The
// slices have one length; 0 if want is all zero.
func Bits(got, want []float64) float64 { return BitsTo(got, want, 0) }

// BitsTo is Bits relative to largest, or to the largest of want if that is larger: a plan's precision is relative to the
// calibration set, and few samples may have small scores only.
func BitsTo(got, want []float64, largest float64) float64 {
	worst := 0.0
	for i, w := range want {
		worst = max(worst, math.Abs(got[i]-w))
		largest = max(largest, math.Abs(w))
	}
	switch {
	case largest == 0:
		return 0
	case worst == 0:
		return 53
	}
	return min(53, -math.Log2(worst/largest))
}

// Agreement returns the share of positions at which a and b, of one length, are equal; 0 if they are empty.
func Agreement(a, b []int) float64 {
	same := 0
	for i := range a {
		if a[i] == b[i] {
			same++
		}
	}
	return float64(same) / max(1, float64(len(a)))
}

// Format prints a value with its unit for people: "12.3 ms", "4.56 MB", "97.4 %".
func Format(value float64, unit string) string {
	switch unit {
	case "B":
		return Bytes(int64(value))
	case "":
		return strconv.FormatFloat(value, 'f', -1, 64)
	case "ratio":
		return strconv.FormatFloat(100*value, 'f', 2, 64) + " %"
	case "count":
		return strconv.FormatFloat(value, 'f', 0, 64)
	}
	digits := 3
	if a := math.Abs(value); a >= 1 {
		digits = max(0, 2-int(math.Log10(a)))
	}
	return strconv.FormatFloat(value, 'f', digits, 64) + " " + unit
}

// Bytes prints a size in decimal units.
func Bytes(n int64) string {
	for _, u := range []struct {
		name string
		size float64
	}{{"GB", 1e9}, {"MB", 1e6}, {"kB", 1e3}} {
		if float64(n) >= u.size {
			x := float64(n) / u.size
			return strconv.FormatFloat(x, 'f', max(0, 2-int(math.Log10(x))), 64) + " " + u.name
		}
	}
	return fmt.Sprintf("%d B", n)
}

// Table prints the figures, aligned, one a line: name, value, what it rests on, note.
func (s *Summary) Table(w io.Writer) error {
	var b bytes.Buffer
	tw := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, f := range s.Figures {
		n := fmt.Sprintf("n=%d", f.N)
		if t := cmp.Or(f.Threads, s.Threads); t > 0 && strings.HasSuffix(f.Unit, "s") && f.Unit != "bits" {
			n += fmt.Sprintf(", %d thread(s)", t)
		}
		fmt.Fprintf(tw, "  %s\t%s\t%s\t%s\n", f.Name, Format(f.Value, f.Unit), n, f.Note)
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	for line := range strings.Lines(b.String()) {
		if _, err := io.WriteString(w, strings.TrimRight(line, " \n")+"\n"); err != nil {
			return err
		}
	}
	return nil
}
