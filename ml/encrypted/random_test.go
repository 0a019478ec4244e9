package encrypted

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/signet-ml/signet/ml"
)

// architect makes random small models and targets.
type architect struct{ *rand.Rand }

func (a architect) one(of ...int) int { return of[a.IntN(len(of))] }

// layer returns some layer for samples of a shape; it may not fit.
func (a architect) layer(shape []int, depth int) ml.Layer {
	seed := a.Uint64() >> 8
	switch k := a.IntN(20); {
	case k < 5:
		return ml.Square()
	case k < 6:
		return []ml.Layer{ml.Sigmoid(), ml.Tanh()}[a.IntN(2)]
	case k < 8:
		return norm(shape[0], seed)
	case k < 9:
		return ml.Flatten()
	case k < 12 && depth < 2:
		return a.residual(shape, depth)
	case k == 12 && a.IntN(4) == 0:
		return []ml.Layer{ml.Softmax(), ml.MaxPool2d(2, 2, 0)}[a.IntN(2)]
	case len(shape) == 1:
		if a.IntN(4) == 0 && shape[0]%4 == 0 {
			return ml.Reshape(a.one(1, 2, shape[0]/4), a.one(1, 2, 4), a.one(1, 2, 4))
		}
		return dense(1+a.IntN(10), shape[0], seed)
	case k < 15:
		return ml.AvgPool2d(a.one(1, 2, 2, 2, 3, 4), a.one(0, 0, 0, 1, 2), a.one(0, 0, 1))
	}
	groups := a.one(1, 1, 1, 2, shape[0])
	return kernel(groups*(1+a.IntN(3)), shape[0], [2]int{1 + a.IntN(3), 1 + a.IntN(3)},
		ml.ConvOptions{Stride: [2]int{a.one(1, 1, 2), a.one(1, 1, 2, 3)}, Padding: [2]int{a.IntN(2), a.IntN(3)}, Dilation: [2]int{a.one(1, 1, 2), 1}, Groups: groups}, seed)
}

// residual returns one whose branches have the same shape, if it finds any.
func (a architect) residual(shape []int, depth int) ml.Layer {
	body, out := a.chain(shape, 1+a.IntN(3), depth+1)
	for range 10 {
		shortcut, end := a.chain(shape, a.IntN(3), depth+1)
		if fmt.Sprint(end) == fmt.Sprint(out) {
			return ml.Residual(body, shortcut...)
		}
	}
	return ml.Residual([]ml.Layer{norm(shape[0], a.Uint64()>>8)})
}

// chain returns up to n layers that fit one another, and the shape after them.
func (a architect) chain(shape []int, n, depth int) ([]ml.Layer, []int) {
	var layers []ml.Layer
	for range n {
		l := a.layer(shape, depth)
		if m, err := ml.SequentialFor(shape, l); err == nil && m.OutputLen() <= 200 {
			layers, shape = append(layers, l), m.OutputShape()
		}
	}
	return layers, shape
}

// model returns a model, nil if it found none.
func (a architect) model() *ml.Model {
	shape := []int{1 + a.IntN(20)}
	if a.IntN(4) > 0 {
		shape = []int{1 + a.IntN(3), 2 + a.IntN(8), 2 + a.IntN(8)}
	}
	layers, _ := a.chain(shape, 1+a.IntN(6), 0)
	m, err := ml.SequentialFor(shape, layers...)
	if err != nil {
		return nil
	}
	return m
}

func (a architect) target(m *ml.Model) Target {
	t := Target{MinCalibration: 1, Packing: Packing(a.one(0, 1, 1, 1, 2)), Precision: float64(a.one(6, 12, 12, 20))}
	if t.Packing == Batch && m.InputLen() > 24 { // a polynomial per element takes its time
		t.Packing = Single
	}
	switch {
	case t.Packing != Batch && a.IntN(4) == 0:
		t.Patches = true
	case t.Packing == Batch && a.IntN(2) == 0:
		t.Batch = 10
	}
	t.EncryptedWeights = t.Packing == Single && a.IntN(6) == 0
	t.ServerActivation = a.IntN(3) == 0
	return t
}

// defaultArchitectures is how many models the default run has; TestManyRandomArchitectures has a thousand, behind -tags
// secure.
const defaultArchitectures = 60

// TestRandomArchitectures compiles random models for random targets.
func TestRandomArchitectures(t *testing.T) {
	if testing.Short() {
		randomArchitectures(t, 0, 15, 3)
		return
	}
	randomArchitectures(t, 0, defaultArchitectures, 20)
}

// randomArchitectures wants, for every seed, a plan whose twin computes what the model does, or an error that says what
// to change. Some of the plans run.
func randomArchitectures(t *testing.T, first, seeds, runs int) {
	t.Helper()
	plans := 0
	for seed := first; seed < first+seeds; seed++ {
		a := architect{rand.New(rand.NewPCG(uint64(seed), 0xa2c4))}
		m := a.model()
		if m == nil {
			continue
		}
		target := a.target(m)
		target.Calibration = inputs(40, m.InputLen(), uint64(seed))
		name := fmt.Sprintf("seed=%d: %v for %+v", seed, m, Target{Packing: target.Packing, Batch: target.Batch, Precision: target.Precision, Patches: target.Patches,
			EncryptedWeights: target.EncryptedWeights, ServerActivation: target.ServerActivation})
		plan, err := Compile(m, target)
		var unsupported *UnsupportedLayerError
		var infeasible *InfeasibleError
		switch {
		case errors.As(err, &unsupported), errors.As(err, &infeasible), errors.As(err, new(*CalibrationError)):
			continue
		case err != nil:
			t.Fatalf("%s: %v", name, err)
		}
		plans++
		x := inputs(3, m.InputLen(), uint64(seed+1000))
		agrees(t, name, m, plan, x)
		if runs > 0 && plan.Parameters().LogN() <= 13 && plan.Input().Count <= 100 {
			runs--
			t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
				t.Log(name)
				s := open(t, plan)
				// A model that never mixes elements, a batch normalisation between two squares, has most of its error in
				// few slots, where the noise model expects it spread: up to 3.2 bits in a thousand seeds.
				e := s.compare(t, ml.Tensor{Shape: []int{1, m.InputLen()}, Data: x.Row(0)}, largest(t, plan, target.Calibration), target.Precision-4.5)
				if mean, _ := plan.PredictedBits(); e.bits() < mean-4 {
					t.Errorf("%.1f bits, %.1f predicted", e.bits(), mean)
				}
			})
		}
	}
	if plans < seeds/3 {
		t.Errorf("%d plans of %d models", plans, seeds)
	}
}

// agrees compares the twin of a plan for a single sample with a model of squares.
func agrees(t *testing.T, name string, m *ml.Model, plan *Plan, x ml.Tensor) {
	t.Helper()
	for _, a := range plan.Activations() {
		if a.Function != string(square) {
			return
		}
	}
	y, err := plan.Twin().Forward(x)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	want, err := m.Forward(ml.Tensor{Shape: append([]int{x.Rows()}, m.InputShape()...), Data: x.Data})
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	tolerance := 1e-9
	if plan.Packing() == Batch { // integer weights
		tolerance = 0.1
	}
	for i, v := range y.Data {
		if !(math.Abs(v-want.Data[i]) <= tolerance*max(1, spanOf(want.Data).abs())) {
			t.Fatalf("%s: output %d of the twin is %g, the model gives %g", name, i, v, want.Data[i])
		}
	}
}
