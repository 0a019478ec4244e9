package zk

import (
	"context"
	"errors"
	"fmt"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/frontend"

	"github.com/signet-ml/signet/zk/commit"
	"github.com/signet-ml/signet/zk/internal/gnarkx"
)

// A Budget counts the proofs that a model commitment's blinds can cover. Reserve must be durable before it returns:
// a proof that left after a crash forgot it is a proof too many. *commit.Budget keeps it in a file.
type Budget interface {
	// Covers returns Blinds of the commitment whose proofs are counted.
	Covers() [32]byte
	// Reserve takes one proof and returns how many are left. It fails when none is.
	Reserve() (left int, err error)
}

// A Witness is what Prove needs. It is secret.
type Witness struct {
	Trace  [][]int64  // the inputs of all samples, then the output of every operation
	Input  Visibility // Public, Hashed or Committed
	Output Visibility
	Salt   *Word // of committed inputs whose digest exists already; nil draws one
	// Encoding is what the statement will say of the input's integers; nil says nothing.
	Encoding *Encoding
	Context  Context
	// OnPhase, if set, is called at the start of each phase from the proving goroutine: "commit", "challenge", "prove",
	// "open", "verify".
	OnPhase func(phase string)

	// Private weights.
	Model       *commit.Commitment
	Opening     *commit.Opening
	Budget      Budget
	RangeProved bool // what the statement will say: there is a registration, which Verify will want to see
}

// A Result is what Prove made. Statement and Proof go to the verifier; the salts stay with whoever may later open the
// commitments, and are zero where nothing was committed to.
type Result struct {
	Statement             *Statement
	Proof                 *Proof
	InputSalt, OutputSalt Word
	ProofsLeft            int // in the blinding budget; -1 when the weights are public
}

// Prove proves that the trace is the circuit's run on its input. The budget is charged before anything depends on the
// blinds, so a failed attempt is spent as well. The proof is verified before it is returned. The context is checked
// between phases; a phase takes up to 30 µs per constraint.
//
// It fails when the trace is not a run of the circuit, and never returns a proof of a false statement.
func Prove(ctx context.Context, k *Keys, w Witness) (*Result, error) {
	spec := &k.vk.spec
	if err := w.check(spec); err != nil {
		return nil, err
	}
	if w.OnPhase == nil {
		w.OnPhase = func(string) {}
	}
	st := &Statement{Kind: spec.Kind, Version: spec.Version, VerifyingKey: k.vk.digest, Context: w.Context,
		Model: w.Model, RangeProved: w.RangeProved}
	var a Assignment
	var err error
	if st.Input, a.InputSalt, err = newClaim(w.Input, commit.TagInput, spec.Input, w.Trace[0], w.Salt); err != nil {
		return nil, fmt.Errorf("zk: prove: input: %w", err)
	}
	if st.Output, a.OutputSalt, err = newClaim(w.Output, commit.TagOutput, spec.Output, w.Trace[len(w.Trace)-1], nil); err != nil {
		return nil, fmt.Errorf("zk: prove: output: %w", err)
	}
	st.Input.Encoding = w.Encoding.clone()
	b, err := k.vk.bind(st)
	if err != nil {
		return nil, err
	}
	a.Context, a.Trace = b.context, w.Trace
	res := &Result{Statement: st, InputSalt: a.InputSalt.Bytes(), OutputSalt: a.OutputSalt.Bytes(), ProofsLeft: -1}
	res.Proof = &Proof{envelope: k.vk.envelope()}
	if spec.private() {
		res.ProofsLeft, err = k.provePrivate(ctx, w, &b, &a, res.Proof)
	} else {
		w.OnPhase("challenge")
		res.Proof.groth16, err = k.proveCircuit(ctx, &a, func(fr.Element) fr.Element {
			w.OnPhase("prove")
			return b.publicStatement()
		})
	}
	if err != nil {
		return nil, err
	}
	w.OnPhase("verify")
	if err := k.vk.verify(b, st, res.Proof); err != nil {
		return nil, fmt.Errorf("zk: prove: own proof does not verify: %w", err)
	}
	return res, nil
}

func (w *Witness) check(spec *Spec) error {
	switch {
	case len(w.Trace) < 2:
		return errors.New("zk: prove: a trace has an input and an output at least")
	case !spec.private() && (w.Model != nil || w.Opening != nil || w.Budget != nil):
		return errors.New("zk: prove: a model commitment for a circuit with public weights")
	case spec.private() && (w.Model == nil || w.Opening == nil):
		return errors.New("zk: prove: private weights need a model commitment and its opening")
	case spec.private() && w.Budget == nil:
		return errors.New("zk: prove: private weights need a budget: every proof uses up some of their blinding")
	case spec.private() && w.Budget.Covers() != w.Model.Blinds():
		return errors.New("zk: prove: the budget counts the proofs of another commitment")
	}
	return nil
}

// provePrivate runs the protocol of docs/explanation/proven-inference.md from its step 3 on.
func (k *Keys) provePrivate(ctx context.Context, w Witness, b *bound, a *Assignment, pf *Proof) (left int, err error) {
	acc, err := k.circuit.Accumulators(w.Trace)
	if err != nil {
		return 0, fmt.Errorf("zk: prove: %w", err)
	}
	if left, err = w.Budget.Reserve(); err != nil {
		return 0, fmt.Errorf("zk: prove: %w", err)
	}
	w.OnPhase("commit")
	v := make([]fr.Element, len(acc)+len(a.Blinds))
	for i, x := range acc {
		v[i].SetInt64(x)
	}
	for i := range a.Blinds {
		if _, err := a.Blinds[i].SetRandom(); err != nil {
			return 0, fmt.Errorf("zk: prove: drawing blinds: %w", err)
		}
		v[len(acc)+i] = a.Blinds[i]
	}
	kv, err := commit.CommitVector(k.srs, v)
	if err != nil {
		return 0, fmt.Errorf("zk: prove: %w", err)
	}
	a.G = b.transcribe(kv, fr.Element{}).G
	a.Row = w.Opening.Row(a.G)

	w.OnPhase("challenge")
	var t commit.Transcribe
	pf.groth16, err = k.proveCircuit(ctx, a, func(h fr.Element) fr.Element {
		w.OnPhase("prove")
		t = b.transcribe(kv, h)
		return b.statement(t, horner(a.Row, h), horner(v, h))
	})
	if err != nil {
		return 0, err
	}
	w.OnPhase("open")
	if pf.opening, err = commit.Open(ctx, k.srs, w.Opening, t, a.Row, v, kv); err != nil {
		return 0, fmt.Errorf("zk: prove: %w", err)
	}
	return left, nil
}

// proveCircuit proves the circuit in two passes: statement gives the second public input once the challenge is known.
func (k *Keys) proveCircuit(ctx context.Context, a *Assignment, statement func(h fr.Element) fr.Element) ([]byte, error) {
	first, err := k.circuit.Assign(*a)
	if err != nil {
		return nil, fmt.Errorf("zk: prove: %w", err)
	}
	pf, err := gnarkx.Prove(ctx, k.backend, gnarkx.Target(k.vk.target), first, func(h fr.Element) (frontend.Circuit, error) {
		a.Statement = statement(h)
		return k.circuit.Assign(*a)
	})
	if err != nil {
		return nil, fmt.Errorf("zk: prove: %w", err)
	}
	return pf, nil
}

// horner evaluates the polynomial with the coefficients c at x.
func horner(c []fr.Element, x fr.Element) fr.Element {
	var y fr.Element
	for i := len(c) - 1; i >= 0; i-- {
		y.Mul(&y, &x).Add(&y, &c[i])
	}
	return y
}
