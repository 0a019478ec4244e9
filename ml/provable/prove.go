package provable

import (
	"context"
	"errors"
	"fmt"

	"github.com/signet-ml/signet/ml"
	"github.com/signet-ml/signet/ml/fixedpoint"
	"github.com/signet-ml/signet/zk"
)

// A Prediction is what the twin says about the samples of one proof.
type Prediction struct {
	Labels []int     // class indices
	Values ml.Tensor // outputs in real numbers: class indices when the answer is a class

	// Saturated says which numbers were cut to their intervals, where and by how much; nil when none was. What is harmful
	// of it Prove only lets pass with AllowSaturation. It tells of the input, and no statement has it.
	Saturated []fixedpoint.Saturation

	statement             *zk.Statement
	inputSalt, outputSalt zk.Word
	left                  int
}

// Statement returns what was proved.
func (p *Prediction) Statement() *zk.Statement { return p.statement }

// Salts returns the salts of the input's and the output's digest, zero where there is none. Whoever learns one can
// check guesses of the value behind it.
func (p *Prediction) Salts() (input, output zk.Word) { return p.inputSalt, p.outputSalt }

// ProofsLeft returns how many proofs the model commitment still covers, -1 for public weights.
func (p *Prediction) ProofsLeft() int { return p.left }

// A ProveOption changes one call of Prove.
type ProveOption func(*proving)

// proving is what a call of Prove needs.
type proving struct {
	zk.Witness
	saturated bool // allowed
}

// OnPhase calls f at the start of each phase of proving: see zk.Witness.
func OnPhase(f func(phase string)) ProveOption { return func(p *proving) { p.OnPhase = f } }

// InputSalt proves about committed inputs whose digest exists already, made with this salt. Otherwise one is drawn.
func InputSalt(salt zk.Word) ProveOption { return func(p *proving) { p.Salt = &salt } }

// AllowSaturation proves what Prove refuses with *SaturatedError: the twin's answer is as well defined for samples that
// are cut, but it may not be the float64 model's.
func AllowSaturation() ProveOption { return func(p *proving) { p.saturated = true } }

// Prove predicts x and proves it: x is one sample, or a batch of as many as Options.Batch. opening is what Commit
// returned, nil for public weights. The proof is verified before it is returned, and the opening's budget is charged
// even when proving fails.
//
// It fails with *SaturatedError, and charges nothing, when numbers lie more than fixedpoint.Beyond times as far out as
// calibration and their interval reach: see fixedpoint.Saturation for what counts.
func (c *Circuit) Prove(ctx context.Context, k *zk.Keys, opening *Opening, x ml.Tensor, where zk.Context, opts ...ProveOption) (*zk.Proof, *Prediction, error) {
	in, err := c.encode(x)
	if err != nil {
		return nil, nil, err
	}
	trace, err := c.twin.Trace(in, c.options.Batch)
	if err != nil {
		return nil, nil, err
	}
	saturated, err := c.twin.Saturations(x, trace)
	if err != nil {
		return nil, nil, err
	}
	w := proving{Witness: zk.Witness{Trace: trace, Input: c.options.Input, Output: c.options.Output, Context: where,
		Encoding: c.encoding()}}
	switch private := c.options.Weights == zk.Committed; {
	case private && opening == nil:
		return nil, nil, errors.New("provable: prove: committed weights need their opening")
	case !private && opening != nil:
		return nil, nil, errors.New("provable: prove: an opening for public weights")
	case private:
		w.Model, w.Opening, w.Budget = opening.commitment, opening.opening, opening.budget
		w.RangeProved = opening.Registration() != nil
	}
	for _, o := range opts {
		o(&w)
	}
	if err := refuse(saturated); err != nil && !w.saturated {
		return nil, nil, err
	}
	res, err := zk.Prove(ctx, k, w.Witness)
	if err != nil {
		return nil, nil, err
	}
	p := &Prediction{Saturated: saturated, statement: res.Statement, inputSalt: res.InputSalt, outputSalt: res.OutputSalt, left: res.ProofsLeft}
	out := trace[len(trace)-1]
	p.Labels, p.Values = c.twin.Labels(out), c.twin.Decode(out)
	return res.Proof, p, nil
}

// encode returns x in integers, and fails unless it holds as many samples as a proof covers.
func (c *Circuit) encode(x ml.Tensor) ([]int64, error) {
	in, err := c.twin.Encode(x)
	if err != nil {
		return nil, err
	}
	if n := len(in) / c.twin.InputLen(); n != c.options.Batch {
		return nil, fmt.Errorf("provable: %d samples for a circuit of %d", n, c.options.Batch)
	}
	return in, nil
}

// encoding returns what statements say of the input's integers, nil if nothing.
func (c *Circuit) encoding() *zk.Encoding {
	e := c.twin.Encoding()
	if e.IsZero() || c.options.OmitEncoding {
		return nil
	}
	return &zk.Encoding{Offsets: e.Offsets, Units: e.Units}
}

// Statement returns what a verifier who knows x, and holds the commitment of a registry, believes was proved about p.
// The units and offsets of the input's features are the circuit's own. x is used when the input is public: it is encoded again, so a prediction about another input does not verify. For
// public weights commitment is nil. It returns nil when x does not fit the model.
func (c *Circuit) Statement(commitment *Commitment, x ml.Tensor, p *Prediction) *zk.Statement {
	st := *p.statement
	st.Model = commitment
	st.Input.Encoding = c.encoding()
	if c.options.Input == zk.Public {
		in, err := c.encode(x)
		if err != nil {
			return nil // zk.Verify refuses it
		}
		st.Input = zk.Claim{Visibility: zk.Public, Values: in, Encoding: c.encoding()}
	}
	return &st
}
