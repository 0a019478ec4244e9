package cpu

import (
	"github.com/signet-ml/signet/fhe/internal/lattice"
	"github.com/signet-ml/signet/fhe/program"
)

// hoist decomposes one polynomial, in the NTT domain, into digits over Q and P, in the NTT domain. The rows of a digit
// that it is made from are copies of the polynomial's own.
func (r *run) hoist(level int, c [][]uint64) value {
	k, q := r.ring.PCount(), level+1
	rows := r.ring.Rows(level)
	beta := r.ring.Digits(level)
	mem := r.pool.rows(beta * rows)
	v := value{mem: newMemory(mem)}
	for d := range beta {
		v.digits = append(v.digits, mem[d*rows:(d+1)*rows])
	}
	coeffs := r.pool.rows(q)
	r.team.do(q, func(i int) { r.ring.RingQ(i).INTT(c[i], coeffs[i]) })
	over := make([][]uint8, beta)
	if k > 1 {
		for d := range beta {
			if g := r.digits[level][d*k]; g.conv != nil {
				over[d] = r.pool.bytes()
			}
		}
		const piece = 1024
		r.team.do(beta, func(d int) {
			if g := r.digits[level][d*k]; g.conv != nil {
				r.team.chunks(r.n, piece, func(lo, hi int) { g.conv.Source(coeffs[g.lo:g.hi], over[d], lo, hi) })
			}
		})
	}
	r.team.do(beta*rows, func(t int) {
		d, i := t/rows, t%rows
		g, out := r.digits[level][d*k], v.digits[d][i]
		s := r.ring.Row(level, i)
		switch {
		case i >= g.lo && i < g.hi:
			copy(out, c[i])
			return
		case g.conv == nil:
			lattice.Center(coeffs[g.lo], r.ring.RingQ(g.lo).Modulus, s, out)
		case i < q:
			g.q[i].Write(coeffs[g.lo:g.hi], over[d], out)
		default:
			g.p[i-q].Write(coeffs[g.lo:g.hi], over[d], out)
		}
		s.NTT(out, out)
	})
	r.pool.put(coeffs...)
	r.pool.putBytes(over...)
	return v
}

// keyDot writes the two parts of digits·key over Q and P into acc[part][row].
func (r *run) keyDot(level int, digits [][][]uint64, key *switchingKey, acc [2][][]uint64) {
	rows := r.ring.Rows(level)
	beta := r.ring.Digits(level)
	r.team.do(2*rows, func(t int) {
		part, i := t/rows, t%rows
		dig := rowOf(digits, level, i, beta, r.ring.PCount())
		lattice.KeyDot(r.ring.Row(level, i), dig, key.row(part, level, i, beta), 0, acc[part][i])
	})
}

// rowOf returns row i at a level of the first beta digits, which may be those of a hoist at a higher level.
func rowOf(digits [][][]uint64, level, i, beta, k int) [][]uint64 {
	if i > level {
		i += len(digits[0]) - k - level - 1
	}
	out := make([][]uint64, beta)
	for d := range out {
		out[d] = digits[d][i]
	}
	return out
}

func (r *run) newQP(level int) (acc [2][][]uint64, mem [][]uint64) {
	rows := r.ring.Rows(level)
	mem = r.pool.rows(2 * rows)
	return [2][][]uint64{mem[:rows], mem[rows:]}, mem
}

// modDown divides polynomials over QP by P, rounded, and gives every row of the result to finish, which writes it where
// it belongs: it may be called for several rows at a time. The rows of x over P are destroyed.
func (r *run) modDown(level int, x [][][]uint64, finish func(poly, row int, s *lattice.SubRing, y []uint64)) {
	k, q := r.ring.PCount(), level+1
	d := r.down
	over := make([][]uint8, len(x))
	for i := range over {
		over[i] = r.pool.bytes()
	}
	if k == 1 {
		r.team.do(len(x), func(i int) {
			r.ring.RingP(0).INTT(x[i][q], x[i][q])
			d.conv.Source(x[i][q:], over[i], 0, r.n)
		})
	} else {
		r.team.do(len(x)*k, func(t int) {
			row := x[t/k][q+t%k]
			r.ring.RingP(t%k).INTT(row, row)
		})
		r.team.do(len(x), func(i int) {
			r.team.chunks(r.n, 1024, func(lo, hi int) { d.conv.Source(x[i][q:], over[i], lo, hi) })
		})
	}
	r.team.do(len(x)*q, func(t int) {
		poly, i := t/q, t%q
		s := r.ring.RingQ(i)
		tmp := r.pool.row()
		d.q[i].Write(x[poly][q:], over[poly], tmp)
		s.NTT(tmp, tmp)
		lattice.SubMul(s, x[poly][i], tmp, d.inv[i], tmp)
		finish(poly, i, s, tmp)
		r.pool.put(tmp)
	})
	r.pool.putBytes(over...)
}

// relin writes c0, c1 plus the key switch of c2.
func (r *run) relin(level int, x [][][]uint64, out [][][]uint64) {
	h := r.hoist(level, x[2])
	acc, mem := r.newQP(level)
	r.keyDot(level, h.digits, r.switching[0], acc)
	h.release(r.pool)
	r.modDown(level, acc[:], func(part, row int, s *lattice.SubRing, y []uint64) {
		s.Add(y, x[part][row], out[part][row])
	})
	r.pool.put(mem...)
}

func (r *run) rotate(o *program.Op, x *value) value {
	h := r.hoist(o.Level, x.parts[1])
	v := r.rotateHoisted(o, &h, x)
	h.release(r.pool)
	return v
}

// rotateHoisted switches keys, adds part 0 and only then permutes, as Lattigo does.
func (r *run) rotateHoisted(o *program.Op, h, x *value) value {
	level, g := o.Level, o.Galois[0]
	acc, mem := r.newQP(level)
	r.keyDot(level, h.digits, r.switching[g], acc)
	v := newParts(r.pool, 1, level)
	perm := r.perms[g]
	r.modDown(level, acc[:], func(part, row int, s *lattice.SubRing, y []uint64) {
		if part == 0 {
			s.Add(y, x.parts[0][row], y)
		}
		perm.Apply(y, v.parts[part][row])
	})
	r.pool.put(mem...)
	return *v
}
