package nn

import (
	"github.com/consensys/gnark/constraint"
	"github.com/consensys/gnark/frontend"
)

// raw adds rank-1 constraints with linear forms on all three sides. The frontend's own assertion of a product,
// AssertIsEqual(Mul(x, y), z), costs two constraints, and its sums of 300 terms cost one.
//
// Compilers of other systems, and gnark's test engine, take no such constraints: there it falls back on the
// frontend's assertion.
type raw struct {
	blueprint constraint.BlueprintGenericR1C
	id        constraint.BlueprintID
	ok        bool
}

// newRaw prepares for the compiler behind api.
func newRaw(api frontend.API) raw {
	var r raw
	if _, r.ok = api.Compiler().ToCanonicalVariable(api.Add(0, 1)).(constraint.LinearExpression); r.ok {
		r.id = api.Compiler().AddBlueprint(&r.blueprint)
	}
	return r
}

// one returns the sum that is 1.
func (b *build) one() []frontend.Variable { return []frontend.Variable{b.constant(1).v} }

// assertProduct asserts (Σx)(Σy) = Σz. One constraint. The sums may have any number of terms, none for zero.
func (b *build) assertProduct(cause Cause, x, y, z []frontend.Variable) {
	b.costs.add(cause, 1)
	switch {
	case b.api == nil:
	case b.raw.ok:
		c := constraint.R1C{L: b.form(x), R: b.form(y), O: b.form(z)}
		var data []uint32
		b.raw.blueprint.CompressR1C(&c, &data)
		b.api.Compiler().AddInstruction(b.raw.id, data)
	default:
		sum := func(vs []frontend.Variable) frontend.Variable { return b.total(append(vs, 0, 0)) }
		b.api.AssertIsEqual(b.api.Mul(sum(x), sum(y)), sum(z))
	}
}

// form returns the linear form of a sum.
func (b *build) form(vs []frontend.Variable) constraint.LinearExpression {
	out := constraint.LinearExpression{}
	for _, v := range vs {
		out = append(out, b.api.Compiler().ToCanonicalVariable(v).(constraint.LinearExpression)...)
	}
	return out
}
