package train

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/signet-ml/signet/ml"
	"github.com/signet-ml/signet/ml/internal/window"
)

// stage is a layer of a spec in its place.
type stage struct {
	LayerSpec
	before  ml.Layer // what turns the samples of the stage before into in, or nil
	in, out []int    // shape of one sample in front of the layer and behind it
	grid    window.Grid
}

// stages follows a sample through the layers. Package ml decides what fits.
func stages(layers []LayerSpec, sample []int) ([]stage, error) {
	fail := func(i int, reason string) ([]stage, error) {
		return nil, &SpecError{Layer: i, Reason: reason}
	}
	cur := slices.Clone(sample)
	images := slices.ContainsFunc(layers, LayerSpec.ofImages)
	var out []stage
	for i, l := range layers {
		s := stage{LayerSpec: l}
		switch {
		case l.ofImages() && len(cur) == 2:
			cur = []int{1, cur[0], cur[1]}
			s.before = ml.Reshape(cur...)
		case (l.kind == "dense" || !images) && len(cur) > 1:
			cur = []int{product(cur)}
			s.before = ml.Flatten()
		case l.kind == "batchnorm" && len(cur) == 2:
			cur = []int{1, cur[0], cur[1]}
			s.before = ml.Reshape(cur...)
		}
		s.in = cur
		layer, reason := s.blank()
		if reason != "" {
			return fail(i, reason)
		}
		if layer != nil {
			m, err := ml.SequentialFor(cur, layer)
			if err != nil {
				var le *ml.LayerError
				if errors.As(err, &le) {
					err = le.Err
				}
				return fail(i, strings.TrimPrefix(err.Error(), "ml: "))
			}
			cur = m.OutputShape()
		}
		if s.out = cur; l.kind == "dense" {
			s.out = []int{l.units}
			cur = s.out
		}
		if l.ofImages() {
			k := l.conv
			s.grid = window.Grid{
				Image: [2]int(s.in[1:]), Out: [2]int(s.out[1:]), Dilation: [2]int{1, 1},
				Kernel: [2]int{k.Kernel, k.Kernel}, Stride: [2]int{k.Stride, k.Stride}, Padding: [2]int{k.Padding, k.Padding},
			}
		}
		out = append(out, s)
	}
	return out, nil
}

// blank returns the layer of package ml without its weights, for one that package ml has
// to check, or the reason why there is none.
func (s stage) blank() (layer ml.Layer, reason string) {
	switch c := s.conv; s.kind {
	case "conv2d":
		switch {
		case len(s.in) != 3:
			return nil, "needs samples that are images"
		case c.Groups < 1 || s.in[0]%c.Groups != 0:
			return nil, "the groups do not divide the channels of the input"
		case c.Kernel < 1:
			return nil, fmt.Sprintf("kernel of %d, want at least 1", c.Kernel)
		case float64(c.Out)*float64(s.in[0]/c.Groups)*float64(c.Kernel)*float64(c.Kernel) > maxConvWeights:
			return nil, fmt.Sprintf("more than %d weights", maxConvWeights)
		}
		shape := []int{c.Out, s.in[0] / c.Groups, c.Kernel, c.Kernel}
		w := ml.Tensor{Shape: shape, Data: make([]float64, product(shape))}
		return ml.Conv2d(w, nil, c.options()), ""
	case "avgpool2d":
		return ml.AvgPool2d(c.Kernel, c.Stride, c.Padding), ""
	case "maxpool2d":
		return ml.MaxPool2d(c.Kernel, c.Stride, c.Padding), ""
	}
	return nil, ""
}

// options is how package ml says the same.
func (c ConvSpec) options() ml.ConvOptions {
	return ml.ConvOptions{Stride: [2]int{c.Stride, c.Stride}, Padding: [2]int{c.Padding, c.Padding}, Groups: c.Groups}
}

// product multiplies up the shape of samples that exist, which fits an int.
func product(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

// channelsOf returns a batch of samples of a shape as channels.
func channelsOf(shape []int, batch int) channels {
	return channels{batch: batch, count: shape[0], plane: product(shape[1:])}
}
