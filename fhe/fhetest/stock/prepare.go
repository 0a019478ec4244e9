package stock

import (
	"math/big"

	"github.com/tuneinsight/lattigo/v5/core/rlwe"
	"github.com/tuneinsight/lattigo/v5/he"
	"github.com/tuneinsight/lattigo/v5/he/hefloat"
	"github.com/tuneinsight/lattigo/v5/ring"
	"github.com/tuneinsight/lattigo/v5/ring/ringqp"

	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/program"
)

// prepared is what New computes for one operation.
type prepared struct {
	pt            ring.Poly               // AddPt, SubPt; MulPt in Montgomery form
	first, second ring.RNSScalar          // AddConst, MulConst, MacConst: the halves of every row
	weights       []int64                 // Lincomb
	matrix        he.LinearTransformation // Lintrans
	group         []int                   // Lintrans in the best mode: all matrices of its hoist
	sum           factors                 // Rotsum in the best mode
	decompose     bool                    // Hoist in the best mode: it has consumers other than matrices
}

func (e *Evaluator) prepare(c *program.Constants) {
	ops, infos := e.prog.Ops(), e.prog.Constants()
	e.ops = make([]prepared, len(ops))
	type key struct {
		constant, row int
		mont          bool
	}
	polys := make(map[key]ringqp.Poly)
	poly := func(constant, row int, mont bool, special bool) ringqp.Poly {
		k := key{constant, row, mont}
		p, ok := polys[k]
		if !ok {
			p.Q = expand(e.params.RingQ(), c.Get(infos[constant].Digest).Row(row), mont)
		}
		if special && p.P.Coeffs == nil {
			p.P = expand(e.params.RingP(), c.Get(infos[constant].Digest).Row(row), mont)
		}
		polys[k] = p
		return p
	}
	groups := make(map[program.Value][]int)
	for i := range ops {
		o, prep := &ops[i], &e.ops[i]
		switch o.Code {
		case program.AddPt, program.SubPt:
			prep.pt = poly(o.Const, o.Rows[0], false, false).Q
		case program.MulPt:
			prep.pt = poly(o.Const, o.Rows[0], true, false).Q
		case program.AddConst, program.MulConst, program.MacConst:
			prep.first, prep.second = e.halves(o.A, o.B)
		case program.Lincomb:
			prep.weights = c.Get(infos[o.Const].Digest).Row(o.Rows[0])
		case program.Lintrans:
			meta := rlwe.MetaData{
				PlaintextMetaData:  rlwe.PlaintextMetaData{Scale: rlwe.NewScale(1), IsBatched: true, LogDimensions: ring.Dimensions{Cols: o.LogSlots}},
				CiphertextMetaData: rlwe.CiphertextMetaData{IsNTT: true, IsMontgomery: true},
			}
			prep.matrix = he.LinearTransformation{MetaData: &meta, N1: o.N1, Level: o.Level, Vec: make(map[int]ringqp.Poly)}
			for j, k := range o.Diagonals {
				prep.matrix.Vec[k] = poly(o.Const, o.Rows[j], true, true)
			}
			groups[o.Args[0]] = append(groups[o.Args[0]], i)
		case program.Rotsum:
			if e.best {
				prep.sum = factor(o.Galois, uint64(2*e.params.N()-1))
			}
		case program.RotHoisted:
			e.ops[o.Args[0]].decompose = true
		}
	}
	for _, group := range groups {
		for _, i := range group {
			e.ops[i].group = group
		}
	}
}

// expand returns the polynomial in X^(N/2n) with the given 2n coefficients in the NTT domain of every prime of r.
func expand(r *ring.Ring, coeffs []int64, mont bool) ring.Poly {
	p := r.NewPoly()
	gap := r.N() / len(coeffs)
	for i, s := range r.SubRings[:r.Level()+1] {
		for j, c := range coeffs {
			p.Coeffs[i][j*gap] = residue(c, s.Modulus)
		}
	}
	r.NTT(p, p)
	if mont {
		r.MForm(p, p)
	}
	return p
}

// residue returns c mod q in [0, q). Moduli are below 2^62.
func residue(c int64, q uint64) uint64 {
	m := c % int64(q)
	if m < 0 {
		m += int64(q)
	}
	return uint64(m)
}

// halves returns the residues of a + b·X^(N/2) in the NTT domain: a + b·ψ^(N/2) on the first half of every row and
// a - b·ψ^(N/2) on the second.
func (e *Evaluator) halves(a, b *big.Int) (first, second ring.RNSScalar) {
	r := e.params.RingQ()
	first, second = make(ring.RNSScalar, len(r.SubRings)), make(ring.RNSScalar, len(r.SubRings))
	for i, s := range r.SubRings {
		q := new(big.Int).SetUint64(s.Modulus)
		ra, rb := new(big.Int).Mod(a, q), new(big.Int).Mod(b, q)
		psi := new(big.Int).SetUint64(ring.IMForm(s.RootsForward[1], s.Modulus, s.MRedConstant)) // ψ^(N/2)
		rb.Mul(rb, psi)
		t := new(big.Int)
		first[i] = t.Mod(t.Add(ra, rb), q).Uint64()
		second[i] = t.Mod(t.Sub(ra, rb), q).Uint64()
	}
	return first, second
}

// checkBabies asks for what Program.CheckKeys may not: the baby steps of a Lintrans below its hoist's level are taken
// at the hoist's level, because EvaluateMany shares them between matrices.
func (e *Evaluator) checkBabies() error {
	ops := e.prog.Ops()
	for i := range ops {
		o := &ops[i]
		if o.Code != program.Lintrans {
			continue
		}
		level := ops[o.Args[0]].Level
		for _, k := range o.Diagonals {
			baby, _ := program.BabyGiant(k, o.N1)
			if baby == 0 {
				continue
			}
			g := e.prog.Parameters().GaloisElement(baby)
			if have := e.keys.Get(g).Level(); have < level {
				return &fhe.MissingKeyError{Rotation: baby, GaloisElement: g, Level: level, Have: have, Scope: e.prog.Scope(program.Value(i))}
			}
		}
	}
	return nil
}

// convertKeys brings the required keys into Lattigo's types: Montgomery form, rows of Q and P apart.
func convertKeys(params hefloat.Parameters, keys *fhe.EvaluationKeys, reqs []program.KeyRequirement) rlwe.EvaluationKeySet {
	var relin *rlwe.RelinearizationKey
	var galois []*rlwe.GaloisKey
	for _, req := range reqs {
		k := keys.Get(req.GaloisElement)
		evk := rlwe.EvaluationKey{GadgetCiphertext: *rlwe.NewGadgetCiphertext(params, 1, k.Level(), params.MaxLevelP(), 0)}
		r := params.RingQP().AtLevel(k.Level(), params.MaxLevelP())
		for d := range evk.Value {
			for b, part := range evk.Value[d][0] {
				for i := range part.Q.Coeffs {
					copy(part.Q.Coeffs[i], k.Limb(d, b, i))
				}
				for i := range part.P.Coeffs {
					copy(part.P.Coeffs[i], k.Limb(d, b, k.Level()+1+i))
				}
				r.MForm(part, part)
			}
		}
		if req.GaloisElement == 0 {
			relin = &rlwe.RelinearizationKey{EvaluationKey: evk}
		} else {
			galois = append(galois, &rlwe.GaloisKey{GaloisElement: req.GaloisElement, NthRoot: params.RingQ().NthRoot(), EvaluationKey: evk})
		}
	}
	return rlwe.NewMemEvaluationKeySet(relin, galois...)
}
