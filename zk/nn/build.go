package nn

import (
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/frontend"
)

// A build is one walk over a circuit. There are three kinds, and they take the same steps, so that they cannot
// disagree about the order of the inputs or the number of constraints:
//
//   - planning, which counts constraints, inputs and range checks,
//   - defining, which adds the constraints to a frontend.API,
//   - assigning, which computes the inputs from a trace.
type build struct {
	c      *Circuit
	trace  [][]int64     // assigning: input of all samples, then the output of every op
	step   int           // index in the trace of the tensor being made
	g      fr.Element    // assigning: the first challenge
	row    []fr.Element  // assigning: W(g, .)
	salts  [2]fr.Element // assigning: of input and output
	blinds [2]fr.Element // assigning: after the accumulators

	inputs int                 // secret inputs so far
	values []fr.Element        // assigning: of the secret inputs
	wires  []frontend.Variable // defining: by the wire ids of terms
	nwires int

	api     frontend.API
	raw     raw
	secrets []frontend.Variable // defining: the secret inputs
	h       frontend.Variable   // defining: the challenge
	powers  map[int]frontend.Variable

	lookups *lookups
	weights weights
	checks  map[span]int // planning without lookups: how many range checks of a kind
	costs   costs
}

func (b *build) assigning() bool { return b.trace != nil }

// secret returns the next secret input: value, when assigning.
func (b *build) secret(value int64) number {
	var e fr.Element
	if b.assigning() {
		e.SetInt64(value)
	}
	v := b.element(e)
	x := b.wire(v)
	x.value = value
	return x
}

// element returns the variable of the next secret input: value, when assigning.
func (b *build) element(value fr.Element) frontend.Variable {
	b.inputs++
	if b.assigning() {
		b.values = append(b.values, value)
	}
	if b.api == nil {
		return nil
	}
	return b.secrets[b.inputs-1]
}

// wire returns the number that a variable is.
func (b *build) wire(v frontend.Variable) number {
	if b.api != nil {
		b.wires = append(b.wires, v)
	}
	b.nwires++
	return number{terms: []term{{b.nwires - 1, 1}}}
}

// output returns element i of the output of the op being built, over all samples; zero unless assigning.
func (b *build) output(i int) int64 {
	if !b.assigning() {
		return 0
	}
	return b.trace[b.step][i]
}

// product returns x*y. One constraint.
func (b *build) product(cause Cause, x, y frontend.Variable) frontend.Variable {
	b.costs.add(cause, 1)
	if b.api == nil {
		return nil
	}
	return b.api.Mul(x, y)
}

// power returns h^n for n >= 1.
func (b *build) power(n int) frontend.Variable {
	if n == 1 {
		return b.h
	}
	p, ok := b.powers[n]
	if !ok {
		if n%2 == 0 {
			r := b.power(n / 2)
			p = b.product(CauseLinear, r, r)
		} else {
			p = b.product(CauseLinear, b.power(n-1), b.h)
		}
		b.powers[n] = p
	}
	return p
}

// geometric returns 1 + h^n + ... + h^(n(k-1)). It is whatever the prover likes if h^n = 1, which happens with
// probability at most n/p.
func (b *build) geometric(n, k int) frontend.Variable {
	if k == 1 {
		return b.constant(1).v
	}
	top, step := b.power(n*k), b.power(n)
	b.costs.add(CauseLinear, 1)
	if b.api == nil {
		return nil
	}
	return b.api.DivUnchecked(b.api.Sub(top, 1), b.api.Sub(step, 1))
}

// A monomial is c h^degree.
type monomial struct {
	degree int
	c      frontend.Variable
}

// evaluate returns the sum of monomials, which must be at least one, of ascending degrees: one constraint for each but
// the first, one more if its degree is not zero, and those of the powers that span gaps.
func (b *build) evaluate(p []monomial) frontend.Variable {
	last := len(p) - 1
	sum, degree := p[last].c, p[last].degree
	for i := last - 1; i >= 0; i-- {
		sum = b.product(CauseLinear, sum, b.power(degree-p[i].degree))
		if b.api != nil {
			sum = b.api.Add(sum, p[i].c)
		}
		degree = p[i].degree
	}
	if degree > 0 {
		sum = b.product(CauseLinear, sum, b.power(degree))
	}
	return sum
}

// horner returns Σ G^i c[i]: one constraint for each but the first.
func (b *build) horner(c []frontend.Variable) frontend.Variable {
	last := len(c) - 1
	sum := c[last]
	for i := last - 1; i >= 0; i-- {
		sum = b.product(CauseLinear, sum, b.weights.g)
		if b.api != nil {
			sum = b.api.Add(sum, c[i])
		}
	}
	return sum
}
