package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/signet-ml/signet/fhe/inspect"
	"github.com/signet-ml/signet/ml/report"
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// usageError is a mistake on the command line: exit status 2.
type usageError struct{ error }

func (e *usageError) Unwrap() error { return e.error }

type cli struct {
	List      listCmd      `cmd:"" help:"List the scenarios."`
	Run       runCmd       `cmd:"" help:"Measure a scenario."`
	Calibrate calibrateCmd `cmd:"" help:"Measure what operations cost on this machine."`
	Accuracy  accuracyCmd  `cmd:"" help:"Compare the labels of real tables, encrypted and proved, with the model's."`
	Forecast  forecastCmd  `cmd:"" help:"Compare predicted with measured times and memory."`
	Results   resultsCmd   `cmd:"" help:"Write RESULTS.md from a folder of results."`
	Inspect   inspectCmd   `cmd:"" help:"Print a file of parameters, a program, constants, evaluation keys or ciphertexts."`
	Serve     serveCmd     `cmd:"" hidden:""`
	Spin      spinCmd      `cmd:"" hidden:""`
	Setup     setupCmd     `cmd:"" hidden:""`
	Prove     proveCmd     `cmd:"" hidden:""`
}

// env is what commands work with.
type env struct {
	ctx      context.Context
	out, log io.Writer
}

type listCmd struct {
	JSON bool `name:"json" help:"Print JSON."`
}

// Run prints the scenarios.
func (c *listCmd) Run(e *env) error {
	if c.JSON {
		enc := json.NewEncoder(e.out)
		enc.SetIndent("", "  ")
		return enc.Encode(scenarios)
	}
	for _, s := range scenarios {
		fmt.Fprintf(e.out, "%-22s%s\n", s.Name, s.Title)
	}
	return nil
}

type runCmd struct {
	Scenario string `arg:"" help:"Name of the scenario; see list."`
	JSON     string `name:"json" placeholder:"FILE" help:"Write figures with their samples, as signet/summary/v1."`
	Data     string `placeholder:"DIR" help:"Folder with the full data sets. Default: the embedded ones."`
	Costs    string `placeholder:"FILE" help:"Cost table for predicted times, or shipped. Default: this machine's, calibrated or probed."`
	Rates    string `placeholder:"FILE" help:"Rates for predicted times of proofs. Default: this machine's, or the shipped ones."`
	Cache    string `placeholder:"DIR" help:"Folder of proving keys. Default: signet in the user's cache folder."`
	Cold     bool   `help:"Make proving keys anew, and keep them nowhere: measures the setup."`
	N        int    `short:"n" default:"0" placeholder:"N" help:"Timed runs. Default: the scenario's own number."`
}

// Run measures.
func (c *runCmd) Run(e *env) error {
	s, err := find(c.Scenario)
	if err != nil {
		return err
	}
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	cfg := config{data: c.Data, n: c.N, log: e.log, serve: elsewhere[served](exe, "serve"), spin: spinning(exe)}
	if s.prove != nil {
		cfg.proofs, err = c.proofs(e.log, exe)
	} else {
		cfg.costs, err = costTable(e.ctx, e.log, c.Costs)
	}
	if err != nil {
		return err
	}
	sum, err := s.run(e.ctx, cfg)
	if err != nil {
		return err
	}
	fmt.Fprintf(e.out, "%s on %s, %d cores, engine %s, %d thread(s)\n", sum.Name, sum.Machine.CPU, sum.Machine.Cores,
		sum.Engine, sum.Threads)
	if err := sum.Table(e.out); err != nil {
		return err
	}
	return settle(sum, c.JSON)
}

// settle writes a summary to a file, if one is named, and fails if a check did.
func settle(sum *report.Summary, path string) error {
	if path != "" {
		if err := sum.Write(path); err != nil {
			return err
		}
	}
	if failed := sum.Failed(); len(failed) > 0 {
		return fmt.Errorf("%d checks failed: %s", len(failed), strings.Join(failed, "; "))
	}
	return nil
}

// proofs returns what zk- scenarios work with.
func (c *runCmd) proofs(log io.Writer, exe string) (proofConfig, error) {
	p := proofConfig{cache: c.Cache, setup: elsewhere[made](exe, "setup"), prove: elsewhere[proved](exe, "prove")}
	if p.cache == "" && !c.Cold {
		dir, err := os.UserCacheDir()
		if err != nil {
			return p, &usageError{fmt.Errorf("no folder for proving keys, use --cache: %w", err)}
		}
		p.cache = filepath.Join(dir, "signet")
	}
	if c.Cold {
		p.cache = ""
	}
	var err error
	p.rates, err = proofRates(log, c.Rates)
	return p, err
}

type resultsCmd struct {
	Dir    string `default:"bench/results" placeholder:"DIR" help:"Folder of results. Default: bench/results."`
	Out    string `default:"bench/RESULTS.md" placeholder:"FILE" help:"The page to write. Default: bench/RESULTS.md."`
	Readme string `default:"README.md" placeholder:"FILE" help:"A page whose results table is renewed, or empty. Default: README.md."`
}

// Run writes the page.
func (c *resultsCmd) Run(*env) error {
	all, err := readResults(c.Dir)
	if err != nil {
		return err
	}
	if err := report.WriteFile(c.Out, 0o644, func(w io.Writer) error { return writeResults(w, all) }); err != nil ||
		c.Readme == "" {
		return err
	}
	text, err := os.ReadFile(c.Readme)
	if err != nil {
		return err
	}
	page, err := withTable(string(text), all, filepath.ToSlash(c.Out))
	if err != nil {
		return fmt.Errorf("%s: %w", c.Readme, err)
	}
	return report.WriteFile(c.Readme, 0o644, func(w io.Writer) error { _, err := io.WriteString(w, page); return err })
}

type inspectCmd struct {
	File       string `arg:"" help:"The file."`
	Parameters string `placeholder:"FILE" help:"The parameters it was written under. Default: parameters beside it, or ../public/parameters."`
	JSON       bool   `name:"json" help:"Print JSON, one object a line."`
}

// Run prints the file.
func (c *inspectCmd) Run(e *env) error {
	return inspect.File(e.out, c.File, inspect.Options{JSON: c.JSON, Parameters: c.Parameters})
}

type serveCmd struct {
	Dir string `arg:""`
}

// Run serves the folder once and reports.
func (c *serveCmd) Run(e *env) error {
	s, err := serve(e.ctx, c.Dir)
	if err != nil {
		return err
	}
	return json.NewEncoder(e.out).Encode(s)
}

type setupCmd struct {
	Dir string `arg:""`
}

// Run makes the keys for the folder's circuit and reports.
func (c *setupCmd) Run(e *env) error {
	m, err := makeKeys(e.ctx, c.Dir)
	if err != nil {
		return err
	}
	return json.NewEncoder(e.out).Encode(m)
}

type proveCmd struct {
	Dir string `arg:""`
}

// Run proves once from the folder's files and reports.
func (c *proveCmd) Run(e *env) error {
	p, err := proveOnce(e.ctx, c.Dir)
	if err != nil {
		return err
	}
	return json.NewEncoder(e.out).Encode(p)
}

// longFlag is a long flag with one dash, as the standard library's flag package has them.
var longFlag = regexp.MustCompile(`^-[a-z]([a-z0-9-]+(=.*)?|=.*)$`)

// normalise gives long flags their second dash.
func normalise(args []string) []string {
	out := make([]string, len(args))
	for i, a := range args {
		if a == "--" {
			copy(out[i:], args[i:])
			break
		}
		if longFlag.MatchString(a) {
			a = "-" + a
		}
		out[i] = a
	}
	return out
}

type exit int

// run is main with its surroundings. Exit statuses: 0 success, 1 failure, 2 wrong usage.
func run(args []string, stdout, stderr io.Writer) (status int) {
	defer func() { // kong exits by calling a function: from --help
		if v := recover(); v != nil {
			code, ok := v.(exit)
			if !ok {
				panic(v)
			}
			status = int(code)
		}
	}()
	fail := func(err error) int {
		fmt.Fprintf(stderr, "bench: %v\n", err)
		var usage *usageError
		if errors.As(err, &usage) {
			return 2
		}
		return 1
	}
	var c cli
	parser, err := kong.New(&c, kong.Name("bench"),
		kong.Description("Measures encrypted inference. Start with: bench list"),
		kong.UsageOnError(), kong.Writers(stdout,
			stderr), kong.Exit(func(code int) { panic(exit(code)) }), kong.ConfigureHelp(kong.HelpOptions{Compact: true}))
	if err != nil {
		return fail(err)
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	kctx, err := parser.Parse(normalise(args))
	if err != nil {
		return fail(&usageError{explain(err)})
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := kctx.Run(&env{ctx, stdout, stderr}); err != nil {
		return fail(err)
	}
	return 0
}

// explain adds to a parser's error what would have been right.
func explain(err error) error {
	var p *kong.ParseError
	if !errors.As(err, &p) || p.Context == nil {
		return err
	}
	node := p.Context.Selected()
	if node == nil {
		node = p.Context.Model.Node
	}
	var have []string
	for _, group := range node.AllFlags(true) {
		for _, f := range group {
			have = append(have, "--"+f.Name)
		}
	}
	what := "flags"
	if len(node.Children) > 0 {
		what, have = "commands", nil
		for _, n := range node.Children {
			if !n.Hidden {
				have = append(have, n.Name)
			}
		}
	}
	return fmt.Errorf("%w; %s of %s: %s", err, what, node.FullPath(), strings.Join(have, ", "))
}
