package stage_test

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"go.uber.org/goleak"

	"github.com/signet-ml/signet/examples/internal/notebook"
	"github.com/signet-ml/signet/examples/internal/quickstart"
	"github.com/signet-ml/signet/examples/internal/stage"
	"github.com/signet-ml/signet/examples/internal/ui"
)

// TestStages takes all steps in one process, in which nothing may be left running.
func TestStages(t *testing.T) {
	defer goleak.VerifyNone(t)
	ctx := context.Background()
	dir := t.TempDir()
	d := stage.At(dir)

	var missing *stage.FileError
	if _, err := stage.Keygen(ctx, d, ui.Bars{}); !errors.As(err, &missing) || missing.Path != "public/parameters" || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("keygen before compile: %v", err)
	}
	m, err := quickstart.PrepareLR(ctx, notebook.Options{Seed: 1, Samples: 5})
	if err != nil {
		t.Fatal(err)
	}
	c, err := stage.Compile(ctx, d, m)
	if err != nil {
		t.Fatal(err)
	}
	if c.Samples != 5 || c.Runs != 1 || c.Program != c.Plan.Program().Digest().String() {
		t.Errorf("compiled %+v", c)
	}
	if _, err := stage.Keygen(ctx, d, ui.Bars{}); err != nil {
		t.Fatal(err)
	}
	e, err := stage.Encrypt(ctx, d, ui.Bars{})
	if err != nil {
		t.Fatal(err)
	}
	if st, err := os.Stat(filepath.Join(d.In, "0000.bundle")); err != nil || st.Size() != e.Bytes || e.Bytes != c.Plan.InputBytes() {
		t.Errorf("input of %d bytes, plan says %d: %v", e.Bytes, c.Plan.InputBytes(), err)
	}

	// Without secret/ and data/ the server works.
	secrets, err := stage.FindSecrets(dir)
	if err != nil || len(secrets) != 1 {
		t.Fatalf("secret keys in all folders: %q, %v", secrets, err)
	}
	away := t.TempDir()
	for _, name := range []string{"secret", "data"} {
		if err := os.Rename(filepath.Join(dir, name), filepath.Join(away, name)); err != nil {
			t.Fatal(err)
		}
	}
	if secrets, err := stage.FindSecrets(dir); err != nil || len(secrets) != 0 {
		t.Errorf("secret keys in the server's folders: %q, %v", secrets, err)
	}
	s, err := stage.Run(ctx, d, stage.ServeOptions{Threads: 2, Trace: filepath.Join(dir, "trace")})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(s.Inputs, e.Digests) || len(s.Outputs) != 1 || len(s.TraceRoot) != 1 || s.Bytes != c.Plan.OutputBytes() {
		t.Errorf("served %+v", s)
	}
	if _, err := json.Marshal(s); err != nil {
		t.Error(err)
	}
	stopped, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := stage.Run(stopped, d, stage.ServeOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled run: %v", err)
	}
	// The cancelled run removed the outputs of the one before: nobody takes them for its own.
	again, err := stage.Run(ctx, d, stage.ServeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(again.Outputs, s.Outputs) {
		t.Errorf("outputs %q, then %q", s.Outputs, again.Outputs)
	}

	d.Secret, d.Data = filepath.Join(away, "secret"), filepath.Join(away, "data")
	r, err := stage.Decrypt(ctx, d, filepath.Join(away, "predictions.csv"), ui.Bars{})
	if err != nil {
		t.Fatal(err)
	}
	if r.Agreement < 1 || r.BitsTwin < 12 || len(r.Encrypted) != 5 {
		t.Errorf("decrypted %+v", r)
	}
}
