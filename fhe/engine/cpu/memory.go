package cpu

import (
	"github.com/signet-ml/signet/fhe/program"
)

// Memory returns the bytes that a job of p takes: switching keys and constants as Load expands them, and the rows that
// one run holds at its peak, the scratch of operations included. Inputs belong to the caller.
func Memory(p *program.Program) int64 {
	params := p.Parameters()
	k := int64(params.PCount())
	rows := int64(0)
	for _, r := range p.Keys() {
		digits := (int64(r.Level) + k) / k
		rows += 2*digits*(int64(r.Level)+1+k) + 1
	}
	for _, u := range plainUses(p) {
		rows += int64(u.level) + 1
		if u.special {
			rows += k
		}
	}
	weights := int64(0)
	for _, o := range p.Ops() {
		if o.Code == program.Lincomb {
			weights += 8 * int64(p.Constants()[o.Const].Width)
		}
	}
	return (rows+peakRows(p))*int64(params.N())*8 + weights
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
