package pass_test

import (
	"context"
	"math"
	"math/cmplx"
	"math/rand/v2"
	"testing"

	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/fhetest"
	"github.com/signet-ml/signet/fhe/program"
	"github.com/signet-ml/signet/fhe/program/pass"
)

// quieter fails the test if the error that the model expects of an output is more than 0.1 bits above that of p.
func quieter(t testing.TB, p, q *program.Program, c *program.Constants) {
	t.Helper()
	before, err := p.Noise(c, program.NoiseHints{})
	if err != nil {
		return // magnitudes beyond floats
	}
	after, err := q.Noise(c, program.NoiseHints{})
	if err != nil {
		t.Fatal(err)
	}
	outputs := func(p *program.Program, n []program.Noise) (out []float64) {
		for i := range p.Ops() {
			if p.Ops()[i].Code == program.Output {
				out = append(out, n[i].Error)
			}
		}
		return out
	}
	b, a := outputs(p, before), outputs(q, after)
	for i := range b {
		if b[i] == 0 { // a difference of equals; what is left of it after other roundings has no size to compare with
			continue
		}
		if bits := math.Log2(a[i]) - math.Log2(b[i]); bits > 0.5 { // the model sees a little less of what errors have in common
			t.Fatalf("output %d: the expected error grew by %.2f bits, from %g to %g\n%s\n%s", i, bits, b[i], a[i], dump(t, p), dump(t, q))
		}
	}
}

// sums returns a program of random trees of sums and differences of products, some of them rescaled before, some shared
// between trees, at two levels. With matrices some terms are LINTRANS.
func sums(t testing.TB, rng *rand.Rand, params fhe.Parameters, matrices bool) (*program.Program, *program.Constants) {
	t.Helper()
	b := program.NewBuilder(params)
	x := input(b, 4)
	for v := range x {
		x = append(x, b.Drop(x[v], params.MaxLevel()-1))
	}
	c := polynomials(t, 3, params.LogMaxSlots(), fhe.PowerOfTwo(40))
	const scaled, unscaled, mixed = 0, 1, 2 // at the default scale; before a RESCALE; before it and at two levels
	var shared [3][]program.Value
	var tree func(depth, kind int) program.Value
	tree = func(depth, kind int) program.Value {
		list := &shared[kind]
		if len(*list) > 0 && rng.IntN(8) == 0 {
			return (*list)[rng.IntN(len(*list))]
		}
		y, z := x[rng.IntN(4)], x[rng.IntN(4)]
		if kind == mixed {
			y, z = x[rng.IntN(8)], x[rng.IntN(8)]
		}
		var v program.Value
		switch n := rng.IntN(10); {
		case depth > 0 && n < 5:
			v = b.Add(tree(depth-1, kind), tree(depth-1, kind))
		case depth > 0 && n < 7:
			v = b.Sub(tree(depth-1, kind), tree(depth-1, kind))
		case kind == scaled:
			v = b.Rescale(tree(max(depth-1, 0), unscaled))
		case n == 7:
			v = b.Relin(b.Mul(y, z))
		case n == 8 && matrices:
			v = b.Lintrans(b.Hoist(y, b.Level(y)), c, []int{0, 2}, []int{0, 1}, 2, b.Level(y))
		default:
			v = b.MulRelin(y, z)
		}
		*list = append(*list, v)
		return v
	}
	for _, name := range []string{"a", "b", "c"} {
		output(b, name, tree(4, scaled))
	}
	output(b, "d", tree(4, mixed))
	return build(t, b)
}

// clear computes the slots of every output of a program of sums.
func clear(p *program.Program, in [][]complex128) map[string][]complex128 {
	ops := p.Ops()
	vals := make([][]complex128, len(ops))
	out := make(map[string][]complex128)
	n := len(in[0])
	zip := func(x, y []complex128, f func(a, b complex128) complex128) []complex128 {
		z := make([]complex128, n)
		for i := range z {
			z[i] = f(x[i], y[i])
		}
		return z
	}
	for i := range ops {
		o := &ops[i]
		arg := func(i int) []complex128 { return vals[o.Args[i]] }
		switch o.Code {
		case program.Input:
			vals[i] = in[o.Index]
		case program.Output:
			out[p.Outputs()[o.Port].Name] = arg(0)
		case program.Add:
			vals[i] = zip(arg(0), arg(1), func(a, b complex128) complex128 { return a + b })
		case program.Sub:
			vals[i] = zip(arg(0), arg(1), func(a, b complex128) complex128 { return a - b })
		case program.Mul, program.MulRelin:
			vals[i] = zip(arg(0), arg(1), func(a, b complex128) complex128 { return a * b })
		default:
			vals[i] = arg(0)
		}
	}
	return out
}

// TestNewBitsDecrypt: under a real key the lazy passes keep the values, within the error that the model expects.
func TestNewBitsDecrypt(t *testing.T) {
	params := fhetest.InsecureToyParamsNamed(t, "digits of two")
	keys := fhetest.InsecureToyKeys(t, params, []program.KeyRequirement{{Level: params.MaxLevel()}})
	n, changed := 30, 0
	if testing.Short() {
		n = 8
	}
	for seed := range uint64(n) {
		rng := fhetest.NewRand(seed)
		p, c := sums(t, rng, params, false)
		q, r := optimize(t, p, pass.AllowNewBits())
		if r.NewBits {
			changed++
		}
		in := make([][]complex128, 4)
		for i := range in {
			in[i] = make([]complex128, params.MaxSlots())
			for j := range in[i] {
				in[i][j] = complex(2*rng.Float64()-1, 2*rng.Float64()-1)
			}
		}
		want := clear(p, in)
		noise, err := q.Noise(c, program.NoiseHints{})
		if err != nil {
			t.Fatal(err)
		}
		job := load(t, q, c, keys.EvaluationKeys)
		out, err := job.Run(context.Background(), keys.Bundle(t, q, map[string][][]complex128{"x": in}))
		if err != nil {
			t.Fatal(err)
		}
		if err := job.Close(); err != nil {
			t.Fatal(err)
		}
		for i := range q.Ops() {
			o := &q.Ops()[i]
			if o.Code != program.Output {
				continue
			}
			name := q.Outputs()[o.Port].Name
			// Five standard deviations and the two bits that the model may be wrong by.
			limit := 20 * noise[i].Error
			for j, g := range keys.Decrypt(t, out.Get(name)[0]) {
				if d := cmplx.Abs(g - want[name][j]); d > limit {
					t.Fatalf("seed %d, output %q, slot %d: error %g, expected at most %g\n%s\n%s", seed, name, j, d, limit, dump(t, p), dump(t, q))
				}
			}
		}
	}
	if changed == 0 {
		t.Error("no program changed its bits")
	}
}

// TestNewBitsNoise: the lazy passes save roundings and key switches and never raise the expected error.
func TestNewBitsNoise(t *testing.T) {
	params := fhetest.InsecureToyParamsNamed(t, "digits of two")
	relins, rescales := 0, 0
	for seed := range uint64(200) {
		p, c := sums(t, fhetest.NewRand(seed), params, true)
		q, _ := optimize(t, p)
		l, r := optimize(t, p, pass.AllowNewBits())
		quieter(t, q, l, c)
		invariants(t, p, l, r, pass.AllowNewBits())
		relins += pass.Count(q).Relins - r.After.Relins
		rescales += pass.Count(q).Rescales - r.After.Rescales
	}
	if relins == 0 || rescales == 0 {
		t.Errorf("%d relinearisations and %d rescales saved", relins, rescales)
	}
	t.Logf("saved %d relinearisations and %d rescales", relins, rescales)
}
