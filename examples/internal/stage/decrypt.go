package stage

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"time"

	"github.com/signet-ml/signet/examples/internal/files"
	"github.com/signet-ml/signet/examples/internal/ui"
	"github.com/signet-ml/signet/fhe/client"
	"github.com/signet-ml/signet/ml"
	"github.com/signet-ml/signet/ml/report"
)

// Decrypted is what Decrypt reports. It follows from decrypted values, so it is for the owner only.
type Decrypted struct {
	Samples       int       `json:"samples"`
	Accuracy      float64   `json:"accuracy"`             // of the encrypted predictions
	Compared      bool      `json:"compared"`             // the model was here to compare with: the next five hold
	AccuracyClear float64   `json:"accuracy_clear"`       // of the model in the clear, same samples
	Agreement     float64   `json:"agreement"`            // of their labels
	AgreementTwin float64   `json:"agreement_twin"`       // of the encrypted labels with those of the plan's twin
	BitsTwin      float64   `json:"precision_bits"`       // of scores against the plan's twin
	BitsFloat     float64   `json:"precision_float_bits"` // of outputs against the model in the clear
	MS            []float64 `json:"decrypt_ms"`           // of each bundle
	Labels        []int     `json:"-"`
	Clear         []int     `json:"-"` // predicted
	Encrypted     []int     `json:"-"`
	OutputsClear  ml.Tensor `json:"-"` // [samples, outputs]
	Outputs       ml.Tensor `json:"-"`
	Classes       []string  `json:"-"`
}

// Decrypt decrypts out/, compares with the model in the clear, and writes row, label and both predictions as CSV. A data
// owner who does not have the model has no clear predictions; their column is empty.
func Decrypt(ctx context.Context, d Dirs, predictions string, bars ui.Bars) (*Decrypted, error) {
	o, err := d.owner()
	if err != nil {
		return nil, err
	}
	sk, err := d.secretKey(o.prog.Parameters())
	if err != nil {
		return nil, err
	}
	port := o.prog.Outputs()[0]
	outputs := port.Layout.Len() / o.PerRun
	dec := client.NewDecryptor(sk)
	res := &Decrypted{Samples: o.Samples, Labels: o.labels, Classes: o.Classes}
	names, err := bundles(d.Out, "run")
	if err != nil {
		return nil, err
	}
	if len(names) != o.runs() {
		return nil, fmt.Errorf("out/ holds %d bundles, the samples of data/ take %d: run stage run again", len(names), o.runs())
	}
	scores := make([]float64, 0, o.Samples*outputs)
	set, done := bars.Start("decrypt", o.runs())
	defer done()
	for i := range o.runs() {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		path := filepath.Join(d.Out, bundleName(i)+Suffix)
		b, err := readBundle(path, "run", o.prog)
		if err != nil {
			return nil, err
		}
		start := time.Now()
		y, err := dec.ForOwner(port, b)
		if err != nil {
			return nil, files.NewError(path, "run", err)
		}
		res.MS = append(res.MS, ms(time.Since(start)))
		lo, hi := o.rows(i)
		scores = append(scores, y[:(hi-lo)*outputs]...)
		set(i + 1)
	}
	y, err := ml.NewTensor([]int{o.Samples, outputs}, scores)
	if err != nil {
		return nil, err
	}
	if y, err = finish(o.ClientLayer, y); err != nil {
		return nil, err
	}
	res.Outputs = y
	if o.model == nil {
		res.Encrypted = ml.Labels(y)
		res.Accuracy = report.Agreement(res.Encrypted, o.labels)
		return res, files.Write(predictions, 0o644, func(w io.Writer) error { return res.writePredictions(w) })
	}
	if len(o.Twin) != len(scores) {
		return nil, fmt.Errorf("data/manifest.json holds %d scores, the program gives %d: run stage compile again", len(o.Twin), len(scores))
	}
	plain, err := o.model.Forward(o.x)
	if err != nil {
		return nil, err
	}
	res.Compared, res.OutputsClear = true, plain
	res.BitsTwin = report.BitsTo(scores, o.Twin, o.Largest)
	res.BitsFloat = report.Bits(y.Data, plain.Data)
	res.Clear, res.Encrypted = o.model.Labels(plain), o.model.Labels(y)
	res.Accuracy = report.Agreement(res.Encrypted, o.labels)
	res.AccuracyClear = report.Agreement(res.Clear, o.labels)
	res.Agreement = report.Agreement(res.Encrypted, res.Clear)
	twin, err := ml.NewTensor(y.Shape, o.Twin)
	if err != nil {
		return nil, err
	}
	if twin, err = finish(o.ClientLayer, twin); err != nil {
		return nil, err
	}
	res.AgreementTwin = report.Agreement(res.Encrypted, o.model.Labels(twin))
	return res, files.Write(predictions, 0o644, func(w io.Writer) error { return res.writePredictions(w) })
}

// finish applies the layer that the compiler left to the client.
func finish(layer string, scores ml.Tensor) (ml.Tensor, error) {
	var last ml.Layer
	switch layer {
	case "":
		return scores, nil
	case "softmax":
		last = ml.Softmax()
	case "sigmoid":
		last = ml.Sigmoid()
	default:
		return scores, fmt.Errorf("data/manifest.json: the client cannot apply %q: run stage compile again", layer)
	}
	m, err := ml.SequentialFor(scores.Shape[1:], last)
	if err != nil {
		return scores, err
	}
	return m.Forward(scores)
}

func (r *Decrypted) writePredictions(w io.Writer) error {
	name := func(class int) string {
		if class >= 0 && class < len(r.Classes) {
			return r.Classes[class]
		}
		return strconv.Itoa(class)
	}
	cw := csv.NewWriter(w)
	lines := [][]string{{"row", "label", "clear", "encrypted"}}
	for i := range r.Samples {
		clear := ""
		if r.Compared {
			clear = name(r.Clear[i])
		}
		lines = append(lines, []string{strconv.Itoa(i), name(r.Labels[i]), clear, name(r.Encrypted[i])})
	}
	return errors.Join(cw.WriteAll(lines), cw.Error())
}
