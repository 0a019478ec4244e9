package encrypted

import (
	"errors"
	"fmt"
	"math"
	"math/big"

	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/lintrans"
	"github.com/signet-ml/signet/fhe/polyeval"
	"github.com/signet-ml/signet/fhe/program"
)

// One sample in one ciphertext. A stage is a diagonal product, rescaled before its rotate-and-sum, plus the bias, then
// the activation. The last product is not rescaled: the client divides by its scale. Values between stages repeat with
// the period of the matrix's rows, so no slot ever holds a partial sum.

// single searches the smallest ring, and in it the smallest primes, at which the noise model promises the precision.
func (c *compiler) single() (*candidate, error) {
	return c.search(c.singleAt)
}

// search tries ring degrees in ascending order. What is lacking is reported for the largest.
func (c *compiler) search(at func(logN int) (*candidate, error)) (*candidate, error) {
	var last *InfeasibleError
	for logN := minLogN; logN <= maxLogN; logN++ {
		found, err := at(logN)
		if err == nil {
			return found, nil
		}
		if !errors.As(err, &last) {
			return nil, err
		}
	}
	last.Nearest = "use fewer or smaller layers, or activations of a smaller range"
	for p := math.Ceil(c.target.Precision) - 1; p >= 4; p-- {
		c.target.Precision = p
		if _, err := at(maxLogN); err == nil {
			last.Nearest = fmt.Sprintf("a target of %.0f bits of precision works", p)
			break
		}
	}
	return nil, last
}

// maxBase is the largest number of primes that hold the output.
const maxBase = 2

// singleShape is how the stages are computed in one ring.
type singleShape struct {
	logN   int
	base   int // primes that hold the output
	shapes []lintrans.Shape
	levels []int // of each stage's input
	encode *fhe.Encoder
}

func (c *compiler) singleAt(logN int) (*candidate, error) {
	limit, ok := fhe.SecurityLimit(c.target.Security, logN, fhe.SecretDistribution{})
	if !ok {
		return nil, &InfeasibleError{Layer: c.stages[0].name, Row: fmt.Sprintf("%v, N=2^%d: no row in the tables", c.target.Security, logN)}
	}
	// The output takes one prime if it holds scale, weights and value, and more where it does not.
	shapes := make([]*singleShape, maxBase)
	for base := range shapes {
		s, err := c.shape(logN, base+1)
		if err != nil {
			return nil, &InfeasibleError{Layer: c.tail().name, Row: err.Error()}
		}
		shapes[base] = s
	}
	levels := shapes[0].levels[0]
	out := int(math.Ceil(bitsFor(rangeMargin * c.tail().post.abs())))
	return c.smallest(limit, levels, logN, maxBase, func(bits, n, cap int) (*candidate, int, error) {
		s := shapes[n-1]
		var best *candidate
		missing := math.MaxInt
		// The last weights get some of the bits that the first prime holds beside the value.
		for w := bits - 16; w <= bits; w += 4 {
			first := bits + out
			if c.tail().act != actPolynomial {
				first += w
			} else if w != bits {
				continue
			}
			// The special prime is a little larger than the largest digit: switching keys then adds less noise than
			// rounding does.
			base := max((first+n-1)/n, logN+8)
			largest, special := max(base, bits), 0
			if w < 8 || largest > cap {
				continue
			}
			if c.needsKeys(s) {
				special = min(cap, largest+1)
			}
			if over := n*base + levels*bits + special - int(limit); over > 0 {
				missing = min(missing, over)
				continue
			}
			found, err := c.singleWith(s, bits, w, base, special)
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

// smallest returns the candidate of the fewest primes and then the fewest bits that is precise enough, with primes below
// 2^49.5 if they serve and larger ones if not. at compiles for a scale of 2^bits with an output held by base primes, none
// of more than cap bits; it returns no candidate but the bits of modulus that are missing where none is legal.
func (c *compiler) smallest(limit float64, levels, logN, maxBase int, at func(bits, base, cap int) (*candidate, int, error)) (*candidate, error) {
	row := fmt.Sprintf("%v, N=2^%d, log2(QP) at most %.0f", c.target.Security, logN, limit)
	bestWorst, missing := math.Inf(-1), math.MaxInt
	for option := range 2 * maxBase {
		base, cap := option/2+1, [2]int{fastBits, maxBits}[option%2]
		// Precision rises with the bits until the weights get too few of those that are left, so every third size is
		// looked at, and then the ones that were passed over.
		const stride = 3
		var found *candidate
		try := func(bits int) error {
			f, m, err := at(bits, base, cap)
			if err != nil {
				return err
			}
			if missing = min(missing, m); f != nil {
				bestWorst = max(bestWorst, f.worst)
				if c.enough(f.worst) {
					found = f
				}
			}
			return nil
		}
		bits := logN + 8 // enough primes of that size exist
		for ; bits <= cap && found == nil; bits += stride {
			if err := try(bits); err != nil {
				return nil, err
			}
		}
		if found == nil {
			continue
		}
		for b := max(logN+8, bits-2*stride+1); b < bits-stride; b++ {
			larger := found
			found = nil
			if err := try(b); err != nil {
				return nil, err
			}
			if found != nil {
				return found, nil
			}
			found = larger
		}
		return found, nil
	}
	e := &InfeasibleError{Layer: c.where(levels), Levels: levels, Missing: float64(missing), Row: row}
	if !math.IsInf(bestWorst, -1) {
		e.Precision, e.Missing = true, c.target.Precision+predictionMargin-bestWorst
	}
	return nil, e
}

// where names the stage that holds the middle of the levels.
func (c *compiler) where(levels int) string {
	used := 0
	for i, s := range c.stages {
		if used += s.depth(i < len(c.stages)-1); 2*used > levels {
			return s.name
		}
	}
	return c.tail().name
}

func (c *compiler) needsKeys(s *singleShape) bool {
	for i, sh := range s.shapes {
		if sh.K > 1 || len(sh.Sums) > 0 || c.stages[i].act != actNone {
			return true
		}
	}
	return false
}

// shape chooses how every product is computed in a ring, and encodes nothing yet.
func (c *compiler) shape(logN, base int) (*singleShape, error) {
	slots := 1 << (logN - 1)
	s := &singleShape{logN: logN, base: base, shapes: make([]lintrans.Shape, len(c.stages)), levels: make([]int, len(c.stages))}
	level := base - 1
	for i := len(c.stages) - 1; i >= 0; i-- {
		level += c.stages[i].depth(c.rescales(i))
		s.levels[i] = level
	}
	period := 0
	for i, st := range c.stages {
		rows, cols := st.rows, st.cols
		if c.fill(i) {
			rows = pow2(rows)
		}
		free := i == 0
		if !free {
			cols = period // what repeats is the padded result of the stage before
		}
		sum := s.levels[i]
		if c.rescales(i) {
			sum--
		}
		sh, err := lintrans.Choose(slots, rows, cols, free, s.levels[i], sum, 1, lintrans.DefaultCost)
		if err != nil {
			return nil, err
		}
		if c.target.BabySteps > 0 {
			sh.N1 = min(c.target.BabySteps, sh.K)
		}
		s.shapes[i] = sh
		period = sh.R
	}
	return s, nil
}

// rescales reports whether the product of stage i is rescaled: all but a last one without activation.
func (c *compiler) rescales(i int) bool {
	return i < len(c.stages)-1 || c.stages[i].act != actNone
}

// fill reports whether the unused rows of a stage repeat its used ones: after a polynomial, slots that hold zero would
// not stay zero, so the last stage leaves none.
func (c *compiler) fill(i int) bool {
	return i == len(c.stages)-1 && c.stages[i].act == actPolynomial
}

func pow2(n int) int {
	p := 1
	for p < n {
		p *= 2
	}
	return p
}

// padded returns the stage's matrix and bias as the shape wants them: with the columns of the value before it, and with
// the change of basis of a polynomial folded in.
func (c *compiler) padded(i int, sh lintrans.Shape) (w, b []float64) {
	st := c.stages[i]
	scale, shift := 1.0, 0.0
	if st.act == actPolynomial {
		scale, shift = st.poly.ChangeOfBasis()
	}
	w, b = make([]float64, sh.Rows*sh.Cols), make([]float64, sh.R)
	for r := range b {
		src := r
		if c.fill(i) {
			src = r % st.rows
		}
		if src >= st.rows {
			continue
		}
		b[r] = st.b[src]*scale + shift
		if r < sh.Rows {
			for k := range st.cols {
				w[r*sh.Cols+k] = st.w[src*st.cols+k] * scale
			}
		}
	}
	return w, b
}

// singleWith emits the program for one choice of sizes: primes of base bits that hold the output, above them one of bits
// for each rescale, and the special one; weights of w bits in the last product.
func (c *compiler) singleWith(s *singleShape, bits, w, base, special int) (*candidate, error) {
	q := make([]int, s.levels[0]+1)
	for i := range q {
		if q[i] = bits; i < s.base {
			q[i] = base
		}
	}
	var p []int
	if special > 0 {
		p = []int{special}
	}
	params, err := newParameters(s.logN, q, p, c.target.Security)
	if err != nil {
		return nil, fmt.Errorf("encrypted: %w", err)
	}
	if s.encode == nil {
		s.encode = fhe.NewEncoder(params)
	}
	logSlots := s.logN - 1
	b := program.NewBuilder(params)
	hints := program.NoiseHints{Magnitude: map[program.Value]float64{}}
	seeds := map[program.Value][]float64{}
	b.Scope("input")
	v := b.Input(program.Port{Name: "input", Count: 1, Level: s.levels[0], Degree: 1, LogSlots: logSlots, Scale: fhe.PowerOfTwo(bits),
		Bound: rangeMargin * c.input, Layout: program.Layout{Shape: []int{c.stages[0].cols}, Runs: s.shapes[0].Runs()}})[0]
	hints.Magnitude[v] = c.stages[0].inputRMS
	for i, st := range c.stages {
		sh := s.shapes[i]
		// The weights' scale leads the product to the scale that the activation wants: the prime's own size, so that a
		// square rescales to it again.
		weights := fhe.PowerOfTwo(w)
		if c.rescales(i) {
			target := fhe.PowerOfTwo(bits)
			weights = target.Mul(fhe.ScaleFromInt(params.Prime(b.Level(v)))).Div(b.Scale(v))
		}
		mat, bias := c.padded(i, sh)
		diagonals, err := encodeRows(s.encode, sh.Diagonals(mat), logSlots, weights)
		if err != nil {
			return nil, fmt.Errorf("encrypted: weights of %s: %w", st.name, err)
		}
		b.Scope(st.name)
		v = sh.Emit(b, v, diagonals, c.rescales(i))
		if b.Err() != nil {
			return nil, fmt.Errorf("encrypted: %s: %w", st.name, b.Err())
		}
		if anyNonZero(bias) {
			z := make([]complex128, sh.Slots)
			for t := range z {
				z[t] = complex(bias[t&(sh.R-1)], 0)
			}
			if v, err = addBias(b, s.encode, v, z, logSlots); err != nil {
				return nil, fmt.Errorf("encrypted: bias of %s: %w", st.name, err)
			}
		}
		hints.Magnitude[v] = st.preRMS
		switch st.act {
		case actSquare:
			b.Scope(fmt.Sprintf("%s after %s", st.activationName, st.name))
			v = b.Rescale(b.MulRelin(v, v))
			hints.Magnitude[v] = st.postRMS
		case actPolynomial:
			b.Scope(fmt.Sprintf("%s after %s", st.activationName, st.name))
			hints.Magnitude[v] = 1 / math.Sqrt2 // mapped to [-1, 1]
			seeds[v] = st.mapped()
			if v, err = polyeval.Evaluate(b, v, st.poly, fhe.PowerOfTwo(bits)); err != nil {
				return nil, fmt.Errorf("encrypted: %s after %s: %w", st.activationName, st.name, err)
			}
			hints.Magnitude[v] = st.postRMS
		}
	}
	b.Scope("output")
	rows := c.tail().rows
	b.Output(b.OutputPort("output", v, rangeMargin*c.tail().post.abs(), program.Layout{Shape: []int{rows},
		Runs: []program.Run{{SlotStep: 1, IndexStep: 1, Length: rows}}}), v)
	prog, consts, err := b.Build()
	if err != nil {
		return nil, fmt.Errorf("encrypted: %w", err)
	}
	found := &candidate{prog: prog, consts: consts, stages: c.stages, samples: 1}
	propagate(prog, consts, seeds, &hints)
	found.bits, found.worst, err = c.judge(prog, consts, hints)
	return found, err
}

// biasBits is the largest scale at which a bias is encoded: its integers must fit a constant.
const biasBits = 54

// addBias adds slot values at the scale of v. At a large scale they are encoded at a smaller one and multiplied by the
// integer that is between.
func addBias(b *program.Builder, e *fhe.Encoder, v program.Value, z []complex128, logSlots int) (program.Value, error) {
	scale, shift := b.Scale(v), 0
	if log := int(scale.Log2()); log > biasBits {
		shift = log - biasBits
		scale = scale.Div(fhe.PowerOfTwo(shift))
	}
	c, err := encodeRows(e, [][]complex128{z}, logSlots, scale)
	if err != nil || shift == 0 {
		return b.AddPt(v, c, 0), err
	}
	bias := b.AddPt(b.Zero(b.Level(v), 0, logSlots, scale), c, 0)
	return b.Add(v, b.MulConst(bias, new(big.Int).Lsh(big.NewInt(1), uint(shift)), new(big.Int), fhe.PowerOfTwo(shift))), nil
}

func anyNonZero(v []float64) bool {
	for _, x := range v {
		if x != 0 {
			return true
		}
	}
	return false
}

func encodeRows(e *fhe.Encoder, rows [][]complex128, logSlots int, scale fhe.Scale) (*program.Constant, error) {
	out := make([][]int64, len(rows))
	for i, r := range rows {
		var err error
		if out[i], err = e.Encode(r, logSlots, scale); err != nil {
			return nil, err
		}
	}
	return program.NewPolynomials(out, logSlots, scale)
}
