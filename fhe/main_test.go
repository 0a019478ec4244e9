package fhe

import (
	"bytes"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/signet-ml/signet/fhe/internal/lattice"
)

var update = flag.Bool("update", false, "rewrite the goldens in testdata")

// golden compares got with a file of testdata, or rewrites the file.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s: %d bytes differ from the golden's %d; if the change is meant, run with -update", name, len(got), len(want))
	}
}

// toy returns insecure parameters of ring degree 2^logN: three primes in Q and one special prime.
func toy(t testing.TB, logN int) Parameters {
	t.Helper()
	p, err := newParameters(ParametersLiteral{LogN: logN, LogQ: []int{30, 25, 25}, LogP: []int{31}}, true)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// stream returns deterministic words that look random: splitmix64.
func stream(seed uint64) func() uint64 {
	return func() uint64 {
		seed += 0x9e3779b97f4a7c15
		z := seed
		z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
		z = (z ^ z>>27) * 0x94d049bb133111eb
		return z ^ z>>31
	}
}

func fill(limb []uint64, q uint64, next func() uint64) {
	for i := range limb {
		limb[i] = next() % q
	}
}

func testCiphertext(t testing.TB, p Parameters, degree, level int, seed uint64) *Ciphertext {
	t.Helper()
	ct, err := NewCiphertext(p, degree, level, p.LogMaxSlots(), NewScale(3*1e7))
	if err != nil {
		t.Fatal(err)
	}
	next := stream(seed)
	for i := range ct.limbs {
		for j, limb := range ct.limbs[i] {
			fill(limb, p.Prime(j), next)
		}
	}
	return ct
}

// testSeeded is testCiphertext with polynomial 1 expanded from a seed.
func testSeeded(t testing.TB, p Parameters, level int, seed uint64) *Ciphertext {
	t.Helper()
	ct := testCiphertext(t, p, 1, level, seed)
	ct, err := seededCiphertext(p, ct.limbs[0], p.p.rings.ExpandCiphertext(lattice.Seed{byte(seed), 0xab}, level), ct.logSlots, ct.scale)
	if err != nil {
		t.Fatal(err)
	}
	return ct
}

// testBundle holds ciphertexts with and without a seed, testBundleV1 those of the golden of version 1, without.
func testBundle(t testing.TB, p Parameters) *Bundle {
	t.Helper()
	return bundleOf(t, p, testSeeded(t, p, 2, 1), testCiphertext(t, p, 1, 2, 2), testSeeded(t, p, 0, 3))
}

func testBundleV1(t testing.TB, p Parameters) *Bundle {
	t.Helper()
	return bundleOf(t, p, testCiphertext(t, p, 1, 2, 1), testCiphertext(t, p, 1, 2, 2), testCiphertext(t, p, 1, 0, 3))
}

func bundleOf(t testing.TB, p Parameters, x0, x1, weights *Ciphertext) *Bundle {
	t.Helper()
	b := NewBundle(p, KeyID{1, 2, 3}, Digest{4, 5})
	if err := b.Add("x", x0, x1); err != nil {
		t.Fatal(err)
	}
	if err := b.Add("weights/π", weights); err != nil {
		t.Fatal(err)
	}
	return b
}

func testKey(t testing.TB, p Parameters, galois uint64, level int) *EvaluationKey {
	t.Helper()
	k := &EvaluationKey{params: p, galois: galois, level: level}
	next := stream(galois)
	limbs := make([][2][][]uint64, k.Digits())
	for d := range limbs {
		for b := range limbs[d] {
			for i := range k.Rows() {
				limb := make([]uint64, p.N())
				fill(limb, p.rowPrime(level, i), next)
				limbs[d][b] = append(limbs[d][b], limb)
			}
		}
	}
	k, err := NewEvaluationKey(p, galois, level, limbs)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// testSeededKey is testKey with part 1 expanded from a seed.
func testSeededKey(t testing.TB, p Parameters, galois uint64, level int) *EvaluationKey {
	t.Helper()
	k := testKey(t, p, galois, level)
	b := make([][][]uint64, k.Digits())
	for d := range b {
		b[d] = k.limbs[d][0]
	}
	k, err := seededEvaluationKey(p, galois, level, b, p.p.rings.ExpandKey(lattice.Seed{byte(galois), 0xcd}, level))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// testKeys holds two keys with a seed and one without, testKeysV1 those of the golden of version 1, without.
func testKeys(t testing.TB, p Parameters) *EvaluationKeys {
	t.Helper()
	return keysOf(t, p, testSeededKey(t, p, p.GaloisElement(1), 1), testSeededKey(t, p, 0, 2), testKey(t, p, p.GaloisElementForConjugation(), 0))
}

func testKeysV1(t testing.TB, p Parameters) *EvaluationKeys {
	t.Helper()
	return keysOf(t, p, testKey(t, p, p.GaloisElement(1), 1), testKey(t, p, 0, 2), testKey(t, p, p.GaloisElementForConjugation(), 0))
}

func keysOf(t testing.TB, p Parameters, keys ...*EvaluationKey) *EvaluationKeys {
	t.Helper()
	s := NewEvaluationKeys(p, KeyID{1, 2, 3})
	for _, k := range keys {
		if err := s.Add(k); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// v1 returns the bytes of version 1 of an artefact, which nothing else writes any more.
func v1(v any) []byte {
	le := binary.LittleEndian
	words := func(b []byte, limb []uint64) []byte {
		for _, x := range limb {
			b = le.AppendUint64(b, x)
		}
		return b
	}
	body := func(b []byte, c *Ciphertext) []byte {
		hi, lo, exp := c.scale.Words()
		b = append(b, byte(c.Degree()), byte(c.Level()), byte(c.logSlots))
		b = le.AppendUint32(le.AppendUint64(le.AppendUint64(b, hi), lo), uint32(exp))
		for _, poly := range c.limbs {
			for _, limb := range poly {
				b = words(b, limb)
			}
		}
		return b
	}
	head := func(magic string, p Parameters) []byte {
		d := p.Digest()
		return append(append([]byte(magic), 1), d[:]...)
	}
	switch v := v.(type) {
	case *Ciphertext:
		return body(head("SGCT", v.params), v)
	case *Bundle:
		b := append(append(head("SGBU", v.params), v.key[:]...), v.program[:]...)
		b = binary.AppendUvarint(b, uint64(len(v.ports)))
		for _, p := range v.ports {
			b = append(binary.AppendUvarint(b, uint64(len(p.name))), p.name...)
			b = binary.AppendUvarint(b, uint64(len(p.cts)))
			for _, c := range p.cts {
				b = body(b, c)
			}
		}
		return b
	case *EvaluationKeys:
		b := le.AppendUint32(append(head("SGEK", v.params), v.key[:]...), uint32(len(v.keys)))
		for _, g := range v.Elements() {
			b = append(le.AppendUint64(b, g), byte(v.keys[g].level))
			for _, digit := range v.keys[g].limbs {
				for _, part := range digit {
					for _, limb := range part {
						b = words(b, limb)
					}
				}
			}
		}
		return b
	}
	panic(fmt.Sprintf("no version 1 of %T", v))
}

// setWord sets word j of a packed limb.
func setWord(limb []byte, width, j int, v uint64) {
	for i := range width {
		bit := j*width + i
		limb[bit/8] = limb[bit/8]&^(1<<(bit%8)) | byte(v>>i&1)<<(bit%8)
	}
}

func encoded(t testing.TB, w io.WriterTo) []byte {
	t.Helper()
	var b bytes.Buffer
	n, err := w.WriteTo(&b)
	if err != nil {
		t.Fatal(err)
	}
	if n != int64(b.Len()) {
		t.Fatalf("WriteTo returned %d and wrote %d bytes", n, b.Len())
	}
	return b.Bytes()
}

// allocated returns the bytes that f allocates.
func allocated(f func()) uint64 {
	var a, b runtime.MemStats
	runtime.ReadMemStats(&a)
	f()
	runtime.ReadMemStats(&b)
	return b.TotalAlloc - a.TotalAlloc
}

// checkReader feeds a reader with what is not good: every truncation (or some of many), trailing bytes, a limit one
// byte too small, another version and magic, and a flipped bit in many places. read returns the bytes that the result
// is written as, so that a flipped bit that is accepted has to change them.
func checkReader(t *testing.T, good []byte, read func(r io.Reader, limit int64) ([]byte, error)) {
	t.Helper()
	typed := func(what string, err error) *FormatError {
		t.Helper()
		var f *FormatError
		if !errors.As(err, &f) {
			t.Fatalf("%s: error %v (%T), want a *FormatError", what, err, err)
		}
		return f
	}
	again, err := read(bytes.NewReader(good), int64(len(good)))
	if err != nil || !bytes.Equal(again, good) {
		t.Fatalf("round trip: %v, equal %v", err, bytes.Equal(again, good))
	}
	// Every byte of what precedes the first limb, and some of those after it.
	for n := 0; n < len(good); n += 1 + max(0, n-200)/50 {
		_, err := read(bytes.NewReader(good[:n]), int64(len(good)))
		if typed("truncated", err); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Fatalf("truncated to %d bytes: %v", n, err)
		}
	}
	_, err = read(bytes.NewReader(append(bytes.Clone(good), 0)), int64(len(good)+1))
	typed("trailing byte", err)
	for _, limit := range []int64{int64(len(good)) - 1, 40, 0, -1} {
		_, err = read(bytes.NewReader(good), limit)
		if typed("limit", err); !errors.Is(err, ErrLimit) {
			t.Fatalf("limit of %d bytes: %v", limit, err)
		}
	}
	for i := range 5 {
		bad := bytes.Clone(good)
		bad[i] ^= 4 // version 1 and 2 become 5 and 6
		_, err = read(bytes.NewReader(bad), int64(len(good)))
		typed("other magic or version", err)
	}
	broken := errors.New("broken pipe")
	_, err = read(io.MultiReader(bytes.NewReader(good), errorReader{broken}), 1<<20)
	if typed("broken source", err); !errors.Is(err, broken) {
		t.Fatalf("broken source: %v", err)
	}
	for i := 0; i < 8*len(good); i += 1 + 8*len(good)/3000 {
		bad := bytes.Clone(good)
		bad[i/8] ^= 1 << (i % 8)
		out, err := read(bytes.NewReader(bad), int64(len(good)))
		if err == nil && !bytes.Equal(out, bad) {
			t.Fatalf("bit %d flipped: accepted, and written in another form", i)
		}
		var f *FormatError
		var m *MismatchError
		var s *SecurityError
		if err != nil && !errors.As(err, &f) && !errors.As(err, &m) && !errors.As(err, &s) {
			t.Fatalf("bit %d flipped: error %v (%T)", i, err, err)
		}
	}
}

type errorReader struct{ err error }

func (r errorReader) Read([]byte) (int, error) { return 0, r.err }
