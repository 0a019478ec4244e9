package client

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"

	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/program"
)

func publicKey(t testing.TB, p fhe.Parameters, sk *SecretKey) *fhe.PublicKey {
	t.Helper()
	pk, err := generator(t, p).GenPublicKey(sk)
	if err != nil {
		t.Fatal(err)
	}
	return pk
}

// tail is by how much near's seven standard deviations grow for errors under a public key. Rounding times the secret is
// in a slot a product of two complex Gaussians, whose real part has the tails of Laplace's distribution: 21 standard
// deviations are exceeded with probability exp(-21·√2) < 10^-12.
const tail = 3

// predicted returns the standard deviation that the noise model expects for a fresh port under a public key.
func predicted(t testing.TB, p fhe.Parameters, port program.Port) float64 {
	t.Helper()
	port.Count, port.Layout.Runs = 1, port.Layout.Runs[:1]
	b := program.NewBuilder(p)
	x := b.Input(port)[0]
	b.Output(b.OutputPort("y", x, 1, port.Layout), x)
	prog, consts, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	noise, err := prog.Noise(consts, program.NoiseHints{PublicKey: map[string]bool{port.Name: true}})
	if err != nil {
		t.Fatal(err)
	}
	return noise[0].Error
}

// The error of a fresh encryption under a public key, after a trip over the wire, is that of the noise model, at every
// level, with one special prime, several and none, for every distribution of the secret.
func TestPublicKeyNoise(t *testing.T) {
	for name, p := range map[string]fhe.Parameters{
		"one":                  small(t),
		"two":                  wide(t),
		"no-special":           params(t, fhe.ParametersLiteral{LogN: 12, LogQ: []int{50, 50}, LogDefaultScale: 36}),
		"gaussian":             params(t, fhe.ParametersLiteral{LogN: 12, LogQ: []int{38, 28}, LogP: []int{40}, Secret: fhe.SecretDistribution{Gaussian: true}}),
		"gaussian, no-special": params(t, fhe.ParametersLiteral{LogN: 12, LogQ: []int{50, 50}, LogDefaultScale: 36, Secret: fhe.SecretDistribution{Gaussian: true}}),
		"sparse":               params(t, fhe.ParametersLiteral{LogN: 14, LogQ: []int{38, 28}, LogP: []int{40}, Secret: fhe.SecretDistribution{Hamming: 192}, SparseSecret: true}),
	} {
		sk := generator(t, p).GenSecretKey()
		pk := publicKey(t, p, sk)
		var b bytes.Buffer
		if _, err := pk.WriteTo(&b); err != nil || int64(b.Len()) != fhe.PublicKeyBytes(p) {
			t.Fatalf("%d bytes, want %d: %v", b.Len(), fhe.PublicKeyBytes(p), err)
		}
		pk, err := fhe.ReadPublicKey(&b, p, int64(b.Len()))
		if err != nil {
			t.Fatal(err)
		}
		e := NewPublicKeyEncryptor(pk)
		for level := range p.MaxLevel() + 1 {
			t.Run(fmt.Sprintf("%s/level=%d", name, level), func(t *testing.T) {
				port := vector(p, level, p.LogMaxSlots(), p.MaxSlots())
				port.Program = fhe.Digest{3}
				x := values(p.MaxSlots(), uint64(level))
				in, err := e.Encrypt(port, x)
				if err != nil {
					t.Fatal(err)
				}
				if _, seeded := in.Get("x")[0].Seed(); seeded || in.Key() != sk.ID() || in.Program() != port.Program || in.Get("x")[0].Level() != level {
					t.Errorf("key %v, program %v, seeded %v", in.Key(), in.Program(), seeded)
				}
				got := decrypt(t, sk, port, in)
				want := predicted(t, p, port)
				near(t, "round trip", got, x, tail*want)
				if std, _ := deviation(t, got, x); math.Abs(math.Log2(std/want)) > 0.2 {
					t.Errorf("standard deviation 2^%.2f, the model expects 2^%.2f", math.Log2(std), math.Log2(want))
				}
			})
		}
	}
}

func TestPublicKeySparseSlots(t *testing.T) {
	p := small(t)
	sk := generator(t, p).GenSecretKey()
	e := NewPublicKeyEncryptor(publicKey(t, p, sk))
	port := vector(p, 1, 3, 8)
	port.Count = 2
	port.Layout.Runs = append(port.Layout.Runs, program.Run{Ciphertext: 1, SlotStep: 1, IndexStep: 1, Length: 8})
	x := values(8, 5)
	seen := map[fhe.Digest]bool{}
	for range 2 {
		in, err := e.Encrypt(port, x)
		if err != nil {
			t.Fatal(err)
		}
		for _, ct := range in.Get("x") {
			seen[fhe.LimbDigest(ct.Limb(1, 0))] = true
		}
		near(t, "sparse", decrypt(t, sk, port, in), x, tail*predicted(t, p, port))
	}
	if len(seen) != 4 {
		t.Errorf("%d different masks of 4", len(seen))
	}
	// The largest message that fits survives at level 0; a scale twice as large is refused.
	edge := port
	edge.Level, edge.Scale, edge.Bound = 0, fhe.PowerOfTwo(36), 1
	ones := []float64{1, 1, 1, 1, 1, 1, 1, 1}
	in, err := e.Encrypt(edge, ones)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "edge", decrypt(t, sk, edge, in), ones, tail*predicted(t, p, edge))
	edge.Scale = fhe.PowerOfTwo(39)
	if _, err := e.Encrypt(edge, ones); err == nil || !strings.Contains(err.Error(), "do not fit the modulus at level 0") {
		t.Errorf("too large: %v", err)
	}
	if _, err := e.Encrypt(port, x[1:]); !errors.As(err, new(*fhe.MismatchError)) {
		t.Errorf("seven values: %v", err)
	}
}

// A public key is an encryption of zero under its own secret key, and of nothing under another one.
func TestGenPublicKey(t *testing.T) {
	p := wide(t)
	g := generator(t, p)
	sk, other := g.GenSecretKey(), g.GenSecretKey()
	pk, again := publicKey(t, p, sk), publicKey(t, p, sk)
	if pk.Key() != sk.ID() || !pk.Parameters().Equal(p) || pk.Digest() == again.Digest() || pk.Seed() == again.Seed() {
		t.Error("two public keys are equal, or under another id")
	}
	phase := func(sk *SecretKey) float64 {
		limbs := make([][][]uint64, 2)
		for part := range limbs {
			for i := range p.MaxLevel() + 1 {
				limbs[part] = append(limbs[part], pk.Limb(part, i))
			}
		}
		rows, err := sk.key.Decrypt(limbs)
		if err != nil {
			t.Fatal(err)
		}
		sum := 0.0
		for i, row := range rows {
			q := p.Prime(i)
			for _, c := range row {
				x := float64(min(c, q-c))
				sum += x * x
			}
		}
		return math.Sqrt(sum / float64(len(rows)*p.N()))
	}
	if std := phase(sk); math.Abs(std-3.2) > 0.1 {
		t.Errorf("noise of %.3f, want 3.2", std)
	}
	if std := phase(other); std < 1e6 {
		t.Errorf("under another key the phase is %.3g", std)
	}
	var m *fhe.MismatchError
	if _, err := generator(t, small(t)).GenPublicKey(sk); !errors.As(err, &m) || m.What != "parameters" {
		t.Errorf("other parameters: %v", err)
	}
	for _, sk := range []*SecretKey{nil, {}} {
		if _, err := g.GenPublicKey(sk); err == nil {
			t.Error("no secret key")
		}
	}
	port := vector(p, 1, 4, 8)
	in, err := NewPublicKeyEncryptor(pk).Encrypt(port, values(8, 1))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := NewDecryptor(other).ForOwner(port, in); !errors.As(err, &m) || m.What != "key" {
		t.Errorf("another key: %v", err)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%d"} {
		if s := fmt.Sprintf(verb, NewPublicKeyEncryptor(pk)); s != "client.Encryptor("+sk.ID().String()+")" {
			t.Errorf("%s prints %.100s", verb, s)
		}
	}
}

func TestPublicKeyConcurrent(t *testing.T) {
	p := small(t)
	sk := generator(t, p).GenSecretKey()
	e := NewPublicKeyEncryptor(publicKey(t, p, sk))
	port := vector(p, 1, p.LogMaxSlots(), p.MaxSlots())
	std := predicted(t, p, port)
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			x := values(p.MaxSlots(), uint64(g))
			in, err := e.Encrypt(port, x)
			if err != nil {
				t.Error(err)
				return
			}
			got, err := NewDecryptor(sk).ForOwner(port, in)
			if err != nil {
				t.Error(err)
				return
			}
			near(t, "concurrent", got, x, tail*std)
		})
	}
	wg.Wait()
}

func BenchmarkEncrypt(b *testing.B) {
	p := wide(b)
	sk := generator(b, p).GenSecretKey()
	port := vector(p, p.MaxLevel(), p.LogMaxSlots(), p.MaxSlots())
	x := values(p.MaxSlots(), 1)
	for name, e := range map[string]*Encryptor{"secret": NewEncryptor(sk), "public": NewPublicKeyEncryptor(publicKey(b, p, sk))} {
		b.Run("key="+name, func(b *testing.B) {
			for b.Loop() {
				if _, err := e.Encrypt(port, x); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
