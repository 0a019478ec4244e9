package lintrans

import (
	"context"
	"math"
	"math/bits"
	"testing"

	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/engine"
	"github.com/signet-ml/signet/fhe/fhetest"
	"github.com/signet-ml/signet/fhe/program"
)

// rig builds one program and runs it twice: in the clear on slots, as the opcodes are defined, and encrypted. It keeps
// what a program does not show, the slot values of constants and inputs.
type rig struct {
	tb     testing.TB
	b      *program.Builder
	slots  int
	scale  fhe.Scale // of inputs and constants
	enc    *fhe.Encoder
	rows   map[fhe.Digest][][]complex128
	inputs map[string][][]complex128
	hints  program.NoiseHints

	prog   *program.Program
	consts *program.Constants
}

func newRig(tb testing.TB, params fhe.Parameters, slots int) *rig {
	r := &rig{tb: tb, b: program.NewBuilder(params), slots: slots, scale: fhe.PowerOfTwo(40), enc: fhe.NewEncoder(params),
		rows: map[fhe.Digest][][]complex128{}, inputs: map[string][][]complex128{},
		hints: program.NoiseHints{Magnitude: map[program.Value]float64{}}}
	r.b.Scope("product")
	return r
}

func (r *rig) logSlots() int { return bits.Len(uint(r.slots)) - 1 }

// constant encodes rows of slot values.
func (r *rig) constant(rows [][]complex128) *program.Constant {
	r.tb.Helper()
	encoded := make([][]int64, len(rows))
	for k, v := range rows {
		var err error
		if encoded[k], err = r.enc.Encode(v, r.logSlots(), r.scale); err != nil {
			r.tb.Fatal(err)
		}
	}
	c, err := program.NewPolynomials(encoded, r.logSlots(), r.scale)
	if err != nil {
		r.tb.Fatal(err)
	}
	r.rows[c.Digest()] = rows
	return c
}

// constants encodes blocks of rows.
func (r *rig) constants(blocks [][][]complex128) []*program.Constant {
	out := make([]*program.Constant, len(blocks))
	for i, rows := range blocks {
		out[i] = r.constant(rows)
	}
	return out
}

// input appends a port that packs x by runs, at the highest level.
func (r *rig) input(name string, count int, runs []program.Run, x []float64) []program.Value {
	r.tb.Helper()
	r.inputs[name] = pack(r.tb, r.slots, count, runs, x)
	return r.port(name, program.Layout{Shape: []int{len(x)}, Runs: runs})
}

// private appends a port whose ciphertexts hold rows of slot values.
func (r *rig) private(name string, rows [][]complex128) []program.Value {
	r.inputs[name] = rows
	return r.port(name, everySlot(len(rows), r.slots))
}

// privates appends a port for every block.
func (r *rig) privates(blocks [][][]complex128) [][]program.Value {
	out := make([][]program.Value, len(blocks))
	for i, rows := range blocks {
		out[i] = r.private("weights "+string(rune('a'+i)), rows)
	}
	return out
}

func (r *rig) port(name string, layout program.Layout) []program.Value {
	slots := r.inputs[name]
	v := r.b.Input(program.Port{Name: name, Count: len(slots), Level: r.b.Parameters().MaxLevel(), Degree: 1, LogSlots: r.logSlots(),
		Scale: r.scale, Bound: 1, Layout: layout})
	for i, x := range v {
		sum := 0.0
		for _, z := range slots[i] {
			sum += real(z)*real(z) + imag(z)*imag(z)
		}
		r.hints.Magnitude[x] = math.Sqrt(sum / float64(r.slots))
	}
	return v
}

// build makes values the program's output, every slot declared.
func (r *rig) build(out ...program.Value) {
	r.tb.Helper()
	port := r.b.OutputPort("y", out[0], 1, everySlot(len(out), r.slots))
	port.Count = len(out)
	r.b.Output(port, out...)
	var err error
	if r.prog, r.consts, err = r.b.Build(); err != nil {
		r.tb.Fatal(err)
	}
}

// everySlot declares every real slot of ciphertexts, imaginary parts included.
func everySlot(count, slots int) program.Layout {
	l := program.Layout{Shape: []int{count, 2 * slots}}
	for i := range count {
		l.Runs = append(l.Runs, program.Run{Ciphertext: i, SlotStep: 1, Index: 2 * slots * i, IndexStep: 1, Length: 2 * slots})
	}
	return l
}

// pack returns the slots that a client fills by runs.
func pack(tb testing.TB, slots, count int, runs []program.Run, x []float64) [][]complex128 {
	tb.Helper()
	out, used := make([][]complex128, count), make([][]bool, count)
	for i := range out {
		out[i], used[i] = make([]complex128, slots), make([]bool, 2*slots)
	}
	for _, r := range runs {
		for i := range r.Length {
			at, v := r.Slot+i*r.SlotStep, x[r.Index+i*r.IndexStep]
			if used[r.Ciphertext][at] {
				tb.Fatalf("slot %d of ciphertext %d is in two runs", at, r.Ciphertext)
			}
			used[r.Ciphertext][at] = true
			if at < slots {
				out[r.Ciphertext][at] += complex(v, 0)
			} else {
				out[r.Ciphertext][at-slots] += complex(0, v)
			}
		}
	}
	return out
}

func rotate(v []complex128, k int) []complex128 {
	out := make([]complex128, len(v))
	for t := range out {
		out[t] = v[(t+k)&(len(v)-1)]
	}
	return out
}

// automorphism applies a Galois element to slots.
func (r *rig) automorphism(v []complex128, g uint64) []complex128 {
	r.tb.Helper()
	k, conj, ok := r.prog.Parameters().Rotation(g)
	if !ok {
		r.tb.Fatalf("element %d is no rotation", g)
	}
	out := rotate(v, k&(len(v)-1))
	if conj {
		for t, z := range out {
			out[t] = complex(real(z), -imag(z))
		}
	}
	return out
}

// interpret returns the slots of the outputs, computed in the clear.
func (r *rig) interpret() [][]complex128 {
	r.tb.Helper()
	p := r.prog
	infos, inputs := p.Constants(), p.Inputs()
	vals := make([][]complex128, len(p.Ops()))
	taken := make([]int, len(inputs)) // ciphertexts of ports
	var out [][]complex128
	for i, o := range p.Ops() {
		arg := func(j int) []complex128 { return vals[o.Args[j]] }
		row := func(j int) []complex128 { return r.rows[infos[o.Const].Digest][o.Rows[j]] }
		y := make([]complex128, r.slots)
		add := func(v []complex128) {
			for s, z := range v {
				y[s] += z
			}
		}
		switch o.Code {
		case program.Input:
			y = r.inputs[inputs[o.Port].Name][taken[o.Port]]
			taken[o.Port]++
		case program.Output:
			out = append(out, arg(0))
		case program.Hoist, program.Rescale, program.Drop, program.Relin:
			y = arg(0)
		case program.Add:
			add(arg(0))
			add(arg(1))
		case program.Mul:
			for s := range y {
				y[s] = arg(0)[s] * arg(1)[s]
			}
		case program.MulPt:
			for s, w := range row(0) {
				y[s] = arg(0)[s] * w
			}
		case program.Rot, program.RotHoisted:
			y = r.automorphism(arg(0), o.Galois[0])
		case program.Rotsum:
			for _, g := range o.Galois {
				add(r.automorphism(arg(0), g))
			}
		case program.Lintrans:
			// Σ over giants j of rot(Σ over babies b of d'_{j+b} ⊙ rot(x, b), j).
			inner := map[int][]complex128{}
			for j, k := range o.Diagonals {
				baby, giant := program.BabyGiant(k, o.N1)
				if inner[giant] == nil {
					inner[giant] = make([]complex128, r.slots)
				}
				x, w := rotate(arg(0), baby), row(j)
				for s := range x {
					inner[giant][s] += x[s] * w[s]
				}
			}
			for giant, v := range inner {
				add(rotate(v, giant))
			}
		default:
			r.tb.Fatalf("unexpected operation %v", o.Code)
		}
		vals[i] = y
	}
	return out
}

// check interprets the program and compares every slot; values are integers small enough to be exact.
func (r *rig) check(want [][]complex128) {
	r.tb.Helper()
	got := r.interpret()
	if len(got) != len(want) {
		r.tb.Fatalf("%d ciphertexts, want %d", len(got), len(want))
	}
	for c := range want {
		for s, z := range want[c] {
			if got[c][s] != z {
				r.tb.Fatalf("ciphertext %d, slot %d holds %v, want %v", c, s, got[c][s], z)
			}
		}
	}
}

// encrypted runs the program under encryption on the CPU engine so many times and compares every slot of all outputs
// with want: at least 20 bits, which 40-bit scales leave on toy rings, and an error of the predicted size.
func (r *rig) encrypted(runs int, want [][]complex128) {
	r.tb.Helper()
	ctx := context.Background()
	keys := fhetest.InsecureToyKeys(r.tb, r.prog.Parameters(), r.prog.Keys())
	eng, err := engine.Open(ctx, engine.CPU, engine.Threads(2))
	if err != nil {
		r.tb.Fatal(err)
	}
	job, err := eng.Load(ctx, r.prog, r.consts, keys.EvaluationKeys)
	if err != nil {
		r.tb.Fatal(err)
	}
	defer job.Close()
	var diffs []float64
	for range runs {
		out, err := job.Run(ctx, keys.Bundle(r.tb, r.prog, r.inputs))
		if err != nil {
			r.tb.Fatal(err)
		}
		for c, ct := range out.Get("y") {
			got := keys.Decrypt(r.tb, ct)
			fhetest.AssertClose(r.tb, got, want[c], 20)
			for s, z := range got {
				diffs = append(diffs, real(z-want[c][s]))
			}
		}
	}
	noise, err := r.prog.Noise(r.consts, r.hints)
	if err != nil {
		r.tb.Fatal(err)
	}
	sum, n := 0.0, 0
	for i, o := range r.prog.Ops() {
		if o.Code == program.Output {
			sum += noise[i].Error * noise[i].Error
			n++
		}
	}
	predicted, measured := math.Log2(math.Sqrt(sum/float64(n))), math.Log2(rms(diffs))
	r.tb.Logf("error 2^%.1f, predicted 2^%.1f", measured, predicted)
	// For values in fewer slots than the ring has, the model counts every coefficient: it expects too much.
	if high := measured - predicted; high > 1.5 || high < -1.5 && r.slots == r.prog.Parameters().MaxSlots() {
		r.tb.Errorf("error 2^%.1f, predicted 2^%.1f", measured, predicted)
	}
}

func rms(v []float64) float64 {
	sum := 0.0
	for _, x := range v {
		sum += x * x
	}
	return math.Sqrt(sum / float64(len(v)))
}

// operations returns what the operations of the program cost.
func (r *rig) operations(c Cost) float64 {
	k := r.prog.Parameters().PCount()
	total := 0.0
	for _, o := range r.prog.Ops() {
		switch o.Code {
		case program.Hoist:
			total += c.Hoist(o.Level, k)
		case program.MulPt:
			total += c.Row * float64(2*(o.Level+1))
		case program.Lintrans:
			babies, giants := map[int]bool{}, map[int]bool{}
			for _, d := range o.Diagonals {
				b, g := program.BabyGiant(d, o.N1)
				babies[b], giants[g] = true, true
			}
			delete(babies, 0)
			delete(giants, 0)
			total += float64(len(babies))*c.Rotation(o.Level, k) + c.ModDown(o.Level, k, 2) + float64(len(o.Diagonals)*2*(o.Level+1+k))*c.Row
			// A giant step brings one polynomial down, decomposes it and applies its key.
			total += float64(len(giants)) * (c.ModDown(o.Level, k, 1) + c.Hoist(o.Level, k) + c.Rotation(o.Level, k))
		case program.Rotsum:
			total += float64(len(o.Galois)-1)*c.Rotation(o.Level, k) + c.ModDown(o.Level, k, 2)
		}
	}
	return total
}

// matrix is a matrix by rows of all its entries.
type matrix struct {
	rows, cols int
	w          []float64
}

func (m matrix) Rows() int { return m.rows }
func (m matrix) Cols() int { return m.cols }

func (m matrix) Row(r int) (cols []int32, weights []float64) {
	for c, w := range m.w[r*m.cols : (r+1)*m.cols] {
		if w != 0 {
			cols, weights = append(cols, int32(c)), append(weights, w)
		}
	}
	return cols, weights
}

// times returns the product of the matrix and x.
func (m matrix) times(x []float64) []float64 {
	y := make([]float64, m.rows)
	for r := range y {
		for c, v := range x {
			y[r] += m.w[r*m.cols+c] * v
		}
	}
	return y
}

// lay returns y in the slots of a layout, repeated over all slots, and zero in slots of none.
func lay(l Layout, slots int, y []float64) [][]complex128 {
	out := make([][]complex128, l.Count(slots))
	for c := range out {
		out[c] = make([]complex128, slots)
		for s := range slots {
			if e := l[(c*slots+s)%len(l)]; e >= 0 {
				out[c][s] = complex(y[e], 0)
			}
		}
	}
	return out
}

// integers returns small integers, so that every sum of the interpreter is exact.
func integers(n int, seed uint64) []float64 {
	rng := fhetest.NewRand(seed)
	out := make([]float64, n)
	for i := range out {
		out[i] = float64(rng.IntN(19) - 9)
	}
	return out
}

// fraction returns values in [-1, 1).
func fraction(n int, seed uint64) []float64 {
	rng := fhetest.NewRand(seed)
	out := make([]float64, n)
	for i := range out {
		out[i] = 2*rng.Float64() - 1
	}
	return out
}
