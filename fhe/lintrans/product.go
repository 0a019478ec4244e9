package lintrans

import (
	"fmt"
	"math"
	"slices"

	"github.com/signet-ml/signet/fhe/program"
)

// Product is the product of a sparse matrix and an encrypted vector, from one layout to another. Its rows are permuted
// to the layout of the result, so a convolution of any stride, padding, dilation and number of groups takes one level:
// the single-shot packing of [Orion, section 4]. Every ciphertext of the input and of the result is a block: a sum of
// diagonals, one LINTRANS, built from the matrix's entries.
//
// A result that repeats with a smaller period than the input is computed as partial sums, one in every repetition,
// which a rotate-and-sum adds up: a matrix of R rows has at most R diagonals.
//
// Every slot of the result that holds no element is zero. A Product is immutable and safe for concurrent use.
//
// [Orion]: https://arxiv.org/abs/2311.03470
type Product struct {
	Slots   int
	In, Out int     // ciphertexts, without those at the end that hold nothing
	Blocks  []Block // by ciphertext of the result, then of the input
	Sums    Sum
	Cost    float64 // in the unit of the Cost that For was given

	in, out Layout
	m       Matrix
	at      []int32 // where an element of the input lies, or -1
}

// Block is the part of a product between one ciphertext of the input and one of the result.
type Block struct {
	Out, In   int
	Diagonals []int // indices, ascending
	N1        int   // baby steps
}

// NewProduct returns the product of m and a vector in the layout in, with a result in the layout out. Every column with
// an entry must lie in some slot. For chooses baby steps and radices.
func NewProduct(slots int, m Matrix, in, out Layout) (*Product, error) {
	if slots < 2 || slots&(slots-1) != 0 {
		return nil, fmt.Errorf("lintrans: a product in %d slots", slots)
	}
	if err := in.check(m.Cols()); err != nil {
		return nil, err
	}
	if err := out.check(m.Rows()); err != nil {
		return nil, err
	}
	p := &Product{Slots: slots, In: in.Count(slots), Out: out.Count(slots), in: in, out: out, m: m, at: make([]int32, m.Cols())}
	for c := range p.at {
		p.at[c] = -1
	}
	for s, e := range in {
		if e >= 0 && p.at[e] < 0 {
			p.at[e] = int32(s)
		}
	}
	mod := p.modulus()
	used := make([]bool, p.In*p.Out*mod)
	missing := -1
	p.entries(func(_, block, diagonal int, _ float64) { used[block*mod+diagonal] = true }, func(col int) { missing = col })
	if missing >= 0 {
		return nil, fmt.Errorf("lintrans: column %d lies in no slot of the input", missing)
	}
	for o := range p.Out {
		some := false
		for i := range p.In {
			b := Block{Out: o, In: i, N1: 1}
			for d, u := range used[(o*p.In+i)*mod:][:mod] {
				if u {
					b.Diagonals = append(b.Diagonals, d)
				}
			}
			if len(b.Diagonals) > 0 {
				some = true
				p.Blocks = append(p.Blocks, b)
			}
		}
		if !some { // rows of zeros: the result must exist all the same
			p.Blocks = append(p.Blocks, Block{Out: o, Diagonals: []int{0}, N1: 1})
		}
	}
	p.Sums = Sum{Stride: len(out)}
	for m := p.repetitions(); m > 1; m /= 2 {
		p.Sums.Radices = append(p.Sums.Radices, 2)
	}
	return p, nil
}

// For returns the product with the baby steps and radices that are cheapest at a level, followed by sums at sumLevel,
// with k special primes.
func (p *Product) For(level, sumLevel, k int, cost Cost) *Product {
	q := *p
	q.Cost = 0
	q.Sums = ChooseSum(len(p.out), p.repetitions(), sumLevel, k, cost)
	q.Blocks = slices.Clone(p.Blocks)
	hoisted := make([]bool, p.In)
	for i := range q.Blocks {
		b := &q.Blocks[i]
		var c float64
		b.N1, c = chooseN1(b.Diagonals, p.Slots, level, k, cost)
		q.Cost += c
		if !b.plain() && !hoisted[b.In] {
			hoisted[b.In] = true
			q.Cost += cost.Hoist(level, k)
		}
	}
	q.Cost += float64(p.Out) * q.Sums.Cost
	return &q
}

// repetitions returns how many partial sums make one element of the result, 0 or 1 if none are partial.
func (p *Product) repetitions() int { return min(len(p.in), p.Slots) / min(len(p.out), p.Slots) }

// InputLayout returns the layout that the product reads.
func (p *Product) InputLayout() Layout { return p.in }

// plain reports whether a block is one diagonal that rotates nothing.
func (b *Block) plain() bool { return len(b.Diagonals) == 1 && b.Diagonals[0] == 0 }

// modulus is what indices of diagonals are reduced by: input and result repeat with their periods, so an index matters
// modulo the smaller.
func (p *Product) modulus() int { return min(p.Slots, len(p.in), len(p.out)) }

// entries calls yield for every entry of the matrix: the first slot that uses it, within the result's ciphertext and
// the larger of the two periods, its block and its diagonal.
func (p *Product) entries(yield func(slot, block, diagonal int, w float64), missing func(col int)) {
	mod := p.modulus()
	period := min(p.Slots, max(len(p.in), len(p.out)))
	for s, r := range p.out {
		if r < 0 {
			continue
		}
		cols, weights := p.m.Row(int(r))
		o := s / p.Slots
		t := s & (p.Slots - 1)
		for j, c := range cols {
			at := int(p.at[c])
			if at < 0 {
				missing(int(c))
				return
			}
			d := (at - t) & (mod - 1)
			// The repetition of the result in which diagonal d meets the column.
			slot := t
			if len(p.out) < len(p.in) {
				slot = (at - d) & (period - 1)
			}
			yield(slot, o*p.In+at/p.Slots, d, weights[j])
		}
	}
}

// chooseN1 returns the number of baby steps that is cheapest for a set of diagonals, and the cost without the hoist.
func chooseN1(diagonals []int, slots, level, k int, cost Cost) (int, float64) {
	if len(diagonals) == 1 && diagonals[0] == 0 {
		return 1, cost.Row * float64(2*(level+1))
	}
	best, bestCost := 1, math.Inf(1)
	for n1 := 1; n1 <= slots; n1 *= 2 {
		babies, giants := steps(diagonals, n1, slots)
		c := cost.lintrans(babies, giants, len(diagonals), level, k)
		if c < bestCost {
			best, bestCost = n1, c
		}
	}
	return best, bestCost
}

// steps counts baby and giant steps other than 0, of indices below slots.
func steps(diagonals []int, n1, slots int) (babies, giants int) {
	baby, giant := make([]bool, n1), make([]bool, slots/n1)
	for _, d := range diagonals {
		b, g := program.BabyGiant(d, n1)
		if g /= n1; g != 0 && !giant[g] {
			giant[g] = true
			giants++
		}
		if b != 0 && !baby[b] {
			baby[b] = true
			babies++
		}
	}
	return babies, giants
}

// DiagonalValues returns, for every block, its diagonals as slot values, each rotated by minus its giant step as
// LINTRANS wants it.
func (p *Product) DiagonalValues() [][][]complex128 {
	out := make([][][]complex128, len(p.Blocks))
	index := make([]int, p.In*p.Out) // of the block in Blocks
	for i, b := range p.Blocks {
		index[b.Out*p.In+b.In] = i
		out[i] = make([][]complex128, len(b.Diagonals))
		for j := range out[i] {
			out[i][j] = make([]complex128, p.Slots)
		}
	}
	period := min(p.Slots, max(len(p.in), len(p.out)))
	p.entries(func(slot, block, diagonal int, w float64) {
		i := index[block]
		b := &p.Blocks[i]
		j, _ := slices.BinarySearch(b.Diagonals, diagonal)
		_, giant := program.BabyGiant(diagonal, b.N1)
		for t := slot; t < p.Slots; t += period {
			out[i][j][(t+giant)&(p.Slots-1)] += complex(w, 0)
		}
	}, func(int) { panic("lintrans: a checked product lacks a column") })
	return out
}

// Emit appends the product of the value in x, one per ciphertext of the input, all of one level and scale. c holds the
// diagonals of every block as rows of a constant. The result is not rescaled and, if there are Sums, partial: Rescale
// it, which makes the sums cheaper, and pass it to Sum. Scale: x.Scale · c.Scale.
func (p *Product) Emit(b *program.Builder, x []program.Value, c []*program.Constant) []program.Value {
	out := make([]program.Value, p.Out)
	started := make([]bool, p.Out)
	hoists := make(map[int]program.Value)
	for i := range p.Blocks {
		k := &p.Blocks[i]
		var v program.Value
		if k.plain() {
			v = b.MulPt(x[k.In], c[i], 0)
		} else {
			level := b.Level(x[k.In])
			h, ok := hoists[k.In]
			if !ok {
				h = b.Hoist(x[k.In], level)
				hoists[k.In] = h
			}
			rows := make([]int, len(k.Diagonals))
			for j := range rows {
				rows[j] = j
			}
			v = b.Lintrans(h, c[i], rows, k.Diagonals, k.N1, level)
		}
		if started[k.Out] {
			v = b.Add(out[k.Out], v)
		}
		out[k.Out], started[k.Out] = v, true
	}
	return out
}

// Sum appends the rotate-and-sums that complete the partial results of Emit.
func (p *Product) Sum(b *program.Builder, v []program.Value) []program.Value {
	out := slices.Clone(v)
	for i := range out {
		out[i] = p.Sums.Emit(b, out[i])
	}
	return out
}
