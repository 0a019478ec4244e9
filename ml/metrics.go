package ml

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/integrate"
	"gonum.org/v1/gonum/stat"
)

// Argmax returns the position of the largest element of v, the first one when
// several are equal; a NaN is never the largest. It returns -1 for an empty v or one
// that holds only NaN.
func Argmax(v []float64) int {
	best := -1
	for i, x := range v {
		if !math.IsNaN(x) && (best < 0 || x > v[best]) {
			best = i
		}
	}
	return best
}

// Labels returns one class number per row of scores: [Argmax] of the row, or, when
// rows have a single element, 1 for a score above 0 and 0 otherwise. A tensor of one
// dimension [n] counts as n single scores. Probabilities of a sigmoid are cut at 0.5
// instead: use [Model.Labels], which knows the last layer. Labels returns nil for the
// zero Tensor.
func Labels(scores Tensor) []int { return labels(scores, 0) }

func labels(scores Tensor, threshold float64) []int {
	if scores.Rows() == 0 {
		return nil
	}
	out := make([]int, scores.Rows())
	for i := range out {
		row := scores.Row(i)
		switch {
		case len(row) > 1:
			out[i] = Argmax(row)
		case row[0] > threshold:
			out[i] = 1
		}
	}
	return out
}

// Accuracy returns the share of equal elements, from 0 to 1. It fails when the
// lengths differ or are 0.
func Accuracy(pred, truth []int) (float64, error) {
	if err := sameLen("accuracy", len(pred), len(truth)); err != nil {
		return 0, err
	}
	hit := 0
	for i, p := range pred {
		if p == truth[i] {
			hit++
		}
	}
	return float64(hit) / float64(len(pred)), nil
}

// Confusion returns counts c[t][p]: how many samples of class t were predicted as
// p. It fails when the lengths differ or are 0, or a class lies outside
// [0, classes).
func Confusion(pred, truth []int, classes int) ([][]int, error) {
	if err := sameLen("confusion", len(pred), len(truth)); err != nil {
		return nil, err
	}
	if classes < 1 {
		return nil, fmt.Errorf("ml: confusion: %d classes", classes)
	}
	for i := range pred {
		if pred[i] < 0 || pred[i] >= classes || truth[i] < 0 || truth[i] >= classes {
			return nil, fmt.Errorf("ml: confusion: sample %d: predicted %d, true %d, want 0 to %d", i, pred[i], truth[i], classes-1)
		}
	}
	c := make([][]int, classes)
	for i := range c {
		c[i] = make([]int, classes)
	}
	for i := range pred {
		c[truth[i]][pred[i]]++
	}
	return c, nil
}

// LogLoss returns the mean of -ln p(true class) in nats. Rows of prob are the
// probabilities of the classes, or a single probability of class 1 (the output of a
// sigmoid). Probabilities are clipped to [1e-15, 1-1e-15], so a confident mistake
// costs at most 34.5 nats. It fails when the numbers of rows differ, a class has no
// column, or a value is not a probability.
func LogLoss(prob Tensor, truth []int) (float64, error) {
	if err := prob.check("log loss"); err != nil {
		return 0, err
	}
	if err := sameLen("log loss", prob.Rows(), len(truth)); err != nil {
		return 0, err
	}
	const clip = 1e-15
	losses := make([]float64, len(truth))
	for i, t := range truth {
		row := prob.Row(i)
		classes := len(row)
		if classes == 1 {
			classes = 2
		}
		if t < 0 || t >= classes {
			return 0, fmt.Errorf("ml: log loss: sample %d: class %d of %d", i, t, classes)
		}
		var p float64
		switch {
		case len(row) > 1:
			p = row[t]
		case t == 1:
			p = row[0]
		default:
			p = 1 - row[0]
		}
		if !(p >= -1e-9 && p <= 1+1e-9) {
			return 0, fmt.Errorf("ml: log loss: sample %d: %v is not a probability", i, p)
		}
		losses[i] = -math.Log(min(max(p, clip), 1-clip))
	}
	return stat.Mean(losses, nil), nil
}

// AUC returns the area under the receiver operating characteristic: the
// probability that a random sample of class 1 scores above a random one of class 0,
// equal scores counting half. truth holds 0 and 1. It fails when the lengths differ,
// a class is absent, or a score is NaN.
func AUC(score []float64, truth []int) (float64, error) {
	if err := sameLen("auc", len(score), len(truth)); err != nil {
		return 0, err
	}
	order := make([]int, len(score))
	ones := 0
	for i, t := range truth {
		order[i] = i
		if math.IsNaN(score[i]) {
			return 0, fmt.Errorf("ml: auc: score %d is NaN", i)
		}
		if t != 0 && t != 1 {
			return 0, fmt.Errorf("ml: auc: sample %d has class %d, want 0 or 1", i, t)
		}
		ones += t
	}
	if ones == 0 || ones == len(truth) {
		return 0, errors.New("ml: auc: needs samples of both classes")
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(score[a], score[b]) })
	y, c := make([]float64, len(score)), make([]bool, len(score))
	for i, o := range order {
		y[i], c[i] = score[o], truth[o] == 1
	}
	tpr, fpr, _ := stat.ROC(nil, y, c, nil)
	return integrate.Trapezoidal(fpr, tpr), nil
}

// MSE returns the mean squared error. It fails when the lengths differ or are 0.
func MSE(pred, truth []float64) (float64, error) {
	if err := sameLen("mse", len(pred), len(truth)); err != nil {
		return 0, err
	}
	d := floats.Distance(pred, truth, 2)
	return d * d / float64(len(pred)), nil
}

// R2 returns the coefficient of determination 1 - Σ(y-ŷ)²/Σ(y-ȳ)²: 1 for perfect
// predictions, 0 for the mean of truth, below 0 for worse. It fails when the lengths
// differ or are 0, or all of truth is one value.
func R2(pred, truth []float64) (float64, error) {
	if err := sameLen("r2", len(pred), len(truth)); err != nil {
		return 0, err
	}
	if floats.Min(truth) == floats.Max(truth) {
		return 0, errors.New("ml: r2: all true values are equal")
	}
	return stat.RSquaredFrom(pred, truth, nil), nil
}

func sameLen(what string, pred, truth int) error {
	if pred != truth {
		return fmt.Errorf("ml: %s: %d predictions for %d true values", what, pred, truth)
	}
	if pred == 0 {
		return fmt.Errorf("ml: %s: no samples", what)
	}
	return nil
}
