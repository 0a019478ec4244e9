package nn

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/signet-ml/signet/zk"
)

// free reports whether a secret input may have any value as far as the constraints go, Statement apart, and why.
func free(a zk.Assignment, c *Circuit, i int, v fr.Element) (string, bool) {
	switch {
	case v == a.InputSalt || v == a.OutputSalt:
		return "a salt: only the digest that Statement holds depends on it", true
	case a.Row != nil && (v == a.Blinds[0] || v == a.Blinds[1]):
		return "a blind of v: only v(h) depends on it", true
	}
	if layout := c.Spec().Layout; layout.Blocks != nil {
		switch at := i - 1; {
		case i == 0 && layout.Rows() == 1:
			return "g: one row is combined with no other", true
		case at >= 0 && at >= layout.Columns()-layout.Blinds && at < layout.Columns():
			return "a blind of u: only u(h) depends on it", true
		}
	}
	return "", false
}

// Every secret input is changed in turn. The constraints but that on Statement refuse every change, except to inputs
// that are free by design; those change Statement.
//
// Soundness: S12, S13a.
func TestMutations(t *testing.T) {
	either(t, func(t *testing.T, r *rand.Rand, x *subject) {
		n, c, s := x.n, x.c, x.s
		trace := n.trace(nonzero(n, r))
		a := n.assignment(t, c, trace)
		secret := n.assigned(t, c, trace)
		idle := idle(n, c, trace)
		changes := []fr.Element{fr.One(), element(1000)}
		refused := 0
		for i := range secret {
			was := secret[i].(fr.Element)
			_, free := free(a, c, i, was)
			for k, by := range changes {
				if k > 0 && i%4 > 0 {
					continue // one change for every input, two for some
				}
				now := was
				now.Add(&now, &by)
				secret[i] = now
				err := s.solved(t, secret)
				switch {
				case free && err != nil:
					t.Errorf("input %d is free, but its change is refused", i)
				case !free && err == nil && !idle[i]:
					t.Errorf("input %d of %d was changed by %s", i, len(secret), by.String())
				case err != nil:
					refused++
				}
			}
			secret[i] = was
		}
		if refused == 0 {
			t.Error("nothing was refused")
		}
	})
}

// nonzero returns an input without zeros: the column of a weight whose input is zero is bound by u(h) alone.
func nonzero(n *net, r *rand.Rand) []int64 {
	in := n.input(r)
	for i := range in {
		for in[i] == 0 {
			in[i] = between(r, n.graph.Input)
		}
	}
	return in
}

// idle returns the secret inputs u of columns whose inputs are all zero: only u(h) depends on them.
func idle(n *net, c *Circuit, trace [][]int64) map[int]bool {
	out := make(map[int]bool)
	for op, l := range c.layers {
		var used func(column int) bool
		var p *parameters
		size := len(trace[op]) / n.graph.Batch
		switch l := l.(type) {
		case *dense:
			p = &l.parameters
			used = func(column int) bool {
				for s := range n.graph.Batch {
					if trace[op][s*size+column] != 0 {
						return true
					}
				}
				return false
			}
		case *conv:
			p = &l.parameters
			used = nil
			for group, k := range l.places {
				seen := make([]bool, k.columns)
				for s := range n.graph.Batch {
					for o := range l.outputs() {
						columns, inputs := l.gather(group*l.outs*l.outputs() + o)
						for i, column := range columns {
							seen[column] = seen[column] || trace[op][s*size+inputs[i]] != 0
						}
					}
				}
				for column, seen := range seen {
					out[1+k.at+column] = !seen
				}
			}
		}
		if used == nil || !p.private() {
			continue
		}
		for column := range p.columns {
			out[1+p.places[0].at+column] = !used(column)
		}
	}
	return out
}

// Every element of every tensor is changed by one, and the prover adapts whatever follows: later ops, limbs,
// multiplicities. For an op with private weights that is a wrong accumulator.
//
// Soundness: P23, S12.
func TestLies(t *testing.T) {
	either(t, func(t *testing.T, r *rand.Rand, x *subject) {
		n, c, s := x.n, x.c, x.s
		honest := n.trace(n.input(r))
		truth, lies := n.assigned(t, c, honest), 0
		defer func() {
			if lies == 0 && len(n.w) > 0 && n.graph.Blinds > 0 {
				t.Error("no lie was tried")
			}
		}()
		for op := range n.graph.Ops {
			for i := range honest[op+1] {
				for _, by := range []int64{1, -1} {
					trace, ok := n.lie(honest, op, map[int]int64{i: by})
					if !ok {
						continue // a later table has no such row
					}
					a := n.assignment(t, c, trace)
					if _, err := c.Assign(a); !traceError(err) {
						t.Errorf("op %d, element %d, by %d: Assign gives %v", op, i, by, err)
					}
					w, err := c.fill(a)
					if err != nil {
						t.Fatal(err)
					}
					if slices.Equal(w.Secret, truth) {
						continue // a value that is no input: there is nothing to lie about
					}
					lies++
					if s.solved(t, w.Secret) == nil {
						t.Errorf("op %d, element %d, by %d: accepted", op, i, by)
					}
				}
			}
		}
	})
}

// lie returns a trace in which an op adds errors to elements of its output and all other ops are right.
func (n *net) lie(honest [][]int64, op int, errors map[int]int64) (trace [][]int64, ok bool) {
	defer func() {
		if recover() != nil {
			ok = false
		}
	}()
	trace = slices.Clone(honest[:op+2])
	trace[op+1] = slices.Clone(trace[op+1])
	for i, by := range errors {
		trace[op+1][i] += by
	}
	linear := 0
	for i, o := range n.graph.Ops {
		var w, b []int64
		switch o.(type) {
		case Dense, Conv2d:
			w, b = n.w[linear], n.b[linear]
			linear++
		}
		if i <= op {
			continue
		}
		last := trace[i]
		size := len(last) / n.graph.Batch
		var next []int64
		for s := range n.graph.Batch {
			next = append(next, run(o, last[s*size:(s+1)*size], w, b)...)
		}
		trace = append(trace, next)
	}
	return trace, true
}

// Errors that cancel in a sum over layers, over samples or over outputs do not cancel here.
//
// Soundness: P14.
func TestOppositeErrors(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	n := random(r, mlp(2, 6, 4, 3), false)
	c := build1(t, n.graph)
	s := newSolver(t, c)
	honest := n.trace(n.input(r))
	try := func(name string, trace [][]int64) {
		t.Helper()
		w, err := c.fill(n.assignment(t, c, trace))
		if err != nil {
			t.Fatal(err)
		}
		if s.solved(t, w.Secret) == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	for _, errors := range []map[int]int64{{0: 1, 1: -1}, {0: 1, 4: -1}, {1: 512, 5: -512}} {
		trace, ok := n.lie(honest, 0, errors)
		if !ok {
			t.Fatal("no trace")
		}
		try(fmt.Sprintf("one layer, %v", errors), trace)
	}
	first, _ := n.lie(honest, 0, map[int]int64{2: 1})
	both, _ := n.lie(first, 2, map[int]int64{0: -1})
	try("two layers", both)
}

// A single rescale is small enough to try what a prover may put in its place.
//
// Soundness: P13, S13c.
func TestRescaleForgeries(t *testing.T) {
	n := &net{graph: Graph{Batch: 1, InputLen: 1, Input: Interval{-500, 500}, Ops: []Op{
		Rescale{Multiplier: 1, Shift: 3, Out: Interval{0, 31}},
	}}}
	c := build1(t, n.graph)
	s := newSolver(t, c)
	for _, x := range []int64{-500, -5, -4, -1, 0, 3, 4, 100, 243, 244, 252, 500} {
		honest := n.trace([]int64{x})
		for y := int64(-40); y < 80; y++ {
			trace := [][]int64{{x}, {y}}
			w, err := c.fill(n.assignment(t, c, trace))
			if err != nil {
				t.Fatal(err)
			}
			if ok := s.solved(t, w.Secret) == nil; ok != (y == honest[1][0]) {
				t.Errorf("rescale(%d) = %d: %v", x, y, ok)
			}
		}
	}
}

// A quotient of p-size: y - k/2^s for a remainder r + k is the same sum y 2^s + r in the field.
//
// Soundness: S13c.
func TestWrappedQuotient(t *testing.T) {
	n := &net{graph: Graph{Batch: 1, InputLen: 2, Input: Interval{0, 500}, Ops: []Op{
		Rescale{Multiplier: 1, Shift: 3, Out: Interval{0, 1000}}, // never saturates: inputs are out, and limbs of it
	}}}
	c := build1(t, n.graph)
	s := newSolver(t, c)
	trace := n.trace([]int64{100, 203})
	secret := n.assigned(t, c, trace)
	if err := s.solved(t, secret); err != nil {
		t.Fatal(err)
	}
	var eighth fr.Element
	eighth.SetInt64(8).Inverse(&eighth)
	changed := 0
	for i, v := range secret {
		v := v.(fr.Element)
		for k := int64(-8); k <= 8; k++ {
			var by, now fr.Element
			by.SetInt64(k).Mul(&by, &eighth)
			now.Sub(&v, &by)
			if _, free := free(n.assignment(t, c, trace), c, i, v); k == 0 || free {
				continue
			}
			secret[i] = now
			if s.solved(t, secret) == nil {
				t.Errorf("input %d less %d/8 is accepted", i, k)
			}
			changed++
		}
		secret[i] = v
	}
	if changed == 0 {
		t.Error("nothing was tried")
	}
}

// x0 = 128 and x1 = v pack to the same element as 0 and v + 1.
//
// Soundness: P16.
func TestInputOutOfRange(t *testing.T) {
	n := &net{graph: Graph{Batch: 1, InputLen: 2, Input: uint7s, Ops: []Op{
		Dense{In: 2, Out: 1, W: []int64{1, 1}, B: []int64{0}},
	}}}
	n.w, n.b = [][]int64{{1, 1}}, [][]int64{{0}}
	c := build1(t, n.graph)
	s := newSolver(t, c)
	for _, in := range [][]int64{{128, 5}, {-1, 5}, {0, 128}, {5, -128}} {
		trace := n.trace(in)
		if _, err := c.Assign(n.assignment(t, c, trace)); !traceError(err) {
			t.Errorf("%v: Assign gives %v", in, err)
		}
		w, err := c.fill(n.assignment(t, c, trace))
		if err != nil {
			t.Fatal(err)
		}
		if s.solved(t, w.Secret) == nil {
			t.Errorf("%v: accepted", in)
		}
	}
}

// Ranges that are no power of two: both ends are in, their neighbours and what a limb could still hold are not.
//
// Soundness: S5.
func TestInputRanges(t *testing.T) {
	for k, i := range []Interval{{0, 1}, {0, 2}, {-1, 1}, {-127, 127}, {-128, 127}, {5, 104}, {0, 999}, {-70000, 70000}, {3, 1 << 40}, {0, 1<<40 - 1}, {0, 3<<38 - 1}, {-limit, limit - 1}} {
		for _, count := range []int{1, 300} { // few inputs take limbs, many a table of their own
			if testing.Short() && count > 1 && k%4 != 3 {
				continue
			}
			g := Graph{Batch: 1, InputLen: count, Input: i, Ops: []Op{Rescale{Multiplier: 1, Out: Interval{-limit, limit - 1}}}}
			c, err := New(g)
			if err != nil {
				t.Fatal(err)
			}
			n := &net{graph: g}
			s := newSolver(t, c)
			size := i.Hi - i.Lo
			for _, x := range []int64{i.Lo, i.Hi, i.Lo + size/2, i.Lo - 1, i.Hi + 1, i.Lo - size - 1, i.Hi + size + 1, i.Lo - 1<<20, i.Hi + 1<<20} {
				in := make([]int64, count)
				for k := range in {
					in[k] = i.Lo
				}
				in[count-1] = x
				w, err := c.fill(n.assignment(t, c, [][]int64{in, in}))
				if err != nil {
					t.Fatal(err)
				}
				if ok := s.solved(t, w.Secret) == nil; ok != i.Contains(x) {
					t.Errorf("%v, %d inputs: %d: %v", i, count, x, ok)
				}
			}
		}
	}
}

// forged is an argmax whose prover picks the maximum and the marks.
type forged struct {
	*argmax
	most  int64
	marks []int64
}

func (f forged) build(b *build, in []number) ([]number, error) {
	return []number{f.index(b, in, f.most, f.marks)}, nil
}

// Ties, two selectors, none, and indices that are not the lowest.
//
// Soundness: P15.
func TestArgmaxForgeries(t *testing.T) {
	n := &net{graph: Graph{Batch: 1, InputLen: 4, Input: Interval{-9, 9}, Ops: []Op{Argmax{}}}}
	c := build1(t, n.graph)
	s := newSolver(t, c)
	for k, in := range [][]int64{{1, 2, 3, 4}, {4, 3, 2, 1}, {5, 5, 5, 5}, {0, 7, 7, 1}, {-9, -9, -9, 9}, {3, -3, 3, 3}} {
		if testing.Short() && k%2 == 0 {
			continue
		}
		accepted := 0
		for pattern := range 4 * 4 * 4 {
			marks := []int64{int64(pattern&3) - 1, int64(pattern>>2&3) - 1, int64(pattern>>4) - 1} // -1 to 2
			index := marks[0] + marks[1] + marks[2]
			for most := int64(-9); most <= 10; most++ {
				lying := *c
				lying.layers = []layer{forged{c.layers[0].(*argmax), most, marks}}
				w, err := lying.fill(n.assignment(t, c, [][]int64{in, {index}}))
				if err != nil {
					t.Fatal(err)
				}
				if s.solved(t, w.Secret) != nil {
					continue
				}
				if accepted++; index != n.trace(in)[1][0] {
					t.Errorf("%v: marks %v, maximum %d: accepted", in, marks, most)
				}
			}
		}
		if accepted != 1 {
			t.Errorf("%v: %d witnesses, want 1", in, accepted)
		}
	}
}
