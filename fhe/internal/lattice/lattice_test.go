package lattice

import (
	"math/big"
	"math/bits"
	"testing"

	"pgregory.net/rapid"
)

func params(t testing.TB, logN int) *Params {
	t.Helper()
	taken := map[uint64]bool{}
	q, err := Primes(40, logN+1, 3, false, taken)
	if err != nil {
		t.Fatal(err)
	}
	p, err := Primes(45, logN+1, 2, true, taken)
	if err != nil {
		t.Fatal(err)
	}
	ps, err := NewParams(logN, q, p, Secret{}, 40)
	if err != nil {
		t.Fatal(err)
	}
	return ps
}

// TestNTTOrder checks the documented meaning of a limb: word j is the polynomial at ψ^(2·brev(j)+1), ψ being the root
// that the parameters state. With it a verifier without Lattigo can invert the transform.
func TestNTTOrder(t *testing.T) {
	ps := params(t, 5)
	n, roots := ps.N(), ps.Roots()
	for i := range ps.Rows(ps.MaxLevel()) {
		s := ps.Row(ps.MaxLevel(), i)
		q := new(big.Int).SetUint64(s.Modulus)
		a, limb := make([]uint64, n), make([]uint64, n)
		for k := range a {
			a[k] = uint64(k*k*k+7) * 0x9e3779b97f4a7c15 % s.Modulus
		}
		s.NTT(a, limb)
		for j := range limb {
			brev := bits.Reverse32(uint32(j)) >> (32 - 5)
			x := new(big.Int).Exp(new(big.Int).SetUint64(roots[i]), big.NewInt(int64(2*brev+1)), q)
			sum := new(big.Int)
			for k := n - 1; k >= 0; k-- {
				sum.Mul(sum, x).Add(sum, new(big.Int).SetUint64(a[k])).Mod(sum, q)
			}
			if sum.Uint64() != limb[j] {
				t.Fatalf("row %d, word %d: %d, want %d", i, j, limb[j], sum)
			}
		}
	}
}

// TestConstResidues compares the two residues of a + b·X^(N/2) with its NTT.
func TestConstResidues(t *testing.T) {
	ps := params(t, 5)
	rapid.Check(t, func(t *rapid.T) {
		integer := func(label string) *big.Int {
			x := new(big.Int).SetBytes(rapid.SliceOfN(rapid.Byte(), 0, 30).Draw(t, label))
			if rapid.Bool().Draw(t, "negative") {
				x.Neg(x)
			}
			return x
		}
		a, b := integer("a"), integer("b")
		for i := range ps.Rows(1) {
			s := ps.Row(1, i)
			row, limb := make([]uint64, ps.N()), make([]uint64, ps.N())
			row[0], row[ps.N()/2] = ResidueBig(a, s.Modulus), ResidueBig(b, s.Modulus)
			s.NTT(row, limb)
			first, second := ConstResidues(s, a, b)
			for j, w := range limb {
				if want := first; j < ps.N()/2 && w != want || j >= ps.N()/2 && w != second {
					t.Fatalf("word %d is %d, residues %d and %d", j, w, first, second)
				}
			}
			if f, g := ConstResidues(s, a, nil); f != g || f != row[0] {
				t.Fatal("without b")
			}
			if a.IsInt64() && Residue(a.Int64(), s.Modulus) != row[0] {
				t.Fatalf("Residue(%v)", a)
			}
			if q := new(big.Int).SetUint64(s.Modulus); MForm(s, row[0]) != new(big.Int).Mod(new(big.Int).Lsh(new(big.Int).SetUint64(row[0]), 64), q).Uint64() {
				t.Fatal("MForm")
			}
		}
	})
	for _, c := range []int64{0, -1, 1, -1 << 63, 1<<63 - 1} {
		for _, q := range []uint64{2, 3, 1<<61 - 1} {
			if Residue(c, q) != ResidueBig(big.NewInt(c), q) {
				t.Errorf("%d mod %d is %d", c, q, Residue(c, q))
			}
		}
	}
}

func TestRows(t *testing.T) {
	ps := params(t, 5)
	if ps.MaxLevel() != 2 || ps.PCount() != 2 || ps.Rows(1) != 4 || ps.Row(1, 1) != ps.RingQ(1) || ps.Row(1, 2) != ps.RingP(0) || ps.Row(2, 4) != ps.RingP(1) {
		t.Error("rows")
	}
	for level, want := range []int{1, 1, 2} {
		if ps.Digits(level) != want {
			t.Errorf("%d digits at level %d, want %d", ps.Digits(level), level, want)
		}
	}
}

func TestNewParamsRefuses(t *testing.T) {
	for name, q := range map[string][]uint64{"none": nil, "composite": {97 * 193}, "not 1 mod 2N": {101}} {
		if _, err := NewParams(5, q, nil, Secret{}, 10); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	for _, s := range []Secret{{Gaussian: true}, {Hamming: 8}} {
		if _, err := NewParams(5, []uint64{193}, nil, s, 5); err != nil {
			t.Error(err)
		}
	}
}

// TestPrimesExhausted takes every prime near 2^13 that is 1 mod 2^6 and then one more.
func TestPrimesExhausted(t *testing.T) {
	for _, below := range []bool{true, false} {
		taken := map[uint64]bool{}
		var last uint64
		for {
			p, err := Primes(13, 6, 1, below, taken)
			if err != nil {
				break
			}
			if below && (p[0] >= 1<<13 || last != 0 && p[0] >= last) || p[0]%64 != 1 {
				t.Errorf("prime %d after %d", p[0], last)
			}
			last = p[0]
		}
		if len(taken) < 5 {
			t.Errorf("%d primes", len(taken))
		}
	}
	for _, c := range [][2]int{{5, 6}, {62, 6}, {0, 0}, {-3, 6}, {30, 21}} {
		if p, err := Primes(c[0], c[1], 1, false, map[uint64]bool{}); err == nil {
			t.Errorf("%v: %v", c, p)
		}
	}
}
