package program

import (
	"bytes"
	"errors"
	"io"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/internal/wire"
)

// tablePort is a port of two samples of three features.
func tablePort(p fhe.Parameters) Port {
	port := Port{Name: "table", Count: 1, Level: 1, Degree: 1, LogSlots: 3, Scale: p.DefaultScale(), Bound: 2,
		Layout: Layout{Shape: []int{2, 3}, Runs: []Run{{SlotStep: 1, IndexStep: 1, Length: 6}}}}
	port.Features = Features{Len: 3, Offset: []float64{1000, 0, -1e9}, Scale: []float64{512, 0.0625, 1 << 20}, Norm: 2.5}
	return port
}

func tableProgram(t testing.TB, port Port) *Program {
	b := NewBuilder(testParams())
	x := b.Input(port)[0]
	b.Output(b.OutputPort("y", x, 1, port.Layout), x)
	prog, _, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	return prog
}

// TestFeaturesGolden: a program with features is written in version 2, and one without in version 1.
func TestFeaturesGolden(t *testing.T) {
	port := tablePort(testParams())
	prog := tableProgram(t, port)
	b := encoded(t, prog)
	golden(t, "program-v2.bin", b)
	var text bytes.Buffer
	if err := prog.Dump(&text); err != nil {
		t.Fatal(err)
	}
	golden(t, "program-v2.txt", text.Bytes())
	checkReader(t, b, readProgram(t, testParams()))
	if b[4] != 2 {
		t.Errorf("version %d, want 2", b[4])
	}
	back, err := ReadProgram(bytes.NewReader(b), testParams(), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	if f := back.Inputs()[0].Features; !slices.Equal(f.Scale, port.Features.Scale) || !slices.Equal(f.Offset, port.Features.Offset) || f.Norm != 2.5 || f.Len != 3 {
		t.Errorf("features %v after a round trip", f)
	}
	other := port
	other.Features.Scale = []float64{512, 0.125, 1 << 20}
	if tableProgram(t, other).Digest() == prog.Digest() {
		t.Error("two programs with other features have one digest")
	}
	other.Features = Features{}
	plain := encoded(t, tableProgram(t, other))
	if plain[4] != 1 {
		t.Errorf("version %d without features, want 1", plain[4])
	}
	// The same in version 2, which only programs with features are written in.
	var refused *fhe.FormatError
	bare := tableProgram(t, other)
	for _, p := range []Port{bare.inputs[0], bare.outputs[0]} {
		var one, two bytes.Buffer
		p.encode(wire.NewWriter(&one), 1)
		p.encode(wire.NewWriter(&two), 2)
		plain = bytes.Replace(plain, one.Bytes(), two.Bytes(), 1)
	}
	plain[4] = 2
	if _, err := ReadProgram(bytes.NewReader(plain), testParams(), 1<<16); !errors.As(err, &refused) || !strings.Contains(err.Error(), "canonical") {
		t.Errorf("version 2 without features: %v", err)
	}
}

func TestFeaturesRefused(t *testing.T) {
	p := testParams()
	for name, change := range map[string]func(f *Features){
		"samples that do not fit": func(f *Features) { f.Len = 4 },
		"negative length":         func(f *Features) { f.Len = -3 },
		"offsets alone":           func(f *Features) { f.Scale = nil },
		"too few":                 func(f *Features) { f.Scale, f.Offset = f.Scale[:2], f.Offset[:2] },
		"scale of zero":           func(f *Features) { f.Scale = []float64{1, 0, 1} },
		"negative scale":          func(f *Features) { f.Scale = []float64{1, -1, 1} },
		"scale without inverse":   func(f *Features) { f.Scale = []float64{1, 1e-320, 1} },
		"infinite scale":          func(f *Features) { f.Scale = []float64{1, math.Inf(1), 1} },
		"offset not a number":     func(f *Features) { f.Offset = []float64{1, math.NaN(), 1} },
		"negative zero":           func(f *Features) { f.Offset = []float64{1, math.Copysign(0, -1), 1} },
		"negative norm":           func(f *Features) { f.Norm = -1 },
		"norm of negative zero":   func(f *Features) { f.Norm = math.Copysign(0, -1) },
		"norm not a number":       func(f *Features) { f.Norm = math.NaN() },
		"nothing to do":           func(f *Features) { *f = Features{Len: 3} },
		"no length":               func(f *Features) { f.Len = 0 },
	} {
		port := tablePort(p)
		change(&port.Features)
		b := NewBuilder(p)
		b.Input(port)
		if !errors.Is(b.Err(), ErrPort) {
			t.Errorf("%s: %v", name, b.Err())
		}
	}
	b := NewBuilder(p)
	port := tablePort(p)
	x := b.Input(port)[0]
	out := b.OutputPort("y", x, 1, port.Layout)
	out.Features = port.Features
	b.Output(out, x)
	if !errors.Is(b.Err(), ErrPort) {
		t.Errorf("features of an output: %v", b.Err())
	}
}

// TestFeaturesEnter: values enter scaled, and what is too far out is refused by sample and feature, in the table's units.
func TestFeaturesEnter(t *testing.T) {
	p := testParams()
	port := tablePort(p)
	x := []float64{1512, 0.03125, -1e9 - 1<<20, 488, 0, -1e9}
	if err := port.CheckValues(x); err != nil {
		t.Fatal(err)
	}
	k, err := NewPacker(p, port)
	if err != nil {
		t.Fatal(err)
	}
	z, err := k.Pack(0, x)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []complex128{1, 0.5, -1, -1, 0, 0, 0, 0} {
		if z[i] != want {
			t.Errorf("slot %d holds %v, want %v", i, z[i], want)
		}
	}
	for _, f := range []Features{{Norm: 1}, {Offset: []float64{0}, Scale: []float64{1}}, {Len: 4, Norm: 1}, {Len: -1, Norm: 1}} {
		bad := port
		bad.Features = f
		if err := bad.CheckValues(x); !errors.Is(err, ErrPort) {
			t.Errorf("features %+v: %v", f, err)
		}
	}
	for _, c := range []struct {
		name            string
		change          func(x []float64)
		sample, feature int
		text            string
		lo, hi          float64
	}{
		{"too large", func(x []float64) { x[3] = 2025 }, 1, 0, `program: port "table": feature 0 of sample 1 is outside [-24, 2024], which the model was compiled for`, -24, 2024},
		{"too small", func(x []float64) { x[1] = -0.126 }, 0, 1, `program: port "table": feature 1 of sample 0 is outside [-0.125, 0.125], which the model was compiled for`, -0.125, 0.125},
		{"not a number", func(x []float64) { x[5] = math.NaN() }, 1, 2, `program: port "table": feature 2 of sample 1 is not a number`, 0, 0},
		{"as a whole", func(x []float64) { x[3], x[4], x[5] = 1900, 0.12, -1e9+1.5*(1<<20) }, 1, 1,
			`program: port "table": feature 1 of sample 1 is the largest of a sample whose norm is above the port's, 2.5: as a whole it lies too far from what the model was compiled for`, 0, 0},
	} {
		y := slices.Clone(x)
		c.change(y)
		var e *ValueError
		if err := port.CheckValues(y); !errors.As(err, &e) || e.Sample != c.sample || e.Feature != c.feature || e.Index != 3*c.sample+c.feature ||
			e.Error() != c.text || e.Lo != c.lo || e.Hi != c.hi {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestFill(t *testing.T) {
	port := tablePort(testParams())
	plain := port
	plain.Features = Features{}
	for _, port := range []Port{port, plain} {
		got, err := port.Fill([]float64{1, 2, 3})
		if want := []float64{1, 2, 3, 1, 2, 3}; err != nil || !slices.Equal(got, want) {
			t.Errorf("%v, %v, want %v", got, err, want)
		}
		for _, n := range []int{0, 2, 4, 9} {
			var e *fhe.MismatchError
			if _, err := port.Fill(make([]float64, n)); !errors.As(err, &e) {
				t.Errorf("%d numbers: %v", n, err)
			}
		}
	}
	if _, err := new(Port).Fill([]float64{1}); err == nil {
		t.Error("a port without a tensor was filled")
	}
}

func FuzzReadFeatures(f *testing.F) {
	fuzzReader(f, "program-v2.bin", func(r io.Reader, limit int64) ([]byte, error) {
		p, err := ReadProgram(r, testParams(), limit)
		if err != nil {
			return nil, err
		}
		for _, port := range p.Inputs() {
			if port.Layout.Len() > 1<<12 {
				continue
			}
			x := make([]float64, port.Layout.Len())
			k, err := NewPacker(testParams(), port)
			if err != nil {
				return nil, err
			}
			if port.CheckValues(x) == nil {
				_, _ = k.Pack(0, x) // two elements may share a slot
			}
		}
		var b bytes.Buffer
		_, err = p.WriteTo(&b)
		return b.Bytes(), err
	})
}
