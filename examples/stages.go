package main

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/signet-ml/signet/zk"
)

// A step is one of the parts that stage takes an example through, each in a process of its own.
type step struct {
	name string
	does string // in a line, for --help
	// run takes the step and returns its report, for --json, and the same in words.
	run func(*env, *stageCmd) (report any, text string, err error)
}

// steps are those of one example, in order.
type steps []step

// MarshalJSON writes the names.
func (s steps) MarshalJSON() ([]byte, error) { return json.Marshal(s.names()) }

func (s steps) names() []string {
	var out []string
	for _, x := range s {
		out = append(out, x.name)
	}
	return out
}

// stageCmd has the flags of all steps; each reads those that its help names.
type stageCmd struct {
	Name    string `arg:"" help:"Name of the example; see list."`
	Step    string `arg:"" help:"Name of the step; see below."`
	Dir     string `required:"" placeholder:"DIR" help:"Folder that the steps share: public/, secret/, in/, out/, and data/, model/, weights/ or keys/."`
	Data    string `placeholder:"DIR" help:"compile, setup: folder with the full data sets. Default: the embedded ones."`
	Seed    uint64 `default:"1" help:"compile, setup: fixes data split and training."`
	Samples int    `default:"0" placeholder:"N" help:"compile: samples to predict. Default: the example's own number."`
	Engine  string `default:"auto" help:"run: what to run on: auto or cpu."`
	Threads int    `default:"0" placeholder:"N" help:"run: threads. Default: every processor."`
	Trace   string `placeholder:"FILE" help:"run: write the digest of every operation's result, as JSON lines."`
	JSON    bool   `name:"json" help:"Print the step's report as JSON."`

	Cache       string  `placeholder:"DIR" help:"setup, commit, prove: folder for the proving key. Default: keys/ in the shared folder."`
	Proofs      int     `default:"0" placeholder:"N" help:"setup: how many proofs one commitment has to last for. Default: 1000."`
	Input       string  `default:"committed" enum:"public,hashed,committed" help:"prove: what the statement shows of the input: public, hashed or committed."`
	VKDigest    zk.Word `name:"vk-digest" placeholder:"HEX" help:"verify: digest of the verifying key that you trust; another one is refused."`
	ModelDigest zk.Word `name:"model-digest" placeholder:"HEX" help:"verify: digest of the model that you expect; another one is refused."`
}

// Help explains the steps.
func (c *stageCmd) Help() string {
	var b strings.Builder
	for i, set := range []struct {
		of string
		steps
	}{{"encrypted inference", encrypted(nil)}, {"proven-inference", proven(nil)}} {
		if i > 0 {
			b.WriteString("\n\n")
		}
		fmt.Fprintf(&b, "Steps of %s:", set.of)
		for _, s := range set.steps {
			fmt.Fprintf(&b, "\n  %-15s%s", s.name, s.does)
		}
	}
	return b.String()
}

// Run runs the step.
func (c *stageCmd) Run(e *env) error {
	x, err := find(c.Name)
	if err != nil {
		return err
	}
	for _, s := range x.Steps {
		if s.name != c.Step {
			continue
		}
		v, text, err := s.run(e, c)
		if err != nil {
			return err
		}
		if c.JSON {
			return json.NewEncoder(e.out).Encode(v)
		}
		_, err = fmt.Fprintln(e.out, text)
		return err
	}
	return &usageError{fmt.Errorf("%s has no step %q; its steps are %s", x.Name, c.Step, strings.Join(x.Steps.names(), ", "))}
}
