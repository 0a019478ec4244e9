package fhe

import (
	"fmt"
	"io"
	"sync"

	"github.com/signet-ml/signet/fhe/internal/lattice"
	"github.com/signet-ml/signet/fhe/internal/wire"
)

// PublicKey lets anyone encrypt for the owner of a secret key: a pair of polynomials b = -a·s + e and a modulo all
// primes of Q and P. It lets nobody decrypt. It is immutable and safe for concurrent use.
type PublicKey struct {
	params Parameters
	key    KeyID
	seed   Seed
	limbs  [2][][]uint64 // [part][Q, then P][N]

	once   sync.Once
	digest Digest
}

// newPublicKey returns a key that takes ownership of its limbs b[row], checked for shape and range, and of the
// expansion that is its other half. fhe/client makes them, by way of package access.
func newPublicKey(p Parameters, key KeyID, b [][]uint64, a *lattice.Expansion) (*PublicKey, error) {
	if p.IsZero() {
		return nil, fmt.Errorf("fhe: public key without parameters")
	}
	k := &PublicKey{params: p, key: key, seed: Seed(a.Seed()), limbs: [2][][]uint64{b, a.Rows(0)}}
	for part, rows := range k.limbs {
		if len(rows) != k.Rows() {
			return nil, fmt.Errorf("fhe: public key part %d: %d rows, want %d", part, len(rows), k.Rows())
		}
		for i, limb := range rows {
			if err := checkLimb(limb, p.N(), p.rowPrime(p.MaxLevel(), i)); err != nil {
				return nil, fmt.Errorf("fhe: public key part %d row %d: %w", part, i, err)
			}
		}
	}
	return k, nil
}

// Parameters returns the parameters of the key.
func (k *PublicKey) Parameters() Parameters { return k.params }

// Key returns the id of the secret key that decrypts what is encrypted under this one.
func (k *PublicKey) Key() KeyID { return k.key }

// Seed returns the seed of part 1.
func (k *PublicKey) Seed() Seed { return k.seed }

// Rows returns the number of limbs of each part: all of Q, then all of P.
func (k *PublicKey) Rows() int { return k.params.MaxLevel() + 1 + k.params.PCount() }

// Limb returns one limb: part 0 is b = -a·s + e, part 1 is a. The slice is the key's own and must not be changed.
func (k *PublicKey) Limb(part, i int) []uint64 { return k.limbs[part][i] }

// Digest returns the digest of the parameters, the key id and every limb. It is computed once.
func (k *PublicKey) Digest() Digest {
	k.once.Do(func() {
		pd := k.params.Digest()
		b := append(append([]byte(nil), pd[:]...), k.key[:]...)
		for _, part := range k.limbs {
			for _, limb := range part {
				d := LimbDigest(limb)
				b = append(b, d[:]...)
			}
		}
		k.digest = Tagged("signet/public-key/v1", b)
	})
	return k.digest
}

const (
	publicKeyMagic       = "SGPK"
	publicKeyVersion     = 1
	publicKeyHeaderBytes = int64(4 + 1 + 32 + 16 + 32) // magic, version, parameters digest, key id and seed
)

// Bytes returns the exact size of the wire form.
func (k *PublicKey) Bytes() int64 { return PublicKeyBytes(k.params) }

// PublicKeyBytes returns the exact size of the wire form of a public key.
func PublicKeyBytes(p Parameters) int64 {
	return publicKeyHeaderBytes + p.rowsBytes(p.MaxLevel(), p.PCount())
}

// WriteTo writes the wire form.
func (k *PublicKey) WriteTo(w io.Writer) (int64, error) {
	ww := wire.NewWriter(w)
	d := k.params.Digest()
	ww.Version(publicKeyMagic, publicKeyVersion)
	ww.Raw(d[:])
	ww.Raw(k.key[:])
	ww.Raw(k.seed[:])
	for i, limb := range k.limbs[0] {
		ww.Limb(limb, k.params.rowPrime(k.params.MaxLevel(), i))
	}
	return ww.N(), ww.Err()
}

// ReadPublicKey reads the wire form under p, at most limit bytes, to the end of r. A key of other parameters is a
// *MismatchError, malformed bytes are a *FormatError. It cannot tell whose key it is: take it from a source that you
// trust, or compare the id and the digest.
func ReadPublicKey(r io.Reader, p Parameters, limit int64) (*PublicKey, error) {
	rd := wire.NewReader(r, "public key", limit)
	rd.Version(publicKeyMagic, publicKeyVersion)
	if err := readParametersDigest(rd, p); err != nil {
		return nil, err
	}
	k := &PublicKey{params: p}
	rd.Full(k.key[:])
	rd.Full(k.seed[:])
	k.limbs[0] = make([][]uint64, k.Rows())
	for i := range k.limbs[0] {
		q := p.rowPrime(p.MaxLevel(), i)
		if k.limbs[0][i] = rd.Limb(p.N(), wire.Width(q), q, "row %d", i); rd.Err() != nil {
			return nil, rd.Err()
		}
	}
	rd.End()
	if rd.Err() != nil {
		return nil, rd.Err()
	}
	k.limbs[1] = p.p.rings.ExpandPublicKey(lattice.Seed(k.seed)).Rows(0)
	return k, nil
}
