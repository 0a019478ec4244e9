package program

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/signet-ml/signet/fhe"
)

func TestPortCheck(t *testing.T) {
	p := testParams() // 2048 slots, so 4096 real ones
	good := Port{Name: "x", Count: 2, Level: 2, Degree: 1, LogSlots: 11, Scale: fhe.PowerOfTwo(22), Bound: 1, Layout: batch(2, 10)}
	run := func(r Run) func(*Port) {
		return func(p *Port) { p.Layout.Runs[0] = r }
	}
	for _, c := range []struct {
		name string
		ok   bool
		edit func(p *Port)
	}{
		{"good", true, func(p *Port) {}},
		{"name of 256 bytes", true, func(p *Port) { p.Name = strings.Repeat("é", 128) }},
		{"whole ciphertext", true, func(p *Port) { p.Layout = batch(2, 4096) }},
		{"backwards", true, run(Run{Slot: 4095, SlotStep: -1, Index: 9, IndexStep: -1, Length: 10})},
		{"replicas of one element", true, run(Run{SlotStep: 1, Index: 19, Length: 4096})},
		{"strides", true, run(Run{Slot: 95, SlotStep: 4000, Index: 1, IndexStep: 18, Length: 2})},
		{"steps of a single element do not matter", true, run(Run{SlotStep: math.MinInt, IndexStep: math.MaxInt, Length: 1})},
		{"bound", true, func(p *Port) { p.Bound = math.SmallestNonzeroFloat64 }},

		{"no name", false, func(p *Port) { p.Name = "" }},
		{"long name", false, func(p *Port) { p.Name = strings.Repeat("n", 257) }},
		{"control", false, func(p *Port) { p.Name = "a\x7fb" }},
		{"not UTF-8", false, func(p *Port) { p.Name = "\xc0\xaf" }},
		{"no ciphertexts", false, func(p *Port) { p.Count = 0 }},
		{"negative count", false, func(p *Port) { p.Count = -1 }},
		{"too many", false, func(p *Port) { p.Count = maxCount + 1; p.Layout = batch(maxCount+1, 1) }},
		{"more ciphertexts than runs", false, func(p *Port) { p.Count = 3 }},
		{"ciphertext in no run", false, func(p *Port) { p.Layout.Runs[1].Ciphertext = 0 }},
		{"level", false, func(p *Port) { p.Level = 3 }},
		{"negative level", false, func(p *Port) { p.Level = -1 }},
		{"degree 0", false, func(p *Port) { p.Degree = 0 }},
		{"degree 3", false, func(p *Port) { p.Degree = 3 }},
		{"slots", false, func(p *Port) { p.LogSlots = 12 }},
		{"negative slots", false, func(p *Port) { p.LogSlots = -1 }},
		{"scale", false, func(p *Port) { p.Scale = fhe.Scale{} }},
		{"bound 0", false, func(p *Port) { p.Bound = 0 }},
		{"bound -0", false, func(p *Port) { p.Bound = math.Copysign(0, -1) }},
		{"bound NaN", false, func(p *Port) { p.Bound = math.NaN() }},
		{"bound infinite", false, func(p *Port) { p.Bound = math.Inf(1) }},
		{"no shape", false, func(p *Port) { p.Layout.Shape = nil }},
		{"nine dimensions", false, func(p *Port) { p.Layout.Shape = []int{2, 10, 1, 1, 1, 1, 1, 1, 1} }},
		{"dimension 0", false, func(p *Port) { p.Layout.Shape = []int{20, 0} }},
		{"negative dimensions", false, func(p *Port) { p.Layout.Shape = []int{-4, -5} }},
		{"2^28+1 elements", false, func(p *Port) { p.Layout.Shape = []int{1<<28 + 1} }},
		{"2^64 elements", false, func(p *Port) { p.Layout.Shape = []int{1 << 16, 1 << 16, 1 << 16, 1 << 16} }},
		{"no runs", false, func(p *Port) { p.Layout.Runs = nil }},
		{"ciphertext", false, run(Run{Ciphertext: 2, Length: 1})},
		{"negative ciphertext", false, run(Run{Ciphertext: -1, Length: 1})},
		{"length 0", false, run(Run{Length: 0})},
		{"negative length", false, run(Run{Length: -1})},
		{"slot", false, run(Run{Slot: 4096, Length: 1})},
		{"negative slot", false, run(Run{Slot: -1, Length: 1})},
		{"last slot", false, run(Run{Slot: 4087, SlotStep: 1, IndexStep: 1, Length: 10})},
		{"below slot 0", false, run(Run{Slot: 8, SlotStep: -1, IndexStep: 1, Length: 10})},
		{"index", false, run(Run{Index: 20, Length: 1})},
		{"negative index", false, run(Run{Index: -1, Length: 1})},
		{"last index", false, run(Run{SlotStep: 1, Index: 11, IndexStep: 1, Length: 10})},
		{"one slot for all", false, run(Run{IndexStep: 1, Length: 10})},
		{"longer than the slots", false, run(Run{SlotStep: 1, Length: 4097})},
		{"length that overflows", false, run(Run{SlotStep: 1, Length: math.MaxInt})},
		{"step that overflows", false, run(Run{SlotStep: math.MaxInt, IndexStep: 1, Length: 3})},
		{"least step", false, run(Run{SlotStep: math.MinInt, IndexStep: 1, Length: 3})},
		{"index step that wraps to 0", false, run(Run{SlotStep: 1, IndexStep: 1 << 62, Length: 5})},
		{"slots used twice over", false, func(p *Port) {
			p.Layout = batch(2, 4096)
			p.Layout.Runs = append(p.Layout.Runs, Run{Length: 1})
		}},
	} {
		port := good.own()
		c.edit(&port)
		if err := port.check(p, false); (err == nil) != c.ok {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	two := good.own()
	two.Degree = 2
	if two.check(p, true) != nil || two.check(p, false) == nil {
		t.Error("degree 2 is for outputs")
	}
	if n := batch(3, 7).Len(); n != 21 {
		t.Errorf("Len is %d", n)
	}
	one := good.own()
	one.Layout.Runs[0] = Run{SlotStep: 5, IndexStep: 6, Length: 1}
	if r := one.own().Layout.Runs[0]; r.SlotStep != 0 || r.IndexStep != 0 || one.Layout.Runs[0].SlotStep != 5 {
		t.Error("canonical steps of a single element")
	}
}

// TestCheckInput checks that every way in which a bundle can be another one is refused by name.
func TestCheckInput(t *testing.T) {
	p := testParams()
	b := NewBuilder(p)
	x := b.Input(inputPort(p, "x", 2))
	w := inputPort(p, "w", 1)
	w.Level = 1
	y := b.Add(x[1], b.Input(w)[0])
	b.Output(b.OutputPort("y", y, 1, vector(1)), y)
	prog, _, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	ct := func(p fhe.Parameters, degree, level, logSlots int, s fhe.Scale) *fhe.Ciphertext {
		c, err := fhe.NewCiphertext(p, degree, level, logSlots, s)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	s := p.DefaultScale()
	top, low := ct(p, 1, 2, 11, s), ct(p, 1, 1, 11, s)
	id := fhe.KeyID{1}
	bundle := func(p fhe.Parameters, id fhe.KeyID, program fhe.Digest, ports ...any) *fhe.Bundle {
		b := fhe.NewBundle(p, id, program)
		for i := 0; i < len(ports); i += 2 {
			if err := b.Add(ports[i].(string), ports[i+1].([]*fhe.Ciphertext)...); err != nil {
				t.Fatal(err)
			}
		}
		return b
	}
	list := func(c ...*fhe.Ciphertext) []*fhe.Ciphertext { return c }
	keys := fhe.NewEvaluationKeys(p, id)
	for _, ok := range []*fhe.Bundle{
		bundle(p, id, fhe.Digest{}, "x", list(top, top), "w", list(low)),
		bundle(p, id, prog.Digest(), "w", list(low), "x", list(top, top)),
	} {
		if err := errors.Join(prog.CheckInput(ok, keys), prog.CheckInput(ok, nil)); err != nil {
			t.Error(err)
		}
	}
	if err := prog.CheckInput(nil, nil); err == nil {
		t.Error("nil bundle")
	}
	hi, lo, exp := s.Words()
	near, _ := fhe.ScaleFromWords(hi, lo|1, exp)
	np := noKeyParams()
	for what, in := range map[string]*fhe.Bundle{
		"parameters of the input":           bundle(np, id, fhe.Digest{}),
		"key of the input":                  bundle(p, fhe.KeyID{2}, fhe.Digest{}, "x", list(top, top), "w", list(low)),
		"program of the input":              bundle(p, id, fhe.Digest{1}, "x", list(top, top), "w", list(low)),
		"number of input ports":             bundle(p, id, fhe.Digest{}, "x", list(top, top)),
		"port":                              bundle(p, id, fhe.Digest{}, "x", list(top, top), "v", list(low)),
		`number of ciphertexts of port "x"`: bundle(p, id, fhe.Digest{}, "x", list(top), "w", list(low)),
		`ciphertext 0 of port "w"`:          bundle(p, id, fhe.Digest{}, "x", list(top, top), "w", list(top)),
		`ciphertext 1 of port "x"`:          bundle(p, id, fhe.Digest{}, "x", list(top, ct(p, 2, 2, 11, s)), "w", list(low)),
		`ciphertext 0 of port "x"`:          bundle(p, id, fhe.Digest{}, "x", list(ct(p, 1, 2, 10, s), top), "w", list(low)),
	} {
		var m *fhe.MismatchError
		if err := prog.CheckInput(in, keys); !errors.As(err, &m) || m.What != what {
			t.Errorf("%s: %v", what, err)
		}
	}
	var m *fhe.MismatchError
	if err := prog.CheckInput(bundle(p, id, fhe.Digest{}, "x", list(top, ct(p, 1, 2, 11, near)), "w", list(low)), nil); !errors.As(err, &m) {
		t.Errorf("a scale one unit in the last place away: %v", err)
	}
}

func TestOpcodes(t *testing.T) {
	for c := Input; c < opcodes; c++ {
		if c.String() == "" || strings.Contains(c.String(), "OPCODE") {
			t.Errorf("opcode %d has no name", c)
		}
	}
	// Numbers are part of the encoding.
	if s := fmt.Sprint(Input, Zero, Add, Lincomb, MulRelin, Lintrans, Rotsum, KeySwitch, Trace, Opcode(200)); s != "INPUT ZERO ADD LINCOMB MUL_RELIN LINTRANS ROTSUM KEYSWITCH TRACE OPCODE(200)" {
		t.Error(s)
	}
	if Input != 1 || Add != 6 || Lincomb != 15 || Rescale != 19 || Rotsum != 25 || Trace != 28 || opcodes != 29 {
		t.Error("an opcode has moved")
	}
	for err, want := range map[error]string{
		&MemoryError{3, 2}:                 "program: the job needs 3 bytes of memory, the engine's limit is 2",
		&PanicError{7, Mul, "a", "b"}:      `program: operation 7, MUL in "a" panicked: b`,
		&OpError{Code: Mul, Err: ErrScale}: "program: operation 0, MUL: scales do not fit",
	} {
		if err.Error() != want {
			t.Errorf("%q, want %q", err, want)
		}
	}
	if !errors.Is(&PanicError{}, ErrPoisoned) {
		t.Error("a panic does not poison")
	}
	var rec TraceRecorder
	o := NewRunOptions([]RunOption{WithTrace(&rec), WithProgress(func(Progress) {})})
	if o.Trace != &rec || o.Progress == nil {
		t.Error("options")
	}
}

// TestNoise checks the direction of the model: more noise after every step that adds some, hints, and no NaN.
func TestNoise(t *testing.T) {
	prog, consts := everything(t)
	noise, err := prog.Noise(consts, NoiseHints{})
	if err != nil {
		t.Fatal(err)
	}
	for i, n := range noise {
		if code := prog.ops[i].Code; math.IsNaN(n.Error) || math.IsInf(n.Error, 0) || n.Error <= 0 != (code == Zero) {
			t.Errorf("operation %d, %v: %+v", i, code, n)
		}
		for v := range prog.ops[i].Operands() {
			switch prog.ops[i].Code {
			case Rot, Conj, RotHoisted, Relin, Rescale, Rotsum:
				if n.Error <= noise[v].Error {
					t.Errorf("operation %d, %v: error %g after %g", i, prog.ops[i].Code, n.Error, noise[v].Error)
				}
			}
		}
	}
	hinted, err := prog.Noise(consts, NoiseHints{Magnitude: map[Value]float64{0: 1e-3, 1: 1e-3, 2: 1e-3}})
	if err != nil {
		t.Fatal(err)
	}
	if hinted[11].Error >= noise[11].Error || hinted[11].Magnitude != 1e-6 {
		t.Errorf("products of hinted magnitude: %+v, without hints %+v", hinted[11], noise[11])
	}
	m := newNoiseModel(prog, consts, NoiseHints{})
	if !(m.keySwitch(1, 1) <= m.keySwitch(1, 2)) {
		t.Error("a hoist at a higher level has less noise")
	}
}
