package encrypted

import (
	"strings"
	"testing"

	"github.com/signet-ml/signet/fhe/engine/cpu"
	"github.com/signet-ml/signet/fhe/program/cost"
	"github.com/signet-ml/signet/ml"
)

// TestPlanCost: a plan's cost is the engine's, has a line for every layer, and grows with the model.
func TestPlanCost(t *testing.T) {
	small := compile(t, sequential(t, formula(6, 12), ml.Square(), formula(3, 6)), Target{Packing: Single})
	large := compile(t, sequential(t, formula(48, 200), ml.Square(), formula(10, 48)), Target{Packing: Single})
	c := small.Cost()
	here, err := cpu.Costs(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want, err := cpu.Estimate(small.Program(), here, 1)
	if err != nil {
		t.Fatal(err)
	}
	if c.Run != want.Run || c.PeakBytes() != cpu.Memory(small.Program()) || c.Threads != 1 {
		t.Errorf("%+v, want %+v", c, want)
	}
	one, err := small.CostBy(cost.Default(), 1)
	if err != nil {
		t.Fatal(err)
	}
	if two, err := small.CostBy(cost.Default(), 2); err != nil || two.Run >= one.Run {
		t.Errorf("two threads take %v, one %v; error %v", two.Run, one.Run, err)
	}
	if text := small.Describe(one); !strings.Contains(text, one.Machine) {
		t.Errorf("no %q in\n%s", one.Machine, text)
	}
	if big := large.Cost(); big.Run <= c.Run || big.PeakBytes() <= c.PeakBytes() {
		t.Errorf("the larger model costs %v and %d bytes, the smaller %v and %d", big.Run, big.PeakBytes(), c.Run, c.PeakBytes())
	}
	rotations, levels := 0, 0
	for _, s := range c.Scopes {
		rotations += s.Rotations
		levels += s.Entering - s.Leaving
		if s.Ops > 0 && !strings.Contains(small.String(), s.Name) {
			t.Errorf("%q is not in the plan:\n%v", s.Name, small)
		}
	}
	if rotations != small.Program().Rotations() || levels != small.Input().Level-small.Output().Level {
		t.Errorf("%d rotations, %d levels; the program has %d and consumes %d", rotations, levels, small.Program().Rotations(), small.Input().Level-small.Output().Level)
	}
	for _, bad := range []struct {
		t       *cost.Table
		threads int
	}{{nil, 1}, {cost.Default(), 0}} {
		if _, err := small.CostBy(bad.t, bad.threads); err == nil {
			t.Errorf("%+v: no error", bad)
		}
	}
}
