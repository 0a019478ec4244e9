package polyeval_test

import (
	"bytes"
	"flag"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/tuneinsight/lattigo/v5/core/rlwe"
	"github.com/tuneinsight/lattigo/v5/he"
	"github.com/tuneinsight/lattigo/v5/he/hefloat"
	"github.com/tuneinsight/lattigo/v5/he/hefloat/bootstrapping"
	"github.com/tuneinsight/lattigo/v5/utils/bignum"

	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/fhetest"
	"github.com/signet-ml/signet/fhe/internal/access"
	"github.com/signet-ml/signet/fhe/internal/lattice"
	"github.com/signet-ml/signet/fhe/internal/lattice/record"
	"github.com/signet-ml/signet/fhe/internal/replay"
	"github.com/signet-ml/signet/fhe/polyeval"
	"github.com/signet-ml/signet/fhe/program"
)

var update = flag.Bool("update", false, "rewrite the golden files in testdata")

// toy returns parameters of 2^logN coefficients with a chain of 55, then 45 bits, whose default scale is 2^45.
func toy(t testing.TB, logN, levels int) fhe.Parameters {
	t.Helper()
	lit := fhe.ParametersLiteral{LogN: logN, LogQ: []int{55}, LogP: []int{60, 60}, LogDefaultScale: 45}
	for range levels {
		lit.LogQ = append(lit.LogQ, 45)
	}
	p, err := fhetest.InsecureParams(lit)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func lattigoPolynomial(p polyeval.Chebyshev) bignum.Polynomial {
	a, b := p.Interval()
	return bignum.NewPolynomial(bignum.Chebyshev, p.Coefficients(), [2]float64{a, b})
}

// TestFreezeSigmoid is half of the waist's freeze test: Lattigo's degree-7 sigmoid, recorded, passes Build and computes
// Lattigo's bits with real keys. The Chebyshev coefficients are Lattigo's own too.
func TestFreezeSigmoid(t *testing.T) {
	params := toy(t, 11, 6)
	m := newMachine(t, params)
	poly, err := polyeval.At(polyeval.Sigmoid, -8, 8, 7)
	if err != nil {
		t.Fatal(err)
	}
	for _, level := range []int{6, 3} {
		for _, scale := range []fhe.Scale{params.DefaultScale(), fhe.NewScale(3 << 43)} {
			target := params.DefaultScale()
			prog := compile(t, params, level, scale, func(b *program.Builder, x program.Value) (program.Value, error) {
				return polyeval.Evaluate(b, x, poly, target)
			})
			for seed := range uint64(3) {
				ct := m.random(seed, level, scale)
				want, err := hefloat.NewPolynomialEvaluator(m.ckks, m.eval).Evaluate(ct, lattigoPolynomial(poly), rlwe.NewScale(target.Big()))
				if err != nil {
					t.Fatal(err)
				}
				want.Scale = rlwe.NewScale(target.Big())
				sameBits(t, m, m.run(t, prog, ct), want)
			}
		}
	}
}

func sameBits(t testing.TB, m *machine, got, want *rlwe.Ciphertext) {
	t.Helper()
	g, w := m.value(t, got), m.value(t, want)
	if g.Digest() == w.Digest() {
		return
	}
	differ, words := 0, 0
	for i := range min(g.Degree(), w.Degree()) + 1 {
		for j := range min(g.Level(), w.Level()) + 1 {
			for k, x := range g.Limb(i, j) {
				words++
				if x != w.Limb(i, j)[k] {
					differ++
				}
			}
		}
	}
	t.Errorf("%d of %d words differ; level %d, degree %d, scale %v, 2^%d slots, want %d, %d, %v, 2^%d", differ, words,
		g.Level(), g.Degree(), g.Scale(), g.LogSlots(), w.Level(), w.Degree(), w.Scale(), w.LogSlots())
}

// TestFreezeEvalMod is the other half: the middle of Lattigo's bootstrapping, for its default parameter sets. The
// primes are those sets' own; only P is ours, because fhe takes special primes below 2^61.
func TestFreezeEvalMod(t *testing.T) {
	counts := map[record.Op]int{record.MulRelin: 9, record.Mul: 4, record.Relin: 3, record.Rescale: 14, record.MacConst: 11,
		record.AddConst: 14, record.Add: 13, record.Sub: 1}
	for _, c := range []struct {
		name   string
		scheme hefloat.ParametersLiteral
		btp    bootstrapping.ParametersLiteral
		counts map[record.Op]int
	}{
		{"set=N16QP1546H192H32", bootstrapping.N16QP1546H192H32.SchemeParams, bootstrapping.N16QP1546H192H32.BootstrappingParams, counts},
		{"set=N16QP1767H32768H32", bootstrapping.N16QP1767H32768H32.SchemeParams, bootstrapping.N16QP1767H32768H32.BootstrappingParams, counts},
		{"set=N16QP1547H192H32", bootstrapping.N16QP1547H192H32.SchemeParams, bootstrapping.N16QP1547H192H32.BootstrappingParams, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			if testing.Short() && c.name != "set=N16QP1546H192H32" {
				t.Skip("one set will do for a short run")
			}
			residual, err := hefloat.NewParametersFromLiteral(c.scheme)
			if err != nil {
				t.Fatal(err)
			}
			btp, err := bootstrapping.NewParametersFromLiteral(residual, c.btp)
			if err != nil {
				t.Fatal(err)
			}
			lit := fhe.ParametersLiteral{LogN: 11, Q: btp.BootstrappingParameters.Q(), LogDefaultScale: btp.BootstrappingParameters.LogDefaultScale()}
			taken := map[uint64]bool{}
			for _, q := range lit.Q {
				taken[q] = true
			}
			if lit.P, err = lattice.Primes(61, 17, 5, true, taken); err != nil {
				t.Fatal(err)
			}
			params, err := fhetest.InsecureParams(lit)
			if err != nil {
				t.Fatal(err)
			}
			m := newMachine(t, params)
			l := btp.Mod1ParametersLiteral
			level, scale := l.LevelStart, fhe.PowerOfTwo(l.LogScale-5)

			tape, err := record.New(access.Lattice(params))
			if err != nil {
				t.Fatal(err)
			}
			circuit, err := tape.Mod1(record.Input{Level: level, Degree: 1, Scale: replay.Words(scale)}, record.Mod1{Type: "CosDiscrete",
				LevelStart: level, LogScale: l.LogScale, LogMessageRatio: l.LogMessageRatio, K: l.K, Degree: l.Mod1Degree,
				DoubleAngle: l.DoubleAngle, InvDegree: l.Mod1InvDegree})
			if err != nil {
				t.Fatal(err)
			}
			quick(t, func() {
				if _, err := record.New(access.Lattice(params)); err != nil { // the larger part: a ring for each prime
					t.Fatal(err)
				}
			})
			have := countsOf(circuit)
			for op, n := range c.counts {
				if have[op] != n {
					t.Errorf("%d %v, want %d", have[op], op, n)
				}
			}
			p, err := hefloat.NewMod1ParametersFromLiteral(m.ckks, l)
			if err != nil {
				t.Fatal(err)
			}
			ct := m.random(7, level, scale)
			mod1 := hefloat.NewMod1Evaluator(m.eval, hefloat.NewPolynomialEvaluator(m.ckks, m.eval), p)
			want, err := mod1.EvaluateNew(ct.CopyNew()) // trap 4: EvalMod overwrites its input
			if err != nil {
				t.Fatal(err)
			}
			prog := compile(t, params, level, scale, func(b *program.Builder, x program.Value) (program.Value, error) {
				return replay.Emit(b, circuit, x)
			})
			sameBits(t, m, m.run(t, prog, ct), want)

			// The one factor that Lattigo hides must be probed: the ratio of the scales, truncated, is another number.
			i := slices.IndexFunc(circuit.Records, func(r record.Record) bool { return r.Op == record.MulConst })
			ratio, _ := circuit.Records[i].By.Big().Int(nil)
			if probed := circuit.Records[i].A; probed.Cmp(ratio) == 0 {
				t.Errorf("the factor %v is the truncated ratio of the scales: the case that this test is about is gone", probed)
			}
		})
	}
}

// TestFreezeEvaluator compares every way to call an evaluator that a circuit of Lattigo's may use, those that default
// circuits leave out included, with what the recording of it computes.
func TestFreezeEvaluator(t *testing.T) {
	params, err := fhetest.InsecureParams(fhe.ParametersLiteral{LogN: 10, LogQ: []int{60, 60, 45, 60, 60}, LogP: []int{60, 60}, LogDefaultScale: 45})
	if err != nil {
		t.Fatal(err)
	}
	m := newMachine(t, params)
	tape, err := record.New(access.Lattice(params))
	if err != nil {
		t.Fatal(err)
	}
	type ct = rlwe.Ciphertext
	type circuit func(e he.Evaluator, fresh func(degree, level int) *ct, x, y *ct) (*ct, error)
	product := func(e he.Evaluator, x, y *ct) *ct {
		z, err := e.MulNew(x, y)
		if err != nil {
			t.Fatal(err)
		}
		return z
	}
	third := fhe.NewScale(1 << 45).Mul(fhe.NewScale(3)).Div(fhe.NewScale(7))
	for _, c := range []struct {
		name           string
		scaleX, scaleY fhe.Scale
		levelX, levelY int
		circuit        circuit
		has            []record.Op
	}{
		{"add", third, third, 4, 3, func(e he.Evaluator, _ func(int, int) *ct, x, y *ct) (*ct, error) { return e.AddNew(x, y) }, nil},
		{"add/ratio", third, fhe.PowerOfTwo(100), 4, 3, func(e he.Evaluator, _ func(int, int) *ct, x, y *ct) (*ct, error) { return e.AddNew(x, y) }, []record.Op{record.MulConst}},
		{"add/ratio/in-place", third, fhe.PowerOfTwo(100), 4, 4, func(e he.Evaluator, _ func(int, int) *ct, x, y *ct) (*ct, error) { return x, e.Add(x, y, x) }, []record.Op{record.MulConst}},
		{"add/ratio/second", third, fhe.PowerOfTwo(100), 4, 4, func(e he.Evaluator, _ func(int, int) *ct, x, y *ct) (*ct, error) { return y, e.Add(x, y, y) }, []record.Op{record.MulConst}},
		{"sub/ratio", fhe.PowerOfTwo(100), third, 3, 4, func(e he.Evaluator, _ func(int, int) *ct, x, y *ct) (*ct, error) { return e.SubNew(x, y) }, []record.Op{record.MulConst}},
		{"sub/ratio/in-place", fhe.PowerOfTwo(100), third, 4, 4, func(e he.Evaluator, _ func(int, int) *ct, x, y *ct) (*ct, error) { return x, e.Sub(x, y, x) }, []record.Op{record.MulConst}},
		{"sub/ratio/second", fhe.PowerOfTwo(100), third, 4, 4, func(e he.Evaluator, _ func(int, int) *ct, x, y *ct) (*ct, error) { return y, e.Sub(x, y, y) }, []record.Op{record.MulConst}},
		{"sub/higher-degree", third, third, 4, 4, func(e he.Evaluator, _ func(int, int) *ct, x, y *ct) (*ct, error) {
			z := product(e, x, y)
			z.Scale = x.Scale
			out, err := e.SubNew(x, x)
			if err != nil {
				return nil, err
			}
			return z, e.Sub(out, z, z)
		}, []record.Op{record.Neg, record.SetScale}},
		{"sub/lower-degree", third, third, 4, 3, func(e he.Evaluator, _ func(int, int) *ct, x, y *ct) (*ct, error) {
			z := product(e, x, y)
			return z, e.Sub(z, y, z)
		}, []record.Op{record.MulConst}},
		{"low-receiver", third, third, 4, 4, func(e he.Evaluator, fresh func(int, int) *ct, x, y *ct) (*ct, error) {
			z := fresh(1, 2)
			if err := e.Add(x, y, z); err != nil {
				return nil, err
			}
			w := fresh(1, 1)
			return w, e.Mul(z, 3, w)
		}, []record.Op{record.Drop}},
		{"scalars", third, third, 4, 4, func(e he.Evaluator, _ func(int, int) *ct, x, y *ct) (*ct, error) {
			for _, f := range []func() error{
				func() error { return e.Add(x, 0.3-2.5i, x) },
				func() error { return e.Sub(x, new(big.Float).SetFloat64(1e-3), x) },
				func() error { return e.Mul(x, -7, x) },
				func() error { return e.Mul(x, 0.1+0.7i, x) },
				func() error { return e.Rescale(x, x) },
				func() error { return e.Mul(x, uint64(1)<<60-93, x) }, // rounded to 53 bits
				func() error { return e.MulRelin(x, 1i, x) },
			} {
				if err := f(); err != nil {
					return nil, err
				}
			}
			return x, nil
		}, []record.Op{record.AddConst, record.MulConst}},
		{"mac/equal-scales", third, third, 4, 4, func(e he.Evaluator, _ func(int, int) *ct, x, y *ct) (*ct, error) {
			return y, e.MulThenAdd(x, 0.3, y) // y is multiplied by a prime of 60 bits, rounded to 53
		}, []record.Op{record.MulConst, record.MacConst}},
		{"mac/equal-scales/exact", third, third, 2, 2, func(e he.Evaluator, _ func(int, int) *ct, x, y *ct) (*ct, error) {
			return y, e.MulThenAdd(x, 0.3, y) // and here by one of 45 bits, as it is
		}, []record.Op{record.MacConst}},
		{"mac/integer", third, third, 4, 3, func(e he.Evaluator, _ func(int, int) *ct, x, y *ct) (*ct, error) {
			return y, e.MulThenAdd(x, -3, y)
		}, []record.Op{record.MacConst}},
		{"mac/ratio", third, fhe.PowerOfTwo(90), 4, 3, func(e he.Evaluator, _ func(int, int) *ct, x, y *ct) (*ct, error) {
			return y, e.MulThenAdd(x, 0.25+0.125i, y)
		}, []record.Op{record.MacConst}},
		{"mac/ciphertexts", third, third, 4, 4, func(e he.Evaluator, fresh func(int, int) *ct, x, y *ct) (*ct, error) {
			z := product(e, x, x)
			return z, e.MulThenAdd(x, y, z)
		}, []record.Op{record.Mul, record.Add}},
		{"relinearise", third, third, 4, 3, func(e he.Evaluator, fresh func(int, int) *ct, x, y *ct) (*ct, error) {
			z, w := product(e, x, y), fresh(1, 2)
			if err := e.Relinearize(z, w); err != nil {
				return nil, err
			}
			out := fresh(1, 2)
			return out, e.Rescale(w, out)
		}, []record.Op{record.Relin, record.Rescale, record.Drop}},
		{"copies", third, third, 4, 4, func(e he.Evaluator, _ func(int, int) *ct, x, y *ct) (*ct, error) {
			z := x.CopyNew()
			if err := e.MulRelin(x, x, x); err != nil {
				return nil, err
			}
			return e.MulRelinNew(z, x)
		}, []record.Op{record.MulRelin}},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := []record.Input{{Level: c.levelX, Degree: 1, Scale: replay.Words(c.scaleX)}, {Level: c.levelY, Degree: 1, Scale: replay.Words(c.scaleY)}}
			recorded, err := tape.Record(in, func(r *record.Recorder, in []*ct) (*ct, error) {
				return c.circuit(r, func(degree, level int) *ct { return hefloat.NewCiphertext(tape.Parameters(), degree, level) }, in[0], in[1])
			})
			if err != nil {
				t.Fatal(err)
			}
			counts := countsOf(recorded)
			for _, op := range c.has {
				if counts[op] == 0 {
					t.Errorf("no %v in %v", op, counts)
				}
			}
			b := program.NewBuilder(params)
			x := b.Input(inputPort(params, "x", c.levelX, c.scaleX))[0]
			y := b.Input(inputPort(params, "y", c.levelY, c.scaleY))[0]
			z, err := replay.Emit(b, recorded, x, y)
			if err != nil {
				t.Fatal(err)
			}
			b.Output(b.OutputPort("z", z, 1, fullLayout(params)), z)
			prog, _, err := b.Build()
			if err != nil {
				t.Fatal(err)
			}
			cx, cy := m.random(1, c.levelX, c.scaleX), m.random(2, c.levelY, c.scaleY)
			got := m.run(t, prog, cx, cy)
			want, err := c.circuit(m.eval, func(degree, level int) *ct { return hefloat.NewCiphertext(m.ckks, degree, level) }, cx, cy)
			if err != nil {
				t.Fatal(err)
			}
			sameBits(t, m, got, want)
		})
	}
}

// TestGoldenSigmoid pins the program of the degree-7 sigmoid as text; its first line is the program's digest.
func TestGoldenSigmoid(t *testing.T) {
	params := toy(t, 10, 4)
	poly, err := polyeval.At(polyeval.Sigmoid, -8, 8, 7)
	if err != nil {
		t.Fatal(err)
	}
	prog := compile(t, params, 4, params.DefaultScale(), func(b *program.Builder, x program.Value) (program.Value, error) {
		b.Scope("sigmoid")
		return polyeval.Evaluate(b, x, poly, params.DefaultScale())
	})
	var got bytes.Buffer
	if err := prog.Dump(&got); err != nil {
		t.Fatal(err)
	}
	got.WriteString("digest " + prog.Digest().String() + "\n")
	name := filepath.Join("testdata", "sigmoid7.txt")
	if *update {
		if err := os.MkdirAll("testdata", 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, got.Bytes(), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Bytes(), want) {
		t.Errorf("the program changed; run with -update and read the difference:\n%s", got.Bytes())
	}
}

// countsOf returns how many records of each operation there are.
func countsOf(c *record.Circuit) map[record.Op]int {
	n := make(map[record.Op]int)
	for i := range c.Records {
		n[c.Records[i].Op]++
	}
	return n
}
