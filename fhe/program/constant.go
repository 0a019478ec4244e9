package program

import (
	"bytes"
	"fmt"
	"io"
	"math/bits"
	"slices"

	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/internal/wire"
)

// ConstantKind says what a row of a constant is.
type ConstantKind uint8

const (
	// Polynomials: a row holds the 2n coefficients of a plaintext polynomial in X^(N/2n), as fhe.Encoder gives them.
	Polynomials ConstantKind = 1
	// Weights: a row holds the integer weights of one Lincomb.
	Weights ConstantKind = 2
)

// Limits of constants.
const (
	maxRows        = 1 << 16
	maxOperands    = 4096
	maxWeight      = 1 << 31 // exclusive
	maxCoefficient = 1 << 62 // exclusive
	maxConstants   = 1 << 12
)

// Constant is a table of rows of signed integers at one scale, independent of level and of primes. Programs name it by
// digest. It is the model in the clear: whoever holds it can read the weights.
type Constant struct {
	kind     ConstantKind
	scale    fhe.Scale
	logSlots int // Polynomials only
	rows     [][]int64
	encoded  []byte
	digest   fhe.Digest
}

// ConstantInfo is what a program states about a constant that it names.
type ConstantInfo struct {
	Digest   fhe.Digest
	Kind     ConstantKind
	Scale    fhe.Scale
	LogSlots int // Polynomials only
	Rows     int
	Width    int // integers in a row
}

// NewPolynomials returns a constant whose rows are plaintext polynomials of 2^logSlots slots. It takes ownership.
func NewPolynomials(rows [][]int64, logSlots int, scale fhe.Scale) (*Constant, error) {
	if logSlots < 0 || logSlots > 16 {
		return nil, fmt.Errorf("program: constant of 2^%d slots", logSlots)
	}
	return newConstant(Polynomials, rows, 2<<logSlots, logSlots, scale, maxCoefficient)
}

// NewWeights returns a constant whose rows are the weights of linear combinations, each below 2^31 in magnitude. It
// takes ownership.
func NewWeights(rows [][]int64, scale fhe.Scale) (*Constant, error) {
	if len(rows) == 0 || len(rows[0]) == 0 || len(rows[0]) > maxOperands {
		return nil, fmt.Errorf("program: weights need rows of 1 to %d integers", maxOperands)
	}
	return newConstant(Weights, rows, len(rows[0]), 0, scale, maxWeight)
}

func newConstant(kind ConstantKind, rows [][]int64, width, logSlots int, scale fhe.Scale, limit int64) (*Constant, error) {
	if len(rows) == 0 || len(rows) > maxRows || !scale.Valid() {
		return nil, fmt.Errorf("program: constant of %d rows at scale %v", len(rows), scale)
	}
	for i, row := range rows {
		if len(row) != width {
			return nil, fmt.Errorf("program: constant row %d has %d integers, want %d", i, len(row), width)
		}
		for j, c := range row {
			if c <= -limit || c >= limit {
				return nil, fmt.Errorf("program: constant row %d, integer %d: %d is not below %d in magnitude", i, j, c, limit)
			}
		}
	}
	c := &Constant{kind: kind, scale: scale, logSlots: logSlots, rows: rows}
	var b bytes.Buffer
	c.encode(wire.NewWriter(&b))
	c.encoded = b.Bytes()
	c.digest = fhe.Tagged("signet/constant/v1", c.encoded)
	return c, nil
}

// Info returns what a program states about the constant.
func (c *Constant) Info() ConstantInfo {
	return ConstantInfo{c.digest, c.kind, c.scale, c.logSlots, len(c.rows), len(c.rows[0])}
}

// Digest returns the digest of the canonical encoding.
func (c *Constant) Digest() fhe.Digest { return c.digest }

// Row returns row i. The slice is the constant's own.
func (c *Constant) Row(i int) []int64 { return c.rows[i] }

// Bytes returns the size of the encoding.
func (c *Constant) Bytes() int64 { return int64(len(c.encoded)) }

// encode writes kind, shape and scale, then each row in two's complement of the row's own width in bits, least
// significant bit first, padded with zeros to a byte.
func (c *Constant) encode(w *wire.Writer) {
	w.U8(uint8(c.kind))
	w.U8(uint8(c.logSlots))
	encodeScale(w, c.scale)
	w.Uvarint(uint64(len(c.rows)))
	w.Uvarint(uint64(len(c.rows[0])))
	for _, row := range c.rows {
		width := rowBits(row)
		w.U8(uint8(width))
		w.Raw(packRow(row, width))
	}
}

func rowBits(row []int64) int {
	width := 1
	for _, c := range row {
		width = max(width, bits.Len64(uint64(c^c>>63))+1)
	}
	return width
}

func packRow(row []int64, width int) []byte {
	out := make([]byte, 0, (len(row)*width+7)/8)
	var acc, n uint64 // n < 8 bits are pending
	for _, c := range row {
		x, left := uint64(c)&(1<<width-1), width
		for left > 0 {
			take := min(left, 56)
			acc |= x & (1<<take - 1) << n
			n += uint64(take)
			x >>= take
			left -= take
			for n >= 8 {
				out = append(out, byte(acc))
				acc >>= 8
				n -= 8
			}
		}
	}
	if n > 0 {
		out = append(out, byte(acc))
	}
	return out
}

func unpackRow(p []byte, width, count int) []int64 {
	row := make([]int64, count)
	var pos uint
	for i := range row {
		var x uint64
		for b := 0; b < width; {
			take := min(width-b, int(8-pos%8))
			x |= uint64(p[pos/8]>>(pos%8)) & (1<<take - 1) << b
			b += take
			pos += uint(take)
		}
		row[i] = int64(x<<(64-width)) >> (64 - width)
	}
	return row
}

// rowMemory is what a row of the stated number of integers takes in memory, its slice header included.
func rowMemory(width int) int64 { return 8*int64(width) + 24 }

func decodeConstant(r *wire.Reader) *Constant {
	kind, logSlots := ConstantKind(r.U8()), int(r.U8())
	scale := decodeScale(r)
	n, width := r.Len(maxRows, "rows"), r.Len(2<<16, "integers in a row")
	if r.Err() != nil {
		return nil
	}
	if !(kind == Polynomials && logSlots <= 16 && width == 2<<logSlots) && !(kind == Weights && logSlots == 0 && width <= maxOperands) {
		r.Fail("constant of kind %d, 2^%d slots, %d integers in a row", kind, logSlots, width)
		return nil
	}
	var rows [][]int64
	for i := 0; i < n && r.Err() == nil; i++ {
		b := int(r.U8())
		if b < 1 || b > 63 {
			r.Fail("row %d: integers of %d bits", i, b)
		}
		p := r.Bytes((b*width + 7) / 8)
		r.Hold(rowMemory(width))
		if r.Err() != nil {
			return nil
		}
		row := unpackRow(p, b, width)
		if rowBits(row) != b || !bytes.Equal(packRow(row, b), p) {
			r.Fail("row %d is not in canonical form", i)
			return nil
		}
		rows = append(rows, row)
	}
	if r.Err() != nil {
		return nil
	}
	var c *Constant
	var err error
	if kind == Polynomials {
		c, err = NewPolynomials(rows, logSlots, scale)
	} else {
		c, err = NewWeights(rows, scale)
	}
	if err != nil {
		r.Fail("%v", err)
		return nil
	}
	return c
}

// Constants are the constants of one program, found by digest. They are immutable and safe for concurrent use.
type Constants struct {
	list []*Constant
	byID map[fhe.Digest]*Constant
}

// NewConstants returns a set; a constant given twice is kept once.
func NewConstants(list ...*Constant) *Constants {
	s := &Constants{byID: make(map[fhe.Digest]*Constant)}
	for _, c := range list {
		if s.byID[c.digest] == nil {
			s.byID[c.digest] = c
			s.list = append(s.list, c)
		}
	}
	return s
}

// Get returns the constant with the stated digest, or nil.
func (s *Constants) Get(d fhe.Digest) *Constant {
	if s == nil {
		return nil
	}
	return s.byID[d]
}

// Coefficients returns the rows of the constant with the stated digest, or nil. The slices are the constant's own.
func (s *Constants) Coefficients(d fhe.Digest) [][]int64 {
	if c := s.Get(d); c != nil {
		return c.rows
	}
	return nil
}

// All returns the constants in order.
func (s *Constants) All() []*Constant { return slices.Clone(s.list) }

// Bytes returns the size of the wire form.
func (s *Constants) Bytes() int64 {
	n := int64(len(constantsMagic) + 1 + len(binaryUvarint(uint64(len(s.list)))))
	for _, c := range s.list {
		n += c.Bytes()
	}
	return n
}

const (
	constantsMagic   = "SGCO"
	constantsVersion = 1
)

func binaryUvarint(x uint64) []byte {
	var b bytes.Buffer
	wire.NewWriter(&b).Uvarint(x)
	return b.Bytes()
}

// WriteTo writes the wire form.
func (s *Constants) WriteTo(w io.Writer) (int64, error) {
	ww := wire.NewWriter(w)
	ww.Version(constantsMagic, constantsVersion)
	ww.Uvarint(uint64(len(s.list)))
	for _, c := range s.list {
		ww.Raw(c.encoded)
	}
	return ww.N(), ww.Err()
}

// ReadConstants reads the wire form to the end of r. Neither the bytes read nor the memory that the rows take may
// exceed limit: integers of few bits take up to 64 times as much memory as they take on the wire. Of 64 times
// Constants.Bytes there is enough for any set.
func ReadConstants(r io.Reader, limit int64) (*Constants, error) {
	rd := wire.NewReader(r, "constants", limit)
	rd.Version(constantsMagic, constantsVersion)
	n := rd.Len(maxConstants, "constants")
	s := NewConstants()
	for i := 0; i < n && rd.Err() == nil; i++ {
		c := decodeConstant(rd)
		if rd.Err() != nil {
			break
		}
		if s.byID[c.digest] != nil {
			rd.Fail("constant %d appears twice", i)
		}
		s.byID[c.digest] = c
		s.list = append(s.list, c)
	}
	rd.End()
	if rd.Err() != nil {
		return nil, rd.Err()
	}
	return s, nil
}
