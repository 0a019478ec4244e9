package fixedpoint

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"
)

// definition returns one of ops with scales that mean nothing.
func definition(in []int, input Interval, out []int, ops ...Op) Definition {
	return Definition{
		Architecture: Architecture{Semantics: SemanticsVersion, InputShape: in, OutputShape: out, Input: input, Ops: ops},
		Scales:       slices.Repeat([]float64{1}, len(ops)+1),
		Calibrated:   make([]float64, len(ops)+1),
	}
}

func build(t testing.TB, d Definition) *Model {
	t.Helper()
	m, err := New(d)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestTraceByHand(t *testing.T) {
	m := build(t, definition([]int{2}, Interval{-127, 127}, []int{1},
		Dense{Label: "0", In: 2, Out: 3, W: []int64{1, 2, -3, 4, 0, -1}, B: []int64{5, -6, 7}, WeightRange: symmetric(8), BiasRange: symmetric(16)},
		Rescale{Label: "1", Multiplier: 1, Shift: 1, Out: Interval{0, 127}},
		Square{Label: "2"}, Argmax{Label: "3"}))
	got, err := m.Trace([]int64{10, 20, -127, 127}, 2)
	if err != nil {
		t.Fatal(err)
	}
	want := [][]int64{{10, 20, -127, 127}, {55, 44, -13, 132, 883, -120}, {28, 22, 0, 66, 127, 0}, {784, 484, 0, 4356, 16129, 0}, {0, 1}}
	if !slices.EqualFunc(got, want, slices.Equal) {
		t.Errorf("got %v, want %v", got, want)
	}
	if out, err := m.Forward([]int64{10, 20, -127, 127}, 2); err != nil || !slices.Equal(out, want[4]) || !slices.Equal(m.Labels(out), []int{0, 1}) {
		t.Errorf("forward: %v, %v", out, err)
	}
}

// TestRescaleEdges states the rounding rule in numbers.
func TestRescaleEdges(t *testing.T) {
	for _, c := range []struct {
		m      int64
		s      int
		lo, hi int64
		x, y   int64
	}{
		{1, 0, -10, 10, 7, 7}, {1, 0, -10, 10, 11, 10}, {1, 0, -10, 10, -11, -10},
		// Halves go up for both signs.
		{1, 1, -10, 10, 1, 1}, {1, 1, -10, 10, -1, 0}, {1, 1, -10, 10, -3, -1}, {1, 1, -10, 10, 3, 2},
		{1, 2, -10, 10, 2, 1}, {1, 2, -10, 10, -2, 0}, {1, 2, -10, 10, -6, -1}, {1, 2, -10, 10, 6, 2},
		// A unit beside a half.
		{1, 8, -127, 127, 127, 0}, {1, 8, -127, 127, 128, 1}, {1, 8, -127, 127, -128, 0}, {1, 8, -127, 127, -129, -1},
		// Saturation comes after rounding: 127.49 stays, 127.5 is cut.
		{1, 8, -127, 127, 127*256 + 127, 127}, {1, 8, -127, 127, 127*256 + 128, 127}, {1, 8, -127, 127, -127*256 - 128, -127}, {1, 8, -127, 127, -127*256 - 129, -127},
		{1, 8, 0, 127, -1, 0}, {1, 8, 0, 127, -129, 0}, {1, 8, 0, 127, 1 << 40, 127}, {1, 8, 0, 127, -1 << 40, 0},
		// Multipliers.
		{3, 1, -10, 10, 1, 2}, {3, 1, -10, 10, -1, -1}, {math.MaxInt32, 31, -10, 10, 1, 1}, {math.MaxInt32, 31, -10, 10, -1, -1},
		// The largest shift.
		{1, 61, -10, 10, 1 << 60, 1}, {1, 61, -10, 10, 1<<60 - 1, 0}, {1, 61, -10, 10, -1 << 60, 0}, {1, 61, -10, 10, -1<<60 - 1, -1},
	} {
		o := Rescale{Multiplier: c.m, Shift: c.s, Out: Interval{c.lo, c.hi}}
		if got := o.apply(1, []int64{c.x})[0]; got != c.y {
			t.Errorf("%d·%d >> %d in [%d, %d] is %d, want %d", c.x, c.m, c.s, c.lo, c.hi, got, c.y)
		}
		if ref := reference(o, toBig([]int64{c.x}))[0].Int64(); ref != c.y {
			t.Errorf("the reference of %d·%d >> %d in [%d, %d] is %d, want %d", c.x, c.m, c.s, c.lo, c.hi, ref, c.y)
		}
		y := o.round(c.x)
		if cut := y > c.hi || y < c.lo && c.lo != 0; o.cuts(c.x) != cut {
			t.Errorf("%d·%d >> %d in [%d, %d] cuts: %v", c.x, c.m, c.s, c.lo, c.hi, !cut)
		}
	}
}

func TestArgmaxTies(t *testing.T) {
	for _, c := range []struct {
		x    []int64
		want int64
	}{{[]int64{1, 2, 2}, 1}, {[]int64{0, 0}, 0}, {[]int64{-3, -2, -2, -9}, 1}, {[]int64{5, 1, 5}, 0}} {
		if got := (Argmax{}).apply(1, c.x)[0]; got != c.want {
			t.Errorf("argmax of %v is %d, want %d", c.x, got, c.want)
		}
	}
}

// drawChain returns a model of random ops and weights.
func drawChain(t *rapid.T) Definition {
	integer := func(label string, lo, hi int) int { return rapid.IntRange(lo, hi).Draw(t, label) }
	drawIn := func(v Interval, n int, label string) []int64 {
		edges := rapid.OneOf(rapid.Int64Range(v.Lo, v.Hi), rapid.SampledFrom([]int64{v.Lo, v.Hi, v.clamp(0)}))
		return rapid.SliceOfN(edges, n, n).Draw(t, label)
	}
	shape := []int{integer("channels", 1, 4), integer("height", 1, 6), integer("width", 1, 6)}
	d := definition(slices.Clone(shape), rapid.SampledFrom([]Interval{{0, 127}, {-127, 127}, {-3, 5}, {2, 9}}).Draw(t, "input"), nil)
	bound := uniform(size(shape), d.Input)
	for i := range integer("ops", 1, 6) {
		label := fmt.Sprint(i)
		var o Op
		window := func() (kernel, stride, padding [2]int) {
			for k := range 2 {
				kernel[k] = integer("kernel", 1, min(3, shape[1+k]))
				stride[k], padding[k] = integer("stride", 1, 3), integer("padding", 0, kernel[k]/2)
			}
			return
		}
		ranges := func() (w, b Interval) {
			return symmetric(integer("weight bits", 2, 9)), rapid.SampledFrom([]Interval{symmetric(16), {-5, 9}, {0, 0}}).Draw(t, "bias range")
		}
		switch integer("kind", 0, 7) {
		case 0:
			w, b := ranges()
			l := Dense{Label: label, In: size(shape), Out: integer("out", 1, 5), WeightRange: w, BiasRange: b}
			l.W, l.B = drawIn(w, l.In*l.Out, "w"), drawIn(b, l.Out, "b")
			shape, o = []int{l.Out, 1, 1}, l
		case 1:
			w, b := ranges()
			l := Conv2d{Label: label, Channels: shape[0], Height: shape[1], Width: shape[2], Groups: 1, WeightRange: w, BiasRange: b, Dilation: [2]int{1, 1}}
			l.Kernel, l.Stride, l.Padding = window()
			for k := range 2 {
				if extent := 2*(l.Kernel[k]-1) + 1; extent <= shape[1+k] {
					l.Dilation[k] = integer("dilation", 1, 2)
				}
			}
			if l.Channels%2 == 0 && integer("grouped", 0, 1) == 1 {
				l.Groups = 2
			}
			l.Out = l.Groups * integer("out", 1, 2)
			l.W, l.B = drawIn(w, l.Out*l.linear().cols, "w"), drawIn(b, l.Out, "b")
			shape, o = []int{l.Out, l.window().grid().Out[0], l.window().grid().Out[1]}, l
		case 2:
			o = Rescale{label, int64(rapid.SampledFrom([]int{1, 1, 3, 1000}).Draw(t, "multiplier")), integer("shift", 0, 12), rapid.SampledFrom([]Interval{{0, 127}, {-127, 127}, {-8, 7}, {5, 5}}).Draw(t, "out")}
		case 3:
			v := bound.all()
			if v.Bits() > 8 {
				continue
			}
			lo := v.Lo - int64(integer("below", 0, 2))
			n := int(v.Hi-lo) + 1 + integer("above", 0, 2)
			o = Table{label, lo, drawIn(symmetric(9), n, "values")}
		case 4:
			if bound.all().magnitude() > 1<<16 {
				continue
			}
			o = Square{label}
		case 5:
			k, s, p := window()
			l := SumPool2d{label, shape[0], shape[1], shape[2], k, s, p}
			shape, o = []int{shape[0], l.window().grid().Out[0], l.window().grid().Out[1]}, l
		case 6:
			k, s, p := window()
			l := MaxPool2d{label, shape[0], shape[1], shape[2], k, s, p}
			shape, o = []int{shape[0], l.window().grid().Out[0], l.window().grid().Out[1]}, l
		case 7:
			if size(shape) < 2 {
				continue
			}
			shape, o = []int{1}, Argmax{label}
		}
		next, err := o.bounds(bound, true)
		if err != nil {
			t.Fatalf("bounds of %+v: %v", o, err)
		}
		d.Ops, bound = append(d.Ops, o), next
		if _, last := o.(Argmax); last {
			break
		}
		if bound.all().magnitude() > 1<<40 {
			break
		}
	}
	if len(d.Ops) == 0 {
		d.Ops = []Op{Square{"0"}}
	}
	d.OutputShape = shape
	d.Scales, d.Calibrated = slices.Repeat([]float64{1}, len(d.Ops)+1), make([]float64, len(d.Ops)+1)
	return d
}

// TestOpsMatchReference compares every tensor of random models with the oracle, and with
// both interval analyses.
//
// Soundness: S14.
func TestOpsMatchReference(t *testing.T) {
	var mu sync.Mutex
	kinds := map[string]int{}
	rapid.Check(t, func(t *rapid.T) {
		d := drawChain(t)
		m, err := New(d)
		if err != nil {
			t.Fatal(err)
		}
		batch := rapid.IntRange(1, 3).Draw(t, "batch")
		n := m.InputLen()
		in := rapid.SliceOfN(rapid.OneOf(rapid.Int64Range(d.Input.Lo, d.Input.Hi), rapid.SampledFrom([]int64{d.Input.Lo, d.Input.Hi})), batch*n, batch*n).Draw(t, "in")
		trace, err := m.Trace(in, batch)
		if err != nil {
			t.Fatal(err)
		}
		exact, worst := m.exact(), m.worst
		for s := range batch {
			x := toBig(in[s*n:][:n])
			for i, o := range m.Ops() {
				x = reference(o, x)
				w := m.sizes[i+1]
				got := trace[i+1][s*w:][:w]
				if !slices.Equal(toInts(x), got) {
					t.Fatalf("sample %d after op %d (%+v): %v, want %v", s, i, o, got, x)
				}
				for k, v := range got {
					if in := exact[i+1].over(k, k+1); !in.Contains(v) || !in.within(worst[i+1].over(k, k+1)) {
						t.Fatalf("element %d after op %d (%+v) is %d, in %v and in the worst case %v", k, i, o, v, in, worst[i+1].over(k, k+1))
					}
				}
			}
		}
		mu.Lock()
		defer mu.Unlock()
		for _, o := range m.Ops() {
			kinds[o.kind()]++
		}
	})
	if len(kinds) != len(opReaders) {
		t.Errorf("ops drawn: %v, want all kinds", kinds)
	}
}

func toInts(b ints) []int64 {
	v := make([]int64, len(b))
	for i, x := range b {
		v[i] = x.Int64()
	}
	return v
}

// TestBoundsAreReached finds the inputs, and the weights in their ranges, that touch both
// ends of an interval: analysis is exact for a single layer.
func TestBoundsAreReached(t *testing.T) {
	d := definition([]int{3}, Interval{-4, 9}, []int{2},
		Dense{Label: "d", In: 3, Out: 2, W: []int64{2, -3, 0, -7, 7, 1}, B: []int64{10, -20}, WeightRange: Interval{-7, 7}, BiasRange: Interval{-50, 40}})
	m := build(t, d)
	if got, want := m.exact()[1].groups, []Interval{{10 - 8 - 27, 10 + 18 + 12}, {-20 - 63 - 28 - 4, -20 + 28 + 63 + 9}}; !slices.Equal(got, want) {
		t.Errorf("exact: %v, want %v", got, want)
	}
	if got, want := m.Intervals(true)[1], (Interval{-50 - 3*63, 40 + 3*63}); got != want {
		t.Errorf("worst case: %v, want %v", got, want)
	}
	if got, want := m.Intervals(false)[1], (Interval{-115, 80}); got != want {
		t.Errorf("union: %v, want %v", got, want)
	}
	if r := m.Ranges(); len(r) != 1 || r[0] != (Range{"d", Interval{-239, 229}, Interval{-115, 80}, Interval{-25, 40}, Interval{-115, 80}, false}) {
		t.Errorf("ranges: %+v", r)
	}

	// A convolution whose kernel sticks out sees zeros, also where inputs are not zero.
	d = definition([]int{1, 2, 2}, Interval{3, 5}, []int{1, 2, 2},
		Conv2d{Label: "c", Channels: 1, Height: 2, Width: 2, Out: 1, Groups: 1, Kernel: [2]int{3, 3}, Stride: [2]int{1, 1}, Padding: [2]int{1, 1}, Dilation: [2]int{1, 1},
			W: slices.Repeat([]int64{2}, 9), B: []int64{1}, WeightRange: Interval{1, 2}, BiasRange: Interval{0, 1}})
	m = build(t, d)
	if got := m.Intervals(false)[1]; got != (Interval{1, 91}) {
		t.Errorf("convolution: %v, want [1, 91]", got)
	}
}

func TestSaturatesIsSaid(t *testing.T) {
	dense := Dense{Label: "d", In: 1, Out: 2, W: []int64{1, -2}, B: []int64{0, 0}, WeightRange: symmetric(8), BiasRange: symmetric(8)}
	for _, c := range []struct {
		out  Interval
		want bool
	}{{Interval{-20, 20}, false}, {Interval{-20, 9}, true}, {Interval{-19, 20}, true}, {Interval{0, 20}, false}, {Interval{0, 9}, true}} {
		m := build(t, definition([]int{1}, Interval{-10, 10}, []int{2}, dense, Rescale{"r", 1, 0, c.out}))
		if got := m.Ranges()[1].Saturates; got != c.want {
			t.Errorf("out %v: saturates %v", c.out, got)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	dense := Dense{Label: "d", In: 2, Out: 1, W: []int64{1, 2}, B: []int64{3}, WeightRange: symmetric(8), BiasRange: symmetric(16)}
	conv := Conv2d{Label: "c", Channels: 2, Height: 3, Width: 3, Out: 2, Groups: 1, Kernel: [2]int{2, 2}, Stride: [2]int{1, 1}, Dilation: [2]int{1, 1},
		W: make([]int64, 16), B: make([]int64, 2), WeightRange: symmetric(8), BiasRange: symmetric(16)}
	pool := SumPool2d{"p", 2, 3, 3, [2]int{2, 2}, [2]int{1, 1}, [2]int{}}
	wrap := func(in []int, out int, ops ...Op) Definition {
		return definition(in, Interval{-127, 127}, []int{out}, ops...)
	}
	change := func(d Definition, f func(*Definition)) Definition { f(&d); return d }
	two := []int{2}
	image := []int{2, 3, 3}
	for _, c := range []struct {
		name string
		d    Definition
		want string
	}{
		{"semantics", change(wrap(two, 1, dense), func(d *Definition) { d.Semantics = 2 }), "semantics version 2"},
		{"no ops", wrap(two, 2), "without ops"},
		{"nil op", wrap(two, 2, nil), "nil op"},
		{"many ops", wrap(two, 2, slices.Repeat([]Op{Square{"s"}}, maxOps+1)...), "more than"},
		{"input interval", change(wrap(two, 1, dense), func(d *Definition) { d.Input = Interval{1, 0} }), "interval [1, 0]"},
		{"input shape", wrap([]int{2, 0}, 1, dense), "input shape"},
		{"huge input", wrap([]int{1 << 20, 1 << 20}, 1, Square{"s"}), "at most"},
		{"output shape", wrap(two, 2, dense), "output shape"},
		{"scales", change(wrap(two, 1, dense), func(d *Definition) { d.Scales = d.Scales[:1] }), "1 scales"},
		{"scale zero", change(wrap(two, 1, dense), func(d *Definition) { d.Scales = []float64{1, 0} }), "scale 0"},
		{"scale nan", change(wrap(two, 1, dense), func(d *Definition) { d.Scales = []float64{math.NaN(), 1} }), "scale NaN"},
		{"calibrated", change(wrap(two, 1, dense), func(d *Definition) { d.Calibrated = []float64{-1, 0} }), "magnitude -1"},
		{"classes", change(wrap(two, 1, dense), func(d *Definition) { d.Classes = []string{"a"} }), "1 class names for a model with 2"},
		{"label", wrap(two, 1, Dense{In: 2, Out: 1}), "label"},
		{"same label", wrap(two, 2, Square{"s"}, Square{"s"}), "label"},
		{"long label", wrap(two, 2, Square{strings.Repeat("s", maxLabel+1)}), "label"},
		{"after argmax", wrap(two, 1, Argmax{"a"}, Square{"s"}), "after argmax"},
		{"argmax of one", wrap([]int{1}, 1, Argmax{"a"}), "argmax of one"},
		{"dense size", wrap([]int{3}, 1, dense), "3 elements in front"},
		{"no weights", wrap(two, 1, withWeights(dense, nil, nil)), "has weights"},
		{"few weights", wrap(two, 1, withWeights(dense, []int64{1}, []int64{1})), "1 weights"},
		{"no biases", wrap(two, 1, withWeights(dense, []int64{1, 2}, nil)), "0 biases"},
		{"weight range", wrap(two, 1, withWeights(dense, []int64{1, 128}, []int64{1})), "weight 1 lies outside [-127, 127]"},
		{"bias range", wrap(two, 1, withWeights(dense, []int64{1, 2}, []int64{1 << 15})), "bias 0 lies outside"},
		{"dense outputs", wrap(two, 1, Dense{Label: "d", In: 2, Out: -1}), "-1 outputs"},
		{"groups", wrap(image, 8, func() Op { c := conv; c.Groups = 3; return c }()), "3 groups"},
		{"no groups", wrap(image, 8, func() Op { c := conv; c.Groups = 0; return c }()), "0 groups"},
		{"stride", wrap(image, 8, func() Op { c := conv; c.Stride[1] = 0; return c }()), "stride of 0 columns"},
		{"dilation", wrap(image, 8, func() Op { c := conv; c.Dilation[0] = -1; return c }()), "dilation of -1 rows"},
		{"padding", wrap(image, 8, func() Op { c := conv; c.Padding[0] = 2; return c }()), "padding of 2 rows"},
		{"kernel", wrap(image, 8, func() Op { c := conv; c.Kernel[0] = 4; return c }()), "for a kernel that covers 4"},
		{"huge kernel", wrap(image, 8, func() Op { c := conv; c.Kernel = [2]int{maxWindow + 1, 1}; return c }()), "want 1 to"},
		{"channels", wrap(image, 8, func() Op { c := conv; c.Channels = 0; return c }()), "0 channels"},
		{"pool padding", wrap(image, 8, func() Op { p := pool; p.Padding[0] = 2; return p }()), "padding of 2 rows"},
		{"pool size", wrap([]int{17}, 8, pool), "17 elements in front, want 18"},
		{"multiplier", wrap(two, 2, Rescale{"r", 0, 1, symmetric(8)}), "multiplier 0"},
		{"shift", wrap(two, 2, Rescale{"r", 1, 62, symmetric(8)}), "shift 62"},
		{"rescale range", wrap(two, 2, Rescale{"r", 1, 1, Interval{1, 0}}), "interval"},
		{"table domain", wrap(two, 2, Table{"t", -127, make([]int64, 254)}), "[-127, 127] for a table over [-127, 126]"},
		{"table empty", wrap(two, 2, Table{"t", 0, nil}), "a table of 0"},
		{"table at the end", wrap(two, 2, Table{"t", math.MaxInt64, make([]int64, 3)}), "interval"},
		{"functions", change(wrap(two, 2, Table{"t", -127, make([]int64, 255)}), func(d *Definition) { d.Functions = []Function{{"tanh", 4, 127}} }), "255 rows"},
		{"function count", change(wrap(two, 1, dense), func(d *Definition) { d.Functions = []Function{{"tanh", 4, 127}} }), "1 functions for 0 tables"},
		{"function start", change(wrap(two, 2, Table{"t", -127, make([]int64, 256)}), func(d *Definition) { d.Functions = []Function{{"tanh", 4, 127}} }), "starts at -127"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := New(c.d); err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "fixedpoint: ") {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
	var oe *OpError
	if _, err := New(wrap([]int{3}, 1, dense)); !errors.As(err, &oe) || oe.Op != 0 || oe.Name != "d" {
		t.Errorf("got %v, want an OpError that names the op", err)
	}
	var de *DomainError
	if _, err := New(wrap(two, 2, Table{"t", -127, make([]int64, 254)})); !errors.As(err, &de) {
		t.Errorf("got %v, want a DomainError", err)
	}
}

// TestOverflowIsRefused walks each op to the border: magnitudes of 2^62-1 pass, one more
// does not.
func TestOverflowIsRefused(t *testing.T) {
	const top = 1<<62 - 1
	dense := func(w, b int64) Op {
		return Dense{Label: "d", In: 1, Out: 1, W: []int64{0}, B: []int64{0}, WeightRange: Interval{-w, w}, BiasRange: Interval{-b, b}}
	}
	for _, c := range []struct {
		name  string
		input Interval
		op    Op
		ok    bool
	}{
		{"product", Interval{0, 1 << 31}, dense(1<<31-1, 0), true},
		{"product", Interval{0, 1 << 31}, dense(1<<31, 0), false},
		{"sum", Interval{0, top - 5}, dense(1, 5), true},
		{"sum", Interval{0, top - 5}, dense(1, 6), false},
		{"square", Interval{-(1<<31 - 1), 0}, Square{"s"}, true},
		{"square", Interval{-1 << 31, 0}, Square{"s"}, false},
		{"multiplier", Interval{0, 1 << 60}, Rescale{"r", 3, 0, symmetric(8)}, true},
		{"multiplier", Interval{0, 1 << 60}, Rescale{"r", 4, 0, symmetric(8)}, false},
		{"rounding", Interval{0, 1 << 61}, Rescale{"r", 1, 61, symmetric(8)}, true},
		{"rounding", Interval{0, 1<<61 + 1<<60}, Rescale{"r", 1, 61, symmetric(8)}, false},
		{"input", Interval{-top, top - 1}, Rescale{"r", 1, 1, symmetric(8)}, true},
		{"input", Interval{-top, top}, Rescale{"r", 1, 1, symmetric(8)}, false},
	} {
		d := definition([]int{1}, c.input, []int{1}, c.op)
		if _, err := New(d); (err == nil) != c.ok || !c.ok && (!errors.Is(err, ErrOverflow) || !strings.Contains(err.Error(), "("+c.op.Name()+")")) {
			t.Errorf("%s of %v: %v", c.name, c.input, err)
		}
	}
	pool := SumPool2d{"p", 1, 2, 2, [2]int{2, 2}, [2]int{2, 2}, [2]int{}}
	for hi, ok := range map[int64]bool{1<<60 - 1: true, 1 << 60: false} {
		if _, err := New(definition([]int{1, 2, 2}, Interval{0, hi}, []int{1}, pool)); (err == nil) != ok || !ok && !errors.Is(err, ErrOverflow) {
			t.Errorf("sum of four to %d: %v", hi, err)
		}
	}
}

func TestTraceRefuses(t *testing.T) {
	m := build(t, definition([]int{2}, Interval{-3, 4}, []int{2}, Square{"s"}))
	for _, c := range []struct {
		in    []int64
		batch int
		want  string
	}{
		{nil, 0, "0 samples"}, {[]int64{1, 2}, 0, "0 samples"}, {[]int64{1, 2}, -1, "-1 samples"}, {[]int64{1, 2, 3}, 1, "1 samples of 2"}, {[]int64{1, 2}, 2, "2 samples of 2"},
		{[]int64{1, 5}, 1, "input 1 is 5, want a number in [-3, 4]"}, {[]int64{-4, 1}, 1, "input 0 is -4"},
	} {
		if _, err := m.Trace(c.in, c.batch); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: got %v, want %q", c.in, err, c.want)
		}
		if _, err := m.Forward(c.in, c.batch); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: got %v, want %q", c.in, err, c.want)
		}
	}
	in := []int64{1, 2}
	trace, err := m.Trace(in, 1)
	if err != nil {
		t.Fatal(err)
	}
	if trace[0][0] = 9; in[0] != 1 {
		t.Error("a trace shares memory with its input")
	}
}

// TestModelIsItsOwn changes what a model was made of, and what it gave away.
func TestModelIsItsOwn(t *testing.T) {
	d := definition([]int{2}, Interval{-3, 4}, []int{2},
		Dense{Label: "d", In: 2, Out: 2, W: []int64{1, 0, 0, 1}, B: []int64{0, 0}, WeightRange: symmetric(4), BiasRange: symmetric(4)},
		Rescale{"r", 1, 0, Interval{-3, 4}}, Table{"t", -3, []int64{1, 2, 3, 4, 5, 6, 7, 8}})
	d.Classes = []string{"a", "b"}
	m := build(t, d)
	d.Ops[0].(Dense).W[0], d.Ops[2].(Table).Values[0], d.Scales[0], d.Classes[0], d.InputShape[0] = 3, 9, 9, "z", 9
	d.Ops[1] = Square{"x"}
	m.Ops()[1] = Square{"x"}
	m.Scales()[0], m.Classes()[0], m.InputShape()[0], m.OutputShape()[0] = 9, "z", 9, 9
	a := m.Architecture()
	a.Ops[2].(Table).Values[0] = 9
	got, err := m.Forward([]int64{-3, 4}, 1)
	if err != nil || !slices.Equal(got, []int64{1, 8}) {
		t.Errorf("got %v, %v", got, err)
	}
	if m.InputScale() != 1 || m.Classes()[0] != "a" || m.InputLen() != 2 || m.OutputLen() != 2 || m.InputShape()[0] != 2 || m.OutputShape()[0] != 2 {
		t.Error("the model changed with what it gave away")
	}
}

func TestConcurrentForward(t *testing.T) {
	m := build(t, definition([]int{64}, Interval{-3, 4}, []int{64},
		Dense{Label: "d", In: 64, Out: 64, W: slices.Repeat([]int64{1, -2, 3}, 64*64/3+1)[:64*64], B: make([]int64, 64), WeightRange: symmetric(4), BiasRange: symmetric(4)}))
	in := slices.Repeat([]int64{1, -3, 4, 2}, 16)
	want, err := m.Forward(in, 1)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if got, err := m.Forward(in, 1); err != nil || !slices.Equal(got, want) {
				t.Errorf("got %v, %v", got, err)
			}
		})
	}
	wg.Wait()
}
