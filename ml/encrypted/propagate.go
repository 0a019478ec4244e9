package encrypted

import (
	"math"
	"math/big"

	"github.com/signet-ml/signet/fhe/program"
)

// propagate computes, in float64, the values of all operations that work slot by slot from those in seeds, adds their
// magnitudes to the hints of the noise model, and returns them. Every seed has the same number of samples, which are
// real. Without this the model takes the terms of a Chebyshev sum for independent and expects values far larger than
// they are.
func propagate(p *program.Program, c *program.Constants, seeds map[program.Value][]float64, hints *program.NoiseHints) map[program.Value][]float64 {
	infos := p.Constants()
	vals := seeds
	for i, o := range p.Ops() {
		v := program.Value(i)
		if vals[v] == nil {
			if y := slotwise(p, &o, vals, infos, c); y != nil {
				vals[v] = y
			}
		}
		if vals[v] != nil {
			if _, ok := hints.Magnitude[v]; !ok {
				hints.Magnitude[v] = rms(vals[v])
			}
		}
	}
	return vals
}

// ratio returns x by scale.
func ratio(x *big.Int, scale float64) float64 {
	f, _ := new(big.Float).SetInt(x).Float64()
	return f / scale
}

func slotwise(p *program.Program, o *program.Op, vals map[program.Value][]float64, infos []program.ConstantInfo, c *program.Constants) []float64 {
	var n int
	for v := range o.Operands() {
		if vals[v] == nil {
			return nil
		}
		n = len(vals[v])
	}
	each := func(f func(k int) float64) []float64 {
		out := make([]float64, n)
		for k := range out {
			out[k] = f(k)
		}
		return out
	}
	arg := func(i, k int) float64 { return vals[o.Args[i]][k] }
	switch o.Code {
	case program.Drop, program.Rescale, program.Relin, program.Conj, program.Output: // samples are real
		return vals[o.Args[0]]
	case program.SetScale:
		f := math.Exp2(p.Ops()[o.Args[0]].Scale.Log2() - o.Scale.Log2())
		return each(func(k int) float64 { return arg(0, k) * f })
	case program.Neg:
		return each(func(k int) float64 { return -arg(0, k) })
	case program.Add:
		return each(func(k int) float64 { return arg(0, k) + arg(1, k) })
	case program.Sub:
		return each(func(k int) float64 { return arg(0, k) - arg(1, k) })
	case program.Mul, program.MulRelin:
		return each(func(k int) float64 { return arg(0, k) * arg(1, k) })
	case program.AddConst:
		a := ratio(o.A, o.Scale.Float64())
		return each(func(k int) float64 { return arg(0, k) + a })
	case program.MulConst:
		a := ratio(o.A, o.By.Float64())
		return each(func(k int) float64 { return arg(0, k) * a })
	case program.MacConst:
		a := ratio(o.A, o.By.Float64())
		return each(func(k int) float64 { return arg(0, k) + arg(1, k)*a })
	case program.Zero:
		for _, v := range vals {
			n = len(v)
			break
		}
		return make([]float64, n)
	case program.Lincomb:
		w := c.Coefficients(infos[o.Const].Digest)[o.Rows[0]]
		scale := infos[o.Const].Scale.Float64()
		out := make([]float64, n)
		i := 0
		for v := range o.Operands() {
			if f := float64(w[i]) / scale; f != 0 {
				for k, x := range vals[v] {
					out[k] += f * x
				}
			}
			i++
		}
		return out
	}
	return nil
}
