package fixedpoint

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// magic and magic2 start every file; their number changes with the form. Version 2 has an
// encoding or relative scores in its header; a model without either is written in
// version 1.
const (
	magic  = "signet/fixedpoint/v1\n"
	magic2 = "signet/fixedpoint/v2\n"
)

// maxHeader bounds the JSON in front of the weights, tables included, in bytes.
const maxHeader = 1 << 26

// header is what a file says in JSON: all but weights.
type header struct {
	Architecture Architecture `json:"architecture"`
	Scales       []float64    `json:"scales"`
	Calibrated   []float64    `json:"calibrated"`
	Classes      []string     `json:"classes,omitempty"`
	Encoding     Encoding     `json:"encoding,omitzero"`
	Relative     bool         `json:"relative,omitempty"`
}

// magic returns how a file with the header starts.
func (h header) magic() string {
	if h.Encoding.IsZero() && !h.Relative {
		return magic
	}
	return magic2
}

// FormatError reports bytes that are not a model file. Err, when set, is the error
// underneath, for instance io.ErrUnexpectedEOF for a truncated file.
type FormatError struct {
	Reason string
	Err    error
}

func (e *FormatError) Error() string {
	if e.Err != nil {
		return "fixedpoint: model file: " + e.Reason + ": " + e.Err.Error()
	}
	return "fixedpoint: model file: " + e.Reason
}

// Unwrap returns the error underneath, or nil.
func (e *FormatError) Unwrap() error { return e.Err }

// Write writes m: the line "signet/fixedpoint/v1", or v2 where features have an [Encoding]
// or scores are relative, the length of a JSON document as 8 bytes, little-endian, the document, and the weights, then biases of each op that has
// some. A number takes the fewest of 1, 2, 4 and 8 bytes that hold its declared range,
// little-endian two's complement. A model has one such file.
func Write(w io.Writer, m *Model) error {
	h := header{m.Architecture(), m.def.Scales, m.def.Calibrated, m.def.Classes, m.def.Encoding, m.def.Relative}
	doc, err := json.Marshal(h)
	if err != nil {
		return fmt.Errorf("fixedpoint: write model: %w", err)
	}
	if len(doc) > maxHeader {
		return fmt.Errorf("fixedpoint: write model: header of %d bytes, limit %d", len(doc), maxHeader)
	}
	bw := bufio.NewWriterSize(w, 1<<16)
	bw.WriteString(h.magic()) // a bufio.Writer keeps its first error for Flush
	var word [8]byte
	binary.LittleEndian.PutUint64(word[:], uint64(len(doc)))
	bw.Write(word[:])
	bw.Write(doc)
	for _, o := range m.def.Ops {
		l, ok := weighted(o)
		if !ok {
			continue
		}
		for _, part := range l.parts() {
			for _, v := range part.v {
				binary.LittleEndian.PutUint64(word[:], uint64(v))
				bw.Write(word[:part.in.bytes()])
			}
		}
	}
	if err := bw.Flush(); err != nil {
		return fmt.Errorf("fixedpoint: write model: %w", err)
	}
	return nil
}

// Digest returns the SHA-256 of what [Write] writes: the identity of the frozen integers.
func (m *Model) Digest() ([32]byte, error) {
	h := sha256.New()
	err := Write(h, m)
	return [32]byte(h.Sum(nil)), err
}

// weights and biases of a linear layer, with their ranges.
type part struct {
	n  int64 // how many there are
	v  []int64
	in Interval
}

func (l linear) parts() [2]part {
	return [2]part{{int64(l.rows) * int64(l.cols), l.w, l.weight}, {int64(l.rows), l.b, l.bias}}
}

// bytes returns the length of a number of the interval in a file.
func (v Interval) bytes() int {
	for _, n := range []int{1, 2, 4} {
		if half := int64(1) << (8*n - 1); v.Lo >= -half && v.Hi < half {
			return n
		}
	}
	return 8
}

// Read reads a model from r to its end, and at most limit bytes of it. Memory is bounded
// by a small multiple of the bytes received. It accepts what [Write] writes, to the
// byte, so that equal models are equal files.
//
// It fails with *[FormatError] when the bytes are not such a file, including bytes after
// it, and with the error of r when reading fails.
func Read(r io.Reader, limit int64) (*Model, error) {
	left := limit - int64(len(magic)+8)
	if left < 0 {
		return nil, fmt.Errorf("fixedpoint: read model: limit of %d bytes is too small for any model", limit)
	}
	start, err := take(r, int64(len(magic)+8), "first line and length")
	if err != nil {
		return nil, err
	}
	if line := string(start[:len(magic)]); line != magic && line != magic2 {
		return nil, &FormatError{Reason: fmt.Sprintf("does not start with %q or %q", magic, magic2)}
	}
	n := binary.LittleEndian.Uint64(start[len(magic):])
	if n > maxHeader || int64(n) > left {
		return nil, &FormatError{Reason: fmt.Sprintf("header of %d bytes, limit %d", n, min(maxHeader, left))}
	}
	doc, err := take(r, int64(n), "header")
	if err != nil {
		return nil, err
	}
	var h header
	if err := strictJSON(doc, &h); err != nil {
		return nil, &FormatError{Reason: "header", Err: err}
	}
	if again, err := json.Marshal(h); err != nil || !bytes.Equal(again, doc) {
		return nil, &FormatError{Reason: "a header that is spelled in another way than Write does", Err: err}
	}
	if h.magic() != string(start[:len(magic)]) {
		return nil, &FormatError{Reason: "version 1 has no encoding and no relative scores, and version 2 has one of them"}
	}
	a := h.Architecture
	left -= int64(n)
	for i, o := range a.Ops {
		l, ok := weighted(o)
		if !ok {
			continue
		}
		var read [2][]int64
		for k, p := range l.parts() {
			need := p.n * int64(p.in.bytes()) // below 2^57: check bounds rows and columns
			if need > left {
				return nil, &FormatError{Reason: fmt.Sprintf("%d bytes of weights exceed the limit of %d bytes", need, limit)}
			}
			left -= need
			raw, err := take(r, need, "weights of "+o.Name())
			if err != nil {
				return nil, err
			}
			read[k] = decodeInts(raw, p.in.bytes())
		}
		a.Ops[i] = withWeights(o, read[0], read[1])
	}
	if n, err := io.ReadFull(r, start[:1]); n > 0 {
		return nil, &FormatError{Reason: "bytes after the last weight"}
	} else if !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("fixedpoint: read model: %w", err)
	}
	m, err := New(Definition{Architecture: a, Scales: h.Scales, Calibrated: h.Calibrated, Classes: h.Classes, Encoding: h.Encoding, Relative: h.Relative})
	if err != nil {
		return nil, &FormatError{Reason: "contents", Err: err}
	}
	return m, nil
}

// take reads n bytes into memory that grows with what arrives.
func take(r io.Reader, n int64, what string) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, n))
	if err != nil {
		return nil, fmt.Errorf("fixedpoint: read model: %w", err)
	}
	if int64(len(b)) < n {
		return nil, &FormatError{Reason: "reading the " + what, Err: io.ErrUnexpectedEOF}
	}
	return b, nil
}

// decodeInts reads two's complement numbers of so many bytes.
func decodeInts(raw []byte, size int) []int64 {
	v := make([]int64, len(raw)/size)
	var word [8]byte
	for i := range v {
		copy(word[8-size:], raw[i*size:][:size]) // at the top, to be shifted down with its sign
		v[i] = int64(binary.LittleEndian.Uint64(word[:])) >> (64 - 8*size)
	}
	return v
}
