package program

import (
	"errors"
	"fmt"
)

// Reasons why the Builder refuses an operation. Errors of Build wrap one of them inside an *OpError.
var (
	ErrLevelExhausted = errors.New("no level left")
	ErrLevel          = errors.New("level out of range")
	ErrScale          = errors.New("scales do not fit")
	ErrDegree         = errors.New("degree does not fit")
	ErrOperand        = errors.New("operand is not a value of this kind")
	ErrConstant       = errors.New("constant does not fit")
	ErrGalois         = errors.New("not a usable Galois element")
	ErrPort           = errors.New("port does not fit")
	ErrLimit          = errors.New("program too large")
)

// ErrNoise says that the noise model has no estimate: values or errors overflow.
var ErrNoise = errors.New("program: no estimate of the noise")

// OpError says at which operation and in which scope a program is wrong.
type OpError struct {
	Index int // of the operation
	Code  Opcode
	Scope string
	Err   error
}

func (e *OpError) Error() string {
	s := fmt.Sprintf("program: operation %d, %v", e.Index, e.Code)
	if e.Scope != "" {
		s += fmt.Sprintf(" in %q", e.Scope)
	}
	return s + ": " + e.Err.Error()
}

func (e *OpError) Unwrap() error { return e.Err }
