package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/signet-ml/signet/examples/internal/ui"
	"github.com/signet-ml/signet/fhe/inspect"
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// usageError is a mistake on the command line: exit status 2.
type usageError struct{ error }

func (e *usageError) Unwrap() error { return e.error }

type cli struct {
	List    listCmd    `cmd:"" help:"List the examples."`
	Run     runCmd     `cmd:"" help:"Run an example from training to checked predictions."`
	Export  exportCmd  `cmd:"" help:"Run an example and write it as a Jupyter notebook with its outputs."`
	Stage   stageCmd   `cmd:"" help:"Run one step of an example, through files."`
	Inspect inspectCmd `cmd:"" help:"Print a file of parameters, a program, constants, evaluation keys or ciphertexts."`
}

// env is what commands work with.
type env struct {
	ctx  context.Context
	out  io.Writer
	bars ui.Bars
}

type listCmd struct {
	JSON bool `name:"json" help:"Print JSON."`
}

// Run prints the examples.
func (c *listCmd) Run(e *env) error {
	if c.JSON {
		enc := json.NewEncoder(e.out)
		enc.SetIndent("", "  ")
		return enc.Encode(examples)
	}
	for _, x := range examples {
		fmt.Fprintf(e.out, "%-18s%s\n", x.Name, x.Title)
	}
	return nil
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
		fmt.Fprintf(stderr, "examples: %v\n", err)
		var usage *usageError
		if errors.As(err, &usage) {
			return 2
		}
		return 1
	}
	var c cli
	parser, err := kong.New(&c, kong.Name("examples"), kong.Description("Runs Signet's examples. Start with: examples run quickstart"),
		kong.UsageOnError(), kong.Writers(stdout, stderr), kong.Exit(func(code int) { panic(exit(code)) }), kong.ConfigureHelp(kong.HelpOptions{Compact: true}))
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
	if err := kctx.Run(&env{ctx, stdout, ui.ForTerminal(os.Stderr)}); err != nil {
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
			have = append(have, n.Name)
		}
	}
	return fmt.Errorf("%w; %s of %s: %s", err, what, node.FullPath(), strings.Join(have, ", "))
}
