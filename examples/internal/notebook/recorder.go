package notebook

import (
	"bytes"
	"fmt"
	"image"
	_ "image/png" // Image reads the size of a picture
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/signet-ml/signet/ml/report"
)

// A Recorder passes on what a notebook prints and draws, and keeps it for the cell that was being executed. It is safe
// for concurrent use.
type Recorder struct {
	*record
	dir    string
	images []string
}

// record is what the recorders of one run share.
type record struct {
	nb *Notebook
	w  io.Writer

	mu      sync.Mutex
	outputs [][]output // of each cell
	last    int        // cell of the output before
}

// output is text, or a picture or table with its text.
type output struct {
	text     string
	markdown string
	png      []byte
	width    int
	height   int
}

func (o output) stream() bool { return o.png == nil && o.markdown == "" }

// Record returns a recorder for one run. It prints to w and writes pictures below the folder dir, which exists.
func (n *Notebook) Record(w io.Writer, dir string) *Recorder {
	r := &record{nb: n, w: w, outputs: make([][]output, len(n.Cells))}
	for i, c := range n.Cells { // where a call comes from no cell before any has
		if !c.Markdown {
			r.last = i
			break
		}
	}
	return &Recorder{record: r, dir: dir}
}

// Sub returns a recorder of the same run that writes pictures into a folder of its own, which it makes.
func (r *Recorder) Sub(dir string) (*Recorder, error) {
	s := &Recorder{record: r.record, dir: filepath.Join(r.dir, dir)}
	return s, os.MkdirAll(s.dir, 0o755)
}

// Dir returns the folder for files.
func (r *Recorder) Dir() string { return r.dir }

// Images returns the names of the pictures that were written into Dir.
func (r *Recorder) Images() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string(nil), r.images...)
}

// Printf formats and prints. A line ends with "\n", as in package fmt.
func (r *Recorder) Printf(format string, args ...any) { r.print(fmt.Sprintf(format, args...)) }

// Println prints its operands with spaces between them.
func (r *Recorder) Println(args ...any) { r.print(fmt.Sprintln(args...)) }

// Write prints p.
func (r *Recorder) Write(p []byte) (int, error) {
	r.print(string(p))
	return len(p), nil
}

// Say prints a topic in a narrow column and text beside it, indented where it has several lines.
func (r *Recorder) Say(topic, format string, args ...any) {
	const width = 9
	text := strings.ReplaceAll(fmt.Sprintf(format, args...), "\n", "\n  "+strings.Repeat(" ", width))
	r.print(fmt.Sprintf("  %-*s%s\n", width, topic, text))
}

func (r *record) print(text string) {
	if text != "" {
		r.add(text, output{text: text})
	}
}

// Table prints a table; every row has as many fields as the header. Columns of numbers are set to the right. A terminal
// shows empty lines around it.
func (r *Recorder) Table(header []string, rows ...[]string) {
	width := make([]int, len(header))
	right := make([]bool, len(header))
	for k, h := range header {
		width[k], right[k] = utf8.RuneCountInString(h), len(rows) > 0
		for _, row := range rows {
			width[k] = max(width[k], utf8.RuneCountInString(row[k]))
			right[k] = right[k] && (row[k] == "" || strings.ContainsAny(row[k][:1], "0123456789-+.<>"))
		}
	}
	var plain, md strings.Builder
	line := func(fields []string) {
		var s strings.Builder
		for k, f := range fields {
			pad := strings.Repeat(" ", width[k]-utf8.RuneCountInString(f))
			if right[k] {
				s.WriteString("  " + pad + f)
			} else {
				s.WriteString("  " + f + pad)
			}
			md.WriteString("| " + strings.NewReplacer("|", `\|`, "\n", " ").Replace(f) + " ")
		}
		plain.WriteString(strings.TrimRight(s.String(), " ") + "\n")
		md.WriteString("|\n")
	}
	line(header)
	for k := range header {
		md.WriteString(map[bool]string{true: "|---:", false: "|---"}[right[k]])
	}
	md.WriteString("|\n")
	for _, row := range rows {
		line(row)
	}
	r.add("\n"+plain.String()+"\n", output{text: plain.String(), markdown: md.String()})
}

// Image writes a picture, a PNG, as the file name of Dir. alt says in words what it shows.
func (r *Recorder) Image(name, alt string, png []byte) error {
	size, format, err := image.DecodeConfig(bytes.NewReader(png))
	if err != nil || format != "png" || name != filepath.Base(name) {
		return fmt.Errorf("notebook: picture %q: not the base name of a PNG, or its content is none: %v", name, err)
	}
	err = report.WriteFile(filepath.Join(r.dir, name), 0o644, func(w io.Writer) error { _, err := w.Write(png); return err })
	if err != nil {
		return fmt.Errorf("notebook: picture: %w", err)
	}
	text := fmt.Sprintf("%s (%s)", alt, name)
	r.add("", output{text: text, png: png, width: size.Width, height: size.Height})
	r.mu.Lock()
	defer r.mu.Unlock()
	r.images = append(r.images, name)
	return nil
}

// add prints text and keeps o for the cell being executed.
func (r *record) add(text string, o output) {
	stack := make([]uintptr, 64)
	stack = stack[:runtime.Callers(2, stack)]
	r.mu.Lock()
	defer r.mu.Unlock()
	io.WriteString(r.w, text) // as fmt.Print: a terminal that is gone does not stop the run
	if len(r.outputs) == 0 {
		return
	}
	if i := r.nb.at(stack); i >= 0 {
		r.last = i
	}
	cell := &r.outputs[r.last]
	if n := len(*cell); n > 0 && o.stream() && (*cell)[n-1].stream() {
		(*cell)[n-1].text += o.text
		return
	}
	*cell = append(*cell, o)
}
