package cpu

import (
	"slices"

	"github.com/signet-ml/signet/fhe/program"
)

// step is a run of consecutive operations that do not depend on one another: its groups may execute at the same time.
type step struct {
	first, count int // operations
	groups       []group
}

// group is one operation, or neighbouring LINCOMB operations over the same operands, which run as one matrix product.
type group struct{ first, count int }

// maxStep bounds the operations that run at the same time, and with them the memory of their results; a matrix product
// counts once, inputs and outputs not at all.
const maxStep = 16

func schedule(p *program.Program) []step {
	ops := p.Ops()
	var steps []step
	for i := 0; i < len(ops); {
		s := step{first: i}
		work := 0
		for i < len(ops) && work < maxStep && !dependsOn(&ops[i], s.first) {
			g := group{first: i, count: 1}
			for o := &ops[i]; o.Code == program.Lincomb && i+g.count < len(ops); g.count++ {
				next := &ops[i+g.count]
				if next.Code != program.Lincomb || next.Level != o.Level || next.Degree != o.Degree ||
					!slices.Equal(next.Ranges, o.Ranges) {
					break
				}
			}
			if c := ops[i].Code; c != program.Input && c != program.Output {
				work++
			}
			s.groups = append(s.groups, g)
			i += g.count
		}
		s.count = i - s.first
		steps = append(steps, s)
	}
	return steps
}

// dependsOn reports whether an operation reads a value made at or after first.
func dependsOn(o *program.Op, first int) bool {
	for v := range o.Operands() {
		if int(v) >= first {
			return true
		}
	}
	return false
}
