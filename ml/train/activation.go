package train

import (
	"math"

	"gorgonia.org/gorgonia"
)

// activation is a function of single numbers and its derivative.
type activation struct {
	f  func(dst, x []float32)
	df func(dst, x, grad []float32) // dst = grad·f'(x)
}

// activations are the layers without parameters that work element by element. Sigmoid
// and ReLU are gorgonia's.
var activations = map[string]activation{
	"square": {
		f: func(dst, x []float32) {
			for i, v := range x {
				dst[i] = v * v
			}
		},
		df: func(dst, x, grad []float32) {
			for i, v := range x {
				dst[i] = 2 * v * grad[i]
			}
		},
	},
	"tanh": smooth(math.Tanh, func(x float64) float64 {
		y := math.Tanh(x)
		return 1 - y*y
	}),
	"silu": smooth(func(x float64) float64 { return x * logistic(x) }, func(x float64) float64 {
		s := logistic(x)
		return s * (1 + x*(1-s))
	}),
	"gelu": smooth(func(x float64) float64 { return x * normal(x) }, func(x float64) float64 {
		return normal(x) + x*math.Exp(-x*x/2)/math.Sqrt(2*math.Pi)
	}),
}

// smooth returns the activation of a function and its derivative, both in float64.
func smooth(f, df func(float64) float64) activation {
	return activation{
		f: func(dst, x []float32) {
			for i, v := range x {
				dst[i] = float32(f(float64(v)))
			}
		},
		df: func(dst, x, grad []float32) {
			for i, v := range x {
				dst[i] = float32(df(float64(v))) * grad[i]
			}
		},
	}
}

// logistic is 1/(1+e^-x); it may underflow for large negative x, which float32 does too.
func logistic(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

// normal is the distribution function of the standard normal.
func normal(x float64) float64 { return math.Erfc(-x/math.Sqrt2) / 2 }

// activate appends the activation of a kind to a matrix.
func activate(kind string, x *gorgonia.Node) (*gorgonia.Node, error) {
	a := activations[kind]
	rows, cols := x.Shape()[0], x.Shape()[1]
	return applyOp(op{
		name: kind, rows: rows, cols: cols,
		do: func(dst []float32, in ...[]float32) {
			chunks(rows, func(_, lo, hi int) { a.f(dst[lo*cols:hi*cols], in[0][lo*cols:hi*cols]) })
		},
		diff: func(in gorgonia.Nodes, grad *gorgonia.Node) (gorgonia.Nodes, error) {
			dx, err := applyOp(op{
				name: kind + " gradient", rows: rows, cols: cols,
				do: func(dst []float32, in ...[]float32) {
					chunks(rows, func(_, lo, hi int) {
						a.df(dst[lo*cols:hi*cols], in[0][lo*cols:hi*cols], in[1][lo*cols:hi*cols])
					})
				},
			}, in[0], grad)
			return gorgonia.Nodes{dx}, err
		},
	}, x)
}
