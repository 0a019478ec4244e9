package pass_test

import (
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/fhetest"
	"github.com/signet-ml/signet/fhe/polyeval"
	"github.com/signet-ml/signet/fhe/program"
	"github.com/signet-ml/signet/fhe/program/pass"
)

// small returns a program in which every pass has something to do.
func small(t testing.TB) (*program.Program, *program.Constants) {
	t.Helper()
	params, err := fhe.NewParameters(fhe.ParametersLiteral{LogN: 12, LogQ: []int{30, 22, 22}, LogP: []int{31}})
	if err != nil {
		t.Fatal(err)
	}
	b := program.NewBuilder(params)
	x := input(b, 2)
	top := params.MaxLevel()
	b.Scope("rotations")
	r1 := b.Rot(x[0], params.GaloisElement(1))
	r2 := b.Rot(x[0], params.GaloisElement(2))
	sum := b.Add(b.Add(x[0], r1), r2)
	again := b.Add(b.Add(b.Rot(x[0], params.GaloisElement(1)), x[0]), r2)
	b.Scope("waste")
	b.MulPt(x[1], polynomials(t, 1, 3, fhe.PowerOfTwo(10)), 0)
	same := b.Neg(b.Neg(b.MulConst(again, big.NewInt(1), new(big.Int), fhe.PowerOfTwo(0))))
	b.Scope("products")
	y := b.Add(b.Rescale(b.MulRelin(sum, x[1])), b.Rescale(b.MulRelin(x[1], x[1])))
	y = b.Add(y, b.Rescale(b.Relin(b.Mul(x[1], r2))))
	b.Scope("low")
	z := b.Add(b.MulConst(same, big.NewInt(3), new(big.Int), fhe.PowerOfTwo(0)), b.Zero(top, 1, params.LogMaxSlots(), params.DefaultScale()))
	z = b.Drop(b.Drop(z, top-1), 0)
	low := b.Drop(b.Rot(x[1], params.GaloisElement(3)), 0)
	output(b, "y", y)
	output(b, "z", z)
	output(b, "low", low)
	return build(t, b)
}

// TestGoldenPasses shows a program, and what each pass makes of what the ones before it left.
func TestGoldenPasses(t *testing.T) {
	p, _ := small(t)
	var b strings.Builder
	b.WriteString(dump(t, p))
	for s := pass.DeadCode; s <= pass.LowSwitches; s++ {
		q, r := optimize(t, p, pass.Only(s), pass.AllowNewBits())
		if len(r.Steps) == 0 {
			t.Errorf("%v does nothing", s)
		}
		_, ops, _ := strings.Cut(dump(t, q), "\n%0")
		fmt.Fprintf(&b, "\n%v\n%%0%s%v", strings.ToUpper(s.String()), ops, r)
		p = q
	}
	golden(t, "passes.txt", []byte(b.String()))
}

// network returns a program like those of encrypted models: two matrices with a bias, a square, and a rotate-and-sum,
// emitted by code that does not look at what it has emitted.
func network(t testing.TB, params fhe.Parameters) (*program.Program, *program.Constants) {
	t.Helper()
	b := program.NewBuilder(params)
	x := input(b, 1)[0]
	slots := params.LogMaxSlots()
	w := polynomials(t, 8, slots, fhe.PowerOfTwo(40))
	diagonals := []int{0, 1, 2, 3, 4, 5, 6, 7}
	dense := func(v program.Value) program.Value {
		level := b.Level(v)
		// The two halves of a matrix that is too wide for one constant.
		lo := b.Rescale(b.Lintrans(b.Hoist(v, level), w, diagonals[:4], diagonals[:4], 4, level))
		hi := b.Rescale(b.Lintrans(b.Hoist(v, level), w, diagonals[4:], diagonals[4:], 4, level))
		return b.Add(lo, hi)
	}
	b.Scope("dense1")
	v := dense(x)
	b.Scope("square")
	v = b.Rescale(b.Add(b.MulRelin(v, v), b.MulRelin(b.Neg(b.Neg(v)), v)))
	b.Scope("dense2")
	v = dense(v)
	b.Scope("pool")
	first := v
	for k := 1; k < 4; k++ {
		v = b.Add(v, b.Rot(first, params.GaloisElement(k)))
	}
	v = b.Drop(b.MulConst(v, big.NewInt(5), new(big.Int), fhe.PowerOfTwo(2)), 0)
	output(b, "y", v)
	return build(t, b)
}

func sigmoid(t testing.TB, params fhe.Parameters) *program.Program {
	t.Helper()
	poly, err := polyeval.At(polyeval.Sigmoid, -8, 8, 15)
	if err != nil {
		t.Fatal(err)
	}
	b := program.NewBuilder(params)
	x := input(b, 1)[0]
	b.Scope("sigmoid")
	y, err := polyeval.Evaluate(b, x, poly, params.DefaultScale())
	if err != nil {
		t.Fatal(err)
	}
	output(b, "y", y)
	p, _ := build(t, b)
	return p
}

// TestGoldenPrograms optimises what Lattigo recorded, and a network: bits stay by default, and the expected error
// does not grow with AllowNewBits.
func TestGoldenPrograms(t *testing.T) {
	params := fhetest.InsecureToyParamsNamed(t, "digits of three")
	net, consts := network(t, params)
	for name, p := range map[string]*program.Program{"sigmoid15": sigmoid(t, params), "network": net} {
		q, r := optimize(t, p)
		sameBits(t, 1, p, q, r, consts)
		invariants(t, p, q, r)
		l, lr := optimize(t, p, pass.AllowNewBits())
		invariants(t, p, l, lr, pass.AllowNewBits())
		quieter(t, q, l, consts)
		golden(t, name+".txt", []byte(fmt.Sprintf("AS EMITTED\n%s\nOPTIMIZED\n%s%v\nWITH NEW BITS\n%s%v", dump(t, p), dump(t, q), r, dump(t, l), lr)))
	}
}

// TestPage: the listings of the page are lines of the golden.
func TestPage(t *testing.T) {
	page, err := os.ReadFile("../../../docs/explanation/passes.md")
	if err != nil {
		t.Fatal(err)
	}
	lines, err := os.ReadFile(filepath.Join("testdata", "passes.txt"))
	if err != nil {
		t.Fatal(err)
	}
	before, _, _ := strings.Cut(string(lines), "\nDEAD CODE\n")
	_, after, _ := strings.Cut(string(lines), "\nLOW SWITCHES\n")
	blocks := strings.Split(string(page), "```")
	if len(blocks) != 5 {
		t.Fatalf("%d listings", len(blocks)/2)
	}
	for i, in := range []string{before, after} {
		for _, line := range strings.Split(strings.TrimPrefix(strings.TrimSpace(blocks[2*i+1]), "text\n"), "\n") {
			if !strings.Contains(in, line+"\n") {
				t.Errorf("listing %d: the golden has no line %q", i+1, line)
			}
		}
	}
}
