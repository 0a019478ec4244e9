package commit

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// toy has blocks of unequal height, weights of one and of four bytes, and more accumulators than columns.
var toy = Layout{
	Blocks: []Block{
		{Name: "first", Rows: 5, Columns: 3, Weight: Range{-127, 127}, Bias: Range{-1 << 20, 1 << 20}},
		{Name: "second", Rows: 2, Columns: 5, Weight: Range{-40000, 70000}, Bias: Range{0, 9}},
	},
	Blinds:       3,
	Accumulators: 21,
}

// mlp is the layout of a network 784-128-10 of signed bytes.
var mlp = Layout{
	Blocks: []Block{
		{Name: "hidden", Rows: 128, Columns: 784, Weight: Range{-127, 127}, Bias: Range{-1 << 22, 1 << 22}},
		{Name: "output", Rows: 10, Columns: 128, Weight: Range{-127, 127}, Bias: Range{-1 << 22, 1 << 22}},
	},
	Blinds:       8,
	Accumulators: 138,
}

// in returns n values of r, with both ends among them.
func in(next func() uint64, r Range, n int) []int64 {
	out := make([]int64, n)
	for i := range out {
		out[i] = r.Lo + int64(next()%uint64(r.Hi-r.Lo+1))
	}
	out[0], out[n-1] = r.Hi, r.Lo
	return out
}

// random returns the weights and biases of a made-up model.
func random(layout Layout, seed uint64) (weights, bias [][]int64) {
	next := stream(seed)
	for _, b := range layout.Blocks {
		weights = append(weights, in(next, b.Weight, b.Rows*b.Columns))
		bias = append(bias, in(next, b.Bias, b.Rows))
	}
	return weights, bias
}

func randomMatrix(t testing.TB, layout Layout, seed uint64) *Matrix {
	t.Helper()
	weights, bias := random(layout, seed)
	m, err := NewMatrix(layout, weights, bias)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// dense returns the whole matrix as elements, row by row, blinds included.
func (o *Opening) dense() [][]fr.Element {
	layout := o.matrix.layout
	out := make([][]fr.Element, layout.Rows())
	for i := range out {
		for l, b := range layout.Blocks {
			for j := range b.Columns + 1 {
				var x int64
				switch c := o.matrix.blocks[l]; {
				case i >= b.Rows:
				case j == b.Columns:
					x = c.bias[i]
				case c.narrow != nil:
					x = int64(c.narrow[i*b.Columns+j])
				default:
					x = int64(c.wide[i*b.Columns+j])
				}
				var e fr.Element
				out[i] = append(out[i], *e.SetInt64(x))
			}
		}
		out[i] = append(out[i], o.blinds[i*layout.Blinds:][:layout.Blinds]...)
	}
	return out
}

// A registered is a model with all that proofs about it take.
type registered struct {
	srs     *SRS
	c       *Commitment
	o       *Opening
	circuit [32]byte
}

func register(t testing.TB, form Form, layout Layout, seed uint64) registered {
	t.Helper()
	srs, err := NewLocalSRS(form, layout)
	if err != nil {
		t.Fatal(err)
	}
	c, o, err := Commit(t.Context(), srs, form, randomMatrix(t, layout, seed))
	if err != nil {
		t.Fatal(err)
	}
	return registered{srs: srs, c: c, o: o, circuit: [32]byte{1, 2, 3}}
}

func (r registered) cd() [32]byte {
	return r.c.Digest(r.srs.VerifyingKey().Digest(), r.o.Layout().Digest(), r.circuit, 1)
}

// vector returns accumulators of 26 bits and two random elements.
func vector(layout Layout, seed uint64) []fr.Element {
	v := elements(seed, layout.Vector())
	for i, x := range in(stream(seed), Range{-1 << 26, 1 << 26}, layout.Accumulators) {
		v[i].SetInt64(x)
	}
	return v
}

// prove opens r at challenges that look random.
func (r registered) prove(t testing.TB, seed uint64) (Transcribe, *OpeningProof) {
	t.Helper()
	v := vector(r.o.Layout(), seed)
	k, err := CommitVector(r.srs, v)
	if err != nil {
		t.Fatal(err)
	}
	e := elements(seed+1, 3)
	tr := Transcribe{Context: e[0], CD: r.cd(), G: e[1], H: e[2]}
	p, err := Open(t.Context(), r.srs, r.o, tr, r.o.Row(tr.G), v, k)
	if err != nil {
		t.Fatal(err)
	}
	return tr, p
}

func forms(t *testing.T, f func(t *testing.T, form Form)) {
	for _, form := range []Form{Rows, Compact} {
		t.Run("form="+form.String(), func(t *testing.T) { f(t, form) })
	}
}

func TestRowIsSumOfRows(t *testing.T) {
	r := register(t, Rows, toy, 1)
	g := elements(7, 1)[0]
	u := r.o.Row(g)
	if len(u) != toy.Columns() {
		t.Fatalf("%d elements, want %d", len(u), toy.Columns())
	}
	scale := powers(g, toy.Rows())
	for j := range u {
		var want, x fr.Element
		for i, row := range r.o.dense() {
			want.Add(&want, x.Mul(&row[j], &scale[i]))
		}
		if u[j] != want {
			t.Errorf("column %d differs", j)
		}
	}
}

// TestRowExtremes sums many rows of the range's ends, as a check on the bounds of the sums that are reduced late.
func TestRowExtremes(t *testing.T) {
	for _, r := range []Range{{-128, 127}, {-1 << 31, 1<<31 - 1}} {
		layout := Layout{Blocks: []Block{{Rows: 3000, Columns: 2, Weight: r, Bias: Range{0, 0}}}, Blinds: 2, Accumulators: 1}
		weights, bias := [][]int64{make([]int64, 6000)}, [][]int64{make([]int64, 3000)}
		for i := range 3000 {
			weights[0][2*i], weights[0][2*i+1] = r.Lo, r.Hi
		}
		m, err := NewMatrix(layout, weights, bias)
		if err != nil {
			t.Fatal(err)
		}
		scale := make([]fr.Element, 3000)
		var sum fr.Element
		for i := range scale {
			scale[i] = fr.Element{0, 0, 0, 0x30644e72e131a029} // just below the modulus, as Montgomery form
			sum.Add(&sum, &scale[i])
		}
		for j, u := range m.combineRows(scale)[:2] {
			var want fr.Element
			want.Mul(want.SetInt64(weights[0][j]), &sum)
			if u != want {
				t.Errorf("range %v, column %d: wrong sum", r, j)
			}
		}
	}
}

// naive returns the sum of scalars times points.
func naive(points []bn254.G1Affine, scalars []fr.Element) bn254.G1Affine {
	var sum bn254.G1Affine
	sum.MultiExp(points, scalars, ecc.MultiExpConfig{})
	return sum
}

func TestCommitRows(t *testing.T) {
	r := register(t, Rows, toy, 1)
	if len(r.c.Points) != toy.Rows() {
		t.Fatalf("%d points, want %d", len(r.c.Points), toy.Rows())
	}
	for i, row := range r.o.dense() {
		if want := naive(r.srs.row(0)[:len(row)], row); !r.c.Points[i].Equal(&want) {
			t.Errorf("row %d has another commitment", i)
		}
	}
}

func TestCommitCompact(t *testing.T) {
	r := register(t, Compact, toy, 1)
	dense := r.o.dense()
	for shift := range toy.Rows() {
		var points []bn254.G1Affine
		var scalars []fr.Element
		for a := range toy.Rows() - shift {
			points = append(points, r.srs.row(a)[:toy.Columns()]...)
			scalars = append(scalars, dense[a+shift]...)
		}
		got := r.c.Points[0]
		if shift > 0 {
			got = r.o.quotients[shift-1]
		}
		if want := naive(points, scalars); !got.Equal(&want) {
			t.Errorf("rows from %d on have another commitment", shift)
		}
	}
}

func TestOpening(t *testing.T) {
	forms(t, func(t *testing.T, form Form) {
		narrow := Layout{Blocks: []Block{{Rows: 1, Columns: 4, Weight: Range{5, 9}, Bias: Range{-3, -1}}}, Blinds: 5, Accumulators: 1}
		for seed, layout := range []Layout{toy, toy, narrow} {
			seed := uint64(seed)
			r := register(t, form, layout, seed)
			tr, p := r.prove(t, 10*seed)
			if err := VerifyOpening(r.srs.VerifyingKey(), r.c, tr, p); err != nil {
				t.Fatal(err)
			}
			b := p.AppendBinary(nil, form)
			if len(b) != p.Size(form) {
				t.Errorf("%d bytes, Size says %d", len(b), p.Size(form))
			}
			again, err := UnmarshalOpeningProof(form, b)
			if err != nil {
				t.Fatal(err)
			}
			if *again != *p {
				t.Error("the decoded proof differs")
			}
		}
	})
}

// TestRowsSizeMLP is openMLP by rows. TestCompactSizeMLP takes seconds and a build tag.
func TestRowsSizeMLP(t *testing.T) { openMLP(t, Rows) }

// openMLP registers and opens a network of 101,770 weights and says how long each step takes.
func openMLP(t *testing.T, form Form) {
	t.Helper()
	clock := time.Now()
	lap := func(what string) {
		t.Logf("%-22s %v", what, time.Since(clock).Round(10*time.Microsecond))
		clock = time.Now()
	}
	srs, err := NewLocalSRS(form, mlp)
	if err != nil {
		t.Fatal(err)
	}
	lap("reference string")
	if err := srs.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	lap("its check")
	m := randomMatrix(t, mlp, 1)
	lap("matrix")
	c, o, err := Commit(t.Context(), srs, form, m)
	if err != nil {
		t.Fatal(err)
	}
	lap("commitment")
	r := registered{srs: srs, c: c, o: o}
	v := vector(mlp, 1)
	e := elements(2, 3)
	tr := Transcribe{Context: e[0], CD: r.cd(), G: e[1], H: e[2]}
	lap("commitment digest")
	k, err := CommitVector(srs, v)
	if err != nil {
		t.Fatal(err)
	}
	lap("vector commitment")
	u := o.Row(tr.G)
	lap("row")
	p, err := Open(t.Context(), srs, o, tr, u, v, k)
	if err != nil {
		t.Fatal(err)
	}
	lap("opening")
	if err := VerifyOpening(srs.VerifyingKey(), c, tr, p); err != nil {
		t.Fatal(err)
	}
	lap("verification")
}

func TestCommitVector(t *testing.T) {
	srs, err := NewLocalSRS(Rows, Layout{Blocks: []Block{{Rows: 9, Columns: 1}}, Blinds: 2, Accumulators: 5000})
	if err != nil {
		t.Fatal(err)
	}
	ints := func(xs ...int64) []fr.Element {
		out := make([]fr.Element, len(xs))
		for i, x := range xs {
			out[i].SetInt64(x)
		}
		return out
	}
	const edge = 1<<smallBits - 1
	long := ints(in(stream(3), Range{-1 << 26, 1 << 26}, 5000)...)
	for name, v := range map[string][]fr.Element{
		"nothing":  nil,
		"zero":     ints(0),
		"signs":    ints(1, -1, 0, 2, -2, 127, -128, 128),
		"edges":    ints(edge, -edge, edge+1, -edge-1, edge+2),
		"elements": elements(1, 40),
		"mixed":    append(ints(-1, 1<<26, -1<<26), elements(1, 2)...),
		"long":     append(long, elements(1, 2)...),
	} {
		t.Run(name, func(t *testing.T) {
			got, err := CommitVector(srs, v)
			if err != nil {
				t.Fatal(err)
			}
			if want := naive(srs.row(0)[:len(v)], v); !got.Equal(&want) {
				t.Error("another commitment")
			}
		})
	}
	if _, err := CommitVector(srs, make([]fr.Element, 5003)); !errors.Is(err, ErrSRS) {
		t.Errorf("more elements than powers: %v", err)
	}
}

func TestCombIntegers(t *testing.T) {
	c := newComb(g1Generator, combInteger)
	for _, x := range []int64{0, 1, -1, 127, 128, 129, -127, -128, -129, 255, 256, 1 << 20, -1 << 20, maxBias, -maxBias, 1<<63 - 1, -1 << 63} {
		var sum bn254.G1Jac
		c.addInt(&sum, x)
		var e fr.Element
		e.SetInt64(x)
		if x == -1<<63 {
			e.SetUint64(1 << 63).Neg(&e)
		}
		want := naive([]bn254.G1Affine{g1Generator}, []fr.Element{e})
		var got bn254.G1Affine
		if got.FromJacobian(&sum); !got.Equal(&want) {
			t.Errorf("%d times the generator is wrong", x)
		}
	}
}

func TestCommitCancelled(t *testing.T) {
	forms(t, func(t *testing.T, form Form) {
		r := register(t, form, toy, 1)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, _, err := Commit(ctx, r.srs, form, randomMatrix(t, toy, 1)); !errors.Is(err, context.Canceled) {
			t.Errorf("Commit: %v", err)
		}
		if _, err := Open(ctx, r.srs, r.o, Transcribe{}, r.o.Row(fr.Element{}), vector(toy, 1), bn254.G1Affine{}); !errors.Is(err, context.Canceled) {
			t.Errorf("Open: %v", err)
		}
		if err := r.srs.Check(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("Check: %v", err)
		}
	})
}
