package fixedpoint

import (
	"errors"
	"math"
	"slices"
	"testing"

	"github.com/signet-ml/signet/ml"
)

// columns returns n samples of normal columns.
func (r random) columns(n int, mean, deviation []float64) ml.Tensor {
	return table{mean, deviation, r}.samples(n)
}

func square(v []float64) []float64 {
	out := slices.Clone(v)
	for i := range out {
		out[i] *= out[i]
	}
	return out
}

// agreement returns on how many samples the labels of m and its twin agree.
func agreement(t testing.TB, m *ml.Model, cal, x ml.Tensor, o Options) (same int, q *Model) {
	t.Helper()
	o.Calibration = cal
	q = quantize(t, m, o)
	r, err := q.Compare(m, x, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r.Samples - len(r.Flips), q
}

// TestScalerInFront has columns of 1000 ± 350 and 0.1 ± 0.014 under one unit each. Under a common one the second column
// was 0 or 1 in integers, and half of the labels were wrong.
func TestScalerInFront(t *testing.T) {
	mean, deviation := []float64{1000, 0.1}, []float64{350, 0.014}
	x := seeded(7).columns(256, mean, deviation)
	sum := ml.Dense(ml.Tensor{Shape: []int{1, 2}, Data: []float64{1, 1}}, nil)
	scaler := ml.Dense(ml.Tensor{Shape: []int{2, 2}, Data: []float64{1 / deviation[0], 0, 0, 1 / deviation[1]}}, []float64{-mean[0] / deviation[0], -mean[1] / deviation[1]})
	raw := ml.Dense(ml.Tensor{Shape: []int{1, 2}, Data: []float64{1 / deviation[0], 1 / deviation[1]}}, []float64{-mean[0]/deviation[0] - mean[1]/deviation[1]})
	for name, layers := range map[string][]ml.Layer{
		"batchnorm": {ml.BatchNorm(nil, nil, mean, square(deviation), 0), sum},
		"dense":     {scaler, sum},
		"raw":       {raw},
	} {
		same, q := agreement(t, sequential(t, []int{2}, layers...), x, x, Options{Class: true})
		if same < 254 { // sums within a unit of 0 may fall on either side
			t.Errorf("%s: %d of 256 labels agree", name, same)
		}
		e := q.Encoding()
		if len(e.Units) != 2 || e.Units[0]/e.Units[1] < 1<<13 || math.Abs(e.Offsets[0]-1000) > 128 || math.Abs(e.Offsets[1]-0.1) > 0.01 {
			t.Errorf("%s: encoding %+v", name, e)
		}
		for i, u := range e.Units {
			if frac, _ := math.Frexp(u); frac != 0.5 || math.Mod(e.Offsets[i], u) != 0 {
				t.Errorf("%s: unit %v and offset %v of feature %d, want a power of two and a multiple of it", name, u, e.Offsets[i], i)
			}
		}
		// No calibration sample takes more than full of its interval, so a new one may lie further out.
		in, err := q.Encode(x)
		if err != nil {
			t.Fatal(err)
		}
		for i := range 2 {
			most := int64(0)
			for k := i; k < len(in); k += 2 {
				most = max(most, in[k], -in[k])
			}
			if most < 204 || most > 410 {
				t.Errorf("%s: feature %d takes %d of 511", name, i, most)
			}
		}
	}
}

// TestFarFromZero has a shift of 10^9 deviations, which a folded normalisation would cancel against itself.
func TestFarFromZero(t *testing.T) {
	mean, deviation := []float64{1e9, -1e9}, []float64{1, 1e-2}
	x := seeded(8).columns(200, mean, deviation)
	m := sequential(t, []int{2}, ml.BatchNorm(nil, nil, mean, square(deviation), 0), ml.Dense(ml.Tensor{Shape: []int{1, 2}, Data: []float64{1, -1}}, []float64{0.5}))
	q := quantize(t, m, Options{Calibration: x})
	r, err := q.Compare(m, x, nil)
	if err != nil {
		t.Fatal(err)
	}
	if r.MaxError > 0.1 {
		t.Errorf("error %v of numbers around 3", r.MaxError)
	}
}

func TestBeforeExactly(t *testing.T) {
	w := ml.Tensor{Shape: []int{1, 3}, Data: []float64{1, 1, 1}}
	shift := []float64{1e100, 1, -1e100}
	got, b := beforeExactly(w, []float64{0x1p-60}, func(_, k int) (float64, float64) { return float64(k), shift[k] })
	if !slices.Equal(got.Data, []float64{0, 1, 2}) || b[0] != 1 || w.Data[0] != 1 { // 2^-60 is below the rounding of 1
		t.Errorf("weights %v, bias %v", got.Data, b)
	}
}

// TestImageChannels gives each channel a unit, and no offset where padding would be moved by it.
func TestImageChannels(t *testing.T) {
	r := seeded(9)
	x := r.tensor(-1, 1, 100, 2, 6, 6)
	for i := range x.Data {
		if i/36%2 == 1 {
			x.Data[i] = 1e-4*x.Data[i] + 0.01
		}
	}
	w := r.tensor(-0.5, 0.5, 3, 2, 3, 3)
	for i := range w.Data {
		if i/9%2 == 1 {
			w.Data[i] *= 1e4
		}
	}
	conv := func(padding int) ml.Layer {
		return ml.Conv2d(w, r.tensor(-0.3, 0.3, 3).Data, ml.ConvOptions{Padding: [2]int{padding, padding}})
	}
	for _, c := range []struct {
		name    string
		layers  []ml.Layer
		centred bool
	}{
		{"no padding", []ml.Layer{conv(0), ml.ReLU(), ml.Flatten(), r.dense(48, 3)}, true},
		{"padding", []ml.Layer{conv(1), ml.ReLU(), ml.Flatten(), r.dense(108, 3)}, false},
		{"means", []ml.Layer{ml.AvgPool2d(2, 0, 0), ml.Conv2d(w, nil, ml.ConvOptions{}), ml.ReLU(), ml.Flatten(), r.dense(3, 3)}, true},
		{"padded means", []ml.Layer{ml.AvgPool2d(2, 0, 1), ml.Conv2d(w, nil, ml.ConvOptions{}), ml.ReLU(), ml.Flatten(), r.dense(12, 3)}, false},
		{"norm", []ml.Layer{ml.BatchNorm(nil, nil, []float64{0, 0.01}, []float64{0.3, 3e-9}, 0), ml.Flatten(), r.dense(72, 3)}, true},
		{"norm of means", []ml.Layer{ml.BatchNorm(nil, nil, []float64{0, 0.01}, []float64{0.3, 3e-9}, 0), ml.AvgPool2d(2, 0, 0), ml.Flatten(), r.dense(18, 3)}, true},
	} {
		m := sequential(t, []int{2, 6, 6}, c.layers...)
		q := quantize(t, m, Options{Calibration: x})
		e := q.Encoding()
		if len(e.Units) != 72 {
			t.Errorf("%s: no units", c.name)
			continue
		}
		for i, u := range e.Units {
			if u != e.Units[i/36*36] || e.Offsets[i] != e.Offsets[i/36*36] {
				t.Errorf("%s: two units in a channel", c.name)
				break
			}
		}
		if (e.Offsets[36] != 0) != c.centred || e.Units[36]*50 > e.Units[0] {
			t.Errorf("%s: offset %v, units %v and %v", c.name, e.Offsets[36], e.Units[0], e.Units[36])
		}
		rep, err := q.Compare(m, x, nil)
		if err != nil {
			t.Fatal(err)
		}
		// Without offsets the second channel varies by a hundredth of what its unit has to hold.
		if bits := math.Log2(rep.Tensors[len(rep.Tensors)-1].Largest / rep.RMSError); bits < 5 {
			t.Errorf("%s: %.1f bits\n%v", c.name, bits, rep)
		}
	}
	// No weights can take in a normalisation in front of zeros.
	var ue *UnsupportedError
	_, err := Quantize(sequential(t, []int{2, 6, 6}, ml.BatchNorm(nil, nil, []float64{0, 0.01}, []float64{0.3, 3e-9}, 0), conv(1)), Options{Calibration: x})
	if !errors.As(err, &ue) {
		t.Errorf("got %v, want an UnsupportedError", err)
	}
}

// TestNewColumns keeps an architecture while columns move and grow.
func TestNewColumns(t *testing.T) {
	model := func(mean, deviation []float64, seed uint64) *ml.Model {
		r := seeded(seed)
		return sequential(t, []int{3}, ml.BatchNorm(nil, nil, mean, square(deviation), 0), r.dense(3, 8), ml.ReLU(), r.dense(8, 3))
	}
	standard := [2][]float64{{0, 0, 0}, {1, 1, 1}}
	wild := [2][]float64{{1e6, -3, 0}, {10, 1e-5, 300}}
	positive := [2][]float64{{5000, 10, 1000}, {100, 1e-2, 30}}
	pixels := seeded(10).tensor(0, 1, 200, 3)
	for _, c := range []struct {
		name  string
		first ml.Tensor
		of    [2][]float64
	}{
		{"standardised columns", seeded(11).columns(200, standard[0], standard[1]), standard},
		{"other columns", seeded(11).columns(200, wild[0], wild[1]), wild},
		{"pixels", pixels, [2][]float64{{0.5, 0.5, 0.5}, {0.3, 0.3, 0.3}}},
	} {
		a := quantize(t, model(c.of[0], c.of[1], 12), Options{Calibration: c.first, Class: true}).Architecture()
		for _, to := range [][2][]float64{standard, wild, positive} {
			x := seeded(13).columns(200, to[0], to[1])
			if a.Input.Lo == 0 && slices.Min(x.Data) < 0 && &to[0][0] == &standard[0][0] {
				continue // refused, as features that were not negative have no offset here
			}
			m := model(to[0], to[1], 14)
			same, q := agreement(t, m, x, x, Options{Architecture: &a})
			own, _ := agreement(t, m, x, x, Options{Class: true})
			if same < own-8 {
				t.Errorf("%s, then %v: %d labels of 200 agree, %d without", c.name, to, same, own)
			}
			if err := a.differs(q.Architecture()); err != nil {
				t.Error(err)
			}
		}
	}
}

// TestEqualize has hidden rows of six orders of magnitude.
func TestEqualize(t *testing.T) {
	r := seeded(15)
	size := []float64{1, 1e-3, 1e3, 1e-2, 100, 1e-3, 1e3, 10}
	uneven := func(first, second ml.Layer, squares int) (ml.Layer, ml.Layer) {
		return scaled(first, func(row, _ int) float64 { return size[row] }, func(row int) float64 { return size[row] }),
			scaled(second, func(_, k int) float64 {
				if c, ok := second.(*ml.Conv2dLayer); ok {
					k = channelOf(c, 0, k)
				}
				k %= 8
				return math.Pow(size[k], -math.Exp2(float64(squares)))
			}, func(int) float64 { return 1 })
	}
	for _, c := range []struct {
		name    string
		in      []int
		first   ml.Layer
		between []ml.Layer
		second  ml.Layer
		after   []ml.Layer
		squares int
	}{
		{"dense", []int{6}, r.dense(6, 8), nil, r.dense(8, 3), nil, 0},
		{"relu", []int{6}, r.dense(6, 8), []ml.Layer{ml.ReLU()}, r.dense(8, 3), nil, 0},
		{"square", []int{6}, r.dense(6, 8), []ml.Layer{ml.Square()}, r.dense(8, 3), nil, 1},
		{"conv", []int{1, 6, 6}, r.conv(1, 8, 3, ml.ConvOptions{}), []ml.Layer{ml.ReLU(), ml.MaxPool2d(2, 0, 0)}, r.conv(8, 2, 2, ml.ConvOptions{}), []ml.Layer{ml.Flatten()}, 0},
	} {
		first, second := uneven(c.first, c.second, c.squares)
		layers := func(first, second ml.Layer) []ml.Layer {
			return slices.Concat([]ml.Layer{first}, c.between, []ml.Layer{second}, c.after)
		}
		even, m := sequential(t, c.in, layers(c.first, c.second)...), sequential(t, c.in, layers(first, second)...)
		x := r.tensor(-1, 1, append([]int{200}, c.in...)...)
		rms := func(m *ml.Model) float64 {
			rep, err := quantize(t, m, Options{Calibration: x}).Compare(m, x, nil)
			if err != nil {
				t.Fatal(err)
			}
			return rep.RMSError
		}
		if got, want := rms(m), rms(even); got > 3*want {
			t.Errorf("%s: rms error %.3g, and %.3g with rows of one size", c.name, got, want)
		}
	}
}

// TestCommonScores has rows that differ by a hundredth of what they have in common.
func TestCommonScores(t *testing.T) {
	r := seeded(16)
	l := r.dense(5, 3).(*ml.DenseLayer)
	for i := range l.W.Data {
		l.W.Data[i] += 100 * float64(1+i%5)
	}
	m, x := sequential(t, []int{5}, l), r.tensor(-1, 1, 300, 5)
	same, q := agreement(t, m, x, x, Options{Class: true})
	if !q.def.Relative || same < 295 {
		t.Errorf("%d of 300 labels agree, relative is %t", same, q.def.Relative)
	}
	rep, err := q.Compare(m, x, nil)
	if err != nil {
		t.Fatal(err)
	}
	if rep.MaxError > 0.1 {
		t.Errorf("error %v of scores without what they have in common", rep.MaxError)
	}
	if scores := quantize(t, m, Options{Calibration: x}); scores.def.Relative {
		t.Error("scores that are the output lost their mean")
	}
}
