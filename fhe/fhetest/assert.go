package fhetest

import (
	"fmt"
	"math"
	"testing"

	"github.com/signet-ml/signet/fhe"
)

// Value is what slots hold.
type Value interface{ float64 | complex128 }

// Precision returns how many bits after the binary point all of got and want share: -log2 of the largest absolute
// error. It is +Inf if they are equal, and -Inf if their lengths differ or an element is not finite.
func Precision[T Value](got, want []T) float64 {
	if len(got) != len(want) {
		return math.Inf(-1)
	}
	worst := 0.0
	for i := range got {
		d := distance(got[i], want[i])
		if math.IsNaN(d) || math.IsInf(d, 0) {
			return math.Inf(-1)
		}
		worst = max(worst, d)
	}
	return -math.Log2(worst)
}

// MeanPrecision returns -log2 of the mean absolute error.
func MeanPrecision[T Value](got, want []T) float64 {
	if len(got) != len(want) || len(got) == 0 {
		return math.Inf(-1)
	}
	sum := 0.0
	for i := range got {
		sum += distance(got[i], want[i])
	}
	if math.IsNaN(sum) {
		return math.Inf(-1)
	}
	return -math.Log2(sum / float64(len(got)))
}

func distance[T Value](a, b T) float64 {
	switch d := any(a - b).(type) {
	case float64:
		return math.Abs(d)
	case complex128:
		return math.Hypot(real(d), imag(d))
	}
	return math.NaN()
}

// AssertClose fails the test unless every element of got is within 2^-bits of want.
func AssertClose[T Value](tb testing.TB, got, want []T, bits float64) {
	tb.Helper()
	if len(got) != len(want) {
		tb.Fatalf("got %d values, want %d", len(got), len(want))
		return
	}
	p := Precision(got, want)
	if p >= bits {
		return
	}
	worst := 0
	for i := range got {
		if d := distance(got[i], want[i]); math.IsNaN(d) || d > distance(got[worst], want[worst]) {
			worst = i
		}
	}
	tb.Fatalf("%.1f bits of precision, want %.1f; worst is value %d: got %v, want %v", p, bits, worst, got[worst], want[worst])
}

// AssertDigest fails the test unless two digests are equal.
func AssertDigest(tb testing.TB, got, want fhe.Digest) {
	tb.Helper()
	if got != want {
		tb.Fatalf("digest %v, want %v", got, want)
	}
}

// AssertBundle fails the test unless two bundles agree limb for limb, and names the first word that differs.
func AssertBundle(tb testing.TB, got, want *fhe.Bundle) {
	tb.Helper()
	if err := Diff(got, want); err != nil {
		tb.Fatal(err)
	}
}

// Diff returns an error that names the first difference between two bundles, down to the word.
func Diff(got, want *fhe.Bundle) error {
	switch {
	case got == nil || want == nil:
		if got == want {
			return nil
		}
		return fmt.Errorf("one bundle is nil")
	case got.Key() != want.Key():
		return fmt.Errorf("bundle of key %v, want %v", got.Key(), want.Key())
	case got.Program() != want.Program():
		return fmt.Errorf("bundle of program %v, want %v", got.Program().Short(), want.Program().Short())
	case !got.Parameters().Equal(want.Parameters()):
		return fmt.Errorf("bundle of parameters %v, want %v", got.Parameters().Digest().Short(), want.Parameters().Digest().Short())
	}
	if g, w := fmt.Sprintf("%q", got.Ports()), fmt.Sprintf("%q", want.Ports()); g != w {
		return fmt.Errorf("ports %s, want %s", g, w)
	}
	for _, name := range want.Ports() {
		g, w := got.Get(name), want.Get(name)
		if len(g) != len(w) {
			return fmt.Errorf("port %q: %d ciphertexts, want %d", name, len(g), len(w))
		}
		for i := range w {
			if err := diffCiphertext(g[i], w[i]); err != nil {
				return fmt.Errorf("port %q, ciphertext %d: %w", name, i, err)
			}
		}
	}
	if got.Digest() != want.Digest() {
		return fmt.Errorf("equal limbs with different digests")
	}
	return nil
}

func diffCiphertext(g, w *fhe.Ciphertext) error {
	if g.Level() != w.Level() || g.Degree() != w.Degree() || g.LogSlots() != w.LogSlots() || g.Scale() != w.Scale() {
		return fmt.Errorf("level %d, degree %d, 2^%d slots, scale %v; want %d, %d, 2^%d, %v",
			g.Level(), g.Degree(), g.LogSlots(), g.Scale(), w.Level(), w.Degree(), w.LogSlots(), w.Scale())
	}
	for k := range w.Degree() + 1 {
		for i := range w.Level() + 1 {
			a, b := g.Limb(k, i), w.Limb(k, i)
			first, n := -1, 0
			for j := range b {
				if a[j] != b[j] {
					if first < 0 {
						first = j
					}
					n++
				}
			}
			if n > 0 {
				return fmt.Errorf("part %d, limb %d (prime %d): %d of %d words differ, the first is word %d: %d, want %d",
					k, i, w.Parameters().Prime(i), n, len(b), first, a[first], b[first])
			}
		}
	}
	return nil
}
