package notebook

import (
	"fmt"
	"path"
	"reflect"
	"runtime"
)

// A Notebook is one source file in cell form, or several whose cells follow each other.
type Notebook struct {
	Name  string
	Cells []Cell

	files []string // of each cell, as the compiler names it
}

// A Source is a file in cell form.
type Source struct {
	Text string // of the file that Func was compiled from
	Func any    // the function of the file whose body the notebook is
}

// New returns the notebook of sources. It fails, naming file and line, where a source is not in cell form.
func New(name string, sources ...Source) (*Notebook, error) {
	nb := &Notebook{Name: name}
	for _, s := range sources {
		f := runtime.FuncForPC(reflect.ValueOf(s.Func).Pointer())
		file, _ := f.FileLine(f.Entry())
		cells, err := parse(s.Text, path.Ext(f.Name())[1:])
		if err != nil {
			return nil, fmt.Errorf("notebook: %s: %w", path.Base(file), err)
		}
		for _, c := range cells {
			nb.Cells = append(nb.Cells, c)
			nb.files = append(nb.files, file)
		}
	}
	return nb, nil
}

// Files returns the names of the sources, without folders, in the order of their cells.
func (n *Notebook) Files() []string {
	var out []string
	for i, f := range n.files {
		if i == 0 || f != n.files[i-1] {
			out = append(out, path.Base(f))
		}
	}
	return out
}

// at returns the index of the code cell that was being executed, given a call stack, innermost call first; -1 if none
// was. It is the outermost line of a cell, so that what a function or closure of the notebook prints belongs to the cell that
// calls it. Where one notebook file calls another, the called one counts.
func (n *Notebook) at(stack []uintptr) int {
	frames := runtime.CallersFrames(stack)
	found, file := -1, ""
	for {
		frame, more := frames.Next()
		if file == "" || frame.File == file {
			for i, c := range n.Cells {
				if n.files[i] == frame.File && !c.Markdown && c.first <= frame.Line && frame.Line <= c.last {
					found, file = i, frame.File
				}
			}
		}
		if !more {
			return found
		}
	}
}
