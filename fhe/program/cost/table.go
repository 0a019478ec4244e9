package cost

import (
	"bytes"
	"cmp"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/signet-ml/signet/fhe"
)

// Schema is the value of a table's "schema".
const Schema = "signet/cost/v1"

// Limits of a table.
const (
	maxEntries = 1 << 14
	maxText    = 1 << 10
	maxLogN    = 17
	maxThreads = 1 << 12
	maxNanos   = 1e12
)

// MaxBytes is a size that no table exceeds.
const MaxBytes = 4 << 20

// Entry is one measured number.
type Entry struct {
	Kind    Kind
	LogN    int     // ring degree 2^LogN
	Threads int     // of the team, all of them busy
	Nanos   float64 // nanoseconds by the word, or by the event
}

// Table holds the time that each kind of work takes an engine on one machine. It is immutable and safe for concurrent
// use.
type Table struct {
	engine, machine, commit string
	entries                 []Entry
	rates                   [kinds][]rates
}

// rates are the entries of a kind for one number of threads, by ascending LogN.
type rates struct {
	threads int
	at      []Entry
}

// NewTable returns a table. Texts are at most 1024 bytes; entries name each kind at least once for one thread, and
// nothing twice.
func NewTable(engine, machine, commit string, entries []Entry) (*Table, error) {
	t := &Table{engine: engine, machine: machine, commit: commit, entries: slices.Clone(entries)}
	for _, s := range []struct{ name, text string }{{"engine", engine}, {"machine", machine}, {"commit", commit}} {
		if s.text == "" || len(s.text) > maxText || strings.ContainsFunc(s.text,
			func(r rune) bool { return r < ' ' || r == 0x7f || r == '\uFFFD' }) {
			return nil, fmt.Errorf("cost: %s of %d bytes: need 1 to %d bytes of UTF-8 without control characters", s.name,
				len(s.text), maxText)
		}
	}
	if len(entries) > maxEntries {
		return nil, fmt.Errorf("cost: %d entries, at most %d", len(entries), maxEntries)
	}
	slices.SortFunc(t.entries, func(a, b Entry) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Threads, b.Threads), cmp.Compare(a.LogN, b.LogN))
	})
	for i, e := range t.entries {
		switch {
		case e.Kind >= kinds:
			return nil, fmt.Errorf("cost: unknown kind %v", e.Kind)
		case e.LogN < 1 || e.LogN > maxLogN || e.Threads < 1 || e.Threads > maxThreads:
			return nil, fmt.Errorf("cost: %v: N=2^%d, %d threads: out of range", e.Kind, e.LogN, e.Threads)
		case !(e.Nanos >= 0 && e.Nanos <= maxNanos):
			return nil, fmt.Errorf("cost: %v, N=2^%d, %d threads: %v ns: out of range", e.Kind, e.LogN, e.Threads, e.Nanos)
		case i > 0 && e.Kind == t.entries[i-1].Kind && e.LogN == t.entries[i-1].LogN && e.Threads == t.entries[i-1].Threads:
			return nil, fmt.Errorf("cost: %v, N=2^%d, %d threads: stated twice", e.Kind, e.LogN, e.Threads)
		}
		r := &t.rates[e.Kind]
		if n := len(*r); n == 0 || (*r)[n-1].threads != e.Threads {
			*r = append(*r, rates{threads: e.Threads})
		}
		last := &(*r)[len(*r)-1]
		last.at = append(last.at, e)
	}
	for k, r := range t.rates {
		if len(r) == 0 || r[0].threads != 1 {
			return nil, fmt.Errorf("cost: no entry for %v on one thread", Kind(k))
		}
	}
	return t, nil
}

// Engine returns the name of the engine that was measured, as program.Info has it.
func (t *Table) Engine() string { return t.engine }

// Machine describes the machine that was measured, in words.
func (t *Table) Machine() string { return t.machine }

// Commit returns the revision of the source that was measured.
func (t *Table) Commit() string { return t.commit }

// Threads returns the largest number of threads that was measured. Times for more are extrapolated from it.
func (t *Table) Threads() int {
	n := 1
	for _, e := range t.entries {
		n = max(n, e.Threads)
	}
	return n
}

// Entries returns the table's numbers in order of kind, threads and ring degree.
func (t *Table) Entries() []Entry { return slices.Clone(t.entries) }

// Nanos returns nanoseconds by the word, or by the event, of one kind of work. Between ring degrees and numbers of
// threads that were measured it is linear, in LogN and in threads; outside it is that of the nearest, except that a
// transform takes a word LogN steps.
func (t *Table) Nanos(k Kind, logN, threads int) float64 {
	byThreads := t.rates[k]
	i, _ := slices.BinarySearchFunc(byThreads, threads, func(r rates, n int) int { return cmp.Compare(r.threads, n) })
	switch {
	case i == len(byThreads):
		return byThreads[i-1].nanos(k, logN)
	case i == 0 || byThreads[i].threads == threads:
		return byThreads[i].nanos(k, logN)
	}
	a, b := &byThreads[i-1], &byThreads[i]
	return between(float64(a.threads), a.nanos(k, logN), float64(b.threads), b.nanos(k, logN), float64(threads))
}

func (r *rates) nanos(k Kind, logN int) float64 {
	i, found := slices.BinarySearchFunc(r.at, logN, func(e Entry, n int) int { return cmp.Compare(e.LogN, n) })
	switch {
	case found:
		return r.at[i].Nanos
	case i > 0 && i < len(r.at):
		a, b := r.at[i-1], r.at[i]
		return between(float64(a.LogN), a.Nanos, float64(b.LogN), b.Nanos, float64(logN))
	}
	e := r.at[min(i, len(r.at)-1)]
	if k == Transform {
		return e.Nanos * float64(logN) / float64(e.LogN)
	}
	return e.Nanos
}

func between(x0, y0, x1, y1, x float64) float64 { return y0 + (y1-y0)*(x-x0)/(x1-x0) }

// Time returns how long a team of threads takes for work in a ring of degree 2^logN.
func (t *Table) Time(w Work, logN, threads int) time.Duration {
	return time.Duration(math.Round(t.nanos(&w, logN, threads)))
}

func (t *Table) nanos(w *Work, logN, threads int) float64 {
	ns := 0.0
	for k, n := range w {
		if n != 0 {
			if Kind(k).PerWord() {
				n *= float64(int(1) << logN)
			}
			ns += n * t.Nanos(Kind(k), logN, threads)
		}
	}
	return min(ns, math.MaxInt64/2)
}

// document is a table as JSON.
type document struct {
	Schema  string  `json:"schema"`
	Engine  string  `json:"engine"`
	Machine string  `json:"machine"`
	Threads int     `json:"threads"`
	Commit  string  `json:"commit"`
	Entries []entry `json:"entries"`
}

type entry struct {
	Kind    string  `json:"kind"`
	LogN    int     `json:"logN"`
	Threads int     `json:"threads"`
	Nanos   float64 `json:"ns"`
}

// WriteTo writes the table as a JSON document, one entry a line.
func (t *Table) WriteTo(w io.Writer) (int64, error) {
	var b bytes.Buffer
	text := func(s string) []byte {
		out, err := json.Marshal(s)
		if err != nil { // a string always has a form
			panic("cost: " + err.Error())
		}
		return out
	}
	fmt.Fprintf(&b, "{\n  \"schema\": %s,\n  \"engine\": %s,\n  \"machine\": %s,\n  \"threads\": %d,\n  \"commit\": %s,\n  \"entries\": [",
		text(Schema), text(t.engine), text(t.machine), t.Threads(), text(t.commit))
	for i, e := range t.entries {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "\n    {\"kind\": %s, \"logN\": %d, \"threads\": %d, \"ns\": %.4g}", text(e.Kind.String()), e.LogN,
			e.Threads, e.Nanos)
	}
	b.WriteString("\n  ]\n}\n")
	n, err := w.Write(b.Bytes())
	return int64(n), err
}

// ReadTable reads a table that WriteTo wrote, of at most limit bytes. What is malformed or too large is refused with a
// *fhe.FormatError, which wraps fhe.ErrLimit in the second case.
func ReadTable(r io.Reader, limit int64) (*Table, error) {
	bad := func(reason string, err error) error {
		return &fhe.FormatError{Kind: "cost table", Reason: reason, Err: err}
	}
	limit = min(max(0, limit), MaxBytes)
	data, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, bad("input", err)
	}
	if int64(len(data)) > limit {
		return nil, bad(fmt.Sprintf("more than %d bytes", limit), fhe.ErrLimit)
	}
	var d document
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&d); err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return nil, bad("not the JSON document", err)
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, bad("bytes after the document", nil)
	}
	if d.Schema != Schema {
		return nil, bad(fmt.Sprintf("schema %q, want %q", d.Schema, Schema), nil)
	}
	entries := make([]Entry, len(d.Entries))
	for i, e := range d.Entries {
		k := slices.Index(kindNames[:], e.Kind)
		if k < 0 {
			return nil, bad(fmt.Sprintf("unknown kind %q", e.Kind), nil)
		}
		entries[i] = Entry{Kind(k), e.LogN, e.Threads, e.Nanos}
	}
	t, err := NewTable(d.Engine, d.Machine, d.Commit, entries)
	if err != nil {
		return nil, bad("contents", err)
	}
	if t.Threads() != d.Threads {
		return nil, bad(fmt.Sprintf("%d threads, entries for up to %d", d.Threads, t.Threads()), nil)
	}
	return t, nil
}

//go:embed cpu.json
var shipped []byte

// Default returns the table of engine cpu that the library is shipped with. It was measured on the machine that it
// names: on another one all times are off by a factor, their ratios by less. Compilers choose by it, since it is the
// same everywhere; cpu.Costs returns one of this machine, to tell people how long a run takes.
func Default() *Table { return defaultTable() }

var defaultTable = sync.OnceValue(func() *Table {
	t, err := ReadTable(bytes.NewReader(shipped), MaxBytes)
	if err != nil {
		panic("cost: the shipped table: " + err.Error())
	}
	return t
})
