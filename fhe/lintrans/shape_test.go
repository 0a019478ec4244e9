package lintrans

import (
	"bytes"
	"flag"
	"fmt"
	"math"
	"math/bits"
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
	for _, n := range append([]int{s.Slots, s.R, s.C, s.K, s.N1}, s.Sums...) {
		if n < 1 || n&(n-1) != 0 {
			return false
		}
	}
	cols, product := s.C, 1
	if s.Complex {
		cols *= 2
	}
	for _, m := range s.Sums {
		product *= m
	}
	return s.Rows <= s.R && s.Cols <= cols && max(s.R, s.C) <= s.Slots && s.K <= min(s.R, s.C) && s.N1 <= s.K &&
		s.R*s.C/s.K <= s.Slots && product == cols/s.K && (s.Packed || !s.Complex && s.K == min(s.R, s.C))
}

// shapes returns every valid shape of a product, with one factoring of the sums unless all are wanted.
func shapes(slots, rows, cols int, allSums bool) []Shape {
	var out []Shape
	for _, packed := range []bool{false, true} {
		for _, cx := range []bool{false, true} {
			s := Shape{Slots: slots, Rows: rows, Cols: cols, R: 1, C: 1, Packed: packed, Complex: cx}
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
					for _, s.Sums = range sums {
						if valid(s) {
							out = append(out, s)
						}
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

// pack returns the slots that a client fills by the runs.
func pack(t testing.TB, s Shape, x []float64) []complex128 {
	t.Helper()
	slots := make([]complex128, s.Slots)
	used := make([]bool, 2*s.Slots)
	for _, r := range s.Runs() {
		for i := range r.Length {
			at := r.Slot + i*r.SlotStep
			if used[at] {
				t.Fatalf("slot %d is in two runs", at)
			}
			used[at] = true
			v := x[r.Index+i*r.IndexStep]
			if at < s.Slots {
				slots[at] += complex(v, 0)
			} else {
				slots[at-s.Slots] += complex(0, v)
			}
		}
	}
	return slots
}

func rotate(v []complex128, k int) []complex128 {
	out := make([]complex128, len(v))
	for t := range out {
		out[t] = v[(t+k)&(len(v)-1)]
	}
	return out
}

// simulate applies the operations of a program of one product to slots, as the opcodes are defined; the constant's rows
// are diagonals in the clear.
func simulate(t testing.TB, p *program.Program, diagonals [][]complex128, x []complex128) []complex128 {
	t.Helper()
	vals := make([][]complex128, len(p.Ops()))
	var out []complex128
	for i, o := range p.Ops() {
		n := len(x)
		y := make([]complex128, n)
		switch o.Code {
		case program.Input:
			y = x
		case program.Hoist, program.Rescale:
			y = vals[o.Args[0]]
		case program.Output:
			out = vals[o.Args[0]]
		case program.MulPt:
			for k := range y {
				y[k] = vals[o.Args[0]][k] * diagonals[o.Rows[0]][k]
			}
		case program.Lintrans:
			// Σ over giants j of rot(Σ over babies b of d'_{j+b} ⊙ rot(x, b), j).
			inner := map[int][]complex128{}
			for r, k := range o.Diagonals {
				baby, giant := program.BabyGiant(k, o.N1)
				if inner[giant] == nil {
					inner[giant] = make([]complex128, n)
				}
				for s, v := range rotate(vals[o.Args[0]], baby) {
					inner[giant][s] += v * diagonals[o.Rows[r]][s]
				}
			}
			for giant, v := range inner {
				for s, z := range rotate(v, giant) {
					y[s] += z
				}
			}
		case program.Rotsum:
			for _, g := range o.Galois {
				k, conj, ok := p.Parameters().Rotation(g)
				if !ok {
					t.Fatalf("element %d is no rotation", g)
				}
				for s, z := range rotate(vals[o.Args[0]], k&(n-1)) {
					if conj {
						z = complex(real(z), -imag(z))
					}
					y[s] += z
				}
			}
		default:
			t.Fatalf("unexpected operation %v", o.Code)
		}
		vals[i] = y
	}
	return out
}

// emit builds a program of the one product.
func emit(t testing.TB, params fhe.Parameters, s Shape, w []float64, rescale bool) (*program.Program, *program.Constants, [][]complex128) {
	t.Helper()
	logSlots := bits.Len(uint(s.Slots)) - 1
	scale := fhe.PowerOfTwo(40)
	diagonals := s.Diagonals(w)
	if len(diagonals) != s.K {
		t.Fatalf("%d diagonals, want %d", len(diagonals), s.K)
	}
	enc := fhe.NewEncoder(params)
	rows := make([][]int64, s.K)
	for k, d := range diagonals {
		var err error
		if rows[k], err = enc.Encode(d, logSlots, scale); err != nil {
			t.Fatal(err)
		}
	}
	c, err := program.NewPolynomials(rows, logSlots, scale)
	if err != nil {
		t.Fatal(err)
	}
	b := program.NewBuilder(params)
	b.Scope("product")
	x := b.Input(program.Port{Name: "x", Count: 1, Level: params.MaxLevel(), Degree: 1, LogSlots: logSlots, Scale: scale, Bound: 1,
		Layout: program.Layout{Shape: []int{s.Cols}, Runs: s.Runs()}})[0]
	y := s.Emit(b, x, c)
	if rescale {
		y = b.Rescale(y)
	}
	y = s.Sum(b, y)
	b.Output(b.OutputPort("y", y, 1, everySlot(s.Slots)), y)
	p, consts, err := b.Build()
	if err != nil {
		t.Fatalf("%+v: %v", s, err)
	}
	return p, consts, diagonals
}

// everySlot declares every real slot, imaginary parts included.
func everySlot(slots int) program.Layout {
	return program.Layout{Shape: []int{2 * slots}, Runs: []program.Run{{SlotStep: 1, IndexStep: 1, Length: 2 * slots}}}
}

// want returns the product in every slot: period R, padded rows zero, nothing in imaginary parts.
func want(s Shape, w, x []float64) []complex128 {
	out := make([]complex128, s.Slots)
	for t := range out {
		if r := t & (s.R - 1); r < s.Rows {
			sum := 0.0
			for c, v := range x {
				sum += w[r*s.Cols+c] * v
			}
			out[t] = complex(sum, 0)
		}
	}
	return out
}

// integers returns small integers, so that every sum of the simulation is exact.
func integers(n int, seed uint64) []float64 {
	rng := fhetest.NewRand(seed)
	out := make([]float64, n)
	for i := range out {
		out[i] = float64(rng.IntN(19) - 9)
	}
	return out
}

func checkShape(t testing.TB, params fhe.Parameters, s Shape, seed uint64) {
	t.Helper()
	w, x := integers(s.Rows*s.Cols, seed), integers(s.Cols, seed+1)
	p, _, diagonals := emit(t, params, s, w, seed%2 == 0)
	got := simulate(t, p, diagonals, pack(t, s, x))
	for i, z := range want(s, w, x) {
		if got[i] != z {
			t.Fatalf("%+v: slot %d holds %v, want %v", s, i, got[i], z)
		}
	}
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
	if n < 800 {
		t.Errorf("%d shapes were checked, expected 800", n)
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
		s, err := Choose(slots, rows, cols, rapid.Bool().Draw(rt, "free"), level, sum, rapid.IntRange(1, 3).Draw(rt, "k"), cost)
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

// TestChooseIsCheapest compares with every valid shape, enumerated independently.
func TestChooseIsCheapest(t *testing.T) {
	costs := []Cost{DefaultCost, {NTT: 1}, {KeyRow: 1}, {Row: 1}, {NTT: 0.1, KeyRow: 1, Row: 0.3}}
	for _, slots := range []int{32, 256, 4096} {
		for _, rc := range [][2]int{{1, 30}, {10, 128}, {128, 784}, {5, 5}, {32, 1}, {1, 1}, {31, 17}} {
			for i, cost := range costs {
				for _, free := range []bool{false, true} {
					name := fmt.Sprintf("slots=%d/rows=%d/cols=%d/free=%v/cost=%d", slots, rc[0], rc[1], free, i)
					got, err := Choose(slots, rc[0], rc[1], free, 3, 2, 1, cost)
					best := math.Inf(1)
					for _, s := range shapes(slots, rc[0], rc[1], true) {
						if free || !s.Packed {
							best = min(best, s.cost(3, 2, 1, cost))
						}
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
					if c := got.cost(3, 2, 1, cost); c != best {
						t.Errorf("%s: chose %+v at %g, the cheapest costs %g", name, got, c, best)
					}
				}
			}
		}
	}
}

// TestCostCountsOperations compares the cost of a shape with what the operations of its program cost.
func TestCostCountsOperations(t *testing.T) {
	params := fhetest.InsecureToyParamsNamed(t, "digits of one")
	k := params.PCount()
	c := Cost{NTT: 1, KeyRow: 0.25, Row: 0.0625}
	for i, s := range shapes(64, 7, 21, false) {
		p, _, _ := emit(t, params, s, integers(s.Rows*s.Cols, uint64(i)), true)
		total := 0.0
		for _, o := range p.Ops() {
			switch o.Code {
			case program.Hoist:
				total += c.Hoist(o.Level, k)
			case program.MulPt:
				total += c.Row * float64(2*(o.Level+1))
			case program.Lintrans:
				babies, giants := map[int]bool{}, map[int]bool{}
				for _, d := range o.Diagonals {
					b, g := program.BabyGiant(d, o.N1)
					babies[b], giants[g] = true, true
				}
				delete(babies, 0)
				delete(giants, 0)
				total += float64(len(babies))*c.Rotation(o.Level, k) + c.ModDown(o.Level, k, 2) + float64(len(o.Diagonals)*2*(o.Level+1+k))*c.Row
				// A giant step brings one polynomial down, decomposes it and applies its key.
				total += float64(len(giants)) * (c.ModDown(o.Level, k, 1) + c.Hoist(o.Level, k) + c.Rotation(o.Level, k))
			case program.Rotsum:
				total += float64(len(o.Galois)-1)*c.Rotation(o.Level, k) + c.ModDown(o.Level, k, 2)
			}
		}
		level := params.MaxLevel()
		if got := s.cost(level, level-1, k, c); math.Abs(got-total) > 1e-9 {
			t.Errorf("%+v: cost %g, its operations %g", s, got, total)
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
		for _, free := range []bool{false, true} {
			if s, err := Choose(tc.slots, tc.rows, tc.cols, free, tc.level, tc.sum, tc.k, DefaultCost); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("%+v free=%v: got %+v, %v; want an error with %q", tc, free, s, err, tc.want)
			}
		}
	}
	// Twice as many columns as slots fit only if two share one.
	if _, err := Choose(64, 1, 128, false, 1, 1, 1, DefaultCost); err == nil {
		t.Error("128 columns fit 64 real slots")
	}
	if s, err := Choose(64, 1, 128, true, 1, 1, 1, DefaultCost); err != nil || !s.Complex {
		t.Errorf("128 columns in 64 complex slots: %+v, %v", s, err)
	}
}

func TestEmitRefusesOtherSlots(t *testing.T) {
	params := fhetest.InsecureToyParamsNamed(t, "digits of one")
	s := Shape{Slots: 64, Rows: 4, Cols: 8, R: 4, C: 8, K: 4, N1: 4, Sums: []int{2}}
	enc := fhe.NewEncoder(params)
	rows := make([][]int64, s.K)
	for k, d := range s.Diagonals(integers(32, 1)) {
		var err error
		if rows[k], err = enc.Encode(d, 6, fhe.PowerOfTwo(30)); err != nil {
			t.Fatal(err)
		}
	}
	c, err := program.NewPolynomials(rows, 6, fhe.PowerOfTwo(30))
	if err != nil {
		t.Fatal(err)
	}
	b := program.NewBuilder(params)
	x := b.Input(program.Port{Name: "x", Count: 1, Level: 1, Degree: 1, LogSlots: 5, Scale: fhe.PowerOfTwo(30), Bound: 1, Layout: everySlot(32)})[0]
	s.Sum(b, b.Rescale(s.Emit(b, x, c)))
	if b.Err() == nil {
		t.Error("a shape of 64 slots was emitted for a value of 32")
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

// TestGoldenDump shows what a product of the first layer of the MNIST network becomes. Digests of encoded weights belong
// to one processor architecture, so they are left out.
func TestGoldenDump(t *testing.T) {
	params := fhetest.InsecureToyParamsNamed(t, "large ring")
	s, err := Choose(2048, 100, 784, true, 2, 1, 1, DefaultCost)
	if err != nil {
		t.Fatal(err)
	}
	p, _, _ := emit(t, params, s, integers(s.Rows*s.Cols, 5), true)
	var b bytes.Buffer
	fmt.Fprintf(&b, "%+v\n", s)
	if err := p.Dump(&b); err != nil {
		t.Fatal(err)
	}
	text := regexp.MustCompile(`(?m)^(program|parameters|constant c\d+) [0-9a-f]+`).ReplaceAll(b.Bytes(), []byte("$1 …"))
	golden(t, "dense.txt", text)
}
