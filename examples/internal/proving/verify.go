package proving

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/signet-ml/signet/zk"
)

// Pins are digests that a verifier knows from somewhere else than the prover. Nil: not known.
type Pins struct{ VerifyingKey, Model *zk.Word }

// Verified is what Verify reports.
type Verified struct {
	VerifyingKey zk.Word `json:"vk_digest"`
	Provenance   string  `json:"provenance"`
	Model        zk.Word `json:"model_digest"`
	Pinned       bool    `json:"pinned"` // the verifying key is one that the caller named
	Claim        string  `json:"claim"`  // in words
	PID          int     `json:"pid"`
	MS           float64 `json:"verify_ms"`
}

// A PinError says that a file is not the one that the verifier asked for.
type PinError struct {
	What       string
	Want, Have zk.Word
}

func (e *PinError) Error() string {
	return fmt.Sprintf("%s has digest %v, asked for was %v", e.What, e.Have, e.Want)
}

func readStatement(r io.Reader) (*zk.Statement, error) { return zk.ReadStatement(r, maxStatement) }

// Verify is a stranger's step: it reads out/vk.bin, out/statement.json and out/proof.bin, and no other file, and fails
// unless the proof proves the statement.
func Verify(d Dirs, pins Pins) (*Verified, error) {
	e, err := ReadEvidence(d.Out)
	if err != nil {
		return nil, err
	}
	vk := e.VerifyingKey
	res := &Verified{VerifyingKey: vk.Digest(), Provenance: vk.Provenance(), Pinned: pins.VerifyingKey != nil, PID: os.Getpid()}
	if pin := pins.VerifyingKey; pin != nil && *pin != res.VerifyingKey {
		return nil, &PinError{"out/vk.bin", *pin, res.VerifyingKey}
	}
	if res.Model, err = vk.ModelDigest(e.Statement.Model); err != nil {
		return nil, err
	}
	if pin := pins.Model; pin != nil && *pin != res.Model {
		return nil, &PinError{"the model of out/statement.json", *pin, res.Model}
	}
	start := time.Now()
	if err := zk.Verify(vk, e.Statement, e.Proof); err != nil {
		return nil, err
	}
	res.MS = ms(time.Since(start))
	res.Claim = e.Statement.String()
	return res, nil
}
