package pass

import "github.com/signet-ml/signet/fhe/program"

// hoists turns the ROT and CONJ of one value into ROT_HOISTED of one HOIST at the value's own level, where the digits
// are the same ones. A HOIST at that level that is there already is shared, and moved before its new users.
func hoists(e *edit) {
	users := make([][]program.Value, len(e.old)) // ROT, CONJ and HOIST of a value, at its level
	for i := range e.old {
		o := &e.old[i]
		if o.Code == program.Rot || o.Code == program.Conj || o.Code == program.Hoist && o.Level == e.old[o.Args[0]].Level {
			users[o.Args[0]] = append(users[o.Args[0]], program.Value(i))
		}
	}
	block := make([]program.Value, len(e.old)) // the first value of the range that v lies in, or v
	for v := range block {
		block[v] = program.Value(v)
		if e.glue[v] {
			block[v] = block[v-1]
		}
	}
	before := make([][]program.Value, len(e.old)) // the first user of each HOIST to be made before v
	shared := make([]bool, len(e.old))            // users of a HOIST that is made
	for x, list := range users {
		// The HOIST comes before its first user, but not inside of a range.
		for len(list) > 0 && block[list[0]] <= program.Value(x) {
			list = list[1:]
		}
		if len(list) < 2 {
			continue
		}
		before[block[list[0]]] = append(before[block[list[0]]], list[0])
		for _, u := range list {
			shared[u] = true
		}
	}
	made := make([]program.Value, len(e.old)) // by operand
	for v := range program.Value(len(e.old)) {
		for _, u := range before[v] {
			o := e.mapped(u)
			if o.Code == program.Hoist {
				e.put(u, o)
			} else {
				o.Code, o.Galois = program.Hoist, nil
				e.insert(o)
			}
			made[e.old[u].Args[0]] = program.Value(len(e.out) - 1)
		}
		o := e.mapped(v)
		switch {
		case !shared[v]:
			e.put(v, o)
		case o.Code != program.Hoist:
			o.Code, o.Args[0] = program.RotHoisted, made[e.old[v].Args[0]]
			e.put(v, o)
		case e.at[v] == gone:
			e.use[v] = made[e.old[v].Args[0]]
		}
	}
}
