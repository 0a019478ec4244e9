package commit

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"testing/cryptotest"

	"github.com/consensys/gnark-crypto/ecc/bn254"
)

// TestGolden pins a registration and a proof under seeded randomness: a change of any digest, of the challenge gamma or
// of an encoding shows here.
func TestGolden(t *testing.T) {
	forms(t, func(t *testing.T, form Form) {
		cryptotest.SetGlobalRandom(t, 1)
		srs := known(form, toy, 5, 7)
		c, o, err := Commit(t.Context(), srs, form, randomMatrix(t, toy, 1))
		if err != nil {
			t.Fatal(err)
		}
		r := registered{srs: srs, c: c, o: o, circuit: [32]byte{1, 2, 3}}
		tr, p := r.prove(t, 1)
		if err := VerifyOpening(srs.VerifyingKey(), c, tr, p); err != nil {
			t.Fatal(err)
		}
		b, err := c.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		j, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		gamma := tr.gamma(form, p)
		var out bytes.Buffer
		fmt.Fprintf(&out, "commitment %x\njson %s\ncd %x\ngamma %x\nproof %x\n", b, j, r.cd(), gamma.Marshal(), p.AppendBinary(nil, form))
		golden(t, "opening-"+form.String()+".txt", out.Bytes())
	})
}

// TestCommitmentBytes encodes, decodes and spoils commitments.
//
// Soundness: S22.
func TestCommitmentBytes(t *testing.T) {
	forms(t, func(t *testing.T, form Form) {
		r := register(t, form, toy, 1)
		b, err := r.c.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		again, err := UnmarshalCommitment(b, toy)
		if err != nil {
			t.Fatal(err)
		}
		if again.Form != form || fmt.Sprint(again.Points) != fmt.Sprint(r.c.Points) {
			t.Error("the decoded commitment differs")
		}
		var format *FormatError
		for n := range b {
			if _, err := UnmarshalCommitment(b[:n], toy); !errors.As(err, &format) {
				t.Errorf("%d bytes: %v", n, err)
			}
		}
		set := func(i int, x byte) []byte {
			bad := bytes.Clone(b)
			bad[i] = x
			return bad
		}
		for name, bad := range map[string][]byte{
			"version":         set(0, 2),
			"form 0":          set(1, 0),
			"the other form":  set(1, byte(3-form)),
			"a byte more":     append(bytes.Clone(b), 0),
			"a point more":    append(bytes.Clone(b), b[2:2+sizeG1]...),
			"a point less":    b[:len(b)-sizeG1],
			"not below prime": append(append(bytes.Clone(b[:2]), bytes.Repeat([]byte{0xff}, sizeG1)...), b[2+sizeG1:]...),
		} {
			if _, err := UnmarshalCommitment(bad, toy); !errors.As(err, &format) {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
	if _, err := (&Commitment{}).MarshalBinary(); err == nil {
		t.Error("a commitment of no form encodes")
	}
}

// TestCommitmentDigest changes everything that cd binds.
//
// Soundness: P7, P8.
func TestCommitmentDigest(t *testing.T) {
	c := &Commitment{Form: Rows, Points: []bn254.G1Affine{g1Generator, {}}}
	one := [32]byte{1}
	base := c.Digest([32]byte{}, [32]byte{}, [32]byte{}, 1)
	for name, d := range map[string][32]byte{
		"form":     (&Commitment{Form: Compact, Points: c.Points}).Digest([32]byte{}, [32]byte{}, [32]byte{}, 1),
		"points":   (&Commitment{Form: Rows, Points: c.Points[:1]}).Digest([32]byte{}, [32]byte{}, [32]byte{}, 1),
		"order":    (&Commitment{Form: Rows, Points: []bn254.G1Affine{{}, g1Generator}}).Digest([32]byte{}, [32]byte{}, [32]byte{}, 1),
		"string":   c.Digest(one, [32]byte{}, [32]byte{}, 1),
		"layout":   c.Digest([32]byte{}, one, [32]byte{}, 1),
		"circuit":  c.Digest([32]byte{}, [32]byte{}, one, 1),
		"version":  c.Digest([32]byte{}, [32]byte{}, [32]byte{}, 2),
		"infinity": (&Commitment{Form: Rows, Points: []bn254.G1Affine{g1Generator}}).Digest([32]byte{}, [32]byte{}, [32]byte{}, 1),
	} {
		if d == base {
			t.Errorf("%s: the same digest", name)
		}
	}
}

func TestCommitRefuses(t *testing.T) {
	m := randomMatrix(t, toy, 1)
	if _, _, err := Commit(t.Context(), known(Rows, toy, 5, 7), Compact, m); err == nil {
		t.Error("a compact commitment under a string of the form rows")
	}
	if _, _, err := Commit(t.Context(), known(Compact, toy, 5, 7), Rows, m); err == nil {
		t.Error("a commitment by rows under a compact string, whose digest is another")
	}
	short := toy
	short.Accumulators, short.Blinds = 1, 2
	if _, _, err := Commit(t.Context(), known(Rows, short, 5, 7), Rows, m); !errors.Is(err, ErrSRS) {
		t.Errorf("a string that is too short: %v", err)
	}
	r := register(t, Rows, toy, 1)
	u, v := r.o.Row(elements(1, 1)[0]), vector(toy, 1)
	if _, err := Open(t.Context(), r.srs, r.o, Transcribe{}, u[1:], v, bn254.G1Affine{}); err == nil {
		t.Error("a row that is too short")
	}
	if _, err := Open(t.Context(), r.srs, r.o, Transcribe{}, u, v[1:], bn254.G1Affine{}); err == nil {
		t.Error("a vector that is too short")
	}
	if _, err := Open(t.Context(), known(Compact, toy, 5, 7), r.o, Transcribe{}, u, v, bn254.G1Affine{}); err == nil {
		t.Error("an opening under a string of the other form")
	}
	if _, err := Open(t.Context(), known(Rows, short, 5, 7), r.o, Transcribe{}, u, v, bn254.G1Affine{}); !errors.Is(err, ErrSRS) {
		t.Errorf("an opening under a string that is too short: %v", err)
	}
}

func FuzzUnmarshalCommitment(f *testing.F) {
	for _, form := range []Form{Rows, Compact} {
		b, err := register(f, form, toy, 1).c.MarshalBinary()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := UnmarshalCommitment(b, toy)
		if err != nil {
			var format *FormatError
			if !errors.As(err, &format) {
				t.Fatalf("error %v (%T)", err, err)
			}
			return
		}
		if again, err := c.MarshalBinary(); err != nil || !bytes.Equal(again, b) {
			t.Fatalf("accepted, and written in another form: %v", err)
		}
	})
}
