package encrypted

import (
	"fmt"
	"math"
	"slices"
	"sync"

	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/lintrans"
	"github.com/signet-ml/signet/fhe/program"
	"github.com/signet-ml/signet/ml/internal/parallel"
)

// One sample in one or a few ciphertexts. A stage is a sum of products, rescaled before its rotate-and-sum, plus the
// bias, then the activation. The last product is not rescaled where that saves a level: the client divides by its
// scale. Every slot of a stage's result is an element or what the activation makes of zero, so no slot ever holds a
// partial sum.

// singleShape is how the stages are computed in one ring.
type singleShape struct {
	logN     int
	specials int  // special primes
	rescale  bool // the last product too
	levels   int  // of the input
	steps    []step
	once     sync.Once
	err      error
	encode   *fhe.Encoder
}

func (s *singleShape) slots() int { return 1 << (s.logN - 1) }

// maxSpecials is the largest number of special primes that is tried. More of them take modulus but make fewer digits,
// so switching keys are smaller and faster in deep programs.
const maxSpecials = 4

// singleChoices returns what can be tried in a ring, best first: primes below 2^49.5, then any; a last product that is
// left at its scale, then one that is rescaled, for which it needs another level but no large prime.
func (c *compiler) singleChoices(logN int) []choice {
	var out []choice
	for _, rescale := range []bool{false, true} {
		if rescale && c.tail().act != actNone {
			break // it is anyway
		}
		levels := 0
		for i, st := range c.stages {
			levels += st.depth(c.rescales(i, rescale))
		}
		for k := 1; k <= max(1, min(maxSpecials, levels/3)); k++ {
			s := &singleShape{logN: logN, specials: k, rescale: rescale, levels: levels}
			for _, cap := range []int{fastBits, maxBits} {
				out = append(out, c.singleSizes(s, cap)...)
			}
		}
	}
	return out
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
			// A little larger than the largest digit: switching keys then adds less noise than rounding does.
			special := min(cap, q[0]+1)
			if s.specials > 1 {
				special = min(cap, (q[0]+1+(s.specials-1)*bits+s.specials-1)/s.specials)
			}
			if q[0] > cap || cap > fastBits && max(q[0], special) <= fastBits {
				continue
			}
			for range s.levels {
				q = append(q, bits)
			}
			ch := choice{q: q, base: 1, bits: bits, weights: w, series: [3]int{short, s.levels, s.specials}, single: s}
			for range s.specials {
				ch.special = append(ch.special, special)
			}
			out = append(out, ch)
		}
	}
	return out
}

// firstPrime returns the bits of the first prime that holds every value together with the primes left at its level.
func (c *compiler) firstPrime(s *singleShape, bits, w int) float64 {
	first, left := 0.0, s.levels
	for i, st := range c.stages {
		scale, before := bits-st.preBits(), st.wide
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
		if st.act != actNone {
			scale = bits - st.postBits()
		}
		first = max(first, float64(scale-left*bits)+bitsFor(st.reach()))
	}
	return first
}

// rescales reports whether the product of stage i is rescaled: all but a last one without activation, and that one if
// last is set.
func (c *compiler) rescales(i int, last bool) bool {
	return last || i < len(c.stages)-1 || c.stages[i].act != actNone
}

// singleEmitter emits the program of one choice.
type singleEmitter struct {
	c       *compiler
	s       *singleShape
	b       *program.Builder
	bits    int
	weights int
	draft   bool
	private privateWeights // where weights are encrypted, or nil
	input   []program.Value
	values  [][]program.Value // results of the stages
	hints   program.NoiseHints
	seeds   map[program.Value][]float64
	domains []program.Domain
}

// emitSingle emits the program for one choice. A draft has constants of the right magnitude only: enough to predict
// noise and cost, in a fraction of the time.
func (c *compiler) emitSingle(ch choice, draft bool) (*candidate, error) {
	s := ch.single
	params, err := c.parameters(s.logN, ch)
	if err != nil {
		return nil, err
	}
	s.once.Do(func() { s.err = c.layOut(s); s.encode = fhe.NewEncoder(params) })
	if s.err != nil {
		return nil, s.err
	}
	e := &singleEmitter{c: c, s: s, b: program.NewBuilder(params), bits: ch.bits, weights: ch.weights, draft: draft,
		hints: program.NoiseHints{Magnitude: map[program.Value]float64{}, PublicKey: map[string]bool{}}, seeds: map[program.Value][]float64{}}
	if c.target.EncryptedWeights {
		e.private = privateWeights{}
	}
	runs, count := s.runs(c.inputLen())
	e.b.Scope("input")
	e.input = e.b.Input(program.Port{Name: "input", Count: count, Level: s.levels, Degree: 1, LogSlots: s.logN - 1,
		Scale: fhe.PowerOfTwo(e.bits), Bound: e.bound(c.input), Layout: program.Layout{Shape: []int{c.inputLen()}, Runs: runs}, Features: c.features(0)})
	for _, v := range e.input {
		e.hints.Magnitude[v] = c.inputRMS
	}
	for i := range c.stages {
		if err := e.stage(i); err != nil {
			return nil, err
		}
	}
	e.b.Scope("output")
	outputs := outputRuns(c.tail().rows(), s.slots())
	out := e.values[len(e.values)-1][:len(outputs)] // what is left holds repetitions only
	port := e.b.OutputPort("output", out[0], e.bound(c.tail().reach()), program.Layout{Shape: []int{c.tail().rows()}, Runs: outputs})
	port.Count = len(out)
	e.b.Output(port, out...)
	prog, consts, err := e.b.Build()
	if err != nil {
		return nil, &unfitError{c.tail().name, err}
	}
	found := &candidate{prog: prog, consts: consts, stages: c.stages, samples: 1, private: e.private, domains: e.domains}
	return found, c.judge(found, e.hints, e.seeds)
}

// bound returns the bound of a port for values of a magnitude.
func (e *singleEmitter) bound(magnitude float64) float64 {
	if e.private != nil {
		return powerAbove(magnitude)
	}
	return magnitude
}

// outputRuns reads n elements one after the other.
func outputRuns(n, slots int) []program.Run {
	var runs []program.Run
	for ct := 0; ct*slots < n; ct++ {
		runs = append(runs, program.Run{Ciphertext: ct, SlotStep: 1, Index: ct * slots, IndexStep: 1, Length: min(slots, n-ct*slots)})
	}
	return runs
}

// stage emits one stage.
func (e *singleEmitter) stage(i int) error {
	st, b := e.c.stages[i], e.b
	rescale := e.c.rescales(i, e.s.rescale)
	b.Scope(st.name)
	level := e.s.levels
	for j := range i {
		level -= e.c.stages[j].depth(e.c.rescales(j, e.s.rescale))
	}
	v, err := e.products(i, level, rescale)
	if err != nil {
		return err
	}
	if v, err = e.bias(i, v); err != nil {
		return err
	}
	e.hint(v, st.preRMS)
	if b.Err() != nil {
		return &unfitError{st.name, b.Err()}
	}
	switch st.act {
	case actSquare:
		b.Scope(st.label())
		for k := range v {
			v[k] = b.Rescale(b.MulRelin(v[k], v[k]))
		}
		e.hint(v, st.postRMS)
	case actPolynomial:
		b.Scope(st.label())
		for k := range v {
			e.hints.Magnitude[v[k]] = 1 / math.Sqrt2 // mapped to [-1, 1]
			e.seeds[v[k]] = st.mapped()
			e.domains = append(e.domains, st.domain(v[k]))
			if v[k], err = st.poly.emit(b, v[k], fhe.PowerOfTwo(e.bits-st.postBits())); err != nil {
				return &unfitError{st.name, fmt.Errorf("%s: %w", st.label(), err)}
			}
		}
		e.hint(v, st.postRMS)
	}
	e.values = append(e.values, v)
	return nil
}

// hint tells the noise model how large values are.
func (e *singleEmitter) hint(v []program.Value, rms float64) {
	for _, x := range v {
		e.hints.Magnitude[x] = rms
	}
}

// products emits the sum of a stage's terms, rescaled if wanted, at the scale that the activation wants: the prime's
// own size, so that a square rescales to it again.
func (e *singleEmitter) products(i, level int, rescale bool) ([]program.Value, error) {
	b := e.b
	products := e.s.steps[i].products
	var total []program.Value
	var goal fhe.Scale // of the products
	late := len(products) == 1
	for j := range products {
		p := &products[j]
		x := e.input
		if p.from >= 0 {
			x = e.values[p.from]
		}
		x = slices.Clone(x)
		for k := range x {
			if b.Level(x[k]) > level {
				x[k] = b.Drop(x[k], level)
			}
			if p.pool != nil {
				x[k] = p.pool.Emit(b, x[k])
			}
		}
		if b.Err() != nil {
			return nil, b.Err()
		}
		switch {
		case j > 0:
		case rescale:
			goal = fhe.PowerOfTwo(e.bits - e.c.stages[i].preBits()).Mul(fhe.ScaleFromInt(b.Parameters().Prime(level)))
		default:
			bits := e.weights - e.c.stages[i].preBits()
			if p.from >= 0 {
				bits += e.c.stages[p.from].postBits()
			}
			goal = b.Scale(x[0]).Mul(fhe.PowerOfTwo(bits))
		}
		v, err := e.product(i, j, p, x, goal.Div(b.Scale(x[0])))
		if err != nil {
			return nil, err
		}
		if !late { // sums of different radices are completed before they are added
			v = p.sum(b, v)
		}
		for k := range v {
			if j > 0 {
				v[k] = b.Add(total[k], v[k])
			}
		}
		total = v
	}
	for k := range total {
		if rescale {
			total[k] = b.Rescale(total[k])
		}
	}
	if late {
		total = products[0].sum(b, total)
	}
	return total, nil
}

// product emits one product with weights at a scale.
func (e *singleEmitter) product(i, j int, p *product, x []program.Value, scale fhe.Scale) ([]program.Value, error) {
	b := e.b
	if e.private != nil {
		return e.encryptedProduct(i, j, p, x, scale)
	}
	var consts []*program.Constant
	for _, rows := range p.diagonals(e.s.steps[i].candidate.layout) {
		c, err := e.constant(rows, scale)
		if err != nil {
			return nil, &unfitError{e.c.stages[i].name, fmt.Errorf("weights: %w", err)}
		}
		consts = append(consts, c)
	}
	switch {
	case p.shape != nil:
		return []program.Value{p.shape.Emit(b, x[0], consts[0])}, nil
	case p.patches != nil:
		return []program.Value{p.patches.Emit(b, x, consts[0])}, nil
	}
	return p.general.Emit(b, x, consts), nil
}

// diagonals returns the slot values of the weights, by block.
func (p *product) diagonals(out lintrans.Layout) [][][]complex128 {
	switch {
	case p.shape != nil:
		return [][][]complex128{p.shape.Diagonals(p.m, out)}
	case p.patches != nil:
		return [][][]complex128{p.patches.DiagonalValues()}
	}
	return p.general.DiagonalValues()
}

// sum completes partial results.
func (p *product) sum(b *program.Builder, v []program.Value) []program.Value {
	switch {
	case p.shape != nil:
		return []program.Value{p.shape.Sum(b, v[0])}
	case p.patches != nil:
		return []program.Value{p.patches.Sum(b, v[0])}
	}
	return p.general.Sum(b, v)
}

// bias emits the addition of a stage's bias, with the basis of the polynomial after it folded in.
func (e *singleEmitter) bias(i int, v []program.Value) ([]program.Value, error) {
	st, out := e.c.stages[i], e.s.steps[i].candidate.layout
	scale, shift := st.basis()
	slots := e.s.slots()
	for k := range v {
		z := make([]complex128, slots)
		some := false
		for t := range z {
			if r := out[(k*slots+t)&(len(out)-1)]; r >= 0 {
				z[t] = complex(st.b[r]*scale+shift, 0)
				some = some || z[t] != 0
			}
		}
		switch {
		case e.private != nil:
			v[k] = e.b.Add(v[k], e.encryptedBias(i, k, z, e.b.Level(v[k]), e.b.Scale(v[k])))
		case some:
			c, err := e.constant([][]complex128{z}, e.b.Scale(v[k]))
			if err != nil {
				return nil, &unfitError{st.name, fmt.Errorf("bias: %w", err)}
			}
			v[k] = e.b.AddPt(v[k], c, 0)
		}
	}
	return v, nil
}

// constant encodes rows of slot values at a scale, on all processors.
func (e *singleEmitter) constant(rows [][]complex128, scale fhe.Scale) (*program.Constant, error) {
	logSlots := e.s.logN - 1
	out := make([][]int64, len(rows))
	errs := make([]error, len(rows))
	parallel.Each(len(rows), func(i int) {
		if e.draft {
			// One coefficient has the same root mean square in the slots.
			sum := 0.0
			for _, z := range rows[i] {
				sum += real(z)*real(z) + imag(z)*imag(z)
			}
			size := math.Sqrt(sum/float64(len(rows[i]))) * scale.Float64()
			if !(size < 1<<62) {
				errs[i] = fmt.Errorf("encoded, they reach 2^%.0f: their sizes lie too far apart", math.Log2(size))
				return
			}
			out[i] = make([]int64, 2*len(rows[i]))
			out[i][0] = int64(size)
			return
		}
		out[i], errs[i] = e.s.encode.Encode(rows[i], logSlots, scale)
	})
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return program.NewPolynomials(out, logSlots, scale)
}
