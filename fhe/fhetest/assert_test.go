package fhetest

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/signet-ml/signet/fhe"
)

// recorder is a testing.TB that keeps the message of Fatalf.
type recorder struct {
	testing.TB
	failed string
}

func (r *recorder) Helper()                   {}
func (r *recorder) Fatal(a ...any)            { r.failed = fmt.Sprint(a...) }
func (r *recorder) Fatalf(f string, a ...any) { r.failed = fmt.Sprintf(f, a...) }

func TestPrecision(t *testing.T) {
	for _, c := range []struct{ got, want, bits, mean float64 }{
		{1, 1, math.Inf(1), math.Inf(1)}, {1, 1.25, 2, 3}, {1, 3, -1, 0}, {math.NaN(), 1, math.Inf(-1), math.Inf(-1)},
		{math.Inf(1), 1, math.Inf(-1), math.Inf(-1)},
	} {
		if b := Precision([]float64{0, c.got}, []float64{0, c.want}); b != c.bits {
			t.Errorf("Precision of %v and %v = %v, want %v", c.got, c.want, b, c.bits)
		}
		if b := MeanPrecision([]float64{0, c.got}, []float64{0, c.want}); b != c.mean {
			t.Errorf("MeanPrecision of %v and %v = %v, want %v", c.got, c.want, b, c.mean)
		}
	}
	if b := Precision([]complex128{3}, []complex128{3 + 0.5i}); b != 1 {
		t.Errorf("Precision = %v, want 1", b)
	}
	if b := Precision([]float64{1}, nil); b != math.Inf(-1) {
		t.Errorf("Precision of unequal lengths = %v", b)
	}
}

func TestAsserts(t *testing.T) {
	params := InsecureToyParams(t, Toys[3])
	bundle := func(edit func(ct *fhe.Ciphertext)) *fhe.Bundle {
		ct, err := RandomCiphertext(NewRand(1), params, 1, 2, 3, params.DefaultScale())
		if err != nil {
			t.Fatal(err)
		}
		edit(ct)
		b := fhe.NewBundle(params, key, fhe.Digest{})
		if err := b.Add("p", ct); err != nil {
			t.Fatal(err)
		}
		return b
	}
	same := func(*fhe.Ciphertext) {}
	other := func(ct *fhe.Ciphertext) { ct.Limb(1, 2)[5] = (ct.Limb(1, 2)[5] + 1) % params.Prime(2) }
	for _, c := range []struct {
		name string
		run  func(tb testing.TB)
		says string // empty: passes
	}{
		{"close", func(tb testing.TB) { AssertClose(tb, []float64{1, 2}, []float64{1, 2 + 0x1p-20}, 20) }, ""},
		{"not close", func(tb testing.TB) { AssertClose(tb, []float64{1, 2}, []float64{1, 2 + 0x1p-19}, 20) }, "19.0 bits of precision, want 20.0; worst is value 1"},
		{"NaN", func(tb testing.TB) { AssertClose(tb, []float64{1, math.NaN()}, []float64{1, 2}, 20) }, "worst is value 1"},
		{"lengths", func(tb testing.TB) { AssertClose(tb, []float64{1}, []float64{1, 2}, 20) }, "got 1 values, want 2"},
		{"digest", func(tb testing.TB) { AssertDigest(tb, fhe.Digest{1}, fhe.Digest{1}) }, ""},
		{"other digest", func(tb testing.TB) { AssertDigest(tb, fhe.Digest{1}, fhe.Digest{2}) }, "want 02"},
		{"bundle", func(tb testing.TB) { AssertBundle(tb, bundle(same), bundle(same)) }, ""},
		{"other bundle", func(tb testing.TB) { AssertBundle(tb, bundle(other), bundle(same)) }, "part 1, limb 2 (prime"},
		{"no bundle", func(tb testing.TB) { AssertBundle(tb, nil, bundle(same)) }, "nil"},
	} {
		r := &recorder{}
		c.run(r)
		if (c.says == "") != (r.failed == "") || !strings.Contains(r.failed, c.says) {
			t.Errorf("%s: says %q, want %q", c.name, r.failed, c.says)
		}
	}
}

func ExamplePrecision() {
	got := []float64{0.5, 1.0625}
	want := []float64{0.5, 1}
	fmt.Printf("%.1f bits\n", Precision(got, want))
	// Output: 4.0 bits
}
