package lattice

import (
	"fmt"
	"testing"
)

// A multiply-accumulate is a product of two words added to a sum: the unit of the loops that key switching, diagonal
// products and matrix products spend their time in.
func reportMAC(b *testing.B, perLoop int) {
	b.ReportMetric(float64(perLoop)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GMAC/s")
}

const benchN = 1 << 13

func BenchmarkKeyDot(b *testing.B) {
	for _, logq := range []int{36, 60} {
		s := rings(b, benchN, primeBelow(b, 1<<logq, benchN)).SubRings[0]
		for _, digits := range []int{1, 2, 3, 4, 8} {
			b.Run(fmt.Sprintf("logn=13/logq=%d/digits=%d", logq, digits), func(b *testing.B) {
				rng := newRand(1)
				row := func() []uint64 { return words(rng, benchN, s.Modulus) }
				x, k, out := rowsOf(digits, row), rowsOf(digits, row), make([]uint64, benchN)
				for b.Loop() {
					KeyDot(s, x, k, 0, out)
				}
				reportMAC(b, digits*benchN)
			})
		}
	}
}

func BenchmarkMulGather(b *testing.B) {
	for _, logq := range []int{36, 60} {
		s := rings(b, benchN, primeBelow(b, 1<<logq, benchN)).SubRings[0]
		b.Run(fmt.Sprintf("logn=13/logq=%d", logq), func(b *testing.B) {
			rng := newRand(1)
			pt, x, perm := words(rng, benchN, s.Modulus), words(rng, benchN, s.Modulus), NewAutomorphism(benchN, 5)
			var acc Acc
			for b.Loop() {
				for off := 0; off < benchN; off += Block {
					acc.Reset(Block)
					base := int(perm[off]) &^ (Block - 1)
					for range 8 {
						acc.MulGather(s, pt[off:off+Block], x[base:base+Block], perm[off:off+Block], base)
					}
				}
			}
			reportMAC(b, 8*benchN)
		})
	}
}

func BenchmarkCombine(b *testing.B) {
	for _, logq := range []int{36, 50, 60} {
		s := rings(b, benchN, primeBelow(b, 1<<logq, benchN)).SubRings[0]
		for _, bits := range []int{8, 20} {
			const operands, outputs = 64, 8
			b.Run(fmt.Sprintf("logn=13/logq=%d/weights=%d/operands=%d/outputs=%d", logq, bits, operands, outputs), func(b *testing.B) {
				rng := newRand(1)
				x := rowsOf(operands, func() []uint64 { return words(rng, 256, s.Modulus) })
				out := rowsOf(outputs, func() []uint64 { return make([]uint64, 256) })
				w := make([]int64, operands*outputs)
				for i := range w {
					w[i] = rng.Int64N(2<<bits) - 1<<bits
				}
				for b.Loop() {
					Combine(s, x, w, outputs, 0, 256, out)
				}
				reportMAC(b, operands*outputs*256)
			})
		}
	}
}
