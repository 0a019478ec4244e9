package commit

import (
	"context"
	"fmt"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// Transcribe is what an opening's last challenge absorbs besides the opening itself.
type Transcribe struct {
	Context fr.Element // the statement's context
	CD      [32]byte   // the commitment's digest
	G, H    fr.Element // the challenges: W is opened at (G, H) and v at H
}

// gamma returns the challenge that joins the two evaluations. In the compact form it absorbs Q1: a K chosen after gamma
// could otherwise cancel terms in the first variable.
func (t Transcribe) gamma(form Form, p *OpeningProof) fr.Element {
	h := NewTranscript("signet/zk/gamma/v1").Uint(uint64(form)).Element(t.Context).Word(t.CD)
	h.Element(t.G).Element(t.H).Element(p.E1).Element(p.E2).Point(p.K)
	if form == Compact {
		h.Point(p.Q1)
	}
	return h.Challenge()
}

// Open returns the proof that the commitment of o and k, the commitment to v, are W and v at t's challenges. u is
// o.Row(t.G) and k is CommitVector's result for v: they are passed in because the circuit needs them first. It spends
// one unit of the budget: reserve it before, since even a proof that is thrown away may have been seen. It fails if the
// lengths of u and v are not the layout's or srs does not serve it. ctx is looked at between steps.
func Open(ctx context.Context, srs *SRS, o *Opening, t Transcribe, u, v []fr.Element, k bn254.G1Affine) (*OpeningProof, error) {
	layout := o.matrix.layout
	if o.form != srs.Form() {
		return nil, fmt.Errorf("commit: an opening of form %v under a reference string of form %v", o.form, srs.Form())
	}
	if err := srs.Serves(layout); err != nil {
		return nil, err
	}
	if len(u) != layout.Columns() || len(v) != layout.Vector() {
		return nil, fmt.Errorf("commit: open a row of %d and a vector of %d elements: want %d and %d", len(u), len(v), layout.Columns(), layout.Vector())
	}
	p := &OpeningProof{K: k, E1: evaluate(u, t.H), E2: evaluate(v, t.H)}
	if len(o.quotients) > 0 {
		q1 := multiExp(o.quotients, powers(t.G, len(o.quotients)), 0)
		p.Q1.FromJacobian(&q1)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	gamma := t.gamma(o.form, p)
	f := make([]fr.Element, layout.Powers())
	copy(f, u)
	for i := range v {
		var x fr.Element
		f[i].Add(&f[i], x.Mul(&gamma, &v[i]))
	}
	quotient := divide(f, t.H)
	q2 := multiExp(srs.row(0)[:len(quotient)], quotient, 0)
	p.Q2.FromJacobian(&q2)
	return p, ctx.Err()
}

// evaluate returns sum_k f_k x^k, by Horner's rule.
func evaluate(f []fr.Element, x fr.Element) (sum fr.Element) {
	for i := len(f) - 1; i >= 0; i-- {
		sum.Mul(&sum, &x).Add(&sum, &f[i])
	}
	return sum
}

// divide returns the quotient of f by X - x, without the remainder.
func divide(f []fr.Element, x fr.Element) []fr.Element {
	q := make([]fr.Element, len(f)-1)
	var carry fr.Element
	for i := len(q) - 1; i >= 0; i-- {
		carry.Mul(&carry, &x).Add(&carry, &f[i+1])
		q[i] = carry
	}
	return q
}
