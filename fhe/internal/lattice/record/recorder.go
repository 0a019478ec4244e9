package record

import (
	"fmt"
	"math/big"

	"github.com/tuneinsight/lattigo/v5/core/rlwe"
	"github.com/tuneinsight/lattigo/v5/he"
	"github.com/tuneinsight/lattigo/v5/he/hefloat"
	"github.com/tuneinsight/lattigo/v5/ring"

	"github.com/signet-ml/signet/fhe/internal/lattice"
)

// A Tape records circuits under one parameter set. It is immutable and safe for concurrent use.
type Tape struct {
	params hefloat.Parameters
	keys   rlwe.EvaluationKeySet
}

// New returns a Tape for the primes and the default scale of ps. It fails if ps has no special primes, since every
// product is relinearised.
func New(ps *lattice.Params) (*Tape, error) {
	if ps.PCount() == 0 {
		return nil, fmt.Errorf("record: parameters without special primes cannot relinearise")
	}
	p, err := ps.Small()
	if err != nil {
		return nil, fmt.Errorf("record: %w", err)
	}
	if n := p.LevelsConsumedPerRescaling(); n != 1 {
		return nil, fmt.Errorf("record: %d primes per rescale, programs have one", n)
	}
	return &Tape{p, rlwe.NewMemEvaluationKeySet(rlwe.NewRelinearizationKey(p))}, nil
}

// Parameters returns the parameters of the ring that circuits run on.
func (t *Tape) Parameters() hefloat.Parameters { return t.params }

// Input is the shape of a ciphertext that a circuit starts from.
type Input struct {
	Level, Degree int
	Scale         Scale
}

// Record runs a circuit once and returns what it did. The circuit gets one ciphertext per input, may change them, and
// must do all arithmetic on r. Lattigo's panics come back as errors.
func (t *Tape) Record(inputs []Input, circuit func(r *Recorder, in []*rlwe.Ciphertext) (*rlwe.Ciphertext, error)) (c *Circuit, err error) {
	defer func() {
		if p := recover(); p != nil {
			c, err = nil, fmt.Errorf("record: the circuit panicked: %v", p)
		}
	}()
	r := &Recorder{eval: hefloat.NewEvaluator(t.params, t.keys), params: t.params, inputs: len(inputs), crt: map[int][]*big.Int{}}
	var cts []*rlwe.Ciphertext
	for i, in := range inputs {
		if in.Level < 0 || in.Level > t.params.MaxLevel() || in.Degree < 1 || in.Degree > 2 {
			return nil, fmt.Errorf("record: input %d of level %d and degree %d", i, in.Level, in.Degree)
		}
		ct := hefloat.NewCiphertext(t.params, in.Degree, in.Level)
		ct.Scale = rlwe.NewScale(in.Scale.Big())
		r.values = append(r.values, shape{in.Level, in.Degree, in.Scale})
		tag(ct.El(), len(r.values)-1)
		cts = append(cts, ct)
	}
	out, err := circuit(r, cts)
	if err != nil {
		return nil, fmt.Errorf("record: %w", err)
	}
	v, err := r.value(out.El()) // may record a last SetScale or Drop
	if err != nil {
		return nil, err
	}
	return &Circuit{Inputs: len(inputs), Records: r.records, Result: v}, nil
}

// A Recorder implements the interfaces that Lattigo's circuits ask of an evaluator. Every call runs on the real one,
// which decides level, degree and scale, and is written down. It is not safe for concurrent use.
type Recorder struct {
	eval    *hefloat.Evaluator
	params  hefloat.Parameters
	inputs  int
	values  []shape // by value number
	records []Record
	crt     map[int][]*big.Int // by level: the basis of the lift, and the product of the primes last
}

var (
	_ he.Evaluator             = (*Recorder)(nil)
	_ hefloat.EvaluatorForMod1 = (*Recorder)(nil)
)

type shape struct {
	level, degree int
	scale         Scale
}

type element = rlwe.Element[ring.Poly]

// tag makes el stand for value v.
func tag(el *element, v int) { el.Value[0].Coeffs[0][0] = uint64(v) + 1 }

// value returns the number of the value that el stands for. What happened to el outside of the evaluator (another
// scale or level written into it) is recorded first; a ciphertext that nobody computed is a Zero.
func (r *Recorder) value(el *element) (int, error) {
	scale, err := scaleOf(&el.Scale.Value)
	if err != nil {
		return 0, err
	}
	now := shape{el.Level(), el.Degree(), scale}
	n := el.Value[0].Coeffs[0][0]
	if n == 0 {
		v := r.push(Record{Op: Zero}, now)
		tag(el, v)
		return v, nil
	}
	if n > uint64(len(r.values)) {
		return 0, fmt.Errorf("record: a ciphertext that did not come from the recorder")
	}
	v := int(n) - 1
	if was := r.values[v]; now.degree != was.degree || now.level > was.level {
		return 0, fmt.Errorf("record: a value of level %d, degree %d became %d, %d outside of the evaluator", was.level, was.degree, now.level, now.degree)
	}
	v = r.drop(v, now.level)
	if r.values[v].scale != scale {
		v = r.push(Record{Op: SetScale, Args: []int{v}}, now)
	}
	tag(el, v)
	return v, nil
}

func (r *Recorder) push(rec Record, s shape) int {
	rec.Level, rec.Degree, rec.Scale = s.level, s.degree, s.scale
	r.records = append(r.records, rec)
	r.values = append(r.values, s)
	return len(r.values) - 1
}

// drop returns v at a level, if it is above it.
func (r *Recorder) drop(v, level int) int {
	s := r.values[v]
	if s.level <= level {
		return v
	}
	s.level = level
	return r.push(Record{Op: Drop, Args: []int{v}}, s)
}

// dropPair returns the operands of an operation whose receiver has a level: Lattigo works at the lowest of the three.
func (r *Recorder) dropPair(v, w, level int) (int, int) {
	if min(r.values[v].level, r.values[w].level) > level {
		v = r.drop(v, level)
	}
	return v, w
}

// scaled returns v times an integer that Lattigo multiplied it by unasked, at the stated scale.
func (r *Recorder) scaled(v int, factor *big.Int, scale Scale) int {
	if factor.Cmp(one) == 0 {
		return v
	}
	s := r.values[v]
	by := quotient(scale, s.scale)
	s.scale = scale
	return r.push(Record{Op: MulConst, Args: []int{v}, A: factor, B: new(big.Int), By: by}, s)
}

// finish writes down an operation whose result Lattigo has left in out, and makes out stand for it.
func (r *Recorder) finish(rec Record, out *rlwe.Ciphertext) error {
	scale, err := scaleOf(&out.Scale.Value)
	if err != nil {
		return err
	}
	v := r.push(rec, shape{out.Level(), out.Degree(), scale})
	for _, p := range out.Value {
		p.Zero()
	}
	tag(out.El(), v)
	return nil
}

// like returns a ciphertext of the shape of el with every word equal to word.
func (r *Recorder) like(el *element, word uint64) *rlwe.Ciphertext {
	ct := hefloat.NewCiphertext(r.params, el.Degree(), el.Level())
	*ct.MetaData = *el.MetaData
	for _, p := range ct.Value {
		for _, row := range p.Coeffs {
			for j := range row {
				row[j] = word
			}
		}
	}
	return ct
}

// receiver returns what a probe writes to: the probe's own operand where the real call works in place.
func (r *Recorder) receiver(out *rlwe.Ciphertext, ops []*element, probes []*rlwe.Ciphertext) *rlwe.Ciphertext {
	for i, op := range ops {
		if out.El() == op {
			return probes[i]
		}
	}
	return r.like(out.El(), 0)
}

// constant reads the polynomial a + b·X^(N/2) off parts 0 … degree of a probe's result, lifted to signed integers; the
// parts above must be zero.
func (r *Recorder) constant(ct *rlwe.Ciphertext, level, degree int) (a, b *big.Int, err error) {
	half := r.params.N() / 2
	ra, rb := make([]uint64, level+1), make([]uint64, level+1)
	for i := range ra {
		s := r.params.RingQ().SubRings[i]
		word := func(p ring.Poly, j int) uint64 { return ring.CRed(p.Coeffs[i][j], s.Modulus) } // Lattigo's -0 is q
		first, second := word(ct.Value[0], 0), word(ct.Value[0], half)
		for part, p := range ct.Value {
			f, g := first, second
			if part > degree {
				f, g = 0, 0
			}
			for j := range p.Coeffs[i] {
				if w := word(p, j); j < half && w != f || j >= half && w != g {
					return nil, nil, fmt.Errorf("record: a constant that is not a + b·X^(N/2)")
				}
			}
		}
		// first = a + b·ψ^(N/2), second = a - b·ψ^(N/2); the inverse of ψ^(N/2), a fourth root of unity, is -ψ^(N/2).
		inv2 := (s.Modulus + 1) / 2
		mul := func(x, y uint64) uint64 { return ring.BRed(x, y, s.Modulus, s.BRedConstant) }
		root := ring.IMForm(s.RootsForward[1], s.Modulus, s.MRedConstant)
		ra[i] = mul(ring.CRed(first+second, s.Modulus), inv2)
		rb[i] = mul(mul(ring.CRed(second+s.Modulus-first, s.Modulus), inv2), root)
	}
	return r.lift(ra), r.lift(rb), nil
}

// lift returns the integer in (-Q/2, Q/2] with the given residues.
func (r *Recorder) lift(residues []uint64) *big.Int {
	level := len(residues) - 1
	basis := r.crt[level]
	if basis == nil {
		q := big.NewInt(1)
		for _, m := range r.params.Q()[:level+1] {
			q.Mul(q, new(big.Int).SetUint64(m))
		}
		for _, m := range r.params.Q()[:level+1] {
			qi := new(big.Int).SetUint64(m)
			e := new(big.Int).Quo(q, qi)
			basis = append(basis, e.Mul(e, new(big.Int).ModInverse(e, qi)))
		}
		basis = append(basis, q)
		r.crt[level] = basis
	}
	x, t, q := new(big.Int), new(big.Int), basis[level+1]
	for i, w := range residues {
		x.Add(x, t.Mul(basis[i], t.SetUint64(w)))
	}
	if x.Mod(x, q); t.Lsh(x, 1).Cmp(q) > 0 {
		x.Sub(x, q)
	}
	return x
}

// factor is constant for a multiple of the identity.
func (r *Recorder) factor(ct *rlwe.Ciphertext, level, degree int) (*big.Int, error) {
	a, b, err := r.constant(ct, level, degree)
	if err == nil && b.Sign() != 0 {
		err = fmt.Errorf("record: an operand is multiplied by %v + %v·X^(N/2) unasked", a, b)
	}
	return a, err
}

// operand returns op1 as a ciphertext, or nil if it is a scalar. Vectors and plaintexts are refused.
func operand(op1 rlwe.Operand) (*element, error) {
	switch op1 := op1.(type) {
	case rlwe.ElementInterface[ring.Poly]:
		if op1.Degree() == 0 {
			return nil, fmt.Errorf("record: a plaintext operand")
		}
		return op1.El(), nil
	case []complex128, []float64, []*big.Float:
		return nil, fmt.Errorf("record: a vector of constants as operand")
	}
	return nil, nil // Lattigo refuses what is not a scalar
}

type binary func(op0 *rlwe.Ciphertext, op1 rlwe.Operand, out *rlwe.Ciphertext) error

// sum records Add and Sub.
func (r *Recorder) sum(op Op, call binary, op0 *rlwe.Ciphertext, op1 rlwe.Operand, out *rlwe.Ciphertext) error {
	y, err := operand(op1)
	if err != nil {
		return err
	}
	v, err := r.value(op0.El())
	if err != nil {
		return err
	}
	if y == nil {
		level := min(op0.Level(), out.Level())
		probe := r.like(op0.El(), 0)
		res := r.receiver(out, []*element{op0.El()}, []*rlwe.Ciphertext{probe})
		if err := call(probe, op1, res); err != nil {
			return err
		}
		a, b, err := r.constant(res, level, 0)
		if err != nil {
			return err
		}
		if err := call(op0, op1, out); err != nil {
			return err
		}
		return r.finish(Record{Op: AddConst, Args: []int{r.drop(v, level)}, A: a, B: b}, out)
	}
	w, err := r.value(y)
	if err != nil {
		return err
	}
	if out.Degree() > max(op0.Degree(), y.Degree()) {
		return fmt.Errorf("record: %v into a receiver of degree %d, which keeps what it held", op, out.Degree())
	}
	level := min(op0.Level(), y.Level(), out.Level())
	factors := [2]*big.Int{one, one}
	if y != op0.El() { // otherwise the scales are equal
		for k := range factors {
			px, py := r.like(op0.El(), uint64(1-k)), r.like(y, uint64(k))
			degree := [2]int{px.Degree(), py.Degree()}[k]
			res := r.receiver(out, []*element{op0.El(), y}, []*rlwe.Ciphertext{px, py})
			if err := call(px, py, res); err != nil {
				return err
			}
			if factors[k], err = r.factor(res, level, degree); err != nil {
				return err
			}
			if k == 1 && op == Sub {
				factors[k].Neg(factors[k])
			}
		}
	}
	swapped := op == Sub && y.Degree() > op0.Degree() // Lattigo negates the parts that only y has
	if err := call(op0, op1, out); err != nil {
		return err
	}
	scale, err := scaleOf(&out.Scale.Value)
	if err != nil {
		return err
	}
	v, w = r.dropPair(r.scaled(v, factors[0], scale), r.scaled(w, factors[1], scale), level)
	if swapped {
		w, op = r.push(Record{Op: Neg, Args: []int{w}}, r.values[w]), Add
	}
	return r.finish(Record{Op: op, Args: []int{v, w}}, out)
}

// product records Mul and MulRelin.
func (r *Recorder) product(op Op, call binary, op0 *rlwe.Ciphertext, op1 rlwe.Operand, out *rlwe.Ciphertext) error {
	y, err := operand(op1)
	if err != nil {
		return err
	}
	v, err := r.value(op0.El())
	if err != nil {
		return err
	}
	if y == nil {
		level := min(op0.Level(), out.Level())
		probe := r.like(op0.El(), 1)
		res := r.receiver(out, []*element{op0.El()}, []*rlwe.Ciphertext{probe})
		if err := call(probe, op1, res); err != nil {
			return err
		}
		a, b, err := r.constant(res, level, res.Degree())
		if err != nil {
			return err
		}
		if err := call(op0, op1, out); err != nil {
			return err
		}
		scale, err := scaleOf(&out.Scale.Value)
		if err != nil {
			return err
		}
		v = r.drop(v, level)
		return r.finish(Record{Op: MulConst, Args: []int{v}, A: a, B: b, By: quotient(scale, r.values[v].scale)}, out)
	}
	w, err := r.value(y)
	if err != nil {
		return err
	}
	v, w = r.dropPair(v, w, out.Level())
	if err := call(op0, op1, out); err != nil {
		return err
	}
	return r.finish(Record{Op: op, Args: []int{v, w}}, out)
}

// Add implements he.Evaluator.
func (r *Recorder) Add(op0 *rlwe.Ciphertext, op1 rlwe.Operand, out *rlwe.Ciphertext) error {
	return r.sum(Add, r.eval.Add, op0, op1, out)
}

// AddNew implements he.Evaluator.
func (r *Recorder) AddNew(op0 *rlwe.Ciphertext, op1 rlwe.Operand) (*rlwe.Ciphertext, error) {
	out := hefloat.NewCiphertext(r.params, op0.Degree(), op0.Level())
	return out, r.Add(op0, op1, out)
}

// Sub implements he.Evaluator.
func (r *Recorder) Sub(op0 *rlwe.Ciphertext, op1 rlwe.Operand, out *rlwe.Ciphertext) error {
	return r.sum(Sub, r.eval.Sub, op0, op1, out)
}

// SubNew implements he.Evaluator.
func (r *Recorder) SubNew(op0 *rlwe.Ciphertext, op1 rlwe.Operand) (*rlwe.Ciphertext, error) {
	out := hefloat.NewCiphertext(r.params, op0.Degree(), op0.Level())
	return out, r.Sub(op0, op1, out)
}

// Mul implements he.Evaluator.
func (r *Recorder) Mul(op0 *rlwe.Ciphertext, op1 rlwe.Operand, out *rlwe.Ciphertext) error {
	return r.product(Mul, r.eval.Mul, op0, op1, out)
}

// MulNew implements he.Evaluator.
func (r *Recorder) MulNew(op0 *rlwe.Ciphertext, op1 rlwe.Operand) (*rlwe.Ciphertext, error) {
	out := hefloat.NewCiphertext(r.params, op0.Degree(), op0.Level())
	return out, r.Mul(op0, op1, out)
}

// MulRelin implements he.Evaluator.
func (r *Recorder) MulRelin(op0 *rlwe.Ciphertext, op1 rlwe.Operand, out *rlwe.Ciphertext) error {
	return r.product(MulRelin, r.eval.MulRelin, op0, op1, out)
}

// MulRelinNew implements he.Evaluator.
func (r *Recorder) MulRelinNew(op0 *rlwe.Ciphertext, op1 rlwe.Operand) (*rlwe.Ciphertext, error) {
	level := op0.Level()
	if y, err := operand(op1); err == nil && y != nil {
		level = min(level, y.Level())
	}
	out := hefloat.NewCiphertext(r.params, 1, level)
	return out, r.MulRelin(op0, op1, out)
}

// MulThenAdd implements he.Evaluator: out += op0·op1.
func (r *Recorder) MulThenAdd(op0 *rlwe.Ciphertext, op1 rlwe.Operand, out *rlwe.Ciphertext) error {
	y, err := operand(op1)
	if err != nil {
		return err
	}
	if op0 == out || y == out.El() {
		return fmt.Errorf("record: MulThenAdd in place")
	}
	if out.Value[0].Coeffs[0][0] == 0 && y == nil {
		out.Resize(op0.Degree(), out.Level()) // as Lattigo will, and a zero has no degree to lose
	}
	v, err := r.value(out.El())
	if err != nil {
		return err
	}
	x, err := r.value(op0.El())
	if err != nil {
		return err
	}
	if y == nil {
		return r.macConst(v, x, op0, op1, out)
	}
	w, err := r.value(y)
	if err != nil {
		return err
	}
	level := min(op0.Level(), y.Level(), out.Level())
	px, py, acc := r.like(op0.El(), 0), r.like(y, 0), r.like(out.El(), 1)
	if err := r.eval.MulThenAdd(px, py, acc); err != nil {
		return err
	}
	m, err := r.factor(acc, level, out.Degree())
	if err != nil {
		return err
	}
	productScale := op0.Scale.Mul(y.Scale)
	product, err := scaleOf(&productScale.Value)
	if err != nil {
		return err
	}
	if err := r.eval.MulThenAdd(op0, op1, out); err != nil {
		return err
	}
	scale, err := scaleOf(&out.Scale.Value)
	if err != nil {
		return err
	}
	p := r.push(Record{Op: Mul, Args: []int{x, w}}, shape{min(op0.Level(), y.Level()), 2, product})
	if product != scale { // Lattigo adds limbs of another scale as they are
		s := r.values[p]
		s.scale = scale
		p = r.push(Record{Op: SetScale, Args: []int{p}}, s)
	}
	return r.finish(Record{Op: Add, Args: []int{r.scaled(v, m, scale), p}}, out)
}

// macConst records out += op0·scalar.
func (r *Recorder) macConst(v, x int, op0 *rlwe.Ciphertext, op1 rlwe.Operand, out *rlwe.Ciphertext) error {
	switch {
	case out.Degree() > op0.Degree():
		return fmt.Errorf("record: MulThenAdd would cut the accumulator from degree %d to %d", out.Degree(), op0.Degree())
	case out.Level() > op0.Level():
		return fmt.Errorf("record: MulThenAdd of a value of level %d would leave limbs of an accumulator of level %d behind", op0.Level(), out.Level())
	}
	level, degree := out.Level(), out.Degree()
	px, acc := r.like(op0.El(), 1), r.like(out.El(), 0)
	if err := r.eval.MulThenAdd(px, op1, acc); err != nil {
		return err
	}
	a, b, err := r.constant(acc, level, acc.Degree())
	if err != nil {
		return err
	}
	px, acc = r.like(op0.El(), 0), r.like(out.El(), 1)
	if err := r.eval.MulThenAdd(px, op1, acc); err != nil {
		return err
	}
	m, err := r.factor(acc, level, degree)
	if err != nil {
		return err
	}
	if err := r.eval.MulThenAdd(op0, op1, out); err != nil {
		return err
	}
	scale, err := scaleOf(&out.Scale.Value)
	if err != nil {
		return err
	}
	// A factor that is the exact ratio of the scales is the operation's own; Lattigo rounds long ones to 53 bits.
	if exact := new(big.Float).SetPrec(scalePrecision).SetInt(m); m.Sign() <= 0 ||
		exact.Mul(exact, r.values[v].scale.Big()).Cmp(scale.Big()) != 0 {
		v, m = r.scaled(v, m, scale), one
	}
	return r.finish(Record{Op: MacConst, Args: []int{v, x}, A: a, B: b, M: m, By: quotient(scale, r.values[x].scale)}, out)
}

// Relinearize implements he.Evaluator.
func (r *Recorder) Relinearize(op0, out *rlwe.Ciphertext) error {
	v, err := r.value(op0.El())
	if err != nil {
		return err
	}
	level := min(op0.Level(), out.Level())
	if err := r.eval.Relinearize(op0, out); err != nil {
		return err
	}
	return r.finish(Record{Op: Relin, Args: []int{r.drop(v, level)}}, out)
}

// Rescale implements he.Evaluator.
func (r *Recorder) Rescale(op0, out *rlwe.Ciphertext) error {
	v, err := r.value(op0.El())
	if err != nil {
		return err
	}
	if err := r.eval.Rescale(op0, out); err != nil {
		return err
	}
	return r.finish(Record{Op: Rescale, Args: []int{v}}, out)
}

// DropLevel implements hefloat.EvaluatorForMod1. Whoever uses ct next records the lower level.
func (r *Recorder) DropLevel(ct *rlwe.Ciphertext, levels int) { r.eval.DropLevel(ct, levels) }

// GetParameters implements hefloat.EvaluatorForMod1.
func (r *Recorder) GetParameters() *hefloat.Parameters { return r.eval.GetParameters() }

// GetRLWEParameters implements he.Evaluator.
func (r *Recorder) GetRLWEParameters() *rlwe.Parameters { return r.eval.GetRLWEParameters() }

// GetEvaluatorBuffer implements he.Evaluator.
func (r *Recorder) GetEvaluatorBuffer() *rlwe.EvaluatorBuffers { return r.eval.GetEvaluatorBuffer() }
