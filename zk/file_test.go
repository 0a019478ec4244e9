package zk_test

import (
	"bytes"
	"encoding"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/signet-ml/signet/zk"
	"github.com/signet-ml/signet/zk/commit"
)

// prediction returns a proof by a registry's model, with its statement, which says or does not say that the weights are
// range-proved.
func (r *registry) prediction(t *testing.T, ranges bool) *zk.Result {
	t.Helper()
	w, bias := modest(r.layout)
	x := []int64{100, -127, 3, 0, 64}
	hidden := dense(w[0], bias[0], x)
	active := make([]int64, len(hidden))
	for i, v := range hidden {
		active[i] = min(max((v+32)>>6, 0), 127)
	}
	scores := dense(w[1], bias[1], active)
	class := int64(0)
	if scores[1] > scores[0] {
		class = 1
	}
	res, err := zk.Prove(t.Context(), r.keys, zk.Witness{
		Trace: [][]int64{x, hidden, active, scores, {class}}, Input: zk.Committed, Output: zk.Public,
		Model: r.model, Opening: r.opening, Budget: &counter{r.model, 9}, RangeProved: ranges,
		Context: zk.Context{Network: zk.Word{31: 1}, Task: zk.Word{31: 2}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return res
}

// TestStoredForm verifies proofs that were made when the formats were fixed, of both forms, from their bytes. Keys and
// proofs are random, so -update makes others; do that only with a new version byte, and keep the old files.
func TestStoredForm(t *testing.T) {
	registries(t, func(t *testing.T, r *registry) {
		dir := filepath.Join("testdata", "v1", r.model.Form.String())
		if *update {
			st, files := r.artefacts(t)
			store(t, dir, st, files)
		}
		read := func(name string) *bytes.Reader {
			b, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil {
				t.Fatal(err)
			}
			return bytes.NewReader(b)
		}
		vk, err := zk.ReadVerifyingKey(read("vk.bin"), 1<<16)
		if err != nil {
			t.Fatal(err)
		}
		st, err := zk.ReadStatement(read("statement.json"), 1<<16)
		if err != nil {
			t.Fatal(err)
		}
		pf, err := zk.ReadProof(read("proof.bin"))
		if err != nil {
			t.Fatal(err)
		}
		regKey, err := zk.ReadVerifyingKey(read("registration-vk.bin"), 1<<16)
		if err != nil {
			t.Fatal(err)
		}
		reg, err := zk.ReadRegistration(read("registration.bin"))
		if err != nil {
			t.Fatal(err)
		}
		if err := zk.Verify(vk, st, pf, zk.WithRegistration(regKey, reg, registrant)); err != nil {
			t.Error(err)
		}
		// What is written is what was read.
		for name, x := range map[string]interface{ MarshalBinary() ([]byte, error) }{
			"vk.bin": vk, "proof.bin": pf, "registration-vk.bin": regKey, "registration.bin": reg,
		} {
			got, err := x.MarshalBinary()
			if err != nil {
				t.Fatal(err)
			}
			want, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("%s: written otherwise than read", name)
			}
		}
	})
}

// artefacts are what a registry's prediction leaves behind, by file.
func (r *registry) artefacts(t *testing.T) (*zk.Statement, map[string]encoding.BinaryMarshaler) {
	res := r.prediction(t, true)
	return res.Statement, map[string]encoding.BinaryMarshaler{
		"vk.bin": r.keys.VerifyingKey(), "proof.bin": res.Proof, "registration-vk.bin": r.reg.VerifyingKey(), "registration.bin": r.proof,
	}
}

func store(t *testing.T, dir string, st *zk.Statement, artefacts map[string]encoding.BinaryMarshaler) {
	t.Helper()
	statement, err := json.MarshalIndent(st, "", "\t")
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{"statement.json": append(statement, '\n')}
	for name, x := range artefacts {
		if files[name], err = x.MarshalBinary(); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, b := range files {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// golden returns a stored artefact of both forms.
func golden(tb testing.TB, name string) [][]byte {
	tb.Helper()
	var out [][]byte
	for _, form := range []commit.Form{commit.Rows, commit.Compact} {
		b, err := os.ReadFile(filepath.Join("testdata", "v1", form.String(), name))
		if err != nil {
			tb.Fatal(err)
		}
		out = append(out, b)
	}
	return out
}

// TestDecodersRefuse cuts and changes every artefact everywhere.
//
// Soundness: S22.
func TestDecodersRefuse(t *testing.T) {
	for name, decode := range map[string]func([]byte) error{
		"vk.bin":    func(b []byte) error { _, err := zk.ReadVerifyingKey(bytes.NewReader(b), 1<<16); return err },
		"proof.bin": func(b []byte) error { _, err := zk.ReadProof(bytes.NewReader(b)); return err },
	} {
		for _, good := range golden(t, name) {
			var format *zk.FormatError
			step := 1
			if testing.Short() {
				step = 3 // of 32-byte words: every position in a word comes up
			}
			for n := 0; n < len(good); n += step {
				if err := decode(good[:n]); !errors.As(err, &format) {
					t.Fatalf("%s: cut to %d bytes: %v", name, n, err)
				}
			}
			if err := decode(append(bytes.Clone(good), 0)); !errors.As(err, &format) {
				t.Errorf("%s: a byte added: %v", name, err)
			}
			for i := 0; i < len(good); i += step {
				b := bytes.Clone(good)
				b[i] ^= 0x41
				if err := decode(b); err != nil && !errors.As(err, &format) {
					t.Fatalf("%s: byte %d changed: %v is no FormatError", name, i, err)
				}
			}
		}
	}
	vk := golden(t, "vk.bin")[0]
	if _, err := zk.ReadVerifyingKey(bytes.NewReader(vk), int64(len(vk))-1); err == nil {
		t.Error("a key longer than the limit was read")
	}
}

// TestReadStatementRefuses gives the statement decoder what is not a statement.
//
// Soundness: S22.
func TestReadStatementRefuses(t *testing.T) {
	good := string(golden(t, "statement.json")[0])
	if _, err := zk.ReadStatement(strings.NewReader(good), int64(len(good))); err != nil {
		t.Fatal(err)
	}
	replace := func(old, new string) string {
		if !strings.Contains(good, old) {
			t.Fatalf("the statement has no %q", old)
		}
		return strings.Replace(good, old, new, 1)
	}
	for name, text := range map[string]string{
		"empty":                 "",
		"null values":           `{"kind":null}{}`,
		"two of them":           good + good,
		"text after it":         good + "x",
		"an array":              "[" + good + "]",
		"another kind":          replace(`"inference"`, `"training"`),
		"an unknown field":      replace(`"kind"`, `"proved": true, "kind"`),
		"a short word":          replace(`"verifyingKey": "`, `"verifyingKey": "00`),
		"a word that is no hex": replace(`"verifyingKey": "`, `"verifyingKey": "zz`),
		"a fraction":            replace(`"values": [`, `"values": [0.5,`),
		"a large number":        replace(`"values": [`, `"values": [9223372036854775808,`),
		"no visibility":         replace(`"public"`, `"secret"`),
		"a point off the curve": replace(`"points": [`, `"points": ["0000000000000000000000000000000000000000000000000000000000000001",`),
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := zk.ReadStatement(strings.NewReader(text), 1<<20); err == nil {
				t.Error("it was read")
			}
		})
	}
	if _, err := zk.ReadStatement(strings.NewReader(good), int64(len(good))-1); err == nil {
		t.Error("a statement longer than the limit was read")
	}
}

// TestHostileCounts reads a key whose lengths promise gigabytes.
//
// Soundness: S22.
func TestHostileCounts(t *testing.T) {
	vk := golden(t, "vk.bin")[0]
	for at := 39; at < 43; at++ { // the first length
		b := bytes.Clone(vk)
		b[at] = 0xff
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := zk.ReadVerifyingKey(bytes.NewReader(b), 1<<16)
		runtime.ReadMemStats(&after)
		if err == nil {
			t.Errorf("read with byte %d at its largest", at)
		}
		if n := after.TotalAlloc - before.TotalAlloc; n > 1<<20 {
			t.Errorf("%d bytes allocated", n)
		}
	}
}

// FuzzReadProof reads whatever it is given.
//
// Soundness: S22.
func FuzzReadProof(f *testing.F) {
	for _, b := range golden(f, "proof.bin") {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		pf, err := zk.ReadProof(bytes.NewReader(b))
		if err != nil {
			return
		}
		if again, err := pf.MarshalBinary(); err != nil || !bytes.Equal(again, b) {
			t.Errorf("written otherwise than read: %v", err)
		}
	})
}

// FuzzReadVerifyingKey reads whatever it is given.
//
// Soundness: S22.
func FuzzReadVerifyingKey(f *testing.F) {
	for _, b := range golden(f, "vk.bin") {
		f.Add(b)
	}
	for _, b := range golden(f, "registration-vk.bin") {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		vk, err := zk.ReadVerifyingKey(bytes.NewReader(b), 1<<16)
		if err != nil {
			return
		}
		if again, err := vk.MarshalBinary(); err != nil || !bytes.Equal(again, b) {
			t.Errorf("written otherwise than read: %v", err)
		}
	})
}

// FuzzVerify reads statements and verifies a fixed proof of them: nothing but the statement it was made for may pass.
//
// Soundness: S22, P23.
func FuzzVerify(f *testing.F) {
	statement := golden(f, "statement.json")[0]
	f.Add(statement)
	vk, err := zk.ReadVerifyingKey(bytes.NewReader(golden(f, "vk.bin")[0]), 1<<16)
	if err != nil {
		f.Fatal(err)
	}
	pf, err := zk.ReadProof(bytes.NewReader(golden(f, "proof.bin")[0]))
	if err != nil {
		f.Fatal(err)
	}
	regKey, err := zk.ReadVerifyingKey(bytes.NewReader(golden(f, "registration-vk.bin")[0]), 1<<16)
	if err != nil {
		f.Fatal(err)
	}
	reg, err := zk.ReadRegistration(bytes.NewReader(golden(f, "registration.bin")[0]))
	if err != nil {
		f.Fatal(err)
	}
	want, err := zk.ReadStatement(bytes.NewReader(statement), 1<<16)
	if err != nil {
		f.Fatal(err)
	}
	canonical, err := json.Marshal(want)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		st, err := zk.ReadStatement(bytes.NewReader(b), 1<<16)
		if err != nil {
			return
		}
		if zk.Verify(vk, st, pf, zk.WithRegistration(regKey, reg, registrant)) != nil {
			return
		}
		st.RangeProved = want.RangeProved // a weaker claim is true as well
		if st.Input.Visibility == zk.Hashed {
			st.Input.Visibility = zk.Committed // how a digest was made is for who checks it against a value
		}
		if got, err := json.Marshal(st); err != nil || !bytes.Equal(got, canonical) {
			t.Errorf("another statement verifies: %s", got)
		}
	})
}
