package notebook_test

import (
	"bytes"
	"errors"
	"flag"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/signet-ml/signet/examples/internal/notebook"
	"github.com/signet-ml/signet/examples/internal/notebooktest"
)

var goVersion = regexp.MustCompile(`"version": "go[^"]*"`)

var update = flag.Bool("update", false, "rewrite goldens")

// run runs the sample and returns its export.
func run(t *testing.T) (printed string, exported []byte) {
	t.Helper()
	nb, err := notebook.New("sample", notebook.Source{Text: sampleSource, Func: sample})
	if err != nil {
		t.Fatal(err)
	}
	var out, ipynb bytes.Buffer
	r := nb.Record(&out, t.TempDir())
	if err := sample(r); err != nil {
		t.Fatal(err)
	}
	if err := r.WriteIPYNB(&ipynb, "go run ./examples export sample"); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(r.Dir(), "square.png")); err != nil {
		t.Error(err)
	}
	return out.String(), ipynb.Bytes()
}

// TestExport compares the export with a golden: cells, their outputs and their identifiers.
func TestExport(t *testing.T) {
	printed, got := run(t)
	want := "first 1\na raw string\n\tkeeps its tab\ntwice 21 is 42\na closure\n\n  layer   bits\n  dense1  12.5\n  a|b        9\n\na goroutine\n"
	if printed != want {
		t.Errorf("printed %q, want %q", printed, want)
	}
	version := goVersion.ReplaceAll(got, []byte(`"version": "go"`))
	golden := filepath.Join("testdata", "sample.ipynb")
	if *update {
		if err := os.WriteFile(golden, version, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	file, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(file), string(version)); d != "" {
		t.Errorf("the export changed (-want +got):\n%s", d)
	}
	if _, again := run(t); !bytes.Equal(got, again) {
		t.Error("a second run exports other bytes")
	}
}

func TestSchema(t *testing.T) {
	_, b := run(t)
	if err := notebooktest.Validate(b); err != nil {
		t.Error(err)
	}
	switch err := notebooktest.ValidateWithPython(b); {
	case errors.Is(err, notebooktest.ErrNoPython):
		t.Skip(err)
	case err != nil:
		t.Error(err)
	}
}

func body() {}

func TestNewRefuses(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"no-go", "pack", "notebook_test.go: line 1:1: expected 'package'"},
		{"no-cell", "package p\n\nfunc body() {}\n", "no line \"// %%\""},
		{"no-function", "package p\n\n// %%\n", "no function body"},
		{"kind", "package p\n\n// %% [raw]\n\nfunc body() {}\n", `line 3: a cell is marked "// %%" or "// %% [markdown]", not "// %% [raw]"`},
		{"code-in-markdown", "package p\n\n// %% [markdown]\n// a\n\nvar x int\n\n// %%\nfunc body() {}\n", "line 6: a Markdown cell holds comment lines only"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := notebook.New("x", notebook.Source{Text: tt.text, Func: body}); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q in it", err, tt.want)
			}
		})
	}
}

// TestCells: a marker inside a string is none, cells without content are left out, a marker may stand right above the
// function, and what follows the function is no part of its last cell.
func TestCells(t *testing.T) {
	text := "package p\n\n// %%\n\n// %%\nvar s = `\n// %%\n\tx`\n\n// %%\nfunc body() {\n\tif true {\n\t\tprintln()\n\t}\n\t// %%\n\tprintln(1)\n}\n\nfunc other() {}\n\n// %%\nvar x int\n"
	nb, err := notebook.New("x", notebook.Source{Text: text, Func: body})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range nb.Cells {
		got = append(got, c.Source)
	}
	if d := cmp.Diff([]string{"var s = `\n// %%\n\tx`", "if true {\n\tprintln()\n}", "println(1)", "var x int"}, got); d != "" {
		t.Error(d)
	}
}

func TestImageRefuses(t *testing.T) {
	nb, err := notebook.New("sample", notebook.Source{Text: sampleSource, Func: sample})
	if err != nil {
		t.Fatal(err)
	}
	r := nb.Record(&bytes.Buffer{}, filepath.Join(t.TempDir(), "nosuch"))
	if err := r.Image("a.png", "", []byte("GIF89a")); err == nil {
		t.Error("a picture that is no PNG was accepted")
	}
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 3, 2))); err != nil {
		t.Fatal(err)
	}
	if err := r.Image("../a.png", "", b.Bytes()); err == nil {
		t.Error("a name in another folder was accepted")
	}
	if err := r.Image("a.png", "", b.Bytes()); err == nil || len(r.Images()) != 0 {
		t.Error("a picture was written into a folder that does not exist")
	}
}
