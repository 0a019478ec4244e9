package fhetest

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/program"
)

// RunLaws checks, on random programs, what must hold between runs of an engine, whatever the right result of one is:
// that linear programs are linear, rotations compose, equal programs give equal bits, a batch has no order, slots may
// be counted otherwise, a program may be cut in two, and what decrypts is what engine/clear computes within the noise.
// A law that fails is tried on smaller and smaller programs; the test prints the smallest that breaks it, as a
// *Counterexample.
//
// It takes a few seconds with an engine as fast as stock Lattigo. RunEngine is the other half: it compares bits.
func RunLaws(t *testing.T, open func(t *testing.T) program.Engine) {
	for _, l := range laws {
		t.Run(l.name, func(t *testing.T) {
			n := lawPrograms
			if testing.Short() {
				n = shortLawPrograms
			}
			if err := l.run(open(t), n); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// CheckLaws is RunLaws as a function that returns the name of every law that failed, with its error. With names, it
// checks those only.
func CheckLaws(open func() program.Engine, names ...string) map[string]error {
	failed := make(map[string]error)
	for _, l := range laws {
		if len(names) > 0 && !slices.Contains(names, l.name) {
			continue
		}
		if err := l.run(open(), lawPrograms); err != nil {
			failed[l.name] = err
		}
	}
	return failed
}

// Laws returns the names of the laws.
func Laws() []string {
	var names []string
	for _, l := range laws {
		names = append(names, l.name)
	}
	return names
}

// CheckLaw checks one law on one program: a *Counterexample again, after the engine was mended.
func CheckLaw(eng program.Engine, law string, p *program.Program, c *program.Constants) error {
	for _, l := range laws {
		if l.name == law {
			return l.try(eng, p, c)
		}
	}
	return fmt.Errorf("fhetest: no law %q; there are %q", law, Laws())
}

// law is a relation between runs. check makes keys and inputs of its own.
type law struct {
	name     string
	generate func(m *maker, n int) (*program.Program, *program.Constants, error)
	check    func(eng program.Engine, p *program.Program, c *program.Constants) error
}

// lawPrograms are the programs of one law: two for each toy, one in short tests.
const lawPrograms, shortLawPrograms, lawOps = 16, 8, 30

// setupError is a fault of the suite, not of the engine.
type setupError struct{ err error }

func (e *setupError) Error() string { return "fhetest: " + e.err.Error() }
func (e *setupError) Unwrap() error { return e.err }

// setup marks an error, if there is one.
func setup(err error) error {
	if err == nil {
		return nil
	}
	return &setupError{err}
}

func (l *law) try(eng program.Engine, p *program.Program, c *program.Constants) error {
	return guard(l.name, func() error { return l.check(eng, p, c) })
}

func (l *law) run(eng program.Engine, n int) error {
	for seed := range uint64(n) {
		toy := Toys[int(seed)%len(Toys)]
		params, err := insecureToy(toy)
		if err != nil {
			return err
		}
		p, c, err := l.generate(newMaker(NewRand(7000+seed), params), lawOps)
		if err != nil {
			return fmt.Errorf("toy %q, seed %d: %w", toy.Name, seed, err)
		}
		if err := l.try(eng, p, c); err != nil {
			var s *setupError
			if errors.As(err, &s) {
				return fmt.Errorf("toy %q, seed %d: %w", toy.Name, seed, err)
			}
			return l.reduce(eng, toy, p, c, err)
		}
	}
	return nil
}

// Counterexample is a small program that breaks a law.
type Counterexample struct {
	Law       string
	Toy       Toy // of the program's parameters
	Program   *program.Program
	Constants *program.Constants
	Before    int   // operations of the program that was found
	Err       error // what the law says
}

func (e *Counterexample) Unwrap() error { return e.Err }

// maxSource bounds what Error prints of a program's bytes.
const maxSource = 1 << 16

func (e *Counterexample) Error() string {
	var b, prog, consts strings.Builder
	fmt.Fprintf(&b, "law %q is broken by a program of %d operations, reduced from %d: %v\n", e.Law, len(e.Program.Ops()), e.Before, e.Err)
	e.Program.Dump(&b)
	encode := func(out *strings.Builder, w func(*strings.Builder) error) error {
		var raw strings.Builder
		err := w(&raw)
		out.WriteString(base64.StdEncoding.EncodeToString([]byte(raw.String())))
		return err
	}
	if err := errors.Join(
		encode(&prog, func(b *strings.Builder) error { _, err := e.Program.WriteTo(b); return err }),
		encode(&consts, func(b *strings.Builder) error { _, err := e.Constants.WriteTo(b); return err }),
	); err != nil {
		fmt.Fprintf(&b, "it cannot be encoded: %v\n", err)
	} else if prog.Len()+consts.Len() > maxSource {
		fmt.Fprintf(&b, "its %d bytes are too many to print\n", prog.Len()+consts.Len())
	} else {
		fmt.Fprintf(&b, "to try it again:\n\tp, c := fhetest.ProgramOf(t, fhetest.InsecureToyParamsNamed(t, %q),\n\t\t%q,\n\t\t%q)\n\terr := fhetest.CheckLaw(eng, %q, p, c)\n",
			e.Toy.Name, prog.String(), consts.String(), e.Law)
	}
	return b.String()
}

// ProgramOf returns the program and the constants that a Counterexample prints.
func ProgramOf(tb testing.TB, params fhe.Parameters, encoded, constants string) (*program.Program, *program.Constants) {
	tb.Helper()
	p, err := program.ReadProgram(base64.NewDecoder(base64.StdEncoding, strings.NewReader(encoded)), params, maxSource)
	if err != nil {
		tb.Fatal(err)
	}
	c, err := program.ReadConstants(base64.NewDecoder(base64.StdEncoding, strings.NewReader(constants)), maxSource)
	if err != nil {
		tb.Fatal(err)
	}
	return p, c
}

// withJob loads a program and runs f on the job.
func withJob(eng program.Engine, p *program.Program, c *program.Constants, keys *fhe.EvaluationKeys, f func(job program.Job) error) error {
	job, err := eng.Load(context.Background(), p, c, keys)
	if err != nil {
		return fmt.Errorf("load: %w", err)
	}
	err = f(job)
	if cerr := job.Close(); err == nil && cerr != nil {
		err = fmt.Errorf("close: %w", cerr)
	}
	return err
}
