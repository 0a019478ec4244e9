package nn

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/frontend"
	"github.com/consensys/gnark/test"
)

var (
	int8s  = Interval{-127, 127}
	uint7s = Interval{0, 127}
	biases = Interval{-1 << 12, 1 << 12}
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

// lenet returns the shape of LeNet-5 on 28 x 28 images, with ReLU and average pooling.
func lenet() Graph {
	bias := Interval{-1 << 16, 1 << 16}
	relu := Rescale{Multiplier: 1, Shift: 9, Out: uint7s}
	quarter := Rescale{Multiplier: 1, Shift: 2, Out: uint7s}
	return Graph{Batch: 1, InputLen: 784, Input: uint7s, Blinds: 3, Ops: []Op{
		Conv2d{Label: "conv1", Channels: 1, Height: 28, Width: 28, Out: 6, Kernel: [2]int{5, 5}, Stride: [2]int{1, 1}, Padding: [2]int{2, 2}, WeightRange: int8s, BiasRange: bias},
		relu,
		SumPool2d{Label: "pool1", Channels: 6, Height: 28, Width: 28, Kernel: [2]int{2, 2}, Stride: [2]int{2, 2}},
		quarter,
		Conv2d{Label: "conv2", Channels: 6, Height: 14, Width: 14, Out: 16, Kernel: [2]int{5, 5}, Stride: [2]int{1, 1}, WeightRange: int8s, BiasRange: bias},
		relu,
		SumPool2d{Label: "pool2", Channels: 16, Height: 10, Width: 10, Kernel: [2]int{2, 2}, Stride: [2]int{2, 2}},
		quarter,
		Dense{Label: "dense1", In: 400, Out: 120, WeightRange: int8s, BiasRange: bias},
		relu,
		Dense{Label: "dense2", In: 120, Out: 84, WeightRange: int8s, BiasRange: bias},
		relu,
		Dense{Label: "dense3", In: 84, Out: 10, WeightRange: int8s, BiasRange: bias},
		Argmax{},
	}}
}

// small returns graphs of a few elements that together hold every op and every way of building it.
func small() map[string]Graph {
	conv := func(c Conv2d) Conv2d {
		c.WeightRange, c.BiasRange = int8s, biases
		return c
	}
	one, two := [2]int{1, 1}, [2]int{2, 2}
	relu := Rescale{Multiplier: 1, Shift: 5, Out: Interval{0, 31}}
	out := map[string]Graph{
		"mlp":       mlp(1, 6, 4, 3),
		"mlp batch": mlp(3, 6, 4, 3),
		"one class": mlp(1, 6, 1),
		"values":    {InputLen: 3, Input: int8s, Ops: []Op{Dense{In: 3, Out: 2, WeightRange: int8s, BiasRange: biases}}},
		"hidden":    {InputLen: 3, Input: int8s, Hidden: true, Ops: []Op{Dense{In: 3, Out: 2, WeightRange: int8s, BiasRange: biases}, Argmax{}}},
		"narrow": {InputLen: 4, Input: Interval{-3, 3}, Ops: []Op{
			Dense{In: 4, Out: 3, WeightRange: Interval{-2, 2}, BiasRange: Interval{-5, 5}},
			Rescale{Multiplier: 3, Shift: 1, Out: Interval{-200, 200}}, // never saturates
			Dense{In: 3, Out: 1, WeightRange: Interval{-2, 2}, BiasRange: Interval{0, 0}},
		}},
		"shift 0": {InputLen: 2, Input: int8s, Ops: []Op{
			Dense{In: 2, Out: 2, WeightRange: int8s, BiasRange: biases},
			Rescale{Multiplier: 5, Out: Interval{-100000000, 100000000}},
			Dense{In: 2, Out: 2, WeightRange: int8s, BiasRange: biases},
			Rescale{Multiplier: 1, Out: Interval{-100, 1000}},
		}},
		"above": {InputLen: 2, Input: Interval{0, 50}, Ops: []Op{
			Rescale{Multiplier: 3, Shift: 2, Out: Interval{7, 100}},
			Rescale{Multiplier: 1, Out: Interval{9, 100}},
			Dense{In: 2, Out: 2, WeightRange: Interval{-3, 3}, BiasRange: Interval{0, 20}},
			Rescale{Multiplier: 3, Shift: 2, Out: Interval{-7, 1000}},
		}},
		"below": {InputLen: 2, Input: Interval{-50, 50}, Ops: []Op{
			Rescale{Multiplier: 3, Shift: 2, Out: Interval{-100, 20}},
			Rescale{Multiplier: 1, Out: Interval{-100, 18}},
			Dense{In: 2, Out: 2, WeightRange: Interval{-3, 3}, BiasRange: Interval{0, 20}},
			Rescale{Multiplier: 3, Shift: 2, Out: Interval{-1000, 5}},
		}},
		"table": {InputLen: 3, Input: int8s, Ops: []Op{
			Dense{In: 3, Out: 4, WeightRange: int8s, BiasRange: biases},
			Rescale{Multiplier: 1, Shift: 10, Out: Interval{-4, 3}},
			Table{Lo: -5, Values: []int64{9, 8, 7, 7, 0, -3, 2, 1, 1, 1}},
			Table{Lo: -5, Values: []int64{1, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 233, 377, 610}},
		}},
		"square": {InputLen: 3, Input: int8s, Ops: []Op{
			Dense{In: 3, Out: 3, WeightRange: Interval{-3, 3}, BiasRange: biases},
			Square{},
			Rescale{Multiplier: 77, Shift: 14, Out: Interval{0, 99}},
		}},
		"clamp": {InputLen: 30, Input: Interval{-1, 1}, Ops: []Op{
			Rescale{Multiplier: 6, Shift: 1, Out: Interval{-2, 2}},
			Dense{In: 30, Out: 1, WeightRange: int8s, BiasRange: biases},
			Rescale{Multiplier: 1, Shift: 10, Out: Interval{-2, 1}},
			Table{Lo: -2, Values: []int64{4, 1, 0, 1}},
		}},
		"pools": {InputLen: 18, Input: int8s, Ops: []Op{
			MaxPool2d{Channels: 2, Height: 3, Width: 3, Kernel: two, Stride: one},
			SumPool2d{Channels: 2, Height: 2, Width: 2, Kernel: two, Stride: one, Padding: one},
			MaxPool2d{Channels: 2, Height: 3, Width: 3, Kernel: [2]int{3, 2}, Stride: two, Padding: one},
			Dense{In: 8, Out: 2, WeightRange: int8s, BiasRange: biases},
			MaxPool2d{Channels: 1, Height: 1, Width: 2, Kernel: [2]int{1, 2}, Stride: one},
		}},
		"conv": {InputLen: 32, Input: Interval{0, 31}, Ops: []Op{
			conv(Conv2d{Channels: 2, Height: 4, Width: 4, Out: 2, Kernel: [2]int{3, 3}, Stride: one, Padding: one}), relu,
			conv(Conv2d{Channels: 2, Height: 4, Width: 4, Out: 4, Groups: 2, Kernel: [2]int{3, 2}, Stride: two}), relu,
			Dense{In: 8, Out: 3, WeightRange: int8s, BiasRange: biases}, Argmax{},
		}},
		"conv groups": {InputLen: 50, Input: Interval{0, 31}, Ops: []Op{
			conv(Conv2d{Channels: 2, Height: 5, Width: 5, Out: 4, Groups: 2, Kernel: [2]int{3, 3}, Stride: one, Padding: one}),
			Argmax{},
		}},
		"conv strides": {InputLen: 49, Input: Interval{0, 31}, Ops: []Op{
			conv(Conv2d{Channels: 1, Height: 7, Width: 7, Out: 3, Kernel: [2]int{4, 3}, Stride: [2]int{2, 3}, Padding: [2]int{1, 2}}), relu,
			conv(Conv2d{Channels: 3, Height: 3, Width: 3, Out: 1, Kernel: two, Stride: one, Padding: [2]int{0, 3}, Dilation: [2]int{2, 1}}),
		}},
		"conv points": {InputLen: 8, Input: int8s, Ops: []Op{
			conv(Conv2d{Channels: 2, Height: 2, Width: 2, Out: 3, Kernel: one, Stride: one}), Rescale{Multiplier: 1, Shift: 8, Out: int8s},
			conv(Conv2d{Channels: 3, Height: 2, Width: 2, Out: 1, Kernel: two, Stride: one, Padding: two}),
		}},
	}
	for name, g := range out {
		g.Batch, g.Blinds = max(g.Batch, 1), 3
		out[name] = g
	}
	return out
}

// A subject is a small graph with random weights, its circuit, and a solver of that, which tests share.
type subject struct {
	n *net
	c *Circuit
	s *solver
}

var subjects = make(map[string]*subject)

// both calls f for every small graph, with private and with public weights.
func both(t *testing.T, f func(t *testing.T, r *rand.Rand, x *subject)) { subjected(t, false, f) }

// either is both, and in short tests with private or with public weights, in turns.
func either(t *testing.T, f func(t *testing.T, r *rand.Rand, x *subject)) {
	subjected(t, testing.Short(), f)
}

func subjected(t *testing.T, turns bool, f func(t *testing.T, r *rand.Rand, x *subject)) {
	graphs := small()
	for k, name := range slices.Sorted(maps.Keys(graphs)) {
		g := graphs[name]
		for _, public := range []bool{false, true} {
			if turns && public != (k%2 == 0) {
				continue
			}
			name := fmt.Sprintf("%s/%s", name, map[bool]string{false: "private", true: "public"}[public])
			t.Run(name, func(t *testing.T) {
				r := rand.New(rand.NewPCG(1, uint64(len(name))))
				x, ok := subjects[name]
				if !ok {
					if public {
						g.Blinds = 0
					}
					n := random(r, g, public)
					c := build1(t, n.graph)
					x = &subject{n, c, newSolver(t, c)}
					subjects[name] = x
				}
				f(t, r, x)
			})
		}
	}
}

func TestHonest(t *testing.T) {
	either(t, func(t *testing.T, r *rand.Rand, x *subject) {
		n, c, s := x.n, x.c, x.s
		inputs := 10
		if testing.Short() {
			inputs = 3
		}
		for range inputs {
			trace := n.trace(n.input(r))
			if err := s.solved(t, n.assigned(t, c, trace)); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// Both of gnark's judges, the engine that runs Define on values and the solver of the compiled system, are given the
// statement as the verifier would compute it.
//
// Soundness: P18, S14.
func TestStatement(t *testing.T) {
	either(t, func(t *testing.T, r *rand.Rand, x *subject) {
		n, c := x.n, x.c
		trace := n.trace(n.input(r))
		a := n.assignment(t, c, trace)
		w, err := c.Assign(a)
		if err != nil {
			t.Fatal(err)
		}
		// The engine's challenge depends on the committed values alone, as the prover's does.
		var p probe
		err = test.IsSolved(&probed{circuit{c: c, Secret: make([]frontend.Variable, c.inputs)}, &p}, &probed{*w.(*circuit), &p}, ecc.BN254.ScalarField())
		if err != nil {
			t.Fatal(err)
		}
		a.Statement = n.statement(t, c, a, p.h)
		if w, err = c.Assign(a); err != nil {
			t.Fatal(err)
		}
		if err := test.IsSolved(c.Blank(), w, ecc.BN254.ScalarField()); err != nil {
			t.Error(err)
		}
		a.Statement.Add(&a.Statement, &fr.Element{1})
		if w, err = c.Assign(a); err != nil {
			t.Fatal(err)
		}
		if err := test.IsSolved(c.Blank(), w, ecc.BN254.ScalarField()); err == nil {
			t.Error("another statement is accepted")
		}
	})
}

// The small graphs take every way there is to build an op.
func TestWays(t *testing.T) {
	ways := make(map[string]bool)
	both(t, func(_ *testing.T, _ *rand.Rand, x *subject) {
		for _, l := range x.c.layers {
			switch l := l.(type) {
			case *rescale:
				for _, q := range l.quotients {
					ways[fmt.Sprintf("rescale %d, shift %t, proven %t", l.form(q), l.Shift > 0, l.proven)] = true
				}
				ways[fmt.Sprintf("lookup %t", l.clamps != nil)] = true
			case *conv:
				ways[fmt.Sprintf("private %t, product %t, groups %t", l.private(), l.product != nil, l.groups > 1)] = true
			}
		}
	})
	for _, way := range []string{
		"rescale 0, shift false, proven false", "rescale 0, shift false, proven true",
		"rescale 0, shift true, proven false", "rescale 0, shift true, proven true",
		"rescale 1, shift false, proven true", "rescale 1, shift true, proven false", "rescale 1, shift true, proven true",
		"rescale 2, shift false, proven true", "rescale 2, shift true, proven false", "rescale 2, shift true, proven true",
		"rescale 3, shift false, proven false", "rescale 3, shift false, proven true",
		"rescale 3, shift true, proven false", "rescale 3, shift true, proven true",
		"lookup true",
		"private true, product true, groups true", "private true, product true, groups false",
		"private true, product false, groups true", "private true, product false, groups false",
		"private false, product false, groups true",
	} {
		if !ways[way] {
			t.Errorf("no small graph has: %s", way)
		}
	}
}

func TestCosts(t *testing.T) {
	both(t, func(t *testing.T, _ *rand.Rand, x *subject) {
		system := x.s.system
		if got := system.GetNbConstraints() + 1; got != x.c.Constraints() { // 1: the comparison with Statement
			t.Errorf("%d constraints, counted %d", got, x.c.Constraints())
		}
		if got := system.GetNbSecretVariables(); got != x.c.Inputs() {
			t.Errorf("%d secret inputs, counted %d", got, x.c.Inputs())
		}
		sum := 0
		for _, cost := range x.c.Costs() {
			if sum += cost.Constraints; cost.Part == "" || cost.Constraints < 1 || strings.HasPrefix(cost.Cause.String(), "Cause") {
				t.Errorf("%+v", cost)
			}
		}
		if sum != x.c.Constraints() {
			t.Errorf("costs add up to %d, not %d", sum, x.c.Constraints())
		}
	})
}
