package lattice

import "math/bits"

// Block is the number of words that the fused kernels work on at a time, so that what they keep stays in the first
// level of cache. Automorphisms map aligned blocks onto aligned blocks.
const Block = 512

// KeyDot writes Σ_d digits[d]·key[d] for one row, canonical, for len(out) coefficients from off. The key is in
// Montgomery form; both have as many entries as the product has digits.
func KeyDot(s *SubRing, digits, key [][]uint64, off int, out []uint64) {
	q, qinv := s.Modulus, s.MRedConstant
	n := len(out)
	switch len(digits) {
	case 1:
		a, k := digits[0][off:][:n], key[0][off:][:n]
		for i := range out {
			hi, lo := bits.Mul64(a[i], k[i])
			out[i] = redc(hi, lo, q, qinv)
		}
	case 2:
		a0, k0 := digits[0][off:][:n], key[0][off:][:n]
		a1, k1 := digits[1][off:][:n], key[1][off:][:n]
		for i := range out {
			hi, lo := bits.Mul64(a0[i], k0[i])
			h, l := bits.Mul64(a1[i], k1[i])
			var c uint64
			lo, c = bits.Add64(lo, l, 0)
			hi, _ = bits.Add64(hi, h, c)
			out[i] = redc(hi, lo, q, qinv) // q < 2^62: two products keep the high word below q
		}
	case 3:
		a0, k0 := digits[0][off:][:n], key[0][off:][:n]
		a1, k1 := digits[1][off:][:n], key[1][off:][:n]
		a2, k2 := digits[2][off:][:n], key[2][off:][:n]
		for i := range out {
			hi, lo := bits.Mul64(a0[i], k0[i])
			h, l := bits.Mul64(a1[i], k1[i])
			var c uint64
			lo, c = bits.Add64(lo, l, 0)
			hi, _ = bits.Add64(hi, h, c)
			h, l = bits.Mul64(a2[i], k2[i])
			lo, c = bits.Add64(lo, l, 0)
			hi, _ = bits.Add64(hi, h, c)
			out[i] = redc(hi, lo, q, qinv) // q < 2^62: three products keep the high word below q
		}
	default:
		// Two digits at a time over a block of sums that stays in cache: a loop over digits for each coefficient is four
		// times slower.
		var acc Acc
		for lo := 0; lo < n; lo += Block {
			hi := min(lo+Block, n)
			acc.Reset(hi - lo)
			for d := 0; d+1 < len(digits); d += 2 {
				acc.Mul2(s, key[d][off+lo:off+hi], digits[d][off+lo:off+hi], key[d+1][off+lo:off+hi], digits[d+1][off+lo:off+hi])
			}
			if d := len(digits) - 1; d%2 == 0 {
				acc.Mul(s, key[d][off+lo:off+hi], digits[d][off+lo:off+hi])
			}
			acc.Reduce(s, out[lo:hi])
		}
	}
}

// AddMul writes out + x·c mod q, with c in Montgomery form.
func AddMul(s *SubRing, x []uint64, c uint64, out []uint64) {
	q, qinv := s.Modulus, s.MRedConstant
	x = x[:len(out)]
	for i, a := range x {
		r := out[i] + mred(a, c, q, qinv)
		if r >= q {
			r -= q
		}
		out[i] = r
	}
}

// Acc is a block of 128-bit accumulators of products modulo one prime.
type Acc struct {
	hi, lo [Block]uint64
	count  int
}

// Reset empties the first n accumulators.
func (a *Acc) Reset(n int) {
	clear(a.hi[:n])
	clear(a.lo[:n])
	a.count = 0
}

// fold makes room for further products.
func (a *Acc) fold(s *SubRing, n int) {
	q, u := s.Modulus, s.BRedConstant[0]
	for i := range a.hi[:n] {
		a.hi[i] = reduce(a.hi[i], q, u)
	}
	a.count = terms(q) + 1 // a folded sum is below q·2^64, which may exceed terms(q) products by a part of one
}

// MulGather adds pt[i]·x[index[i] - base]: one diagonal times one rotated block. pt is in Montgomery form.
func (a *Acc) MulGather(s *SubRing, pt []uint64, x []uint64, index Automorphism, base int) {
	n := len(pt)
	if a.count >= capacity(s.Modulus) {
		a.fold(s, n)
	}
	a.count++
	hi, lo, ix := a.hi[:n], a.lo[:n], index[:n]
	for i := range pt {
		h, l := bits.Mul64(pt[i], x[int(ix[i])-base])
		var c uint64
		lo[i], c = bits.Add64(lo[i], l, 0)
		hi[i], _ = bits.Add64(hi[i], h, c)
	}
}

// Mul adds pt[i]·x[i]. pt is in Montgomery form.
func (a *Acc) Mul(s *SubRing, pt []uint64, x []uint64) {
	n := len(pt)
	if a.count >= capacity(s.Modulus) {
		a.fold(s, n)
	}
	a.count++
	hi, lo := a.hi[:n], a.lo[:n]
	x = x[:n]
	for i := range pt {
		h, l := bits.Mul64(pt[i], x[i])
		var c uint64
		lo[i], c = bits.Add64(lo[i], l, 0)
		hi[i], _ = bits.Add64(hi[i], h, c)
	}
}

// Mul2 adds pt0[i]·x0[i] + pt1[i]·x1[i], and reads and writes the sums once for both: a quarter less time than twice
// Mul. Four products at a time would need more registers than there are. pt0 and pt1 are in Montgomery form.
func (a *Acc) Mul2(s *SubRing, pt0, x0, pt1, x1 []uint64) {
	n := len(pt0)
	if a.count+2 > capacity(s.Modulus) {
		a.fold(s, n)
	}
	a.count += 2
	hi, lo := a.hi[:n], a.lo[:n]
	x0, pt1, x1 = x0[:n], pt1[:n], x1[:n]
	for i := range pt0 {
		h, l := bits.Mul64(pt0[i], x0[i])
		g, m := bits.Mul64(pt1[i], x1[i])
		var c uint64
		l, c = bits.Add64(l, m, 0)
		h, _ = bits.Add64(h, g, c)
		lo[i], c = bits.Add64(lo[i], l, 0)
		hi[i], _ = bits.Add64(hi[i], h, c)
	}
}

// Reduce writes the accumulated sums, canonical.
func (a *Acc) Reduce(s *SubRing, out []uint64) {
	q, qinv := s.Modulus, s.MRedConstant
	n := len(out)
	hi, lo := a.hi[:n], a.lo[:n]
	if a.count > terms(q) {
		a.fold(s, n)
	}
	for i := range out {
		out[i] = redc(hi[i], lo[i], q, qinv)
	}
}

// Gather writes x[index[i] - base] to out.
func Gather(x []uint64, index Automorphism, base int, out []uint64) {
	ix := index[:len(out)]
	for i := range out {
		out[i] = x[int(ix[i])-base]
	}
}

// AddGather adds x[index[i] - base] mod q to out.
func AddGather(s *SubRing, x []uint64, index Automorphism, base int, out []uint64) {
	q := s.Modulus
	ix := index[:len(out)]
	for i := range out {
		r := out[i] + x[int(ix[i])-base]
		if r >= q {
			r -= q
		}
		out[i] = r
	}
}

// Combine writes Σ_k w[o·K + k]·x[k] mod q into out[o], for len(w)/K rows of K weights, for the coefficients
// [lo, hi). It is exact for every q < 2^62 and |w| < 2^31: weights are split where a 63-bit sum could overflow.
func Combine(s *SubRing, x [][]uint64, w []int64, rows int, lo, hi int, out [][]uint64) {
	k := len(x)
	maxW := uint64(1)
	for _, c := range w {
		maxW = max(maxW, uint64(max(c, -c)))
	}
	// Products that a signed 63-bit sum holds: |Σ| ≤ chunk·maxW·q < 2^63.
	chunk := k
	if h, l := bits.Mul64(maxW, s.Modulus); h > 0 || l >= 1<<63/uint64(k+1) {
		chunk = 0
		if h == 0 && l < 1<<62 {
			chunk = int((1<<63 - 1) / l)
		}
	}
	if chunk < 1 {
		combineWide(s, x, w, rows, lo, hi, out)
		return
	}
	combineNarrow(s, x, w, rows, lo, hi, out, chunk)
}

// combineNarrow sums in signed words: four outputs at a time, so that a loaded coefficient serves four products.
func combineNarrow(s *SubRing, x [][]uint64, w []int64, rows, lo, hi int, out [][]uint64, chunk int) {
	const tile = 256
	var acc [4][tile]int64
	k := len(x)
	for b := lo; b < hi; b += tile {
		n := min(tile, hi-b)
		for r := 0; r < rows; r += 4 {
			m := min(4, rows-r)
			for j := range m {
				clear(out[r+j][b : b+n])
			}
			for first := 0; first < k; first += chunk {
				last := min(first+chunk, k)
				for j := range m {
					clear(acc[j][:n])
				}
				if m == 4 {
					w0, w1, w2, w3 := w[r*k:][:k], w[(r+1)*k:][:k], w[(r+2)*k:][:k], w[(r+3)*k:][:k]
					i := first
					for ; i+1 < last; i += 2 {
						mac4x2(x[i][b:b+n], x[i+1][b:b+n], &acc, w0[i], w1[i], w2[i], w3[i], w0[i+1], w1[i+1], w2[i+1], w3[i+1])
					}
					for ; i < last; i++ {
						mac4x2(x[i][b:b+n], x[i][b:b+n], &acc, w0[i], w1[i], w2[i], w3[i], 0, 0, 0, 0)
					}
				} else {
					for j := range m {
						a, wj := acc[j][:n], w[(r+j)*k:][:k]
						for i := first; i < last; i++ {
							c, xi := wj[i], x[i][b:b+n]
							for t := range a {
								a[t] += c * int64(xi[t])
							}
						}
					}
				}
				for j := range m {
					addSigned(s, acc[j][:n], out[r+j][b:b+n])
				}
			}
		}
	}
}

func mac4x2(x, y []uint64, acc *[4][256]int64, w0, w1, w2, w3, v0, v1, v2, v3 int64) {
	n := len(x)
	y = y[:n]
	a0, a1, a2, a3 := acc[0][:n], acc[1][:n], acc[2][:n], acc[3][:n]
	for t := range x {
		c, d := int64(x[t]), int64(y[t])
		a0[t] += w0*c + v0*d
		a1[t] += w1*c + v1*d
		a2[t] += w2*c + v2*d
		a3[t] += w3*c + v3*d
	}
}

// addSigned adds a signed word, reduced, to a residue.
func addSigned(s *SubRing, a []int64, out []uint64) {
	q, u := s.Modulus, s.BRedConstant[0]
	out = out[:len(a)]
	for t, v := range a {
		neg := uint64(v >> 63)
		r := reduce((uint64(v)^neg)-neg, q, u)
		if neg != 0 && r != 0 {
			r = q - r
		}
		r += out[t]
		if r >= q {
			r -= q
		}
		out[t] = r
	}
}

// combineWide sums in 128 bits, with weights reduced modulo q in Montgomery form.
func combineWide(s *SubRing, x [][]uint64, w []int64, rows, lo, hi int, out [][]uint64) {
	k := len(x)
	wm := make([]uint64, k)
	var acc Acc
	for r := range rows {
		for i := range wm {
			wm[i] = MForm(s, Residue(w[r*k+i], s.Modulus))
		}
		for b := lo; b < hi; b += Block {
			n := min(Block, hi-b)
			acc.Reset(n)
			for i, c := range wm {
				acc.mulScalar(s, x[i][b:b+n], c)
			}
			acc.Reduce(s, out[r][b:b+n])
		}
	}
}

func (a *Acc) mulScalar(s *SubRing, x []uint64, c uint64) {
	n := len(x)
	if a.count >= capacity(s.Modulus) {
		a.fold(s, n)
	}
	a.count++
	hi, lo := a.hi[:n], a.lo[:n]
	for i := range x {
		h, l := bits.Mul64(x[i], c)
		var cc uint64
		lo[i], cc = bits.Add64(lo[i], l, 0)
		hi[i], _ = bits.Add64(hi[i], h, cc)
	}
}

// RescalePre leaves z = c + (q-1)/2 mod q in place of the last row c, in the coefficient domain.
func RescalePre(last *SubRing, z []uint64) {
	last.AddScalar(z, (last.Modulus-1)>>1, z)
}

// RescaleRow writes (c - NTT(z - (q_L-1)/2))·q_L^-1 modulo the prime of s: one row of the rounded division by q_L.
func RescaleRow(s, last *SubRing, z, c []uint64, inv uint64, tmp, out []uint64) {
	q, u, half := s.Modulus, s.BRedConstant[0], (last.Modulus-1)>>1
	neg := q - reduce(half, q, u)
	tmp = tmp[:len(z)]
	for i, a := range z {
		r := reduce(a, q, u) + neg
		if r >= q {
			r -= q
		}
		tmp[i] = r
	}
	s.NTT(tmp, tmp)
	SubMul(s, c, tmp, inv, out)
}

// SubMul writes (x - y)·c mod q, with c in Montgomery form.
func SubMul(s *SubRing, x, y []uint64, c uint64, out []uint64) {
	q, qinv := s.Modulus, s.MRedConstant
	x, y = x[:len(out)], y[:len(out)]
	for i := range out {
		out[i] = mred(x[i]+q-y[i], c, q, qinv)
	}
}

// InverseMod returns x^-1 modulo the prime of s in Montgomery form.
func InverseMod(s *SubRing, x uint64) uint64 {
	q := s.Modulus
	base, e, r := MForm(s, x%q), q-2, MForm(s, 1)
	for ; e > 0; e >>= 1 {
		if e&1 == 1 {
			r = mred(r, base, q, s.MRedConstant)
		}
		base = mred(base, base, q, s.MRedConstant)
	}
	return r
}
