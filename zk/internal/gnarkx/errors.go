package gnarkx

import "errors"

// ErrUnsatisfied says that an assignment does not satisfy the circuit. The errors that wrap it name a constraint and
// never a value.
var ErrUnsatisfied = errors.New("gnarkx: the witness does not satisfy the circuit")

// ErrProof says that a well-formed proof does not prove this statement under this key, context and target.
var ErrProof = errors.New("gnarkx: the proof does not verify")

// A CircuitError says why a circuit is refused.
type CircuitError struct {
	Reason string
}

func (e *CircuitError) Error() string { return "gnarkx: circuit refused: " + e.Reason }

// A FormatError says why bytes are not a proof or a key.
type FormatError struct {
	What   string // "proof" or "verifying key"
	Reason string
}

func (e *FormatError) Error() string { return "gnarkx: malformed " + e.What + ": " + e.Reason }
