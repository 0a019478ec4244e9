package wire

import (
	"bytes"
	"errors"
	"io"
	"math"
	"strings"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"
)

func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		u8, u32, u64 := rapid.Uint8().Draw(t, "u8"), rapid.Uint32().Draw(t, "u32"), rapid.Uint64().Draw(t, "u64")
		i64, s := rapid.Int64().Draw(t, "i64"), rapid.String().Draw(t, "string")
		var b bytes.Buffer
		w := NewWriter(&b)
		w.Version("MAGI", 3)
		w.U8(u8)
		w.U32(u32)
		w.U64(u64)
		w.Uvarint(u64)
		w.Varint(i64)
		w.String(s)
		if w.Err() != nil || w.N() != int64(b.Len()) {
			t.Fatalf("%d of %d bytes, %v", w.N(), b.Len(), w.Err())
		}
		size := int64(b.Len())
		r := NewReader(iotest.OneByteReader(&b), "test", size)
		r.Version("MAGI", 3)
		if r.U8() != u8 || r.U32() != u32 || r.U64() != u64 || r.Uvarint() != u64 || r.Varint() != i64 || r.String(1<<20, "string") != s {
			t.Fatal("another value")
		}
		if r.End(); r.Err() != nil || r.N() != size {
			t.Fatal(r.Err())
		}
	})
}

func TestUvarintCanonical(t *testing.T) {
	for _, b := range [][]byte{{0x80, 0}, {0xff, 0x80, 0}, bytes.Repeat([]byte{0xff}, 10), append(bytes.Repeat([]byte{0x80}, 9), 2), bytes.Repeat([]byte{0x81}, 11)} {
		r := NewReader(bytes.NewReader(b), "test", 100)
		var f *FormatError
		if x := r.Uvarint(); x != 0 || !errors.As(r.Err(), &f) || errors.Is(r.Err(), io.ErrUnexpectedEOF) {
			t.Errorf("%x: %d, %v", b, x, r.Err())
		}
	}
	r := NewReader(bytes.NewReader(append(bytes.Repeat([]byte{0xff}, 9), 1)), "test", 100)
	if r.Uvarint() != math.MaxUint64 || r.Err() != nil {
		t.Errorf("2^64-1: %v", r.Err())
	}
}

func TestFirstErrorStays(t *testing.T) {
	r := NewReader(strings.NewReader("abc"), "test", 10)
	r.U8()
	first := r.Fail("reason %d", 1)
	if r.Fail("reason 2"); r.Bytes(1) != nil || r.Limb(1, 8, 9, "x") != nil || r.Len(9, "x") != 0 || r.Uvarint() != 0 || r.String(9, "x") != "" || r.N() != 1 {
		t.Error("a failed reader reads on")
	}
	r.End()
	if r.Err() != first || first.Error() != "fhe: read test: reason 1" {
		t.Error(r.Err())
	}
	r = NewReader(strings.NewReader("abc"), "test", 10)
	if r.Bytes(-1); r.Err() == nil {
		t.Error("negative length")
	}
	w := NewWriter(failing{})
	w.U8(1)
	w.Limb([]uint64{1}, 7)
	if !errors.Is(w.Err(), io.ErrClosedPipe) || w.N() != 0 {
		t.Error(w.Err())
	}
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

// TestAllocation checks that a promise alone allocates little, and that growth stops at the length.
func TestAllocation(t *testing.T) {
	for _, n := range []int{1, 4096, 4097, 100_000} {
		r := NewReader(bytes.NewReader(make([]byte, n)), "test", 1<<40)
		if b := r.Bytes(n); len(b) != n || cap(b) != n {
			t.Errorf("%d bytes: length %d, capacity %d", n, len(b), cap(b))
		}
	}
	if n := testing.AllocsPerRun(10, func() {
		r := NewReader(bytes.NewReader(make([]byte, 10)), "test", 1<<50)
		r.Bytes(1 << 40)
		r = NewReader(bytes.NewReader(make([]byte, 10)), "test", 1<<50)
		r.Limb(1<<40, 60, 1<<59+1, "x")
	}); n > 20 {
		t.Errorf("%v allocations", n)
	}
}

func TestHold(t *testing.T) {
	r := NewReader(strings.NewReader("abc"), "test", 10)
	if r.Hold(4); r.Err() != nil {
		t.Error(r.Err())
	}
	if r.Hold(6); r.Err() != nil {
		t.Error(r.Err())
	}
	if r.Hold(1); !errors.Is(r.Err(), ErrLimit) || r.U8() != 0 {
		t.Errorf("11 bytes of 10: %v", r.Err())
	}
}

func TestCheckName(t *testing.T) {
	for _, s := range []string{"x", "layer/0.weight", "weights π", strings.Repeat("a", 9)} {
		if err := CheckName(s, 20); err != nil {
			t.Error(err)
		}
	}
	for _, s := range []string{"", "123456789012345678901", "a\nb", "\x00", "\x7f", "\u0085", "\xff", "\xed\xa0\x80"} {
		if err := CheckName(s, 20); err == nil {
			t.Errorf("%q was accepted", s)
		}
	}
}
