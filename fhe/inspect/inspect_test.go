package inspect_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/client"
	"github.com/signet-ml/signet/fhe/inspect"
	"github.com/signet-ml/signet/fhe/program"
)

// files writes one file of each kind: public/{parameters,program,constants,keys}, in/bundle, in/ciphertext, secret/key.
func files(t testing.TB) (dir string, prog *program.Program) {
	t.Helper()
	must := func(err error) {
		if err != nil {
			t.Helper()
			t.Fatal(err)
		}
	}
	p, err := fhe.NewParameters(fhe.ParametersLiteral{LogN: 12, LogQ: []int{36, 30}, LogP: []int{37}, LogDefaultScale: 30})
	must(err)
	rows := make([][]int64, 2)
	for i := range rows {
		rows[i] = make([]int64, p.N())
		rows[i][i] = 1 << 20
	}
	diagonals, err := program.NewPolynomials(rows, p.LogMaxSlots(), fhe.PowerOfTwo(20))
	must(err)
	weights, err := program.NewWeights([][]int64{{3, -4}}, fhe.PowerOfTwo(2))
	must(err)
	b := program.NewBuilder(p)
	port := program.Port{Name: "x", Count: 1, Level: 1, Degree: 1, LogSlots: p.LogMaxSlots(), Scale: p.DefaultScale(), Bound: 8,
		Layout: program.Layout{Shape: []int{4}, Runs: []program.Run{{SlotStep: 1, IndexStep: 1, Length: 4}}}}
	x := b.Input(port)[0]
	b.Scope("mix")
	h := b.Hoist(x, 1)
	b.Lintrans(h, diagonals, []int{0, 1}, []int{0, 3}, 4, 1)
	y := b.Rot(x, p.GaloisElement(1))
	z := b.Conj(x)
	b.Scope("sum")
	s := b.Lincomb([]program.Range{{First: y, Count: 2}}, weights, 0)
	s = b.MulConst(s, big.NewInt(5), big.NewInt(0), fhe.PowerOfTwo(3))
	s = b.AddConst(s, big.NewInt(7), big.NewInt(-1))
	s = b.MacConst(s, big.NewInt(1), s, big.NewInt(2), big.NewInt(0), fhe.PowerOfTwo(0))
	b.Output(b.OutputPort("y", s, 8, port.Layout), s)
	_ = z
	prog, consts, err := b.Build()
	must(err)

	kg, err := client.NewKeyGenerator(p)
	must(err)
	sk := kg.GenSecretKey()
	keys, err := kg.GenEvaluationKeys(context.Background(), sk, prog.Keys())
	must(err)
	bundle, err := client.NewEncryptor(sk).Encrypt(prog.Inputs()[0], []float64{1, 2, 3, 4})
	must(err)
	pk, err := kg.GenPublicKey(sk)
	must(err)
	dir = t.TempDir()
	for name, v := range map[string]io.WriterTo{"public/parameters": p, "public/program": prog, "public/constants": consts, "public/keys": keys, "public/key": pk,
		"in/bundle": bundle, "in/ciphertext": bundle.Get("x")[0], "secret/key": sk} {
		path := filepath.Join(dir, name)
		must(os.MkdirAll(filepath.Dir(path), 0o755))
		f, err := os.Create(path)
		must(err)
		_, err = v.WriteTo(f)
		must(errors.Join(err, f.Close()))
	}
	return dir, prog
}

func TestFile(t *testing.T) {
	dir, prog := files(t)
	for _, tt := range []struct{ name, text, json string }{
		{"public/parameters", "classical 128", `"logN":12`},
		{"public/program", "LINTRANS", `"op":"LINTRANS"`},
		{"public/constants", "weights 1 × 2", `"type":"polynomials"`},
		{"public/keys", "conjugation", `"conjugate":true`},
		{"public/keys", "bytes with a seed", `"seeded":true`},
		{"public/key", "public key ", `"kind":"public key"`},
		{"in/bundle", `"x"[0] level 1`, `"port":"x"`},
		{"in/bundle", "bytes with a seed", `"seeded":true`},
		{"in/ciphertext", "degree 1", `"degree":1`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(dir, tt.name)
			var b bytes.Buffer
			if err := inspect.File(&b, path, inspect.Options{}); err != nil || !strings.Contains(b.String(), tt.text) {
				t.Errorf("text: %v, %q lacks %q", err, b.String(), tt.text)
			}
			b.Reset()
			if err := inspect.File(&b, path, inspect.Options{JSON: true}); err != nil || !strings.Contains(b.String(), tt.json) {
				t.Errorf("JSON: %v, %q lacks %q", err, b.String(), tt.json)
			}
			for line := range strings.Lines(b.String()) {
				if !json.Valid([]byte(line)) {
					t.Errorf("no JSON: %q", line)
				}
			}
			// Damaged: cut short, and with a wrong digest of parameters.
			whole, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			bad := filepath.Join(dir, "public", "bad")
			if err := os.WriteFile(bad, whole[:len(whole)-1], 0o644); err != nil {
				t.Fatal(err)
			}
			var format *fhe.FormatError
			if err := inspect.File(io.Discard, bad, inspect.Options{}); !errors.As(err, &format) {
				t.Errorf("cut short: got %v", err)
			}
		})
	}

	// One line for each operation, with every field that outsiders were promised.
	var b bytes.Buffer
	if err := inspect.File(&b, filepath.Join(dir, "public/program"), inspect.Options{JSON: true}); err != nil {
		t.Fatal(err)
	}
	dec := json.NewDecoder(&b)
	for i, o := range prog.Ops() {
		var line map[string]any
		if err := dec.Decode(&line); err != nil {
			t.Fatal(err)
		}
		for _, f := range []string{"i", "op", "args", "level", "scale", "slots", "degree", "scope", "out"} {
			if _, ok := line[f]; !ok {
				t.Errorf("operation %d lacks %q: %v", i, f, line)
			}
		}
		more := map[program.Opcode]string{program.Rot: "galois", program.Conj: "galois", program.Lintrans: "diagonals", program.Lincomb: "const",
			program.MulConst: "const", program.AddConst: "const", program.MacConst: "const", program.Input: "port", program.Output: "index"}[o.Code]
		if _, ok := line[more]; more != "" && !ok {
			t.Errorf("operation %d, %v, lacks %q: %v", i, o.Code, more, line)
		}
		if line["op"] != o.Code.String() || line["level"] != float64(o.Level) || line["i"] != float64(i) {
			t.Errorf("operation %d: %v", i, line)
		}
	}
	if dec.More() {
		t.Error("more lines than operations")
	}
}

func TestRefused(t *testing.T) {
	dir, _ := files(t)
	var b bytes.Buffer
	if err := inspect.File(&b, filepath.Join(dir, "secret/key"), inspect.Options{JSON: true}); !errors.Is(err, inspect.ErrSecret) || b.Len() > 0 {
		t.Errorf("secret key: %v, printed %d bytes", err, b.Len())
	}
	if err := os.Rename(filepath.Join(dir, "public/parameters"), filepath.Join(dir, "p")); err != nil {
		t.Fatal(err)
	}
	if err := inspect.File(io.Discard, filepath.Join(dir, "in/bundle"), inspect.Options{}); err == nil || !strings.Contains(err.Error(), "parameters are needed") {
		t.Errorf("without parameters: %v", err)
	}
	if err := inspect.File(io.Discard, filepath.Join(dir, "in/bundle"), inspect.Options{Parameters: filepath.Join(dir, "p")}); err != nil {
		t.Errorf("with parameters: %v", err)
	}
	short := filepath.Join(dir, "short")
	if err := os.WriteFile(short, []byte("SG"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{short, filepath.Join(dir, "nosuch"), dir} {
		if err := inspect.File(io.Discard, path, inspect.Options{}); err == nil {
			t.Errorf("%s: no error", path)
		}
	}
}

func BenchmarkFile(b *testing.B) {
	dir, _ := files(b)
	for b.Loop() {
		if err := inspect.File(io.Discard, filepath.Join(dir, "public/keys"), inspect.Options{JSON: true}); err != nil {
			b.Fatal(err)
		}
	}
}
