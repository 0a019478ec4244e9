package fixedpoint

import (
	"math"

	"github.com/signet-ml/signet/ml"
)

// Beyond is how many times the larger of its interval and of what calibration saw a number may reach before its
// saturation is harmful. Quantize itself cuts up to a third of what it saw where that makes the rest finer, and ordinary
// new samples lie a little outside of any calibration set.
const Beyond = 2

// Saturation says that numbers of a tensor were cut to their interval. What a ReLU makes of negative numbers is none, and
// neither is an index beyond the table of a function that is flat there.
type Saturation struct {
	Tensor string // "input", or the name of a [Rescale]
	Values int    // numbers of the tensor
	Cut    int    // how many of them were cut
	// Harmful is how many lay beyond [Beyond] times the larger of the interval's end and of what calibration saw: the
	// model was never compared on such numbers, and its answer may be that of another input.
	Harmful int
	// The one that lay furthest out: element Element of sample Sample, which is the feature of an input, at Times the end
	// of its interval.
	Sample, Element int
	Times           float64
}

// Saturations returns where samples x, whose tensors are trace, saturated, in the order of the tensors. It is empty for
// samples like those of the calibration set, or nearly.
//
// It fails with *[ml.ShapeError] unless x and trace belong together, and with *[ml.NonFiniteError] for NaN and infinities.
func (m *Model) Saturations(x ml.Tensor, trace [][]int64) ([]Saturation, error) {
	n, err := m.samples(x)
	if err != nil {
		return nil, err
	}
	for i, size := range m.sizes {
		if len(trace) != len(m.sizes) || len(trace[i]) != n*size {
			return nil, &ml.ShapeError{Where: "fixedpoint: saturations: trace", Got: []int{len(trace)}, Want: "the tensors of as many samples"}
		}
	}
	var all []Saturation
	keep := func(s Saturation) {
		if s.Cut > 0 {
			all = append(all, s)
		}
	}
	in := m.saturation(0, "input", n)
	for i, v := range x.Data {
		if v-v != 0 {
			return nil, &ml.NonFiniteError{Where: "fixedpoint: saturations", Index: i, At: []int{i}, Value: v}
		}
		z := m.units(i, v)
		if _, cut := m.def.Input.encode(z); cut {
			in.add(i, z, m.def.Input, m.seen(0))
		}
	}
	keep(in.Saturation)
	tables := 0
	for i, o := range m.def.Ops {
		if _, ok := o.(Table); ok {
			tables++
		}
		r, ok := o.(Rescale)
		if !ok {
			continue
		}
		s := m.saturation(i+1, r.Label, n)
		low, high := m.flat(i, tables)
		for k, v := range trace[i] {
			if y := r.round(v); r.cuts(v) && !(low && y < r.Out.Lo) && !(high && y > r.Out.Hi) {
				s.add(k, float64(y), r.Out, m.seen(i+1))
			}
		}
		keep(s.Saturation)
	}
	return all, nil
}

// seen returns the largest magnitude of a tensor on the calibration set, in its units.
func (m *Model) seen(tensor int) float64 { return m.def.Calibrated[tensor] / m.def.Scales[tensor] }

// flat reports whether the op is a Rescale to the index of a table, the one of that number, which is flat below and above.
func (m *Model) flat(op, table int) (low, high bool) {
	for _, o := range m.def.Ops[op+1:] {
		switch o.(type) {
		case MaxPool2d:
			continue
		case Table:
			if table >= len(m.def.Functions) {
				return false, false
			}
			f := m.def.Functions[table]
			c := curves[f.Name]
			if c.bounded {
				return f.Range == c.most, f.Range == c.most
			}
			return f.Range >= flatBelow, false
		}
		break
	}
	return false, false
}

// flatBelow is where silu and gelu are within 1/300 of 0 on the negative side.
const flatBelow = 8

type saturating struct {
	Saturation
	size int // of a sample
}

func (m *Model) saturation(tensor int, name string, samples int) saturating {
	return saturating{Saturation{Tensor: name, Values: samples * m.sizes[tensor]}, m.sizes[tensor]}
}

// add counts number i of the tensor, v outside of the interval. seen is the largest magnitude on the calibration set.
func (s *saturating) add(i int, v float64, in Interval, seen float64) {
	end := math.Max(float64(in.magnitude()), 1)
	out := math.Max(v-float64(in.Hi), float64(in.Lo)-v)
	s.Cut++
	if out > Beyond*max(end, seen)-end {
		s.Harmful++
	}
	if times := 1 + out/end; times > s.Times {
		s.Sample, s.Element, s.Times = i/s.size, i%s.size, times
	}
}
