package nn

import (
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
)

// randomGraph returns a graph of up to six ops. It may be one that New refuses.
func randomGraph(r *rand.Rand) Graph {
	interval := func(width int64) Interval {
		lo := r.Int64N(2*width) - width
		return Interval{lo, lo + 1 + r.Int64N(width)}
	}
	// The tensor is seen as channels of h x w.
	c, h, w := 1+r.IntN(2), 1+r.IntN(4), 1+r.IntN(4)
	g := Graph{Batch: 1 + r.IntN(2), InputLen: c * h * w, Input: interval(100), Hidden: r.IntN(2) == 0, Blinds: 3}
	for range 1 + r.IntN(6) {
		pair := func(n int) [2]int { return [2]int{r.IntN(n), r.IntN(n)} }
		some := func(n int) [2]int { return [2]int{1 + r.IntN(n), 1 + r.IntN(n)} }
		out := func(in int, k, s, p, d int) int { return (in+2*p-d*(k-1)-1)/s + 1 }
		kernel, stride, padding := some(3), some(2), pair(2)
		switch r.IntN(9) {
		case 0:
			d := Dense{In: c * h * w, Out: 1 + r.IntN(6), WeightRange: interval(50), BiasRange: interval(1000)}
			g.Ops = append(g.Ops, d)
			c, h, w = d.Out, 1, 1
		case 1:
			dilation := some(2)
			v := Conv2d{Channels: c, Height: h, Width: w, Out: c * (1 + r.IntN(2)), Kernel: kernel, Stride: stride, Padding: padding, Dilation: dilation, WeightRange: interval(50), BiasRange: interval(1000)}
			if r.IntN(2) == 0 {
				v.Groups = c
			}
			g.Ops = append(g.Ops, v)
			c, h, w = v.Out, out(h, kernel[0], stride[0], padding[0], dilation[0]), out(w, kernel[1], stride[1], padding[1], dilation[1])
		case 2, 3, 4:
			g.Ops = append(g.Ops, Rescale{Multiplier: 1 + r.Int64N(9), Shift: r.IntN(8), Out: interval(1 << r.IntN(16))})
		case 5:
			g.Ops = append(g.Ops, Square{})
		case 6:
			g.Ops = append(g.Ops, SumPool2d{Channels: c, Height: h, Width: w, Kernel: kernel, Stride: stride, Padding: padding})
			h, w = out(h, kernel[0], stride[0], padding[0], 1), out(w, kernel[1], stride[1], padding[1], 1)
		case 7:
			g.Ops = append(g.Ops, MaxPool2d{Channels: c, Height: h, Width: w, Kernel: kernel, Stride: stride, Padding: padding})
			h, w = out(h, kernel[0], stride[0], padding[0], 1), out(w, kernel[1], stride[1], padding[1], 1)
		case 8:
			t := Table{Lo: -40, Values: fill(r, 80, interval(200))}
			g.Ops = append(g.Ops, Rescale{Multiplier: 1, Shift: r.IntN(5), Out: Interval{-40, 39}}, t)
		}
	}
	if r.IntN(2) == 0 {
		g.Ops = append(g.Ops, Argmax{})
	}
	return g
}

// Random graphs: honest traces are accepted, the count is exact, and lies are not accepted.
func TestRandomGraphs(t *testing.T) {
	r := rand.New(rand.NewPCG(20, 26))
	want := 60
	if testing.Short() {
		want = 10
	}
	for done := 0; done < want; {
		g := randomGraph(r)
		public := r.IntN(2) == 0
		linear := false
		for _, op := range g.Ops {
			switch op.(type) {
			case Dense, Conv2d:
				linear = true
			}
		}
		if !linear {
			g.Blinds = 0
		}
		if _, err := New(g); err != nil {
			var e *GraphError
			if !errors.As(err, &e) {
				t.Fatal(err)
			}
			continue
		}
		if public {
			g.Blinds = 0
		}
		n := random(r, g, public)
		c := build1(t, n.graph)
		done++
		s := newSolver(t, c)
		if got := s.system.GetNbConstraints() + 1; got != c.Constraints() {
			t.Errorf("%+v: %d constraints, counted %d", n.graph, got, c.Constraints())
		}
		honest := n.trace(n.input(r))
		secret := n.assigned(t, c, honest)
		if err := s.solved(t, secret); err != nil {
			t.Errorf("%+v: %v", n.graph, err)
		}
		op := r.IntN(len(n.graph.Ops))
		trace, ok := n.lie(honest, op, map[int]int64{r.IntN(len(honest[op+1])): 1 - 2*r.Int64N(2)})
		if !ok {
			continue
		}
		w, err := c.fill(n.assignment(t, c, trace))
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(w.Secret, secret) && s.solved(t, w.Secret) == nil {
			t.Errorf("%+v: a lie in op %d is accepted", n.graph, op)
		}
	}
}
