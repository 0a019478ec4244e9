package stage

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"time"

	"github.com/signet-ml/signet/examples/internal/files"
	"github.com/signet-ml/signet/examples/internal/ui"
	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/client"
	"github.com/signet-ml/signet/fhe/program"
	"github.com/signet-ml/signet/ml/encrypted"
	"github.com/signet-ml/signet/ml/report"
)

// sealed is model/weights.json: what the model's owner encrypts, and the scores to expect.
type sealed struct {
	Schema  string               `json:"schema"`
	Program string               `json:"program"`
	Twin    []float64            `json:"twin_scores"`
	Largest float64              `json:"largest_score"`
	Weights map[string][]float64 `json:"weights"` // by port
}

const (
	sealedSchema = "signet/sealed/v1"
	maxSealed    = 1 << 31
)

func (d Dirs) encryptionKeyPath() string { return filepath.Join(d.Public, "encryption-key") }

func (d Dirs) weightsPath() string { return filepath.Join(d.Weights, "weights"+Suffix) }

// writeSealed writes model/weights.json.
func writeSealed(d Dirs, plan *encrypted.Plan, twin []float64) error {
	if plan.Output().Layout.Len() < 2 {
		return errors.New("a model with encrypted weights and one output is not supported here: its data owner would need the threshold")
	}
	s := sealed{Schema: sealedSchema, Program: plan.Program().Digest().String(), Twin: twin, Largest: plan.Fidelity().Largest, Weights: map[string][]float64{}}
	for _, port := range plan.WeightPorts() {
		s.Weights[port.Name] = plan.Weights(port.Name)
	}
	return files.Write(filepath.Join(d.Model, "weights.json"), 0o600, func(w io.Writer) error { return json.NewEncoder(w).Encode(s) })
}

func (d Dirs) sealed(p *program.Program) (*sealed, error) {
	return files.Read(filepath.Join(d.Model, "weights.json"), "compile", func(r io.Reader) (*sealed, error) {
		var s sealed
		if err := json.NewDecoder(io.LimitReader(r, maxSealed)).Decode(&s); err != nil || s.Schema != sealedSchema {
			return nil, &fhe.FormatError{Kind: "weights", Reason: "no JSON of schema " + sealedSchema, Err: err}
		}
		if s.Program != p.Digest().String() {
			return nil, &fhe.MismatchError{What: "program", Want: p.Digest().Short(), Have: s.Program[:min(8, len(s.Program))]}
		}
		return &s, nil
	})
}

// Sealed is what EncryptModel reports.
type Sealed struct {
	Key    string       `json:"key"` // of the data owner, who could decrypt
	Ports  []SealedPort `json:"ports"`
	Bytes  int64        `json:"weights_bytes"`
	Digest string       `json:"digest"`
	MS     float64      `json:"encrypt_weights_ms"`
}

// SealedPort is one of the program's ports for weights.
type SealedPort struct {
	Name        string `json:"name"`
	Ciphertexts int    `json:"ciphertexts"`
	Values      int    `json:"values"` // places in the slots; a weight may take several
	Level       int    `json:"level"`
}

// EncryptModel is the step of the model's owner: it encrypts the weights of model/ under public/encryption-key into
// weights/, for the server. It cannot decrypt them itself.
func EncryptModel(ctx context.Context, d Dirs, bars ui.Bars) (*Sealed, error) {
	prog, err := d.program()
	if err != nil {
		return nil, err
	}
	ports := prog.Inputs()[1:]
	if len(ports) == 0 {
		return nil, errors.New("public/program has no encrypted weights: encrypt-model is a step of examples that have")
	}
	s, err := d.sealed(prog)
	if err != nil {
		return nil, err
	}
	pk, err := files.Read(d.encryptionKeyPath(), "keygen", func(r io.Reader) (*fhe.PublicKey, error) {
		return fhe.ReadPublicKey(r, prog.Parameters(), maxSecret)
	})
	if err != nil {
		return nil, err
	}
	enc := client.NewPublicKeyEncryptor(pk)
	all := fhe.NewBundle(prog.Parameters(), pk.Key(), prog.Digest())
	res := &Sealed{Key: pk.Key().String()}
	set, done := bars.Start("encrypt weights", len(ports))
	defer done()
	start := time.Now()
	for i, port := range ports {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		b, err := enc.Encrypt(port, s.Weights[port.Name])
		if err == nil {
			err = all.Merge(b)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", port.Name, err)
		}
		res.Ports = append(res.Ports, SealedPort{port.Name, port.Count, port.Layout.Len(), port.Level})
		set(i + 1)
	}
	res.MS = ms(time.Since(start))
	res.Digest = all.Digest().String()
	return res, files.Write(d.weightsPath(), 0o644, func(w io.Writer) (err error) {
		res.Bytes, err = all.WriteTo(w)
		return err
	})
}

// weights reads what EncryptModel wrote.
func (d Dirs) weights(p *program.Program, keys *fhe.EvaluationKeys) (*fhe.Bundle, error) {
	b, err := readBundle(d.weightsPath(), "encrypt-model", p)
	if err != nil {
		return nil, err
	}
	if b.Key() != keys.Key() {
		return nil, fmt.Errorf("weights/weights%s is encrypted under another key than public/keys was made for (%s, not %s): run stage encrypt-model again", Suffix, b.Key(), keys.Key())
	}
	return b, nil
}

// OpenWeights decrypts weights/ with the data owner's key and returns the precision, in bits, at which it finds what
// model/ holds: a demonstration of what a server and a data owner can do together.
func OpenWeights(d Dirs) (bits float64, err error) {
	prog, err := d.program()
	if err != nil {
		return 0, err
	}
	sk, err := d.secretKey(prog.Parameters())
	if err != nil {
		return 0, err
	}
	s, err := d.sealed(prog)
	if err != nil {
		return 0, err
	}
	b, err := readBundle(d.weightsPath(), "encrypt-model", prog)
	if err != nil {
		return 0, err
	}
	bits = math.Inf(1)
	dec := client.NewDecryptor(sk)
	for _, port := range prog.Inputs()[1:] {
		got, err := dec.ForOwner(port, b)
		if err != nil {
			return 0, files.NewError(d.weightsPath(), "encrypt-model", err)
		}
		bits = min(bits, report.Bits(got, s.Weights[port.Name]))
	}
	return bits, nil
}

// WithoutModel returns the folders of a data owner, who does not have the model.
func (d Dirs) WithoutModel() Dirs {
	d.Model = ""
	return d
}

// String describes the weights to a reader.
func (s *Sealed) String() string {
	n := 0
	for _, p := range s.Ports {
		n += p.Ciphertexts
	}
	return fmt.Sprintf("%d ciphertexts of together %s, in %.0f ms, under the data owner's public key", n, report.Bytes(s.Bytes), s.MS)
}
