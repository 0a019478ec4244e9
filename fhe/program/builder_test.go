package program

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"strings"
	"testing"

	"github.com/signet-ml/signet/fhe"
)

// values are what the cases below start from.
type values struct {
	p       fhe.Parameters
	s       fhe.Scale
	x       []Value // level 2, degree 1, full slots, scale s
	low     Value   // level 1
	zero    Value   // level 0
	deg2    Value   // level 2, degree 2, scale s²
	deg0    Value   // level 2, degree 0
	sparse  Value   // 2^3 slots
	near    Value   // scale s·(1+2^-101)
	hoist   Value   // of x[0] at level 1
	output  Value
	full    *Constant // three rows, full slots, scale s
	small   *Constant // one row of 2^3 slots, scale s
	weights *Constant // rows of 2, scale 2^7
}

func newValues(t *testing.T) (*Builder, *values) {
	p := testParams()
	b := NewBuilder(p)
	v := &values{p: p, s: p.DefaultScale()}
	v.x = b.Input(inputPort(p, "x", 3))
	v.low = b.Drop(v.x[0], 1)
	v.zero = b.Drop(v.x[0], 0)
	v.deg2 = b.Mul(v.x[0], v.x[1])
	v.deg0 = b.Zero(2, 0, p.LogMaxSlots(), v.s)
	v.sparse = b.Zero(2, 1, 3, v.s)
	v.near = b.SetScale(v.x[0], v.nearScale())
	v.hoist = b.Hoist(v.x[0], 1)
	b.Output(b.OutputPort("first", v.x[0], 1, vector(10)), v.x[0])
	v.output = Value(len(b.prog.ops) - 1)
	v.full = polynomials(t, 3, p.LogMaxSlots(), v.s)
	v.small = polynomials(t, 1, 3, v.s)
	v.weights = weights(t, fhe.PowerOfTwo(7), []int64{1, -2})
	if b.Err() != nil {
		t.Fatal(b.Err())
	}
	return b, v
}

func (v *values) nearScale() fhe.Scale {
	hi, lo, exp := v.s.Words()
	s, err := fhe.ScaleFromWords(hi, lo|1<<26, exp)
	if err != nil {
		panic(err)
	}
	return s
}

// TestBuilderRules checks level, degree, scale and slots of every operation's result.
func TestBuilderRules(t *testing.T) {
	big1, big0 := big.NewInt(1), new(big.Int)
	s := testParams().DefaultScale()
	full := testParams().LogMaxSlots()
	q2 := fhe.ScaleFromInt(testParams().Prime(2))
	for _, c := range []struct {
		name          string
		f             func(b *Builder, v *values) Value
		level, degree int
		scale         fhe.Scale
		logSlots      int
	}{
		{"zero", func(b *Builder, v *values) Value { return b.Zero(1, 2, 3, v.s) }, 1, 2, s, 3},
		{"setscale", func(b *Builder, v *values) Value { return b.SetScale(v.deg2, fhe.PowerOfTwo(-9)) }, 2, 2, fhe.PowerOfTwo(-9), full},
		{"drop", func(b *Builder, v *values) Value { return b.Drop(v.deg2, 0) }, 0, 2, s.Mul(s), full},
		{"drop to its level", func(b *Builder, v *values) Value { return b.Drop(v.low, 1) }, 1, 1, s, full},
		{"add", func(b *Builder, v *values) Value { return b.Add(v.x[0], v.low) }, 1, 1, s, full},
		{"add of other degrees", func(b *Builder, v *values) Value { return b.Add(v.deg0, v.x[0]) }, 2, 1, s, full},
		{"add of sparse", func(b *Builder, v *values) Value { return b.Add(v.sparse, v.x[0]) }, 2, 1, s, full},
		{"add of near scales", func(b *Builder, v *values) Value { return b.Add(v.x[0], v.near) }, 2, 1, (&values{s: s}).nearScale(), full},
		{"add of near scales, swapped", func(b *Builder, v *values) Value { return b.Add(v.near, v.x[0]) }, 2, 1, (&values{s: s}).nearScale(), full},
		{"sub", func(b *Builder, v *values) Value { return b.Sub(v.x[0], v.deg0) }, 2, 1, s, full},
		{"neg", func(b *Builder, v *values) Value { return b.Neg(v.deg2) }, 2, 2, s.Mul(s), full},
		{"add_pt", func(b *Builder, v *values) Value { return b.AddPt(v.low, v.full, 2) }, 1, 1, s, full},
		{"sub_pt", func(b *Builder, v *values) Value { return b.SubPt(v.sparse, v.full, 2) }, 2, 1, s, full},
		{"mul_pt", func(b *Builder, v *values) Value { return b.MulPt(v.deg2, v.small, 0) }, 2, 2, s.Mul(s).Mul(s), full},
		{"add_const", func(b *Builder, v *values) Value { return b.AddConst(v.deg2, big1, big0) }, 2, 2, s.Mul(s), full},
		{"mul_const", func(b *Builder, v *values) Value { return b.MulConst(v.sparse, big1, big0, fhe.NewScale(3)) }, 2, 1, s.Mul(fhe.NewScale(3)), 3},
		{"mac_const", func(b *Builder, v *values) Value {
			return b.MacConst(v.deg2, big.NewInt(3), v.low, big1, big1, v.s.Mul(fhe.NewScale(3)))
		}, 1, 2, s.Mul(s).Mul(fhe.NewScale(3)), full},
		{"lincomb", func(b *Builder, v *values) Value { return b.Lincomb([]Range{{v.low, 1}, {v.sparse, 1}}, v.weights, 0) }, 1, 1, s.Mul(fhe.PowerOfTwo(7)), full},
		{"lincomb of one twice", func(b *Builder, v *values) Value { return b.Lincomb([]Range{{v.deg0, 1}, {v.deg0, 1}}, v.weights, 0) }, 2, 0, s.Mul(fhe.PowerOfTwo(7)), full},
		{"mul", func(b *Builder, v *values) Value { return b.Mul(v.low, v.x[0]) }, 1, 2, s.Mul(s), full},
		{"relin", func(b *Builder, v *values) Value { return b.Relin(v.deg2) }, 2, 1, s.Mul(s), full},
		{"mul_relin", func(b *Builder, v *values) Value { return b.MulRelin(v.sparse, v.sparse) }, 2, 1, s.Mul(s), 3},
		{"rescale", func(b *Builder, v *values) Value { return b.Rescale(v.deg2) }, 1, 2, s.Mul(s).Div(q2), full},
		{"rot", func(b *Builder, v *values) Value { return b.Rot(v.low, 5) }, 1, 1, s, full},
		{"conj", func(b *Builder, v *values) Value { return b.Conj(v.zero) }, 0, 1, s, full},
		{"hoist", func(b *Builder, v *values) Value { return b.Hoist(v.x[0], 2) }, 2, 1, s, full},
		{"rot_hoisted", func(b *Builder, v *values) Value { return b.RotHoisted(v.hoist, 5, 0) }, 0, 1, s, full},
		{"lintrans", func(b *Builder, v *values) Value {
			return b.Lintrans(v.hoist, v.full, []int{0, 1, 0}, []int{0, 3, 2047}, 2048, 1)
		}, 1, 1, s.Mul(s), full},
		{"rotsum", func(b *Builder, v *values) Value { return b.Rotsum(v.hoist, []uint64{25, 1, 5}, 1) }, 1, 1, s, full},
	} {
		t.Run(c.name, func(t *testing.T) {
			b, v := newValues(t)
			y := c.f(b, v)
			if b.Err() != nil {
				t.Fatal(b.Err())
			}
			if b.Level(y) != c.level || b.Degree(y) != c.degree || b.Scale(y) != c.scale || b.at(y).LogSlots != c.logSlots {
				t.Errorf("level %d, degree %d, scale %v, 2^%d slots; want %d, %d, %v, %d", b.Level(y), b.Degree(y), b.Scale(y), b.at(y).LogSlots, c.level, c.degree, c.scale, c.logSlots)
			}
		})
	}
}

// TestBuilderRefuses checks every refusal with its sentinel, that the first error is kept with operation and scope, and
// that nothing happens after it.
func TestBuilderRefuses(t *testing.T) {
	big1, big0 := big.NewInt(1), new(big.Int)
	long := new(big.Int).Lsh(big1, 8*maxIntBytes)
	other := fhe.PowerOfTwo(3)
	tooManyRows := make([]int, maxRowRefs+1)
	for _, c := range []struct {
		name string
		code Opcode
		want error
		f    func(b *Builder, v *values)
	}{
		{"zero level", Zero, ErrLevel, func(b *Builder, v *values) { b.Zero(3, 1, 1, v.s) }},
		{"zero degree", Zero, ErrLevel, func(b *Builder, v *values) { b.Zero(1, 3, 1, v.s) }},
		{"zero slots", Zero, ErrLevel, func(b *Builder, v *values) { b.Zero(1, 1, 12, v.s) }},
		{"zero scale", Zero, ErrLevel, func(b *Builder, v *values) { b.Zero(1, 1, 1, fhe.Scale{}) }},
		{"value from the future", SetScale, ErrOperand, func(b *Builder, v *values) { b.SetScale(1000, v.s) }},
		{"negative value", Neg, ErrOperand, func(b *Builder, v *values) { b.Neg(-1) }},
		{"hoist as ciphertext", Neg, ErrOperand, func(b *Builder, v *values) { b.Neg(v.hoist) }},
		{"output as ciphertext", Neg, ErrOperand, func(b *Builder, v *values) { b.Neg(v.output) }},
		{"second operand", Add, ErrOperand, func(b *Builder, v *values) { b.Add(v.x[0], v.hoist) }},
		{"setscale", SetScale, ErrScale, func(b *Builder, v *values) { b.SetScale(v.x[0], fhe.Scale{}) }},
		{"drop up", Drop, ErrLevel, func(b *Builder, v *values) { b.Drop(v.low, 2) }},
		{"drop below", Drop, ErrLevel, func(b *Builder, v *values) { b.Drop(v.low, -1) }},
		{"add scales", Add, ErrScale, func(b *Builder, v *values) { b.Add(v.x[0], v.deg2) }},
		{"sub degrees", Sub, ErrDegree, func(b *Builder, v *values) { b.Sub(v.deg0, v.x[0]) }},
		{"sub scales", Sub, ErrScale, func(b *Builder, v *values) { b.Sub(v.deg2, v.x[0]) }},
		{"add_pt of no constant", AddPt, ErrConstant, func(b *Builder, v *values) { b.AddPt(v.x[0], nil, 0) }},
		{"add_pt of weights", AddPt, ErrConstant, func(b *Builder, v *values) { b.AddPt(v.x[0], v.weights, 0) }},
		{"add_pt scale", AddPt, ErrScale, func(b *Builder, v *values) { b.AddPt(v.deg2, v.full, 0) }},
		{"mul_pt row", MulPt, ErrConstant, func(b *Builder, v *values) { b.MulPt(v.x[0], v.full, 3) }},
		{"mul_pt negative row", MulPt, ErrConstant, func(b *Builder, v *values) { b.MulPt(v.x[0], v.full, -1) }},
		{"mul_pt of a larger ring", MulPt, ErrConstant, func(b *Builder, v *values) { b.MulPt(v.x[0], polynomials(t, 1, 12, v.s), 0) }},
		{"sub_pt operand", SubPt, ErrOperand, func(b *Builder, v *values) { b.SubPt(v.hoist, v.full, 0) }},
		{"mul_pt scale range", MulPt, ErrScale, func(b *Builder, v *values) {
			b.MulPt(b.SetScale(v.x[0], fhe.PowerOfTwo(1<<14-1)), v.full, 0)
		}},
		{"add_const nil", AddConst, ErrConstant, func(b *Builder, v *values) { b.AddConst(v.x[0], big1, nil) }},
		{"add_const long", AddConst, ErrConstant, func(b *Builder, v *values) { b.AddConst(v.x[0], long, big0) }},
		{"mul_const long", MulConst, ErrConstant, func(b *Builder, v *values) { b.MulConst(v.x[0], big0, new(big.Int).Neg(long), v.s) }},
		{"mul_const scale", MulConst, ErrScale, func(b *Builder, v *values) { b.MulConst(v.x[0], big1, big0, fhe.Scale{}) }},
		{"mul_const scale range", MulConst, ErrScale, func(b *Builder, v *values) { b.MulConst(v.x[0], big1, big0, fhe.PowerOfTwo(1<<14-1)) }},
		{"mac_const scales", MacConst, ErrScale, func(b *Builder, v *values) { b.MacConst(v.x[0], big1, v.x[1], big1, big0, other) }},
		{"mac_const factor 0", MacConst, ErrScale, func(b *Builder, v *values) { b.MacConst(v.x[0], big0, v.x[1], big1, big0, other) }},
		{"mac_const factor -1", MacConst, ErrScale, func(b *Builder, v *values) { b.MacConst(v.x[0], big.NewInt(-1), v.x[1], big1, big0, other) }},
		{"mac_const nil", MacConst, ErrConstant, func(b *Builder, v *values) { b.MacConst(v.x[0], nil, v.x[1], big1, big0, other) }},
		{"mac_const no scale", MacConst, ErrScale, func(b *Builder, v *values) { b.MacConst(v.x[0], big1, v.x[1], big1, big0, fhe.Scale{}) }},
		{"lincomb empty", Lincomb, ErrConstant, func(b *Builder, v *values) { b.Lincomb(nil, v.weights, 0) }},
		{"lincomb width", Lincomb, ErrConstant, func(b *Builder, v *values) { b.Lincomb([]Range{{v.x[0], 3}}, v.weights, 0) }},
		{"lincomb row", Lincomb, ErrConstant, func(b *Builder, v *values) { b.Lincomb([]Range{{v.x[0], 2}}, v.weights, 1) }},
		{"lincomb of polynomials", Lincomb, ErrConstant, func(b *Builder, v *values) { b.Lincomb([]Range{{v.x[0], 2}}, v.full, 0) }},
		{"lincomb scales", Lincomb, ErrScale, func(b *Builder, v *values) { b.Lincomb([]Range{{v.x[0], 1}, {v.deg2, 1}}, v.weights, 0) }},
		{"lincomb empty range", Lincomb, ErrOperand, func(b *Builder, v *values) { b.Lincomb([]Range{{v.x[0], 2}, {v.x[0], 0}}, v.weights, 0) }},
		{"lincomb negative range", Lincomb, ErrOperand, func(b *Builder, v *values) { b.Lincomb([]Range{{v.x[0], 3}, {v.x[0], -1}}, v.weights, 0) }},
		{"lincomb over the end", Lincomb, ErrOperand, func(b *Builder, v *values) { b.Lincomb([]Range{{Value(len(b.prog.ops) - 1), 2}}, v.weights, 0) }},
		{"lincomb of the largest value", Lincomb, ErrOperand, func(b *Builder, v *values) { b.Lincomb([]Range{{math.MaxInt32, 2}}, v.weights, 0) }},
		{"mul degree", Mul, ErrDegree, func(b *Builder, v *values) { b.Mul(v.deg2, v.x[0]) }},
		{"mul degree 0", Mul, ErrDegree, func(b *Builder, v *values) { b.Mul(v.x[0], v.deg0) }},
		{"mul_relin degree", MulRelin, ErrDegree, func(b *Builder, v *values) { b.MulRelin(v.x[0], v.deg2) }},
		{"mul scale range", Mul, ErrScale, func(b *Builder, v *values) {
			y := b.SetScale(v.x[0], fhe.PowerOfTwo(1<<13))
			b.Mul(y, y)
		}},
		{"relin degree", Relin, ErrDegree, func(b *Builder, v *values) { b.Relin(v.x[0]) }},
		{"rescale", Rescale, ErrLevelExhausted, func(b *Builder, v *values) { b.Rescale(v.zero) }},
		{"rescale scale", Rescale, ErrScale, func(b *Builder, v *values) { b.Rescale(b.SetScale(v.x[0], fhe.PowerOfTwo(-1<<14))) }},
		{"rot identity", Rot, ErrGalois, func(b *Builder, v *values) { b.Rot(v.x[0], 1) }},
		{"rot even", Rot, ErrGalois, func(b *Builder, v *values) { b.Rot(v.x[0], 2) }},
		{"rot range", Rot, ErrGalois, func(b *Builder, v *values) { b.Rot(v.x[0], 8193) }},
		{"rot degree", Rot, ErrDegree, func(b *Builder, v *values) { b.Rot(v.deg2, 5) }},
		{"conj degree", Conj, ErrDegree, func(b *Builder, v *values) { b.Conj(v.deg0) }},
		{"hoist level", Hoist, ErrLevel, func(b *Builder, v *values) { b.Hoist(v.low, 2) }},
		{"hoist negative level", Hoist, ErrLevel, func(b *Builder, v *values) { b.Hoist(v.low, -1) }},
		{"hoist degree", Hoist, ErrDegree, func(b *Builder, v *values) { b.Hoist(v.deg2, 0) }},
		{"hoist of a hoist", Hoist, ErrOperand, func(b *Builder, v *values) { b.Hoist(v.hoist, 0) }},
		{"rot_hoisted operand", RotHoisted, ErrOperand, func(b *Builder, v *values) { b.RotHoisted(v.x[0], 5, 0) }},
		{"rot_hoisted level", RotHoisted, ErrLevel, func(b *Builder, v *values) { b.RotHoisted(v.hoist, 5, 2) }},
		{"rot_hoisted identity", RotHoisted, ErrGalois, func(b *Builder, v *values) { b.RotHoisted(v.hoist, 1, 1) }},
		{"lintrans operand", Lintrans, ErrOperand, func(b *Builder, v *values) { b.Lintrans(v.x[0], v.full, []int{0}, []int{0}, 1, 1) }},
		{"lintrans level", Lintrans, ErrLevel, func(b *Builder, v *values) { b.Lintrans(v.hoist, v.full, []int{0}, []int{0}, 1, 2) }},
		{"lintrans n1 0", Lintrans, ErrConstant, func(b *Builder, v *values) { b.Lintrans(v.hoist, v.full, []int{0}, []int{0}, 0, 1) }},
		{"lintrans n1 3", Lintrans, ErrConstant, func(b *Builder, v *values) { b.Lintrans(v.hoist, v.full, []int{0}, []int{0}, 3, 1) }},
		{"lintrans n1 of 2n", Lintrans, ErrConstant, func(b *Builder, v *values) { b.Lintrans(v.hoist, v.full, []int{0}, []int{0}, 4096, 1) }},
		{"lintrans nothing", Lintrans, ErrConstant, func(b *Builder, v *values) { b.Lintrans(v.hoist, v.full, nil, nil, 1, 1) }},
		{"lintrans uneven", Lintrans, ErrConstant, func(b *Builder, v *values) { b.Lintrans(v.hoist, v.full, []int{0}, []int{0, 1}, 1, 1) }},
		{"lintrans order", Lintrans, ErrConstant, func(b *Builder, v *values) { b.Lintrans(v.hoist, v.full, []int{0, 1}, []int{1, 0}, 1, 1) }},
		{"lintrans twice", Lintrans, ErrConstant, func(b *Builder, v *values) { b.Lintrans(v.hoist, v.full, []int{0, 1}, []int{1, 1}, 1, 1) }},
		{"lintrans diagonal", Lintrans, ErrConstant, func(b *Builder, v *values) { b.Lintrans(v.hoist, v.full, []int{0}, []int{2048}, 1, 1) }},
		{"lintrans negative", Lintrans, ErrConstant, func(b *Builder, v *values) { b.Lintrans(v.hoist, v.full, []int{0}, []int{-1}, 1, 1) }},
		{"lintrans slots", Lintrans, ErrConstant, func(b *Builder, v *values) { b.Lintrans(v.hoist, v.small, []int{0}, []int{0}, 1, 1) }},
		{"lintrans row", Lintrans, ErrConstant, func(b *Builder, v *values) { b.Lintrans(v.hoist, v.full, []int{3}, []int{0}, 1, 1) }},
		{"lintrans rows", Lintrans, ErrLimit, func(b *Builder, v *values) { b.Lintrans(v.hoist, v.full, tooManyRows, tooManyRows, 1, 1) }},
		{"rotsum empty", Rotsum, ErrLimit, func(b *Builder, v *values) { b.Rotsum(v.hoist, nil, 1) }},
		{"rotsum twice", Rotsum, ErrGalois, func(b *Builder, v *values) { b.Rotsum(v.hoist, []uint64{5, 1, 5}, 1) }},
		{"rotsum even", Rotsum, ErrGalois, func(b *Builder, v *values) { b.Rotsum(v.hoist, []uint64{4}, 1) }},
		{"rotsum level", Rotsum, ErrLevel, func(b *Builder, v *values) { b.Rotsum(v.hoist, []uint64{5}, 2) }},
		{"scope long", invalid, ErrLimit, func(b *Builder, v *values) { b.Scope(strings.Repeat("s", 257)) }},
		{"scope forges a line", invalid, ErrLimit, func(b *Builder, v *values) { b.Scope("a\n%7 = MUL") }},
		{"input name taken", Input, ErrPort, func(b *Builder, v *values) { b.Input(inputPort(v.p, "x", 1)) }},
		{"input count", Input, ErrPort, func(b *Builder, v *values) { b.Input(inputPort(v.p, "y", -5)) }},
		{"output name taken", Output, ErrPort, func(b *Builder, v *values) { b.Output(b.OutputPort("first", v.x[0], 1, vector(1)), v.x[0]) }},
		{"output values", Output, ErrPort, func(b *Builder, v *values) { b.Output(b.OutputPort("y", v.x[0], 1, vector(1)), v.x[0], v.x[0]) }},
		{"output level", Output, ErrPort, func(b *Builder, v *values) { b.Output(b.OutputPort("y", v.x[0], 1, vector(1)), v.low) }},
		{"output scale within 2^-100", Output, ErrPort, func(b *Builder, v *values) { b.Output(b.OutputPort("y", v.x[0], 1, vector(1)), v.near) }},
		{"output degree 0", Output, ErrPort, func(b *Builder, v *values) { b.Output(b.OutputPort("y", v.deg0, 1, vector(1)), v.deg0) }},
		{"output of a hoist", Output, ErrOperand, func(b *Builder, v *values) { b.Output(b.OutputPort("y", v.x[0], 1, vector(1)), v.hoist) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			b, v := newValues(t)
			b.Scope("dense1")
			c.f(b, v)
			var e *OpError
			if !errors.Is(b.Err(), c.want) || !errors.As(b.Err(), &e) {
				t.Fatalf("error %v, want %v", b.Err(), c.want)
			}
			if e.Code != c.code || e.Scope != "dense1" || !strings.Contains(e.Error(), `in "dense1"`) || !strings.Contains(e.Error(), c.code.String()) {
				t.Errorf("%q", e)
			}
			// The first error stays, whatever comes after, and the values of a failed Builder can be used.
			first, n := b.Err(), len(b.prog.ops)
			y := b.Input(inputPort(v.p, "later", 2))
			b.Add(b.Rescale(y[0]), b.Conj(y[1]))
			b.Output(inputPort(v.p, "later", 1), y[0])
			b.RotHoisted(b.Hoist(y[0], 1), 5, 1)
			b.Lincomb([]Range{{y[0], 2}}, v.weights, 0)
			if _, _, err := b.Build(); err != first || len(b.prog.ops) != n {
				t.Errorf("after the error: %v, %d operations", err, len(b.prog.ops)-n)
			}
		})
	}
}

func TestBuilderWithoutSpecialPrimes(t *testing.T) {
	p := noKeyParams()
	for name, f := range map[string]func(b *Builder, x Value){
		"relin":     func(b *Builder, x Value) { b.Relin(b.Mul(x, x)) },
		"mul_relin": func(b *Builder, x Value) { b.MulRelin(x, x) },
		"rot":       func(b *Builder, x Value) { b.Rot(x, 5) },
		"conj":      func(b *Builder, x Value) { b.Conj(x) },
		"hoist":     func(b *Builder, x Value) { b.Hoist(x, 1) },
	} {
		b := NewBuilder(p)
		f(b, b.Input(inputPort(p, "x", 1))[0])
		if err := b.Err(); !errors.Is(err, ErrGalois) || !strings.Contains(err.Error(), "special primes") {
			t.Errorf("%s: %v", name, err)
		}
	}
	b := NewBuilder(p)
	x := b.Rescale(b.MulPt(b.Input(inputPort(p, "x", 1))[0], polynomials(t, 1, 3, p.DefaultScale()), 0))
	b.Output(b.OutputPort("y", x, 1, vector(3)), x)
	prog, _, err := b.Build()
	if err != nil || len(prog.Keys()) != 0 || prog.CheckKeys(nil) != nil {
		t.Errorf("a program without keys: %v", err)
	}
}

func TestBuildRefuses(t *testing.T) {
	b := NewBuilder(fhe.Parameters{})
	b.Zero(0, 1, 0, fhe.PowerOfTwo(1))
	if _, _, err := b.Build(); err == nil {
		t.Error("no parameters")
	}
	b = NewBuilder(testParams())
	b.Input(inputPort(testParams(), "x", 1))
	if _, _, err := b.Build(); err == nil || !strings.Contains(err.Error(), "no output") {
		t.Errorf("no output: %v", err)
	}
	if b.Level(-1) != 0 || b.Level(1e6) != 0 || b.Degree(99) != 0 || !b.Scale(99).Valid() || !b.Parameters().Equal(testParams()) {
		t.Error("metadata of a value that is not there")
	}
}

// TestBuilderOwnsItsData changes everything that was given to the Builder after Build.
func TestBuilderOwnsItsData(t *testing.T) {
	p := testParams()
	b := NewBuilder(p)
	in := inputPort(p, "x", 2)
	x := b.Input(in)
	a := big.NewInt(7)
	ranges, rows, diagonals, galois := []Range{{x[0], 2}}, []int{0, 1}, []int{1, 2}, []uint64{25, 5}
	y := b.AddConst(b.Lincomb(ranges, weights(t, fhe.PowerOfTwo(0), []int64{1, 2}), 0), a, a)
	h := b.Hoist(y, 2)
	z := b.Lintrans(h, polynomials(t, 2, p.LogMaxSlots(), p.DefaultScale()), rows, diagonals, 1, 2)
	r := b.Rotsum(h, galois, 2)
	out := b.OutputPort("y", z, 1, vector(5))
	b.Output(out, z)
	b.Output(b.OutputPort("r", r, 1, vector(5)), r)
	prog, _, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	digest := prog.Digest()
	in.Layout.Shape[0], in.Layout.Runs[0].Length, out.Layout.Runs[0].Slot = 9, 1, 77
	ranges[0].Count, rows[0], diagonals[0], galois[0] = 1, 9, 9, 9
	a.SetInt64(8)
	prog.seal()
	if prog.Digest() != digest {
		t.Error("the program shares memory with its caller")
	}
	if prog.Inputs()[0].Program != digest || prog.Outputs()[1].Program != digest {
		t.Error("ports are not bound to the program")
	}
}

// TestCanonicalOperands checks that equal operations are equal operations.
func TestCanonicalOperands(t *testing.T) {
	build := func(f func(b *Builder, x []Value) Value) *Program {
		p := testParams()
		b := NewBuilder(p)
		y := f(b, b.Input(inputPort(p, "x", 3)))
		b.Output(b.OutputPort("y", y, 1, vector(5)), y)
		prog, _, err := b.Build()
		if err != nil {
			t.Fatal(err)
		}
		return prog
	}
	w := weights(t, fhe.PowerOfTwo(0), []int64{1, 2, 3})
	a := build(func(b *Builder, x []Value) Value { return b.Lincomb([]Range{{x[0], 3}}, w, 0) })
	c := build(func(b *Builder, x []Value) Value { return b.Lincomb([]Range{{x[0], 1}, {x[1], 1}, {x[2], 1}}, w, 0) })
	d := build(func(b *Builder, x []Value) Value { return b.Lincomb([]Range{{x[0], 1}, {x[2], 1}, {x[1], 1}}, w, 0) })
	if a.Digest() != c.Digest() || a.Digest() == d.Digest() {
		t.Error("ranges of a Lincomb")
	}
	e := build(func(b *Builder, x []Value) Value { return b.Rotsum(b.Hoist(x[0], 1), []uint64{1, 5, 25}, 1) })
	f := build(func(b *Builder, x []Value) Value { return b.Rotsum(b.Hoist(x[0], 1), []uint64{25, 1, 5}, 1) })
	if e.Digest() != f.Digest() {
		t.Error("elements of a Rotsum")
	}
	g := build(func(b *Builder, x []Value) Value { b.Scope("a"); b.Scope("b"); return b.Neg(x[0]) })
	h := build(func(b *Builder, x []Value) Value { b.Scope("b"); return b.Neg(x[0]) })
	if g.Digest() != h.Digest() {
		t.Error("a scope without operations")
	}
}

func TestLimits(t *testing.T) {
	p := testParams()
	b := NewBuilder(p)
	x := b.Input(inputPort(p, "x", 1))[0]
	for i := range maxScopes + 1 {
		b.Scope(fmt.Sprint(i))
		b.Neg(x)
	}
	if !errors.Is(b.Err(), ErrLimit) || len(b.prog.scopes) != maxScopes+1 {
		t.Errorf("scopes: %v", b.Err())
	}
	b = NewBuilder(p)
	for i := range maxPorts + 1 {
		b.Input(inputPort(p, fmt.Sprint(i), 1))
	}
	if !errors.Is(b.Err(), ErrPort) || len(b.prog.inputs) != maxPorts {
		t.Errorf("ports: %v", b.Err())
	}
	b = NewBuilder(p)
	x = b.Input(inputPort(p, "x", 1))[0]
	for b.Err() == nil {
		b.Neg(x)
	}
	if !errors.Is(b.Err(), ErrLimit) || len(b.prog.ops) != maxOps {
		t.Errorf("operations: %v", b.Err())
	}
	b = NewBuilder(p)
	port := inputPort(p, "x", 1)
	port.Count = maxOperands
	port.Layout = batch(maxOperands, 1)
	xs := b.Input(port)
	w := weights(t, fhe.PowerOfTwo(0), make([]int64, maxOperands))
	b.terms = maxTerms - maxOperands
	b.Lincomb([]Range{{xs[0], maxOperands}}, w, 0)
	if b.Err() != nil {
		t.Fatal(b.Err())
	}
	b.Lincomb([]Range{{xs[0], maxOperands}}, w, 0)
	if !errors.Is(b.Err(), ErrLimit) {
		t.Errorf("operands: %v", b.Err())
	}
}
