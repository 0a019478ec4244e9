package data

import (
	"bufio"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"

	"github.com/signet-ml/signet/ml/internal/sniff"
)

// IDX is the content of an IDX file of unsigned bytes, the format of MNIST.
type IDX struct {
	Shape []int  // 1 to 8 sizes
	Data  []byte // row-major, the product of Shape
}

const maxIDXDims = 8

// ReadIDX reads an IDX file of unsigned bytes from r to its end. The file may be
// compressed with gzip; that is recognised by its first two bytes. It accepts at most
// limit bytes after decompression, and memory follows the bytes received.
//
// It fails with *[FormatError] when the bytes are not such a file: another magic
// number or element type, no or more than eight dimensions, a size of 0, fewer bytes
// than the sizes promise, bytes after them. A web page, a Git LFS pointer, a NumPy array
// and other files that are taken for one are named. The error wraps [ErrLimit] when limit is
// the reason.
func ReadIDX(r io.Reader, limit int64) (IDX, error) {
	fail := func(err error, format string, args ...any) (IDX, error) {
		return IDX{}, &FormatError{Reason: "idx: " + fmt.Sprintf(format, args...), Err: err}
	}
	if limit < 8 {
		return fail(ErrLimit, "limit of %d bytes", limit)
	}
	r, err := decompress(r)
	if err != nil {
		return fail(err, "gzip header")
	}
	head := make([]byte, 4)
	if _, err := io.ReadFull(r, head); err != nil {
		return fail(truncated(err), "reading the magic number")
	}
	if head[0] != 0 || head[1] != 0 {
		more := make([]byte, min(sniff.Len, limit)-4)
		n, _ := io.ReadFull(r, more) // what is wrong is known already
		if kind := sniff.Of(append(slices.Clone(head), more[:n]...)); kind != sniff.Unknown {
			return fail(nil, "%s, not IDX: %s", kind, kind.Remedy("IDX is the format of the four files of MNIST"))
		}
		return fail(nil, "magic number %x, want 0000 08 and the number of dimensions", head)
	}
	if head[2] != 0x08 {
		return fail(nil, "element type %#02x, want 0x08 (unsigned byte)", head[2])
	}
	dims := int(head[3])
	if dims < 1 || dims > maxIDXDims {
		return fail(nil, "%d dimensions, want 1 to %d", dims, maxIDXDims)
	}
	sizes := make([]byte, 4*dims)
	if _, err := io.ReadFull(r, sizes); err != nil {
		return fail(truncated(err), "reading %d sizes", dims)
	}
	idx := IDX{Shape: make([]int, dims)}
	total := int64(1)
	for i := range idx.Shape {
		size := int64(binary.BigEndian.Uint32(sizes[4*i:]))
		if size == 0 {
			return fail(nil, "size %d is 0", i)
		}
		if total > math.MaxInt64/size || size > math.MaxInt || total*size > limit-4-4*int64(dims) {
			return fail(ErrLimit, "sizes need more than %d bytes", limit)
		}
		total *= size
		idx.Shape[i] = int(size)
	}
	idx.Data, err = io.ReadAll(io.LimitReader(r, total+1))
	if err != nil {
		return fail(truncated(err), "reading %v bytes", idx.Shape)
	}
	if int64(len(idx.Data)) < total {
		return fail(io.ErrUnexpectedEOF, "%d of %d bytes", len(idx.Data), total)
	}
	if int64(len(idx.Data)) > total {
		return fail(nil, "bytes after the %d that shape %v needs", total, idx.Shape)
	}
	return idx, nil
}

// decompress returns r, or what gzip makes of it when it starts like a gzip file.
// Callers bound what they read from it.
func decompress(r io.Reader) (io.Reader, error) {
	br := bufio.NewReader(r)
	magic, err := br.Peek(2)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if len(magic) < 2 || magic[0] != 0x1f || magic[1] != 0x8b {
		return br, nil
	}
	zr, err := gzip.NewReader(br)
	if err != nil {
		return nil, truncated(err)
	}
	return zr, nil
}

// truncated turns the end of the input inside a structure into io.ErrUnexpectedEOF.
func truncated(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
