package commit

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"sync/atomic"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// Sizes of compressed points and of elements, in bytes.
const (
	sizeG1, sizeG2 = bn254.SizeOfG1AffineCompressed, bn254.SizeOfG2AffineCompressed
	sizeRaw        = bn254.SizeOfG1AffineUncompressed
)

// A decoder reads an artefact from bytes in memory. It keeps its first error and returns zero values after it, so that
// callers ask once, at the end. Nothing is allocated for bytes that are not there.
type decoder struct {
	what string
	b    []byte
	err  error
}

// readAll returns a decoder of all that r holds, and refuses more than limit bytes.
func readAll(what string, r io.Reader, limit int64) (*decoder, error) {
	b, err := io.ReadAll(io.LimitReader(r, limit))
	if err != nil {
		return nil, fmt.Errorf("commit: read %s: %w", what, err)
	}
	if int64(len(b)) >= limit {
		if n, _ := io.ReadFull(r, make([]byte, 1)); n > 0 {
			return nil, badFormat(what, "more than the limit of %d bytes", limit)
		}
	}
	return &decoder{what: what, b: b}, nil
}

func (d *decoder) fail(reason string, args ...any) {
	if d.err == nil {
		d.err = badFormat(d.what, reason, args...)
	}
}

// take returns the next n bytes, or nil.
func (d *decoder) take(n int) []byte {
	if d.err != nil || n < 0 || n > len(d.b) {
		d.fail("too short: %d bytes where %d are needed", len(d.b), n)
		return nil
	}
	out := d.b[:n]
	d.b = d.b[n:]
	return out
}

// has reports whether count items of size bytes are left. Callers that allocate for them ask first.
func (d *decoder) has(count, size int) bool {
	if d.err == nil && (count < 0 || count > len(d.b)/size) {
		d.fail("too short for %d items of %d bytes", count, size)
	}
	return d.err == nil
}

func (d *decoder) byte() byte {
	if b := d.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (d *decoder) uint32() uint32 {
	if b := d.take(4); b != nil {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}

func (d *decoder) int64() int64 {
	if b := d.take(8); b != nil {
		return int64(binary.BigEndian.Uint64(b))
	}
	return 0
}

func (d *decoder) version(want byte) {
	if v := d.byte(); d.err == nil && v != want {
		d.fail("version %d: want %d", v, want)
	}
}

func (d *decoder) form() Form {
	f := Form(d.byte())
	if d.err == nil && f.Validate() != nil {
		d.fail("form %d", uint8(f))
	}
	return f
}

func (d *decoder) element() (x fr.Element) {
	if b := d.take(fr.Bytes); b != nil && x.SetBytesCanonical(b) != nil {
		d.fail("an element is not below the modulus")
	}
	return x
}

// pointG1 reads a compressed point. G1 has cofactor 1: every point on the curve is in it.
func (d *decoder) pointG1() (p bn254.G1Affine) {
	b := d.take(sizeG1)
	if b == nil {
		return p
	}
	_, err := p.SetBytes(b)
	if again := p.Bytes(); err != nil || !bytes.Equal(again[:], b) {
		d.fail("bytes are no point of G1")
		return bn254.G1Affine{}
	}
	return p
}

// rawPoints reads n uncompressed points other than zero, on all processors: the form of long lists, for which square
// roots would take seconds.
func (d *decoder) rawPoints(n int) []bn254.G1Affine {
	if !d.has(n, sizeRaw) {
		return nil
	}
	b, out := d.take(n*sizeRaw), make([]bn254.G1Affine, n)
	var bad atomic.Bool
	const part = 1 << 10
	all((n+part-1)/part, func(k int) {
		for i := k * part; i < min(n, (k+1)*part); i++ {
			raw := b[i*sizeRaw:][:sizeRaw]
			_, err := out[i].SetBytes(raw)
			if again := out[i].RawBytes(); err != nil || out[i].IsInfinity() || !bytes.Equal(again[:], raw) {
				bad.Store(true)
			}
		}
	})
	if bad.Load() {
		d.fail("bytes are no point of G1")
		return nil
	}
	return out
}

func (d *decoder) pointG2() (p bn254.G2Affine) {
	b := d.take(sizeG2)
	if b == nil {
		return p
	}
	_, err := p.SetBytes(b)
	if again := p.Bytes(); err != nil || !bytes.Equal(again[:], b) {
		d.fail("bytes are no point of G2")
		return bn254.G2Affine{}
	}
	return p
}

// end returns the first error, or one if bytes are left.
func (d *decoder) end() error {
	if len(d.b) > 0 {
		d.fail("%d bytes too many", len(d.b))
	}
	return d.err
}
