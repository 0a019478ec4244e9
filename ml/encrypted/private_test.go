package encrypted

import (
	"testing"

	"github.com/signet-ml/signet/ml"
)

// TestEncryptedZerosStayHidden: a program with encrypted weights has as many ciphertexts and the same layout of the
// input for a pruned model as for a full one, and bounds that are powers of two.
func TestEncryptedZerosStayHidden(t *testing.T) {
	build := func(prune bool) *Plan {
		c := kernel(3, 1, [2]int{3, 3}, ml.ConvOptions{Stride: [2]int{2, 2}, Groups: 1}, 1).(*ml.Conv2dLayer)
		d := dense(4, 27, 2).(*ml.DenseLayer)
		if prune {
			for i := range c.W.Data {
				if i%9 < 3 {
					c.W.Data[i] = 0
				}
			}
			for i := range d.W.Data {
				if i%27 < 13 {
					d.W.Data[i] = 0
				}
			}
		}
		m, err := ml.SequentialFor([]int{1, 7, 7}, c, ml.Square(), ml.Flatten(), d)
		if err != nil {
			t.Fatal(err)
		}
		return compile(t, m, Target{EncryptedWeights: true, Patches: true})
	}
	full, pruned := build(false), build(true)
	a, b := full.Program(), pruned.Program()
	if len(a.Ops()) != len(b.Ops()) || len(full.Input().Layout.Runs) != len(pruned.Input().Layout.Runs) {
		t.Errorf("%d operations and %d runs, %d and %d for a pruned model", len(a.Ops()), len(full.Input().Layout.Runs), len(b.Ops()), len(pruned.Input().Layout.Runs))
	}
	for i, p := range full.WeightPorts() {
		if q := pruned.WeightPorts()[i]; p.Count != q.Count {
			t.Errorf("%s: %d ciphertexts, %d for a pruned model", p.Name, p.Count, q.Count)
		}
	}
	for _, p := range append(a.Inputs(), a.Outputs()...) {
		if p.Bound != powerAbove(p.Bound) {
			t.Errorf("%s: the bound %v is no power of two", p.Name, p.Bound)
		}
	}
}
