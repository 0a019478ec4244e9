package provable_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/signet-ml/signet/ml"
	"github.com/signet-ml/signet/ml/fixedpoint"
	"github.com/signet-ml/signet/ml/provable"
	"github.com/signet-ml/signet/zk"
	"github.com/signet-ml/signet/zk/commit"
)

// network returns a small network with a hidden layer, and samples of it.
func network(t *testing.T, seed uint64, act ml.Layer) (*ml.Model, ml.Tensor) {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 1))
	normal := func(n int) []float64 {
		out := make([]float64, n)
		for i := range out {
			out[i] = r.NormFloat64()
		}
		return out
	}
	m, err := ml.Sequential(
		ml.Dense(ml.Tensor{Shape: []int{6, 5}, Data: normal(30)}, normal(6)), act,
		ml.Dense(ml.Tensor{Shape: []int{3, 6}, Data: normal(18)}, normal(3)))
	if err != nil {
		t.Fatal(err)
	}
	return m, ml.Tensor{Shape: []int{40, 5}, Data: normal(200)}
}

// sample returns samples [from, to) of a batch.
func sample(x ml.Tensor, from, to int) ml.Tensor {
	n := len(x.Data) / x.Shape[0]
	return ml.Tensor{Shape: append([]int{to - from}, x.Shape[1:]...), Data: x.Data[from*n : to*n]}
}

// keys caches keys of all tests of this run.
func keys(t *testing.T, c *provable.Circuit, opts ...zk.Option) *zk.Keys {
	t.Helper()
	k, err := zk.Setup(context.Background(), c.Circuit(), append(opts, zk.CacheDir(cacheDir))...)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// TestPredictions proves predictions in every combination of visibilities and answers and checks each as a stranger
// would: from bytes.
//
// Soundness: S14.
func TestPredictions(t *testing.T) {
	for _, c := range []struct {
		name string
		o    provable.Options
	}{
		{"committed weights, committed input, class", provable.Options{}},
		{"public input", provable.Options{Input: zk.Public}},
		{"hashed input", provable.Options{Input: zk.Hashed}},
		{"values", provable.Options{Answer: provable.Values}},
		{"hidden values", provable.Options{Answer: provable.Values, Output: zk.Committed}},
		{"hidden class", provable.Options{Output: zk.Committed}},
		{"hashed class", provable.Options{Output: zk.Hashed}},
		{"three samples", provable.Options{Batch: 3}},
		{"public weights", provable.Options{Weights: zk.Public}},
		{"public weights, values of two samples", provable.Options{Weights: zk.Public, Answer: provable.Values, Batch: 2}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if testing.Short() && (c.o.Output != zk.Public || c.o.Batch > 1) {
				t.Skip("long: keys of its own; zk/nn solves this circuit")
			}
			m, x := network(t, 1, ml.ReLU())
			c.o.Calibration = x
			circuit, err := provable.Compile(m, c.o)
			if err != nil {
				t.Fatal(err)
			}
			k := keys(t, circuit)
			var commitment *provable.Commitment
			var opening *provable.Opening
			if c.o.Weights != zk.Public {
				if commitment, opening, err = circuit.Commit(k); err != nil {
					t.Fatal(err)
				}
			}
			in := sample(x, 7, 7+max(1, c.o.Batch))
			proof, pred, err := circuit.Prove(context.Background(), k, opening, in, zk.Context{})
			if err != nil {
				t.Fatal(err)
			}
			want, err := m.Forward(in)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(pred.Labels, m.Labels(want)) {
				t.Errorf("labels %v, the float model says %v", pred.Labels, m.Labels(want))
			}
			q, err := circuit.Twin().Encode(in)
			if err != nil {
				t.Fatal(err)
			}
			ints, err := circuit.Twin().Forward(q, max(1, c.o.Batch))
			if err != nil {
				t.Fatal(err)
			}
			if st := pred.Statement(); st.Output.Visibility == zk.Public && !slices.Equal(st.Output.Values, ints) {
				t.Errorf("the statement says %v, the twin %v", st.Output.Values, ints)
			}
			st := circuit.Statement(commitment, in, pred)
			if err := zk.Verify(k.VerifyingKey(), st, proof); err != nil {
				t.Fatal(err)
			}
			strange(t, k.VerifyingKey(), st, proof)
		})
	}
}

// strange verifies what a stranger gets: three strings of bytes.
func strange(t *testing.T, vk *zk.VerifyingKey, st *zk.Statement, pf *zk.Proof) {
	t.Helper()
	v, err := vk.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	s, err := json.Marshal(st)
	if err != nil {
		t.Fatal(err)
	}
	p, err := pf.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	vk2, err := zk.ReadVerifyingKey(bytes.NewReader(v), 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	st2, err := zk.ReadStatement(bytes.NewReader(s), 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	pf2, err := zk.ReadProof(bytes.NewReader(p))
	if err != nil {
		t.Fatal(err)
	}
	if err := zk.Verify(vk2, st2, pf2); err != nil {
		t.Errorf("verifies in memory, but not from bytes: %v", err)
	}
}

// TestForgedStatements takes one proof and changes what it is claimed to prove.
//
// Soundness: S1, S20, P2, P16, P23.
func TestForgedStatements(t *testing.T) {
	m, x := network(t, 2, ml.ReLU())
	circuit, err := provable.Compile(m, provable.Options{Calibration: x, Input: zk.Public})
	if err != nil {
		t.Fatal(err)
	}
	k := keys(t, circuit)
	commitment, opening, err := circuit.Commit(k)
	if err != nil {
		t.Fatal(err)
	}
	other, _, err := circuit.Commit(k) // the same weights with other blinds
	if err != nil {
		t.Fatal(err)
	}
	where := zk.Context{Task: zk.Word{1}, Worker: zk.Word{2}}
	in := sample(x, 0, 1)
	proof, pred, err := circuit.Prove(context.Background(), k, opening, in, where)
	if err != nil {
		t.Fatal(err)
	}
	if err := zk.Verify(k.VerifyingKey(), pred.Statement(), proof); err != nil {
		t.Fatal(err)
	}
	for _, f := range []struct {
		name   string
		change func(*zk.Statement)
		want   error
	}{
		{"another class", func(s *zk.Statement) { s.Output.Values = []int64{(s.Output.Values[0] + 1) % 3} }, zk.ErrProof},
		{"no such class", func(s *zk.Statement) { s.Output.Values = []int64{3} }, zk.ErrStatement},
		{"negative class", func(s *zk.Statement) { s.Output.Values = []int64{-1} }, zk.ErrStatement},
		{"two classes", func(s *zk.Statement) { s.Output.Values = []int64{0, 1} }, zk.ErrStatement},
		{"hidden class", func(s *zk.Statement) { s.Output = zk.Claim{Visibility: zk.Committed, Digest: zk.Word{31: 1}} }, zk.ErrStatement},
		{"input off by one", func(s *zk.Statement) { s.Input.Values = slices.Clone(s.Input.Values); s.Input.Values[2]++ }, zk.ErrProof},
		{"input out of range", func(s *zk.Statement) { s.Input.Values = slices.Clone(s.Input.Values); s.Input.Values[2] = 300 }, zk.ErrStatement},
		{"input too short", func(s *zk.Statement) { s.Input.Values = s.Input.Values[1:] }, zk.ErrStatement},
		{"input as a digest", func(s *zk.Statement) { s.Input = zk.Claim{Visibility: zk.Hashed, Digest: zk.Word{31: 9}} }, zk.ErrProof},
		{"digest beyond the field", func(s *zk.Statement) { s.Input = zk.Claim{Visibility: zk.Hashed, Digest: zk.Word{0: 255}} }, zk.ErrStatement},
		{"values beside a digest", func(s *zk.Statement) { s.Input.Digest = zk.Word{31: 1} }, zk.ErrStatement},
		{"no visibility", func(s *zk.Statement) { s.Input.Visibility = 0 }, zk.ErrStatement},
		{"another model", func(s *zk.Statement) { s.Model = other }, zk.ErrProof},
		{"no model", func(s *zk.Statement) { s.Model = nil }, zk.ErrStatement},
		{"a model of one point", func(s *zk.Statement) { s.Model = &commit.Commitment{Form: commit.Rows, Points: other.Points[:1]} }, zk.ErrStatement},
		{"a model of another form", func(s *zk.Statement) {
			s.Model = &commit.Commitment{Form: commit.Compact, Points: other.Points[:1]}
		}, zk.ErrStatement},
		{"two rows of the model swapped", func(s *zk.Statement) {
			p := slices.Clone(commitment.Points)
			p[0], p[1] = p[1], p[0]
			s.Model = &commit.Commitment{Form: commit.Rows, Points: p}
		}, zk.ErrProof},
		{"another task", func(s *zk.Statement) { s.Context.Task = zk.Word{7} }, zk.ErrProof},
		{"another worker", func(s *zk.Statement) { s.Context.Worker = zk.Word{7} }, zk.ErrProof},
		{"another network", func(s *zk.Statement) { s.Context.Network = zk.Word{7} }, zk.ErrProof},
		{"another market", func(s *zk.Statement) { s.Context.Market = zk.Word{7} }, zk.ErrProof},
		{"another output in the context", func(s *zk.Statement) { s.Context.Output = zk.Word{7} }, zk.ErrProof},
		{"another specification", func(s *zk.Statement) { s.Context.Specification = zk.Word{7} }, zk.ErrProof},
		{"no context", func(s *zk.Statement) { s.Context = zk.Context{} }, zk.ErrProof},
		{"another key", func(s *zk.Statement) { s.VerifyingKey[0] ^= 1 }, zk.ErrStatement},
		{"another version", func(s *zk.Statement) { s.Version++ }, zk.ErrStatement},
		{"another kind", func(s *zk.Statement) { s.Kind++ }, zk.ErrStatement},
	} {
		t.Run(f.name, func(t *testing.T) {
			st := *pred.Statement()
			f.change(&st)
			if err := zk.Verify(k.VerifyingKey(), &st, proof); !errors.Is(err, f.want) {
				t.Errorf("got %v, want %v", err, f.want)
			}
		})
	}
	// A statement that a verifier builds of an input it knows.
	if st := circuit.Statement(commitment, sample(x, 1, 2), pred); !errors.Is(zk.Verify(k.VerifyingKey(), st, proof), zk.ErrProof) {
		t.Error("a prediction about another input was accepted")
	}
	if err := zk.Verify(k.VerifyingKey(), circuit.Statement(commitment, ml.Tensor{}, pred), proof); !errors.Is(err, zk.ErrStatement) {
		t.Errorf("a statement about no input: %v", err)
	}
}

// TestMauledProofs changes every byte of a proof, and its length.
//
// Soundness: S22, P21, P23.
func TestMauledProofs(t *testing.T) {
	for _, form := range []struct {
		name string
		opts []zk.Option
	}{{"rows", nil}, {"compact", []zk.Option{zk.CompactModel()}}, {"solidity", []zk.Option{zk.CompactModel(), zk.For(zk.Solidity)}}} {
		t.Run(form.name, func(t *testing.T) {
			m, x := network(t, 3, ml.ReLU())
			circuit, err := provable.Compile(m, provable.Options{Calibration: x})
			if err != nil {
				t.Fatal(err)
			}
			k := keys(t, circuit, form.opts...)
			_, opening, err := circuit.Commit(k)
			if err != nil {
				t.Fatal(err)
			}
			proof, pred, err := circuit.Prove(context.Background(), k, opening, sample(x, 0, 1), zk.Context{})
			if err != nil {
				t.Fatal(err)
			}
			good, err := proof.MarshalBinary()
			if err != nil {
				t.Fatal(err)
			}
			if len(good) > 400 {
				t.Errorf("the proof takes %d bytes, more than 400", len(good))
			}
			refused := func(b []byte, what string, at int) {
				t.Helper()
				pf, err := zk.ReadProof(bytes.NewReader(b))
				if err == nil {
					err = zk.Verify(k.VerifyingKey(), pred.Statement(), pf)
				}
				if err == nil {
					t.Errorf("accepted with %s at %d", what, at)
				}
			}
			step := 1
			if testing.Short() {
				step = 7
			}
			for i := 0; i < len(good); i += step {
				for _, flip := range []byte{1, 0x80} {
					b := bytes.Clone(good)
					b[i] ^= flip
					refused(b, "a flipped bit", i)
				}
			}
			for n := 0; n < len(good); n += step {
				refused(good[:n], "an end", n)
			}
			refused(append(bytes.Clone(good), 0), "a byte added", len(good))
		})
	}
}

// TestNewWeightsOldKeys commits to two models of one architecture under one key.
func TestNewWeightsOldKeys(t *testing.T) {
	m, x := network(t, 4, ml.ReLU())
	first, err := provable.Compile(m, provable.Options{Calibration: x})
	if err != nil {
		t.Fatal(err)
	}
	k := keys(t, first)
	arch := first.Architecture()
	m2, _ := network(t, 5, ml.ReLU())
	second, err := provable.Compile(m2, provable.Options{Calibration: x, Quantization: fixedpoint.Options{Architecture: &arch}})
	if err != nil {
		t.Fatal(err)
	}
	commitment, opening, err := second.Commit(k)
	if err != nil {
		t.Fatal(err)
	}
	proof, pred, err := second.Prove(context.Background(), k, opening, sample(x, 0, 1), zk.Context{})
	if err != nil {
		t.Fatal(err)
	}
	if err := zk.Verify(k.VerifyingKey(), second.Statement(commitment, ml.Tensor{}, pred), proof); err != nil {
		t.Error(err)
	}
	// The first circuit's twin has other weights than the opening: the prover notices.
	if _, _, err := first.Prove(context.Background(), k, opening, sample(x, 0, 1), zk.Context{}); err == nil {
		t.Error("a trace of other weights was proved")
	}
}

// TestProveOptions proves about an input that was committed to before, and follows the phases.
func TestProveOptions(t *testing.T) {
	m, x := network(t, 7, ml.ReLU())
	circuit, err := provable.Compile(m, provable.Options{Calibration: x})
	if err != nil {
		t.Fatal(err)
	}
	k := keys(t, circuit)
	commitment, opening, err := circuit.Commit(k)
	if err != nil {
		t.Fatal(err)
	}
	var phases []string
	salt := zk.Word{31: 77}
	var digests []zk.Word
	for range 2 {
		phases = nil
		proof, pred, err := circuit.Prove(context.Background(), k, opening, sample(x, 0, 1), zk.Context{},
			provable.InputSalt(salt), provable.OnPhase(func(p string) { phases = append(phases, p) }))
		if err != nil {
			t.Fatal(err)
		}
		if err := zk.Verify(k.VerifyingKey(), circuit.Statement(commitment, ml.Tensor{}, pred), proof); err != nil {
			t.Error(err)
		}
		if in, _ := pred.Salts(); in != salt {
			t.Errorf("salt %v, want %v", in, salt)
		}
		digests = append(digests, pred.Statement().Input.Digest)
	}
	if digests[0] != digests[1] {
		t.Error("one input and one salt gave two digests")
	}
	if want := []string{"commit", "challenge", "prove", "open", "verify"}; !slices.Equal(phases, want) {
		t.Errorf("phases %v, want %v", phases, want)
	}
	if _, _, err := circuit.Prove(context.Background(), k, opening, sample(x, 0, 1), zk.Context{}, provable.InputSalt(zk.Word{0: 0xff})); err == nil {
		t.Error("a salt beyond the field was taken")
	}
	ctx, cancel := context.WithCancel(context.Background())
	if _, _, err := circuit.Prove(ctx, k, opening, sample(x, 0, 1), zk.Context{}, provable.OnPhase(func(p string) {
		if p == "challenge" {
			cancel()
		}
	})); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled while proving: %v", err)
	}
}

// TestBudget proves until the blinds are spent, in memory and on disk.
//
// Soundness: S19, P10, P12, P25.
func TestBudget(t *testing.T) {
	m, x := network(t, 6, ml.ReLU())
	circuit, err := provable.Compile(m, provable.Options{Calibration: x, Proofs: 3})
	if err != nil {
		t.Fatal(err)
	}
	k := keys(t, circuit)
	total := k.VerifyingKey().Spec().Layout.Budget(commit.Rows)
	dir := t.TempDir() + "/opening"
	_, opening, err := circuit.CommitTo(context.Background(), k, dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := circuit.CommitTo(context.Background(), k, dir); err == nil {
		t.Error("an opening was written over another")
	}
	if _, err := circuit.LoadOpening(k, dir); !errors.Is(err, commit.ErrBudgetInUse) {
		t.Errorf("opened twice: %v", err)
	}
	prove := func() (*provable.Prediction, error) {
		_, pred, err := circuit.Prove(context.Background(), k, opening, sample(x, 0, 1), zk.Context{})
		return pred, err
	}
	for i := range total {
		pred, err := prove()
		if err != nil {
			t.Fatal(err)
		}
		if pred.ProofsLeft() != total-1-i {
			t.Errorf("%d proofs left after %d of %d", pred.ProofsLeft(), i+1, total)
		}
		if err := opening.Close(); err != nil { // what counts is on disk
			t.Fatal(err)
		}
		if opening, err = circuit.LoadOpening(k, dir); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := prove(); !errors.Is(err, commit.ErrBudgetSpent) {
		t.Errorf("past the budget: %v", err)
	}
}
