package proving

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"github.com/signet-ml/signet/examples/internal/files"
	"github.com/signet-ml/signet/ml/fixedpoint"
	"github.com/signet-ml/signet/ml/provable"
	"github.com/signet-ml/signet/zk"
)

// How many proofs one commitment lasts for, at least.
const (
	defaultProofs = 1000
	maxProofs     = 1 << 20
)

// Prepared is the model of an example, in integers, and an input for it.
type Prepared struct {
	Twin *fixedpoint.Model
	X    []float64 // one sample
}

// SetUp is what Setup reports.
type SetUp struct {
	Circuit      zk.Word `json:"circuit"` // digest
	VerifyingKey zk.Word `json:"vk_digest"`
	Provenance   string  `json:"provenance"`
	Constraints  int     `json:"constraints"`
	Proofs       int     `json:"proofs"` // one commitment lasts for so many
	Bytes        int     `json:"vk_bytes"`
	ProvingBytes int64   `json:"pk_bytes"`
	Cached       bool    `json:"cached"`
	Trained      bool    `json:"trained"` // secret/model is new
	MS           float64 `json:"setup_ms"`
}

// Setup makes keys for public/circuit.json and writes public/vk.bin. Where there is no such file yet it plays the model's
// owner first: prepare's model goes to secret/model, its circuit to public/circuit.json, a sample to in/x.csv. proofs is
// how many proofs one commitment has to last for, 0 for 1,000.
//
// The keys depend on the circuit alone, so whoever makes them needs no model.
func Setup(ctx context.Context, d Dirs, proofs int, prepare func() (*Prepared, error)) (*SetUp, error) {
	if proofs < 0 || proofs > maxProofs {
		return nil, fmt.Errorf("%d proofs for each commitment: 1 to %d", proofs, maxProofs)
	}
	if err := os.MkdirAll(d.Keys, 0o700); err != nil { // before anything that takes time
		return nil, err
	}
	res := new(SetUp)
	c, err := d.circuit()
	switch {
	case errors.Is(err, fs.ErrNotExist):
		p, err := prepare()
		if err != nil {
			return nil, err
		}
		c = &circuitFile{Schema: circuitSchema, Proofs: cmp.Or(proofs, defaultProofs), Architecture: p.Twin.Architecture()}
		if err := d.publish(p, c); err != nil {
			return nil, err
		}
		res.Trained = true
	case err != nil:
		return nil, err
	case proofs != 0 && proofs != c.Proofs:
		return nil, fmt.Errorf("public/circuit.json is for %d proofs for each commitment, not %d: remove it to make another", c.Proofs, proofs)
	}
	circuit, err := provable.CompileArchitecture(c.Architecture, provable.Options{Proofs: c.Proofs})
	if err != nil {
		return nil, files.NewError(d.circuitPath(), "setup", err)
	}
	start := time.Now()
	k, err := zk.Setup(ctx, circuit, zk.CacheDir(d.Keys))
	if err != nil {
		return nil, err
	}
	res.MS = ms(time.Since(start))
	vk := k.VerifyingKey()
	b, err := vk.MarshalBinary()
	if err != nil {
		return nil, err
	}
	spec := vk.Spec()
	res.Circuit, res.VerifyingKey, res.Provenance, res.Constraints = vk.Circuit(), vk.Digest(), vk.Provenance(), k.Constraints()
	res.Proofs, res.Bytes, res.ProvingBytes, res.Cached = spec.Layout.Budget(vk.Form()), len(b), k.ProvingKeyBytes(), k.Cached()
	return res, writeBytes(d.keyPath(), b)
}

// publish writes what the model's owner has before there are keys.
func (d Dirs) publish(p *Prepared, c *circuitFile) error {
	err := files.Write(d.modelPath(), 0o600, func(w io.Writer) error { return fixedpoint.Write(w, p.Twin) })
	if err != nil {
		return err
	}
	if _, err := os.Stat(d.inputPath()); errors.Is(err, fs.ErrNotExist) { // never over somebody's input
		if err := d.WriteInput(p.X); err != nil {
			return err
		}
	}
	return files.Write(d.circuitPath(), 0o644, func(w io.Writer) error { return json.NewEncoder(w).Encode(c) })
}

func writeBytes(path string, b []byte) error {
	return files.Write(path, 0o644, func(w io.Writer) error { _, err := w.Write(b); return err })
}
