package clear

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"math/bits"
	"math/cmplx"

	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/internal/access"
	"github.com/signet-ml/signet/fhe/internal/lattice"
	"github.com/signet-ml/signet/fhe/program"
)

// key is the id that transparent bundles carry. No key has it, so an engine that was given switching keys refuses them,
// and this one refuses what somebody encrypted.
var key = fhe.KeyID{'c', 'l', 'e', 'a', 'r'}

// ErrEncrypted says that a ciphertext is not transparent: part 1 or 2 is not zero.
var ErrEncrypted = errors.New("clear: the ciphertext is encrypted")

// Encode returns a bundle with the one port, as client.Encryptor.Encrypt does: x packed by the port's layout, encoded
// at its scale, and not encrypted. Its ciphertexts are transparent: part 0 is the message, part 1 is zero.
//
// Errors: *fhe.MismatchError if the number of values is not the tensor's, *program.ValueError for a value that the port
// does not allow, one that wraps program.ErrPort if the port is not one of p.
func Encode(p fhe.Parameters, port program.Port, x []float64) (*fhe.Bundle, error) {
	if p.IsZero() {
		return nil, errors.New("clear: encode without parameters")
	}
	slots, err := pack(p, port, x)
	if err != nil {
		return nil, fmt.Errorf("clear: encode: %w", err)
	}
	enc := fhe.NewEncoder(p)
	b := fhe.NewBundle(p, key, port.Program)
	cts := make([]*fhe.Ciphertext, len(slots))
	for i, z := range slots {
		if cts[i], err = encode(enc, z, port.Level, port.Degree, port.LogSlots, port.Scale); err != nil {
			return nil, fmt.Errorf("clear: encode: port %q, ciphertext %d: %w", port.Name, i, err)
		}
	}
	if err := b.Add(port.Name, cts...); err != nil {
		return nil, err
	}
	return b, nil
}

// Decode returns the flat row-major tensor that a port of a transparent bundle holds, as client.Decryptor.ForOwner
// does.
//
// Errors: *fhe.MismatchError for a bundle under a key, of another program or with another port, ErrEncrypted, or one
// that wraps program.ErrPort.
func Decode(port program.Port, b *fhe.Bundle) ([]float64, error) {
	switch {
	case b == nil:
		return nil, errors.New("clear: decode a nil bundle")
	case b.Key() != key:
		return nil, &fhe.MismatchError{What: "key", Want: "none, a transparent bundle", Have: b.Key().String()}
	case !port.Program.IsZero() && !b.Program().IsZero() && port.Program != b.Program():
		return nil, &fhe.MismatchError{What: "program", Want: port.Program.Short(), Have: b.Program().Short()}
	}
	if err := port.CheckBundle(b); err != nil {
		return nil, err
	}
	enc := fhe.NewEncoder(b.Parameters())
	var slots [][]complex128
	for i, ct := range b.Get(port.Name) {
		z, err := reveal(enc, ct)
		if err != nil {
			return nil, fmt.Errorf("clear: decode: port %q, ciphertext %d: %w", port.Name, i, err)
		}
		slots = append(slots, z)
	}
	x, err := unpack(b.Parameters(), port, slots)
	if err != nil {
		return nil, fmt.Errorf("clear: decode: %w", err)
	}
	return x, nil
}

// Reveal returns the slots of a transparent ciphertext: the Opener of a Compare on transparent inputs. It fails with
// ErrEncrypted on any other.
func Reveal(ct *fhe.Ciphertext) ([]complex128, error) {
	if ct == nil {
		return nil, errors.New("clear: reveal a nil ciphertext")
	}
	return reveal(fhe.NewEncoder(ct.Parameters()), ct)
}

func reveal(enc *fhe.Encoder, ct *fhe.Ciphertext) ([]complex128, error) {
	for part := 1; part <= ct.Degree(); part++ {
		for i := range ct.Level() + 1 {
			for _, w := range ct.Limb(part, i) {
				if w != 0 {
					return nil, ErrEncrypted
				}
			}
		}
	}
	rings := access.Lattice(ct.Parameters())
	rows := make([][]uint64, ct.Level()+1)
	for i := range rows {
		rows[i] = make([]uint64, ct.Parameters().N())
		rings.RingQ(i).INTT(ct.Limb(0, i), rows[i])
	}
	return enc.DecodeResidues(rows, ct.LogSlots(), ct.Scale())
}

// encodedBits bounds the coefficients that an fhe.Encoder is asked for.
const encodedBits = 60

// encode returns a transparent ciphertext. Where coefficients at the scale exceed an encoder's integers they are
// multiples of a power of two: a float64 has no more digits anyway.
func encode(enc *fhe.Encoder, slots []complex128, level, degree, logSlots int, scale fhe.Scale) (*fhe.Ciphertext, error) {
	p := enc.Parameters()
	ct, err := fhe.NewCiphertext(p, degree, level, logSlots, scale)
	if err != nil {
		return nil, err
	}
	largest := 0.0
	for _, z := range slots {
		largest = max(largest, cmplx.Abs(z))
	}
	if largest == 0 {
		return ct, nil
	}
	shift := max(0, int(math.Ceil(math.Log2(largest)+scale.Log2()))-encodedBits)
	coeffs, err := enc.Encode(slots, logSlots, scale.Div(fhe.PowerOfTwo(shift)))
	if err != nil {
		return nil, err
	}
	factor := new(big.Int).Lsh(big.NewInt(1), uint(shift))
	for i := range level + 1 {
		s, row := access.Lattice(p).RingQ(i), ct.Limb(0, i)
		lattice.Expand(s, coeffs, row)
		if f := lattice.ResidueBig(factor, s.Modulus); f != 1 {
			for j, w := range row {
				hi, lo := bits.Mul64(w, f)
				row[j] = bits.Rem64(hi, lo, s.Modulus)
			}
		}
		s.NTT(row, row)
	}
	return ct, nil
}
