package commit

import (
	"context"
	"fmt"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// An Opening is what proves facts about a committed matrix: the weights, the blinds of this one commitment and, in the
// compact form, points computed when committing. It is secret, immutable and safe for concurrent use. Every proof made
// with it spends one unit of its layout's Budget.
type Opening struct {
	form      Form
	matrix    *Matrix
	blinds    []fr.Element     // row by row
	quotients []bn254.G1Affine // compact form: P_d, for d = 0 … m-2
}

// Form returns the commitment's form.
func (o *Opening) Form() Form { return o.form }

// Layout returns the matrix's layout.
func (o *Opening) Layout() Layout { return o.matrix.Layout() }

// Commit draws fresh blinds and returns the commitment to a matrix and its opening. A matrix that is committed to
// again, in another form say, gets other blinds. It fails if form is not the reference string's or the string is too
// short. ctx is looked at between rows.
func Commit(ctx context.Context, srs *SRS, form Form, matrix *Matrix) (*Commitment, *Opening, error) {
	layout := matrix.layout
	if form != srs.Form() {
		return nil, nil, fmt.Errorf("commit: a commitment of form %v under a reference string of form %v", form, srs.Form())
	}
	if err := srs.Serves(layout); err != nil {
		return nil, nil, err
	}
	o := &Opening{form: form, matrix: matrix, blinds: make([]fr.Element, layout.Rows()*layout.Blinds)}
	for i := range o.blinds {
		if _, err := o.blinds[i].SetRandom(); err != nil {
			return nil, nil, err
		}
	}
	c := &Commitment{Form: form}
	var err error
	if form == Rows {
		c.Points, err = o.commitRows(ctx, srs)
	} else {
		c.Points, o.quotients, err = o.commitCompact(ctx, srs)
	}
	if err != nil {
		return nil, nil, err
	}
	return c, o, nil
}

// Row returns u, the matrix's rows summed with powers of g: u_j = sum_i W_ij g^i for every column, those of biases and
// blinds included. It runs on all processors.
func (o *Opening) Row(g fr.Element) []fr.Element {
	layout := o.matrix.layout
	scale := powers(g, layout.Rows())
	u := o.matrix.combineRows(scale)
	u = append(u, make([]fr.Element, layout.Blinds)...)
	blinds := u[len(u)-layout.Blinds:]
	for i := range scale {
		for j := range blinds {
			var t fr.Element
			blinds[j].Add(&blinds[j], t.Mul(&scale[i], &o.blinds[i*layout.Blinds+j]))
		}
	}
	return u
}
