package ml

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"sync"
	"testing"
)

func mustTensor(t testing.TB, shape []int, data ...float64) Tensor {
	t.Helper()
	x, err := NewTensor(shape, data)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// mlp is [2 2] flatten, dense 4→3, square, dense 3→2, softmax with small weights.
func mlp(t testing.TB) *Model {
	t.Helper()
	w1 := mustTensor(t, []int{3, 4}, 1, 0, -1, 0.5, 0.25, 0.5, 0, 1, -1, 1, 2, 0)
	w2 := mustTensor(t, []int{2, 3}, 0.5, -0.5, 1, 1, 0.125, -0.25)
	m, err := SequentialFor([]int{2, 2}, Flatten(), Dense(w1, []float64{0.5, 0, -1}), Square(), Dense(w2, nil), Softmax())
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestNewTensor(t *testing.T) {
	for _, c := range []struct {
		shape []int
		n     int
		ok    bool
	}{
		{[]int{2, 3}, 6, true},
		{[]int{1}, 1, true},
		{nil, 0, false},
		{[]int{0}, 0, false},
		{[]int{2, -3}, 6, false},
		{[]int{2, 3}, 5, false},
		{[]int{math.MaxInt, 2}, 2, false},
		{[]int{1 << 32, 1 << 32}, 0, false}, // product wraps to 0
	} {
		x, err := NewTensor(c.shape, make([]float64, c.n))
		var se *ShapeError
		if c.ok && (err != nil || x.Len() != c.n) {
			t.Errorf("shape=%v: %v", c.shape, err)
		}
		if !c.ok && !errors.As(err, &se) {
			t.Errorf("shape=%v data=%d: error %v, want *ShapeError", c.shape, c.n, err)
		}
	}
}

func TestTensorRowsAndSlices(t *testing.T) {
	x, err := FromRows([][]float64{{1, 2}, {3, 4}, {5, 6}})
	if err != nil {
		t.Fatal(err)
	}
	if x.Rows() != 3 || !slices.Equal(x.Row(1), []float64{3, 4}) {
		t.Errorf("row 1 of %d is %v", x.Rows(), x.Row(1))
	}
	s := x.Slice(1, 3)
	if !slices.Equal(s.Shape, []int{2, 2}) || !slices.Equal(s.Data, []float64{3, 4, 5, 6}) {
		t.Errorf("slice: %v", s)
	}
	c := s.Clone()
	c.Data[0] = 9
	if x.Data[2] != 3 {
		t.Error("clone shares data")
	}
	_ = append(x.Row(0), 7)
	if x.Data[2] != 3 {
		t.Error("appending to a row wrote into the next one")
	}
	for name, f := range map[string]func(){
		"row":        func() { x.Row(3) },
		"row<0":      func() { x.Row(-1) },
		"slice":      func() { x.Slice(2, 4) },
		"slice spar": func() { s := x.Slice(0, 1); s.Slice(0, 2) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s out of range did not panic", name)
				}
			}()
			f()
		}()
	}
	for _, rows := range [][][]float64{nil, {{}}, {{1, 2}, {3}}} {
		if _, err := FromRows(rows); err == nil {
			t.Errorf("FromRows(%v) succeeded", rows)
		}
	}
	if (Tensor{}).Rows() != 0 || (Tensor{}).Len() != 0 {
		t.Error("the zero Tensor has elements")
	}
}

func TestForwardByHand(t *testing.T) {
	m := mlp(t)
	x := []float64{1, 2, 3, 4}
	h := []float64{1 - 3 + 2 + 0.5, 0.25 + 1 + 4, -1 + 2 + 6 - 1}
	for i := range h {
		h[i] *= h[i]
	}
	z0, z1 := 0.5*h[0]-0.5*h[1]+h[2], h[0]+0.125*h[1]-0.25*h[2]
	want := []float64{1 / (1 + math.Exp(z1-z0)), 1 / (1 + math.Exp(z0-z1))}

	one, err := m.Forward(mustTensor(t, []int{2, 2}, x...))
	if err != nil {
		t.Fatal(err)
	}
	batch, err := m.Forward(mustTensor(t, []int{2, 2, 2}, append(slices.Clone(x), 0, 0, 0, 0)...))
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(one.Shape, []int{2}) || !slices.Equal(batch.Shape, []int{2, 2}) {
		t.Errorf("shapes %v and %v", one.Shape, batch.Shape)
	}
	for i := range want {
		if math.Abs(one.Data[i]-want[i]) > 1e-15 || one.Data[i] != batch.Row(0)[i] {
			t.Errorf("output %d: single %v, batch %v, want %v", i, one.Data[i], batch.Row(0)[i], want[i])
		}
	}
}

// TestForwardMatchesLoops compares the BLAS path with three plain loops on a size
// that gonum splits over cores. Tolerance: 784 products of magnitude below 10 and a
// relative rounding of 2^-53 each.
func TestForwardMatchesLoops(t *testing.T) {
	const n, in, out = 70, 784, 33
	gen := func(k int) []float64 {
		d := make([]float64, k)
		for i := range d {
			d[i] = math.Sin(float64(i*i + 1))
		}
		return d
	}
	w, b, x := mustTensor(t, []int{out, in}, gen(out*in)...), gen(out), mustTensor(t, []int{n, in}, gen(n*in)...)
	m, err := Sequential(Dense(w, b), ReLU())
	if err != nil {
		t.Fatal(err)
	}
	got, err := m.Forward(x)
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		for j := range out {
			want := b[j]
			for k := range in {
				want += w.Row(j)[k] * x.Row(i)[k]
			}
			if want = max(want, 0); math.Abs(got.Row(i)[j]-want) > 1e-11 {
				t.Fatalf("element %d,%d: %v, want %v", i, j, got.Row(i)[j], want)
			}
		}
	}
}

func TestActivationsStayFinite(t *testing.T) {
	x := []float64{-1e4, -700, -1, 0, 1, 700, 1e4}
	for _, l := range []Layer{Sigmoid(), Softmax(), ReLU()} {
		m, err := SequentialFor([]int{len(x)}, l)
		if err != nil {
			t.Fatal(err)
		}
		y, err := m.Forward(mustTensor(t, []int{len(x)}, x...))
		if err != nil {
			t.Fatalf("%s: %v", l.Kind(), err)
		}
		if !slices.IsSorted(y.Data) {
			t.Errorf("%s is not monotone: %v", l.Kind(), y.Data)
		}
	}
	if sigmoid(-700) == 0 || sigmoid(0) != 0.5 || math.Abs(sigmoid(3)+sigmoid(-3)-1) > 1e-15 {
		t.Error("sigmoid lost its tail or its symmetry")
	}
}

func TestForwardRefuses(t *testing.T) {
	m := mlp(t)
	for _, shape := range [][]int{{4}, {2, 4}, {2, 2, 3}, {1, 1, 2, 2}} {
		n := 1
		for _, d := range shape {
			n *= d
		}
		_, err := m.Forward(Tensor{Shape: shape, Data: make([]float64, n)})
		var se *ShapeError
		if !errors.As(err, &se) {
			t.Errorf("shape=%v: %v, want *ShapeError", shape, err)
		}
	}
	for _, x := range []Tensor{{}, {Shape: []int{2, 2}}, {Shape: []int{0, 2, 2}}, {Shape: []int{2, 2}, Data: make([]float64, 5)}} {
		if _, err := m.Forward(x); err == nil {
			t.Errorf("malformed tensor %v accepted", x)
		}
	}
	for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		x := Tensor{Shape: []int{2, 2, 2}, Data: make([]float64, 8)}
		x.Data[6] = bad
		_, err := m.Forward(x)
		var nf *NonFiniteError
		if !errors.As(err, &nf) || nf.Index != 6 || !slices.Equal(nf.At, []int{1, 1, 0}) {
			t.Errorf("value=%v: %v, want *NonFiniteError at element 6", bad, err)
		}
	}
	// Finite inputs whose square is not.
	_, err := m.Forward(mustTensor(t, []int{2, 2}, 1e200, 0, 0, 0))
	var nf *NonFiniteError
	if !errors.As(err, &nf) || nf.Where != "output of layer 2 (square)" {
		t.Errorf("overflow: %v", err)
	}
}

func TestSequentialRefuses(t *testing.T) {
	w := mustTensor(t, []int{2, 3}, 1, 2, 3, 4, 5, 6)
	nan := mustTensor(t, []int{1, 2}, 1, math.NaN())
	for name, layers := range map[string][]Layer{
		"none":           {},
		"nil":            {Dense(w, nil), nil},
		"nil dense":      {(*DenseLayer)(nil)},
		"chain":          {Dense(w, nil), Dense(w, nil)},
		"bias":           {Dense(w, []float64{1})},
		"vector weight":  {Dense(Tensor{Shape: []int{2}, Data: []float64{1, 2}}, nil)},
		"zero weight":    {Dense(Tensor{}, nil)},
		"short weight":   {Dense(Tensor{Shape: []int{2, 2}, Data: []float64{1}}, nil)},
		"nan weight":     {Dense(nan, nil)},
		"inf bias":       {Dense(w, []float64{0, math.Inf(1)})},
		"flatten first":  {Flatten(), Dense(w, nil)},
		"no dense":       {Square(), ReLU()},
		"nil then dense": {nil, Dense(w, nil)},
	} {
		if m, err := Sequential(layers...); err == nil {
			t.Errorf("%s: got %v", name, m)
		}
	}
	for _, in := range [][]int{nil, {0}, {3, 1}, {4}, {-3}} {
		if m, err := SequentialFor(in, Dense(w, nil)); err == nil {
			t.Errorf("input=%v: got %v", in, m)
		}
	}
	if _, err := SequentialFor([]int{2, 2}, Softmax()); err == nil {
		t.Error("softmax over images accepted")
	}
	_, err := Sequential(Dense(w, nil), Square(), Dense(nan, nil))
	var le *LayerError
	var nf *NonFiniteError
	if !errors.As(err, &le) || le.Layer != 2 || !errors.As(err, &nf) || nf.Index != 1 {
		t.Errorf("error %v, want *LayerError 2 around *NonFiniteError 1", err)
	}
}

func TestModelIsImmutable(t *testing.T) {
	w := mustTensor(t, []int{1, 1}, 2)
	b := []float64{1}
	m, err := Sequential(Dense(w, b))
	if err != nil {
		t.Fatal(err)
	}
	w.Data[0], b[0] = 100, 100
	m.Layers()[0] = Square()
	m.InputShape()[0] = 9
	named, err := m.WithClasses("no", "yes")
	if err != nil {
		t.Fatal(err)
	}
	named.Classes()[0] = "changed"
	y, err := named.Forward(mustTensor(t, []int{1}, 3))
	if err != nil || y.Data[0] != 7 || m.Classes() != nil || named.Classes()[0] != "no" {
		t.Errorf("y=%v err=%v classes=%v", y, err, named.Classes())
	}
	for _, names := range [][]string{nil, {"a"}, {"a", "b", "c"}, {"a", "a"}, {"a", ""}} {
		if _, err := m.WithClasses(names...); err == nil {
			t.Errorf("classes %q accepted", names)
		}
	}
	if _, err := mlp(t).WithClasses("a", "b"); err != nil {
		t.Error(err)
	}
}

func TestAccessors(t *testing.T) {
	m := mlp(t)
	if m.InputLen() != 4 || m.OutputLen() != 2 || !slices.Equal(m.InputShape(), []int{2, 2}) || !slices.Equal(m.OutputShape(), []int{2}) {
		t.Errorf("lengths %d, %d, shapes %v, %v", m.InputLen(), m.OutputLen(), m.InputShape(), m.OutputShape())
	}
	if got, want := m.String(), "[2 2] flatten, dense 4→3, square, dense 3→2, softmax"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestTrace(t *testing.T) {
	m := mlp(t)
	x := mustTensor(t, []int{3, 2, 2}, 1, 2, 3, 4, 0, 1, 0, 1, -1, -2, 3, 1)
	tr, err := m.Trace(x)
	if err != nil {
		t.Fatal(err)
	}
	y, err := m.Forward(x)
	if err != nil {
		t.Fatal(err)
	}
	if len(tr) != 5 || !reflect.DeepEqual(tr[4], y) {
		t.Fatalf("trace of %d tensors ends in %v, forward %v", len(tr), tr[len(tr)-1], y)
	}
	if !slices.Equal(tr[0].Shape, []int{3, 4}) || !slices.Equal(tr[0].Data, x.Data) {
		t.Errorf("flatten: %v", tr[0])
	}
	for i, v := range tr[1].Data {
		if tr[2].Data[i] != v*v {
			t.Errorf("square %d: %v of %v", i, tr[2].Data[i], v)
		}
	}
	if _, err := m.Trace(Tensor{}); err == nil {
		t.Error("trace of nothing succeeded")
	}
}

func TestForwardConcurrently(t *testing.T) {
	m := mlp(t)
	x := mustTensor(t, []int{2, 2}, 1, 2, 3, 4)
	want, err := m.Forward(x)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				if y, err := m.Forward(x); err != nil || !slices.Equal(y.Data, want.Data) {
					t.Errorf("%v %v, want %v", y, err, want)
					return
				}
			}
		})
	}
	wg.Wait()
}

func TestLabels(t *testing.T) {
	scores := mustTensor(t, []int{3, 1}, 0.4, 0.6, -0.1)
	w := mustTensor(t, []int{1, 1}, 1)
	raw, err1 := Sequential(Dense(w, nil))
	prob, err2 := Sequential(Dense(w, nil), Sigmoid())
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	if got := raw.Labels(scores); !slices.Equal(got, []int{1, 1, 0}) {
		t.Errorf("raw scores: %v", got)
	}
	if got := prob.Labels(scores); !slices.Equal(got, []int{0, 1, 0}) {
		t.Errorf("probabilities: %v", got)
	}
	if got := Labels(mustTensor(t, []int{2, 3}, 1, 3, 3, 0, math.NaN(), -1)); !slices.Equal(got, []int{1, 0}) {
		t.Errorf("ties and NaN: %v", got)
	}
	if Labels(Tensor{}) != nil || Argmax(nil) != -1 || Argmax([]float64{math.NaN()}) != -1 {
		t.Error("empty scores have labels")
	}
	for _, x := range []Tensor{mustTensor(t, []int{1}, 3), mustTensor(t, []int{2, 1}, 3, -3)} {
		got, err := prob.Predict(x)
		if err != nil || len(got) != x.Len() || got[0] != 1 {
			t.Errorf("predict %v: %v %v", x, got, err)
		}
	}
	if _, err := prob.Predict(Tensor{}); err == nil {
		t.Error("predict of nothing succeeded")
	}
}

func TestMetrics(t *testing.T) {
	close := func(name string, got float64, err error, want float64) {
		t.Helper()
		if err != nil || math.Abs(got-want) > 1e-12 {
			t.Errorf("%s = %v, %v, want %v", name, got, err, want)
		}
	}
	a, err := Accuracy([]int{1, 0, 2, 2}, []int{1, 0, 2, 1})
	close("accuracy", a, err, 0.75)
	c, err := Confusion([]int{1, 0, 2, 2}, []int{1, 0, 2, 1}, 3)
	if err != nil || !reflect.DeepEqual(c, [][]int{{1, 0, 0}, {0, 1, 1}, {0, 0, 1}}) {
		t.Errorf("confusion %v, %v", c, err)
	}
	l, err := LogLoss(mustTensor(t, []int{2, 2}, 0.25, 0.75, 0.5, 0.5), []int{1, 0})
	close("log loss", l, err, -(math.Log(0.75)+math.Log(0.5))/2)
	l, err = LogLoss(mustTensor(t, []int{2}, 0.75, 0.5), []int{1, 0})
	close("log loss of single probabilities", l, err, -(math.Log(0.75)+math.Log(0.5))/2)
	l, err = LogLoss(mustTensor(t, []int{1}, 0), []int{1})
	close("clipped log loss", l, err, -math.Log(1e-15))
	// Pairs (1 above 0): 0.8>0.1, 0.8>0.4, 0.4=0.4 (half), 0.4>0.1: 3.5 of 4.
	u, err := AUC([]float64{0.8, 0.1, 0.4, 0.4}, []int{1, 0, 1, 0})
	close("auc", u, err, 3.5/4)
	u, err = AUC([]float64{1, 2}, []int{1, 0})
	close("inverted auc", u, err, 0)
	m, err := MSE([]float64{1, 2}, []float64{1, 4})
	close("mse", m, err, 2)
	r, err := R2([]float64{1, 2, 3}, []float64{1, 2, 4})
	close("r2", r, err, 1-1/(14.0/3))
}

func TestMetricsRefuse(t *testing.T) {
	p := Tensor{Shape: []int{2, 2}, Data: []float64{0.5, 0.5, 2, -1}}
	errs := map[string]error{}
	_, errs["accuracy lengths"] = Accuracy([]int{1}, []int{1, 2})
	_, errs["accuracy empty"] = Accuracy(nil, nil)
	_, errs["confusion classes"] = Confusion([]int{0}, []int{0}, 0)
	_, errs["confusion range"] = Confusion([]int{3}, []int{0}, 3)
	_, errs["confusion negative"] = Confusion([]int{0}, []int{-1}, 3)
	_, errs["log loss probability"] = LogLoss(p, []int{0, 0})
	_, errs["log loss class"] = LogLoss(p, []int{0, 2})
	_, errs["log loss rows"] = LogLoss(p, []int{0})
	_, errs["log loss nothing"] = LogLoss(Tensor{}, nil)
	_, errs["log loss nan"] = LogLoss(Tensor{Shape: []int{1}, Data: []float64{math.NaN()}}, []int{1})
	_, errs["auc one class"] = AUC([]float64{1, 2}, []int{1, 1})
	_, errs["auc class 2"] = AUC([]float64{1, 2}, []int{1, 2})
	_, errs["auc nan"] = AUC([]float64{1, math.NaN()}, []int{1, 0})
	_, errs["mse lengths"] = MSE([]float64{1}, nil)
	_, errs["r2 constant"] = R2([]float64{1, 2}, []float64{3, 3})
	for name, err := range errs {
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func BenchmarkForward(b *testing.B) {
	w1 := Tensor{Shape: []int{128, 784}, Data: make([]float64, 128*784)}
	w2 := Tensor{Shape: []int{10, 128}, Data: make([]float64, 1280)}
	m, err := Sequential(Dense(w1, nil), Square(), Dense(w2, nil))
	if err != nil {
		b.Fatal(err)
	}
	for _, n := range []int{1, 1000} {
		b.Run(fmt.Sprintf("model=mlp128/batch=%d", n), func(b *testing.B) {
			x := Tensor{Shape: []int{n, 784}, Data: make([]float64, n*784)}
			for i := range x.Data {
				x.Data[i] = float64(i%7) / 7
			}
			for b.Loop() {
				if _, err := m.Forward(x); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(n*b.N)/b.Elapsed().Seconds(), "samples/s")
		})
	}
}
