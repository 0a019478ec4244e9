package secret

import (
	"fmt"
	"io"

	"github.com/signet-ml/signet/fhe/internal/lattice"
	"github.com/tuneinsight/lattigo/v5/core/rlwe"
	"github.com/tuneinsight/lattigo/v5/ring"
)

// Encryptor encrypts under one key. It holds scratch and a random stream of its own: one goroutine at a time.
type Encryptor struct {
	k     func() *material // see Key
	gauss *gaussian
	e     []int8
}

// NewEncryptor returns an Encryptor with a freshly seeded stream of errors.
func (k *Key) NewEncryptor() *Encryptor {
	ps := k.m().ps
	return &Encryptor{k: k.m, gauss: newGaussian(ps), e: make([]int8, ps.N())}
}

// Format hides the key from every verb of package fmt.
func (e Encryptor) Format(f fmt.State, _ rune) { io.WriteString(f, "secret.Encryptor(hidden)") }

// Encrypt returns the two polynomials of a fresh encryption of the polynomial in X^(N/len(coeffs)) with the stated
// integer coefficients: limbs [level+1][N] of -a·s + e + m, and a, expanded from a fresh seed. The error e has standard
// deviation 3.2. The magnitude of the coefficients must stay below half the product of the primes up to level, which
// the caller checks.
func (e *Encryptor) Encrypt(coeffs []int64, level int) (c0 [][]uint64, c1 *lattice.Expansion, err error) {
	k := e.k()
	if err := checkPlaintext(k.ps, coeffs, level); err != nil {
		return nil, nil, err
	}
	c1 = k.ps.ExpandCiphertext(lattice.NewSeed(), level)
	e.gauss.draw(e.e)
	c0 = make([][]uint64, level+1)
	for i := range c0 {
		s, row := k.ps.RingQ(i), make([]uint64, k.ps.N())
		lattice.Expand(s, coeffs, row)
		addResidues(s, e.e, row)
		s.NTT(row, row)
		s.MulCoeffsMontgomeryThenSub(c1.Rows(0)[i], k.row(i), row)
		c0[i] = row
	}
	clear(e.e)
	return c0, c1, nil
}

func checkPlaintext(ps *lattice.Params, coeffs []int64, level int) error {
	n := ps.N()
	if level < 0 || level > ps.MaxLevel() {
		return fmt.Errorf("secret: encrypt at level %d, the parameters have levels 0 to %d", level, ps.MaxLevel())
	}
	if len(coeffs) == 0 || len(coeffs) > n || n%len(coeffs) != 0 {
		return fmt.Errorf("secret: encrypt %d coefficients, want a divisor of %d", len(coeffs), n)
	}
	return nil
}

// Decrypt returns the rows, modulo q_0 … q_level in the coefficient domain, of the plaintext of limbs
// [degree+1][level+1][N] of degree 1 or 2, noise included. It only reads limbs and is safe for concurrent use.
func (key *Key) Decrypt(limbs [][][]uint64) ([][]uint64, error) {
	k := key.m()
	if len(limbs) < 2 || len(limbs) > 3 {
		return nil, fmt.Errorf("secret: decrypt a ciphertext of degree %d, want 1 or 2", len(limbs)-1)
	}
	rows := len(limbs[0])
	if rows == 0 || rows > k.ps.MaxLevel()+1 {
		return nil, fmt.Errorf("secret: decrypt a ciphertext of %d limbs, want 1 to %d", rows, k.ps.MaxLevel()+1)
	}
	ct := &rlwe.Ciphertext{Element: rlwe.Element[ring.Poly]{MetaData: &rlwe.MetaData{}}}
	ct.IsNTT = true
	for _, poly := range limbs {
		if len(poly) != rows {
			return nil, fmt.Errorf("secret: decrypt polynomials of %d and %d limbs", rows, len(poly))
		}
		for _, limb := range poly {
			if len(limb) != k.ps.N() {
				return nil, fmt.Errorf("secret: decrypt a limb of %d words, want %d", len(limb), k.ps.N())
			}
		}
		ct.Value = append(ct.Value, ring.Poly{Coeffs: poly})
	}
	pt := rlwe.NewDecryptor(k.ps.CKKS, k.sk).DecryptNew(ct)
	for i, row := range pt.Value.Coeffs {
		k.ps.RingQ(i).INTT(row, row)
	}
	return pt.Value.Coeffs, nil
}
