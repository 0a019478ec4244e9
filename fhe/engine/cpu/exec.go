package cpu

import (
	"slices"

	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/internal/lattice"
	"github.com/signet-ml/signet/fhe/program"
)

// exec executes a group and stores its results.
func (r *run) exec(g group) {
	r.cur.Store(int64(g.first))
	o := &r.prog.Ops()[g.first]
	if o.Code == program.Lincomb {
		r.lincomb(g)
		return
	}
	r.vals[g.first] = r.operation(g.first, o)
}

func (r *run) operation(i int, o *program.Op) value {
	arg := func(k int) *value { return &r.vals[o.Args[k]] }
	switch o.Code {
	case program.Input:
		return r.input(o)
	case program.Output:
		r.out[i] = r.output(o, arg(0))
		return value{}
	case program.Zero:
		v := newParts(r.pool, o.Degree, o.Level)
		for _, p := range v.parts {
			for _, row := range p {
				clear(row)
			}
		}
		return *v
	case program.SetScale, program.Drop:
		x := arg(0)
		v := value{mem: x.mem.share()}
		for _, p := range x.parts {
			v.parts = append(v.parts, p[:o.Level+1])
		}
		return v
	case program.Add:
		return r.combine(o, arg(0), arg(1), (*lattice.SubRing).Add)
	case program.Sub:
		return r.combine(o, arg(0), arg(1), (*lattice.SubRing).Sub)
	case program.Neg:
		return r.each(o, arg(0), lattice.Neg)
	case program.AddPt:
		return r.plainSum(o, arg(0), (*lattice.SubRing).Add)
	case program.SubPt:
		return r.plainSum(o, arg(0), (*lattice.SubRing).Sub)
	case program.MulPt:
		pl := r.plain[plainKey{o.Const, o.Rows[0], true}]
		return r.rowwise(o, func(part, row int, s *lattice.SubRing, out []uint64) {
			s.MulCoeffsMontgomery(arg(0).parts[part][row], pl.q[row], out)
		})
	case program.AddConst:
		c := r.scalars[i]
		return r.rowwise(o, func(part, row int, s *lattice.SubRing, out []uint64) {
			if x := arg(0).parts[part][row]; part == 0 {
				lattice.AddScalar(s, x, c.first[row], c.second[row], out)
			} else {
				copy(out, x)
			}
		})
	case program.MulConst:
		c := r.scalars[i]
		return r.rowwise(o, func(part, row int, s *lattice.SubRing, out []uint64) {
			lattice.MulScalar(s, arg(0).parts[part][row], c.first[row], c.second[row], out)
		})
	case program.MacConst:
		return r.mac(o, r.scalars[i], arg(0), arg(1))
	case program.Mul:
		return r.tensor(o, arg(0), arg(1))
	case program.Relin:
		x := arg(0)
		v := newParts(r.pool, 1, o.Level)
		r.relin(o.Level, x.parts, v.parts)
		return *v
	case program.MulRelin:
		z := r.tensor(o, arg(0), arg(1))
		v := newParts(r.pool, 1, o.Level)
		r.relin(o.Level, z.parts, v.parts)
		z.release(r.pool)
		return *v
	case program.Rescale:
		return r.rescale(o, arg(0))
	case program.Rot, program.Conj:
		return r.rotate(o, arg(0))
	case program.Hoist:
		return r.hoist(o.Level, arg(0).parts[1])
	case program.RotHoisted:
		return r.rotateHoisted(o, arg(0), r.hoisted(o))
	case program.Lintrans:
		return r.lintrans(o, arg(0), r.hoisted(o))
	case program.Rotsum:
		return r.rotsum(o, arg(0), r.hoisted(o))
	}
	panic("cpu: no such opcode: " + o.Code.String())
}

// hoisted returns the ciphertext whose decomposition an operation reads.
func (r *run) hoisted(o *program.Op) *value { return &r.vals[r.prog.Ops()[o.Args[0]].Args[0]] }

func (r *run) input(o *program.Op) value {
	ct := r.in.Get(r.prog.Inputs()[o.Port].Name)[o.Index]
	var v value
	for p := 0; p <= ct.Degree(); p++ {
		var rows [][]uint64
		for i := 0; i <= ct.Level(); i++ {
			rows = append(rows, ct.Limb(p, i))
		}
		v.parts = append(v.parts, rows)
	}
	return v
}

// output returns a copy of a value, out of the pooled rows, and checks that every word is below its prime.
func (r *run) output(o *program.Op, x *value) *fhe.Ciphertext {
	limbs := make([][][]uint64, o.Degree+1)
	for p := range limbs {
		limbs[p] = make([][]uint64, o.Level+1)
		for i := range limbs[p] {
			limbs[p][i] = slices.Clone(x.parts[p][i])
		}
	}
	ct, err := fhe.CiphertextFromLimbs(r.prog.Parameters(), limbs, o.LogSlots, o.Scale)
	if err != nil {
		panic(err)
	}
	return ct
}

// rowwise computes every row of the result in parallel.
func (r *run) rowwise(o *program.Op, f func(part, row int, s *lattice.SubRing, out []uint64)) value {
	v := newParts(r.pool, o.Degree, o.Level)
	q := o.Level + 1
	r.team.do((o.Degree+1)*q, func(t int) {
		part, row := t/q, t%q
		f(part, row, r.ring.RingQ(row), v.parts[part][row])
	})
	return *v
}

func (r *run) each(o *program.Op, x *value, f func(s *lattice.SubRing, x, out []uint64)) value {
	return r.rowwise(o, func(part, row int, s *lattice.SubRing, out []uint64) { f(s, x.parts[part][row], out) })
}

// combine adds or subtracts; a missing part is zero. SUB never has a second operand of higher degree.
func (r *run) combine(o *program.Op, x, y *value, f func(s *lattice.SubRing, x, y, out []uint64)) value {
	return r.rowwise(o, func(part, row int, s *lattice.SubRing, out []uint64) {
		switch {
		case part >= len(x.parts):
			copy(out, y.parts[part][row])
		case part >= len(y.parts):
			copy(out, x.parts[part][row])
		default:
			f(s, x.parts[part][row], y.parts[part][row], out)
		}
	})
}

func (r *run) plainSum(o *program.Op, x *value, f func(s *lattice.SubRing, x, y, out []uint64)) value {
	pl := r.plain[plainKey{o.Const, o.Rows[0], false}]
	return r.rowwise(o, func(part, row int, s *lattice.SubRing, out []uint64) {
		if part == 0 {
			f(s, x.parts[0][row], pl.q[row], out)
		} else {
			copy(out, x.parts[part][row])
		}
	})
}

func (r *run) mac(o *program.Op, c *scalars, acc, x *value) value {
	return r.rowwise(o, func(part, row int, s *lattice.SubRing, out []uint64) {
		if part < len(x.parts) {
			lattice.MulScalar(s, x.parts[part][row], c.first[row], c.second[row], out)
		} else {
			clear(out)
		}
		if part < len(acc.parts) {
			lattice.AddMul(s, acc.parts[part][row], c.m[row], out)
		}
	})
}

func (r *run) tensor(o *program.Op, x, y *value) value {
	v := newParts(r.pool, 2, o.Level)
	r.team.do(o.Level+1, func(i int) {
		lattice.Tensor(r.ring.RingQ(i), x.parts[0][i], x.parts[1][i], y.parts[0][i], y.parts[1][i], v.parts[0][i],
			v.parts[1][i], v.parts[2][i])
	})
	return *v
}

// lincomb computes a group of linear combinations of the same operands as one matrix product, by part, row and block
// of coefficients.
func (r *run) lincomb(g group) {
	o := &r.prog.Ops()[g.first]
	outs := make([]*value, g.count)
	for i := range outs {
		outs[i] = newParts(r.pool, o.Degree, o.Level)
	}
	var zero []uint64
	q := o.Level + 1
	x, out := make([][][]uint64, (o.Degree+1)*q), make([][][]uint64, (o.Degree+1)*q)
	for t := range x {
		part, row := t/q, t%q
		for v := range o.Operands() {
			a := zero
			if p := r.vals[v].parts; part < len(p) {
				a = p[part][row]
			} else if zero == nil {
				zero = make([]uint64, r.n)
				a = zero
			}
			x[t] = append(x[t], a)
		}
		for _, v := range outs {
			out[t] = append(out[t], v.parts[part][row])
		}
	}
	block := min(r.n, 256)
	blocks := r.n / block
	w := r.weights[g.first]
	r.team.do(len(x)*blocks, func(i int) {
		t, lo := i/blocks, i%blocks*block
		lattice.Combine(r.ring.RingQ(t%q), x[t], w, g.count, lo, lo+block, out[t])
	})
	for i, v := range outs {
		r.vals[g.first+i] = *v
	}
}

func (r *run) rescale(o *program.Op, x *value) value {
	last := r.ring.RingQ(o.Level + 1)
	z := r.pool.rows(o.Degree + 1)
	r.team.do(o.Degree+1, func(p int) {
		last.INTT(x.parts[p][o.Level+1], z[p])
		lattice.RescalePre(last, z[p])
	})
	v := r.rowwise(o, func(part, row int, s *lattice.SubRing, out []uint64) {
		tmp := r.pool.row()
		lattice.RescaleRow(s, last, z[part], x.parts[part][row], r.resc[o.Level+1][row], tmp, out)
		r.pool.put(tmp)
	})
	r.pool.put(z...)
	return v
}
