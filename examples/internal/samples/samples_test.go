package samples_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/signet-ml/signet/examples/internal/samples"
)

// TestSets: a folder without a set is an error for MNIST, which it was given for; breast cancer falls back to the
// embedded set, unless its file is there and damaged.
func TestSets(t *testing.T) {
	dir := t.TempDir()
	if _, _, _, err := samples.MNIST(dir); err == nil {
		t.Error("MNIST from an empty folder")
	}
	ds, source, err := samples.BreastCancer(dir)
	if err != nil || ds.Len() != 569 || source[:8] != "embedded" {
		t.Errorf("%d samples, %s, %v", ds.Len(), source, err)
	}
	if err := os.WriteFile(filepath.Join(dir, "breast_cancer.csv"), []byte("a,b\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, _, err := samples.BreastCancer(dir); err == nil {
		t.Error("a damaged file was passed over")
	}
	for _, tt := range []struct{ n, want int }{{0, 114}, {7, 7}, {9999, 569}} {
		if got, err := samples.Head(ds, tt.n, 114); err != nil || got.Len() != tt.want {
			t.Errorf("%d samples: %d, %v; want %d", tt.n, got.Len(), err, tt.want)
		}
	}
	if _, err := samples.Head(ds, -1, 114); err == nil {
		t.Error("-1 samples")
	}
}
