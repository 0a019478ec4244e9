package proving

import (
	"bytes"
	"cmp"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/signet-ml/signet/examples/internal/files"
	"github.com/signet-ml/signet/ml"
	"github.com/signet-ml/signet/ml/fixedpoint"
	"github.com/signet-ml/signet/ml/provable"
	"github.com/signet-ml/signet/zk"
)

// Limits on what a step reads, in bytes, far above what the example writes.
const (
	maxCircuit   = 1 << 20
	maxModel     = 1 << 30
	maxInput     = 1 << 24
	maxKey       = 1 << 20
	maxStatement = 1 << 24
)

// Dirs are the folders that steps meet in. A verifier has Out only.
type Dirs struct{ Public, Secret, In, Out, Keys string }

// At returns the usual folders below dir. keys is where proving keys are kept: "" for a folder below dir too.
func At(dir, keys string) Dirs {
	sub := func(name string) string { return filepath.Join(dir, name) }
	return Dirs{sub("public"), sub("secret"), sub("in"), sub("out"), cmp.Or(keys, sub("keys"))}
}

func (d Dirs) circuitPath() string    { return filepath.Join(d.Public, "circuit.json") }
func (d Dirs) keyPath() string        { return filepath.Join(d.Public, "vk.bin") }
func (d Dirs) commitmentPath() string { return filepath.Join(d.Public, "commitment.bin") }
func (d Dirs) modelPath() string      { return filepath.Join(d.Secret, "model") }
func (d Dirs) openingPath() string    { return filepath.Join(d.Secret, "opening") }
func (d Dirs) inputPath() string      { return filepath.Join(d.In, "x.csv") }

// circuitFile is public/circuit.json.
type circuitFile struct {
	Schema       string                  `json:"schema"`
	Proofs       int                     `json:"proofs"` // that one commitment lasts for, at least
	Architecture fixedpoint.Architecture `json:"architecture"`
}

const circuitSchema = "signet/circuit/v1"

func (d Dirs) circuit() (*circuitFile, error) {
	return files.Read(d.circuitPath(), "setup", func(r io.Reader) (*circuitFile, error) {
		b, err := readAll(r, maxCircuit)
		if err != nil {
			return nil, err
		}
		var c circuitFile
		if err := json.Unmarshal(b, &c); err != nil || c.Schema != circuitSchema {
			return nil, &files.FormatError{Reason: "no JSON of schema " + circuitSchema, Err: err}
		}
		return &c, nil
	})
}

// readAll reads r to its end, which comes after at most limit bytes.
func readAll(r io.Reader, limit int64) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err == nil && int64(len(b)) > limit {
		return nil, &files.FormatError{Reason: fmt.Sprintf("longer than %d bytes", limit)}
	}
	return b, err
}

func (d Dirs) model() (*fixedpoint.Model, error) {
	return files.Read(d.modelPath(), "setup", func(r io.Reader) (*fixedpoint.Model, error) { return fixedpoint.Read(r, maxModel) })
}

func readKey(path, step string) (*zk.VerifyingKey, error) {
	return files.Read(path, step, func(r io.Reader) (*zk.VerifyingKey, error) { return zk.ReadVerifyingKey(r, maxKey) })
}

// input returns the sample of in/x.csv, in the shape that the model takes.
func (d Dirs) input(m *fixedpoint.Model) (ml.Tensor, error) {
	return files.Read(d.inputPath(), "setup", func(r io.Reader) (ml.Tensor, error) {
		b, err := readAll(r, maxInput)
		if err != nil {
			return ml.Tensor{}, err
		}
		rows, err := csv.NewReader(bytes.NewReader(b)).ReadAll()
		if err != nil || len(rows) != 1 || len(rows[0]) != m.InputLen() {
			return ml.Tensor{}, &files.FormatError{Reason: fmt.Sprintf("want one line of %d numbers", m.InputLen()), Err: err}
		}
		x := ml.Tensor{Shape: m.InputShape()}
		for i, field := range rows[0] {
			v, err := strconv.ParseFloat(field, 64)
			if err != nil {
				return ml.Tensor{}, &files.FormatError{Reason: fmt.Sprintf("number %d", i), Err: err}
			}
			x.Data = append(x.Data, v)
		}
		return x, nil
	})
}

// WriteInput writes a sample as in/x.csv.
func (d Dirs) WriteInput(x []float64) error {
	return files.Write(d.inputPath(), 0o644, func(w io.Writer) error {
		line := make([]string, len(x))
		for i, v := range x {
			line[i] = strconv.FormatFloat(v, 'g', -1, 64)
		}
		cw := csv.NewWriter(w)
		return errors.Join(cw.Write(line), flush(cw))
	})
}

func flush(w *csv.Writer) error {
	w.Flush()
	return w.Error()
}

// owner is what the steps of the model's owner work with.
type owner struct {
	circuit *provable.Circuit
	keys    *zk.Keys
}

// owner reads the model and the keys that setup made for its circuit. input is what statements show of inputs.
func (d Dirs) owner(ctx context.Context, input zk.Visibility) (*owner, error) {
	c, err := d.circuit()
	if err != nil {
		return nil, err
	}
	vk, err := readKey(d.keyPath(), "setup")
	if err != nil {
		return nil, err
	}
	twin, err := d.model()
	if err != nil {
		return nil, err
	}
	o := new(owner)
	if o.circuit, err = provable.CompileTwin(twin, provable.Options{Proofs: c.Proofs, Input: input}); err != nil {
		return nil, files.NewError(d.modelPath(), "setup", err)
	}
	if _, err := os.Stat(d.Keys); err != nil {
		return nil, files.NewError(d.Keys, "setup", err)
	}
	if o.keys, err = zk.Setup(ctx, o.circuit.Circuit(), zk.CacheDir(d.Keys), zk.Existing()); err != nil && !errors.Is(err, zk.ErrNoKeys) {
		return nil, err
	}
	if err != nil || o.keys.VerifyingKey().Digest() != vk.Digest() {
		return nil, files.NewError(d.keyPath(), "setup", &files.MismatchError{With: "secret/model and the proving key"})
	}
	return o, nil
}

func ms(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e6 }
