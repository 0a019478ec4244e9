package commit

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"io"
	"strings"
)

// The file of a reference string: magic, version, provenance with its length, form, rows, points in the first row and
// in each other one, the verifier's points compressed, all points of G1 uncompressed, SHA-256 of all before.
const (
	srsMagic        = "SGSR"
	srsVersion      = 1
	provenanceLocal = "local"
	provenancePtau  = "ptau:"
)

// WriteTo writes the string as a file for ReadSRS.
func (s *SRS) WriteTo(w io.Writer) (int64, error) {
	sum := sha256.New()
	out := &counter{w: bufio.NewWriter(io.MultiWriter(w, sum))}
	out.write([]byte(srsMagic), []byte{srsVersion, byte(len(s.provenance))}, []byte(s.provenance), []byte{byte(s.Form())})
	for _, n := range []int{s.rows, s.first, s.others} {
		out.write(binary.BigEndian.AppendUint32(nil, uint32(n)))
	}
	for _, p := range s.key.secrets() {
		b := p.Bytes()
		out.write(b[:])
	}
	for i := range s.points {
		b := s.points[i].RawBytes()
		out.write(b[:])
	}
	out.flush()
	out.w = bufio.NewWriter(w)
	out.write(sum.Sum(nil))
	out.flush()
	return out.n, out.err
}

// ReadSRS reads what WriteTo wrote, to the end of r, and refuses more than limit bytes. Every point is checked to lie
// on its curve. That the points are powers of secrets is not: see Check. It fails with a *FormatError or r's error.
func ReadSRS(r io.Reader, limit int64) (*SRS, error) {
	d, err := readAll("reference string", r, limit)
	if err != nil {
		return nil, err
	}
	d.checksum()
	d.magic(srsMagic)
	d.version(srsVersion)
	s := &SRS{provenance: string(d.take(int(d.byte())))}
	if d.err == nil && !validProvenance(s.provenance) {
		d.fail("unknown provenance")
	}
	s.key = SRSKey{Form: d.form(), G2: g2Generator}
	s.rows, s.first, s.others = int(d.uint32()), int(d.uint32()), int(d.uint32())
	s.key.S2 = d.pointG2()
	if s.Form() == Compact {
		s.key.T2 = d.pointG2()
	}
	switch {
	case s.rows < 1 || s.rows > maxSide || s.first < 2 || s.others < 0 || s.others > s.first || int64(s.rows)*int64(s.others) > maxCells:
		d.fail("%d rows of %d and %d points", s.rows, s.first, s.others)
	case s.Form() == Rows && (s.rows != 1 || s.others != 0):
		d.fail("more than one row in the rows form")
	}
	n := s.first + (s.rows-1)*s.others
	if !d.has(n, sizeRaw) {
		return nil, d.end()
	}
	if err := s.key.validate(); err != nil {
		return nil, err
	}
	s.points = d.rawPoints(n)
	if err := d.end(); err != nil {
		return nil, err
	}
	return s, nil
}

func validProvenance(p string) bool {
	digest, ok := strings.CutPrefix(p, provenancePtau)
	if !ok {
		return p == provenanceLocal
	}
	b, err := hex.DecodeString(digest)
	return err == nil && len(b) == sha256.Size && hex.EncodeToString(b) == digest
}

// magic reads the four letters that a file starts with.
func (d *decoder) magic(want string) {
	if b := d.take(len(want)); b != nil && string(b) != want {
		d.fail("the file starts otherwise")
	}
}

// checksum takes the SHA-256 off the end and compares it. It guards against accidents, not against forgers.
func (d *decoder) checksum() {
	n := len(d.b) - sha256.Size
	if n < 0 {
		d.fail("too short")
		return
	}
	if sum := sha256.Sum256(d.b[:n]); !bytes.Equal(sum[:], d.b[n:]) {
		d.fail("wrong checksum")
	}
	d.b = d.b[:n]
}

// A counter counts bytes and keeps the first error.
type counter struct {
	w   *bufio.Writer
	n   int64
	err error
}

func (c *counter) write(parts ...[]byte) {
	for _, b := range parts {
		if c.err != nil {
			return
		}
		var n int
		n, c.err = c.w.Write(b)
		c.n += int64(n)
	}
}

func (c *counter) flush() {
	if c.err == nil {
		c.err = c.w.Flush()
	}
}
