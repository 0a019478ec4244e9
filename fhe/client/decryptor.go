package client

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/program"
)

// Decryptor decrypts what was encrypted under one secret key. It is safe for concurrent use.
type Decryptor struct {
	sk  *SecretKey
	enc *fhe.Encoder
}

// NewDecryptor returns a Decryptor under sk.
func NewDecryptor(sk *SecretKey) *Decryptor {
	return &Decryptor{sk: sk, enc: fhe.NewEncoder(sk.params)}
}

// Format prints the id of the key, never the key, for every verb.
func (d *Decryptor) Format(f fmt.State, _ rune) {
	io.WriteString(f, "client.Decryptor("+d.sk.id.String()+")")
}

// ForOwner returns the flat row-major tensor of port.Layout.Shape that the bundle's port holds: for the owner of the
// secret key, and for nobody else.
//
// The values contain the noise of the computation, and the noise depends on the secret key. Who sees such values for
// ciphertexts that he knows can solve for the key (IND-CPA-D, [LM21]); rounding does not help against chosen inputs.
// They must not reach anyone in any form: not the server, not a log, not an answer to "did it work". Check what can be
// checked before decrypting, and let no party see how a decrypted value was received. docs/SECURITY.md says more.
//
// Slots in no run are ignored, and an element in several runs is taken from the first of them; one in none is an error.
// Ciphertexts of degree 1 and 2 are decrypted, in parallel by GOMAXPROCS goroutines. Nothing about the values decides
// whether ForOwner fails. Errors are *fhe.MismatchError, in this order: other "parameters", another "key", another
// "program" (unless port or bundle is bound to none), and a port whose shape is not the one stated; or one that wraps
// program.ErrPort.
//
// [LM21]: https://eprint.iacr.org/2020/1533
func (d *Decryptor) ForOwner(port program.Port, b *fhe.Bundle) ([]float64, error) {
	p := d.sk.params
	if b == nil {
		return nil, errors.New("client: decrypt a nil bundle")
	}
	switch {
	case !b.Parameters().Equal(p):
		have := "none"
		if !b.Parameters().IsZero() {
			have = b.Parameters().Digest().Short()
		}
		return nil, &fhe.MismatchError{What: "parameters", Want: p.Digest().Short(), Have: have}
	case b.Key() != d.sk.id:
		return nil, &fhe.MismatchError{What: "key", Want: d.sk.id.String(), Have: b.Key().String()}
	case !port.Program.IsZero() && !b.Program().IsZero() && port.Program != b.Program():
		return nil, &fhe.MismatchError{What: "program", Want: port.Program.Short(), Have: b.Program().Short()}
	}
	if err := checkOutput(p, port); err != nil {
		return nil, err
	}
	if err := port.CheckBundle(b); err != nil {
		return nil, err
	}
	k, err := program.NewPacker(p, port)
	if err != nil {
		return nil, err
	}
	cts := b.Get(port.Name)
	slots := make([][]complex128, len(cts))
	err = parallel(len(cts), func(i int) error {
		var err error
		slots[i], err = d.slots(cts[i])
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("client: port %q: %w", port.Name, err)
	}
	return k.Unpack(slots)
}

// Open returns the slots of one ciphertext of degree 0 to 2, a tool for the owner of the key who looks for the place
// where a program goes wrong: clear.Compare takes it as a method value. What ForOwner says about its result holds for
// every value on the way, too: none of it may reach anyone else.
//
// A ciphertext does not carry the id of its key: under another key Open gives noise. It fails with a *fhe.MismatchError
// on a ciphertext of other parameters.
func (d *Decryptor) Open(ct *fhe.Ciphertext) ([]complex128, error) {
	if ct == nil {
		return nil, errors.New("client: open a nil ciphertext")
	}
	if p := d.sk.params; !ct.Parameters().Equal(p) {
		return nil, &fhe.MismatchError{What: "parameters", Want: p.Digest().Short(), Have: ct.Parameters().Digest().Short()}
	}
	return d.slots(ct)
}

// slots decrypts, lifts, divides by the scale and decodes one ciphertext.
func (d *Decryptor) slots(ct *fhe.Ciphertext) ([]complex128, error) {
	limbs := make([][][]uint64, ct.Degree()+1)
	for poly := range limbs {
		limbs[poly] = make([][]uint64, ct.Level()+1)
		for i := range limbs[poly] {
			limbs[poly][i] = ct.Limb(poly, i)
		}
	}
	if ct.Degree() == 0 { // a message in the clear: its part 1 is zero
		zero := make([]uint64, d.sk.params.N())
		limbs = append(limbs, slices.Repeat([][]uint64{zero}, ct.Level()+1))
	}
	rows, err := d.sk.key.Decrypt(limbs)
	if err != nil {
		return nil, err
	}
	return d.enc.DecodeResidues(rows, ct.LogSlots(), ct.Scale())
}
