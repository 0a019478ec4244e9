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
	ps  *lattice.Params
	enc *rlwe.Encryptor
	row []uint64
}

// NewEncryptor returns an Encryptor with a freshly seeded random stream.
func (k *Key) NewEncryptor() *Encryptor {
	m := k.m()
	return &Encryptor{ps: m.ps, enc: rlwe.NewEncryptor(m.ps.CKKS, m.sk), row: make([]uint64, m.ps.N())}
}

// Format hides the key from every verb of package fmt.
func (e Encryptor) Format(f fmt.State, _ rune) { io.WriteString(f, "secret.Encryptor(hidden)") }

// Encrypt returns limbs [2][level+1][N] of a fresh encryption, with an error of standard deviation 3.2, of the
// polynomial in X^(N/len(coeffs)) with the stated integer coefficients. Their magnitude must stay below half the product
// of the primes up to level, which the caller checks.
func (e *Encryptor) Encrypt(coeffs []int64, level int) ([][][]uint64, error) {
	n := e.ps.N()
	if level < 0 || level > e.ps.MaxLevel() {
		return nil, fmt.Errorf("secret: encrypt at level %d, the parameters have levels 0 to %d", level, e.ps.MaxLevel())
	}
	if len(coeffs) == 0 || len(coeffs) > n || n%len(coeffs) != 0 {
		return nil, fmt.Errorf("secret: encrypt %d coefficients, want a divisor of %d", len(coeffs), n)
	}
	ct := rlwe.NewCiphertext(e.ps.CKKS, 1, level)
	ct.IsNTT = true
	if err := e.enc.EncryptZero(ct); err != nil {
		return nil, fmt.Errorf("secret: encrypt: %w", err)
	}
	for i := range level + 1 {
		s := e.ps.RingQ(i)
		lattice.Expand(s, coeffs, e.row)
		s.NTT(e.row, e.row)
		s.Add(ct.Value[0].Coeffs[i], e.row, ct.Value[0].Coeffs[i])
	}
	clear(e.row)
	return [][][]uint64{ct.Value[0].Coeffs, ct.Value[1].Coeffs}, nil
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
