package report

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/program/cost"
)

func write(t *testing.T, path, machine string) {
	t.Helper()
	d := cost.Default()
	table, err := cost.NewTable(d.Engine(), machine, "c0ffee", d.Entries())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := WriteFile(path, 0o644, func(w io.Writer) error { _, err := table.WriteTo(w); return err }); err != nil {
		t.Fatal(err)
	}
}

func TestCostTable(t *testing.T) {
	home := t.TempDir()
	t.Setenv("XDG_CONFIG_HOME", home)
	t.Setenv("HOME", home)
	if got, warning, err := CostTable(""); err != nil || got != cost.Default() || (warning == "") != (got.Machine() == ThisMachine().String()) {
		t.Errorf("nothing calibrated: %v, warning %q, error %v", got, warning, err)
	}
	own, err := CostTablePath("cpu")
	if err != nil {
		t.Fatal(err)
	}
	write(t, own, ThisMachine().String())
	if got, warning, err := CostTable(""); err != nil || got.Commit() != "c0ffee" || warning != "" {
		t.Errorf("this machine's: warning %q, error %v", warning, err)
	}
	other := filepath.Join(home, "other.json")
	write(t, other, "a mainframe")
	if got, warning, err := CostTable(other); err != nil || got.Machine() != "a mainframe" || !strings.Contains(warning, "a mainframe; this is") {
		t.Errorf("another machine's: warning %q, error %v", warning, err)
	}
	if _, _, err := CostTable(filepath.Join(home, "nosuch")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no such file: error %v", err)
	}
	if err := os.WriteFile(own, []byte("{"), 0o644); err != nil {
		t.Fatal(err)
	}
	var fe *fhe.FormatError
	if _, _, err := CostTable(""); !errors.As(err, &fe) || !strings.Contains(err.Error(), own) {
		t.Errorf("a broken table: error %v, want a *fhe.FormatError that names the file", err)
	}
}
