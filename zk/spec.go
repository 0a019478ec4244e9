package zk

import (
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/frontend"

	"github.com/signet-ml/signet/zk/commit"
)

// A Kind says what a statement claims.
type Kind uint8

// The kinds.
const (
	// Inference claims out = F(model, in) under the fixed-point semantics of the statement's version.
	Inference Kind = 1
	// RangeProof claims that every weight and bias behind a model commitment lies in its block's range: see Register.
	// It is the kind of a registration's circuit and keys; no Statement has it.
	RangeProof Kind = 2
)

// Semantics is the version of the fixed-point semantics that circuits constrain: rounding, saturation, ties.
const Semantics uint16 = 1

// A Spec is what a verifier must know of a circuit besides its keys. It is part of the verifying key and its digest.
type Spec struct {
	Kind    Kind           // RangeProof: only Version and Layout are set besides
	Version uint16         // of the semantics
	Batch   int            // samples under one proof
	Input   commit.Packing // of all samples' values, in order
	Output  commit.Packing // of all samples' outputs: class indices or values
	Class   bool           // the outputs are class indices
	Hashed  bool           // the statement holds the outputs' digest; false: the one class index itself
	Layout  commit.Layout  // of the private weights; no blocks when the weights are constants of the circuit
}

// A Circuit is what Setup makes keys for and Prove fills in: a circuit of zk/nn.
//
// Its two public inputs are Context and Statement. It commits once, to the context and every secret input, and its
// only input that depends on the challenge is Statement.
type Circuit interface {
	Spec() Spec
	// Blank returns the circuit without values, to compile.
	Blank() frontend.Circuit
	// Accumulators returns the outputs of the private linear layers in a trace: layer by layer, sample by sample.
	Accumulators(trace [][]int64) ([]int64, error)
	// Assign returns the circuit with values. It fails when the trace is not one of this circuit.
	Assign(a Assignment) (frontend.Circuit, error)
}

// An Assignment is what a circuit's inputs are computed from. It is secret, but for Context, Statement and G.
type Assignment struct {
	Context, Statement fr.Element // Statement is zero in the first pass
	Trace              [][]int64  // input of all samples, then the output of every op
	InputSalt          fr.Element
	OutputSalt         fr.Element      // zero when the outputs are public
	G                  fr.Element      // private weights: the first challenge
	Row                []fr.Element    // private weights: W(g, ·), one element per column of the layout
	Blinds             [2]fr.Element   // private weights: the two coefficients after the accumulators
	Opening            *commit.Opening // RangeProof: the weights and blinds; of the other fields only Context and Statement are set
}
