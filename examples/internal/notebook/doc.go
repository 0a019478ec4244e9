// Package notebook runs Go source files in cell form and exports them as Jupyter notebooks with their outputs.
//
// A notebook is an ordinary Go file, compiled and vetted like every other. A line "// %%" starts a code cell, a line
// "// %% [markdown]" a cell of Markdown, written as comment lines. One function of the file is the notebook's body:
//
//	//go:embed iris.go
//	var source string
//
//	nb, err := notebook.New("iris", notebook.Source{Text: source, Func: Run})
//	r := nb.Record(os.Stdout, "out")
//	err = Run(ctx, r)  // prints, and writes pictures into out
//	err = r.WriteIPYNB(f)
//
// The function prints through the Recorder, which passes everything on to the terminal and keeps it for the cell that
// was being executed: the one that holds the line of the body, found in the call stack. So a notebook contains no
// code about cells.
//
// An exported notebook is for reading. Its cells are the body of one function, so a Go kernel cannot run them one by
// one; the command that it names in its second cell runs them all.
package notebook
