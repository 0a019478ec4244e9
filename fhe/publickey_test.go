package fhe

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/signet-ml/signet/fhe/internal/lattice"
	"github.com/signet-ml/signet/fhe/internal/wire"
)

func testPublicKey(t testing.TB, p Parameters) *PublicKey {
	t.Helper()
	b := make([][]uint64, p.MaxLevel()+1+p.PCount())
	next := stream(11)
	for i := range b {
		b[i] = make([]uint64, p.N())
		fill(b[i], p.rowPrime(p.MaxLevel(), i), next)
	}
	k, err := newPublicKey(p, KeyID{1, 2, 3}, b, p.p.rings.ExpandPublicKey(lattice.Seed{0xef}))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestPublicKeyWire(t *testing.T) {
	p := toy(t, 5)
	k := testPublicKey(t, p)
	b := encoded(t, k)
	if int64(len(b)) != k.Bytes() || k.Bytes() != PublicKeyBytes(p) {
		t.Errorf("%d bytes, Bytes says %d", len(b), k.Bytes())
	}
	golden(t, "publickey-v1.bin", b)
	read := func(r io.Reader, limit int64) ([]byte, error) {
		k, err := ReadPublicKey(r, p, limit)
		if err != nil {
			return nil, err
		}
		return encoded(t, k), nil
	}
	checkReader(t, b, read)
	back, err := ReadPublicKey(bytes.NewReader(b), p, int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	if back.Digest() != k.Digest() || back.Key() != k.Key() || back.Seed() != k.Seed() || !back.Parameters().Equal(p) || back.Rows() != 4 {
		t.Errorf("another key: %+v", back)
	}
	var m *MismatchError
	if _, err := ReadPublicKey(bytes.NewReader(b), toy(t, 6), 1<<20); !errors.As(err, &m) || m.What != "parameters" {
		t.Errorf("other parameters: %v", err)
	}
	bad := bytes.Clone(b)
	w := wire.Width(p.P()[0])
	setWord(bad[len(bad)-4*w:], w, 31, p.P()[0])
	var f *FormatError
	if _, err := ReadPublicKey(bytes.NewReader(bad), p, 1<<20); !errors.As(err, &f) || !strings.Contains(err.Error(), "row 3: word 31") {
		t.Errorf("word of P: %v", err)
	}
	// What is promised and not delivered is not allocated.
	large := toy(t, 13)
	b = encoded(t, testPublicKey(t, large))
	for n := 85; n < len(b); n += len(b) / 19 {
		if got := allocated(func() { ReadPublicKey(bytes.NewReader(b[:n]), large, 1<<30) }); got > uint64(32<<10+8*n) {
			t.Errorf("%d bytes of input allocate %d", n, got)
		}
	}
}

func TestNewPublicKey(t *testing.T) {
	p := toy(t, 5)
	k := testPublicKey(t, p)
	a := p.p.rings.ExpandPublicKey(lattice.Seed{})
	for name, b := range map[string][][]uint64{"no rows": nil, "rows": k.limbs[0][:3], "words": {k.limbs[0][0], k.limbs[0][1], k.limbs[0][2], k.limbs[0][3][1:]},
		"range": {k.limbs[0][0], k.limbs[0][1], k.limbs[0][2], append([]uint64{p.P()[0]}, k.limbs[0][3][1:]...)}} {
		if _, err := newPublicKey(p, KeyID{}, b, a); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if _, err := newPublicKey(p, KeyID{}, k.limbs[0], p.p.rings.ExpandCiphertext(lattice.Seed{}, 1)); err == nil {
		t.Error("an expansion of other rows was accepted")
	}
	if _, err := newPublicKey(Parameters{}, KeyID{}, nil, a); err == nil {
		t.Error("no parameters")
	}
}

func FuzzReadPublicKey(f *testing.F) {
	p := toy(f, 5)
	fuzzReader(f, []string{"publickey-v1.bin"}, func(r io.Reader, limit int64) (io.WriterTo, error) { return ReadPublicKey(r, p, limit) })
}
