package fixedpoint

import (
	"cmp"
	"errors"
	"fmt"
	"math"
)

// Op is one exact step on integers. The set is closed: [Dense], [Conv2d], [Rescale],
// [Table], [Square], [SumPool2d], [MaxPool2d] and [Argmax], all of them values. An op
// takes the flat tensor of the op before it, sample by sample; images are
// [channels, height, width] in row-major order.
type Op interface {
	// Name returns the label of the op, unique in its model.
	Name() string

	// kind names the op as files do.
	kind() string
	// check returns the elements of one sample after the op, for in before it.
	check(in int) (int, error)
	// bounds returns where the results lie. With private, weights count as anything in
	// their range; otherwise as what they are. Only checked ops have bounds.
	bounds(x spread, private bool) (spread, error)
	// apply maps the samples of x to fresh memory.
	apply(batch int, x []int64) []int64
}

// Dense is y = W·x + B, exactly.
type Dense struct {
	Label       string   `json:"label"`
	In          int      `json:"in"`
	Out         int      `json:"out"`
	W           []int64  `json:"-"` // [Out, In]; nil in an Architecture
	B           []int64  `json:"-"` // [Out]; nil in an Architecture
	WeightRange Interval `json:"weights"`
	BiasRange   Interval `json:"biases"`
}

// Conv2d is the cross-correlation of [ml.Conv2dLayer] on integers, exactly. W is
// [Out, Channels/Groups, Kernel rows, Kernel columns], B is [Out]; both are nil in an
// [Architecture]. Pairs are rows, then columns.
//
// [ml.Conv2dLayer]: https://pkg.go.dev/github.com/signet-ml/signet/ml#Conv2dLayer
type Conv2d struct {
	Label       string   `json:"label"`
	Channels    int      `json:"channels"`
	Height      int      `json:"height"`
	Width       int      `json:"width"`
	Out         int      `json:"out"`
	Groups      int      `json:"groups"`
	Kernel      [2]int   `json:"kernel"`
	Stride      [2]int   `json:"stride"`
	Padding     [2]int   `json:"padding"`
	Dilation    [2]int   `json:"dilation"`
	W           []int64  `json:"-"`
	B           []int64  `json:"-"`
	WeightRange Interval `json:"weights"`
	BiasRange   Interval `json:"biases"`
}

// Rescale is y = clamp(⌊(x·Multiplier + 2^(Shift-1)) / 2^Shift⌋, Out), where a Shift of 0
// has no rounding term: halves go towards plus infinity for both signs, and saturation
// comes after rounding. An Out that starts at 0 is a ReLU.
type Rescale struct {
	Label      string   `json:"label"`
	Multiplier int64    `json:"multiplier"` // 1 to 2^31-1
	Shift      int      `json:"shift"`      // 0 to 61
	Out        Interval `json:"out"`
}

// Table is y = Values[x-Lo]. The op before it keeps x inside the table.
type Table struct {
	Label  string  `json:"label"`
	Lo     int64   `json:"lo"`
	Values []int64 `json:"values"`
}

// Square is y = x².
type Square struct {
	Label string `json:"label"`
}

// SumPool2d is the sum over a window that moves over each channel; padding adds nothing.
// The division that makes a mean of it lies in the scale of the result.
type SumPool2d struct {
	Label    string `json:"label"`
	Channels int    `json:"channels"`
	Height   int    `json:"height"`
	Width    int    `json:"width"`
	Kernel   [2]int `json:"kernel"` // rows, columns, as the next two
	Stride   [2]int `json:"stride"`
	Padding  [2]int `json:"padding"`
}

// MaxPool2d is the largest number in a window that moves over each channel; padding
// never wins.
type MaxPool2d struct {
	Label    string `json:"label"`
	Channels int    `json:"channels"`
	Height   int    `json:"height"`
	Width    int    `json:"width"`
	Kernel   [2]int `json:"kernel"` // rows, columns, as the next two
	Stride   [2]int `json:"stride"`
	Padding  [2]int `json:"padding"`
}

// Argmax is the index of the largest number of a sample; of several the lowest. It is the
// last op of a model.
type Argmax struct {
	Label string `json:"label"`
}

// Name returns the label.
func (o Dense) Name() string { return o.Label }

// Name returns the label.
func (o Conv2d) Name() string { return o.Label }

// Name returns the label.
func (o Rescale) Name() string { return o.Label }

// Name returns the label.
func (o Table) Name() string { return o.Label }

// Name returns the label.
func (o Square) Name() string { return o.Label }

// Name returns the label.
func (o SumPool2d) Name() string { return o.Label }

// Name returns the label.
func (o MaxPool2d) Name() string { return o.Label }

// Name returns the label.
func (o Argmax) Name() string { return o.Label }

func (Dense) kind() string     { return "dense" }
func (Conv2d) kind() string    { return "conv2d" }
func (Rescale) kind() string   { return "rescale" }
func (Table) kind() string     { return "table" }
func (Square) kind() string    { return "square" }
func (SumPool2d) kind() string { return "sumpool2d" }
func (MaxPool2d) kind() string { return "maxpool2d" }
func (Argmax) kind() string    { return "argmax" }

const (
	maxMultiplier = math.MaxInt32
	maxShift      = maxBits - 1
	maxTable      = 1 << 20
	// maxWindow and maxSampleLen are those of package ml.
	maxWindow    = 1 << 14
	maxSampleLen = 1 << 27
)

// expect reports whether an op that takes want elements was given as many.
func expect(in, want int) error {
	if in != want {
		return fmt.Errorf("%d elements in front, want %d", in, want)
	}
	return nil
}

// linear is what Dense and Conv2d have in common.
type linear struct {
	rows, cols   int // of the weights as a matrix
	w, b         []int64
	weight, bias Interval
}

func (o Dense) linear() linear {
	return linear{o.Out, o.In, o.W, o.B, o.WeightRange, o.BiasRange}
}

func (o Conv2d) linear() linear {
	return linear{o.Out, o.Channels / o.Groups * o.Kernel[0] * o.Kernel[1], o.W, o.B, o.WeightRange, o.BiasRange}
}

// check reports whether ranges are ranges, and weights, if there are any, are complete
// and inside them.
func (l linear) check() error {
	if err := cmp.Or(l.weight.check(), l.bias.check()); err != nil {
		return err
	}
	if l.w == nil && l.b == nil {
		return nil
	}
	if len(l.b) != l.rows || len(l.w)/l.rows != l.cols || len(l.w)%l.rows != 0 {
		return fmt.Errorf("%d weights and %d biases, want %d·%d and %d", len(l.w), len(l.b), l.rows, l.cols, l.rows)
	}
	for i, w := range l.w {
		if !l.weight.Contains(w) {
			return fmt.Errorf("weight %d lies outside %v", i, l.weight)
		}
	}
	for i, b := range l.b {
		if !l.bias.Contains(b) {
			return fmt.Errorf("bias %d lies outside %v", i, l.bias)
		}
	}
	return nil
}

func (o Dense) check(in int) (int, error) {
	if o.In < 1 || o.Out < 1 || o.In > maxSampleLen || o.Out > maxSampleLen {
		return 0, fmt.Errorf("%d inputs and %d outputs, want 1 to %d", o.In, o.Out, maxSampleLen)
	}
	return o.Out, cmp.Or(expect(in, o.In), o.linear().check())
}

func (o Conv2d) check(in int) (int, error) {
	out, err := o.window().check(in, o.Out, false)
	if err != nil {
		return 0, err
	}
	if o.Groups < 1 || o.Channels%o.Groups != 0 || o.Out%o.Groups != 0 {
		return 0, fmt.Errorf("%d groups for %d channels in and %d out, want a divisor of both", o.Groups, o.Channels, o.Out)
	}
	if int64(o.Channels/o.Groups)*int64(o.Kernel[0])*int64(o.Kernel[1]) > maxSampleLen {
		return 0, fmt.Errorf("kernels of more than %d weights", maxSampleLen)
	}
	return out, o.linear().check()
}

func (o Rescale) check(in int) (int, error) {
	if o.Multiplier < 1 || o.Multiplier > maxMultiplier || o.Shift < 0 || o.Shift > maxShift {
		return 0, fmt.Errorf("multiplier %d and shift %d, want 1 to 2^31-1 and 0 to %d", o.Multiplier, o.Shift, maxShift)
	}
	return in, o.Out.check()
}

func (o Table) check(in int) (int, error) {
	if len(o.Values) < 1 || len(o.Values) > maxTable {
		return 0, fmt.Errorf("a table of %d values, want 1 to %d", len(o.Values), maxTable)
	}
	return in, cmp.Or(o.domain().check(), o.values().check())
}

func (o Square) check(in int) (int, error) { return in, nil }

func (o SumPool2d) check(in int) (int, error) { return o.window().check(in, o.Channels, true) }
func (o MaxPool2d) check(in int) (int, error) { return o.window().check(in, o.Channels, true) }

func (o Argmax) check(in int) (int, error) {
	if in < 2 {
		return 0, errors.New("argmax of one number, want at least two")
	}
	return 1, nil
}

// domain returns the arguments of a table.
func (o Table) domain() Interval { return Interval{o.Lo, o.Lo + int64(len(o.Values)) - 1} }

// values returns where the results of a table lie.
func (o Table) values() Interval {
	v := Interval{o.Values[0], o.Values[0]}
	for _, y := range o.Values {
		v = v.union(Interval{y, y})
	}
	return v
}
