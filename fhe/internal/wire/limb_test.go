package wire

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"
)

// packed is the definition, bit by bit: bit b of word j is bit j·w + b of the string.
func packed(words []uint64, width int) []byte {
	out := make([]byte, LimbBytes(len(words), width))
	for j, v := range words {
		for b := range width {
			at := j*width + b
			out[at/8] |= byte(v>>b&1) << (at % 8)
		}
	}
	return out
}

func TestWidth(t *testing.T) {
	for q, want := range map[uint64]int{2: 1, 3: 2, 4: 2, 5: 3, 97: 7, 1 << 29: 29, 1<<29 + 1: 30, 1<<61 - 1: 61, 1<<61 + 1: 62} {
		if Width(q) != want {
			t.Errorf("%d: %d bits, want %d", q, Width(q), want)
		}
	}
}

// TestLimb compares with the definition and reads back, for every width and lengths on both sides of chunks.
func TestLimb(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := rapid.Uint64Range(1<<(rapid.IntRange(1, 62).Draw(t, "bits")-1)+1, 1<<62).Draw(t, "q")
		words := make([]uint64, rapid.SampledFrom([]int{0, 1, 7, 8, 1023, 1024, 1025, 3000, 4096, 4097, 9999}).Draw(t, "words"))
		x := rapid.Uint64().Draw(t, "start")
		for i := range words {
			words[i] = x % q
			x = x*6364136223846793005 + 1442695040888963407
		}
		if len(words) > 0 {
			words[len(words)-1], words[0] = 0, q-1
		}
		var b bytes.Buffer
		w := NewWriter(&b)
		w.Limb(words, q)
		if w.Err() != nil || !bytes.Equal(b.Bytes(), packed(words, Width(q))) || int64(b.Len()) != LimbBytes(len(words), Width(q)) {
			t.Fatalf("%d words of %d bits: %d bytes, %v", len(words), Width(q), b.Len(), w.Err())
		}
		raw := packed(words, Raw)
		for width, b := range map[int][]byte{Width(q): b.Bytes(), Raw: raw} {
			for _, have := range []int64{0, 1 << 20} { // grown, and allocated at once
				r := NewReader(iotest.HalfReader(bytes.NewReader(b)), "test", have+int64(len(b)))
				r.n = have
				got := r.Limb(len(words), width, q, "x")
				if r.End(); !slices.Equal(got, words) || cap(got) != len(words) || r.Err() != nil {
					t.Fatalf("width %d: %v, capacity %d of %d", width, r.Err(), cap(got), len(words))
				}
			}
		}
	})
}

func TestLimbRefuses(t *testing.T) {
	for _, width := range []int{20, 29, 57, 58, 59, 60, 61, 62, Raw} {
		q := uint64(1)<<(min(width, 62)-1) + 5
		for _, n := range []int{1, 5, 5000} {
			for _, at := range []int{0, n / 2, n - 1} {
				bad := []uint64{q, q + 1, 1<<min(width, 62) - 1}
				if width == Raw {
					bad = append(bad, 1<<63-1, 1<<63, 1<<63+q-1, 1<<64-1)
				}
				for _, v := range bad {
					words := make([]uint64, n)
					words[at] = v
					r := NewReader(bytes.NewReader(packed(words, width)), "test", 1<<20)
					got := r.Limb(n, width, q, "part %d", 3)
					var f *FormatError
					want := fmt.Sprintf("part 3: word %d is %d, not below the prime %d", at, v, q)
					if got != nil || !errors.As(r.Err(), &f) || f.Reason != want {
						t.Errorf("width %d: %v, want %q", width, r.Err(), want)
					}
				}
			}
		}
	}
	// Five words of 20 bits end with half a byte.
	b := packed(make([]uint64, 5), 20)
	b[len(b)-1] = 1 << 4
	r := NewReader(bytes.NewReader(b), "test", 1<<20)
	if r.Limb(5, 20, 1<<20, "x"); r.Err() == nil || !strings.Contains(r.Err().Error(), "x: the bits after the last word") {
		t.Errorf("padding: %v", r.Err())
	}
	for n := range 13 {
		r := NewReader(bytes.NewReader(make([]byte, n)), "test", 1<<20)
		if r.Limb(5, 20, 1<<20, "x"); !errors.Is(r.Err(), io.ErrUnexpectedEOF) {
			t.Errorf("%d bytes: %v", n, r.Err())
		}
	}
	r = NewReader(bytes.NewReader(make([]byte, 13)), "test", 12)
	if r.Limb(5, 20, 1<<20, "x"); !errors.Is(r.Err(), ErrLimit) {
		t.Errorf("limit: %v", r.Err())
	}
}

func FuzzLimb(f *testing.F) {
	f.Add([]byte{1, 2, 3, 4, 5, 6, 7, 8, 9}, uint64(97), 10)
	f.Add(bytes.Repeat([]byte{0xff}, 40), uint64(1<<61-1), 5)
	f.Fuzz(func(t *testing.T, b []byte, q uint64, n int) {
		if q < 2 || q > 1<<62 || n < 0 || n > 1<<12 {
			t.Skip()
		}
		r := NewReader(bytes.NewReader(b), "test", 1<<16)
		words := r.Limb(n, Width(q), q, "x")
		if r.End(); r.Err() != nil {
			return
		}
		var again bytes.Buffer
		if NewWriter(&again).Limb(words, q); !bytes.Equal(again.Bytes(), b) {
			t.Fatal("accepted, and written in another form")
		}
	})
}

func BenchmarkLimb(b *testing.B) {
	const n = 1 << 15
	for _, width := range []int{29, 55, 59, 60, Raw} {
		q := uint64(1)<<min(width, 62) - 5
		words := make([]uint64, n)
		for i := range words {
			words[i] = uint64(i) * 0x9e3779b97f4a7c15 % q
		}
		bits := packed(words, width)
		b.Run(fmt.Sprintf("read/bits=%d", width), func(b *testing.B) {
			b.SetBytes(8 * n)
			for b.Loop() {
				NewReader(bytes.NewReader(bits), "test", 1<<40).Limb(n, width, q, "x")
			}
		})
		b.Run(fmt.Sprintf("write/bits=%d", width), func(b *testing.B) {
			b.SetBytes(8 * n)
			for b.Loop() {
				NewWriter(io.Discard).Limb(words, q)
			}
		})
	}
}
