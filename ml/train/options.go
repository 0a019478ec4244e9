package train

import (
	"fmt"
	"math"
	"time"
)

// Options say how to train. The zero value is usable: every field has a default.
type Options struct {
	// Optimizer is the update rule: [Adam] or [SGD]. Default Adam{}.
	Optimizer Optimizer

	// LearnRate is the step size of the first batch. Default 0.001 for Adam, 0.1 for SGD.
	LearnRate float64

	// FinalLearnRate is the step size of the last batch; in between it follows half a
	// cosine. Default 0: LearnRate throughout.
	FinalLearnRate float64

	// WeightDecay is the L2 penalty λ. Each step shrinks weights by LearnRate·λ, outside
	// the gradient [LH19]; biases are left alone. It keeps activations small, which
	// encryption pays for in levels. Default 0.
	WeightDecay float64

	// LabelSmoothing ε moves the target from 1 to 1-ε, and shares ε among all classes.
	// It keeps scores small. Default 0; at most 0.5.
	LabelSmoothing float64

	// Epochs is the number of passes over the set. Default 10.
	Epochs int

	// BatchSize is the number of samples per step, at most the size of the set. The last
	// batch of an epoch may be smaller. Default 64.
	BatchSize int

	// Seed decides the initial weights and the order of samples. The same seed, set,
	// spec and options give the same weights, bit for bit, on the same architecture.
	Seed uint64

	// Progress is called after every epoch, from the goroutine that called Fit. Training
	// waits for it. Default: none.
	Progress func(Progress)
}

// Progress is the state of a training after an epoch.
type Progress struct {
	Epoch    int           // finished epochs, from 1
	Epochs   int           // Options.Epochs
	Loss     float64       // mean cross-entropy in nats over the epoch's batches, each before its step
	Accuracy float64       // share of right answers on the same batches, 0 to 1
	Elapsed  time.Duration // since Fit was called
}

// Optimizer is an update rule. The set is closed: [Adam] and [SGD].
type Optimizer interface {
	// step updates w by the gradient g at learning rate lr; t counts steps from 1. state
	// has two zeroed slices per parameter tensor, owned by the rule.
	step(w, g []float32, state *[2][]float32, lr float64, t int)
	defaultLearnRate() float64
	check() error
}

// Adam is the rule of [KB15], with weight decay outside the gradient.
type Adam struct {
	Beta1   float64 // decay of the mean of gradients; default 0.9
	Beta2   float64 // decay of the mean of squared gradients; default 0.999
	Epsilon float64 // added to the root of the latter; default 1e-8
}

// SGD is gradient descent, v ← Momentum·v + g, w ← w - LearnRate·v.
type SGD struct {
	Momentum float64 // 0 to below 1; default 0
}

func (a Adam) withDefaults() Adam {
	if a.Beta1 == 0 {
		a.Beta1 = 0.9
	}
	if a.Beta2 == 0 {
		a.Beta2 = 0.999
	}
	if a.Epsilon == 0 {
		a.Epsilon = 1e-8
	}
	return a
}

func (Adam) defaultLearnRate() float64 { return 0.001 }
func (SGD) defaultLearnRate() float64  { return 0.1 }

func (a Adam) check() error {
	a = a.withDefaults()
	if !inRange(a.Beta1, 0, 1) || !inRange(a.Beta2, 0, 1) || a.Beta1 == 1 || a.Beta2 == 1 || !(a.Epsilon > 0) || math.IsInf(a.Epsilon, 0) {
		return &OptionsError{Field: "Optimizer", Value: a, Want: "Beta1 and Beta2 in [0, 1), Epsilon above 0"}
	}
	return nil
}

func (s SGD) check() error {
	if !inRange(s.Momentum, 0, 1) || s.Momentum == 1 {
		return &OptionsError{Field: "Optimizer", Value: s, Want: "Momentum in [0, 1)"}
	}
	return nil
}

// step folds both bias corrections of [KB15, algorithm 1] into the step size.
func (a Adam) step(w, g []float32, state *[2][]float32, lr float64, t int) {
	a = a.withDefaults()
	m, v := state[0], state[1]
	b1, b2 := float32(a.Beta1), float32(a.Beta2)
	root := math.Sqrt(1 - math.Pow(a.Beta2, float64(t)))
	size := float32(lr * root / (1 - math.Pow(a.Beta1, float64(t))))
	eps := float32(a.Epsilon * root)
	for i, gi := range g {
		m[i] = b1*m[i] + (1-b1)*gi
		v[i] = b2*v[i] + (1-b2)*gi*gi
		w[i] -= size * m[i] / (float32(math.Sqrt(float64(v[i]))) + eps)
	}
}

func (s SGD) step(w, g []float32, state *[2][]float32, lr float64, _ int) {
	v, mu, size := state[0], float32(s.Momentum), float32(lr)
	for i, gi := range g {
		v[i] = mu*v[i] + gi
		w[i] -= size * v[i]
	}
}

// OptionsError reports an option outside its range.
type OptionsError struct {
	Field string // name of the field of Options
	Value any
	Want  string
}

func (e *OptionsError) Error() string {
	return fmt.Sprintf("train: option %s is %v, want %s", e.Field, e.Value, e.Want)
}

// withDefaults returns o with defaults filled in, or the first option out of range.
func (o Options) withDefaults() (Options, error) {
	if o.Optimizer == nil {
		o.Optimizer = Adam{}
	}
	if err := o.Optimizer.check(); err != nil {
		return o, err
	}
	if o.LearnRate == 0 {
		o.LearnRate = o.Optimizer.defaultLearnRate()
	}
	if o.FinalLearnRate == 0 {
		o.FinalLearnRate = o.LearnRate
	}
	if o.Epochs == 0 {
		o.Epochs = 10
	}
	if o.BatchSize == 0 {
		o.BatchSize = 64
	}
	switch {
	case !(o.LearnRate > 0 && o.LearnRate <= 1e6):
		return o, &OptionsError{"LearnRate", o.LearnRate, "above 0"}
	case !(o.FinalLearnRate > 0 && o.FinalLearnRate <= o.LearnRate):
		return o, &OptionsError{"FinalLearnRate", o.FinalLearnRate, "above 0 and at most LearnRate"}
	case !inRange(o.WeightDecay, 0, 1/o.LearnRate):
		return o, &OptionsError{"WeightDecay", o.WeightDecay, "0 to 1/LearnRate"}
	case !inRange(o.LabelSmoothing, 0, 0.5):
		return o, &OptionsError{"LabelSmoothing", o.LabelSmoothing, "0 to 0.5"}
	case o.Epochs < 1:
		return o, &OptionsError{"Epochs", o.Epochs, "at least 1"}
	case o.BatchSize < 1 || o.BatchSize > 1<<20:
		return o, &OptionsError{"BatchSize", o.BatchSize, "1 to 1048576"}
	}
	return o, nil
}

// inRange is false for NaN.
func inRange(v, lo, hi float64) bool { return v >= lo && v <= hi }
