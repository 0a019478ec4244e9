package client

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/internal/access"
	"github.com/signet-ml/signet/fhe/program"
	"github.com/tuneinsight/lattigo/v5/core/rlwe"
	"github.com/tuneinsight/lattigo/v5/he/hefloat"
	"github.com/tuneinsight/lattigo/v5/ring"
	"github.com/tuneinsight/lattigo/v5/utils/structs"
)

func params(t testing.TB, lit fhe.ParametersLiteral) fhe.Parameters {
	t.Helper()
	p, err := fhe.NewParameters(lit)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// small has 106 of 106 bits; wide has two digits and four levels, 210 of 214 bits.
func small(t testing.TB) fhe.Parameters {
	return params(t, fhe.ParametersLiteral{LogN: 12, LogQ: []int{38, 28}, LogP: []int{40}})
}

func wide(t testing.TB) fhe.Parameters {
	return params(t, fhe.ParametersLiteral{LogN: 13, LogQ: []int{40, 30, 30, 30}, LogP: []int{40, 40}})
}

func generator(t testing.TB, p fhe.Parameters) *KeyGenerator {
	t.Helper()
	g, err := NewKeyGenerator(p)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// vector is a port that holds n real numbers in slots 0 … n-1 of one ciphertext.
func vector(p fhe.Parameters, level, logSlots, n int) program.Port {
	return program.Port{Name: "x", Count: 1, Level: level, Degree: 1, LogSlots: logSlots, Scale: p.DefaultScale(), Bound: 1,
		Layout: program.Layout{Shape: []int{n}, Runs: []program.Run{{SlotStep: 1, IndexStep: 1, Length: n}}}}
}

// values returns n numbers in [-1, 1).
func values(n int, seed uint64) []float64 {
	r := rand.New(rand.NewPCG(seed, 0))
	out := make([]float64, n)
	for i := range out {
		out[i] = 2*r.Float64() - 1
	}
	return out
}

// deviation returns the standard deviation and the largest magnitude of the differences.
func deviation(t testing.TB, got, want []float64) (std, largest float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d values, want %d", len(got), len(want))
	}
	for i := range got {
		d := got[i] - want[i]
		std += d * d
		largest = max(largest, math.Abs(d))
	}
	return math.Sqrt(std / float64(len(got))), largest
}

// fresh is the standard deviation of the real part of a slot of a fresh encryption: n slots and coefficient errors of
// 3.2 and of rounding.
func fresh(logSlots int, scale fhe.Scale) float64 {
	return math.Sqrt((3.2*3.2+1.0/12)*math.Exp2(float64(logSlots))) / scale.Float64()
}

func near(t testing.TB, what string, got, want []float64, std float64) {
	t.Helper()
	if _, largest := deviation(t, got, want); !(largest < 7*std) { // of 10^4 values one is off by 7σ once in 10^7 runs
		t.Errorf("%s: largest error 2^%.1f, expected standard deviation 2^%.1f", what, math.Log2(largest), math.Log2(std))
	}
}

func encrypt(t testing.TB, sk *SecretKey, port program.Port, x []float64) *fhe.Bundle {
	t.Helper()
	b, err := NewEncryptor(sk).Encrypt(port, x)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func decrypt(t testing.TB, sk *SecretKey, port program.Port, b *fhe.Bundle) []float64 {
	t.Helper()
	x, err := NewDecryptor(sk).ForOwner(port, b)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// lattigo returns a copy of a key as Lattigo holds it: Montgomery form, Q and P apart.
func lattigo(p fhe.Parameters, k *fhe.EvaluationKey) rlwe.EvaluationKey {
	c := access.Lattice(p).CKKS
	value := make(structs.Matrix[rlwe.VectorQP], k.Digits())
	for d := range value {
		v := rlwe.NewVectorQP(c, 2, k.Level(), c.MaxLevelP())
		for part := range v {
			for i := range k.Rows() {
				row := v[part].P.Coeffs
				j := i - k.Level() - 1
				if j < 0 {
					row, j = v[part].Q.Coeffs, i
				}
				access.Lattice(p).Row(k.Level(), i).MForm(k.Limb(d, part, i), row[j])
			}
		}
		value[d] = []rlwe.VectorQP{v}
	}
	return rlwe.EvaluationKey{GadgetCiphertext: rlwe.GadgetCiphertext{Value: value}}
}

// evaluator returns Lattigo's evaluator with the keys.
func evaluator(p fhe.Parameters, keys *fhe.EvaluationKeys) *hefloat.Evaluator {
	c := access.Lattice(p).CKKS
	set := rlwe.NewMemEvaluationKeySet(nil)
	for _, g := range keys.Elements() {
		k := lattigo(p, keys.Get(g))
		if g == 0 {
			set.RelinearizationKey = &rlwe.RelinearizationKey{EvaluationKey: k}
		} else {
			set.GaloisKeys[g] = &rlwe.GaloisKey{GaloisElement: g, NthRoot: c.RingQ().NthRoot(), EvaluationKey: k}
		}
	}
	return hefloat.NewEvaluator(c, set)
}

// toLattigo returns a copy as Lattigo holds it.
func toLattigo(p fhe.Parameters, ct *fhe.Ciphertext) *rlwe.Ciphertext {
	out := hefloat.NewCiphertext(access.Lattice(p).CKKS, ct.Degree(), ct.Level())
	for poly := range out.Value {
		for i := range out.Value[poly].Coeffs {
			copy(out.Value[poly].Coeffs[i], ct.Limb(poly, i))
		}
	}
	out.Scale = rlwe.NewScale(ct.Scale().Big())
	out.LogDimensions = ring.Dimensions{Rows: 0, Cols: ct.LogSlots()}
	return out
}

// owned decrypts what Lattigo computed, by the layout of port.
func owned(t testing.TB, p fhe.Parameters, sk *SecretKey, port program.Port, ct *rlwe.Ciphertext) []float64 {
	t.Helper()
	scale, err := fhe.ScaleFromBig(&ct.Scale.Value)
	if err != nil {
		t.Fatal(err)
	}
	var limbs [][][]uint64
	for _, poly := range ct.Value {
		limbs = append(limbs, poly.Coeffs)
	}
	port.Level, port.Degree, port.Scale = ct.Level(), ct.Degree(), scale
	out, err := fhe.CiphertextFromLimbs(p, limbs, port.LogSlots, scale)
	if err != nil {
		t.Fatal(err)
	}
	b := fhe.NewBundle(p, sk.ID(), port.Program)
	if err := b.Add(port.Name, out); err != nil {
		t.Fatal(err)
	}
	return decrypt(t, sk, port, b)
}
