package cost

import (
	"bytes"
	"errors"
	"io"
	"math"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/signet-ml/signet/fhe"
)

// flat returns entries that give every kind one number.
func flat(ns float64) []Entry {
	var out []Entry
	for _, k := range Kinds() {
		out = append(out, Entry{k, 13, 1, ns})
	}
	return out
}

func table(t *testing.T, entries []Entry) *Table {
	t.Helper()
	tab, err := NewTable("cpu", "a machine", "c0ffee", entries)
	if err != nil {
		t.Fatal(err)
	}
	return tab
}

func TestTableRoundTrip(t *testing.T) {
	entries := append(flat(1.25), Entry{Transform, 14, 1, 2}, Entry{Transform, 13, 4, 1e-3}, Entry{Load, 13, 4, 123456})
	slices.Reverse(entries)
	tab, err := NewTable("cpu", `a "machine" <of> ours, µ`, "c0ffee", entries)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if n, err := tab.WriteTo(&b); err != nil || n != int64(b.Len()) {
		t.Fatal(n, err)
	}
	got, err := ReadTable(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		t.Fatal(err)
	}
	if got.Engine() != "cpu" || got.Machine() != tab.Machine() || got.Commit() != "c0ffee" || got.Threads() != 4 {
		t.Errorf("%q %q %q %d", got.Engine(), got.Machine(), got.Commit(), got.Threads())
	}
	want := tab.Entries()
	for i, e := range got.Entries() {
		if w := want[i]; e.Kind != w.Kind || e.LogN != w.LogN || e.Threads != w.Threads ||
			math.Abs(e.Nanos/w.Nanos-1) > 1e-3 {
			t.Errorf("entry %d: %+v, want %+v", i, e, w)
		}
	}
	var again bytes.Buffer
	if _, err := got.WriteTo(&again); err != nil || again.String() != b.String() {
		t.Errorf("written again: %v\n%s", err, again.String())
	}
}

func TestNewTableRefuses(t *testing.T) {
	with := func(e Entry) []Entry { return append(flat(1), e) }
	long := strings.Repeat("x", maxText+1)
	for name, c := range map[string]struct {
		engine, machine, commit string
		entries                 []Entry
		want                    string
	}{
		"no engine":    {"", "m", "c", flat(1), "engine"},
		"long machine": {"e", long, "c", flat(1), "machine of 1025 bytes"},
		"control":      {"e", "m\nforged", "c", flat(1), "control"},
		"not UTF-8":    {"e", "m", "\xff", flat(1), "commit"},
		"nothing":      {"e", "m", "c", nil, "no entry for transform"},
		"one missing":  {"e", "m", "c", flat(1)[1:], "no entry for transform"},
		"two threads": {"e", "m", "c", append(flat(1)[1:], Entry{Transform, 13, 2, 1}),
			"no entry for transform on one thread"},
		"unknown kind":  {"e", "m", "c", with(Entry{kinds, 13, 1, 1}), "unknown kind"},
		"twice":         {"e", "m", "c", with(Entry{Key, 13, 1, 2}), "key, N=2^13, 1 threads: stated twice"},
		"negative":      {"e", "m", "c", with(Entry{Key, 14, 1, -1}), "out of range"},
		"not a number":  {"e", "m", "c", with(Entry{Key, 14, 1, math.NaN()}), "out of range"},
		"infinite":      {"e", "m", "c", with(Entry{Key, 14, 1, math.Inf(1)}), "out of range"},
		"ring":          {"e", "m", "c", with(Entry{Key, 18, 1, 1}), "out of range"},
		"no thread":     {"e", "m", "c", with(Entry{Key, 14, 0, 1}), "out of range"},
		"many threads":  {"e", "m", "c", with(Entry{Key, 14, maxThreads + 1, 1}), "out of range"},
		"large numbers": {"e", "m", "c", make([]Entry, maxEntries+1), "entries, at most"},
	} {
		if _, err := NewTable(c.engine, c.machine, c.commit, c.entries); err == nil ||
			!strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", name, err, c.want)
		}
	}
}

// shippedText is the shipped table, as text to be spoilt.
func shippedText() string { return string(shipped) }

func TestReadTableRefuses(t *testing.T) {
	spoil := func(old, repl string) string { return strings.Replace(shippedText(), old, repl, 1) }
	for name, c := range map[string]struct {
		text  string
		limit int64
		want  string
		is    error
	}{
		"empty":          {"", MaxBytes, "not the JSON document", io.ErrUnexpectedEOF},
		"cut":            {shippedText()[:len(shippedText())/2], MaxBytes, "not the JSON document", io.ErrUnexpectedEOF},
		"limit":          {shippedText(), int64(len(shipped)) - 1, "more than", fhe.ErrLimit},
		"negative limit": {shippedText(), -1, "more than 0 bytes", fhe.ErrLimit},
		"oversized":      {shippedText() + strings.Repeat(" ", MaxBytes), math.MaxInt64, "more than", fhe.ErrLimit},
		"no JSON":        {"x", MaxBytes, "not the JSON document", nil},
		"trailing":       {shippedText() + "{}", MaxBytes, "bytes after", nil},
		"schema":         {spoil(Schema, "signet/cost/v9"), MaxBytes, `schema "signet/cost/v9"`, nil},
		"field":          {spoil(`"commit"`, `"comet"`), MaxBytes, "comet", nil},
		"kind":           {spoil(`"transform"`, `"transfrom"`), MaxBytes, `unknown kind "transfrom"`, nil},
		"number":         {spoil(`"ns": `, `"ns": -`), MaxBytes, "out of range", nil},
		"type":           {spoil(`"ns": `, `"ns": "`), MaxBytes, "not the JSON document", nil},
		"threads":        {spoil(`"threads": `, `"threads": 1`), MaxBytes, "threads, entries for up to", nil},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ReadTable(strings.NewReader(c.text), c.limit)
			var fe *fhe.FormatError
			if !errors.As(err, &fe) || !strings.Contains(err.Error(), c.want) || c.is != nil && !errors.Is(err, c.is) {
				t.Errorf("error %v, want a *fhe.FormatError with %q that wraps %v", err, c.want, c.is)
			}
		})
	}
	failed := errors.New("disk on fire")
	if _, err := ReadTable(iotest.ErrReader(failed), MaxBytes); !errors.Is(err, failed) {
		t.Errorf("error %v, want %v in it", err, failed)
	}
}

func TestNanos(t *testing.T) {
	tab := table(t, append(flat(10), Entry{Transform, 15, 1, 14}, Entry{Transform, 13, 3, 16}, Entry{Key, 15, 1, 14}))
	for _, c := range []struct {
		kind          Kind
		logN, threads int
		want          float64
	}{
		{Transform, 13, 1, 10}, {Transform, 14, 1, 12}, {Transform, 15, 1, 14},
		{Transform, 12, 1, 10 * 12. / 13}, {Transform, 16, 1, 14 * 16. / 15},
		{Transform, 13, 2, 13}, {Transform, 13, 3, 16}, {Transform, 13, 9, 16},
		{Key, 12, 1, 10}, {Key, 14, 8, 12}, {Key, 17, 1, 14},
	} {
		if got := tab.Nanos(c.kind, c.logN, c.threads); math.Abs(got-c.want) > 1e-9 {
			t.Errorf("%v, N=2^%d, %d threads: %v ns, want %v", c.kind, c.logN, c.threads, got, c.want)
		}
	}
	var w Work
	w[Transform], w[Fork] = 2, 3
	if got, want := tab.Time(w, 13, 1), time.Duration(2*8192*10+3*10); got != want {
		t.Errorf("time %v, want %v", got, want)
	}
	w[Transform] = 1e300
	if got := tab.Time(w, 13, 1); got <= 0 {
		t.Errorf("time of endless work: %v", got)
	}
}

func TestKinds(t *testing.T) {
	seen := map[string]bool{}
	for _, k := range Kinds() {
		if s := k.String(); s == "" || seen[s] {
			t.Errorf("kind %d is called %q", k, s)
		}
		seen[k.String()] = true
	}
	if got := kinds.String(); !strings.Contains(got, "kind(") || !Transform.PerWord() || Run.PerWord() {
		t.Error("names or units of kinds are wrong")
	}
}

// TestDefault: the shipped table has what programs of this version need, in a plausible range.
func TestDefault(t *testing.T) {
	d := Default()
	if d.Engine() != "cpu" || d.Machine() == "" || d.Threads() < 2 || d != Default() {
		t.Errorf("%q on %q, %d threads", d.Engine(), d.Machine(), d.Threads())
	}
	for logN := 11; logN <= 16; logN++ {
		if ns := d.Nanos(Transform, logN, 1); ns < 0.5 || ns > 50 {
			t.Errorf("a word of a transform in a ring of degree 2^%d takes %v ns", logN, ns)
		}
	}
}

func FuzzReadTable(f *testing.F) {
	f.Add(shipped)
	f.Add([]byte(`{"schema":"signet/cost/v1"}`))
	f.Add([]byte(`{"schema":"signet/cost/v1","engine":"e","machine":"m","threads":1,"commit":"c","entries":[{"kind":"run","logN":1,"threads":1,"ns":1e9}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		tab, err := ReadTable(bytes.NewReader(data), 1<<16)
		if err != nil {
			var fe *fhe.FormatError
			if !errors.As(err, &fe) {
				t.Fatalf("error %T %v", err, err)
			}
			return
		}
		var b bytes.Buffer
		if _, err := tab.WriteTo(&b); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadTable(&b, MaxBytes); err != nil {
			t.Fatalf("what was read is not read again: %v", err)
		}
		var w Work
		for k := range w {
			w[k] = 1
		}
		if got := tab.Time(w, 13, 3); got < 0 {
			t.Fatalf("negative time %v", got)
		}
	})
}
