package program

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/big"
	"strings"
	"testing"

	"github.com/signet-ml/signet/fhe"
	"pgregory.net/rapid"
)

func readProgram(t testing.TB, p fhe.Parameters) func(r io.Reader, limit int64) ([]byte, error) {
	return func(r io.Reader, limit int64) ([]byte, error) {
		prog, err := ReadProgram(r, p, limit)
		if err != nil {
			return nil, err
		}
		return encoded(t, prog), nil
	}
}

func TestProgramGoldens(t *testing.T) {
	prog, consts := everything(t)
	for code := Input; code < KeySwitch; code++ {
		if prog.Counts()[code] == 0 {
			t.Errorf("the golden program has no %v", code)
		}
	}
	b := encoded(t, prog)
	if prog.Bytes() != int64(len(b)) || fhe.Tagged("signet/program/v1", b) != prog.Digest() {
		t.Error("Bytes or Digest")
	}
	golden(t, "program-v1.bin", b)
	golden(t, "constants-v1.bin", encoded(t, consts))
	var text bytes.Buffer
	if err := prog.Dump(&text); err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(&text, "digest %v\n", prog.Digest())
	for _, c := range consts.All() {
		fmt.Fprintf(&text, "constant %v\n", c.Digest())
	}
	golden(t, "program-v1.txt", text.Bytes())
	checkReader(t, b, readProgram(t, testParams()))

	back, err := ReadProgram(bytes.NewReader(b), testParams(), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	var text2 bytes.Buffer
	if err := back.Dump(&text2); err != nil || !strings.HasPrefix(text.String(), text2.String()) {
		t.Errorf("another dump after a round trip: %v", err)
	}
	if err := back.CheckConstants(consts); err != nil {
		t.Error(err)
	}
	var m *fhe.MismatchError
	if _, err := ReadProgram(bytes.NewReader(b), noKeyParams(), 1<<20); !errors.As(err, &m) {
		t.Errorf("other parameters: %v", err)
	}
}

// TestRandomPrograms builds programs of random operations and checks that an encoding decodes to the same program.
func TestRandomPrograms(t *testing.T) {
	p := testParams()
	s := p.DefaultScale()
	full, small := polynomials(t, 4, p.LogMaxSlots(), s), polynomials(t, 2, 3, s)
	w := weights(t, fhe.PowerOfTwo(5), []int64{1, -2, 3}, []int64{7, 0, -31})
	rapid.Check(t, func(t *rapid.T) {
		b := NewBuilder(p)
		vals := b.Input(inputPort(p, "x", rapid.IntRange(1, 4).Draw(t, "inputs")))
		var hoists []Value
		n := func(top int) int { return rapid.IntRange(0, top-1).Draw(t, "n") }
		pick := func() Value { return vals[n(len(vals))] }
		integer := func() *big.Int {
			x := new(big.Int).SetBytes(rapid.SliceOfN(rapid.Byte(), 0, 20).Draw(t, "integer"))
			if rapid.Bool().Draw(t, "negative") {
				x.Neg(x)
			}
			return x
		}
		galois := func() uint64 { return uint64(2*n(p.N()-1) + 3) }
		for range rapid.IntRange(1, 30).Draw(t, "operations") {
			// Work on a copy of the Builder's program and keep it only if the operation was legal.
			before := len(b.prog.ops)
			x := pick()
			var y Value
			h := -1
			if len(hoists) > 0 {
				h = int(hoists[n(len(hoists))])
			}
			switch code := Opcode(rapid.IntRange(int(Zero), int(Rotsum)).Draw(t, "code")); code {
			case Zero:
				y = b.Zero(n(3), n(3), n(12), s)
			case SetScale:
				y = b.SetScale(x, s)
			case Drop:
				y = b.Drop(x, n(b.Level(x)+1))
			case Add:
				y = b.Add(x, x)
			case Sub:
				y = b.Sub(x, x)
			case Neg:
				y = b.Neg(x)
			case AddPt, SubPt:
				if b.Scale(x) != s {
					continue
				}
				if code == AddPt {
					y = b.AddPt(x, full, n(4))
				} else {
					y = b.SubPt(x, small, n(2))
				}
			case MulPt:
				y = b.MulPt(x, full, n(4))
			case AddConst:
				y = b.AddConst(x, integer(), integer())
			case MulConst:
				y = b.MulConst(x, integer(), integer(), fhe.NewScale(float64(1+n(1000))))
			case MacConst:
				k := int64(1 + n(1000))
				y = b.MacConst(x, big.NewInt(k), x, integer(), integer(), fhe.NewScale(float64(k)))
			case Lincomb:
				y = b.Lincomb([]Range{{x, 1}, {x, 1}, {x, 1}}, w, n(2))
			case Mul, MulRelin:
				if b.Degree(x) != 1 {
					continue
				}
				if code == Mul {
					y = b.Mul(x, x)
				} else {
					y = b.MulRelin(x, x)
				}
			case Relin:
				if b.Degree(x) != 2 {
					continue
				}
				y = b.Relin(x)
			case Rescale:
				if b.Level(x) == 0 {
					continue
				}
				y = b.Rescale(x)
			case Rot, Conj, Hoist:
				if b.Degree(x) != 1 {
					continue
				}
				switch code {
				case Rot:
					g := galois()
					if g == p.GaloisElementForConjugation() {
						continue
					}
					y = b.Rot(x, g)
				case Conj:
					y = b.Conj(x)
				default:
					hoists = append(hoists, b.Hoist(x, n(b.Level(x)+1)))
					continue
				}
			case RotHoisted, Rotsum:
				if h < 0 {
					continue
				}
				if level := n(b.Level(Value(h)) + 1); code == RotHoisted {
					y = b.RotHoisted(Value(h), galois(), level)
				} else {
					y = b.Rotsum(Value(h), rapid.SliceOfNDistinct(rapid.Custom(func(*rapid.T) uint64 { return galois() }), 1, 5, rapid.ID).Draw(t, "galois"), level)
				}
			case Lintrans:
				if h < 0 || b.at(Value(h)).LogSlots != p.LogMaxSlots() {
					continue
				}
				y = b.Lintrans(Value(h), full, []int{n(4), n(4), n(4)}, []int{n(5), 5 + n(5), 10 + n(2000)}, 1<<n(12), n(b.Level(Value(h))+1))
			}
			if b.Err() != nil {
				if !errors.Is(b.Err(), ErrScale) {
					t.Fatalf("unexpected refusal: %v", b.Err())
				}
				b.err = nil // scales out of range after many products: go on without the operation
				b.prog.ops = b.prog.ops[:before]
				continue
			}
			vals = append(vals, y)
			b.Scope(rapid.SampledFrom([]string{"", "a", "b", "c"}).Draw(t, "scope"))
		}
		for i := range 1 + n(2) {
			x := pick()
			if b.Degree(x) == 0 {
				x = vals[0]
			}
			b.Output(b.OutputPort(fmt.Sprint(i), x, 1, vector(2)), x)
		}
		prog, consts, err := b.Build()
		if err != nil {
			t.Fatal(err)
		}
		if len(prog.consts) != len(consts.All()) {
			t.Fatal("constants")
		}
		// An operation that was taken back may have left a constant or scope that nothing uses; skip those programs.
		used := map[int]bool{}
		for i := range prog.ops {
			if len(prog.ops[i].Rows) > 0 {
				used[prog.ops[i].Const] = true
			}
		}
		if len(used) != len(prog.consts) {
			t.Skip("unused constant")
		}
		var enc bytes.Buffer
		if _, err := prog.WriteTo(&enc); err != nil {
			t.Fatal(err)
		}
		back, err := ReadProgram(bytes.NewReader(enc.Bytes()), p, int64(enc.Len()))
		if err != nil {
			t.Fatal(err)
		}
		if fmt.Sprint(back.ops) != fmt.Sprint(prog.ops) || fmt.Sprint(back.inputs, back.outputs, back.consts, back.scopes) != fmt.Sprint(prog.inputs, prog.outputs, prog.consts, prog.scopes) || back.Digest() != prog.Digest() {
			t.Fatal("another program after a round trip")
		}
		if _, err := prog.Noise(consts, NoiseHints{}); err != nil {
			t.Fatal(err)
		}
	})
}

// head returns the start of an encoding under the test parameters: no scopes and the stated number of constants.
func head(constants ...byte) []byte {
	d := testParams().Digest()
	return append(append([]byte("SGPR\x01"), d[:]...), append([]byte{0}, constants...)...)
}

// TestProgramNotCanonical feeds ReadProgram what decodes to a program and is not its encoding, and what no program is.
func TestProgramNotCanonical(t *testing.T) {
	p := testParams()
	build := func(f func(b *Builder, x []Value) Value) []byte {
		b := NewBuilder(p)
		y := f(b, b.Input(inputPort(p, "x", 2)))
		b.Output(b.OutputPort("y", y, 1, vector(5)), y)
		prog, _, err := b.Build()
		if err != nil {
			t.Fatal(err)
		}
		return encoded(t, prog)
	}
	s := p.DefaultScale()
	neg := build(func(b *Builder, x []Value) Value { return b.Neg(x[0]) })
	two := build(func(b *Builder, x []Value) Value {
		return b.SubPt(b.AddPt(x[0], polynomials(t, 1, 0, s), 0), polynomials(t, 1, 1, s), 0)
	})
	replace := func(b []byte, old, new string) []byte {
		t.Helper()
		if bytes.Count(b, []byte(old)) != 1 {
			t.Fatalf("%x occurs %d times", old, bytes.Count(b, []byte(old)))
		}
		return bytes.Replace(b, []byte(old), []byte(new), 1)
	}
	at := len(head())
	const info = 32 + 1 + 1 + 20 + 1 + 1
	negOp := string([]byte{byte(Neg), 2, byte(Output)})
	op := func(code Opcode) []byte { return append(head(0), byte(code)) }
	infoBytes := func(kind, logSlots byte, rows, width []byte) []byte {
		b := append(head(1), make([]byte, 32)...)
		b = append(b, kind, logSlots)
		b = binary.LittleEndian.AppendUint64(b, 1<<63)
		b = append(b, make([]byte, 12)...)
		return append(append(b, rows...), width...)
	}
	for name, b := range map[string][]byte{
		"unused scope":           append(append(bytes.Clone(neg[:at-1]), 1, 1, 'a'), neg[at:]...),
		"empty scope":            append(append(bytes.Clone(neg[:at-1]), 1, 0, scopeMarkTest(1)[0], 1), neg[at+1:]...),
		"mark of the same scope": replace(neg, negOp, "\xff\x00"+negOp),
		"mark at the end":        append(bytes.Clone(neg[:len(neg)-1]), 0xff, 0, 0xfe),
		"scope out of range":     replace(neg, negOp, "\xff\x01"+negOp),
		"drop to its own level":  replace(neg, negOp, string([]byte{byte(Drop), 2, 2})+negOp),
		"operand too far back":   replace(neg, negOp, string([]byte{byte(Neg), 3, byte(Output)})),
		"operand is itself":      replace(neg, negOp, string([]byte{byte(Neg), 0, byte(Output)})),
		"operand in a long form": replace(neg, negOp, string([]byte{byte(Neg), 0x82, 0, byte(Output)})),
		"operand 2^64-1":         replace(neg, negOp, string([]byte{byte(Neg), 255, 255, 255, 255, 255, 255, 255, 255, 255, 1, byte(Output)})),
		"negative zero":          replace(neg, negOp, string([]byte{byte(AddConst), 2, 1, 0, byte(Output)})),
		"integer with a zero":    replace(neg, negOp, string([]byte{byte(AddConst), 2, 4, 0, 1, 0, byte(Output)})),
		"constants in other order": func() []byte {
			b := replace(two, string([]byte{byte(AddPt), 2, 0, 0, byte(SubPt), 1, 1, 0}), string([]byte{byte(AddPt), 2, 1, 0, byte(SubPt), 1, 0, 0}))
			copy(b[at+1:], append(bytes.Clone(b[at+1+info:at+1+2*info]), b[at+1:at+1+info]...))
			return b
		}(),
		"unused constant":         append(append(bytes.Clone(neg[:at]), append([]byte{1}, two[at+1:at+1+info]...)...), neg[at+1:]...),
		"constant twice":          append(append(bytes.Clone(neg[:at]), append(append([]byte{2}, two[at+1:at+1+info]...), two[at+1:at+1+info]...)...), neg[at+1:]...),
		"constant of kind 3":      infoBytes(3, 0, []byte{1}, []byte{2}),
		"constant of no rows":     infoBytes(1, 0, []byte{0}, []byte{2}),
		"constant of other width": infoBytes(1, 0, []byte{1}, []byte{3}),
		"constant of 2^12 slots":  infoBytes(1, 12, []byte{1}, []byte{0x80, 0x40}),
		"weights with slots":      infoBytes(2, 1, []byte{1}, []byte{4}),
		"weights of 4097":         infoBytes(2, 0, []byte{1}, []byte{0x81, 0x20}),
		"4097 constants":          append(head(0x81), 0x20),
		"4097 scopes":             append(head()[:at-1], 0x81, 0x20),
		"no operations":           append(head(0), endMark),
		"no output": func() []byte {
			b := op(Zero)
			b = append(b, 1, 1, 3)
			b = binary.LittleEndian.AppendUint64(b, 1<<63)
			return append(append(b, make([]byte, 12)...), endMark)
		}(),
		"constant that is missing": append(op(Zero), append(append([]byte{1, 1, 3}, append(binary.LittleEndian.AppendUint64(nil, 1<<63), make([]byte, 12)...)...), byte(MulPt), 1, 0, 0)...),
		"opcode 0":                 op(0),
		"KEYSWITCH":                op(KeySwitch),
		"MODRAISE":                 op(ModRaise),
		"TRACE":                    op(Trace),
		"opcode 29":                op(29),
		"opcode 253":               op(253),
	} {
		var f *fhe.FormatError
		if _, err := ReadProgram(bytes.NewReader(b), p, 1<<20); !errors.As(err, &f) || errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// What the Builder refuses is an *OpError, though bytes follow.
	for want, b := range map[error][]byte{
		ErrDegree: replace(neg, negOp, string([]byte{byte(Relin), 2, byte(Output)})),
		ErrGalois: replace(neg, negOp, string([]byte{byte(Rot), 2, 1, byte(Output)})),
		ErrPort:   replace(neg, "\x01x", "\x01\n"),
	} {
		var o *OpError
		if _, err := ReadProgram(bytes.NewReader(b), p, 1<<20); !errors.As(err, &o) || !errors.Is(err, want) {
			t.Errorf("%v: %v", want, err)
		}
	}
}

func scopeMarkTest(n byte) []byte { return []byte{scopeMark, n} }

// TestProgramHostile measures what ReadProgram allocates for few bytes that promise much.
func TestProgramHostile(t *testing.T) {
	p := testParams()
	port := func(count uint64, runs uint64) []byte {
		b := append(head(0), byte(Input), 1, 'x')
		b = binary.AppendUvarint(b, count)
		b = append(b, 2, 1, 11)
		b = binary.LittleEndian.AppendUint64(b, 1<<63)
		b = append(b, make([]byte, 12)...)
		b = binary.LittleEndian.AppendUint64(b, 0x3ff0000000000000)
		b = append(b, 1, 1)
		return binary.AppendUvarint(b, runs)
	}
	for name, b := range map[string][]byte{
		"port of 2^14 ciphertexts": append(port(1<<14, 1), 0, 0, 0, 0, 0, 1, endMark),
		"port of 2^18 runs":        port(1, 1<<18),
		"2^12 constants":           head(0x80, 0x20),
		"4096 ranges":              append(append(port(1, 1), 0, 0, 0, 0, 0, 1), byte(Lincomb), 0x80, 0x20),
		"2^16 elements":            append(append(port(1, 1), 0, 0, 0, 0, 0, 1), byte(Hoist), 1, 0, byte(Rotsum), 1, 0x80, 0x80, 4),
		"integer of 1 KiB":         append(append(port(1, 1), 0, 0, 0, 0, 0, 1), byte(AddConst), 1, 0x80, 0x10),
	} {
		var err error
		if n := allocated(func() { _, err = ReadProgram(bytes.NewReader(b), p, 1<<40) }); n > 96<<10 || err == nil {
			t.Errorf("%s: %d bytes of input allocate %d: %v", name, len(b), n, err)
		}
	}
	b := append([]byte("SGCO\x01\x80\x20\x02\x00"), make([]byte, 7)...)
	b = append(append(b, 0x80), make([]byte, 12)...)
	b = append(b, 0x80, 0x80, 4, 0x80, 0x20, 63) // 2^16 rows of 4096 weights of 63 bits
	var err error
	if n := allocated(func() { _, err = ReadConstants(bytes.NewReader(b), 1<<40) }); n > 64<<10 || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("constants: %d bytes of input allocate %d: %v", len(b), n, err)
	}
}

// TestTraceLeaf computes leaves a second time from the documentation's bytes and pins the root of a trace.
func TestTraceLeaf(t *testing.T) {
	prog, _ := everything(t)
	keys := zeroKeys(t, prog, 0)
	var rec TraceRecorder
	if err := rec.Begin(prog, keys); err != nil {
		t.Fatal(err)
	}
	sum := func(parts ...any) (d fhe.Digest) {
		h := sha256.New()
		for _, p := range parts {
			if s, ok := p.(string); ok {
				p = []byte(s)
			}
			if err := binary.Write(h, binary.LittleEndian, p); err != nil {
				t.Fatal(err)
			}
		}
		return fhe.Digest(h.Sum(nil))
	}
	out := make([]fhe.Digest, len(prog.ops))
	var text strings.Builder
	for i := range prog.ops {
		o := &prog.ops[i]
		out[i] = sum("result", uint32(i))
		switch o.Code {
		case Hoist:
			out[i] = sum("signet/hoist/v1", out[o.Args[0]], byte(o.Level))
		case Output:
			out[i] = out[o.Args[0]]
		}
		given := out[i]
		if o.Code == Hoist || o.Code == Output {
			given = fhe.Digest{}
		}
		rec.Record(prog, i, given)
		parts := []any{"signet/trace/v1", prog.Digest(), uint32(i), byte(o.Code), testParams().Digest()}
		n := 0
		for range o.Operands() {
			n++
		}
		parts = append(parts, uint32(n))
		for v := range o.Operands() {
			parts = append(parts, out[v])
		}
		key := func(g uint64) []any { return []any{g, keys.Get(g).Digest()} }
		p := prog.params
		constant := func() fhe.Digest { return prog.consts[o.Const].Digest }
		switch o.Code {
		case Relin, MulRelin:
			parts = append(append(parts, uint32(1)), key(0)...)
		case Rot, Conj, RotHoisted:
			parts = append(append(parts, uint32(1)), key(o.Galois[0])...)
		case Rotsum:
			parts = append(append(append(parts, uint32(2)), key(p.GaloisElement(1))...), key(p.GaloisElement(2))...)
		case Lintrans: // diagonals 0, 1, 5, 6 with 4 baby steps: rotations 1, 2 and 4; 5 < 25 < 625
			list := append([]any{"signet/tracekeys/v1"}, append(append(key(p.GaloisElement(1)), key(p.GaloisElement(2))...), key(p.GaloisElement(4))...)...)
			parts = append(parts, uint32(3), sum(list...))
		default:
			parts = append(parts, uint32(0))
		}
		switch o.Code {
		case AddPt, SubPt, MulPt, Lincomb:
			parts = append(parts, uint32(1), constant(), uint32(o.Rows[0]))
		case Lintrans: // rows 4, 0, 2, 1
			parts = append(parts, uint32(4), sum("signet/tracerows/v1", constant(), uint32(0), uint32(1), uint32(2), uint32(4)))
		default:
			parts = append(parts, uint32(0))
		}
		if want := sum(append(parts, out[i])...); rec.Records()[i] != (TraceRecord{i, out[i], want}) {
			t.Errorf("operation %d, %v: leaf %v, want %v", i, o.Code, rec.Records()[i].Leaf, want)
		}
		fmt.Fprintf(&text, "%d %v %v\n", i, o.Code, rec.Records()[i].Leaf)
	}
	fmt.Fprintf(&text, "root %v\n", rec.Root())
	golden(t, "trace-v1.txt", []byte(text.String()))
	if err := rec.Begin(prog, keys); err != nil {
		t.Fatal(err)
	}
	if rec.Records()[0] != (TraceRecord{}) {
		t.Error("Begin keeps old records")
	}
}
