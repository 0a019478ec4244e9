package stage

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/signet-ml/signet/examples/internal/ui"
	"github.com/signet-ml/signet/fhe/client"
)

// Encrypted is what Encrypt reports.
type Encrypted struct {
	Bundles int       `json:"bundles"`
	Samples int       `json:"samples"`
	PerRun  int       `json:"samples_per_run"`
	Bytes   int64     `json:"input_bytes"` // of one bundle
	MS      []float64 `json:"encrypt_ms"`  // of each bundle
	Digests []string  `json:"digests"`
}

// Encrypt encrypts the samples of data/ into in/, replacing the bundles there.
func Encrypt(ctx context.Context, d Dirs, bars ui.Bars) (*Encrypted, error) {
	o, err := d.owner()
	if err != nil {
		return nil, err
	}
	sk, err := d.secretKey(o.prog.Parameters())
	if err != nil {
		return nil, err
	}
	if err := removeBundles(d.In); err != nil {
		return nil, err
	}
	port := o.prog.Inputs()[0]
	enc := client.NewEncryptor(sk)
	res := &Encrypted{Bundles: o.runs(), Samples: o.Samples, PerRun: min(o.PerRun, o.Samples)}
	set, done := bars.Start("encrypt", res.Bundles)
	defer done()
	for i := range res.Bundles {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		lo, hi := o.rows(i)
		x := o.x.Slice(lo, hi).Data
		if o.PerRun > 1 {
			if x, err = port.Fill(x); err != nil {
				return nil, fmt.Errorf("samples %d to %d: %w", lo, hi-1, err)
			}
		}
		start := time.Now()
		b, err := enc.Encrypt(port, x)
		if err != nil {
			return nil, fmt.Errorf("samples %d to %d: %w", lo, hi-1, err)
		}
		res.MS = append(res.MS, ms(time.Since(start)))
		path := filepath.Join(d.In, bundleName(i)+Suffix)
		if err := writeTo(path, b); err != nil {
			return nil, err
		}
		if st, err := os.Stat(path); err == nil {
			res.Bytes = st.Size()
		}
		res.Digests = append(res.Digests, b.Digest().String())
		set(i + 1)
	}
	return res, nil
}
