package encrypted

import (
	"encoding/binary"
	"fmt"
	"maps"
	"math"
	"math/big"
	"slices"

	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/program"
)

// A batch has one ciphertext per feature, samples in the slots. A stage is integer linear combinations plus the bias:
// integers cost no level, only their bits of headroom. A square stays of degree 2 if nothing but linear combinations
// follow it, so a network of one square needs no switching key at all and no special prime.

// weightBits are the sizes of integer weights that are tried, sign included: the first whose rounding leaves the precision
// that is asked for, and larger ones.
var weightBits = []int{8, 10, 12, 14, 16, 18, 20, 24, 28, 31}

// maxPort is the largest number of ciphertexts of a port. Programs refuse more too, but only after all of it is emitted.
const maxPort = 1 << 14

// batchChoices returns what can be tried in a ring, best first: primes below 2^49.5, then any; inputs at a growing scale,
// integers of growing size.
func (c *compiler) batchChoices() []choice {
	var out []choice
	for _, cap := range []int{fastBits, maxBits} {
		for bits := 14; bits <= 46; bits++ {
			for _, wb := range c.integerBits {
				if ch, ok := c.batchSizes(bits, wb, cap); ok {
					out = append(out, ch)
				}
			}
		}
	}
	return out
}

// relinearises reports whether an activation follows that of stage i: a square must then be relinearised.
func (c *compiler) relinearises(i int) bool {
	for _, s := range c.stages[i+1:] {
		if s.act != actNone {
			return true
		}
	}
	return false
}

// batchDepth returns the levels that stage i of a batch consumes.
func (c *compiler) batchDepth(i int) int {
	if st := c.stages[i]; st.act == actPolynomial || st.act == actSquare && c.relinearises(i) {
		return st.depth(false)
	}
	return 0
}

// batchSizes returns the primes for inputs at a scale of 2^bits and weights of wb bits, none above cap: rescaling primes
// of the scale that they divide away, and below them as many equal ones as hold every value.
func (c *compiler) batchSizes(bits, wb, cap int) (choice, bool) {
	scale := bits         // log2, of the value
	var rescaling []int   // from the top level down
	need := float64(bits) // log2 of what the primes below those in rescaling must hold
	holds := func(magnitude float64) { need = max(need, float64(scale)+bitsFor(magnitude)) }
	rescale := func(prime int) {
		rescaling = append(rescaling, prime)
		need -= float64(prime) // what lies above the rescale had this prime as well
	}
	for i, st := range c.stages {
		scale += c.weightScale(i, wb)
		switch {
		case st.act == actPolynomial:
			holds(rangeMargin) // mapped to [-1, 1]
			for range st.poly.Depth() {
				rescale(scale)
			}
			scale = c.polyTarget(i, bits, scale)
		case st.act == actSquare && c.relinearises(i):
			holds(st.wide)
			rescale(scale)
		case st.act == actSquare:
			holds(st.wide)
			scale *= 2
		}
		holds(st.reach())
	}
	n := max(1, int(math.Ceil(need/float64(cap))))
	base := max(20, int(math.Ceil(need/float64(n))))
	ch := choice{base: n, bits: bits, weights: wb, series: [3]int{wb}}
	for range n {
		ch.q = append(ch.q, base)
	}
	for k := len(rescaling) - 1; k >= 0; k-- {
		ch.q = append(ch.q, rescaling[k])
		if rescaling[k] < 20 {
			return choice{}, false
		}
	}
	largest := slices.Max(ch.q)
	if len(rescaling) > 0 {
		largest++
		ch.special = []int{largest}
	}
	return ch, n <= 4 && largest <= cap && (cap == fastBits || largest > fastBits)
}

// overgrown returns the layer at which even the smallest scales are larger than any prime: a square leaves the scale
// that it found, so integer weights add their bits layer by layer.
func (c *compiler) overgrown() string {
	scale := 14
	for i, st := range c.stages {
		scale += c.weightScale(i, weightBits[0])
		if c.batchDepth(i) > 0 && scale >= maxBits {
			return st.name
		}
		if st.act == actPolynomial {
			scale = c.polyTarget(i, 14, scale)
		}
	}
	return c.tail().name
}

// polyTarget is the log2 of the scale that a polynomial's result has, from an input at the working scale: that of the
// next stage's input, or the working scale at the end, less the bits of its size.
func (c *compiler) polyTarget(i, bits, work int) int {
	if i == len(c.stages)-1 {
		bits = work
	}
	return bits - c.stages[i].postBits()
}

// weightScale is the log2 of the scale of stage i's integer weights: they fill wb bits with their sign.
func (c *compiler) weightScale(i, wb int) int {
	fold, _ := c.stages[i].basis()
	largest := c.stages[i].largest * fold
	if largest == 0 {
		return wb - 1
	}
	return int(math.Floor(math.Log2(float64(int(1)<<(wb-1)-1) / largest)))
}

// emitBatch emits the program for one choice and so many groups of samples, each as many as a ciphertext has slots.
// Parameters and noise do not depend on the number of groups. A draft has one polynomial in each layer, and is judged.
func (c *compiler) emitBatch(logN int, ch choice, groups int, draft bool) (*candidate, error) {
	bits := ch.bits
	params, err := c.parameters(logN, ch)
	if err != nil {
		return nil, err
	}
	slots := params.MaxSlots()
	features, outputs := c.inputLen(), c.tail().rows()
	if n := outputs * groups; n > maxPort {
		return nil, &unfitError{c.tail().name, fmt.Errorf("%d ciphertexts of results, a port has at most %d", n, maxPort)}
	}
	b := program.NewBuilder(params)
	hints := program.NoiseHints{Magnitude: map[program.Value]float64{}}
	b.Scope("input")
	in := b.Input(program.Port{Name: "input", Count: features * groups, Level: params.MaxLevel(), Degree: 1, LogSlots: params.LogMaxSlots(),
		Scale: fhe.PowerOfTwo(bits), Bound: c.input, Layout: columns(groups, slots, features), Features: c.features(c.norm)})
	q := c.integers[ch.weights]
	if err := b.Err(); err != nil { // features × groups may be more than a port holds
		return nil, &unfitError{c.stages[0].name, err}
	}
	var out []program.Value
	e := &batchEmitter{c: c, b: b, bits: bits, draft: draft, seeds: map[program.Value][]float64{}}
	for g := range groups {
		x := program.Range{First: in[g*features], Count: features}
		for i := range c.stages {
			if x, err = e.stage(i, q.rows[i], x); err != nil {
				return nil, err
			}
		}
		for k := range outputs {
			out = append(out, x.First+program.Value(k))
		}
	}
	b.Scope("output")
	port := b.OutputPort("output", out[0], c.tail().reach(), columns(groups, slots, outputs))
	port.Count = len(out)
	b.Output(port, out...)
	prog, consts, err := b.Build()
	if err != nil {
		return nil, &unfitError{c.tail().name, err}
	}
	found := &candidate{prog: prog, consts: consts, stages: q.stages, samples: groups * slots, domains: e.domains, alike: e.alike, rounding: q.rounding}
	if !draft {
		return found, nil
	}
	for v, s := range c.inputSamples(in) {
		e.seeds[v] = s
	}
	return found, c.judge(found, hints, e.seeds)
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

// followed is how many calibration samples are followed through the program of a batch.
func (c *compiler) followed() int { return min(len(c.inputs)/c.inputLen(), 64) }

// inputSamples returns some calibration samples, feature by feature.
func (c *compiler) inputSamples(in []program.Value) map[program.Value][]float64 {
	n := c.followed()
	seeds := make(map[program.Value][]float64, len(in))
	for k, v := range in {
		s := make([]float64, n)
		for i := range s {
			s[i] = c.inputs[i*len(in)+k]
		}
		seeds[v] = s
	}
	return seeds
}

// integerModel is a network with integer weights.
type integerModel struct {
	stages   []*stage
	rows     []*integerRows // by stage
	rounding float64        // the largest error of a score for the calibration set, relative to the largest score
}

// roundingSamples is how many calibration samples the rounding of weights is measured on.
const roundingSamples = 256

// quantiseAll finds the sizes of integers that leave the precision asked for.
func (c *compiler) quantiseAll() error {
	n := min(len(c.inputs)/c.inputLen(), roundingSamples)
	x := c.inputs[:n*c.inputLen()]
	want := scoresOf(c.stages, n, x)
	var failed error
	for _, wb := range weightBits {
		q := &integerModel{}
		var err error
		for i := range c.stages {
			st, rows, e := c.quantise(i, wb)
			if err = e; err != nil {
				break
			}
			q.stages, q.rows = append(q.stages, st), append(q.rows, rows)
		}
		if err != nil {
			failed = err
			continue
		}
		for i, v := range scoresOf(q.stages, n, x) {
			q.rounding = max(q.rounding, math.Abs(v-want[i]))
		}
		q.rounding /= c.tail().post.abs()
		c.integers[wb] = q
		if q.rounding < math.Exp2(-c.target.Precision) {
			c.integerBits = append(c.integerBits, wb)
		}
	}
	if len(c.integers) == 0 {
		return c.unfit(failed, "")
	}
	if len(c.integerBits) == 0 { // the search will say what is lacking
		c.integerBits = slices.Sorted(maps.Keys(c.integers))
	}
	return nil
}

// scoresOf returns the results of the last stage for n samples.
func scoresOf(stages []*stage, n int, x []float64) []float64 {
	values := make([][]float64, len(stages))
	for i, s := range stages {
		values[i] = s.linear(n, x, values)
		s.activate(values[i])
	}
	return values[len(values)-1]
}

// integerRows is a matrix of integers as linear combinations use it: every row is a row of a constant over ranges of
// columns. Rows of one width share a constant, equal rows are stored once: a convolution has few different ones.
type integerRows struct {
	constants []*program.Constant
	rows      []integerRow
}

type integerRow struct {
	constant, row int
	ranges        []program.Range // of columns, relative to the first
}

// quantise rounds the stage's weights to wb bits, sign included. It returns the stage that the twin computes, and the
// integers.
func (c *compiler) quantise(i, wb int) (*stage, *integerRows, error) {
	st := *c.stages[i]
	m, err := st.terms[0].whole()
	if err != nil {
		return nil, nil, err
	}
	log := c.weightScale(i, wb)
	scale := math.Exp2(float64(log))
	fold, _ := st.basis()
	twin := newRows(m.rows, m.cols)
	out := &integerRows{}
	widths := map[int]int{}     // the constant of a width
	seen := map[string][2]int{} // where a row is stored
	var rows [][][]int64        // by constant
	for r := range m.rows {
		cols, weights := m.Row(r)
		ranges := columnRanges(cols, m.cols)
		var ints []int64
		var key []byte
		k := 0
		for _, rg := range ranges {
			for col := int(rg.First); col < int(rg.First)+rg.Count; col++ {
				w := 0.0
				if k < len(cols) && int(cols[k]) == col {
					w = math.Round(float64(weights[k]*fold) * scale)
					k++
				}
				ints = append(ints, int64(w))
				key = binary.AppendVarint(key, int64(w))
				twin.add(col, w/scale/fold)
			}
		}
		twin.endRow()
		at, ok := seen[string(key)]
		if !ok {
			n, ok := widths[len(ints)]
			if !ok {
				n = len(rows)
				widths[len(ints)] = n
				rows = append(rows, nil)
			}
			at = [2]int{n, len(rows[n])}
			rows[n] = append(rows[n], ints)
			seen[string(key)] = at
		}
		out.rows = append(out.rows, integerRow{at[0], at[1], ranges})
	}
	for _, r := range rows {
		k, err := program.NewWeights(r, fhe.PowerOfTwo(log))
		if err != nil {
			return nil, nil, &unfitError{st.name, err}
		}
		out.constants = append(out.constants, k)
	}
	if !st.holds(m, twin.m) {
		return nil, nil, &unfitError{st.name, fmt.Errorf("weights of %d bits are too coarse", wb)}
	}
	st.terms = []term{{from: st.terms[0].from, m: twin.m}}
	return &st, out, nil
}

// holds reports whether the bounds of the stage's values are those of rounded weights too.
func (s *stage) holds(exact, rounded *linear) bool {
	squares := 0.0
	for r := range exact.rows {
		cols, weights := rounded.Row(r)
		v, most := s.in.row(cols, weights), s.before.each[r]
		if v.lo+s.b[r] < most.lo || v.hi+s.b[r] > most.hi {
			return false
		}
		at, w := exact.Row(r)
		k := 0
		for i, c := range cols { // rounded rows have all columns of exact ones, and zeros between
			d := weights[i]
			if k < len(at) && at[k] == c {
				d -= w[k]
				k++
			}
			squares += d * d
		}
	}
	return math.Sqrt(squares) <= (roundingMargin-1)*s.before.spectral
}

// columnRanges covers the columns of a row with ranges: all of them if the row is half full, and else as few as leave
// out gaps of more than two.
func columnRanges(cols []int32, all int) []program.Range {
	if 2*len(cols) >= all || len(cols) == 0 {
		return []program.Range{{First: 0, Count: all}}
	}
	var out []program.Range
	for _, c := range cols {
		if n := len(out); n > 0 && int(c)-int(out[n-1].First)-out[n-1].Count <= 2 {
			out[n-1].Count = int(c) - int(out[n-1].First) + 1
			continue
		}
		out = append(out, program.Range{First: program.Value(c), Count: 1})
	}
	return out
}

// over returns the ranges for a matrix whose first column is the value first.
func (r *integerRow) over(first program.Value) []program.Range {
	out := slices.Clone(r.ranges)
	for i := range out {
		out[i].First += first
	}
	return out
}

// batchEmitter emits the program of one choice.
type batchEmitter struct {
	c       *compiler
	b       *program.Builder
	bits    int
	draft   bool
	domains []program.Domain
	seeds   map[program.Value][]float64       // of a draft: samples of values that stand for others
	alike   map[program.Value][]program.Value // see candidate
}

// stage emits one stage of one group of samples on x.
func (e *batchEmitter) stage(i int, m *integerRows, x program.Range) (program.Range, error) {
	c, b, st := e.c, e.b, e.c.stages[i]
	fold, shift := st.basis()
	b.Scope(st.name)
	sums := make([]program.Value, st.rows())
	for r := range sums {
		row := &m.rows[r]
		sums[r] = b.Lincomb(row.over(x.First), m.constants[row.constant], row.row)
	}
	vals := make([]program.Value, st.rows())
	scale := b.Scale(sums[0]).Big()
	for r := range vals {
		// The bias is exact to the scale's precision, so the twin keeps the model's.
		bias, _ := new(big.Float).SetPrec(fhe.ScalePrecision).Mul(big.NewFloat(st.b[r]*fold+shift), scale).Int(nil)
		vals[r] = b.AddConst(sums[r], bias, new(big.Int))
	}
	if st.act != actNone {
		b.Scope(st.label())
	}
	switch st.act {
	case actSquare:
		for r, v := range vals {
			if c.relinearises(i) {
				vals[r] = b.MulRelin(v, v)
			} else {
				vals[r] = b.Mul(v, v)
			}
		}
		if c.relinearises(i) {
			for r, v := range vals {
				vals[r] = b.Rescale(v)
			}
		}
	case actPolynomial:
		if err := e.polynomials(i, vals); err != nil {
			return x, &unfitError{st.name, fmt.Errorf("%s: %w", st.label(), err)}
		}
	}
	if err := b.Err(); err != nil {
		return x, &unfitError{st.name, err}
	}
	return program.Range{First: vals[0], Count: len(vals)}, nil
}

// polynomials evaluates stage i's polynomial on values, in place. A draft evaluates it on the value with most noise,
// and lets others of its size stand for the rest: they are alike but for their inputs.
func (e *batchEmitter) polynomials(i int, vals []program.Value) error {
	b, st := e.b, e.c.stages[i]
	work := int(math.Round(b.Scale(vals[0]).Log2()))
	target := fhe.PowerOfTwo(e.c.polyTarget(i, e.bits, work))
	evaluate := func(v program.Value) (program.Value, error) {
		e.domains = append(e.domains, st.domain(v))
		return st.poly.emit(b, v, target)
	}
	if e.draft {
		loudest := st.loudest()
		y, err := evaluate(vals[loudest])
		if err != nil || b.Err() != nil {
			return err
		}
		// The results of a layer follow one another, as linear combinations want them.
		first := y + 1
		for r := range vals {
			if r == loudest {
				vals[r] = b.SetScale(y, b.Scale(y))
			} else {
				vals[r] = b.Zero(b.Level(y), 1, b.Parameters().LogMaxSlots(), b.Scale(y))
				e.seeds[vals[r]] = column(st.followed, st.rows(), r)
			}
		}
		if e.alike == nil {
			e.alike = map[program.Value][]program.Value{}
		}
		for r := range vals {
			if r != loudest {
				e.alike[y] = append(e.alike[y], first+program.Value(r))
			}
		}
		return nil
	}
	for r, v := range vals {
		var err error
		if vals[r], err = evaluate(v); err != nil {
			return err
		}
	}
	// Linear combinations take ranges of values: bring the results together. The same scale again is free.
	if len(vals) > 1 {
		for r, v := range vals {
			vals[r] = b.SetScale(v, b.Scale(v))
		}
	}
	return nil
}

// loudest returns the row of the first term with the largest weights as a whole: errors of its inputs come out largest.
func (s *stage) loudest() int {
	at, most := 0, -1.0
	for r := range s.rows() {
		_, weights := s.terms[0].m.Row(r)
		if n := euclidean(weights); n > most {
			at, most = r, n
		}
	}
	return at
}

// column returns column r of samples of n numbers.
func column(x []float64, n, r int) []float64 {
	out := make([]float64, len(x)/n)
	for i := range out {
		out[i] = x[i*n+r]
	}
	return out
}
