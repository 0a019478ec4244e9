package cost_test

import (
	"flag"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/fhetest"
	"github.com/signet-ml/signet/fhe/program"
	"github.com/signet-ml/signet/fhe/program/cost"
)

var update = flag.Bool("update", false, "rewrite the goldens in testdata")

// network is a small program of three scopes.
func network(tb testing.TB, p fhe.Parameters) *program.Program {
	tb.Helper()
	b := program.NewBuilder(p)
	layout := program.Layout{Shape: []int{1}, Runs: []program.Run{{Length: 1}}}
	b.Scope("input")
	x := b.Input(program.Port{Name: "x", Count: 1, Level: 2, Degree: 1, LogSlots: p.LogMaxSlots(),
		Scale: p.DefaultScale(), Bound: 1, Layout: layout})[0]
	b.Scope("dense1")
	h := b.Hoist(x, 2)
	x = b.Rotsum(h, []uint64{1, p.GaloisElement(1), p.GaloisElement(2)}, 2)
	b.Scope("square")
	x = b.Rescale(b.MulRelin(x, x))
	b.Scope("dense1") // again: one line of the table
	x = b.Rot(x, p.GaloisElement(4))
	b.Scope("output")
	b.Output(b.OutputPort("y", x, 1, layout), x)
	prog, _, err := b.Build()
	if err != nil {
		tb.Fatal(err)
	}
	return prog
}

// estimate gives operation i of a program i+1 rows of transforms and i kB of constants.
func estimate(p *program.Program) cost.Estimate {
	e := cost.Estimate{Ops: make([]cost.Work, len(p.Ops())), Constants: make([]int64, len(p.Ops())), Keys: 5e6,
		Values: 3e6}
	for i := range e.Ops {
		e.Ops[i][cost.Transform] = float64(i + 1)
		e.Constants[i] = int64(i) * 1000
	}
	e.Run[cost.Run], e.Load[cost.Load] = 1, 2
	return e
}

func TestNew(t *testing.T) {
	p := network(t, fhetest.InsecureToyParamsNamed(t, "large ring"))
	var entries []cost.Entry
	for _, k := range cost.Kinds() {
		entries = append(entries, cost.Entry{Kind: k, LogN: 12, Threads: 1, Nanos: 10})
	}
	table, err := cost.NewTable("cpu", "a machine", "c0ffee", entries)
	if err != nil {
		t.Fatal(err)
	}
	c := cost.New(p, estimate(p), table, 3)
	if c.Engine != "cpu" || c.Machine != "a machine" || c.Threads != 3 || len(c.Ops) != len(p.Ops()) {
		t.Errorf("%+v", c)
	}
	row := 4096 * 10 * time.Nanosecond
	n := len(p.Ops())
	if want := time.Duration(n*(n+1)/2)*row + 10; c.Run != want || c.Load != 20 {
		t.Errorf("run %v, load %v; want %v, 20ns", c.Run, c.Load, want)
	}
	if want := int64(n * (n - 1) / 2 * 1000); c.Constants != want || c.PeakBytes() != want+8e6 {
		t.Errorf("constants %d, peak %d, want %d and 8e6 more", c.Constants, c.PeakBytes(), want)
	}
	var sum, scopes time.Duration
	for _, d := range c.Ops {
		sum += d
	}
	rotations := 0
	names := ""
	for _, s := range c.Scopes {
		names += s.Name + " "
		scopes += s.Run
		rotations += s.Rotations
	}
	if sum+10 != c.Run || scopes != sum || rotations != p.Rotations() || names != "input dense1 square output " {
		t.Errorf("operations %v, scopes %v, run %v, %d rotations, scopes %q", sum, scopes, c.Run, rotations, names)
	}
	if s := c.Scopes[1]; s.Entering != 2 || s.Leaving != 1 || s.Ops != 3 || s.Rotations != 3 {
		t.Errorf("dense1: %+v", s)
	}
	if s := c.Scopes[2]; s.Entering != 2 || s.Leaving != 1 || s.Ops != 2 || s.Rotations != 0 {
		t.Errorf("square: %+v", s)
	}
	path := filepath.Join("testdata", "cost.txt")
	if *update {
		if err := os.WriteFile(path, []byte(c.String()+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := c.String() + "\n"; got != string(want) {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

func TestFormat(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0.00 µs", 1: "0.00 µs", 15 * time.Nanosecond: "0.01 µs", 1234 * time.Nanosecond: "1.23 µs", 12345 * time.Nanosecond: "12.3 µs", 123456 * time.Nanosecond: "123 µs",
		999999 * time.Nanosecond: "1000 µs", time.Millisecond: "1.00 ms", 90 * time.Second: "90.0 s", math.MaxInt64: "9223372037 s",
	} {
		if got := cost.Seconds(d); got != want {
			t.Errorf("%d ns: %q, want %q", d, got, want)
		}
	}
	for n, want := range map[int64]string{0: "0 B", 7: "7 B", 999: "999 B", 1000: "1.00 kB", 12345678: "12.3 MB",
		5e11: "500 GB"} {
		if got := cost.Bytes(n); got != want {
			t.Errorf("%d bytes: %q, want %q", n, got, want)
		}
	}
}
