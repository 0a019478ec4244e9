package stage_test

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/signet-ml/signet/examples/internal/files"
	"github.com/signet-ml/signet/examples/internal/notebook"
	"github.com/signet-ml/signet/examples/internal/quickstart"
	"github.com/signet-ml/signet/examples/internal/stage"
	"github.com/signet-ml/signet/examples/internal/ui"
	"github.com/signet-ml/signet/fhe/engine/clear"
	"github.com/signet-ml/signet/ml/data"
	"github.com/signet-ml/signet/ml/encrypted"
	"github.com/signet-ml/signet/ml/train"
)

// TestStages takes all steps in one process, in which nothing may be left running.
func TestStages(t *testing.T) {
	defer goleak.VerifyNone(t)
	ctx := context.Background()
	dir := t.TempDir()
	d := stage.At(dir)

	var missing *files.Error
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

// private compiles a small network whose weights are encrypted.
func private(t *testing.T, d stage.Dirs, seed uint64) {
	t.Helper()
	ds, err := data.BreastCancer()
	if err != nil {
		t.Fatal(err)
	}
	ds, _ = ds.Standardize()
	p := &stage.Prepared{Name: "private", Test: ds.Head(3), Target: encrypted.Target{Calibration: ds.X, EncryptedWeights: true}}
	spec := train.Spec{Layers: []train.LayerSpec{train.Dense(8), train.Square(), train.Dense(2)}}
	opts := train.Options{LearnRate: 0.01, FinalLearnRate: 1e-4, WeightDecay: 0.1, LabelSmoothing: 0.2, Epochs: 10, BatchSize: 32, Seed: seed}
	if err := p.Train(t.Context(), spec, ds, opts, ui.Bars{}); err != nil {
		t.Fatal(err)
	}
	if _, err := stage.Compile(t.Context(), d, p); err != nil {
		t.Fatal(err)
	}
}

// TestPrivate takes the steps of two owners.
func TestPrivate(t *testing.T) {
	ctx := t.Context()
	homes, err := stage.NewHomes()
	if err != nil {
		t.Fatal(err)
	}
	defer homes.Remove()
	d := homes.Dirs
	none := ui.Bars{}
	wants := func(err error, text string) {
		t.Helper()
		if err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("error %v, want %q in it", err, text)
		}
	}
	sealModel := func() error { _, err := stage.EncryptModel(ctx, d, none); return err }
	serve := func() error { _, err := stage.Run(ctx, d, stage.ServeOptions{}); return err }

	private(t, d, 1)
	if st, err := os.Stat(filepath.Join(d.Model, "weights.json")); err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("the model's weights in the clear: %v, %v", st, err)
	}
	if _, err := os.Stat(filepath.Join(d.Data, "model.safetensors")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the data owner has the model: %v", err)
	}
	wants(sealModel(), "public/encryption-key does not exist: run stage keygen first")
	if _, err := stage.Keygen(ctx, d, none); err != nil {
		t.Fatal(err)
	}
	if _, err := stage.Encrypt(ctx, d, none); err != nil {
		t.Fatal(err)
	}
	wants(serve(), "weights/weights.bundle does not exist: run stage encrypt-model first")
	if err := sealModel(); err != nil {
		t.Fatal(err)
	}
	if err := serve(); err != nil {
		t.Fatal(err)
	}
	predictions := filepath.Join(t.TempDir(), "predictions.csv")
	alone, err := stage.Decrypt(ctx, d.WithoutModel(), predictions, none)
	if err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(predictions); err != nil || !strings.Contains(string(text), ",,") {
		t.Errorf("predictions without a model: %s, %v", text, err)
	}
	all, err := stage.Decrypt(ctx, d, predictions, none)
	if err != nil {
		t.Fatal(err)
	}
	if alone.Compared || !all.Compared || all.Agreement < 1 || all.BitsTwin < 10 || !slices.Equal(alone.Encrypted, all.Encrypted) {
		t.Errorf("without the model %+v, with it %+v", alone, all)
	}
	if bits, err := stage.OpenWeights(d); err != nil || bits < 8 {
		t.Errorf("the key's owner reads weights with %v bits: %v", bits, err)
	}
	if r, err := stage.Compare(ctx, d, clear.Options{}); err != nil || !r.OK() {
		t.Errorf("%v, %v", r, err)
	}

	// Damaged, and of others.
	for _, file := range []struct {
		path string
		step func() error
		want string
	}{
		{filepath.Join(d.Weights, "weights.bundle"), serve, "weights/weights.bundle is damaged"},
		{filepath.Join(d.Public, "encryption-key"), sealModel, "public/encryption-key is damaged"},
		{filepath.Join(d.Model, "weights.json"), sealModel, "model/weights.json is damaged"},
	} {
		good, err := os.ReadFile(file.path)
		if err != nil {
			t.Fatal(err)
		}
		bad := slices.Clone(good)
		bad[4] ^= 0x55
		for _, b := range [][]byte{bad, good[:len(good)/2]} {
			if err := os.WriteFile(file.path, b, 0o600); err != nil {
				t.Fatal(err)
			}
			wants(file.step(), file.want)
		}
		if err := os.WriteFile(file.path, good, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	weights, err := os.ReadFile(filepath.Join(d.Weights, "weights.bundle"))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.RemoveAll(d.Secret), os.Remove(filepath.Join(d.Public, "keys"))); err != nil {
		t.Fatal(err)
	}
	if _, err := stage.Keygen(ctx, d, none); err != nil {
		t.Fatal(err)
	}
	if _, err := stage.Encrypt(ctx, d, none); err != nil {
		t.Fatal(err)
	}
	wants(serve(), "weights/weights.bundle is encrypted under another key")

	other, err := stage.NewHomes()
	if err != nil {
		t.Fatal(err)
	}
	defer other.Remove()
	private(t, other.Dirs, 2)
	theirs, err := os.ReadFile(filepath.Join(other.Model, "weights.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(d.Model, "weights.json"), theirs, 0o600); err != nil {
		t.Fatal(err)
	}
	wants(sealModel(), "model/weights.json does not belong to the other files")
	if _, err := stage.Keygen(ctx, other.Dirs, none); err != nil {
		t.Fatal(err)
	}
	if _, err := stage.Encrypt(ctx, other.Dirs, none); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.MkdirAll(other.Weights, 0o755), os.WriteFile(filepath.Join(other.Weights, "weights.bundle"), weights, 0o644)); err != nil {
		t.Fatal(err)
	}
	_, err = stage.Run(ctx, other.Dirs, stage.ServeOptions{})
	wants(err, "weights/weights.bundle does not belong to the other files")
}

// TestEncryptModelNeedsPorts: the step is refused where weights are constants.
func TestEncryptModelNeedsPorts(t *testing.T) {
	d := stage.At(t.TempDir())
	p, err := quickstart.PrepareLR(t.Context(), notebook.Options{Seed: 1, Samples: 2})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stage.Compile(t.Context(), d, p); err != nil {
		t.Fatal(err)
	}
	if _, err := stage.EncryptModel(t.Context(), d, ui.Bars{}); err == nil || !strings.Contains(err.Error(), "no encrypted weights") {
		t.Errorf("error %v", err)
	}
}
