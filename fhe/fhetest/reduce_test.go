package fhetest

import (
	"testing"

	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/program"
)

// TestReduce shrinks programs by properties that have a known smallest program.
func TestReduce(t *testing.T) {
	has := func(code program.Opcode) func(*program.Program, *program.Constants) bool {
		return func(p *program.Program, _ *program.Constants) bool { return p.Counts()[code] > 0 }
	}
	p, c, err := opsProgram(InsecureToyParams(t, Toys[0]), 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		code program.Opcode
		ops  int
	}{
		{program.Neg, 3}, {program.Add, 4}, {program.MulPt, 3}, {program.Lincomb, 3}, {program.MulRelin, 4}, {program.Rescale, 3},
		{program.Relin, 5}, {program.MacConst, 4}, {program.Mul, 4}, {program.Drop, 3},
	} {
		small, consts := Reduce(p, c, has(tt.code))
		if n := len(small.Ops()); small.Counts()[tt.code] != 1 || n > tt.ops {
			t.Errorf("%v: %d operations, want at most %d", tt.code, n, tt.ops)
		}
		if err := small.CheckConstants(consts); err != nil {
			t.Errorf("%v: %v", tt.code, err)
		}
	}
	// Terms go one by one: two diagonals of which one is 3, a rotsum with a conjugation, a sum of two.
	p, c, err = RandomProgram(NewRand(12), InsecureToyParams(t, Toys[1]), 60)
	if err != nil {
		t.Fatal(err)
	}
	conj := p.Parameters().GaloisElementForConjugation()
	for name, f := range map[string]func(o *program.Op) bool{
		"lintrans": func(o *program.Op) bool { return o.Code == program.Lintrans && len(o.Diagonals) > 1 },
		"rotsum": func(o *program.Op) bool {
			return o.Code == program.Rotsum && len(o.Galois) > 0 && o.Galois[len(o.Galois)-1] == conj
		},
		"lincomb": func(o *program.Op) bool {
			n := 0
			for range o.Operands() {
				n++
			}
			return o.Code == program.Lincomb && n > 1
		},
	} {
		fails := func(p *program.Program, _ *program.Constants) bool {
			for i := range p.Ops() {
				if f(&p.Ops()[i]) {
					return true
				}
			}
			return false
		}
		if !fails(p, c) {
			t.Fatalf("%s: not in the program", name)
		}
		small, consts := Reduce(p, c, fails)
		if len(small.Ops()) > 6 || !fails(small, consts) || consts.Bytes() > 2000 {
			t.Errorf("%s: %d operations, %d bytes of constants", name, len(small.Ops()), consts.Bytes())
		}
	}
}

// TestSplit cuts programs everywhere: what fits builds, and most places fit.
func TestSplit(t *testing.T) {
	cuts, places := 0, 0
	for seed := range uint64(8) {
		p, c, err := RandomDecryptable(NewRand(seed), InsecureToyParams(t, Toys[seed]), 30, false)
		if err != nil {
			t.Fatal(err)
		}
		for k := range len(p.Ops()) + 1 {
			parts, _, carried, ok, err := split(p, c, k)
			if err != nil {
				t.Fatalf("seed %d, cut at %d: %v", seed, k, err)
			}
			places++
			if !ok {
				continue
			}
			cuts++
			if len(carried) != len(parts[1].Inputs()) {
				t.Errorf("seed %d, cut at %d: %d values cross to %d ports", seed, k, len(carried), len(parts[1].Inputs()))
			}
			outputs := 0
			for _, part := range parts {
				for _, port := range part.Outputs() {
					outputs += port.Count
				}
			}
			if want := len(p.Outputs()) + len(carried); outputs != want {
				t.Errorf("seed %d, cut at %d: %d outputs, want %d", seed, k, outputs, want)
			}
		}
	}
	if cuts*4 < places {
		t.Errorf("%d of %d places fit", cuts, places)
	}
	t.Logf("%d of %d places fit", cuts, places)
}

// TestSpread: the same polynomial in more slots.
func TestSpread(t *testing.T) {
	c, err := program.NewPolynomials([][]int64{{1, -2, 3, 4}}, 1, fhe.PowerOfTwo(3))
	if err != nil {
		t.Fatal(err)
	}
	wide, err := spread(c, 3)
	if err != nil {
		t.Fatal(err)
	}
	want := []int64{1, 0, 0, 0, -2, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0}
	for i, x := range wide.Row(0) {
		if x != want[i] {
			t.Fatalf("%v, want %v", wide.Row(0), want)
		}
	}
}
