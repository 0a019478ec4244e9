package provable

import (
	"fmt"

	"github.com/signet-ml/signet/ml"
	"github.com/signet-ml/signet/ml/fixedpoint"
	"github.com/signet-ml/signet/zk"
)

// An Answer says what of the network's output a statement is about.
type Answer uint8

const (
	// Auto is Class for a model with several outputs, Values for one output.
	Auto Answer = iota
	// Class is the index of the largest output, the lowest of several.
	Class
	// Values are the outputs themselves, as integers at the twin's output scale.
	Values
)

// Options say how Compile makes a circuit of a model. The zero value of every field but Calibration is sensible.
type Options struct {
	// Weights: Committed (the default) keeps them out of the circuit, behind a commitment; one setup then serves every
	// set of weights of the same architecture. Public makes them constants of the circuit, for everyone to read.
	Weights zk.Visibility
	// Input: Committed (the default), Hashed or Public. The circuit is the same for all three.
	Input zk.Visibility
	// OmitEncoding makes statements say nothing of which real numbers the integers of an input stand for, where every
	// feature has a unit of its own (see fixedpoint.Encoding). Contracts need it: zk/solidity cannot check an encoding.
	// Without it a verifier knows from the statement, and it is bound by the proof.
	OmitEncoding bool
	// Output: Public (the default), Hashed or Committed.
	Output zk.Visibility
	// Answer is what the output is.
	Answer Answer
	// Batch is how many samples one proof covers; 0 is 1.
	Batch int
	// Proofs is how many proofs one model commitment lasts for, at least; 0 is 1,000. A registration counts as one. Each
	// costs a share of a column of random elements: about 2/m constraints for a network whose widest layer has m outputs.
	Proofs int
	// Calibration are samples from which scales are chosen, as for the model: [n, sample shape...]. Required by Compile.
	Calibration ml.Tensor
	// Quantization sets bits and architecture of the integers; its Calibration and Class are set from the fields above.
	Quantization fixedpoint.Options
}

// maxProofs bounds Options.Proofs: the budget of a commitment is counted in a file of some bytes per proof.
const maxProofs = 1 << 24

// fill returns o with its defaults, checked.
func (o Options) fill() (Options, error) {
	o.Weights = visibility(o.Weights, zk.Committed)
	o.Input = visibility(o.Input, zk.Committed)
	o.Output = visibility(o.Output, zk.Public)
	if o.Batch == 0 {
		o.Batch = 1
	}
	if o.Proofs == 0 {
		o.Proofs = 1000
	}
	switch {
	case o.Weights != zk.Committed && o.Weights != zk.Public:
		return o, fmt.Errorf("provable: weights are committed or public, not %v", o.Weights)
	case o.Input > zk.Committed || o.Output > zk.Committed:
		return o, fmt.Errorf("provable: no visibility %v or %v", o.Input, o.Output)
	case o.Answer > Values:
		return o, fmt.Errorf("provable: no answer %d", o.Answer)
	case o.Batch < 1 || o.Batch > 1<<16:
		return o, fmt.Errorf("provable: batch of %d samples, want 1 to 65,536", o.Batch)
	case o.Proofs < 1 || o.Proofs > maxProofs:
		return o, fmt.Errorf("provable: %d proofs under one commitment, want 1 to %d", o.Proofs, maxProofs)
	}
	return o, nil
}

func visibility(v, otherwise zk.Visibility) zk.Visibility {
	if v == 0 {
		return otherwise
	}
	return v
}
