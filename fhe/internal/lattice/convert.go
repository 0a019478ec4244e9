package lattice

import (
	"math/big"
	"math/bits"
)

// Conversion turns an integer given by its residues modulo d source primes, centred, into residues modulo other
// primes: x ↦ x - D·[x ≥ D/2]. Its bits are Lattigo's: the overflow count is the truncated sum of rounded quotients in
// double precision, source primes ascending, and may differ from the true floor beside a tie.
//
// It is the digit decomposition of two or more limbs (ModUp), and the conversion P → Q of the division by P.
type Conversion struct {
	src  []*SubRing
	half *big.Int // ⌊D/2⌋
	d    *big.Int
	hSrc []uint64 // half mod each source prime
	inv  []uint64 // (D/s_j)^-1 mod s_j, Montgomery form
	qf   []float64
}

// ConversionTarget holds the tables of one target prime.
type ConversionTarget struct {
	s    *SubRing
	c    []uint64 // (D/s_j) mod t, Montgomery form
	vD   []uint64 // t - v·D mod t for v = 0 … d
	half uint64   // half mod t
}

// NewConversion builds the source side.
func NewConversion(src []*SubRing) *Conversion {
	c := &Conversion{src: src, d: big.NewInt(1)}
	for _, s := range src {
		c.d.Mul(c.d, new(big.Int).SetUint64(s.Modulus))
	}
	c.half = new(big.Int).Rsh(c.d, 1)
	for _, s := range src {
		q := new(big.Int).SetUint64(s.Modulus)
		m := new(big.Int).Div(c.d, q)
		c.hSrc = append(c.hSrc, ResidueBig(c.half, s.Modulus))
		c.inv = append(c.inv, MForm(s, new(big.Int).ModInverse(m, q).Uint64()))
		c.qf = append(c.qf, float64(s.Modulus))
	}
	return c
}

// Target builds the tables of one target prime.
func (c *Conversion) Target(s *SubRing) *ConversionTarget {
	t := &ConversionTarget{s: s, half: ResidueBig(c.half, s.Modulus)}
	for _, src := range c.src {
		m := new(big.Int).Div(c.d, new(big.Int).SetUint64(src.Modulus))
		t.c = append(t.c, MForm(s, ResidueBig(m, s.Modulus)))
	}
	v := new(big.Int)
	for range len(c.src) + 1 {
		t.vD = append(t.vD, ResidueBig(new(big.Int).Neg(v), s.Modulus))
		v.Add(v, c.d)
	}
	return t
}

// Source writes y_j = (x_j + half)·(D/s_j)^-1 mod s_j in place of x_j and the overflow count of every coefficient into
// v, for the coefficients [lo, hi). Rows are in the coefficient domain.
func (c *Conversion) Source(x [][]uint64, v []uint8, lo, hi int) {
	if len(c.src) == 1 {
		s, h := c.src[0], c.hSrc[0]
		q, qf := s.Modulus, c.qf[0]
		row := x[0][lo:hi]
		v = v[lo:hi][:len(row)]
		for i, a := range row {
			a += h
			if a >= q {
				a -= q
			}
			row[i] = a
			v[i] = uint8(uint64(float64(a) / qf))
		}
		return
	}
	for i := lo; i < hi; i++ {
		f := 0.0
		for j, s := range c.src {
			y := mred(x[j][i]+c.hSrc[j], c.inv[j], s.Modulus, s.MRedConstant)
			x[j][i] = y
			f += float64(y) / c.qf[j]
		}
		v[i] = uint8(uint64(f))
	}
}

// Write writes the residues modulo the target prime, canonical, in the coefficient domain, from what Source left.
func (t *ConversionTarget) Write(y [][]uint64, v []uint8, out []uint64) {
	q, qinv, u := t.s.Modulus, t.s.MRedConstant, t.s.BRedConstant[0]
	neg := q - t.half // adding it subtracts half
	v = v[:len(out)]
	switch len(t.c) {
	case 1:
		row := y[0][:len(out)]
		for i, a := range row {
			r := reduce(a, q, u) + t.vD[v[i]]
			if r >= q {
				r -= q
			}
			r += neg
			if r >= q {
				r -= q
			}
			out[i] = r
		}
	case 2:
		y0, y1, c0, c1 := y[0][:len(out)], y[1][:len(out)], t.c[0], t.c[1]
		for i := range out {
			hi, lo := bits.Mul64(y0[i], c0)
			h, l := bits.Mul64(y1[i], c1)
			var carry uint64
			lo, carry = bits.Add64(lo, l, 0)
			hi, _ = bits.Add64(hi, h, carry)
			out[i] = t.finish(hi, lo, v[i], neg, q, qinv, u)
		}
	default:
		for i := range out {
			var hi, lo, carry uint64
			for j, c := range t.c {
				h, l := bits.Mul64(y[j][i], c)
				lo, carry = bits.Add64(lo, l, 0)
				hi, _ = bits.Add64(hi, h, carry)
			}
			out[i] = t.finish(hi, lo, v[i], neg, q, qinv, u)
		}
	}
}

// finish reduces a sum of up to 32 products of a word below 2^62 and a residue: hi < 32·2^62·q/2^64 = 8q.
func (t *ConversionTarget) finish(hi, lo uint64, v uint8, neg, q, qinv, u uint64) uint64 {
	h, _ := bits.Mul64(lo*qinv, q)
	r := reduce(hi-h+q, q, u) + t.vD[v]
	if r >= q {
		r -= q
	}
	r += neg
	if r >= q {
		r -= q
	}
	return r
}

// Center writes a digit of one limb modulo another prime: x ≥ ⌊q/2⌋ counts as negative. In the coefficient domain.
func Center(x []uint64, q uint64, s *SubRing, out []uint64) {
	t, u := s.Modulus, s.BRedConstant[0]
	half := q >> 1
	out = out[:len(x)]
	for i, a := range x {
		if a >= half {
			r := reduce(q-a, t, u)
			if r != 0 {
				r = t - r
			}
			out[i] = r
		} else {
			out[i] = reduce(a, t, u)
		}
	}
}
