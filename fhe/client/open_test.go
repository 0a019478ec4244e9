package client

import (
	"errors"
	"math/cmplx"
	"testing"

	"github.com/signet-ml/signet/fhe"
)

// TestOpen decrypts ciphertexts of degree 0 to 2 by their slots: a degree more is a part of zeros more, one less is
// the message in the clear.
func TestOpen(t *testing.T) {
	p := small(t)
	g := generator(t, p)
	sk := g.GenSecretKey()
	d := NewDecryptor(sk)
	port := vector(p, 1, 4, 16)
	x := values(16, 1)
	ct := encrypt(t, sk, port, x).Get("x")[0]
	check := func(what string, ct *fhe.Ciphertext, want []float64) {
		t.Helper()
		z, err := d.Open(ct)
		if err != nil {
			t.Fatal(err)
		}
		if len(z) != 16 {
			t.Fatalf("%s: %d slots", what, len(z))
		}
		for i := range z {
			if e := cmplx.Abs(z[i] - complex(want[i], 0)); e > 20*fresh(4, port.Scale) {
				t.Errorf("%s: slot %d is %v, want %v", what, i, z[i], want[i])
			}
		}
	}
	check("degree 1", ct, x)
	copied := func(degree int) *fhe.Ciphertext {
		out, err := fhe.NewCiphertext(p, degree, 1, 4, port.Scale)
		if err != nil {
			t.Fatal(err)
		}
		for part := range min(degree, 1) + 1 {
			for i := range 2 {
				copy(out.Limb(part, i), ct.Limb(part, i))
			}
		}
		return out
	}
	check("degree 2", copied(2), x)
	check("degree 0", func() *fhe.Ciphertext {
		out, err := fhe.NewCiphertext(p, 0, 1, 4, port.Scale)
		if err != nil {
			t.Fatal(err)
		}
		for i := range 2 {
			for j := range out.Limb(0, i) {
				out.Limb(0, i)[j] = 1 << 20 // the number 2^20/scale, in the NTT domain
			}
		}
		return out
	}(), func() []float64 {
		want := make([]float64, 16)
		for i := range want {
			want[i] = float64(1<<20) / port.Scale.Float64()
		}
		return want
	}())
	if z, err := d.Open(copied(0)); err != nil || cmplx.Abs(z[0]-complex(x[0], 0)) < 1e-3 {
		t.Errorf("part 0 of an encryption is the message: %v, %v", z, err)
	}

	if _, err := d.Open(nil); err == nil {
		t.Error("nil opened")
	}
	other := wide(t)
	foreign, err := fhe.NewCiphertext(other, 1, 1, 4, other.DefaultScale())
	if err != nil {
		t.Fatal(err)
	}
	var mismatch *fhe.MismatchError
	if _, err := d.Open(foreign); !errors.As(err, &mismatch) || mismatch.What != "parameters" {
		t.Errorf("%v", err)
	}
	if z, err := NewDecryptor(g.GenSecretKey()).Open(ct); err != nil || cmplx.Abs(z[0]-complex(x[0], 0)) < 1e-3 {
		t.Errorf("another key: %v, %v", z, err)
	}
}
