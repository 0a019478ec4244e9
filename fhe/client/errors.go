package client

import "fmt"

// ValueError says which value cannot be encrypted at a port. It does not hold the value, which is the owner's secret.
type ValueError struct {
	Port   string
	Index  int // in the flat, row-major tensor
	Reason string
}

func (e *ValueError) Error() string {
	return fmt.Sprintf("client: port %q: value %d is %s", e.Port, e.Index, e.Reason)
}
