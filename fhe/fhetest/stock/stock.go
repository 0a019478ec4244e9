package stock

import (
	"fmt"
	"math/big"

	"github.com/tuneinsight/lattigo/v5/core/rlwe"
	"github.com/tuneinsight/lattigo/v5/he"
	"github.com/tuneinsight/lattigo/v5/he/hefloat"
	"github.com/tuneinsight/lattigo/v5/ring"
	"github.com/tuneinsight/lattigo/v5/ring/ringqp"

	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/internal/access"
	"github.com/signet-ml/signet/fhe/program"
)

// Evaluator is a loaded program. It is not safe for concurrent use: Lattigo's evaluators share scratch buffers.
type Evaluator struct {
	prog   *program.Program
	keys   *fhe.EvaluationKeys
	params hefloat.Parameters
	eval   *hefloat.Evaluator
	best   bool
	ops    []prepared
	free   [][]program.Value // free[i] dies after operation i
	scale1 *rlwe.MetaData
	buf    ring.Poly

	vals   []*rlwe.Ciphertext // of the run in progress
	digits [][]ringqp.Poly    // of hoists

	mutant func(e *Evaluator, i int, o *program.Op) error // tests of the conformance suite only
}

// Option changes how programs are executed.
type Option func(*Evaluator)

// BestStock makes the Evaluator work as an experienced user of Lattigo's public interface would, for comparisons of
// speed: ROTSUM by rotations and additions that double where the elements allow it, LINCOMB by MulThenAdd, all
// matrices of one hoist from one set of baby steps. Values agree with the exact mode within the noise, bits do not.
func BestStock() Option { return func(e *Evaluator) { e.best = true } }

// New prepares a program for Run: it expands constants and converts keys. keys may be nil if the program needs none.
// Errors are those of Program.CheckConstants and Program.CheckKeys.
func New(p *program.Program, c *program.Constants, keys *fhe.EvaluationKeys, opts ...Option) (*Evaluator, error) {
	if p == nil {
		return nil, fmt.Errorf("stock: nil program")
	}
	if err := p.CheckConstants(c); err != nil {
		return nil, err
	}
	if err := p.CheckKeys(keys); err != nil {
		return nil, err
	}
	e := &Evaluator{prog: p, keys: keys, params: access.Lattice(p.Parameters()).CKKS}
	for _, f := range opts {
		f(e)
	}
	if err := e.checkBabies(); err != nil {
		return nil, err
	}
	e.eval = hefloat.NewEvaluator(e.params, convertKeys(e.params, keys, p.Keys()))
	// MultiplyByDiagMatrixBSGS keeps P rows in a buffer of Q rows, which is too short where P has more primes than Q.
	if n := e.params.PCount(); n > e.params.QCount() {
		e.eval.BuffQP[5].Q = ring.NewPoly(e.params.N(), n-1)
	}
	e.buf = e.params.RingQ().NewPoly()
	// All scales are 1: the program has checked them, and Lattigo must not match them once more.
	e.scale1 = &rlwe.MetaData{
		PlaintextMetaData:  rlwe.PlaintextMetaData{Scale: rlwe.NewScale(1), IsBatched: true, LogDimensions: ring.Dimensions{Cols: e.params.LogMaxSlots()}},
		CiphertextMetaData: rlwe.CiphertextMetaData{IsNTT: true},
	}
	e.prepare(c)
	e.free = make([][]program.Value, len(p.Ops()))
	for v, last := range p.LastUses() {
		e.free[last] = append(e.free[last], program.Value(v))
	}
	return e, nil
}

// Run executes the program on one bundle. Errors are those of Program.CheckInput.
func (e *Evaluator) Run(in *fhe.Bundle) (*fhe.Bundle, error) { return e.RunEach(in, nil) }

// RunEach is Run with a call of each after every operation, with a copy of its result, or nil for hoists and outputs.
// An error of each stops the run and is returned.
func (e *Evaluator) RunEach(in *fhe.Bundle, each func(op int, result *fhe.Ciphertext) error) (*fhe.Bundle, error) {
	if err := e.prog.CheckInput(in, e.keys); err != nil {
		return nil, err
	}
	ops := e.prog.Ops()
	e.vals = make([]*rlwe.Ciphertext, len(ops))
	e.digits = make([][]ringqp.Poly, len(ops))
	outputs := e.prog.Outputs()
	results := make([][]*fhe.Ciphertext, len(outputs))
	for i := range ops {
		o := &ops[i]
		var err error
		switch o.Code {
		case program.Input:
			e.vals[i] = wrap(in.Get(e.prog.Inputs()[o.Port].Name)[o.Index], e.meta())
		case program.Output:
			var ct *fhe.Ciphertext
			if ct, err = e.unwrap(e.vals[o.Args[0]], o); err == nil {
				results[o.Port] = append(results[o.Port], ct)
			}
		default:
			if err = e.step(i, o); err == nil && e.mutant != nil {
				err = e.mutant(e, i, o)
			}
		}
		if err != nil {
			return nil, fmt.Errorf("stock: operation %d, %v: %w", i, o.Code, err)
		}
		if each != nil {
			var ct *fhe.Ciphertext
			if o.IsCiphertext() {
				if ct, err = e.unwrap(e.vals[i], o); err != nil {
					return nil, fmt.Errorf("stock: operation %d, %v: %w", i, o.Code, err)
				}
			}
			if err := each(i, ct); err != nil {
				return nil, err
			}
		}
		for _, v := range e.free[i] {
			e.vals[v], e.digits[v] = nil, nil
		}
	}
	out := fhe.NewBundle(e.prog.Parameters(), in.Key(), e.prog.Digest())
	for i, p := range outputs {
		if err := out.Add(p.Name, results[i]...); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// step executes one operation and stores its result.
func (e *Evaluator) step(i int, o *program.Op) error {
	prep := &e.ops[i]
	arg := func(k int) *rlwe.Ciphertext { return e.vals[o.Args[k]] }
	r := e.params.RingQ().AtLevel(o.Level)
	if e.vals[i] != nil { // made by an earlier operation on the same hoist
		return nil
	}
	if o.Code == program.Hoist {
		if !e.best || prep.decompose {
			e.digits[i] = e.decompose(arg(0), o.Level)
		}
		return nil
	}
	if o.Code == program.SetScale || o.Code == program.Drop {
		e.vals[i] = e.cut(arg(0), o.Level)
		return nil
	}
	out := e.alloc(o.Degree, o.Level)
	e.vals[i] = out
	each := func(f func(k int)) {
		for k := range out.Value {
			f(k)
		}
	}
	switch o.Code {
	case program.Zero:
	case program.Add, program.Sub:
		x, y := arg(0), arg(1)
		each(func(k int) {
			switch {
			case k >= len(x.Value):
				out.Value[k].CopyLvl(o.Level, y.Value[k])
			case k >= len(y.Value):
				out.Value[k].CopyLvl(o.Level, x.Value[k])
			case o.Code == program.Add:
				r.Add(x.Value[k], y.Value[k], out.Value[k])
			default:
				r.Sub(x.Value[k], y.Value[k], out.Value[k])
			}
		})
	case program.Neg:
		// Not ring.Neg, which maps 0 to q.
		each(func(k int) { r.MulScalarBigint(arg(0).Value[k], big.NewInt(-1), out.Value[k]) })
	case program.AddPt, program.SubPt:
		each(func(k int) { out.Value[k].CopyLvl(o.Level, arg(0).Value[k]) })
		if o.Code == program.AddPt {
			r.Add(out.Value[0], prep.pt, out.Value[0])
		} else {
			r.Sub(out.Value[0], prep.pt, out.Value[0])
		}
	case program.MulPt:
		each(func(k int) { r.MulCoeffsMontgomery(arg(0).Value[k], prep.pt, out.Value[k]) })
	case program.AddConst:
		each(func(k int) { out.Value[k].CopyLvl(o.Level, arg(0).Value[k]) })
		r.AddDoubleRNSScalar(out.Value[0], prep.first, prep.second, out.Value[0])
	case program.MulConst:
		each(func(k int) { r.MulDoubleRNSScalar(arg(0).Value[k], prep.first, prep.second, out.Value[k]) })
	case program.MacConst:
		acc, x := arg(0), arg(1)
		each(func(k int) {
			if k < len(acc.Value) {
				r.MulScalarBigint(acc.Value[k], o.M, out.Value[k])
			}
			if k < len(x.Value) {
				r.MulDoubleRNSScalarThenAdd(x.Value[k], prep.first, prep.second, out.Value[k])
			}
		})
	case program.Lincomb:
		return e.lincomb(o, prep, out)
	case program.Mul:
		return e.eval.Mul(arg(0), arg(1), out)
	case program.MulRelin:
		return e.eval.MulRelin(arg(0), arg(1), out)
	case program.Relin:
		return e.eval.Relinearize(arg(0), out)
	case program.Rescale:
		x, above := arg(0), e.params.RingQ().AtLevel(o.Level+1)
		each(func(k int) { above.DivRoundByLastModulusNTT(x.Value[k], e.buf, out.Value[k]) })
	case program.Rot, program.Conj:
		return e.eval.Automorphism(arg(0), o.Galois[0], out)
	case program.RotHoisted, program.Lintrans, program.Rotsum:
		hoist := &e.prog.Ops()[o.Args[0]]
		x, digits := e.vals[hoist.Args[0]], e.digits[o.Args[0]]
		switch o.Code {
		case program.RotHoisted:
			return e.eval.AutomorphismHoisted(o.Level, x, digits, o.Galois[0], out)
		case program.Lintrans:
			if e.best {
				return e.matrices(x, prep)
			}
			return e.lintrans(x, digits, hoist.Level, prep.matrix, out)
		default:
			if e.best {
				return e.doublings(x, prep.sum, out)
			}
			return e.rotsum(x, digits, o, out)
		}
	default:
		return fmt.Errorf("reserved opcode")
	}
	return nil
}

// lincomb computes Σ w·x, part by part.
func (e *Evaluator) lincomb(o *program.Op, prep *prepared, out *rlwe.Ciphertext) error {
	j := 0
	for v := range o.Operands() {
		x, w := e.vals[v], prep.weights[j]
		j++
		if e.best {
			// MulThenAdd cuts the receiver to the degree of its operand.
			acc := &rlwe.Ciphertext{Element: rlwe.Element[ring.Poly]{MetaData: e.meta(), Value: out.Value[:len(x.Value)]}}
			if err := e.eval.MulThenAdd(x, w, acc); err != nil {
				return err
			}
			continue
		}
		for i, s := range e.params.RingQ().SubRings[:o.Level+1] {
			m := ring.MForm(residue(w, s.Modulus), s.Modulus, s.BRedConstant)
			for k := range x.Value {
				s.MulScalarMontgomeryThenAdd(x.Value[k].Coeffs[i], m, out.Value[k].Coeffs[i])
			}
		}
	}
	return nil
}

func (e *Evaluator) decompose(x *rlwe.Ciphertext, level int) []ringqp.Poly {
	levelP := e.params.MaxLevelP()
	digits := make([]ringqp.Poly, e.params.BaseRNSDecompositionVectorSize(level, levelP))
	for d := range digits {
		digits[d] = e.params.RingQP().AtLevel(level, levelP).NewPoly()
	}
	e.eval.DecomposeNTT(level, levelP, levelP+1, x.Value[1], true, digits)
	return digits
}

// lintrans is what EvaluateMany does with this matrix and another one at the level of the hoist: the baby steps are
// taken at that level, with all its digits, and cut.
func (e *Evaluator) lintrans(x *rlwe.Ciphertext, digits []ringqp.Poly, hoistLevel int, m he.LinearTransformation, out *rlwe.Ciphertext) error {
	_, _, babies := m.BSGSIndex()
	rotated := make(map[int]*rlwe.Element[ringqp.Poly])
	if err := he.GetPreRotatedCiphertextForDiagonalMatrixMultiplication(hoistLevel, e.eval, x, digits, babies, rotated); err != nil {
		return err
	}
	return he.MultiplyByDiagMatrixBSGS(e.eval, x, m, rotated, out)
}

// matrices evaluates all matrices of one hoist at once, with one decomposition and one set of baby steps. EvaluateMany
// would do so too, but it keeps the digits in a buffer that its own giant steps overwrite: a second matrix that needs
// another baby step than the first gives garbage.
func (e *Evaluator) matrices(x *rlwe.Ciphertext, prep *prepared) error {
	level := 0
	var babies []int
	for _, i := range prep.group {
		level = max(level, e.prog.Ops()[i].Level)
		_, _, b := e.ops[i].matrix.BSGSIndex()
		babies = append(babies, b...)
	}
	rotated := make(map[int]*rlwe.Element[ringqp.Poly])
	digits := e.decompose(x, level)
	if err := he.GetPreRotatedCiphertextForDiagonalMatrixMultiplication(level, e.eval, x, digits, babies, rotated); err != nil {
		return err
	}
	for _, i := range prep.group {
		if e.vals[i] == nil {
			e.vals[i] = e.alloc(1, e.prog.Ops()[i].Level)
		}
		if err := he.MultiplyByDiagMatrixBSGS(e.eval, x, e.ops[i].matrix, rotated, e.vals[i]); err != nil {
			return err
		}
	}
	return nil
}

// rotsum sums automorphisms modulo QP and divides by P once.
func (e *Evaluator) rotsum(x *rlwe.Ciphertext, digits []ringqp.Poly, o *program.Op, out *rlwe.Ciphertext) error {
	levelP := e.params.MaxLevelP()
	r := e.params.RingQP().AtLevel(o.Level, levelP)
	acc := rlwe.NewElementExtended(e.params, 1, o.Level, levelP)
	one := rlwe.NewElementExtended(e.params, 1, o.Level, levelP)
	for _, g := range o.Galois {
		if g == 1 {
			for k := range acc.Value {
				r.RingQ.MulScalarBigint(x.Value[k], r.RingP.ModulusAtLevel[levelP], one.Value[k].Q)
				r.RingQ.Add(acc.Value[k].Q, one.Value[k].Q, acc.Value[k].Q)
			}
			continue
		}
		if err := e.eval.AutomorphismHoistedLazy(o.Level, x, digits, g, one); err != nil {
			return err
		}
		for k := range acc.Value {
			r.Add(acc.Value[k], one.Value[k], acc.Value[k])
		}
	}
	for k := range acc.Value {
		e.eval.ModDownQPtoQNTT(o.Level, levelP, acc.Value[k].Q, acc.Value[k].P, out.Value[k])
	}
	return nil
}

func (e *Evaluator) meta() *rlwe.MetaData { return e.scale1.CopyNew() }

func (e *Evaluator) alloc(degree, level int) *rlwe.Ciphertext {
	ct := rlwe.NewCiphertext(e.params, degree, level)
	ct.MetaData = e.meta()
	return ct
}

// wrap views a ciphertext as Lattigo's. Nothing writes to operands.
func wrap(ct *fhe.Ciphertext, meta *rlwe.MetaData) *rlwe.Ciphertext {
	w := &rlwe.Ciphertext{Element: rlwe.Element[ring.Poly]{MetaData: meta, Value: make([]ring.Poly, ct.Degree()+1)}}
	for k := range w.Value {
		w.Value[k].Coeffs = make([][]uint64, ct.Level()+1)
		for i := range w.Value[k].Coeffs {
			w.Value[k].Coeffs[i] = ct.Limb(k, i)
		}
	}
	return w
}

func (e *Evaluator) cut(x *rlwe.Ciphertext, level int) *rlwe.Ciphertext {
	w := &rlwe.Ciphertext{Element: rlwe.Element[ring.Poly]{MetaData: e.meta(), Value: make([]ring.Poly, len(x.Value))}}
	for k := range w.Value {
		w.Value[k].Coeffs = x.Value[k].Coeffs[:level+1]
	}
	return w
}

func (e *Evaluator) unwrap(x *rlwe.Ciphertext, o *program.Op) (*fhe.Ciphertext, error) {
	return unwrap(e.prog.Parameters(), x, o.Degree, o.Level, o.LogSlots, o.Scale)
}

// unwrap copies a result. It fails unless the words are canonical.
func unwrap(p fhe.Parameters, x *rlwe.Ciphertext, degree, level, logSlots int, scale fhe.Scale) (*fhe.Ciphertext, error) {
	limbs := make([][][]uint64, degree+1)
	for k := range limbs {
		limbs[k] = make([][]uint64, level+1)
		for i := range limbs[k] {
			limbs[k][i] = append([]uint64(nil), x.Value[k].Coeffs[i]...)
		}
	}
	return fhe.CiphertextFromLimbs(p, limbs, logSlots, scale)
}
