package encrypted

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/signet-ml/signet/fhe/client"
	"github.com/signet-ml/signet/ml"
)

// gaussian returns n samples whose feature i is centre[i] + spread[i]·N(0, 1).
func gaussian(n int, centre, spread []float64, seed uint64) ml.Tensor {
	rng := rand.New(rand.NewPCG(seed, 0x5168))
	x := ml.Tensor{Shape: []int{n, len(centre)}}
	for range n {
		for i, c := range centre {
			x.Data = append(x.Data, c+spread[i]*rng.NormFloat64())
		}
	}
	return x
}

func uniformIn(n int, lo, hi float64, seed uint64) ml.Tensor {
	x := ml.Tensor{Shape: []int{n, 1}, Data: random(n, 1, seed)}
	for i, v := range x.Data {
		x.Data[i] = lo + (hi-lo)*(v+1)/2
	}
	return x
}

func row(w ...float64) ml.Tensor { return ml.Tensor{Shape: []int{1, len(w)}, Data: w} }

// TestIssue10PartialBatch: a batch of any fill is as precise as a full one, features far from zero included.
func TestIssue10PartialBatch(t *testing.T) {
	m := sequential(t, ml.Dense(row(1), []float64{-100}), ml.Square(), ml.Dense(row(1), []float64{0}))
	cal := uniformIn(256, 99, 101, 1)
	p := compile(t, m, Target{Calibration: cal, Batch: 256})
	s := open(t, p)
	for _, n := range []int{1, 3, 256, p.Samples()} {
		x := uniformIn(n, 99, 101, uint64(n))
		_, out := s.run(t, x)
		got, want := s.scores(t, out, n), clearly(t, m, x)
		for i, v := range got.Data {
			if d := math.Abs(v - want.Data[i]); d > math.Exp2(-9) {
				t.Fatalf("%d samples: sample %d is %g, the model gives %g", n, i, v, want.Data[i])
			}
		}
	}
}

func clearly(tb testing.TB, m *ml.Model, x ml.Tensor) ml.Tensor {
	tb.Helper()
	y, err := m.Forward(x)
	if err != nil {
		tb.Fatal(err)
	}
	return y
}

// TestIssue10OneSampleCannotHarmOthers: what Encrypt lets in leaves every other sample alone, however far it lies from
// the calibration set; the rest is refused by sample and feature.
func TestIssue10OneSampleCannotHarmOthers(t *testing.T) {
	for name, act := range map[string]ml.Layer{"tanh": ml.Tanh(), "sigmoid": ml.Sigmoid(), "square": ml.Square(), "relu": ml.ReLU()} {
		t.Run(name, func(t *testing.T) {
			if testing.Short() && name != "tanh" && name != "square" {
				t.Skip("long")
			}
			m := sequential(t, dense(4, 6, 1), act, dense(2, 4, 2))
			cal := gaussian(512, make([]float64, 6), []float64{1, 1, 1, 1, 1, 1}, 3)
			p := compile(t, m, Target{Calibration: cal, Batch: 64})
			s := open(t, p)
			x := gaussian(64, make([]float64, 6), []float64{.7, .7, .7, .7, .7, .7}, 4)
			limit := p.Input().Features.Norm
			if limit == 0 {
				t.Fatal("the norm of samples is not bounded")
			}
			// The largest sample that is let in, towards each row of the first layer in turn.
			for r := range 4 {
				w := m.Layers()[0].(*ml.DenseLayer).W.Row(r)
				size := 0.0
				for _, v := range w {
					size += v * v
				}
				for i, v := range w {
					x.Data[r*6+i] = v / math.Sqrt(size) * limit * (1 - 1e-9)
				}
			}
			_, out := s.run(t, x)
			got := s.scores(t, out, 64)
			twin, err := p.Twin().Scores(x)
			if err != nil {
				t.Fatal(err)
			}
			for i, v := range got.Data {
				if d := math.Abs(v - twin.Data[i]); d > p.Fidelity().Largest*math.Exp2(-10) {
					t.Errorf("sample %d: %g, the twin gives %g", i/2, v, twin.Data[i])
				}
			}
			for i := range 6 {
				x.Data[5*6+i] = limit
			}
			flat, err := p.Pack(x)
			if err != nil {
				t.Fatal(err)
			}
			var e *client.ValueError
			if _, err = client.NewEncryptor(s.sk).Encrypt(p.Input(), flat); !errors.As(err, &e) || e.Sample != 5 {
				t.Errorf("a sample that is too large: %v", err)
			}
		})
	}
}

// TestIssue10Scaler: the same labels as the model's, one sample or a batch, with the scaler as a first layer or without.
func TestIssue10Scaler(t *testing.T) {
	centre, spread := []float64{1000, 0.1}, []float64{350, 0.014}
	x := gaussian(256, centre, spread, 5)
	variance := []float64{350 * 350, 0.014 * 0.014}
	for name, m := range map[string]*ml.Model{
		"batch norm": sequential(t, ml.BatchNorm(nil, nil, centre, variance, 0), ml.Dense(row(1, 1), []float64{0})),
		"raw":        sequential(t, ml.Dense(row(1./350, 1/0.014), []float64{-1000./350 - 0.1/0.014})),
	} {
		for _, packing := range []Packing{Single, Batch} {
			p := compile(t, m, Target{Calibration: x, Packing: packing})
			if f := p.Fidelity(); f.Flips > 0 || f.Bits < 8 {
				t.Errorf("%s, %v: %v", name, packing, f)
			}
			s := open(t, p)
			want, step := m.Labels(clearly(t, m, x)), min(p.Samples(), 256)
			runs := 256 / step
			if packing == Single {
				runs = 20
			}
			for k := range runs {
				part := x.Slice(k*step, (k+1)*step)
				_, out := s.run(t, part)
				for i, l := range m.Labels(s.scores(t, out, step)) {
					if l != want[k*step+i] {
						t.Errorf("%s, %v: sample %d has label %d, the model says %d", name, packing, k*step+i, l, want[k*step+i])
					}
				}
			}
		}
	}
}

// TestIssue10Sizes: features of any size and offset compile, and the calibration set itself runs.
func TestIssue10Sizes(t *testing.T) {
	two := func(a, b float64) ml.Tensor { return gaussian(256, []float64{0, 0}, []float64{a, b}, 6) }
	for name, tc := range map[string]struct {
		m *ml.Model
		x ml.Tensor
	}{
		"small and large":  {sequential(t, ml.Dense(row(1e4, 1e-4), []float64{0})), two(1e-4, 1e4)},
		"one large":        {sequential(t, ml.Dense(row(1e-7), []float64{0})), gaussian(256, []float64{0}, []float64{1e7}, 7)},
		"time":             {sequential(t, ml.Dense(row(1e-9, 1), []float64{-1.7e3})), gaussian(256, []float64{1.7e12, 0}, []float64{1e9, 1}, 8)},
		"time, no bias":    {sequential(t, ml.Dense(row(1e-9, 1), []float64{0})), gaussian(256, []float64{1.7e12, 0}, []float64{1e9, 1}, 8)},
		"billions":         {sequential(t, ml.Dense(row(1), []float64{-1e9})), gaussian(256, []float64{1e9}, []float64{1}, 9)},
		"squares of those": {sequential(t, ml.Dense(row(1e-9, 1), []float64{-1.7e3}), ml.Square(), ml.Dense(row(1), []float64{-1})), gaussian(256, []float64{1.7e12, 0}, []float64{1e9, 1}, 8)},
	} {
		for _, packing := range []Packing{Auto, Batch} {
			p, err := Compile(tc.m, Target{Calibration: tc.x, Packing: packing})
			if err != nil {
				t.Errorf("%s, %v: %v", name, packing, err)
				continue
			}
			s := open(t, p)
			n := min(p.Samples(), 256)
			want := clearly(t, tc.m, tc.x)
			top := spanOf(want.Data).abs()
			for k := range min(256/n, 8) {
				_, out := s.run(t, tc.x.Slice(k*n, (k+1)*n))
				for i, v := range s.scores(t, out, n).Data {
					if w := want.Data[k*n+i]; math.Abs(v-w) > top*math.Exp2(-9) {
						t.Errorf("%s, %v: sample %d is %g, the model gives %g", name, packing, k*n+i, v, w)
						break
					}
				}
			}
		}
	}
}

// TestIssue10Labels: the labels of the twin's outputs are the model's, whoever applies the sigmoid.
func TestIssue10Labels(t *testing.T) {
	m := sequential(t, dense(1, 5, 3), ml.Sigmoid())
	x := inputs(256, 5, 4)
	for _, target := range []Target{{}, {Batch: 256}, {ServerActivation: true}, {Batch: 256, ServerActivation: true}} {
		target.Calibration = x
		p := compile(t, m, target)
		y, err := p.Twin().Forward(x)
		if err != nil {
			t.Fatal(err)
		}
		want := m.Labels(clearly(t, m, x))
		wrong := 0
		for i, l := range m.Labels(y) {
			if l != want[i] {
				wrong++
			}
		}
		if f := p.Fidelity(); wrong > 1 || f.Flips != wrong {
			t.Errorf("batch %d, sigmoid on the server %t: %d labels differ, the plan says %v", target.Batch, target.ServerActivation, wrong, f)
		}
	}
}

// TestHiddenSizes: whatever the size of hidden values and outputs, a program is as precise, and takes the same ring.
func TestHiddenSizes(t *testing.T) {
	sizes := []float64{1e-6, 1, 1e6}
	if testing.Short() {
		sizes = sizes[:1]
	}
	for name, act := range map[string]ml.Layer{"square": ml.Square(), "relu": ml.ReLU()} {
		for _, size := range sizes {
			for _, end := range []float64{1e-5, 1e5} {
				first, last := dense(5, 4, 1).(*ml.DenseLayer), dense(2, 5, 2).(*ml.DenseLayer)
				after := size
				if name == "square" {
					after *= size
				}
				scaleBy := func(v []float64, by float64) {
					for i := range v {
						v[i] *= by
					}
				}
				scaleBy(first.W.Data, size)
				scaleBy(first.B, size)
				scaleBy(last.W.Data, end/after)
				scaleBy(last.B, end)
				m, x := sequential(t, first, act, last), inputs(256, 4, 9)
				for _, packing := range []Packing{Single, Batch} {
					if name == "relu" && (end < 1 || packing == Batch || testing.Short()) {
						continue // long; TestRandomTables has batches of ReLU
					}
					p := compile(t, m, Target{Calibration: x, Packing: packing})
					if n := map[string]int{"square": 13, "relu": 15}[name]; p.Parameters().LogN() > n {
						t.Errorf("%s, hidden %g, output %g, %v: a ring of 2^%d, want 2^%d at most", name, size, end, packing, p.Parameters().LogN(), n)
					}
					if f := p.Fidelity(); f.Flips > 0 || f.Bits < 8 {
						t.Errorf("%s, hidden %g, output %g, %v: %v", name, size, end, packing, f)
					}
					if name == "relu" {
						continue
					}
					s := open(t, p)
					n := min(p.Samples(), 64)
					_, out := s.run(t, x.Slice(0, n))
					got, want := s.scores(t, out, n), clearly(t, m, x.Slice(0, n))
					for i, v := range got.Data {
						if d := math.Abs(v - want.Data[i]); d > p.Fidelity().Largest*math.Exp2(-11) {
							t.Fatalf("%s, hidden %g, output %g, %v: %g, the model gives %g", name, size, end, packing, v, want.Data[i])
						}
					}
				}
			}
		}
	}
}

// TestImplausible: a sample that leaves the range of an activation is noticed where its result is too large to be one, and
// errors show no score.
func TestImplausible(t *testing.T) {
	m := sequential(t, dense(4, 6, 1), ml.Tanh(), dense(2, 4, 2))
	cal := gaussian(512, make([]float64, 6), []float64{1, 1, 1, 1, 1, 1}, 3)
	p := compile(t, m, Target{Calibration: cal})
	s := open(t, p)
	x := ml.Tensor{Shape: []int{1, 6}, Data: make([]float64, 6)}
	for i, w := range m.Layers()[0].(*ml.DenseLayer).W.Row(0) {
		x.Data[i] = math.Copysign(p.Input().Bound, w)
	}
	_, out := s.run(t, x)
	y, err := client.NewDecryptor(s.sk).ForOwner(p.Output(), out)
	if err != nil {
		t.Fatal(err)
	}
	var e *ImplausibleError
	if _, err := p.Unpack(y, 1); !errors.As(err, &e) || e.Sample != 0 || e.Bound != p.Output().Bound {
		t.Errorf("%v, of outputs about %g", err, math.Abs(y[0]))
	}
	for _, bad := range []float64{math.NaN(), math.Inf(1), 2 * p.Output().Bound} {
		if _, err := p.Scores([]float64{0, bad}, 1); !errors.As(err, &e) || e.Output != 1 {
			t.Errorf("%g: %v", bad, err)
		}
	}
	if _, err := p.Unpack([]float64{p.Output().Bound, -p.Output().Bound}, 1); err != nil {
		t.Error(err)
	}
}
