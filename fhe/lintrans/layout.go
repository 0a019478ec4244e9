package lintrans

import (
	"fmt"
	"slices"

	"github.com/signet-ml/signet/fhe/program"
)

// Layout says which element of a vector every slot holds: element l[s] lies in slot s, and -1 stands for none. Its
// length is a power of two. A vector shorter than a ciphertext repeats with that period; a longer one continues in the
// next ciphertext.
type Layout []int32

// check reports a layout that is not for vectors of n elements.
func (l Layout) check(n int) error {
	if len(l) == 0 || len(l)&(len(l)-1) != 0 {
		return fmt.Errorf("lintrans: a layout of %d slots, want a power of two", len(l))
	}
	for s, e := range l {
		if e < -1 || int(e) >= n {
			return fmt.Errorf("lintrans: slot %d of a layout holds element %d of %d", s, e, n)
		}
	}
	return nil
}

// Count returns the number of ciphertexts of so many slots. It leaves out those at the end that hold nothing: a port
// has none, and nobody need compute them.
func (l Layout) Count(slots int) int {
	n := max(1, len(l)/slots)
	for n > 1 && !slices.ContainsFunc(l[(n-1)*slots:n*slots], func(e int32) bool { return e >= 0 }) {
		n--
	}
	return n
}

// Runs returns the runs of a port that packs a vector in this layout, repeated over all slots.
func (l Layout) Runs(slots int) []program.Run {
	var runs []program.Run
	for c := range l.Count(slots) {
		ct := make([]int32, slots)
		for s := range ct {
			ct[s] = l[(c*slots+s)&(len(l)-1)]
		}
		runs = appendRuns(runs, c, ct)
	}
	return runs
}

// appendRuns appends the runs of one ciphertext: element holds what lies in every real slot, -1 for nothing.
func appendRuns(runs []program.Run, ciphertext int, element []int32) []program.Run {
	var cur program.Run
	flush := func() {
		if cur.Length > 0 {
			runs = append(runs, cur)
		}
		cur = program.Run{}
	}
	last := 0
	for s, e := range element {
		if e < 0 {
			continue
		}
		index := int(e)
		switch step := index - (cur.Index + cur.IndexStep*(cur.Length-1)); {
		case cur.Length == 1:
			cur.SlotStep, cur.IndexStep = s-last, step
			cur.Length++
		case cur.Length > 1 && s-last == cur.SlotStep && step == cur.IndexStep:
			cur.Length++
		default:
			flush()
			cur = program.Run{Ciphertext: ciphertext, Slot: s, Index: index, Length: 1}
		}
		last = s
	}
	flush()
	return runs
}

// Matrix is a matrix that is known by its entries other than zero.
type Matrix interface {
	Rows() int
	Cols() int
	// Row returns the columns, ascending, and the weights of a row. The slices are the matrix's own.
	Row(r int) (cols []int32, weights []float64)
}
