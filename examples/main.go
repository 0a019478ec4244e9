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

	"github.com/signet-ml/signet/examples/internal/notebook"
	"github.com/signet-ml/signet/examples/internal/stage"
	"github.com/signet-ml/signet/examples/internal/ui"
	"github.com/signet-ml/signet/fhe/inspect"
	"github.com/signet-ml/signet/ml/report"
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
		fmt.Fprintf(e.out, "%-16s%s\n", x.Name, x.Title)
	}
	return nil
}

type stageCmd struct {
	Name    string `arg:"" help:"Name of the example; see list."`
	Step    string `arg:"" enum:"compile,keygen,encrypt-model,encrypt,run,decrypt" help:"compile, keygen, encrypt-model, encrypt, run or decrypt."`
	Dir     string `required:"" placeholder:"DIR" help:"Folder that the steps share: public/, secret/, in/, out/, data/, and model/, weights/."`
	Data    string `placeholder:"DIR" help:"compile: folder with the full data sets. Default: the embedded ones."`
	Seed    uint64 `default:"1" help:"compile: fixes data split and training."`
	Samples int    `default:"0" placeholder:"N" help:"compile: samples to predict. Default: the example's own number."`
	Engine  string `default:"auto" help:"run: what to run on: auto or cpu."`
	Threads int    `default:"0" placeholder:"N" help:"run: threads. Default: every processor."`
	Trace   string `placeholder:"FILE" help:"run: write the digest of every operation's result, as JSON lines."`
	JSON    bool   `name:"json" help:"Print the step's report as JSON."`
}

// Help explains the steps.
func (c *stageCmd) Help() string {
	return `compile        trains the model, writes public/parameters, public/program, public/constants, and data/ for the owner
keygen         writes secret/key (never over another) and public/keys
encrypt-model  private-model only: the model's owner encrypts the weights of model/ into weights/
encrypt        encrypts the samples of data/ into in/
run            the server: reads public/, in/ and weights/ only, writes out/
decrypt        decrypts out/ and writes predictions.csv`
}

// Run runs the step.
func (c *stageCmd) Run(e *env) error {
	x, err := find(c.Name)
	if err != nil {
		return err
	}
	d := stage.At(c.Dir)
	say := func(v any, format string, args ...any) error {
		if c.JSON {
			return json.NewEncoder(e.out).Encode(v)
		}
		_, err := fmt.Fprintf(e.out, format+"\n", args...)
		return err
	}
	switch c.Step {
	case "compile":
		p, err := x.prepare(e.ctx, notebook.Options{Data: c.Data, Seed: c.Seed, Samples: c.Samples, Bars: e.bars})
		if err != nil {
			return err
		}
		r, err := stage.Compile(e.ctx, d, p)
		if err != nil {
			return err
		}
		return say(r, "%v\nparameters  %s\nprogram     %s\nsamples     %d, in %d run(s)", r.Plan, r.Parameters, r.Program, r.Samples, r.Runs)
	case "keygen":
		r, err := stage.Keygen(e.ctx, d, e.bars)
		if err != nil {
			return err
		}
		return say(r, "key         %s (secret/key, for the owner only)\npublic/keys %d evaluation keys, %s, in %.0f ms", r.ID, r.Count, report.Bytes(r.Bytes), r.MS)
	case "encrypt-model":
		r, err := stage.EncryptModel(e.ctx, d, e.bars)
		if err != nil {
			return err
		}
		return say(r, "weights     %v\nkey         %s\ndigest      %s", r, r.Key, r.Digest)
	case "encrypt":
		r, err := stage.Encrypt(e.ctx, d, e.bars)
		if err != nil {
			return err
		}
		return say(r, "encrypted   %d samples in %d bundle(s) of %s\ndigests     %s", r.Samples, r.Bundles, report.Bytes(r.Bytes), strings.Join(r.Digests, "\n            "))
	case "run":
		r, err := stage.Run(e.ctx, d, stage.ServeOptions{Engine: c.Engine, Threads: c.Threads, Trace: c.Trace, Bars: e.bars})
		if err != nil {
			return err
		}
		return say(r, "%s", served(r))
	}
	r, err := stage.Decrypt(e.ctx, d, c.Dir+"/predictions.csv", e.bars)
	if err != nil {
		return err
	}
	if !r.Compared {
		return say(r, "samples     %d\naccuracy    %.4f under encryption (the model is not here to compare with)\nwritten     predictions.csv", r.Samples, r.Accuracy)
	}
	return say(r, "samples     %d\naccuracy    %.4f under encryption, %.4f in the clear\nagreement   %.4f\nprecision   %.1f bits against the plan's twin, %.1f against the model\nwritten     predictions.csv",
		r.Samples, r.Accuracy, r.AccuracyClear, r.Agreement, r.BitsTwin, r.BitsFloat)
}

func served(r *stage.Served) string {
	var s strings.Builder
	fmt.Fprintf(&s, "engine      %s, %s, %d thread(s)\nload        %.1f ms\n", r.Engine, r.Device, r.Threads, r.LoadMS)
	for i, name := range r.Names {
		fmt.Fprintf(&s, "in/%s   %s\nout/%s  %s  %.1f ms\n", name, r.Inputs[i], name, r.Outputs[i], r.MS[i])
		if len(r.TraceRoot) > 0 {
			fmt.Fprintf(&s, "trace/%s %s\n", name, r.TraceRoot[i])
		}
	}
	fmt.Fprintf(&s, "peak memory %s", report.Bytes(r.PeakBytes))
	return s.String()
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
