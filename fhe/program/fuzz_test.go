package program

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"testing"
)

// fuzzReader feeds read with mutations of a golden. What is accepted must be written as the same bytes; what is refused
// must be refused with a typed error.
func fuzzReader(f *testing.F, seed string, read func(r io.Reader, limit int64) ([]byte, error)) {
	b, err := os.ReadFile(filepath.Join("testdata", seed))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add(b[:len(b)/2])
	f.Add(append(bytes.Clone(b), 0))
	f.Fuzz(func(t *testing.T, b []byte) {
		out, err := read(bytes.NewReader(b), 1<<16)
		if err != nil {
			if !typed(err) {
				t.Fatalf("error %v (%T)", err, err)
			}
			return
		}
		if !bytes.Equal(out, b) {
			t.Fatal("accepted, and written in another form")
		}
	})
}

func FuzzReadProgram(f *testing.F) {
	fuzzReader(f, "program-v1.bin", func(r io.Reader, limit int64) ([]byte, error) {
		p, err := ReadProgram(r, testParams(), limit)
		if err != nil {
			return nil, err
		}
		// What engines ask of every program must not panic on one from outside.
		p.Keys()
		p.LastUses()
		p.KeysBytes()
		if err := p.Dump(io.Discard); err != nil {
			return nil, err
		}
		var b bytes.Buffer
		_, err = p.WriteTo(&b)
		return b.Bytes(), err
	})
}

func FuzzReadConstants(f *testing.F) {
	fuzzReader(f, "constants-v1.bin", func(r io.Reader, limit int64) ([]byte, error) {
		s, err := ReadConstants(r, limit)
		if err != nil {
			return nil, err
		}
		var b bytes.Buffer
		_, err = s.WriteTo(&b)
		return b.Bytes(), err
	})
}
