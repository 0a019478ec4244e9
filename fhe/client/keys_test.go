package client

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/internal/access"
	"github.com/signet-ml/signet/fhe/program"
)

func generate(t testing.TB, g *KeyGenerator, sk *SecretKey, reqs []program.KeyRequirement, opts ...KeyOption) *fhe.EvaluationKeys {
	t.Helper()
	keys, err := g.GenEvaluationKeys(context.Background(), sk, reqs, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// audit fails the test unless every limb of every key passes.
func audit(t testing.TB, sk *SecretKey, keys *fhe.EvaluationKeys) {
	t.Helper()
	for _, g := range keys.Elements() {
		if err := sk.key.Audit(g, keys.Get(g).Level(), limbs(keys.Get(g))); err != nil {
			t.Error(err)
		}
	}
}

func limbs(k *fhe.EvaluationKey) [][2][][]uint64 {
	out := make([][2][][]uint64, k.Digits())
	for d := range out {
		for part := range out[d] {
			for i := range k.Rows() {
				out[d][part] = append(out[d][part], k.Limb(d, part, i))
			}
		}
	}
	return out
}

func TestGenEvaluationKeys(t *testing.T) {
	p := wide(t)
	g := generator(t, p)
	sk := g.GenSecretKey()
	conj, rot := p.GaloisElementForConjugation(), p.GaloisElement(3)
	reqs := []program.KeyRequirement{{GaloisElement: conj, Level: 0}, {GaloisElement: rot, Level: 1}, {Level: 3}, {GaloisElement: rot, Level: 2}}
	var calls [][2]int
	keys := generate(t, g, sk, reqs, WithAudit(), WithProgress(func(done, total int) { calls = append(calls, [2]int{done, total}) }))
	if keys.Key() != sk.ID() || !keys.Parameters().Equal(p) {
		t.Errorf("keys of %v", keys.Key())
	}
	for element, level := range map[uint64]int{0: 3, rot: 2, conj: 0} {
		if k := keys.Get(element); k == nil || k.Level() != level || k.Rows() != level+3 || k.Digits() != level/2+1 {
			t.Errorf("element %d: %+v", element, k)
		}
	}
	if len(keys.Elements()) != 3 || !slices.Equal(calls, [][2]int{{1, 3}, {2, 3}, {3, 3}}) {
		t.Errorf("elements %v, progress %v", keys.Elements(), calls)
	}
	audit(t, sk, keys)
	if reqs[0].GaloisElement != conj {
		t.Error("the caller's list was sorted")
	}
	if keys := generate(t, g, sk, nil); len(keys.Elements()) != 0 {
		t.Errorf("no requirements: %v", keys.Elements())
	}
}

func TestWriteEvaluationKeys(t *testing.T) {
	p := wide(t)
	g := generator(t, p)
	sk := g.GenSecretKey()
	reqs := []program.KeyRequirement{{GaloisElement: 25, Level: 1}, {Level: 2}, {GaloisElement: 5, Level: 0}}
	var b bytes.Buffer
	if err := g.WriteEvaluationKeys(context.Background(), &b, sk, reqs); err != nil {
		t.Fatal(err)
	}
	if want := fhe.EvaluationKeysHeaderBytes + fhe.EvaluationKeyBytes(p, 0) + fhe.EvaluationKeyBytes(p, 1) + fhe.EvaluationKeyBytes(p, 2); int64(b.Len()) != want {
		t.Errorf("%d bytes, want %d", b.Len(), want)
	}
	keys, err := fhe.ReadEvaluationKeys(&b, p, int64(b.Len()))
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(keys.Elements(), []uint64{0, 5, 25}) || keys.Key() != sk.ID() {
		t.Errorf("elements %v of key %v", keys.Elements(), keys.Key())
	}
	audit(t, sk, keys)

	full := errors.New("disk full")
	if err := g.WriteEvaluationKeys(context.Background(), &failing{1 << 18, full}, sk, reqs); !errors.Is(err, full) {
		t.Errorf("error %v, want the writer's", err)
	}
	if err := g.WriteEvaluationKeys(context.Background(), &failing{0, full}, sk, reqs); !errors.Is(err, full) {
		t.Errorf("error %v, want the writer's", err)
	}
}

// failing takes n bytes.
type failing struct {
	n   int
	err error
}

func (w *failing) Write(p []byte) (int, error) {
	if w.n -= len(p); w.n < 0 {
		return 0, w.err
	}
	return len(p), nil
}

func TestGenEvaluationKeysRefuses(t *testing.T) {
	p := wide(t)
	g := generator(t, p)
	sk := g.GenSecretKey()
	ctx := context.Background()
	for name, r := range map[string]program.KeyRequirement{
		"one": {GaloisElement: 1, Level: 1}, "even": {GaloisElement: 6, Level: 1}, "large": {GaloisElement: 1<<14 + 1, Level: 1},
		"high": {GaloisElement: 5, Level: 4}, "negative": {Level: -1},
	} {
		done := 0
		_, err := g.GenEvaluationKeys(ctx, sk, []program.KeyRequirement{{Level: 0}, r}, WithProgress(func(int, int) { done++ }))
		if err == nil || done != 0 {
			t.Errorf("%s: error %v after %d keys", name, err, done)
		}
	}
	var m *fhe.MismatchError
	if _, err := generator(t, small(t)).GenEvaluationKeys(ctx, sk, nil); !errors.As(err, &m) || m.What != "parameters" {
		t.Errorf("key of other parameters: %v", err)
	}
	if _, err := g.GenEvaluationKeys(ctx, nil, nil); err == nil {
		t.Error("nil secret key: no error")
	}
	if _, err := g.GenEvaluationKeys(ctx, &SecretKey{}, nil); err == nil {
		t.Error("zero secret key: no error")
	}
	if _, err := NewKeyGenerator(fhe.Parameters{}); err == nil {
		t.Error("zero parameters: no error")
	}
	bare := generator(t, params(t, fhe.ParametersLiteral{LogN: 11, LogQ: []int{50}}))
	if _, err := bare.GenEvaluationKeys(ctx, bare.GenSecretKey(), []program.KeyRequirement{{Level: 0}}); err == nil || !strings.Contains(err.Error(), "special primes") {
		t.Errorf("no special primes: %v", err)
	}
}

func TestGenEvaluationKeysCancel(t *testing.T) {
	p := small(t)
	g := generator(t, p)
	sk := g.GenSecretKey()
	var reqs []program.KeyRequirement
	for k := 1; k < 64; k++ {
		reqs = append(reqs, program.KeyRequirement{GaloisElement: p.GaloisElement(k), Level: 1})
	}
	ctx, cancel := context.WithCancel(context.Background())
	last := 0
	_, err := g.GenEvaluationKeys(ctx, sk, reqs, WithProgress(func(done, total int) {
		if last = done; done == 2 {
			cancel()
		}
	}))
	if !errors.Is(err, context.Canceled) || last != 2 {
		t.Errorf("error %v after %d keys, want canceled after 2", err, last)
	}
	if err := g.WriteEvaluationKeys(ctx, io.Discard, sk, reqs); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

func TestKeysDiffer(t *testing.T) {
	p := small(t)
	g := generator(t, p)
	ids, keys := map[fhe.KeyID]bool{{}: true}, map[string]bool{}
	for range 4 {
		sk := g.GenSecretKey()
		c := sk.key.Coefficients()
		s := make([]byte, len(c))
		for i := range c {
			s[i] = byte(c[i])
		}
		if ids[sk.ID()] || keys[string(s)] {
			t.Error("an id or a key twice")
		}
		ids[sk.ID()], keys[string(s)] = true, true
	}
}

// Lattigo's own evaluator accepts the keys at their level and below, and gives what they are for.
func TestKeysWorkInLattigo(t *testing.T) {
	p := wide(t)
	g := generator(t, p)
	sk := g.GenSecretKey()
	n := p.MaxSlots()
	conj := p.GaloisElementForConjugation()
	keys := generate(t, g, sk, []program.KeyRequirement{{Level: 2}, {GaloisElement: p.GaloisElement(5), Level: 1}, {GaloisElement: conj, Level: 0}})
	eval := evaluator(p, keys)
	x := values(n, 1)
	rotated, squared, negated := make([]float64, n), make([]float64, n), make([]float64, n)
	for i := range x {
		rotated[i], squared[i], negated[i] = x[(i+5)%n], x[i]*x[i], -x[i]
	}
	for level := 0; level <= 2; level++ {
		port := vector(p, level, p.LogMaxSlots(), n)
		ct := toLattigo(p, encrypt(t, sk, port, x).Get("x")[0])
		// P is as large as a digit, so a switch adds the rounding by P times the secret, √(2N/3/12) per coefficient,
		// which is 7 times a fresh error, and a switching error of its size. Eight times that tells keys that work from
		// noise.
		std := 8 * math.Sqrt(float64(p.N())*2/3/12) / 3.2 * fresh(port.LogSlots, port.Scale)
		if level >= 1 {
			// A product of two messages below 1 at scale 2^30 needs two primes.
			prod, err := eval.MulRelinNew(ct, ct)
			if err != nil {
				t.Fatal(err)
			}
			near(t, "square", owned(t, p, sk, port, prod), squared, std)
		}
		if level <= 1 {
			r, err := eval.RotateNew(ct, 5)
			if err != nil {
				t.Fatal(err)
			}
			near(t, "rotation", owned(t, p, sk, port, r), rotated, std)
		}
	}
	// Conjugation of purely imaginary slots.
	port := vector(p, 0, p.LogMaxSlots(), n)
	port.Layout.Runs[0].Slot = n
	c, err := eval.ConjugateNew(toLattigo(p, encrypt(t, sk, port, x).Get("x")[0]))
	if err != nil {
		t.Fatal(err)
	}
	near(t, "conjugate", owned(t, p, sk, port, c), negated, 64*fresh(port.LogSlots, port.Scale))
}

// Lattigo's evaluator uses a key above its level without an error and gives noise. Keys state their level, and nothing
// above it is in them.
func TestTrap14KeyAboveItsLevel(t *testing.T) {
	p := wide(t)
	g := generator(t, p)
	sk := g.GenSecretKey()
	b := program.NewBuilder(p)
	port := vector(p, 2, p.LogMaxSlots(), p.MaxSlots())
	r := b.Rot(b.Input(port)[0], p.GaloisElement(1))
	b.Output(b.OutputPort("y", r, 1, port.Layout), r)
	prog, _, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	low := generate(t, g, sk, []program.KeyRequirement{{GaloisElement: p.GaloisElement(1), Level: 1}})
	var missing *fhe.MissingKeyError
	if err := prog.CheckKeys(low); !errors.As(err, &missing) || missing.Have != 1 || missing.Level != 2 {
		t.Errorf("key at level 1 for a rotation at level 2: %v", err)
	}
	keys := generate(t, g, sk, prog.Keys())
	if k := keys.Get(p.GaloisElement(1)); k == nil || k.Level() != 2 {
		t.Errorf("keys as required: %v", k)
	}
	if err := prog.CheckKeys(keys); err != nil {
		t.Error(err)
	}
}

// Hoisted code in Lattigo takes the number of special primes from the parameters, not from the key, and gives noise
// without an error if the key has fewer. Ours have all, whatever their level.
func TestTrap15HoistedNeedsAllSpecialPrimes(t *testing.T) {
	p := wide(t)
	g := generator(t, p)
	sk := g.GenSecretKey()
	const level, n = 1, 4
	var reqs []program.KeyRequirement
	for _, e := range access.Lattice(p).CKKS.GaloisElementsForInnerSum(1, n) {
		reqs = append(reqs, program.KeyRequirement{GaloisElement: e, Level: level})
	}
	keys := generate(t, g, sk, reqs)
	for _, e := range keys.Elements() {
		if k := keys.Get(e); k.Rows() != level+1+p.PCount() {
			t.Fatalf("key for %d has %d rows", e, k.Rows())
		}
	}
	eval := evaluator(p, keys)
	port := vector(p, level, p.LogMaxSlots(), p.MaxSlots())
	x := values(p.MaxSlots(), 5)
	ct := toLattigo(p, encrypt(t, sk, port, x).Get("x")[0])
	want := make([]float64, len(x))
	for i := range x {
		for k := range n {
			want[i] += x[(i+k)%len(x)]
		}
	}
	std := 64 * fresh(port.LogSlots, port.Scale)
	if err := eval.InnerSum(ct, 1, n, ct); err != nil {
		t.Fatal(err)
	}
	near(t, "inner sum", owned(t, p, sk, port, ct), want, std)
}
