package main

import (
	"bytes"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) { testscript.Main(m, map[string]func(){"examples": main}) }

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{Dir: "testdata", RequireExplicitExec: true, Cmds: map[string]func(*testscript.TestScript, bool, []string){
		"flip": flip, "mode": mode,
	}})
}

// flip FILE OFFSET changes a byte; an offset below zero counts from the end.
func flip(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: flip FILE OFFSET")
	}
	name := ts.MkAbs(args[0])
	b, err := os.ReadFile(name)
	ts.Check(err)
	i, err := strconv.Atoi(args[1])
	ts.Check(err)
	b[(i+len(b))%len(b)] ^= 0x55
	ts.Check(os.WriteFile(name, b, 0o644))
}

// mode FILE MODE compares permission bits.
func mode(ts *testscript.TestScript, neg bool, args []string) {
	st, err := os.Stat(ts.MkAbs(args[0]))
	ts.Check(err)
	if got := strconv.FormatUint(uint64(st.Mode().Perm()), 8); (got == args[1]) == neg {
		ts.Fatalf("%s has mode %s, want %s", args[0], got, args[1])
	}
}

func TestExitStatus(t *testing.T) {
	for _, tt := range []struct {
		name, args string
		status     int
		out        string // in stdout or stderr
	}{
		{"list", "list", 0, "quickstart"},
		{"help", "stage --help", 0, "secret/key"},
		{"nothing", "", 0, "Usage:"},
		{"command", "frobnicate", 2, "commands of examples: list, run, stage, inspect"},
		{"flag", "run quickstart -frob", 2, "flags of examples run: --help, --out, --data, --seed, --samples"},
		{"missing-flag", "stage quickstart compile", 2, "--dir"},
		{"example", "run nosuch -out x", 2, "there are quickstart, quickstart-lr, quickstart-mlp"},
		{"step", "stage quickstart fly -dir x", 2, `"compile","keygen","encrypt","run","decrypt"`},
		{"negative", "run quickstart-lr -samples=-1 -out " + t.TempDir(), 1, "at least 1"},
		{"file", "inspect nosuch", 1, "nosuch"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var out bytes.Buffer
			if got := run(strings.Fields(tt.args), &out, &out); got != tt.status || !strings.Contains(out.String(), tt.out) {
				t.Errorf("status %d, want %d; output %q, want %q in it", got, tt.status, out.String(), tt.out)
			}
		})
	}
}

func TestNormalise(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"run quickstart -out DIR -seed=3", "run quickstart --out DIR --seed=3"},
		{"run --out -dir", "run --out --dir"},
		{"x -h -n 3 -5 -", "x -h -n 3 -5 -"},
		{"-data -- -data", "--data -- -data"},
	} {
		if got := strings.Join(normalise(strings.Fields(tt.in)), " "); got != tt.want {
			t.Errorf("%q: got %q, want %q", tt.in, got, tt.want)
		}
	}
}
