package commit

// A Range is a closed interval of integers.
type Range struct{ Lo, Hi int64 }

// A Block is the place of one linear layer in a Layout: Columns columns of weights, then one of biases. Its rows below
// Rows hold zeros.
type Block struct {
	Name          string
	Rows, Columns int
	Weight, Bias  Range
}

// A Layout places the private weights of a model in one matrix: the blocks side by side, then Blinds columns of random
// elements.
type Layout struct {
	Blocks       []Block
	Blinds       int
	Accumulators int // outputs of all blocks under one proof
}
