package commit

import (
	"bufio"
	"crypto/sha256"
	"encoding/binary"
	"io"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// The file of an opening: magic, version, form, layout, for each block its weights of one or four bytes and its biases
// of eight, the blinds, in the compact form the points P_d uncompressed, SHA-256 of all before. Integers are
// big-endian.
const (
	openingMagic   = "SGOP"
	openingVersion = 1
)

// WriteTo writes the opening as a file for ReadOpening. The file is as secret as the weights.
func (o *Opening) WriteTo(w io.Writer) (int64, error) {
	sum := sha256.New()
	out := &counter{w: bufio.NewWriter(io.MultiWriter(w, sum))}
	out.write([]byte(openingMagic), []byte{openingVersion, byte(o.form)}, o.matrix.layout.encode())
	for _, c := range o.matrix.blocks {
		var b [8]byte
		for _, x := range c.narrow {
			b[0] = byte(x)
			out.write(b[:1])
		}
		for _, x := range c.wide {
			binary.BigEndian.PutUint32(b[:], uint32(x))
			out.write(b[:4])
		}
		for _, x := range c.bias {
			binary.BigEndian.PutUint64(b[:], uint64(x))
			out.write(b[:])
		}
	}
	for i := range o.blinds {
		b := o.blinds[i].Bytes()
		out.write(b[:])
	}
	for i := range o.quotients {
		b := o.quotients[i].RawBytes()
		out.write(b[:])
	}
	out.flush()
	out.w = bufio.NewWriter(w)
	out.write(sum.Sum(nil))
	out.flush()
	return out.n, out.err
}

// ReadOpening reads what WriteTo wrote, to the end of r, and refuses more than limit bytes. Weights are checked against
// their ranges and points to lie on the curve; that they belong to a commitment shows when a proof verifies. It fails
// with a *FormatError or r's error.
func ReadOpening(r io.Reader, limit int64) (*Opening, error) {
	d, err := readAll("opening", r, limit)
	if err != nil {
		return nil, err
	}
	d.checksum()
	d.magic(openingMagic)
	d.version(openingVersion)
	o := &Opening{form: d.form()}
	layout := d.layout()
	if d.err != nil {
		return nil, d.err
	}
	o.matrix = &Matrix{layout: layout, blocks: make([]cells, len(layout.Blocks))}
	for l, b := range layout.Blocks {
		c := &o.matrix.blocks[l]
		if b.isNarrow() {
			c.narrow = integers(d, b.Weight, b.Rows*b.Columns, 1, func(b []byte) int8 { return int8(b[0]) })
		} else {
			c.wide = integers(d, b.Weight, b.Rows*b.Columns, 4, func(b []byte) int32 { return int32(binary.BigEndian.Uint32(b)) })
		}
		c.bias = integers(d, b.Bias, b.Rows, 8, func(b []byte) int64 { return int64(binary.BigEndian.Uint64(b)) })
	}
	m := layout.Rows()
	if n := m * layout.Blinds; d.has(n, fr.Bytes) {
		o.blinds = make([]fr.Element, n)
		for i := range o.blinds {
			o.blinds[i] = d.element()
		}
	}
	if o.form == Compact {
		o.quotients = d.rawPoints(m - 1)
	}
	if err := d.end(); err != nil {
		return nil, err
	}
	return o, nil
}

// integers reads n integers of size bytes each, all in r.
func integers[T int8 | int32 | int64](d *decoder, r Range, n, size int, read func(b []byte) T) []T {
	if !d.has(n, size) {
		return nil
	}
	b, out := d.take(n*size), make([]T, n)
	for i := range out {
		if out[i] = read(b[i*size:]); !r.Contains(int64(out[i])) {
			d.fail("a weight or bias lies outside its range")
			return nil
		}
	}
	return out
}

// encode returns the layout as counts of four bytes, bounds of eight and names with their length.
func (l Layout) encode() []byte {
	uint32s := func(b []byte, ns ...int) []byte {
		for _, n := range ns {
			b = binary.BigEndian.AppendUint32(b, uint32(n))
		}
		return b
	}
	out := uint32s(nil, l.Blinds, l.Accumulators, len(l.Blocks))
	for _, b := range l.Blocks {
		out = binary.BigEndian.AppendUint16(out, uint16(len(b.Name)))
		out = uint32s(append(out, b.Name...), b.Rows, b.Columns)
		for _, x := range []int64{b.Weight.Lo, b.Weight.Hi, b.Bias.Lo, b.Bias.Hi} {
			out = binary.BigEndian.AppendUint64(out, uint64(x))
		}
	}
	return out
}

// layout reads what encode returned.
func (d *decoder) layout() Layout {
	l := Layout{Blinds: int(d.uint32()), Accumulators: int(d.uint32())}
	const least = 2 + 2*4 + 4*8 // bytes of a block without a name
	n := int(d.uint32())
	if !d.has(n, least) {
		return l
	}
	l.Blocks = make([]Block, n)
	for i := range l.Blocks {
		b := &l.Blocks[i]
		b.Name = string(d.take(int(d.byte())<<8 | int(d.byte())))
		b.Rows, b.Columns = int(d.uint32()), int(d.uint32())
		b.Weight = Range{d.int64(), d.int64()}
		b.Bias = Range{d.int64(), d.int64()}
	}
	if d.err == nil {
		if err := l.Validate(); err != nil {
			d.fail("%v", err)
		}
	}
	return l
}
