package notebook

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"math"
	"strings"
)

// A Cell is a piece of a notebook.
type Cell struct {
	Markdown bool
	Source   string // without the indentation that its lines share, without blank lines at its ends

	first, last int // lines of the file, from 1
}

const marker = "// %%"

// parse splits a source file into cells. What stands before the first marker belongs to no cell, and neither do the
// first and the last line of the function called body, nor what follows it without a marker. Cells without content are
// left out.
func parse(text, body string) ([]Cell, error) {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "", text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, fmt.Errorf("line %w", err)
	}
	line := func(p token.Pos) int { return fset.Position(p).Line }
	hidden := map[int]bool{} // lines of the body's frame
	var from, to int         // first and last line of the body
	for _, d := range file.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok || f.Name.Name != body {
			continue
		}
		for i := line(f.Pos()); i <= line(f.Body.Lbrace); i++ {
			hidden[i] = true
		}
		if f.Doc != nil { // a marker right above the function counts as its documentation and is none
			for _, c := range f.Doc.List {
				hidden[line(c.Pos())] = hidden[line(c.Pos())] || !strings.HasPrefix(c.Text, marker)
			}
		}
		from, to = line(f.Body.Lbrace), line(f.Body.Rbrace)
		hidden[to] = true
	}
	if len(hidden) == 0 {
		return nil, fmt.Errorf("there is no function %s", body)
	}

	lines := strings.Split(text, "\n")
	raw := rawLines(text)
	var cells []Cell
	add := func(c Cell) error {
		if from <= c.first && c.first <= to {
			c.last = min(c.last, to)
		}
		var err error
		if c.Source, err = content(lines, c, hidden, raw); err == nil && c.Source != "" {
			cells = append(cells, c)
		}
		return err
	}
	var cur *Cell
	for _, group := range file.Comments {
		for _, c := range group.List {
			kind, ok := strings.CutPrefix(c.Text, marker)
			if !ok {
				continue
			}
			at := line(c.Pos())
			if cur != nil {
				cur.last = at - 1
				if err := add(*cur); err != nil {
					return nil, err
				}
			}
			switch kind = strings.TrimSpace(kind); kind {
			case "", "[markdown]":
			default:
				return nil, fmt.Errorf("line %d: a cell is marked %q or %q, not %q", at, marker, marker+" [markdown]", c.Text)
			}
			cur = &Cell{Markdown: kind != "", first: at}
		}
	}
	if cur == nil {
		return nil, fmt.Errorf("there is no cell: no line %q", marker)
	}
	cur.last = len(lines)
	return cells, add(*cur)
}

// content returns what a cell shows.
func content(lines []string, c Cell, hidden, raw map[int]bool) (string, error) {
	var shown []int
	shared := math.MaxInt // tabs that all lines start with
	for i := c.first + 1; i <= c.last; i++ {
		if hidden[i] {
			continue
		}
		shown = append(shown, i)
		l := lines[i-1]
		if strings.TrimSpace(l) != "" && !raw[i] {
			shared = min(shared, len(l)-len(strings.TrimLeft(l, "\t")))
		}
	}
	var out []string
	for _, i := range shown {
		l := lines[i-1]
		if !raw[i] {
			l = l[min(shared, len(l)):]
		}
		if c.Markdown {
			text, ok := strings.CutPrefix(l, "//")
			if !ok && l != "" {
				return "", fmt.Errorf("line %d: a Markdown cell holds comment lines only", i)
			}
			l = strings.TrimPrefix(text, " ")
		}
		out = append(out, l)
	}
	return strings.Trim(strings.Join(out, "\n"), "\n"), nil
}

// rawLines returns the lines that begin inside a raw string: their tabs are part of it.
func rawLines(text string) map[int]bool {
	raw := map[int]bool{}
	var s scanner.Scanner
	fset := token.NewFileSet()
	file := fset.AddFile("", -1, len(text))
	s.Init(file, []byte(text), nil, 0)
	for {
		pos, tok, lit := s.Scan()
		if tok == token.EOF {
			return raw
		}
		if tok == token.STRING {
			for i := range strings.Count(lit, "\n") {
				raw[file.Line(pos)+i+1] = true
			}
		}
	}
}
