package clear_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"go.uber.org/goleak"

	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/engine/clear"
	"github.com/signet-ml/signet/fhe/engine/cpu"
	"github.com/signet-ml/signet/fhe/fhetest"
	"github.com/signet-ml/signet/fhe/polyeval"
	"github.com/signet-ml/signet/fhe/program"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func cpuEngine(t testing.TB) program.Engine {
	t.Helper()
	e, err := cpu.Open(cpu.Config{})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// uniform returns tensors of numbers in [-1, 1) for every input port.
func uniform(rng *rand.Rand, p *program.Program) map[string][]float64 {
	out := map[string][]float64{}
	for _, port := range p.Inputs() {
		x := make([]float64, port.Layout.Len())
		for i := range x {
			x[i] = (2*rng.Float64() - 1) * min(port.Bound, 1)
		}
		out[port.Name] = x
	}
	return out
}

// encrypted returns a bundle of inputs and the owner's opener, under fresh toy keys.
func encrypted(t testing.TB, p *program.Program, inputs map[string][]float64) (*fhetest.ToyKeys, *fhe.Bundle, clear.Opener) {
	t.Helper()
	var reqs []program.KeyRequirement
	if p.Parameters().PCount() > 0 {
		reqs = fhetest.Requirements(p)
	}
	keys := fhetest.InsecureToyKeys(t, p.Parameters(), reqs)
	slots := map[string][][]complex128{}
	for _, port := range p.Inputs() {
		k, err := program.NewPacker(p.Parameters(), port)
		if err != nil {
			t.Fatal(err)
		}
		for i := range port.Count {
			z, err := k.Pack(i, inputs[port.Name])
			if err != nil {
				t.Fatal(err)
			}
			slots[port.Name] = append(slots[port.Name], z)
		}
	}
	return keys, keys.Bundle(t, p, slots), keys.Open
}

// deep has seven levels at scale 2^40.
func deep(t testing.TB) fhe.Parameters {
	return fhetest.InsecureToyParams(t, fhetest.Toy{Name: "deep", LogN: 10, LogQ: []int{50, 40, 40, 40, 40, 40, 40, 40}, LogP: []int{50}, LogScale: 40})
}

// network is a builder with one input port "x" of all slots, at the highest level.
func network(t testing.TB, params fhe.Parameters) (*program.Builder, program.Value) {
	t.Helper()
	b := program.NewBuilder(params)
	b.Scope("input")
	x := b.Input(program.Port{Name: "x", Count: 1, Level: params.MaxLevel(), Degree: 1, LogSlots: params.LogMaxSlots(),
		Scale: params.DefaultScale(), Bound: 1, Layout: flat(params.MaxSlots())})
	return b, x[0]
}

func flat(n int) program.Layout {
	return program.Layout{Shape: []int{n}, Runs: []program.Run{{SlotStep: 1, IndexStep: 1, Length: n}}}
}

func built(t testing.TB, b *program.Builder, outputs ...program.Value) (*program.Program, *program.Constants) {
	t.Helper()
	b.Scope("output")
	for i, v := range outputs {
		b.Output(b.OutputPort(fmt.Sprintf("y%d", i), v, 1, flat(b.Parameters().MaxSlots())), v)
	}
	p, c, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	return p, c
}

// dense appends a product with eight diagonals, a bias, and a rescale.
func dense(t testing.TB, b *program.Builder, x program.Value, seed uint64) program.Value {
	t.Helper()
	params, rng := b.Parameters(), fhetest.NewRand(seed)
	scale := fhe.ScaleFromInt(params.Prime(b.Level(x)))
	encode := func(rows int, scale fhe.Scale) *program.Constant {
		enc, out := fhe.NewEncoder(params), make([][]int64, rows)
		for r := range out {
			w := make([]float64, params.MaxSlots())
			for i := range w {
				w[i] = (2*rng.Float64() - 1) * 0.3
			}
			var err error
			if out[r], err = enc.EncodeReal(w, params.LogMaxSlots(), scale); err != nil {
				t.Fatal(err)
			}
		}
		c, err := program.NewPolynomials(out, params.LogMaxSlots(), scale)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	order := []int{0, 1, 2, 3, 4, 5, 6, 7}
	y := b.Rescale(b.Lintrans(b.Hoist(x, b.Level(x)), encode(8, scale), order, order, 4, b.Level(x)))
	return b.AddPt(y, encode(1, b.Scale(y)), 0)
}

// mlp is linear, square, linear, and a sigmoid of degree 15. domain says what the sigmoid takes.
func mlp(t testing.TB) (p *program.Program, c *program.Constants, domain program.Domain) {
	t.Helper()
	b, x := network(t, deep(t))
	b.Scope("dense1")
	x = dense(t, b, x, 1)
	b.Scope("square")
	x = b.Rescale(b.MulRelin(x, x))
	b.Scope("dense2")
	x = dense(t, b, x, 2)
	b.Scope("sigmoid")
	sigmoid, err := polyeval.At(polyeval.Sigmoid, -8, 8, 15)
	if err != nil {
		t.Fatal(err)
	}
	y, err := polyeval.Evaluate(b, x, sigmoid, b.Parameters().DefaultScale())
	if err != nil {
		t.Fatal(err)
	}
	p, c = built(t, b, y)
	return p, c, program.Domain{Value: x, Lo: -1, Hi: 1, Name: "sigmoid"}
}
