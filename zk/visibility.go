package zk

import (
	"encoding"
	"fmt"
)

// A Visibility says what a statement shows of a value.
type Visibility uint8

const (
	// Public values stand in the statement.
	Public Visibility = iota + 1
	// Hashed values are named by a digest without a salt: whoever can guess the value can check the guess.
	Hashed
	// Committed values are named by a digest with a random salt, which only the prover can open.
	Committed
)

var visibilities = map[Visibility]string{Public: "public", Hashed: "hashed", Committed: "committed"}

var _ encoding.TextUnmarshaler = (*Visibility)(nil)

// String returns "public", "hashed" or "committed".
func (v Visibility) String() string {
	if s, ok := visibilities[v]; ok {
		return s
	}
	return fmt.Sprintf("Visibility(%d)", uint8(v))
}

// MarshalText returns String, and fails for a value that is not one of the three.
func (v Visibility) MarshalText() ([]byte, error) {
	if _, ok := visibilities[v]; !ok {
		return nil, fmt.Errorf("zk: no visibility %d", uint8(v))
	}
	return []byte(v.String()), nil
}

// UnmarshalText reads what String writes.
func (v *Visibility) UnmarshalText(text []byte) error {
	for k, s := range visibilities {
		if s == string(text) {
			*v = k
			return nil
		}
	}
	return fmt.Errorf("zk: no visibility %.20q", text)
}
