package data

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/signet-ml/signet/ml"
)

// Dataset is a set of samples with class numbers, with numbers to predict, or with
// neither. It is a plain value whose methods return new ones; those that choose samples
// copy them. Reading concurrently is safe.
type Dataset struct {
	Name     string    // "mnist-train", for reports
	X        ml.Tensor // [n, sample shape...]
	Y        []int     // class of each sample, from 0; nil when there are none
	Targets  []float64 // number to predict for each sample, instead of a class; nil when there are none
	Classes  []string  // name of each class; nil when they have none
	Features []string  // name of each feature of a flat sample; nil when they have none
}

// Len returns the number of samples.
func (d Dataset) Len() int { return d.X.Rows() }

// SampleShape returns the shape of one sample, X.Shape without its first dimension.
func (d Dataset) SampleShape() []int {
	if len(d.X.Shape) == 0 {
		return nil
	}
	return slices.Clone(d.X.Shape[1:])
}

// Validate reports the first inconsistency: a malformed or non-finite X, a number of
// labels that is not 0 or Len, a label without a class name, a number of targets that is
// not 0 or Len, a target that is not finite, targets beside classes, a number of feature names
// that differs from the length of a sample. Sets made by this package are valid; call
// it for those made by hand, because the other methods assume it and panic otherwise.
func (d Dataset) Validate() error {
	if _, err := ml.NewTensor(d.X.Shape, d.X.Data); err != nil {
		return fmt.Errorf("data: set %q: %w", d.Name, err)
	}
	if len(d.X.Shape) < 2 {
		return fmt.Errorf("data: set %q: shape %v has no sample dimension, want [n, ...]", d.Name, d.X.Shape)
	}
	for i, v := range d.X.Data {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("data: set %q: sample %d, element %d is %v", d.Name, i/d.width(), i%d.width(), v)
		}
	}
	if d.Y != nil && len(d.Y) != d.Len() {
		return fmt.Errorf("data: set %q: %d labels for %d samples", d.Name, len(d.Y), d.Len())
	}
	for i, y := range d.Y {
		if y < 0 || d.Classes != nil && y >= len(d.Classes) {
			return fmt.Errorf("data: set %q: sample %d has class %d of %d", d.Name, i, y, len(d.Classes))
		}
	}
	if d.Targets != nil && len(d.Targets) != d.Len() {
		return fmt.Errorf("data: set %q: %d targets for %d samples", d.Name, len(d.Targets), d.Len())
	}
	for i, v := range d.Targets {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("data: set %q: target of sample %d is %v", d.Name, i, v)
		}
	}
	if d.Targets != nil && (d.Y != nil || d.Classes != nil) {
		return fmt.Errorf("data: set %q: targets and classes, want one of them", d.Name)
	}
	if d.Features != nil && len(d.Features) != d.width() {
		return fmt.Errorf("data: set %q: %d feature names for samples of %d", d.Name, len(d.Features), d.width())
	}
	return nil
}

// width is the number of elements of a sample.
func (d Dataset) width() int {
	w := 1
	for _, s := range d.X.Shape[1:] {
		w *= s
	}
	return w
}

// Subset returns copies of the samples with the given indices, in that order; an
// index may occur several times. Like a slice expression it panics on an index
// outside [0, Len()). No indices give a set of 0 samples.
func (d Dataset) Subset(indices []int) Dataset {
	s := d
	s.X = ml.Tensor{Shape: slices.Clone(d.X.Shape), Data: make([]float64, 0, len(indices)*d.width())}
	s.X.Shape[0] = len(indices)
	for _, i := range indices {
		s.X.Data = append(s.X.Data, d.X.Row(i)...)
	}
	if d.Y != nil {
		s.Y = make([]int, len(indices))
		for k, i := range indices {
			s.Y[k] = d.Y[i]
		}
	}
	if d.Targets != nil {
		s.Targets = make([]float64, len(indices))
		for k, i := range indices {
			s.Targets[k] = d.Targets[i]
		}
	}
	return s
}

// Head returns the first n samples, or all when there are fewer; n below 0 counts as
// 0. It shares memory with d.
func (d Dataset) Head(n int) Dataset {
	n = min(max(n, 0), d.Len())
	d.X = d.X.Slice(0, n)
	if d.Y != nil {
		d.Y = d.Y[:n:n]
	}
	if d.Targets != nil {
		d.Targets = d.Targets[:n:n]
	}
	return d
}

// Split divides the samples into two sets at random, in the proportions of the
// classes: of n samples the first set has n·trainFraction, rounded, and each class is
// within one sample of its share. A set without classes, such as one with targets, is
// split as one class. The
// fraction is clamped to [0, 1] (NaN counts as 0); at the ends, or for tiny sets, one
// part has 0 samples.
//
// The same seed gives the same parts. Both parts are in random order, so Head of a
// part is a random sample too. Samples are copied.
func (d Dataset) Split(seed uint64, trainFraction float64) (train, test Dataset) {
	if !(trainFraction > 0) {
		trainFraction = 0
	}
	n := d.Len()
	label := func(i int) int {
		if d.Y == nil {
			return 0
		}
		return d.Y[i]
	}
	perm := rand.New(rand.NewPCG(seed, 0x5369676e6574)).Perm(n) // second word: "Signet"
	counts := map[int]int{}
	for i := range n {
		counts[label(i)]++
	}
	quota := apportion(counts, int(math.Round(float64(n)*min(trainFraction, 1))))
	var a, b []int
	for _, i := range perm {
		if c := label(i); quota[c] > 0 {
			quota[c]--
			a = append(a, i)
		} else {
			b = append(b, i)
		}
	}
	train, test = d.Subset(a), d.Subset(b)
	return train, test
}

// apportion divides total over the classes in proportion to counts by largest
// remainders, ties to the lower class, so that it does not depend on map order.
func apportion(counts map[int]int, total int) map[int]int {
	classes := make([]int, 0, len(counts))
	n := 0
	for c, k := range counts {
		classes = append(classes, c)
		n += k
	}
	slices.Sort(classes)
	quota, left := make(map[int]int), total
	for _, c := range classes {
		quota[c] = counts[c] * total / n
		left -= quota[c]
	}
	slices.SortStableFunc(classes, func(a, b int) int {
		return cmp.Compare(counts[b]*total%n, counts[a]*total%n)
	})
	for _, c := range classes[:left] {
		quota[c]++
	}
	return quota
}

// Only returns the samples of the given classes, renumbered in the order of the
// arguments: Only(3, 8) of MNIST is a two-class set where 1 means the digit 8. It
// fails when a class is out of range or repeated, or the set has no classes.
func (d Dataset) Only(classes ...int) (Dataset, error) {
	if d.Y == nil {
		return Dataset{}, fmt.Errorf("data: set %q has no classes to choose by", d.Name)
	}
	number := make(map[int]int, len(classes))
	var names []string
	for k, c := range classes {
		if c < 0 || d.Classes != nil && c >= len(d.Classes) {
			return Dataset{}, fmt.Errorf("data: set %q has no class %d", d.Name, c)
		}
		if _, dup := number[c]; dup {
			return Dataset{}, fmt.Errorf("data: class %d is given twice", c)
		}
		number[c] = k
		if d.Classes != nil {
			names = append(names, d.Classes[c])
		}
	}
	var keep []int
	for i, y := range d.Y {
		if _, ok := number[y]; ok {
			keep = append(keep, i)
		}
	}
	s := d.Subset(keep)
	for i, y := range s.Y {
		s.Y[i] = number[y]
	}
	s.Classes = names
	return s, nil
}

// MeanPool returns the images averaged over blocks of k×k pixels: 28×28 images become
// 14×14 for k = 2, as in the HELR benchmark. It fails unless samples have two
// dimensions that k divides.
func (d Dataset) MeanPool(k int) (Dataset, error) {
	if len(d.X.Shape) != 3 || k < 1 || d.X.Shape[1]%k != 0 || d.X.Shape[2]%k != 0 {
		return Dataset{}, fmt.Errorf("data: set %q: cannot average shape %v over %d×%d blocks", d.Name, d.X.Shape, k, k)
	}
	rows, cols := d.X.Shape[1]/k, d.X.Shape[2]/k
	out := make([]float64, d.Len()*rows*cols)
	for i := range d.Len() {
		src, dst := d.X.Row(i), out[i*rows*cols:(i+1)*rows*cols]
		for r := range rows * k {
			for c := range cols * k {
				dst[r/k*cols+c/k] += src[r*cols*k+c]
			}
		}
		for j := range dst {
			dst[j] /= float64(k * k)
		}
	}
	s := d
	s.X = ml.Tensor{Shape: []int{d.Len(), rows, cols}, Data: out}
	s.Y, s.Targets, s.Features = slices.Clone(d.Y), slices.Clone(d.Targets), nil
	return s, nil
}

// Scaler is the map x ↦ (x - Mean)/Std of each feature. Keep it with the model: new
// samples must pass through the same numbers as the training data.
type Scaler struct {
	Mean []float64 // mean of each feature over the training samples
	Std  []float64 // standard deviation (divisor n), 1 for a constant feature
}

// Standardize returns d with every feature at mean 0 and standard deviation 1, and
// the [Scaler] that does it. Call it on the training set only and apply the scaler to
// the test set, so that nothing is learnt from the latter. A constant feature becomes 0.
// Targets stay as they are.
func (d Dataset) Standardize() (Dataset, Scaler) {
	w, n := d.width(), float64(d.Len())
	s := Scaler{Mean: make([]float64, w), Std: make([]float64, w)}
	for i := range d.Len() {
		for j, v := range d.X.Row(i) {
			s.Mean[j] += v / n
		}
	}
	for i := range d.Len() {
		for j, v := range d.X.Row(i) {
			s.Std[j] += (v - s.Mean[j]) * (v - s.Mean[j]) / n
		}
	}
	for j, v := range s.Std {
		s.Std[j] = math.Sqrt(v)
		// The mean of equal numbers may differ from them by rounding: what is left
		// then is noise, and dividing by it would make noise of size 1.
		if s.Std[j] <= 1e-12*math.Abs(s.Mean[j]) {
			s.Std[j] = 1
		}
	}
	scaled := d
	scaled.X = d.X.Clone()
	scaled.Y, scaled.Targets = slices.Clone(d.Y), slices.Clone(d.Targets)
	s.scale(scaled.X.Data)
	return scaled, s
}

// Apply returns d with the scaler applied to every sample. It fails when samples have
// another length than the scaler, or the scaler has a Std that is not positive.
func (s Scaler) Apply(d Dataset) (Dataset, error) {
	x, err := s.ApplyTensor(d.X)
	if err != nil {
		return Dataset{}, err
	}
	d.X, d.Y, d.Targets = x, slices.Clone(d.Y), slices.Clone(d.Targets)
	return d, nil
}

// ApplyTensor returns x with the scaler applied: a batch [n, ...] or a single sample,
// whose length must be the scaler's. Errors are those of Apply.
func (s Scaler) ApplyTensor(x ml.Tensor) (ml.Tensor, error) {
	if len(s.Mean) == 0 || len(s.Mean) != len(s.Std) {
		return ml.Tensor{}, fmt.Errorf("data: scaler with %d means and %d deviations", len(s.Mean), len(s.Std))
	}
	for j, v := range s.Std {
		if !(v > 0) {
			return ml.Tensor{}, fmt.Errorf("data: scaler: deviation %d is %v", j, v)
		}
	}
	w := len(x.Data)
	if len(x.Shape) > 1 && x.Rows() > 0 {
		w /= x.Rows()
	}
	if w != len(s.Mean) && x.Len() != len(s.Mean) || len(x.Data) != x.Len() || w == 0 {
		return ml.Tensor{}, fmt.Errorf("data: scaler of %d features applied to shape %v", len(s.Mean), x.Shape)
	}
	y := x.Clone()
	s.scale(y.Data)
	return y, nil
}

func (s Scaler) scale(data []float64) {
	w := len(s.Mean)
	for i := range data {
		j := i % w
		data[i] = (data[i] - s.Mean[j]) / s.Std[j]
	}
}
