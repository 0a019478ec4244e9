package record

import (
	"errors"
	"math/big"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/tuneinsight/lattigo/v5/core/rlwe"
	"github.com/tuneinsight/lattigo/v5/he/hefloat"

	"github.com/signet-ml/signet/fhe/internal/lattice"
)

// toy returns parameters of 2^10 coefficients with primes of 55, 45 … 45 and 60, 60 bits.
func toy(t testing.TB, levels int) *lattice.Params {
	t.Helper()
	taken := map[uint64]bool{}
	primes := func(bits, count int, below bool) []uint64 {
		q, err := lattice.Primes(bits, 12, count, below, taken)
		if err != nil {
			t.Fatal(err)
		}
		return q
	}
	ps, err := lattice.NewParams(10, append(primes(55, 1, true), primes(45, levels, false)...), primes(60, 2, true), lattice.Secret{}, 45)
	if err != nil {
		t.Fatal(err)
	}
	return ps
}

func newTape(t testing.TB) *Tape {
	t.Helper()
	tape, err := New(toy(t, 6))
	if err != nil {
		t.Fatal(err)
	}
	return tape
}

var (
	delta  = Scale{Hi: 1 << 63, Exp: 45 - 127}
	coeffs = []float64{0.5, 0.6, 0, -0.2, 0, 0.1, 0, -0.05}
)

func TestScale(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		s := Scale{rng.Uint64() | 1<<63, rng.Uint64(), int32(rng.IntN(400) - 200)}
		if got, err := scaleOf(s.Big()); err != nil || got != s {
			t.Fatalf("%v became %v, %v", s, got, err)
		}
	}
	edge := Scale{Hi: 1 << 63}
	if got, want := edge.below(), (Scale{^uint64(0), ^uint64(0), -1}); got != want {
		t.Errorf("below 2^127: %v, want %v", got, want)
	}
	if got, want := (Scale{Hi: 1<<63 | 1}).below(), (Scale{Hi: 1 << 63, Lo: ^uint64(0)}); got != want {
		t.Errorf("borrow: %v, want %v", got, want)
	}
	for _, x := range []float64{0, -1} {
		if _, err := scaleOf(big.NewFloat(x)); err == nil {
			t.Errorf("scale %v was taken", x)
		}
	}
}

// TestQuotient: x·quotient(y, x) never exceeds y and misses it by an ulp or two at most.
func TestQuotient(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for range 1000 {
		x := Scale{rng.Uint64() | 1<<63, rng.Uint64(), int32(rng.IntN(100))}
		y := Scale{rng.Uint64() | 1<<63, rng.Uint64(), int32(rng.IntN(100))}
		s := quotient(y, x)
		p := new(big.Float).SetPrec(128).Mul(x.Big(), s.Big())
		if p.Cmp(y.Big()) > 0 {
			t.Fatalf("%v·%v is above %v", x, s, y)
		}
		d := new(big.Float).Sub(y.Big(), p)
		if d.Sign() != 0 && d.MantExp(nil) > y.Big().MantExp(nil)-125 {
			t.Fatalf("%v·%v is far below %v", x, s, y)
		}
	}
}

// TestConstants: probed constants are the integers that Lattigo rounds to, of any size and either sign.
func TestConstants(t *testing.T) {
	tape := newTape(t)
	c, err := tape.Record([]Input{{6, 1, Scale{Hi: 1 << 63, Exp: 90 - 127}}}, func(r *Recorder, in []*rlwe.Ciphertext) (*rlwe.Ciphertext, error) {
		return in[0], r.Add(in[0], -1.5+0.75i, in[0])
	})
	if err != nil {
		t.Fatal(err)
	}
	unit := new(big.Int).Lsh(big.NewInt(1), 88)
	if r := c.Records[0]; r.Op != AddConst || r.A.Cmp(new(big.Int).Mul(unit, big.NewInt(-6))) != 0 || r.B.Cmp(new(big.Int).Mul(unit, big.NewInt(3))) != 0 {
		t.Errorf("recorded %+v, want -1.5·2^90 and 0.75·2^90", r)
	}
}

// TestHiddenFactor: Add multiplies the operand of the smaller scale by the truncated ratio, which becomes an operation.
func TestHiddenFactor(t *testing.T) {
	tape := newTape(t)
	in := []Input{{6, 1, delta}, {6, 1, Scale{0xe << 60, 0, 47 - 127}}} // 2^45 and 1.75·2^47: ratio 7
	c, err := tape.Record(in, func(r *Recorder, in []*rlwe.Ciphertext) (*rlwe.Ciphertext, error) {
		return r.AddNew(in[0], in[1])
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Records) != 2 || c.Records[0].Op != MulConst || c.Records[0].A.Int64() != 7 || c.Records[1].Op != Add ||
		!slices.Equal(c.Records[1].Args, []int{2, 1}) {
		t.Errorf("recorded %+v", c.Records)
	}
}

// TestOutside: a scale or level that a circuit writes into a ciphertext itself is recorded at the next use.
func TestOutside(t *testing.T) {
	tape := newTape(t)
	c, err := tape.Record([]Input{{6, 1, delta}}, func(r *Recorder, in []*rlwe.Ciphertext) (*rlwe.Ciphertext, error) {
		r.DropLevel(in[0], 2)
		in[0].Scale = rlwe.NewScale(1 << 30)
		if err := r.Add(in[0], in[0], in[0]); err != nil {
			return nil, err
		}
		in[0].Scale = rlwe.NewScale(1 << 40)
		return in[0], nil
	})
	if err != nil {
		t.Fatal(err)
	}
	var ops []Op
	for _, r := range c.Records {
		ops = append(ops, r.Op)
	}
	if !slices.Equal(ops, []Op{Drop, SetScale, Add, SetScale}) || c.Result != 4 {
		t.Errorf("recorded %v with result %d", ops, c.Result)
	}
}

// TestRefused: what the waist cannot say, or what would read stale memory in Lattigo, is an error and no recording.
func TestRefused(t *testing.T) {
	tape := newTape(t)
	fresh := func(degree, level int) *rlwe.Ciphertext { return hefloat.NewCiphertext(tape.params, degree, level) }
	boom := errors.New("boom")
	for _, c := range []struct {
		name, want string
		f          func(r *Recorder, x *rlwe.Ciphertext) error
	}{
		{"vector", "vector", func(r *Recorder, x *rlwe.Ciphertext) error { return r.Add(x, []float64{1, 2}, x) }},
		{"plaintext", "plaintext", func(r *Recorder, x *rlwe.Ciphertext) error {
			return r.Mul(x, hefloat.NewPlaintext(tape.params, 3), x)
		}},
		{"mac-vector", "vector", func(r *Recorder, x *rlwe.Ciphertext) error { return r.MulThenAdd(x, []complex128{1}, fresh(1, 3)) }},
		{"mac-in-place", "in place", func(r *Recorder, x *rlwe.Ciphertext) error { return r.MulThenAdd(x, 2, x) }},
		{"mac-cuts-degree", "cut", func(r *Recorder, x *rlwe.Ciphertext) error {
			z, err := r.MulNew(x, x)
			if err != nil {
				return err
			}
			return r.MulThenAdd(x, 2, z)
		}},
		{"mac-stale-limbs", "behind", func(r *Recorder, x *rlwe.Ciphertext) error {
			low := x.CopyNew()
			r.DropLevel(low, 1)
			return r.MulThenAdd(low, 2, x)
		}},
		{"stale-receiver", "receiver", func(r *Recorder, x *rlwe.Ciphertext) error { return r.Add(x, x.CopyNew(), fresh(2, 6)) }},
		{"foreign", "did not come from", func(r *Recorder, x *rlwe.Ciphertext) error {
			z := fresh(1, 6)
			z.Value[0].Coeffs[0][0] = 999
			return r.Add(z, 1, z)
		}},
		{"resized", "outside", func(r *Recorder, x *rlwe.Ciphertext) error {
			x.Resize(2, 6)
			return r.Add(x, 1, x)
		}},
		{"scalar-of-unknown-type", "type", func(r *Recorder, x *rlwe.Ciphertext) error { return r.Add(x, "one", x) }},
		{"level", "too low", func(r *Recorder, x *rlwe.Ciphertext) error {
			r.DropLevel(x, 6)
			return r.Rescale(x, x)
		}},
		{"error", "boom", func(*Recorder, *rlwe.Ciphertext) error { return boom }},
		{"panic", "panicked", func(*Recorder, *rlwe.Ciphertext) error { panic("at the disco") }},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := tape.Record([]Input{{6, 1, delta}}, func(r *Recorder, in []*rlwe.Ciphertext) (*rlwe.Ciphertext, error) {
				return in[0], c.f(r, in[0])
			})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want an error with %q", err, c.want)
			}
		})
	}
	for _, in := range []Input{{7, 1, delta}, {-1, 1, delta}, {3, 0, delta}, {3, 3, delta}} {
		if _, err := tape.Chebyshev(in, coeffs, delta); err == nil {
			t.Errorf("input %v was taken", in)
		}
	}
	if _, err := tape.Mod1(Input{6, 1, delta}, Mod1{Type: "Tan"}); err == nil {
		t.Error("an unknown approximation was taken")
	}
	ps, err := lattice.NewParams(10, tape.params.Q(), nil, lattice.Secret{}, 45)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := New(ps); err == nil {
		t.Error("parameters without special primes were taken")
	}
}

// TestRing: the root that constants are read with does not depend on N, so a recording serves every ring.
func TestRing(t *testing.T) {
	ps := toy(t, 6)
	tape, err := New(ps)
	if err != nil {
		t.Fatal(err)
	}
	if got := tape.Parameters().LogN(); got != 5 {
		t.Fatalf("recording on 2^%d", got)
	}
	for i, s := range tape.params.RingQ().SubRings {
		if s.RootsForward[1] != ps.RingQ(i).RootsForward[1] {
			t.Errorf("prime %d: ψ^(N/2) differs between rings", i)
		}
	}
	if tape.params.EncodingPrecision() != ps.CKKS.EncodingPrecision() {
		t.Error("constants are rounded at another precision")
	}
}

func TestPrune(t *testing.T) {
	tape := newTape(t)
	c, err := tape.Chebyshev(Input{6, 1, delta}, coeffs, delta)
	if err != nil {
		t.Fatal(err)
	}
	p := c.Prune()
	if len(p.Records) >= len(c.Records) {
		t.Errorf("%d of %d records left", len(p.Records), len(c.Records))
	}
	last, want := p.Records[p.Result-1], c.Records[c.Result-1]
	if last.Op != want.Op || last.Level != want.Level || last.Degree != want.Degree || last.Scale != want.Scale {
		t.Errorf("the result became %+v, was %+v", last, want)
	}
	used := map[int]bool{p.Result: true}
	for i := len(p.Records) - 1; i >= 0; i-- {
		if v := i + p.Inputs; !used[v] {
			t.Errorf("record %d is dead", i)
		}
		for _, a := range p.Records[i].Args {
			if a >= i+p.Inputs {
				t.Errorf("record %d uses %d, which comes later", i, a)
			}
			used[a] = true
		}
		if r := p.Records[i]; r.Op == MacConst && r.A.Sign() == 0 && r.B.Sign() == 0 {
			t.Errorf("record %d adds zero", i)
		}
	}
	if again := p.Prune(); !reflect.DeepEqual(again, p) {
		t.Error("pruning twice prunes more")
	}
}

// TestConcurrent: recordings on one tape at once are independent and equal.
func TestConcurrent(t *testing.T) {
	tape := newTape(t)
	want, err := tape.Chebyshev(Input{6, 1, delta}, coeffs, delta)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 5 {
				got, err := tape.Chebyshev(Input{6, 1, delta}, coeffs, delta)
				if err != nil || !reflect.DeepEqual(got, want) {
					t.Errorf("another recording gave another circuit, error %v", err)
				}
			}
		})
	}
	wg.Wait()
}

func BenchmarkRecord(b *testing.B) {
	ps := toy(b, 6)
	b.Run("new", func(b *testing.B) {
		for b.Loop() {
			if _, err := New(ps); err != nil {
				b.Fatal(err)
			}
		}
	})
	tape := newTape(b)
	b.Run("degree=7", func(b *testing.B) {
		for b.Loop() {
			if _, err := tape.Chebyshev(Input{6, 1, delta}, coeffs, delta); err != nil {
				b.Fatal(err)
			}
		}
	})
}
