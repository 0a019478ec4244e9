package fhe

import (
	"fmt"
	"math"
)

// SecretDistribution says how a secret key is drawn. The zero value is uniform ternary: -1, 0 and 1 with probability
// one third each.
type SecretDistribution struct {
	Gaussian bool // σ = 3.2 instead of ternary
	Hamming  int  // ternary with exactly this many non-zero coefficients; needs SparseSecret in the literal
}

func (s SecretDistribution) String() string {
	switch {
	case s.Gaussian:
		return "gaussian σ=3.2"
	case s.Hamming > 0:
		return fmt.Sprintf("ternary h=%d", s.Hamming)
	}
	return "uniform ternary"
}

// SecurityLevel selects the row of the security tables. The zero value is 128 bits against classical attacks, the
// least that NewParameters accepts.
type SecurityLevel uint8

// The rows that can be asked for.
const (
	Classical128 SecurityLevel = iota
	Classical192
	Classical256
	Quantum128
	Quantum192
	Quantum256

	insecureLevel SecurityLevel = 0xff // toy parameters; the number is part of their encoding
)

var levelNames = [...]string{"classical 128", "classical 192", "classical 256", "quantum 128", "quantum 192", "quantum 256"}

func (l SecurityLevel) String() string {
	if l == insecureLevel {
		return "INSECURE"
	}
	if int(l) < len(levelNames) {
		return levelNames[l]
	}
	return fmt.Sprintf("SecurityLevel(%d)", uint8(l))
}

// Security reports by which row of the tables a parameter set was accepted.
type Security struct {
	Row        string  // security level, secret distribution and log2 N, in words
	Limit      float64 // largest log2(QP) of that row
	Value      float64 // log2(QP) of the parameters
	Borderline bool    // accepted by an interpolated limit: see SparseSecret
}

func (s Security) String() string {
	t := fmt.Sprintf("%s: log2(QP) = %.1f of at most %.0f", s.Row, s.Value, s.Limit)
	if s.Borderline {
		t += " (BORDERLINE: sparse secret, interpolated limit)"
	}
	return t
}

// SecurityError says that a modulus is too large for its ring: the row looked up, its limit and the value found.
type SecurityError struct {
	What string // "parameters", or the switching key that was judged
	Security
}

func (e *SecurityError) Error() string {
	if e.Limit == 0 {
		return fmt.Sprintf("fhe: %s refused: no row in the security tables for %s", e.What, e.Row)
	}
	return fmt.Sprintf("fhe: %s refused: log2(QP) = %.2f exceeds %.0f, the limit of the row %s", e.What, e.Value, e.Limit, e.Row)
}

// Largest log2(QP) for σ = 3.19 by log2 N = 10 … 17, in the order of SecurityLevel. [BCC24, Table 5.2]; the quantum
// rows come from the guidelines' published estimator output. A zero means that the table has no such row.
var ternaryLimits = [6][8]float64{
	{26, 53, 106, 214, 430, 868, 1747, 3523},
	{0, 36, 73, 147, 297, 597, 1199, 2411},
	{0, 27, 56, 114, 230, 462, 929, 1866},
	{25, 50, 101, 203, 409, 825, 1663, 3349},
	{0, 34, 69, 140, 283, 570, 1145, 2301},
	{0, 26, 53, 108, 219, 442, 888, 1784},
}

var gaussianLimits = [3][8]float64{
	{28, 55, 108, 216, 432, 870, 1749, 3525},
	{0, 38, 75, 149, 299, 599, 1201, 2413},
	{0, 30, 58, 119, 232, 464, 931, 1868},
}

// Sparse ternary secrets, log2 N = 14 … 17, h = 128 and h = 256: the guideline authors' draft sheet, indicative only,
// hence the explicit option and the Borderline flag.
var sparseLimits = [6][4][2]float64{
	{{361, 413}, {718, 818}, {1450, 1637}, {2950, 3325}},
	{{202, 270}, {404, 531}, {821, 1068}, {1700, 2187}},
	{{125, 194}, {245, 378}, {493, 772}, {1018, 1531}},
	{{342, 387}, {675, 768}, {1359, 1537}, {2775, 3112}},
	{{190, 253}, {377, 499}, {768, 1002}, {1575, 2043}},
	{{118, 182}, {230, 354}, {461, 721}, {951, 1425}},
}

// judge looks up the row and compares round(log2 QP) with its limit. [BCC24, Table 5.2]
func judge(what string, level SecurityLevel, logN int, s SecretDistribution, logQP float64) (Security, error) {
	sec := Security{Row: fmt.Sprintf("%s, %s, N=2^%d", level, s, logN), Value: logQP}
	switch {
	case level > Quantum256:
	case s.Hamming > 0:
		if logN >= 14 && logN <= 17 && s.Hamming >= 128 && s.Hamming <= 256 {
			l := sparseLimits[level][logN-14]
			sec.Limit = math.Floor(l[0] + (l[1]-l[0])*float64(s.Hamming-128)/128)
			sec.Borderline = true
		}
	case logN < 10 || logN > 17:
	case s.Gaussian:
		if int(level) < len(gaussianLimits) {
			sec.Limit = gaussianLimits[level][logN-10]
		}
	default:
		sec.Limit = ternaryLimits[level][logN-10]
	}
	if sec.Limit == 0 || math.Round(logQP) > sec.Limit {
		return sec, &SecurityError{What: what, Security: sec}
	}
	return sec, nil
}

// SecurityLimit returns the largest log2(QP) that NewParameters accepts for a ring degree, a secret and a level, and
// false where the tables have no row.
func SecurityLimit(level SecurityLevel, logN int, s SecretDistribution) (float64, bool) {
	sec, _ := judge("", level, logN, s, 0)
	return sec.Limit, sec.Limit > 0
}
