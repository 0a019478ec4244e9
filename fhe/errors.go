package fhe

import (
	"fmt"

	"github.com/signet-ml/signet/fhe/internal/wire"
)

// FormatError says which artefact could not be read and why. It wraps ErrLimit, io.ErrUnexpectedEOF or another cause.
type FormatError = wire.FormatError

// ErrLimit is wrapped by errors of readers that met their size limit.
var ErrLimit error = wire.ErrLimit

// MismatchError says that two artefacts do not belong together: another key's ciphertext, another program's bundle,
// other parameters.
type MismatchError struct {
	What       string // what differs: "parameters", "key", "program", "port", …
	Want, Have string // the ids, shortened digests or values
}

func (e *MismatchError) Error() string {
	return fmt.Sprintf("fhe: wrong %s: want %s, have %s", e.What, e.Want, e.Have)
}

// MissingKeyError says which switching key a program needs and is not there, or is there at too low a level.
type MissingKeyError struct {
	Relinearization bool
	Rotation        int    // slots to the left, for a Galois key
	Conjugate       bool   // the element conjugates too
	GaloisElement   uint64 // 0 for the relinearisation key
	Level           int    // the highest level at which the program uses the key
	Have            int    // the level of the key that is there, or -1
	Scope           string // where the program uses it at that level
}

func (e *MissingKeyError) Error() string {
	name := "relinearisation key"
	if !e.Relinearization {
		name = fmt.Sprintf("Galois key for rotation %d", e.Rotation)
		if e.Conjugate {
			name += " and conjugation"
		}
		name += fmt.Sprintf(" (element %d)", e.GaloisElement)
	}
	if e.Have >= 0 {
		return fmt.Sprintf("fhe: %s is for level %d, %s uses it at level %d", name, e.Have, e.scope(), e.Level)
	}
	return fmt.Sprintf("fhe: missing %s, used by %s at level %d", name, e.scope(), e.Level)
}

func (e *MissingKeyError) scope() string {
	if e.Scope == "" {
		return "the program"
	}
	return fmt.Sprintf("%q", e.Scope)
}
