package main

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/signet-ml/signet/examples/internal/notebook"
	"github.com/signet-ml/signet/ml/report"
)

// runFlags are what run and export take.
type runFlags struct {
	Name    string `arg:"" help:"Name of the example; see list."`
	Out     string `default:"out" placeholder:"DIR" help:"Folder for summary.json, predictions.csv and pictures; it is created. Default: out."`
	Data    string `placeholder:"DIR" help:"Folder with the full data sets (MNIST's four files, breast_cancer.csv). Default: the embedded ones."`
	Seed    uint64 `default:"1" help:"Fixes data split and training. Encryption is always random."`
	Samples int    `default:"0" placeholder:"N" help:"Samples to predict. Default: the example's own number."`
	Verbose bool   `short:"v" help:"quickstart: print every step, plan and figure too, not only what they came to."`
	Cache   string `placeholder:"DIR" help:"proven-inference: folder for the proving key, which the next run finds there. Default: keys/ in the folder of -out."`
}

type runCmd struct{ runFlags }

// Run runs the example.
func (c *runCmd) Run(e *env) error { return c.run(e, false) }

type exportCmd struct{ runFlags }

// Run runs the example and writes the notebook.
func (c *exportCmd) Run(e *env) error { return c.run(e, true) }

// run runs the example, writes its summary and, if export is set, its notebook. It prints what the notebook prints, or
// the recap alone of an example that has one. A check that failed is an error, after all is written.
func (c *runFlags) run(e *env, export bool) error {
	x, err := find(c.Name)
	if err != nil {
		return err
	}
	nb, err := notebook.New(x.Name, x.sources...)
	if err != nil {
		return err
	}
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	if err := writable("-out", c.Out); err != nil {
		return err
	}
	if c.Cache != "" {
		if err := writable("-cache", c.Cache); err != nil {
			return err
		}
	}
	steps := e.out
	if x.recap != nil && !c.Verbose {
		steps = io.Discard
		fmt.Fprintf(e.out, "%s: models predict on data that the predicting process never sees. -v prints every step.\n\n", x.Name)
	}
	r := nb.Record(steps, c.Out)
	s, err := x.run(e.ctx, r, notebook.Options{Data: c.Data, Seed: c.Seed, Samples: c.Samples, Keys: cmp.Or(c.Cache, filepath.Join(c.Out, "keys")),
		Bars: e.bars, Step: []string{exe, "stage", x.Name}})
	if err != nil {
		return fmt.Errorf("%s: %w", x.Name, err)
	}
	written := []string{"summary.json"}
	for _, a := range s.Artifacts {
		written = append(written, a.Path)
	}
	if export {
		file := x.Name + ".ipynb"
		err := report.WriteFile(filepath.Join(c.Out, file), 0o644, func(w io.Writer) error {
			return r.WriteIPYNB(w, "go run ./examples export "+x.Name)
		})
		if err != nil {
			return err
		}
		if err := s.Attach(c.Out, file, "application/x-ipynb+json"); err != nil {
			return err
		}
		written = append([]string{file}, written...)
	}
	if err := s.Write(filepath.Join(c.Out, "summary.json")); err != nil {
		return err
	}
	fmt.Fprintf(steps, "\nwritten to %s: %s\n\n", c.Out, strings.Join(written, ", "))
	if x.recap != nil {
		fmt.Fprint(e.out, x.recap(s, c.Out))
	}
	if failed := s.Failed(); len(failed) > 0 {
		return fmt.Errorf("%d checks failed: %s", len(failed), strings.Join(failed, "; "))
	}
	return nil
}

// writable makes the folder of a flag and finds out, before anything that takes time, whether files can be written into it.
func writable(flag, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("%s: %w", flag, err)
	}
	f, err := os.CreateTemp(dir, ".tmp-*")
	if err != nil {
		return fmt.Errorf("%s: %w", flag, err)
	}
	f.Close() // nothing was written
	return os.Remove(f.Name())
}
