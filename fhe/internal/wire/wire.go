// Package wire holds the few primitives that every binary format of fhe is written with: little-endian integers,
// bounded lengths, and readers that stop at a limit and allocate by bytes received, never by a length field.
package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// ErrLimit is wrapped by the error of a read that would go past the size limit that the caller gave.
var ErrLimit = errors.New("size limit exceeded")

// FormatError says which artefact could not be read and why.
type FormatError struct {
	Kind   string // the artefact: "parameters", "program", "bundle", …
	Reason string // what was wrong with its bytes
	Err    error  // the underlying error, if any
}

func (e *FormatError) Error() string {
	s := "fhe: read " + e.Kind + ": " + e.Reason
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

func (e *FormatError) Unwrap() error { return e.Err }

// Reader reads little-endian primitives and keeps its first error.
type Reader struct {
	r     io.Reader
	kind  string
	limit int64
	n     int64
	held  int64
	err   error
	buf   [8]byte
	words []byte // scratch of Limb
}

// NewReader returns a Reader of an artefact of the stated kind that consumes at most limit bytes of r.
func NewReader(r io.Reader, kind string, limit int64) *Reader {
	return &Reader{r: r, kind: kind, limit: limit}
}

// N returns the number of bytes consumed.
func (r *Reader) N() int64 { return r.n }

// Err returns the first error.
func (r *Reader) Err() error { return r.err }

// CheckName refuses what no name of a port or scope may be: empty, longer than max bytes, not UTF-8, or with control
// characters in it, which could forge lines of a dump, a log or an error.
func CheckName(s string, max int) error {
	switch {
	case s == "" || len(s) > max:
		return fmt.Errorf("name of %d bytes, need 1 to %d", len(s), max)
	case !utf8.ValidString(s):
		return fmt.Errorf("name %q is not UTF-8", s)
	case strings.ContainsFunc(s, unicode.IsControl):
		return fmt.Errorf("name %q has control characters", s)
	}
	return nil
}

// Fail records a format error unless an earlier one is kept, and returns the kept one.
func (r *Reader) Fail(format string, a ...any) error {
	if r.err == nil {
		r.err = &FormatError{Kind: r.kind, Reason: fmt.Sprintf(format, a...)}
	}
	return r.err
}

// Full fills p.
func (r *Reader) Full(p []byte) {
	if r.err != nil {
		return
	}
	if int64(len(p)) > r.limit-r.n {
		r.err = &FormatError{Kind: r.kind, Reason: fmt.Sprintf("more than %d bytes", r.limit), Err: ErrLimit}
		return
	}
	n, err := io.ReadFull(r.r, p)
	r.n += int64(n)
	if err != nil {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		r.err = &FormatError{Kind: r.kind, Reason: fmt.Sprintf("truncated after %d bytes", r.n), Err: err}
	}
}

// Hold counts n bytes of memory that the caller is about to take for what it read, and fails if all that it took is
// more than the limit. It is for forms that are much smaller than what they stand for.
func (r *Reader) Hold(n int64) {
	if r.held += n; r.err == nil && r.held > r.limit {
		r.err = &FormatError{Kind: r.kind, Reason: fmt.Sprintf("more than %d bytes in memory", r.limit), Err: ErrLimit}
	}
}

// grow returns s with room for more elements: twice its capacity, but at least first and at most n. So a result of n
// elements ends up with exactly that capacity, and a sender has to deliver half of what is allocated.
func grow[T any](s []T, first, n int) []T {
	out := make([]T, len(s), min(n, max(first, 2*cap(s))))
	copy(out, s)
	return out
}

// Bytes reads n bytes, growing the result as they arrive.
func (r *Reader) Bytes(n int) []byte {
	if n < 0 {
		r.Fail("negative length")
		return nil
	}
	out := []byte{}
	for len(out) < n && r.err == nil {
		out = grow(out, 1<<12, n)
		m := len(out)
		out = out[:cap(out)]
		r.Full(out[m:])
	}
	if r.err != nil {
		return nil
	}
	return out
}

// U8 reads one byte.
func (r *Reader) U8() uint8 { r.Full(r.buf[:1]); return r.buf[0] }

// U32 reads four bytes.
func (r *Reader) U32() uint32 { r.Full(r.buf[:4]); return binary.LittleEndian.Uint32(r.buf[:4]) }

// U64 reads eight bytes.
func (r *Reader) U64() uint64 { r.Full(r.buf[:8]); return binary.LittleEndian.Uint64(r.buf[:8]) }

// Uvarint reads an unsigned integer in the shortest base-128 form; a longer form is refused, so that an encoding is
// unique.
func (r *Reader) Uvarint() uint64 {
	var x uint64
	for i := 0; i < 10; i++ {
		b := r.U8()
		if r.err != nil {
			return 0
		}
		if i == 9 && b > 1 || i > 0 && b == 0 {
			r.Fail("non-canonical integer")
			return 0
		}
		x |= uint64(b&0x7f) << (7 * i)
		if b < 0x80 {
			return x
		}
	}
	r.Fail("integer too long")
	return 0
}

// Varint reads a signed integer in zig-zag form.
func (r *Reader) Varint() int64 {
	u := r.Uvarint()
	return int64(u>>1) ^ -int64(u&1)
}

// Len reads a count and refuses one above max.
func (r *Reader) Len(max int, what string) int {
	n := r.Uvarint()
	if r.err == nil && n > uint64(max) {
		r.Fail("%s: %d, at most %d allowed", what, n, max)
	}
	if r.err != nil {
		return 0
	}
	return int(n)
}

// String reads a string of at most max bytes.
func (r *Reader) String(max int, what string) string {
	return string(r.Bytes(r.Len(max, what)))
}

// Version reads the magic string and the version byte, refuses any but the known versions and returns it.
func (r *Reader) Version(magic string, known ...uint8) uint8 {
	m := r.Bytes(len(magic))
	if r.err == nil && string(m) != magic {
		r.Fail("not a %s file (it does not start with %q)", r.kind, magic)
	}
	v := r.U8()
	if r.err == nil && !slices.Contains(known, v) {
		r.Fail("version %d, this build reads %d", v, known)
	}
	return v
}

// End refuses trailing bytes: the underlying reader must be exhausted.
func (r *Reader) End() {
	if r.err != nil {
		return
	}
	var b [1]byte
	n, err := io.ReadFull(r.r, b[:])
	if n != 0 {
		r.Fail("trailing bytes after %d", r.n)
	} else if err != io.EOF {
		r.err = &FormatError{Kind: r.kind, Reason: "at the end", Err: err}
	}
}

// Writer writes little-endian primitives and keeps its first error.
type Writer struct {
	w   io.Writer
	n   int64
	err error
	buf []byte
}

// NewWriter returns a Writer to w.
func NewWriter(w io.Writer) *Writer { return &Writer{w: w} }

// N returns the number of bytes written.
func (w *Writer) N() int64 { return w.n }

// Err returns the first error.
func (w *Writer) Err() error { return w.err }

// Raw writes p.
func (w *Writer) Raw(p []byte) {
	if w.err != nil {
		return
	}
	n, err := w.w.Write(p)
	w.n += int64(n)
	w.err = err
}

// U8 writes one byte.
func (w *Writer) U8(x uint8) { w.Raw([]byte{x}) }

// U32 writes four bytes.
func (w *Writer) U32(x uint32) { w.Raw(binary.LittleEndian.AppendUint32(nil, x)) }

// U64 writes eight bytes.
func (w *Writer) U64(x uint64) { w.Raw(binary.LittleEndian.AppendUint64(nil, x)) }

// Uvarint writes x in its shortest base-128 form.
func (w *Writer) Uvarint(x uint64) { w.Raw(binary.AppendUvarint(nil, x)) }

// Varint writes x in zig-zag form.
func (w *Writer) Varint(x int64) { w.Uvarint(uint64(x)<<1 ^ uint64(x>>63)) }

// String writes a length and the bytes of s.
func (w *Writer) String(s string) { w.Uvarint(uint64(len(s))); w.Raw([]byte(s)) }

// Version writes a magic string and the version byte.
func (w *Writer) Version(magic string, v uint8) { w.Raw([]byte(magic)); w.U8(v) }
