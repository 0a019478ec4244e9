package zk

import (
	"errors"
	"fmt"
)

// Errors that callers branch on. Those of Verify wrap ErrStatement, ErrProof or ErrRegistration with the place that
// failed.
var (
	// ErrStatement: the statement contradicts itself or the verifying key.
	ErrStatement = errors.New("zk: statement refused")
	// ErrProof: the proof does not prove the statement.
	ErrProof = errors.New("zk: proof refused")
	// ErrNoKeys: Setup was to find keys and there are none for this circuit, or damaged ones.
	ErrNoKeys = errors.New("zk: no such keys in the cache")
	// ErrRegistration: the registration of the weights is absent, does not fit, or does not verify.
	ErrRegistration = errors.New("zk: registration refused")
)

// A FormatError reports bytes that are not what they should be. Err, when set, is the error underneath.
type FormatError struct {
	What   string // "proof", "registration", "verifying key", "statement"
	Reason string
	Err    error
}

func (e *FormatError) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("zk: %s: %s: %v", e.What, e.Reason, e.Err)
	}
	return fmt.Sprintf("zk: %s: %s", e.What, e.Reason)
}

// Unwrap returns the error underneath, or nil.
func (e *FormatError) Unwrap() error { return e.Err }
