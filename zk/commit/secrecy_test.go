package commit

import (
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// eliminate brings the matrix to row echelon form, carrying the columns beyond width along, and returns its rank.
func eliminate(rows [][]fr.Element, width int) (rank int) {
	for col := 0; col < width && rank < len(rows); col++ {
		pivot := rank
		for pivot < len(rows) && rows[pivot][col].IsZero() {
			pivot++
		}
		if pivot == len(rows) {
			continue
		}
		rows[rank], rows[pivot] = rows[pivot], rows[rank]
		var inverse, x fr.Element
		inverse.Inverse(&rows[rank][col])
		for j := range rows[rank] {
			rows[rank][j].Mul(&rows[rank][j], &inverse)
		}
		for i := range rows {
			if factor := rows[i][col]; i != rank {
				for j := range rows[i] {
					rows[i][j].Sub(&rows[i][j], x.Mul(&factor, &rows[rank][j]))
				}
			}
		}
		rank++
	}
	return rank
}

// outer returns the coefficients a_i b_j, row by row.
func outer(a, b []fr.Element) []fr.Element {
	out := make([]fr.Element, 0, len(a)*len(b))
	for i := range a {
		for j := range b {
			var x fr.Element
			out = append(out, *x.Mul(&a[i], &b[j]))
		}
	}
	return out
}

// revealed returns what a registration and the given number of openings reveal, as linear forms in the layout's blinds:
// the commitment of every row, for somebody who knows s even, then one evaluation at random challenges each. The
// compact form reveals no more: its C and what Q1 adds to it, u at s, are combinations of the rows' commitments.
func revealed(layout Layout, s fr.Element, openings int) [][]fr.Element {
	m, at := layout.Rows(), layout.blindsAt()
	var out [][]fr.Element
	for i := range m {
		unit := make([]fr.Element, m)
		unit[i].SetOne()
		out = append(out, outer(unit, powers(s, layout.Columns())[at:]))
	}
	challenges := elements(77, 2*openings)
	for k := range openings {
		out = append(out, outer(powers(challenges[2*k], m), powers(challenges[2*k+1], layout.Columns())[at:]))
	}
	return out
}

// TestBudgetHides counts what is revealed at the budget. One evaluation comes on top, that of the range proof. As long
// as the linear forms are independent in the blinds, which are uniform, the values are uniform whatever the weights.
//
// Soundness: P10.
func TestBudgetHides(t *testing.T) {
	narrow := Layout{Blocks: []Block{{Rows: 1, Columns: 2, Weight: Range{-3, 3}, Bias: Range{-3, 3}}}, Blinds: 4, Accumulators: 1}
	for _, layout := range []Layout{toy, narrow} {
		openings := layout.Budget(Rows) + 1
		unknowns := layout.Rows() * layout.Blinds
		for extra := range 2 {
			rows := revealed(layout, elements(5, 1)[0], openings+extra)
			rank := eliminate(rows, unknowns)
			if rank != unknowns {
				t.Errorf("%d openings: rank %d of %d", openings+extra, rank, unknowns)
			}
			if hidden := rank == len(rows); hidden != (extra == 0) {
				t.Errorf("%d openings of a budget of %d: hidden: %v", openings+extra, layout.Budget(Rows), hidden)
			}
		}
		if layout.Budget(Rows) != layout.Budget(Compact) {
			t.Error("budgets of the forms differ")
		}
	}
}

// TestPastBudget takes the weights of a small model from its proofs and its public commitment. At the budget every
// candidate explains what was seen; one proof later only the true one does.
//
// Soundness: P10.
func TestPastBudget(t *testing.T) {
	layout := Layout{Blocks: []Block{{Rows: 1, Columns: 2, Weight: Range{-3, 3}, Bias: Range{-3, 3}}}, Blinds: 4, Accumulators: 1}
	weights, bias := [][]int64{{2, -3}}, [][]int64{{1}}
	m, err := NewMatrix(layout, weights, bias)
	if err != nil {
		t.Fatal(err)
	}
	srs, err := NewLocalSRS(Rows, layout)
	if err != nil {
		t.Fatal(err)
	}
	c, o, err := Commit(t.Context(), srs, Rows, m)
	if err != nil {
		t.Fatal(err)
	}
	r := registered{srs: srs, c: c, o: o}
	seen := layout.Budget(Rows) + 2 // the range proof's, the budget and one more
	if seen != layout.Blinds {
		t.Fatalf("%d evaluations for %d blinds", seen, layout.Blinds)
	}
	var points, values []fr.Element
	for k := range seen {
		tr, p := r.prove(t, uint64(10*k))
		points, values = append(points, tr.H), append(values, p.E1)
	}
	var found [][3]int64
	for a := int64(-3); a <= 3; a++ {
		for b := int64(-3); b <= 3; b++ {
			for d := int64(-3); d <= 3; d++ {
				// The blinds that give the values seen: B equations, B unknowns.
				model := make([]fr.Element, 3)
				model[0].SetInt64(a)
				model[1].SetInt64(b)
				model[2].SetInt64(d)
				var rows [][]fr.Element
				for k := range seen {
					x := powers(points[k], layout.Columns())
					rest, known := values[k], evaluate(model, points[k])
					rows = append(rows, append(x[3:], *rest.Sub(&rest, &known)))
				}
				if eliminate(rows, layout.Blinds) != layout.Blinds {
					t.Fatal("the evaluations do not determine the blinds")
				}
				for _, row := range rows {
					model = append(model, row[layout.Blinds])
				}
				if k := naive(srs.row(0)[:len(model)], model); k.Equal(&c.Points[0]) {
					found = append(found, [3]int64{a, b, d})
				}
			}
		}
	}
	if len(found) != 1 || found[0] != [3]int64{2, -3, 1} {
		t.Errorf("candidates %v, want the model alone", found)
	}
}

// TestFreshBlinds commits to one matrix twice: nothing of the two commitments is equal, rows of padding included.
func TestFreshBlinds(t *testing.T) {
	forms(t, func(t *testing.T, form Form) {
		r := register(t, form, toy, 1)
		c, o, err := Commit(t.Context(), r.srs, form, r.o.matrix)
		if err != nil {
			t.Fatal(err)
		}
		for i := range c.Points {
			if c.Points[i].Equal(&r.c.Points[i]) {
				t.Errorf("point %d is the same twice", i)
			}
		}
		for i := range o.blinds {
			if o.blinds[i] == r.o.blinds[i] {
				t.Errorf("blind %d is the same twice", i)
			}
		}
	})
}
