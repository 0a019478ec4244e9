package client

import (
	"fmt"
	"io"
	"math/bits"
	"sync"

	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/internal/access"
	"github.com/signet-ml/signet/fhe/internal/lattice/secret"
	"github.com/signet-ml/signet/fhe/program"
)

// Encryptor packs, encodes and encrypts tensors under one key, secret or public. It is safe for concurrent use.
type Encryptor struct {
	params fhe.Parameters
	id     fhe.KeyID
	noise  int64 // bound of the magnitude of a coefficient of fresh noise
	enc    *fhe.Encoder
	pool   sync.Pool // of scheme: each has scratch and random streams of its own
}

// scheme encrypts coefficients at a level.
type scheme interface {
	encrypt(p fhe.Parameters, coeffs []int64, level, logSlots int, scale fhe.Scale) (*fhe.Ciphertext, error)
}

// NewEncryptor returns an Encryptor under sk, for who holds the secret key. Its ciphertexts are seeded: on the wire
// they take half of the size of those under a public key. The real part of a slot gets an error of standard deviation
// 3.2·√n/scale for n slots.
func NewEncryptor(sk *SecretKey) *Encryptor {
	const largest = 20 // six standard deviations, and the rounding
	e := &Encryptor{params: sk.params, id: sk.id, noise: largest, enc: fhe.NewEncoder(sk.params)}
	e.pool.New = func() any { return secretScheme{sk.key.NewEncryptor()} }
	return e
}

// NewPublicKeyEncryptor returns an Encryptor under pk, for who is to give data to the owner of the secret key, or the
// weights of a model, and cannot decrypt. Each ciphertext is an encryption of zero modulo Q·P, divided by P and
// rounded, plus the message, as in Lattigo. Ciphertexts are not seeded.
//
// A coefficient of the noise has variance (1 + h)/12 for a secret of squared norm h, which is 2N/3 for a uniformly
// ternary one: N/18 for short, where that under the secret key is 10. Without special primes nothing is divided, and
// the variance is 3.2²·(1 + h + 2N/3). In slots, which the secret's slots multiply, the noise has the tails of a
// Laplace distribution. program.NoiseHints.PublicKey tells the noise model.
func NewPublicKeyEncryptor(pk *fhe.PublicKey) *Encryptor {
	p := pk.Parameters()
	e := &Encryptor{params: p, id: pk.Key(), noise: 1 + secret.PublicNoise(access.Lattice(p)), enc: fhe.NewEncoder(p)}
	var limbs [2][][]uint64
	for part := range limbs {
		for i := range pk.Rows() {
			limbs[part] = append(limbs[part], pk.Limb(part, i))
		}
	}
	e.pool.New = func() any { return publicScheme{secret.NewPublicEncryptor(access.Lattice(p), limbs[0], limbs[1])} }
	return e
}

type secretScheme struct{ *secret.Encryptor }

func (s secretScheme) encrypt(p fhe.Parameters, coeffs []int64, level, logSlots int, scale fhe.Scale) (*fhe.Ciphertext, error) {
	c0, c1, err := s.Encrypt(coeffs, level)
	if err != nil {
		return nil, err
	}
	return access.SeededCiphertext(p, c0, c1, logSlots, scale)
}

type publicScheme struct{ *secret.PublicEncryptor }

func (s publicScheme) encrypt(p fhe.Parameters, coeffs []int64, level, logSlots int, scale fhe.Scale) (*fhe.Ciphertext, error) {
	limbs, err := s.Encrypt(coeffs, level)
	if err != nil {
		return nil, err
	}
	return fhe.CiphertextFromLimbs(p, limbs, logSlots, scale)
}

// Format prints the id of the key, never the key, for every verb.
func (e *Encryptor) Format(f fmt.State, _ rune) {
	io.WriteString(f, "client.Encryptor("+e.id.String()+")")
}

// Encrypt returns a bundle with the one port: x, the flat row-major tensor of port.Layout.Shape, packed by port.Layout,
// encoded at port.Scale in 2^port.LogSlots slots and encrypted under the key at port.Level. The bundle carries the id
// of the secret key that decrypts it, and port.Program. Slots in no run hold zero; an element in several runs is placed
// in each. Ciphertexts are encrypted in parallel by GOMAXPROCS goroutines.
//
// Errors: *fhe.MismatchError if the number of values is not the tensor's, *ValueError for the first value that is NaN,
// infinite or above port.Bound in magnitude, one that wraps program.ErrPort if the port is not an input port of the
// key's parameters. No error holds a value.
func (e *Encryptor) Encrypt(port program.Port, x []float64) (*fhe.Bundle, error) {
	if err := checkInput(e.params, port); err != nil {
		return nil, err
	}
	if err := port.CheckValues(x); err != nil {
		return nil, err
	}
	k, err := program.NewPacker(e.params, port)
	if err != nil {
		return nil, err
	}
	limit := coefficientLimit(e.params, port.Level, e.noise)
	cts := make([]*fhe.Ciphertext, port.Count)
	err = parallel(port.Count, func(i int) error {
		slots, err := k.Pack(i, x)
		if err != nil {
			return err
		}
		coeffs, err := e.enc.Encode(slots, port.LogSlots, port.Scale)
		if err != nil || !within(coeffs, limit) { // the encoder's error would show a coefficient
			return fmt.Errorf("ciphertext %d: the values at scale %v do not fit the modulus at level %d", i, port.Scale, port.Level)
		}
		s := e.pool.Get().(scheme)
		defer e.pool.Put(s)
		cts[i], err = s.encrypt(e.params, coeffs, port.Level, port.LogSlots, port.Scale)
		clear(coeffs)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("client: port %q: %w", port.Name, err)
	}
	b := fhe.NewBundle(e.params, e.id, port.Program)
	if err := b.Add(port.Name, cts...); err != nil {
		return nil, err
	}
	return b, nil
}

// coefficientLimit returns the largest magnitude of a coefficient that survives encryption at a level: half of
// q_0 … q_level less the largest noise, or all that an encoder gives. Larger ones would wrap around without an error.
func coefficientLimit(p fhe.Parameters, level int, noise int64) int64 {
	const largest = 1<<62 - 1
	q := uint64(1)
	for i := range level + 1 {
		hi, lo := bits.Mul64(q, p.Prime(i))
		if hi != 0 || lo>>63 != 0 {
			return largest
		}
		q = lo
	}
	return int64(q/2) - noise
}

func within(coeffs []int64, limit int64) bool {
	for _, c := range coeffs {
		if c > limit || c < -limit {
			return false
		}
	}
	return true
}
