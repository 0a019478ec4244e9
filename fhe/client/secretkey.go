package client

import (
	"errors"
	"fmt"
	"io"

	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/internal/access"
	"github.com/signet-ml/signet/fhe/internal/lattice/secret"
	"github.com/signet-ml/signet/fhe/internal/wire"
)

// SecretKey decrypts everything that was encrypted under it. It is immutable and safe for concurrent use. Its text
// form, by any verb of package fmt, is its id.
type SecretKey struct {
	params fhe.Parameters
	id     fhe.KeyID
	key    *secret.Key
}

// ID returns the public name of the key: 16 random bytes that say nothing about it.
func (sk SecretKey) ID() fhe.KeyID { return sk.id }

// Parameters returns the parameters that the key was generated for.
func (sk SecretKey) Parameters() fhe.Parameters { return sk.params }

// String returns the id of the key, never the key.
func (sk SecretKey) String() string { return "client.SecretKey(" + sk.id.String() + ")" }

// GoString returns the id of the key, never the key.
func (sk SecretKey) GoString() string { return sk.String() }

// Format prints the id of the key, never the key, for every verb.
func (sk SecretKey) Format(f fmt.State, _ rune) { io.WriteString(f, sk.String()) }

// Limits and constants of the wire form.
const (
	secretKeyMagic   = "SGSK"
	secretKeyVersion = 1
	secretKeyTag     = "signet/secret-key/v1"
)

// SecretKeyBytes returns the size of the wire form of a secret key: N/4 bytes for a ternary key, N for a Gaussian one,
// and 85 more.
func SecretKeyBytes(p fhe.Parameters) int64 {
	return int64(len(secretKeyMagic)+1+len(fhe.Digest{})+len(fhe.KeyID{})+secretKeyPayload(p)) + int64(len(fhe.Digest{}))
}

func secretKeyPayload(p fhe.Parameters) int {
	if p.Secret().Gaussian {
		return p.N()
	}
	return p.N() / 4
}

// WriteTo writes the wire form, in the clear: magic "SGSK", version 1, the digest of the parameters, the id, the
// coefficients and a digest of all that. A ternary coefficient takes two bits, the first one the lowest (0, 1, and 2
// for -1), a Gaussian one a signed byte. Whoever reads it can decrypt everything: give the file mode 0600.
func (sk SecretKey) WriteTo(w io.Writer) (int64, error) {
	if sk.key == nil {
		return 0, errors.New("client: write secret key: the key is the zero value")
	}
	ww := wire.NewWriter(w)
	pd := sk.params.Digest()
	payload := sk.payload()
	sum := secretKeySum(pd, sk.id, payload)
	ww.Version(secretKeyMagic, secretKeyVersion)
	ww.Raw(pd[:])
	ww.Raw(sk.id[:])
	ww.Raw(payload)
	ww.Raw(sum[:])
	clear(payload)
	return ww.N(), ww.Err()
}

func (sk SecretKey) payload() []byte {
	coeffs := sk.key.Coefficients()
	out := make([]byte, secretKeyPayload(sk.params))
	for j, c := range coeffs {
		if sk.params.Secret().Gaussian {
			out[j] = byte(c)
		} else {
			negative := byte(c) >> 7
			out[j/4] |= (byte(c)&1 + negative) << (2 * (j % 4)) // 1 + 1 = 2 for -1
		}
	}
	return out
}

// secretKeySum finds damage to a stored key, which would else be another key under the same id. It keeps no attacker
// out: who can write the file can compute it.
func secretKeySum(params fhe.Digest, id fhe.KeyID, payload []byte) fhe.Digest {
	return fhe.Tagged(secretKeyTag, params[:], id[:], payload)
}

// ReadSecretKey reads the wire form under p, at most limit bytes, to the end of r. A key of other parameters is a
// *fhe.MismatchError; bytes that are malformed, damaged or hold what the parameters' distribution cannot give are a
// *fhe.FormatError.
func ReadSecretKey(r io.Reader, p fhe.Parameters, limit int64) (*SecretKey, error) {
	if p.IsZero() {
		return nil, errors.New("client: read secret key: no parameters")
	}
	rd := wire.NewReader(r, "secret key", limit)
	rd.Version(secretKeyMagic, secretKeyVersion)
	var pd, sum fhe.Digest
	rd.Full(pd[:])
	if rd.Err() != nil {
		return nil, rd.Err()
	}
	if pd != p.Digest() {
		return nil, &fhe.MismatchError{What: "parameters", Want: p.Digest().Short(), Have: pd.Short()}
	}
	sk := &SecretKey{params: p}
	rd.Full(sk.id[:])
	payload := rd.Bytes(secretKeyPayload(p))
	rd.Full(sum[:])
	rd.End()
	if rd.Err() != nil {
		return nil, rd.Err()
	}
	if sum != secretKeySum(pd, sk.id, payload) {
		return nil, rd.Fail("the digest at the end does not match: the bytes are damaged")
	}
	coeffs := make([]int8, p.N())
	for j := range coeffs {
		if p.Secret().Gaussian {
			coeffs[j] = int8(payload[j])
			continue
		}
		c := payload[j/4] >> (2 * (j % 4)) & 3
		if c == 3 {
			return nil, rd.Fail("a coefficient is not ternary")
		}
		coeffs[j] = int8(c&1) - int8(c>>1)
	}
	var err error
	if sk.key, err = secret.FromCoefficients(access.Lattice(p), coeffs); err != nil {
		return nil, &fhe.FormatError{Kind: "secret key", Reason: "invalid coefficients", Err: err}
	}
	clear(payload)
	clear(coeffs)
	return sk, nil
}
