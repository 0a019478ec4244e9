// Package replay executes compiled programs on stock Lattigo through Signet's public API alone and compares digests: a
// stranger can check a server's result without Signet's engines.
package replay

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/tuneinsight/lattigo/v5/core/rlwe"
	"github.com/tuneinsight/lattigo/v5/he"
	"github.com/tuneinsight/lattigo/v5/he/hefloat"
	"github.com/tuneinsight/lattigo/v5/ring"
	"github.com/tuneinsight/lattigo/v5/ring/ringqp"

	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/client"
	"github.com/signet-ml/signet/fhe/engine"
	"github.com/signet-ml/signet/fhe/program"
	"github.com/signet-ml/signet/ml"
	"github.com/signet-ml/signet/ml/encrypted"
)

func TestReplay(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	tensor := func(rows, cols int, size float64) ml.Tensor {
		data := make([]float64, rows*cols)
		for i := range data {
			data[i] = size * (2*rng.Float64() - 1)
		}
		x, err := ml.NewTensor([]int{rows, cols}, data)
		check(t, err)
		return x
	}
	sample := tensor(256, 100, 1)
	mlp, err := ml.Sequential(ml.Dense(tensor(16, 100, 0.2), tensor(1, 16, 0.5).Data), ml.Square(), ml.Dense(tensor(5, 16, 0.5), tensor(1, 5, 0.5).Data))
	check(t, err)
	lr, err := ml.Sequential(ml.Dense(tensor(1, 100, 0.2), []float64{0.25}), ml.Sigmoid())
	check(t, err)
	for name, c := range map[string]struct {
		model  *ml.Model
		target encrypted.Target
	}{
		"model=mlp/packing=single": {mlp, encrypted.Target{Calibration: sample, Packing: encrypted.Single}},
		"model=mlp/packing=batch":  {mlp, encrypted.Target{Calibration: sample, Batch: 50}},
		"model=lr/packing=single":  {lr, encrypted.Target{Calibration: sample, Packing: encrypted.Single, ServerActivation: true}},
		"model=lr/packing=batch":   {lr, encrypted.Target{Calibration: sample, Batch: 50}},
	} {
		t.Run(name, func(t *testing.T) {
			ctx := context.Background()
			plan, err := encrypted.Compile(c.model, c.target)
			check(t, err)
			kg, err := client.NewKeyGenerator(plan.Parameters())
			check(t, err)
			sk := kg.GenSecretKey()
			keys, err := kg.GenEvaluationKeys(ctx, sk, plan.Keys())
			check(t, err)
			x, err := plan.Pack(sample.Slice(0, min(plan.Samples(), 50)))
			check(t, err)
			in, err := client.NewEncryptor(sk).Encrypt(plan.Input(), x)
			check(t, err)
			eng, err := engine.Open(ctx, engine.Auto)
			check(t, err)
			job, err := eng.Load(ctx, plan.Program(), plan.Constants(), keys)
			check(t, err)
			defer job.Close()
			out, err := job.Run(ctx, in)
			check(t, err)

			// From here on everything is what another process would read.
			var files files
			files.write(t, plan.Parameters(), plan.Program(), plan.Constants(), keys, in, out)
			files.replay(t)
		})
	}
}

// files are the wire forms of what a server was given and what it answered.
type files [6][]byte

func (f *files) write(t *testing.T, artefacts ...io.WriterTo) {
	t.Helper()
	for i, a := range artefacts {
		var b bytes.Buffer
		n, err := a.WriteTo(&b)
		check(t, err)
		if n != int64(b.Len()) {
			t.Fatalf("artefact %d: WriteTo says %d bytes, wrote %d", i, n, b.Len())
		}
		f[i] = b.Bytes()
	}
}

func (f *files) replay(t *testing.T) {
	t.Helper()
	const limit = 1 << 30
	open := func(i int) io.Reader { return bytes.NewReader(f[i]) }
	p, err := fhe.ReadParameters(open(0), limit)
	check(t, err)
	prog, err := program.ReadProgram(open(1), p, limit)
	check(t, err)
	consts, err := program.ReadConstants(open(2), limit)
	check(t, err)
	keys, err := fhe.ReadEvaluationKeys(open(3), p, limit)
	check(t, err)
	in, err := fhe.ReadBundle(open(4), p, limit)
	check(t, err)
	want, err := fhe.ReadBundle(open(5), p, limit)
	check(t, err)

	got := fhe.NewBundle(p, in.Key(), prog.Digest())
	for port, cts := range newReplayer(t, prog, consts, keys).run(t, in) {
		for i, ct := range cts {
			if g, w := ct.Digest(), want.Get(port)[i].Digest(); g != w {
				t.Errorf("%s[%d]: stock Lattigo has %s, the engine %s", port, i, g, w)
			}
		}
		check(t, got.Add(port, cts...))
	}
	if got.Digest() != want.Digest() {
		t.Errorf("the output's digest is %s, stock Lattigo's %s", want.Digest(), got.Digest())
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// replayer executes a program with Lattigo's evaluator.
type replayer struct {
	prog   *program.Program
	consts *program.Constants
	params hefloat.Parameters
	eval   *hefloat.Evaluator
	lin    *hefloat.LinearTransformationEvaluator
}

func newReplayer(t *testing.T, p *program.Program, c *program.Constants, keys *fhe.EvaluationKeys) *replayer {
	sp := p.Parameters()
	params, err := hefloat.NewParametersFromLiteral(hefloat.ParametersLiteral{LogN: sp.LogN(), Q: sp.Q(), P: sp.P(), LogDefaultScale: 30})
	check(t, err)
	// The roots of unity are part of the parameters: both sides must transform alike.
	rings := append([]*ring.SubRing(nil), params.RingQ().SubRings...)
	if params.RingP() != nil {
		rings = append(rings, params.RingP().SubRings...)
	}
	for i, s := range rings {
		if psi := ring.IMForm(s.RootsForward[s.N/2], s.Modulus, s.MRedConstant); psi != sp.Roots()[i] {
			t.Fatalf("root %d of prime %d", i, s.Modulus)
		}
	}
	set := rlwe.NewMemEvaluationKeySet(nil)
	for _, g := range keys.Elements() {
		k := keys.Get(g)
		gadget := rlwe.NewGadgetCiphertext(params, 1, k.Level(), params.MaxLevelP(), 0)
		for d := range k.Digits() {
			for part := range 2 {
				poly := gadget.Value[d][0][part]
				for i, row := range append(append([][]uint64(nil), poly.Q.Coeffs...), poly.P.Coeffs...) {
					s := params.RingQ().SubRings[min(i, k.Level())]
					if i > k.Level() {
						s = params.RingP().SubRings[i-k.Level()-1]
					}
					s.MForm(k.Limb(d, part, i), row)
				}
			}
		}
		if evk := (rlwe.EvaluationKey{GadgetCiphertext: *gadget}); g == 0 {
			set.RelinearizationKey = &rlwe.RelinearizationKey{EvaluationKey: evk}
		} else {
			set.GaloisKeys[g] = &rlwe.GaloisKey{GaloisElement: g, NthRoot: uint64(2 * sp.N()), EvaluationKey: evk}
		}
	}
	eval := hefloat.NewEvaluator(params, set)
	return &replayer{p, c, params, eval, hefloat.NewLinearTransformationEvaluator(eval)}
}

// plain expands a row of a constant modulo Q and P.
func (r *replayer) plain(constant, row, level int, mont bool) (p ringqp.Poly) {
	coeffs := r.consts.Coefficients(r.prog.Constants()[constant].Digest)[row]
	expand := func(rings *ring.Ring) ring.Poly {
		poly := rings.NewPoly()
		gap := rings.N() / len(coeffs)
		for i, s := range rings.SubRings[:rings.Level()+1] {
			for j, c := range coeffs {
				if c < 0 {
					poly.Coeffs[i][j*gap] = (s.Modulus - uint64(-c)%s.Modulus) % s.Modulus
				} else {
					poly.Coeffs[i][j*gap] = uint64(c) % s.Modulus
				}
			}
		}
		rings.NTT(poly, poly)
		if mont {
			rings.MForm(poly, poly)
		}
		return poly
	}
	p.Q = expand(r.params.RingQ().AtLevel(level))
	if r.params.RingP() != nil {
		p.P = expand(r.params.RingP())
	}
	return p
}

func (r *replayer) run(t *testing.T, in *fhe.Bundle) map[string][]*fhe.Ciphertext {
	ops := r.prog.Ops()
	vals := make([]*rlwe.Ciphertext, len(ops))
	out := map[string][]*fhe.Ciphertext{}
	for i := range ops {
		o := &ops[i]
		arg := func(k int) *rlwe.Ciphertext { return vals[o.Args[k]] }
		ringQ := r.params.RingQ().AtLevel(o.Level)
		v := rlwe.NewCiphertext(r.params, max(o.Degree, 0), o.Level)
		v.IsNTT, v.IsBatched, v.Scale = true, true, rlwe.NewScale(1)
		v.LogDimensions = ring.Dimensions{Cols: o.LogSlots}
		vals[i] = v
		var err error
		switch o.Code {
		case program.Input:
			ct := in.Get(r.prog.Inputs()[o.Port].Name)[o.Index]
			for p := range v.Value {
				for l := range v.Value[p].Coeffs {
					copy(v.Value[p].Coeffs[l], ct.Limb(p, l))
				}
			}
		case program.Output:
			limbs := make([][][]uint64, o.Degree+1)
			for p := range limbs {
				limbs[p] = arg(0).Value[p].Coeffs
			}
			ct, e := fhe.CiphertextFromLimbs(r.prog.Parameters(), limbs, o.LogSlots, o.Scale)
			check(t, e)
			name := r.prog.Outputs()[o.Port].Name
			out[name] = append(out[name], ct)
		case program.SetScale, program.Drop:
			v.Copy(arg(0))
			v.Resize(o.Degree, o.Level)
		case program.Neg:
			for p := range v.Value {
				ringQ.MulScalarBigint(arg(0).Value[p], big.NewInt(-1), v.Value[p]) // ring.Neg maps 0 to q
			}
		case program.AddPt, program.SubPt:
			v.Copy(arg(0))
			pt := r.plain(o.Const, o.Rows[0], o.Level, false)
			if o.Code == program.AddPt {
				ringQ.Add(v.Value[0], pt.Q, v.Value[0])
			} else {
				ringQ.Sub(v.Value[0], pt.Q, v.Value[0])
			}
		case program.MulPt:
			pt := r.plain(o.Const, o.Rows[0], o.Level, true)
			for p := range v.Value {
				ringQ.MulCoeffsMontgomery(arg(0).Value[p], pt.Q, v.Value[p])
			}
		case program.AddConst:
			v.Copy(arg(0))
			first, second := r.halves(o)
			ringQ.AddDoubleRNSScalar(v.Value[0], first, second, v.Value[0])
		case program.MulConst:
			first, second := r.halves(o)
			for p := range v.Value {
				ringQ.MulDoubleRNSScalar(arg(0).Value[p], first, second, v.Value[p])
			}
		case program.MacConst:
			acc, x := arg(0), arg(1)
			first, second := r.halves(o)
			for p := range v.Value {
				if p < len(acc.Value) {
					ringQ.MulScalarBigint(acc.Value[p], o.M, v.Value[p])
				}
				if p < len(x.Value) {
					ringQ.MulDoubleRNSScalarThenAdd(x.Value[p], first, second, v.Value[p])
				}
			}
		case program.Zero:
		case program.Add, program.Sub:
			x, y := arg(0), arg(1)
			for p := range v.Value {
				switch {
				case p >= len(x.Value):
					v.Value[p].CopyLvl(o.Level, y.Value[p])
				case p >= len(y.Value):
					v.Value[p].CopyLvl(o.Level, x.Value[p])
				case o.Code == program.Add:
					ringQ.Add(x.Value[p], y.Value[p], v.Value[p])
				default:
					ringQ.Sub(x.Value[p], y.Value[p], v.Value[p])
				}
			}
		case program.Lincomb:
			w := r.consts.Coefficients(r.prog.Constants()[o.Const].Digest)[o.Rows[0]]
			k := 0
			for x := range o.Operands() {
				for p := range v.Value {
					ringQ.MulScalarBigintThenAdd(vals[x].Value[p], big.NewInt(w[k]), v.Value[p])
				}
				k++
			}
		case program.Mul:
			err = r.eval.Mul(arg(0), arg(1), v)
		case program.MulRelin:
			err = r.eval.MulRelin(arg(0), arg(1), v)
		case program.Relin:
			err = r.eval.Relinearize(arg(0), v)
		case program.Rot, program.Conj:
			err = r.eval.Automorphism(arg(0), o.Galois[0], v)
		case program.Rescale:
			for p := range v.Value {
				r.params.RingQ().AtLevel(o.Level+1).DivRoundByLastModulusNTT(arg(0).Value[p], r.params.RingQ().NewPoly(), v.Value[p])
			}
		case program.Hoist:
			vals[i] = arg(0) // every consumer decomposes for itself, at the hoist's level
		case program.RotHoisted:
			err = r.eval.AutomorphismHoisted(o.Level, arg(0), r.decompose(arg(0), ops[o.Args[0]].Level), o.Galois[0], v)
		case program.Lintrans:
			if ops[o.Args[0]].Level != o.Level {
				t.Fatalf("operation %d: a matrix below its hoist does not occur in these plans", i)
			}
			meta := *v.MetaData
			meta.IsMontgomery = true
			lt := he.LinearTransformation{MetaData: &meta, N1: o.N1, Level: o.Level, Vec: map[int]ringqp.Poly{}}
			for j, k := range o.Diagonals {
				lt.Vec[k] = r.plain(o.Const, o.Rows[j], o.Level, true)
			}
			err = r.lin.EvaluateMany(arg(0), []hefloat.LinearTransformation{hefloat.LinearTransformation(lt)}, []*rlwe.Ciphertext{v})
		case program.Rotsum:
			err = r.rotsum(arg(0), r.decompose(arg(0), ops[o.Args[0]].Level), o, v)
		default:
			err = fmt.Errorf("a reserved opcode")
		}
		if err != nil {
			t.Fatalf("operation %d, %v: %v", i, o.Code, err)
		}
	}
	return out
}

// halves returns the residues of A + B·X^(N/2) in the NTT domain: those of the first and of the second half of every
// limb. X^(N/2) there is ψ^(N/2) and -ψ^(N/2), with the roots ψ that the parameters state.
func (r *replayer) halves(o *program.Op) (first, second ring.RNSScalar) {
	p := r.prog.Parameters()
	for i, q := range p.Q() {
		m, root := new(big.Int).SetUint64(q), new(big.Int).SetUint64(p.Roots()[i])
		b := root.Exp(root, big.NewInt(int64(p.N()/2)), m)
		b.Mul(b, o.B)
		x := new(big.Int)
		first = append(first, x.Mod(x.Add(o.A, b), m).Uint64())
		second = append(second, x.Mod(x.Sub(o.A, b), m).Uint64())
	}
	return first, second
}

func (r *replayer) decompose(x *rlwe.Ciphertext, level int) []ringqp.Poly {
	levelP := r.params.MaxLevelP()
	digits := make([]ringqp.Poly, r.params.BaseRNSDecompositionVectorSize(level, levelP))
	for i := range digits {
		digits[i] = r.params.RingQP().AtLevel(level, levelP).NewPoly()
	}
	r.eval.DecomposeNTT(level, levelP, levelP+1, x.Value[1], true, digits)
	return digits
}

func (r *replayer) rotsum(x *rlwe.Ciphertext, digits []ringqp.Poly, o *program.Op, out *rlwe.Ciphertext) error {
	levelP := r.params.MaxLevelP()
	rings := r.params.RingQP().AtLevel(o.Level, levelP)
	acc := rlwe.NewElementExtended(r.params, 1, o.Level, levelP)
	one := rlwe.NewElementExtended(r.params, 1, o.Level, levelP)
	one.IsNTT = true
	for _, g := range o.Galois {
		if g == 1 {
			for p := range acc.Value {
				rings.RingQ.MulScalarBigint(x.Value[p], rings.RingP.ModulusAtLevel[levelP], one.Value[p].Q)
				rings.RingQ.Add(acc.Value[p].Q, one.Value[p].Q, acc.Value[p].Q)
			}
			continue
		}
		if err := r.eval.AutomorphismHoistedLazy(o.Level, x, digits, g, one); err != nil {
			return err
		}
		for p := range acc.Value {
			rings.Add(acc.Value[p], one.Value[p], acc.Value[p])
		}
	}
	for p := range acc.Value {
		r.eval.ModDownQPtoQNTT(o.Level, levelP, acc.Value[p].Q, acc.Value[p].P, out.Value[p])
	}
	return nil
}
