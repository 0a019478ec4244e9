package commit

import (
	"errors"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// openMatrix opens r's matrix at challenges that look random.
func (r registered) openMatrix(t testing.TB, seed uint64) (g, h fr.Element, p *MatrixOpening) {
	t.Helper()
	e := elements(seed, 2)
	p, err := OpenMatrix(t.Context(), r.srs, r.o, e[0], e[1], r.o.Row(e[0]))
	if err != nil {
		t.Fatal(err)
	}
	return e[0], e[1], p
}

// TestMatrixOpening opens matrices, compares the value with the double sum and encodes the opening.
func TestMatrixOpening(t *testing.T) {
	forms(t, func(t *testing.T, form Form) {
		r := register(t, form, toy, 1)
		for seed := range uint64(3) {
			g, h, p := r.openMatrix(t, 5+seed)
			var want fr.Element
			for i, row := range r.o.dense() {
				x := evaluate(row, h)
				want.Add(&want, x.Mul(&x, &powers(g, i+1)[i]))
			}
			if p.E != want {
				t.Error("another value")
			}
			if err := VerifyMatrixOpening(r.srs.VerifyingKey(), r.c, g, h, p); err != nil {
				t.Fatal(err)
			}
			b := p.AppendBinary(nil, form)
			if len(b) != p.Size(form) {
				t.Errorf("%d bytes, Size says %d", len(b), p.Size(form))
			}
			again, err := UnmarshalMatrixOpening(form, b)
			if err != nil {
				t.Fatal(err)
			}
			if *again != *p {
				t.Error("the decoded opening differs")
			}
		}
	})
}

// TestMatrixOpeningForged changes one thing at a time of an opening that verifies.
//
// Soundness: P9.
func TestMatrixOpeningForged(t *testing.T) {
	forms(t, func(t *testing.T, form Form) {
		r, other := register(t, form, toy, 1), register(t, form, toy, 1) // the same weights, other blinds and secrets
		key := r.srs.VerifyingKey()
		g, h, honest := r.openMatrix(t, 3)
		one := fr.One()
		var g1, h1, e1 fr.Element
		g1.Add(&g, &one)
		h1.Add(&h, &one)
		e1.Add(&honest.E, &one)
		add := func(p bn254.G1Affine) bn254.G1Affine { return *p.Add(&p, &g1Generator) }
		changed := &Commitment{Form: form, Points: append([]bn254.G1Affine(nil), r.c.Points...)}
		changed.Points[0] = add(changed.Points[0])
		short := &Commitment{Form: form, Points: r.c.Points[1:]}
		otherForm := &Commitment{Form: Rows + Compact - form, Points: r.c.Points[:1]}
		for name, f := range map[string]func() error{
			"value": func() error {
				return VerifyMatrixOpening(key, r.c, g, h, &MatrixOpening{E: e1, Q1: honest.Q1, Q2: honest.Q2})
			},
			"Q1": func() error {
				return VerifyMatrixOpening(key, r.c, g, h, &MatrixOpening{E: honest.E, Q1: add(honest.Q1), Q2: honest.Q2})
			},
			"Q2": func() error {
				return VerifyMatrixOpening(key, r.c, g, h, &MatrixOpening{E: honest.E, Q1: honest.Q1, Q2: add(honest.Q2)})
			},
			"Q2 off the curve": func() error {
				bad := bn254.G1Affine{X: honest.Q2.Y, Y: honest.Q2.X}
				return VerifyMatrixOpening(key, r.c, g, h, &MatrixOpening{E: honest.E, Q1: honest.Q1, Q2: bad})
			},
			"g":                func() error { return VerifyMatrixOpening(key, r.c, g1, h, honest) },
			"h":                func() error { return VerifyMatrixOpening(key, r.c, g, h1, honest) },
			"commitment":       func() error { return VerifyMatrixOpening(key, changed, g, h, honest) },
			"fewer points":     func() error { return VerifyMatrixOpening(key, short, g, h, honest) },
			"other form":       func() error { return VerifyMatrixOpening(key, otherForm, g, h, honest) },
			"other blinds":     func() error { return VerifyMatrixOpening(key, other.c, g, h, honest) },
			"reference string": func() error { return VerifyMatrixOpening(other.srs.VerifyingKey(), r.c, g, h, honest) },
			"no key":           func() error { return VerifyMatrixOpening(SRSKey{}, r.c, g, h, honest) },
		} {
			if err := f(); !errors.Is(err, ErrOpening) {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

// Soundness: P9, S22.
func TestMatrixOpeningMalformed(t *testing.T) {
	forms(t, func(t *testing.T, form Form) {
		r := register(t, form, toy, 1)
		_, _, p := r.openMatrix(t, 3)
		good := p.AppendBinary(nil, form)
		change := func(at int, to ...byte) []byte {
			b := append([]byte(nil), good...)
			copy(b[at:], to)
			return b
		}
		modulus := fr.Modulus().Bytes()
		infinity := make([]byte, sizeG1)
		infinity[0], infinity[sizeG1-1] = 0x40, 1 // and a set bit that nothing reads
		for name, b := range map[string][]byte{
			"empty":             nil,
			"short":             good[:len(good)-1],
			"long":              append(good[:len(good):len(good)], 0),
			"value above p":     change(0, modulus...),
			"Q2 without flags":  change(len(good)-sizeG1, good[len(good)-sizeG1]&0x3f),
			"infinity and more": change(len(good)-sizeG1, infinity...),
		} {
			var bad *FormatError
			if _, err := UnmarshalMatrixOpening(form, b); !errors.As(err, &bad) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if _, err := UnmarshalMatrixOpening(Rows+Compact-form, good); err == nil {
			t.Error("read in the other form")
		}
	})
	if _, err := UnmarshalMatrixOpening(3, make([]byte, 96)); err == nil {
		t.Error("read in a form that does not exist")
	}
}

// TestOpeningValues compares what an opening hands out with what was committed to.
func TestOpeningValues(t *testing.T) {
	weights, bias := random(toy, 1)
	r := register(t, Rows, toy, 1)
	for l, b := range toy.Blocks {
		w, x := r.o.Weights(l)
		if len(w) != len(weights[l]) || len(x) != len(bias[l]) {
			t.Fatalf("block %s: %d weights, %d biases", b.Name, len(w), len(x))
		}
		for i := range w {
			if w[i] != weights[l][i] {
				t.Errorf("block %s: weight %d differs", b.Name, i)
			}
		}
		for i := range x {
			if x[i] != bias[l][i] {
				t.Errorf("block %s: bias %d differs", b.Name, i)
			}
		}
		w[0]++
		if again, _ := r.o.Weights(l); again[0] != weights[l][0] {
			t.Error("Weights is no copy")
		}
	}
	blinds := r.o.Blinds()
	if len(blinds) != toy.Rows()*toy.Blinds {
		t.Fatalf("%d blinds", len(blinds))
	}
	for i, row := range r.o.dense() {
		for j := range toy.Blinds {
			if row[toy.Columns()-toy.Blinds+j] != blinds[i*toy.Blinds+j] {
				t.Errorf("blind %d of row %d differs", j, i)
			}
		}
	}
}

func FuzzUnmarshalMatrixOpening(f *testing.F) {
	for _, form := range []Form{Rows, Compact} {
		r := register(f, form, toy, 1)
		_, _, p := r.openMatrix(f, 3)
		f.Add(uint8(form), p.AppendBinary(nil, form))
	}
	f.Add(uint8(0), []byte{})
	f.Fuzz(func(t *testing.T, form uint8, b []byte) {
		p, err := UnmarshalMatrixOpening(Form(form), b)
		if err != nil {
			return
		}
		if again := p.AppendBinary(nil, Form(form)); string(again) != string(b) {
			t.Errorf("read %x, wrote %x", b, again)
		}
	})
}
