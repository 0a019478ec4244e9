package stage

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"strconv"

	"github.com/signet-ml/signet/examples/internal/files"
	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/program"
	"github.com/signet-ml/signet/ml"
)

// owner is what the data owner's steps read: the program, for its ports, and data/.
type owner struct {
	manifest
	prog   *program.Program
	model  *ml.Model // nil if it belongs to somebody else, whose folder is not here
	x      ml.Tensor
	labels []int
}

func (d Dirs) owner() (*owner, error) {
	prog, err := d.program()
	if err != nil {
		return nil, err
	}
	o := &owner{prog: prog}
	path := filepath.Join(d.Data, "manifest.json")
	o.manifest, err = files.Read(path, "compile", func(r io.Reader) (m manifest, err error) {
		b, err := io.ReadAll(io.LimitReader(r, 1<<30))
		if err != nil {
			return m, err
		}
		if err := json.Unmarshal(b, &m); err != nil || m.Schema != manifestSchema {
			return m, &fhe.FormatError{Kind: "manifest", Reason: fmt.Sprintf("no JSON of schema %s", manifestSchema), Err: err}
		}
		if m.Program != prog.Digest().String() {
			return m, &fhe.MismatchError{What: "program", Want: prog.Digest().Short(), Have: m.Program[:min(8, len(m.Program))]}
		}
		if m.Samples < 1 || m.PerRun < 1 || len(m.Twin)%m.Samples != 0 || len(m.Shape) == 0 {
			return m, &fhe.FormatError{Kind: "manifest", Reason: "numbers of samples and scores do not fit"}
		}
		return m, nil
	})
	if err != nil {
		return nil, err
	}
	if err := o.readModel(d); err != nil {
		return nil, err
	}
	path = filepath.Join(d.Data, "samples.csv")
	rows, err := files.Read(path, "compile", func(r io.Reader) ([][]string, error) { return csv.NewReader(r).ReadAll() })
	if err != nil {
		return nil, err
	}
	var values []float64
	for i, row := range rows {
		y, err := strconv.Atoi(row[0])
		for _, s := range row[1:] {
			v, e := strconv.ParseFloat(s, 64)
			err = errors.Join(err, e)
			values = append(values, v)
		}
		if err != nil {
			return nil, files.NewError(path, "compile", fmt.Errorf("line %d: %w", i+1, err))
		}
		o.labels = append(o.labels, y)
	}
	if o.x, err = ml.NewTensor(append([]int{len(rows)}, o.Shape...), values); err != nil || len(rows) != o.Samples {
		return nil, files.NewError(path, "compile", &fhe.FormatError{Kind: "samples", Reason: fmt.Sprintf("%d lines for %d samples of shape %v", len(rows), o.Samples, o.Shape), Err: err})
	}
	return o, nil
}

// readModel reads the model, and where it belongs to somebody else the expected scores beside it; then it may be absent.
func (o *owner) readModel(d Dirs) (err error) {
	home := d.Data
	if o.Private {
		if home = d.Model; home == "" {
			return nil
		}
		s, err := d.sealed(o.prog)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		} else if err != nil {
			return err
		}
		o.Twin, o.Largest = s.Twin, s.Largest
	}
	o.model, err = files.Read(filepath.Join(home, "model.safetensors"), "compile", func(r io.Reader) (*ml.Model, error) { return ml.Read(r, 1<<30) })
	return err
}

// runs is the number of bundles that the samples take, and rows the samples of one of them.
func (o *owner) runs() int { return (o.Samples + o.PerRun - 1) / o.PerRun }

func (o *owner) rows(run int) (lo, hi int) {
	return run * o.PerRun, min((run+1)*o.PerRun, o.Samples)
}

func bundleName(run int) string { return fmt.Sprintf("%04d", run) }
