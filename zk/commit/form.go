package commit

import "fmt"

// A Form is how a matrix of weights is committed to.
type Form uint8

const (
	// Rows commits to every row with its own point. Any reference string of powers of one secret serves, such as that
	// of a public ceremony. A verifier combines all rows' points.
	Rows Form = 1
	// Compact commits to the whole matrix with one point. It needs a reference string of two secrets, for which there
	// is no ceremony yet. A verifier's work does not depend on the matrix.
	Compact Form = 2
)

// Validate returns an error unless f is Rows or Compact.
func (f Form) Validate() error {
	if f != Rows && f != Compact {
		return fmt.Errorf("commit: form %d: want %d (rows) or %d (compact)", uint8(f), Rows, Compact)
	}
	return nil
}

func (f Form) String() string {
	switch f {
	case Rows:
		return "rows"
	case Compact:
		return "compact"
	}
	return fmt.Sprintf("Form(%d)", uint8(f))
}
