package lintrans

import (
	"fmt"
	"math"

	"github.com/signet-ml/signet/fhe/program"
)

// Patches is the product of a sparse matrix and a vector that the client sends in patches: the slots that will hold a
// row of the result hold the columns of that row, some in every ciphertext, some in every repetition of the result, two
// in a complex slot. The product rotates nothing; a rotate-and-sum adds up what lies in repetitions and imaginary
// parts. For a convolution this is the im2col of the client's image.
//
// The client sends more, the server computes less: with as many ciphertexts as the longest row has entries, no
// switching key is needed at all. A Patches is immutable and safe for concurrent use.
type Patches struct {
	Slots    int
	Count    int  // ciphertexts
	Replicas int  // repetitions of the result that hold different columns, a power of two
	Complex  bool // two columns share a slot
	Sums     Sum
	Cost     float64 // in the unit of the Cost it was chosen by

	out Layout
	m   Matrix
}

// NewPatches returns the cheapest way to send patches for m, with a result in the layout out, at a level, followed by
// sums at sumLevel, with k special primes. ciphertext is the cost of sending one, in the unit of cost.
func NewPatches(slots int, m Matrix, out Layout, level, sumLevel, k int, cost Cost, ciphertext float64) (*Patches, error) {
	if err := out.check(m.Rows()); err != nil {
		return nil, err
	}
	if slots < 2 || slots&(slots-1) != 0 || len(out) > slots || level < 0 || sumLevel < 0 || k < 1 {
		return nil, fmt.Errorf("lintrans: patches for a result of %d slots in %d, at levels %d and %d with %d special primes", len(out), slots, level, sumLevel, k)
	}
	longest := 1
	for _, r := range out {
		if r >= 0 {
			cols, _ := m.Row(int(r))
			longest = max(longest, len(cols))
		}
	}
	best := &Patches{Cost: math.Inf(1)}
	for _, cx := range []bool{false, true} {
		for replicas := 1; replicas*len(out) <= slots; replicas *= 2 {
			p := &Patches{Slots: slots, Replicas: replicas, Complex: cx, out: out, m: m}
			p.Count = (longest + p.capacity() - 1) / p.capacity()
			p.Sums = ChooseSum(len(out), p.capacity(), sumLevel, k, cost)
			p.Sums.Conj = cx
			p.Cost = float64(p.Count)*(ciphertext+cost.Row*float64(2*(level+1))) + p.Sums.Cost
			if p.Cost < best.Cost {
				best = p
			}
		}
	}
	return best, nil
}

// capacity is the number of columns of a row that one ciphertext holds.
func (p *Patches) capacity() int {
	if p.Complex {
		return 2 * p.Replicas
	}
	return p.Replicas
}

// entries calls yield for every entry: the first slot of ciphertext ct that holds it, its part (0 real, 1 imaginary).
func (p *Patches) entries(yield func(ct, slot, part int, col int32, w float64)) {
	for s, r := range p.out {
		if r < 0 {
			continue
		}
		cols, weights := p.m.Row(int(r))
		for q, c := range cols {
			part := 0
			at := q % p.capacity()
			if p.Complex {
				at, part = at/2, at%2
			}
			yield(q/p.capacity(), s+at*len(p.out), part, c, weights[q])
		}
	}
}

// Runs returns the runs of a port that packs the patches.
func (p *Patches) Runs() []program.Run {
	element := make([][]int32, p.Count)
	for i := range element {
		element[i] = make([]int32, 2*p.Slots)
		for s := range element[i] {
			element[i][s] = -1
		}
	}
	period := p.Replicas * len(p.out)
	p.entries(func(ct, slot, part int, col int32, _ float64) {
		for t := slot; t < p.Slots; t += period {
			element[ct][part*p.Slots+t] = col
		}
	})
	var runs []program.Run
	for i, e := range element {
		runs = appendRuns(runs, i, e)
	}
	if len(runs) == 0 { // a port holds something, even if nothing is made of it
		runs = []program.Run{{Length: 1}}
	}
	return runs
}

// DiagonalValues returns one row of slot values for every ciphertext: what it is multiplied by.
func (p *Patches) DiagonalValues() [][]complex128 {
	out := make([][]complex128, p.Count)
	for i := range out {
		out[i] = make([]complex128, p.Slots)
	}
	period := p.Replicas * len(p.out)
	p.entries(func(ct, slot, part int, _ int32, w float64) {
		z := complex(w, 0)
		if p.Complex { // (w_a - i·w_b)/2 times (x_a + i·x_b), plus the conjugate, is w_a·x_a + w_b·x_b
			z = complex(w/2, 0)
			if part == 1 {
				z = complex(0, -w/2)
			}
		}
		for t := slot; t < p.Slots; t += period {
			out[ct][t] += z
		}
	})
	return out
}

// Emit appends the sum of the products of the ciphertexts in x and the rows of c. The result is not rescaled and, if
// there are Sums, partial: Rescale it and pass it to Sum.
func (p *Patches) Emit(b *program.Builder, x []program.Value, c *program.Constant) program.Value {
	v := b.MulPt(x[0], c, 0)
	for i := 1; i < p.Count; i++ {
		v = b.Add(v, b.MulPt(x[i], c, i))
	}
	return v
}

// Sum appends the rotate-and-sums that complete the partial result of Emit.
func (p *Patches) Sum(b *program.Builder, v program.Value) program.Value {
	return p.Sums.Emit(b, v)
}

// EmitEncrypted appends the sum of the products of the ciphertexts in x and encrypted weights, one for every row of
// DiagonalValues, relinearised once. The result is not rescaled and, if there are Sums, partial.
func (p *Patches) EmitEncrypted(b *program.Builder, x, w []program.Value) program.Value {
	v := b.Mul(x[0], w[0])
	for i := 1; i < p.Count; i++ {
		v = b.Add(v, b.Mul(x[i], w[i]))
	}
	return b.Relin(v)
}
