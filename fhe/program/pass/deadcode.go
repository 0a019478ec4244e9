package pass

import "github.com/signet-ml/signet/fhe/program"

func deadCode(e *edit) {
	live := make([]bool, len(e.old))
	// Ranges are walked by their ends, from the back: so the work does not grow with their widths.
	ends, starts := make([]int, len(e.old)), make([]int, len(e.old))
	open := 0
	for i := len(e.old) - 1; i >= 0; i-- {
		o := &e.old[i]
		open += ends[i]
		live[i] = live[i] || open > 0 || o.Code == program.Input || o.Code == program.Output
		open -= starts[i]
		if !live[i] {
			continue
		}
		for _, v := range o.Args {
			live[v] = true
		}
		for _, r := range o.Ranges {
			ends[int(r.First)+r.Count-1]++
			starts[r.First]++
		}
	}
	for v := range program.Value(len(e.old)) {
		if live[v] {
			e.put(v, e.mapped(v))
		}
	}
}
