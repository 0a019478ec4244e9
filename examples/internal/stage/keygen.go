package stage

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/signet-ml/signet/examples/internal/files"
	"github.com/signet-ml/signet/examples/internal/ui"
	"github.com/signet-ml/signet/fhe/client"
)

// Keys is what Keygen reports.
type Keys struct {
	ID        string  `json:"key"`
	Count     int     `json:"count"`
	Bytes     int64   `json:"keys_bytes"`
	Public    int64   `json:"encryption_key_bytes,omitempty"`
	SecretNew bool    `json:"secret_new"`
	MS        float64 `json:"keygen_ms"`
}

// Keygen writes secret/key, which it never overwrites, and public/keys; public/encryption-key too if the program's
// weights are to be encrypted by somebody else.
func Keygen(ctx context.Context, d Dirs, bars ui.Bars) (*Keys, error) {
	prog, err := d.program()
	if err != nil {
		return nil, err
	}
	public := filepath.Join(d.Public, "keys")
	_, errSecret := os.Stat(d.secretPath())
	_, errKeys := os.Stat(public)
	if errSecret == nil && errKeys == nil {
		if _, err := d.secretKey(prog.Parameters()); err != nil {
			return nil, err
		}
		return nil, errors.New("secret/key and public/keys exist: a key is never overwritten; take another -dir, or remove both yourself")
	}
	if errSecret != nil && !errors.Is(errSecret, fs.ErrNotExist) {
		return nil, errSecret
	}
	kg, err := client.NewKeyGenerator(prog.Parameters())
	if err != nil {
		return nil, err
	}
	var sk *client.SecretKey
	start := time.Now()
	if errSecret == nil { // an earlier keygen was interrupted: its secret key serves
		if sk, err = d.secretKey(prog.Parameters()); err != nil {
			return nil, err
		}
	} else {
		sk = kg.GenSecretKey()
		if err := d.writeSecret(sk); err != nil {
			return nil, err
		}
	}
	reqs := prog.Keys()
	set, done := bars.Start("evaluation keys", len(reqs))
	defer done()
	err = files.Write(public, 0o644, func(w io.Writer) error {
		return kg.WriteEvaluationKeys(ctx, w, sk, reqs, client.WithProgress(func(n, _ int) { set(n) }))
	})
	if err != nil {
		return nil, err
	}
	res := &Keys{ID: sk.ID().String(), Count: len(reqs), Bytes: prog.KeysBytes(), SecretNew: errSecret != nil, MS: ms(time.Since(start))}
	if len(prog.Inputs()) > 1 {
		pk, err := kg.GenPublicKey(sk)
		if err != nil {
			return nil, err
		}
		res.Public = pk.Bytes()
		if err := writeTo(d.encryptionKeyPath(), pk); err != nil {
			return nil, err
		}
	}
	return res, nil
}

// writeSecret writes secret/key with mode 0600 and fails if it exists, even if it appeared this moment.
func (d Dirs) writeSecret(sk *client.SecretKey) error {
	fresh := d.secretPath() + ".new"
	if err := os.Remove(fresh); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := files.Write(fresh, 0o600, func(w io.Writer) error { _, err := sk.WriteTo(w); return err }); err != nil {
		return err
	}
	defer os.Remove(fresh)
	return os.Link(fresh, d.secretPath())
}
