package commit

import (
	"errors"
	"slices"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// TestGammaBeforeQ1 hides terms of the first variable in K: what K holds at X = g has accumulators that changed with g.
// If gamma did not absorb Q1, such a K would open to them; then Q1 could be made to fit gamma.
//
// Soundness: P3.
func TestGammaBeforeQ1(t *testing.T) {
	r := register(t, Compact, toy, 1)
	layout := r.o.Layout()
	e := elements(5, 3)
	tr := Transcribe{Context: e[0], CD: r.cd(), G: e[1], H: e[2]}
	u := r.o.Row(tr.G)
	// v(X, Y) = low(Y) + c X: at X = g the first accumulator is c g more than before g was known.
	low, c := vector(layout, 3), fr.NewElement(1000)
	k := naive(append(slices.Clone(r.srs.row(0)[:len(low)]), r.srs.row(1)[0]), append(slices.Clone(low), c))
	v := slices.Clone(low)
	v[0].Add(&v[0], new(fr.Element).Mul(&c, &tr.G))

	// solve returns the opening for a gamma: (W + gamma v - W(g, Y) - gamma v(g, Y)) / (X - g) has the term gamma c.
	solve := func(gamma fr.Element) *OpeningProof {
		p := &OpeningProof{K: k, E1: evaluate(u, tr.H), E2: evaluate(v, tr.H)}
		q := multiExp(r.o.quotients, powers(tr.G, len(r.o.quotients)), 0)
		p.Q1.FromJacobian(&q)
		more := naive([]bn254.G1Affine{g1Generator}, []fr.Element{*new(fr.Element).Mul(&gamma, &c)})
		p.Q1.Add(&p.Q1, &more)
		f := make([]fr.Element, layout.Powers())
		copy(f, u)
		for i := range v {
			f[i].Add(&f[i], new(fr.Element).Mul(&gamma, &v[i]))
		}
		quotient := divide(f, tr.H)
		p.Q2 = naive(r.srs.row(0)[:len(quotient)], quotient)
		return p
	}
	// equation is the verifier's, with any gamma.
	equation := func(p *OpeningProof, gamma fr.Element) bool {
		value := *new(fr.Element).Mul(&gamma, &p.E2)
		value.Add(&value, &p.E1).Neg(&value)
		one := fr.One()
		left := naive([]bn254.G1Affine{r.c.Points[0], p.K, g1Generator, p.Q1, p.Q2}, []fr.Element{one, gamma, value, tr.G, tr.H})
		left.Neg(&left)
		key := r.srs.VerifyingKey()
		ok, err := bn254.PairingCheck([]bn254.G1Affine{left, p.Q1, p.Q2}, []bn254.G2Affine{key.G2, key.T2, key.S2})
		return err == nil && ok
	}
	early := tr.gamma(Rows, solve(fr.Element{})) // a hash that leaves Q1 out
	p := solve(early)
	if !equation(p, early) {
		t.Fatal("no forgery under a gamma that does not depend on Q1")
	}
	if err := VerifyOpening(r.srs.VerifyingKey(), r.c, tr, p); !errors.Is(err, ErrOpening) {
		t.Errorf("accepted: %v", err)
	}
	// Turning in circles does not help: each Q1 has another gamma.
	for range 5 {
		p = solve(tr.gamma(Compact, p))
		if err := VerifyOpening(r.srs.VerifyingKey(), r.c, tr, p); !errors.Is(err, ErrOpening) {
			t.Errorf("accepted: %v", err)
		}
	}
}

// rank returns the rank of a matrix, which it spoils.
func rank(rows [][]fr.Element) int {
	n := 0
	for column := range rows[0] {
		pivot := slices.IndexFunc(rows[n:], func(r []fr.Element) bool { return !r[column].IsZero() })
		if pivot < 0 {
			continue
		}
		rows[n], rows[n+pivot] = rows[n+pivot], rows[n]
		for i := n + 1; i < len(rows); i++ {
			var f fr.Element
			f.Div(&rows[i][column], &rows[n][column])
			for j := column; j < len(rows[i]); j++ {
				rows[i][j].Sub(&rows[i][j], new(fr.Element).Mul(&f, &rows[n][j]))
			}
		}
		if n++; n == len(rows) {
			break
		}
	}
	return n
}

// TestBudgetIsRank counts what an unbounded adversary sees of the blinds: the rows at s, one combination by the
// registration, one by each proof. At the budget these are independent, and as many as there are blinds; with one proof
// more they are not independent.
//
// Soundness: P10.
func TestBudgetIsRank(t *testing.T) {
	for _, x := range []struct{ rows, blinds int }{{1, 3}, {1, 9}, {2, 2}, {4, 3}, {10, 4}} {
		layout := Layout{Blocks: []Block{{Rows: x.rows, Columns: 3, Weight: Range{-1, 1}}}, Blinds: x.blinds, Accumulators: 1}
		if err := layout.Validate(); err != nil {
			t.Fatal(err)
		}
		budget := layout.Budget(Rows)
		e := elements(uint64(x.rows), 1+2*(budget+2))
		functional := func(g []fr.Element, y fr.Element) (out []fr.Element) { // of the blinds, row by row
			for i := range x.rows {
				for _, p := range powers(y, layout.Columns())[layout.blindsAt():] {
					out = append(out, *p.Mul(&p, &g[i]))
				}
			}
			return out
		}
		seen := func(proofs int) (out [][]fr.Element) {
			for i := range x.rows {
				row := make([]fr.Element, x.rows)
				row[i].SetOne()
				out = append(out, functional(row, e[0]))
			}
			for k := range proofs + 1 { // 1: the registration
				out = append(out, functional(powers(e[1+2*k], x.rows), e[2+2*k]))
			}
			return out
		}
		if n := len(seen(budget)); n != x.rows*x.blinds || rank(seen(budget)) != n {
			t.Errorf("%d rows, %d blinds: %d proofs show %d combinations of rank %d", x.rows, x.blinds, budget, n, rank(seen(budget)))
		}
		if rank(seen(budget+1)) == len(seen(budget+1)) {
			t.Errorf("%d rows, %d blinds: one proof more shows nothing", x.rows, x.blinds)
		}
	}
}

// TestWeightsPastBudget recovers all weights of a small model of one row from B + 1 proofs, without the points of the
// commitment, from which one cannot compute much.
//
// Soundness: P10.
func TestWeightsPastBudget(t *testing.T) {
	const blinds, columns, span = 3, 4, 3 // weights and bias from -3 to 3
	layout := Layout{Blocks: []Block{{Rows: 1, Columns: columns, Weight: Range{-span, span}, Bias: Range{-span, span}}}, Blinds: blinds, Accumulators: 1}
	r := register(t, Rows, layout, 2)
	weights, bias := r.o.Weights(0)

	// Each proof shows Σ W_j h^j + h^n Σ b_k h^k = e1. The combination of them with λ_i = 1/(h_i^n Π (h_i - h_j)) is
	// free of b: a divided difference of order B takes a polynomial of degree B - 1 to zero.
	h := elements(9, blinds+1)
	var value fr.Element
	var at [columns + 1]fr.Element
	for i := range h {
		p := powers(h[i], columns+2)
		lambda := p[columns+1]
		for j := range h {
			if i != j {
				lambda.Mul(&lambda, new(fr.Element).Sub(&h[i], &h[j]))
			}
		}
		lambda.Inverse(&lambda)
		e1 := evaluate(r.o.Row(fr.NewElement(7)), h[i])
		value.Add(&value, e1.Mul(&e1, &lambda))
		for j := range at {
			at[j].Add(&at[j], p[j].Mul(&p[j], &lambda))
		}
	}
	var fit [][]int64
	for guess := range 16807 { // 7^5
		xs := make([]int64, columns+1)
		var sum fr.Element
		for j := range xs {
			xs[j] = int64(guess%7) - span
			guess /= 7
			var e fr.Element
			sum.Add(&sum, e.Mul(e.SetInt64(xs[j]), &at[j]))
		}
		if sum == value {
			fit = append(fit, xs)
		}
	}
	if secret := append(weights, bias...); len(fit) != 1 || !slices.Equal(fit[0], secret) {
		t.Errorf("%d proofs leave the models %v; it is %v", len(h), fit, secret)
	}
}
