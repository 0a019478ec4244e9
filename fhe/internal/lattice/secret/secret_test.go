package secret

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/cryptotest"

	"github.com/signet-ml/signet/fhe/internal/lattice"
	"github.com/tuneinsight/lattigo/v5/core/rlwe"
	"github.com/tuneinsight/lattigo/v5/ring"
	"github.com/tuneinsight/lattigo/v5/utils/sampling"
)

// rings returns toy rings for the arithmetic: what is tested here does not depend on security.
func rings(t testing.TB, logN int, q, p []int, s lattice.Secret) *lattice.Params {
	t.Helper()
	taken := map[uint64]bool{}
	find := func(sizes []int) (out []uint64) {
		for _, b := range sizes {
			primes, err := lattice.Primes(b, logN+1, 1, true, taken)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, primes...)
		}
		return out
	}
	ps, err := lattice.NewParams(logN, find(q), find(p), s, 30)
	if err != nil {
		t.Fatal(err)
	}
	return ps
}

// toy has three digits at its highest level, the last of one prime.
func toy(t testing.TB) *lattice.Params {
	return rings(t, 10, []int{40, 30, 30, 30, 30}, []int{41, 42}, lattice.Secret{})
}

var elements = []uint64{0, 5, 25, 2047, 2043}

// switchingKey returns limbs [digit][part][row][N].
func switchingKey(k *Key, galois uint64, level int) ([][2][][]uint64, error) {
	b, a, err := k.SwitchingKey(galois, level)
	if err != nil {
		return nil, err
	}
	out := make([][2][][]uint64, len(b))
	for d := range b {
		out[d] = [2][][]uint64{b[d], a.Rows(d)}
	}
	return out, nil
}

// encryption returns limbs [part][row][N].
func encryption(e *Encryptor, coeffs []int64, level int) ([][][]uint64, error) {
	c0, c1, err := e.Encrypt(coeffs, level)
	if err != nil {
		return nil, err
	}
	return [][][]uint64{c0, c1.Rows(0)}, nil
}

func TestAudit(t *testing.T) {
	for _, tt := range []struct {
		name string
		ps   *lattice.Params
	}{
		{"ternary", toy(t)},
		{"gaussian", rings(t, 10, []int{40, 30, 30}, []int{41, 42}, lattice.Secret{Gaussian: true})},
		{"sparse", rings(t, 10, []int{40, 30, 30}, []int{41}, lattice.Secret{Hamming: 64})},
		{"large-primes", rings(t, 11, []int{61, 60, 59}, []int{61, 60}, lattice.Secret{})},
		{"small-ring", rings(t, 5, []int{40, 30, 30}, []int{41, 42}, lattice.Secret{})},
	} {
		k := Generate(tt.ps)
		for level := range tt.ps.MaxLevel() + 1 {
			for _, g := range elements {
				g &= uint64(2*tt.ps.N() - 1)
				limbs, err := switchingKey(k, g, level)
				if err != nil {
					t.Fatal(err)
				}
				if err := k.Audit(g, level, limbs); err != nil {
					t.Errorf("%s, level %d: %v", tt.name, level, err)
				}
			}
		}
	}
}

// copyLimbs returns a deep copy.
func copyLimbs(limbs [][2][][]uint64) [][2][][]uint64 {
	out := make([][2][][]uint64, len(limbs))
	for d := range limbs {
		for part := range limbs[d] {
			for _, row := range limbs[d][part] {
				out[d][part] = append(out[d][part], slices.Clone(row))
			}
		}
	}
	return out
}

// Each defect is put into one limb of a good key, in every digit and row.
func TestAuditFindsDefects(t *testing.T) {
	ps := toy(t)
	k := Generate(ps)
	const level = 3
	for _, g := range []uint64{0, 5} {
		good, err := switchingKey(k, g, level)
		if err != nil {
			t.Fatal(err)
		}
		out := k.m().coeffs
		if g != 0 {
			out = automorphism(k.m().coeffs, inverse(g))
		}
		// mask takes -a·s_out out of b, or puts it in.
		mask := func(s *lattice.SubRing, a, b []uint64, remove bool) {
			row := make([]uint64, ps.N())
			residues(s, out, row)
			s.NTT(row, row)
			s.MForm(row, row)
			if remove {
				s.MulCoeffsMontgomeryThenAdd(a, row, b)
			} else {
				s.MulCoeffsMontgomeryThenSub(a, row, b)
			}
		}
		for _, defect := range []struct {
			name string
			make func(s *lattice.SubRing, a, b []uint64, d, i int)
			want error
		}{
			{"no-mask", func(s *lattice.SubRing, a, b []uint64, d, i int) {
				mask(s, a, b, true)
				clear(a)
			}, ErrUnmasked},
			{"constant-mask", func(s *lattice.SubRing, a, b []uint64, d, i int) {
				mask(s, a, b, true)
				for j := range a {
					a[j] = 12345 * s.Modulus / 99999 // a polynomial of degree 0: a few clusters
				}
				mask(s, a, b, false)
			}, ErrUnmasked},
			{"noise", func(s *lattice.SubRing, a, b []uint64, d, i int) {
				for j := range b {
					b[j] = (b[j] + 1000) % s.Modulus
				}
			}, ErrNoise},
			{"nothing-but-mask", func(s *lattice.SubRing, a, b []uint64, d, i int) {
				clear(b)
				mask(s, a, b, false)
			}, ErrNoise},
			{"other-noise", func(s *lattice.SubRing, a, b []uint64, d, i int) {
				one := make([]uint64, ps.N())
				one[7] = 1
				s.NTT(one, one)
				s.Add(b, one, b)
			}, ErrNoise},
			{"other-row", func(s *lattice.SubRing, a, b []uint64, d, i int) {
				copy(a, b)
			}, ErrNoise},
		} {
			for d := range good {
				for i := range ps.Rows(level) {
					bad := copyLimbs(good)
					defect.make(ps.Row(level, i), bad[d][1][i], bad[d][0][i], d, i)
					err := k.Audit(g, level, bad)
					var a *AuditError
					if !errors.As(err, &a) || !errors.Is(err, defect.want) || a.Digit != d {
						t.Errorf("element %d, digit %d, row %d, %s: %v", g, d, i, defect.name, err)
					}
				}
			}
		}
		reused := copyLimbs(good)
		copy(reused[1][1][2], reused[0][1][2])
		if err := k.Audit(g, level, reused); !errors.Is(err, ErrReused) {
			t.Errorf("a twice: %v", err)
		}
		if err := Generate(ps).Audit(g, level, good); !errors.Is(err, ErrNoise) {
			t.Errorf("another secret's key: %v", err)
		}
		if err := k.Audit(g^4, level, good); err == nil {
			t.Error("another element's key passes")
		}
		if err := k.Audit(g, level-1, good); err == nil {
			t.Error("another level's key passes")
		}
		if err := k.Audit(g, level, good[:1]); err == nil {
			t.Error("a key without its second digit passes")
		}
	}
}

// A key made without levels is at the highest, whatever it is for. Every key here states both.
func TestTrap02ExplicitLevels(t *testing.T) {
	ps := toy(t)
	k := Generate(ps)
	for level := range ps.MaxLevel() + 1 {
		for _, g := range elements {
			limbs, err := switchingKey(k, g, level)
			if err != nil {
				t.Fatal(err)
			}
			if len(limbs) != (level+2)/2 {
				t.Errorf("level %d: %d digits", level, len(limbs))
			}
			for _, digit := range limbs {
				for _, part := range digit {
					if len(part) != level+1+2 {
						t.Errorf("level %d: %d rows", level, len(part))
					}
				}
			}
		}
	}
	// Lattigo's generator makes no switching key here, so that nothing is left to its defaults.
	inspect(t, func(n ast.Node) {
		if call, ok := n.(*ast.CallExpr); ok {
			if sel, ok := call.Fun.(*ast.SelectorExpr); ok && strings.HasPrefix(sel.Sel.Name, "Gen") && sel.Sel.Name != "GenSecretKeyNew" {
				t.Errorf("%s: say here with which levels", sel.Sel.Name)
			}
		}
	})
}

// inspect visits the syntax of this package without its tests.
func inspect(t *testing.T, f func(ast.Node)) {
	names, err := filepath.Glob("*.go")
	if err != nil || len(names) < 5 {
		t.Fatal(names, err)
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool { f(n); return true })
	}
}

// Keys at a level hold nothing above it; Lattigo's evaluator would use them there without an error.
func TestTrap14NothingAboveTheLevel(t *testing.T) {
	k := Generate(toy(t))
	for _, level := range []int{-1, 5} {
		if _, err := switchingKey(k, 0, level); err == nil {
			t.Errorf("key at level %d", level)
		}
		if _, _, err := k.NewEncryptor().Encrypt([]int64{1}, level); err == nil {
			t.Errorf("encryption at level %d", level)
		}
	}
	for _, g := range []uint64{1, 2, 2048, 2049} {
		if _, err := switchingKey(k, g, 1); err == nil {
			t.Errorf("key for element %d", g)
		}
	}
	if _, _, err := Generate(rings(t, 10, []int{40}, nil, lattice.Secret{})).SwitchingKey(0, 0); err == nil {
		t.Error("key without special primes")
	}
}

// Hoisted code needs every special prime in every key, at any level.
func TestTrap15AllSpecialPrimes(t *testing.T) {
	ps := toy(t)
	k := Generate(ps)
	for level := range ps.MaxLevel() + 1 {
		limbs, err := switchingKey(k, 5, level)
		if err != nil {
			t.Fatal(err)
		}
		for i := range ps.PCount() {
			row, q := limbs[0][1][level+1+i], ps.RingP(i).Modulus
			if top := slices.Max(row); top >= q || top < q>>1 { // 1024 uniform words
				t.Errorf("level %d: the row of special prime %d has largest word %d of %d", level, i, top, q)
			}
		}
	}
}

// NewKeyedPRNG accepts a nil key and is then the same stream for everybody. Every stream here is seeded by crypto/rand.
func TestTrap27SeededRandomness(t *testing.T) {
	inspect(t, func(n ast.Node) {
		if id, ok := n.(*ast.Ident); ok && (id.Name == "NewKeyedPRNG" || id.Name == "WithPRNG") {
			t.Errorf("%s in this package", id.Name)
		}
	})
	ps := toy(t)
	draw := func() []any {
		k := Generate(ps)
		key, err := switchingKey(k, 5, 0)
		if err != nil {
			t.Fatal(err)
		}
		again, err := switchingKey(k, 5, 0)
		if err != nil {
			t.Fatal(err)
		}
		ct, err := encryption(k.NewEncryptor(), []int64{1, 2}, 0)
		if err != nil {
			t.Fatal(err)
		}
		if slices.Equal(key[0][1][0], again[0][1][0]) || slices.Equal(key[0][1][0], ct[1][0]) {
			t.Error("two streams are equal")
		}
		return []any{k.Coefficients(), key, again, ct}
	}
	cryptotest.SetGlobalRandom(t, 1)
	one := fmt.Sprint(draw())
	cryptotest.SetGlobalRandom(t, 2)
	two := draw()
	cryptotest.SetGlobalRandom(t, 1)
	if one != fmt.Sprint(draw()) {
		t.Error("randomness from elsewhere than crypto/rand")
	}
	for i, a := range draw() {
		if fmt.Sprint(a) == fmt.Sprint(two[i]) {
			t.Errorf("draw %d does not depend on crypto/rand", i)
		}
	}
}

// pairs returns the χ² statistic of neighbouring coefficients against independent uniform ternary ones: 8 degrees of
// freedom, above 80 with probability below 10^-13.
func pairs(coeffs func() []int8) float64 {
	var n [3][3]float64
	total, chi := 0.0, 0.0
	for range 16 {
		c := coeffs()
		for j := 0; j+1 < len(c); j += 2 { // disjoint pairs are independent
			n[c[j]+1][c[j+1]+1]++
			total++
		}
	}
	for _, row := range n {
		for _, x := range row {
			chi += (x - total/9) * (x - total/9) / (total / 9)
		}
	}
	return chi
}

// Lattigo's sampler for density 2/3 reads the bit after a coefficient's last one as its sign and then again as the
// first bit of the next coefficient, so that -1 is hardly ever followed by 0. Row 30 of the list of traps.
func TestTrap30TernaryCoefficientsIndependent(t *testing.T) {
	ps := rings(t, 12, []int{40, 30}, []int{41}, lattice.Secret{})
	if chi := pairs(func() []int8 { return Generate(ps).Coefficients() }); chi > 80 {
		t.Errorf("neighbouring coefficients depend on one another: χ² = %.0f with 8 degrees of freedom", chi)
	}
	prng, err := sampling.NewPRNG()
	if err != nil {
		t.Fatal(err)
	}
	s, err := ring.NewSampler(prng, ps.CKKS.RingQ(), ring.Ternary{P: 2.0 / 3}, false)
	if err != nil {
		t.Fatal(err)
	}
	chi := pairs(func() []int8 {
		out := make([]int8, ps.N())
		for j, c := range s.ReadNew().Coeffs[0] {
			out[j] = int8(centre(c, ps.RingQ(0).Modulus))
		}
		return out
	})
	t.Logf("Lattigo's sampler: χ² = %.0f; once that is near 8, the sampler of this package is no longer needed", chi)
}

func TestGenerateDistribution(t *testing.T) {
	for name, tt := range map[string]struct {
		secret lattice.Secret
		check  func(mean, square float64, weight int) bool
	}{
		// N = 4096 and 16 keys: tolerances are six standard deviations.
		"ternary":  {lattice.Secret{}, func(m, s float64, _ int) bool { return math.Abs(m) < 0.02 && math.Abs(s-2.0/3) < 0.012 }},
		"gaussian": {lattice.Secret{Gaussian: true}, func(m, s float64, _ int) bool { return math.Abs(m) < 0.08 && math.Abs(s-10.32) < 0.36 }},
		"sparse":   {lattice.Secret{Hamming: 192}, func(m, s float64, w int) bool { return w == 16*192 && math.Abs(m) < 0.006 }},
	} {
		ps := rings(t, 12, []int{40, 30}, []int{41}, tt.secret)
		sum, square, weight := 0.0, 0.0, 0
		for range 16 {
			k := Generate(ps)
			c := k.Coefficients()
			for _, x := range c {
				sum += float64(x)
				square += float64(x) * float64(x)
				if x != 0 {
					weight++
				}
			}
			again, err := FromCoefficients(ps, c)
			if err != nil {
				t.Fatal(err)
			}
			if !again.m().sk.Equal(k.m().sk) {
				t.Fatalf("%s: Lattigo holds another key than the coefficients say", name)
			}
		}
		if n := 16 * float64(ps.N()); !tt.check(sum/n, square/n, weight) {
			t.Errorf("%s: mean %.4f, mean square %.4f, weight %d", name, sum/n, square/n, weight)
		}
	}
}

func TestFromCoefficientsRefuses(t *testing.T) {
	for name, tt := range map[string]struct {
		secret lattice.Secret
		fill   func(j int) int8
	}{
		"zero":           {lattice.Secret{}, func(int) int8 { return 0 }},
		"ones":           {lattice.Secret{}, func(int) int8 { return 1 }},
		"two":            {lattice.Secret{}, func(j int) int8 { return int8(j%3)*2 - 2 }},
		"weight":         {lattice.Secret{Hamming: 64}, func(j int) int8 { return int8(min(j/960, 1)) - int8(min(j/1023, 1)) }},
		"gaussian-large": {lattice.Secret{Gaussian: true}, func(j int) int8 { return int8(j%7) - 3 + 20*int8(j/1023) }},
		"gaussian-small": {lattice.Secret{Gaussian: true}, func(j int) int8 { return int8(j%3) - 1 }},
	} {
		ps := rings(t, 10, []int{40}, nil, tt.secret)
		c := make([]int8, ps.N())
		for j := range c {
			c[j] = tt.fill(j)
		}
		if _, err := FromCoefficients(ps, c); err == nil {
			t.Errorf("%s: no error", name)
		}
		if _, err := FromCoefficients(ps, c[1:]); err == nil {
			t.Errorf("%s, one coefficient less: no error", name)
		}
	}
}

// The half a is what its seed expands to, and every key and ciphertext has another seed.
func TestSeeds(t *testing.T) {
	ps := toy(t)
	k := Generate(ps)
	seen := map[lattice.Seed]bool{}
	fresh := func(a, again *lattice.Expansion) {
		t.Helper()
		if seen[a.Seed()] || a.Seed() == (lattice.Seed{}) {
			t.Error("a seed twice")
		}
		seen[a.Seed()] = true
		for i, row := range again.Rows(0) {
			if !slices.Equal(a.Rows(0)[i], row) {
				t.Errorf("row %d is not the seed's", i)
			}
		}
	}
	e := k.NewEncryptor()
	for level := range ps.MaxLevel() + 1 {
		for _, g := range elements {
			_, a, err := k.SwitchingKey(g, level)
			if err != nil {
				t.Fatal(err)
			}
			fresh(a, ps.ExpandKey(a.Seed(), level))
		}
		_, a, err := e.Encrypt([]int64{1}, level)
		if err != nil {
			t.Fatal(err)
		}
		fresh(a, ps.ExpandCiphertext(a.Seed(), level))
	}
}

// A switching key has the same form as Lattigo's: the audit passes for keys of Lattigo's own generator.
func TestAuditAcceptsLattigo(t *testing.T) {
	ps := toy(t)
	k := Generate(ps)
	q, p := 3, ps.CKKS.MaxLevelP()
	at := rlwe.EvaluationKeyParameters{LevelQ: &q, LevelP: &p}
	kg := rlwe.NewKeyGenerator(ps.CKKS)
	for g, key := range map[uint64]rlwe.GadgetCiphertext{
		0: kg.GenRelinearizationKeyNew(k.m().sk, at).GadgetCiphertext, 25: kg.GenGaloisKeyNew(25, k.m().sk, at).GadgetCiphertext,
	} {
		limbs := make([][2][][]uint64, len(key.Value))
		for d := range limbs {
			for part := range limbs[d] {
				poly := key.Value[d][0][part]
				for i, row := range slices.Concat(poly.Q.Coeffs, poly.P.Coeffs) {
					ps.Row(q, i).IMForm(row, row)
					limbs[d][part] = append(limbs[d][part], row)
				}
			}
		}
		if err := k.Audit(g, q, limbs); err != nil {
			t.Error(err)
		}
	}
}

// moments are those of errors: count, sum, sum of squares, largest magnitude.
type moments struct{ n, sum, square, top float64 }

func (m *moments) add(x int64) {
	f := float64(x)
	m.n, m.sum, m.square, m.top = m.n+1, m.sum+f, m.square+f*f, max(m.top, math.Abs(f))
}

func (m *moments) mean() float64 { return m.sum / m.n }
func (m *moments) std() float64  { return math.Sqrt(m.square/m.n - m.mean()*m.mean()) }

// The noise of a fresh encryption and of a key has mean 0 and standard deviation 3.2 and stops at 19, and two samples
// of it, ours and that of Lattigo's encryptor, have the same distribution by the test of Kolmogorov and Smirnov.
func TestNoiseDistribution(t *testing.T) {
	ps := rings(t, 13, []int{40, 30}, []int{41}, lattice.Secret{})
	k := Generate(ps)
	var ours, theirs, keys, expected moments
	var cdf [2][2*errorBound + 1]float64
	e, stock := k.NewEncryptor(), rlwe.NewEncryptor(ps.CKKS, k.m().sk)
	phase := func(limbs [][][]uint64, m *moments, cdf *[2*errorBound + 1]float64) {
		rows, err := k.Decrypt(limbs)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range rows[0] {
			x := centre(c, ps.RingQ(0).Modulus)
			m.add(x)
			if x < -errorBound || x > errorBound {
				t.Fatalf("an error of %d", x)
			}
			cdf[x+errorBound]++
		}
	}
	const rounds = 16
	for range rounds {
		ct, err := encryption(e, []int64{0}, 1)
		if err != nil {
			t.Fatal(err)
		}
		phase(ct, &ours, &cdf[0])
		zero := rlwe.NewCiphertext(ps.CKKS, 1, 1)
		zero.IsNTT = true
		if err := stock.EncryptZero(zero); err != nil {
			t.Fatal(err)
		}
		phase([][][]uint64{zero.Value[0].Coeffs, zero.Value[1].Coeffs}, &theirs, &cdf[1])
		key, err := switchingKey(k, 0, 1)
		if err != nil {
			t.Fatal(err)
		}
		// On the row of the special prime a key is an encryption of zero.
		s, row, v := ps.RingP(0), make([]uint64, ps.N()), slices.Clone(key[1][0][2])
		residues(s, k.m().coeffs, row)
		s.NTT(row, row)
		s.MForm(row, row)
		s.MulCoeffsMontgomeryThenAdd(key[1][1][2], row, v)
		s.INTT(v, v)
		for _, c := range v {
			keys.add(centre(c, s.Modulus))
		}
	}
	for x := -errorBound; x <= errorBound; x++ {
		expected.square += float64(x*x) * (math.Erf((float64(x)+0.5)/3.2/math.Sqrt2) - math.Erf((float64(x)-0.5)/3.2/math.Sqrt2)) / 2
	}
	want := math.Sqrt(expected.square) // 3.2, and the rounding's 1/12
	for name, m := range map[string]*moments{"encryption": &ours, "key": &keys, "Lattigo": &theirs} {
		// Six standard deviations of a mean and of a standard deviation of n samples.
		if tol := 6 * want / math.Sqrt(m.n); math.Abs(m.mean()) > tol || math.Abs(m.std()-want) > tol/math.Sqrt2 || m.top > errorBound {
			t.Errorf("%s: mean %.4f, standard deviation %.4f (want %.4f), largest %g", name, m.mean(), m.std(), want, m.top)
		}
	}
	distance, a, b := 0.0, 0.0, 0.0
	for i := range cdf[0] {
		a, b = a+cdf[0][i]/ours.n, b+cdf[1][i]/theirs.n
		distance = max(distance, math.Abs(a-b))
	}
	if limit := 3.1 * math.Sqrt(2/ours.n); distance > limit { // exceeded with probability 2·exp(-2·3.1²) < 10^-8
		t.Errorf("the distributions of errors lie %.4f apart, at most %.4f expected", distance, limit)
	}
}

func TestEncryptDecrypt(t *testing.T) {
	ps := toy(t)
	k := Generate(ps)
	e := k.NewEncryptor()
	coeffs := []int64{1 << 25, -1 << 25, 7000, -12345678}
	for level := range ps.MaxLevel() + 1 {
		ct, err := encryption(e, coeffs, level)
		if err != nil {
			t.Fatal(err)
		}
		rows, err := k.Decrypt(ct)
		if err != nil || len(rows) != level+1 {
			t.Fatalf("%d rows, %v", len(rows), err)
		}
		gap := ps.N() / len(coeffs)
		for i, row := range rows {
			for j, c := range row {
				want := int64(0)
				if j%gap == 0 {
					want = coeffs[j/gap]
				}
				if d := centre(c, ps.RingQ(i).Modulus) - want; d < -errorBound || d > errorBound {
					t.Fatalf("level %d, limb %d, coefficient %d is off by %d", level, i, j, d)
				}
			}
		}
		if top := slices.Max(ct[0][level]); top >= ps.RingQ(level).Modulus {
			t.Errorf("word %d is not reduced", top)
		}
	}
	ct, _ := encryption(e, coeffs, 1)
	for name, bad := range map[string][][][]uint64{
		"degree 0": ct[:1], "degree 3": {ct[0], ct[0], ct[0], ct[0]}, "no limbs": {{}, {}},
		"ragged": {ct[0], ct[1][:1]}, "short": {ct[0], {ct[1][0], ct[1][1][:8]}},
		"high": {slices.Repeat(ct[0], 3), slices.Repeat(ct[1], 3)},
	} {
		if _, err := k.Decrypt(bad); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	for _, n := range []int{0, 3, 2048} {
		if _, _, err := e.Encrypt(make([]int64, n), 1); err == nil {
			t.Errorf("%d coefficients: no error", n)
		}
	}
}

// A verb that does not fit makes package fmt follow pointers of unexported fields.
func TestKeyNeverPrinted(t *testing.T) {
	k := Generate(toy(t))
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%t", "%08.3f"} {
		for name, v := range map[string]any{"pointer": k, "value": *k, "slice": []*Key{k}, "encryptor": k.NewEncryptor()} {
			if s := fmt.Sprintf(verb, v); !strings.Contains(s, "(hidden)") || len(s) > 60 {
				t.Errorf("%s of %s: %.200s", verb, name, s)
			}
		}
		for name, v := range map[string]any{"hidden value": struct{ k Key }{*k}, "hidden pointer": struct{ k *Key }{k},
			"pointer to pointer": struct{ k **Key }{&k}, "deep": &struct{ a any }{&struct{ k Key }{*k}}} {
			if s := fmt.Sprintf(verb, v); len(s) > 200 { // addresses, never 1024 coefficients
				t.Errorf("%s of %s: %d bytes", verb, name, len(s))
			}
		}
	}
}
