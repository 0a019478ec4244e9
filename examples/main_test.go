package main

import (
	"bytes"
	"errors"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/signet-ml/signet/examples/internal/notebook"
	"github.com/signet-ml/signet/examples/internal/notebooktest"
	"github.com/signet-ml/signet/zk"
)

func TestMain(m *testing.M) { testscript.Main(m, map[string]func(){"examples": main}) }

func TestScripts(t *testing.T) { scripts(t, "testdata") }

func scripts(t *testing.T, dir string) {
	testscript.Run(t, testscript.Params{Dir: dir, RequireExplicitExec: true, Cmds: map[string]func(*testscript.TestScript, bool, []string){
		"flip": flip, "mode": mode, "ipynb": ipynb, "replace": replace, "huge": huge, "blank": blank, "vkdigest": vkDigest,
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

// replace FILE PATTERN TEXT replaces what a regular expression finds, which must be there.
func replace(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: replace FILE PATTERN TEXT")
	}
	name, pattern := ts.MkAbs(args[0]), regexp.MustCompile(args[1])
	b, err := os.ReadFile(name)
	ts.Check(err)
	if !pattern.Match(b) {
		ts.Fatalf("%s holds no %s", args[0], pattern)
	}
	ts.Check(os.WriteFile(name, pattern.ReplaceAll(b, []byte(args[2])), 0o644))
}

// huge FILE makes a file longer than any that is read whole, without taking room on disk.
func huge(ts *testscript.TestScript, neg bool, args []string) {
	ts.Check(os.Truncate(ts.MkAbs(args[0]), 1<<30))
}

// blank FILE N writes a line of N zeros.
func blank(ts *testscript.TestScript, neg bool, args []string) {
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(strings.Repeat("0,", n-1)+"0\n"), 0o644))
}

// vkdigest FILE NAME sets the variable NAME to the digest of a verifying key.
func vkDigest(ts *testscript.TestScript, neg bool, args []string) {
	b, err := os.ReadFile(ts.MkAbs(args[0]))
	ts.Check(err)
	vk, err := zk.ReadVerifyingKey(bytes.NewReader(b), 1<<20)
	ts.Check(err)
	ts.Setenv(args[1], vk.Digest().String())
}

// mode FILE MODE compares permission bits.
func mode(ts *testscript.TestScript, neg bool, args []string) {
	st, err := os.Stat(ts.MkAbs(args[0]))
	ts.Check(err)
	if got := strconv.FormatUint(uint64(st.Mode().Perm()), 8); (got == args[1]) == neg {
		ts.Fatalf("%s has mode %s, want %s", args[0], got, args[1])
	}
}

// ipynb FILE checks a notebook against the official schema, and with Python's nbformat where that is installed.
func ipynb(ts *testscript.TestScript, neg bool, args []string) {
	b, err := os.ReadFile(ts.MkAbs(args[0]))
	ts.Check(err)
	ts.Check(notebooktest.Validate(b))
	if err := notebooktest.ValidateWithPython(b); !errors.Is(err, notebooktest.ErrNoPython) {
		ts.Check(err)
	}
}

// TestNotebooks: every example is in cell form and starts with its title.
func TestNotebooks(t *testing.T) {
	for _, x := range examples {
		nb, err := notebook.New(x.Name, x.sources...)
		if err != nil {
			t.Error(err)
			continue
		}
		if c := nb.Cells[0]; !c.Markdown || !strings.HasPrefix(c.Source, "# ") {
			t.Errorf("%s starts with %q, want a title", x.Name, c.Source)
		}
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
		{"command", "frobnicate", 2, "commands of examples: list, run, export, stage, inspect"},
		{"flag", "run quickstart -frob", 2, "flags of examples run: --help, --out, --data, --seed, --samples, --verbose"},
		{"missing-flag", "stage quickstart compile", 2, "--dir"},
		{"example", "run nosuch -out x", 2, "there are quickstart, quickstart-lr, quickstart-mlp"},
		{"step", "stage quickstart fly -dir x", 2, `quickstart has no step "fly"; its steps are compile, keygen, encrypt-model, encrypt, run, decrypt`},
		{"step-of-others", "stage proven-inference keygen -dir x", 2, `proven-inference has no step "keygen"; its steps are setup, commit, prove, verify`},
		{"short-digest", "stage proven-inference verify -dir x -vk-digest 12", 2, "a word has 64 hex digits, not 2"},
		{"no-digest", "stage proven-inference verify -dir x -model-digest " + strings.Repeat("z", 64), 2, "invalid byte"},
		{"visibility", "stage proven-inference prove -dir x -input secret", 2, `must be one of "public","hashed","committed"`},
		{"many-proofs", "stage proven-inference setup -proofs 99999999 -dir " + t.TempDir(), 1, "1 to 1048576"},
		{"cache-is-file", "stage proven-inference setup -cache main.go -dir " + t.TempDir(), 1, "main.go: not a directory"},
		{"run-cache-is-file", "run proven-inference -cache main.go -out " + t.TempDir(), 1, "-cache: mkdir main.go: not a directory"},
		{"nothing-to-verify", "stage proven-inference verify -dir " + t.TempDir(), 1, "out/vk.bin does not exist: run stage prove first"},
		{"negative", "run quickstart-lr -samples=-1 -out " + t.TempDir(), 1, "at least 1"},
		{"file", "inspect nosuch", 1, "nosuch"},
		{"export-example", "export nosuch -out x", 2, "there are quickstart, quickstart-lr, quickstart-mlp"},
		{"export-flag", "export quickstart -frob", 2, "flags of examples export: --help, --out"},
		{"export-name", "export", 2, "expected \"<name>\""},
		{"out-is-file", "export quickstart -out main.go", 1, "-out: mkdir main.go: not a directory"},
		{"out-below-file", "run quickstart -out main.go/x", 1, "-out: mkdir main.go: not a directory"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var out bytes.Buffer
			if got := run(strings.Fields(tt.args), &out, &out); got != tt.status || !strings.Contains(out.String(), tt.out) {
				t.Errorf("status %d, want %d; output %q, want %q in it", got, tt.status, out.String(), tt.out)
			}
		})
	}
}

// TestClosedFolder: a folder that cannot be written into is refused before anything is computed.
func TestClosedFolder(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root may write everywhere")
	}
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o555); err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	if got := run([]string{"run", "quickstart-lr", "-out", dir}, &out, &errs); got != 1 || out.Len() > 0 || !strings.Contains(errs.String(), "permission denied") {
		t.Errorf("status %d, output %q, error %q", got, out.String(), errs.String())
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
