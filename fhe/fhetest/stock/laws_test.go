package stock_test

import (
	"context"
	"errors"
	"regexp"
	"testing"

	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/fhetest"
	"github.com/signet-ml/signet/fhe/program"
)

func TestLaws(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	fhetest.RunLaws(t, func(*testing.T) program.Engine { return engine{} })
}

// faulty is an engine that gets one word wrong in the last output of the programs that it dislikes.
type faulty struct {
	engine
	dislikes func(p *program.Program) bool
}

func (e faulty) Load(ctx context.Context, p *program.Program, c *program.Constants, keys *fhe.EvaluationKeys) (program.Job, error) {
	job, err := e.engine.Load(ctx, p, c, keys)
	if err != nil || !e.dislikes(p) {
		return job, err
	}
	return faultyJob{job}, nil
}

type faultyJob struct{ program.Job }

func (j faultyJob) Run(ctx context.Context, in *fhe.Bundle, opts ...program.RunOption) (*fhe.Bundle, error) {
	out, err := j.Job.Run(ctx, in, opts...)
	if err == nil {
		ports := out.Ports()
		out.Get(ports[len(ports)-1])[0].Limb(0, 0)[3] ^= 1
	}
	return out, err
}

func (j faultyJob) RunBatch(ctx context.Context, in []*fhe.Bundle, opts ...program.RunOption) ([]*fhe.Bundle, error) {
	var all []*fhe.Bundle
	for _, b := range in {
		out, err := j.Run(ctx, b, opts...)
		if err != nil {
			return nil, err
		}
		all = append(all, out)
	}
	return all, nil
}

// dislike returns a faulty engine.
func dislike(f func(p *program.Program, o *program.Op) bool) program.Engine {
	return faulty{dislikes: func(p *program.Program) bool {
		for i := range p.Ops() {
			if f(p, &p.Ops()[i]) {
				return true
			}
		}
		return false
	}}
}

// TestLawsReduce breaks laws on purpose and looks at the programs that are left.
func TestLawsReduce(t *testing.T) {
	printed := regexp.MustCompile(`InsecureToyParamsNamed\(t, "(.*)"\),\n\t\t"(.*)",\n\t\t"(.*)"\)`)
	for _, tt := range []struct {
		name   string
		engine program.Engine
		law    string
		ops    int            // at most
		code   program.Opcode // that is among them
	}{
		{"constant", engine{mutant: "constant adds to part 1"}, "clear within the noise", 3, program.AddConst},
		{"mac", engine{mutant: "mac forgets the factor"}, "clear within the noise", 4, program.MacConst},
		{"batch", engine{fault: "batch is reversed"}, "a batch has no order", 2, program.Output},
		{"fusion", dislike(func(p *program.Program, o *program.Op) bool {
			return o.Code == program.Rescale && p.Ops()[o.Args[0]].Code == program.MulRelin
		}), "equal programs give equal bits", 5, program.Rescale},
		{"affine", dislike(func(p *program.Program, o *program.Op) bool { return o.Code == program.MulConst }), "words are linear", 3, program.MulConst},
		{"noise", dislike(func(p *program.Program, o *program.Op) bool { return o.Code == program.Lintrans }), "values are linear", 4, program.Lintrans},
		{"rotation", dislike(func(p *program.Program, o *program.Op) bool {
			return o.Code == program.Rot && o.Galois[0] == p.Parameters().GaloisElement(4)
		}), "rotations compose", 3, program.Output},
		{"sparse", dislike(func(p *program.Program, o *program.Op) bool {
			return o.Code == program.MulPt && o.LogSlots < p.Parameters().LogMaxSlots()
		}), "slots may be counted otherwise", 3, program.MulPt},
		{"cut", dislike(func(p *program.Program, o *program.Op) bool {
			return o.Code == program.Neg && p.Ops()[o.Args[0]].Code == program.Input && p.Inputs()[p.Ops()[o.Args[0]].Port].Name[0] == 'c'
		}), "a program may be cut in two", 4, program.Neg},
	} {
		t.Run(tt.name, func(t *testing.T) {
			failed := fhetest.CheckLaws(func() program.Engine { return tt.engine }, tt.law)
			var e *fhetest.Counterexample
			if !errors.As(failed[tt.law], &e) {
				t.Fatalf("%v", failed)
			}
			if n := len(e.Program.Ops()); n > tt.ops || e.Program.Counts()[tt.code] == 0 || e.Before < 30 || e.Err == nil {
				t.Errorf("%d operations, want at most %d: %v", n, tt.ops, e)
			}
			t.Log(e)
			// What is printed breaks the law again, and a sound engine keeps it.
			m := printed.FindStringSubmatch(e.Error())
			if m == nil {
				t.Fatal("no source")
			}
			p, c := fhetest.ProgramOf(t, fhetest.InsecureToyParamsNamed(t, m[1]), m[2], m[3])
			if p.Digest() != e.Program.Digest() {
				t.Error("another program is printed")
			}
			if err := fhetest.CheckLaw(tt.engine, tt.law, p, c); err == nil {
				t.Error("the printed program keeps the law")
			}
			if err := fhetest.CheckLaw(engine{}, tt.law, p, c); err != nil {
				t.Errorf("a sound engine: %v", err)
			}
		})
	}
	if err := fhetest.CheckLaw(engine{}, "no such law", nil, nil); err == nil {
		t.Error("an unknown law holds")
	}
}
