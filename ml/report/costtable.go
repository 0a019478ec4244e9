package report

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/signet-ml/signet/fhe/program/cost"
)

// String describes the machine in words, as cost tables name it.
func (m Machine) String() string {
	return fmt.Sprintf("%s, %d cores, %s/%s", m.CPU, m.Cores, m.OS, m.Arch)
}

// CostTablePath returns where the cost table of this machine and an engine lies: signet/cost-ENGINE.json in the user's
// configuration folder. It fails if the user has none.
func CostTablePath(engine string) (string, error) {
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", fmt.Errorf("report: cost table: %w", err)
	}
	return filepath.Join(dir, "signet", "cost-"+engine+".json"), nil
}

// CostTable returns the cost table in a file or, if path is empty, engine cpu's table of this machine, or the shipped
// one if this machine was not calibrated. warning, if not empty, says that the table was measured on another machine.
func CostTable(path string) (t *cost.Table, warning string, err error) {
	own := path == ""
	if own {
		if path, err = CostTablePath(cost.Default().Engine()); err != nil {
			path = "" // a user without a home has calibrated nothing
		}
	}
	t, err = readCostTable(path)
	switch {
	case own && (path == "" || errors.Is(err, fs.ErrNotExist)):
		t = cost.Default()
	case err != nil:
		return nil, "", fmt.Errorf("report: cost table %s: %w", path, err)
	}
	if here := ThisMachine().String(); t.Machine() != here {
		warning = fmt.Sprintf("predicted times are those of another machine (%s; this is %s) and may be off by a factor: run bench calibrate", t.Machine(), here)
	}
	return t, warning, nil
}

func readCostTable(path string) (*cost.Table, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return cost.ReadTable(f, cost.MaxBytes)
}
