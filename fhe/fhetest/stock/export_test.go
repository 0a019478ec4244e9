package stock

import (
	"github.com/tuneinsight/lattigo/v5/core/rlwe"
	"github.com/tuneinsight/lattigo/v5/he/hefloat"

	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/program"
)

// EvaluateMany gives the matrices of the stated operations to Lattigo's own EvaluateMany.
func (e *Evaluator) EvaluateMany(in *fhe.Ciphertext, ops ...program.Value) ([]*fhe.Ciphertext, error) {
	var ms []hefloat.LinearTransformation
	var outs []*rlwe.Ciphertext
	for _, i := range ops {
		ms = append(ms, hefloat.LinearTransformation(e.ops[i].matrix))
		outs = append(outs, e.alloc(1, e.prog.Ops()[i].Level))
	}
	if err := hefloat.NewLinearTransformationEvaluator(e.eval).EvaluateMany(wrap(in, e.meta()), ms, outs); err != nil {
		return nil, err
	}
	results := make([]*fhe.Ciphertext, len(ops))
	for k, i := range ops {
		var err error
		if results[k], err = e.unwrap(outs[k], &e.prog.Ops()[i]); err != nil {
			return nil, err
		}
	}
	return results, nil
}

// Evaluator returns Lattigo's evaluator with the program's keys.
func (e *Evaluator) Lattigo() *hefloat.Evaluator { return e.eval }

// Factor exposes the factors of a sum of automorphisms.
func Factor(set []uint64, mask uint64) (base, doubles []uint64) {
	f := factor(set, mask)
	return f.base, f.doubles
}

// Mutate makes the evaluator wrong in one way, by a name of Mutants.
func (e *Evaluator) Mutate(name string) { e.mutant = Mutants[name] }

// Mutants change the result of an operation. They are what a conformance suite must notice.
var Mutants = map[string]func(e *Evaluator, i int, o *program.Op) error{
	"neg maps 0 to q": func(e *Evaluator, i int, o *program.Op) error {
		if o.Code == program.Neg {
			for k := range e.vals[i].Value {
				e.params.RingQ().AtLevel(o.Level).Neg(e.vals[o.Args[0]].Value[k], e.vals[i].Value[k])
			}
		}
		return nil
	},
	"rescale floors": func(e *Evaluator, i int, o *program.Op) error {
		if o.Code == program.Rescale {
			for k := range e.vals[i].Value {
				e.params.RingQ().AtLevel(o.Level+1).DivFloorByLastModulusNTT(e.vals[o.Args[0]].Value[k], e.buf, e.vals[i].Value[k])
			}
		}
		return nil
	},
	"matrix takes its baby steps at its own level": func(e *Evaluator, i int, o *program.Op) error {
		if o.Code != program.Lintrans {
			return nil
		}
		h := e.prog.Ops()[o.Args[0]]
		return e.lintrans(e.vals[h.Args[0]], e.digits[o.Args[0]], o.Level, e.ops[i].matrix, e.vals[i])
	},
	"matrix hoists at its own level": func(e *Evaluator, i int, o *program.Op) error {
		if o.Code != program.Lintrans {
			return nil
		}
		x := e.vals[e.prog.Ops()[o.Args[0]].Args[0]]
		return e.lintrans(x, e.decompose(x, o.Level), o.Level, e.ops[i].matrix, e.vals[i])
	},
	"rotation hoists at its own level": func(e *Evaluator, i int, o *program.Op) error {
		if o.Code != program.RotHoisted {
			return nil
		}
		x := e.vals[e.prog.Ops()[o.Args[0]].Args[0]]
		return e.eval.AutomorphismHoisted(o.Level, x, e.decompose(x, o.Level), o.Galois[0], e.vals[i])
	},
	"rotsum divides every rotation by P": func(e *Evaluator, i int, o *program.Op) error {
		if o.Code == program.Rotsum {
			out := e.alloc(1, o.Level)
			if err := e.doublings(e.vals[e.prog.Ops()[o.Args[0]].Args[0]], factors{base: o.Galois}, out); err != nil {
				return err
			}
			e.vals[i] = out
		}
		return nil
	},
	"mac forgets the factor": func(e *Evaluator, i int, o *program.Op) error {
		if o.Code == program.MacConst {
			r := e.params.RingQ().AtLevel(o.Level)
			acc := e.vals[o.Args[0]]
			for k := range acc.Value {
				t := r.NewPoly()
				r.MulScalarBigint(acc.Value[k], o.M, t)
				r.Sub(e.vals[i].Value[k], t, e.vals[i].Value[k])
				r.Add(e.vals[i].Value[k], acc.Value[k], e.vals[i].Value[k])
			}
		}
		return nil
	},
	"constant adds to part 1": func(e *Evaluator, i int, o *program.Op) error {
		if o.Code == program.AddConst && o.Degree > 0 {
			e.params.RingQ().AtLevel(o.Level).AddDoubleRNSScalar(e.vals[i].Value[1], e.ops[i].first, e.ops[i].second, e.vals[i].Value[1])
		}
		return nil
	},
	"weights wrap at 31 bits": func(e *Evaluator, i int, o *program.Op) error {
		if o.Code == program.Lincomb && e.ops[i].weights[0] == 1<<31-1 {
			x := e.vals[o.Ranges[0].First]
			e.params.RingQ().AtLevel(o.Level).Sub(e.vals[i].Value[0], x.Value[0], e.vals[i].Value[0])
		}
		return nil
	},
}
