package commit

import (
	"math"
	"math/bits"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// strip is how many columns a worker sums at a time: their accumulators stay in its first-level cache.
const strip = 512

// A lazySum is a sum of products of a field element in Montgomery form and an integer below 2^32, not yet reduced:
// 2^32 products of 2^32 times 2^254 stay below 2^320.
type lazySum [5]uint64

// add adds x*e.
func (s *lazySum) add(x uint64, e *fr.Element) {
	h0, l0 := bits.Mul64(x, e[0])
	h1, l1 := bits.Mul64(x, e[1])
	h2, l2 := bits.Mul64(x, e[2])
	h3, l3 := bits.Mul64(x, e[3])
	var c uint64
	l1, c = bits.Add64(l1, h0, 0)
	l2, c = bits.Add64(l2, h1, c)
	l3, c = bits.Add64(l3, h2, c)
	h3 += c
	s[0], c = bits.Add64(s[0], l0, 0)
	s[1], c = bits.Add64(s[1], l1, c)
	s[2], c = bits.Add64(s[2], l2, c)
	s[3], c = bits.Add64(s[3], l3, c)
	s[4] += h3 + c
}

// shift192 is 2^192 as an element.
var shift192 = func() fr.Element {
	x := fr.NewElement(1 << 32)
	x.Square(&x) // 2^64
	y := x
	return *y.Square(&y).Mul(&y, &x)
}()

// reduce returns the sum as an element. The limbs are a Montgomery form, which is linear, so their two halves may be
// reduced apart: each is below the modulus.
func (s *lazySum) reduce() fr.Element {
	low, high := fr.Element{s[0], s[1], s[2]}, fr.Element{s[3], s[4]}
	high.Mul(&high, &shift192)
	return *low.Add(&low, &high)
}

// combine returns the sums over rows i of scale[i] times cells (i, from) … (i, to-1) of a matrix of the given columns.
// Weights are shifted by offset to be non-negative, and the shift is taken back at the end.
func combine[T int8 | int32](out []fr.Element, weights []T, columns, from int, scale []fr.Element, offset int64, shift *fr.Element) {
	var sums [strip]lazySum
	for i := range scale {
		row := weights[i*columns+from:][:len(out)]
		for j, w := range row {
			sums[j].add(uint64(int64(w)+offset), &scale[i])
		}
	}
	for j := range out {
		out[j] = sums[j].reduce()
		out[j].Sub(&out[j], shift)
	}
}

// combineRows returns the matrix's columns, without blinds, summed over rows with the given scale: u_j = sum_i
// scale_i W_ij.
func (m *Matrix) combineRows(scale []fr.Element) []fr.Element {
	out := make([]fr.Element, m.layout.blindsAt(), m.layout.Columns())
	type job struct{ block, from, to, at int }
	var jobs []job
	at := 0
	for l, b := range m.layout.Blocks {
		for from := 0; from < b.Columns; from += strip {
			jobs = append(jobs, job{l, from, min(from+strip, b.Columns), at + from})
		}
		at += b.Columns + 1
		for i, x := range m.blocks[l].bias {
			var t fr.Element
			out[at-1].Add(&out[at-1], t.Mul(t.SetInt64(x), &scale[i]))
		}
	}
	var sums = make([]fr.Element, len(scale)+1) // sums[i] = scale[0] + … + scale[i-1]
	for i := range scale {
		sums[i+1].Add(&sums[i], &scale[i])
	}
	all(len(jobs), func(k int) {
		j := jobs[k]
		b, c := m.layout.Blocks[j.block], m.blocks[j.block]
		offset := -int64(math.MinInt8)
		if c.narrow == nil {
			offset = -int64(math.MinInt32)
		}
		var shift fr.Element
		shift.Mul(shift.SetInt64(offset), &sums[b.Rows])
		if dst := out[j.at:][:j.to-j.from]; c.narrow != nil {
			combine(dst, c.narrow, b.Columns, j.from, scale[:b.Rows], offset, &shift)
		} else {
			combine(dst, c.wide, b.Columns, j.from, scale[:b.Rows], offset, &shift)
		}
	})
	return out
}
