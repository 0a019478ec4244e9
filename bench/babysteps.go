package main

import (
	"fmt"

	"github.com/signet-ml/signet/fhe/program"
)

// withBabySteps returns the program with other numbers of baby steps: n1 maps the index of a LINTRANS to its number.
// The values computed are the same up to noise, keys and bits are not. A program suits the engine that it was compiled
// for; this lets another one choose.
func withBabySteps(p *program.Program, c *program.Constants, n1 map[int]int) (*program.Program, *program.Constants, error) {
	b := program.NewBuilder(p.Parameters())
	infos := p.Constants()
	constant := func(o *program.Op) *program.Constant { return c.Get(infos[o.Const].Digest) }
	outs := make([][]program.Value, len(p.Outputs()))
	for i := range p.Ops() {
		o := &p.Ops()[i]
		b.Scope(p.Scope(program.Value(i)))
		var v program.Value
		switch o.Code {
		case program.Input:
			if o.Index == 0 {
				b.Input(p.Inputs()[o.Port])
			}
			continue
		case program.Output:
			if outs[o.Port] = append(outs[o.Port], o.Args[0]); o.Index == p.Outputs()[o.Port].Count-1 {
				b.Output(p.Outputs()[o.Port], outs[o.Port]...)
			}
			continue
		case program.Zero:
			v = b.Zero(o.Level, o.Degree, o.LogSlots, o.Scale)
		case program.SetScale:
			v = b.SetScale(o.Args[0], o.Scale)
		case program.Drop:
			v = b.Drop(o.Args[0], o.Level)
		case program.Add:
			v = b.Add(o.Args[0], o.Args[1])
		case program.Sub:
			v = b.Sub(o.Args[0], o.Args[1])
		case program.Neg:
			v = b.Neg(o.Args[0])
		case program.AddPt:
			v = b.AddPt(o.Args[0], constant(o), o.Rows[0])
		case program.SubPt:
			v = b.SubPt(o.Args[0], constant(o), o.Rows[0])
		case program.MulPt:
			v = b.MulPt(o.Args[0], constant(o), o.Rows[0])
		case program.AddConst:
			v = b.AddConst(o.Args[0], o.A, o.B)
		case program.MulConst:
			v = b.MulConst(o.Args[0], o.A, o.B, o.By)
		case program.MacConst:
			v = b.MacConst(o.Args[0], o.M, o.Args[1], o.A, o.B, o.By)
		case program.Lincomb:
			v = b.Lincomb(o.Ranges, constant(o), o.Rows[0])
		case program.Mul:
			v = b.Mul(o.Args[0], o.Args[1])
		case program.Relin:
			v = b.Relin(o.Args[0])
		case program.MulRelin:
			v = b.MulRelin(o.Args[0], o.Args[1])
		case program.Rescale:
			v = b.Rescale(o.Args[0])
		case program.Rot:
			v = b.Rot(o.Args[0], o.Galois[0])
		case program.Conj:
			v = b.Conj(o.Args[0])
		case program.Hoist:
			v = b.Hoist(o.Args[0], o.Level)
		case program.RotHoisted:
			v = b.RotHoisted(o.Args[0], o.Galois[0], o.Level)
		case program.Rotsum:
			v = b.Rotsum(o.Args[0], o.Galois, o.Level)
		case program.Lintrans:
			k, rows, steps := constant(o), o.Rows, o.N1
			if n, ok := n1[i]; ok && n != o.N1 {
				var err error
				if k, err = turned(k, o, n); err != nil {
					return nil, nil, err
				}
				rows, steps = make([]int, len(o.Rows)), n
				for j := range rows {
					rows[j] = j
				}
			}
			v = b.Lintrans(o.Args[0], k, rows, o.Diagonals, steps, o.Level)
		default:
			return nil, nil, fmt.Errorf("operation %v cannot be copied", o.Code)
		}
		if err := b.Err(); err != nil {
			return nil, nil, err
		}
		if v != program.Value(i) {
			return nil, nil, fmt.Errorf("operation %d became %d", i, v)
		}
	}
	return b.Build()
}

// turned returns the rows of a LINTRANS for n1 baby steps. A row is its diagonal rotated by minus the giant step, so
// another giant step is a rotation by the difference: an automorphism, which permutes and negates integers exactly.
func turned(k *program.Constant, o *program.Op, n1 int) (*program.Constant, error) {
	rows := make([][]int64, len(o.Rows))
	for j, r := range o.Rows {
		_, had := program.BabyGiant(o.Diagonals[j], o.N1)
		_, want := program.BabyGiant(o.Diagonals[j], n1)
		rows[j] = rotate(k.Row(r), had-want)
	}
	return program.NewPolynomials(rows, k.Info().LogSlots, k.Info().Scale)
}

// rotate applies Y → Y^(5^k) to a polynomial modulo Y^n + 1, n its length: a rotation of its n/2 slots by k to the
// left.
func rotate(row []int64, k int) []int64 {
	n := len(row)
	g := 1
	for range (k%(n/2) + n/2) % (n / 2) {
		g = g * 5 % (2 * n)
	}
	out := make([]int64, n)
	for i, c := range row {
		if at := i * g % (2 * n); at < n {
			out[at] = c
		} else {
			out[at-n] = -c
		}
	}
	return out
}
