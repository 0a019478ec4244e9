package fhe

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
)

// TestSecurityRows checks every row of the tables at its limit and one bit above. The tables are typed here a second
// time, from [BCC24, Table 5.2] and the guidelines' published output, so that a slip in one shows.
func TestSecurityRows(t *testing.T) {
	gaussian := SecretDistribution{Gaussian: true}
	h := func(n int) SecretDistribution { return SecretDistribution{Hamming: n} }
	for _, row := range []struct {
		level  SecurityLevel
		secret SecretDistribution
		first  int // log2 N of the first limit
		limits []float64
	}{
		{Classical128, SecretDistribution{}, 10, []float64{26, 53, 106, 214, 430, 868, 1747, 3523}},
		{Classical192, SecretDistribution{}, 11, []float64{36, 73, 147, 297, 597, 1199, 2411}},
		{Classical256, SecretDistribution{}, 11, []float64{27, 56, 114, 230, 462, 929, 1866}},
		{Quantum128, SecretDistribution{}, 10, []float64{25, 50, 101, 203, 409, 825, 1663, 3349}},
		{Quantum192, SecretDistribution{}, 11, []float64{34, 69, 140, 283, 570, 1145, 2301}},
		{Quantum256, SecretDistribution{}, 11, []float64{26, 53, 108, 219, 442, 888, 1784}},
		{Classical128, gaussian, 10, []float64{28, 55, 108, 216, 432, 870, 1749, 3525}},
		{Classical192, gaussian, 11, []float64{38, 75, 149, 299, 599, 1201, 2413}},
		{Classical256, gaussian, 11, []float64{30, 58, 119, 232, 464, 931, 1868}},
		{Classical128, h(128), 14, []float64{361, 718, 1450, 2950}},
		{Classical192, h(128), 14, []float64{202, 404, 821, 1700}},
		{Classical256, h(128), 14, []float64{125, 245, 493, 1018}},
		{Quantum128, h(128), 14, []float64{342, 675, 1359, 2775}},
		{Quantum192, h(128), 14, []float64{190, 377, 768, 1575}},
		{Quantum256, h(128), 14, []float64{118, 230, 461, 951}},
		{Classical128, h(256), 14, []float64{413, 818, 1637, 3325}},
		{Classical192, h(256), 14, []float64{270, 531, 1068, 2187}},
		{Classical256, h(256), 14, []float64{194, 378, 772, 1531}},
		{Quantum128, h(256), 14, []float64{387, 768, 1537, 3112}},
		{Quantum192, h(256), 14, []float64{253, 499, 1002, 2043}},
		{Quantum256, h(256), 14, []float64{182, 354, 721, 1425}},
		{Classical128, h(192), 14, []float64{387, 768, 1543, 3137}}, // halfway, rounded down
		{Classical128, h(160), 16, []float64{1496}},
	} {
		for i, limit := range row.limits {
			logN := row.first + i
			t.Run(fmt.Sprintf("level=%v/secret=%v/logN=%d", row.level, row.secret, logN), func(t *testing.T) {
				if l, ok := SecurityLimit(row.level, logN, row.secret); !ok || l != limit {
					t.Errorf("limit %v, %v; want %v", l, ok, limit)
				}
				sec, err := judge("parameters", row.level, logN, row.secret, limit+0.49)
				if err != nil {
					t.Errorf("refused at the limit: %v", err)
				}
				if sparse := row.secret.Hamming > 0; sec.Borderline != sparse || strings.Contains(sec.String(), "BORDERLINE") != sparse {
					t.Errorf("borderline %v: %v", sec.Borderline, sec)
				}
				_, err = judge("parameters", row.level, logN, row.secret, limit+0.5)
				var e *SecurityError
				if !errors.As(err, &e) || e.Limit != limit || e.Value != limit+0.5 {
					t.Fatalf("one bit above: %v", err)
				}
				for _, part := range []string{row.level.String(), row.secret.String(), fmt.Sprintf("N=2^%d", logN), fmt.Sprint(limit), fmt.Sprintf("%.2f", limit+0.5)} {
					if !strings.Contains(err.Error(), part) {
						t.Errorf("error %q does not name %s", err, part)
					}
				}
			})
		}
	}
}

func TestSecurityNoRow(t *testing.T) {
	for _, c := range []struct {
		level  SecurityLevel
		logN   int
		secret SecretDistribution
	}{
		{Classical128, 9, SecretDistribution{}},
		{Classical128, 18, SecretDistribution{}},
		{Classical192, 10, SecretDistribution{}},
		{Quantum256, 10, SecretDistribution{}},
		{Quantum128, 14, SecretDistribution{Gaussian: true}},
		{Classical128, 13, SecretDistribution{Hamming: 192}},
		{Classical128, 16, SecretDistribution{Hamming: 127}},
		{Classical128, 16, SecretDistribution{Hamming: 257}},
		{Classical128, 16, SecretDistribution{Hamming: 32768}},
		{Quantum256 + 1, 14, SecretDistribution{}},
		{insecureLevel, 14, SecretDistribution{}},
	} {
		if l, ok := SecurityLimit(c.level, c.logN, c.secret); ok {
			t.Errorf("%+v has the limit %v", c, l)
		}
		if _, err := judge("parameters", c.level, c.logN, c.secret, 1); err == nil || !strings.Contains(err.Error(), "no row") {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

// split cuts a number of bits into prime sizes of at most 58 bits.
func split(total int) []int {
	k := (total + 57) / 58
	var out []int
	for i := range k {
		out = append(out, total/k+min(1, max(0, total%k-i)))
	}
	return out
}

// TestSecurityGate builds parameters from real primes at the limit of the rows and one bit above it.
func TestSecurityGate(t *testing.T) {
	for logN := 10; logN <= 17; logN++ {
		for level := Classical128; level <= Quantum256; level++ {
			limit, ok := SecurityLimit(level, logN, SecretDistribution{})
			if !ok {
				continue
			}
			name := fmt.Sprintf("level=%v/logN=%d", level, logN)
			if logN <= 13 { // at the limit: NTT tables are built, so only where that is quick
				p, err := NewParameters(ParametersLiteral{LogN: logN, LogQ: split(int(limit)), LogDefaultScale: 20, Security: level})
				if err != nil {
					t.Errorf("%s: %v", name, err)
				} else if p.Security().Limit != limit || math.Round(p.LogQP()) != limit || p.Insecure() {
					t.Errorf("%s: %v", name, p)
				}
			}
			_, err := NewParameters(ParametersLiteral{LogN: logN, LogQ: split(int(limit) + 1), LogDefaultScale: 20, Security: level})
			var e *SecurityError
			if !errors.As(err, &e) || e.Limit != limit || e.What != "parameters" {
				t.Errorf("%s, one bit above: %v", name, err)
			}
		}
	}
	// The special primes count.
	if _, err := NewParameters(ParametersLiteral{LogN: 13, LogQ: []int{50, 36, 36, 36}, LogP: []int{57}}); err == nil {
		t.Error("215 bits with P at N=2^13 were accepted")
	}
}

func TestSparseSecret(t *testing.T) {
	lit := ParametersLiteral{LogN: 14, LogQ: split(387), LogDefaultScale: 40, Secret: SecretDistribution{Hamming: 192}}
	if _, err := NewParameters(lit); err == nil || !strings.Contains(err.Error(), "SparseSecret") {
		t.Errorf("without the option: %v", err)
	}
	lit.SparseSecret = true
	p, err := NewParameters(lit)
	if err != nil {
		t.Fatal(err)
	}
	if !p.Security().Borderline || !strings.Contains(p.String(), "BORDERLINE") {
		t.Errorf("not flagged: %v", p)
	}
	back, err := ReadParameters(strings.NewReader(string(encoded(t, p))), 4096)
	if err != nil || !back.Security().Borderline || !back.Equal(p) {
		t.Errorf("after a round trip: %v, %v", back, err)
	}
	lit.LogQ = split(388)
	var e *SecurityError
	if _, err := NewParameters(lit); !errors.As(err, &e) || !e.Borderline {
		t.Errorf("one bit above: %v", err)
	}
}

// TestCheckKey checks the rule that every switching key is judged by itself.
func TestCheckKey(t *testing.T) {
	p := toy(t, 5)
	for _, level := range []int{-1, 3, 1 << 40} {
		if err := p.CheckKey(level); err == nil {
			t.Errorf("level %d was accepted", level)
		}
	}
	if err := p.CheckKey(2); err != nil {
		t.Error(err)
	}
	// Parameters that pass have keys that pass, so take the toy's level away to see a key refused.
	lit := p.p.lit
	lit.Security = Classical128
	err := (Parameters{&parameters{lit: lit, rings: p.p.rings}}).CheckKey(1)
	var e *SecurityError
	if !errors.As(err, &e) || e.What != "switching key at level 1" || math.Abs(e.Value-86) > 0.1 {
		t.Errorf("key over the limit: %v", err)
	}
	q, err := NewParameters(ParametersLiteral{LogN: 13, LogQ: []int{50, 36, 36, 36}, LogP: []int{56}})
	if err != nil {
		t.Fatal(err)
	}
	for level := range 4 {
		if err := q.CheckKey(level); err != nil {
			t.Error(err)
		}
	}
}

func TestSecurityStrings(t *testing.T) {
	for want, got := range map[string]fmt.Stringer{
		"classical 128": Classical128, "quantum 256": Quantum256, "INSECURE": insecureLevel, "SecurityLevel(6)": SecurityLevel(6),
		"uniform ternary": SecretDistribution{}, "ternary h=192": SecretDistribution{Hamming: 192}, "gaussian σ=3.2": SecretDistribution{Gaussian: true},
	} {
		if got.String() != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
