package lintrans

import (
	"errors"
	"fmt"
	"testing"

	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/fhetest"
	"github.com/signet-ml/signet/fhe/program"
)

// picked are shapes of every kind: complex or not, one diagonal or many, more rows than columns, fewer.
func picked() []Shape {
	return []Shape{
		{Slots: 256, Rows: 7, Cols: 101, R: 8, C: 64, K: 4, N1: 4, Complex: true, Sums: Sum{Stride: 8, Radices: []int{8, 4}, Conj: true}},
		{Slots: 256, Rows: 16, Cols: 30, R: 16, C: 32, K: 16, N1: 4, Sums: Sum{Stride: 16, Radices: []int{2}}},
		{Slots: 256, Rows: 1, Cols: 30, R: 1, C: 16, K: 1, N1: 1, Complex: true, Sums: Sum{Stride: 1, Radices: []int{16, 2}, Conj: true}},
		{Slots: 256, Rows: 50, Cols: 9, R: 64, C: 8, K: 2, N1: 1, Complex: true, Sums: Sum{Stride: 64, Radices: []int{2, 2, 2}, Conj: true}},
		{Slots: 256, Rows: 30, Cols: 8, R: 32, C: 8, K: 8, N1: 8, Sums: Sum{Stride: 32}},
		{Slots: 256, Rows: 30, Cols: 15, R: 32, C: 8, K: 8, N1: 2, Complex: true, Sums: Sum{Stride: 32, Radices: []int{2}, Conj: true}},
		{Slots: 256, Rows: 9, Cols: 1, R: 16, C: 1, K: 1, N1: 1, Sums: Sum{Stride: 16}},
		{Slots: 32, Rows: 5, Cols: 11, R: 8, C: 16, K: 4, N1: 2, Sums: Sum{Stride: 8, Radices: []int{4}}},
	}
}

// TestEncryptedShapes decrypts every slot.
func TestEncryptedShapes(t *testing.T) {
	params := fhetest.InsecureToyParamsNamed(t, "digits of one")
	for i, s := range picked() {
		for _, rescale := range []bool{false, true} {
			t.Run(fmt.Sprintf("shape=%d/rescale=%v", i, rescale), func(t *testing.T) {
				if !valid(s) {
					t.Fatalf("invalid shape %+v", s)
				}
				m, x, out := matrix{s.Rows, s.Cols, fraction(s.Rows*s.Cols, uint64(i))}, fraction(s.Cols, uint64(100+i)), rowsInOrder(s.Rows)
				s.rig(t, params, m, out, x, rescale).encrypted(4, lay(out, s.Slots, m.times(x)))
			})
		}
	}
}

// TestShapesWithEncryptedWeights: the diagonals are ciphertexts.
func TestShapesWithEncryptedWeights(t *testing.T) {
	params := fhetest.InsecureToyParamsNamed(t, "digits of one")
	rig := func(t *testing.T, s Shape, m matrix, out Layout, x []float64) *rig {
		s = s.ForEncrypted(4, 1, DefaultCost)
		r := newRig(t, params, s.Slots)
		in := r.input("x", 1, s.Runs(), x)[0]
		r.build(s.Sum(r.b, r.b.Rescale(s.EmitEncrypted(r.b, in, r.private("weights", s.Diagonals(m, out))))))
		return r
	}
	for i, s := range picked() {
		t.Run(fmt.Sprintf("shape=%d", i), func(t *testing.T) {
			out := rowsInOrder(s.Rows)
			m, x := matrix{s.Rows, s.Cols, integers(s.Rows*s.Cols, uint64(i))}, integers(s.Cols, uint64(100+i))
			rig(t, s, m, out, x).check(lay(out, s.Slots, m.times(x)))
			m.w, x = fraction(len(m.w), uint64(i)), fraction(len(x), uint64(100+i))
			rig(t, s, m, out, x).encrypted(2, lay(out, s.Slots, m.times(x)))
		})
	}
}

// TestKeysAreExact derives the rotations from the shape and removes every key in turn.
func TestKeysAreExact(t *testing.T) {
	params := fhetest.InsecureToyParamsNamed(t, "digits of one")
	for i, s := range picked() {
		p := s.rig(t, params, matrix{s.Rows, s.Cols, fraction(s.Rows*s.Cols, uint64(i))}, rowsInOrder(s.Rows), make([]float64, s.Cols), true).prog
		need := map[uint64]bool{}
		if s.K > 1 {
			for b := 1; b < s.N1; b++ {
				need[params.GaloisElement(b)] = true
			}
			for g := s.N1; g < s.K; g += s.N1 {
				need[params.GaloisElement(g)] = true
			}
		}
		stride, conj := s.R, s.Complex
		for _, radix := range s.Sums.Radices {
			if conj {
				radix /= 2
			}
			for j := range radix {
				g := params.GaloisElement(j * stride)
				need[g] = true
				if conj {
					need[uint64(2*params.N())-g] = true
				}
			}
			stride *= radix
			conj = false
		}
		delete(need, 1)
		t.Run(fmt.Sprintf("shape=%d", i), func(t *testing.T) { checkKeys(t, p, need) })
	}
}

// checkKeys compares the keys of a program with those that are needed, and removes every one in turn.
func checkKeys(t *testing.T, p *program.Program, need map[uint64]bool) {
	t.Helper()
	var got []uint64
	for _, r := range p.Keys() {
		got = append(got, r.GaloisElement)
		if !need[r.GaloisElement] {
			t.Errorf("key %d is not needed", r.GaloisElement)
		}
	}
	if len(got) != len(need) {
		t.Errorf("%d keys, want %d", len(got), len(need))
	}
	params := p.Parameters()
	keys := fhetest.InsecureToyKeys(t, params, p.Keys())
	if err := p.CheckKeys(keys.EvaluationKeys); err != nil {
		t.Error(err)
	}
	for _, gone := range got {
		left := fhe.NewEvaluationKeys(params, keys.Key())
		for _, g := range got {
			if g != gone {
				if err := left.Add(keys.Get(g)); err != nil {
					t.Fatal(err)
				}
			}
		}
		var missing *fhe.MissingKeyError
		if err := p.CheckKeys(left); !errors.As(err, &missing) || missing.GaloisElement != gone || missing.Scope != "product" {
			t.Errorf("without key %d: %v", gone, err)
		}
	}
}
