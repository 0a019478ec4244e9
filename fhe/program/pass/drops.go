package pass

import "github.com/signet-ml/signet/fhe/program"

// limbwise lists the operations of which limb i needs only the limbs i of the operands: a lower level has the same
// words in fewer limbs. Lincombs are of this kind too, and stay at their level: a DROP of an operand would cut a range.
var limbwise = map[program.Opcode]bool{program.Zero: true, program.SetScale: true, program.Drop: true, program.Add: true,
	program.Sub: true, program.Neg: true, program.AddPt: true, program.SubPt: true, program.MulPt: true,
	program.AddConst: true, program.MulConst: true, program.MacConst: true, program.Mul: true}

// switching lists the operations that switch keys, and the decomposition before it.
var switching = map[program.Opcode]bool{program.Relin: true, program.MulRelin: true, program.Rot: true, program.Conj: true,
	program.Hoist: true, program.RotHoisted: true, program.Lintrans: true, program.Rotsum: true}

// stated lists the operations that state their level; that of the others is the lowest of their operands.
var stated = map[program.Opcode]bool{program.Zero: true, program.Drop: true, program.Hoist: true, program.RotHoisted: true,
	program.Lintrans: true, program.Rotsum: true}

// drops computes every limbwise operation at the highest level that one of its users needs.
func drops(e *edit) {
	e.lower(func(c program.Opcode) bool { return limbwise[c] })
}

// lowSwitches does the same with what switches keys. A HOIST comes down to the highest level of its users.
func lowSwitches(e *edit) {
	e.lower(func(c program.Opcode) bool { return limbwise[c] || switching[c] })
}

// lower computes the operations of the stated codes at the highest level that one of their users needs.
func (e *edit) lower(codes func(program.Opcode) bool) {
	level := e.needs(codes)
	dropped := make(map[[2]int]program.Value) // by value of the new list and level
	for v := range program.Value(len(e.old)) {
		o := e.mapped(v)
		if o.Code == program.Drop && e.out[o.Args[0]].Level == level[v] {
			e.use[v] = o.Args[0]
			continue
		}
		if level[v] < o.Level && !stated[o.Code] {
			lowest := o.Args[0]
			for _, a := range o.Args {
				if e.out[a].Level < e.out[lowest].Level {
					lowest = a
				}
			}
			if e.out[lowest].Level > level[v] {
				to := e.dropTo(lowest, level[v], &o, dropped)
				for i, a := range o.Args {
					if a == lowest {
						o.Args[i] = to
					}
				}
			}
		}
		o.Level = level[v]
		e.put(v, o)
	}
}

// dropTo returns x of the new list at a lower level, for user.
func (e *edit) dropTo(x program.Value, level int, user *program.Op, dropped map[[2]int]program.Value) program.Value {
	key := [2]int{int(x), level}
	if d, ok := dropped[key]; ok {
		return d
	}
	o, from := *user, &e.out[x] // a copy of the user has its scope
	o.Code, o.Args, o.Const, o.Rows, o.Galois, o.A, o.B, o.M = program.Drop, []program.Value{x}, 0, nil, nil, nil, nil, nil
	o.Level, o.Degree, o.LogSlots, o.Scale = level, from.Degree, from.LogSlots, from.Scale
	dropped[key] = e.insert(o)
	return dropped[key]
}

// needs returns the level at which every operation is to be computed, if those of the stated codes may be lowered. What
// is pinned stays, because its place would change, and so does a RESCALE, because it is by the prime of its level.
func (e *edit) needs(codes func(program.Opcode) bool) []int {
	need := make([]int, len(e.old))
	for i := range need {
		need[i] = -1
	}
	for i := len(e.old) - 1; i >= 0; i-- {
		o := &e.old[i]
		v := program.Value(i)
		if need[i] < 0 || !codes(o.Code) || e.pinned(v) {
			need[i] = o.Level
		}
		for _, x := range o.Args {
			from := need[i]
			// A pinned DROP stays, so its operand may not come down to its level.
			if o.Code == program.Rescale || o.Code == program.Drop && e.pinned(v) {
				from = e.old[x].Level
			}
			need[x] = max(need[x], from)
		}
		for _, r := range o.Ranges {
			if r.Count == 1 {
				need[r.First] = max(need[r.First], o.Level)
			}
		}
	}
	return need
}
