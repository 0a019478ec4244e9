package commit

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fp"
)

// The sections of a .ptau file that are read, and bounds on what is believed of its table of sections.
const (
	ptauHeader, ptauG1, ptauG2 = 1, 2, 3
	ptauSections               = 64
	ptauPower                  = 28 // of the largest ceremony for this curve
	sizeRawG2                  = bn254.SizeOfG2AffineUncompressed
)

// ReadPtau returns a reference string in the form Rows from the outcome of a powers-of-tau ceremony for BN254, a .ptau
// file of snarkjs, with the first powers of its secret. It reads those points and no others, so the rest of a large
// file may be missing from neither size nor place but is not looked at. Provenance becomes "ptau:" and the SHA-256 of
// the file's points [1] and [s] of G2, which is the same for every file of one ceremony, however many powers it holds.
//
// Every point is checked to lie on its curve; run Check before use, and compare the provenance or the key's digest with
// a source that you trust: a file by itself does not show that its ceremony took place. It fails with a *FormatError or
// r's error.
func ReadPtau(r io.ReaderAt, size int64, powers int) (*SRS, error) {
	f := &ptau{r: r, size: size}
	sections, err := f.sections()
	if err != nil {
		return nil, err
	}
	power, err := f.power(sections[ptauHeader])
	if err != nil {
		return nil, err
	}
	n := int64(1) << power
	if g1 := sections[ptauG1]; g1.size != (2*n-1)*sizeRaw || powers < 2 || int64(powers) > 2*n-1 {
		return nil, badPtau("%d powers of %d in a section of %d bytes", powers, 2*n-1, g1.size)
	}
	if g2 := sections[ptauG2]; g2.size != n*sizeRawG2 {
		return nil, badPtau("a section of %d bytes: want %d points of G2", g2.size, n)
	}
	srs := &SRS{key: SRSKey{Form: Rows, G2: g2Generator}, rows: 1, first: powers}

	g2, err := f.read(sections[ptauG2].at, 2*sizeRawG2)
	if err != nil {
		return nil, err
	}
	one, ok := montgomeryG2(g2)
	secret, ok2 := montgomeryG2(g2[sizeRawG2:])
	if !ok || !ok2 || !one.Equal(&g2Generator) {
		return nil, badPtau("the points of G2 do not start with the generator and another")
	}
	srs.key.S2 = secret
	if err := srs.key.validate(); err != nil {
		return nil, badPtau("[s] is zero or not in G2")
	}
	digest := sha256.Sum256(g2)
	srs.provenance = provenancePtau + hex.EncodeToString(digest[:])

	const strip = 1 << 14
	for at := 0; at < powers; at += strip {
		count := min(strip, powers-at)
		b, err := f.read(sections[ptauG1].at+int64(at)*sizeRaw, count*sizeRaw)
		if err != nil {
			return nil, err
		}
		for i := range count {
			p, ok := montgomeryG1(b[i*sizeRaw:])
			if !ok {
				return nil, badPtau("power %d is no point of G1", at+i)
			}
			srs.points = append(srs.points, p)
		}
	}
	if !srs.points[0].Equal(&g1Generator) {
		return nil, badPtau("the powers do not start with the generator of G1")
	}
	return srs, nil
}

func badPtau(reason string, args ...any) error { return badFormat(".ptau file", reason, args...) }

// A ptau reads parts of a file. Numbers in it are little-endian.
type ptau struct {
	r    io.ReaderAt
	size int64
}

// A section is a part of the file that lies inside it.
type section struct{ at, size int64 }

// read returns n bytes from at on.
func (f *ptau) read(at int64, n int) ([]byte, error) {
	if at < 0 || at > f.size-int64(n) {
		return nil, badPtau("it ends early")
	}
	b := make([]byte, n)
	if got, err := f.r.ReadAt(b, at); got < n {
		if err == nil || errors.Is(err, io.EOF) {
			return nil, badPtau("it ends early")
		}
		return nil, fmt.Errorf("commit: read .ptau file: %w", err)
	}
	return b, nil
}

// sections reads the table of sections: each is preceded by its number and size.
func (f *ptau) sections() (map[uint32]section, error) {
	head, err := f.read(0, 12)
	if err != nil {
		return nil, err
	}
	count := binary.LittleEndian.Uint32(head[8:])
	if string(head[:4]) != "ptau" || binary.LittleEndian.Uint32(head[4:]) != 1 || count > ptauSections {
		return nil, badPtau("it does not start with the name, version 1 and a small number of sections")
	}
	out := map[uint32]section{}
	at := int64(len(head))
	for range count {
		b, err := f.read(at, 12)
		if err != nil {
			return nil, err
		}
		id, size := binary.LittleEndian.Uint32(b), binary.LittleEndian.Uint64(b[4:])
		at += int64(len(b))
		if size > uint64(f.size-at) {
			return nil, badPtau("section %d has %d bytes, %d are left", id, size, f.size-at)
		}
		if _, twice := out[id]; twice {
			return nil, badPtau("section %d occurs twice", id)
		}
		out[id] = section{at, int64(size)}
		at += int64(size)
	}
	if at != f.size {
		return nil, badPtau("%d bytes after its sections", f.size-at)
	}
	for _, id := range []uint32{ptauHeader, ptauG1, ptauG2} {
		if _, ok := out[id]; !ok {
			return nil, badPtau("no section %d", id)
		}
	}
	return out, nil
}

// power reads the header: the field, and the exponent of two that counts the powers.
func (f *ptau) power(s section) (uint32, error) {
	if s.size != 4+fp.Bytes+4+4 {
		return 0, badPtau("a header of %d bytes", s.size)
	}
	b, err := f.read(s.at, int(s.size))
	if err != nil {
		return 0, err
	}
	prime := fp.Modulus().Bytes()
	slices.Reverse(prime)
	if binary.LittleEndian.Uint32(b) != fp.Bytes || !bytes.Equal(b[4:4+fp.Bytes], prime) {
		return 0, badPtau("another curve than BN254")
	}
	power := binary.LittleEndian.Uint32(b[4+fp.Bytes:])
	if power < 1 || power > ptauPower {
		return 0, badPtau("a power of %d", power)
	}
	return power, nil
}

// montgomery reads a coordinate in Montgomery form, which is how it is kept in memory too.
func montgomery(b []byte) (x fp.Element, ok bool) {
	var canonical [fp.Bytes]byte
	for i := range canonical {
		canonical[i] = b[fp.Bytes-1-i]
	}
	if x.SetBytesCanonical(canonical[:]) != nil {
		return x, false
	}
	for i := range x {
		x[i] = binary.LittleEndian.Uint64(b[8*i:])
	}
	return x, true
}

// montgomeryG1 reads a point of G1 other than zero.
func montgomeryG1(b []byte) (p bn254.G1Affine, ok bool) {
	var ok2 bool
	p.X, ok = montgomery(b)
	p.Y, ok2 = montgomery(b[fp.Bytes:])
	return p, ok && ok2 && !p.IsInfinity() && p.IsOnCurve()
}

// montgomeryG2 reads four coordinates, real parts first. It does not check that the point lies in G2.
func montgomeryG2(b []byte) (p bn254.G2Affine, ok bool) {
	ok = true
	for i, x := range []*fp.Element{&p.X.A0, &p.X.A1, &p.Y.A0, &p.Y.A1} {
		var good bool
		*x, good = montgomery(b[i*fp.Bytes:])
		ok = ok && good
	}
	return p, ok
}
