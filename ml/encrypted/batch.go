package encrypted

import (
	"fmt"
	"math"
	"math/big"

	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/polyeval"
	"github.com/signet-ml/signet/fhe/program"
)

// A batch has one ciphertext per feature, samples in the slots. A stage is integer linear combinations plus the bias:
// integers cost no level, only their bits of headroom. A square stays of degree 2 if nothing but linear combinations
// follow it, so a network of one square needs no switching key at all and no special prime.

// weightBits are the sizes of integer weights that are tried, sign included: the error of rounding them is part of the
// Twin, so they are as large as the modulus allows without another prime, up to the first.
var weightBits = []int{12, 11, 10, 9, 8}

func (c *compiler) batch() (*candidate, error) { return c.search(c.batchAt) }

// batchLevels returns the levels that a batch consumes.
func (c *compiler) batchLevels() int {
	total := 0
	for i, st := range c.stages {
		if st.act == actPolynomial || st.act == actSquare && c.multipliesAfter(i) {
			total += st.depth(false)
		}
	}
	return total
}

// multipliesAfter reports whether an activation follows that of stage i: a square must then be relinearised.
func (c *compiler) multipliesAfter(i int) bool {
	for _, s := range c.stages[i+1:] {
		if s.act != actNone {
			return true
		}
	}
	return false
}

func (c *compiler) batchAt(logN int) (*candidate, error) {
	limit, ok := fhe.SecurityLimit(c.target.Security, logN, fhe.SecretDistribution{})
	if !ok {
		return nil, &InfeasibleError{Layer: c.stages[0].name, Row: fmt.Sprintf("%v, N=2^%d: no row in the tables", c.target.Security, logN)}
	}
	return c.smallest(limit, c.batchLevels(), logN, 4, func(bits, n, cap int) (*candidate, int, error) {
		var best *candidate
		missing := math.MaxInt
		for _, wb := range weightBits {
			sizes, special, err := c.batchSizes(logN, bits, wb, n, cap)
			if err != nil {
				continue
			}
			over := special - int(limit)
			for _, s := range sizes {
				over += s
			}
			if over > 0 {
				missing = min(missing, over)
				continue
			}
			found, err := c.batchWith(logN, bits, wb, sizes, special)
			if err != nil {
				return nil, 0, err
			}
			if best == nil || found.worst > best.worst {
				best = found
			}
			if c.enough(best.worst) {
				break
			}
		}
		return best, missing, nil
	})
}

// batchSizes returns the sizes of the primes for inputs at a scale of 2^bits and weights of wb bits, none above cap:
// rescaling primes of the scale that they divide away, and below them n equal ones that hold the output.
func (c *compiler) batchSizes(logN, bits, wb, n, cap int) (sizes []int, special int, err error) {
	scale := bits         // log2, of the value
	var rescaling []int   // from the top level down
	need := float64(bits) // bits that the primes below must hold, after the last rescale
	for i, st := range c.stages {
		scale += c.weightScale(i, wb)
		need = float64(scale) + bitsFor(rangeMargin*st.pre.abs())
		switch {
		case st.act == actPolynomial:
			for range st.poly.Depth() {
				rescaling = append(rescaling, scale)
			}
			scale = c.polyTarget(i, bits, scale)
			need = float64(scale) + bitsFor(rangeMargin*st.post.abs())
		case st.act == actSquare && c.multipliesAfter(i):
			rescaling = append(rescaling, scale)
			need = float64(scale) + bitsFor(rangeMargin*st.post.abs())
		case st.act == actSquare:
			scale *= 2
			need = float64(scale) + bitsFor(rangeMargin*st.post.abs())
		}
	}
	base := max(logN+8, int(math.Ceil(need/float64(n))))
	largest := base
	for range n {
		sizes = append(sizes, base)
	}
	for k := len(rescaling) - 1; k >= 0; k-- {
		sizes = append(sizes, rescaling[k])
		largest = max(largest, rescaling[k])
		if rescaling[k] < logN+8 {
			return nil, 0, fmt.Errorf("a rescaling prime of %d bits", rescaling[k])
		}
	}
	if len(rescaling) > 0 {
		special = largest + 1
	}
	if max(largest, special) > cap {
		return nil, 0, fmt.Errorf("primes of up to %d bits", max(largest, special))
	}
	return sizes, special, nil
}

// polyTarget is the log2 of the scale that a polynomial's result has, from an input at the working scale: that of the
// next stage's input, or the working scale at the end.
func (c *compiler) polyTarget(i, bits, work int) int {
	if i < len(c.stages)-1 {
		return bits
	}
	return work
}

// weightScale is the log2 of the scale of stage i's integer weights: they fill wb bits with their sign.
func (c *compiler) weightScale(i, wb int) int {
	largest := 0.0
	for _, x := range c.folded(i).w {
		largest = max(largest, math.Abs(x))
	}
	if largest == 0 {
		return wb - 1
	}
	return int(math.Floor(math.Log2(float64(int(1)<<(wb-1)-1) / largest)))
}

// folded returns the stage with the change of basis of its polynomial folded into weights and bias.
func (c *compiler) folded(i int) *stage {
	st := *c.stages[i]
	if st.act != actPolynomial {
		return &st
	}
	scale, shift := st.poly.ChangeOfBasis()
	w, b := make([]float64, len(st.w)), make([]float64, len(st.b))
	for k, x := range st.w {
		w[k] = x * scale
	}
	for k, x := range st.b {
		b[k] = x*scale + shift
	}
	st.w, st.b = w, b
	return &st
}

func (c *compiler) batchWith(logN, bits, wb int, sizes []int, special int) (*candidate, error) {
	var p []int
	if special > 0 {
		p = []int{special}
	}
	params, err := newParameters(logN, sizes, p, c.target.Security)
	if err != nil {
		return nil, fmt.Errorf("encrypted: %w", err)
	}
	slots := params.MaxSlots()
	groups := (c.target.Batch + slots - 1) / slots
	features, outputs := c.stages[0].cols, c.tail().rows
	b := program.NewBuilder(params)
	hints := program.NoiseHints{Magnitude: map[program.Value]float64{}}
	b.Scope("input")
	in := b.Input(program.Port{Name: "input", Count: features * groups, Level: params.MaxLevel(), Degree: 1, LogSlots: params.LogMaxSlots(),
		Scale: fhe.PowerOfTwo(bits), Bound: rangeMargin * c.input, Layout: columns(groups, slots, features)})
	quantised := make([]*stage, len(c.stages))
	matrices := make([]*program.Constant, len(c.stages))
	for i := range c.stages {
		if quantised[i], matrices[i], err = c.quantise(i, wb); err != nil {
			return nil, err
		}
	}
	var out []program.Value
	for g := range groups {
		x := program.Range{First: in[g*features], Count: features}
		for i, st := range c.stages {
			if x, err = c.batchStage(b, i, st, quantised[i], matrices[i], x, bits); err != nil {
				return nil, err
			}
		}
		for k := range outputs {
			out = append(out, x.First+program.Value(k))
		}
	}
	b.Scope("output")
	port := b.OutputPort("output", out[0], rangeMargin*c.tail().post.abs(), columns(groups, slots, outputs))
	port.Count = len(out)
	b.Output(port, out...)
	prog, consts, err := b.Build()
	if err != nil {
		return nil, fmt.Errorf("encrypted: %w", err)
	}
	found := &candidate{prog: prog, consts: consts, stages: quantised, samples: groups * slots}
	propagate(prog, consts, c.inputSamples(in[:features]), &hints)
	found.bits, found.worst, err = c.judge(prog, consts, hints)
	return found, err
}

// columns is the layout of groups of slots samples of n numbers: one ciphertext per group and number.
func columns(groups, slots, n int) program.Layout {
	l := program.Layout{Shape: []int{groups * slots, n}}
	for g := range groups {
		for k := range n {
			l.Runs = append(l.Runs, program.Run{Ciphertext: g*n + k, SlotStep: 1, Index: g*slots*n + k, IndexStep: n, Length: slots})
		}
	}
	return l
}

// inputSamples returns some calibration samples, feature by feature.
func (c *compiler) inputSamples(in []program.Value) map[program.Value][]float64 {
	n := min(c.target.Calibration.Rows(), 64)
	seeds := make(map[program.Value][]float64, len(in))
	for k, v := range in {
		s := make([]float64, n)
		for i := range s {
			s[i] = c.target.Calibration.Data[i*len(in)+k]
		}
		seeds[v] = s
	}
	return seeds
}

// quantise rounds the stage's weights to wb bits, sign included. It returns the stage that the twin computes, and the
// integers.
func (c *compiler) quantise(i, wb int) (*stage, *program.Constant, error) {
	f, log := c.folded(i), c.weightScale(i, wb)
	scale := math.Exp2(float64(log))
	twin := *c.stages[i]
	twin.w = make([]float64, len(f.w))
	undo := 1.0
	if twin.act == actPolynomial {
		undo, _ = twin.poly.ChangeOfBasis()
	}
	rows := make([][]int64, f.rows)
	for r := range rows {
		rows[r] = make([]int64, f.cols)
		for k := range rows[r] {
			w := math.Round(f.w[r*f.cols+k] * scale)
			rows[r][k] = int64(w)
			twin.w[r*f.cols+k] = w / scale / undo
		}
	}
	m, err := program.NewWeights(rows, fhe.PowerOfTwo(log))
	if err != nil {
		return nil, nil, fmt.Errorf("encrypted: weights of %s: %w", f.name, err)
	}
	return &twin, m, nil
}

func (c *compiler) batchStage(b *program.Builder, i int, st, q *stage, m *program.Constant, x program.Range, bits int) (program.Range, error) {
	f := c.folded(i)
	b.Scope(st.name)
	sums := make([]program.Value, st.rows)
	for r := range sums {
		sums[r] = b.Lincomb([]program.Range{x}, m, r)
	}
	vals := make([]program.Value, st.rows)
	scale := b.Scale(sums[0]).Big()
	for r := range vals {
		// The bias is exact to the scale's precision, so the twin keeps the model's.
		bias, _ := new(big.Float).SetPrec(fhe.ScalePrecision).Mul(big.NewFloat(f.b[r]), scale).Int(nil)
		vals[r] = b.AddConst(sums[r], bias, new(big.Int))
	}
	if st.act != actNone {
		b.Scope(fmt.Sprintf("%s after %s", st.activationName, st.name))
	}
	switch st.act {
	case actSquare:
		for r, v := range vals {
			if c.multipliesAfter(i) {
				vals[r] = b.MulRelin(v, v)
			} else {
				vals[r] = b.Mul(v, v)
			}
		}
		if c.multipliesAfter(i) {
			for r, v := range vals {
				vals[r] = b.Rescale(v)
			}
		}
	case actPolynomial:
		work := int(math.Round(b.Scale(vals[0]).Log2()))
		for r, v := range vals {
			var err error
			if vals[r], err = polyeval.Evaluate(b, v, st.poly, fhe.PowerOfTwo(c.polyTarget(i, bits, work))); err != nil {
				return x, fmt.Errorf("encrypted: %s after %s: %w", st.activationName, st.name, err)
			}
		}
		// Linear combinations take ranges of values: bring the results together by an operation
		// that copies nothing.
		if len(vals) > 1 {
			for r, v := range vals {
				vals[r] = b.SetScale(v, b.Scale(v))
			}
		}
	}
	return program.Range{First: vals[0], Count: len(vals)}, b.Err()
}
