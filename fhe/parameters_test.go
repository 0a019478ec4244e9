package fhe

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math"
	"math/big"
	"math/bits"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestInsecureToys(t *testing.T) {
	if _, err := NewParameters(ParametersLiteral{LogN: 5, LogQ: []int{30}}); err == nil {
		t.Error("toy parameters through the gate")
	}
	p := toy(t, 5)
	if !p.Insecure() || !strings.Contains(p.String(), "INSECURE") {
		t.Errorf("toy parameters do not say so: %v", p)
	}
	var f *FormatError
	if _, err := ReadParameters(bytes.NewReader(encoded(t, p)), 4096); !errors.As(err, &f) || !strings.Contains(err.Error(), "insecure") {
		t.Errorf("toy parameters from outside: %v", err)
	}
}

// TestPresets instantiates the leveled presets.
func TestPresets(t *testing.T) {
	times := func(size, n int) (out []int) {
		for range n {
			out = append(out, size)
		}
		return out
	}
	for _, c := range []struct {
		name       string
		logN       int
		logQ, logP []int
		total      float64
		limit      float64
		scale      int
	}{
		{"N13-L3", 13, append([]int{50}, times(36, 3)...), []int{56}, 214, 214, 36},
		{"N13-L4", 13, append([]int{45}, times(31, 4)...), []int{45}, 214, 214, 31},
		{"N14-L6", 14, append([]int{55}, times(40, 6)...), times(61, 2), 417, 430, 40},
		{"N14-L8", 14, append([]int{50}, times(35, 8)...), times(50, 2), 430, 430, 35},
		{"N15-L13", 15, append([]int{60}, times(45, 13)...), times(61, 3), 828, 868, 45},
		{"N15-L15", 15, append([]int{60}, times(40, 15)...), times(61, 3), 843, 868, 40},
	} {
		t.Run("preset="+c.name, func(t *testing.T) {
			if c.logN > 14 && testing.Short() {
				t.Skip("short")
			}
			p, err := NewParameters(ParametersLiteral{LogN: c.logN, LogQ: c.logQ, LogP: c.logP})
			if err != nil {
				t.Fatal(err)
			}
			if math.Round(p.LogQP()) != c.total || p.Security().Limit != c.limit || p.Security().Value != p.LogQP() {
				t.Errorf("log2(QP) = %v of %v, want %v of %v", p.LogQP(), p.Security().Limit, c.total, c.limit)
			}
			if p.MaxLevel() != len(c.logQ)-1 || p.PCount() != len(c.logP) || p.DefaultScale() != PowerOfTwo(c.scale) || p.MaxSlots() != 1<<(c.logN-1) {
				t.Errorf("%v", p)
			}
			if d := p.LogQP() - p.LogQ() - p.LogP(); math.Abs(d) > 1e-9 {
				t.Error("log2(QP) is not log2(Q) + log2(P)")
			}
		})
	}
}

// TestPrimes checks what the search promises: primes 1 mod 2N, distinct, q_0 and P below their power of two, the rest
// within 2^-10 of it.
func TestPrimes(t *testing.T) {
	for _, logN := range []int{10, 13} {
		p, err := newParameters(ParametersLiteral{LogN: logN, LogQ: []int{61, 40, 40, 40, 40, 61, 25}, LogP: []int{61, 61, 30}}, true)
		if err != nil {
			t.Fatal(err)
		}
		seen := map[uint64]bool{}
		sizes := []int{61, 40, 40, 40, 40, 61, 25, 61, 61, 30}
		above := 0
		for i, q := range append(p.Q(), p.P()...) {
			if seen[q] || !new(big.Int).SetUint64(q).ProbablyPrime(20) || q%uint64(2*p.N()) != 1 {
				t.Errorf("prime %d: %d", i, q)
			}
			seen[q] = true
			if below := i == 0 || i > p.MaxLevel(); below && bits.Len64(q) != sizes[i] {
				t.Errorf("prime %d, %d, is not below 2^%d", i, q, sizes[i])
			}
			if q>>sizes[i] != 0 {
				above++
			}
			if d := math.Abs(math.Log2(float64(q)) - float64(sizes[i])); d > 0.02 {
				t.Errorf("prime %d, %d, is %.4f bits away from 2^%d", i, q, d, sizes[i])
			}
		}
		if above == 0 {
			t.Error("no rescaling prime above its power of two")
		}
	}
}

// TestRoots checks ψ^N = -1 for every prime, with math/big.
func TestRoots(t *testing.T) {
	for _, p := range []Parameters{toy(t, 4), toy(t, 11)} {
		roots := p.Roots()
		for i, q := range append(p.Q(), p.P()...) {
			m := new(big.Int).SetUint64(q)
			x := new(big.Int).Exp(new(big.Int).SetUint64(roots[i]), big.NewInt(int64(p.N())), m)
			if x.Add(x, big.NewInt(1)).Cmp(m) != 0 {
				t.Errorf("prime %d: ψ = %d is no primitive 2N-th root of unity", i, roots[i])
			}
		}
		if len(roots) != p.MaxLevel()+1+p.PCount() {
			t.Errorf("%d roots", len(roots))
		}
	}
}

func TestParametersRefused(t *testing.T) {
	big13 := []int{50, 36, 36, 36}
	many := make([]int, 65)
	for i := range many {
		many[i] = 40
	}
	p, err := NewParameters(ParametersLiteral{LogN: 13, LogQ: big13})
	if err != nil {
		t.Fatal(err)
	}
	q := p.Q()
	for name, lit := range map[string]ParametersLiteral{
		"no ring":                {LogQ: []int{30}},
		"ring too small":         {LogN: 9, LogQ: []int{20}},
		"ring too large":         {LogN: 18, LogQ: []int{40}},
		"negative ring":          {LogN: -1, LogQ: []int{40}},
		"no primes":              {LogN: 13},
		"no Q but P sizes":       {LogN: 13, LogP: []int{40}},
		"P without Q":            {LogN: 13, P: q[:1], LogQ: big13},
		"too many primes":        {LogN: 17, LogQ: many},
		"too many special":       {LogN: 17, LogQ: []int{50}, LogP: many[:33]},
		"size 62":                {LogN: 13, LogQ: []int{62}},
		"size 0":                 {LogN: 13, LogQ: []int{0}},
		"negative size":          {LogN: 13, LogQ: []int{-5}},
		"size below that of 2N":  {LogN: 17, LogQ: []int{50, 16}}, // 2^16+1 is prime, and not 1 mod 2^18
		"no prime of that size":  {LogN: 13, LogQ: []int{50, 14}},
		"composite":              {LogN: 13, Q: []uint64{(1<<14*3 + 1) * (1<<14 + 1), q[1]}},
		"composite special":      {LogN: 13, Q: q[:1], P: []uint64{(1<<14*3 + 1) * (1<<14*4 + 1)}},
		"even":                   {LogN: 13, Q: []uint64{1 << 40}},
		"one":                    {LogN: 13, Q: []uint64{1}},
		"zero":                   {LogN: 13, Q: []uint64{0}},
		"not 1 mod 2N":           {LogN: 13, Q: []uint64{1<<13*5 + 1}},
		"twice":                  {LogN: 13, Q: []uint64{q[0], q[1], q[0]}},
		"twice in Q and P":       {LogN: 13, Q: q, P: q[:1]},
		"63 bits":                {LogN: 13, Q: []uint64{1<<62 + 1}},
		"far above 2^61":         {LogN: 13, Q: []uint64{3764641647695872001}}, // prime, 2^61.7
		"special above 2^61":     {LogN: 13, Q: q[:1], P: []uint64{1<<61 + 1<<14 + 1}},
		"scale 61":               {LogN: 13, LogQ: big13, LogDefaultScale: 61},
		"scale -1":               {LogN: 13, LogQ: big13, LogDefaultScale: -1},
		"unknown level":          {LogN: 13, LogQ: big13, Security: 6},
		"the toy level":          {LogN: 13, LogQ: big13, Security: insecureLevel},
		"negative weight":        {LogN: 13, LogQ: big13, Secret: SecretDistribution{Hamming: -1}},
		"weight above N":         {LogN: 13, LogQ: big13, SparseSecret: true, Secret: SecretDistribution{Hamming: 8193}},
		"gaussian and sparse":    {LogN: 14, LogQ: big13, SparseSecret: true, Secret: SecretDistribution{Hamming: 192, Gaussian: true}},
		"sparse at a small ring": {LogN: 13, LogQ: big13, SparseSecret: true, Secret: SecretDistribution{Hamming: 192}},
	} {
		t.Run(name, func(t *testing.T) {
			if p, err := NewParameters(lit); err == nil || !p.IsZero() || !strings.HasPrefix(err.Error(), "fhe: ") {
				t.Errorf("%v, error %v", p, err)
			}
		})
	}
}

func TestParametersValues(t *testing.T) {
	q := []uint64{1<<14*9 + 1}
	for !new(big.Int).SetUint64(q[0]).ProbablyPrime(0) {
		q[0] += 1 << 14
	}
	lit := ParametersLiteral{LogN: 13, Q: q}
	p, err := NewParameters(lit)
	if err != nil {
		t.Fatal(err)
	}
	q[0] = 5
	p.Q()[0], p.Roots()[0] = 7, 7
	if p.Prime(0) == 5 || p.Prime(0) == 7 || p.Roots()[0] == 7 {
		t.Error("parameters share memory with the caller")
	}
	if (Parameters{}).String() != "Parameters{}" || !(Parameters{}).IsZero() || p.IsZero() || p.Equal(Parameters{}) || (Parameters{}).Equal(p) || !p.Equal(p) {
		t.Error("zero value")
	}
	if p.PCount() != 0 || p.LogP() != 0 || len(p.P()) != 0 || strings.Contains(p.String(), "P=") {
		t.Errorf("%v", p)
	}
	if p.Secret() != (SecretDistribution{}) || p.p.rings.N() != p.N() {
		t.Error("accessors")
	}
	// The option for sparse secrets is nothing without one.
	lit = ParametersLiteral{LogN: 13, LogQ: []int{50, 40}}
	a, _ := NewParameters(lit)
	lit.SparseSecret = true
	b, _ := NewParameters(lit)
	lit.Security = Quantum128
	c, _ := NewParameters(lit)
	if !a.Equal(b) || a.Digest() != b.Digest() || a.Equal(c) {
		t.Error("equality of parameters")
	}
}

func TestRoundLog2(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := rapid.Uint64Range(1, 1<<62-1).Draw(t, "q")
		if rapid.Bool().Draw(t, "near a half") {
			k := rapid.IntRange(1, 61).Draw(t, "k")
			q = uint64(math.Sqrt2*math.Exp2(float64(k))) + rapid.Uint64Range(0, 2).Draw(t, "off")
			if q >= 1<<62 {
				q = 1<<62 - 1
			}
		}
		// round(log2 q) = n+1 iff q² ≥ 2^(2n+1).
		n := bits.Len64(q) - 1
		x := new(big.Int).SetUint64(q)
		if x.Mul(x, x).Cmp(new(big.Int).Lsh(big.NewInt(1), uint(2*n+1))) >= 0 {
			n++
		}
		if roundLog2(q) != n {
			t.Fatalf("roundLog2(%d) = %d, want %d", q, roundLog2(q), n)
		}
	})
}

// TestRotation checks that Rotation inverts GaloisElement for every rotation, with and without conjugation, and refuses
// all else.
func TestRotation(t *testing.T) {
	for _, logN := range []int{4, 5, 8, 10} {
		p := toy(t, logN)
		twoN := uint64(2 * p.N())
		seen := map[uint64]bool{}
		g := uint64(1)
		for k := range p.MaxSlots() {
			if p.GaloisElement(k) != g || p.GaloisElement(k-p.MaxSlots()) != g || p.GaloisElement(k+3*p.MaxSlots()) != g {
				t.Fatalf("logN %d: element of %d is %d, want %d", logN, k, p.GaloisElement(k), g)
			}
			if k, want := p.p.rings.GaloisElement(k), g; k != want {
				t.Fatalf("Lattigo's element is %d, want %d", k, want)
			}
			for _, conj := range []bool{false, true} {
				e := g
				if conj {
					e = g * p.GaloisElementForConjugation() % twoN
				}
				if k2, c2, ok := p.Rotation(e); !ok || k2 != k || c2 != conj || seen[e] {
					t.Fatalf("logN %d: Rotation(%d) = %d, %v, %v; want %d, %v", logN, e, k2, c2, ok, k, conj)
				}
				seen[e] = true
			}
			g = g * 5 % twoN
		}
		if len(seen) != p.N() {
			t.Errorf("%d elements, want %d", len(seen), p.N())
		}
		for _, e := range []uint64{0, 2, twoN, twoN + 1, math.MaxUint64} {
			if _, _, ok := p.Rotation(e); ok {
				t.Errorf("Rotation(%d) is ok", e)
			}
		}
	}
}

func goldenParameters(t testing.TB) Parameters {
	t.Helper()
	p, err := NewParameters(ParametersLiteral{LogN: 12, LogQ: []int{38, 30}, LogP: []int{38}})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestParametersWire(t *testing.T) {
	p := goldenParameters(t)
	b := encoded(t, p)
	golden(t, "parameters-v1.bin", b)
	golden(t, "parameters-v1.digest", []byte(p.Digest().String()+"\n"))
	if Tagged("signet/parameters/v1", b) != p.Digest() {
		t.Error("the digest is not that of the encoding")
	}
	checkReader(t, b, func(r io.Reader, limit int64) ([]byte, error) {
		p, err := ReadParameters(r, limit)
		if err != nil {
			return nil, err
		}
		return encoded(t, p), nil
	})
	// By hand, from the documentation: magic, version, log2 N, ring, level, flags, secret, weight, scale, counts.
	head := append([]byte("SGPA\x01"), 12, 0, 0, 0, 0, 0, 0, 0, 0, 30, 2, 1)
	if !bytes.HasPrefix(b, head) || len(b) != len(head)+8*6 {
		t.Errorf("encoding is\n%s", hex.Dump(b))
	}
	for name, edit := range map[string]func(b []byte){
		"ring of the reals":     func(b []byte) { b[6] = 1 },
		"toy level":             func(b []byte) { b[7] = 0xff },
		"unknown level":         func(b []byte) { b[7] = 6 },
		"unknown flag":          func(b []byte) { b[8] = 2 },
		"sparse without weight": func(b []byte) { b[8] = 1 },
		"weight without flag":   func(b []byte) { b[10] = 192 },
		"weight of 2^31":        func(b []byte) { b[13] = 0x80 },
		"secret 2":              func(b []byte) { b[9] = 2 },
		"scale 0":               func(b []byte) { b[14] = 0 },
		"no primes":             func(b []byte) { b[15] = 0 },
		"65 primes":             func(b []byte) { b[15] = 65 },
		"33 special primes":     func(b []byte) { b[16] = 33 },
		"negated root":          func(b []byte) { copy(b[len(b)-8:], binaryWord(p.P()[0]-p.Roots()[2])) },
	} {
		bad := bytes.Clone(b)
		edit(bad)
		var f *FormatError
		if _, err := ReadParameters(bytes.NewReader(bad), 4096); !errors.As(err, &f) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// A modulus over the limit is a *SecurityError.
	over := bytes.Clone(b)
	over[5] = 11
	var s *SecurityError
	if _, err := ReadParameters(bytes.NewReader(over), 4096); !errors.As(err, &s) {
		t.Errorf("log2(QP) = 106 at N = 2^11: %v", err)
	}
}

func binaryWord(x uint64) []byte {
	var b [8]byte
	for i := range b {
		b[i] = byte(x >> (8 * i))
	}
	return b[:]
}

func ExampleNewParameters() {
	p, err := NewParameters(ParametersLiteral{LogN: 13, LogQ: []int{50, 36, 36, 36}, LogP: []int{56}})
	fmt.Println(p, err)
	_, err = NewParameters(ParametersLiteral{LogN: 13, LogQ: []int{50, 36, 36, 36, 36}, LogP: []int{56}})
	fmt.Println(err)
	// Output:
	// N=2^13 Q=50+36+36+36 P=56 [classical 128, uniform ternary, N=2^13: log2(QP) = 214.0 of at most 214] <nil>
	// fhe: parameters refused: log2(QP) = 250.00 exceeds 214, the limit of the row classical 128, uniform ternary, N=2^13
}
