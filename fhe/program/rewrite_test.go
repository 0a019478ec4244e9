package program

import (
	"bytes"
	"errors"
	"math/big"
	"slices"
	"testing"

	"github.com/signet-ml/signet/fhe"
)

// TestRewrite: the same operations make the same program, and a changed list makes the one that a Builder makes of it.
func TestRewrite(t *testing.T) {
	p, _ := everything(t)
	q, err := p.Rewrite(p.Ops())
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(encoded(t, p), encoded(t, q)) || q.Digest() != p.Digest() {
		t.Error("the same operations make another program")
	}

	params := testParams()
	w := weights(t, fhe.PowerOfTwo(0), []int64{3})
	unused := weights(t, fhe.PowerOfTwo(0), []int64{4})
	b := NewBuilder(params)
	x := b.Input(inputPort(params, "x", 1))[0]
	b.Scope("left out")
	b.Lincomb([]Range{{x, 1}}, unused, 0)
	b.Scope("kept")
	y := b.Lincomb([]Range{{x, 1}}, w, 0)
	y = b.Drop(y, 1)
	b.Output(b.OutputPort("y", y, 1, vector(10)), y)
	if p, _, err = b.Build(); err != nil {
		t.Fatal(err)
	}
	ops := slices.Delete(slices.Clone(p.Ops()), 1, 2)
	ops[1].Level = 9 // what the Builder computes is not read
	ops[2].Args = []Value{1}
	ops[3].Args = []Value{2}
	if q, err = p.Rewrite(ops); err != nil {
		t.Fatal(err)
	}
	b = NewBuilder(params)
	x = b.Input(inputPort(params, "x", 1))[0]
	b.Scope("kept")
	y = b.Drop(b.Lincomb([]Range{{x, 1}}, w, 0), 1)
	b.Output(b.OutputPort("y", y, 1, vector(10)), y)
	want, _, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(encoded(t, q), encoded(t, want)) {
		t.Error("the rewritten program is not the one that a Builder makes")
	}
}

// TestRewriteRefuses: every operation of a program that uses all opcodes is spoilt in every way that its fields allow.
func TestRewriteRefuses(t *testing.T) {
	p, _ := everything(t)
	for name, spoil := range map[string]func(o *Op) bool{ // false if the operation cannot be spoilt like that
		"no opcode":       func(o *Op) bool { o.Code = KeySwitch; return true },
		"huge opcode":     func(o *Op) bool { o.Code = 255; return true },
		"scope":           func(o *Op) bool { o.scope = 99; return o.Index == 0 }, /* a port has that of its first */
		"operand missing": func(o *Op) bool { n := len(o.Args); o.Args = nil; return n > 0 },
		"operand ahead": func(o *Op) bool {
			n := len(o.Args)
			if n > 0 {
				o.Args = append([]Value{1 << 20}, o.Args[1:]...)
			}
			return n > 0
		},
		"operand negative": func(o *Op) bool {
			n := len(o.Args)
			if n > 0 {
				o.Args = append([]Value{-1}, o.Args[1:]...)
			}
			return n > 0
		},
		"operands too many": func(o *Op) bool { o.Args = append(slices.Clone(o.Args), 0); return o.Code != Input },
		"range ahead": func(o *Op) bool {
			n := len(o.Ranges)
			o.Ranges = []Range{{1 << 20, 3}}
			return n > 0
		},
		"range huge": func(o *Op) bool { n := len(o.Ranges); o.Ranges = []Range{{0, 1 << 30}}; return n > 0 },
		"constant":   func(o *Op) bool { o.Const = 99; return len(o.Rows) > 0 },
		"constant of another kind": func(o *Op) bool {
			for i, c := range p.consts {
				if len(o.Rows) > 0 && (c.Kind == Weights) != (o.Code == Lincomb) {
					o.Const = i
				}
			}
			return len(o.Rows) > 0
		},
		"rows missing":     func(o *Op) bool { n := len(o.Rows); o.Rows = nil; return n > 0 },
		"row":              func(o *Op) bool { n := len(o.Rows); o.Rows = slices.Repeat([]int{-1}, n); return n > 0 },
		"elements missing": func(o *Op) bool { n := len(o.Galois); o.Galois = nil; return n > 0 && o.Code != Conj },
		"integers missing": func(o *Op) bool { n := o.A; o.A, o.B, o.M = nil, nil, nil; return n != nil },
		"integer huge": func(o *Op) bool {
			n := o.A
			o.A = new(big.Int).Lsh(big.NewInt(1), 9000)
			return n != nil
		},
		"scale of a constant": func(o *Op) bool { o.By = fhe.Scale{}; return o.Code == MulConst || o.Code == MacConst },
		"level": func(o *Op) bool {
			o.Level = 99
			return o.Code == Zero || o.Code == Drop || o.Code == Hoist || o.Code == RotHoisted || o.Code == Rotsum || o.Code == Lintrans
		},
		"level of the operand": func(o *Op) bool {
			if o.Code == Drop {
				o.Level = p.ops[o.Args[0]].Level
			}
			return o.Code == Drop
		},
		"port":           func(o *Op) bool { o.Port = 99; return o.Code == Input || o.Code == Output },
		"ciphertext":     func(o *Op) bool { o.Index += 5; return o.Code == Input || o.Code == Output },
		"port twice":     func(o *Op) bool { o.Port = 1 - o.Port&1; return o.Code == Output },
		"baby steps":     func(o *Op) bool { n := o.N1; o.N1 = 3; return n > 0 },
		"diagonals":      func(o *Op) bool { n := len(o.Diagonals); o.Diagonals = nil; return n > 0 },
		"negative level": func(o *Op) bool { o.Level = -1; return o.Code == Drop || o.Code == Hoist },
	} {
		t.Run(name, func(t *testing.T) {
			n := 0
			for i := range p.ops {
				ops := slices.Clone(p.ops)
				if !spoil(&ops[i]) {
					continue
				}
				n++
				q, err := p.Rewrite(ops)
				var oe *OpError
				if q != nil || !errors.As(err, &oe) {
					t.Errorf("operation %d, %v: error %v, program %t", i, p.ops[i].Code, err, q != nil)
				}
			}
			if n == 0 {
				t.Error("no operation to spoil")
			}
		})
	}
	for name, ops := range map[string][]Op{"none": nil, "inputs only": p.ops[:3], "half a port": p.ops[:2]} {
		if q, err := p.Rewrite(ops); q != nil || err == nil {
			t.Errorf("%s: error %v, program %t", name, err, q != nil)
		}
	}
}
