package commit

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"reflect"
	"testing"
	"testing/cryptotest"
)

func TestOpeningFile(t *testing.T) {
	forms(t, func(t *testing.T, form Form) {
		cryptotest.SetGlobalRandom(t, 1)
		srs := known(form, toy, 5, 7)
		c, o, err := Commit(t.Context(), srs, form, randomMatrix(t, toy, 1))
		if err != nil {
			t.Fatal(err)
		}
		b := encoded(t, o)
		sum := sha256.Sum256(b)
		golden(t, "opening-"+form.String()+".sha256", append(hexLine(sum[:]), '\n'))
		again, err := ReadOpening(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(again, o) {
			t.Error("the decoded opening differs")
		}
		if again.Form() != form || !reflect.DeepEqual(again.Layout(), toy) {
			t.Errorf("form %v, layout %v", again.Form(), again.Layout())
		}
		r := registered{srs: srs, c: c, o: again}
		tr, p := r.prove(t, 1)
		if err := VerifyOpening(srs.VerifyingKey(), c, tr, p); err != nil {
			t.Error(err)
		}
		if _, err := ReadOpening(bytes.NewReader(b), int64(len(b))-1); err == nil {
			t.Error("read past the limit")
		}
	})
}

func TestOpeningFileRefuses(t *testing.T) {
	small := Layout{Blocks: []Block{{Name: "a", Rows: 3, Columns: 1, Weight: Range{-5, 5}, Bias: Range{0, 9}}}, Blinds: 2, Accumulators: 1}
	b := encoded(t, register(t, Compact, small, 1).o)
	weights := len(openingMagic) + 2 + len(small.encode())
	var format *FormatError
	for i := range b {
		bad := bytes.Clone(b)
		bad[i] ^= 0x80
		if _, err := ReadOpening(bytes.NewReader(bad), 1<<20); !errors.As(err, &format) {
			t.Errorf("byte %d changed: %v", i, err)
		}
		if _, err := ReadOpening(bytes.NewReader(b[:i]), 1<<20); !errors.As(err, &format) {
			t.Errorf("%d bytes: %v", i, err)
		}
		if _, err := ReadOpening(bytes.NewReader(reseal(b[:i])), 1<<20); !errors.As(err, &format) {
			t.Errorf("%d bytes, checksum corrected: %v", i, err)
		}
	}
	for name, spoil := range map[string]func(b []byte) []byte{
		"magic":          func(b []byte) []byte { b[0] = 'X'; return b },
		"version":        func(b []byte) []byte { b[4] = 2; return b },
		"form":           func(b []byte) []byte { b[5] = 9; return b },
		"the other form": func(b []byte) []byte { b[5] = byte(Rows); return b },
		"no blinds":      func(b []byte) []byte { copy(b[6:], []byte{0, 0, 0, 0}); return b },
		"huge blinds":    func(b []byte) []byte { copy(b[6:], []byte{0xff, 0xff, 0xff, 0xff}); return b },
		"many blocks":    func(b []byte) []byte { copy(b[14:], []byte{0xff, 0xff, 0xff, 0xff}); return b },
		"weight":         func(b []byte) []byte { b[weights] = 6; return b },
		"bias":           func(b []byte) []byte { b[weights+3] = 1; return b },
		"blind":          func(b []byte) []byte { b[weights+3+3*8] = 0xff; return b },
		"point":          func(b []byte) []byte { b[len(b)-sha256.Size-1] ^= 1; return b },
		"zero point": func(b []byte) []byte {
			clear(b[len(b)-sha256.Size-sizeRaw : len(b)-sha256.Size])
			return b
		},
		"a byte more": func(b []byte) []byte { return append(b, 0) },
	} {
		if _, err := ReadOpening(bytes.NewReader(reseal(spoil(bytes.Clone(b)))), 1<<20); !errors.As(err, &format) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// A layout of 2^24 rows and few bytes allocates nothing for them.
	huge := bytes.Clone(b)
	binary.BigEndian.PutUint32(huge[6+12+3:], maxSide)
	if n := allocated(func() {
		if _, err := ReadOpening(bytes.NewReader(reseal(huge)), 1<<20); !errors.As(err, &format) {
			t.Errorf("huge counts: %v", err)
		}
	}); n > 1<<16 {
		t.Errorf("%d bytes allocated for huge counts", n)
	}
}

func FuzzReadOpening(f *testing.F) {
	small := Layout{Blocks: []Block{{Name: "a", Rows: 2, Columns: 2, Weight: Range{-5, 5}}, {Rows: 1, Columns: 1, Weight: Range{0, 1000}, Bias: Range{0, 9}}}, Blinds: 2, Accumulators: 1}
	for _, form := range []Form{Rows, Compact} {
		b := encoded(f, register(f, form, small, 1).o)
		f.Add(b[:len(b)-sha256.Size])
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		b := reseal(append(content, make([]byte, sha256.Size)...))
		o, err := ReadOpening(bytes.NewReader(b), 1<<16)
		if err != nil {
			var format *FormatError
			if !errors.As(err, &format) {
				t.Fatalf("error %v (%T)", err, err)
			}
			return
		}
		if !bytes.Equal(encoded(t, o), b) {
			t.Fatal("accepted, and written in another form")
		}
	})
}
