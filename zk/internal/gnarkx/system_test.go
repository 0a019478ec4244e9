package gnarkx

import (
	"errors"
	"flag"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/consensys/gnark"
	"github.com/consensys/gnark-crypto/ecc"
	cs "github.com/consensys/gnark/constraint/bn254"
	"github.com/consensys/gnark/frontend"
	"github.com/consensys/gnark/frontend/cs/r1cs"
)

var update = flag.Bool("update", false, "rewrite the files in testdata")

// Circuits that are refused. define gets the public inputs and two secret ones.
type twoPublic struct {
	Context   frontend.Variable `gnark:",public"`
	Statement frontend.Variable `gnark:",public"`
	A, B      frontend.Variable
	define    func(api frontend.API, c *twoPublic) error
}

func (c *twoPublic) Define(api frontend.API) error { return c.define(api, c) }

type swapped struct {
	Statement frontend.Variable `gnark:",public"`
	Context   frontend.Variable `gnark:",public"`
	A         frontend.Variable
}

func (c *swapped) Define(api frontend.API) error { return plain(api, c.Context, c.Statement, c.A) }

type threePublic struct {
	Context   frontend.Variable `gnark:",public"`
	Statement frontend.Variable `gnark:",public"`
	Extra     frontend.Variable `gnark:",public"`
	A         frontend.Variable
}

func (c *threePublic) Define(api frontend.API) error { return plain(api, c.Context, c.Statement, c.A) }

type onePublic struct {
	Context frontend.Variable `gnark:",public"`
	A       frontend.Variable
}

func (c *onePublic) Define(api frontend.API) error { return plain(api, c.Context, c.A, c.A) }

type renamed struct {
	Context   frontend.Variable `gnark:"context,public"`
	Statement frontend.Variable `gnark:",public"`
	A         frontend.Variable
}

func (c *renamed) Define(api frontend.API) error { return plain(api, c.Context, c.Statement, c.A) }

// commitTo commits and uses the challenge.
func commitTo(api frontend.API, v ...frontend.Variable) error {
	h, err := api.(frontend.Committer).Commit(v...)
	if err == nil {
		api.Mul(h, h)
	}
	return err
}

// plain is the smallest good circuit.
func plain(api frontend.API, context, statement frontend.Variable, secrets ...frontend.Variable) error {
	api.Mul(context, context)
	for _, s := range secrets {
		api.AssertIsEqual(statement, api.Mul(s, s))
	}
	return commitTo(api, append(secrets, context)...)
}

// unregistered is a hint that the prover would not find.
func unregistered(_ *big.Int, in, out []*big.Int) error {
	out[0].Set(in[0])
	return nil
}

// TestCompileRefuses lists what gnark accepts and Compile does not.
//
// Soundness: S2, S21, S24, S25.
func TestCompileRefuses(t *testing.T) {
	with := func(define func(api frontend.API, c *twoPublic) error) frontend.Circuit {
		return &twoPublic{define: define}
	}
	for _, tt := range []struct {
		name    string
		circuit frontend.Circuit
		want    string // part of the reason
	}{
		{"swapped", &swapped{}, `["Statement" "Context"]`},
		{"three-public", &threePublic{}, `["Context" "Statement" "Extra"]`},
		{"one-public", &onePublic{}, `the public inputs are ["Context"]`},
		{"renamed", &renamed{}, `["context" "Statement"]`},
		{"no-commitment", with(func(api frontend.API, c *twoPublic) error {
			api.AssertIsEqual(api.Mul(c.Context, c.A, c.B), c.Statement)
			return nil
		}), "0 commitments"},
		{"two-commitments", with(func(api frontend.API, c *twoPublic) error {
			return errors.Join(plain(api, c.Context, c.Statement, c.A, c.B), commitTo(api, c.Context, c.A))
		}), "2 commitments"},
		{"context-not-committed", with(func(api frontend.API, c *twoPublic) error {
			api.AssertIsEqual(api.Mul(c.Context, c.A, c.B), c.Statement)
			return commitTo(api, c.A, c.B)
		}), "Context is not committed"},
		{"statement-committed", with(func(api frontend.API, c *twoPublic) error {
			api.AssertIsEqual(api.Mul(c.Context, c.A, c.B), c.Statement)
			return commitTo(api, c.Context, c.Statement, c.A, c.B)
		}), "Statement is committed"},
		{"only-statement-committed", with(func(api frontend.API, c *twoPublic) error {
			api.AssertIsEqual(api.Mul(c.Context, c.A, c.B), c.Statement)
			return commitTo(api, c.Statement, c.A, c.B)
		}), "Statement is committed"},
		{"secret-not-committed", with(func(api frontend.API, c *twoPublic) error {
			api.AssertIsEqual(api.Mul(c.Context, c.A, c.B), c.Statement)
			return commitTo(api, c.Context, c.A)
		}), "B is not committed"},
		{"context-unconstrained", with(func(api frontend.API, c *twoPublic) error {
			api.AssertIsEqual(api.Mul(c.A, c.B), c.Statement)
			return commitTo(api, c.Context, c.A, c.B)
		}), "Context occurs in no constraint"},
		{"context-cancels", with(func(api frontend.API, c *twoPublic) error {
			api.AssertIsEqual(api.Mul(c.A, c.B), api.Add(c.Statement, api.Sub(c.Context, c.Context)))
			return commitTo(api, c.Context, c.A, c.B)
		}), "Context occurs in no constraint"},
		{"statement-unconstrained", with(func(api frontend.API, c *twoPublic) error {
			api.AssertIsEqual(api.Mul(c.A, c.B), c.Context)
			return commitTo(api, c.Context, c.A, c.B)
		}), "Statement occurs in no constraint"},
		{"secret-unconstrained", with(func(api frontend.API, c *twoPublic) error {
			api.AssertIsEqual(api.Mul(c.A, c.Context), c.Statement)
			return commitTo(api, c.Context, c.A, c.B)
		}), "B occurs in no constraint"},
		{"challenge-unused", with(func(api frontend.API, c *twoPublic) error {
			api.AssertIsEqual(api.Mul(c.Context, c.A, c.B), c.Statement)
			_, err := api.(frontend.Committer).Commit(c.Context, c.A, c.B)
			return err
		}), "challenge occurs in no constraint"},
		{"hint", with(func(api frontend.API, c *twoPublic) error {
			out, err := api.Compiler().NewHint(unregistered, 1, c.A)
			api.AssertIsEqual(out[0], c.B)
			return errors.Join(err, plain(api, c.Context, c.Statement, c.A, c.B))
		}), "gnarkx.unregistered is not registered"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Compile(tt.circuit)
			var refused *CircuitError
			if !errors.As(err, &refused) || !strings.Contains(refused.Reason, tt.want) {
				t.Errorf("got %v, want a *CircuitError with %q", err, tt.want)
			}
		})
	}
	mustCompile(t, with(func(api frontend.API, c *twoPublic) error { return plain(api, c.Context, c.Statement, c.A, c.B) }))
}

// Each secret input in turn is left out of the commitment.
//
// Soundness: S2.
func TestCompileRefusesAnyInputLeftOut(t *testing.T) {
	for without := 1; without <= toySize+1; without++ {
		_, err := Compile(&toy{without: without})
		var refused *CircuitError
		name := fmt.Sprintf("X_%d is not committed", without-1)
		if without > toySize {
			name = "Product is not committed"
		}
		if !errors.As(err, &refused) || refused.Reason != name {
			t.Errorf("got %v, want %q", err, name)
		}
	}
}

func TestCompilePassesOnErrorsOfDefine(t *testing.T) {
	broken := errors.New("broken")
	if _, err := Compile(&twoPublic{define: func(frontend.API, *twoPublic) error { return broken }}); !errors.Is(err, broken) {
		t.Error(err)
	}
	if _, err := Compile(&twoPublic{define: func(frontend.API, *twoPublic) error { panic("broken") }}); err == nil {
		t.Error("a circuit that panics: no error")
	}
}

// The golden digest is of another process, and of another build when the tests run with -race.
func TestSystemGolden(t *testing.T) {
	s := mustCompile(t, &toy{})
	got := fmt.Sprintf("toy constraints=%d secrets=%d committed=%d domain=%d digest=%x\n",
		s.Constraints(), s.Secrets(), s.Committed(), s.Domain(), s.Digest())
	c, err := openCache(filepath.Join(t.TempDir(), "cache"), s)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "testdata/systems.txt", got+"toy cache entry="+c.name+"\n")
	if s.Committed() != s.Secrets()+1 {
		t.Errorf("%d committed, %d secrets: want the mask and nothing else besides", s.Committed(), s.Secrets())
	}
}

// Two circuits that differ in where their constraints come from, or in what they print, have one digest.
func TestDigestCoversConstraintsOnly(t *testing.T) {
	here := func(api frontend.API, c *twoPublic) error {
		api.AssertIsEqual(c.A, c.B)
		return plain(api, c.Context, c.Statement, c.A, c.B)
	}
	there := func(api frontend.API, c *twoPublic) error {
		api.Println("A is", c.A)
		api.AssertIsEqual(c.A, c.B)
		return plain(api, c.Context, c.Statement, c.A, c.B)
	}
	other := func(api frontend.API, c *twoPublic) error {
		api.AssertIsEqual(c.A, api.Mul(2, c.B))
		return plain(api, c.Context, c.Statement, c.A, c.B)
	}
	a, b, c := mustCompile(t, &twoPublic{define: here}), mustCompile(t, &twoPublic{define: there}), mustCompile(t, &twoPublic{define: other})
	if a.Digest() != b.Digest() {
		t.Error("the digest depends on line numbers")
	}
	if a.Digest() == c.Digest() {
		t.Error("the digest does not depend on a coefficient")
	}
	// gnark's own encoding depends on them, which is why they are taken out.
	raw, err := frontend.Compile(ecc.BN254.ScalarField(), r1cs.NewBuilder, &twoPublic{define: there})
	if err != nil {
		t.Fatal(err)
	}
	if len(raw.(*cs.R1CS).Logs) == 0 {
		t.Error("gnark notes nothing any more: take the exception out of Compile")
	}
}

func TestVersions(t *testing.T) {
	mod, err := os.ReadFile("../../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		"\tgithub.com/consensys/gnark " + gnarkVersion + "\n",
		"\tgithub.com/consensys/gnark-crypto " + gnarkCryptoVersion + "\n",
	} {
		if !strings.Contains(string(mod), line) {
			t.Errorf("go.mod has no line %q: cached keys would be taken for those of another version", line)
		}
	}
	if strings.Contains(string(mod), "=>") {
		t.Error("go.mod replaces modules: the versions say nothing then")
	}
	if got := "v" + gnark.Version.String(); got != gnarkVersion {
		t.Errorf("gnark calls itself %s, the key cache %s", got, gnarkVersion)
	}
}

// golden compares got with a file, or writes it under -update.
func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}
