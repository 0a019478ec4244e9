package stage

import (
	"context"
	"path/filepath"

	"github.com/signet-ml/signet/fhe/client"
	"github.com/signet-ml/signet/fhe/engine"
	"github.com/signet-ml/signet/fhe/engine/clear"
)

// Compare runs the program on the first input beside a run in the clear, opens every value on the way, and says where
// precision is lost. It needs the secret key and the evaluation keys: it is for the owner of the data.
func Compare(ctx context.Context, d Dirs, opts clear.Options) (*clear.Report, error) {
	prog, err := d.program()
	if err != nil {
		return nil, err
	}
	consts, err := d.constants(prog)
	if err != nil {
		return nil, err
	}
	keys, err := d.keys(prog)
	if err != nil {
		return nil, err
	}
	sk, err := d.secretKey(prog.Parameters())
	if err != nil {
		return nil, err
	}
	names, err := bundles(d.In, "encrypt")
	if err != nil {
		return nil, err
	}
	in, err := readBundle(filepath.Join(d.In, names[0]+Suffix), "encrypt", prog)
	if err != nil {
		return nil, err
	}
	if len(prog.Inputs()) > 1 {
		weights, err := d.weights(prog, keys)
		if err != nil {
			return nil, err
		}
		if err := in.Merge(weights); err != nil {
			return nil, err
		}
	}
	eng, err := engine.Open(ctx, engine.Auto)
	if err != nil {
		return nil, err
	}
	return clear.Compare(ctx, eng, prog, consts, keys, in, client.NewDecryptor(sk).Open, opts)
}
