package zk_test

import (
	"bytes"
	"encoding"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/signet-ml/signet/zk"
	"github.com/signet-ml/signet/zk/nn"
)

// A vector is one case of testdata/v1/vectors.json, which is for verifiers of any make: docs/reference/proofs.md says
// what its fields mean.
type vector struct {
	Name     string
	Forms    []string // folders of testdata/v1
	Changes  []edit
	Expected string
	Reason   string
}

// An edit is one change of a folder's files, or of what the verifier expects.
type edit struct {
	File       string
	Old, New   string
	At         int
	Xor, Put   string
	Append     string
	Cut        int
	From       string
	Absent     bool
	Registrant *zk.Word
}

// evidence is what a verifier of a vector gets.
type evidence struct {
	files      map[string][]byte
	registrant zk.Word
}

// stored returns the files of a folder of testdata/v1.
func stored(t *testing.T, form string) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	entries, err := os.ReadDir(filepath.Join("testdata", "v1", form))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if files[e.Name()], err = os.ReadFile(filepath.Join("testdata", "v1", form, e.Name())); err != nil {
			t.Fatal(err)
		}
	}
	return files
}

// apply makes a change, and fails if it changes nothing.
func (e *edit) apply(t *testing.T, to *evidence) {
	t.Helper()
	if e.Registrant != nil {
		to.registrant = *e.Registrant
		return
	}
	was, ok := to.files[e.File]
	if !ok {
		t.Fatalf("there is no file %q", e.File)
	}
	bin := func(text string) []byte {
		b, err := hex.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	b := bytes.Clone(was)
	at := e.At
	if at < 0 {
		at += len(b)
	}
	switch {
	case e.Old != "":
		b = bytes.Replace(b, []byte(e.Old), []byte(e.New), 1)
	case e.Xor != "":
		for i, x := range bin(e.Xor) {
			b[at+i] ^= x
		}
	case e.Put != "":
		x := bin(e.Put)
		copy(b[at:at+len(x)], x)
	case e.Append != "":
		b = append(b, bin(e.Append)...)
	case e.Cut > 0:
		b = b[:len(b)-e.Cut]
	case e.From != "":
		b = stored(t, e.From)[e.File]
	case e.Absent:
		delete(to.files, e.File)
		return
	}
	if bytes.Equal(b, was) {
		t.Fatalf("nothing of %s changes", e.File)
	}
	to.files[e.File] = b
}

// judge verifies evidence and returns the check that refuses it, "" if none does.
func judge(e evidence) (reason string, err error) {
	read := func(name string) *bytes.Reader { return bytes.NewReader(e.files[name]) }
	vk, err := zk.ReadVerifyingKey(read("vk.bin"), 1<<16)
	if err != nil {
		return "format", err
	}
	st, err := zk.ReadStatement(read("statement.json"), 1<<16)
	if err != nil {
		return "format", err
	}
	pf, err := zk.ReadProof(read("proof.bin"))
	if err != nil {
		return "format", err
	}
	var opts []zk.VerifyOption
	if _, ok := e.files["registration.bin"]; ok {
		regKey, err := zk.ReadVerifyingKey(read("registration-vk.bin"), 1<<16)
		if err != nil {
			return "format", err
		}
		reg, err := zk.ReadRegistration(read("registration.bin"))
		if err != nil {
			return "format", err
		}
		opts = append(opts, zk.WithRegistration(regKey, reg, e.registrant))
	}
	err = zk.Verify(vk, st, pf, opts...)
	switch {
	case err == nil:
		return "", nil
	case errors.Is(err, zk.ErrStatement):
		return "statement", err
	case errors.Is(err, zk.ErrRegistration):
		return "registration", err
	case !errors.Is(err, zk.ErrProof):
		return "an error of no kind", err
	case strings.Contains(err.Error(), ": circuit: "):
		return "circuit", err
	case strings.Contains(err.Error(), ": opening: "):
		return "opening", err
	}
	return "envelope", err
}

// TestVectors verifies the stored proofs with all changes that other verifiers are tested with.
//
// Soundness: S22.
func TestVectors(t *testing.T) {
	b, err := os.ReadFile(filepath.Join("testdata", "v1", "vectors.json"))
	if err != nil {
		t.Fatal(err)
	}
	var vectors []vector
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&vectors); err != nil {
		t.Fatal(err)
	}
	reasons := map[string]int{}
	for _, v := range vectors {
		if (v.Expected == "accept") != (v.Reason == "") || v.Expected != "accept" && v.Expected != "reject" || len(v.Forms) == 0 {
			t.Errorf("%s: expected %q, reason %q, forms %q", v.Name, v.Expected, v.Reason, v.Forms)
		}
		for _, form := range v.Forms {
			t.Run(fmt.Sprintf("%s/form=%s", v.Name, form), func(t *testing.T) {
				e := evidence{stored(t, form), registrant}
				for _, c := range v.Changes {
					c.apply(t, &e)
				}
				got, err := judge(e)
				if got != v.Reason {
					t.Errorf("refused for %q, want %q: %v", got, v.Reason, err)
				}
				reasons[got]++
			})
		}
	}
	for _, r := range []string{"", "format", "statement", "registration", "envelope", "circuit", "opening"} {
		if reasons[r] == 0 {
			t.Errorf("no vector is refused for %q", r)
		}
	}
}

// constant returns a network of constant weights on two samples of numbers so wide that their digest takes Poseidon2 of
// width 16, and a trace.
func constant(t *testing.T) (*nn.Circuit, [][]int64) {
	t.Helper()
	const samples, inputs, classes, limit = 2, 18, 3, 1 << 31
	w, b := make([]int64, inputs*classes), []int64{5, -5, 0}
	for i := range w {
		w[i] = int64(i*i%19) - 9
	}
	c, err := nn.New(nn.Graph{Batch: samples, InputLen: inputs, Input: nn.Interval{Lo: -limit, Hi: limit}, Hidden: true, Ops: []nn.Op{
		nn.Dense{In: inputs, Out: classes, W: w, B: b}, nn.Argmax{},
	}})
	if err != nil {
		t.Fatal(err)
	}
	x := make([]int64, samples*inputs)
	for i := range x {
		x[i] = int64(i*i*i)%9973 - 4000
	}
	x[0], x[1] = -limit, limit
	trace := [][]int64{x, nil, nil}
	for s := range samples {
		scores := dense(w, b, x[s*inputs:][:inputs])
		trace[1] = append(trace[1], scores...)
		trace[2] = append(trace[2], int64(slices.Index(scores, slices.Max(scores))))
	}
	return c, trace
}

// TestStoredPublic makes, with -update, the stored proof whose weights are constants and whose input and outputs are
// public. TestVectors verifies it. The circuit of today must be the one it was made for.
func TestStoredPublic(t *testing.T) {
	dir := filepath.Join("testdata", "v1", "public")
	c, trace := constant(t)
	if *update {
		k, err := zk.Setup(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		res, err := zk.Prove(t.Context(), k, zk.Witness{Trace: trace, Input: zk.Public, Output: zk.Public})
		if err != nil {
			t.Fatal(err)
		}
		store(t, dir, res.Statement, map[string]encoding.BinaryMarshaler{"vk.bin": k.VerifyingKey(), "proof.bin": res.Proof})
	}
	files := stored(t, "public")
	vk, err := zk.ReadVerifyingKey(bytes.NewReader(files["vk.bin"]), 1<<16)
	if err != nil {
		t.Fatal(err)
	}
	st, err := zk.ReadStatement(bytes.NewReader(files["statement.json"]), 1<<16)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := fmt.Sprint(vk.Spec()), fmt.Sprint(c.Spec()); got != want {
		t.Errorf("the stored key is for %s, want %s", got, want)
	}
	if !slices.Equal(st.Input.Values, trace[0]) || !slices.Equal(st.Output.Values, trace[2]) {
		t.Error("the stored statement is about another run")
	}
}
