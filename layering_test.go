package signet_test

import (
	"bytes"
	"cmp"
	"errors"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
)

// This file says who may import whom and checks it. The tables come first, the checker after them, then tests that
// feed the checker small trees that break each rule. Everything is read in this process: the test cache sees which
// files and folders a test opens, and it does not see what a child process such as "go list" reads, so a version that
// shelled out would be served from the cache after a violation.
//
// Patterns are lists of terms. A package is named by its folder: "fhe" is that package, "fhe/..." it and all below,
// "..." every package, "*test" every package with a path element that ends in "test" (fhe/fhetest/stock too),
// "*internal" every one with the path element "internal", "*module" every one of another module. A leading "-" takes
// away. Imports are written the same way, with "std:" before a package of the standard library (so
// that our runtime is not mistaken for Go's), "C" for cgo, and the full path for other modules.

var update = flag.Bool("update", false, "rewrite the generated parts of docs/architecture.md and docs/adr/README.md")

const module = "github.com/signet-ml/signet"

// A verb says what a rule forbids.
type verb string

const (
	imports verb = "import"          // directly
	reaches verb = "reach"           // through any chain of non-test imports
	uses    verb = "use"             // a name of another package: path.Name
	calls   verb = "call"            // a function or method of that name, whatever package it is from
	selects verb = "call or mention" // a selector of that name, so that a method value counts as well
	shows   verb = "show"            // in anything exported: a type, method, field, argument, result, variable or constant
)

// A rule binds the packages of from. Rules never weaken one another: all apply.
type rule struct {
	from   string // packages whose non-test files are bound
	verb   verb
	forbid string // what they may not do it to
	tests  string // packages whose _test.go files are bound as well; empty: none
	beside string // if set, only files that import one of these are looked at
	why    string
}

const (
	secrets   = "fhe/client/... fhe/threshold/... fhe/internal/lattice/secret/..."
	lattigo   = "github.com/tuneinsight/lattigo/..."
	gnark     = "github.com/consensys/gnark/... github.com/consensys/gnark-crypto/..."
	random    = "std:math/rand std:math/rand/v2"
	durations = "-std:time.Duration -std:time.Nanosecond -std:time.Microsecond -std:time.Millisecond -std:time.Second -std:time.Minute -std:time.Hour"
)

// rules is section 4 of the architecture, printed into docs/architecture.md.
var rules = []rule{
	// The two halves, and the order of the layers.
	{from: "fhe/...", verb: imports, forbid: "zk/...", tests: "fhe/...", why: "digests and []uint64 cross between encryption and proofs, not types"},
	{from: "zk/... -zk/ckks/...", verb: imports, forbid: "fhe/...", tests: "zk/... -zk/ckks/...", why: "a verifier of proofs needs no encryption library; zk/ckks is the one bridge"},
	{from: "ml", verb: imports, forbid: "fhe/... zk/...", why: "a model is plain data that serves encryption and proof alike"},
	{from: "runtime", verb: imports, forbid: "fhe/... zk/...", why: "other projects import the worker core alone"},
	{from: "gpu/...", verb: imports, forbid: "fhe/... zk/... ml/... runtime/...", why: "a device knows rows and moduli, nothing of ciphertexts, proofs or models"},
	{from: "fhe/...", verb: imports, forbid: "ml/... runtime/...", why: "the waist does not know who emits programs or who moves them"},
	{from: "zk/...", verb: imports, forbid: "ml/... runtime/...", why: "a circuit does not know which model or market it serves"},
	{from: "ml/...", verb: imports, forbid: "runtime/...", why: "compiling a model needs no network"},
	{from: "... -bench/...", verb: imports, forbid: "bench/...", tests: "... -bench/...", why: "what measures the library is not part of it"},
	{from: "... -examples/...", verb: imports, forbid: "examples/...", tests: "... -examples/...", why: "examples are for reading; code worth sharing moves into a package"},

	// What other modules see.
	{from: "... -*internal -fhe -zk -zk/nn -zk/commit", verb: shows, forbid: "*internal *module", why: "third-party types stop at the border: a new major version, or another library, changes no signature"},
	{from: "fhe", verb: shows, forbid: "*internal *module -fhe/internal/wire.FormatError", why: "no handle on a ring or a seed gets out; the error of all readers is plain data, made below fhe"},
	{from: "zk zk/nn zk/commit", verb: shows, forbid: "*internal *module -github.com/consensys/gnark/frontend -github.com/consensys/gnark-crypto/ecc/bn254 -github.com/consensys/gnark-crypto/ecc/bn254/fr", why: "a circuit is gnark's own and a commitment is points and field elements, which zk's packages hand one another; what only wraps them stays inside"},

	// One home for each large dependency.
	{from: "... -fhe/internal/lattice/... -fhe/fhetest/...", verb: imports, forbid: lattigo, tests: "... -fhe/...", why: "moving to another major version stays a one-folder change"},
	{from: "... -ml/train/...", verb: imports, forbid: "gorgonia.org/...", tests: "... -ml/train/...", why: "only training needs a graph engine; users of a trained model do not pay for it"},
	{from: "... -zk/...", verb: imports, forbid: gnark, tests: "... -zk/...", why: "the proof system stays replaceable"},
	{from: "zk/... -zk/internal/gnarkx/...", verb: imports, forbid: "github.com/consensys/gnark/backend/...", why: "one place for setup, prove and verify"},
	{from: "... -runtime/evm/... -zk/solidity/evmtest/...", verb: imports, forbid: "github.com/ethereum/go-ethereum/...", tests: "... -runtime/evm/... -zk/solidity/evmtest/...", why: "LGPL and heavy: it lives in modules of its own"},
	{from: "... -gpu/...", verb: imports, forbid: "C", tests: "... -gpu/...", why: "everything builds with CGO_ENABLED=0"},

	// Secrets stay with their owner.
	{from: "fhe", verb: reaches, forbid: secrets, why: "parameters, ciphertexts and keys for the server are public"},
	{from: "fhe/program/...", verb: reaches, forbid: secrets, why: "a program is data that anyone may read"},
	{from: "fhe/engine/...", verb: reaches, forbid: secrets, why: "an engine runs on the server, which must not be able to decrypt"},
	{from: "fhe/lintrans/...", verb: reaches, forbid: secrets, why: "it only emits programs"},
	{from: "fhe/polyeval/...", verb: reaches, forbid: secrets, why: "it only emits programs"},
	{from: "fhe/bootstrap/...", verb: reaches, forbid: secrets, why: "it only emits programs; its keys are made by the client"},
	{from: "gpu/...", verb: reaches, forbid: secrets, why: "a device sees ciphertexts and switching keys only"},
	{from: "ml/...", verb: reaches, forbid: secrets, why: "compiling a model happens before any key exists"},
	{from: "runtime/... -runtime/cmd/signet/...", verb: reaches, forbid: secrets, why: "workers, networks and adapters move what others encrypted; the binary's client commands are the exception"},
	{from: "runtime/task/...", verb: reaches, forbid: secrets, why: "submitting and executing a task takes ciphertexts; encrypting is the caller's step"},
	{from: "... -" + strings.ReplaceAll(secrets, " ", " -") + " -runtime/cmd/signet/... -examples/... -bench/... -*test", verb: reaches, forbid: secrets, why: "deny by default: a new package handles no secret until this line says so"},
	{from: "... -fhe/client/... -fhe/threshold/... -fhe/internal/lattice/secret/... -fhe/fhetest/...", verb: imports, forbid: "fhe/internal/lattice/secret/...", why: "secret keys have two users, the client and multiparty keys"},

	// Danger says its name.
	{from: "... -fhe/fhetest/...", verb: imports, forbid: "fhe/internal/insecure/...", tests: "... -fhe/fhetest/...", why: "the one door past the security gate opens for toy parameters only"},
	{from: "... -fhe -fhe/internal/access/... -fhe/internal/insecure/...", verb: imports, forbid: "fhe/internal/hook/...", tests: "...", why: "what fhe keeps from other modules has typed doors, one with the security gate and one past it"},
	{from: "... -fhe/fhetest/...", verb: calls, forbid: "Insecure?*", why: "toy parameters protect nothing; the bare word Insecure, a question, may be asked anywhere"},
	{from: "...", verb: selects, forbid: "GenEvaluationKeys", beside: "github.com/tuneinsight/lattigo/*/he/hefloat/bootstrapping", why: "Lattigo v5's bootstrapping key generation is unsafe: keys come from our own generator"},
	{from: "... -*test -bench/... -examples/...", verb: imports, forbid: "std:testing std:testing/... *test", why: "no test code in production builds"},
	{from: "fhe/fhetest/stock/...", verb: reaches, forbid: "std:testing std:testing/...", why: "bench links it, and a benchmark binary is no test binary"},

	// Same bytes in, same bytes out.
	{from: "fhe/program/... fhe/engine/... fhe/lintrans/... fhe/polyeval/... fhe/bootstrap/... zk/...", verb: imports, forbid: random, why: "what is hashed or proved is deterministic; cryptographic randomness is crypto/rand's"},
	{from: "fhe/program/... fhe/engine/... -fhe/engine/cpu/... fhe/lintrans/... fhe/polyeval/... fhe/bootstrap/...", verb: uses, forbid: "std:time.* " + durations, why: "no clock near anything hashed; a Duration is a number and harmless"},
	{from: "fhe/engine/cpu/...", verb: uses, forbid: "std:time.* -std:time.Now -std:time.Since " + durations, why: "the exception: it measures Elapsed for progress events, which no digest covers; it never waits on a clock"},
	{from: "zk/...", verb: uses, forbid: "std:time.Now", why: "a statement does not depend on when it is proved"},
}

// future lists the paths that rules name and that are not built yet. The rules bind already; only the check that each
// path exists waits. A path that exists is an error here: delete its line when the package arrives.
var future = strings.Fields(`
	fhe/bootstrap
	fhe/threshold
	gpu
	runtime
	runtime/cmd/signet
	runtime/evm
	runtime/task
	zk/ckks
`)

// topLevel is all that may lie in the root folder, besides dotfiles and what .gitignore names.
var topLevel = strings.Fields("fhe zk ml runtime gpu examples bench docs go.mod go.sum LICENSE README.md doc.go layering_test.go")

// A source is one Go file, parsed as far as its imports.
type source struct {
	name    string // slash-separated, from the root of the module
	pkg     string // its folder, "." for the root
	clause  string // the name of its package
	test    bool
	doc     bool // has a package comment
	imports []imported
}

// An imported is one import: the local name ("" where none is written), the path as patterns write it, and the line.
type imported struct {
	name, path string
	line       int
}

// local returns the name by which the file speaks of the import.
func (i imported) local() string {
	if i.name != "" {
		return i.name
	}
	elems := strings.Split(strings.TrimPrefix(i.path, "std:"), "/")
	last := elems[len(elems)-1]
	if len(elems) > 1 && regexp.MustCompile(`^v[0-9]+$`).MatchString(last) {
		last = elems[len(elems)-2]
	}
	return last
}

// normal rewrites an import path as patterns write it.
func normal(p string) string {
	first, _, _ := strings.Cut(p, "/")
	switch {
	case p == module:
		return "."
	case strings.HasPrefix(p, module+"/"):
		return strings.TrimPrefix(p, module+"/")
	case p == "C" || strings.Contains(first, "."):
		return p
	}
	return "std:" + p
}

// under reports whether p is base or lies below it.
func under(p, base string) bool { return p == base || strings.HasPrefix(p, base+"/") }

// match reports whether the list of terms holds p: one plain term does and no term with a minus.
func match(pattern, p string) bool {
	in := false
	for _, term := range strings.Fields(pattern) {
		term, minus := strings.CutPrefix(term, "-")
		if !matchTerm(term, p) {
			continue
		}
		if minus {
			return false
		}
		in = true
	}
	return in
}

func matchTerm(term, p string) bool {
	if term == "..." {
		return true
	}
	if term == "*test" {
		return slices.ContainsFunc(strings.Split(p, "/"), func(elem string) bool {
			return strings.HasSuffix(elem, "test") && !strings.HasPrefix(p, "std:") && !strings.Contains(p, ".")
		})
	}
	if base, ok := strings.CutSuffix(term, "/..."); ok {
		return under(p, base)
	}
	first, rest, _ := strings.Cut(p, "/")
	switch foreign := strings.Contains(first, ".") && p != "." && !strings.HasPrefix(p, "std:"); term {
	case "*module":
		return foreign
	case "*internal":
		return !foreign && slices.Contains(strings.Split(rest, "/"), "internal")
	}
	ok, err := path.Match(term, p)
	return ok && err == nil
}

// ignored returns a predicate for the names in the root folder that .gitignore leaves out of the repository.
func ignored(fsys fs.FS) func(name string) bool {
	data, _ := fs.ReadFile(fsys, ".gitignore") // absent: nothing is ignored
	globs := strings.Fields(string(data))
	return func(name string) bool {
		return slices.ContainsFunc(globs, func(glob string) bool {
			ok, err := path.Match(strings.Trim(glob, "/"), name)
			return ok && err == nil
		})
	}
}

// load parses every Go file of the tree, whatever its build tags and whichever module it belongs to. Like the go
// command it leaves out folders that start with a dot or an underscore, and testdata unless a module lies in it.
// Modules under testdata/foreign stand for other people's code and are left out too.
func load(fsys fs.FS) ([]source, error) {
	skip := ignored(fsys)
	modules := map[string]bool{}
	var names []string
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		base := path.Base(name)
		hidden := name != "." && (strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_") || skip(name))
		switch {
		case d.IsDir() && (hidden || under(name, "testdata/foreign") || strings.HasSuffix(name, "/testdata/foreign")):
			return fs.SkipDir
		case d.IsDir() || hidden:
		case base == "go.mod":
			modules[path.Dir(name)] = true
		case path.Ext(name) == ".go":
			names = append(names, name)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	var files []source
	for _, name := range names {
		if at := strings.LastIndex("/"+name, "/testdata/"); at >= 0 {
			inModule := false
			for dir := path.Dir(name); len(dir) > at+len("testdata"); dir = path.Dir(dir) {
				inModule = inModule || modules[dir]
			}
			if !inModule {
				continue
			}
		}
		f, err := parse(fsys, name)
		if err != nil {
			return nil, err
		}
		files = append(files, f)
	}
	return files, nil
}

func parse(fsys fs.FS, name string) (source, error) {
	f := source{name: name, pkg: path.Dir(name), test: strings.HasSuffix(name, "_test.go")}
	data, err := fs.ReadFile(fsys, name)
	if err != nil {
		return f, err
	}
	fset := token.NewFileSet()
	syntax, err := parser.ParseFile(fset, name, data, parser.ImportsOnly|parser.ParseComments)
	if err != nil {
		return f, err
	}
	f.clause, f.doc = syntax.Name.Name, strings.TrimSpace(syntax.Doc.Text()) != ""
	for _, spec := range syntax.Imports {
		p, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return f, fmt.Errorf("%s: import path %s: %w", name, spec.Path.Value, err)
		}
		imp := imported{path: normal(p), line: fset.Position(spec.Pos()).Line}
		if spec.Name != nil {
			imp.name = spec.Name.Name
		}
		f.imports = append(f.imports, imp)
	}
	return f, nil
}

// binds reports whether the rule is about this file.
func (r rule) binds(f source) bool {
	if f.test {
		return match(r.tests, f.pkg)
	}
	return match(r.from, f.pkg)
}

// check returns one line for each breach of a rule, sorted: place, what was done, why it is forbidden.
func check(fsys fs.FS, files []source, rules []rule) ([]string, error) {
	var out []string
	for _, r := range rules {
		if r.verb == reaches {
			out = append(out, closure(files, r)...)
			continue
		}
		if r.verb == shows {
			found, err := shown(fsys, files, r)
			if err != nil {
				return nil, err
			}
			out = append(out, found...)
			continue
		}
		for _, f := range files {
			if !r.binds(f) {
				continue
			}
			found, err := breaches(fsys, f, r)
			if err != nil {
				return nil, err
			}
			out = append(out, found...)
		}
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

// breaches checks one file against one rule about direct imports or names.
func breaches(fsys fs.FS, f source, r rule) ([]string, error) {
	var out []string
	report := func(line int, what string) {
		out = append(out, fmt.Sprintf("%s:%d: %s: %s", f.name, line, what, r.why))
	}
	if r.verb == imports {
		for _, imp := range f.imports {
			if match(r.forbid, imp.path) {
				report(imp.line, "imports "+imp.path)
			}
		}
		return out, nil
	}

	byName := map[string]string{}
	near := r.beside == ""
	for _, imp := range f.imports {
		near = near || match(r.beside, imp.path)
		byName[imp.local()] = imp.path
		if r.verb == uses && imp.name == "." && strings.Contains(" "+r.forbid, " "+imp.path+".") {
			report(imp.line, "imports "+imp.path+" with a dot, which hides what it uses")
		}
	}
	if !near {
		return out, nil
	}
	data, err := fs.ReadFile(fsys, f.name)
	if err != nil {
		return nil, err
	}
	fset := token.NewFileSet()
	syntax, err := parser.ParseFile(fset, f.name, data, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	ast.Inspect(syntax, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			if name := callee(n.Fun); r.verb == calls && match(r.forbid, name) {
				report(fset.Position(n.Pos()).Line, "calls "+name)
			}
		case *ast.SelectorExpr:
			if r.verb == selects && match(r.forbid, n.Sel.Name) {
				report(fset.Position(n.Pos()).Line, "mentions "+n.Sel.Name)
			}
			if id, ok := n.X.(*ast.Ident); ok && r.verb == uses && byName[id.Name] != "" {
				if name := byName[id.Name] + "." + n.Sel.Name; match(r.forbid, name) {
					report(fset.Position(n.Pos()).Line, "uses "+name)
				}
			}
		}
		return true
	})
	return out, nil
}

// callee returns the last name of what is called: f for f(), p.f(), x.f[int]() and (f)().
func callee(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return e.Sel.Name
	case *ast.ParenExpr:
		return callee(e.X)
	case *ast.IndexExpr:
		return callee(e.X)
	case *ast.IndexListExpr:
		return callee(e.X)
	}
	return ""
}

// closure follows non-test imports from each package of the rule and reports the shortest chain to a forbidden one.
func closure(files []source, r rule) []string {
	next := map[string][]string{}
	for _, f := range files {
		if !f.test {
			next[f.pkg] = append(next[f.pkg], "") // a package without imports is a package
			for _, imp := range f.imports {
				next[f.pkg] = append(next[f.pkg], imp.path)
			}
		}
	}
	for pkg, list := range next {
		slices.Sort(list)
		next[pkg] = slices.Compact(list)
	}
	var out []string
	for pkg := range next {
		if !match(r.from, pkg) {
			continue
		}
		from := map[string]string{pkg: ""}
		queue := []string{pkg}
	search:
		for len(queue) > 0 {
			at := queue[0]
			queue = queue[1:]
			for _, to := range next[at] {
				if _, seen := from[to]; seen || to == "" {
					continue
				}
				from[to] = at
				if match(r.forbid, to) {
					chain := to
					for p := at; p != ""; p = from[p] {
						chain = p + " -> " + chain
					}
					out = append(out, fmt.Sprintf("%s: reaches %s: %s: %s", pkg, to, chain, r.why))
					break search
				}
				queue = append(queue, to)
			}
		}
	}
	return out
}

// A view is what other packages see of one package, read without types: what its exported declarations mention, and
// what the package's own types that they mention show in turn.
type view struct {
	r       rule
	fset    *token.FileSet
	imports map[*ast.File]map[string]string
	types   map[string][]declared[*ast.TypeSpec] // more than one where build tags choose
	methods map[string][]declared[*ast.FuncDecl]
	funcs   map[string][]declared[*ast.FuncDecl]
	seen    map[string]bool // types
	out     []string
}

// A declared is a declaration and the file by whose imports it is read.
type declared[T ast.Node] struct {
	file *ast.File
	node T
}

// shown returns one line for each mention of a forbidden package in what the packages of the rule export. Commands
// export nothing.
func shown(fsys fs.FS, files []source, r rule) ([]string, error) {
	pkgs := map[string][]source{}
	for _, f := range files {
		if !f.test && match(r.from, f.pkg) {
			pkgs[f.pkg] = append(pkgs[f.pkg], f)
		}
	}
	var out []string
	for _, list := range pkgs {
		v := &view{r: r, fset: token.NewFileSet(), imports: map[*ast.File]map[string]string{}, types: map[string][]declared[*ast.TypeSpec]{},
			methods: map[string][]declared[*ast.FuncDecl]{}, funcs: map[string][]declared[*ast.FuncDecl]{}, seen: map[string]bool{}}
		var trees []*ast.File
		for _, f := range list {
			data, err := fs.ReadFile(fsys, f.name)
			if err != nil {
				return nil, err
			}
			tree, err := parser.ParseFile(v.fset, f.name, data, parser.SkipObjectResolution)
			if err != nil {
				return nil, err
			}
			if tree.Name.Name == "main" {
				continue
			}
			trees = append(trees, tree)
			v.imports[tree] = map[string]string{}
			for _, imp := range f.imports {
				v.imports[tree][imp.local()] = imp.path
				if imp.name == "." && match(r.forbid, imp.path) {
					v.out = append(v.out, fmt.Sprintf("%s:%d: imports %s with a dot, which hides what it shows: %s", f.name, imp.line, imp.path, r.why))
				}
			}
			v.collect(tree)
		}
		for _, tree := range trees {
			v.exports(tree)
		}
		out = append(out, v.out...)
	}
	return out, nil
}

// collect notes the package's own types, methods and functions.
func (v *view) collect(tree *ast.File) {
	for _, d := range tree.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Recv == nil {
				v.funcs[d.Name.Name] = append(v.funcs[d.Name.Name], declared[*ast.FuncDecl]{tree, d})
			} else if name := receiver(d.Recv.List[0].Type); d.Name.IsExported() {
				v.methods[name] = append(v.methods[name], declared[*ast.FuncDecl]{tree, d})
			}
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				if spec, ok := spec.(*ast.TypeSpec); ok {
					v.types[spec.Name.Name] = append(v.types[spec.Name.Name], declared[*ast.TypeSpec]{tree, spec})
				}
			}
		}
	}
}

// receiver returns the name of a method's type: T for T, *T, T[P] and *T[P].
func receiver(e ast.Expr) string {
	if star, ok := e.(*ast.StarExpr); ok {
		e = star.X
	}
	return callee(e)
}

// exports looks at each exported declaration of a file.
func (v *view) exports(tree *ast.File) {
	for _, d := range tree.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Recv == nil && d.Name.IsExported() {
				v.look(tree, d.Name.Name, d.Type)
			}
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				switch spec := spec.(type) {
				case *ast.TypeSpec:
					if spec.Name.IsExported() {
						v.typ(spec.Name.Name)
					}
				case *ast.ValueSpec:
					if at := slices.IndexFunc(spec.Names, (*ast.Ident).IsExported); at >= 0 {
						v.look(tree, spec.Names[at].Name, spec.Type)
						for _, x := range spec.Values {
							if spec.Type == nil {
								v.value(tree, spec.Names[at].Name, x)
							}
						}
					}
				}
			}
		}
	}
}

// typ looks at a type of the package, and at its exported methods, once.
func (v *view) typ(name string) {
	if v.seen[name] {
		return
	}
	v.seen[name] = true
	for _, t := range v.types[name] {
		v.fields(t.file, name, t.node.TypeParams, false)
		v.look(t.file, name, t.node.Type)
	}
	for _, m := range v.methods[name] {
		v.look(m.file, name+"."+m.node.Name.Name, m.node.Type)
	}
}

// value looks at what an exported variable or constant without a stated type is set to. What a function of the package
// returns is known, and what a conversion to one of its types is; for the rest, whatever the expression mentions
// counts, except in the body of a function.
func (v *view) value(tree *ast.File, owner string, e ast.Expr) {
	ast.Inspect(e, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			v.look(tree, owner, n.Type)
			return false
		case *ast.CompositeLit:
			v.look(tree, owner, n.Type)
			return false
		case *ast.CallExpr:
			if id, ok := n.Fun.(*ast.Ident); ok && v.types[id.Name] != nil { // a conversion
				v.typ(id.Name)
				return false
			}
			for _, f := range v.funcs[callee(n.Fun)] {
				v.fields(f.file, owner, f.node.Type.Results, false)
			}
		case *ast.SelectorExpr:
			if id, ok := n.X.(*ast.Ident); ok && v.imports[tree][id.Name] != "" {
				v.look(tree, owner, n)
			}
		}
		return true
	})
}

// fields looks at parameters or results, or, if public, at the exported and embedded ones among fields or methods.
func (v *view) fields(tree *ast.File, owner string, list *ast.FieldList, public bool) {
	if list == nil {
		return
	}
	for _, f := range list.List {
		switch at := slices.IndexFunc(f.Names, (*ast.Ident).IsExported); {
		case !public || len(f.Names) == 0:
			v.look(tree, owner, f.Type)
		case at >= 0:
			v.look(tree, owner+"."+f.Names[at].Name, f.Type)
		}
	}
}

// look reports what a type expression mentions, and follows the package's own types.
func (v *view) look(tree *ast.File, owner string, e ast.Expr) {
	switch e := e.(type) {
	case *ast.Ident:
		v.typ(e.Name)
	case *ast.SelectorExpr:
		id, _ := e.X.(*ast.Ident)
		if id == nil {
			return
		}
		at, p := v.fset.Position(e.Pos()), v.imports[tree][id.Name]
		switch {
		case p == "":
			v.out = append(v.out, fmt.Sprintf("%s:%d: no import is clearly called %s: name it", at.Filename, at.Line, id.Name))
		case match(v.r.forbid, p) && match(v.r.forbid, p+"."+e.Sel.Name): // an exception is a package or one name
			v.out = append(v.out, fmt.Sprintf("%s:%d: %s shows %s.%s: %s", at.Filename, at.Line, owner, p, e.Sel.Name, v.r.why))
		}
	case *ast.StarExpr:
		v.look(tree, owner, e.X)
	case *ast.ParenExpr:
		v.look(tree, owner, e.X)
	case *ast.UnaryExpr: // ~T
		v.look(tree, owner, e.X)
	case *ast.BinaryExpr: // A | B
		v.look(tree, owner, e.X)
		v.look(tree, owner, e.Y)
	case *ast.Ellipsis:
		v.look(tree, owner, e.Elt)
	case *ast.ArrayType:
		v.look(tree, owner, e.Elt)
	case *ast.ChanType:
		v.look(tree, owner, e.Value)
	case *ast.MapType:
		v.look(tree, owner, e.Key)
		v.look(tree, owner, e.Value)
	case *ast.IndexExpr:
		v.look(tree, owner, e.X)
		v.look(tree, owner, e.Index)
	case *ast.IndexListExpr:
		v.look(tree, owner, e.X)
		for _, x := range e.Indices {
			v.look(tree, owner, x)
		}
	case *ast.FuncType:
		v.fields(tree, owner, e.TypeParams, false)
		v.fields(tree, owner, e.Params, false)
		v.fields(tree, owner, e.Results, false)
	case *ast.StructType:
		v.fields(tree, owner, e.Fields, true)
	case *ast.InterfaceType:
		v.fields(tree, owner, e.Methods, true)
	}
}

// paths returns the folders of this module that a rule names.
func (r rule) paths() []string {
	terms := r.from + " " + r.tests
	if r.verb == imports || r.verb == reaches {
		terms += " " + r.forbid
	}
	var out []string
	for _, term := range strings.Fields(terms) {
		base := strings.TrimSuffix(strings.TrimPrefix(term, "-"), "/...")
		if base != "..." && base != "C" && !strings.ContainsAny(base, ".*:") {
			out = append(out, base)
		}
	}
	return out
}

// dead returns one line for each path that a rule names and that does not exist, and for each that is marked future
// without need. A rule about nothing is a rule that somebody believes in wrongly.
func dead(files []source, rules []rule, future []string) []string {
	exists := func(p string) bool {
		return slices.ContainsFunc(files, func(f source) bool { return under(f.pkg, p) })
	}
	named := map[string]bool{}
	var out []string
	for _, r := range rules {
		for _, p := range r.paths() {
			named[p] = true
			if !exists(p) && !slices.Contains(future, p) {
				out = append(out, fmt.Sprintf("a rule names %s, which does not exist: correct the rule, or list the path in future: %s", p, r.why))
			}
		}
	}
	for _, p := range future {
		if exists(p) {
			out = append(out, fmt.Sprintf("%s is marked future and exists: delete it from the list", p))
		}
		if !named[p] {
			out = append(out, fmt.Sprintf("%s is marked future and no rule names it: delete it from the list", p))
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// needless returns one line for each exception of a rule about exported signatures that nothing needs any more.
func needless(fsys fs.FS, files []source, rules []rule) ([]string, error) {
	var out []string
	for _, r := range rules {
		if r.verb != shows {
			continue
		}
		for _, term := range strings.Fields(r.forbid) {
			if !strings.HasPrefix(term, "-") {
				continue
			}
			without := r
			without.forbid = strings.Replace(r.forbid+" ", term+" ", "", 1)
			found, err := shown(fsys, files, without)
			if err != nil {
				return nil, err
			}
			if len(found) == 0 {
				out = append(out, fmt.Sprintf("%s excepts %s, which nothing shows: delete it from the rule", r.from, term[1:]))
			}
		}
	}
	return out, nil
}

// undocumented returns one line for each package without a package comment, or with more than one. A program that the
// go command ignores may lie in the folder of a package, with a comment of its own.
func undocumented(files []source) []string {
	docs := map[string]int{}
	names := map[string][]string{}
	for _, f := range files {
		if f.test {
			continue
		}
		docs[f.pkg] += 0
		if f.doc {
			docs[f.pkg]++
			names[f.pkg+" "+f.clause] = append(names[f.pkg+" "+f.clause], f.name)
		}
	}
	var out []string
	for pkg, n := range docs {
		if n == 0 {
			out = append(out, pkg+": no package comment: say in doc.go who should use the package and what it does not protect against")
		}
	}
	for _, list := range names {
		if len(list) > 1 {
			out = append(out, fmt.Sprintf("%s: two package comments, and go doc prints both: keep one", strings.Join(list, " and ")))
		}
	}
	slices.Sort(out)
	return out
}

// strangers returns one line for each entry of the root folder that does not belong there.
func strangers(fsys fs.FS) ([]string, error) {
	entries, err := fs.ReadDir(fsys, ".")
	if err != nil {
		return nil, err
	}
	skip := ignored(fsys)
	var out []string
	for _, e := range entries {
		name := e.Name()
		if !strings.HasPrefix(name, ".") && !skip(name) && !slices.Contains(topLevel, name) {
			out = append(out, name+": the top level is fixed: put it under one of its folders")
		}
	}
	return out, nil
}

func TestLayering(t *testing.T) {
	fsys := os.DirFS(".")
	files, err := load(fsys)
	if err != nil {
		t.Fatal(err)
	}
	breached, err := check(fsys, files, rules)
	if err != nil {
		t.Fatal(err)
	}
	odd, err := strangers(fsys)
	if err != nil {
		t.Fatal(err)
	}
	spare, err := needless(fsys, files, rules)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range slices.Concat(breached, dead(files, rules, future), spare, undocumented(files), odd) {
		t.Error(line)
	}
	for _, r := range rules {
		if r.why == "" || r.from == "" || r.forbid == "" {
			t.Errorf("rule %+v: from, forbid and a reason are all needed", r)
		}
	}
}

// goFile writes a file of the package p that imports the given paths, which are as patterns write them.
func goFile(imports ...string) *fstest.MapFile {
	var b strings.Builder
	b.WriteString("// Package p is made up.\npackage p\n")
	for _, p := range imports {
		if std, ok := strings.CutPrefix(p, "std:"); ok {
			p = std
		} else if first, _, _ := strings.Cut(p, "/"); p != "C" && !strings.Contains(first, ".") {
			p = module + "/" + p
		}
		fmt.Fprintf(&b, "import _ %q\n", p)
	}
	return &fstest.MapFile{Data: []byte(b.String())}
}

func text(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s)} }

// checked runs every check but the one for dead rules, which a small tree cannot pass.
func checked(t *testing.T, tree fstest.MapFS, rules []rule) []string {
	t.Helper()
	files, err := load(tree)
	if err != nil {
		t.Fatal(err)
	}
	breached, err := check(tree, files, rules)
	if err != nil {
		t.Fatal(err)
	}
	odd, err := strangers(tree)
	if err != nil {
		t.Fatal(err)
	}
	return slices.Concat(breached, undocumented(files), odd)
}

// TestLayeringRulesBite breaks each rule of the table on its own and expects it, and its reason, in the answer.
func TestLayeringRulesBite(t *testing.T) {
	first := func(pattern string) string { // a package or import that the pattern's first term holds
		term := strings.Fields(pattern)[0]
		switch term {
		case "...":
			return "docs/other"
		case "*test":
			return "docs/other/othertest"
		}
		return strings.NewReplacer("/...", "", "*internal", "docs/internal/other", "*", "v5").Replace(term)
	}
	for i, r := range rules {
		t.Run(fmt.Sprintf("rule=%d", i), func(t *testing.T) {
			bad := goFile(first(r.forbid))
			switch r.verb {
			case uses:
				bad = text("// Package p is made up.\npackage p\nimport clock \"time\"\nvar _ = clock.Now()\nvar _ = clock.Sleep\n")
			case calls:
				bad = text("// Package p is made up.\npackage p\nvar _ = q.InsecureToy[int]()\n")
			case shows:
				bad = text("// Package p is made up.\npackage p\nimport q \"" + module + "/" + first(r.forbid) + "\"\nfunc F(q.T) {}\n")
			case selects:
				bad = text("// Package p is made up.\npackage p\nimport _ \"" + first(r.beside) + "\"\nvar _ = q.GenEvaluationKeys\n")
			}
			from := first(r.from)
			tree := fstest.MapFS{from + "/p.go": bad}
			if r.verb == reaches { // through a package that nobody has a rule about
				tree = fstest.MapFS{from + "/p.go": goFile("middle"), "middle/p.go": goFile(first(r.forbid))}
			}
			if got := strings.Join(checked(t, tree, []rule{r}), "\n"); !strings.Contains(got, from) || !strings.Contains(got, r.why) {
				t.Errorf("%s may not %s %s, and did; the checker says %q", from, r.verb, r.forbid, got)
			}

			pkg := from
			if r.tests != "" {
				pkg = first(r.tests)
			}
			tree = fstest.MapFS{pkg + "/p_test.go": bad}
			got := checked(t, tree, []rule{r})
			if caught := len(got) > 0; caught != (r.tests != "") {
				t.Errorf("a test in %s: caught %v, want %v: %q", pkg, caught, r.tests != "", got)
			}
		})
	}
}

// TestLayeringSignatures gives the checker of exported signatures one package at a time, whose imports are a public
// package of the module, an internal one, the standard library, and another module; want is what shows, if anything.
func TestLayeringSignatures(t *testing.T) {
	const head = "// Package p is made up.\npackage p\nimport (\n\"io\"\n\"" + module + "/ml\"\n\"" + module + "/fhe/internal/in\"\n\"example.org/other/v5\"\n)\n"
	for _, tt := range []struct{ name, decl, want string }{
		{"legal", "func F(ml.Tensor, io.Reader) (map[string][]int, func(error), ml.Stack[int])", ""},
		{"unexported", "func f(in.T)\nvar v in.T\ntype t struct{ X in.T }\nfunc (t) M() in.T", ""},
		{"body", "func F() { var _ in.T; other.F() }", ""},
		{"argument", "func F(int, ...*in.T)", "F shows fhe/internal/in.T"},
		{"result", "func F() (map[string][]other.T, error)", "F shows example.org/other/v5.T"},
		{"nested", "func F(func(chan [4]in.T))", "F shows fhe/internal/in.T"},
		{"type-argument", "func F() ml.Stack[in.T]", "F shows"},
		{"type-arguments", "func F() ml.Map[int, in.T]", "F shows"},
		{"constraint", "func F[T ~int | in.T]() {}", "F shows"},
		{"type-constraint", "type X[T interface{ int | in.T }] struct{}", "X shows"},
		{"field", "type X struct{ a in.T; b, B in.T }", "X.B shows"},
		{"unexported-field", "type X struct{ a in.T; b *other.T }\nfunc (x *X) m() in.T", ""},
		{"inner-field", "type X struct{ A []struct{ B in.T } }", "X.A.B shows"},
		{"embedded", "type X struct{ *other.T }", "X shows"},
		{"embedded-own", "type X struct{ t }\ntype t struct{}\nfunc (t) M() in.T", "t.M shows"},
		{"method", "type X struct{}\nfunc (x *X) M(in.T)", "X.M shows"},
		{"generic-method", "type X[A, B any] struct{}\nfunc (X[A, B]) M(in.T)", "X.M shows"},
		{"interface", "type X interface{ M(other.T) }", "X.M shows"},
		{"sealed", "type X interface{ M(); m(other.T) }", ""},
		{"embedded-interface", "type X interface{ other.T }", "X shows"},
		{"returned", "func F() *t\ntype t struct{ X in.T }", "t.X shows"},
		{"recursive", "type X struct{ Next *X; Y in.T }", "X.Y shows"},
		{"alias", "type X = in.T", "X shows"},
		{"definition", "type X in.T", "X shows"},
		{"variable", "var a, X []in.T", "X shows"},
		{"variable-value", "var X = &in.T{}", "X shows"},
		{"variable-conversion", "var X = other.T(3)", "X shows"},
		{"variable-own-conversion", "var X = t(other.C)\ntype t int", ""},
		{"variable-literal", "var X = []any{other.T(3)}", ""},
		{"variable-function", "var X = func() in.T { return 0 }", "X shows"},
		{"variable-body", "var X = func() int { return in.F() }", ""},
		{"variable-stated", "var X error = in.Err", ""},
		{"variable-call", "var X = f()\nfunc f() in.T", "X shows"},
		{"constant", "const X = other.C", "X shows"},
		{"unnamed", "func F(yaml.T)", "no import is clearly called yaml"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := rule{from: "ml/...", verb: shows, forbid: "*internal *module", why: "reason"}
			tree := fstest.MapFS{"ml/p/p.go": text(head + tt.decl + "\n")}
			got := strings.Join(checked(t, tree, []rule{r}), "\n")
			if tt.want == "" && got != "" || !strings.Contains(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			r.forbid += " -fhe/internal/in.T -fhe/internal/in.Err -fhe/internal/in.F -example.org/other/v5"
			if got := checked(t, tree, []rule{r}); got != nil && tt.name != "unnamed" {
				t.Errorf("excepted, and still %q", got)
			}
			files, err := load(tree)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := needless(tree, files, []rule{r}); err != nil || tt.want == "" && len(got) != 4 {
				t.Errorf("four exceptions that nothing needs: %q, %v", got, err)
			}
		})
	}
	for name, tree := range map[string]fstest.MapFS{
		"main": {"ml/p/p.go": text(strings.Replace(head, "package p\n", "package main\n", 1) + "func F(in.T)\n")},
		"test": {"ml/p/p.go": goFile(), "ml/p/p_test.go": text(head + "func F(in.T)\n")},
	} {
		if got := checked(t, tree, []rule{{from: "...", verb: shows, forbid: "*internal", why: "reason"}}); got != nil {
			t.Errorf("%s exports nothing, and %q", name, got)
		}
	}
	dot := fstest.MapFS{"ml/p.go": text("// Package p is made up.\npackage p\nimport . \"example.org/other\"\n")}
	if got := checked(t, dot, []rule{{from: "ml", verb: shows, forbid: "*module", why: "reason"}}); len(got) != 1 || !strings.Contains(got[0], "with a dot") {
		t.Errorf("an import with a dot: %q", got)
	}
}

// TestLayeringTrees gives the whole table small trees, legal ones (want is empty) and others.
func TestLayeringTrees(t *testing.T) {
	const boot = "github.com/tuneinsight/lattigo/v5/he/hefloat/bootstrapping"
	for _, tt := range []struct {
		name string
		tree fstest.MapFS
		want string
	}{
		{"legal", fstest.MapFS{
			"go.mod": text("module " + module + "\n"), "doc.go": goFile(), ".ci/run": text(""), ".gitignore": text("*.test\n/out/\n"),
			"signet.test": text(""), "out/a.go": text("not Go"),
			"fhe/p.go": goFile("fhe/internal/lattice", "fhe/internal/hook"), "fhe/p_test.go": goFile("github.com/tuneinsight/lattigo/v5/ring"),
			"fhe/internal/lattice/p.go": goFile("github.com/tuneinsight/lattigo/v5/ring"),
			"fhe/client/p.go":           goFile("fhe", "fhe/internal/lattice/secret"),
			"fhe/fhetest/p.go":          goFile("std:testing", "fhe/client", "fhe/internal/insecure"),
			"fhe/engine/cpu/p.go":       text("// Package p is made up.\npackage p\nimport \"time\"\nvar start = time.Now()\nvar _ time.Duration = time.Since(start)\n"),
			"fhe/program/p.go":          text("// Package p is made up.\npackage p\nimport \"time\"\nvar _ time.Duration\n"),
			"ml/train/p.go":             goFile("gorgonia.org/gorgonia", "std:runtime"), "zk/ckks/p.go": goFile("fhe", "github.com/consensys/gnark/frontend"),
			"runtime/evm/p.go": goFile("github.com/ethereum/go-ethereum/core"), "gpu/host/p.go": goFile("C"),
			"bench/p.go": goFile("fhe/fhetest/stock", "fhe/client"), "examples/p.go": goFile("fhe/client"),
		}, ""},
		{"foreign", fstest.MapFS{"fhe/testdata/foreign/replay/p.go": goFile("C", "bench", "github.com/consensys/gnark/backend")}, ""},
		{"testdata", fstest.MapFS{"fhe/testdata/bad.go": text("not Go")}, ""},
		{"testdata-module", fstest.MapFS{"fhe/testdata/m/go.mod": text("module m\n"), "fhe/testdata/m/q/p.go": goFile("C")}, "fhe/testdata/m/q/p.go:3: imports C"},
		{"nested-module", fstest.MapFS{"runtime/evm/go.mod": text("module x\n"), "runtime/evm/p.go": goFile("fhe/client")}, "reaches fhe/client"},
		{"build-tag", fstest.MapFS{"ml/p.go": text("//go:build never\n\n// Package p is made up.\npackage p\nimport \"C\"\n")}, "ml/p.go:5: imports C: everything builds"},
		{"chain", fstest.MapFS{
			"fhe/engine/p.go": goFile("fhe/a"), "fhe/a/p.go": goFile("fhe/b"), "fhe/b/p.go": goFile("fhe/client"),
		}, "fhe/engine -> fhe/a -> fhe/b -> fhe/client"},
		{"chain-through-tests", fstest.MapFS{"fhe/engine/p.go": goFile("fhe/a"), "fhe/a/p.go": goFile(), "fhe/a/p_test.go": goFile("fhe/client")}, ""},
		{"cycle", fstest.MapFS{"ml/p.go": goFile("ml/a"), "ml/a/p.go": goFile("ml")}, ""},
		{"dot-import", fstest.MapFS{"fhe/program/p.go": text("// Package p is made up.\npackage p\nimport . \"time\"\nvar _ = Now()\n")}, "imports std:time with a dot"},
		{"rand", fstest.MapFS{"fhe/lintrans/p.go": goFile("std:math/rand/v2")}, "imports std:math/rand/v2"},
		{"timer", fstest.MapFS{"fhe/engine/cpu/p.go": text("// Package p is made up.\npackage p\nimport \"time\"\nvar _ = time.After(1)\n")}, "uses std:time.After"},
		{"insecure-question", fstest.MapFS{"runtime/p.go": text("// Package p is made up.\npackage p\nvar _ = q.Insecure()\n")}, ""},
		{"insecure-definition", fstest.MapFS{"fhe/p.go": text("// Package p is made up.\npackage p\nfunc InsecureToy() {}\n")}, ""},
		{"own-generator", fstest.MapFS{"examples/p.go": text("// Package p is made up.\npackage p\nvar _ = kg.GenEvaluationKeys()\n")}, ""},
		{"stock-generator", fstest.MapFS{"fhe/internal/lattice/p.go": text("// Package p is made up.\npackage p\nimport _ \"" + boot + "\"\nvar _ = btp.GenEvaluationKeys()\n")}, "mentions GenEvaluationKeys: Lattigo v5's"},
		{"bench-testing-in-stock", fstest.MapFS{"fhe/fhetest/stock/p.go": goFile("std:testing")}, "fhe/fhetest/stock -> std:testing: bench links it"},
		{"no-comment", fstest.MapFS{"ml/p.go": text("package p\n")}, "ml: no package comment"},
		{"two-comments", fstest.MapFS{"ml/a.go": goFile(), "ml/b.go": goFile()}, "ml/a.go and ml/b.go: two package comments"},
		{"comment-of-program", fstest.MapFS{"ml/a.go": goFile(), "ml/b.go": text("// Command b is made up.\npackage main\n")}, ""},
		{"tag-is-no-comment", fstest.MapFS{"ml/p.go": text("//go:build linux\n\npackage p\n")}, "ml: no package comment"},
		{"top-level", fstest.MapFS{"internal/p.go": goFile()}, "internal: the top level is fixed"},
		{"top-level-file", fstest.MapFS{"Makefile": text("")}, "Makefile: the top level is fixed"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := strings.Join(checked(t, tt.tree, rules), "\n")
			if tt.want == "" && got != "" || !strings.Contains(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
	if _, err := load(fstest.MapFS{"ml/p.go": text("not Go")}); err == nil {
		t.Error("a file that does not parse: no error")
	}
}

func TestLayeringDeadRules(t *testing.T) {
	files, err := load(fstest.MapFS{"zk/ckks/p.go": goFile()})
	if err != nil {
		t.Fatal(err)
	}
	table := []rule{{from: "... -gone/...", verb: imports, forbid: "zk/... std:runtime C", why: "reason"}}
	for _, tt := range []struct{ name, future, want string }{
		{"dead", "", "a rule names gone, which does not exist"},
		{"future", "gone", ""},
		{"arrived", "gone zk", "zk is marked future and exists"},
		{"unnamed", "gone other", "other is marked future and no rule names it"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := strings.Join(dead(files, table, strings.Fields(tt.future)), "\n")
			if tt.want == "" && got != "" || !strings.Contains(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// between replaces what stands between the lines "<!-- name:begin -->" and "<!-- name:end -->".
func between(page []byte, name string, body []byte) ([]byte, error) {
	begin, end := []byte("<!-- "+name+":begin -->\n"), []byte("<!-- "+name+":end -->\n")
	head, rest, ok := bytes.Cut(page, begin)
	_, tail, ok2 := bytes.Cut(rest, end)
	if !ok || !ok2 {
		return nil, errors.New("no lines <!-- " + name + ":begin --> and <!-- " + name + ":end -->")
	}
	return slices.Concat(head, begin, body, end, tail), nil
}

// fresh compares the generated part of a page with what it should be, or rewrites it under -update.
func fresh(t *testing.T, page, name string, body []byte) {
	t.Helper()
	have, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	want, err := between(have, name, body)
	if err != nil {
		t.Fatalf("%s: %v", page, err)
	}
	if bytes.Equal(have, want) {
		return
	}
	if !*update {
		t.Fatalf("%s: the part %q is stale: run go test -run 'Fresh$' -update . and read the diff", page, name)
	}
	if err := os.WriteFile(page, want, 0o666); err != nil {
		t.Fatal(err)
	}
}

func TestRulesTableFresh(t *testing.T) {
	code := func(pattern string) string {
		plain, minus := "", ""
		for _, term := range strings.Fields(pattern) {
			if term, ok := strings.CutPrefix(term, "-"); ok {
				minus += " `" + term + "`"
			} else {
				plain += " `" + term + "`"
			}
		}
		if minus != "" {
			minus = " but not" + minus
		}
		return strings.TrimSpace(plain + minus)
	}
	var b bytes.Buffer
	b.WriteString("| packages | never | tests bound too | why |\n|---|---|---|---|\n")
	for _, r := range rules {
		never := string(r.verb) + " " + code(r.forbid)
		if r.beside != "" {
			never += ", in a file that imports " + code(r.beside)
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", code(r.from), never, cmp.Or(code(r.tests), "none"), r.why)
	}
	fresh(t, "docs/architecture.md", "rules", b.Bytes())
}

// A record is the metadata of one decision, from the table at its head.
type record struct{ file, title, number, date, status, supersedes string }

// readRecord reads docs/adr/NNNN-title.md and checks its form.
func readRecord(fsys fs.FS, file string) (record, error) {
	r := record{file: file}
	data, err := fs.ReadFile(fsys, file)
	if err != nil {
		return r, err
	}
	m := regexp.MustCompile(`(?m)\A# ([^\n]+)\n\n\| number \| date \| status \| supersedes \|\n\|[-|]+\|\n\| ([0-9]{4}) \| ([0-9-]{10}) \| ([^|\n]+) \| ([^|\n]+) \|\n`).FindSubmatch(data)
	if m == nil {
		return r, errors.New("the head is not: title, blank line, table of number, date, status, supersedes")
	}
	r.title, r.number, r.date, r.status, r.supersedes = string(m[1]), string(m[2]), string(m[3]), string(m[4]), string(m[5])
	if !strings.HasPrefix(file, r.number+"-") {
		return r, errors.New("the number is " + r.number)
	}
	at := 0
	for _, section := range []string{"Context", "Decision", "Consequences", "Limits"} {
		i := bytes.Index(data[at:], []byte("\n## "+section+"\n"))
		if i < 0 {
			return r, errors.New("no section " + section + ", or out of order")
		}
		at += i
	}
	if n := len(bytes.Fields(data)); n > 1100 {
		return r, fmt.Errorf("%d words; two pages are 1100", n)
	}
	return r, nil
}

func TestDecisionIndexFresh(t *testing.T) {
	fsys := os.DirFS("docs/adr")
	files, err := fs.Glob(fsys, "*")
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	b.WriteString("| number | decision | date | status | supersedes |\n|---|---|---|---|---|\n")
	seen := map[string]string{}
	for _, file := range files {
		if file == "README.md" {
			continue
		}
		if !regexp.MustCompile(`^[0-9]{4}(-[a-z0-9]+)+\.md$`).MatchString(file) {
			t.Errorf("docs/adr/%s: not a decision: the name is NNNN-title.md", file)
			continue
		}
		r, err := readRecord(fsys, file)
		if err != nil {
			t.Errorf("docs/adr/%s: %v", file, err)
			continue
		}
		if other := seen[r.number]; other != "" {
			t.Errorf("docs/adr/%s: number %s belongs to %s", file, r.number, other)
		}
		seen[r.number] = file
		fmt.Fprintf(&b, "| %s | [%s](%s) | %s | %s | %s |\n", r.number, r.title, file, r.date, r.status, r.supersedes)
	}
	fresh(t, "docs/adr/README.md", "index", b.Bytes())
}

func TestDecisionForm(t *testing.T) {
	const head = "# A title\n\n| number | date | status | supersedes |\n|---|---|---|---|\n| 0002 | 2026-11-24 | accepted | none |\n"
	const body = "\n## Context\na\n\n## Decision\nb\n\n## Consequences\nc\n\n## Limits\nd\n"
	for _, tt := range []struct{ name, file, data, want string }{
		{"good", "0002-a.md", head + body, ""},
		{"no-table", "0002-a.md", "# A title\n" + body, "the head is not"},
		{"other-number", "0003-a.md", head + body, "the number is 0002"},
		{"no-limits", "0002-a.md", head + body[:strings.Index(body, "## Limits")], "no section Limits"},
		{"order", "0002-a.md", head + "\n## Decision\nb\n\n## Context\na\n\n## Consequences\nc\n\n## Limits\nd\n", "no section Decision"},
		{"long", "0002-a.md", head + body + strings.Repeat("word ", 1100), "two pages are 1100"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := readRecord(fstest.MapFS{tt.file: text(tt.data)}, tt.file)
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
	page := []byte("a\n<!-- x:begin -->\nold\n<!-- x:end -->\nb\n")
	if got, err := between(page, "x", []byte("new\n")); err != nil || string(got) != "a\n<!-- x:begin -->\nnew\n<!-- x:end -->\nb\n" {
		t.Errorf("got %q, %v", got, err)
	}
	if _, err := between(page, "y", nil); err == nil {
		t.Error("a page without the markers: no error")
	}
}
