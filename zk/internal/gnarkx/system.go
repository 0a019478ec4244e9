package gnarkx

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"sync"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark/constraint"
	cs "github.com/consensys/gnark/constraint/bn254"
	"github.com/consensys/gnark/constraint/solver"
	"github.com/consensys/gnark/debug"
	"github.com/consensys/gnark/frontend"
	"github.com/consensys/gnark/frontend/cs/r1cs"
	"github.com/consensys/gnark/logger"
)

// gnark logs to standard output. Silencing it here, before anything runs, races with nobody.
func init() { logger.Disable() }

// The public wires of every system. Wire 0 is the constant one.
const (
	contextWire   = 1
	statementWire = 2
	firstSecret   = 3
)

// A System is a compiled circuit that passed the checks of Compile. It is safe for concurrent use.
type System struct {
	r1cs    *cs.R1CS
	digest  [32]byte
	solving sync.Mutex // lookup tables keep state inside the compiled system while it is solved
}

// Compile returns the constraint system of c over BN254's scalar field.
//
// It returns a *CircuitError unless
//   - the public inputs are exactly Context and Statement, in this order, and each occurs in a constraint,
//   - there is exactly one commitment, to the context, to no other public input, and to every secret input,
//   - every secret input and the commitment's challenge occur in a constraint,
//   - every hint is registered.
//
// An input that is left out of the commitment could be chosen after the challenge is known; an input in no constraint
// could have any value. gnark itself accepts both.
func Compile(c frontend.Circuit) (*System, error) {
	compiled, err := frontend.Compile(ecc.BN254.ScalarField(), r1cs.NewBuilder, c)
	if err != nil {
		return nil, fmt.Errorf("gnarkx: compile: %w", err)
	}
	s := &System{r1cs: compiled.(*cs.R1CS)}
	if err := s.check(); err != nil {
		return nil, err
	}
	// What gnark notes for api.Println, and under its build tag debug, holds line numbers, and would print values of
	// the witness. Without it the digest covers the constraints alone.
	s.r1cs.MDebug, s.r1cs.DebugInfo, s.r1cs.SymbolTable, s.r1cs.Logs = map[int]int{}, nil, debug.SymbolTable{}, nil
	h := sha256.New()
	if _, err := s.r1cs.WriteTo(h); err != nil {
		return nil, fmt.Errorf("gnarkx: compile: %w", err)
	}
	h.Sum(s.digest[:0])
	return s, nil
}

// Digest returns the SHA-256 of the compiled system in gnark's encoding, without the notes for error texts. It is the
// same in every process and for every build.
func (s *System) Digest() [32]byte { return s.digest }

// Constraints returns the number of constraints.
func (s *System) Constraints() int { return s.r1cs.GetNbConstraints() }

// Secrets returns the number of secret inputs.
func (s *System) Secrets() int { return s.r1cs.GetNbSecretVariables() }

// Committed returns the number of wires under the commitment besides the context: the secret inputs and the mask, and
// what gadgets of gnark add.
func (s *System) Committed() int { return len(s.commitment().PrivateCommitted) }

// Domain returns the size of the FFT domain: the constraints, rounded up to a power of two.
func (s *System) Domain() int { return int(ecc.NextPowerOfTwo(uint64(s.Constraints()))) }

func (s *System) commitment() constraint.Groth16Commitment {
	return s.r1cs.CommitmentInfo.(constraint.Groth16Commitments)[0]
}

// wires returns the number of all wires.
func (s *System) wires() int {
	internal, secret, public := s.r1cs.GetNbVariables()
	return internal + secret + public
}

func (s *System) check() error {
	refuse := func(format string, args ...any) error {
		return &CircuitError{Reason: fmt.Sprintf(format, args...)}
	}
	if public := s.r1cs.Public[1:]; !slices.Equal(public, []string{"Context", "Statement"}) {
		return refuse("the public inputs are %q, not Context and Statement", public)
	}
	commitments := s.r1cs.CommitmentInfo.(constraint.Groth16Commitments)
	if len(commitments) != 1 {
		return refuse("%d commitments, not one", len(commitments))
	}
	committed := commitments[0].PublicAndCommitmentCommitted
	if slices.Contains(committed, statementWire) {
		return refuse("Statement is committed: it would have to be known before the challenge it depends on")
	}
	if !slices.Equal(committed, []int{contextWire}) {
		return refuse("Context is not committed: the challenge would not depend on it")
	}
	used := s.usedWires()
	if !used[commitments[0].CommitmentIndex] {
		return refuse("the commitment's challenge occurs in no constraint")
	}
	for wire := contextWire; wire < firstSecret+s.Secrets(); wire++ {
		if !used[wire] {
			return refuse("%s occurs in no constraint", s.inputName(wire))
		}
		if _, ok := slices.BinarySearch(commitments[0].PrivateCommitted, wire); wire >= firstSecret && !ok {
			return refuse("%s is not committed", s.inputName(wire))
		}
	}
	for id, name := range s.r1cs.MHintsDependencies {
		if solver.GetRegisteredHint(id) == nil {
			return refuse("hint %s is not registered", name)
		}
	}
	mask, err := maskHint()
	if err != nil {
		return err
	}
	if _, ok := s.r1cs.MHintsDependencies[mask]; !ok {
		return refuse("the commitment is not masked by the hint %s", maskHintName)
	}
	return nil
}

// usedWires says of each wire whether it occurs in a constraint. gnark's own check of this does nothing.
func (s *System) usedWires() []bool {
	used := make([]bool, s.wires())
	it := s.r1cs.GetR1CIterator()
	for c := it.Next(); c != nil; c = it.Next() {
		for _, side := range []constraint.LinearExpression{c.L, c.R, c.O} {
			for _, term := range side {
				if term.CoeffID() != constraint.CoeffIdZero {
					used[term.WireID()] = true
				}
			}
		}
	}
	return used
}

// inputName returns the name of an input wire in the circuit's struct.
func (s *System) inputName(wire int) string { return s.r1cs.VariableToString(wire) }
