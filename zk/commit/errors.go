package commit

import (
	"errors"
	"fmt"
)

// Errors that callers branch on.
var (
	// ErrOpening says that an opening proof does not verify for this key, commitment and transcript.
	ErrOpening = errors.New("commit: the opening does not verify")
	// ErrSRS is wrapped by errors that refuse a reference string: powers that are not powers of one secret, a secret of
	// zero, too few points.
	ErrSRS = errors.New("commit: unusable reference string")
)

// A FormatError says which artefact could not be decoded and why.
type FormatError struct{ What, Reason string }

func (e *FormatError) Error() string { return "commit: read " + e.What + ": " + e.Reason }

func badFormat(what, reason string, args ...any) error {
	return &FormatError{what, fmt.Sprintf(reason, args...)}
}
