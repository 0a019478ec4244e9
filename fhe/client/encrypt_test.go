package client

import (
	"errors"
	"fmt"
	"math"
	"math/bits"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/program"
)

func TestRoundTripNoise(t *testing.T) {
	p := wide(t)
	sk := generator(t, p).GenSecretKey()
	for _, level := range []int{0, 1, 3} {
		for _, logSlots := range []int{0, 3, 8, p.LogMaxSlots()} {
			t.Run(fmt.Sprintf("level=%d/logSlots=%d", level, logSlots), func(t *testing.T) {
				port := vector(p, level, logSlots, 1<<logSlots)
				x := values(1<<logSlots, uint64(logSlots))
				got := decrypt(t, sk, port, encrypt(t, sk, port, x))
				std, want := 0.0, fresh(logSlots, port.Scale)
				near(t, "round trip", got, x, want)
				if std, _ = deviation(t, got, x); logSlots >= 8 && math.Abs(math.Log2(std/want)) > 1 {
					t.Errorf("standard deviation 2^%.2f, want 2^%.2f within 1 bit", math.Log2(std), math.Log2(want))
				}
				t.Logf("standard deviation 2^%.2f, expected 2^%.2f", math.Log2(std), math.Log2(want))
			})
		}
	}
}

func TestRoundTripSecrets(t *testing.T) {
	for name, p := range map[string]fhe.Parameters{
		"ternary":    small(t),
		"gaussian":   params(t, fhe.ParametersLiteral{LogN: 12, LogQ: []int{38, 28}, LogP: []int{40}, Secret: fhe.SecretDistribution{Gaussian: true}}),
		"sparse":     params(t, fhe.ParametersLiteral{LogN: 14, LogQ: []int{38, 28}, LogP: []int{40}, Secret: fhe.SecretDistribution{Hamming: 192}, SparseSecret: true}),
		"no-special": params(t, fhe.ParametersLiteral{LogN: 11, LogQ: []int{50}, LogDefaultScale: 30}),
	} {
		t.Run(name, func(t *testing.T) {
			sk := generator(t, p).GenSecretKey()
			port := vector(p, p.MaxLevel(), p.LogMaxSlots(), p.MaxSlots())
			x := values(p.MaxSlots(), 1)
			near(t, name, decrypt(t, sk, port, encrypt(t, sk, port, x)), x, fresh(p.LogMaxSlots(), port.Scale))
		})
	}
}

// Two ciphertexts of 8 slots hold a 3×4 tensor: rows 0 and 1 as real and imaginary parts, row 2 backwards, twice.
func TestRoundTripLayout(t *testing.T) {
	p := small(t)
	sk := generator(t, p).GenSecretKey()
	port := vector(p, 1, 3, 12)
	port.Count, port.Program = 2, fhe.Digest{1}
	port.Layout = program.Layout{Shape: []int{3, 4}, Runs: []program.Run{
		{Ciphertext: 0, Slot: 0, SlotStep: 2, Index: 0, IndexStep: 1, Length: 4},
		{Ciphertext: 0, Slot: 9, SlotStep: 1, Index: 4, IndexStep: 1, Length: 4},
		{Ciphertext: 1, Slot: 3, SlotStep: -1, Index: 8, IndexStep: 1, Length: 4},
		{Ciphertext: 1, Slot: 4, SlotStep: 1, Index: 8, IndexStep: 1, Length: 4},
		{Ciphertext: 1, Slot: 15, SlotStep: 0, Index: 0, IndexStep: 0, Length: 1},
	}}
	x := values(12, 3)
	b := encrypt(t, sk, port, x)
	if b.Program() != port.Program || b.Key() != sk.ID() || !slices.Equal(b.Ports(), []string{"x"}) {
		t.Errorf("bundle for program %v, key %v, ports %q", b.Program(), b.Key(), b.Ports())
	}
	std := fresh(3, port.Scale)
	near(t, "tensor", decrypt(t, sk, port, b), x, std)

	// The same bundle, slot by slot: real parts, then imaginary parts, of both ciphertexts.
	raw := port
	raw.Layout = program.Layout{Shape: []int{2, 16}, Runs: []program.Run{{SlotStep: 1, IndexStep: 1, Length: 16},
		{Ciphertext: 1, SlotStep: 1, Index: 16, IndexStep: 1, Length: 16}}}
	want := make([]float64, 32)
	for i := range 4 {
		want[2*i], want[9+i] = x[i], x[4+i]
		want[16+3-i], want[16+4+i] = x[8+i], x[8+i]
	}
	want[31] = x[0]
	near(t, "slots", decrypt(t, sk, raw, b), want, std)

	// An element that lies in several slots is taken from the first run that holds it.
	first := raw
	first.Layout = program.Layout{Shape: []int{1}, Runs: []program.Run{{Ciphertext: 1, Slot: 3, Length: 1}, {Slot: 1, Length: 1}}}
	near(t, "first run", decrypt(t, sk, first, b), x[8:9], std)
}

// multiply returns the raw tensor product of two ciphertexts of degree 1.
func multiply(t *testing.T, p fhe.Parameters, a, b *fhe.Ciphertext) *fhe.Ciphertext {
	t.Helper()
	out, err := fhe.NewCiphertext(p, 2, a.Level(), a.LogSlots(), a.Scale().Mul(b.Scale()))
	if err != nil {
		t.Fatal(err)
	}
	for x := range 2 {
		for y := range 2 {
			for i := range a.Level() + 1 {
				q, dst := p.Prime(i), out.Limb(x+y, i)
				for j := range dst {
					hi, lo := bits.Mul64(a.Limb(x, i)[j], b.Limb(y, i)[j])
					_, r := bits.Div64(hi, lo, q)
					dst[j] = (dst[j] + r) % q
				}
			}
		}
	}
	return out
}

func TestDecryptDegree2(t *testing.T) {
	p := wide(t)
	sk := generator(t, p).GenSecretKey()
	port := vector(p, 3, p.LogMaxSlots(), p.MaxSlots())
	x, y := values(p.MaxSlots(), 1), values(p.MaxSlots(), 2)
	ct := multiply(t, p, encrypt(t, sk, port, x).Get("x")[0], encrypt(t, sk, port, y).Get("x")[0])
	b := fhe.NewBundle(p, sk.ID(), fhe.Digest{})
	if err := b.Add("x", ct); err != nil {
		t.Fatal(err)
	}
	std := math.Sqrt(2) * fresh(port.LogSlots, port.Scale)
	port.Degree, port.Scale = 2, ct.Scale()
	before := ct.Digest()
	want := make([]float64, len(x))
	for i := range x {
		want[i] = x[i] * y[i]
	}
	near(t, "product", decrypt(t, sk, port, b), want, std)
	if ct.Digest() != before {
		t.Error("decryption changed the ciphertext")
	}
	if _, err := NewEncryptor(sk).Encrypt(port, x); !errors.Is(err, program.ErrPort) {
		t.Errorf("encryption at degree 2: %v", err)
	}
}

func TestEncryptRefuses(t *testing.T) {
	p := small(t)
	sk := generator(t, p).GenSecretKey()
	good := vector(p, 1, 4, 8)
	for _, tt := range []struct {
		name   string
		port   func(port *program.Port)
		x      func(x []float64) []float64
		target any
		want   string
	}{
		{"nan", nil, func(x []float64) []float64 { x[5] = math.NaN(); return x }, new(*ValueError), `port "x": value 5 is not a number`},
		{"inf", nil, func(x []float64) []float64 { x[7] = math.Inf(-1); return x }, new(*ValueError), "value 7 is infinite"},
		{"bound", nil, func(x []float64) []float64 { x[0] = -1.0000001; return x }, new(*ValueError), "value 0 is larger in magnitude than the port's bound 1"},
		{"short", nil, func(x []float64) []float64 { return x[1:] }, new(*fhe.MismatchError), "want 8, have 7"},
		{"long", nil, func(x []float64) []float64 { return append(x, 0) }, new(*fhe.MismatchError), "want 8, have 9"},
		{"degree", func(port *program.Port) { port.Degree = 2 }, nil, nil, "degree 2"},
		{"level", func(port *program.Port) { port.Level = 2 }, nil, nil, "level 2"},
		{"slots", func(port *program.Port) { port.LogSlots = 12 }, nil, nil, "2^12 slots"},
		{"scale", func(port *program.Port) { port.Scale = fhe.Scale{} }, nil, nil, "invalid scale"},
		{"count", func(port *program.Port) { port.Count = 0 }, nil, nil, "0 ciphertexts"},
		{"no-layout", func(port *program.Port) { port.Layout = program.Layout{} }, nil, nil, "0 runs"},
		{"run", func(port *program.Port) { port.Layout.Runs[0].Slot = 25 }, nil, nil, "run 0 leaves"},
		{"run-overflow", func(port *program.Port) { port.Layout.Runs[0].SlotStep = math.MaxInt }, nil, nil, "run 0 leaves"},
		{"ciphertext", func(port *program.Port) { port.Layout.Runs[0].Ciphertext = 1 }, nil, nil, "run 0 leaves"},
		{"shared", func(port *program.Port) { port.Layout.Runs[0].SlotStep = 0 }, nil, nil, "into one slot"},
		{"modulus", func(port *program.Port) { port.Level, port.Scale = 0, fhe.PowerOfTwo(39) }, nil, nil, "do not fit the modulus at level 0"},
		{"encoder", func(port *program.Port) { port.Scale = fhe.PowerOfTwo(70) }, nil, nil, "do not fit the modulus at level 1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			port, x := good, slices.Repeat([]float64{0.731}, 8)
			port.Layout.Runs = slices.Clone(port.Layout.Runs)
			if tt.port != nil {
				tt.port(&port)
			}
			if tt.x != nil {
				x = tt.x(x)
			}
			_, err := NewEncryptor(sk).Encrypt(port, x)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("error %v, want %q", err, tt.want)
			}
			if tt.target != nil && !errors.As(err, tt.target) {
				t.Errorf("error %T", err)
			}
			if s := err.Error(); strings.Contains(s, "731") || strings.Contains(s, "0000001") {
				t.Errorf("%q shows a value", s)
			}
		})
	}
	if err := error(new(ValueError)); err.Error() == "" {
		t.Error("no text")
	}
	// The largest values that fit survive at level 0, where 2^38 is the whole modulus.
	edge := good
	edge.Level, edge.Scale, edge.Bound = 0, fhe.PowerOfTwo(36), 1
	x := []float64{1, 1, 1, 1, 1, 1, 1, 1}
	edge.LogSlots = 3
	near(t, "edge", decrypt(t, sk, edge, encrypt(t, sk, edge, x)), x, fresh(3, edge.Scale))
}

func TestForOwnerRefuses(t *testing.T) {
	p, q := small(t), params(t, fhe.ParametersLiteral{LogN: 12, LogQ: []int{37, 28}, LogP: []int{40}})
	g := generator(t, p)
	sk, other, stranger := g.GenSecretKey(), g.GenSecretKey(), generator(t, q).GenSecretKey()
	port := vector(p, 1, 4, 8)
	port.Program = fhe.Digest{7}
	b := encrypt(t, sk, port, values(8, 1))
	mismatch := func(sk *SecretKey, port program.Port, b *fhe.Bundle, what string) {
		t.Helper()
		_, err := NewDecryptor(sk).ForOwner(port, b)
		var m *fhe.MismatchError
		if !errors.As(err, &m) || m.What != what {
			t.Errorf("error %v, want wrong %s", err, what)
		}
	}
	mismatch(other, port, b, "key")
	mismatch(stranger, port, b, "parameters")
	mismatch(sk, port, &fhe.Bundle{}, "parameters")
	changed := port
	changed.Program = fhe.Digest{8}
	mismatch(sk, changed, b, "program")
	changed.Program = fhe.Digest{} // bound to no program
	decrypt(t, sk, changed, b)
	unbound := fhe.NewBundle(p, sk.ID(), fhe.Digest{})
	if err := unbound.Add("x", b.Get("x")...); err != nil {
		t.Fatal(err)
	}
	decrypt(t, sk, port, unbound)

	changed = port
	changed.Name = "y"
	mismatch(sk, changed, b, "port")
	changed = port
	changed.Level = 0
	mismatch(sk, changed, b, `ciphertext 0 of port "x"`)
	changed = port
	changed.Scale = fhe.PowerOfTwo(27)
	mismatch(sk, changed, b, `ciphertext 0 of port "x"`)
	changed = port
	changed.Count = 2
	changed.Layout.Runs = append(slices.Clone(port.Layout.Runs), program.Run{Ciphertext: 1, Length: 1})
	mismatch(sk, changed, b, `number of ciphertexts of port "x"`)

	for name, change := range map[string]func(*program.Port){
		"degree":  func(port *program.Port) { port.Degree = 3 },
		"run":     func(port *program.Port) { port.Layout.Runs = []program.Run{{Slot: 40, Length: 1}} },
		"missing": func(port *program.Port) { port.Layout.Shape = []int{9} },
		"empty":   func(port *program.Port) { *port = program.Port{} },
	} {
		changed = port
		change(&changed)
		if _, err := NewDecryptor(sk).ForOwner(changed, b); !errors.Is(err, program.ErrPort) {
			t.Errorf("%s: error %v, want ErrPort", name, err)
		}
	}
	if _, err := NewDecryptor(sk).ForOwner(port, nil); err == nil {
		t.Error("nil bundle: no error")
	}
}

func TestEncryptTwiceDiffers(t *testing.T) {
	p := small(t)
	sk := generator(t, p).GenSecretKey()
	port := vector(p, 1, 4, 8)
	port.Count = 2
	port.Layout.Runs = append(port.Layout.Runs, program.Run{Ciphertext: 1, SlotStep: 1, IndexStep: 1, Length: 8})
	e, seen := NewEncryptor(sk), map[fhe.Digest]bool{}
	for range 3 {
		b, err := e.Encrypt(port, values(8, 1))
		if err != nil {
			t.Fatal(err)
		}
		for _, ct := range b.Get("x") {
			mask := fhe.LimbDigest(ct.Limb(1, 0))
			if seen[mask] {
				t.Fatal("two ciphertexts share a mask")
			}
			seen[mask] = true
		}
	}
}

func TestConcurrentUse(t *testing.T) {
	p := small(t)
	sk := generator(t, p).GenSecretKey()
	e, d := NewEncryptor(sk), NewDecryptor(sk)
	port := vector(p, 1, p.LogMaxSlots(), 2*p.MaxSlots())
	port.Count = 2
	port.Layout.Runs = []program.Run{{SlotStep: 1, IndexStep: 1, Length: p.MaxSlots()},
		{Ciphertext: 1, SlotStep: 1, Index: p.MaxSlots(), IndexStep: 1, Length: p.MaxSlots()}}
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			x := values(2*p.MaxSlots(), uint64(g))
			b, err := e.Encrypt(port, x)
			if err != nil {
				t.Error(err)
				return
			}
			got, err := d.ForOwner(port, b)
			if err != nil {
				t.Error(err)
				return
			}
			near(t, "concurrent", got, x, fresh(port.LogSlots, port.Scale))
		})
	}
	wg.Wait()
}
