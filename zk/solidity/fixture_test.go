package solidity

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/frontend"

	"github.com/signet-ml/signet/zk"
	"github.com/signet-ml/signet/zk/commit"
	"github.com/signet-ml/signet/zk/internal/gnarkx"
)

var (
	update = flag.Bool("update", false, "rewrite the golden contracts in testdata")
	keys   = flag.Bool("keys", false, "make new keys and proofs in testdata; then -update, and evmtest's -update")
)

var variants = []string{"public", "private"}

// A fixture is one variant's key, statements and proofs, read from testdata/<variant>. A setup draws random numbers, so
// keys and proofs are made once, with -keys, and kept.
type fixture struct {
	vk         *zk.VerifyingKey
	statements map[string]*zk.Statement // "good"; "unbound": zero context; "market": evmtest's; private: "other": another model
	proofs     map[string]*zk.Proof     // of the statements
}

func readFixture(t testing.TB, variant string) *fixture {
	t.Helper()
	open := func(name string) *bytes.Reader {
		b, err := os.ReadFile(filepath.Join("testdata", variant, name))
		if err != nil {
			t.Fatal(err)
		}
		return bytes.NewReader(b)
	}
	f := &fixture{statements: map[string]*zk.Statement{}, proofs: map[string]*zk.Proof{}}
	var err error
	if f.vk, err = zk.ReadVerifyingKey(open("verifying.key"), 1<<16); err != nil {
		t.Fatal(err)
	}
	paths, err := filepath.Glob(filepath.Join("testdata", variant, "*.json"))
	if err != nil || len(paths) < 2 {
		t.Fatalf("%d statements: %v", len(paths), err)
	}
	for _, path := range paths {
		name := strings.TrimSuffix(filepath.Base(path), ".json")
		if f.statements[name], err = zk.ReadStatement(open(name+".json"), 1<<16); err != nil {
			t.Fatal(err)
		}
		if f.proofs[name], err = zk.ReadProof(open(name + ".proof")); err != nil {
			t.Fatal(err)
		}
	}
	return f
}

// dense returns a word with few zero bytes, which are cheap as calldata: the context that costs most.
func dense(name string) zk.Word { return commit.NewTranscript(name).Sum() }

// number returns x as a word.
func number(x byte) (w zk.Word) {
	w[31] = x
	return w
}

// address returns an Ethereum address as a word.
func address(s string) (w zk.Word) {
	b, err := hex.DecodeString(s)
	if err != nil {
		panic(err)
	}
	copy(w[12:], b)
	return w
}

// TestMakeFixtures makes the fixtures, when asked.
func TestMakeFixtures(t *testing.T) {
	if !*keys {
		t.Skip("-keys is not given")
	}
	for _, variant := range variants {
		makeFixture(t, variant)
	}
}

func makeFixture(t *testing.T, variant string) {
	ctx, cache := t.Context(), t.TempDir()
	circuit := toy{private: variant == "private", model: modelA}
	options := []zk.Option{zk.CacheDir(cache), zk.For(zk.Solidity)}
	if circuit.private {
		options = append(options, zk.CompactModel())
	}
	k, err := zk.Setup(ctx, circuit, options...)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join("testdata", variant)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	write := func(name string, b []byte, err error) {
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), b, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	b, err := k.VerifyingKey().MarshalBinary()
	write("verifying.key", b, err)

	bound := zk.Context{Network: dense("network"), Market: dense("market"), Task: dense("task"),
		Specification: dense("specification"), Output: dense("output"), Worker: dense("worker")}
	chainID := zk.Word{30: 1337 >> 8, 31: 1337 & 255}
	// What evmtest's market contract passes for its task 7: the second contract of the account that is also the worker.
	market := zk.Context{Network: chainID, Market: address("97d5f67a077d0dfb885c7fe4bc2f23beedc51f30"), Task: number(7),
		Specification: dense("specification"), Output: number(0), Worker: address("71c73f726b8c716f74d0928485486ac772d156b0")}
	cases := []struct {
		name    string
		model   weights
		x       []int64
		context zk.Context
	}{
		{"good", modelA, []int64{1, 2, -3}, bound},
		{"unbound", modelA, []int64{7, -8, 0}, zk.Context{}},
		{"market", modelA, []int64{-8, 2, 7}, market},
		{"other", modelB, []int64{1, 2, -3}, bound},
	}
	registered := map[string]*zk.Witness{}
	for _, c := range cases {
		if c.name == "other" && !circuit.private {
			continue // public weights: another model is another key
		}
		w := zk.Witness{Trace: c.model.trace(c.x), Input: zk.Committed, Output: zk.Public, Context: c.context}
		if circuit.private {
			key := "A"
			if c.name == "other" {
				key = "B"
			}
			if registered[key] == nil {
				matrix, err := commit.NewMatrix(circuit.Spec().Layout, [][]int64{c.model.w}, [][]int64{c.model.b})
				if err != nil {
					t.Fatal(err)
				}
				m, o, err := commit.Commit(ctx, k.ReferenceString(), commit.Compact, matrix)
				if err != nil {
					t.Fatal(err)
				}
				registered[key] = &zk.Witness{Model: m, Opening: o}
			}
			w.Model, w.Opening, w.Budget = registered[key].Model, registered[key].Opening, forever{registered[key].Model.Blinds()}
		}
		res, err := zk.Prove(ctx, k, w)
		if err != nil {
			t.Fatal(err)
		}
		b, err := json.MarshalIndent(res.Statement, "", "\t")
		write(c.name+".json", append(b, '\n'), err)
		b, err = res.Proof.MarshalBinary()
		write(c.name+".proof", b, err)
		if c.name == "good" && !circuit.private {
			write("native.bin", native(t, circuit, cache, &res.Statement.Context, w, res), nil)
		}
	}
}

// native returns the good statement's proof for the target Native, under the same keys, as the contract takes it: all
// that is wrong with it is the hash behind its challenge.
func native(t *testing.T, circuit toy, cache string, c *zk.Context, w zk.Witness, res *zk.Result) []byte {
	t.Helper()
	sys, err := gnarkx.Compile(circuit.Blank())
	if err != nil {
		t.Fatal(err)
	}
	k, hit, err := gnarkx.Setup(t.Context(), sys, cache, nil)
	if err != nil || !hit {
		t.Fatalf("keys from the cache: %t, %v", hit, err)
	}
	st := res.Statement
	var input, output fr.Element
	input.SetBytes(st.Input.Digest[:])
	output.SetInt64(st.Output.Values[0])
	subject := commit.NewTranscript("signet/zk/subject/v1").Uint(uint64(st.Kind)).Uint(uint64(st.Version)).
		Word(st.VerifyingKey).Word(zk.Word{}).Element(input).Element(output).Sum()
	h := commit.NewTranscript("signet/zk/context/v1")
	for _, x := range []zk.Word{c.Network, c.Market, c.Task, c.Specification, c.Output, c.Worker, subject} {
		h.Word(x)
	}
	a := zk.Assignment{Context: h.Challenge(), Trace: w.Trace, Statement: commit.Hash(commit.TagStatement, input, output)}
	a.InputSalt.SetBytes(res.InputSalt[:])
	assigned, err := circuit.Assign(a)
	if err != nil {
		t.Fatal(err)
	}
	for _, target := range []gnarkx.Target{gnarkx.Solidity, gnarkx.Native} { // the first shows that the values are right
		pf, err := gnarkx.Prove(t.Context(), k, target, assigned, func(fr.Element) (frontend.Circuit, error) { return assigned, nil })
		if err != nil {
			t.Fatal(err)
		}
		if target == gnarkx.Native {
			b, err := gnarkx.SolidityProof(pf)
			if err != nil {
				t.Fatal(err)
			}
			return b
		}
	}
	return nil
}
