package polyeval_test

import (
	"bytes"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/tuneinsight/lattigo/v5/core/rlwe"
	"github.com/tuneinsight/lattigo/v5/he/hefloat"
	"github.com/tuneinsight/lattigo/v5/ring"

	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/internal/access"
	"github.com/signet-ml/signet/fhe/internal/lattice"
	"github.com/signet-ml/signet/fhe/program"
)

// machine executes the opcodes that recordings consist of, on Lattigo's rings. It does what the waist says, not what
// Lattigo's evaluator would: no factor is applied that the program does not state.
type machine struct {
	fhe  fhe.Parameters
	ckks hefloat.Parameters
	sk   *rlwe.SecretKey
	eval *hefloat.Evaluator // with real keys
}

func newMachine(t testing.TB, p fhe.Parameters) *machine {
	t.Helper()
	m := &machine{fhe: p, ckks: access.Lattice(p).CKKS}
	kgen := hefloat.NewKeyGenerator(m.ckks)
	m.sk = kgen.GenSecretKeyNew()
	conj := kgen.GenGaloisKeyNew(m.ckks.GaloisElementForComplexConjugation(), m.sk)
	m.eval = hefloat.NewEvaluator(m.ckks, rlwe.NewMemEvaluationKeySet(kgen.GenRelinearizationKeyNew(m.sk), conj))
	return m
}

func (m *machine) run(t testing.TB, p *program.Program, inputs ...*rlwe.Ciphertext) *rlwe.Ciphertext {
	t.Helper()
	ops := p.Ops()
	vals := make([]*rlwe.Ciphertext, len(ops))
	var result *rlwe.Ciphertext
	for i := range ops {
		o := &ops[i]
		arg := func(i int) *rlwe.Ciphertext { return vals[o.Args[i]] }
		out := hefloat.NewCiphertext(m.ckks, o.Degree, o.Level)
		ringQ := m.ckks.RingQ().AtLevel(o.Level)
		var err error
		switch o.Code {
		case program.Input:
			out = inputs[o.Port].CopyNew()
			if out.Level() != o.Level || out.Degree() != o.Degree {
				t.Fatalf("input %d has another shape than its port", o.Port)
			}
		case program.Output:
			result = arg(0)
			continue
		case program.Zero:
		case program.SetScale, program.Drop:
			for k := range out.Value {
				out.Value[k].CopyLvl(o.Level, arg(0).Value[k])
			}
		case program.Add, program.Sub:
			x, y := arg(0), arg(1)
			for k := range out.Value {
				switch {
				case k > x.Degree():
					out.Value[k].CopyLvl(o.Level, y.Value[k])
				case k > y.Degree():
					out.Value[k].CopyLvl(o.Level, x.Value[k])
				case o.Code == program.Add:
					ringQ.Add(x.Value[k], y.Value[k], out.Value[k])
				default:
					ringQ.Sub(x.Value[k], y.Value[k], out.Value[k])
				}
			}
		case program.Neg:
			for k := range out.Value {
				ringQ.MulScalarBigint(arg(0).Value[k], big.NewInt(-1), out.Value[k]) // ring.Neg would make 0 a q
			}
		case program.AddConst, program.MulConst, program.MacConst:
			for j, s := range ringQ.SubRings[:o.Level+1] {
				first, second := lattice.ConstResidues(s, o.A, o.B)
				for k := range out.Value {
					for w := range out.Value[k].Coeffs[j] {
						c := first
						if w >= s.N/2 {
							c = second
						}
						word := func(v *rlwe.Ciphertext) uint64 {
							if k > v.Degree() {
								return 0
							}
							return v.Value[k].Coeffs[j][w]
						}
						var r uint64
						switch {
						case o.Code == program.MulConst:
							r = mulmod(s, word(arg(0)), c)
						case o.Code == program.MacConst:
							r = ring.CRed(mulmod(s, word(arg(0)), lattice.ResidueBig(o.M, s.Modulus))+mulmod(s, word(arg(1)), c), s.Modulus)
						case k == 0:
							r = ring.CRed(word(arg(0))+c, s.Modulus)
						default:
							r = word(arg(0))
						}
						out.Value[k].Coeffs[j][w] = r
					}
				}
			}
		case program.Mul:
			err = m.eval.Mul(arg(0), arg(1), out)
		case program.MulRelin:
			err = m.eval.MulRelin(arg(0), arg(1), out)
		case program.Relin:
			err = m.eval.Relinearize(arg(0), out)
		case program.Conj:
			err = m.eval.Conjugate(arg(0), out)
		case program.Rescale:
			err = m.eval.Rescale(arg(0), out)
		default:
			t.Fatalf("no rule for %v", o.Code)
		}
		if err != nil {
			t.Fatalf("operation %d, %v: %v", i, o.Code, err)
		}
		out.Scale = rlwe.NewScale(o.Scale.Big())
		out.LogDimensions.Cols = o.LogSlots
		vals[i] = out
	}
	return result
}

func mulmod(s *ring.SubRing, x, y uint64) uint64 { return ring.BRed(x, y, s.Modulus, s.BRedConstant) }

// value returns a result of Lattigo as a value of the library: every word below its prime.
func (m *machine) value(t testing.TB, ct *rlwe.Ciphertext) *fhe.Ciphertext {
	t.Helper()
	limbs := make([][][]uint64, ct.Degree()+1)
	for i := range limbs {
		for j := range ct.Level() + 1 {
			row := append([]uint64(nil), ct.Value[i].Coeffs[j]...)
			for k, w := range row {
				row[k] = w % m.fhe.Prime(j)
			}
			limbs[i] = append(limbs[i], row)
		}
	}
	scale, err := fhe.ScaleFromBig(&ct.Scale.Value)
	if err != nil {
		t.Fatal(err)
	}
	v, err := fhe.CiphertextFromLimbs(m.fhe, limbs, ct.LogDimensions.Cols, scale)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// random returns a ciphertext of uniform words, with 0 and q - 1 among them.
func (m *machine) random(seed uint64, level int, scale fhe.Scale) *rlwe.Ciphertext {
	rng := rand.New(rand.NewPCG(seed, 0))
	ct := hefloat.NewCiphertext(m.ckks, 1, level)
	ct.Scale = rlwe.NewScale(scale.Big())
	for _, p := range ct.Value {
		for j, row := range p.Coeffs {
			q := m.fhe.Prime(j)
			for k := range row {
				switch rng.IntN(16) {
				case 0:
					row[k] = 0
				case 1:
					row[k] = q - 1
				default:
					row[k] = rng.Uint64N(q)
				}
			}
		}
	}
	return ct
}

// encrypt returns a ciphertext of the values, repeated over all slots.
func (m *machine) encrypt(t testing.TB, values []float64, level int, scale fhe.Scale) *rlwe.Ciphertext {
	t.Helper()
	pt := hefloat.NewPlaintext(m.ckks, level)
	pt.Scale = rlwe.NewScale(scale.Big())
	all := make([]float64, m.ckks.MaxSlots())
	for i := range all {
		all[i] = values[i%len(values)]
	}
	if err := hefloat.NewEncoder(m.ckks).Encode(all, pt); err != nil {
		t.Fatal(err)
	}
	ct, err := hefloat.NewEncryptor(m.ckks, m.sk).EncryptNew(pt)
	if err != nil {
		t.Fatal(err)
	}
	return ct
}

func (m *machine) decrypt(t testing.TB, ct *rlwe.Ciphertext) []float64 {
	t.Helper()
	out := make([]float64, m.ckks.MaxSlots())
	if err := hefloat.NewEncoder(m.ckks).Decode(hefloat.NewDecryptor(m.ckks, m.sk).DecryptNew(ct), out); err != nil {
		t.Fatal(err)
	}
	return out
}

// inputPort is a port of one full ciphertext.
func inputPort(p fhe.Parameters, name string, level int, scale fhe.Scale) program.Port {
	return program.Port{Name: name, Count: 1, Level: level, Degree: 1, LogSlots: p.LogMaxSlots(), Scale: scale, Bound: 1, Layout: fullLayout(p)}
}

func fullLayout(p fhe.Parameters) program.Layout {
	n := p.MaxSlots()
	return program.Layout{Shape: []int{n}, Runs: []program.Run{{SlotStep: 1, IndexStep: 1, Length: n}}}
}

// compile returns the program that applies emit to one input, as it comes off the wire.
func compile(t testing.TB, p fhe.Parameters, level int, scale fhe.Scale, emit func(b *program.Builder, x program.Value) (program.Value, error)) *program.Program {
	t.Helper()
	b := program.NewBuilder(p)
	x := b.Input(inputPort(p, "x", level, scale))[0]
	y, err := emit(b, x)
	if err != nil {
		t.Fatal(err)
	}
	b.Output(b.OutputPort("y", y, 1, fullLayout(p)), y)
	prog, _, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	var wire bytes.Buffer
	if _, err := prog.WriteTo(&wire); err != nil {
		t.Fatal(err)
	}
	read, err := program.ReadProgram(&wire, p, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	if read.Digest() != prog.Digest() {
		t.Fatal("the program changes on the wire")
	}
	return read
}
