package provable

import (
	"sync"

	"github.com/signet-ml/signet/zk/commit"
)

// A volatile budget counts in memory. It is enough for blinds that exist in memory only.
type volatile struct {
	mu   sync.Mutex
	left int
}

func newVolatile(count int) *volatile { return &volatile{left: count} }

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
