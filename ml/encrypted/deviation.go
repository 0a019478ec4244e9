package encrypted

import (
	"math"

	"github.com/signet-ml/signet/fhe/program"
)

// The noise model takes the factors of a product for independent, but all values inside a polynomial depend on one
// input: a comparison pushes its values, errors included, towards 0 and 1, where the model sees them grow. So errors
// inside polynomials are followed to first order: the error of every value is a linear function of that of the input
// and of what every operation adds, and the slope is known for samples of the input.

// deviation is how the error of one value depends on one source: the slope for every sample.
type deviation struct {
	sigma float64 // standard deviation of the source
	slope []float64
}

// deviations follows errors through the polynomial that is evaluated on t, and writes them to hints. It returns how many
// times larger than in all samples together the error of the last value is in the sample where it is largest: a sigmoid
// multiplies errors where it is steep, and hides them where it is flat.
func deviations(p *program.Program, t program.Value, vals map[program.Value][]float64, noise []program.Noise, hints *program.NoiseHints) (peak float64) {
	peak = 1
	n := len(vals[t])
	ones := make([]float64, n)
	for k := range ones {
		ones[k] = 1
	}
	errs := map[program.Value][]deviation{t: {{noise[t].Error, ones}}}
	ops := p.Ops()
	for v := t + 1; int(v) < len(ops); v++ {
		o := &ops[v]
		slopes := slopesOf(p, o, vals)
		if slopes == nil || vals[v] == nil {
			continue
		}
		// Sources are numbered alike for all values: those of an operand are the first of the result's.
		var sum []deviation
		inside := len(o.Args) > 0
		for i, x := range o.Args {
			e, ok := errs[x]
			if !ok {
				inside = inside && ops[x].Code == program.Zero
				continue
			}
			sum = addDeviations(sum, e, slopes[i], n)
		}
		if !inside || sum == nil {
			continue
		}
		own := make([]deviation, int(v-t)+1)
		copy(own, sum)
		own[v-t] = deviation{noise[v].Added, ones}
		errs[v] = own
		total, most := 0.0, 0.0
		for k := range n {
			sum := 0.0
			for _, d := range own {
				if d.slope != nil {
					sum += d.sigma * d.sigma * d.slope[k] * d.slope[k]
				}
			}
			total, most = total+sum, max(most, sum)
		}
		hints.Error[v] = math.Sqrt(total / float64(n))
		if total > 0 {
			peak = math.Sqrt(most * float64(n) / total)
		}
	}
	return peak
}

// addDeviations returns sum + f·e, element by element; f is nil for ones.
func addDeviations(sum, e []deviation, f func(k int) float64, n int) []deviation {
	for len(sum) < len(e) {
		sum = append(sum, deviation{})
	}
	for i, d := range e {
		if d.slope == nil {
			continue
		}
		slope := make([]float64, n)
		for k := range slope {
			slope[k] = d.slope[k] * f(k)
			if sum[i].slope != nil {
				slope[k] += sum[i].slope[k]
			}
		}
		sum[i] = deviation{d.sigma, slope}
	}
	return sum
}

// slopesOf returns, for every operand, how the result of an operation that works slot by slot changes with it; nil for
// other operations.
func slopesOf(p *program.Program, o *program.Op, vals map[program.Value][]float64) []func(k int) float64 {
	constant := func(f float64) func(int) float64 { return func(int) float64 { return f } }
	one := constant(1)
	switch o.Code {
	case program.Drop, program.Rescale, program.Relin, program.AddConst, program.Conj:
		return []func(int) float64{one}
	case program.Add:
		return []func(int) float64{one, one}
	case program.Sub:
		return []func(int) float64{one, constant(-1)}
	case program.Neg:
		return []func(int) float64{constant(-1)}
	case program.SetScale:
		return []func(int) float64{constant(math.Exp2(p.Ops()[o.Args[0]].Scale.Log2() - o.Scale.Log2()))}
	case program.MulConst:
		return []func(int) float64{constant(ratio(o.A, o.By.Float64()))}
	case program.MacConst:
		return []func(int) float64{one, constant(ratio(o.A, o.By.Float64()))}
	case program.Mul, program.MulRelin:
		x, y := vals[o.Args[0]], vals[o.Args[1]]
		if x == nil || y == nil {
			return nil
		}
		return []func(int) float64{func(k int) float64 { return y[k] }, func(k int) float64 { return x[k] }}
	}
	return nil
}
