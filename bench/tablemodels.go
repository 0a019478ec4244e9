package main

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"

	"github.com/signet-ml/signet/ml"
	"github.com/signet-ml/signet/ml/data"
	"github.com/signet-ml/signet/ml/train"
)

// A learner makes layers for standardised columns from standardised samples.
type learner struct {
	name   string
	target bool // predicts a number
	learn  func(ctx context.Context, p parts) ([]ml.Layer, error)
}

// hidden is the width of hidden layers: a batch evaluates a polynomial, or a composite of comparisons, for each neuron.
const hidden = 6

// steps is about how many steps a training takes, whatever the size of its table.
const steps = 1500

// options return what classes are learnt by.
func options(p parts, rate, decay float64) train.Options {
	batch := min(32, p.fit.Len())
	return train.Options{LearnRate: rate, FinalLearnRate: 1e-5, WeightDecay: decay, Epochs: max(20, steps*batch/p.fit.Len()), BatchSize: batch, Seed: seed}
}

var learners = []learner{
	{"logistic", false, learnLogistic},
	{"lda", false, func(_ context.Context, p parts) ([]ml.Layer, error) {
		w, b, err := discriminants(p.fit.X, p.fit.Y, len(p.fit.Classes), 1e-3)
		return []ml.Layer{ml.Dense(w, b)}, err
	}},
	{"mlp-tanh", false, learnMLP(hidden, train.Tanh())},
	{"mlp-relu", false, learnMLP(hidden, train.ReLU())},
	{"ridge", true, func(_ context.Context, p parts) ([]ml.Layer, error) {
		w, b, err := ridge(p.fit.X, p.fit.Targets, 1)
		return []ml.Layer{ml.Dense(w, b)}, err
	}},
	{"mlp-tanh", true, regress(hidden, ml.Tanh())},
	{"mlp-relu", true, regress(hidden, ml.ReLU())},
}

// scores is the number of scores for so many classes.
func scores(classes int) int {
	if classes == 2 {
		return 1
	}
	return classes
}

func learnLogistic(ctx context.Context, p parts) ([]ml.Layer, error) {
	last := train.Softmax()
	if len(p.fit.Classes) == 2 {
		last = train.Sigmoid()
	}
	m, err := train.Fit(ctx, train.Spec{Layers: []train.LayerSpec{train.Dense(scores(len(p.fit.Classes))), last}}, p.fit, options(p, 0.02, 0.02))
	if err != nil {
		return nil, err
	}
	return m.Layers(), nil
}

func learnMLP(width int, act train.LayerSpec) func(context.Context, parts) ([]ml.Layer, error) {
	return func(ctx context.Context, p parts) ([]ml.Layer, error) {
		spec := train.Spec{Layers: []train.LayerSpec{train.Dense(width), act, train.Dense(scores(len(p.fit.Classes)))}}
		m, err := train.Fit(ctx, spec, p.fit, options(p, 0.01, 0.5))
		if err != nil {
			return nil, err
		}
		return m.Layers(), nil
	}
}

// discriminants returns the linear discriminant functions of classes with one covariance Σ, estimated within the classes
// with divisor n, to whose diagonal a share of its mean is added: Σ⁻¹μ and log π - μᵀΣ⁻¹μ/2. Two classes have one
// function, of the second less the first.
func discriminants(x ml.Tensor, y []int, classes int, share float64) (ml.Tensor, []float64, error) {
	n, d := x.Rows(), x.Len()/x.Rows()
	mean, count := mat.NewDense(classes, d, nil), make([]float64, classes)
	for i, k := range y {
		count[k]++
		for j, v := range x.Row(i) {
			mean.Set(k, j, mean.At(k, j)+v)
		}
	}
	for k, c := range count {
		if c == 0 {
			return ml.Tensor{}, nil, fmt.Errorf("class %d has no sample to learn from", k)
		}
		for j := range d {
			mean.Set(k, j, mean.At(k, j)/c)
		}
	}
	within := mat.NewDense(n, d, nil)
	for i, k := range y {
		for j, v := range x.Row(i) {
			within.Set(i, j, v-mean.At(k, j))
		}
	}
	var cov mat.SymDense
	cov.SymOuterK(1/float64(n), within.T())
	trace := mat.Trace(&cov)
	for j := range d {
		cov.SetSym(j, j, cov.At(j, j)+share*trace/float64(d))
	}
	var chol mat.Cholesky
	if !chol.Factorize(&cov) {
		return ml.Tensor{}, nil, fmt.Errorf("the covariance within %d classes is singular", classes)
	}
	var w mat.Dense // column k is Σ⁻¹μ of class k
	if err := chol.SolveTo(&w, mean.T()); err != nil {
		return ml.Tensor{}, nil, err
	}
	rows, b := make([][]float64, classes), make([]float64, classes)
	for k := range rows {
		rows[k] = mat.Col(nil, k, &w)
		b[k] = math.Log(count[k]/float64(n)) - mat.Dot(mean.RowView(k), w.ColView(k))/2
	}
	if classes == 2 {
		for j := range rows[1] {
			rows[1][j] -= rows[0][j]
		}
		rows, b = rows[1:], []float64{b[1] - b[0]}
	}
	t, err := ml.FromRows(rows)
	return t, b, err
}

// ridge returns the weights of the least squares with lambda·|w|² added, and the offset, which it leaves alone.
func ridge(x ml.Tensor, goal []float64, lambda float64) (ml.Tensor, []float64, error) {
	n, d := x.Rows(), x.Len()/x.Rows()
	centre, b := make([]float64, d), 0.0
	for i, g := range goal {
		b += g / float64(n)
		for j, v := range x.Row(i) {
			centre[j] += v / float64(n)
		}
	}
	a, y := mat.NewDense(n, d, nil), mat.NewVecDense(n, nil)
	for i, g := range goal {
		y.SetVec(i, g-b)
		for j, v := range x.Row(i) {
			a.Set(i, j, v-centre[j])
		}
	}
	var gram mat.SymDense
	gram.SymOuterK(1, a.T())
	for j := range d {
		gram.SetSym(j, j, gram.At(j, j)+lambda)
	}
	var right, w mat.VecDense
	right.MulVec(a.T(), y)
	var chol mat.Cholesky
	if !chol.Factorize(&gram) {
		return ml.Tensor{}, nil, fmt.Errorf("columns are dependent: ridge %g is too small", lambda)
	}
	if err := chol.SolveVecTo(&w, &right); err != nil {
		return ml.Tensor{}, nil, err
	}
	for j, c := range centre {
		b -= w.AtVec(j) * c
	}
	return ml.Tensor{Shape: []int{1, d}, Data: w.RawVector().Data}, []float64{b}, nil
}

// regress returns what trains a network of one hidden layer on the squared error, by Adam on all samples at once.
// Package ml/train knows classes only.
func regress(width int, act ml.Layer) func(context.Context, parts) ([]ml.Layer, error) {
	return func(ctx context.Context, p parts) ([]ml.Layer, error) {
		n, d := p.fit.Len(), p.fit.X.Len()/p.fit.Len()
		mean, dev := 0.0, 0.0
		for _, g := range p.fit.Targets {
			mean += g / float64(n)
		}
		for _, g := range p.fit.Targets {
			dev += (g - mean) * (g - mean) / float64(n)
		}
		if dev = math.Sqrt(dev); dev == 0 {
			dev = 1
		}
		f, slope := math.Tanh, func(h float64) float64 { return 1 - h*h } // of the result h
		if _, relu := act.(ml.ReLULayer); relu {
			f, slope = func(x float64) float64 { return max(x, 0) }, func(h float64) float64 { return map[bool]float64{true: 1}[h > 0] }
		}
		// One vector holds all weights: hidden rows, hidden biases, output row, output bias.
		theta, grad := make([]float64, width*d+2*width+1), make([]float64, width*d+2*width+1)
		w, hb, v := theta[:width*d], theta[width*d:width*d+width], theta[width*d+width:]
		gw, ghb, gv := grad[:width*d], grad[width*d:width*d+width], grad[width*d+width:]
		rng := rand.New(rand.NewPCG(seed, 0))
		for i := range w {
			w[i] = rng.NormFloat64() / math.Sqrt(float64(d))
		}
		for i := range width {
			v[i] = rng.NormFloat64() / math.Sqrt(float64(width))
		}
		const steps, decay = 600, 0.05 // of all samples
		m1, m2, h := make([]float64, len(theta)), make([]float64, len(theta)), make([]float64, width)
		for step := range steps {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			clear(grad)
			for i, g := range p.fit.Targets {
				x, out := p.fit.X.Row(i), v[width]
				for k := range h {
					a := hb[k]
					for j, xj := range x {
						a += w[k*d+j] * xj
					}
					h[k] = f(a)
					out += v[k] * h[k]
				}
				e := (out - (g-mean)/dev) / float64(n)
				gv[width] += e
				for k := range h {
					gv[k] += e * h[k]
					back := e * v[k] * slope(h[k])
					ghb[k] += back
					for j, xj := range x {
						gw[k*d+j] += back * xj
					}
				}
			}
			rate := 0.02 * (1 + math.Cos(math.Pi*float64(step)/steps)) / 2
			c1, c2 := 1-math.Pow(0.9, float64(step+1)), 1-math.Pow(0.999, float64(step+1))
			for i, g := range grad {
				m1[i] = 0.9*m1[i] + 0.1*g
				m2[i] = 0.999*m2[i] + 0.001*g*g
				theta[i] -= rate * (m1[i]/c1/(math.Sqrt(m2[i]/c2)+1e-8) + decay*theta[i])
			}
		}
		out := make([]float64, width)
		for k := range out {
			out[k] = dev * v[k]
		}
		return []ml.Layer{ml.Dense(ml.Tensor{Shape: []int{width, d}, Data: w}, hb), act,
			ml.Dense(ml.Tensor{Shape: []int{1, width}, Data: out}, []float64{mean + dev*v[width]})}, nil
	}
}

// A form is how a model that was trained on standardised columns comes to read them as they are.
type form struct {
	name string
	read func(layers []ml.Layer, s data.Scaler) ([]ml.Layer, error)
}

var forms = []form{{"raw", absorb}, {"scaler", scaleFirst}}

// absorb multiplies the scaler into the first dense layer: W/σ and b - W·μ/σ.
func absorb(layers []ml.Layer, s data.Scaler) ([]ml.Layer, error) {
	first, ok := layers[0].(*ml.DenseLayer)
	if !ok {
		return nil, fmt.Errorf("the first layer is a %s", layers[0].Kind())
	}
	w, b := first.W.Clone(), make([]float64, first.Out())
	copy(b, first.B)
	for k := range b {
		row := w.Row(k)
		for j := range row {
			row[j] /= s.Std[j]
			b[k] -= row[j] * s.Mean[j]
		}
	}
	return append([]ml.Layer{ml.Dense(w, b)}, layers[1:]...), nil
}

// scaleFirst puts the scaler in front as a layer.
func scaleFirst(layers []ml.Layer, s data.Scaler) ([]ml.Layer, error) {
	variance := make([]float64, len(s.Std))
	for i, d := range s.Std {
		variance[i] = d * d
	}
	return append([]ml.Layer{ml.BatchNorm(nil, nil, s.Mean, variance, 0)}, layers...), nil
}
