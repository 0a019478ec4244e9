package provable_test

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/signet-ml/signet/ml"
	"github.com/signet-ml/signet/ml/provable"
	"github.com/signet-ml/signet/zk"
)

// columns returns a model with a scaler in front, and 256 samples of columns of 1000 ± 350 and 0.1 ± 0.014.
func columns(t *testing.T) (*ml.Model, ml.Tensor) {
	t.Helper()
	r := rand.New(rand.NewPCG(1, 2))
	x := ml.Tensor{Shape: []int{256, 2}, Data: make([]float64, 512)}
	for i := 0; i < len(x.Data); i += 2 {
		x.Data[i], x.Data[i+1] = 1000+350*r.NormFloat64(), 0.1+0.014*r.NormFloat64()
	}
	m, err := ml.Sequential(
		ml.BatchNorm(nil, nil, []float64{1000, 0.1}, []float64{350 * 350, 0.014 * 0.014}, 0),
		ml.Dense(ml.Tensor{Shape: []int{1, 2}, Data: []float64{1, 1}}, nil))
	if err != nil {
		t.Fatal(err)
	}
	return m, x
}

// TestForgedEncodings changes which real numbers the integers of a proved input are said to stand for.
//
// Soundness: P27, S20.
func TestForgedEncodings(t *testing.T) {
	m, x := columns(t)
	for _, visibility := range []zk.Visibility{zk.Public, zk.Hashed, zk.Committed} {
		circuit, err := provable.Compile(m, provable.Options{Calibration: x, Input: visibility, Answer: provable.Class})
		if err != nil {
			t.Fatal(err)
		}
		k := keys(t, circuit)
		commitment, opening, err := circuit.Commit(k)
		if err != nil {
			t.Fatal(err)
		}
		in := sample(x, 9, 10)
		proof, pred, err := circuit.Prove(context.Background(), k, opening, in, zk.Context{})
		if err != nil {
			t.Fatal(err)
		}
		want, err := m.Forward(in)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(pred.Labels, m.Labels(want)) {
			t.Errorf("labels %v, the float model says %v", pred.Labels, m.Labels(want))
		}
		st := circuit.Statement(commitment, in, pred)
		if err := zk.Verify(k.VerifyingKey(), st, proof); err != nil {
			t.Fatal(err)
		}
		strange(t, k.VerifyingKey(), st, proof)
		e := st.Input.Encoding
		if visibility == zk.Public {
			for i, v := range e.Real(st.Input.Values) {
				if math.Abs(v-in.Data[i]) > e.Units[i]/2 {
					t.Errorf("the statement says %v of feature %d, which is %v", v, i, in.Data[i])
				}
			}
		}
		changed := func(f func(o, u []float64)) *zk.Encoding {
			c := zk.Encoding{Offsets: slices.Clone(e.Offsets), Units: slices.Clone(e.Units)}
			f(c.Offsets, c.Units)
			return &c
		}
		for _, f := range []struct {
			name string
			to   *zk.Encoding
			want error
		}{
			{"dropped", nil, zk.ErrProof},
			{"another offset", changed(func(o, _ []float64) { o[0]++ }), zk.ErrProof},
			{"last bit of an offset", changed(func(o, _ []float64) { o[1] = math.Nextafter(o[1], 1) }), zk.ErrProof},
			{"another unit", changed(func(_, u []float64) { u[1] *= 2 }), zk.ErrProof},
			{"features swapped", changed(func(o, u []float64) { slices.Reverse(o); slices.Reverse(u) }), zk.ErrProof},
			{"unit 0", changed(func(_, u []float64) { u[1] = 0 }), zk.ErrStatement},
			{"offset NaN", changed(func(o, _ []float64) { o[1] = math.NaN() }), zk.ErrStatement},
			{"one feature", &zk.Encoding{Offsets: e.Offsets[:1], Units: e.Units[:1]}, zk.ErrStatement},
			{"no features", &zk.Encoding{}, zk.ErrStatement},
		} {
			forged := *st
			forged.Input.Encoding = f.to
			if err := zk.Verify(k.VerifyingKey(), &forged, proof); !errors.Is(err, f.want) {
				t.Errorf("%v input, %s: got %v, want %v", visibility, f.name, err, f.want)
			}
		}
		forged := *st
		forged.Output.Encoding = e
		if err := zk.Verify(k.VerifyingKey(), &forged, proof); !errors.Is(err, zk.ErrStatement) {
			t.Errorf("an encoding of the output: got %v", err)
		}

		// The same circuit without: a proof to which an encoding is added.
		plain, err := provable.Compile(m, provable.Options{Calibration: x, Input: visibility, Answer: provable.Class, OmitEncoding: true})
		if err != nil {
			t.Fatal(err)
		}
		proof, pred, err = plain.Prove(context.Background(), k, opening, in, zk.Context{})
		if err != nil {
			t.Fatal(err)
		}
		st = plain.Statement(commitment, in, pred)
		if err := zk.Verify(k.VerifyingKey(), st, proof); err != nil || st.Input.Encoding != nil {
			t.Errorf("without encoding: %v, %+v", err, st.Input.Encoding)
		}
		forged = *st
		forged.Input.Encoding = e
		if err := zk.Verify(k.VerifyingKey(), &forged, proof); !errors.Is(err, zk.ErrProof) {
			t.Errorf("%v input, encoding added: got %v, want %v", visibility, err, zk.ErrProof)
		}
		if err := zk.Verify(k.VerifyingKey(), circuit.Statement(commitment, in, pred), proof); !errors.Is(err, zk.ErrProof) {
			t.Errorf("%v input: a verifier who expects an encoding got %v", visibility, err)
		}
	}
}

// TestScalerIsProved proves the labels of samples that one unit for both columns gave wrong.
func TestScalerIsProved(t *testing.T) {
	m, x := columns(t)
	circuit, err := provable.Compile(m, provable.Options{Calibration: x, Answer: provable.Class})
	if err != nil {
		t.Fatal(err)
	}
	report, err := circuit.Twin().Compare(m, x, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d of %d labels are right", report.Samples-len(report.Flips), report.Samples)
	if len(report.Flips) > 2 {
		t.Errorf("%d of %d labels differ", len(report.Flips), report.Samples)
	}
}
