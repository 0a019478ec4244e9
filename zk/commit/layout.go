package commit

import (
	"fmt"
	"math"
)

// Limits of a layout: what a decoder may be asked to hold.
const (
	maxBlocks       = 1 << 12
	maxSide         = 1 << 24 // rows, columns or accumulators
	maxCells        = 1 << 30 // rows times columns
	maxBlinds       = 1 << 12
	maxName         = 1<<16 - 1
	maxBias   int64 = 1 << 55
)

// A Range is a closed interval of integers.
type Range struct{ Lo, Hi int64 }

// Contains reports whether x lies in r.
func (r Range) Contains(x int64) bool { return r.Lo <= x && x <= r.Hi }

// within reports whether r is not empty and lies in [lo, hi].
func (r Range) within(lo, hi int64) bool { return lo <= r.Lo && r.Lo <= r.Hi && r.Hi <= hi }

// A Block is the place of one linear layer in a Layout: Columns columns of weights, then one of biases. Its rows below
// Rows hold zeros.
type Block struct {
	Name          string // for people: no digest covers it
	Rows, Columns int
	Weight, Bias  Range
}

// Validate returns an error unless the block has at least one row and column, weights of 32 bits, biases of magnitude
// up to 2^55 and a name of less than 2^16 bytes.
func (b Block) Validate() error {
	switch {
	case len(b.Name) > maxName:
		return fmt.Errorf("commit: block with a name of %d bytes: want at most %d", len(b.Name), maxName)
	case b.Rows < 1 || b.Rows > maxSide || b.Columns < 1 || b.Columns > maxSide:
		return fmt.Errorf("commit: block %q of %d rows, %d columns: want 1 to %d", b.Name, b.Rows, b.Columns, maxSide)
	case !b.Weight.within(math.MinInt32, math.MaxInt32):
		return fmt.Errorf("commit: block %q: weights in [%d, %d]: want ends in order, of 32 bits", b.Name, b.Weight.Lo, b.Weight.Hi)
	case !b.Bias.within(-maxBias, maxBias):
		return fmt.Errorf("commit: block %q: biases in [%d, %d]: want ends in order, of magnitude up to 2^55", b.Name, b.Bias.Lo, b.Bias.Hi)
	}
	return nil
}

// A Layout places the private weights of a model in one matrix: the blocks side by side, then Blinds columns of random
// elements.
type Layout struct {
	Blocks       []Block
	Blinds       int
	Accumulators int // outputs of all blocks under one proof
}

// Validate returns an error unless the layout has valid blocks, accumulators, and blinds for at least one proof.
func (l Layout) Validate() error {
	if len(l.Blocks) < 1 || len(l.Blocks) > maxBlocks {
		return fmt.Errorf("commit: layout of %d blocks: want 1 to %d", len(l.Blocks), maxBlocks)
	}
	columns := int64(l.Blinds) // sums and products of 64 bits: an int may have 32
	for _, b := range l.Blocks {
		if err := b.Validate(); err != nil {
			return err
		}
		columns += int64(b.Columns) + 1
	}
	switch m := int64(l.Rows()); {
	case l.Blinds < 0 || l.Blinds > maxBlinds || m*int64(l.Blinds-1)-1 < 1:
		return fmt.Errorf("commit: layout of %d rows, %d blinds: want enough for one proof and at most %d", m, l.Blinds, maxBlinds)
	case l.Accumulators < 1 || l.Accumulators > maxSide:
		return fmt.Errorf("commit: layout of %d accumulators: want 1 to %d", l.Accumulators, maxSide)
	case columns > maxSide || m*columns > maxCells:
		return fmt.Errorf("commit: layout of %d rows, %d columns: want at most %d columns and %d cells", m, columns, maxSide, maxCells)
	}
	return nil
}

// Rows returns the height m of the matrix: the most rows that a block has.
func (l Layout) Rows() int {
	m := 0
	for _, b := range l.Blocks {
		m = max(m, b.Rows)
	}
	return m
}

// Columns returns the width n' of the matrix, with the columns of biases and blinds.
func (l Layout) Columns() int { return l.blindsAt() + l.Blinds }

// blindsAt returns the first column of blinds.
func (l Layout) blindsAt() int {
	n := 0
	for _, b := range l.Blocks {
		n += b.Columns + 1
	}
	return n
}

// Vector returns how many elements CommitVector takes: the accumulators, then two random ones.
func (l Layout) Vector() int { return l.Accumulators + 2 }

// Powers returns how many powers of its secret a reference string must have.
func (l Layout) Powers() int { return max(l.Columns(), l.Vector()) }

// Budget returns how many proofs the blinds of one registration hide: m(B-1) - 1 for m rows and B blinds. Of the mB
// random elements the commitments use up m, the registration's range proof one, and every proof one. Past the budget
// the weights can be computed from the proofs. It is the same for both forms.
func (l Layout) Budget(Form) int { return l.Rows()*(l.Blinds-1) - 1 }

// Digest returns the digest of everything but the blocks' names.
func (l Layout) Digest() [32]byte {
	t := NewTranscript("signet/zk/layout/v1")
	for _, n := range []int{l.Rows(), l.Blinds, l.Accumulators, len(l.Blocks)} {
		t.Uint(uint64(n))
	}
	for _, b := range l.Blocks {
		t.Uint(uint64(b.Rows)).Uint(uint64(b.Columns))
		t.Int(b.Weight.Lo).Int(b.Weight.Hi).Int(b.Bias.Lo).Int(b.Bias.Hi)
	}
	return t.Sum()
}
