package lintrans

import (
	"testing"
	"time"

	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/engine/cpu"
	"github.com/signet-ml/signet/fhe/program"
	"github.com/signet-ml/signet/fhe/program/cost"
)

// TestDefaultCostAgrees compares the numbers that shapes are chosen by with the shipped table.
func TestDefaultCostAgrees(t *testing.T) {
	for logN := 12; logN <= 15; logN++ {
		c := CostOf(cost.Default(), logN)
		for name, r := range map[string]float64{"key rows": c.KeyRow / DefaultCost.KeyRow, "rows": c.Row / DefaultCost.Row} {
			if r < 0.6 || r > 1.7 {
				t.Errorf("N=2^%d, %s: %.2f of DefaultCost: %+v", logN, name, r, c)
			}
		}
	}
}

// estimate returns the engine's estimate of a product of a shape.
func estimate(t *testing.T, p fhe.Parameters, s Shape, level int) time.Duration {
	t.Helper()
	rows := make([][]int64, s.K)
	for i := range rows {
		rows[i] = make([]int64, p.N())
		rows[i][0] = int64(i)
	}
	c, err := program.NewPolynomials(rows, p.LogMaxSlots(), p.DefaultScale())
	if err != nil {
		t.Fatal(err)
	}
	b := program.NewBuilder(p)
	layout := program.Layout{Shape: []int{1}, Runs: []program.Run{{Length: 1}}}
	x := b.Input(program.Port{Name: "x", Count: 1, Level: level, Degree: 1, LogSlots: p.LogMaxSlots(), Scale: p.DefaultScale(), Bound: 1, Layout: layout})[0]
	y := s.Sum(b, b.Rescale(s.Emit(b, x, c)))
	b.Output(b.OutputPort("y", y, 1, layout), y)
	prog, _, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	e, err := cpu.Estimate(prog, cost.Default(), 1)
	if err != nil {
		t.Fatal(err)
	}
	return e.Run
}

// TestChoiceIsCheap: the shape that DefaultCost or CostOf chooses takes, by the engine's estimate, little more than
// with the fastest number of baby steps.
func TestChoiceIsCheap(t *testing.T) {
	for _, r := range []struct {
		logN, level int
		logQ, logP  []int
	}{{12, 1, []int{38, 28}, []int{40}}, {13, 3, []int{50, 36, 36, 36}, []int{56}}, {14, 6, []int{50, 45, 45, 45, 45, 45, 45}, []int{50}}, {14, 5, []int{50, 45, 45, 45, 45, 45}, []int{50, 50}}} {
		p, err := fhe.NewParameters(fhe.ParametersLiteral{LogN: r.logN, LogQ: r.logQ, LogP: r.logP, LogDefaultScale: 20})
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range [][2]int{{10, 784}, {128, 784}, {100, 845}, {256, 256}, {1, 30}} {
			for _, level := range []int{1, r.level} {
				all := map[string]Cost{"DefaultCost": DefaultCost, "CostOf": CostOf(cost.Default(), r.logN)}
				for name, c := range all {
					s, err := Choose(p.MaxSlots(), m[0], m[1], level, level-1, p.PCount(), c)
					if err != nil {
						t.Fatal(err)
					}
					best, got := s, estimate(t, p, s, level)
					least := got
					for s.N1 = 1; s.N1 <= s.K; s.N1 *= 2 {
						if e := estimate(t, p, s, level); e < least {
							best, least = s, e
						}
					}
					if got > least*5/4 {
						t.Errorf("%s, %d × %d at level %d of N=2^%d: %v, but %v with %d baby steps", name, m[0], m[1], level, r.logN, got, least, best.N1)
					}
				}
			}
		}
	}
}
