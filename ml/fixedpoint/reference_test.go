package fixedpoint

import (
	"fmt"
	"math/big"
)

// The oracle of this package: every op by its definition, output element by output
// element, on big.Int, which neither overflows nor shifts. It shares no code with apply.

type ints []*big.Int

func toBig(v []int64) ints {
	b := make(ints, len(v))
	for i, x := range v {
		b[i] = big.NewInt(x)
	}
	return b
}

// pixel returns element (c, i, j) of an image, or nil outside it.
func (v ints) pixel(channels, height, width, c, i, j int) *big.Int {
	if i < 0 || j < 0 || i >= height || j >= width || c >= channels {
		return nil
	}
	return v[(c*height+i)*width+j]
}

func sum(terms ...*big.Int) *big.Int {
	s := new(big.Int)
	for _, t := range terms {
		s.Add(s, t)
	}
	return s
}

func product(a int64, b *big.Int) *big.Int { return new(big.Int).Mul(big.NewInt(a), b) }

// reference applies an op to one sample.
func reference(o Op, x ints) ints {
	var y ints
	switch o := o.(type) {
	case Dense:
		for r := range o.Out {
			acc := big.NewInt(o.B[r])
			for c := o.In - 1; c >= 0; c-- {
				acc = sum(acc, product(o.W[r*o.In+c], x[c]))
			}
			y = append(y, acc)
		}
	case Conv2d:
		rows, cols := extent(o.Height, 0, o), extent(o.Width, 1, o)
		perGroup := o.Channels / o.Groups
		for out := range o.Out {
			first := out * o.Groups / o.Out * perGroup
			for i := range rows {
				for j := range cols {
					acc := big.NewInt(o.B[out])
					for c := range perGroup {
						for k := range o.Kernel[0] {
							for l := range o.Kernel[1] {
								p := x.pixel(o.Channels, o.Height, o.Width, first+c, i*o.Stride[0]-o.Padding[0]+k*o.Dilation[0], j*o.Stride[1]-o.Padding[1]+l*o.Dilation[1])
								if p != nil {
									acc = sum(acc, product(o.W[((out*perGroup+c)*o.Kernel[0]+k)*o.Kernel[1]+l], p))
								}
							}
						}
					}
					y = append(y, acc)
				}
			}
		}
	case Rescale:
		for _, v := range x {
			// ⌊(2·v·M + 2^s)/2^(s+1)⌋ by Euclidean division, which rounds down for a
			// positive divisor; s = 0 has no rounding term and needs none.
			two := new(big.Int).Lsh(big.NewInt(1), uint(o.Shift))
			q := new(big.Int).Div(sum(product(2*o.Multiplier, v), two), new(big.Int).Lsh(two, 1))
			if o.Shift == 0 {
				q = product(o.Multiplier, v)
			}
			if q.Cmp(big.NewInt(o.Out.Lo)) < 0 {
				q = big.NewInt(o.Out.Lo)
			}
			if q.Cmp(big.NewInt(o.Out.Hi)) > 0 {
				q = big.NewInt(o.Out.Hi)
			}
			y = append(y, q)
		}
	case Table:
		for _, v := range x {
			y = append(y, big.NewInt(o.Values[sum(v, big.NewInt(-o.Lo)).Int64()]))
		}
	case Square:
		for _, v := range x {
			y = append(y, new(big.Int).Exp(v, big.NewInt(2), nil))
		}
	case SumPool2d:
		each(o, x, func(seen ints) { y = append(y, sum(seen...)) })
	case MaxPool2d:
		each(SumPool2d(o), x, func(seen ints) {
			best := seen[len(seen)-1]
			for _, v := range seen {
				if v.Cmp(best) >= 0 {
					best = v
				}
			}
			y = append(y, best)
		})
	case Argmax:
		best := len(x) - 1
		for i := len(x) - 1; i >= 0; i-- {
			if x[i].Cmp(x[best]) >= 0 {
				best = i
			}
		}
		y = ints{big.NewInt(int64(best))}
	default:
		panic(fmt.Sprintf("no reference for %T", o))
	}
	return y
}

func extent(size, d int, o Conv2d) int {
	n := 0
	for at := -o.Padding[d]; at+o.Dilation[d]*(o.Kernel[d]-1) < size+o.Padding[d]; at += o.Stride[d] {
		n++
	}
	return n
}

// each calls f with the pixels that each window of a pool sees.
func each(o SumPool2d, x ints, f func(seen ints)) {
	for c := range o.Channels {
		for i := -o.Padding[0]; i+o.Kernel[0] <= o.Height+o.Padding[0]; i += o.Stride[0] {
			for j := -o.Padding[1]; j+o.Kernel[1] <= o.Width+o.Padding[1]; j += o.Stride[1] {
				var seen ints
				for k := range o.Kernel[0] * o.Kernel[1] {
					if p := x.pixel(o.Channels, o.Height, o.Width, c, i+k/o.Kernel[1], j+k%o.Kernel[1]); p != nil {
						seen = append(seen, p)
					}
				}
				f(seen)
			}
		}
	}
}
