package main

import (
	"context"
	"errors"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/signet-ml/signet/fhe/engine"
	"github.com/signet-ml/signet/ml"
	"github.com/signet-ml/signet/ml/data"
	"github.com/signet-ml/signet/ml/encrypted"
	"github.com/signet-ml/signet/ml/fixedpoint"
	"github.com/signet-ml/signet/ml/report"
)

func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance) {
		t.Errorf("%s: %g, want %g", what, got, want)
	}
}

// TestDiscriminants: two classes around (0, 0) and (2, 0) with covariance diag(1, 4)·1/2, worked out by hand:
// w = Σ⁻¹(μ₁ - μ₀) = (4, 0), and the boundary lies in the middle, moved by log π₁/π₀ = log 2.
func TestDiscriminants(t *testing.T) {
	cross := [][]float64{{1, 0}, {-1, 0}, {0, 2}, {0, -2}}
	var rows [][]float64
	var y []int
	for k, copies := range []int{1, 2} {
		for range copies {
			for _, p := range cross {
				rows, y = append(rows, []float64{p[0] + 2*float64(k), p[1]}), append(y, k)
			}
		}
	}
	x, err := ml.FromRows(rows)
	if err != nil {
		t.Fatal(err)
	}
	w, b, err := discriminants(x, y, 2, 0)
	if err != nil || len(b) != 1 || !slices.Equal(w.Shape, []int{1, 2}) {
		t.Fatalf("shape %v, offsets %v, error %v", w.Shape, b, err)
	}
	near(t, "first weight", w.Data[0], 4, 1e-12)
	near(t, "second weight", w.Data[1], 0, 1e-12)
	near(t, "offset", b[0], math.Log(2)-4, 1e-12)

	// With a third class there is a function for each: Σ⁻¹μ and log π - μᵀΣ⁻¹μ/2.
	for _, p := range cross {
		x.Data, y = append(x.Data, p[0], p[1]+4), append(y, 2)
	}
	x.Shape[0] += 4
	w, b, err = discriminants(x, y, 3, 0)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []float64{0, 0, 4, 0, 0, 2} {
		near(t, "weight", w.Data[i], want, 1e-12)
	}
	for k, want := range []float64{math.Log(0.25), math.Log(0.5) - 4, math.Log(0.25) - 4} {
		near(t, "offset", b[k], want, 1e-12)
	}
	if _, _, err := discriminants(x, y, 4, 0); err == nil || !strings.Contains(err.Error(), "class 3") {
		t.Errorf("a class without samples: error %v", err)
	}
	flat := ml.Tensor{Shape: []int{2, 1}, Data: []float64{1, 2}}
	if _, _, err := discriminants(flat, []int{0, 1}, 2, 0); err == nil || !strings.Contains(err.Error(), "singular") {
		t.Errorf("no variance within classes: error %v", err)
	}
}

// TestRidge: the slope of Σxy/(Σx²+λ) for centred numbers, and the mean for an offset.
func TestRidge(t *testing.T) {
	x, goal := ml.Tensor{Shape: []int{4, 1}, Data: []float64{9, 10, 11, 10}}, []float64{95, 100, 105, 100}
	w, b, err := ridge(x, goal, 2)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "slope", w.Data[0], 10./4, 1e-12)
	near(t, "offset", b[0], 100-25, 1e-12)
	constant := ml.Tensor{Shape: []int{3, 2}, Data: []float64{1, 1, 2, 1, 3, 1}}
	if _, _, err := ridge(constant, []float64{1, 2, 3}, 0); err == nil || !strings.Contains(err.Error(), "dependent") {
		t.Errorf("a constant column: error %v", err)
	}
}

// TestRegress: networks learn a bend that no line has.
func TestRegress(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	var p parts
	p.fit.X = ml.Tensor{Shape: []int{200, 2}}
	for range 200 {
		a, b := 4*rng.Float64()-2, 4*rng.Float64()-2
		p.fit.X.Data, p.fit.Targets = append(p.fit.X.Data, a, b), append(p.fit.Targets, 100+10*math.Abs(a)-3*b)
	}
	for _, act := range []ml.Layer{ml.Tanh(), ml.ReLU()} {
		layers, err := regress(hidden, act)(context.Background(), p)
		if err != nil {
			t.Fatal(err)
		}
		m, err := ml.Sequential(layers...)
		if err != nil {
			t.Fatal(err)
		}
		y, err := m.Forward(p.fit.X)
		if err != nil {
			t.Fatal(err)
		}
		if r2, err := ml.R2(y.Data, p.fit.Targets); err != nil || r2 < 0.95 {
			t.Errorf("%s: R² %g, error %v", act.Kind(), r2, err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := regress(hidden, ml.Tanh())(ctx, p); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: error %v", err)
	}
}

// TestForms: a model that was trained on standardised columns says the same of raw ones in both forms.
func TestForms(t *testing.T) {
	ds, err := data.BreastCancer()
	if err != nil {
		t.Fatal(err)
	}
	std, scaler := ds.Standardize()
	layers, err := learnLogistic(context.Background(), parts{fit: std})
	if err != nil {
		t.Fatal(err)
	}
	m, err := ml.Sequential(layers...)
	if err != nil {
		t.Fatal(err)
	}
	want, err := m.Forward(std.X)
	if err != nil {
		t.Fatal(err)
	}
	if right := report.Agreement(m.Labels(want), ds.Y); right < 0.97 {
		t.Errorf("logistic regression: %.3f right", right)
	}
	for _, f := range forms {
		read, err := f.read(layers, scaler)
		if err != nil {
			t.Fatal(err)
		}
		m, err := ml.Sequential(read...)
		if err != nil {
			t.Fatal(err)
		}
		got, err := m.Forward(ds.X)
		if err != nil {
			t.Fatal(err)
		}
		if bits := report.Bits(got.Data, want.Data); bits < 35 {
			t.Errorf("%s: %.1f bits", f.name, bits)
		}
	}
	if _, err := absorb([]ml.Layer{ml.Tanh()}, scaler); err == nil {
		t.Error("a scaler was multiplied into a tanh")
	}
}

// TestDivide: a target goes with its sample.
func TestDivide(t *testing.T) {
	ds := data.Dataset{X: ml.Tensor{Shape: []int{50, 2}}}
	for i := range 50 {
		ds.X.Data, ds.Targets = append(ds.X.Data, float64(i), 1), append(ds.Targets, 3*float64(i))
	}
	p := divide(ds)
	if p.fit.Len() != 35 || p.test.Len() != 15 || p.reach != 3*49 {
		t.Fatalf("%d and %d samples, reach %g", p.fit.Len(), p.test.Len(), p.reach)
	}
	for _, d := range []data.Dataset{p.fit, p.test} {
		for i, v := range d.Targets {
			if v != 3*d.X.Row(i)[0] {
				t.Fatalf("sample %g has target %g", d.X.Row(i)[0], v)
			}
		}
	}
}

// TestCells: what passes, what does not, and how rows show it.
func TestCells(t *testing.T) {
	sum := report.New(tablesName)
	sum.Add(report.Number("t/m/raw/accuracy_clear", "ratio", 0.5, 200, ""))
	(&cell{agreement: 0.995, samples: 199, refused: []int{7}, bits: 12.3, logN: 13}).add(sum, "t/m/raw/single")
	(&cell{refusal: &encrypted.InfeasibleError{Layer: "dense1", Nearest: "fewer layers"}}).add(sum, "t/m/raw/batch")
	(&cell{agreement: 0.98, samples: 100, bits: 5, width: 12}).add(sum, "t/m/raw/proof")
	sum.Add(report.Number("t/m/scaler/accuracy_clear", "", 0.25, 200, ""))
	(&cell{refused: []int{0, 1}}).add(sum, "t/m/scaler/single")
	if want := []string{"t/m/raw/proof: agreement >= 99 % or refused", "t/m/scaler/single: agreement >= 99 % or refused"}; !slices.Equal(sum.Failed(), want) {
		t.Errorf("failed: %q", sum.Failed())
	}
	rows := tableRows(sum)
	if len(rows) != 2 {
		t.Fatalf("%d rows", len(rows))
	}
	if got, want := strings.Join(rows[0].line(), "|"), "t|m|raw|50.00 %|99.50 %, 12.3 bits, 1 refused|refused|98.00 %, 5.00 bits (12)"; got != want {
		t.Errorf("row %q, want %q", got, want)
	}
	if got := rows[1].line()[3]; got != "R² 0.25" {
		t.Errorf("float64: %q", got)
	}
	all := strings.Join(remarks(rows), "\n")
	for _, want := range []string{"t, m, raw, batch: *encrypted.InfeasibleError: encrypted: no legal parameters", "t, m, raw, single: samples that the client refuses to encrypt: 7"} {
		if !strings.Contains(all, want) {
			t.Errorf("remarks %q lack %q", all, want)
		}
	}
}

// TestRefusal: answers of compilers that count as refusals, and errors that do not.
func TestRefusal(t *testing.T) {
	for _, err := range []error{&encrypted.InfeasibleError{}, &encrypted.UnsupportedLayerError{}, &encrypted.CalibrationError{}, &fixedpoint.UnsupportedError{}, &fixedpoint.OpError{Err: fixedpoint.ErrOverflow}} {
		if refusal(err) == nil {
			t.Errorf("%T is no refusal", err)
		}
	}
	for _, err := range []error{nil, context.Canceled, io.EOF} {
		if refusal(err) != nil {
			t.Errorf("%v is a refusal", err)
		}
	}
}

// TestJudge: single samples and a batch are encrypted, what the client refuses is listed and does not count, and a wrong
// answer does.
func TestJudge(t *testing.T) {
	ctx := context.Background()
	eng, err := engine.Open(ctx, engine.Auto)
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(3, 4))
	ds := data.Dataset{X: ml.Tensor{Shape: []int{400, 2}}, Classes: []string{"a", "b"}}
	for i := range 400 {
		ds.X.Data, ds.Y = append(ds.X.Data, 1000+rng.NormFloat64()+float64(3*(i%2)), rng.NormFloat64()/100), append(ds.Y, i%2)
	}
	p := divide(ds)
	p.test.X.Row(5)[0] = 5000 // unlike any sample
	w, b, err := discriminants(p.fit.X, p.fit.Y, 2, 0)
	if err != nil {
		t.Fatal(err)
	}
	m, err := ml.Sequential(ml.Dense(w, b))
	if err != nil {
		t.Fatal(err)
	}
	j := &judge{parts: p, model: m, certify: true}
	if err := j.prepare(); err != nil {
		t.Fatal(err)
	}
	for _, mode := range modes {
		c, err := mode.measure(ctx, eng, j)
		if err != nil {
			t.Fatalf("%s: %v", mode.name, err)
		}
		want, refused := p.test.Len()-1, []int{5}
		if mode.name == "proof" { // saturates
			want, refused = p.test.Len(), nil
		}
		if c.samples != want || !slices.Equal(c.refused, refused) || c.agreement < enough {
			t.Errorf("%s: %v, refused %v; want %d samples", mode.name, c, c.refused, want)
		}
	}
	for i := range j.test.Data[:20] { // answers of another model
		j.test.Data[i] = -j.test.Data[i]
	}
	c, err := modes[1].measure(ctx, eng, j)
	if err != nil || c.agreement >= enough || c.agreement < 0.8 {
		t.Errorf("20 other labels: %v, error %v", c, err)
	}
}
