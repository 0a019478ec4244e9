package lattice

import "math/bits"

// Automorphism is the permutation of a row in the NTT domain by X → X^g: out[j] = in[index[j]]. Aligned blocks of a
// power of two words map onto aligned blocks of the same size. [gpu kernels and engines rely on this.]
type Automorphism []uint32

// NewAutomorphism returns the permutation of an odd element g < 2N.
func NewAutomorphism(n int, g uint64) Automorphism {
	logN := bits.Len(uint(n)) - 1
	mask := uint64(2*n - 1)
	out := make(Automorphism, n)
	brev := func(x uint64) uint64 { return bits.Reverse64(x) >> (64 - logN) }
	for j := range out {
		e := 2*brev(uint64(j)) + 1
		out[j] = uint32(brev(((g * e & mask) - 1) >> 1))
	}
	return out
}

// Apply writes the permuted row. It does not work in place.
func (a Automorphism) Apply(in, out []uint64) {
	out = out[:len(a)]
	in = in[:len(a)]
	for j, k := range a {
		out[j] = in[k]
	}
}
