package fhetest

import (
	"context"
	"fmt"
	"math"
	"math/big"
	"math/bits"
	"math/cmplx"
	"math/rand/v2"
	"slices"

	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/engine/clear"
	"github.com/signet-ml/signet/fhe/program"
)

var laws = []law{
	{"words are linear", tameMaker(true, true), wordsAreLinear},
	{"values are linear", tameMaker(true, false), valuesAreLinear},
	{"rotations compose", tameMaker(false, false), rotationsCompose},
	{"equal programs give equal bits", anyMaker, equalPrograms},
	{"a batch has no order", anyMaker, batchHasNoOrder},
	{"slots may be counted otherwise", anyMaker, slotsAreACount},
	{"a program may be cut in two", tameMaker(false, false), cutInTwo},
	{"clear within the noise", tameMaker(false, false), clearWithinNoise},
}

// anyMaker makes programs of either kind: those of RandomProgram have the edges of every range, those of
// RandomDecryptable the sequences that real programs have.
func anyMaker(m *maker, n int) (*program.Program, *program.Constants, error) {
	if m.rng.IntN(2) == 0 {
		return RandomProgram(m.rng, m.params, n)
	}
	return RandomDecryptable(m.rng, m.params, n, false)
}

func tameMaker(linear, exact bool) func(m *maker, n int) (*program.Program, *program.Constants, error) {
	return func(m *maker, n int) (*program.Program, *program.Constants, error) {
		return randomTame(&tame{maker: m, linear: linear, exact: exact}, n)
	}
}

// wordKeys returns switching keys of random words, or nil if the program needs none.
func wordKeys(rng *rand.Rand, p *program.Program) (*fhe.EvaluationKeys, error) {
	reqs := Requirements(p)
	if len(reqs) == 0 {
		return nil, nil
	}
	keys, err := RandomKeys(rng, p.Parameters(), key, reqs)
	return keys, setup(err)
}

// wordInput returns keys and an input of random words.
func wordInput(rng *rand.Rand, p *program.Program) (*fhe.EvaluationKeys, *fhe.Bundle, error) {
	keys, err := wordKeys(rng, p)
	if err != nil {
		return nil, nil, err
	}
	in, err := RandomBundle(rng, p, key)
	return keys, in, setup(err)
}

// run loads and runs a program once.
func run(eng program.Engine, p *program.Program, c *program.Constants, keys *fhe.EvaluationKeys, in *fhe.Bundle) (out *fhe.Bundle, err error) {
	err = withJob(eng, p, c, keys, func(job program.Job) error {
		out, err = job.Run(context.Background(), in)
		return err
	})
	return out, err
}

// The multiples of the laws of linearity. Their sum is not 1, so that a function with a constant term breaks the law.
const lawA, lawB = 3, -1

// combined returns lawA·x + lawB·y, word for word.
func combined(x, y *fhe.Bundle) (*fhe.Bundle, error) {
	p := x.Parameters()
	out := fhe.NewBundle(p, x.Key(), x.Program())
	for _, name := range x.Ports() {
		var cts []*fhe.Ciphertext
		for i, a := range x.Get(name) {
			b := y.Get(name)[i]
			ct, err := fhe.NewCiphertext(p, a.Degree(), a.Level(), a.LogSlots(), a.Scale())
			if err != nil {
				return nil, err
			}
			for part := range a.Degree() + 1 {
				for l := range a.Level() + 1 {
					q, row := p.Prime(l), ct.Limb(part, l)
					for j := range row {
						row[j] = mulAdd(lawA, a.Limb(part, l)[j], lawB, b.Limb(part, l)[j], q)
					}
				}
			}
			cts = append(cts, ct)
		}
		if err := out.Add(name, cts...); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func mulAdd(a int64, x uint64, b int64, y, q uint64) uint64 {
	mul := func(f int64, w uint64) uint64 {
		if f < 0 {
			f, w = -f, (q-w)%q
		}
		hi, lo := bits.Mul64(uint64(f), w)
		return bits.Rem64(hi, lo, q)
	}
	s, carry := bits.Add64(mul(a, x), mul(b, y), 0)
	return bits.Rem64(carry, s, q)
}

// linearWords says which operations are linear in every word: they round nothing and add nothing.
func linearWords(p *program.Program) bool {
	for _, o := range p.Ops() {
		switch o.Code {
		case program.Input, program.Output, program.SetScale, program.Drop, program.Add, program.Sub, program.Neg,
			program.MulPt, program.MulConst, program.MacConst, program.Lincomb:
		default:
			return false
		}
	}
	return true
}

// wordsAreLinear: f(a·x + b·y) = a·f(x) + b·f(y), bit for bit, for programs that do not round.
func wordsAreLinear(eng program.Engine, p *program.Program, c *program.Constants) error {
	if !linearWords(p) {
		return setup(fmt.Errorf("the program rounds"))
	}
	rng := NewRand(1)
	x, err := RandomBundle(rng, p, key)
	if err != nil {
		return setup(err)
	}
	y, err := RandomBundle(rng, p, key)
	if err != nil {
		return setup(err)
	}
	z, err := combined(x, y)
	if err != nil {
		return setup(err)
	}
	return withJob(eng, p, c, nil, func(job program.Job) error {
		out, err := job.RunBatch(context.Background(), []*fhe.Bundle{x, y, z})
		if err != nil {
			return err
		}
		want, err := combined(out[0], out[1])
		if err != nil {
			return setup(err)
		}
		return Diff(out[2], want)
	})
}

// numbers returns inputs of up to 1 in magnitude for every port, as slots.
func numbers(rng *rand.Rand, p *program.Program) (map[string][][]complex128, error) {
	out := map[string][][]complex128{}
	for _, port := range p.Inputs() {
		k, err := program.NewPacker(p.Parameters(), port)
		if err != nil {
			return nil, err
		}
		x := make([]float64, port.Layout.Len())
		for i := range x {
			x[i] = 2*rng.Float64() - 1
		}
		for i := range port.Count {
			z, err := k.Pack(i, x)
			if err != nil {
				return nil, err
			}
			out[port.Name] = append(out[port.Name], z)
		}
	}
	return out, nil
}

// sampled returns keys that work and an encryption of random numbers.
func sampled(p *program.Program, inputs int) (*ToyKeys, *fhe.EvaluationKeys, []*fhe.Bundle, error) {
	reqs := Requirements(p)
	toys, err := insecureToyKeys(p.Parameters(), reqs)
	if err != nil {
		return nil, nil, nil, setup(err)
	}
	keys := toys.EvaluationKeys
	if len(reqs) == 0 {
		keys = nil
	}
	rng := NewRand(2)
	var in []*fhe.Bundle
	for range inputs {
		x, err := numbers(rng, p)
		if err != nil {
			return nil, nil, nil, setup(err)
		}
		b, err := toys.bundle(p, x)
		if err != nil {
			return nil, nil, nil, setup(err)
		}
		in = append(in, b)
	}
	return toys, keys, in, nil
}

// far is how many standard deviations a slot may be off: in the slots where the secret is large, so is rounding.
const far = 30

// closeSlots compares what decrypts within an error and the precision of a double.
func closeSlots(what string, got, want []complex128, e, magnitude float64) error {
	limit := far*e + magnitude*0x1p-40
	for s := range want {
		if d := cmplx.Abs(got[s] - want[s]); !(d <= limit) {
			return fmt.Errorf("%s, slot %d: %v and %v differ by 2^%.1f, the noise allows 2^%.1f", what, s, got[s], want[s], math.Log2(d), math.Log2(limit))
		}
	}
	return nil
}

// valuesAreLinear: f(a·x + b·y) is a·f(x) + b·f(y) within the noise, for programs of linear operations.
func valuesAreLinear(eng program.Engine, p *program.Program, c *program.Constants) error {
	toys, keys, in, err := sampled(p, 2)
	if err != nil {
		return err
	}
	z, err := combined(in[0], in[1])
	if err != nil {
		return setup(err)
	}
	noise, err := p.Noise(c, program.NoiseHints{Exact: true})
	if err != nil {
		return setup(err)
	}
	return withJob(eng, p, c, keys, func(job program.Job) error {
		out, err := job.RunBatch(context.Background(), append(in, z))
		if err != nil {
			return err
		}
		for i, o := range p.Ops() {
			if o.Code != program.Output {
				continue
			}
			name := p.Outputs()[o.Port].Name
			var slots [3][]complex128
			for k := range slots {
				if slots[k], err = toys.Open(out[k].Get(name)[o.Index]); err != nil {
					return setup(err)
				}
			}
			want := make([]complex128, len(slots[0]))
			for s := range want {
				want[s] = lawA*slots[0][s] + lawB*slots[1][s]
			}
			if err := closeSlots(fmt.Sprintf("output %q", name), slots[2], want, 4*noise[i].Error, 8*noise[i].Magnitude); err != nil {
				return err
			}
		}
		return nil
	})
}

// rotationsCompose: rot(a) of rot(b) is rot(a+b) within the noise, for the last values of a program.
func rotationsCompose(eng program.Engine, p *program.Program, c *program.Constants) error {
	params := p.Parameters()
	if params.PCount() == 0 {
		return nil
	}
	r := newRewriter(p, c)
	for v := range p.Ops() {
		r.copy(program.Value(v))
	}
	auto := func(v program.Value, g uint64) program.Value {
		switch {
		case g == 1:
			return v
		case g == params.GaloisElementForConjugation():
			return r.Conj(v)
		}
		return r.Rot(v, g)
	}
	set, pairs := elements(params), 0
	for v := len(p.Ops()) - 1; v >= 0 && pairs < 4; v-- {
		o := &p.Ops()[v]
		if !o.IsCiphertext() || o.Degree != 1 {
			continue
		}
		a, b := set[pairs%len(set)], set[(3*pairs+2)%len(set)]
		x := r.to[program.Value(v)]
		r.bind(fmt.Sprintf("two %d", pairs), 1, layout(1, o.LogSlots), auto(auto(x, a), b))
		r.bind(fmt.Sprintf("one %d", pairs), 1, layout(1, o.LogSlots), auto(x, a*b&uint64(2*params.N()-1)))
		pairs++
	}
	if pairs == 0 {
		return setup(fmt.Errorf("no value of degree 1"))
	}
	q, consts, err := r.build()
	if err != nil {
		return setup(err)
	}
	toys, keys, in, err := sampled(q, 1)
	if err != nil {
		return err
	}
	noise, err := q.Noise(consts, program.NoiseHints{Exact: true})
	if err != nil {
		return setup(err)
	}
	out, err := run(eng, q, consts, keys, in[0])
	if err != nil {
		return err
	}
	estimates := map[string]program.Noise{}
	for i, o := range q.Ops() {
		if o.Code == program.Output {
			estimates[q.Outputs()[o.Port].Name] = noise[i]
		}
	}
	for k := range pairs {
		var slots [2][]complex128
		names := [2]string{fmt.Sprintf("two %d", k), fmt.Sprintf("one %d", k)}
		for i, name := range names {
			if slots[i], err = toys.Open(out.Get(name)[0]); err != nil {
				return setup(err)
			}
		}
		a, b := estimates[names[0]], estimates[names[1]]
		if err := closeSlots(fmt.Sprintf("pair %d", k), slots[0], slots[1], a.Error+b.Error, a.Magnitude); err != nil {
			return err
		}
	}
	return nil
}

// equalPrograms: operations replaced by others that mean the same, to the bit.
func equalPrograms(eng program.Engine, p *program.Program, c *program.Constants) error {
	r := newRewriter(p, c)
	for i := range p.Ops() {
		v, o := program.Value(i), &p.Ops()[i]
		r.Scope(p.Scope(v))
		switch o.Code {
		case program.MulRelin:
			r.to[v] = r.Relin(r.Mul(r.to[o.Args[1]], r.to[o.Args[0]]))
		case program.Mul:
			r.to[v] = r.Mul(r.to[o.Args[1]], r.to[o.Args[0]])
		case program.Rot:
			x := r.to[o.Args[0]]
			r.to[v] = r.RotHoisted(r.Hoist(x, o.Level), o.Galois[0], o.Level)
		case program.Add:
			r.to[v] = r.Add(r.to[o.Args[1]], r.to[o.Args[0]])
		case program.Sub:
			r.to[v] = r.Add(r.to[o.Args[0]], r.Neg(r.to[o.Args[1]]))
		case program.AddConst: // the same polynomial, in two steps
			r.to[v] = r.AddConst(r.AddConst(r.to[o.Args[0]], o.A, new(big.Int)), new(big.Int), o.B)
		case program.Drop: // a level at a time
			x := r.to[o.Args[0]]
			for l := r.Level(x) - 1; l >= o.Level; l-- {
				x = r.Drop(x, l)
			}
			r.to[v] = x
		default:
			r.copy(v)
		}
	}
	r.outputs()
	q, consts, err := r.build()
	if err != nil {
		return setup(err)
	}
	keys, in, err := wordInput(NewRand(3), p)
	if err != nil {
		return err
	}
	want, err := run(eng, p, c, keys, in)
	if err != nil {
		return err
	}
	again, err := in.Rebind(q.Digest())
	if err != nil {
		return setup(err)
	}
	got, err := run(eng, q, consts, keys, again)
	if err != nil {
		return fmt.Errorf("rewritten: %w", err)
	}
	return sameWords(p, got, want)
}

// sameWords compares the outputs of two programs of like ports: words, whatever scale or slots they claim.
func sameWords(p *program.Program, got, want *fhe.Bundle) error {
	for _, port := range p.Outputs() {
		g := got.Get(port.Name)
		for i, w := range want.Get(port.Name) {
			if i >= len(g) || g[i].Level() != w.Level() || g[i].Degree() != w.Degree() {
				return fmt.Errorf("output %q has another shape", port.Name)
			}
			if err := sameCiphertext(g[i], w); err != nil {
				return fmt.Errorf("output %q: %w", port.Name, err)
			}
		}
	}
	return nil
}

func sameCiphertext(g, w *fhe.Ciphertext) error {
	for part := range w.Degree() + 1 {
		for l := range w.Level() + 1 {
			if !slices.Equal(g.Limb(part, l), w.Limb(part, l)) {
				return fmt.Errorf("part %d, limb %d differs", part, l)
			}
		}
	}
	return nil
}

// batchHasNoOrder: a batch in another order gives the same results in that order.
func batchHasNoOrder(eng program.Engine, p *program.Program, c *program.Constants) error {
	rng := NewRand(4)
	keys, err := wordKeys(rng, p)
	if err != nil {
		return err
	}
	var in, shuffled []*fhe.Bundle
	for range 4 {
		b, err := RandomBundle(rng, p, key)
		if err != nil {
			return setup(err)
		}
		in = append(in, b)
	}
	order := rng.Perm(len(in))
	for _, i := range order {
		shuffled = append(shuffled, in[i])
	}
	return withJob(eng, p, c, keys, func(job program.Job) error {
		want, err := job.RunBatch(context.Background(), in)
		if err != nil {
			return err
		}
		got, err := job.RunBatch(context.Background(), shuffled)
		if err != nil {
			return err
		}
		for k, i := range order {
			if err := Diff(got[k], want[i]); err != nil {
				return fmt.Errorf("input %d as number %d of a batch: %w", i, k, err)
			}
		}
		return nil
	})
}

// slotsAreACount: a value of few slots is one of all slots with repetitions. The same words in, the same words out.
func slotsAreACount(eng program.Engine, p *program.Program, c *program.Constants) error {
	full := p.Parameters().LogMaxSlots()
	r := newRewriter(p, c)
	for i := range p.Ops() {
		v, o := program.Value(i), p.Ops()[i]
		r.Scope(p.Scope(v))
		switch o.Code {
		case program.Input:
			r.input(v, func(port *program.Port) { port.LogSlots = full })
		case program.Zero:
			o.LogSlots = full
			r.to[v] = r.emit(&o, nil)
		case program.Lintrans:
			wide, err := spread(r.constant(&o), full)
			if err != nil {
				return setup(err)
			}
			r.to[v] = r.emit(&o, wide)
		default:
			r.copy(v)
		}
	}
	r.outputs()
	q, consts, err := r.build()
	if err != nil {
		return setup(err)
	}
	keys, in, err := wordInput(NewRand(5), p)
	if err != nil {
		return err
	}
	wide := fhe.NewBundle(p.Parameters(), key, q.Digest())
	for _, name := range in.Ports() {
		var cts []*fhe.Ciphertext
		for _, ct := range in.Get(name) {
			w, err := fhe.NewCiphertext(p.Parameters(), ct.Degree(), ct.Level(), full, ct.Scale())
			if err != nil {
				return setup(err)
			}
			for part := range ct.Degree() + 1 {
				for l := range ct.Level() + 1 {
					copy(w.Limb(part, l), ct.Limb(part, l))
				}
			}
			cts = append(cts, w)
		}
		if err := wide.Add(name, cts...); err != nil {
			return setup(err)
		}
	}
	want, err := run(eng, p, c, keys, in)
	if err != nil {
		return err
	}
	got, err := run(eng, q, consts, keys, wide)
	if err != nil {
		return fmt.Errorf("in all slots: %w", err)
	}
	return sameWords(p, got, want)
}

// cutInTwo: a program cut at several places, run as two with the values between rebound, gives the bits of the whole.
func cutInTwo(eng program.Engine, p *program.Program, c *program.Constants) error {
	rng := NewRand(6)
	keys, in, err := wordInput(rng, p)
	if err != nil {
		return err
	}
	whole, err := run(eng, p, c, keys, in)
	if err != nil {
		return err
	}
	cuts := 0
	for _, k := range rng.Perm(len(p.Ops())) {
		parts, consts, carried, ok, err := split(p, c, k)
		switch {
		case err != nil:
			return setup(err)
		case !ok:
			continue
		}
		first, err := in.Rebind(parts[0].Digest())
		if err != nil {
			return setup(err)
		}
		var out [2]*fhe.Bundle
		if out[0], err = run(eng, parts[0], consts[0], keys, first); err != nil {
			return fmt.Errorf("first part of a cut before operation %d: %w", k, err)
		}
		second, err := out[0].Rebind(parts[1].Digest(), carried...)
		if err != nil {
			return setup(err)
		}
		if out[1], err = run(eng, parts[1], consts[1], keys, second); err != nil {
			return fmt.Errorf("second part of a cut before operation %d: %w", k, err)
		}
		for _, o := range p.Ops() {
			if o.Code != program.Output {
				continue
			}
			name := p.Outputs()[o.Port].Name
			want, half := whole.Get(name)[o.Index], fmt.Sprintf("%s[%d]", name, o.Index)
			got := append(out[0].Get(half), out[1].Get(half)...)
			if len(got) != 1 {
				return setup(fmt.Errorf("output %q is %d ciphertexts of the parts", half, len(got)))
			}
			if err := diffCiphertext(got[0], want); err != nil {
				return fmt.Errorf("cut before operation %d, output %q: %w", k, half, err)
			}
		}
		if cuts++; cuts == 3 {
			break
		}
	}
	return nil
}

// clearWithinNoise: every value decrypts to what engine/clear computes, within a few bits of the simulated precision.
func clearWithinNoise(eng program.Engine, p *program.Program, c *program.Constants) error {
	toys, keys, in, err := sampled(p, 1)
	if err != nil {
		return err
	}
	r, err := clear.Compare(context.Background(), eng, p, c, keys, in[0], toys.Open, clear.Options{})
	if err != nil {
		return err
	}
	for _, o := range r.Ops {
		allowed := 3.0
		if p.Ops()[o.Value].LogSlots < 5 {
			allowed = 8 // a few slots say little of a deviation
		}
		if limit := o.Expected*math.Exp2(allowed) + o.Magnitude*0x1p-44; o.Error > limit {
			return fmt.Errorf("value %d, %s in %q: error 2^%.1f, the simulation has 2^%.1f; slot %d is off by %.3g",
				o.Value, o.Code, o.Layer, math.Log2(o.Error), math.Log2(o.Expected), o.WorstSlot, o.WorstError)
		}
	}
	return nil
}
