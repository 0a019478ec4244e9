package encrypted

import (
	"bytes"
	"context"
	"flag"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/client"
	"github.com/signet-ml/signet/fhe/engine"
	"github.com/signet-ml/signet/fhe/program"
	"github.com/signet-ml/signet/ml"
)

var update = flag.Bool("update", false, "rewrite the goldens in testdata")

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
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

// random returns n numbers in [-size, size).
func random(n int, size float64, seed uint64) []float64 {
	rng := rand.New(rand.NewPCG(seed, 0x5167))
	out := make([]float64, n)
	for i := range out {
		out[i] = size * (2*rng.Float64() - 1)
	}
	return out
}

// dense returns a layer of random weights whose outputs are about as large as its inputs.
func dense(rows, cols int, seed uint64) ml.Layer {
	return scaled(rows, cols, math.Sqrt(3/float64(cols)), seed)
}

func scaled(rows, cols int, size float64, seed uint64) ml.Layer {
	return ml.Dense(ml.Tensor{Shape: []int{rows, cols}, Data: random(rows*cols, size, seed)}, random(rows, 0.25, seed+1000))
}

func inputs(n, width int, seed uint64) ml.Tensor {
	return ml.Tensor{Shape: []int{n, width}, Data: random(n*width, 1, seed)}
}

func sequential(tb testing.TB, layers ...ml.Layer) *ml.Model {
	tb.Helper()
	m, err := ml.Sequential(layers...)
	if err != nil {
		tb.Fatal(err)
	}
	return m
}

func compile(tb testing.TB, m *ml.Model, t Target) *Plan {
	tb.Helper()
	if t.Calibration.Len() == 0 {
		t.Calibration = inputs(256, m.InputLen(), 99)
	}
	p, err := Compile(m, t)
	if err != nil {
		tb.Fatal(err)
	}
	return p
}

// session is both sides of one plan: keys, and the program loaded on an engine.
type session struct {
	plan *Plan
	sk   *client.SecretKey
	keys *fhe.EvaluationKeys
	job  program.Job
	// weights holds those that the model's owner encrypted, or nil.
	weights *fhe.Bundle
}

func open(tb testing.TB, plan *Plan) *session {
	tb.Helper()
	ctx := context.Background()
	kg, err := client.NewKeyGenerator(plan.Parameters())
	if err != nil {
		tb.Fatal(err)
	}
	s := &session{plan: plan, sk: kg.GenSecretKey()}
	if s.keys, err = kg.GenEvaluationKeys(ctx, s.sk, plan.Keys()); err != nil {
		tb.Fatal(err)
	}
	eng, err := engine.Open(ctx, engine.CPU)
	if err != nil {
		tb.Fatal(err)
	}
	if s.job, err = eng.Load(ctx, plan.Program(), plan.Constants(), s.keys); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { s.job.Close() })
	if len(plan.WeightPorts()) == 0 {
		return s
	}
	pk, err := kg.GenPublicKey(s.sk) // for the model's owner
	if err != nil {
		tb.Fatal(err)
	}
	s.weights = fhe.NewBundle(plan.Parameters(), s.sk.ID(), plan.Program().Digest())
	for _, port := range plan.WeightPorts() {
		w, err := client.NewPublicKeyEncryptor(pk).Encrypt(port, plan.Weights(port.Name))
		if err == nil {
			err = s.weights.Merge(w)
		}
		if err != nil {
			tb.Fatal(err)
		}
	}
	return s
}

// run encrypts samples and runs the program.
func (s *session) run(tb testing.TB, x ml.Tensor) (in, out *fhe.Bundle) {
	tb.Helper()
	flat, err := s.plan.Pack(x)
	if err != nil {
		tb.Fatal(err)
	}
	if in, err = client.NewEncryptor(s.sk).Encrypt(s.plan.Input(), flat); err != nil {
		tb.Fatal(err)
	}
	if s.weights != nil {
		if err := in.Merge(s.weights); err != nil {
			tb.Fatal(err)
		}
	}
	if out, err = s.job.Run(context.Background(), in); err != nil {
		tb.Fatal(err)
	}
	return in, out
}

// scores decrypts what the plan's output port declares.
func (s *session) scores(tb testing.TB, out *fhe.Bundle, n int) ml.Tensor {
	tb.Helper()
	flat, err := client.NewDecryptor(s.sk).ForOwner(s.plan.Output(), out)
	if err != nil {
		tb.Fatal(err)
	}
	y, err := s.plan.Scores(flat, n)
	if err != nil {
		tb.Fatal(err)
	}
	return y
}

// everything decrypts every slot of every output ciphertext: real parts, then imaginary parts, ciphertext by ciphertext.
func (s *session) everything(tb testing.TB, out *fhe.Bundle) [][]float64 {
	tb.Helper()
	port := s.plan.Output()
	n := 2 << port.LogSlots
	port.Layout = program.Layout{Shape: []int{port.Count, n}}
	for i := range port.Count {
		port.Layout.Runs = append(port.Layout.Runs, program.Run{Ciphertext: i, SlotStep: 1, Index: i * n, IndexStep: 1, Length: n})
	}
	flat, err := client.NewDecryptor(s.sk).ForOwner(port, out)
	if err != nil {
		tb.Fatal(err)
	}
	slots := make([][]float64, port.Count)
	for i := range slots {
		slots[i] = flat[i*n : (i+1)*n]
	}
	return slots
}

// declared returns what everything must return if the outputs hold nothing but y, [n, outputs], the twin's scores of the
// samples of one run: a single sample repeats with the number of outputs, rounded up to a power of two, the rest of the
// period zero or repeated too; a batch has one output in each ciphertext and one sample in each slot.
func (s *session) declared(tb testing.TB, y ml.Tensor) [][]float64 {
	tb.Helper()
	port := s.plan.Output()
	slots, rows := 1<<port.LogSlots, s.plan.outputLen
	want := make([][]float64, port.Count)
	for i := range want {
		want[i] = make([]float64, 2*slots)
	}
	if s.plan.Packing() == Batch {
		for n := range y.Rows() {
			for r, v := range y.Row(n) {
				want[n/slots*rows+r][n%slots] = v
			}
		}
		return want
	}
	filled := s.plan.twin.stages[len(s.plan.twin.stages)-1].act == actPolynomial
	for c := range want {
		for t := range slots {
			switch r := (c*slots + t) % pow2(rows); {
			case r < rows:
				want[c][t] = y.Data[r]
			case filled:
				want[c][t] = y.Data[r%rows]
			}
		}
	}
	return want
}

// largest returns the largest output of the twin on samples.
func largest(tb testing.TB, p *Plan, x ml.Tensor) float64 {
	tb.Helper()
	y, err := p.Twin().Scores(x)
	if err != nil {
		tb.Fatal(err)
	}
	return spanOf(y.Data).abs()
}
