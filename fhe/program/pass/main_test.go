package pass_test

import (
	"bytes"
	"context"
	"flag"
	"math/big"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/engine/cpu"
	"github.com/signet-ml/signet/fhe/fhetest"
	"github.com/signet-ml/signet/fhe/program"
	"github.com/signet-ml/signet/fhe/program/pass"
)

var update = flag.Bool("update", false, "rewrite the goldens in testdata")

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs from the golden; if the change is meant, run with -update:\n%s", name, got)
	}
}

func dump(t testing.TB, p *program.Program) string {
	t.Helper()
	var b bytes.Buffer
	if err := p.Dump(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func layout(count, n int) program.Layout {
	l := program.Layout{Shape: []int{count, n}}
	for i := range count {
		l.Runs = append(l.Runs, program.Run{Ciphertext: i, SlotStep: 1, Index: i * n, IndexStep: 1, Length: n})
	}
	return l
}

// input declares a port of count ciphertexts at the highest level.
func input(b *program.Builder, count int) []program.Value {
	p := b.Parameters()
	return b.Input(program.Port{Name: "x", Count: count, Level: p.MaxLevel(), Degree: 1, LogSlots: p.LogMaxSlots(),
		Scale: p.DefaultScale(), Bound: 1, Layout: layout(count, 4)})
}

func output(b *program.Builder, name string, v program.Value) {
	b.Output(b.OutputPort(name, v, 1, layout(1, 4)), v)
}

func build(t testing.TB, b *program.Builder) (*program.Program, *program.Constants) {
	t.Helper()
	p, c, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	return p, c
}

func optimize(t testing.TB, p *program.Program, opts ...pass.Option) (*program.Program, *pass.Report) {
	t.Helper()
	q, r, err := pass.Optimize(p, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return q, r
}

func polynomials(t testing.TB, rows, logSlots int, scale fhe.Scale) *program.Constant {
	t.Helper()
	var list [][]int64
	for i := range rows {
		row := make([]int64, 2<<logSlots)
		for j := range row {
			row[j] = int64((i+3)*(j+1)%23) - 11
		}
		list = append(list, row)
	}
	c, err := program.NewPolynomials(list, logSlots, scale)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func weights(t testing.TB, scale fhe.Scale, rows ...[]int64) *program.Constant {
	t.Helper()
	c, err := program.NewWeights(rows, scale)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

var key = fhe.KeyID{3}

// load loads a program on the CPU engine.
func load(t testing.TB, p *program.Program, c *program.Constants, keys *fhe.EvaluationKeys) program.Job {
	t.Helper()
	eng, err := cpu.Open(cpu.Config{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	job, err := eng.Load(context.Background(), p, c, keys)
	if err != nil {
		t.Fatal(err)
	}
	return job
}

// run executes a program on random words that depend on the seed and its input ports only, and returns outputs and
// trace.
func run(t testing.TB, seed uint64, p *program.Program, c *program.Constants, keys *fhe.EvaluationKeys) (*fhe.Bundle, []program.TraceRecord) {
	t.Helper()
	job := load(t, p, c, keys)
	defer job.Close()
	in, err := fhetest.RandomBundle(fhetest.NewRand(seed), p, key)
	if err != nil {
		t.Fatal(err)
	}
	var rec program.TraceRecorder
	out, err := job.Run(context.Background(), in, program.WithTrace(&rec))
	if err != nil {
		t.Fatal(err)
	}
	return out, rec.Records()
}

func randomKeys(t testing.TB, p *program.Program) *fhe.EvaluationKeys {
	t.Helper()
	keys, err := fhetest.RandomKeys(fhetest.NewRand(1), p.Parameters(), key, p.Keys())
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// sameBits fails the test unless p and q give the same bits on the same random words, with the keys of p, and the
// values of p that have a counterpart at their level in q have its bits too.
func sameBits(t testing.TB, seed uint64, p, q *program.Program, r *pass.Report, c *program.Constants) {
	t.Helper()
	keys := randomKeys(t, p)
	if err := q.CheckKeys(keys); err != nil {
		t.Fatalf("the keys of the program do not serve the result: %v", err)
	}
	want, wantTrace := run(t, seed, p, c, keys)
	got, gotTrace := run(t, seed, q, c, keys)
	for _, name := range want.Ports() {
		for i, w := range want.Get(name) {
			if g := got.Get(name)[i]; g.Digest() != w.Digest() {
				t.Fatalf("port %q, ciphertext %d: other bits\n%s\n%s", name, i, dump(t, p), dump(t, q))
			}
		}
	}
	for v := range p.Ops() {
		w, ok := r.Map(program.Value(v))
		if !ok || p.Ops()[v].Level != q.Ops()[w].Level || !p.Ops()[v].IsCiphertext() {
			continue
		}
		if wantTrace[v].Output != gotTrace[w].Output {
			t.Fatalf("value %d became %d, which has other bits\n%s\n%s", v, w, dump(t, p), dump(t, q))
		}
	}
}

// inject returns a program with the same outputs that wastes work: operations twice, with operands of sums and products
// swapped, NEG of NEG, DROP of DROP, SETSCALE and factors that change nothing, and operations that nobody reads.
func inject(t testing.TB, rng *rand.Rand, p *program.Program, rate float64) *program.Program {
	t.Helper()
	var ops []program.Op
	old := p.Ops()
	copies := make([][]program.Value, len(old))
	add := func(o program.Op, code program.Opcode, args ...program.Value) program.Value {
		o.Code, o.Args = code, args
		ops = append(ops, o)
		return program.Value(len(ops) - 1)
	}
	pick := func(v program.Value) program.Value { return copies[v][rng.IntN(len(copies[v]))] }
	for i := range old {
		n := 1
		if c := old[i].Code; c != program.Input && c != program.Output && rng.Float64() < rate {
			n += 1 + rng.IntN(2)
		}
		for range n {
			o := old[i]
			var args []program.Value
			for _, v := range o.Args {
				args = append(args, pick(v))
			}
			o.Ranges = nil
			for v := range (&program.Op{Ranges: old[i].Ranges}).Operands() {
				o.Ranges = append(o.Ranges, program.Range{First: pick(v), Count: 1})
			}
			if (o.Code == program.Add || o.Code == program.Mul || o.Code == program.MulRelin) && rng.IntN(2) == 0 {
				args[0], args[1] = args[1], args[0]
			}
			copies[i] = append(copies[i], add(o, o.Code, args...))
		}
		// In front of a port's next ciphertext nothing fits.
		if i+1 < len(old) && old[i+1].Code == old[i].Code && old[i+1].Index > 0 || !old[i].IsCiphertext() || rng.Float64() > rate {
			continue
		}
		o, v := old[i], pick(program.Value(i))
		o.Ranges, o.Galois, o.Rows, o.Diagonals = nil, nil, nil, nil
		switch rng.IntN(6) {
		case 0:
			add(o, program.Neg, v)
		case 1:
			copies[i] = append(copies[i], add(o, program.Neg, add(o, program.Neg, v)))
		case 2:
			o.A, o.B, o.By = big.NewInt(1), new(big.Int), fhe.PowerOfTwo(0)
			copies[i] = append(copies[i], add(o, program.MulConst, v))
		case 3:
			scale := o.Scale
			o.Scale = fhe.PowerOfTwo(9)
			v = add(o, program.SetScale, v)
			o.Scale = scale
			copies[i] = append(copies[i], add(o, program.SetScale, v))
		case 4:
			o.A, o.B = new(big.Int), new(big.Int)
			copies[i] = append(copies[i], add(o, program.AddConst, v))
		case 5:
			zero := add(o, program.Zero)
			copies[i] = append(copies[i], add(o, program.Add, zero, v))
		}
	}
	q, err := p.Rewrite(ops)
	if err != nil {
		t.Fatal(err)
	}
	return q
}
