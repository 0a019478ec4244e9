package cpu

import (
	"slices"

	"github.com/signet-ml/signet/fhe/internal/lattice"
	"github.com/signet-ml/signet/fhe/program"
)

// pTimes returns P·c for the rows of Q: how an unrotated value enters a sum over QP.
func (r *run) pTimes(level int, c [][]uint64) [][]uint64 {
	out := r.pool.rows(level + 1)
	r.team.do(level+1, func(i int) { r.ring.RingQ(i).MulScalarMontgomery(c[i], r.pModQ[i], out[i]) })
	return out
}

// rotation is a rotated value over QP that is never stored: its blocks are computed where they are used.
type rotation struct {
	perm lattice.Automorphism // nil for the identity
	key  *switchingKey
	pts  []*plain // Lintrans: the diagonal of each giant step, or nil
}

// block computes coefficients [off, off+len(out)) of one row, before the permutation, of a lazily rotated value.
func (r *run) block(rot *rotation, part, level, i, beta int, s *lattice.SubRing, digits [][]uint64, pc0 [][]uint64,
	off int, out []uint64) {
	lattice.KeyDot(s, digits, rot.key.row(part, level, i, beta), off, out)
	if part == 0 && i <= level {
		s.Add(out, pc0[i][off:off+len(out)], out)
	}
}

// scratch is what one task of a fused loop keeps in cache.
type scratch struct {
	buf    [lattice.Block]uint64
	turned [2][lattice.Block]uint64 // blocks of two rotated values, permuted
	accs   []lattice.Acc
}

// operand is a block of a value and what it is multiplied by, by giant step; nil is nothing.
type operand struct {
	x   []uint64
	pts []*plain
}

// add adds, for row i at a level, the products of one or two operands to the sum of each giant step.
func (sc *scratch) add(s *lattice.SubRing, operands []operand, level, i, off int) {
	first, last := &operands[0], &operands[len(operands)-1]
	n := len(first.x)
	for gi, p := range first.pts {
		q := last.pts[gi]
		switch {
		case len(operands) == 2 && p != nil && q != nil:
			sc.accs[gi].Mul2(s, p.row(level, i)[off:off+n], first.x, q.row(level, i)[off:off+n], last.x)
		case p != nil:
			sc.accs[gi].Mul(s, p.row(level, i)[off:off+n], first.x)
		case q != nil:
			sc.accs[gi].Mul(s, q.row(level, i)[off:off+n], last.x)
		}
	}
}

func (r *run) scratch(accs int) *scratch {
	sc, _ := r.scratches.Get().(*scratch)
	if sc == nil {
		sc = new(scratch)
	}
	if len(sc.accs) < accs {
		sc.accs = make([]lattice.Acc, accs)
	}
	return sc
}

// lintrans multiplies a hoisted value by diagonals with double hoisting. For every row of QP and both parts, block by
// block: each baby rotation's block is computed and permuted once, and added, times its diagonal, to the sum of each
// giant step, two baby rotations at a time.
// Rows need nothing from one another until the division by P, so they run in parallel.
func (r *run) lintrans(o *program.Op, h, x *value) value {
	level := o.Level
	// Baby steps use all digits of the hoist, also where the product is at a lower level: their bits are those of
	// rotations at the hoist's level, cut.
	rows, beta := r.ring.Rows(level), len(h.digits)
	var giants, babies []int
	for _, k := range o.Diagonals {
		b, g := program.BabyGiant(k, o.N1)
		babies, giants = append(babies, b), append(giants, g)
	}
	slices.Sort(babies)
	slices.Sort(giants)
	babies, giants = slices.Compact(babies), slices.Compact(giants)
	rots := make([]rotation, len(babies))
	params := r.prog.Parameters()
	for bi, b := range babies {
		rot := &rots[bi]
		if b != 0 {
			g := params.GaloisElement(b)
			rot.perm, rot.key = r.perms[g], r.switching[g]
		}
		rot.pts = make([]*plain, len(giants))
		for gi, g := range giants {
			if j, ok := slices.BinarySearch(o.Diagonals, g+b); ok {
				rot.pts[gi] = r.plain[plainKey{o.Const, o.Rows[j], true}]
			}
		}
	}
	pc := [2][][]uint64{r.pTimes(level, x.parts[0]), r.pTimes(level, x.parts[1])}
	sums, mem := make([][2][][]uint64, len(giants)), make([][]uint64, 0)
	for gi := range sums {
		acc, m := r.newQP(level)
		sums[gi], mem = acc, append(mem, m...)
	}
	block := min(lattice.Block, r.n)
	// A task is a row of one part, cut once more where there are fewer of them than would keep the threads busy.
	cuts := 1
	for cuts < r.n/block && 2*rows*cuts < 4*r.threads {
		cuts *= 2
	}
	span := r.n / cuts
	r.team.do(2*rows*cuts, func(t int) {
		part, i, lo := t/cuts/rows, t/cuts%rows, t%cuts*span
		s := r.ring.Row(level, i)
		dig := rowOf(h.digits, level, i, beta, r.ring.PCount())
		sc := r.scratch(len(giants))
		defer r.scratches.Put(sc)
		buf, accs := sc.buf[:block], sc.accs
		for off := lo; off < lo+span; off += block {
			for gi := range giants {
				accs[gi].Reset(block)
			}
			var two [2]operand
			held := 0
			for bi := range rots {
				rot := &rots[bi]
				switch {
				case rot.perm != nil:
					base := int(rot.perm[off]) &^ (block - 1)
					r.block(rot, part, level, i, beta, s, dig, pc[0], base, buf)
					if len(giants) == 1 { // permuting pays only if it is read more than once
						accs[0].MulGather(s, rot.pts[0].row(level, i)[off:off+block], buf, rot.perm[off:off+block], base)
						continue
					}
					x := sc.turned[held][:block]
					lattice.Gather(buf, rot.perm[off:off+block], base, x)
					two[held] = operand{x, rot.pts}
				case i <= level:
					two[held] = operand{pc[part][i][off : off+block], rot.pts}
				default:
					continue // P·c is zero modulo P
				}
				if held++; held == 2 {
					sc.add(s, two[:], level, i, off)
					held = 0
				}
			}
			if held > 0 {
				sc.add(s, two[:1], level, i, off)
			}
			for gi := range giants {
				accs[gi].Reduce(s, sums[gi][part][i][off:off+block])
			}
		}
	})
	r.pool.put(pc[0]...)
	r.pool.put(pc[1]...)
	total := r.giants(level, giants, sums)
	v := newParts(r.pool, 1, level)
	r.modDown(level, total[:], func(part, row int, s *lattice.SubRing, y []uint64) { copy(v.parts[part][row], y) })
	r.pool.put(mem...)
	return *v
}

// row returns the row of a QP polynomial at a level.
func (p *plain) row(level, i int) []uint64 {
	if i > level {
		return p.p[i-level-1]
	}
	return p.q[i]
}

// giants adds up the giant steps: each but 0 divides its part 1 by P, switches its key, adds part 0 and is permuted.
// The sum is left in the rows of the first.
func (r *run) giants(level int, giants []int, sums [][2][][]uint64) [2][][]uint64 {
	params := r.prog.Parameters()
	rows := r.ring.Rows(level)
	var total [2][][]uint64
	first := true
	if giants[0] == 0 {
		total, first = sums[0], false
	}
	for gi, j := range giants {
		if j == 0 {
			continue
		}
		g := params.GaloisElement(j)
		perm := r.perms[g]
		u := r.pool.rows(level + 1)
		r.modDown(level, [][][]uint64{sums[gi][1]}, func(_, row int, _ *lattice.SubRing, y []uint64) { copy(u[row], y) })
		h := r.hoist(level, u)
		r.pool.put(u...)
		acc, mem := r.newQP(level)
		r.keyDot(level, h.digits, r.switching[g], acc)
		h.release(r.pool)
		r.team.do(2*rows, func(t int) {
			part, i := t/rows, t%rows
			s := r.ring.Row(level, i)
			if part == 0 {
				s.Add(acc[0][i], sums[gi][0][i], acc[0][i])
			}
			if first {
				perm.Apply(acc[part][i], sums[gi][part][i])
			} else {
				lattice.AddGather(s, acc[part][i], perm, 0, total[part][i])
			}
		})
		r.pool.put(mem...)
		if first {
			total, first = sums[gi], false
		}
	}
	return total
}

// rotsum adds up automorphisms of a hoisted value over QP and divides by P once.
func (r *run) rotsum(o *program.Op, h, x *value) value {
	level := o.Level
	rows, beta := r.ring.Rows(level), r.ring.Digits(level)
	rots := make([]rotation, len(o.Galois))
	identity := false
	for k, g := range o.Galois {
		if g == 1 {
			identity = true
			continue
		}
		rots[k].perm, rots[k].key = r.perms[g], r.switching[g]
	}
	pc := [2][][]uint64{r.pTimes(level, x.parts[0])}
	if identity {
		pc[1] = r.pTimes(level, x.parts[1])
	}
	acc, mem := r.newQP(level)
	block := min(lattice.Block, r.n)
	cuts := 1
	for cuts < r.n/block && 2*rows*cuts < 4*r.threads {
		cuts *= 2
	}
	span := r.n / cuts
	r.team.do(2*rows*cuts, func(t int) {
		part, i, lo := t/cuts/rows, t/cuts%rows, t%cuts*span
		s := r.ring.Row(level, i)
		dig := rowOf(h.digits, level, i, beta, r.ring.PCount())
		sc := r.scratch(0)
		defer r.scratches.Put(sc)
		buf := sc.buf[:block]
		for off := lo; off < lo+span; off += block {
			out := acc[part][i][off : off+block]
			if identity && i <= level {
				copy(out, pc[part][i][off:off+block])
			} else {
				clear(out)
			}
			for k := range rots {
				rot := &rots[k]
				if rot.perm == nil {
					continue
				}
				base := int(rot.perm[off]) &^ (block - 1)
				r.block(rot, part, level, i, beta, s, dig, pc[0], base, buf)
				lattice.AddGather(s, buf, rot.perm[off:off+block], base, out)
			}
		}
	})
	r.pool.put(pc[0]...)
	if identity {
		r.pool.put(pc[1]...)
	}
	v := newParts(r.pool, 1, level)
	r.modDown(level, acc[:], func(part, row int, s *lattice.SubRing, y []uint64) { copy(v.parts[part][row], y) })
	r.pool.put(mem...)
	return *v
}
