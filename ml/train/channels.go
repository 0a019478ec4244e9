package train

import (
	"fmt"

	"gorgonia.org/gorgonia"
)

// channels are samples whose elements belong to channels of equal length: a sample is
// [channels, plane]. Flat samples have a plane of 1.
type channels struct {
	batch, count, plane int
}

func (c channels) sampleLen() int { return c.count * c.plane }

func (c channels) String() string {
	return fmt.Sprintf("%d samples of %d channels of %d", c.batch, c.count, c.plane)
}

// bias appends x + b, one number of b per channel.
func (c channels) bias(x, b *gorgonia.Node) (*gorgonia.Node, error) {
	return applyOp(op{
		name: "bias of " + c.String(), rows: c.batch, cols: c.sampleLen(),
		do: func(dst []float32, in ...[]float32) {
			c.each(func(channel, lo, hi int) {
				v := in[1][channel]
				for i := lo; i < hi; i++ {
					dst[i] = in[0][i] + v
				}
			})
		},
		diff: func(in gorgonia.Nodes, grad *gorgonia.Node) (gorgonia.Nodes, error) {
			db, err := applyOp(op{
				name: "channel sums of " + c.String(), rows: 1, cols: c.count,
				do: func(dst []float32, in ...[]float32) {
					c.sum(dst, func(i int) float64 { return float64(in[0][i]) })
				},
			}, grad)
			return gorgonia.Nodes{grad, db}, err
		},
	}, x, b)
}

// scale appends x·s, one number of s per channel.
func (c channels) scale(x, s *gorgonia.Node) (*gorgonia.Node, error) {
	times := func(dst []float32, in ...[]float32) {
		c.each(func(channel, lo, hi int) {
			v := in[1][channel]
			for i := lo; i < hi; i++ {
				dst[i] = in[0][i] * v
			}
		})
	}
	return applyOp(op{
		name: "scale of " + c.String(), rows: c.batch, cols: c.sampleLen(), do: times,
		diff: func(in gorgonia.Nodes, grad *gorgonia.Node) (gorgonia.Nodes, error) {
			dx, err := applyOp(op{name: "scale of a gradient of " + c.String(), rows: c.batch, cols: c.sampleLen(), do: times}, grad, in[1])
			if err != nil {
				return nil, err
			}
			ds, err := applyOp(op{
				name: "channel products of " + c.String(), rows: 1, cols: c.count,
				do: func(dst []float32, in ...[]float32) {
					c.sum(dst, func(i int) float64 { return float64(in[0][i]) * float64(in[1][i]) })
				},
			}, in[0], grad)
			return gorgonia.Nodes{dx, ds}, err
		},
	}, x, s)
}

// each calls f for the elements lo to hi-1 of every channel of every sample, on all
// cores.
func (c channels) each(f func(channel, lo, hi int)) {
	chunks(c.batch, func(_, lo, hi int) {
		for i := lo * c.count; i < hi*c.count; i++ {
			f(i%c.count, i*c.plane, (i+1)*c.plane)
		}
	})
}

// sum sets dst to the sums of f over the elements of each channel, sample by sample.
func (c channels) sum(dst []float32, f func(i int) float64) {
	chunks(c.count, func(_, lo, hi int) {
		for channel := lo; channel < hi; channel++ {
			sum := 0.0
			for s := range c.batch {
				at := (s*c.count + channel) * c.plane
				for i := at; i < at+c.plane; i++ {
					sum += f(i)
				}
			}
			dst[channel] = float32(sum)
		}
	})
}
