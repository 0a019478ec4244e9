package cpu

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/signet-ml/signet/fhe/program/cost"
)

// TestScaled: measurements that are the shipped table's times, group by group times a factor, give these factors back,
// for every ring degree.
func TestScaled(t *testing.T) {
	d := cost.Default()
	factor := map[cost.Kind]float64{}
	for i, g := range append(append([][]cost.Kind{}, runGroups...), loadGroups...) {
		for _, k := range g {
			factor[k] = 1.5 + 0.25*float64(i%3)
		}
	}
	sample := func(threads int, load bool, times float64, kinds ...cost.Kind) probed {
		s := probed{threads: threads, load: load}
		for i, k := range kinds {
			s.Work[k] = float64(10 + i)
			var one cost.Work
			one[k] = s.Work[k]
			s.Nanos += times * factor[k] * float64(d.Time(one, probeRing.LogN, threads))
		}
		return s
	}
	measurements := func(onTwo float64) (ms []probed) {
		for _, n := range []int{1, 2} {
			times := 1.0
			if n == 2 {
				times = onTwo
			}
			for _, g := range runGroups {
				// Alone, and together with others, in several shares.
				ms = append(ms, sample(n, false, times, g...), sample(n, false, times, append(g, cost.Transform)...),
					sample(n, false, times, append(g, cost.Multiply)...))
			}
		}
		return append(ms, sample(1, true, 1, cost.LoadKey), sample(1, true, 1, cost.LoadConstant),
			sample(1, true, 1, cost.LoadKey, cost.LoadConstant))
	}
	for name, c := range map[string]struct {
		onTwo, want float64
		quiet       bool
	}{
		"quiet": {1.2, 1.2, true}, "busy": {1.2, 1, false}, "two threads far apart": {7, threadsApart, true},
	} {
		t.Run(name, func(t *testing.T) {
			tab, err := scaled(d, measurements(c.onTwo), c.quiet, "a machine")
			if err != nil {
				t.Fatal(err)
			}
			if tab.Machine() != "a machine" || !strings.HasSuffix(tab.Commit(), "scaled by a probe") || tab.Threads() != 2 {
				t.Errorf("%q, commit %q, %d threads", tab.Machine(), tab.Commit(), tab.Threads())
			}
			for k, f := range factor {
				for logN := 12; logN <= 15; logN++ {
					one, two := f*d.Nanos(k, logN, 1), f*d.Nanos(k, logN, 2)
					if k < cost.LoadKey {
						two *= c.want
					}
					// The prior holds every factor a little to that of the whole.
					if got := tab.Nanos(k, logN, 1); math.Abs(got-one) > 0.1*one {
						t.Errorf("%v, N=2^%d: %v ns, want %v", k, logN, got, one)
					}
					if got := tab.Nanos(k, logN, 2); math.Abs(got-two) > 0.1*two {
						t.Errorf("%v, N=2^%d, two threads: %v ns, want %v", k, logN, got, two)
					}
				}
			}
		})
	}
}

// TestProbe: a probe of this machine is a table of every number that the shipped one has, in a plausible range.
func TestProbe(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a second and 250 MB")
	}
	tab, err := Probe(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if tab.Engine() != name || tab.Machine() != machine() {
		t.Errorf("engine %q, machine %q", tab.Engine(), tab.Machine())
	}
	for _, k := range cost.Kinds() {
		for logN := 12; logN <= 15; logN++ {
			got, of := tab.Nanos(k, logN, 1), cost.Default().Nanos(k, logN, 1)
			if (got > 0) != (of > 0) || of > 0 && (got/of < 0.01 || got/of > 100) {
				t.Errorf("%v, N=2^%d: %v ns, shipped %v", k, logN, got, of)
			}
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Probe(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: error %v", err)
	}
}

// TestCostsAreKept in a folder and in the process, if the probe was quiet and the folder can be written.
func TestCostsAreKept(t *testing.T) {
	ctx, dir := context.Background(), filepath.Join(t.TempDir(), "signet")
	probes, quiet := 0, true
	failed := errors.New("cancelled")
	var fail error
	probe := func(context.Context) (*cost.Table, bool, error) {
		probes++
		if fail != nil {
			return nil, false, fail
		}
		tab, err := cost.NewTable(name, machine(), "a probe", cost.Default().Entries())
		return tab, quiet, err
	}
	get := func(m *costMemory, dir string, want int) {
		t.Helper()
		if tab, err := m.costs(ctx, dir, probe); err != nil || tab.Commit() != "a probe" || probes != want {
			t.Errorf("%v, error %v, after %d probes, want %d", tab, err, probes, want)
		}
	}
	var first costMemory
	fail = failed
	if _, err := first.costs(ctx, dir, probe); !errors.Is(err, failed) {
		t.Errorf("error %v", err)
	}
	fail = nil
	get(&first, dir, 2) // a failure is not remembered
	get(&first, dir, 2)
	get(new(costMemory), dir, 2) // another process
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 1 || files[0].Name() != costsName() {
		t.Errorf("files %v, error %v", files, err)
	}
	for _, text := range []string{"{}", "", "old"} { // no table, nothing, one of another machine
		path := filepath.Join(dir, costsName())
		if text == "old" {
			tab, err := cost.NewTable(name, "another machine", "old", cost.Default().Entries())
			if err == nil {
				err = writeCosts(path, tab)
			}
			if err != nil {
				t.Fatal(err)
			}
		} else if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		get(new(costMemory), dir, probes+1)
	}
	get(new(costMemory), "", probes+1)
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	var here costMemory
	get(&here, file, probes+1) // no folder can be there
	get(&here, file, probes)
	quiet = false
	busy := filepath.Join(t.TempDir(), "busy")
	get(new(costMemory), busy, probes+1)
	get(new(costMemory), busy, probes+1)
}

func TestModelName(t *testing.T) {
	for text, want := range map[string]string{
		"processor\t: 0\nmodel name\t: AMD EPYC\nflags : a\nmodel name : other\n": "AMD EPYC",
		"model name\nCPU part : 0xd0c\n":                                          "",
		"":                                                                        "",
	} {
		if got := modelName([]byte(text)); got != want {
			t.Errorf("%q in %q, want %q", got, text, want)
		}
	}
}
