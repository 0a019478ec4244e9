package zk

import (
	"encoding/hex"
	"fmt"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/signet-ml/signet/zk/commit"
)

// A Word is 32 bytes: a digest, an identifier, or a number in big-endian order. Its text form is lower-case hex.
type Word [32]byte

// String returns the word in hex.
func (w Word) String() string { return hex.EncodeToString(w[:]) }

// MarshalText returns the word in hex.
func (w Word) MarshalText() ([]byte, error) { return []byte(w.String()), nil }

// UnmarshalText reads exactly 64 hex digits.
func (w *Word) UnmarshalText(text []byte) error {
	if len(text) != 64 {
		return fmt.Errorf("zk: a word has 64 hex digits, not %d", len(text))
	}
	_, err := hex.Decode(w[:], text)
	if err != nil {
		return fmt.Errorf("zk: word: %w", err)
	}
	return nil
}

// A Context binds a proof to a place and a task, so that it is worth nothing elsewhere. The zero Context is valid and
// binds to none. A verifier takes it from its own records, never from the prover.
type Context struct {
	Network       Word `json:"network,omitzero"`       // chain or network number
	Market        Word `json:"market,omitzero"`        // contract or market that pays
	Task          Word `json:"task,omitzero"`          // one task, one attempt
	Specification Word `json:"specification,omitzero"` // digest of what was asked
	Output        Word `json:"output,omitzero"`        // digest of what was delivered
	Worker        Word `json:"worker,omitzero"`        // who is to be paid
}

// value returns the first public input: a hash of the context and the statement's subject, below 2^248.
func (c Context) value(subject Word) fr.Element {
	t := commit.NewTranscript("signet/zk/context/v1")
	for _, w := range []Word{c.Network, c.Market, c.Task, c.Specification, c.Output, c.Worker, subject} {
		t.Word(w)
	}
	return t.Challenge()
}
