package clear

import (
	"context"
	"fmt"
	"math"

	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/program"
)

// ExecuteOptions are the options of Execute. The zero value computes outputs without noise.
type ExecuteOptions struct {
	Keep []program.Value // values whose slots Result.Slots holds; others are forgotten after their last use
	// Visit is called with every value's slots, in the order of the operations. It must not change them. An error stops
	// the execution and is returned.
	Visit func(v program.Value, slots []complex128) error
	// Simulate adds the error of every operation, encryption among them, drawn from the noise model. The same Seed
	// gives the same errors.
	Simulate bool
	Seed     uint64
}

// Result is what an execution gave.
type Result struct {
	Outputs map[string][]float64           // flat row-major tensors by port
	Slots   map[program.Value][]complex128 // of ExecuteOptions.Keep
	// Noise is the model's estimate, for every value, of how an encrypted run on these inputs differs from this one:
	// with the magnitudes that the values have here, and the error of encryption. Rounding of constants is in both
	// runs.
	Noise []program.Noise
}

// Execute runs a program on tensors, by the name of the input port, packed as the client packs them. Outputs are read
// as the client reads them. It takes double precision, about 2^-50 of the largest value on the way, checks the context
// between operations, and needs Memory(p) bytes besides what Keep holds.
//
// Errors are a *fhe.MismatchError for constants or inputs that are not the program's, a *program.ValueError for an
// input that the client would refuse, an *OverflowError, or that of Visit.
func Execute(ctx context.Context, p *program.Program, c *program.Constants, inputs map[string][]float64, opts ExecuteOptions) (*Result, error) {
	t, err := newTables(p, c)
	if err != nil {
		return nil, fmt.Errorf("clear: execute: %w", err)
	}
	in, err := packAll(p, inputs)
	if err != nil {
		return nil, fmt.Errorf("clear: execute: %w", err)
	}
	var sim *simulator
	if opts.Simulate {
		if sim, err = newSimulator(p, c, opts.Seed); err != nil {
			return nil, fmt.Errorf("clear: execute: %w", err)
		}
	}
	res := &Result{Outputs: map[string][]float64{}, Slots: map[program.Value][]complex128{}}
	keep := map[program.Value]bool{}
	for _, v := range opts.Keep {
		if v < 0 || int(v) >= len(p.Ops()) {
			return nil, fmt.Errorf("clear: execute: no value %d to keep among %d", v, len(p.Ops()))
		}
		keep[v] = true
	}
	hints := program.NoiseHints{Magnitude: map[program.Value]float64{}, Mean: map[program.Value]complex128{}, Exact: true}
	outputs, err := t.execute(ctx, in, sim, func(v program.Value, slots []complex128) error {
		hints.Magnitude[v], hints.Mean[v] = rms(slots), mean(slots)
		if keep[v] {
			res.Slots[v] = append([]complex128(nil), slots...)
		}
		if opts.Visit != nil {
			return opts.Visit(v, slots)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("clear: execute: %w", err)
	}
	for i, port := range p.Outputs() {
		if res.Outputs[port.Name], err = unpack(p.Parameters(), port, outputs[i]); err != nil {
			return nil, fmt.Errorf("clear: execute: %w", err)
		}
	}
	if res.Noise, err = p.Noise(c, hints); err != nil {
		return nil, fmt.Errorf("clear: execute: %w", err)
	}
	return res, nil
}

// execute runs the program on the slots of its inputs, by port and ciphertext, and returns those of its outputs. sim
// and visit may be nil.
func (t *tables) execute(ctx context.Context, in [][][]complex128, sim *simulator, visit func(program.Value, []complex128) error) ([][][]complex128, error) {
	m, out := t.machine(sim, whole), make([][][]complex128, len(t.prog.Outputs()))
	for i, o := range t.prog.Ops() {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("stopped before %q: %w", t.prog.Scope(program.Value(i)), err)
		}
		var slots []complex128
		if o.Code == program.Input {
			slots = in[o.Port][o.Index]
		}
		if err := m.step(i, slots); err != nil {
			return nil, err
		}
		if err := m.check(i); err != nil {
			return nil, err
		}
		if o.Code == program.Output {
			out[o.Port] = append(out[o.Port], m.slots(i))
		}
		if visit != nil {
			if err := visit(program.Value(i), m.slots(i)); err != nil {
				return nil, err
			}
		}
		m.free(i)
	}
	return out, nil
}

// packAll lays out tensors for every input port.
func packAll(p *program.Program, inputs map[string][]float64) ([][][]complex128, error) {
	ports := p.Inputs()
	if len(inputs) != len(ports) {
		return nil, &fhe.MismatchError{What: "number of input ports", Want: fmt.Sprint(len(ports)), Have: fmt.Sprint(len(inputs))}
	}
	out := make([][][]complex128, len(ports))
	for i, port := range ports {
		x, ok := inputs[port.Name]
		if !ok {
			return nil, &fhe.MismatchError{What: "port", Want: fmt.Sprintf("%q", port.Name), Have: "none"}
		}
		var err error
		if out[i], err = pack(p.Parameters(), port, x); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func pack(params fhe.Parameters, port program.Port, x []float64) ([][]complex128, error) {
	k, err := program.NewPacker(params, port)
	if err != nil {
		return nil, err
	}
	if err := port.CheckValues(x); err != nil {
		return nil, err
	}
	slots := make([][]complex128, port.Count)
	for i := range slots {
		if slots[i], err = k.Pack(i, x); err != nil {
			return nil, fmt.Errorf("port %q: %w", port.Name, err)
		}
	}
	return slots, nil
}

func unpack(params fhe.Parameters, port program.Port, slots [][]complex128) ([]float64, error) {
	k, err := program.NewPacker(params, port)
	if err != nil {
		return nil, err
	}
	if i := port.Layout.Unplaced(); i >= 0 {
		return nil, fmt.Errorf("%w: %q: element %d lies in no slot", program.ErrPort, port.Name, i)
	}
	return k.Unpack(slots)
}

func rms(slots []complex128) float64 {
	sum := 0.0
	for _, z := range slots {
		sum += real(z)*real(z) + imag(z)*imag(z)
	}
	return math.Sqrt(sum / float64(len(slots)))
}

func mean(slots []complex128) complex128 {
	var sum complex128
	for _, z := range slots {
		sum += z
	}
	return sum / complex(float64(len(slots)), 0)
}
