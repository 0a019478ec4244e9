package pass_test

import (
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/fhetest"
	"github.com/signet-ml/signet/fhe/program"
	"github.com/signet-ml/signet/fhe/program/pass"
)

func toy(t testing.TB) fhe.Parameters { return fhetest.InsecureToyParamsNamed(t, "digits of one") }

func TestRefused(t *testing.T) {
	p, _ := small(t)
	for _, c := range []struct {
		name, want string
		p          *program.Program
		opts       []pass.Option
	}{
		{"nil", "no program", nil, nil},
		{"unknown", "pass(99)", p, []pass.Option{pass.Only(99)}},
		{"relin", "lazy relin", p, []pass.Option{pass.Only(pass.Fold, pass.LazyRelin)}},
		{"rescale", "lazy rescale", p, []pass.Option{pass.Only(pass.LazyRescale)}},
		{"switches", "low switches", p, []pass.Option{pass.Only(pass.LowSwitches)}},
	} {
		t.Run(c.name, func(t *testing.T) {
			q, r, err := pass.Optimize(c.p, c.opts...)
			if err == nil || !strings.Contains(err.Error(), c.want) || q != nil || r != nil {
				t.Errorf("%v, %v, %v; want an error with %q", q, r, err, c.want)
			}
			if newBits := c.name != "nil" && c.name != "unknown"; errors.Is(err, pass.ErrNewBits) != newBits {
				t.Errorf("%v: ErrNewBits is %v", err, !newBits)
			}
		})
	}
	if q, r := optimize(t, p, pass.Only()); q != p || len(r.Steps) > 0 || r.String() != "nothing to do\n" {
		t.Errorf("no pass made %v", r)
	}
}

// outline lists the operations of a program with operands, without levels and scales.
func outline(t testing.TB, p *program.Program) []string {
	var out []string
	for _, line := range strings.Split(dump(t, p), "\n") {
		if _, op, ok := strings.Cut(line, " = "); ok && line[0] == '%' {
			op, _, _ = strings.Cut(op, "  : ")
			out = append(out, op)
		}
	}
	return out
}

// TestCases are programs for one rule each, and its exceptions.
func TestCases(t *testing.T) {
	type values = []program.Value
	one, s := fhe.PowerOfTwo(0), toy(t).DefaultScale()
	top, slots := toy(t).MaxLevel(), toy(t).LogMaxSlots()
	conj := toy(t).GaloisElementForConjugation()
	for _, c := range []struct {
		name    string
		newBits bool
		make    func(b *program.Builder, x values) program.Value // x are two inputs
		want    string                                           // after the inputs
	}{
		{name: "a constant added that is zero", want: "OUTPUT %0",
			make: func(b *program.Builder, x values) program.Value { return b.AddConst(x[0], new(big.Int), new(big.Int)) }},
		{name: "a factor that only changes the scale", want: "SETSCALE %0; OUTPUT %2",
			make: func(b *program.Builder, x values) program.Value {
				return b.MulConst(x[0], big.NewInt(1), new(big.Int), fhe.PowerOfTwo(3))
			}},
		{name: "not the imaginary unit", want: "MUL_CONST %0 (1 + 1·i) @ 2^0; OUTPUT %2",
			make: func(b *program.Builder, x values) program.Value {
				return b.MulConst(x[0], big.NewInt(1), big.NewInt(1), one)
			}},
		{name: "scales there and back", want: "OUTPUT %0",
			make: func(b *program.Builder, x values) program.Value {
				return b.SetScale(b.SetScale(b.SetScale(x[0], one), fhe.PowerOfTwo(9)), s)
			}},
		{name: "minus zero", want: "OUTPUT %0",
			make: func(b *program.Builder, x values) program.Value { return b.Sub(x[0], b.Zero(top, 0, 0, s)) }},
		{name: "zero minus", want: "ZERO; SUB %2 %0; OUTPUT %3",
			make: func(b *program.Builder, x values) program.Value { return b.Sub(b.Zero(top, 1, slots, s), x[0]) }},
		{name: "a zero of a lower level", want: "ZERO; ADD %0 %2; OUTPUT %3",
			make: func(b *program.Builder, x values) program.Value { return b.Add(x[0], b.Zero(1, 1, slots, s)) }},
		{name: "a zero of a higher degree", want: "ZERO; ADD %0 %2; OUTPUT %3",
			make: func(b *program.Builder, x values) program.Value { return b.Add(x[0], b.Zero(top, 2, slots, s)) }},
		{name: "an accumulator of zero", want: "MUL_CONST %0 (7 + 0·i) @ 2^0; OUTPUT %2",
			make: func(b *program.Builder, x values) program.Value {
				return b.MacConst(b.Zero(top, 1, slots, s), big.NewInt(1), x[0], big.NewInt(7), new(big.Int), one)
			}},
		{name: "products in either order", want: "MUL_RELIN %0 %1; ADD %2 %2; OUTPUT %3",
			make: func(b *program.Builder, x values) program.Value {
				return b.Add(b.MulRelin(x[0], x[1]), b.MulRelin(x[1], x[0]))
			}},
		{name: "a product relinearised and one relinearised at once", want: "MUL %0 %1; RELIN %2; ADD %3 %3; OUTPUT %4",
			make: func(b *program.Builder, x values) program.Value {
				return b.Add(b.Relin(b.Mul(x[0], x[1])), b.MulRelin(x[1], x[0]))
			}},
		{name: "differences keep their order", want: "SUB %0 %1; SUB %1 %0; ADD %2 %3; OUTPUT %4",
			make: func(b *program.Builder, x values) program.Value { return b.Add(b.Sub(x[0], x[1]), b.Sub(x[1], x[0])) }},
		{name: "one rotation", want: "ROT %0 rot+1; OUTPUT %2",
			make: func(b *program.Builder, x values) program.Value { return b.Rot(x[0], b.Parameters().GaloisElement(1)) }},
		{name: "a rotation and the conjugation", want: "HOIST %0; ROT_HOISTED %2 rot+1; ROT_HOISTED %2 conj+0; ADD %3 %4; OUTPUT %5",
			make: func(b *program.Builder, x values) program.Value {
				return b.Add(b.Rot(x[0], b.Parameters().GaloisElement(1)), b.Conj(x[0]))
			}},
		{name: "a hoist that comes later", want: "HOIST %0; ROT_HOISTED %2 rot+1; ROTSUM %2 rot+0 conj+0; ADD %3 %4; OUTPUT %5",
			make: func(b *program.Builder, x values) program.Value {
				r := b.Rot(x[0], b.Parameters().GaloisElement(1))
				return b.Add(r, b.Rotsum(b.Hoist(x[0], top), []uint64{1, conj}, top))
			}},
		{name: "a hoist at a lower level is another one", want: "ROT %0 rot+1; HOIST %0; ROTSUM %3 rot+0 conj+0; ADD %2 %4; OUTPUT %5",
			make: func(b *program.Builder, x values) program.Value {
				r := b.Rot(x[0], b.Parameters().GaloisElement(1))
				return b.Add(r, b.Rotsum(b.Hoist(x[0], top-1), []uint64{1, conj}, top-1))
			}},
		{name: "rotations in a range", want: "HOIST %0; ROT_HOISTED %2 rot+1; ROT_HOISTED %2 rot+2; ROT_HOISTED %2 rot+3; LINCOMB %3…%5 c0[0]; OUTPUT %6",
			make: func(b *program.Builder, x values) program.Value {
				first := b.Rot(x[0], b.Parameters().GaloisElement(1))
				b.Rot(x[0], b.Parameters().GaloisElement(2))
				b.Rot(x[0], b.Parameters().GaloisElement(3))
				return b.Lincomb([]program.Range{{First: first, Count: 3}}, weights(t, one, []int64{1, 2, 3}), 0)
			}},
		{name: "rotations and what they rotate in a range", want: "ROT %1 rot+1; ROT %1 rot+2; LINCOMB %1…%3 c0[0]; OUTPUT %4",
			make: func(b *program.Builder, x values) program.Value {
				b.Rot(x[1], b.Parameters().GaloisElement(1))
				b.Rot(x[1], b.Parameters().GaloisElement(2))
				return b.Lincomb([]program.Range{{First: x[1], Count: 3}}, weights(t, one, []int64{1, 2, 3}), 0)
			}},
		{name: "equal values in a range stay, for the range", want: "NEG %0; NEG %1; NEG %0; LINCOMB %2…%4 c0[0]; MUL %2 %2; SETSCALE %5; ADD %6 %7; OUTPUT %8",
			make: func(b *program.Builder, x values) program.Value {
				first := b.Neg(x[0])
				b.Neg(x[1])
				last := b.Neg(x[0])
				sum := b.Lincomb([]program.Range{{First: first, Count: 3}}, weights(t, one, []int64{1, 2, 3}), 0)
				return b.Add(b.Mul(first, last), b.SetScale(sum, s.Mul(s)))
			}},
		{name: "a DROP in a range stays", want: "NEG %0; DROP %2; NEG %1; LINCOMB %3…%4 c0[0]; OUTPUT %5",
			make: func(b *program.Builder, x values) program.Value {
				first := b.Drop(b.Neg(x[0]), 1)
				b.Neg(x[1])
				return b.Lincomb([]program.Range{{First: first, Count: 2}}, weights(t, one, []int64{1, 2}), 0)
			}},
		{name: "a sum in a range is not rescaled", newBits: true,
			want: "ADD_CONST %0 1 + 0·i; RESCALE %0; RESCALE %1; RESCALE %2; ADD %3 %4; LINCOMB %5…%6 c0[0]; OUTPUT %7",
			make: func(b *program.Builder, x values) program.Value {
				z := b.AddConst(x[0], big.NewInt(1), new(big.Int))
				r0, r1 := b.Rescale(x[0]), b.Rescale(x[1])
				first := b.Rescale(z)
				b.Add(r0, r1)
				return b.Lincomb([]program.Range{{First: first, Count: 2}}, weights(t, one, []int64{1, 2}), 0)
			}},
		{name: "a sum in a range is not relinearised", newBits: true,
			want: "MUL_RELIN %0 %0; MUL_RELIN %1 %1; MUL_RELIN %0 %1; ADD %2 %3; LINCOMB %4…%5 c0[0]; OUTPUT %6",
			make: func(b *program.Builder, x values) program.Value {
				p0, p1 := b.MulRelin(x[0], x[0]), b.MulRelin(x[1], x[1])
				first := b.MulRelin(x[0], x[1])
				b.Add(p0, p1)
				return b.Lincomb([]program.Range{{First: first, Count: 2}}, weights(t, one, []int64{1, 2}), 0)
			}},
		{name: "dead values between those of a range", want: "NEG %0; LINCOMB %2 %1 c0[0]; OUTPUT %3",
			make: func(b *program.Builder, x values) program.Value {
				first := b.Neg(x[0])
				b.Neg(x[1])
				return b.Lincomb([]program.Range{{First: first, Count: 1}, {First: x[1], Count: 1}}, weights(t, one, []int64{1, 2}), 0)
			}},
		{name: "a square of which little is needed", want: "DROP %0; MUL %2 %2; OUTPUT %3",
			make: func(b *program.Builder, x values) program.Value { return b.Drop(b.Mul(x[0], x[0]), 0) }},
		{name: "a key switch of which little is needed", want: "MUL %0 %0; RELIN %2; DROP %3; OUTPUT %4",
			make: func(b *program.Builder, x values) program.Value { return b.Drop(b.Relin(b.Mul(x[0], x[0])), 0) }},
		{name: "the same with new bits", newBits: true, want: "DROP %0; MUL %2 %2; RELIN %3; OUTPUT %4",
			make: func(b *program.Builder, x values) program.Value { return b.Drop(b.Relin(b.Mul(x[0], x[0])), 0) }},
		{name: "a sum with a low term", want: "RESCALE %0; DROP %1; NEG %3; SETSCALE %4; ADD %2 %5; OUTPUT %6",
			make: func(b *program.Builder, x values) program.Value {
				y := b.Rescale(x[0])
				return b.Add(y, b.SetScale(b.Neg(x[1]), b.Scale(y)))
			}},
		{name: "a tree of products", newBits: true, want: "MUL %0 %0; MUL %0 %1; SUB %2 %3; MUL %1 %1; ADD %4 %5; RELIN %6; OUTPUT %7",
			make: func(b *program.Builder, x values) program.Value {
				return b.Add(b.Sub(b.MulRelin(x[0], x[0]), b.MulRelin(x[0], x[1])), b.Relin(b.Mul(x[1], x[1])))
			}},
		{name: "no difference with a second operand of degree 2", newBits: true, want: "MUL_RELIN %0 %0; SETSCALE %1; SUB %3 %2; MUL_RELIN %1 %1; ADD %4 %5; OUTPUT %6",
			make: func(b *program.Builder, x values) program.Value {
				p := b.MulRelin(x[0], x[0])
				return b.Add(b.Sub(b.SetScale(x[1], s.Mul(s)), p), b.MulRelin(x[1], x[1]))
			}},
		{name: "a product with another use", newBits: true, want: "MUL_RELIN %0 %0; MUL_RELIN %1 %1; ADD %2 %3; ADD %4 %2; OUTPUT %5",
			make: func(b *program.Builder, x values) program.Value {
				p := b.MulRelin(x[0], x[0])
				return b.Add(b.Add(p, b.MulRelin(x[1], x[1])), p)
			}},
		{name: "the double of a product", newBits: true, want: "MUL %0 %1; ADD %2 %2; MUL %1 %1; ADD %3 %4; RELIN %5; OUTPUT %6",
			make: func(b *program.Builder, x values) program.Value {
				p := b.MulRelin(x[0], x[1])
				return b.Add(b.Add(p, p), b.MulRelin(x[1], x[1]))
			}},
		{name: "the double of one product", newBits: true, want: "MUL_RELIN %0 %1; ADD %2 %2; OUTPUT %3",
			make: func(b *program.Builder, x values) program.Value {
				p := b.MulRelin(x[0], x[1])
				return b.Add(p, p)
			}},
		{name: "the double of a rescaled value", newBits: true, want: "ADD %0 %0; RESCALE %2; OUTPUT %3",
			make: func(b *program.Builder, x values) program.Value {
				y := b.Rescale(x[0])
				return b.Add(y, y)
			}},
		{name: "rescaled terms", newBits: true, want: "SUB %0 %1; ADD_CONST %0 1 + 0·i; ADD %2 %3; RESCALE %4; OUTPUT %5",
			make: func(b *program.Builder, x values) program.Value {
				d := b.Sub(b.Rescale(x[0]), b.Rescale(x[1]))
				return b.Add(d, b.Rescale(b.AddConst(x[0], big.NewInt(1), new(big.Int))))
			}},
		{name: "a rescaled term with another use", newBits: true, want: "RESCALE %0; RESCALE %1; SUB %2 %3; ADD %4 %2; OUTPUT %5",
			make: func(b *program.Builder, x values) program.Value {
				return b.Add(b.Sub(b.Rescale(x[0]), b.Rescale(x[1])), b.Rescale(x[0]))
			}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := program.NewBuilder(toy(t))
			output(b, "y", c.make(b, input(b, 2)))
			p, consts := build(t, b)
			var opts []pass.Option
			if c.newBits {
				opts = append(opts, pass.AllowNewBits())
			}
			q, r := optimize(t, p, opts...)
			invariants(t, p, q, r, opts...)
			if !c.newBits {
				sameBits(t, 1, p, q, r, consts)
			}
			got := strings.TrimSuffix(strings.Join(outline(t, q)[2:], "; "), ` "y"[0]`)
			if got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

// TestScopes: operations keep their labels, and a new one has that of its first user.
func TestScopes(t *testing.T) {
	p, _ := small(t)
	q, r := optimize(t, p)
	for v := range p.Ops() {
		if w, ok := r.Map(program.Value(v)); ok && p.Ops()[v].Code == q.Ops()[w].Code && p.Scope(program.Value(v)) != q.Scope(w) {
			// Only an operation that another scope has computed before may have that one's label.
			if p.Ops()[v].Code != program.Add {
				t.Errorf("value %d, %v in %q, became %d in %q", v, p.Ops()[v].Code, p.Scope(program.Value(v)), w, q.Scope(w))
			}
		}
	}
	for v := range q.Ops() {
		if o := &q.Ops()[v]; o.Code == program.Hoist && q.Scope(program.Value(v)) != "rotations" {
			t.Errorf("the hoist is in %q", q.Scope(program.Value(v)))
		}
	}
	for _, v := range []program.Value{-1, program.Value(len(p.Ops())), 1 << 30} {
		if w, ok := r.Map(v); ok || w != 0 {
			t.Errorf("value %d became %d", v, w)
		}
	}
}

// TestLinear: eight times the operations take about eight times as long, whatever they are. A quadratic pass would take
// sixty-four times.
func TestLinear(t *testing.T) {
	if testing.Short() {
		t.Skip("times passes")
	}
	params := toy(t)
	for name, fill := range map[string]func(b *program.Builder, x program.Value, n int) program.Value{
		"negations": func(b *program.Builder, x program.Value, n int) program.Value {
			for range n {
				x = b.Neg(x)
			}
			return x
		},
		"equal sums": func(b *program.Builder, x program.Value, n int) program.Value {
			for i := 0; i < n; i += 2 {
				b.Add(x, x)
				x = b.Add(x, x)
			}
			return x
		},
		"rotations": func(b *program.Builder, x program.Value, n int) program.Value {
			sum := x
			for i := 0; i < n; i += 2 {
				sum = b.Add(sum, b.Rot(x, params.GaloisElement(1+i%200)))
			}
			return sum
		},
		"wide ranges": func(b *program.Builder, x program.Value, n int) program.Value {
			first := x
			for i := range n {
				x = b.AddConst(x, big.NewInt(int64(i)), new(big.Int))
			}
			w := weights(t, fhe.PowerOfTwo(0), slices.Repeat([]int64{1}, 1000))
			for i := range n / 100 {
				x = b.Add(x, b.Lincomb([]program.Range{{First: first + program.Value(i), Count: 1000}}, w, 0))
			}
			return x
		},
		"trees of products": func(b *program.Builder, x program.Value, n int) program.Value {
			y := b.Neg(x)
			sum := b.MulRelin(x, y)
			for i := 0; i < n; i += 2 {
				y = b.AddConst(y, big.NewInt(1), new(big.Int))
				sum = b.Add(sum, b.MulRelin(x, y))
			}
			return b.Drop(sum, 0)
		},
	} {
		t.Run(name, func(t *testing.T) {
			sizes := [2]int{1500, 12000}
			var progs [2]*program.Program
			for i, n := range sizes {
				b := program.NewBuilder(params)
				output(b, "y", fill(b, input(b, 1)[0], n))
				progs[i], _ = build(t, b)
				q, _ := optimize(t, progs[i], pass.AllowNewBits())
				if again, _ := optimize(t, q, pass.AllowNewBits()); again != q {
					t.Fatal("not idempotent")
				}
			}
			// The best of a few interleaved runs: the machine does other things too.
			best := [2]time.Duration{time.Hour, time.Hour}
			for range 5 {
				for i, p := range progs {
					start := time.Now()
					optimize(t, p, pass.AllowNewBits())
					best[i] = min(best[i], time.Since(start))
				}
			}
			if ratio := best[1].Seconds() / best[0].Seconds(); ratio > 32 && best[1] > 250*time.Millisecond { // less is the collector's
				t.Errorf("%d operations take %v, %d take %v: %.1f times", sizes[0], best[0], sizes[1], best[1], ratio)
			}
		})
	}
}

func TestNames(t *testing.T) {
	want := "dead code, fold, equal, lazy rescale, lazy relin, drops, hoists, low switches, pass(8)"
	var names []string
	for s := pass.DeadCode; s <= pass.LowSwitches+1; s++ {
		names = append(names, s.String())
	}
	if got := strings.Join(names, ", "); got != want {
		t.Errorf("passes %s", got)
	}
	if fmt.Sprint(pass.LazyRelin.NewBits(), pass.LowSwitches.NewBits(), pass.Hoists.NewBits()) != "true true false" {
		t.Error("NewBits is wrong")
	}
}
