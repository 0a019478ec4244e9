package lintrans

import (
	"math"

	"github.com/signet-ml/signet/fhe/program"
)

// Sum adds up the slots of a value that lie Stride slots apart, one ROTSUM for every radix. The zero value does
// nothing. Of a value that repeats with the period Stride times the product of the radices, every slot of the result is
// a whole sum, so the result repeats with the period Stride.
type Sum struct {
	Stride  int
	Radices []int
	Conj    bool    // the first radix counts the complex conjugate, which halves its rotations
	Cost    float64 // in the unit of the Cost it was chosen by
}

// ChooseSum returns the cheapest way to add up m slots, a power of two, at a level with k special primes.
func ChooseSum(stride, m, level, k int, cost Cost) Sum {
	best := Sum{Stride: stride, Cost: math.Inf(1)}
	for _, radices := range factorings(max(1, m)) {
		c := 0.0
		for _, r := range radices {
			c += cost.sum(r, level, k)
		}
		if c < best.Cost {
			best.Radices, best.Cost = radices, c
		}
	}
	return best
}

// sum returns the cost of one rotate-and-sum of radix r.
func (c Cost) sum(r, level, k int) float64 {
	return c.Hoist(level, k) + c.ModDown(level, k, 2) + float64(r-1)*c.Rotation(level, k)
}

// factorings returns the ways to write m, a power of two, as a product of radices 2 to 16, at most four of them.
func factorings(m int) [][]int {
	if m == 1 {
		return [][]int{nil}
	}
	var out [][]int
	for r := 2; r <= 16 && r <= m; r *= 2 {
		for _, rest := range factorings(m / r) {
			if len(rest) < 4 && (len(rest) == 0 || rest[0] <= r) {
				out = append(out, append([]int{r}, rest...))
			}
		}
	}
	return out
}

// Emit appends the sum of v. Level and scale stay.
func (s Sum) Emit(b *program.Builder, v program.Value) program.Value {
	params := b.Parameters()
	stride := s.Stride
	for i, radix := range s.Radices {
		level := b.Level(v)
		var elements []uint64
		rotations := radix
		if s.Conj && i == 0 {
			rotations /= 2
		}
		for j := range rotations {
			g := params.GaloisElement(j * stride)
			elements = append(elements, g)
			if s.Conj && i == 0 {
				elements = append(elements, uint64(2*params.N())-g)
			}
		}
		stride *= rotations
		v = b.Rotsum(b.Hoist(v, level), elements, level)
	}
	return v
}
