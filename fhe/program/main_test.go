package program

import (
	"bytes"
	"errors"
	"flag"
	"io"
	"math/big"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"

	"github.com/signet-ml/signet/fhe"
)

var update = flag.Bool("update", false, "rewrite the goldens in testdata")

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

// testParams returns the smallest secure parameters with three levels and a special prime: N = 4096.
var testParams = sync.OnceValue(func() fhe.Parameters {
	p, err := fhe.NewParameters(fhe.ParametersLiteral{LogN: 12, LogQ: []int{30, 22, 22}, LogP: []int{31}})
	if err != nil {
		panic(err)
	}
	return p
})

// noKeyParams have no special prime.
var noKeyParams = sync.OnceValue(func() fhe.Parameters {
	p, err := fhe.NewParameters(fhe.ParametersLiteral{LogN: 11, LogQ: []int{28, 24}})
	if err != nil {
		panic(err)
	}
	return p
})

func vector(n int) Layout {
	return Layout{Shape: []int{n}, Runs: []Run{{Length: n, SlotStep: 1, IndexStep: 1}}}
}

// batch is the layout of count ciphertexts with n elements each.
func batch(count, n int) Layout {
	l := Layout{Shape: []int{count, n}}
	for i := range count {
		l.Runs = append(l.Runs, Run{Ciphertext: i, SlotStep: 1, Index: i * n, IndexStep: 1, Length: n})
	}
	return l
}

func inputPort(p fhe.Parameters, name string, count int) Port {
	return Port{Name: name, Count: count, Level: p.MaxLevel(), Degree: 1, LogSlots: p.LogMaxSlots(), Scale: p.DefaultScale(), Bound: 1, Layout: batch(count, 10)}
}

func polynomials(t testing.TB, rows, logSlots int, scale fhe.Scale) *Constant {
	t.Helper()
	var list [][]int64
	for i := range rows {
		row := make([]int64, 2<<logSlots)
		for j := range row {
			row[j] = int64((i+3)*(j+1)%23) - 11
		}
		list = append(list, row)
	}
	c, err := NewPolynomials(list, logSlots, scale)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func weights(t testing.TB, scale fhe.Scale, rows ...[]int64) *Constant {
	t.Helper()
	c, err := NewWeights(rows, scale)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// everything returns a program with every opcode of version 1 but the reserved ones.
func everything(t testing.TB) (*Program, *Constants) {
	t.Helper()
	p := testParams()
	b := NewBuilder(p)
	s := p.DefaultScale()
	x := b.Input(inputPort(p, "x", 3))
	rows := polynomials(t, 5, p.LogMaxSlots(), s)
	one := polynomials(t, 1, 3, s.Mul(s))
	w := weights(t, fhe.PowerOfTwo(7), []int64{1, -2, 127}, []int64{0, 0, -128})

	b.Scope("unused")
	b.Scope("dense/1")
	lin := b.Lincomb([]Range{{x[0], 2}, {x[2], 1}}, w, 1)
	lin = b.SetScale(lin, s)
	h := b.Hoist(x[0], 2)
	mat := b.Lintrans(h, rows, []int{4, 0, 2, 1}, []int{0, 1, 5, 6}, 4, 2)
	mat = b.AddPt(mat, one, 0)
	mat = b.SubPt(mat, one, 0)
	mat = b.Rescale(mat)

	b.Scope("activation")
	sq := b.Mul(x[1], x[1])
	sum := b.Add(b.Mul(x[0], x[2]), sq)
	rel := b.Rescale(b.Relin(b.Sub(sum, sq)))
	rel = b.MulConst(rel, big.NewInt(-3), big.NewInt(0), fhe.PowerOfTwo(0))
	rel = b.AddConst(rel, big.NewInt(0), big.NewInt(1<<40))
	low := b.Drop(rel, 0)

	b.Scope("")
	rot := b.Rot(b.Neg(low), p.GaloisElement(-3))
	rot = b.Conj(rot)
	h2 := b.Hoist(x[1], 1)
	hr := b.RotHoisted(h2, p.GaloisElement(7), 0)
	sums := b.Rotsum(h2, []uint64{p.GaloisElement(2), 1, p.GaloisElement(1)}, 1)
	z := b.Zero(1, 0, p.LogMaxSlots(), s)
	sums = b.Add(sums, z)
	prod := b.MulRelin(x[0], b.MulPt(lin, rows, 3))
	mac := b.MacConst(x[0], big.NewInt(6), x[1], big.NewInt(2), big.NewInt(-9), fhe.NewScale(6))

	b.Scope("activation")
	b.Output(b.OutputPort("matrix", mat, 10, vector(10)), mat)
	b.Output(b.OutputPort("rotated", rot, 10, vector(10)), rot)
	two := b.OutputPort("sums", hr, 10, batch(2, 10))
	two.Count = 2
	b.Output(two, hr, b.Drop(sums, 0))
	b.Output(b.OutputPort("square", sq, 1, vector(10)), sq)
	b.Scope("end")
	b.Output(b.OutputPort("mac", mac, 1, vector(10)), mac)
	b.Output(b.OutputPort("product", prod, 1, vector(10)), prod)
	prog, consts, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	return prog, consts
}

func encoded(t testing.TB, w io.WriterTo) []byte {
	t.Helper()
	var b bytes.Buffer
	n, err := w.WriteTo(&b)
	if err != nil || n != int64(b.Len()) {
		t.Fatalf("WriteTo returned %d, %v and wrote %d bytes", n, err, b.Len())
	}
	return b.Bytes()
}

func allocated(f func()) uint64 {
	var a, b runtime.MemStats
	runtime.ReadMemStats(&a)
	f()
	runtime.ReadMemStats(&b)
	return b.TotalAlloc - a.TotalAlloc
}

// typed reports whether err is one of the types that ReadProgram promises.
func typed(err error) bool {
	var f *fhe.FormatError
	var m *fhe.MismatchError
	var o *OpError
	return errors.As(err, &f) || errors.As(err, &m) || errors.As(err, &o)
}

// checkReader feeds a reader with truncated, extended, limited and flipped forms of good.
func checkReader(t *testing.T, good []byte, read func(r io.Reader, limit int64) ([]byte, error)) {
	t.Helper()
	again, err := read(bytes.NewReader(good), int64(len(good)))
	if err != nil || !bytes.Equal(again, good) {
		t.Fatalf("round trip: %v, equal %v", err, bytes.Equal(again, good))
	}
	for n := 0; n < len(good); n += 1 + len(good)/700 {
		if _, err := read(bytes.NewReader(good[:n]), int64(len(good))); !errors.Is(err, io.ErrUnexpectedEOF) || !typed(err) {
			t.Fatalf("truncated to %d bytes: %v", n, err)
		}
	}
	if _, err := read(bytes.NewReader(append(bytes.Clone(good), 0)), int64(len(good)+1)); err == nil || !typed(err) {
		t.Fatalf("trailing byte: %v", err)
	}
	for _, limit := range []int64{int64(len(good)) - 1, 4, 0, -1} {
		if _, err = read(bytes.NewReader(good), limit); !errors.Is(err, fhe.ErrLimit) || !typed(err) {
			t.Fatalf("limit of %d bytes: %v", limit, err)
		}
	}
	for i := 0; i < 8*len(good); i += 1 + 8*len(good)/6000 {
		bad := bytes.Clone(good)
		bad[i/8] ^= 1 << (i % 8)
		out, err := read(bytes.NewReader(bad), int64(len(good)))
		if err == nil && !bytes.Equal(out, bad) {
			t.Fatalf("bit %d flipped: accepted, and written in another form", i)
		}
		if err != nil && !typed(err) {
			t.Fatalf("bit %d flipped: error %v (%T)", i, err, err)
		}
	}
}
