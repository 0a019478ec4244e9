// Package lintrans emits sub-programs for products of a matrix known to the server and an encrypted vector.
//
// The vector lies in the slots of one ciphertext, repeated; the result repeats with the number of rows, rounded up to a
// power of two, and every slot of it is a result or zero: no slot holds a partial sum. A product is K diagonals, one
// LINTRANS, and rotate-and-sum stages, ROTSUM, over the slots that hold the other columns of the same row. How many
// diagonals, which baby steps and which radices is a Shape, chosen by the cost of the operations.
//
// Two real columns may share a complex slot: the diagonals then hold (w_a - i·w_b)/2, and the sum with the complex
// conjugate, which costs one more Galois element in a ROTSUM, leaves w_a·x_a + w_b·x_b. That halves the diagonals.
package lintrans

import (
	"fmt"
	"math"

	"github.com/signet-ml/signet/fhe/program"
)

// Shape says how one product is computed. All numbers but Rows and Cols are powers of two.
type Shape struct {
	Slots      int
	Rows, Cols int  // of the matrix
	R, C       int  // period of the result; slots after which the columns of a repetition repeat
	K          int  // diagonals
	N1         int  // baby steps of the LINTRANS
	Complex    bool // column c and column c + C share a slot
	Sums       Sum
	Cost       float64 // in the unit of the Cost it was chosen by
}

func pow2(n int) int {
	p := 1
	for p < n {
		p *= 2
	}
	return p
}

// Choose returns the cheapest shape for a product of a rows × cols matrix at a level, followed by sums at sumLevel,
// with k special primes. The client packs the input for it. It fails if a row or a column does not fit the slots.
func Choose(slots, rows, cols int, level, sumLevel, k int, cost Cost) (Shape, error) {
	if rows < 1 || cols < 1 || slots < 2 || slots&(slots-1) != 0 {
		return Shape{}, fmt.Errorf("lintrans: a %d × %d matrix in %d slots", rows, cols, slots)
	}
	if level < 0 || sumLevel < 0 || k < 1 {
		return Shape{}, fmt.Errorf("lintrans: a product at level %d, sums at level %d, %d special primes", level, sumLevel, k)
	}
	best, bestCost := Shape{}, math.Inf(1)
	try := func(s Shape) {
		if s.R > slots || s.C > slots {
			return
		}
		m := max(1, s.C/s.K)
		if s.Complex {
			m *= 2
		}
		s.Sums = ChooseSum(s.R, m, sumLevel, k, cost)
		s.Sums.Conj = s.Complex
		for n1 := 1; n1 <= s.K; n1 *= 2 {
			s.N1 = n1
			if c := s.cost(level, k, cost); c < bestCost {
				best, bestCost = s, c
			}
		}
	}
	for _, cx := range []bool{false, true} {
		s := Shape{Slots: slots, Rows: rows, Cols: cols, R: pow2(rows), C: pow2(cols), Complex: cx}
		if cx {
			s.C = pow2((cols + 1) / 2)
		}
		// R·C/K slots hold one copy of everything, which must fit.
		for s.K = min(s.R, s.C); s.K >= 1 && s.R*s.C/s.K <= slots; s.K /= 2 {
			try(s)
		}
	}
	if math.IsInf(bestCost, 1) {
		return Shape{}, fmt.Errorf("lintrans: a %d × %d matrix does not fit %d slots", rows, cols, slots)
	}
	best.Cost = bestCost
	return best, nil
}

func (s Shape) cost(level, k int, c Cost) float64 {
	if s.K == 1 && s.N1 == 1 {
		return c.Row*float64(2*(level+1)) + s.Sums.Cost
	}
	return c.Hoist(level, k) + c.lintrans(s.N1-1, s.K/s.N1-1, s.K, level, k) + s.Sums.Cost
}

// column returns the column that lies in a slot of the input (with Complex, in its real part).
func (s Shape) column(slot int) int {
	slot &= s.Slots - 1
	block := max(s.R, s.C)
	shift := s.K * (slot / block % max(1, min(s.R, s.C)/s.K))
	return (slot + shift) & (s.C - 1)
}

// Runs returns the runs of a port's layout that pack the input for the shape: element i of the tensor is column i.
// Every slot of the ciphertext holds a column or zero.
func (s Shape) Runs() []program.Run {
	element := make([]int32, 2*s.Slots)
	for t := range element {
		c := s.column(t)
		if t >= s.Slots {
			c += s.C
		}
		if element[t] = int32(c); c >= s.Cols || t >= s.Slots && !s.Complex {
			element[t] = -1
		}
	}
	return appendRuns(nil, 0, element)
}

// Diagonals returns the K diagonals of a matrix as slot values, each rotated by minus its giant step as LINTRANS wants
// it. Slot s of the result's period holds row out[s] of m, or nothing for -1.
func (s Shape) Diagonals(m Matrix, out Layout) [][]complex128 {
	values := make([][]complex128, s.K)
	for k := range values {
		values[k] = make([]complex128, s.Slots)
	}
	row := make([]float64, 2*s.C) // a whole row, with the columns that share a slot
	for r := range s.Rows {
		if out[r] < 0 {
			continue
		}
		clear(row)
		cols, weights := m.Row(int(out[r]))
		for j, c := range cols {
			row[c] = weights[j]
		}
		for t := r; t < s.Slots; t += s.R {
			for k := range values {
				c := s.column(t + k)
				z := complex(row[c], 0)
				if s.Complex {
					z = complex(row[c]/2, -row[c+s.C]/2)
				}
				_, giant := program.BabyGiant(k, s.N1)
				values[k][(t+giant)&(s.Slots-1)] = z
			}
		}
	}
	return values
}

// Emit appends the product of a value, packed as the shape says, and the diagonals in c, whose rows 0 … K-1 are those
// of Diagonals. The result is not rescaled and, if there are Sums, partial: Rescale it, which makes the sums cheaper,
// and pass it to Sum. Scale: x.Scale · c.Scale.
func (s Shape) Emit(b *program.Builder, x program.Value, c *program.Constant) program.Value {
	if s.K == 1 {
		return b.MulPt(x, c, 0)
	}
	level := b.Level(x)
	return b.Lintrans(b.Hoist(x, level), c, s.indices(), s.indices(), s.N1, level)
}

// Sum appends the rotate-and-sums that complete the partial result of Emit.
func (s Shape) Sum(b *program.Builder, v program.Value) program.Value {
	return s.Sums.Emit(b, v)
}
