package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/signet-ml/signet/fhe/program/cost"
	"github.com/signet-ml/signet/ml/report"
)

// engineName is the engine that is calibrated: the only one that has a cost so far.
const engineName = "cpu"

// tablePath returns where this machine's cost table of an engine lies.
func tablePath(engine string) (string, error) {
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, "signet", "cost-"+engine+".json"), nil
}

// machineText describes a machine in words, as cost tables do.
func machineText(m report.Machine) string {
	return fmt.Sprintf("%s, %d cores, %s/%s", m.CPU, m.Cores, m.OS, m.Arch)
}

// readTable returns the cost table of a file, or if path is empty this machine's, or if there is none the shipped one.
// It warns of a table of another machine.
func readTable(log io.Writer, path string) (*cost.Table, error) {
	t := cost.Default()
	own := path == ""
	if own {
		var err error
		if path, err = tablePath(engineName); err != nil {
			path = "" // no home: nothing to look for
		}
	}
	if path != "" {
		f, err := os.Open(path)
		switch {
		case own && errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return nil, err
		default:
			defer f.Close()
			if t, err = cost.ReadTable(f, cost.MaxBytes); err != nil {
				return nil, fmt.Errorf("%s: %w", path, err)
			}
		}
	}
	if here := machineText(report.ThisMachine()); t.Machine() != here {
		fmt.Fprintf(log, "warning: the cost table is of another machine (%s; this is %s): predicted times may be off by a factor; run bench calibrate\n", t.Machine(), here)
	}
	return t, nil
}

func duration(ns float64) time.Duration { return time.Duration(ns) }
