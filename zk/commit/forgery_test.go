package commit

import (
	"bytes"
	"errors"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fp"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// add returns p + x*q.
func add(p bn254.G1Affine, x fr.Element, q bn254.G1Affine) bn254.G1Affine {
	return naive([]bn254.G1Affine{p, q}, []fr.Element{fr.One(), x})
}

// refused fails the test unless the proof is refused with ErrOpening.
func refused(t *testing.T, what string, key SRSKey, c *Commitment, tr Transcribe, p *OpeningProof) {
	t.Helper()
	if err := VerifyOpening(key, c, tr, p); !errors.Is(err, ErrOpening) {
		t.Errorf("%s: got %v, want ErrOpening", what, err)
	}
}

// TestMauled changes every part of a good proof and of what it is verified against.
//
// Soundness: P21, P23.
func TestMauled(t *testing.T) {
	forms(t, func(t *testing.T, form Form) {
		r := register(t, form, toy, 1)
		key := r.srs.VerifyingKey()
		tr, p := r.prove(t, 1)
		if err := VerifyOpening(key, r.c, tr, p); err != nil {
			t.Fatal(err)
		}
		shift := func(q *bn254.G1Affine) { q.Add(q, &g1Generator) }
		one := fr.One()
		for name, maul := range map[string]func(c *Commitment, tr *Transcribe, p *OpeningProof){
			"K":              func(_ *Commitment, _ *Transcribe, p *OpeningProof) { shift(&p.K) },
			"K negated":      func(_ *Commitment, _ *Transcribe, p *OpeningProof) { p.K.Neg(&p.K) },
			"K zero":         func(_ *Commitment, _ *Transcribe, p *OpeningProof) { p.K = bn254.G1Affine{} },
			"K off":          func(_ *Commitment, _ *Transcribe, p *OpeningProof) { p.K.X.SetUint64(7) },
			"E1":             func(_ *Commitment, _ *Transcribe, p *OpeningProof) { p.E1.Add(&p.E1, &one) },
			"E2":             func(_ *Commitment, _ *Transcribe, p *OpeningProof) { p.E2.Add(&p.E2, &one) },
			"E1 and E2":      func(_ *Commitment, _ *Transcribe, p *OpeningProof) { p.E1, p.E2 = p.E2, p.E1 },
			"Q1":             func(_ *Commitment, _ *Transcribe, p *OpeningProof) { shift(&p.Q1) },
			"Q1 off":         func(_ *Commitment, _ *Transcribe, p *OpeningProof) { p.Q1.X.SetUint64(7) },
			"Q2":             func(_ *Commitment, _ *Transcribe, p *OpeningProof) { shift(&p.Q2) },
			"Q2 zero":        func(_ *Commitment, _ *Transcribe, p *OpeningProof) { p.Q2 = bn254.G1Affine{} },
			"Q2 off":         func(_ *Commitment, _ *Transcribe, p *OpeningProof) { p.Q2.Y.SetUint64(7) },
			"quotients":      func(_ *Commitment, _ *Transcribe, p *OpeningProof) { p.Q1, p.Q2 = p.Q2, p.Q1 },
			"context":        func(_ *Commitment, tr *Transcribe, _ *OpeningProof) { tr.Context.Add(&tr.Context, &one) },
			"cd":             func(_ *Commitment, tr *Transcribe, _ *OpeningProof) { tr.CD[31] ^= 1 },
			"g":              func(_ *Commitment, tr *Transcribe, _ *OpeningProof) { tr.G.Add(&tr.G, &one) },
			"h":              func(_ *Commitment, tr *Transcribe, _ *OpeningProof) { tr.H.Add(&tr.H, &one) },
			"a point":        func(c *Commitment, _ *Transcribe, _ *OpeningProof) { shift(&c.Points[0]) },
			"last point":     func(c *Commitment, _ *Transcribe, _ *OpeningProof) { shift(&c.Points[len(c.Points)-1]) },
			"a point off":    func(c *Commitment, _ *Transcribe, _ *OpeningProof) { c.Points[0].X.SetUint64(7) },
			"a point more":   func(c *Commitment, _ *Transcribe, _ *OpeningProof) { c.Points = append(c.Points, g1Generator) },
			"a point less":   func(c *Commitment, _ *Transcribe, _ *OpeningProof) { c.Points = c.Points[1:] },
			"no points":      func(c *Commitment, _ *Transcribe, _ *OpeningProof) { c.Points = nil },
			"another form":   func(c *Commitment, _ *Transcribe, _ *OpeningProof) { c.Form = 3 - form },
			"form 0":         func(c *Commitment, _ *Transcribe, _ *OpeningProof) { c.Form = 0 },
			"another vector": func(_ *Commitment, _ *Transcribe, p *OpeningProof) { _, other := r.prove(t, 50); p.K = other.K },
		} {
			c := &Commitment{Form: r.c.Form, Points: append([]bn254.G1Affine(nil), r.c.Points...)}
			tr, p := tr, *p
			maul(c, &tr, &p)
			refused(t, name, key, c, tr, &p)
		}
	})
}

// TestForeignKeys verifies a proof under keys of other strings and of the other form.
//
// Soundness: P6, S16.
func TestForeignKeys(t *testing.T) {
	forms(t, func(t *testing.T, form Form) {
		r := register(t, form, toy, 1)
		tr, p := r.prove(t, 1)
		refused(t, "another string", known(form, toy, 5, 7).VerifyingKey(), r.c, tr, p)
		refused(t, "the other form", known(3-form, toy, 5, 7).VerifyingKey(), r.c, tr, p)
		refused(t, "no key", SRSKey{}, r.c, tr, p)
	})
}

// TestLongerString makes a proof with a longer string of the same secrets: the key is the same and so is the proof's
// meaning.
//
// Soundness: P5.
func TestLongerString(t *testing.T) {
	forms(t, func(t *testing.T, form Form) {
		longer := toy
		longer.Blinds, longer.Accumulators = 30, 90
		c, o, err := Commit(t.Context(), known(form, longer, 5, 7), form, randomMatrix(t, toy, 1))
		if err != nil {
			t.Fatal(err)
		}
		r := registered{srs: known(form, longer, 5, 7), c: c, o: o}
		tr, p := r.prove(t, 1)
		if err := VerifyOpening(known(form, toy, 5, 7).VerifyingKey(), c, tr, p); err != nil {
			t.Error(err)
		}
	})
}

// TestKnownSecret forges with a string whose secret the prover knows. The forgery verifies under that string's key,
// which is why keys are pinned by digest, and under no other.
//
// Soundness: P6.
func TestKnownSecret(t *testing.T) {
	const s = 5
	srs := known(Rows, toy, s, 0)
	c, o, err := Commit(t.Context(), srs, Rows, randomMatrix(t, toy, 1))
	if err != nil {
		t.Fatal(err)
	}
	r := registered{srs: srs, c: c, o: o}
	tr, honest := r.prove(t, 1)

	p := &OpeningProof{K: honest.K, E1: fr.NewElement(123), E2: fr.NewElement(456)}
	gamma := tr.gamma(Rows, p)
	// Q2 = (C_g + gamma K - e1 - gamma e2) / (s - h)
	sum := naive(c.Points, powers(tr.G, len(c.Points)))
	sum = add(sum, gamma, p.K)
	var value fr.Element
	value.Mul(&gamma, &p.E2).Add(&value, &p.E1).Neg(&value)
	sum = add(sum, value, g1Generator)
	divisor := fr.NewElement(s)
	divisor.Sub(&divisor, &tr.H).Inverse(&divisor)
	p.Q2 = naive([]bn254.G1Affine{sum}, []fr.Element{divisor})

	if err := VerifyOpening(srs.VerifyingKey(), c, tr, p); err != nil {
		t.Fatalf("the forgery is not one: %v", err)
	}
	ours := register(t, Rows, toy, 1).srs.VerifyingKey()
	refused(t, "under our key", ours, c, tr, p)
	if ours.Digest() == srs.VerifyingKey().Digest() {
		t.Error("digests of two keys are equal")
	}
}

// TestExtraTerms hides a term of higher degree in a row's commitment or in K, as a longer string allows. The circuit
// evaluates only what the layout has, and that is not what was committed to.
//
// Soundness: P5.
func TestExtraTerms(t *testing.T) {
	longer := toy
	longer.Accumulators = 90
	forms(t, func(t *testing.T, form Form) {
		r := register(t, form, longer, 1)
		weights, bias := random(toy, 1)
		m, err := NewMatrix(toy, weights, bias)
		if err != nil {
			t.Fatal(err)
		}
		if r.c, r.o, err = Commit(t.Context(), r.srs, form, m); err != nil {
			t.Fatal(err)
		}
		key, x := r.srs.VerifyingKey(), fr.NewElement(9)
		extra := r.srs.row(0)[toy.Powers()+3]

		c := &Commitment{Form: form, Points: append([]bn254.G1Affine(nil), r.c.Points...)}
		c.Points[0] = add(c.Points[0], x, extra)
		rc := registered{srs: r.srs, c: c, o: r.o}
		tr, p := rc.prove(t, 1)
		refused(t, "a row with an extra term", key, c, tr, p)

		tr, p = r.prove(t, 1)
		v := vector(toy, 1)
		k := add(p.K, x, extra)
		if p, err = Open(t.Context(), r.srs, r.o, tr, r.o.Row(tr.G), v, k); err != nil {
			t.Fatal(err)
		}
		refused(t, "K with an extra term", key, r.c, tr, p)
	})
}

// TestJointShift moves both evaluations so that their sum under the proof's gamma stays. Gamma absorbs both.
//
// Soundness: P4.
func TestJointShift(t *testing.T) {
	forms(t, func(t *testing.T, form Form) {
		r := register(t, form, toy, 1)
		key := r.srs.VerifyingKey()
		tr, p := r.prove(t, 1)
		gamma := tr.gamma(form, p)
		delta, moved := fr.NewElement(77), fr.Element{}
		p.E1.Add(&p.E1, moved.Mul(&delta, &gamma))
		p.E2.Sub(&p.E2, &delta)
		if !holds(key, r.c, tr, p, gamma) {
			t.Fatal("the forgery does not even fool a fixed gamma")
		}
		refused(t, "shifted", key, r.c, tr, p)
	})
}

// TestSecondVariableInK gives K a term in the first variable, so that the vector it stands for depends on g, which is
// drawn after K. The equation holds for a gamma that does not absorb Q1, and only for such a one.
//
// Soundness: P3.
func TestSecondVariableInK(t *testing.T) {
	r := register(t, Compact, toy, 1)
	key := r.srs.VerifyingKey()
	tr, honest := r.prove(t, 1)
	u, v := r.o.Row(tr.G), vector(toy, 1)

	// K stands for v(Y) + X. At X = g that is v with g added to its first element.
	p := &OpeningProof{K: add(honest.K, fr.One(), r.srs.row(1)[0]), E1: honest.E1}
	p.E2.Add(&honest.E2, &tr.G)
	gamma := tr.gamma(Compact, p) // with Q1 not chosen yet
	p.Q1 = add(honest.Q1, gamma, g1Generator)
	f := append(make([]fr.Element, 0, toy.Powers()), u...)
	f = append(f, make([]fr.Element, toy.Powers()-len(u))...)
	for i := range v {
		var x fr.Element
		f[i].Add(&f[i], x.Mul(&gamma, &v[i]))
	}
	quotient := divide(f, tr.H)
	p.Q2 = naive(r.srs.row(0)[:len(quotient)], quotient)

	if !holds(key, r.c, tr, p, gamma) {
		t.Fatal("the forgery does not even fool the weaker gamma")
	}
	refused(t, "a K of two variables", key, r.c, tr, p)
}

// TestPointsAfterChallenges solves for a row's commitment when the challenges are known. A verifier that takes cd from
// the prover is fooled; one that computes it from the points is not.
//
// Soundness: P7.
func TestPointsAfterChallenges(t *testing.T) {
	r := register(t, Rows, toy, 1)
	key := r.srs.VerifyingKey()
	tr, _ := r.prove(t, 1)
	u, v := r.o.Row(tr.G), vector(toy, 1)
	k, err := CommitVector(r.srs, v)
	if err != nil {
		t.Fatal(err)
	}
	delta := fr.NewElement(1000)
	u[0].Add(&u[0], &delta) // another model's row, under the same challenges
	p, err := Open(t.Context(), r.srs, r.o, tr, u, v, k)
	if err != nil {
		t.Fatal(err)
	}
	forged := registered{srs: r.srs, o: r.o, circuit: r.circuit, c: &Commitment{Form: Rows, Points: append([]bn254.G1Affine(nil), r.c.Points...)}}
	forged.c.Points[0] = add(forged.c.Points[0], delta, g1Generator)

	if err := VerifyOpening(key, forged.c, tr, p); err != nil {
		t.Fatalf("the forgery does not even fool a verifier that is told cd: %v", err)
	}
	tr.CD = forged.cd()
	refused(t, "cd of the points in hand", key, forged.c, tr, p)
}

// TestProofBytes spoils encodings of good proofs.
//
// Soundness: P21, S22.
func TestProofBytes(t *testing.T) {
	forms(t, func(t *testing.T, form Form) {
		r := register(t, form, toy, 1)
		_, p := r.prove(t, 1)
		good := p.AppendBinary(nil, form)
		at := map[string]int{"K": 0, "E1": sizeG1, "E2": sizeG1 + fr.Bytes, "Q2": len(good) - sizeG1}
		if form == Compact {
			at["Q1"] = len(good) - 2*sizeG1
		}
		modulus, prime := fr.Modulus().Bytes(), fp.Modulus().Bytes()
		var off [sizeG1]byte // x = 4 has no point: 67 is no square
		off[0], off[sizeG1-1] = 0x80, 4
		for name, part := range map[string][]byte{
			"ones":                 bytes.Repeat([]byte{0xff}, sizeG1),
			"zeros":                make([]byte, sizeG1),
			"off the curve":        off[:],
			"coordinate of prime":  append([]byte{prime[0] | 0x80}, prime[1:]...),
			"zero with a residue":  append([]byte{0x40}, bytes.Repeat([]byte{1}, sizeG1-1)...),
			"uncompressed":         append([]byte{0}, bytes.Repeat([]byte{1}, sizeG1-1)...),
			"element of modulus":   modulus,
			"element past modulus": append([]byte{modulus[0] + 1}, modulus[1:]...),
		} {
			for field, i := range at {
				scalar := field[0] == 'E'
				if scalar != (len(name) > 7 && name[:7] == "element") && !(scalar && name == "ones") {
					continue
				}
				bad := append(bytes.Clone(good[:i]), part...)
				bad = append(bad, good[i+len(part):]...)
				var format *FormatError
				if _, err := UnmarshalOpeningProof(form, bad); !errors.As(err, &format) {
					t.Errorf("%s: %s: %v", field, name, err)
				}
			}
		}
		var format *FormatError
		for n := range good {
			if _, err := UnmarshalOpeningProof(form, good[:n]); !errors.As(err, &format) {
				t.Errorf("%d bytes: %v", n, err)
			}
		}
		if _, err := UnmarshalOpeningProof(form, append(good, 0)); !errors.As(err, &format) {
			t.Errorf("a byte too many: %v", err)
		}
		if _, err := UnmarshalOpeningProof(3-form, good); !errors.As(err, &format) {
			t.Errorf("the other form: %v", err)
		}
		if _, err := UnmarshalOpeningProof(0, good); err == nil {
			t.Error("form 0")
		}
	})
}

// FuzzUnmarshalOpeningProof decodes and verifies whatever it is given.
//
// Soundness: S22.
func FuzzUnmarshalOpeningProof(f *testing.F) {
	for _, form := range []Form{Rows, Compact} {
		_, p := register(f, form, toy, 1).prove(f, 1)
		f.Add(byte(form), p.AppendBinary(nil, form))
		f.Add(byte(form), (&OpeningProof{}).AppendBinary(nil, form))
	}
	keys := map[Form]SRSKey{Rows: known(Rows, toy, 5, 7).VerifyingKey(), Compact: known(Compact, toy, 5, 7).VerifyingKey()}
	f.Fuzz(func(t *testing.T, form byte, b []byte) {
		p, err := UnmarshalOpeningProof(Form(form), b)
		if err != nil {
			return
		}
		if !bytes.Equal(p.AppendBinary(nil, Form(form)), b) {
			t.Fatal("accepted, and written in another form")
		}
		c := &Commitment{Form: Form(form), Points: []bn254.G1Affine{g1Generator}}
		if err := VerifyOpening(keys[Form(form)], c, Transcribe{}, p); err != nil && !errors.Is(err, ErrOpening) {
			t.Fatalf("error %v", err)
		}
	})
}
