package commit

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fp"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// known makes a reference string of known secrets.
func known(form Form, layout Layout, s, t uint64) *SRS {
	a, b := fr.NewElement(s), fr.NewElement(t)
	return newSRS(form, layout, &a, &b)
}

func encoded(t testing.TB, v io.WriterTo) []byte {
	t.Helper()
	var b bytes.Buffer
	n, err := v.WriteTo(&b)
	if err != nil {
		t.Fatal(err)
	}
	if n != int64(b.Len()) {
		t.Errorf("WriteTo says %d bytes, wrote %d", n, b.Len())
	}
	return b.Bytes()
}

func TestNewLocalSRS(t *testing.T) {
	forms(t, func(t *testing.T, form Form) {
		a, err := NewLocalSRS(form, toy)
		if err != nil {
			t.Fatal(err)
		}
		if a.Powers() != toy.Powers() || a.Form() != form || a.Provenance() != "local" {
			t.Errorf("%d powers, form %v, %q", a.Powers(), a.Form(), a.Provenance())
		}
		if err := a.Check(t.Context()); err != nil {
			t.Error(err)
		}
		if err := a.Serves(toy); err != nil {
			t.Error(err)
		}
		b, err := NewLocalSRS(form, toy)
		if err != nil {
			t.Fatal(err)
		}
		if a.VerifyingKey().Digest() == b.VerifyingKey().Digest() {
			t.Error("two strings have one secret")
		}
		if _, err := NewLocalSRS(form, Layout{}); err == nil {
			t.Error("a string for an empty layout")
		}
	})
	if _, err := NewLocalSRS(3, toy); err == nil {
		t.Error("a string of form 3")
	}
}

// TestSRSDigest says what the digest covers: the secrets and the form, not the length.
func TestSRSDigest(t *testing.T) {
	longer := toy
	longer.Blinds = 40
	for _, tt := range []struct {
		name string
		a, b *SRS
		same bool
	}{
		{"longer, rows", known(Rows, toy, 5, 0), known(Rows, longer, 5, 0), true},
		{"longer, compact", known(Compact, toy, 5, 7), known(Compact, longer, 5, 7), true},
		{"other s", known(Rows, toy, 5, 0), known(Rows, toy, 6, 0), false},
		{"other t", known(Compact, toy, 5, 7), known(Compact, toy, 5, 8), false},
		{"secrets swapped", known(Compact, toy, 5, 7), known(Compact, toy, 7, 5), false},
		{"other form", known(Rows, toy, 5, 0), known(Compact, toy, 5, 7), false},
	} {
		if same := tt.a.VerifyingKey().Digest() == tt.b.VerifyingKey().Digest(); same != tt.same {
			t.Errorf("%s: digests equal: %v, want %v", tt.name, same, tt.same)
		}
	}
}

// TestCheckRefuses spoils strings one by one.
//
// Soundness: P22.
func TestCheckRefuses(t *testing.T) {
	for _, tt := range []struct {
		name  string
		form  Form
		spoil func(s *SRS)
	}{
		{"wrong last power", Rows, func(s *SRS) { s.points[len(s.points)-1] = s.points[0] }},
		{"wrong middle power", Rows, func(s *SRS) { s.points[3].Add(&s.points[3], &s.points[0]) }},
		{"swapped powers", Rows, func(s *SRS) { s.points[3], s.points[4] = s.points[4], s.points[3] }},
		{"[1] is another point", Rows, func(s *SRS) {
			for i := range s.points {
				s.points[i].Double(&s.points[i])
			}
		}},
		{"s is zero", Rows, func(s *SRS) {
			zero := fr.Element{}
			*s = *newSRS(Rows, toy, &zero, &zero)
		}},
		{"G2 of another s", Rows, func(s *SRS) { s.key.S2 = known(Rows, toy, 6, 0).key.S2 }},
		{"another generator of G2", Rows, func(s *SRS) { s.key.G2 = s.key.S2 }},
		{"zero among the powers", Rows, func(s *SRS) { s.points[2] = bn254.G1Affine{} }},
		{"off the curve", Rows, func(s *SRS) { s.points[2].X.SetOne() }},
		{"S2 off the curve", Rows, func(s *SRS) { s.key.S2.X.SetOne() }},
		{"S2 outside G2", Rows, func(s *SRS) { s.key.S2 = outsideG2(t) }},
		{"unknown form", Rows, func(s *SRS) { s.key.Form = 0 }},
		{"compact, wrong power in a row", Compact, func(s *SRS) { s.row(2)[3] = s.points[0] }},
		{"compact, wrong start of a row", Compact, func(s *SRS) {
			row := s.row(2)
			for i := range row {
				row[i].Double(&row[i]) // a row of powers of s, of no power of t
			}
		}},
		{"compact, t is zero", Compact, func(s *SRS) {
			five, zero := fr.NewElement(5), fr.Element{}
			*s = *newSRS(Compact, toy, &five, &zero)
		}},
		{"compact, T2 of another t", Compact, func(s *SRS) { s.key.T2 = s.key.S2 }},
		{"compact, G2 of another s", Compact, func(s *SRS) { s.key.S2 = s.key.T2 }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := known(tt.form, toy, 5, 7)
			if err := s.Check(t.Context()); err != nil {
				t.Fatal(err)
			}
			tt.spoil(s)
			if err := s.Check(t.Context()); !errors.Is(err, ErrSRS) {
				t.Errorf("got %v, want ErrSRS", err)
			}
		})
	}
}

// outsideG2 returns a point of the twisted curve that is not in the subgroup.
func outsideG2(t *testing.T) bn254.G2Affine {
	t.Helper()
	var three bn254.E2
	three.A0.SetUint64(3)
	_, _, _, g := bn254.Generators()
	// b of the twist, from a point on it: y^2 - x^3
	var b, x3 bn254.E2
	x3.Square(&g.X).Mul(&x3, &g.X)
	b.Square(&g.Y).Sub(&b, &x3)
	for i := uint64(1); i < 100; i++ {
		var p bn254.G2Affine
		p.X.A0.SetUint64(i)
		x3.Square(&p.X).Mul(&x3, &p.X).Add(&x3, &b)
		if x3.Legendre() != 1 {
			continue
		}
		p.Y.Sqrt(&x3)
		if p.IsOnCurve() && !p.IsInSubGroup() {
			return p
		}
	}
	t.Fatal("no point of the twist outside G2")
	return bn254.G2Affine{}
}

func TestServes(t *testing.T) {
	wider, taller, longer := toy, toy, toy
	wider.Blinds = 40
	taller.Blocks = append([]Block{{Rows: 6, Columns: 1}}, toy.Blocks[1:]...)
	longer.Accumulators = 100
	for _, tt := range []struct {
		name   string
		form   Form
		layout Layout
		ok     bool
	}{
		{"itself", Rows, toy, true}, {"itself", Compact, toy, true},
		{"more rows", Rows, taller, true}, {"more rows", Compact, taller, false},
		{"more columns", Rows, wider, false}, {"more columns", Compact, wider, false},
		{"more accumulators", Rows, longer, false}, {"more accumulators", Compact, longer, false},
		{"invalid", Rows, Layout{}, false},
	} {
		if err := known(tt.form, toy, 5, 7).Serves(tt.layout); (err == nil) != tt.ok {
			t.Errorf("%s, %v: %v", tt.name, tt.form, err)
		}
	}
}

func TestSRSFile(t *testing.T) {
	forms(t, func(t *testing.T, form Form) {
		s := known(form, toy, 5, 7)
		b := encoded(t, s)
		again, err := ReadSRS(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			t.Fatal(err)
		}
		if err := again.Check(t.Context()); err != nil {
			t.Error(err)
		}
		if !bytes.Equal(encoded(t, again), b) || again.VerifyingKey() != s.VerifyingKey() || again.Provenance() != "local" {
			t.Error("the decoded string differs")
		}
		sum := sha256.Sum256(b)
		golden(t, "srs-"+form.String()+".sha256", append(hexLine(sum[:]), '\n'))
		if _, err := ReadSRS(bytes.NewReader(b), int64(len(b))-1); err == nil {
			t.Error("read past the limit")
		}
	})
}

// reseal puts a correct checksum behind b's content.
func reseal(b []byte) []byte {
	content := b[:max(0, len(b)-sha256.Size)]
	sum := sha256.Sum256(content)
	return append(bytes.Clone(content), sum[:]...)
}

// TestSRSFileRefuses spoils every byte, with the checksum and with a corrected one.
//
// Soundness: S22.
func TestSRSFileRefuses(t *testing.T) {
	b := encoded(t, known(Compact, Layout{Blocks: []Block{{Rows: 3, Columns: 1}}, Blinds: 2, Accumulators: 1}, 5, 7))
	var format *FormatError
	for i := range b {
		bad := bytes.Clone(b)
		bad[i] ^= 0x80
		if _, err := ReadSRS(bytes.NewReader(bad), 1<<20); !errors.As(err, &format) {
			t.Errorf("byte %d changed: %v", i, err)
		}
		if _, err := ReadSRS(bytes.NewReader(reseal(bad)), 1<<20); i < len(b)-sha256.Size && !errors.As(err, &format) {
			t.Errorf("byte %d changed, checksum corrected: %v", i, err)
		}
		if _, err := ReadSRS(bytes.NewReader(b[:i]), 1<<20); !errors.As(err, &format) {
			t.Errorf("%d bytes: %v", i, err)
		}
		if _, err := ReadSRS(bytes.NewReader(reseal(b[:i])), 1<<20); !errors.As(err, &format) {
			t.Errorf("%d bytes, checksum corrected: %v", i, err)
		}
	}
	if _, err := ReadSRS(bytes.NewReader(append(bytes.Clone(b), 0)), 1<<20); !errors.As(err, &format) {
		t.Errorf("a byte too many: %v", err)
	}
	// A header that promises 2^24 rows of 2^32 points allocates nothing for them.
	huge := append([]byte(srsMagic+"\x01\x05local\x02"), 1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff)
	huge = append(huge, b[len(srsMagic+"\x01\x05local\x02")+12:][:2*sizeG2]...)
	huge = reseal(append(huge, make([]byte, sha256.Size)...))
	if n := allocated(func() {
		if _, err := ReadSRS(bytes.NewReader(huge), 1<<20); !errors.As(err, &format) {
			t.Errorf("huge counts: %v", err)
		}
	}); n > 1<<16 {
		t.Errorf("%d bytes allocated for huge counts", n)
	}
}

func TestSRSKey(t *testing.T) {
	forms(t, func(t *testing.T, form Form) {
		k := known(form, toy, 5, 7).VerifyingKey()
		b, err := k.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		again, err := UnmarshalSRSKey(b)
		if err != nil {
			t.Fatal(err)
		}
		if again != k {
			t.Error("the decoded key differs")
		}
		d := k.Digest()
		golden(t, "srskey-"+form.String()+".txt", append(append(hexLine(b), '\n'), append(hexLine(d[:]), '\n')...))
		var format *FormatError
		for i := range b {
			if _, err := UnmarshalSRSKey(b[:i]); !errors.As(err, &format) {
				t.Errorf("%d bytes: %v", i, err)
			}
		}
		for name, bad := range map[string][]byte{
			"longer":  append(bytes.Clone(b), 0),
			"version": append([]byte{2}, b[1:]...),
			"form":    append([]byte{1, 3}, b[2:]...),
			"zero s":  append([]byte{1, byte(form), 0x40}, append(make([]byte, sizeG2-1), b[2+sizeG2:]...)...),
			"modulus": append([]byte{1, byte(form), 0xbf}, append(bytes.Repeat([]byte{0xff}, sizeG2-1), b[2+sizeG2:]...)...),
			"outside": outsideKey(t, form, b),
		} {
			if _, err := UnmarshalSRSKey(bad); !errors.As(err, &format) {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
	if _, err := (SRSKey{}).MarshalBinary(); err == nil {
		t.Error("the zero key encodes")
	}
}

func outsideKey(t *testing.T, form Form, b []byte) []byte {
	p := outsideG2(t)
	x := p.Bytes()
	return append([]byte{1, byte(form)}, append(x[:], b[2+sizeG2:]...)...)
}

const ceremony = "testdata/ceremony6.ptau"

func TestReadPtau(t *testing.T) {
	b := readCeremony(t)
	s, err := ReadPtau(bytes.NewReader(b), int64(len(b)), toy.Powers())
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	all, err := ReadPtau(bytes.NewReader(b), int64(len(b)), 127)
	if err != nil {
		t.Fatal(err)
	}
	if err := all.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	if s.Powers() != toy.Powers() || all.Powers() != 127 || s.Form() != Rows {
		t.Errorf("%d and %d powers, form %v", s.Powers(), all.Powers(), s.Form())
	}
	truncated := smallPtau(t)
	few, err := ReadPtau(bytes.NewReader(truncated), int64(len(truncated)), 3)
	if err != nil {
		t.Fatal(err)
	}
	for _, other := range []*SRS{all, few} {
		if s.Provenance() != other.Provenance() || s.VerifyingKey() != other.VerifyingKey() {
			t.Errorf("provenance or key depends on how many powers were read: %d and %d", s.Powers(), other.Powers())
		}
	}
	golden(t, "ceremony6.txt", []byte(s.Provenance()+"\n"))

	// Provenance survives the string's own file, and a model can be registered.
	again, err := ReadSRS(bytes.NewReader(encoded(t, s)), 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	if again.Provenance() != s.Provenance() {
		t.Errorf("provenance %q", again.Provenance())
	}
	c, o, err := Commit(t.Context(), again, Rows, randomMatrix(t, toy, 1))
	if err != nil {
		t.Fatal(err)
	}
	r := registered{srs: again, c: c, o: o}
	tr, p := r.prove(t, 1)
	if err := VerifyOpening(all.VerifyingKey(), c, tr, p); err != nil {
		t.Error(err)
	}
}

func readCeremony(t testing.TB) []byte {
	t.Helper()
	b, err := os.ReadFile(ceremony)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// smallPtau cuts the ceremony's file down to two powers, as truncating a ceremony does, and to the sections that are
// read: mutations then hit something that matters.
func smallPtau(t testing.TB) []byte {
	b := readCeremony(t)
	out := append(bytes.Clone(b[:8]), 3, 0, 0, 0)
	out = append(out, b[12:atPtauG1-12]...)
	out[atPtauPower] = 1
	for _, s := range []struct{ id, at, size int }{{ptauG1, atPtauG1, 3 * sizeRaw}, {ptauG2, atPtauG2, 2 * sizeRawG2}} {
		out = binary.LittleEndian.AppendUint32(out, uint32(s.id))
		out = binary.LittleEndian.AppendUint64(out, uint64(s.size))
		out = append(out, b[s.at:][:s.size]...)
	}
	return out
}

// Places in the ceremony's file.
const (
	atPtauPower = 12 + 12 + 4 + fp.Bytes
	atPtauG1    = 12 + 12 + 44 + 12
	atPtauG2    = atPtauG1 + 127*sizeRaw + 12
)

// TestReadPtauRefuses spoils a ceremony's file.
//
// Soundness: P22, S22.
func TestReadPtauRefuses(t *testing.T) {
	good := readCeremony(t)
	set := func(at int, bytes ...byte) func([]byte) []byte {
		return func(b []byte) []byte {
			copy(b[at:], bytes)
			return b
		}
	}
	fill := func(at, n int, x byte) func([]byte) []byte { return set(at, bytes.Repeat([]byte{x}, n)...) }
	point := good[atPtauG1:][:sizeRaw]
	for _, tt := range []struct {
		name   string
		powers int
		spoil  func([]byte) []byte
	}{
		{"empty", 10, func(b []byte) []byte { return nil }},
		{"name", 10, set(0, 'P')},
		{"version", 10, set(4, 2)},
		{"many sections", 10, set(8, 0xff, 0xff, 0xff, 0xff)},
		{"one section more", 10, set(8, 8)},
		{"one section fewer", 10, set(8, 6)},
		{"no section of G1", 10, set(atPtauG1-12, 99)},
		{"two headers", 10, set(atPtauG1-12, 1)},
		{"huge section", 10, fill(atPtauG1-8, 8, 0xff)},
		{"longer section", 10, set(atPtauG1-8, 0xff, 0xff)},
		{"negative size", 10, set(atPtauG1-1, 0x80)},
		{"size of coordinates", 10, set(24, 48)},
		{"another prime", 10, set(28, 0)},
		{"higher power", 10, set(atPtauPower, 7)},
		{"lower power", 10, set(atPtauPower, 5)},
		{"power 0", 10, set(atPtauPower, 0)},
		{"power 255", 10, set(atPtauPower, 255)},
		{"too many powers", 128, set(0)},
		{"one power", 1, set(0)},
		{"no powers", 0, set(0)},
		{"fewer than none", -1, set(0)},
		{"first power", 10, func(b []byte) []byte { return set(atPtauG1, b[atPtauG1+sizeRaw:][:sizeRaw]...)(b) }},
		{"zero power", 10, fill(atPtauG1+sizeRaw, sizeRaw, 0)},
		{"off the curve", 10, set(atPtauG1+2*sizeRaw, 1, 2, 3)},
		{"not below the prime", 10, fill(atPtauG1+2*sizeRaw, fp.Bytes, 0xff)},
		{"[1] of G2", 10, set(atPtauG2, 1, 2, 3)},
		{"[s] of G2 off the curve", 10, set(atPtauG2+sizeRawG2, 1, 2, 3)},
		{"[s] of G2 zero", 10, fill(atPtauG2+sizeRawG2, sizeRawG2, 0)},
		{"[s] of G2 not below the prime", 10, fill(atPtauG2+sizeRawG2, fp.Bytes, 0xff)},
		{"byte after the sections", 10, func(b []byte) []byte { return append(b, 0) }},
		{"byte missing", 10, func(b []byte) []byte { return b[:len(b)-1] }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := tt.spoil(bytes.Clone(good))
			var format *FormatError
			if _, err := ReadPtau(bytes.NewReader(b), int64(len(b)), tt.powers); !errors.As(err, &format) {
				t.Errorf("got %v, want a *FormatError", err)
			}
		})
	}
	t.Run("size is a lie", func(t *testing.T) {
		var format *FormatError
		for _, size := range []int64{-1, 0, 11, 100, int64(len(good)) - 1, int64(len(good)) + 1, 1 << 62} {
			if _, err := ReadPtau(bytes.NewReader(good), size, 10); !errors.As(err, &format) {
				t.Errorf("size %d: %v", size, err)
			}
		}
		if _, err := ReadPtau(bytes.NewReader(good[:5000]), int64(len(good)), 100); !errors.As(err, &format) {
			t.Error("a file shorter than its size")
		}
	})
	t.Run("consistent points of another secret", func(t *testing.T) {
		b := bytes.Clone(good)
		copy(b[atPtauG1+5*sizeRaw:], point) // on the curve, so only Check can tell
		s, err := ReadPtau(bytes.NewReader(b), int64(len(b)), 10)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Check(t.Context()); !errors.Is(err, ErrSRS) {
			t.Errorf("Check: %v", err)
		}
	})
}

type failing struct{}

var errDisk = errors.New("disk on fire")

func (failing) Read([]byte) (int, error)          { return 0, errDisk }
func (failing) ReadAt([]byte, int64) (int, error) { return 0, errDisk }
func (failing) Write(b []byte) (int, error)       { return 0, errDisk }

func TestReaderAndWriterErrors(t *testing.T) {
	if _, err := ReadPtau(failing{}, 1000, 10); !errors.Is(err, errDisk) {
		t.Errorf("ReadPtau: %v", err)
	}
	if _, err := ReadSRS(failing{}, 1000); !errors.Is(err, errDisk) {
		t.Errorf("ReadSRS: %v", err)
	}
	if _, err := ReadOpening(failing{}, 1000); !errors.Is(err, errDisk) {
		t.Errorf("ReadOpening: %v", err)
	}
	r := register(t, Rows, toy, 1)
	if _, err := r.srs.WriteTo(failing{}); !errors.Is(err, errDisk) {
		t.Errorf("SRS.WriteTo: %v", err)
	}
	if _, err := r.o.WriteTo(failing{}); !errors.Is(err, errDisk) {
		t.Errorf("Opening.WriteTo: %v", err)
	}
}

// FuzzReadSRS reads whatever it is given.
//
// Soundness: S22.
func FuzzReadSRS(f *testing.F) {
	small := Layout{Blocks: []Block{{Rows: 2, Columns: 1}}, Blinds: 2, Accumulators: 1}
	for _, form := range []Form{Rows, Compact} {
		b := encoded(f, known(form, small, 5, 7))
		f.Add(b[:len(b)-sha256.Size])
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		b := reseal(append(content, make([]byte, sha256.Size)...))
		s, err := ReadSRS(bytes.NewReader(b), 1<<16)
		if err != nil {
			var format *FormatError
			if !errors.As(err, &format) {
				t.Fatalf("error %v (%T)", err, err)
			}
			return
		}
		if !bytes.Equal(encoded(t, s), b) {
			t.Fatal("accepted, and written in another form")
		}
	})
}

func FuzzReadPtau(f *testing.F) {
	b, small := readCeremony(f), smallPtau(f)
	if _, err := ReadPtau(bytes.NewReader(small), int64(len(small)), 3); err != nil {
		f.Fatal(err)
	}
	f.Add(b, 10)
	f.Add(small, 3)
	f.Fuzz(func(t *testing.T, b []byte, powers int) {
		s, err := ReadPtau(bytes.NewReader(b), int64(len(b)), powers)
		if err != nil {
			var format *FormatError
			if !errors.As(err, &format) {
				t.Fatalf("error %v (%T)", err, err)
			}
			return
		}
		if s.Powers() != powers || len(encoded(t, s)) == 0 {
			t.Fatalf("%d powers, want %d", s.Powers(), powers)
		}
	})
}

func FuzzUnmarshalSRSKey(f *testing.F) {
	for _, form := range []Form{Rows, Compact} {
		b, err := known(form, toy, 5, 7).VerifyingKey().MarshalBinary()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		k, err := UnmarshalSRSKey(b)
		if err != nil {
			var format *FormatError
			if !errors.As(err, &format) {
				t.Fatalf("error %v (%T)", err, err)
			}
			return
		}
		if again, err := k.MarshalBinary(); err != nil || !bytes.Equal(again, b) {
			t.Fatalf("accepted, and written in another form: %v", err)
		}
	})
}
