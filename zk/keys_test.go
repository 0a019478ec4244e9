package zk_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/signet-ml/signet/zk"
	"github.com/signet-ml/signet/zk/nn"
)

// TestExisting asks for keys that must not be made.
func TestExisting(t *testing.T) {
	c, err := registrable(127, 1000, 6)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	find := func(opts ...zk.Option) (*zk.Keys, error) {
		return zk.Setup(t.Context(), c, append(opts, zk.Existing())...)
	}
	if _, err := find(); !errors.Is(err, zk.ErrNoKeys) {
		t.Errorf("without a folder: %v", err)
	}
	if _, err := find(zk.CacheDir(dir)); !errors.Is(err, zk.ErrNoKeys) {
		t.Errorf("in an empty folder: %v", err)
	}
	made, err := zk.Setup(t.Context(), c, zk.CacheDir(dir))
	if err != nil {
		t.Fatal(err)
	}
	found, err := find(zk.CacheDir(dir))
	if err != nil {
		t.Fatal(err)
	}
	if made.Cached() || !found.Cached() {
		t.Errorf("made: cached is %t; found: cached is %t", made.Cached(), found.Cached())
	}
	if made.VerifyingKey().Digest() != found.VerifyingKey().Digest() {
		t.Error("another key was found than was made")
	}
	if _, err := find(zk.CacheDir(dir), zk.CompactModel()); !errors.Is(err, zk.ErrNoKeys) {
		t.Errorf("of the other form: %v", err)
	}
	strings, err := filepath.Glob(filepath.Join(dir, "srs-*"))
	if err != nil || len(strings) != 1 {
		t.Fatalf("reference strings %v, %v", strings, err)
	}
	b, err := os.ReadFile(strings[0])
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)/2] ^= 1
	if err := os.WriteFile(strings[0], b, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := find(zk.CacheDir(dir)); !errors.Is(err, zk.ErrNoKeys) {
		t.Errorf("with a damaged reference string: %v", err)
	}
	// Without the option a damaged string is a miss, and commitments made with the old one do not fit the new one.
	again, err := zk.Setup(t.Context(), c, zk.CacheDir(dir))
	if err != nil {
		t.Fatal(err)
	}
	if again.VerifyingKey().Digest() == made.VerifyingKey().Digest() {
		t.Error("another reference string, and the same verifying key")
	}
}

// TestSetupRefuses gives Setup options that do not fit.
func TestSetupRefuses(t *testing.T) {
	r, err := byRows()
	if err != nil {
		t.Fatal(err)
	}
	small, err := registrable(127, 1000, 6)
	if err != nil {
		t.Fatal(err)
	}
	signed := nn.Interval{Lo: -127, Hi: 127}
	big, err := nn.New(nn.Graph{Batch: 1, InputLen: 50, Input: signed, Blinds: 4, Ops: []nn.Op{
		nn.Dense{In: 50, Out: 2, WeightRange: signed, BiasRange: signed}, nn.Argmax{},
	}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := zk.Setup(t.Context(), big, zk.ReferenceString(r.keys.ReferenceString())); err == nil {
		t.Error("a reference string that is too short was taken")
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := zk.Setup(t.Context(), small, zk.CacheDir(file)); err == nil {
		t.Error("a file was taken for the cache folder")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := zk.Setup(ctx, small); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// TestProvenanceText reads keys whose provenance would deface a terminal.
func TestProvenanceText(t *testing.T) {
	vk := golden(t, "vk.bin")[0]
	at := bytes.Index(vk, []byte("local"))
	if at < 0 {
		t.Fatal("the key's provenance does not start with local")
	}
	for _, text := range []string{"\x1b[2J!", "lo\ncl", "l\xffcal"} {
		b := bytes.Clone(vk)
		copy(b[at:], text)
		if _, err := zk.ReadVerifyingKey(bytes.NewReader(b), 1<<16); err == nil || !strings.Contains(err.Error(), "provenance") {
			t.Errorf("provenance %q: %v", text, err)
		}
	}
}
