package proving

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/signet-ml/signet/zk"
)

// Committed is what Commit reports.
type Committed struct {
	Model  zk.Word `json:"model_digest"`
	Points int     `json:"points"`
	Bytes  int     `json:"commitment_bytes"`
	Proofs int     `json:"proofs"` // how many the commitment lasts for
	MS     float64 `json:"commit_ms"`
}

// Commit is a step of the model's owner: it commits to secret/model, keeps what opens the commitment in secret/opening/,
// never over another, and writes public/commitment.bin.
func Commit(ctx context.Context, d Dirs) (*Committed, error) {
	o, err := d.owner(ctx, zk.Committed)
	if err != nil {
		return nil, err
	}
	start := time.Now()
	c, opening, err := o.circuit.CommitTo(ctx, o.keys, d.openingPath())
	if errors.Is(err, fs.ErrExist) {
		return nil, errors.New("secret/opening exists; an opening is never overwritten: to commit anew, with a new budget of proofs, remove it yourself")
	}
	if err != nil {
		return nil, err
	}
	defer opening.Close()
	res := &Committed{Points: len(c.Points), MS: ms(time.Since(start))}
	vk := o.keys.VerifyingKey()
	res.Proofs = vk.Spec().Layout.Budget(vk.Form())
	if res.Model, err = vk.ModelDigest(c); err != nil {
		return nil, err
	}
	b, err := c.MarshalBinary()
	if err != nil {
		return nil, err
	}
	res.Bytes = len(b)
	return res, writeBytes(d.commitmentPath(), b)
}

// String describes the commitment to a reader.
func (c *Committed) String() string {
	return fmt.Sprintf("%d points, %d bytes, in %.0f ms; good for %d proofs", c.Points, c.Bytes, c.MS, c.Proofs)
}
