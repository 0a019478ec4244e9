package nn

import (
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/consensys/gnark/frontend"
)

// hostile returns a graph that a stranger may have written: small shapes that may not fit, and numbers near all limits.
func hostile(r *rand.Rand) Graph {
	edges := []int64{0, 0, 1, 1, 2, 3, 5, 7, 127, 255, 1 << 20, 1<<31 - 1, 1 << 31, 1 << 55, 1 << 61, 1<<62 - 1, 1 << 62, 1<<63 - 1}
	number := func() int64 {
		x := edges[r.IntN(len(edges))]
		if r.IntN(3) == 0 {
			x = -x
		}
		if r.IntN(50) == 0 {
			x = -1 << 63
		}
		return x
	}
	interval := func() Interval {
		a, b := number(), number()
		if r.IntN(8) > 0 {
			a, b = min(a, b), max(a, b)
		}
		if r.IntN(3) > 0 {
			a, b = a%1000, b%1000
		}
		return Interval{a, b}
	}
	size := func() int { return []int{1, 1, 1, 2, 2, 3, 4, 0, -1, 1 << 12, 1 << 40}[min(r.IntN(11), r.IntN(11))] }
	pair := func() [2]int { return [2]int{size(), size()} }
	values := func(n int) []int64 {
		if n < 0 || n > 100 || r.IntN(20) == 0 {
			n = r.IntN(4)
		}
		out := make([]int64, n)
		for i := range out {
			out[i] = number() % (1 << (1 + r.IntN(62)))
		}
		return out
	}
	g := Graph{Batch: size(), InputLen: 1 + r.IntN(4), Input: interval(), Hidden: r.IntN(2) == 0, Blinds: r.IntN(5)}
	public := r.IntN(2) == 0
	n := g.InputLen // of the tensor, as far as that is known
	for range 1 + r.IntN(4) {
		switch r.IntN(8) {
		case 0, 1:
			d := Dense{In: n, Out: 1 + r.IntN(3), WeightRange: interval(), BiasRange: interval()}
			if public {
				d.W, d.B = values(d.In*d.Out), values(d.Out)
			}
			n = d.Out
			g.Ops = append(g.Ops, d)
		case 2, 3:
			g.Ops = append(g.Ops, Rescale{Multiplier: max(1, number()), Shift: r.IntN(63), Out: interval()})
		case 4:
			g.Ops = append(g.Ops, Table{Lo: number(), Values: values(1 + r.IntN(20))})
		case 5:
			c := Conv2d{Channels: 1, Height: 1, Width: n, Out: size(), Groups: r.IntN(3), Kernel: pair(), Stride: pair(), Padding: pair(), Dilation: pair(), WeightRange: interval(), BiasRange: interval()}
			if public {
				c.W, c.B = values(c.Out*c.Kernel[0]*c.Kernel[1]), values(c.Out)
			}
			g.Ops = append(g.Ops, c)
		case 6:
			p := SumPool2d{Channels: 1, Height: n, Width: 1, Kernel: pair(), Stride: pair(), Padding: pair()}
			if r.IntN(2) == 0 {
				g.Ops = append(g.Ops, p)
			} else {
				g.Ops = append(g.Ops, MaxPool2d(p))
			}
		case 7:
			g.Ops = append(g.Ops, []Op{Square{}, Argmax{}, nil}[r.IntN(3)])
		}
	}
	return g
}

// TestHostileGraphs compiles graphs from strangers: New refuses them with a *GraphError or makes a circuit with as many
// constraints as it says.
//
// Soundness: S22.
func TestHostileGraphs(t *testing.T) {
	taken, seeds := 0, uint64(1500)
	if testing.Short() {
		seeds = 500
	}
	for seed := range seeds {
		g := hostile(rand.New(rand.NewPCG(seed, 1)))
		func() {
			defer func() {
				if p := recover(); p != nil {
					t.Errorf("graph %d: %+v: %v", seed, g, p)
				}
			}()
			c, err := New(g)
			var bad *GraphError
			if err != nil {
				if !errors.As(err, &bad) {
					t.Errorf("graph %d: %v", seed, err)
				}
				return
			}
			if taken++; c.Constraints() > 20_000 || taken%10 > 0 {
				return
			}
			s := compile(t, &circuit{c: c, Secret: make([]frontend.Variable, c.inputs)})
			if s.GetNbConstraints() != c.Constraints() {
				t.Errorf("graph %d: %+v: %d constraints, counted %d", seed, g, s.GetNbConstraints(), c.Constraints())
			}
		}()
	}
	if taken < int(seeds/30) {
		t.Errorf("only %d graphs compile", taken)
	}
}
