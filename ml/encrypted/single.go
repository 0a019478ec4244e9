package encrypted

import (
	"fmt"
	"math"

	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/lintrans"
	"github.com/signet-ml/signet/fhe/polyeval"
	"github.com/signet-ml/signet/fhe/program"
)

// One sample in one ciphertext. A stage is a diagonal product, rescaled before its rotate-and-sum, plus the bias, then
// the activation. The last product is not rescaled: the client divides by its scale. Values between stages repeat with
// the period of the matrix's rows, so no slot ever holds a partial sum.

// singleShape is how the stages are computed in one ring.
type singleShape struct {
	logN    int
	rescale bool // the last product too
	shapes  []lintrans.Shape
	levels  int // of the input
	encode  *fhe.Encoder
}

// singleChoices returns what can be tried in a ring, best first: primes below 2^49.5, then any; a last product that is
// left at its scale, then one that is rescaled, for which it needs another level but no large prime.
func (c *compiler) singleChoices(logN int) ([]choice, error) {
	var out []choice
	for _, rescale := range []bool{false, true} {
		if rescale && c.tail().act != actNone {
			break // it is anyway
		}
		s, err := c.shape(logN, rescale)
		if err != nil {
			return nil, err
		}
		for _, cap := range []int{fastBits, maxBits} {
			out = append(out, c.singleSizes(s, cap)...)
		}
	}
	return out, nil
}

// singleSizes returns the choices whose largest prime lies above the cap before, smallest first.
func (c *compiler) singleSizes(s *singleShape, cap int) []choice {
	var out []choice
	for bits := s.logN + 8; bits <= min(cap, 50); bits++ {
		// A last product that is not rescaled has weights of its own size, as large as the first prime holds beside the
		// value; all others have those of a prime.
		for _, short := range []int{16, 12, 8, 4, 0} {
			w := bits - short
			if w < 8 || short != 0 && c.rescales(len(c.stages)-1, s.rescale) {
				continue
			}
			first := c.firstPrime(s, bits, w)
			q := []int{max(bits, int(math.Ceil(first)))}
			special := 0
			if c.needsKeys(s) {
				// A little larger than the largest digit: switching keys then adds less noise than rounding does.
				special = min(cap, q[0]+1)
			}
			if q[0] > cap || cap > fastBits && max(q[0], special) <= fastBits {
				continue
			}
			for range s.levels {
				q = append(q, bits)
			}
			out = append(out, choice{q: q, base: 1, special: special, bits: bits, weights: w, series: [2]int{short, s.levels}, single: s})
		}
	}
	return out
}

// firstPrime returns the bits of the first prime that holds every value together with the primes left at its level.
func (c *compiler) firstPrime(s *singleShape, bits, w int) float64 {
	first, left := 0.0, s.levels
	for i, st := range c.stages {
		scale, before := bits, st.wide
		if st.act == actPolynomial {
			before = rangeMargin // mapped to [-1, 1]
		}
		if c.rescales(i, s.rescale) {
			left--
		} else {
			scale += w
		}
		first = max(first, float64(scale-left*bits)+bitsFor(before))
		left -= st.depth(false)
		first = max(first, float64(scale-left*bits)+bitsFor(st.reach()))
	}
	return first
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
func (c *compiler) shape(logN int, rescale bool) (*singleShape, error) {
	slots := 1 << (logN - 1)
	s := &singleShape{logN: logN, rescale: rescale, shapes: make([]lintrans.Shape, len(c.stages))}
	for i, st := range c.stages {
		s.levels += st.depth(c.rescales(i, rescale))
	}
	level, period := s.levels, 0
	for i, st := range c.stages {
		rows, cols := st.rows, st.cols
		if c.fill(i) {
			rows = pow2(rows)
		}
		free := i == 0
		if !free {
			cols = period // what repeats is the padded result of the stage before
		}
		sum := level
		if c.rescales(i, rescale) {
			sum--
		}
		sh, err := lintrans.Choose(slots, rows, cols, free, level, sum, 1, lintrans.DefaultCost)
		if err != nil {
			return nil, &unfitError{st.name, err}
		}
		s.shapes[i] = sh
		period = sh.R
		level -= st.depth(c.rescales(i, rescale))
	}
	return s, nil
}

// rescales reports whether the product of stage i is rescaled: all but a last one without activation, and that one if
// last is set.
func (c *compiler) rescales(i int, last bool) bool {
	return last || i < len(c.stages)-1 || c.stages[i].act != actNone
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

// emitSingle emits the program for one choice.
func (c *compiler) emitSingle(ch choice) (*candidate, error) {
	s, bits := ch.single, ch.bits
	params, err := c.parameters(s.logN, ch)
	if err != nil {
		return nil, err
	}
	if s.encode == nil {
		s.encode = fhe.NewEncoder(params)
	}
	logSlots := s.logN - 1
	b := program.NewBuilder(params)
	hints := program.NoiseHints{Magnitude: map[program.Value]float64{}}
	seeds := map[program.Value][]float64{}
	b.Scope("input")
	v := b.Input(program.Port{Name: "input", Count: 1, Level: s.levels, Degree: 1, LogSlots: logSlots, Scale: fhe.PowerOfTwo(bits),
		Bound: rangeMargin * c.input, Layout: program.Layout{Shape: []int{c.stages[0].cols}, Runs: s.shapes[0].Runs()}})[0]
	hints.Magnitude[v] = c.stages[0].inputRMS
	for i, st := range c.stages {
		sh := s.shapes[i]
		// The weights' scale leads the product to the scale that the activation wants: the prime's own size, so that a
		// square rescales to it again.
		weights := fhe.PowerOfTwo(ch.weights)
		if c.rescales(i, s.rescale) {
			target := fhe.PowerOfTwo(bits)
			weights = target.Mul(fhe.ScaleFromInt(params.Prime(b.Level(v)))).Div(b.Scale(v))
		}
		mat, bias := c.padded(i, sh)
		diagonals, err := encodeRows(s.encode, sh.Diagonals(mat), logSlots, weights)
		if err != nil {
			return nil, fmt.Errorf("encrypted: weights of %s: %w", st.name, err)
		}
		b.Scope(st.name)
		v = sh.Emit(b, v, diagonals, c.rescales(i, s.rescale))
		if b.Err() != nil {
			return nil, fmt.Errorf("encrypted: %s: %w", st.name, b.Err())
		}
		if anyNonZero(bias) {
			z := make([]complex128, sh.Slots)
			for t := range z {
				z[t] = complex(bias[t&(sh.R-1)], 0)
			}
			c, err := encodeRows(s.encode, [][]complex128{z}, logSlots, b.Scale(v))
			if err != nil {
				return nil, fmt.Errorf("encrypted: bias of %s: %w", st.name, err)
			}
			v = b.AddPt(v, c, 0)
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
				return nil, &unfitError{st.name, fmt.Errorf("%s after it: %w", st.activationName, err)}
			}
			hints.Magnitude[v] = st.postRMS
		}
	}
	b.Scope("output")
	rows := c.tail().rows
	b.Output(b.OutputPort("output", v, c.tail().reach(), program.Layout{Shape: []int{rows},
		Runs: []program.Run{{SlotStep: 1, IndexStep: 1, Length: rows}}}), v)
	prog, consts, err := b.Build()
	if err != nil {
		return nil, fmt.Errorf("encrypted: %w", err)
	}
	found := &candidate{prog: prog, consts: consts, stages: c.stages, samples: 1}
	propagate(prog, consts, seeds, &hints)
	return found, c.judge(found, hints)
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
