package proving

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/signet-ml/signet/examples/internal/files"
	"github.com/signet-ml/signet/ml/report"
	"github.com/signet-ml/signet/zk"
)

// Proved is what Prove reports.
type Proved struct {
	Class     int     `json:"class"`
	Left      int     `json:"proofs_left"` // under this commitment
	Proof     int     `json:"proof_bytes"`
	Key       int     `json:"vk_bytes"`
	Statement int     `json:"statement_bytes"`
	InputSalt zk.Word `json:"-"`
	PeakBytes int64   `json:"peak_bytes"` // of the process
	MS        float64 `json:"prove_ms"`
}

// Prove is a step of the model's owner: it predicts in/x.csv, proves the prediction and writes out/. input is what the
// statement shows of the input.
func Prove(ctx context.Context, d Dirs, input zk.Visibility) (*Proved, error) {
	o, err := d.owner(ctx, input)
	if err != nil {
		return nil, err
	}
	x, err := d.input(o.circuit.Twin())
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(d.openingPath()); err != nil {
		return nil, files.NewError(d.openingPath(), "commit", err)
	}
	opening, err := o.circuit.LoadOpening(o.keys, d.openingPath())
	if err != nil {
		return nil, files.NewError(d.openingPath(), "commit", err)
	}
	defer opening.Close()
	if err := d.removeProof(); err != nil {
		return nil, err
	}
	start := time.Now()
	proof, p, err := o.circuit.Prove(ctx, o.keys, opening, x, zk.Context{})
	if err != nil {
		return nil, err
	}
	res := &Proved{Class: p.Labels[0], Left: p.ProofsLeft(), MS: ms(time.Since(start))}
	res.InputSalt, _ = p.Salts()
	e := Evidence{o.keys.VerifyingKey(), p.Statement(), proof}
	sizes, err := e.Write(d.Out)
	if err != nil {
		return nil, err
	}
	res.Proof, res.Key, res.Statement = sizes["proof.bin"], sizes["vk.bin"], sizes["statement.json"]
	res.PeakBytes = report.PeakBytes()
	return res, nil
}

// Evidence is what a stranger verifies.
type Evidence struct {
	VerifyingKey *zk.VerifyingKey
	Statement    *zk.Statement
	Proof        *zk.Proof
}

// Names of the files of an Evidence: ours, and the circuit part in gnark's encodings.
var Names = []string{"vk.bin", "statement.json", "vk.gnark", "public.gnark", "proof.gnark", "proof.bin"}

// Bytes returns the content of the files, by name.
func (e *Evidence) Bytes() (map[string][]byte, error) {
	content := map[string][]byte{"proof.gnark": e.Proof.Groth16()}
	statement, err := json.MarshalIndent(e.Statement, "", "  ")
	content["statement.json"] = append(statement, '\n')
	for name, f := range map[string]func() ([]byte, error){
		"vk.bin":       e.VerifyingKey.MarshalBinary,
		"proof.bin":    e.Proof.MarshalBinary,
		"vk.gnark":     e.VerifyingKey.Groth16().MarshalBinary,
		"public.gnark": func() ([]byte, error) { return zk.PublicWitness(e.VerifyingKey, e.Statement, e.Proof) },
	} {
		b, ferr := f()
		content[name], err = b, errors.Join(err, ferr)
	}
	return content, err
}

// Write writes the files into dir, the proof last, and returns their sizes.
func (e *Evidence) Write(dir string) (map[string]int, error) {
	content, err := e.Bytes()
	if err != nil {
		return nil, err
	}
	sizes := map[string]int{}
	for _, name := range Names {
		if err := writeBytes(filepath.Join(dir, name), content[name]); err != nil {
			return nil, err
		}
		sizes[name] = len(content[name])
	}
	return sizes, nil
}

// ReadEvidence reads what a stranger gets: vk.bin, statement.json and proof.bin in dir. Nothing is verified.
func ReadEvidence(dir string) (e Evidence, err error) {
	if e.VerifyingKey, err = readKey(filepath.Join(dir, "vk.bin"), "prove"); err != nil {
		return e, err
	}
	e.Statement, err = files.Read(filepath.Join(dir, "statement.json"), "prove", readStatement)
	if err != nil {
		return e, err
	}
	e.Proof, err = files.Read(filepath.Join(dir, "proof.bin"), "prove", zk.ReadProof)
	return e, err
}

// removeProof removes what an earlier run left in out/, so that nobody takes it for the result of this one.
func (d Dirs) removeProof() error {
	for _, name := range Names {
		if err := os.Remove(filepath.Join(d.Out, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// String describes the proof to a reader.
func (p *Proved) String() string {
	return fmt.Sprintf("class %d, proved in %.0f ms; proof of %d bytes; the commitment is good for %d more", p.Class, p.MS, p.Proof, p.Left)
}
