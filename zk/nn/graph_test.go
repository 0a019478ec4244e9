package nn

import (
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/signet-ml/signet/zk"
)

func TestRefusedGraphs(t *testing.T) {
	dense := Dense{In: 2, Out: 2, WeightRange: int8s, BiasRange: biases}
	public := Dense{In: 2, Out: 2, W: []int64{1, 2, 3, 4}, B: []int64{0, 0}}
	conv := Conv2d{Channels: 1, Height: 2, Width: 1, Out: 1, Kernel: [2]int{1, 1}, Stride: [2]int{1, 1}, WeightRange: int8s, BiasRange: biases}
	relu := Rescale{Multiplier: 1, Shift: 3, Out: uint7s}
	pool := SumPool2d{Channels: 1, Height: 2, Width: 1, Kernel: [2]int{2, 1}, Stride: [2]int{1, 1}}
	with := func(f func(g *Graph)) Graph {
		g := Graph{Batch: 1, InputLen: 2, Input: int8s, Blinds: 3, Ops: []Op{dense}}
		f(&g)
		return g
	}
	ops := func(ops ...Op) Graph { return with(func(g *Graph) { g.Ops = ops }) }
	for _, x := range []struct {
		name  string
		graph Graph
		op    int
		is    error
		text  string
	}{
		{"no batch", with(func(g *Graph) { g.Batch = 0 }), -1, nil, "samples"},
		{"huge batch", with(func(g *Graph) { g.Batch = math.MaxInt }), -1, nil, "samples"},
		{"no input", with(func(g *Graph) { g.InputLen = 0 }), -1, nil, "samples"},
		{"huge input", with(func(g *Graph) { g.InputLen = math.MaxInt }), -1, nil, "samples"},
		{"empty input interval", with(func(g *Graph) { g.Input = Interval{1, 0} }), -1, nil, "interval"},
		{"one input value", with(func(g *Graph) { g.Input = Interval{4, 4} }), -1, nil, "interval"},
		{"wide input", with(func(g *Graph) { g.Input = Interval{-limit, limit} }), -1, nil, "interval"},
		{"wider input", with(func(g *Graph) { g.Input = Interval{0, limit + 1} }), -1, nil, "interval"},
		{"no ops", ops(), -1, nil, "0 ops"},
		{"too many ops", ops(make([]Op, maxOps+1)...), -1, nil, "ops"},
		{"nil op", ops(dense, nil), 1, nil, "nil"},
		{"blinds, no private weights", with(func(g *Graph) { g.Ops = []Op{public} }), -1, nil, "blinds"},
		{"no blinds", with(func(g *Graph) { g.Blinds = 0 }), -1, nil, "blinds"},
		{"negative blinds", with(func(g *Graph) { g.Blinds = -1 }), -1, nil, "blinds"},
		{"public after private", ops(dense, relu, public), 2, ErrMixedWeights, ""},
		{"private after public", ops(public, relu, dense), 2, ErrMixedWeights, ""},
		{"private conv after public", ops(public, relu, conv), 2, ErrMixedWeights, ""},
		{"argmax in the middle", ops(dense, Argmax{}, relu), 1, nil, "last"},
		{"dense of another length", ops(Dense{In: 3, Out: 2}), 0, nil, "inputs"},
		{"dense without outputs", ops(Dense{In: 2}), 0, nil, "outputs"},
		{"dense with half the weights", ops(Dense{In: 2, Out: 2, W: []int64{1, 2}, B: []int64{0, 0}}), 0, nil, "weights"},
		{"weights without biases", ops(Dense{In: 2, Out: 2, W: []int64{1, 2, 3, 4}}), 0, nil, "both"},
		{"biases without weights", ops(Dense{In: 2, Out: 2, B: []int64{1, 2}}), 0, nil, "both"},
		{"a weight of 33 bits", ops(Dense{In: 2, Out: 1, W: []int64{1, 1 << 32}, B: []int64{0}}), 0, nil, "32 bits"},
		{"a bias over 2^62", ops(Dense{In: 2, Out: 1, W: []int64{1, 1}, B: []int64{limit + 1}}), 0, ErrOverflow, ""},
		{"the least bias", ops(Dense{In: 2, Out: 1, W: []int64{1, 1}, B: []int64{math.MinInt64}}), 0, ErrOverflow, ""},
		{"a sum over 2^62", ops(Dense{In: 2, Out: 1, W: []int64{1, 0}, B: []int64{limit - 126}}), 0, ErrOverflow, ""},
		{"weights of 33 bits", ops(Dense{In: 2, Out: 2, WeightRange: Interval{0, 1 << 31}}), 0, nil, "32 bits"},
		{"empty weight range", ops(Dense{In: 2, Out: 2, WeightRange: Interval{1, 0}}), 0, nil, "order"},
		{"private overflow", with(func(g *Graph) {
			g.Input, g.Ops = Interval{0, 1 << 40}, []Op{Dense{In: 2, Out: 1, WeightRange: Interval{math.MinInt32, math.MaxInt32}}}
		}), 0, ErrOverflow, ""},
		{"square overflow", with(func(g *Graph) { g.Input, g.Ops = Interval{0, 1<<31 + 1}, []Op{Square{}} }), 0, ErrOverflow, ""},
		{"rescale overflow", with(func(g *Graph) {
			g.Input, g.Ops = Interval{0, 1 << 40}, []Op{Rescale{Multiplier: 1 << 22, Shift: 40, Out: uint7s}}
		}), 0, ErrOverflow, ""},
		{"sum overflow", with(func(g *Graph) { g.Input, g.Ops = Interval{0, 1<<61 + 1}, []Op{pool} }), 0, ErrOverflow, ""},
		{"multiplier 0", ops(Rescale{Shift: 1, Out: uint7s}), 0, nil, "multiplier"},
		{"multiplier 2^31", ops(Rescale{Multiplier: 1 << 31, Out: uint7s}), 0, nil, "multiplier"},
		{"negative multiplier", ops(Rescale{Multiplier: -1, Out: uint7s}), 0, nil, "multiplier"},
		{"negative shift", ops(Rescale{Multiplier: 1, Shift: -1, Out: uint7s}), 0, nil, "shift"},
		{"shift 62", ops(Rescale{Multiplier: 1, Shift: 62, Out: uint7s}), 0, nil, "shift"},
		{"empty output", ops(Rescale{Multiplier: 1, Out: Interval{3, 2}}), 0, nil, "interval"},
		{"one output", ops(Rescale{Multiplier: 1, Out: Interval{3, 3}}), 0, nil, "interval"},
		{"table without rows", ops(Table{}), 0, nil, "rows"},
		{"table too short", ops(Table{Lo: -127, Values: make([]int64, 254)}), 0, nil, "between"},
		{"table too high", ops(Table{Lo: -126, Values: make([]int64, 300)}), 0, nil, "between"},
		{"table of huge values", ops(Table{Lo: -127, Values: append(make([]int64, 255), limit+1)}), 0, ErrOverflow, ""},
		{"table that wraps", ops(Table{Lo: math.MaxInt64, Values: make([]int64, 255)}), 0, ErrOverflow, ""},
		{"conv of another size", ops(Conv2d{Channels: 2, Height: 2, Width: 1, Out: 1, Kernel: [2]int{1, 1}, Stride: [2]int{1, 1}}), 0, nil, "elements"},
		{"conv groups", ops(Conv2d{Channels: 2, Height: 1, Width: 1, Out: 3, Groups: 2, Kernel: [2]int{1, 1}, Stride: [2]int{1, 1}}), 0, nil, "groups"},
		{"conv without outputs", ops(Conv2d{Channels: 2, Height: 1, Width: 1, Kernel: [2]int{1, 1}, Stride: [2]int{1, 1}}), 0, nil, "groups"},
		{"conv without stride", ops(Conv2d{Channels: 2, Height: 1, Width: 1, Out: 1, Kernel: [2]int{1, 1}}), 0, nil, "strides"},
		{"conv of huge padding", ops(Conv2d{Channels: 2, Height: 1, Width: 1, Out: 1, Kernel: [2]int{1, 1}, Stride: [2]int{1, 1}, Padding: [2]int{0, math.MaxInt}}), 0, nil, "padding"},
		{"conv of huge planes", ops(Conv2d{Channels: math.MaxInt, Height: 2, Width: 2, Out: 1, Kernel: [2]int{1, 1}, Stride: [2]int{1, 1}}), 0, nil, "channels"},
		{"conv of many windows", ops(Conv2d{Channels: 1, Height: 2, Width: 1, Out: 1 << 20, Kernel: [2]int{1, 1}, Stride: [2]int{1, 1}, Padding: [2]int{100, 100}}), 0, nil, "groups"},
		{"kernel larger than the input", ops(Conv2d{Channels: 2, Height: 1, Width: 1, Out: 1, Kernel: [2]int{2, 1}, Stride: [2]int{1, 1}}), 0, nil, "larger"},
		{"negative dilation", ops(Conv2d{Channels: 2, Height: 1, Width: 1, Out: 1, Kernel: [2]int{2, 1}, Stride: [2]int{1, 1}, Dilation: [2]int{-1, 1}}), 0, nil, "dilations"},
		{"pool of padding", ops(MaxPool2d{Channels: 2, Height: 1, Width: 1, Kernel: [2]int{1, 1}, Stride: [2]int{1, 1}, Padding: [2]int{1, 1}}), 0, nil, "padding"},
		{"pool of another size", ops(MaxPool2d{Channels: 3, Height: 1, Width: 1, Kernel: [2]int{1, 1}, Stride: [2]int{1, 1}}), 0, nil, "elements"},
	} {
		t.Run(x.name, func(t *testing.T) {
			_, err := New(x.graph)
			var e *GraphError
			if !errors.As(err, &e) {
				t.Fatalf("%v: want a *GraphError", err)
			}
			if e.Op != x.op || (x.is != nil && !errors.Is(err, x.is)) || !strings.Contains(err.Error(), x.text) {
				t.Errorf("%v: want op %d, %v, %q", err, x.op, x.is, x.text)
			}
		})
	}
}

// Ranges are what enumeration finds: exactly, with public weights; for private ones, over all weights and inputs.
func TestRanges(t *testing.T) {
	input := Interval{-2, 3}
	ops := []Op{
		Dense{In: 2, Out: 1, WeightRange: Interval{-3, 2}, BiasRange: Interval{-1, 4}},
		Rescale{Multiplier: 3, Shift: 1, Out: Interval{-5, 9}},
		Table{Lo: -5, Values: []int64{0, 9, 2, 3, 4, -7, 6, 7, 8, 1, 0, 1, 2, 3, 8}},
	}
	private := build1(t, Graph{Batch: 1, InputLen: 2, Input: input, Blinds: 3, Ops: ops})
	all := make([]Interval, len(ops))
	for i := range all {
		all[i] = Interval{math.MaxInt64, math.MinInt64}
	}
	for w0 := int64(-3); w0 <= 2; w0++ {
		for w1 := int64(-3); w1 <= 2; w1++ {
			for b := int64(-1); b <= 4; b += 5 {
				public := append([]Op{Dense{In: 2, Out: 1, W: []int64{w0, w1}, B: []int64{b}}}, ops[1:]...)
				n := &net{graph: Graph{Batch: 1, InputLen: 2, Input: input, Ops: public}, w: [][]int64{{w0, w1}}, b: [][]int64{{b}}}
				got := build1(t, n.graph).Ranges()
				for op := range public {
					seen := Interval{math.MaxInt64, math.MinInt64}
					for x0 := input.Lo; x0 <= input.Hi; x0++ {
						for x1 := input.Lo; x1 <= input.Hi; x1++ {
							y := n.trace([]int64{x0, x1})[op+1][0]
							seen = Interval{min(seen.Lo, y), max(seen.Hi, y)}
						}
					}
					all[op] = Interval{min(all[op].Lo, seen.Lo), max(all[op].Hi, seen.Hi)}
					// Not all values between two sums need occur, so only the dense layer's range is exact.
					if op == 0 && got[op] != seen || !got[op].Contains(seen.Lo) || !got[op].Contains(seen.Hi) {
						t.Fatalf("weights %d %d, bias %d, op %d: %v, want %v", w0, w1, b, op, got[op], seen)
					}
				}
			}
		}
	}
	for op, i := range private.Ranges() {
		if i != all[op] {
			t.Errorf("private, op %d: %v, want %v", op, i, all[op])
		}
	}
}

func TestMalformedTraces(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	n := random(r, mlp(2, 4, 3, 2), false)
	c := build1(t, n.graph)
	honest := n.trace(n.input(r))
	copied := func() [][]int64 {
		var out [][]int64
		for _, x := range honest {
			out = append(out, append([]int64{}, x...))
		}
		return out
	}
	for _, x := range []struct {
		name        string
		change      func(trace [][]int64) [][]int64
		op, element int
	}{
		{"nil", func([][]int64) [][]int64 { return nil }, -1, -1},
		{"a tensor less", func(x [][]int64) [][]int64 { return x[:4] }, -1, -1},
		{"a tensor more", func(x [][]int64) [][]int64 { return append(x, nil) }, -1, -1},
		{"no input", func(x [][]int64) [][]int64 { x[0] = nil; return x }, -1, -1},
		{"half an input", func(x [][]int64) [][]int64 { x[0] = x[0][:4]; return x }, -1, -1},
		{"long output", func(x [][]int64) [][]int64 { x[4] = append(x[4], 0); return x }, 3, -1},
		{"input out of range", func(x [][]int64) [][]int64 { x[0][5] = 128; return x }, -1, 5},
		{"the least input", func(x [][]int64) [][]int64 { x[0][5] = math.MinInt64; return x }, -1, 5},
		{"huge accumulator", func(x [][]int64) [][]int64 { x[1][4] = math.MaxInt64; return x }, 0, 4},
		{"wrong accumulator", func(x [][]int64) [][]int64 { y, _ := n.lie(x, 0, map[int]int64{4: 3}); return y }, 0, 3},
		{"wrong activation", func(x [][]int64) [][]int64 { x[2][1] ^= 1; return x }, 1, 1},
		{"wrong index", func(x [][]int64) [][]int64 { x[4][1] ^= 1; return x }, 3, 1},
		{"index plus 2", func(x [][]int64) [][]int64 { x[4][1] += 2; return x }, 3, 1},
		{"index less 2", func(x [][]int64) [][]int64 { x[4][1] -= 2; return x }, 3, 1},
	} {
		t.Run(x.name, func(t *testing.T) {
			a := n.assignment(t, c, honest)
			a.Trace = x.change(copied())
			_, err := c.Assign(a)
			var e *TraceError
			if !errors.As(err, &e) || e.Op != x.op || e.Element != x.element {
				t.Errorf("%v: want a *TraceError at op %d, element %d", err, x.op, x.element)
			}
			if _, err := c.Accumulators(a.Trace); x.name != "wrong accumulator" && !errors.As(err, &e) {
				t.Errorf("accumulators: %v", err)
			}
		})
	}
	for _, change := range []func(a *zk.Assignment){
		func(a *zk.Assignment) { a.Row = nil },
		func(a *zk.Assignment) { a.Row = a.Row[1:] },
		func(a *zk.Assignment) { a.Row = append(a.Row, a.Row[0]) },
		func(a *zk.Assignment) { a.Row[0].Double(&a.Row[0]) },
		func(a *zk.Assignment) { a.G = element(3) },
	} {
		a := n.assignment(t, c, honest)
		change(&a)
		if _, err := c.Assign(a); err == nil {
			t.Error("a row that is not that of the weights is accepted")
		}
	}
}

func TestAccumulators(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 9))
	n := random(r, mlp(2, 4, 3, 2), false)
	c := build1(t, n.graph)
	trace := n.trace(n.input(r))
	got, err := c.Accumulators(trace)
	if err != nil {
		t.Fatal(err)
	}
	want := append(append([]int64{}, trace[1]...), trace[3]...)
	if len(got) != c.Spec().Layout.Accumulators || len(got) != 2*3+2*2 {
		t.Fatalf("%d accumulators", len(got))
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("accumulator %d: %d, want %d", i, got[i], want[i])
		}
	}
}

func TestSpec(t *testing.T) {
	c := build1(t, mlp(3, 6, 4, 3))
	s := c.Spec()
	if s.Kind != zk.Inference || s.Version != zk.Semantics || s.Batch != 3 || !s.Class || !s.Hashed {
		t.Errorf("%+v", s)
	}
	if p := s.Input; p.Count != 18 || p.Lo != 0 || p.Hi != 127 {
		t.Errorf("input %+v", p)
	}
	if p := s.Output; p.Count != 3 || p.Lo != 0 || p.Hi != 2 {
		t.Errorf("output %+v", p)
	}
	if l := s.Layout; l.Rows() != 4 || l.Columns() != 6+1+4+1+3 || len(l.Blocks) != 2 || l.Blocks[1].Columns != 4 || l.Vector() != 3*(4+3)+2 {
		t.Errorf("layout %+v", l)
	}
	if s := build1(t, mlp(1, 6, 3)).Spec(); s.Hashed || !s.Class {
		t.Errorf("one class index: %+v", s)
	}
	groups := build1(t, small()["conv groups"]).Spec().Layout
	if len(groups.Blocks) != 2 || groups.Blocks[1].Rows != 2 || groups.Blocks[1].Columns != 9 || groups.Blocks[1].Name != "conv/1" {
		t.Errorf("groups: %+v", groups)
	}
	public := random(rand.New(rand.NewPCG(1, 1)), Graph{Batch: 1, InputLen: 2, Input: int8s, Ops: []Op{Dense{In: 2, Out: 2, WeightRange: int8s}}}, true)
	if s := build1(t, public.graph).Spec(); s.Layout.Blocks != nil || s.Class || !s.Hashed {
		t.Errorf("public: %+v", s)
	}
}
