package stock_test

import (
	"fmt"
	"math"
	"math/big"
	"math/cmplx"
	"math/rand/v2"
	"testing"

	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/fhetest"
	"github.com/signet-ml/signet/fhe/fhetest/stock"
	"github.com/signet-ml/signet/fhe/program"
)

// tame builds a program of every opcode on values that stay small, and returns its inputs.
func tame(tb testing.TB, params fhe.Parameters, logSlots int) (*program.Program, *program.Constants, map[string][][]complex128) {
	tb.Helper()
	rng := fhetest.NewRand(uint64(logSlots))
	n, top, scale := 1<<logSlots, params.MaxLevel(), params.DefaultScale()
	enc := fhe.NewEncoder(params)
	random := func() []complex128 { return slots(rng, n) }
	encode := func(rows [][]complex128, s fhe.Scale) *program.Constant {
		out := make([][]int64, len(rows))
		for i, row := range rows {
			var err error
			if out[i], err = enc.Encode(row, logSlots, s); err != nil {
				tb.Fatal(err)
			}
		}
		c, err := program.NewPolynomials(out, logSlots, s)
		if err != nil {
			tb.Fatal(err)
		}
		return c
	}
	b := program.NewBuilder(params)
	layout := program.Layout{Shape: []int{2, n}, Runs: []program.Run{
		{SlotStep: 1, IndexStep: 1, Length: n}, {Ciphertext: 1, SlotStep: 1, Index: n, IndexStep: 1, Length: n}}}
	in := b.Input(program.Port{Name: "x", Count: 2, Level: top, Degree: 1, LogSlots: logSlots, Scale: scale, Bound: 2, Layout: layout})
	x, y := in[0], in[1]
	at := encode([][]complex128{random(), random()}, scale)
	by := encode([][]complex128{random(), random(), random(), random(), random()}, fhe.PowerOfTwo(30))
	one := new(big.Int).Lsh(big.NewInt(1), 30)

	vals := []program.Value{
		b.Add(x, y), b.Sub(x, y), b.Neg(x), b.Drop(x, 1),
		b.Add(x, b.Zero(top, 2, logSlots, scale)), b.Add(b.Zero(top, 0, logSlots, scale), x),
		b.SetScale(x, scale.Mul(fhe.PowerOfTwo(1))),
		b.AddPt(x, at, 0), b.SubPt(x, at, 1), b.MulPt(x, by, 0), b.Rescale(b.MulPt(x, by, 1)),
		b.AddConst(x, one, new(big.Int).Neg(one)),
		b.MulConst(x, big.NewInt(3<<28), big.NewInt(-1<<29), fhe.PowerOfTwo(30)),
		b.MacConst(x, one, y, big.NewInt(-1<<28), big.NewInt(5<<27), fhe.PowerOfTwo(30)),
		b.Mul(x, y), b.Mul(x, x), b.Relin(b.Mul(x, y)), b.MulRelin(x, y), b.Rescale(b.MulRelin(y, y)), b.Rescale(b.Mul(x, y)),
		b.Add(b.Mul(x, y), b.Mul(y, y)), b.Sub(b.Mul(x, y), b.MulRelin(y, y)),
		b.Rot(x, params.GaloisElement(1)), b.Conj(x), b.Rot(x, params.GaloisElement(1)*params.GaloisElementForConjugation()&uint64(2*params.N()-1)),
	}
	w, err := program.NewWeights([][]int64{{1 << 30, -3 << 29}}, fhe.PowerOfTwo(31))
	if err != nil {
		tb.Fatal(err)
	}
	vals = append(vals, b.Lincomb([]program.Range{{First: x, Count: 2}}, w, 0))
	powers := func(count int) []uint64 {
		var out []uint64
		for k := range count {
			out = append(out, params.GaloisElement(k))
		}
		return out
	}
	for _, a := range []int{top, top - 1} {
		h := b.Hoist(x, a)
		for _, level := range []int{a, 1} {
			vals = append(vals, b.RotHoisted(h, params.GaloisElement(2), level),
				b.Lintrans(h, by, []int{0, 1, 2, 3, 4}, []int{0, 1, 2, 5, 7}, 2, level),
				b.Lintrans(h, by, []int{4, 3}, []int{3, 6}, 4, level),
				b.Rotsum(h, powers(8), level), b.Rotsum(h, powers(3), level),
				b.Rotsum(h, append(powers(4), params.GaloisElementForConjugation()), level))
		}
	}
	for i, v := range vals {
		p := b.OutputPort(fmt.Sprint(i), v, 100, layout)
		p.Layout = program.Layout{Shape: []int{n}, Runs: layout.Runs[:1]}
		b.Output(p, v)
	}
	p, c, err := b.Build()
	if err != nil {
		tb.Fatal(err)
	}
	return p, c, map[string][][]complex128{"x": {random(), random()}}
}

func slots(rng *rand.Rand, n int) []complex128 {
	out := make([]complex128, n)
	for i := range out {
		out[i] = complex(2*rng.Float64()-1, 2*rng.Float64()-1)
	}
	return out
}

// clear computes a program on slot values: what its ciphertexts must decrypt to.
func clearRun(tb testing.TB, p *program.Program, c *program.Constants, in map[string][][]complex128) [][]complex128 {
	tb.Helper()
	params, infos := p.Parameters(), p.Constants()
	enc := fhe.NewEncoder(params)
	ops := p.Ops()
	vals := make([][]complex128, len(ops))
	row := func(constant, r int) []complex128 {
		coeffs := c.Get(infos[constant].Digest).Row(r)
		f := make([]float64, len(coeffs))
		for i := range f {
			f[i] = float64(coeffs[i]) / infos[constant].Scale.Float64()
		}
		out, err := enc.Decode(f)
		if err != nil {
			tb.Fatal(err)
		}
		return out
	}
	rotate := func(x []complex128, g uint64) []complex128 {
		k, conj, _ := params.Rotation(g)
		out := make([]complex128, len(x))
		for i := range out {
			out[i] = x[(i+k)%len(x)]
			if conj {
				out[i] = cmplx.Conj(out[i])
			}
		}
		return out
	}
	for i := range ops {
		o := &ops[i]
		n := 1 << o.LogSlots
		out := make([]complex128, n)
		var x, y []complex128
		if len(o.Args) > 0 {
			x = vals[o.Args[0]]
		}
		if len(o.Args) > 1 {
			y = vals[o.Args[1]]
		}
		constant := func(s fhe.Scale) complex128 {
			a, _ := new(big.Float).SetInt(o.A).Float64()
			b, _ := new(big.Float).SetInt(o.B).Float64()
			return complex(a, b) / complex(s.Float64(), 0)
		}
		each := func(f func(j int) complex128) {
			for j := range out {
				out[j] = f(j)
			}
		}
		switch o.Code {
		case program.Input:
			out = in[p.Inputs()[o.Port].Name][o.Index]
		case program.Zero:
		case program.Output, program.Hoist, program.Drop, program.Relin, program.Rescale:
			out = x
		case program.SetScale:
			f := complex(math.Exp2(ops[o.Args[0]].Scale.Log2()-o.Scale.Log2()), 0)
			each(func(j int) complex128 { return x[j] * f })
		case program.Add:
			each(func(j int) complex128 { return x[j] + y[j] })
		case program.Sub:
			each(func(j int) complex128 { return x[j] - y[j] })
		case program.Neg:
			each(func(j int) complex128 { return -x[j] })
		case program.AddPt, program.SubPt, program.MulPt:
			r := row(o.Const, o.Rows[0])
			each(func(j int) complex128 {
				return map[program.Opcode]complex128{program.AddPt: x[j] + r[j], program.SubPt: x[j] - r[j], program.MulPt: x[j] * r[j]}[o.Code]
			})
		case program.AddConst:
			each(func(j int) complex128 { return x[j] + constant(o.Scale) })
		case program.MulConst:
			each(func(j int) complex128 { return x[j] * constant(o.By) })
		case program.MacConst:
			each(func(j int) complex128 { return x[j] + y[j]*constant(o.By) })
		case program.Lincomb:
			k := 0
			for v := range o.Operands() {
				w := complex(float64(c.Get(infos[o.Const].Digest).Row(o.Rows[0])[k])/infos[o.Const].Scale.Float64(), 0)
				for j := range out {
					out[j] += w * vals[v][j]
				}
				k++
			}
		case program.Mul, program.MulRelin:
			each(func(j int) complex128 { return x[j] * y[j] })
		case program.Rot, program.Conj, program.RotHoisted, program.Rotsum:
			for _, g := range o.Galois {
				for j, v := range rotate(x, g) {
					out[j] += v
				}
			}
		case program.Lintrans:
			// Row k holds diagonal k rotated by -giant: slot j of the diagonal is slot j+giant of the row.
			for d, k := range o.Diagonals {
				_, giant := program.BabyGiant(k, o.N1)
				r, v := rotate(row(o.Const, o.Rows[d]), params.GaloisElement(giant)), rotate(x, params.GaloisElement(k))
				for j := range out {
					out[j] += r[j] * v[j]
				}
			}
		default:
			tb.Fatalf("no cleartext meaning for %v", o.Code)
		}
		vals[i] = out
	}
	return vals
}

// TestMeaning decrypts the result of every operation, in both modes, and compares it with slot arithmetic. Scales are
// 2^40 and 2^45 and the largest error that of a rotation: some 2^-28 at these sizes [measured].
func TestMeaning(t *testing.T) {
	for _, name := range []string{"digits of one", "digits of two", "digits of three"} {
		params := fhetest.InsecureToyParamsNamed(t, name)
		for _, logSlots := range []int{params.LogMaxSlots(), 3} {
			t.Run(fmt.Sprintf("toy=%s/logslots=%d", name, logSlots), func(t *testing.T) {
				p, c, in := tame(t, params, logSlots)
				keys := fhetest.InsecureToyKeys(t, params, fhetest.Requirements(p))
				bundle := keys.Bundle(t, p, in)
				want := clearRun(t, p, c, in)
				for _, opts := range [][]stock.Option{nil, {stock.BestStock()}} {
					ev, err := stock.New(p, c, keys.EvaluationKeys, opts...)
					if err != nil {
						t.Fatal(err)
					}
					seen := make(map[program.Opcode]bool)
					out, err := ev.RunEach(bundle, func(i int, ct *fhe.Ciphertext) error {
						o := &p.Ops()[i]
						seen[o.Code] = true
						if ct == nil {
							return nil
						}
						if bits := fhetest.Precision(keys.Decrypt(t, ct), want[i]); bits < 20 {
							t.Errorf("best=%t: operation %d, %v at level %d: %.1f bits", opts != nil, i, o.Code, o.Level, bits)
						}
						return nil
					})
					if err != nil {
						t.Fatal(err)
					}
					for code := program.Input; code < program.KeySwitch; code++ {
						if !seen[code] {
							t.Errorf("the program lacks %v", code)
						}
					}
					again, err := ev.Run(bundle)
					if err != nil {
						t.Fatal(err)
					}
					fhetest.AssertBundle(t, again, out)
				}
			})
		}
	}
}
