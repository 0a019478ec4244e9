package lintrans

import (
	"bytes"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/fhetest"
	"github.com/signet-ml/signet/fhe/program"
)

var update = flag.Bool("update", false, "rewrite the goldens in testdata")

// valid reports whether a shape is one that the package comment allows: every number a power of two, one copy of what
// the slots hold fits them, and the sums add up all columns that the diagonals leave.
func valid(s Shape) bool {
	for _, n := range append([]int{s.Slots, s.R, s.C, s.K, s.N1}, s.Sums.Radices...) {
		if n < 1 || n&(n-1) != 0 {
			return false
		}
	}
	cols, product := s.C, 1
	if s.Complex {
		cols *= 2
	}
	for _, m := range s.Sums.Radices {
		product *= m
	}
	return s.Rows <= s.R && s.Cols <= cols && max(s.R, s.C) <= s.Slots && s.K <= min(s.R, s.C) && s.N1 <= s.K &&
		s.R*s.C/s.K <= s.Slots && product == cols/s.K && s.Sums.Stride == s.R && s.Sums.Conj == s.Complex
}

// shapes returns every valid shape of a product, with one factoring of the sums unless all are wanted.
func shapes(slots, rows, cols int, allSums bool) []Shape {
	var out []Shape
	for _, cx := range []bool{false, true} {
		s := Shape{Slots: slots, Rows: rows, Cols: cols, R: 1, C: 1, Complex: cx}
		for s.R < rows {
			s.R *= 2
		}
		columns := cols
		if cx {
			columns = (cols + 1) / 2
		}
		for s.C < columns {
			s.C *= 2
		}
		for s.K = 1; s.K <= min(s.R, s.C); s.K *= 2 {
			m := s.C / s.K
			if cx {
				m *= 2
			}
			sums := products(m)
			if !allSums {
				sums = sums[:1]
			}
			for s.N1 = 1; s.N1 <= s.K; s.N1 *= 2 {
				for _, radices := range sums {
					s.Sums = Sum{Stride: s.R, Radices: radices, Conj: cx}
					if valid(s) {
						out = append(out, s)
					}
				}
			}
		}
	}
	return out
}

// products returns every non-increasing list of radices 2 to 16, at most four, whose product is m, longest radix first.
func products(m int) [][]int {
	var out [][]int
	var walk func(m, largest int, have []int)
	walk = func(m, largest int, have []int) {
		if m == 1 {
			out = append(out, slices.Clone(have))
			return
		}
		if len(have) == 4 {
			return
		}
		for r := min(largest, m); r >= 2; r /= 2 {
			walk(m/r, r, append(have, r))
		}
	}
	walk(m, 16, nil)
	return out
}

// rig builds the program of one product by a shape.
func (s Shape) rig(tb testing.TB, params fhe.Parameters, m Matrix, out Layout, x []float64, rescale bool) *rig {
	tb.Helper()
	r := newRig(tb, params, s.Slots)
	diagonals := s.Diagonals(m, out)
	if len(diagonals) != s.K {
		tb.Fatalf("%d diagonals, want %d", len(diagonals), s.K)
	}
	y := s.Emit(r.b, r.input("x", 1, s.Runs(), x)[0], r.constant(diagonals))
	if rescale {
		y = r.b.Rescale(y)
	}
	r.build(s.Sum(r.b, y))
	return r
}

// rowsInOrder is the layout of so many rows one after the other, padded to a power of two.
func rowsInOrder(rows int) Layout {
	l := make(Layout, pow2(rows))
	for s := range l {
		if l[s] = int32(s); s >= rows {
			l[s] = -1
		}
	}
	return l
}

func checkShape(t testing.TB, params fhe.Parameters, s Shape, seed uint64) {
	t.Helper()
	m, x := matrix{s.Rows, s.Cols, integers(s.Rows*s.Cols, seed)}, integers(s.Cols, seed+1)
	out := rowsInOrder(s.Rows)
	r := s.rig(t, params, m, out, x, seed%2 == 0)
	r.check(lay(out, s.Slots, m.times(x)))
}

func TestEverySlotIsAResultOrZero(t *testing.T) {
	params := fhetest.InsecureToyParamsNamed(t, "digits of one")
	n := 0
	for _, slots := range []int{2, 8, 64} {
		for _, rows := range []int{1, 2, 3, 5, 8, 16, 33} {
			for _, cols := range []int{1, 2, 3, 6, 7, 16, 31, 64} {
				for _, s := range shapes(slots, rows, cols, false) {
					checkShape(t, params, s, uint64(n))
					n++
				}
			}
		}
	}
	if n < 600 {
		t.Errorf("%d shapes were checked, expected 600", n)
	}
}

func TestEveryFactoringOfTheSums(t *testing.T) {
	params := fhetest.InsecureToyParamsNamed(t, "digits of one")
	for i, s := range shapes(256, 3, 101, true) {
		if s.N1 == s.K {
			checkShape(t, params, s, uint64(i))
		}
	}
}

func TestRandomShapes(t *testing.T) {
	params := fhetest.InsecureToyParamsNamed(t, "digits of one")
	rapid.Check(t, func(rt *rapid.T) {
		slots := 1 << rapid.IntRange(1, 8).Draw(rt, "log2(slots)")
		rows := rapid.IntRange(1, slots).Draw(rt, "rows")
		cols := rapid.IntRange(1, slots).Draw(rt, "cols")
		level := rapid.IntRange(0, 8).Draw(rt, "level")
		sum := rapid.IntRange(0, level).Draw(rt, "sum level")
		cost := Cost{rapid.Float64Range(0, 2).Draw(rt, "NTT"), rapid.Float64Range(0, 2).Draw(rt, "KeyRow"), rapid.Float64Range(0, 2).Draw(rt, "Row")}
		s, err := Choose(slots, rows, cols, level, sum, rapid.IntRange(1, 3).Draw(rt, "k"), cost)
		if err != nil {
			rt.Fatal(err)
		}
		if !valid(s) {
			rt.Fatalf("invalid shape %+v", s)
		}
		checkShape(t, params, s, rapid.Uint64().Draw(rt, "seed"))
	})
}

func TestRunsUseEverySlotOfAFullMatrix(t *testing.T) {
	// A slot outside every run would hold zero and the diagonals would meet fewer columns than they have.
	for _, s := range shapes(64, 4, 32, false) {
		n := 0
		for _, r := range s.Runs() {
			n += r.Length
		}
		full := s.Slots
		if s.Complex {
			full *= 2
		}
		if n != full {
			t.Errorf("%+v: %d slots in runs, want %d", s, n, full)
		}
	}
}

// total is the cost of a shape with its sums.
func (s Shape) total(level, sumLevel, k int, c Cost) float64 {
	s.Sums.Cost = 0
	for _, radix := range s.Sums.Radices {
		s.Sums.Cost += c.sum(radix, sumLevel, k)
	}
	return s.cost(level, k, c)
}

// TestChooseIsCheapest compares with every valid shape, enumerated independently.
func TestChooseIsCheapest(t *testing.T) {
	costs := []Cost{DefaultCost, {NTT: 1}, {KeyRow: 1}, {Row: 1}, {NTT: 0.1, KeyRow: 1, Row: 0.3}}
	for _, slots := range []int{32, 256, 4096} {
		for _, rc := range [][2]int{{1, 30}, {10, 128}, {128, 784}, {5, 5}, {32, 1}, {1, 1}, {31, 17}} {
			for i, cost := range costs {
				name := fmt.Sprintf("slots=%d/rows=%d/cols=%d/cost=%d", slots, rc[0], rc[1], i)
				got, err := Choose(slots, rc[0], rc[1], 3, 2, 1, cost)
				best := math.Inf(1)
				for _, s := range shapes(slots, rc[0], rc[1], true) {
					best = min(best, s.total(3, 2, 1, cost))
				}
				if math.IsInf(best, 1) {
					if err == nil {
						t.Errorf("%s: chose %+v, nothing fits", name, got)
					}
					continue
				}
				if err != nil {
					t.Errorf("%s: %v", name, err)
					continue
				}
				if c := got.total(3, 2, 1, cost); c != best || got.Cost != best {
					t.Errorf("%s: chose %+v at %g, the cheapest costs %g", name, got, c, best)
				}
			}
		}
	}
}

// TestCostCountsOperations compares the cost of a shape with what the operations of its program cost.
func TestCostCountsOperations(t *testing.T) {
	params := fhetest.InsecureToyParamsNamed(t, "digits of one")
	c := Cost{NTT: 1, KeyRow: 0.25, Row: 0.0625}
	for i, s := range shapes(64, 7, 21, false) {
		m := matrix{s.Rows, s.Cols, integers(s.Rows*s.Cols, uint64(i))}
		want := s.rig(t, params, m, rowsInOrder(s.Rows), make([]float64, s.Cols), true).operations(c)
		level := params.MaxLevel()
		if got := s.total(level, level-1, params.PCount(), c); math.Abs(got-want) > 1e-9 {
			t.Errorf("%+v: cost %g, its operations %g", s, got, want)
		}
	}
}

func TestChooseRefuses(t *testing.T) {
	for _, tc := range []struct {
		slots, rows, cols, level, sum, k int
		want                             string
	}{
		{64, 0, 5, 1, 1, 1, "0 × 5 matrix in 64 slots"},
		{64, 5, -1, 1, 1, 1, "5 × -1 matrix"},
		{0, 5, 5, 1, 1, 1, "in 0 slots"},
		{1, 1, 1, 1, 1, 1, "in 1 slots"},
		{48, 5, 5, 1, 1, 1, "in 48 slots"},
		{64, 65, 2, 1, 1, 1, "does not fit 64 slots"},
		{64, 2, 129, 1, 1, 1, "does not fit 64 slots"},
		{64, 5, 5, 1, 1, 0, "0 special primes"},
		{64, 5, 5, -1, 0, 1, "level -1"},
		{64, 5, 5, 1, -1, 1, "level -1"},
	} {
		if s, err := Choose(tc.slots, tc.rows, tc.cols, tc.level, tc.sum, tc.k, DefaultCost); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%+v: got %+v, %v; want an error with %q", tc, s, err, tc.want)
		}
	}
	// Twice as many columns as slots fit only if two share one.
	if s, err := Choose(64, 1, 128, 1, 1, 1, DefaultCost); err != nil || !s.Complex {
		t.Errorf("128 columns in 64 complex slots: %+v, %v", s, err)
	}
}

func TestEmitRefusesOtherSlots(t *testing.T) {
	params := fhetest.InsecureToyParamsNamed(t, "digits of one")
	s := Shape{Slots: 64, Rows: 4, Cols: 8, R: 4, C: 8, K: 4, N1: 4, Sums: Sum{Stride: 4, Radices: []int{2}}}
	r := newRig(t, params, 64)
	c := r.constant(s.Diagonals(matrix{4, 8, integers(32, 1)}, rowsInOrder(4)))
	x := r.b.Input(program.Port{Name: "x", Count: 1, Level: 1, Degree: 1, LogSlots: 5, Scale: r.scale, Bound: 1, Layout: everySlot(1, 32)})[0]
	s.Sum(r.b, r.b.Rescale(s.Emit(r.b, x, c)))
	if r.b.Err() == nil {
		t.Error("a shape of 64 slots was emitted for a value of 32")
	}
}

// TestShapeInAnyLayout: the rows of the result may lie anywhere, several times or nowhere.
func TestShapeInAnyLayout(t *testing.T) {
	params := fhetest.InsecureToyParamsNamed(t, "digits of one")
	for i := range 60 {
		rng := fhetest.NewRand(uint64(i))
		rows, cols := 1+rng.IntN(9), 1+rng.IntN(40)
		out := randomLayout(rng.IntN, 16, rows, false)
		for _, s := range shapes(64, len(out), cols, false) {
			m, x := matrix{rows, cols, integers(rows*cols, uint64(i))}, integers(cols, uint64(i+1))
			s.rig(t, params, m, out, x, false).check(lay(out, s.Slots, m.times(x)))
		}
	}
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs from the golden; if the change is meant, run with -update:\n%s", name, got)
	}
}

// TestGoldenDump shows what a product of the first layer of the MNIST network becomes. Digests of encoded weights
// belong to one processor architecture, so they are left out.
func TestGoldenDump(t *testing.T) {
	params := fhetest.InsecureToyParamsNamed(t, "large ring")
	s, err := Choose(2048, 100, 784, 2, 1, 1, DefaultCost)
	if err != nil {
		t.Fatal(err)
	}
	p := s.rig(t, params, matrix{s.Rows, s.Cols, integers(s.Rows*s.Cols, 5)}, rowsInOrder(s.Rows), make([]float64, s.Cols), true).prog
	var b bytes.Buffer
	s.Cost, s.Sums.Cost = 0, 0
	fmt.Fprintf(&b, "%+v\n", s)
	if err := p.Dump(&b); err != nil {
		t.Fatal(err)
	}
	text := regexp.MustCompile(`(?m)^(program|parameters|constant c\d+) [0-9a-f]+`).ReplaceAll(b.Bytes(), []byte("$1 …"))
	golden(t, "dense.txt", text)
}
