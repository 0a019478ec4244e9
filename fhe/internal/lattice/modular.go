package lattice

import (
	"math/bits"
)

// The loops below hold for every q < 2^62. REDC(hi, lo) = (hi·2^64 + lo)/2^64 mod q needs hi < q for one subtraction.

// redc returns (hi·2^64 + lo)·2^-64 mod q for hi < q.
func redc(hi, lo, q, qinv uint64) uint64 {
	h, _ := bits.Mul64(lo*qinv, q)
	r := hi - h + q
	if r >= q {
		r -= q
	}
	return r
}

// mred returns x·y·2^-64 mod q for x·y < q·2^64.
func mred(x, y, q, qinv uint64) uint64 {
	hi, lo := bits.Mul64(x, y)
	return redc(hi, lo, q, qinv)
}

// reduce returns x mod q, with u = ⌊2^64/q⌋.
func reduce(x, q, u uint64) uint64 {
	h, _ := bits.Mul64(x, u)
	r := x - h*q
	if r >= q {
		r -= q
	}
	return r
}

// terms returns how many products of two residues a 128-bit sum may hold so that its high word stays below q.
func terms(q uint64) int { return int(min(^uint64(0)/q, 1<<20)) }

// capacity returns how many it may hold without overflow: 16 at least, since q < 2^62.
func capacity(q uint64) int {
	h, _ := bits.Mul64(q, q)
	return int(min(^uint64(0)/(h+1), 1<<20))
}

// Neg writes -x mod q; 0 stays 0.
func Neg(s *SubRing, x, out []uint64) {
	q := s.Modulus
	for i, v := range x {
		r := q - v
		if v == 0 {
			r = 0
		}
		out[i] = r
	}
}

// MulScalar writes x·c mod q, with a Montgomery constant for each half of the row: those of ConstResidues.
func MulScalar(s *SubRing, x []uint64, first, second uint64, out []uint64) {
	h := len(x) / 2
	if first == second {
		s.MulScalarMontgomery(x, first, out)
		return
	}
	s.MulScalarMontgomery(x[:h], first, out[:h])
	s.MulScalarMontgomery(x[h:], second, out[h:])
}

// AddScalar writes x + c mod q, with a constant for each half of the row.
func AddScalar(s *SubRing, x []uint64, first, second uint64, out []uint64) {
	h := len(x) / 2
	s.AddScalar(x[:h], first, out[:h])
	s.AddScalar(x[h:], second, out[h:])
}

// Tensor writes row parts of (x0, x1)·(y0, y1): x0·y0, x0·y1 + x1·y0 and x1·y1.
func Tensor(s *SubRing, x0, x1, y0, y1, z0, z1, z2 []uint64) {
	q, qinv := s.Modulus, s.MRedConstant
	x1, y0, y1 = x1[:len(x0)], y0[:len(x0)], y1[:len(x0)]
	z0, z1, z2 = z0[:len(x0)], z1[:len(x0)], z2[:len(x0)]
	r2 := MForm(s, MForm(s, 1)) // 2^128 mod q: takes x into Montgomery form by one product
	for i := range x0 {
		a0, a1 := mred(x0[i], r2, q, qinv), mred(x1[i], r2, q, qinv)
		b0, b1 := y0[i], y1[i]
		z0[i] = mred(a0, b0, q, qinv)
		z2[i] = mred(a1, b1, q, qinv)
		h, l := bits.Mul64(a0, b1)
		h2, l2 := bits.Mul64(a1, b0)
		var c uint64
		l, c = bits.Add64(l, l2, 0)
		h, _ = bits.Add64(h, h2, c)
		if h >= q { // two products: the sum's high word may exceed q once
			h -= q
		}
		z1[i] = redc(h, l, q, qinv)
	}
}
