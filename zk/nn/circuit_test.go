package nn

import (
	"math/rand/v2"
	"testing"

	"github.com/consensys/gnark/frontend"
)

var (
	int8s  = Interval{-127, 127}
	uint7s = Interval{0, 127}
)

// mlp returns a multilayer perceptron with ReLU after every layer but the last, and an argmax.
func mlp(batch int, widths ...int) Graph {
	g := Graph{Batch: batch, InputLen: widths[0], Input: uint7s, Blinds: 3}
	for i := 1; i < len(widths); i++ {
		g.Ops = append(g.Ops, Dense{In: widths[i-1], Out: widths[i], WeightRange: int8s, BiasRange: Interval{-1 << 20, 1 << 20}})
		if i < len(widths)-1 {
			g.Ops = append(g.Ops, Rescale{Multiplier: 1, Shift: 9, Out: uint7s})
		}
	}
	g.Ops = append(g.Ops, Argmax{})
	return g
}

func TestMLP(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	n := random(r, mlp(1, 784, 128, 10), false)
	c := build1(t, n.graph)
	for _, x := range c.Costs() {
		t.Log(x)
	}
	s := newSolver(t, c)
	t.Log(c.Constraints(), s.system.GetNbConstraints(), c.inputs)
	secret := n.assigned(t, c, n.trace(n.input(r)))
	if err := s.solved(t, secret); err != nil {
		t.Error(err)
	}
	if n := compile(t, c.Blank()).GetNbConstraints(); n != c.Constraints() {
		t.Errorf("%d constraints, counted %d", n, c.Constraints())
	}
	_ = frontend.Variable(nil)
}
