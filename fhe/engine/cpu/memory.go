package cpu

import (
	"github.com/signet-ml/signet/fhe/program"
)

// Memory returns the bytes that a job of p takes: switching keys and constants as Load expands them, and the rows that
// one run holds at its peak, the scratch of operations included. Inputs belong to the caller.
func Memory(p *program.Program) int64 {
	n := keyBytes(p) + peakRows(p)*rowBytes(p)
	for _, b := range constantBytes(p) {
		n += b
	}
	return n
}

func rowBytes(p *program.Program) int64 { return 8 * int64(p.Parameters().N()) }

// keyBytes returns the bytes of the switching keys and of the permutations that belong to them.
func keyBytes(p *program.Program) int64 { return (keyRows(p) + permutations(p)) * rowBytes(p) }

// permutations returns how many automorphisms the keys have.
func permutations(p *program.Program) (n int64) {
	for _, k := range p.Keys() {
		if k.GaloisElement != 0 {
			n++
		}
	}
	return n
}

// keyRows returns the rows of the switching keys.
func keyRows(p *program.Program) int64 {
	k := int64(p.Parameters().PCount())
	rows := int64(0)
	for _, r := range p.Keys() {
		digits := (int64(r.Level) + k) / k
		rows += 2 * digits * (int64(r.Level) + 1 + k)
	}
	return rows
}

// plainRows returns the rows that a constant polynomial is expanded to.
func plainRows(p *program.Program, u plainUse) int64 {
	rows := int64(u.level) + 1
	if u.special {
		rows += int64(p.Parameters().PCount())
	}
	return rows
}

// constantBytes returns, for every operation, the bytes of the constants that it is the first to use.
func constantBytes(p *program.Program) []int64 {
	uses := plainUses(p)
	out := make([]int64, len(p.Ops()))
	for i, o := range p.Ops() {
		if o.Code == program.Lincomb {
			out[i] = 8 * int64(p.Constants()[o.Const].Width)
		}
		for _, k := range plainsOf(&o) {
			if u, ok := uses[k]; ok {
				out[i] += plainRows(p, u) * rowBytes(p)
				delete(uses, k)
			}
		}
	}
	return out
}

// peakRows walks the schedule and returns the largest number of rows alive at a time.
func peakRows(p *program.Program) int64 {
	ops, last := p.Ops(), p.LastUses()
	k := int64(p.Parameters().PCount())
	size := func(o *program.Op) int64 {
		switch o.Code {
		case program.Input, program.Output, program.Drop, program.SetScale:
			return 0 // shared with the operand, or the caller's
		case program.Hoist:
			return (int64(o.Level) + k) / k * (int64(o.Level) + 1 + k)
		}
		return int64(o.Degree+1) * int64(o.Level+1)
	}
	scratch := func(o *program.Op) int64 {
		q := int64(o.Level) + 1
		switch o.Code {
		case program.Hoist:
			return q
		case program.Relin, program.MulRelin, program.Rot, program.Conj:
			return (q+k-1)/k*(q+k) + 2*(q+k) + 5*q
		case program.RotHoisted, program.Rotsum:
			return 4 * (q + k)
		case program.Lintrans:
			giants := map[int]bool{}
			for _, d := range o.Diagonals {
				_, g := program.BabyGiant(d, o.N1)
				giants[g] = true
			}
			return 2*int64(len(giants)+3)*(q+k) + (q+k-1)/k*(q+k)
		case program.Rescale:
			return 2*int64(o.Degree+1) + q
		}
		return 0
	}
	// Values that share rows keep them alive: DROP and SETSCALE extend the life of their operand.
	root := make([]int, len(ops))
	free := make([]program.Value, len(ops))
	for i := range ops {
		root[i] = i
		if c := ops[i].Code; c == program.Drop || c == program.SetScale {
			root[i] = root[ops[i].Args[0]]
		}
		free[root[i]] = max(free[root[i]], last[i])
	}
	ends := map[program.Value][]int{}
	for i := range ops {
		if root[i] == i {
			ends[free[i]] = append(ends[free[i]], i)
		}
	}
	var live, peak int64
	for _, s := range schedule(p) {
		for i := s.first; i < s.first+s.count; i++ {
			live += size(&ops[i])
		}
		sum := live
		for _, g := range s.groups {
			sum += scratch(&ops[g.first])
		}
		peak = max(peak, sum)
		for i := s.first; i < s.first+s.count; i++ {
			for _, v := range ends[program.Value(i)] {
				live -= size(&ops[v])
			}
		}
	}
	return peak
}
