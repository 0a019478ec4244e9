package lintrans

import (
	"context"
	"errors"
	"fmt"
	"math"
	"testing"

	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/engine"
	"github.com/signet-ml/signet/fhe/fhetest"
	"github.com/signet-ml/signet/fhe/program"
)

// picked are shapes of every kind: packed or not, complex or not, one diagonal or many, more rows than columns, fewer.
func picked() []Shape {
	return []Shape{
		{Slots: 256, Rows: 7, Cols: 101, R: 8, C: 64, K: 4, N1: 4, Complex: true, Packed: true, Sums: []int{8, 4}},
		{Slots: 256, Rows: 16, Cols: 30, R: 16, C: 32, K: 16, N1: 4, Sums: []int{2}},
		{Slots: 256, Rows: 1, Cols: 30, R: 1, C: 16, K: 1, N1: 1, Complex: true, Packed: true, Sums: []int{16, 2}},
		{Slots: 256, Rows: 50, Cols: 9, R: 64, C: 8, K: 2, N1: 1, Complex: true, Packed: true, Sums: []int{2, 2, 2}},
		{Slots: 256, Rows: 30, Cols: 8, R: 32, C: 8, K: 8, N1: 8},
		{Slots: 256, Rows: 30, Cols: 15, R: 32, C: 8, K: 8, N1: 2, Complex: true, Packed: true, Sums: []int{2}},
		{Slots: 256, Rows: 9, Cols: 1, R: 16, C: 1, K: 1, N1: 1},
		{Slots: 32, Rows: 5, Cols: 11, R: 8, C: 16, K: 4, N1: 2, Packed: true, Sums: []int{4}},
	}
}

// fraction returns values in [-1, 1).
func fraction(n int, seed uint64) []float64 {
	rng := fhetest.NewRand(seed)
	out := make([]float64, n)
	for i := range out {
		out[i] = 2*rng.Float64() - 1
	}
	return out
}

// TestEncryptedProduct decrypts every slot. 40-bit scales leave 25 bits or more on these rings; 20 are asked for.
func TestEncryptedProduct(t *testing.T) {
	params := fhetest.InsecureToyParamsNamed(t, "digits of one")
	for i, s := range picked() {
		for _, rescale := range []bool{false, true} {
			t.Run(fmt.Sprintf("shape=%d/rescale=%v", i, rescale), func(t *testing.T) {
				if !valid(s) {
					t.Fatalf("invalid shape %+v", s)
				}
				w, x := fraction(s.Rows*s.Cols, uint64(i)), fraction(s.Cols, uint64(100+i))
				p, consts, _ := emit(t, params, s, w, rescale)
				keys := fhetest.InsecureToyKeys(t, params, p.Keys())
				eng, err := engine.Open(context.Background(), engine.CPU, engine.Threads(2))
				if err != nil {
					t.Fatal(err)
				}
				job, err := eng.Load(context.Background(), p, consts, keys.EvaluationKeys)
				if err != nil {
					t.Fatal(err)
				}
				defer job.Close()
				out, err := job.Run(context.Background(), keys.Bundle(t, p, map[string][][]complex128{"x": {pack(t, s, x)}}))
				if err != nil {
					t.Fatal(err)
				}
				fhetest.AssertClose(t, keys.Decrypt(t, out.Get("y")[0]), want(s, w, x), 20)
			})
		}
	}
}

// TestKeysAreExact derives the rotations from the shape and removes every key in turn.
func TestKeysAreExact(t *testing.T) {
	params := fhetest.InsecureToyParamsNamed(t, "digits of one")
	for i, s := range picked() {
		p, _, _ := emit(t, params, s, fraction(s.Rows*s.Cols, uint64(i)), true)
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
		for _, radix := range s.Sums {
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
		var got []uint64
		for _, r := range p.Keys() {
			got = append(got, r.GaloisElement)
			if !need[r.GaloisElement] {
				t.Errorf("shape %d: key %d is not needed", i, r.GaloisElement)
			}
		}
		if len(got) != len(need) {
			t.Errorf("shape %d: %d keys, want %d", i, len(got), len(need))
		}
		keys := fhetest.InsecureToyKeys(t, params, p.Keys())
		if err := p.CheckKeys(keys.EvaluationKeys); err != nil {
			t.Errorf("shape %d: %v", i, err)
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
				t.Errorf("shape %d without key %d: %v", i, gone, err)
			}
		}
	}
}

// TestNoiseOfProducts compares the noise model with what every slot really has.
func TestNoiseOfProducts(t *testing.T) {
	params := fhetest.InsecureToyParamsNamed(t, "digits of one")
	for i, s := range picked() {
		w, x := fraction(s.Rows*s.Cols, uint64(i)), fraction(s.Cols, uint64(100+i))
		p, consts, _ := emit(t, params, s, w, true)
		keys := fhetest.InsecureToyKeys(t, params, p.Keys())
		eng, err := engine.Open(context.Background(), engine.CPU)
		if err != nil {
			t.Fatal(err)
		}
		job, err := eng.Load(context.Background(), p, consts, keys.EvaluationKeys)
		if err != nil {
			t.Fatal(err)
		}
		defer job.Close()
		slots := pack(t, s, x)
		var diffs []float64
		for range 8 {
			out, err := job.Run(context.Background(), keys.Bundle(t, p, map[string][][]complex128{"x": {slots}}))
			if err != nil {
				t.Fatal(err)
			}
			got := keys.Decrypt(t, out.Get("y")[0])
			for j, z := range want(s, w, x) {
				diffs = append(diffs, real(got[j]-z))
			}
		}
		noise, err := p.Noise(consts, program.NoiseHints{Magnitude: map[program.Value]float64{0: rms(x)}})
		if err != nil {
			t.Fatal(err)
		}
		predicted, measured := noise[len(noise)-1].Error, rms(diffs)
		if r := measured / predicted; r > 4 || r < 0.25 {
			t.Errorf("shape %d (%d slots, %d rows): measured 2^%.1f, predicted 2^%.1f", i, s.Slots, s.Rows, math.Log2(measured), math.Log2(predicted))
		}
	}
}

func rms(v []float64) float64 {
	sum := 0.0
	for _, x := range v {
		sum += x * x
	}
	return math.Sqrt(sum / float64(len(v)))
}
