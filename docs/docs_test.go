package docs_test

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// root is the module's folder, seen from this one.
const root = ".."

// A page is a Markdown file, its path from the root with slashes.
type page struct{ path, text string }

// pages returns README.md and every page below docs.
func pages(t *testing.T) []page {
	t.Helper()
	var out []page
	for _, p := range append(walk(t, "docs", ".md"), "README.md") {
		text, err := os.ReadFile(filepath.Join(root, p))
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, page{p, string(text)})
	}
	if len(out) < 10 {
		t.Fatalf("only %d pages found", len(out))
	}
	return out
}

// walk returns the files below dir whose names end in suffix, but for folders that start with a dot.
func walk(t *testing.T, dir, suffix string) []string {
	t.Helper()
	var out []string
	err := fs.WalkDir(os.DirFS(root), dir, func(p string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && p != "." && strings.HasPrefix(d.Name(), "."):
			return fs.SkipDir
		case !d.IsDir() && strings.HasSuffix(p, suffix):
			out = append(out, p)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// block is a fenced piece of a page.
type block struct {
	language string
	line     int // of its first line
	lines    []string
}

func blocks(text string) []block {
	var out []block
	var cur *block
	for i, line := range strings.Split(text, "\n") {
		fence := strings.HasPrefix(strings.TrimSpace(line), "```")
		switch {
		case fence && cur == nil:
			cur = &block{language: strings.TrimPrefix(strings.TrimSpace(line), "```"), line: i + 2}
		case fence:
			out = append(out, *cur)
			cur = nil
		case cur != nil:
			cur.lines = append(cur.lines, line)
		}
	}
	return out
}

// dedent takes away the indentation that all lines share, and what stands at their ends.
func dedent(lines []string) []string {
	shared := -1
	for _, l := range lines {
		if strings.TrimSpace(l) == "" {
			continue
		}
		if n := len(l) - len(strings.TrimLeft(l, "\t")); shared < 0 || n < shared {
			shared = n
		}
	}
	out := make([]string, len(lines))
	for i, l := range lines {
		if l = strings.TrimRight(l, " \t"); len(l) >= shared {
			out[i] = l[max(shared, 0):]
		}
	}
	return out
}

// TestReadmeLength: README.md is read in minutes, by those who read nothing else.
func TestReadmeLength(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	if n := len(bytes.Fields(text)); n > 1500 {
		t.Errorf("README.md has %d words, at most 1500 are wanted: move what fewer people need to docs", n)
	}
}

// TestSnippets: every Go snippet of a page is, line by line, part of a test file, one of this folder or one that holds
// Examples. So it compiles, and go vet and go test see it.
func TestSnippets(t *testing.T) {
	type source struct {
		name  string
		lines []string
	}
	var sources []source
	for _, name := range walk(t, ".", "_test.go") {
		if strings.Contains(name, "/testdata/") {
			continue
		}
		data, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(data, []byte("\nfunc Example")) || path.Dir(name) == "docs" && name != "docs/docs_test.go" {
			sources = append(sources, source{name, strings.Split(string(data), "\n")})
		}
	}
	n := 0
	for _, p := range pages(t) {
		for _, b := range blocks(p.text) {
			if b.language != "go" {
				continue
			}
			n++
			want := dedent(b.lines)
			if !slices.ContainsFunc(sources, func(s source) bool {
				for i := range len(s.lines) - len(want) + 1 {
					if slices.Equal(dedent(s.lines[i:i+len(want)]), want) {
						return true
					}
				}
				return false
			}) {
				t.Errorf("%s:%d: the snippet is not part of a test file of docs, nor of one with Examples", p.path, b.line)
			}
		}
	}
	if n < 10 {
		t.Errorf("only %d Go snippets found", n)
	}
}

// TestPythonSnippet: the scripts on pages are those in ml/testdata, and write the models there, which the tests of ml
// load. A script is run where Python has what it imports.
func TestPythonSnippet(t *testing.T) {
	for _, c := range []struct{ page, script, model, imports string }{
		{"howto/bring-your-own-model.md", "write_f32.py", "xor_f32.safetensors", "json, struct"},
		{"howto/load-a-model.md", "write_conv_f32.py", "lines_f32.safetensors", "numpy"},
	} {
		t.Run("script="+c.script, func(t *testing.T) {
			script, err := os.ReadFile("../ml/testdata/" + c.script)
			if err != nil {
				t.Fatal(err)
			}
			text, err := os.ReadFile(c.page)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.ContainsFunc(blocks(string(text)), func(b block) bool {
				return b.language == "python" && strings.HasSuffix(string(script), "\n"+strings.Join(b.lines, "\n")+"\n")
			}) {
				t.Errorf("%s does not show ml/testdata/%s", c.page, c.script)
			}

			python, err := exec.LookPath("python3")
			if err != nil {
				t.Skip("python3 is not here")
			}
			if exec.Command(python, "-c", "import "+c.imports).Run() != nil {
				t.Skipf("python3 has no %s", c.imports)
			}
			dir := t.TempDir()
			cmd := exec.Command(python, "-c", string(script))
			cmd.Dir = dir
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			got, err := os.ReadFile(filepath.Join(dir, c.model))
			if err != nil {
				t.Fatal(err)
			}
			want, err := os.ReadFile("../ml/testdata/" + c.model)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("the script writes another file than ml/testdata/%s", c.model)
			}
		})
	}
}

var (
	inline    = regexp.MustCompile(`\[[^\]\n]*\]\(([^)\s]+)\)`)
	reference = regexp.MustCompile(`(?m)^\[[^\]\n]+\]: *(\S+)`)
	code      = regexp.MustCompile("(?s)```.*?```|`[^`\n]*`")
	heading   = regexp.MustCompile(`(?m)^#+ +(.+)$`)
	unslugged = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
)

// anchors returns the fragments under which the headings of a page are reached.
func anchors(text string) map[string]bool {
	out := map[string]bool{}
	for _, m := range heading.FindAllStringSubmatch(text, -1) {
		slug := unslugged.ReplaceAllString(strings.ToLower(strings.ReplaceAll(m[1], "`", "")), "")
		out[strings.ReplaceAll(slug, " ", "-")] = true
	}
	return out
}

// TestLinks: every relative link leads to a file or folder of the repository, and to a heading if it names one.
func TestLinks(t *testing.T) {
	n := 0
	for _, p := range pages(t) {
		text := code.ReplaceAllString(p.text, "")
		for _, m := range slices.Concat(inline.FindAllStringSubmatch(text, -1), reference.FindAllStringSubmatch(text, -1)) {
			target, fragment, _ := strings.Cut(m[1], "#")
			if strings.Contains(target, "://") || strings.HasPrefix(target, "mailto:") {
				continue
			}
			n++
			to := p.path
			if target != "" {
				to = path.Join(path.Dir(p.path), target)
			}
			if to == ".." || strings.HasPrefix(to, "../") {
				t.Errorf("%s: link %s leaves the repository", p.path, m[1])
				continue
			}
			info, err := os.Stat(filepath.Join(root, to))
			if err != nil {
				t.Errorf("%s: link %s: there is no %s", p.path, m[1], to)
				continue
			}
			if fragment == "" || info.IsDir() {
				continue
			}
			data, err := os.ReadFile(filepath.Join(root, to))
			if err != nil {
				t.Fatal(err)
			}
			if !anchors(string(data))[fragment] {
				t.Errorf("%s: link %s: %s has no such heading", p.path, m[1], to)
			}
		}
	}
	if n < 30 {
		t.Errorf("only %d relative links found", n)
	}
}

// TestReachable: every page is found by following links from README.md.
func TestReachable(t *testing.T) {
	links := map[string][]string{}
	for _, p := range pages(t) {
		text := code.ReplaceAllString(p.text, "")
		for _, m := range slices.Concat(inline.FindAllStringSubmatch(text, -1), reference.FindAllStringSubmatch(text, -1)) {
			target, _, _ := strings.Cut(m[1], "#")
			links[p.path] = append(links[p.path], path.Join(path.Dir(p.path), target))
		}
	}
	seen := map[string]bool{"README.md": true}
	for queue := []string{"README.md"}; len(queue) > 0; queue = queue[1:] {
		for _, to := range links[queue[0]] {
			if _, ok := links[to]; (ok || strings.HasSuffix(to, ".md")) && !seen[to] {
				seen[to] = true
				queue = append(queue, to)
			}
		}
	}
	for _, p := range pages(t) {
		if !seen[p.path] {
			t.Errorf("%s: no chain of links leads from README.md to this page", p.path)
		}
	}
}

// TestTrapsListed: the tests that reference/traps.md names exist, and it names every test of a trap.
func TestTrapsListed(t *testing.T) {
	const name = "docs/reference/traps.md"
	text, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]bool{}
	for _, m := range regexp.MustCompile("`(Test[A-Za-z0-9_]+)`").FindAllStringSubmatch(string(text), -1) {
		listed[m[1]] = true
	}
	defined := map[string]bool{}
	for _, file := range walk(t, ".", "_test.go") {
		syntax, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, file), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range syntax.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && strings.HasPrefix(f.Name.Name, "Test") {
				defined[f.Name.Name] = true
				if strings.HasPrefix(f.Name.Name, "TestTrap") && f.Name.Name != "TestTrapsListed" && !listed[f.Name.Name] {
					t.Errorf("%s does not name %s of %s", name, f.Name.Name, file)
				}
			}
		}
	}
	for test := range listed {
		if !defined[test] {
			t.Errorf("%s names %s, which does not exist", name, test)
		}
	}
}
