package clear

import (
	"fmt"
	"math"
	"math/big"
	"math/cmplx"

	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/program"
)

// tables are a program's constants as numbers. They are immutable and safe for concurrent use.
type tables struct {
	prog    *program.Program
	enc     *fhe.Encoder
	last    []program.Value
	polys   map[rowKey][]complex128 // rows of polynomials
	weights map[rowKey][]float64    // rows of weights
}

type rowKey struct{ constant, row int }

func newTables(p *program.Program, c *program.Constants) (*tables, error) {
	if p == nil {
		return nil, fmt.Errorf("nil program")
	}
	if err := p.CheckConstants(c); err != nil {
		return nil, err
	}
	t := &tables{p, fhe.NewEncoder(p.Parameters()), p.LastUses(), map[rowKey][]complex128{}, map[rowKey][]float64{}}
	infos := p.Constants()
	for k := range usedRows(p) {
		info := infos[k.constant]
		row, scale := c.Get(info.Digest).Row(k.row), info.Scale.Float64()
		numbers := make([]float64, len(row))
		for i, w := range row {
			numbers[i] = float64(w) / scale
		}
		if info.Kind == program.Weights {
			t.weights[k] = numbers
			continue
		}
		z, err := t.enc.Decode(numbers)
		if err != nil {
			return nil, fmt.Errorf("constant %d, row %d: %w", k.constant, k.row, err)
		}
		t.polys[k] = z
	}
	return t, nil
}

// usedRows returns the rows of constants that operations name.
func usedRows(p *program.Program) map[rowKey]bool {
	rows := map[rowKey]bool{}
	for _, o := range p.Ops() {
		for _, r := range o.Rows {
			rows[rowKey{o.Const, r}] = true
		}
	}
	return rows
}

// Memory returns the bytes that a run of the program takes here: constants as slots, and the values that are alive at
// once.
func Memory(p *program.Program) int64 {
	infos := p.Constants()
	var need int64
	for k := range usedRows(p) {
		if info := infos[k.constant]; info.Kind == program.Polynomials {
			need += 16 << info.LogSlots
		} else {
			need += 8 * int64(info.Width)
		}
	}
	ends := make(map[program.Value][]program.Value)
	for v, l := range p.LastUses() {
		ends[l] = append(ends[l], program.Value(v))
	}
	var alive, peak int64
	size := func(v program.Value) int64 { return 16 << p.Ops()[v].LogSlots }
	for i := range p.Ops() {
		alive += size(program.Value(i))
		peak = max(peak, alive)
		for _, v := range ends[program.Value(i)] {
			alive -= size(v)
		}
	}
	return need + peak
}

// machine is the state of one execution. Slices of slots are shared between values and never written to.
type machine struct {
	*tables
	vals [][]complex128
	// sim, if not nil, adds errors. They need all slots of the ring: a message in n slots is a polynomial in X^(N/2n),
	// but the errors of a ciphertext are in every coefficient, and where the value meets one of more slots they count.
	sim   *simulator
	input share // of the errors of inputs
}

// machine returns a fresh machine that adds the errors of sim, unless that is nil.
func (t *tables) machine(sim *simulator, input share) *machine {
	return &machine{t, make([][]complex128, len(t.prog.Ops())), sim, input}
}

// size returns how many slots the machine keeps of an operation's result.
func (m *machine) size(o *program.Op) int {
	if m.sim != nil {
		return m.prog.Parameters().MaxSlots()
	}
	return 1 << o.LogSlots
}

// slots returns a value's own slots. Errors of other coefficients than the message's are lost in decoding.
func (m *machine) slots(i int) []complex128 { return project(m.vals[i], 1<<m.prog.Ops()[i].LogSlots) }

func project(x []complex128, n int) []complex128 {
	if len(x) == n {
		return x
	}
	out, share := make([]complex128, n), complex(float64(n)/float64(len(x)), 0)
	for s, z := range x {
		out[s&(n-1)] += z * share
	}
	return out
}

// step executes operation i; in holds the slots of an Input. It fails if a slot is no finite number.
func (m *machine) step(i int, in []complex128) error {
	o := &m.prog.Ops()[i]
	if o.Code == program.Input {
		m.vals[i] = m.each(o, in, func(x complex128) complex128 { return x })
	} else {
		m.vals[i] = m.operation(o)
	}
	if m.sim != nil {
		part := whole
		if o.Code == program.Input {
			part = m.input
		}
		m.vals[i] = m.sim.disturb(i, 1<<o.LogSlots, m.vals[i], part)
	}
	for s, z := range m.vals[i] {
		if cmplx.IsNaN(z) || cmplx.IsInf(z) {
			return fmt.Errorf("operation %d, %v in %q: slot %d is %v", i, o.Code, m.prog.Scope(program.Value(i)), s, z)
		}
	}
	return nil
}

// free forgets what operation i was the last to read.
func (m *machine) free(i int) {
	o := &m.prog.Ops()[i]
	for v := range o.Operands() {
		if m.last[v] == program.Value(i) {
			m.vals[v] = nil
		}
	}
	if m.last[i] == program.Value(i) {
		m.vals[i] = nil
	}
}

func (m *machine) operation(o *program.Op) []complex128 {
	arg := func(k int) []complex128 { return m.vals[o.Args[k]] }
	switch o.Code {
	case program.Zero:
		return make([]complex128, m.size(o))
	case program.Output, program.Drop, program.Relin, program.Rescale, program.Hoist:
		return arg(0)
	case program.SetScale:
		f, _ := new(big.Float).Quo(m.prog.Ops()[o.Args[0]].Scale.Big(), o.Scale.Big()).Float64()
		return m.each(o, arg(0), func(x complex128) complex128 { return x * complex(f, 0) })
	case program.Add:
		return m.pairs(o, arg(0), arg(1), func(x, y complex128) complex128 { return x + y })
	case program.Sub:
		return m.pairs(o, arg(0), arg(1), func(x, y complex128) complex128 { return x - y })
	case program.Mul, program.MulRelin:
		return m.pairs(o, arg(0), arg(1), func(x, y complex128) complex128 { return x * y })
	case program.AddPt:
		return m.pairs(o, arg(0), m.row(o, 0), func(x, y complex128) complex128 { return x + y })
	case program.SubPt:
		return m.pairs(o, arg(0), m.row(o, 0), func(x, y complex128) complex128 { return x - y })
	case program.MulPt:
		return m.pairs(o, arg(0), m.row(o, 0), func(x, y complex128) complex128 { return x * y })
	case program.Neg:
		return m.each(o, arg(0), func(x complex128) complex128 { return -x })
	case program.AddConst:
		c := constant(o, o.Scale)
		return m.each(o, arg(0), func(x complex128) complex128 { return x + c })
	case program.MulConst:
		c := constant(o, o.By)
		return m.each(o, arg(0), func(x complex128) complex128 { return x * c })
	case program.MacConst: // the accumulator's factor makes the scales meet and changes no value
		c := constant(o, o.By)
		return m.pairs(o, arg(0), arg(1), func(acc, x complex128) complex128 { return acc + x*c })
	case program.Lincomb:
		return m.lincomb(o)
	case program.Rot, program.Conj, program.RotHoisted, program.Rotsum:
		out := make([]complex128, m.size(o))
		for _, g := range o.Galois {
			m.addRotated(out, arg(0), g)
		}
		return out
	case program.Lintrans:
		return m.lintrans(o)
	}
	panic("clear: no such opcode: " + o.Code.String())
}

func (m *machine) row(o *program.Op, j int) []complex128 { return m.polys[rowKey{o.Const, o.Rows[j]}] }

// constant returns A + B·X^(N/2) at a scale: X^(N/2) is i in every slot.
func constant(o *program.Op, scale fhe.Scale) complex128 {
	part := func(x *big.Int) float64 {
		f := new(big.Float).SetPrec(fhe.ScalePrecision).SetInt(x)
		v, _ := f.Quo(f, scale.Big()).Float64()
		return v
	}
	return complex(part(o.A), part(o.B))
}

func (m *machine) each(o *program.Op, x []complex128, f func(complex128) complex128) []complex128 {
	out := make([]complex128, m.size(o))
	for s := range out {
		out[s] = f(x[s&(len(x)-1)])
	}
	return out
}

// pairs combines two values. One of fewer slots repeats in the slots of the result.
func (m *machine) pairs(o *program.Op, x, y []complex128, f func(x, y complex128) complex128) []complex128 {
	out := make([]complex128, m.size(o))
	for s := range out {
		out[s] = f(x[s&(len(x)-1)], y[s&(len(y)-1)])
	}
	return out
}

func (m *machine) lincomb(o *program.Op) []complex128 {
	out := make([]complex128, m.size(o))
	w, k := m.weights[rowKey{o.Const, o.Rows[0]}], 0
	for v := range o.Operands() {
		x, f := m.vals[v], complex(w[k], 0)
		for s := range out {
			out[s] += f * x[s&(len(x)-1)]
		}
		k++
	}
	return out
}

// addRotated adds the automorphism X → X^g of x: a rotation to the left, and a conjugation.
func (m *machine) addRotated(out, x []complex128, g uint64) {
	k, conj, _ := m.prog.Parameters().Rotation(g)
	for s := range out {
		z := x[(s+k)&(len(x)-1)]
		if conj {
			z = cmplx.Conj(z)
		}
		out[s] += z
	}
}

// lintrans undoes the rotation by -giant that a row holds its diagonal in.
func (m *machine) lintrans(o *program.Op) []complex128 {
	x := m.vals[o.Args[0]]
	out := make([]complex128, m.size(o))
	for j, k := range o.Diagonals {
		row := m.row(o, j)
		_, giant := program.BabyGiant(k, o.N1)
		for s := range out {
			out[s] += row[(s+giant)&(len(row)-1)] * x[(s+k)&(len(x)-1)]
		}
	}
	return out
}

// OverflowError says that a value of a program does not fit its modulus. An encrypted run wraps around there, silently.
type OverflowError struct {
	Op    program.Value
	Code  program.Opcode
	Scope string
	Level int
	Bits  float64 // by which the largest coefficient exceeds half of the modulus
}

func (e *OverflowError) Error() string {
	return fmt.Sprintf("operation %d, %v in %q: the value exceeds half of the modulus at level %d by %.1f bits, an encrypted run would wrap around",
		e.Op, e.Code, e.Scope, e.Level, e.Bits)
}

// check fails with an *OverflowError if the value of operation i does not fit.
func (m *machine) check(i int) error {
	room, err := m.headroom(i)
	if err != nil || room >= 0 {
		return err
	}
	o := &m.prog.Ops()[i]
	return &OverflowError{program.Value(i), o.Code, m.prog.Scope(program.Value(i)), o.Level, -room}
}

// headroom returns log2 of half of the modulus over the largest coefficient of a value's message, as it is where that
// is below a few bits, else a lower bound: no coefficient is larger than the largest slot.
func (m *machine) headroom(i int) (float64, error) {
	o := &m.prog.Ops()[i]
	x, largest := m.slots(i), 0.0
	for _, z := range x {
		largest = max(largest, cmplx.Abs(z))
	}
	if largest == 0 {
		return maxHeadroom, nil
	}
	half := -1.0
	for l := range o.Level + 1 {
		half += math.Log2(float64(m.prog.Parameters().Prime(l)))
	}
	room := half - o.Scale.Log2() - math.Log2(largest)
	if room > closeCall {
		return min(room, maxHeadroom), nil
	}
	// Slots of random signs have coefficients far below the bound.
	unit := make([]complex128, len(x))
	for s, z := range x {
		unit[s] = z / complex(largest, 0)
	}
	coeffs, err := m.enc.Encode(unit, o.LogSlots, fhe.PowerOfTwo(unitBits))
	if err != nil {
		return 0, err
	}
	var top int64 = 1
	for _, c := range coeffs {
		top = max(top, c, -c)
	}
	return room + unitBits - math.Log2(float64(top)), nil
}

const (
	closeCall   = 4    // bits of headroom below which coefficients are looked at
	unitBits    = 50   // of the scale at which that is done
	maxHeadroom = 4096 // of an empty value
)
