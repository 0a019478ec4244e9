package gnarkx

import (
	"bytes"
	"fmt"

	"github.com/consensys/gnark-crypto/ecc/bn254"
)

// Lengths of compressed points, in bytes.
const (
	g1Bytes = bn254.SizeOfG1AffineCompressed
	g2Bytes = bn254.SizeOfG2AffineCompressed
)

// A decoder reads compressed points and fixed bytes from a buffer and keeps the first error, a *FormatError. It
// allocates nothing by what it reads. gnark's own decoders trust the counts inside the encoding, so they see no byte
// from outside.
type decoder struct {
	what string
	rest []byte
	err  error
}

func newDecoder(what string, b []byte, size int) *decoder {
	d := &decoder{what: what, rest: b}
	if len(b) != size {
		d.fail("%d bytes, not %d", len(b), size)
	}
	return d
}

func (d *decoder) fail(format string, args ...any) {
	if d.err == nil {
		d.err = &FormatError{What: d.what, Reason: fmt.Sprintf(format, args...)}
	}
}

// take returns the next n bytes, or nil after an error.
func (d *decoder) take(n int) []byte {
	if d.err != nil {
		return nil
	}
	b := d.rest[:n]
	d.rest = d.rest[n:]
	return b
}

// fixed reads bytes that can only have one value.
func (d *decoder) fixed(name string, want []byte) {
	if got := d.take(len(want)); got != nil && !bytes.Equal(got, want) {
		d.fail("%s is %x, not %x", name, got, want)
	}
}

// g1 reads a point of G1 that is not the point at infinity. No other bytes give the same point.
func (d *decoder) g1(name string) (p bn254.G1Affine) {
	b := d.take(g1Bytes)
	if b == nil {
		return p
	}
	_, err := p.SetBytes(b) // checks the curve and the subgroup
	again := p.Bytes()
	d.point(name, err, p.IsInfinity(), bytes.Equal(again[:], b))
	return p
}

// g2 is g1 for the second group.
func (d *decoder) g2(name string) (p bn254.G2Affine) {
	b := d.take(g2Bytes)
	if b == nil {
		return p
	}
	_, err := p.SetBytes(b)
	again := p.Bytes()
	d.point(name, err, p.IsInfinity(), bytes.Equal(again[:], b))
	return p
}

func (d *decoder) point(name string, err error, infinity, canonical bool) {
	switch {
	case err != nil:
		d.fail("%s: %v", name, err)
	case infinity:
		d.fail("%s is the point at infinity", name)
	case !canonical:
		d.fail("%s has another encoding", name)
	}
}
