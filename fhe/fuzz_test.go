package fhe

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
)

// fuzzReader feeds read with mutations of goldens. What is accepted must be written as the same bytes, those of version
// 1 by v1; what is refused must be refused with a typed error.
func fuzzReader(f *testing.F, seeds []string, read func(r io.Reader, limit int64) (io.WriterTo, error)) {
	for _, name := range seeds {
		b, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
		f.Add(b[:len(b)/2])
		f.Add(append(bytes.Clone(b), 0))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		v, err := read(bytes.NewReader(b), 1<<16)
		if err != nil {
			var format *FormatError
			var mismatch *MismatchError
			var security *SecurityError
			if !errors.As(err, &format) && !errors.As(err, &mismatch) && !errors.As(err, &security) {
				t.Fatalf("error %v (%T)", err, err)
			}
			return
		}
		again := encoded(t, v)
		if b[4] != again[4] {
			again = v1(v)
		}
		if !bytes.Equal(again, b) {
			t.Fatal("accepted, and written in another form")
		}
	})
}

func FuzzReadParameters(f *testing.F) {
	fuzzReader(f, []string{"parameters-v1.bin"}, func(r io.Reader, limit int64) (io.WriterTo, error) { return ReadParameters(r, limit) })
}

func FuzzReadCiphertext(f *testing.F) {
	p := toy(f, 5)
	fuzzReader(f, []string{"ciphertext-v1.bin", "ciphertext-v2.bin", "ciphertext-seeded-v2.bin"}, func(r io.Reader, limit int64) (io.WriterTo, error) { return ReadCiphertext(r, p, limit) })
}

func FuzzReadBundle(f *testing.F) {
	p := toy(f, 5)
	fuzzReader(f, []string{"bundle-v1.bin", "bundle-v2.bin"}, func(r io.Reader, limit int64) (io.WriterTo, error) { return ReadBundle(r, p, limit) })
}

func FuzzReadEvaluationKeys(f *testing.F) {
	p := toy(f, 5)
	fuzzReader(f, []string{"keys-v1.bin", "keys-v2.bin"}, func(r io.Reader, limit int64) (io.WriterTo, error) { return ReadEvaluationKeys(r, p, limit) })
}
