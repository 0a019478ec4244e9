package program

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/signet-ml/signet/fhe"
	"pgregory.net/rapid"
)

// TestPackRow packs and unpacks rows at every width from 1 to 63 bits, and compares with one bit at a time.
func TestPackRow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		width := rapid.IntRange(1, 63).Draw(t, "width")
		lim := int64(1) << (width - 1)
		row := rapid.SliceOfN(rapid.Int64Range(-lim, lim-1), 1, 70).Draw(t, "row")
		if rowBits(row) > width {
			t.Fatalf("rowBits %d above %d", rowBits(row), width)
		}
		p := packRow(row, width)
		if len(p) != (len(row)*width+7)/8 {
			t.Fatalf("%d bytes", len(p))
		}
		for i, c := range row {
			for b := range width {
				if at := i*width + b; p[at/8]>>(at%8)&1 != byte(uint64(c)>>b&1) {
					t.Fatalf("integer %d, bit %d", i, b)
				}
			}
		}
		for at := len(row) * width; at < 8*len(p); at++ {
			if p[at/8]>>(at%8)&1 != 0 {
				t.Fatal("padding is not zero")
			}
		}
		if !slices.Equal(unpackRow(p, width, len(row)), row) {
			t.Fatal("another row")
		}
		// rowBits is the least width that holds every integer.
		if w := rowBits(row); !slices.Equal(unpackRow(packRow(row, w), w, len(row)), row) {
			t.Fatalf("rowBits %d is too small", w)
		} else if w > 1 && slices.Equal(unpackRow(packRow(row, w-1), w-1, len(row)), row) {
			t.Fatalf("rowBits %d is too large", w)
		}
	})
}

func TestConstantsWire(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var list []*Constant
		for range rapid.IntRange(0, 4).Draw(t, "constants") {
			scale := fhe.PowerOfTwo(rapid.IntRange(-50, 50).Draw(t, "scale"))
			logSlots := rapid.IntRange(0, 3).Draw(t, "slots")
			lim, width := int64(maxCoefficient), 2<<logSlots
			poly := rapid.Bool().Draw(t, "polynomials")
			if !poly {
				lim, width = maxWeight, rapid.IntRange(1, 9).Draw(t, "width")
			}
			rows := make([][]int64, rapid.IntRange(1, 4).Draw(t, "rows"))
			for i := range rows {
				m := lim>>rapid.IntRange(0, 30).Draw(t, "shift") - 1
				rows[i] = rapid.SliceOfN(rapid.Int64Range(-m, m), width, width).Draw(t, "row")
			}
			c, err := NewWeights(rows, scale)
			if poly {
				c, err = NewPolynomials(rows, logSlots, scale)
			}
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, c)
		}
		s := NewConstants(list...)
		var b bytes.Buffer
		if n, err := s.WriteTo(&b); err != nil || n != s.Bytes() || n != int64(b.Len()) {
			t.Fatalf("wrote %d of %d bytes: %v", n, s.Bytes(), err)
		}
		limit := max(s.Bytes(), memoryOf(s))
		if _, err := ReadConstants(bytes.NewReader(b.Bytes()), limit-1); !errors.Is(err, fhe.ErrLimit) {
			t.Fatalf("limit of %d, one too few: %v", limit-1, err)
		}
		back, err := ReadConstants(bytes.NewReader(b.Bytes()), limit)
		if err != nil {
			t.Fatal(err)
		}
		for i, c := range s.All() {
			d := back.All()[i]
			if d.Info() != c.Info() || !slices.EqualFunc(d.rows, c.rows, slices.Equal) || back.Get(c.Digest()) != d || !slices.Equal(back.Coefficients(c.Digest())[0], c.Row(0)) {
				t.Fatal("another constant")
			}
		}
	})
	_, consts := everything(t)
	more := max(0, memoryOf(consts)-consts.Bytes()) // the memory decides
	checkReader(t, encoded(t, consts), func(r io.Reader, limit int64) ([]byte, error) {
		s, err := ReadConstants(r, limit+more)
		if err != nil {
			return nil, err
		}
		return encoded(t, s), nil
	})
	var none *Constants
	if none.Get(fhe.Digest{}) != nil || consts.Get(fhe.Digest{}) != nil || consts.Coefficients(fhe.Digest{}) != nil {
		t.Error("a constant that is not there")
	}
	c := weights(t, fhe.PowerOfTwo(0), []int64{1})
	if len(NewConstants(c, c, weights(t, fhe.PowerOfTwo(0), []int64{1})).All()) != 1 {
		t.Error("a constant twice is kept twice")
	}
}

// TestConstantsBomb reads many integers of one bit: what they take in memory counts against the limit before it is
// taken.
func TestConstantsBomb(t *testing.T) {
	rows := make([][]int64, 64)
	for i := range rows {
		rows[i] = make([]int64, 1<<15)
	}
	c, err := NewPolynomials(rows, 14, fhe.PowerOfTwo(0))
	if err != nil {
		t.Fatal(err)
	}
	s := NewConstants(c)
	b := encoded(t, s)
	if memoryOf(s) < 60*int64(len(b)) {
		t.Fatalf("%d bytes stand for %d", len(b), memoryOf(s))
	}
	limit := int64(1 << 20)
	n := allocated(func() { _, err = ReadConstants(bytes.NewReader(b), limit) })
	if !errors.Is(err, fhe.ErrLimit) || n > 2*uint64(limit) {
		t.Errorf("%d bytes allocated under a limit of %d: %v", n, limit, err)
	}
	if _, err := ReadConstants(bytes.NewReader(b), memoryOf(s)); err != nil {
		t.Error(err)
	}
}

func TestConstantsRefused(t *testing.T) {
	one := append(binary.LittleEndian.AppendUint64(nil, 1<<63), make([]byte, 12)...)
	file := func(kind, logSlots byte, rest ...byte) []byte {
		return append(append([]byte{'S', 'G', 'C', 'O', 1, 1, kind, logSlots}, one...), rest...)
	}
	if _, err := ReadConstants(bytes.NewReader(file(2, 0, 1, 1, 2, 1)), 100); err != nil {
		t.Fatal(err) // one row of the weight 1 in two bits
	}
	for name, b := range map[string][]byte{
		"wider than needed":     file(2, 0, 1, 1, 3, 1), // of the same length
		"padding":               file(2, 0, 1, 1, 2, 5),
		"width 0":               file(2, 0, 1, 1, 0),
		"width 64":              file(2, 0, 1, 1, 64, 0, 0, 0, 0, 0, 0, 0, 0),
		"no rows":               file(2, 0, 0, 1),
		"no integers":           file(2, 0, 1, 0, 1),
		"kind 0":                file(0, 0, 1, 1, 2, 1),
		"kind 3":                file(3, 0, 1, 1, 2, 1),
		"weights with slots":    file(2, 1, 1, 1, 2, 1),
		"4097 weights":          file(2, 0, 1, 0x81, 0x20),
		"2^16+1 rows":           file(2, 0, 0x81, 0x80, 4, 1),
		"polynomial of width 3": file(1, 0, 1, 3, 1, 0),
		"polynomial of 2^17":    file(1, 17, 1, 2, 1, 0),
		"polynomial of 2^255":   file(1, 255, 1, 2, 1, 0),
		"weight -2^31":          file(2, 0, 1, 1, 32, 0, 0, 0, 0x80),
		"coefficient -2^62":     file(1, 0, 1, 2, 63, 0, 0, 0, 0, 0, 0, 0, 0x40, 0, 0, 0, 0, 0, 0, 0, 0),
		"scale 0":               append([]byte{'S', 'G', 'C', 'O', 1, 1, 2, 0}, append(make([]byte, 20), 1, 1, 2, 1)...),
		"twice":                 append(append([]byte{'S', 'G', 'C', 'O', 1, 2}, file(2, 0, 1, 1, 2, 1)[6:]...), file(2, 0, 1, 1, 2, 1)[6:]...),
		"4097 constants":        {'S', 'G', 'C', 'O', 1, 0x81, 0x20},
	} {
		var f *fhe.FormatError
		if _, err := ReadConstants(bytes.NewReader(b), 1<<10); !errors.As(err, &f) || errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, f := range map[string]func() (*Constant, error){
		"no rows":        func() (*Constant, error) { return NewPolynomials(nil, 0, fhe.PowerOfTwo(0)) },
		"no weights":     func() (*Constant, error) { return NewWeights(nil, fhe.PowerOfTwo(0)) },
		"empty weights":  func() (*Constant, error) { return NewWeights([][]int64{{}}, fhe.PowerOfTwo(0)) },
		"uneven":         func() (*Constant, error) { return NewWeights([][]int64{{1}, {1, 2}}, fhe.PowerOfTwo(0)) },
		"many weights":   func() (*Constant, error) { return NewWeights([][]int64{make([]int64, 4097)}, fhe.PowerOfTwo(0)) },
		"2^31":           func() (*Constant, error) { return NewWeights([][]int64{{1 << 31}}, fhe.PowerOfTwo(0)) },
		"-2^31":          func() (*Constant, error) { return NewWeights([][]int64{{-1 << 31}}, fhe.PowerOfTwo(0)) },
		"least int64":    func() (*Constant, error) { return NewPolynomials([][]int64{{math.MinInt64, 0}}, 0, fhe.PowerOfTwo(0)) },
		"2^62":           func() (*Constant, error) { return NewPolynomials([][]int64{{1 << 62, 0}}, 0, fhe.PowerOfTwo(0)) },
		"no scale":       func() (*Constant, error) { return NewPolynomials([][]int64{{1, 0}}, 0, fhe.Scale{}) },
		"slots":          func() (*Constant, error) { return NewPolynomials([][]int64{{1}}, 17, fhe.PowerOfTwo(0)) },
		"negative slots": func() (*Constant, error) { return NewPolynomials([][]int64{{1}}, -1, fhe.PowerOfTwo(0)) },
		"width":          func() (*Constant, error) { return NewPolynomials([][]int64{{1}}, 0, fhe.PowerOfTwo(0)) },
		"rows": func() (*Constant, error) {
			return NewWeights(slices.Repeat([][]int64{{1}}, 1<<16+1), fhe.PowerOfTwo(0))
		},
	} {
		if _, err := f(); err == nil || !strings.HasPrefix(err.Error(), "program: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestConstantDigests checks that whatever a constant is made of changes its digest.
func TestConstantDigests(t *testing.T) {
	s := fhe.PowerOfTwo(3)
	p := func(rows [][]int64, logSlots int, s fhe.Scale) *Constant {
		c, err := NewPolynomials(rows, logSlots, s)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	list := []*Constant{
		weights(t, s, []int64{1, 2}), weights(t, s, []int64{2, 1}), weights(t, s, []int64{1}, []int64{2}), weights(t, fhe.PowerOfTwo(4), []int64{1, 2}),
		weights(t, s, []int64{1, -2}), weights(t, s, []int64{1, 2, 0}), weights(t, s, []int64{0}), weights(t, s, []int64{0, 0}), p([][]int64{{1, 2}}, 0, s),
		p([][]int64{{1, 2, 0, 0}}, 1, s), p([][]int64{{1, 2}, {0, 0}}, 0, s),
	}
	if n := len(NewConstants(list...).All()); n != len(list) {
		t.Errorf("%d digests of %d constants", n, len(list))
	}
	prog, consts := everything(t)
	if err := prog.CheckConstants(consts); err != nil {
		t.Error(err)
	}
	var m *fhe.MismatchError
	if err := prog.CheckConstants(NewConstants(consts.All()[1:]...)); !errors.As(err, &m) || !strings.Contains(err.Error(), "number 0 is missing") {
		t.Errorf("a constant is missing: %v", err)
	}
	if err := prog.CheckConstants(nil); !errors.As(err, &m) {
		t.Errorf("no constants: %v", err)
	}
	// A program may state another shape than that of the constant it names.
	prog.consts[2].Rows++
	if err := prog.CheckConstants(consts); !errors.As(err, &m) || !strings.Contains(err.Error(), "number 2") {
		t.Errorf("another shape: %v", err)
	}
	if _, err := prog.Noise(consts, NoiseHints{}); err == nil {
		t.Error("noise of a program without its constants")
	}
}

// memoryOf returns how many bytes the rows take in memory, 8 for each integer and 24 for each row: what ReadConstants
// counts.
func memoryOf(s *Constants) (n int64) {
	for _, c := range s.list {
		n += int64(len(c.rows)) * rowMemory(len(c.rows[0]))
	}
	return n
}
