package client

import (
	"fmt"
	"io"
	"math/bits"
	"sync"

	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/internal/lattice/secret"
	"github.com/signet-ml/signet/fhe/program"
)

// Encryptor packs, encodes and encrypts tensors under one secret key. It is safe for concurrent use.
type Encryptor struct {
	sk   *SecretKey
	enc  *fhe.Encoder
	pool sync.Pool // of *secret.Encryptor: each has scratch and a random stream of its own
}

// NewEncryptor returns an Encryptor under sk.
func NewEncryptor(sk *SecretKey) *Encryptor {
	e := &Encryptor{sk: sk, enc: fhe.NewEncoder(sk.params)}
	e.pool.New = func() any { return sk.key.NewEncryptor() }
	return e
}

// Format prints the id of the key, never the key, for every verb.
func (e *Encryptor) Format(f fmt.State, _ rune) {
	io.WriteString(f, "client.Encryptor("+e.sk.id.String()+")")
}

// Encrypt returns a bundle with the one port: x, the flat row-major tensor of port.Layout.Shape, packed by port.Layout,
// encoded at port.Scale in 2^port.LogSlots slots and encrypted under the secret key at port.Level. The bundle carries
// the key's id and port.Program. Slots in no run hold zero; an element in several runs is placed in each.
//
// Ciphertexts are encrypted in parallel by GOMAXPROCS goroutines. The real part of a slot gets an error of standard
// deviation 3.2·√n/scale for n slots.
//
// Errors: *fhe.MismatchError if the number of values is not the tensor's, *ValueError for the first value that is NaN,
// infinite or above port.Bound in magnitude, one that wraps program.ErrPort if the port is not an input port of the
// key's parameters. No error holds a value.
func (e *Encryptor) Encrypt(port program.Port, x []float64) (*fhe.Bundle, error) {
	p := e.sk.params
	if err := checkInput(p, port); err != nil {
		return nil, err
	}
	if err := port.CheckValues(x); err != nil {
		return nil, err
	}
	k, err := program.NewPacker(p, port)
	if err != nil {
		return nil, err
	}
	limit := coefficientLimit(p, port.Level)
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
		s := e.pool.Get().(*secret.Encryptor)
		defer e.pool.Put(s)
		limbs, err := s.Encrypt(coeffs, port.Level)
		clear(coeffs)
		if err != nil {
			return err
		}
		cts[i], err = fhe.CiphertextFromLimbs(p, limbs, port.LogSlots, port.Scale)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("client: port %q: %w", port.Name, err)
	}
	b := fhe.NewBundle(p, e.sk.id, port.Program)
	if err := b.Add(port.Name, cts...); err != nil {
		return nil, err
	}
	return b, nil
}

// coefficientLimit returns the largest magnitude of a coefficient that survives encryption at a level: half of
// q_0 … q_level less the largest error, or all that an encoder gives. Larger ones would wrap around without an error.
func coefficientLimit(p fhe.Parameters, level int) int64 {
	const largest, slack = 1<<62 - 1, 20
	q := uint64(1)
	for i := range level + 1 {
		hi, lo := bits.Mul64(q, p.Prime(i))
		if hi != 0 || lo>>63 != 0 {
			return largest
		}
		q = lo
	}
	return int64(q/2) - slack
}

func within(coeffs []int64, limit int64) bool {
	for _, c := range coeffs {
		if c > limit || c < -limit {
			return false
		}
	}
	return true
}
