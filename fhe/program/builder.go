package program

import (
	"errors"
	"fmt"
	"math/big"
	"slices"

	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/internal/wire"
)

// Limits of a program, in the Builder and in the encoding.
const (
	maxOps      = 1 << 20
	maxScopes   = 1 << 12
	maxRowRefs  = 1 << 16 // rows, diagonals or Galois elements of one operation
	maxIntBytes = 1 << 10 // of a constant's integer
	maxTerms    = 1 << 26 // operands of all Lincombs: a range states many in few bytes
)

// Builder appends operations to a program. Every method computes the result's level, degree, scale and slots, checks
// them, and keeps the first error, which Build returns; after an error the other methods do nothing. A Builder is not
// safe for concurrent use.
//
// Binary operations work at the lower level of their operands and give the larger number of slots. Scales that must be
// equal may differ by a relative 2^-100; the result takes the larger.
type Builder struct {
	prog   *Program
	consts []*Constant
	index  map[fhe.Digest]int
	scopes map[string]int // index of the scopes that operations have used so far
	scope  string         // of the operations that follow
	terms  int            // operands of all Lincombs so far
	err    error
}

// NewBuilder returns a Builder of a program under p.
func NewBuilder(p fhe.Parameters) *Builder {
	b := &Builder{
		prog:   &Program{params: p, scopes: []string{""}},
		index:  make(map[fhe.Digest]int),
		scopes: map[string]int{"": 0},
	}
	if p.IsZero() {
		b.err = errors.New("program: builder without parameters")
	}
	return b
}

// Scope labels the operations that follow, until the next call. Errors, dumps, costs and progress events name it.
func (b *Builder) Scope(name string) {
	if name != "" {
		if err := wire.CheckName(name, maxName); err != nil {
			b.fail(invalid, fmt.Errorf("%w: scope: %w", ErrLimit, err))
			return
		}
	}
	b.scope = name
}

// Err returns the first error.
func (b *Builder) Err() error { return b.err }

// Level returns the level of a value. With Scale and Degree it is what a caller needs to choose the next operation.
func (b *Builder) Level(v Value) int { return b.at(v).Level }

// Scale returns the scale of a value.
func (b *Builder) Scale(v Value) fhe.Scale { return b.at(v).Scale }

// Degree returns the degree of a value.
func (b *Builder) Degree(v Value) int { return b.at(v).Degree }

// Parameters returns the program's parameters.
func (b *Builder) Parameters() fhe.Parameters { return b.prog.params }

var noOp = Op{Scale: fhe.PowerOfTwo(0)}

func (b *Builder) at(v Value) *Op {
	if v < 0 || int(v) >= len(b.prog.ops) {
		return &noOp
	}
	return &b.prog.ops[v]
}

func (b *Builder) fail(code Opcode, err error) Value {
	if b.err == nil {
		b.err = &OpError{Index: len(b.prog.ops), Code: code, Scope: b.scope, Err: err}
	}
	return 0
}

func (b *Builder) push(op Op) Value {
	if len(b.prog.ops) >= maxOps {
		return b.fail(op.Code, fmt.Errorf("%w: more than %d operations", ErrLimit, maxOps))
	}
	// A scope enters the program with its first operation, so that one program has one encoding.
	i, ok := b.scopes[b.scope]
	if !ok {
		if i = len(b.prog.scopes); i > maxScopes {
			return b.fail(op.Code, fmt.Errorf("%w: more than %d scopes", ErrLimit, maxScopes))
		}
		b.scopes[b.scope] = i
		b.prog.scopes = append(b.prog.scopes, b.scope)
	}
	op.scope = i
	b.prog.ops = append(b.prog.ops, op)
	return Value(len(b.prog.ops) - 1)
}

// ciphertext returns the operation that makes v, or records an error and returns nil.
func (b *Builder) ciphertext(code Opcode, v Value) *Op {
	if b.err != nil {
		return nil
	}
	if v < 0 || int(v) >= len(b.prog.ops) || !b.prog.ops[v].IsCiphertext() {
		b.fail(code, fmt.Errorf("%w: %d is not a ciphertext of this program", ErrOperand, v))
		return nil
	}
	return &b.prog.ops[v]
}

func (b *Builder) pair(code Opcode, x, y Value) (ox, oy *Op) {
	if ox = b.ciphertext(code, x); ox == nil {
		return nil, nil
	}
	if oy = b.ciphertext(code, y); oy == nil {
		return nil, nil
	}
	return ox, oy
}

// Input declares a port of ciphertexts that are given at every run and returns its Count values, which are
// consecutive.
func (b *Builder) Input(p Port) []Value {
	if b.err != nil {
		return make([]Value, max(1, min(p.Count, maxCount)))
	}
	p = p.own()
	err := p.check(b.prog.params, false)
	if err == nil {
		err = portName(b.prog.inputs, p.Name)
	}
	if err != nil {
		b.fail(Input, fmt.Errorf("%w: %q: %w", ErrPort, p.Name, err))
		return make([]Value, max(1, min(p.Count, maxCount)))
	}
	b.prog.inputs = append(b.prog.inputs, p)
	vals := make([]Value, 0, p.Count)
	for i := range p.Count {
		vals = append(vals, b.push(Op{Code: Input, Port: len(b.prog.inputs) - 1, Index: i,
			Level: p.Level, Degree: p.Degree, Scale: p.Scale, LogSlots: p.LogSlots}))
	}
	return vals
}

func portName(ports []Port, name string) error {
	if len(ports) >= maxPorts {
		return fmt.Errorf("more than %d ports", maxPorts)
	}
	for _, o := range ports {
		if o.Name == name {
			return errors.New("the name is taken")
		}
	}
	return nil
}

// Output binds values to an output port. Level, degree, scale and slots of every value must be the port's.
func (b *Builder) Output(p Port, vals ...Value) {
	if b.err != nil {
		return
	}
	p = p.own()
	err := p.check(b.prog.params, true)
	if err == nil {
		err = portName(b.prog.outputs, p.Name)
	}
	switch {
	case err != nil:
	case len(vals) != p.Count:
		err = fmt.Errorf("%d values for %d ciphertexts", len(vals), p.Count)
	case !p.Features.IsZero():
		err = errors.New("features belong to input ports")
	}
	if err != nil {
		b.fail(Output, fmt.Errorf("%w: %q: %w", ErrPort, p.Name, err))
		return
	}
	b.prog.outputs = append(b.prog.outputs, p)
	for i, v := range vals {
		x := b.ciphertext(Output, v)
		if x == nil {
			return
		}
		if x.Level != p.Level || x.Degree != p.Degree || x.Scale != p.Scale || x.LogSlots != p.LogSlots {
			b.fail(Output, fmt.Errorf("%w: %q states level %d, degree %d, scale %v, 2^%d slots; value %d has %d, %d, %v, 2^%d", ErrPort, p.Name,
				p.Level, p.Degree, p.Scale, p.LogSlots, v, x.Level, x.Degree, x.Scale, x.LogSlots))
			return
		}
		b.push(Op{Code: Output, Args: []Value{v}, Port: len(b.prog.outputs) - 1, Index: i,
			Level: x.Level, Degree: x.Degree, Scale: x.Scale, LogSlots: x.LogSlots})
	}
}

// OutputPort returns a port that fits a value: its level, degree, scale and slots.
func (b *Builder) OutputPort(name string, v Value, bound float64, layout Layout) Port {
	x := b.at(v)
	return Port{Name: name, Count: 1, Level: x.Level, Degree: x.Degree, LogSlots: x.LogSlots, Scale: x.Scale, Bound: bound, Layout: layout}
}

// Zero appends the all-zero ciphertext of the stated level, degree, scale and slots: sums start from it.
func (b *Builder) Zero(level, degree, logSlots int, scale fhe.Scale) Value {
	if b.err != nil {
		return 0
	}
	p := b.prog.params
	if level < 0 || level > p.MaxLevel() || degree < 0 || degree > fhe.MaxDegree || logSlots < 0 || logSlots > p.LogMaxSlots() || !scale.Valid() {
		return b.fail(Zero, fmt.Errorf("%w: level %d, degree %d, 2^%d slots, scale %v", ErrLevel, level, degree, logSlots, scale))
	}
	return b.push(Op{Code: Zero, Level: level, Degree: degree, Scale: scale, LogSlots: logSlots})
}

// SetScale appends x with the same limbs at another scale: its values are multiplied by old/new, free of charge.
func (b *Builder) SetScale(x Value, scale fhe.Scale) Value {
	ox := b.ciphertext(SetScale, x)
	if ox == nil {
		return 0
	}
	if !scale.Valid() {
		return b.fail(SetScale, fmt.Errorf("%w: invalid scale", ErrScale))
	}
	return b.push(Op{Code: SetScale, Args: []Value{x}, Level: ox.Level, Degree: ox.Degree, Scale: scale, LogSlots: ox.LogSlots})
}

// Drop appends x at a lower level; at its own level it returns x.
func (b *Builder) Drop(x Value, level int) Value {
	ox := b.ciphertext(Drop, x)
	if ox == nil {
		return 0
	}
	if level == ox.Level {
		return x
	}
	if level < 0 || level > ox.Level {
		return b.fail(Drop, fmt.Errorf("%w: from %d to %d", ErrLevel, ox.Level, level))
	}
	return b.push(Op{Code: Drop, Args: []Value{x}, Level: level, Degree: ox.Degree, Scale: ox.Scale, LogSlots: ox.LogSlots})
}

func larger(a, b fhe.Scale) (fhe.Scale, error) {
	if !a.Near(b) {
		return a, fmt.Errorf("%w: %v and %v differ", ErrScale, a, b)
	}
	if a.Cmp(b) < 0 {
		return b, nil
	}
	return a, nil
}

// Add appends x + y: equal scales; missing parts are zero.
func (b *Builder) Add(x, y Value) Value { return b.sum(Add, x, y) }

// Sub appends x - y: equal scales; the degree of y is at most that of x.
func (b *Builder) Sub(x, y Value) Value { return b.sum(Sub, x, y) }

func (b *Builder) sum(code Opcode, x, y Value) Value {
	ox, oy := b.pair(code, x, y)
	if ox == nil {
		return 0
	}
	scale, err := larger(ox.Scale, oy.Scale)
	if err != nil {
		return b.fail(code, err)
	}
	if code == Sub && oy.Degree > ox.Degree {
		return b.fail(code, fmt.Errorf("%w: degree %d minus degree %d", ErrDegree, ox.Degree, oy.Degree))
	}
	return b.push(Op{Code: code, Args: []Value{x, y}, Level: min(ox.Level, oy.Level), Degree: max(ox.Degree, oy.Degree),
		Scale: scale, LogSlots: max(ox.LogSlots, oy.LogSlots)})
}

// Neg appends -x; a zero word stays zero.
func (b *Builder) Neg(x Value) Value {
	ox := b.ciphertext(Neg, x)
	if ox == nil {
		return 0
	}
	return b.push(Op{Code: Neg, Args: []Value{x}, Level: ox.Level, Degree: ox.Degree, Scale: ox.Scale, LogSlots: ox.LogSlots})
}

// constant registers c and returns its index, or records an error and returns -1.
func (b *Builder) constant(code Opcode, c *Constant, kind ConstantKind, rows ...int) int {
	if c == nil || c.kind != kind {
		b.fail(code, fmt.Errorf("%w: wrong kind", ErrConstant))
		return -1
	}
	n := len(b.prog.consts)
	i := b.register(code, c.Info())
	if i < 0 {
		return -1
	}
	if i == n {
		b.consts = append(b.consts, c)
	}
	return b.rows(code, i, rows)
}

// register returns the index of a constant, which it lists if the program does not name it yet.
func (b *Builder) register(code Opcode, c ConstantInfo) int {
	i, ok := b.index[c.Digest]
	if !ok {
		if c.Kind == Polynomials && c.LogSlots > b.prog.params.LogMaxSlots() || len(b.prog.consts) >= maxConstants {
			b.fail(code, fmt.Errorf("%w: 2^%d slots, or too many constants", ErrConstant, c.LogSlots))
			return -1
		}
		i = len(b.prog.consts)
		b.prog.consts = append(b.prog.consts, c)
		b.index[c.Digest] = i
	}
	return i
}

func (b *Builder) rows(code Opcode, i int, rows []int) int {
	if len(rows) > maxRowRefs {
		b.fail(code, fmt.Errorf("%w: %d rows", ErrLimit, len(rows)))
		return -1
	}
	for _, r := range rows {
		if n := b.prog.consts[i].Rows; r < 0 || r >= n {
			b.fail(code, fmt.Errorf("%w: row %d of %d", ErrConstant, r, n))
			return -1
		}
	}
	return i
}

// AddPt appends x + row of c, on part 0. The scales of x and c must be equal.
func (b *Builder) AddPt(x Value, c *Constant, row int) Value { return b.plain(AddPt, x, c, row) }

// SubPt appends x - row of c, on part 0. The scales of x and c must be equal.
func (b *Builder) SubPt(x Value, c *Constant, row int) Value { return b.plain(SubPt, x, c, row) }

// MulPt appends x · row of c, into every part. Scale: x.Scale · c.Scale; Rescale next.
func (b *Builder) MulPt(x Value, c *Constant, row int) Value { return b.plain(MulPt, x, c, row) }

func (b *Builder) plain(code Opcode, x Value, c *Constant, row int) Value {
	if b.ciphertext(code, x) == nil {
		return 0
	}
	i := b.constant(code, c, Polynomials, row)
	if i < 0 {
		return 0
	}
	return b.plainAt(code, x, i, row)
}

func (b *Builder) plainAt(code Opcode, x Value, i, row int) Value {
	ox, info := b.at(x), b.prog.consts[i]
	var scale fhe.Scale
	var err error
	if code == MulPt {
		scale, err = b.product(ox.Scale, info.Scale)
	} else {
		scale, err = larger(ox.Scale, info.Scale)
	}
	if err != nil {
		return b.fail(code, err)
	}
	return b.push(Op{Code: code, Args: []Value{x}, Const: i, Rows: []int{row}, Level: ox.Level, Degree: ox.Degree,
		Scale: scale, LogSlots: max(ox.LogSlots, info.LogSlots)})
}

func (b *Builder) product(s, t fhe.Scale) (fhe.Scale, error) {
	p := s.Mul(t)
	if !p.Valid() {
		return p, fmt.Errorf("%w: the product is out of range", ErrScale)
	}
	return p, nil
}

func small(ints ...*big.Int) error {
	for _, x := range ints {
		if x == nil || x.BitLen() > 8*maxIntBytes {
			return fmt.Errorf("%w: an integer is missing or too long", ErrConstant)
		}
	}
	return nil
}

// AddConst appends x + (a + c·X^(N/2)); the integers are at the scale of x already. In slots: a + i·c everywhere.
func (b *Builder) AddConst(x Value, a, c *big.Int) Value {
	ox := b.ciphertext(AddConst, x)
	if ox == nil {
		return 0
	}
	if err := small(a, c); err != nil {
		return b.fail(AddConst, err)
	}
	return b.push(Op{Code: AddConst, Args: []Value{x}, A: new(big.Int).Set(a), B: new(big.Int).Set(c), Level: ox.Level, Degree: ox.Degree, Scale: ox.Scale, LogSlots: ox.LogSlots})
}

// MulConst appends x · (a + c·X^(N/2)), a constant at scale by. Scale: x.Scale · by.
func (b *Builder) MulConst(x Value, a, c *big.Int, by fhe.Scale) Value {
	ox := b.ciphertext(MulConst, x)
	if ox == nil {
		return 0
	}
	if err := small(a, c); err != nil {
		return b.fail(MulConst, err)
	}
	if !by.Valid() {
		return b.fail(MulConst, ErrScale)
	}
	scale, err := b.product(ox.Scale, by)
	if err != nil {
		return b.fail(MulConst, err)
	}
	return b.push(Op{Code: MulConst, Args: []Value{x}, A: new(big.Int).Set(a), B: new(big.Int).Set(c), By: by, Level: ox.Level, Degree: ox.Degree, Scale: scale, LogSlots: ox.LogSlots})
}

// MacConst appends acc·m + x·(a + c·X^(N/2)), m a positive integer and the constant at scale by, with
// acc.Scale·m = x.Scale·by within 2^-100. Scale: the larger of the two.
func (b *Builder) MacConst(acc Value, m *big.Int, x Value, a, c *big.Int, by fhe.Scale) Value {
	oa, ox := b.pair(MacConst, acc, x)
	if oa == nil {
		return 0
	}
	if err := small(a, c, m); err != nil {
		return b.fail(MacConst, err)
	}
	if m.Sign() <= 0 || !by.Valid() {
		return b.fail(MacConst, fmt.Errorf("%w: factor %v, scale %v", ErrScale, m, by))
	}
	ms, err := fhe.ScaleFromBig(new(big.Float).SetPrec(fhe.ScalePrecision).SetInt(m))
	if err != nil {
		return b.fail(MacConst, fmt.Errorf("%w: %w", ErrScale, err))
	}
	sa, err := b.product(oa.Scale, ms)
	if err != nil {
		return b.fail(MacConst, err)
	}
	sx, err := b.product(ox.Scale, by)
	if err != nil {
		return b.fail(MacConst, err)
	}
	scale, err := larger(sa, sx)
	if err != nil {
		return b.fail(MacConst, err)
	}
	return b.push(Op{Code: MacConst, Args: []Value{acc, x}, M: new(big.Int).Set(m), A: new(big.Int).Set(a), B: new(big.Int).Set(c), By: by,
		Level: min(oa.Level, ox.Level), Degree: max(oa.Degree, ox.Degree), Scale: scale, LogSlots: max(oa.LogSlots, ox.LogSlots)})
}

// Lincomb appends Σ w_k·x_k over the values of the ranges, with the integers w of a row of c. At most 4,096 operands of
// equal scales; lowest level, highest degree. Scale: x.Scale · c.Scale, which no limb is multiplied by.
func (b *Builder) Lincomb(ranges []Range, c *Constant, row int) Value {
	if b.err != nil {
		return 0
	}
	i := b.constant(Lincomb, c, Weights, row)
	if i < 0 {
		return 0
	}
	return b.lincombAt(ranges, i, row)
}

func (b *Builder) lincombAt(ranges []Range, i, row int) Value {
	info := b.prog.consts[i]
	n := 0
	out := Op{Code: Lincomb, Const: i, Rows: []int{row}}
	for _, r := range ranges {
		if r.Count < 1 || r.Count > maxOperands {
			return b.fail(Lincomb, fmt.Errorf("%w: a range of %d values", ErrOperand, r.Count))
		}
		if n += r.Count; n > maxOperands {
			break
		}
		// Ranges that meet become one, so that a list of operands has one form.
		if last := len(out.Ranges) - 1; last >= 0 && out.Ranges[last].First+Value(out.Ranges[last].Count) == r.First {
			out.Ranges[last].Count += r.Count
		} else {
			out.Ranges = append(out.Ranges, r)
		}
	}
	if n != info.Width {
		return b.fail(Lincomb, fmt.Errorf("%w: %d operands for %d weights", ErrConstant, n, info.Width))
	}
	if b.terms += n; b.terms > maxTerms {
		return b.fail(Lincomb, fmt.Errorf("%w: more than %d operands of linear combinations", ErrLimit, maxTerms))
	}
	var least fhe.Scale
	for v := range out.Operands() {
		x := b.ciphertext(Lincomb, v)
		if x == nil {
			return 0
		}
		if !least.Valid() {
			least = x.Scale
			out.Level, out.Degree, out.Scale, out.LogSlots = x.Level, x.Degree, x.Scale, x.LogSlots
		}
		if x.Scale.Cmp(least) < 0 {
			least = x.Scale
		}
		if x.Scale.Cmp(out.Scale) > 0 {
			out.Scale = x.Scale
		}
		out.Level, out.Degree, out.LogSlots = min(out.Level, x.Level), max(out.Degree, x.Degree), max(out.LogSlots, x.LogSlots)
	}
	if _, err := larger(least, out.Scale); err != nil {
		return b.fail(Lincomb, err)
	}
	scale, err := b.product(out.Scale, info.Scale)
	if err != nil {
		return b.fail(Lincomb, err)
	}
	out.Scale = scale
	return b.push(out)
}

// Mul appends the product of two values of degree 1, of degree 2. Scale: x.Scale · y.Scale.
func (b *Builder) Mul(x, y Value) Value { return b.mul(Mul, x, y, 2) }

// MulRelin appends Relin of Mul. It requires the relinearisation key.
func (b *Builder) MulRelin(x, y Value) Value { return b.mul(MulRelin, x, y, 1) }

func (b *Builder) mul(code Opcode, x, y Value, degree int) Value {
	ox, oy := b.pair(code, x, y)
	if ox == nil {
		return 0
	}
	if ox.Degree != 1 || oy.Degree != 1 {
		return b.fail(code, fmt.Errorf("%w: degrees %d and %d, both must be 1", ErrDegree, ox.Degree, oy.Degree))
	}
	if code == MulRelin {
		if err := b.needsKeys(); err != nil {
			return b.fail(code, err)
		}
	}
	scale, err := b.product(ox.Scale, oy.Scale)
	if err != nil {
		return b.fail(code, err)
	}
	return b.push(Op{Code: code, Args: []Value{x, y}, Level: min(ox.Level, oy.Level), Degree: degree, Scale: scale, LogSlots: max(ox.LogSlots, oy.LogSlots)})
}

func (b *Builder) needsKeys() error {
	if b.prog.params.PCount() == 0 {
		return fmt.Errorf("%w: it needs a switching key, and the parameters have no special primes", ErrGalois)
	}
	return nil
}

// Relin appends x of degree 2 relinearised to degree 1. It requires the relinearisation key.
func (b *Builder) Relin(x Value) Value {
	ox := b.ciphertext(Relin, x)
	if ox == nil {
		return 0
	}
	if ox.Degree != 2 {
		return b.fail(Relin, fmt.Errorf("%w: degree %d, must be 2", ErrDegree, ox.Degree))
	}
	if err := b.needsKeys(); err != nil {
		return b.fail(Relin, err)
	}
	return b.push(Op{Code: Relin, Args: []Value{x}, Level: ox.Level, Degree: 1, Scale: ox.Scale, LogSlots: ox.LogSlots})
}

// Rescale appends x divided by its last prime, rounded. It fails with ErrLevelExhausted at level 0. Scale: x.Scale / q.
func (b *Builder) Rescale(x Value) Value {
	ox := b.ciphertext(Rescale, x)
	if ox == nil {
		return 0
	}
	if ox.Level == 0 {
		return b.fail(Rescale, ErrLevelExhausted)
	}
	scale := ox.Scale.Div(fhe.ScaleFromInt(b.prog.params.Prime(ox.Level)))
	if !scale.Valid() {
		return b.fail(Rescale, ErrScale)
	}
	return b.push(Op{Code: Rescale, Args: []Value{x}, Level: ox.Level - 1, Degree: ox.Degree, Scale: scale, LogSlots: ox.LogSlots})
}

func (b *Builder) galois(g uint64, identity bool) error {
	if err := b.needsKeys(); err != nil {
		return err
	}
	if _, _, ok := b.prog.params.Rotation(g); !ok || g == 1 && !identity {
		return fmt.Errorf("%w: %d", ErrGalois, g)
	}
	return nil
}

// Rot appends the automorphism X → X^g of x, g = Parameters.GaloisElement(k) for a rotation by k to the left. It
// requires the Galois key of g.
func (b *Builder) Rot(x Value, g uint64) Value { return b.automorphism(Rot, x, g) }

// Conj appends the complex conjugate of x. It requires the Galois key of conjugation.
func (b *Builder) Conj(x Value) Value {
	if b.err != nil {
		return 0
	}
	return b.automorphism(Conj, x, b.prog.params.GaloisElementForConjugation())
}

func (b *Builder) automorphism(code Opcode, x Value, g uint64) Value {
	ox := b.ciphertext(code, x)
	if ox == nil {
		return 0
	}
	if ox.Degree != 1 {
		return b.fail(code, fmt.Errorf("%w: degree %d, must be 1", ErrDegree, ox.Degree))
	}
	if err := b.galois(g, false); err != nil {
		return b.fail(code, err)
	}
	if code == Rot && g == b.prog.params.GaloisElementForConjugation() {
		return b.fail(code, fmt.Errorf("%w: %d is the conjugation, which is Conj", ErrGalois, g))
	}
	return b.push(Op{Code: code, Args: []Value{x}, Galois: []uint64{g}, Level: ox.Level, Degree: 1, Scale: ox.Scale, LogSlots: ox.LogSlots})
}

// Hoist appends the decomposition of part 1 of x, cut to level, into digits over all special primes. Its result is
// operand of RotHoisted, Lintrans and Rotsum only. Hoisting at another level gives other bits below.
func (b *Builder) Hoist(x Value, level int) Value {
	ox := b.ciphertext(Hoist, x)
	if ox == nil {
		return 0
	}
	if ox.Degree != 1 {
		return b.fail(Hoist, fmt.Errorf("%w: degree %d, must be 1", ErrDegree, ox.Degree))
	}
	if level < 0 || level > ox.Level {
		return b.fail(Hoist, fmt.Errorf("%w: %d of a value at level %d", ErrLevel, level, ox.Level))
	}
	if err := b.needsKeys(); err != nil {
		return b.fail(Hoist, err)
	}
	return b.push(Op{Code: Hoist, Args: []Value{x}, Level: level, Degree: 1, Scale: ox.Scale, LogSlots: ox.LogSlots})
}

// hoisted returns the operation that makes h, checked to be a Hoist that serves level.
func (b *Builder) hoisted(code Opcode, h Value, level int) *Op {
	if b.err != nil {
		return nil
	}
	if h < 0 || int(h) >= len(b.prog.ops) || b.prog.ops[h].Code != Hoist {
		b.fail(code, fmt.Errorf("%w: %d is not a hoist", ErrOperand, h))
		return nil
	}
	op := &b.prog.ops[h]
	if level < 0 || level > op.Level {
		b.fail(code, fmt.Errorf("%w: %d from a hoist at level %d", ErrLevel, level, op.Level))
		return nil
	}
	return op
}

// RotHoisted appends the automorphism X → X^g of a hoisted value, at a level not above the hoist's.
func (b *Builder) RotHoisted(h Value, g uint64, level int) Value {
	oh := b.hoisted(RotHoisted, h, level)
	if oh == nil {
		return 0
	}
	if err := b.galois(g, false); err != nil {
		return b.fail(RotHoisted, err)
	}
	return b.push(Op{Code: RotHoisted, Args: []Value{h}, Galois: []uint64{g}, Level: level, Degree: 1, Scale: oh.Scale, LogSlots: oh.LogSlots})
}

// Lintrans appends Σ_k d_k ⊙ rot(x, k) of a hoisted value x by double hoisting, at a level not above the hoist's. Row
// rows[i] of c holds diagonal diagonals[i], rotated by -giant, where BabyGiant(k, n1) splits k. Diagonals ascend in
// [0, slots); n1 is a power of two. Scale: x.Scale · c.Scale; Rescale next. It requires the Galois keys of every baby
// and giant step but 0. See [HS20] and Bossuat et al. 2021, algorithm 6.
func (b *Builder) Lintrans(h Value, c *Constant, rows, diagonals []int, n1, level int) Value {
	if b.hoisted(Lintrans, h, level) == nil {
		return 0
	}
	i := b.constant(Lintrans, c, Polynomials, rows...)
	if i < 0 {
		return 0
	}
	return b.lintransAt(h, i, rows, diagonals, n1, level)
}

func (b *Builder) lintransAt(h Value, i int, rows, diagonals []int, n1, level int) Value {
	oh, info := b.at(h), b.prog.consts[i]
	slots := 1 << oh.LogSlots
	switch {
	case len(rows) == 0 || len(rows) != len(diagonals):
		return b.fail(Lintrans, fmt.Errorf("%w: %d rows for %d diagonals", ErrConstant, len(rows), len(diagonals)))
	case n1 < 1 || n1 > slots || n1&(n1-1) != 0:
		return b.fail(Lintrans, fmt.Errorf("%w: %d baby steps is not a power of two up to %d", ErrConstant, n1, slots))
	case info.LogSlots != oh.LogSlots:
		return b.fail(Lintrans, fmt.Errorf("%w: diagonals of 2^%d slots for a value of 2^%d", ErrConstant, info.LogSlots, oh.LogSlots))
	}
	for j, k := range diagonals {
		if k < 0 || k >= slots || j > 0 && k <= diagonals[j-1] {
			return b.fail(Lintrans, fmt.Errorf("%w: diagonal %d is not in [0, %d) or not ascending", ErrConstant, k, slots))
		}
	}
	scale, err := b.product(oh.Scale, info.Scale)
	if err != nil {
		return b.fail(Lintrans, err)
	}
	return b.push(Op{Code: Lintrans, Args: []Value{h}, Const: i, Rows: append([]int(nil), rows...), Diagonals: append([]int(nil), diagonals...),
		N1: n1, Level: level, Degree: 1, Scale: scale, LogSlots: oh.LogSlots})
}

// Rotsum appends the sum of distinct automorphisms of a hoisted value, at a level not above the hoist's; the element 1
// is the identity. The sum is taken before the division by P, so its bits are not those of the sum of RotHoisted. It
// requires the Galois keys of all elements but 1.
func (b *Builder) Rotsum(h Value, galois []uint64, level int) Value {
	oh := b.hoisted(Rotsum, h, level)
	if oh == nil {
		return 0
	}
	if len(galois) == 0 || len(galois) > maxRowRefs {
		return b.fail(Rotsum, fmt.Errorf("%w: %d elements", ErrLimit, len(galois)))
	}
	seen := make(map[uint64]bool, len(galois))
	for _, g := range galois {
		if err := b.galois(g, true); err != nil {
			return b.fail(Rotsum, err)
		}
		if seen[g] {
			return b.fail(Rotsum, fmt.Errorf("%w: %d twice", ErrGalois, g))
		}
		seen[g] = true
	}
	sorted := append([]uint64(nil), galois...)
	slices.Sort(sorted) // a sum has no order: one program, one encoding
	return b.push(Op{Code: Rotsum, Args: []Value{h}, Galois: sorted, Level: level, Degree: 1, Scale: oh.Scale, LogSlots: oh.LogSlots})
}

// Build returns the program and its constants, or the first error. The Builder must not be used afterwards.
func (b *Builder) Build() (*Program, *Constants, error) {
	if b.err != nil {
		return nil, nil, b.err
	}
	if len(b.prog.outputs) == 0 {
		return nil, nil, fmt.Errorf("program: no output")
	}
	b.prog.seal()
	return b.prog, NewConstants(b.consts...), nil
}
