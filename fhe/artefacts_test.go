package fhe

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/signet-ml/signet/fhe/internal/wire"
)

func TestCiphertextWire(t *testing.T) {
	p := toy(t, 5)
	same := func(ct *Ciphertext) {
		t.Helper()
		b := encoded(t, ct)
		_, seeded := ct.Seed()
		if int64(len(b)) != ct.Bytes() || ct.Bytes() != CiphertextBytes(p, ct.Degree(), ct.Level(), seeded) {
			t.Errorf("%d bytes, Bytes says %d", len(b), ct.Bytes())
		}
		back, err := ReadCiphertext(bytes.NewReader(b), p, int64(len(b)))
		if err != nil {
			t.Fatal(err)
		}
		s, _ := ct.Seed()
		if again, ok := back.Seed(); ok != seeded || again != s {
			t.Errorf("seed %v, %v", again, ok)
		}
		if back.Digest() != ct.Digest() || back.Degree() != ct.Degree() || back.Level() != ct.Level() || back.LogSlots() != 4 || back.Scale() != ct.Scale() || !back.Parameters().Equal(p) {
			t.Errorf("degree %d, level %d: another ciphertext", ct.Degree(), ct.Level())
		}
	}
	for level := range 3 {
		for degree := range 3 {
			same(testCiphertext(t, p, degree, level, 9))
		}
		same(testSeeded(t, p, level, 9))
	}
	// A value has one digest, whether its seed is known or not.
	seeded := testSeeded(t, p, 1, 1)
	plain, err := CiphertextFromLimbs(p, seeded.limbs, seeded.logSlots, seeded.scale)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := plain.Seed(); ok || plain.Digest() != seeded.Digest() || 2*seeded.Bytes() > plain.Bytes()+200 {
		t.Errorf("digests %v and %v, %d and %d bytes", plain.Digest(), seeded.Digest(), plain.Bytes(), seeded.Bytes())
	}

	ct := testCiphertext(t, p, 1, 1, 1)
	golden(t, "ciphertext-v2.bin", encoded(t, ct))
	golden(t, "ciphertext-seeded-v2.bin", encoded(t, seeded))
	golden(t, "ciphertext-v1.bin", v1(ct))
	for _, v := range []struct {
		b     []byte
		write func(*Ciphertext) []byte
	}{
		{encoded(t, ct), func(c *Ciphertext) []byte { return encoded(t, c) }},
		{encoded(t, seeded), func(c *Ciphertext) []byte { return encoded(t, c) }},
		{v1(ct), func(c *Ciphertext) []byte { return v1(c) }},
	} {
		checkReader(t, v.b, func(r io.Reader, limit int64) ([]byte, error) {
			ct, err := ReadCiphertext(r, p, limit)
			if err != nil {
				return nil, err
			}
			return v.write(ct), nil
		})
		var m *MismatchError
		if _, err := ReadCiphertext(bytes.NewReader(v.b), toy(t, 6), 1<<20); !errors.As(err, &m) || m.What != "parameters" {
			t.Errorf("other parameters: %v", err)
		}
	}
	w0, w1 := wire.Width(p.Prime(0)), wire.Width(p.Prime(1))
	for name, tt := range map[string]struct {
		ct   *Ciphertext
		edit func(b []byte)
		say  string
	}{
		"degree 3":         {ct, func(b []byte) { b[37] = 3 }, "degree 3"},
		"level 3":          {ct, func(b []byte) { b[38] = 3 }, "level 3"},
		"slots 2^5":        {ct, func(b []byte) { b[39] = 5 }, "2^5 slots"},
		"scale 0":          {ct, func(b []byte) { clear(b[40:60]) }, "scale"},
		"scale normalised": {ct, func(b []byte) { b[47] &= 0x7f }, "scale"},
		"scale too large":  {ct, func(b []byte) { binary.LittleEndian.PutUint32(b[56:], math.MaxInt32) }, "scale"},
		"flags 2":          {ct, func(b []byte) { b[60] = 2 }, "flags"},
		"flags 0x81":       {seeded, func(b []byte) { b[60] = 0x81 }, "flags"},
		"seed of degree 0": {testCiphertext(t, p, 0, 1, 1), func(b []byte) { b[60] = 1 }, "seed for a ciphertext of degree 0"},
		"seed of degree 2": {testCiphertext(t, p, 2, 1, 1), func(b []byte) { b[60] = 1 }, "seed for a ciphertext of degree 2"},
		"word of q_0":      {ct, func(b []byte) { setWord(b[61:], w0, 0, p.Prime(0)) }, "polynomial 0, limb 0: word 0"},
		"largest word":     {ct, func(b []byte) { setWord(b[61:], w0, 5, 1<<w0-1) }, "polynomial 0, limb 0: word 5"},
		"last word":        {ct, func(b []byte) { setWord(b[len(b)-4*w1:], w1, 31, p.Prime(1)) }, "polynomial 1, limb 1: word 31"},
		"word of c0":       {seeded, func(b []byte) { setWord(b[len(b)-4*w1:], w1, 31, p.Prime(1)) }, "polynomial 0, limb 1: word 31"},
	} {
		bad := encoded(t, tt.ct)
		tt.edit(bad)
		var f *FormatError
		if _, err := ReadCiphertext(bytes.NewReader(bad), p, 1<<20); !errors.As(err, &f) || !strings.Contains(err.Error(), tt.say) {
			t.Errorf("%s: %v", name, err)
		}
	}
	old := v1(ct)
	binary.LittleEndian.PutUint64(old[60:], p.Prime(0))
	var f *FormatError
	if _, err := ReadCiphertext(bytes.NewReader(old), p, 1<<20); !errors.As(err, &f) || !strings.Contains(err.Error(), "limb 0: word 0") {
		t.Errorf("word of q_0 in version 1: %v", err)
	}
}

func TestCiphertextFromLimbs(t *testing.T) {
	p := toy(t, 5)
	good := func() [][][]uint64 { return testCiphertext(t, p, 1, 1, 1).limbs }
	if ct, err := CiphertextFromLimbs(p, good(), 4, PowerOfTwo(20)); err != nil || ct.Level() != 1 {
		t.Fatal(err)
	}
	for name, edit := range map[string]func(l [][][]uint64) [][][]uint64{
		"none":           func(l [][][]uint64) [][][]uint64 { return nil },
		"no limbs":       func(l [][][]uint64) [][][]uint64 { l[0], l[1] = nil, nil; return l },
		"uneven":         func(l [][][]uint64) [][][]uint64 { l[1] = l[1][:1]; return l },
		"four polys":     func(l [][][]uint64) [][][]uint64 { return append(l, l...) },
		"short limb":     func(l [][][]uint64) [][][]uint64 { l[1][1] = l[1][1][:31]; return l },
		"word too large": func(l [][][]uint64) [][][]uint64 { l[0][1][31] = p.Prime(1); return l },
		"too many limbs": func(l [][][]uint64) [][][]uint64 {
			for i := range l {
				l[i] = append(l[i], l[i]...)
			}
			return l
		},
	} {
		if _, err := CiphertextFromLimbs(p, edit(good()), 4, PowerOfTwo(20)); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if _, err := CiphertextFromLimbs(p, good(), 5, PowerOfTwo(20)); err == nil {
		t.Error("too many slots")
	}
	for _, c := range []struct {
		p                       Parameters
		degree, level, logSlots int
		scale                   Scale
	}{
		{Parameters{}, 1, 0, 0, PowerOfTwo(1)}, {p, -1, 0, 0, PowerOfTwo(1)}, {p, 3, 0, 0, PowerOfTwo(1)}, {p, 1, -1, 0, PowerOfTwo(1)},
		{p, 1, 3, 0, PowerOfTwo(1)}, {p, 1, 0, -1, PowerOfTwo(1)}, {p, 1, 0, 5, PowerOfTwo(1)}, {p, 1, 0, 0, Scale{}},
	} {
		if _, err := NewCiphertext(c.p, c.degree, c.level, c.logSlots, c.scale); err == nil {
			t.Errorf("%+v: accepted", c)
		}
	}
}

func TestBundleWire(t *testing.T) {
	p := toy(t, 5)
	bundle := testBundle(t, p)
	b := encoded(t, bundle)
	golden(t, "bundle-v2.bin", b)
	golden(t, "bundle-v1.bin", v1(testBundleV1(t, p)))
	checkReader(t, v1(testBundleV1(t, p)), func(r io.Reader, limit int64) ([]byte, error) {
		b, err := ReadBundle(r, p, limit)
		if err != nil {
			return nil, err
		}
		return v1(b), nil
	})
	one := NewBundle(p, KeyID{}, Digest{})
	if err := one.Add("näme", testSeeded(t, p, 1, 1), testSeeded(t, p, 1, 2)); err != nil {
		t.Fatal(err)
	}
	if n := int64(len(encoded(t, one))); n != BundleBytes(p, "näme", 2, 1, 1, true) {
		t.Errorf("%d bytes, BundleBytes says %d", n, BundleBytes(p, "näme", 2, 1, 1, true))
	}
	read := func(r io.Reader, limit int64) ([]byte, error) {
		b, err := ReadBundle(r, p, limit)
		if err != nil {
			return nil, err
		}
		return encoded(t, b), nil
	}
	checkReader(t, b, read)
	back, err := ReadBundle(bytes.NewReader(b), p, int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	if back.Digest() != bundle.Digest() || back.Key() != bundle.Key() || back.Program() != bundle.Program() || !back.Parameters().Equal(p) ||
		strings.Join(back.Ports(), " ") != "weights/π x" || len(back.Get("x")) != 2 || back.Get("y") != nil {
		t.Errorf("another bundle: %v", back.Ports())
	}
	empty := encoded(t, NewBundle(p, KeyID{}, Digest{}))
	checkReader(t, empty, read)
	var m *MismatchError
	if _, err := ReadBundle(bytes.NewReader(b), toy(t, 6), 1<<20); !errors.As(err, &m) {
		t.Errorf("other parameters: %v", err)
	}
	head := empty[:len(empty)-1]
	ct := testCiphertext(t, p, 1, 0, 3)
	body := encoded(t, ct)[37:]
	for name, tail := range map[string][]byte{
		"1025 ports":          {0x81, 8},
		"long integer":        {0x80, 0},
		"integer of 11 bytes": bytes.Repeat([]byte{0xff}, 11),
		"port without name":   append([]byte{1, 0, 1}, body...),
		"port of nothing":     {1, 1, 'x', 0},
		"name of 257 bytes":   {1, 0x81, 2},
		"name not UTF-8":      append([]byte{1, 1, 0xff, 1}, body...),
		"name of a newline":   append([]byte{1, 1, '\n', 1}, body...),
		"name twice":          append(append(append([]byte{2, 1, 'x', 1}, body...), 1, 'x', 1), body...),
		"2^20+1 ciphertexts":  {1, 1, 'x', 0x81, 0x80, 0x40},
	} {
		var f *FormatError
		if _, err := ReadBundle(bytes.NewReader(append(bytes.Clone(head), tail...)), p, 1<<20); !errors.As(err, &f) || errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestBundleAdd(t *testing.T) {
	p := toy(t, 5)
	b := NewBundle(p, KeyID{1}, Digest{})
	ct, other := testCiphertext(t, p, 1, 0, 1), testCiphertext(t, toy(t, 6), 1, 0, 1)
	list := []*Ciphertext{ct, ct}
	if err := b.Add("x", list...); err != nil {
		t.Fatal(err)
	}
	list[0] = nil
	if b.Get("x")[0] != ct {
		t.Error("the bundle keeps the caller's slice")
	}
	for name, cts := range map[string][]*Ciphertext{"": {ct}, "x": {ct}, "a\x1bb": {ct}, strings.Repeat("n", 257): {ct}, "none": nil, "nil": {nil}} {
		if err := b.Add(name, cts...); err == nil {
			t.Errorf("port %q was added", name)
		}
	}
	var m *MismatchError
	if err := b.Add("y", ct, other); !errors.As(err, &m) {
		t.Errorf("other parameters: %v", err)
	}
	o := NewBundle(p, KeyID{1}, Digest{})
	if err := errors.Join(o.Add("y", ct), o.Add("x", ct)); err != nil {
		t.Fatal(err)
	}
	if err := b.Merge(o); err == nil || len(b.Ports()) != 1 {
		t.Errorf("merging a port twice: %v, ports %v", err, b.Ports())
	}
	o = NewBundle(p, KeyID{1}, Digest{})
	if err := errors.Join(o.Add("y", ct), b.Merge(o)); err != nil || strings.Join(b.Ports(), "") != "xy" {
		t.Errorf("merge: %v, %v", err, b.Ports())
	}
	for what, o := range map[string]*Bundle{"parameters": NewBundle(toy(t, 6), KeyID{1}, Digest{}), "key": NewBundle(p, KeyID{2}, Digest{}), "program": NewBundle(p, KeyID{1}, Digest{1})} {
		if err := b.Merge(o); !errors.As(err, &m) || m.What != what || !strings.Contains(err.Error(), what) {
			t.Errorf("merge with another %s: %v", what, err)
		}
	}
}

func TestEvaluationKeysWire(t *testing.T) {
	p := toy(t, 5)
	s := testKeys(t, p)
	b := encoded(t, s)
	if int64(len(b)) != s.Bytes() {
		t.Errorf("%d bytes, Bytes says %d", len(b), s.Bytes())
	}
	golden(t, "keys-v2.bin", b)
	golden(t, "keys-v1.bin", v1(testKeysV1(t, p)))
	checkReader(t, v1(testKeysV1(t, p)), func(r io.Reader, limit int64) ([]byte, error) {
		s, err := ReadEvaluationKeys(r, p, limit)
		if err != nil {
			return nil, err
		}
		return v1(s), nil
	})
	checkReader(t, b, func(r io.Reader, limit int64) ([]byte, error) {
		s, err := ReadEvaluationKeys(r, p, limit)
		if err != nil {
			return nil, err
		}
		return encoded(t, s), nil
	})
	back, err := ReadEvaluationKeys(bytes.NewReader(b), p, int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	if back.Key() != s.Key() || !back.Parameters().Equal(p) || len(back.Elements()) != 3 || back.Get(25) != nil {
		t.Error("another set")
	}
	for i, g := range []uint64{0, 5, 63} {
		k := back.Get(g)
		if back.Elements()[i] != g || k.Digest() != s.Get(g).Digest() || k.GaloisElement() != g || k.Level() != 2-i || i < 2 != (k.Bytes() == EvaluationKeyBytes(p, 2-i)) {
			t.Errorf("element %d: %+v", g, k)
		}
		if k.Digits() != k.Level()+1 || k.Rows() != k.Level()+2 || len(k.Limb(k.Digits()-1, 1, k.Rows()-1)) != 32 {
			t.Errorf("shape of element %d", g)
		}
	}
	if seeded := s.Get(5); seeded.Digest() != plainKey(t, p, seeded).Digest() {
		t.Error("the digest of a key depends on its seed")
	}
	var m *MismatchError
	if _, err := ReadEvaluationKeys(bytes.NewReader(b), toy(t, 6), 1<<20); !errors.As(err, &m) {
		t.Errorf("other parameters: %v", err)
	}
	head := int(EvaluationKeysHeaderBytes)
	for name, edit := range map[string]func(b []byte) []byte{
		"one key fewer":    func(b []byte) []byte { b[head-4] = 2; return b },
		"2^16+1 keys":      func(b []byte) []byte { binary.LittleEndian.PutUint32(b[head-4:], 1<<16+1); return b },
		"2^32-1 keys":      func(b []byte) []byte { binary.LittleEndian.PutUint32(b[head-4:], math.MaxUint32); return b },
		"identity":         func(b []byte) []byte { b[head] = 1; return b },
		"even element":     func(b []byte) []byte { b[head] = 2; return b },
		"element above 2N": func(b []byte) []byte { b[head] = 65; return b },
		"element 2^64-1":   func(b []byte) []byte { copy(b[head:], bytes.Repeat([]byte{0xff}, 8)); return b },
		"level 3":          func(b []byte) []byte { b[head+8] = 3; return b },
		"level 255":        func(b []byte) []byte { b[head+8] = 255; return b },
		"flags 4":          func(b []byte) []byte { b[head+9] = 4; return b },
		"word of P": func(b []byte) []byte {
			setWord(b[head+9+33+int(p.rowsBytes(2, 0)):], wire.Width(p.P()[0]), 0, p.P()[0])
			return b
		},
		"same element twice": func(b []byte) []byte {
			one := b[len(b)-int(s.Get(63).Bytes()):]
			return append(b[:head:head], append(append(bytes.Clone(one), one...), one...)...)
		},
	} {
		var f *FormatError
		if _, err := ReadEvaluationKeys(bytes.NewReader(edit(bytes.Clone(b))), p, 1<<20); !errors.As(err, &f) || errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// plainKey returns the key without its seed.
func plainKey(t testing.TB, p Parameters, k *EvaluationKey) *EvaluationKey {
	t.Helper()
	out, err := NewEvaluationKey(p, k.galois, k.level, k.limbs)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := out.Seed(); ok || out.Bytes() < 3*k.Bytes()/2 {
		t.Errorf("%d bytes without a seed, %d with it", out.Bytes(), k.Bytes())
	}
	return out
}

func TestNewEvaluationKey(t *testing.T) {
	p := toy(t, 5)
	noP, err := NewParameters(ParametersLiteral{LogN: 10, LogQ: []int{26}})
	if err != nil {
		t.Fatal(err)
	}
	good := func() [][2][][]uint64 { return testKey(t, p, 5, 1).limbs }
	for name, c := range map[string]struct {
		p     Parameters
		g     uint64
		level int
		limbs [][2][][]uint64
	}{
		"no special primes": {noP, 5, 0, nil},
		"identity":          {p, 1, 1, good()},
		"even":              {p, 4, 1, good()},
		"level":             {p, 5, 2, good()},
		"negative level":    {p, 5, -1, good()},
		"no digits":         {p, 5, 1, nil},
		"rows":              {p, 5, 1, func() [][2][][]uint64 { l := good(); l[1][1] = l[1][1][:2]; return l }()},
		"words":             {p, 5, 1, func() [][2][][]uint64 { l := good(); l[1][0][2] = l[1][0][2][:31]; return l }()},
		"range":             {p, 5, 1, func() [][2][][]uint64 { l := good(); l[1][0][2][0] = p.P()[0]; return l }()},
	} {
		if _, err := NewEvaluationKey(c.p, c.g, c.level, c.limbs); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	s := testKeys(t, p)
	if err := s.Add(testKey(t, p, 5, 0)); err == nil {
		t.Error("second key for an element")
	}
	var m *MismatchError
	if err := s.Add(testKey(t, toy(t, 6), 25, 0)); !errors.As(err, &m) {
		t.Errorf("other parameters: %v", err)
	}
}

func TestEvaluationKeysWriter(t *testing.T) {
	p := toy(t, 5)
	if _, err := NewEvaluationKeysWriter(io.Discard, p, KeyID{}, -1); err == nil {
		t.Error("-1 keys")
	}
	if _, err := NewEvaluationKeysWriter(io.Discard, p, KeyID{}, 1<<16+1); err == nil {
		t.Error("too many keys")
	}
	w, err := NewEvaluationKeysWriter(io.Discard, p, KeyID{}, 3)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Write(testKey(t, p, 5, 0)); err != nil {
		t.Error(err)
	}
	for name, k := range map[string]*EvaluationKey{"twice": testKey(t, p, 5, 0), "order": testKey(t, p, 0, 0), "parameters": testKey(t, toy(t, 6), 25, 0)} {
		if err := w.Write(k); err == nil {
			t.Errorf("%s: written", name)
		}
	}
	if err := w.Close(); err == nil {
		t.Error("closed with keys missing")
	}
	if err := errors.Join(w.Write(testKey(t, p, 25, 0)), w.Write(testKey(t, p, 63, 0)), w.Close()); err != nil {
		t.Error(err)
	}
	if err := w.Write(testKey(t, p, 63, 0)); err == nil {
		t.Error("one key too many")
	}
	full := errors.New("disk full")
	for _, n := range []int{0, 60, 2000} {
		if _, err := testKeys(t, p).WriteTo(&failingWriter{n, full}); !errors.Is(err, full) {
			t.Errorf("failure after %d bytes: %v", n, err)
		}
		if n > 60 {
			continue
		}
		if _, err := testBundle(t, p).WriteTo(&failingWriter{n, full}); !errors.Is(err, full) {
			t.Errorf("failure after %d bytes: %v", n, err)
		}
	}
}

type failingWriter struct {
	left int
	err  error
}

func (w *failingWriter) Write(p []byte) (int, error) {
	if len(p) > w.left {
		return w.left, w.err
	}
	w.left -= len(p)
	return len(p), nil
}

// TestHostileHeaders measures what a reader allocates for headers that promise much and deliver nothing.
func TestHostileHeaders(t *testing.T) {
	p := toy(t, 13)
	d := p.Digest()
	scale := append(binaryWord(1<<63), append(binaryWord(0), 0, 0, 0, 0)...)
	plain := append([]byte{2, 2, 12}, scale...)
	seeded := slices.Concat([]byte{1, 2, 12}, scale, []byte{1}, make([]byte, 32))
	head := func(magic string, version byte, parts ...[]byte) []byte {
		b := append([]byte(magic), version)
		b = append(b, d[:]...)
		return append(b, bytes.Join(parts, nil)...)
	}
	ciphertext := func(r io.Reader, limit int64) error { _, err := ReadCiphertext(r, p, limit); return err }
	bundle := func(r io.Reader, limit int64) error { _, err := ReadBundle(r, p, limit); return err }
	keys := func(r io.Reader, limit int64) error { _, err := ReadEvaluationKeys(r, p, limit); return err }
	many := []byte{0x80, 8, 1, 'x', 0x80, 0x80, 0x40} // 1024 ports, 2^20 ciphertexts in the first
	for name, c := range map[string]struct {
		b    []byte
		read func(r io.Reader, limit int64) error
	}{
		"ciphertext":            {head("SGCT", 2, plain, []byte{0}), ciphertext},
		"ciphertext, seeded":    {head("SGCT", 2, seeded), ciphertext},
		"ciphertext, version 1": {head("SGCT", 1, plain), ciphertext},
		"bundle":                {head("SGBU", 2, make([]byte, 48), many, plain, []byte{0}), bundle},
		"bundle, seeded":        {head("SGBU", 2, make([]byte, 48), many, seeded), bundle},
		"bundle, version 1":     {head("SGBU", 1, make([]byte, 48), many, plain), bundle},
		"keys":                  {head("SGEK", 2, make([]byte, 16), []byte{0, 0, 1, 0}, make([]byte, 8), []byte{2, 0}), keys}, // 2^16 keys
		"keys, seeded":          {head("SGEK", 2, make([]byte, 16), []byte{0, 0, 1, 0}, make([]byte, 8), []byte{2, 1}, make([]byte, 32)), keys},
		"keys, version 1":       {head("SGEK", 1, make([]byte, 16), []byte{0, 0, 1, 0}, make([]byte, 8), []byte{2}), keys},
		"parameters":            {[]byte("SGPA\x01\x0c\x00\x00\x00\x00\x00\x00\x00\x00\x1e\x40\x20"), func(r io.Reader, limit int64) error { _, err := ReadParameters(r, limit); return err }},
	} {
		var err error
		n := allocated(func() { err = c.read(bytes.NewReader(c.b), 1<<40) })
		if !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%s: %v", name, err)
		}
		if n > 32<<10 {
			t.Errorf("%s: %d bytes of input allocate %d", name, len(c.b), n)
		}
	}
	// However far a source delivers, what is allocated is at most a small multiple of it. A word of 25 bits takes 64 in
	// memory, a seed doubles that, and one limb may be ahead.
	for name, b := range map[string][]byte{
		"plain": encoded(t, testCiphertext(t, p, 2, 2, 1)), "seeded": encoded(t, testSeeded(t, p, 2, 1)), "version 1": v1(testCiphertext(t, p, 2, 2, 1)),
	} {
		for n := 100; n < len(b); n += len(b) / 37 {
			if got := allocated(func() { ReadCiphertext(bytes.NewReader(b[:n]), p, 1<<30) }); got > uint64(32<<10+8*n) {
				t.Errorf("%s: %d bytes of input allocate %d", name, n, got)
			}
		}
	}
	k := encoded(t, keysOf(t, p, testSeededKey(t, p, 0, 2)))
	for n := 100; n < len(k); n += len(k) / 37 {
		if got := allocated(func() { ReadEvaluationKeys(bytes.NewReader(k[:n]), p, 1<<30) }); got > uint64(32<<10+8*n) {
			t.Errorf("keys: %d bytes of input allocate %d", n, got)
		}
	}
	// What is delivered is held once.
	for name, ct := range map[string]*Ciphertext{"plain": testCiphertext(t, p, 2, 2, 1), "seeded": testSeeded(t, p, 2, 1)} {
		b := encoded(t, ct)
		memory := float64((ct.Degree() + 1) * 3 * p.N() * 8)
		var back *Ciphertext
		n := allocated(func() { back, _ = ReadCiphertext(bytes.NewReader(b), p, 1<<30) })
		if back == nil || float64(n) > 1.4*memory || cap(back.Limb(0, 0)) != p.N() {
			t.Errorf("%s: %.0f bytes of limbs allocate %d", name, memory, n)
		}
	}
}

// BenchmarkReadCiphertext reads 25 MiB of limbs, of 50 to 60 bits a word, on one goroutine. MB/s counts the bytes on
// the wire, mem-MB/s those of the limbs in memory. No secure parameters have as many primes at this degree.
func BenchmarkReadCiphertext(b *testing.B) {
	var sizes []int
	for i := range 50 {
		sizes = append(sizes, 50+i%11)
	}
	p, err := newParameters(ParametersLiteral{LogN: 15, LogQ: sizes, LogP: []int{61}}, true)
	if err != nil {
		b.Fatal(err)
	}
	level := p.MaxLevel()
	for _, c := range []struct {
		name string
		ct   *Ciphertext
	}{
		{"plain", testCiphertext(b, p, 1, level, 1)}, {"seeded", testSeeded(b, p, level, 1)},
	} {
		b.Run("form="+c.name, func(b *testing.B) {
			wire := encoded(b, c.ct)
			memory := float64((c.ct.Degree() + 1) * (level + 1) * p.N() * 8)
			b.SetBytes(int64(len(wire)))
			for b.Loop() {
				if _, err := ReadCiphertext(bytes.NewReader(wire), p, int64(len(wire))); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(memory*float64(b.N)/1e6/b.Elapsed().Seconds(), "mem-MB/s")
			b.ReportMetric(memory/(1<<20), "mem-MiB")
		})
	}
}

func TestErrorTexts(t *testing.T) {
	for want, err := range map[string]error{
		`fhe: missing relinearisation key, used by "dense1" at level 3`:                                             &MissingKeyError{Relinearization: true, Level: 3, Have: -1, Scope: "dense1"},
		`fhe: Galois key for rotation 4 and conjugation (element 9) is for level 1, the program uses it at level 2`: &MissingKeyError{Rotation: 4, Conjugate: true, GaloisElement: 9, Level: 2, Have: 1},
		`fhe: wrong key: want a, have b`:                           &MismatchError{"key", "a", "b"},
		`fhe: read bundle: more than 3 bytes: size limit exceeded`: &FormatError{Kind: "bundle", Reason: "more than 3 bytes", Err: ErrLimit},
	} {
		if err.Error() != want {
			t.Errorf("%q, want %q", err, want)
		}
	}
	if (KeyID{0xab}).String() != "ab"+strings.Repeat("0", 30) {
		t.Error("KeyID")
	}
}

// TestRebind binds ports of a bundle to another program.
func TestRebind(t *testing.T) {
	p := toy(t, 5)
	b := NewBundle(p, KeyID{1}, Digest{1})
	for _, name := range []string{"b", "a", "c"} {
		ct, err := NewCiphertext(p, 1, 1, 2, p.DefaultScale())
		if err != nil {
			t.Fatal(err)
		}
		if err := b.Add(name, ct); err != nil {
			t.Fatal(err)
		}
	}
	all, err := b.Rebind(Digest{2})
	if err != nil || all.Program() != (Digest{2}) || all.Key() != b.Key() || len(all.Ports()) != 3 || b.Program() != (Digest{1}) {
		t.Errorf("%v, %v", all, err)
	}
	some, err := b.Rebind(Digest{}, "c", "a")
	if err != nil || len(some.Ports()) != 2 || some.Get("a")[0] != b.Get("a")[0] || some.Get("b") != nil {
		t.Errorf("%v, %v", some, err)
	}
	var mismatch *MismatchError
	if _, err := b.Rebind(Digest{}, "a", "x"); !errors.As(err, &mismatch) {
		t.Errorf("%v", err)
	}
	if _, err := b.Rebind(Digest{}, "a", "a"); err == nil {
		t.Error("a port twice")
	}
	if empty, err := NewBundle(p, KeyID{}, Digest{}).Rebind(Digest{3}); err != nil || len(empty.Ports()) != 0 {
		t.Errorf("%v, %v", empty, err)
	}
}
