package provable

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"

	"github.com/signet-ml/signet/ml/fixedpoint"
	"github.com/signet-ml/signet/zk"
	"github.com/signet-ml/signet/zk/commit"
)

// A Commitment is the public name of a model's weights: curve points that hide them. It goes to a registry.
type Commitment = commit.Commitment

// An Opening is what the owner of a committed model keeps: the weights, their blinds, and how many proofs the blinds
// still cover. It is secret. It is safe for concurrent use.
type Opening struct {
	commitment *Commitment
	opening    *commit.Opening
	budget     zk.Budget
	close      func() error

	dir          string // of CommitTo; empty in memory
	registration atomic.Pointer[zk.Registration]
}

// Commitment returns the public side.
func (o *Opening) Commitment() *Commitment { return o.commitment }

// Close releases the budget's file.
func (o *Opening) Close() error {
	if o.close == nil {
		return nil
	}
	return o.close()
}

// Commit commits to the weights with fresh blinds. The opening lives in memory: its budget ends with the process, which
// must then commit anew. Keep openings that must last with CommitTo.
func (c *Circuit) Commit(k *zk.Keys) (*Commitment, *Opening, error) {
	o, err := c.commit(context.Background(), k)
	if err != nil {
		return nil, nil, err
	}
	o.budget = newVolatile(o.commitment, c.budget(k))
	return o.commitment, o, nil
}

// Names of an opening's files in the folder of CommitTo.
const (
	openingFile      = "opening"
	budgetFile       = "budget"
	commitmentFile   = "commitment"
	registrationFile = "registration"
)

// CommitTo does what Commit does and keeps the opening in a new folder dir of mode 0700: the weights with their blinds,
// the public commitment, and the journal of the budget, from which every proof is taken durably before it leaves. Two
// processes cannot have it open at once. A copy of the folder must not be used: the journal notices that it was
// restored and counts as spent. Register keeps its registration there too.
func (c *Circuit) CommitTo(ctx context.Context, k *zk.Keys, dir string) (*Commitment, *Opening, error) {
	if err := os.MkdirAll(filepath.Dir(dir), 0o700); err != nil {
		return nil, nil, fmt.Errorf("provable: commit: %w", err)
	}
	if err := os.Mkdir(dir, 0o700); err != nil { // never over another opening
		return nil, nil, fmt.Errorf("provable: commit: %w", err)
	}
	o, err := c.commit(ctx, k)
	if err != nil {
		return nil, nil, err
	}
	public, err := o.commitment.MarshalBinary()
	if err != nil {
		return nil, nil, fmt.Errorf("provable: commit: %w", err)
	}
	if err := os.WriteFile(filepath.Join(dir, commitmentFile), public, 0o600); err != nil {
		return nil, nil, fmt.Errorf("provable: commit: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(dir, openingFile), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, nil, fmt.Errorf("provable: commit: %w", err)
	}
	_, err = o.opening.WriteTo(f)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return nil, nil, fmt.Errorf("provable: commit: %w", err)
	}
	b, err := commit.CreateBudget(filepath.Join(dir, budgetFile), o.commitment.Blinds(), c.budget(k))
	if err != nil {
		return nil, nil, fmt.Errorf("provable: commit: %w", err)
	}
	o.budget, o.close, o.dir = b, b.Close, dir
	return o.commitment, o, nil
}

// maxOpening bounds the files of an opening: eight bytes for each of 2^28 weights.
const maxOpening = 8 << 28

// LoadOpening opens what CommitTo kept in dir. It fails when another process has it open, when its files are damaged or
// belong to other keys, and, on the first proof, when the budget is spent.
func (c *Circuit) LoadOpening(k *zk.Keys, dir string) (*Opening, error) {
	public, err := os.ReadFile(filepath.Join(dir, commitmentFile))
	if err != nil {
		return nil, fmt.Errorf("provable: opening: %w", err)
	}
	o := &Opening{dir: dir}
	if o.commitment, err = commit.UnmarshalCommitment(public, k.VerifyingKey().Spec().Layout); err != nil {
		return nil, fmt.Errorf("provable: opening: %w", err)
	}
	f, err := os.Open(filepath.Join(dir, openingFile))
	if err != nil {
		return nil, fmt.Errorf("provable: opening: %w", err)
	}
	defer f.Close()
	if o.opening, err = commit.ReadOpening(f, maxOpening); err != nil {
		return nil, fmt.Errorf("provable: opening: %w", err)
	}
	reg, err := loadRegistration(dir)
	if err != nil {
		return nil, fmt.Errorf("provable: opening: %w", err)
	}
	o.registration.Store(reg)
	b, err := commit.OpenBudget(filepath.Join(dir, budgetFile), o.commitment.Blinds())
	if err != nil {
		return nil, fmt.Errorf("provable: opening: %w", err)
	}
	o.budget, o.close = b, b.Close
	return o, nil
}

// budget returns how many proofs a fresh commitment covers.
func (c *Circuit) budget(k *zk.Keys) int {
	return k.VerifyingKey().Spec().Layout.Budget(k.VerifyingKey().Form())
}

// commit commits to the twin's weights.
func (c *Circuit) commit(ctx context.Context, k *zk.Keys) (*Opening, error) {
	if c.options.Weights != zk.Committed {
		return nil, errors.New("provable: commit: the weights are public, constants of the circuit")
	}
	layout := c.circuit.Spec().Layout
	if k.ReferenceString() == nil || k.VerifyingKey().Spec().Layout.Digest() != layout.Digest() {
		return nil, errors.New("provable: commit: the keys are for another circuit")
	}
	var weights, biases [][]int64
	for _, op := range c.twin.Ops() {
		switch o := op.(type) {
		case fixedpoint.Dense:
			weights, biases = append(weights, o.W), append(biases, o.B)
		case fixedpoint.Conv2d:
			w, b := len(o.W)/o.Groups, len(o.B)/o.Groups
			for i := range o.Groups {
				weights, biases = append(weights, o.W[i*w:][:w]), append(biases, o.B[i*b:][:b])
			}
		}
	}
	m, err := commit.NewMatrix(layout, weights, biases)
	if err != nil {
		return nil, fmt.Errorf("provable: commit: %w", err)
	}
	o := new(Opening)
	if o.commitment, o.opening, err = commit.Commit(ctx, k.ReferenceString(), k.VerifyingKey().Form(), m); err != nil {
		return nil, fmt.Errorf("provable: commit: %w", err)
	}
	return o, nil
}
