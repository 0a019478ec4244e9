package docs_test

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// A cheat is one way to get a false statement accepted or a secret out, and the answer to it.
type cheat struct{ id, what, answer string }

// cheats are the rows of docs/reference/soundness.md. A test names the rows it covers in a line of its comment:
//
//	// Soundness: S5, P13.
var cheats = []cheat{
	// Circuits and the proof system.
	{"S1", "weak Fiat-Shamir: prove, then verify under another context", "rejected: the challenge absorbs the context"},
	{"S2", "an input of the circuit left out of the commitment", "refused at compile time"},
	{"S3", "an identity at a challenge that its coefficients may depend on, or too small a field for its degree", "every input is fixed before the challenge; the degrees of all identities together stay far below the field"},
	{"S5", "a range that is not a power of two: both ends, one past them, wrapped", "only the range is accepted"},
	{"S8", "a private model with two weights swapped, or a weight out of range behind the same packed value", "rejected by the opening, or at registration"},
	{"S11", "a table with two rows of one index", "not expressible: a row's index is its place"},
	{"S12", "a hint that lies: every secret input changed in turn", "rejected"},
	{"S13a", "lookups with multiplicities off by one; five times 5 as a shuffle of 1 to 5", "rejected"},
	{"S13b", "the sign of zero", "zero has one encoding, and one clamp"},
	{"S13c", "a quotient with a multiple of p/2^s added, a remainder as large as the divisor", "rejected"},
	{"S14", "a float or another source of indeterminism in what is proved", "twin and circuit agree bit by bit on every tensor"},
	{"S15", "a re-randomised proof", "verifies, so proof bytes identify nothing"},
	{"S16", "a key of another circuit, another version or another setup, or a key of gnark's DummySetup", "refused"},
	{"S19", "an evaluation of private weights without blinds, or past the budget", "refused"},
	{"S20", "replay for another task, worker, network or model", "rejected"},
	{"S21", "a public input that no constraint mentions", "refused at compile time"},
	{"S22", "hostile bytes: huge counts, trailing bytes, truncation, points that are none", "a typed error, little memory"},
	{"S23", "a digest for other data: a trailing zero, another tag, another length", "digests differ; circuit and Go agree"},
	{"S24", "a proof for one verifier shown to the other; a contract with two commitments", "rejected; refused"},
	{"S25", "the statement put into the commitment", "refused at compile time"},
	// Weights outside the circuit.
	{"P1", "u, v or g outside the commitment of the circuit", "refused at compile time"},
	{"P2", "a model commitment or accumulators chosen after the first challenge", "rejected: the challenge hashes them"},
	{"P3", "compact form: the last challenge drawn before Q1", "rejected: it hashes Q1"},
	{"P4", "a change of v paid for by a change of u, under one evaluation", "rejected: there are two evaluations"},
	{"P5", "terms beyond the layout on a longer reference string", "rejected, while an honest proof on the longer string is accepted"},
	{"P6", "a prover who knows the secret of another reference string", "rejected: the verifying key pins the string"},
	{"P7", "row commitments solved for after the second challenge, under an unchanged digest", "rejected: the digest is recomputed"},
	{"P8", "a model commitment of another architecture", "rejected"},
	{"P9", "registration with weights of ±128, a huge bias, padding that is not zero, another model's digest, another registrant, errors that cancel across rows", "rejected"},
	{"P10", "as many proofs as the budget allows, and one more", "full rank at the budget; weights recovered past it"},
	{"P11", "a crash between counting a proof and releasing it", "counts as spent"},
	{"P12", "a budget restored from a backup, shared by two processes, cut short", "refused"},
	{"P13", "another output of ReLU or rescale for the same accumulator; widths that allow one", "none exists over small fields; refused at compile time"},
	{"P14", "opposite errors in two layers", "rejected: layers are checked one by one"},
	{"P15", "argmax: ties, two selectors, an index plus p", "lowest index only"},
	{"P16", "an input out of range behind the same packed value; a public input swapped", "rejected"},
	{"P17", "a mask used for two witnesses; another commitment in the second pass", "masks are fresh; refused"},
	{"P18", "two accumulators in one place of v, two monomials in one of a convolution's product", "places are distinct for every graph"},
	{"P19", "a convolution's spatial point that is known before its coefficients are fixed", "the point is the second challenge"},
	{"P21", "K, D, the proof of knowledge, Q1 or Q2 changed; Q1 where none belongs; encodings that are not canonical", "rejected"},
	{"P22", "a reference string with the secret 0 or one wrong power", "refused by the prover"},
	{"P23", "an output wrong by one, another model, another input, swapped public inputs, a truncated proof", "rejected"},
	{"P24", "outputs out of range behind the same packed value", "rejected"},
	{"P25", "two proofs from one reservation", "not expressible: each proof reserves"},
	{"P26", "weights that are no small integers, such as 1/2, without a registration", "accepted as sums modulo the order, which the statement says; refused when it says range-proved"},
	{"P27", "another offset or unit of a feature in a statement, an encoding dropped, or added to a proof made without", "rejected: the subject hashes it, under a tag of its own"},
}

var soundnessLine = regexp.MustCompile(`(?m)^Soundness: ([A-Z0-9a-z, ]+)\.$`)

// soundnessTests returns, by row, the tests that name it, as "path: name".
func soundnessTests(t *testing.T) map[string][]string {
	t.Helper()
	out := make(map[string][]string)
	for _, dir := range []string{"zk", "ml/provable", "ml/fixedpoint", "examples"} {
		for _, p := range walk(t, dir, "_test.go") {
			f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, p), nil, parser.ParseComments)
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range f.Decls {
				fn, ok := d.(*ast.FuncDecl)
				if !ok || fn.Doc == nil || !strings.HasPrefix(fn.Name.Name, "Test") && !strings.HasPrefix(fn.Name.Name, "Fuzz") {
					continue
				}
				for _, m := range soundnessLine.FindAllStringSubmatch(fn.Doc.Text(), -1) {
					for id := range strings.SplitSeq(m[1], ", ") {
						out[id] = append(out[id], p+": "+fn.Name.Name)
					}
				}
			}
		}
	}
	return out
}

// TestSoundness makes docs/reference/soundness.md and fails when a row has no test or a test names no row.
func TestSoundness(t *testing.T) {
	tests := soundnessTests(t)
	var b bytes.Buffer
	b.WriteString(soundnessHead)
	for _, c := range cheats {
		names := tests[c.id]
		if len(names) == 0 {
			t.Errorf("row %s (%s) has no test", c.id, c.what)
		}
		delete(tests, c.id)
		slices.Sort(names)
		var links []string
		for _, n := range names {
			p, name, _ := strings.Cut(n, ": ")
			links = append(links, fmt.Sprintf("[%s](%s)", strings.TrimPrefix(name, "Test"), path.Join("../..", p)))
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", c.id, c.what, c.answer, strings.Join(links, ", "))
	}
	for id, names := range tests {
		t.Errorf("%v name row %s, which does not exist", names, id)
	}
	file := filepath.Join(root, "docs/reference/soundness.md")
	if *update {
		if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, b.Bytes()) {
		t.Error("docs/reference/soundness.md is stale: go test ./docs -run Soundness -update")
	}
}

const soundnessHead = `# Soundness: ways to cheat, and the tests that try them

Each row is a way to get a false statement accepted, or a secret out. The tests play the cheat and fail if it works. They are
found by the line "Soundness:" in their comments, so this page cannot name a test that is gone. Tests whose file starts with
the build tag prover_checks run real proofs of real circuits: ` + "`go test -tags=prover_checks ./zk/... ./ml/provable`" + `. The
reasons are in [proven inference](../explanation/proven-inference.md).

| row | cheat | answer | tests |
|---|---|---|---|
`
