package provable

import (
	"sync"

	"github.com/signet-ml/signet/zk/commit"
)

// A volatile budget counts in memory. It is enough for blinds that exist in memory only.
type volatile struct {
	covers [32]byte
	mu     sync.Mutex
	left   int
}

func newVolatile(c *Commitment, count int) *volatile {
	return &volatile{covers: c.Blinds(), left: count}
}

// Covers names the commitment.
func (v *volatile) Covers() [32]byte { return v.covers }

// Reserve takes one proof.
func (v *volatile) Reserve() (int, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.left == 0 {
		return 0, commit.ErrBudgetSpent
	}
	v.left--
	return v.left, nil
}
