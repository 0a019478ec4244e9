package fhe_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/fhetest"
	"github.com/signet-ml/signet/fhe/program"
)

// keysFile returns a set of toy keys of several levels and its wire form.
func keysFile(t *testing.T) (*fhe.EvaluationKeys, []byte) {
	t.Helper()
	p := fhetest.InsecureToyParamsNamed(t, "digits of one")
	need := []program.KeyRequirement{{Level: p.MaxLevel()}}
	for k := 1; k <= 3; k++ {
		need = append(need, program.KeyRequirement{GaloisElement: p.GaloisElement(k), Level: k % (p.MaxLevel() + 1)})
	}
	keys := fhetest.InsecureToyKeys(t, p, need).EvaluationKeys
	var b bytes.Buffer
	if _, err := keys.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	return keys, b.Bytes()
}

func TestOpenEvaluationKeys(t *testing.T) {
	want, wire := keysFile(t)
	file := filepath.Join(t.TempDir(), "keys")
	if err := os.WriteFile(file, wire, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, memory := range []int64{0, 1 << 17, 1 << 40} {
		got, err := fhe.OpenEvaluationKeys(f, int64(len(wire)), want.Parameters(), memory)
		if err != nil {
			t.Fatal(err)
		}
		if got.Key() != want.Key() || got.Bytes() != int64(len(wire)) {
			t.Errorf("key %v, %d bytes", got.Key(), got.Bytes())
		}
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for _, g := range got.Elements() {
					k, err := got.Load(g)
					if err != nil || k.Digest() != want.Get(g).Digest() || got.Level(g) != k.Level() {
						t.Errorf("memory %d, element %d: %v", memory, g, err)
					}
				}
			})
		}
		wg.Wait()
		// Keys that fit are the same object again; without memory only the last one is.
		first := got.Elements()[0]
		a, b := got.Get(first), got.Get(first)
		if a != b {
			t.Errorf("memory %d: the key that was just used was read again", memory)
		}
		got.Get(got.Elements()[1])
		if kept := got.Get(first) == a; kept != (memory == 1<<40) && memory != 1<<17 {
			t.Errorf("memory %d: the first key was kept: %v", memory, kept)
		}
		if got.Digest() != want.Digest() {
			t.Errorf("memory %d: another digest", memory)
		}
		var again bytes.Buffer
		if _, err := got.WriteTo(&again); err != nil || !bytes.Equal(again.Bytes(), wire) {
			t.Errorf("memory %d: written again, the bytes differ: %v", memory, err)
		}
		if got.Get(7) != nil || got.Level(7) != -1 {
			t.Error("a key that is not there")
		}
		var missing *fhe.MissingKeyError
		if _, err := got.Load(7); !errors.As(err, &missing) || missing.GaloisElement != 7 {
			t.Errorf("a key that is not there: %v", err)
		}
		if err := got.Add(want.Get(first)); err == nil {
			t.Error("a key was added to an opened set")
		}
	}
}

func TestOpenEvaluationKeysRefuses(t *testing.T) {
	keys, wire := keysFile(t)
	p := keys.Parameters()
	open := func(b []byte, size int64) error {
		_, err := fhe.OpenEvaluationKeys(bytes.NewReader(b), size, p, 0)
		return err
	}
	var format *fhe.FormatError
	for n := range len(wire) {
		if n > 200 && n%997 != 0 {
			continue
		}
		if err := open(wire[:n], int64(n)); !errors.As(err, &format) {
			t.Fatalf("cut after %d bytes: %v", n, err)
		}
		if err := open(wire[:n], int64(len(wire))); err != nil && !errors.As(err, &format) { // a file shorter than it says
			t.Fatalf("%d bytes of %d: %v", n, len(wire), err)
		}
	}
	if err := open(append(bytes.Clone(wire), 0), int64(len(wire))+1); !errors.As(err, &format) {
		t.Errorf("trailing byte: %v", err)
	}
	var mismatch *fhe.MismatchError
	if _, err := fhe.OpenEvaluationKeys(bytes.NewReader(wire), int64(len(wire)), fhetest.InsecureToyParamsNamed(t, "digits of two"), 0); !errors.As(err, &mismatch) {
		t.Errorf("other parameters: %v", err)
	}
	if _, err := fhe.OpenEvaluationKeys(bytes.NewReader(wire), -1, p, 0); err == nil {
		t.Error("a negative size")
	}
	// A key that is damaged is found when it is used, and not before.
	bad := bytes.Clone(wire)
	for i := range 64 {
		bad[len(bad)-1-i] = 0xff
	}
	got, err := fhe.OpenEvaluationKeys(bytes.NewReader(bad), int64(len(bad)), p, 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	elements := got.Elements()
	if _, err := got.Load(elements[len(elements)-1]); !errors.As(err, &format) {
		t.Errorf("a damaged key: %v", err)
	}
	if _, err := got.Load(elements[0]); err != nil {
		t.Errorf("the key before it: %v", err)
	}
	if !got.Digest().IsZero() {
		t.Error("a set with a damaged key has a digest")
	}
	if _, err := got.WriteTo(&bytes.Buffer{}); !errors.As(err, &format) {
		t.Errorf("a set with a damaged key is written: %v", err)
	}
}
