package program

import (
	"errors"
	"testing"

	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/internal/access"
)

// zeroKeys returns all-zero keys for every requirement, at its level plus more where that exists.
func zeroKeys(t testing.TB, prog *Program, more int) *fhe.EvaluationKeys {
	t.Helper()
	p := prog.Parameters()
	s := fhe.NewEvaluationKeys(p, fhe.KeyID{1})
	for _, r := range prog.Keys() {
		if err := s.Add(zeroKey(t, p, r.GaloisElement, min(r.Level+more, p.MaxLevel()))); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// seededKeys have the size of those that a client generates: each carries a seed.
func seededKeys(t testing.TB, prog *Program) *fhe.EvaluationKeys {
	t.Helper()
	p := prog.Parameters()
	s := fhe.NewEvaluationKeys(p, fhe.KeyID{9})
	for _, r := range prog.Keys() {
		b := make([][][]uint64, (r.Level+p.PCount())/p.PCount())
		for d := range b {
			for range r.Level + 1 + p.PCount() {
				b[d] = append(b[d], make([]uint64, p.N()))
			}
		}
		k, err := access.SeededEvaluationKey(p, r.GaloisElement, r.Level, b, access.Lattice(p).ExpandKey([32]byte{}, r.Level))
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Add(k); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func zeroKey(t testing.TB, p fhe.Parameters, g uint64, level int) *fhe.EvaluationKey {
	t.Helper()
	rows := level + 1 + p.PCount()
	limbs := make([][2][][]uint64, (level+p.PCount())/p.PCount())
	for d := range limbs {
		for b := range limbs[d] {
			for range rows {
				limbs[d][b] = append(limbs[d][b], make([]uint64, p.N()))
			}
		}
	}
	k, err := fhe.NewEvaluationKey(p, g, level, limbs)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestKeys(t *testing.T) {
	prog, _ := everything(t)
	p := prog.Parameters()
	want := map[uint64]KeyRequirement{
		0:                   {0, 2, "activation"},
		p.GaloisElement(1):  {p.GaloisElement(1), 2, "dense/1"},
		p.GaloisElement(2):  {p.GaloisElement(2), 2, "dense/1"},
		p.GaloisElement(4):  {p.GaloisElement(4), 2, "dense/1"},
		p.GaloisElement(-3): {p.GaloisElement(-3), 0, ""},
		p.GaloisElement(7):  {p.GaloisElement(7), 0, ""},
		uint64(2*p.N() - 1): {uint64(2*p.N() - 1), 0, ""},
	}
	keys := prog.Keys()
	for i, r := range keys {
		if r != want[r.GaloisElement] || i > 0 && r.GaloisElement <= keys[i-1].GaloisElement {
			t.Errorf("requirement %+v, want %+v", r, want[r.GaloisElement])
		}
	}
	if len(keys) != len(want) {
		t.Errorf("%d keys, want %d", len(keys), len(want))
	}
	if prog.Rotations() != 3+1+1+1+2 {
		t.Errorf("%d rotations", prog.Rotations())
	}
	if b := encoded(t, seededKeys(t, prog)); int64(len(b)) != prog.KeysBytes() {
		t.Errorf("%d bytes of keys, KeysBytes says %d", len(b), prog.KeysBytes())
	}
}

func TestCheckKeys(t *testing.T) {
	prog, _ := everything(t)
	p := prog.Parameters()
	for _, more := range []int{0, 9} {
		if err := prog.CheckKeys(zeroKeys(t, prog, more)); err != nil {
			t.Error(err)
		}
	}
	var missing *fhe.MissingKeyError
	if err := prog.CheckKeys(nil); !errors.As(err, &missing) || !missing.Relinearization || missing.Level != 2 || missing.Have != -1 || missing.Scope != "activation" {
		t.Errorf("no keys: %v", err)
	}
	for _, r := range prog.Keys() {
		without, lower := fhe.NewEvaluationKeys(p, fhe.KeyID{}), fhe.NewEvaluationKeys(p, fhe.KeyID{})
		for _, o := range prog.Keys() {
			if o != r {
				if err := errors.Join(without.Add(zeroKey(t, p, o.GaloisElement, o.Level)), lower.Add(zeroKey(t, p, o.GaloisElement, o.Level))); err != nil {
					t.Fatal(err)
				}
			}
		}
		err := prog.CheckKeys(without)
		if !errors.As(err, &missing) || missing.GaloisElement != r.GaloisElement || missing.Have != -1 || missing.Scope != r.Scope || missing.Level != r.Level {
			t.Errorf("without %+v: %v", r, err)
		}
		if k, conj, _ := p.Rotation(r.GaloisElement); r.GaloisElement != 0 && (missing.Rotation != k || missing.Conjugate != conj) {
			t.Errorf("without %+v: %v", r, err)
		}
		if r.Level > 0 {
			if err := lower.Add(zeroKey(t, p, r.GaloisElement, r.Level-1)); err != nil {
				t.Fatal(err)
			}
			if err := prog.CheckKeys(lower); !errors.As(err, &missing) || missing.GaloisElement != r.GaloisElement || missing.Have != r.Level-1 {
				t.Errorf("lower %+v: %v", r, err)
			}
		}
	}
	var mismatch *fhe.MismatchError
	if err := prog.CheckKeys(fhe.NewEvaluationKeys(noKeyParams(), fhe.KeyID{})); !errors.As(err, &mismatch) {
		t.Errorf("other parameters: %v", err)
	}
}

func TestLastUses(t *testing.T) {
	p := testParams()
	b := NewBuilder(p)
	x := b.Input(inputPort(p, "x", 3))                                                  // 0, 1, 2
	h := b.Hoist(x[0], 1)                                                               // 3
	y := b.Add(x[1], x[1])                                                              // 4
	r := b.RotHoisted(h, 5, 1)                                                          // 5: reads 3, and part 0 of 0
	l := b.Lincomb([]Range{{x[1], 2}}, weights(t, fhe.PowerOfTwo(0), []int64{1, 1}), 0) // 6
	dead := b.Neg(r)                                                                    // 7
	b.Output(b.OutputPort("a", y, 1, vector(1)), y)                                     // 8
	b.Output(b.OutputPort("b", l, 1, vector(1)), l)                                     // 9
	prog, _, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	want := []Value{5, 6, 6, 5, 8, 7, 9, dead, 8, 9}
	for i, v := range prog.LastUses() {
		if v != want[i] {
			t.Errorf("last use of %d is %d, want %d", i, v, want[i])
		}
	}
	for _, c := range [][3]int{{0, 4, 0}, {13, 4, 12}, {13, 1, 13}, {7, 8, 0}} {
		if baby, giant := BabyGiant(c[0], c[1]); giant != c[2] || baby+giant != c[0] {
			t.Errorf("diagonal %d with %d baby steps: %d + %d", c[0], c[1], giant, baby)
		}
	}
}
