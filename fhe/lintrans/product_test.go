package lintrans

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/fhetest"
	"github.com/signet-ml/signet/fhe/program"
)

// productCase is one product and its input.
type productCase struct {
	p       *Product
	m       matrix
	in, out Layout
	x       []float64
}

// rig builds the program of the product, with weights known or encrypted.
func (c *productCase) rig(tb testing.TB, params fhe.Parameters, encrypted bool) *rig {
	tb.Helper()
	r := newRig(tb, params, c.p.Slots)
	x := r.input("x", c.p.In, c.in.Runs(c.p.Slots), c.x)
	var y []program.Value
	if encrypted {
		y = c.p.EmitEncrypted(r.b, x, r.privates(c.p.DiagonalValues()))
	} else {
		y = c.p.Emit(r.b, x, r.constants(c.p.DiagonalValues()))
	}
	for i := range y {
		y[i] = r.b.Rescale(y[i])
	}
	r.build(c.p.Sum(r.b, y)...)
	return r
}

func (c *productCase) want() [][]complex128 { return lay(c.out, c.p.Slots, c.m.times(c.x)) }

// randomProduct returns a product of a sparse matrix between random layouts. Every ciphertext of the input holds
// something, as ports want it.
func randomProduct(tb testing.TB, intN func(int) int, logSlots int) *productCase {
	slots := 1 << logSlots
	rows, cols := 1+intN(2*slots), 1+intN(2*slots)
	c := &productCase{m: matrix{rows, cols, integers(rows*cols, uint64(intN(1<<30)))}, x: integers(cols, uint64(intN(1<<30)))}
	switch intN(3) {
	case 0: // sparse, with empty rows and columns
		for i := range c.m.w {
			if intN(4) > 0 {
				c.m.w[i] = 0
			}
		}
	case 1: // a band: few diagonals
		for i := range c.m.w {
			if d := i/cols - i%cols; d < -1 || d > 1 {
				c.m.w[i] = 0
			}
		}
	}
	c.in = randomLayout(intN, 1<<intN(logSlots+3), cols, true)
	for ct := range c.in.Count(slots) {
		if s := ct * slots; len(c.in) > slots && empty(c.in[s:s+slots]) {
			c.in[s] = 0
		}
	}
	c.out = randomLayout(intN, 1<<intN(logSlots+3), rows, false)
	p, err := NewProduct(slots, c.m, c.in, c.out)
	if err != nil {
		tb.Fatal(err)
	}
	cost := Cost{NTT: float64(1 + intN(100)), KeyRow: float64(intN(100)), Row: float64(intN(100))}
	c.p = p.For(3, 2, 1, cost)
	if intN(3) == 0 {
		c.p = c.p.ForEncrypted(3, 1, cost)
	}
	return c
}

// TestRandomProducts compares every slot of the results of random products, between layouts of any period, with float64
// products. Weights are known or encrypted.
func TestRandomProducts(t *testing.T) {
	params := fhetest.InsecureToyParamsNamed(t, "digits of one")
	rapid.Check(t, func(rt *rapid.T) {
		intN := func(n int) int { return rapid.IntRange(0, n-1).Draw(rt, "") }
		c := randomProduct(t, intN, 1+intN(4))
		for _, b := range c.p.Blocks {
			if n := len(b.Diagonals); n > min(c.p.Slots, len(c.in), len(c.out)) || !slices.IsSorted(b.Diagonals) {
				rt.Fatalf("diagonals %v between periods of %d and %d in %d slots", b.Diagonals, len(c.in), len(c.out), c.p.Slots)
			}
		}
		c.rig(t, params, intN(2) == 0).check(c.want())
	})
}

// pickedProducts are products of every kind, in 256 slots.
func pickedProducts(tb testing.TB) map[string]*productCase {
	tb.Helper()
	all := map[string]*productCase{}
	add := func(name string, m matrix, in, out Layout) {
		p, err := NewProduct(256, m, in, out)
		if err != nil {
			tb.Fatal(err)
		}
		seed := uint64(len(name))
		all[name] = &productCase{p: p.For(4, 3, 1, DefaultCost), m: m, in: in, out: out, x: fraction(m.cols, seed)}
	}
	random := func(rows, cols int, density float64, seed uint64) matrix {
		m := matrix{rows, cols, fraction(rows*cols, seed)}
		rng := fhetest.NewRand(seed)
		for i := range m.w {
			if rng.Float64() > density {
				m.w[i] = 0
			}
		}
		return m
	}
	band := random(64, 64, 1, 9)
	for i := range band.w {
		if d := i/64 - i%64; d < -2 || d > 2 {
			band.w[i] = 0
		}
	}
	spread := func(n, step int) Layout { // elements step slots apart
		l := make(Layout, pow2(n*step))
		for s := range l {
			if l[s] = -1; s%step == 0 && s/step < n {
				l[s] = int32(s / step)
			}
		}
		return l
	}
	add("equal periods", random(60, 50, 0.2, 1), rowsInOrder(50), rowsInOrder(60))
	add("sums", random(8, 100, 1, 2), rowsInOrder(100), rowsInOrder(8))
	add("more rows than columns", random(100, 7, 1, 3), rowsInOrder(7), rowsInOrder(100))
	add("band", band, rowsInOrder(64), rowsInOrder(64))
	add("strided", random(30, 30, 0.3, 4), spread(30, 4), spread(30, 8))
	add("several in", random(5, 600, 0.5, 5), rowsInOrder(600), rowsInOrder(5))
	add("several out", random(400, 40, 0.1, 6), rowsInOrder(40), rowsInOrder(400))
	add("several in and out", random(500, 600, 0.01, 7), rowsInOrder(600), rowsInOrder(500))
	add("one diagonal", matrix{3, 3, []float64{0.5, 0, 0, 0, -0.25, 0, 0, 0, 1}}, rowsInOrder(3), rowsInOrder(3))
	add("repeated rows", random(5, 40, 1, 8), rowsInOrder(40), Layout{0, 1, 2, 3, 4, 0, 1, -1, 3, 3, 4, -1, -1, -1, -1, 0})
	return all
}

func TestPickedProducts(t *testing.T) {
	params := fhetest.InsecureToyParamsNamed(t, "digits of one")
	for name, c := range pickedProducts(t) {
		c.x = integers(c.m.cols, 1)
		c.m.w = slices.Clone(c.m.w)
		for i, w := range c.m.w {
			c.m.w[i] = math.Round(16 * w)
		}
		p, err := NewProduct(256, c.m, c.in, c.out)
		if err != nil {
			t.Fatal(err)
		}
		c.p = p.For(4, 3, 1, DefaultCost)
		for _, encrypted := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/encrypted=%v", name, encrypted), func(t *testing.T) { c.rig(t, params, encrypted).check(c.want()) })
		}
	}
}

// TestEncryptedProducts decrypts every slot.
func TestEncryptedProducts(t *testing.T) {
	params := fhetest.InsecureToyParamsNamed(t, "digits of one")
	for name, c := range pickedProducts(t) {
		t.Run(name, func(t *testing.T) { c.rig(t, params, false).encrypted(2, c.want()) })
	}
}

func TestProductsWithEncryptedWeights(t *testing.T) {
	params := fhetest.InsecureToyParamsNamed(t, "digits of one")
	for _, name := range []string{"sums", "band", "strided", "more rows than columns", "one diagonal", "repeated rows"} {
		t.Run(name, func(t *testing.T) {
			c := pickedProducts(t)[name]
			c.p = c.p.ForEncrypted(4, 1, DefaultCost)
			c.rig(t, params, true).encrypted(2, c.want())
		})
	}
}

// TestProductKeysAreExact derives rotations from the blocks.
func TestProductKeysAreExact(t *testing.T) {
	params := fhetest.InsecureToyParamsNamed(t, "digits of one")
	for name, c := range pickedProducts(t) {
		need := map[uint64]bool{}
		for _, b := range c.p.Blocks {
			for _, d := range b.Diagonals {
				need[params.GaloisElement(d&(b.N1-1))] = true
				need[params.GaloisElement(d&^(b.N1-1))] = true
			}
		}
		stride := len(c.out)
		for _, radix := range c.p.Sums.Radices {
			for j := range radix {
				need[params.GaloisElement(j*stride)] = true
			}
			stride *= radix
		}
		delete(need, 1)
		t.Run(name, func(t *testing.T) { checkKeys(t, c.rig(t, params, false).prog, need) })
	}
}

// TestProductCostCountsOperations compares the cost of a product with what the operations of its program cost.
func TestProductCostCountsOperations(t *testing.T) {
	params := fhetest.InsecureToyParamsNamed(t, "digits of one")
	cost := Cost{NTT: 1, KeyRow: 0.25, Row: 0.0625}
	level := params.MaxLevel()
	for name, c := range pickedProducts(t) {
		c.p = c.p.For(level, level-1, params.PCount(), cost)
		if got, want := c.p.Cost, c.rig(t, params, false).operations(cost); math.Abs(got-want) > 1e-6 {
			t.Errorf("%s: cost %g, its operations %g", name, got, want)
		}
		// No other number of baby steps is cheaper.
		for i, b := range c.p.Blocks {
			if b.plain() {
				continue
			}
			for n1 := 1; n1 <= 256; n1 *= 2 {
				q := *c.p
				q.Blocks = slices.Clone(q.Blocks)
				q.Blocks[i].N1 = n1
				other := *c
				other.p = &q
				if got := other.rig(t, params, false).operations(cost); got < c.p.Cost-1e-6 {
					t.Errorf("%s: %d baby steps cost %g, %d cost %g", name, b.N1, c.p.Cost, n1, got)
				}
			}
			break // one block tells
		}
	}
}

func TestNewProductRefuses(t *testing.T) {
	m := matrix{2, 3, []float64{1, 0, 2, 0, 0, 3}}
	for name, tc := range map[string]struct {
		slots   int
		in, out Layout
		want    string
	}{
		"no slots":           {0, Layout{0, 1, 2, -1}, Layout{0, 1}, "in 0 slots"},
		"odd slots":          {48, Layout{0, 1, 2, -1}, Layout{0, 1}, "in 48 slots"},
		"odd layout":         {64, Layout{0, 1, 2}, Layout{0, 1}, "a layout of 3 slots"},
		"no layout":          {64, Layout{0, 1, 2, -1}, nil, "a layout of 0 slots"},
		"element of another": {64, Layout{0, 1, 2, 3}, Layout{0, 1}, "slot 3 of a layout holds element 3 of 3"},
		"row of another":     {64, Layout{0, 1, 2, -1}, Layout{0, 2}, "slot 1 of a layout holds element 2 of 2"},
		"missing column":     {64, Layout{0, 1, -1, -1}, Layout{0, 1}, "column 2 lies in no slot"},
	} {
		if p, err := NewProduct(tc.slots, m, tc.in, tc.out); err == nil || !strings.HasPrefix(err.Error(), "lintrans: ") || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: got %v, %v; want an error with %q", name, p, err, tc.want)
		}
	}
	// A column without entries may be missing, and one that only rows without a slot need.
	if _, err := NewProduct(64, m, Layout{0, -1, 2, -1}, Layout{0, 1}); err != nil {
		t.Error(err)
	}
	if _, err := NewProduct(64, matrix{2, 2, []float64{1, 0, 0, 1}}, Layout{0}, Layout{0, -1}); err != nil {
		t.Error(err)
	}
}

// TestProductsSumWithoutFor: a product is complete without a choice of costs.
func TestProductsSumWithoutFor(t *testing.T) {
	params := fhetest.InsecureToyParamsNamed(t, "digits of one")
	c := &productCase{m: matrix{3, 20, integers(60, 1)}, in: rowsInOrder(20), out: rowsInOrder(3), x: integers(20, 2)}
	var err error
	if c.p, err = NewProduct(64, c.m, c.in, c.out); err != nil {
		t.Fatal(err)
	}
	c.rig(t, params, false).check(c.want())
}
