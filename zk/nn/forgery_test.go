package nn

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/frontend"

	"github.com/signet-ml/signet/zk/internal/gnarkx"
)

// leaky is a circuit that leaves one secret input out of its commitment, counted from 0.
type leaky struct {
	Context   frontend.Variable `gnark:",public"`
	Statement frontend.Variable `gnark:",public"`
	Secret    []frontend.Variable
	c         *Circuit
	without   int
}

func (l *leaky) Define(api frontend.API) error {
	b, err := define(api, l.Context, slices.Delete(slices.Clone(l.Secret), l.without, l.without+1))
	if err != nil {
		return err
	}
	b.secrets, b.c = l.Secret, l.c
	statement, err := b.walk()
	if err != nil {
		return err
	}
	api.AssertIsEqual(l.Statement, statement)
	return nil
}

// TestAnyInputLeftOut leaves secret inputs of a network out of the commitment in turn: g, all of u with its blinds, and
// every few of the rest: inputs, v with its blinds, limbs, multiplicities, don't-care coefficients.
//
// Soundness: P1, S2.
func TestAnyInputLeftOut(t *testing.T) {
	graph := Graph{Batch: 1, InputLen: 4, Input: Interval{0, 3}, Blinds: 3, Ops: []Op{
		Conv2d{Channels: 1, Height: 2, Width: 2, Out: 2, Kernel: [2]int{2, 2}, Stride: [2]int{1, 1}, Padding: [2]int{1, 1}, WeightRange: Interval{-3, 3}, BiasRange: Interval{-3, 3}},
		Rescale{Multiplier: 1, Shift: 1, Out: Interval{0, 3}},
		Dense{In: 18, Out: 2, WeightRange: Interval{-3, 3}, BiasRange: Interval{-3, 3}},
		Argmax{},
	}}
	c := build1(t, graph)
	for i := range c.inputs {
		if (testing.Short() || i > c.Spec().Layout.Columns()) && i%5 != 0 {
			continue
		}
		_, err := gnarkx.Compile(&leaky{Secret: make([]frontend.Variable, c.inputs), c: c, without: i})
		var refused *gnarkx.CircuitError
		if !errors.As(err, &refused) || refused.Reason != fmt.Sprintf("Secret_%d is not committed", i) {
			t.Errorf("without input %d: %v", i, err)
		}
	}
}

// known is a circuit whose second challenge is its first one, which a prover knows in time.
type known struct{ open }

func (k *known) Define(api frontend.API) error {
	b, err := define(api, k.Context, k.Secret)
	if err != nil {
		return err
	}
	api.AssertIsDifferent(b.h, 0)
	b.c, b.h = k.c, k.Secret[0]
	api.Mul(k.Statement, k.Statement)
	_, err = b.walk()
	return err
}

// TestSpatialPoint forges a sum of a convolution at a spatial point that is known beforehand, such as g: one don't-care
// coefficient takes the error, so that the two sides are equal at the point, and nowhere else. A circuit that takes g
// for the point is taken in.
//
// Soundness: P19.
func TestSpatialPoint(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	n := random(r, Graph{Batch: 1, InputLen: 16, Input: Interval{0, 31}, Blinds: 3, Ops: []Op{
		Conv2d{Channels: 1, Height: 4, Width: 4, Out: 2, Kernel: [2]int{3, 3}, Stride: [2]int{1, 1}, WeightRange: int8s, BiasRange: biases},
	}}, false)
	c := build1(t, n.graph)
	l := c.layers[0].(*conv)
	l.product = newProduct(l) // however few its elements are
	if err := c.plan(); err != nil {
		t.Fatal(err)
	}
	s := newSolver(t, c)
	honest := n.trace(n.input(r))
	a := n.assignment(t, c, honest)
	// The sum of channel 1 at (0, 1) is too large by 1: the right side by g z^degree.
	wrong, _ := n.lie(honest, 0, map[int]int64{l.outputs() + 1: 1})
	w, err := c.fill(n.assignment(t, c, wrong))
	if err != nil {
		t.Fatal(err)
	}
	in := make([]number, len(honest[0]))
	for i, x := range honest[0] {
		in[i] = constant(x)
	}
	weak := &solver{c, compile(t, &known{open{c: c, Secret: make([]frontend.Variable, c.inputs)}})}
	tried := 0
	l.product.others(func(int) {}, func(y, x int) {
		// The coefficient of this monomial is an input, which has the value that no other has.
		d := l.product.other(&build{trace: honest, row: a.Row}, l, 0, in, y, x)
		at := slices.IndexFunc(w.Secret, func(v frontend.Variable) bool { return v.(fr.Element) == d })
		if at < 0 || d.IsZero() {
			return
		}
		tried++
		for _, z := range []fr.Element{fr.One(), a.G, element(5)} {
			lie, by := slices.Clone(w.Secret), fr.Element{}
			by.Mul(&a.G, power(z, l.product.degree(0, 1)))
			by.Div(&by, power(z, l.product.degree(y, x)))
			lie[at] = *by.Sub(&d, &by)
			if s.solved(t, lie) == nil {
				t.Errorf("monomial (%d, %d) pays for an error at the point %s", y, x, z.String())
			}
			if err := weak.solved(t, lie); (err == nil) != (z == a.G) {
				t.Errorf("monomial (%d, %d), at the point %s, where the point is g: %v", y, x, z.String(), err)
			}
		}
	})
	if tried == 0 {
		t.Error("no don't-care coefficient was found")
	}
}

func power(x fr.Element, n int) *fr.Element {
	out := fr.One()
	for range n {
		out.Mul(&out, &x)
	}
	return &out
}

// TestProductPlaces checks, for convolutions of many shapes, that no two monomials of the product meet: each pair of an
// input and a tap adds to the output that they belong to, or to a don't-care coefficient, and all of these have degrees
// of their own.
//
// Soundness: P18, P19.
func TestProductPlaces(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	tried := 0
	for range 2000 {
		axes := make([]axis, 2)
		var err error
		for i := range axes {
			var e error
			axes[i], e = newAxis(1+r.IntN(6), 1+r.IntN(4), 1+r.IntN(4), r.IntN(5), 1+r.IntN(3))
			err = errors.Join(err, e)
		}
		if err != nil {
			continue
		}
		tried++
		p := &product{newSide(axes[0]), newSide(axes[1])}
		width := len(p.x.hit)
		owner := make(map[int][2]int) // of a degree
		last := -1
		add := func(y, x int) {
			d := p.degree(y, x)
			if d <= last {
				t.Fatalf("%v: (%d, %d) has degree %d, after %d", axes, y, x, d, last)
			}
			owner[d], last = [2]int{y, x}, d
		}
		p.others(func(y int) {
			for x := range p.x.out {
				add(y, x)
			}
		}, add)
		if len(owner) < p.y.out*p.x.out {
			t.Fatalf("%v: %d degrees for %d outputs", axes, len(owner), p.y.out*p.x.out)
		}
		pairs := 0
		p.each(func(py, px phase) {
			for i, iy := range py.inputs {
				for j, ix := range px.inputs {
					for _, ty := range py.taps {
						for _, tx := range px.taps {
							pairs++
							d := i*width + j + ty.degree*width + tx.degree
							o, ok := owner[d]
							if !ok {
								t.Fatalf("%v: a product of degree %d, which nothing has", axes, d)
							}
							if gy, _ := p.y.at(o[0], ty.k); gy != iy {
								t.Fatalf("%v: row %d and tap %d add to row %d", axes, iy, ty.k, o[0])
							}
							if gx, _ := p.x.at(o[1], tx.k); gx != ix {
								t.Fatalf("%v: column %d and tap %d add to column %d", axes, ix, tx.k, o[1])
							}
						}
					}
				}
			}
		})
		// No pair that an output needs is missing.
		for y := range p.y.out {
			for x := range p.x.out {
				for ky := range p.y.kernel {
					for kx := range p.x.kernel {
						_, a := p.y.at(y, ky)
						_, b := p.x.at(x, kx)
						if a && b {
							pairs--
						}
					}
				}
			}
		}
		if pairs < 0 {
			t.Fatalf("%v: %d products are missing", axes, -pairs)
		}
	}
	if tried < 500 {
		t.Errorf("only %d shapes", tried)
	}
}

// TestOutputOutOfRange has weights outside their range, which no circuit sees, and so outputs that pack to the same
// element as others: (out[0] + 2^w, out[1] - 1) for w bits.
//
// Soundness: P24.
func TestOutputOutOfRange(t *testing.T) {
	n := &net{graph: Graph{Batch: 1, InputLen: 1, Input: Interval{1, 2}, Blinds: 3, Ops: []Op{
		Dense{In: 1, Out: 3, WeightRange: Interval{-7, 7}, BiasRange: Interval{0, 3}},
	}}}
	c := build1(t, n.graph)
	p := c.Spec().Output
	s := newSolver(t, c)
	full := int64(1) << p.Width()
	for _, x := range []struct {
		by [2]int64 // of the first two outputs
		ok bool
	}{{[2]int64{}, true}, {[2]int64{full, -1}, false}, {[2]int64{-full, 1}, false}, {[2]int64{0, full}, false}, {[2]int64{p.Hi + 1, 0}, false}, {[2]int64{p.Hi, 0}, true}, {[2]int64{p.Lo, 0}, true}, {[2]int64{p.Lo - 1, 0}, false}} {
		n.w, n.b = [][]int64{{0, 0, 3}}, [][]int64{{x.by[0], x.by[1], 1}}
		trace := n.trace([]int64{1})
		a := n.assignment(t, c, trace)
		if _, err := c.Assign(a); (err == nil) != x.ok {
			t.Errorf("%v: Assign gives %v", x.by, err)
		}
		w, err := c.fill(a)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.solved(t, w.Secret); (err == nil) != x.ok {
			t.Errorf("outputs %v in [%d, %d]: %v", trace[1], p.Lo, p.Hi, err)
		}
	}
}

// TestTablePairs tries every pair near the rows of a table, two of which have one value. Rows are named by their
// places, so no index has two.
//
// Soundness: S11, S13a.
func TestTablePairs(t *testing.T) {
	table := Table{Lo: -2, Values: []int64{4, 7, -1, 7, 0}}
	n := &net{graph: Graph{Batch: 1, InputLen: 1, Input: Interval{-2, 2}, Ops: []Op{table}}}
	c := build1(t, n.graph)
	s := newSolver(t, c)
	for x := int64(-5); x <= 5; x++ {
		for y := int64(-5); y <= 10; y++ {
			w, err := c.fill(n.assignment(t, c, [][]int64{{x}, {y}}))
			if err != nil {
				t.Fatal(err)
			}
			want := n.graph.Input.Contains(x) && table.Values[x+2] == y
			if ok := s.solved(t, w.Secret) == nil; ok != want {
				t.Errorf("(%d, %d): %v", x, y, ok)
			}
		}
	}
}

// TestShuffle looks 5 up five times and says that 1 to 5 were looked up once each; and the reverse.
//
// Soundness: S13a.
func TestShuffle(t *testing.T) {
	n := &net{graph: Graph{Batch: 1, InputLen: 5, Input: Interval{1, 5}, Ops: []Op{
		Table{Lo: 1, Values: []int64{1, 2, 3, 4, 5}},
	}}}
	c := build1(t, n.graph)
	s := newSolver(t, c)
	each, same := []int64{1, 2, 3, 4, 5}, []int64{5, 5, 5, 5, 5}
	inputs := map[string][]frontend.Variable{}
	for name, x := range map[string][]int64{"each": each, "same": same} {
		inputs[name] = n.assigned(t, c, [][]int64{x, x})
		if err := s.solved(t, inputs[name]); err != nil {
			t.Fatal(err)
		}
	}
	// All tables come last, behind the salts, inputs, limbs and outputs.
	rows := 0
	b := &build{c: c, lookups: &lookups{}}
	if _, err := b.walk(); err != nil {
		t.Fatal(err)
	}
	for _, table := range b.lookups.tables {
		rows += int(table.size)
	}
	at := c.inputs - rows
	for _, x := range [][2]string{{"each", "same"}, {"same", "each"}} {
		lie := append(slices.Clone(inputs[x[0]][:at]), inputs[x[1]][at:]...)
		if s.solved(t, lie) == nil {
			t.Errorf("%s, counted as %s: accepted", x[0], x[1])
		}
	}
}

// TestErrorBound adds up the degrees of all identities, the bracket of the sum in docs/explanation/proven-inference.md:
// 2N + m I + values + rows + degrees of convolutions. It stays far below the 2^48 that would leave 200 bits.
//
// Soundness: S3.
func TestErrorBound(t *testing.T) {
	for k, x := range named()[:4] { // the others are wider and as deep
		if testing.Short() && k%3 != 0 {
			continue
		}
		c := build1(t, x.graph)
		sum := 2 * c.Spec().Layout.Powers()
		for _, x := range c.Costs() {
			if x.Cause == CauseRange || x.Cause == CauseTable { // one for each value and row, and more
				sum += x.Constraints
			}
		}
		for _, l := range c.layers {
			switch l := l.(type) {
			case *dense:
				sum += c.graph.Batch * l.rows
			case *conv:
				sum += c.graph.Batch * l.groups * l.outputs() * l.outs
				if l.product != nil {
					sum += c.graph.Batch * l.groups * len(l.product.x.hit) * len(l.product.y.hit)
				}
			}
		}
		log := math.Log2(float64(sum))
		t.Logf("%s: 2^%.1f", x.name, log)
		if log > 48 || strings.HasPrefix(x.name, "lenet") && log > 21 {
			t.Errorf("%s: degrees add up to 2^%.1f", x.name, log)
		}
	}
}

// hinted is a rescale of one element whose prover picks the hints.
type hinted struct {
	*rescale
	hints hints
}

func (l hinted) build(b *build, in []number) ([]number, error) {
	out, err := l.element(b, in[0], l.quotients[0], l.shape.ranges[0], l.hints)
	return []number{out}, err
}

// around returns the integers that are not farther than by from x.
func around(x, by int64) (out []int64) {
	for y := x - by; y <= x+by; y++ {
		out = append(out, y)
	}
	return out
}

// TestRescaleHints tries every output, excess and remainder near the honest ones, negative ones too, for every input of
// a rescale, in every form: its accumulator proven or the sum of a private layer. One witness is accepted for each
// input.
//
// Soundness: P13, S12, S13c.
func TestRescaleHints(t *testing.T) {
	for _, r := range []Rescale{
		{Multiplier: 1, Shift: 1, Out: Interval{-9, 9}},  // exactly
		{Multiplier: 1, Shift: 1, Out: Interval{-1, 9}},  // above
		{Multiplier: 1, Shift: 0, Out: Interval{-1, 9}},  // above
		{Multiplier: 1, Shift: 1, Out: Interval{-9, 1}},  // below
		{Multiplier: 1, Shift: 0, Out: Interval{-9, 1}},  // below
		{Multiplier: 1, Shift: 1, Out: Interval{-1, 1}},  // within
		{Multiplier: 1, Shift: 0, Out: Interval{-1, 2}},  // within
		{Multiplier: 3, Shift: 2, Out: Interval{-1, 20}}, // above
	} {
		for _, private := range []bool{false, true} {
			n := &net{graph: Graph{Batch: 1, InputLen: 1, Input: Interval{-4, 4}, Ops: []Op{r}}}
			if private {
				n.graph.Ops = []Op{Dense{In: 1, Out: 1, WeightRange: Interval{1, 1}, BiasRange: Interval{}}, r}
				n.graph.Blinds, n.w, n.b = 3, [][]int64{{1}}, [][]int64{{0}}
			}
			c := build1(t, n.graph)
			last := len(c.layers) - 1
			l := c.layers[last].(*rescale)
			l.tabulate(false)
			if err := c.plan(); err != nil {
				t.Fatal(err)
			}
			s := newSolver(t, c)
			form := l.form(l.quotients[0])
			step := int64(1)
			if testing.Short() {
				step = 4
			}
			for x := int64(-4); x <= 4; x += step {
				trace := n.trace([]int64{x})
				honest := l.hints(x, trace[last+1][0])
				var witnesses []hints
				es, rs := []int64{honest.e}, []int64{honest.r} // where the form does not take them
				if form != exactly && (form == within || l.Shift > 0) {
					es = around(0, honest.e+2)
				}
				if form == within && l.Shift > 0 {
					rs = around(0, 1<<l.Shift+1)
				}
				for _, out := range around(honest.out, 2) {
					for _, e := range es {
						for _, rest := range rs {
							h := hints{out, e, rest}
							trace[last+1] = []int64{out}
							lying := *c
							lying.layers = slices.Clone(c.layers)
							lying.layers[last] = hinted{l, h}
							w, err := lying.fill(n.assignment(t, c, trace))
							if err != nil {
								t.Fatal(err)
							}
							if s.solved(t, w.Secret) == nil {
								witnesses = append(witnesses, h)
							}
						}
					}
				}
				if len(witnesses) != 1 || witnesses[0] != honest {
					t.Errorf("%+v, private %t, of %d: %v accepted, want %v", r, private, x, witnesses, honest)
				}
			}
		}
	}
}

// TestMaxForgeries puts every value near the range in the place of a maximum of four, of two that are equal, and of
// sums of private weights.
//
// Soundness: P13, S12.
func TestMaxForgeries(t *testing.T) {
	pool := MaxPool2d{Channels: 1, Height: 1, Width: 4, Kernel: [2]int{1, 4}, Stride: [2]int{1, 1}}
	signed := Interval{-5, 5}
	for _, ops := range [][]Op{{pool}, {Dense{In: 4, Out: 4, WeightRange: Interval{0, 1}, BiasRange: Interval{}}, pool}} {
		n := &net{graph: Graph{Batch: 1, InputLen: 4, Input: signed, Ops: ops}}
		if len(ops) > 1 {
			n.graph.Blinds, n.w, n.b = 3, [][]int64{{1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1}}, [][]int64{make([]int64, 4)}
		}
		c := build1(t, n.graph)
		s := newSolver(t, c)
		for _, x := range [][]int64{{-5, 5, 0, 3}, {2, 2, -1, 1}, {-5, -5, -5, -5}, {-1, -2, -3, -4}, {0, 0, 5, 5}} {
			trace := n.trace(x)
			last := len(trace) - 1
			want := trace[last][0]
			for y := int64(-12); y <= 12; y++ {
				trace[last] = []int64{y}
				w, err := c.fill(n.assignment(t, c, trace))
				if err != nil {
					t.Fatal(err)
				}
				if ok := s.solved(t, w.Secret) == nil; ok != (y == want) {
					t.Errorf("%d as the maximum of %v: %v", y, x, ok)
				}
			}
		}
	}
}

// TestProductShapes builds convolutions of random shapes as products of polynomials, however few their elements are,
// and lies about every one of their sums.
//
// Soundness: P19, P23.
func TestProductShapes(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	one := func(n int) [2]int { return [2]int{1 + r.IntN(n), 1 + r.IntN(n)} }
	tried, raised, enough := 0, 0, 24
	if testing.Short() {
		enough = 8
	}
	for tried < enough {
		groups := 1 + r.IntN(2)
		size := one(4)
		op := Conv2d{Channels: groups * (1 + r.IntN(2)), Height: size[0], Width: size[1], Out: groups * (1 + r.IntN(2)), Groups: groups,
			Kernel: one(3), Stride: one(3), Padding: [2]int{r.IntN(4), r.IntN(4)}, Dilation: one(2), WeightRange: int8s, BiasRange: biases}
		n := random(r, Graph{Batch: 1 + r.IntN(2), InputLen: op.Channels * size[0] * size[1], Input: int8s, Blinds: 4, Ops: []Op{op}}, false)
		c, err := New(n.graph)
		if err != nil {
			continue // the kernel is larger than the padded input
		}
		l := c.layers[0].(*conv)
		l.product = newProduct(l)
		if !l.product.meets() {
			continue // all windows are padding
		}
		if err := c.plan(); err != nil {
			t.Fatal(err)
		}
		tried++
		l.product.each(func(y, x phase) {
			if y.taps[0].degree+x.taps[0].degree > 0 {
				raised++
			}
		})
		s := newSolver(t, c)
		honest := n.trace(n.input(r))
		if err := s.solved(t, n.assigned(t, c, honest)); err != nil {
			t.Fatalf("%+v: %v", op, err)
		}
		for i := range honest[1] {
			trace, _ := n.lie(honest, 0, map[int]int64{i: 1 - 2*int64(i&1)})
			w, err := c.fill(n.assignment(t, c, trace))
			if err != nil {
				t.Fatal(err)
			}
			if s.solved(t, w.Secret) == nil {
				t.Errorf("%+v: a lie about sum %d is accepted", op, i)
			}
		}
	}
	if raised == 0 {
		t.Error("no polynomial of taps starts above degree 0")
	}
}

// TestNothingButPadding strides over the only input there is: sums are biases.
func TestNothingButPadding(t *testing.T) {
	n := random(rand.New(rand.NewPCG(1, 2)), Graph{Batch: 1, InputLen: 1, Input: int8s, Blinds: 3, Ops: []Op{
		Conv2d{Channels: 1, Height: 1, Width: 1, Out: 2, Kernel: [2]int{1, 1}, Stride: [2]int{2, 2}, Padding: [2]int{11, 11}, WeightRange: int8s, BiasRange: biases},
	}}, false)
	c := build1(t, n.graph)
	if err := newSolver(t, c).solved(t, n.assigned(t, c, n.trace([]int64{5}))); err != nil {
		t.Error(err)
	}
}
