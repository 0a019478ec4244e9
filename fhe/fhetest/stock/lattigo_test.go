package stock_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/tuneinsight/lattigo/v5/core/rlwe"
	"github.com/tuneinsight/lattigo/v5/he/hefloat"

	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/fhetest"
	"github.com/signet-ml/signet/fhe/fhetest/stock"
	"github.com/signet-ml/signet/fhe/internal/access"
	"github.com/signet-ml/signet/fhe/program"
)

// matrices builds a program of two matrices of one hoist at the top level: the first there, the second at level b.
func matrices(tb testing.TB, params fhe.Parameters, diagonals [2][]int, b int) (p *program.Program, c *program.Constants, ops [2]program.Value) {
	tb.Helper()
	rng := fhetest.NewRand(9)
	slots := params.LogMaxSlots()
	rows := make([][]int64, 8)
	for r := range rows {
		rows[r] = make([]int64, 2<<slots)
		for j := range rows[r] {
			rows[r][j] = rng.Int64N(1<<20) - 1<<19
		}
	}
	table, err := program.NewPolynomials(rows, slots, fhe.PowerOfTwo(20))
	if err != nil {
		tb.Fatal(err)
	}
	bld := program.NewBuilder(params)
	layout := program.Layout{Shape: []int{1}, Runs: []program.Run{{Length: 1}}}
	x := bld.Input(program.Port{Name: "x", Count: 1, Level: params.MaxLevel(), Degree: 1, LogSlots: slots, Scale: params.DefaultScale(), Bound: 1, Layout: layout})[0]
	h := bld.Hoist(x, params.MaxLevel())
	for i, level := range []int{params.MaxLevel(), b} {
		d := diagonals[i]
		ops[i] = bld.Lintrans(h, table, []int{0, 1, 2, 3, 4, 5, 6, 7}[:len(d)], d, 4, level)
		bld.Output(bld.OutputPort(fmt.Sprint(i), ops[i], 1, layout), ops[i])
	}
	if p, c, err = bld.Build(); err != nil {
		tb.Fatal(err)
	}
	return p, c, ops
}

// TestLintransBelowItsHoist: a matrix at level b of a hoist at level a has the bits of EvaluateMany with another matrix
// at level a.
func TestLintransBelowItsHoist(t *testing.T) {
	for _, toy := range fhetest.Toys[:4] {
		params := fhetest.InsecureToyParams(t, toy)
		for b := params.MaxLevel(); b >= 0; b-- {
			t.Run(fmt.Sprintf("toy=%s/level=%d", toy.Name, b), func(t *testing.T) {
				p, c, ops := matrices(t, params, [2][]int{{0, 1, 2, 3, 5}, {0, 1, 3, 6}}, b)
				keys := fhetest.InsecureToyKeys(t, params, fhetest.Requirements(p))
				in, err := fhetest.RandomBundle(fhetest.NewRand(3), p, keys.Key())
				if err != nil {
					t.Fatal(err)
				}
				ev, err := stock.New(p, c, keys.EvaluationKeys)
				if err != nil {
					t.Fatal(err)
				}
				got, err := ev.Run(in)
				if err != nil {
					t.Fatal(err)
				}
				want, err := ev.EvaluateMany(in.Get("x")[0], ops[:]...)
				if err != nil {
					t.Fatal(err)
				}
				for i := range want {
					fhetest.AssertDigest(t, got.Get(fmt.Sprint(i))[0].Digest(), want[i].Digest())
				}
			})
		}
	}
}

// TestTrap31EvaluateManyOverwritesItsDigits: the giant steps of the first matrix use the buffer that holds the digits,
// so a second matrix with a baby step of its own gets garbage, without an error. This is why no code here calls it.
func TestTrap31EvaluateManyOverwritesItsDigits(t *testing.T) {
	params := fhetest.InsecureToyParamsNamed(t, "digits of two")
	p, c, ops := matrices(t, params, [2][]int{{0, 1, 4, 5}, {0, 2, 3}}, params.MaxLevel())
	keys := fhetest.InsecureToyKeys(t, params, fhetest.Requirements(p))
	in := keys.Bundle(t, p, map[string][][]complex128{"x": {slots(fhetest.NewRand(4), params.MaxSlots())}})
	x := in.Get("x")[0]
	ev, err := stock.New(p, c, keys.EvaluationKeys)
	if err != nil {
		t.Fatal(err)
	}
	together, err := ev.EvaluateMany(x, ops[:]...)
	if err != nil {
		t.Fatal(err)
	}
	alone, err := ev.EvaluateMany(x, ops[1])
	if err != nil {
		t.Fatal(err)
	}
	a, b := keys.Decrypt(t, together[1]), keys.Decrypt(t, alone[0])
	if bits := fhetest.Precision(a, b); bits > 0 {
		t.Errorf("EvaluateMany agrees with itself to %.1f bits: the defect is gone, use it again", bits)
	}
	out, err := ev.Run(in)
	if err != nil {
		t.Fatal(err)
	}
	fhetest.AssertDigest(t, out.Get("1")[0].Digest(), alone[0].Digest())
}

// TestTrap13UnequalScales: Lattigo's Add applies only the integer part of the ratio of scales; the Builder refuses.
func TestTrap13UnequalScales(t *testing.T) {
	params := fhetest.InsecureToyParamsNamed(t, "digits of one")
	b := program.NewBuilder(params)
	near := params.DefaultScale().Mul(fhe.NewScale(1 + 0x1p-20))
	x := b.Zero(1, 1, 3, params.DefaultScale())
	b.Add(x, b.Zero(1, 1, 3, near))
	if err := opError(b); err != program.ErrScale {
		t.Errorf("the Builder adds unequal scales: %v", b.Err())
	}

	keys := fhetest.InsecureToyKeys(t, params, nil)
	values := slots(fhetest.NewRand(1), 8)
	one := keys.Encrypt(t, values, 1, 3, params.DefaultScale())
	two := keys.Encrypt(t, values, 1, 3, params.DefaultScale().Mul(fhe.NewScale(1.3)))
	eval := hefloat.NewEvaluator(access.Lattice(params).CKKS, nil)
	sum := hefloat.NewCiphertext(access.Lattice(params).CKKS, 1, 1)
	if err := eval.Add(lattigo(params, one), lattigo(params, two), sum); err != nil {
		t.Fatal(err)
	}
	s, err := fhe.ScaleFromBig(&sum.Scale.Value)
	if err != nil {
		t.Fatal(err)
	}
	ct, err := fhe.CiphertextFromLimbs(params, [][][]uint64{sum.Value[0].Coeffs, sum.Value[1].Coeffs}, 3, s)
	if err != nil {
		t.Fatal(err)
	}
	want := make([]complex128, len(values))
	for i := range want {
		want[i] = 2 * values[i]
	}
	if bits := fhetest.Precision(keys.Decrypt(t, ct), want); bits > 8 {
		t.Errorf("Lattigo adds unequal scales to %.1f bits: the trap is gone", bits)
	}
}

// TestTrap14KeyBelowLevel: a ciphertext above its key's level rotates to garbage in Lattigo, without an error;
// CheckKeys refuses such keys.
func TestTrap14KeyBelowLevel(t *testing.T) {
	params := fhetest.InsecureToyParamsNamed(t, "digits of two")
	g := params.GaloisElement(1)
	b := program.NewBuilder(params)
	layout := program.Layout{Shape: []int{1}, Runs: []program.Run{{Length: 1}}}
	x := b.Input(program.Port{Name: "x", Count: 1, Level: 4, Degree: 1, LogSlots: 3, Scale: params.DefaultScale(), Bound: 1, Layout: layout})[0]
	y := b.Rot(x, g)
	b.Output(b.OutputPort("y", y, 1, layout), y)
	p, c, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	keys := fhetest.InsecureToyKeys(t, params, []program.KeyRequirement{{GaloisElement: g, Level: 3}})
	for _, err := range []error{p.CheckKeys(keys.EvaluationKeys), func() error { _, err := stock.New(p, c, keys.EvaluationKeys); return err }()} {
		if e, ok := err.(*fhe.MissingKeyError); !ok || e.Have != 3 || e.Level != 4 || e.Rotation != 1 {
			t.Errorf("a key below the level of use: error %v", err)
		}
	}

	// The same rotation, given to Lattigo with the same key.
	low, c, err := rotateAt(params, g, 3)
	if err != nil {
		t.Fatal(err)
	}
	ev, err := stock.New(low, c, keys.EvaluationKeys)
	if err != nil {
		t.Fatal(err)
	}
	values := slots(fhetest.NewRand(1), 8)
	want := slices.Concat(values[1:], values[:1])
	for _, c := range []struct {
		level int
		good  bool
	}{{3, true}, {4, false}} {
		out := hefloat.NewCiphertext(access.Lattice(params).CKKS, 1, c.level)
		if err := ev.Lattigo().Rotate(lattigo(params, keys.Encrypt(t, values, c.level, 3, params.DefaultScale())), 1, out); err != nil {
			t.Fatal(err)
		}
		for k := range out.Value { // what Lattigo leaves need not be canonical
			for i, s := range access.Lattice(params).CKKS.RingQ().SubRings[:out.Level()+1] {
				s.Reduce(out.Value[k].Coeffs[i], out.Value[k].Coeffs[i])
			}
		}
		ct, err := fhe.CiphertextFromLimbs(params, [][][]uint64{out.Value[0].Coeffs, out.Value[1].Coeffs}, 3, params.DefaultScale())
		if err != nil {
			t.Fatal(err)
		}
		if bits := fhetest.Precision(keys.Decrypt(t, ct), want); bits > 20 != c.good {
			t.Errorf("key for level 3, ciphertext at level %d: %.1f bits", c.level, bits)
		}
	}
}

func rotateAt(params fhe.Parameters, g uint64, level int) (*program.Program, *program.Constants, error) {
	b := program.NewBuilder(params)
	layout := program.Layout{Shape: []int{1}, Runs: []program.Run{{Length: 1}}}
	x := b.Input(program.Port{Name: "x", Count: 1, Level: level, Degree: 1, LogSlots: 3, Scale: params.DefaultScale(), Bound: 1, Layout: layout})[0]
	y := b.Rot(x, g)
	b.Output(b.OutputPort("y", y, 1, layout), y)
	return b.Build()
}

// TestTrap15KeysCarryAllOfP: hoisted code is silently wrong with a key of fewer special primes. Our keys cannot have
// fewer: every row of P is required.
func TestTrap15KeysCarryAllOfP(t *testing.T) {
	params := fhetest.InsecureToyParamsNamed(t, "digits of two")
	limbs := make([][2][][]uint64, 1)
	for b := range limbs[0] {
		for range 1 + params.PCount() - 1 { // level 0, one prime of P short
			limbs[0][b] = append(limbs[0][b], make([]uint64, params.N()))
		}
	}
	if _, err := fhe.NewEvaluationKey(params, params.GaloisElement(1), 0, limbs); err == nil {
		t.Error("a key without all special primes is accepted")
	}
}

// TestTrap24OwnRotationSets: the elements that a program needs are those it applies, no more: take any key away and
// loading fails, and no key is asked for that a run does not touch.
func TestTrap24OwnRotationSets(t *testing.T) {
	params := fhetest.InsecureToyParamsNamed(t, "digits of one")
	var set []uint64
	for k := range 8 {
		set = append(set, params.GaloisElement(k))
	}
	b := program.NewBuilder(params)
	layout := program.Layout{Shape: []int{1}, Runs: []program.Run{{Length: 1}}}
	x := b.Input(program.Port{Name: "x", Count: 1, Level: 2, Degree: 1, LogSlots: 5, Scale: params.DefaultScale(), Bound: 1, Layout: layout})[0]
	y := b.Rotsum(b.Hoist(x, 2), set, 2)
	b.Output(b.OutputPort("y", y, 1, layout), y)
	p, _, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	var have []uint64
	for _, r := range p.Keys() {
		have = append(have, r.GaloisElement)
	}
	want := slices.Clone(set[1:])
	slices.Sort(want)
	if !slices.Equal(have, want) {
		t.Errorf("keys %v, want %v: no rotation by 8, and none by 0", have, want)
	}
	if list := access.Lattice(params).CKKS.GaloisElementsForInnerSum(1, 8); !slices.Contains(list, params.GaloisElement(8)) {
		t.Error("Lattigo no longer lists the rotation by batch·n: the trap is gone")
	}
}

// TestNaiveMatrixRefused: the form with N1 = 0 has other bits, and with diagonal 0 alone none that repeat.
func TestNaiveMatrixRefused(t *testing.T) {
	params := fhetest.InsecureToyParamsNamed(t, "digits of one")
	table, err := program.NewPolynomials([][]int64{make([]int64, 16)}, 3, fhe.PowerOfTwo(20))
	if err != nil {
		t.Fatal(err)
	}
	for _, n1 := range []int{0, -1, 3, 16} {
		b := program.NewBuilder(params)
		h := b.Hoist(b.Zero(1, 1, 3, params.DefaultScale()), 1)
		b.Lintrans(h, table, []int{0}, []int{0}, n1, 1)
		if err := opError(b); err != program.ErrConstant {
			t.Errorf("n1=%d: %v", n1, b.Err())
		}
	}
}

// opError returns the reason why a Builder failed.
func opError(b *program.Builder) error {
	for _, reason := range []error{program.ErrScale, program.ErrConstant, program.ErrLevel, program.ErrDegree, program.ErrGalois} {
		if e, ok := b.Err().(*program.OpError); ok && e != nil {
			if u, ok := e.Err.(interface{ Unwrap() error }); ok && u.Unwrap() == reason {
				return reason
			}
		}
	}
	return b.Err()
}

func lattigo(params fhe.Parameters, ct *fhe.Ciphertext) *rlwe.Ciphertext {
	c := hefloat.NewCiphertext(access.Lattice(params).CKKS, ct.Degree(), ct.Level())
	c.Scale = rlwe.NewScale(ct.Scale().Big())
	c.LogDimensions.Cols = ct.LogSlots()
	for k := range c.Value {
		for i := range c.Value[k].Coeffs {
			copy(c.Value[k].Coeffs[i], ct.Limb(k, i))
		}
	}
	return c
}

func TestFactor(t *testing.T) {
	const mask = 1<<11 - 1 // N = 2^10
	power := func(g uint64, k int) uint64 {
		x := uint64(1)
		for range k {
			x = x * g & mask
		}
		return x
	}
	coset := func(g uint64, n int) []uint64 {
		var out []uint64
		for k := range n {
			out = append(out, power(g, k))
		}
		return out
	}
	times := func(a, b []uint64) []uint64 {
		var out []uint64
		for _, x := range a {
			for _, y := range b {
				out = append(out, x*y&mask)
			}
		}
		return out
	}
	for _, c := range []struct {
		name    string
		set     []uint64
		base, d int
	}{
		{"identity", []uint64{1}, 1, 0},
		{"one rotation", []uint64{5}, 1, 0},
		{"8 steps", coset(5, 8), 1, 3},
		{"32 steps of 4", coset(power(5, 4), 32), 1, 5},
		{"7 steps", coset(5, 7), 7, 0},
		{"12 steps", coset(5, 12), 3, 2},
		{"all rotations", coset(5, 512), 1, 9},
		{"4 steps and conjugation", times(coset(5, 4), []uint64{1, mask}), 1, 3},
		{"two cosets", times(coset(5, 4), coset(power(5, 16), 4)), 1, 4},
	} {
		slices.Reverse(c.set)
		base, doubles := stock.Factor(c.set, mask)
		product := base
		for _, d := range doubles {
			product = times(product, []uint64{1, d})
		}
		slices.Sort(product)
		want := slices.Clone(c.set)
		slices.Sort(want)
		if !slices.Equal(product, want) {
			t.Errorf("%s: base %v and doublings %v give %v", c.name, base, doubles, product)
		}
		if len(base) != c.base || len(doubles) != c.d {
			t.Errorf("%s: base of %d and %d doublings, want %d and %d", c.name, len(base), len(doubles), c.base, c.d)
		}
	}
}
