package notebook

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"strings"
)

// The notebook format, version 4.5: https://nbformat.readthedocs.io/en/latest/format_description.html. Texts are lists
// of lines that keep their ends.
type (
	file struct {
		Cells         []any        `json:"cells"`
		Metadata      fileMetadata `json:"metadata"`
		NBFormat      int          `json:"nbformat"`
		NBFormatMinor int          `json:"nbformat_minor"`
	}
	fileMetadata struct {
		Kernel   kernel   `json:"kernelspec"`
		Language language `json:"language_info"`
		Title    string   `json:"title"`
	}
	kernel struct {
		DisplayName string `json:"display_name"`
		Language    string `json:"language"`
		Name        string `json:"name"`
	}
	language struct {
		Name      string `json:"name"`
		Extension string `json:"file_extension"`
		Mime      string `json:"mimetype"`
		Version   string `json:"version"`
	}
	markdownCell struct {
		Type     string   `json:"cell_type"`
		ID       string   `json:"id"`
		Metadata struct{} `json:"metadata"`
		Source   []string `json:"source"`
	}
	codeCell struct {
		Type     string   `json:"cell_type"`
		Count    int      `json:"execution_count"`
		ID       string   `json:"id"`
		Metadata struct{} `json:"metadata"`
		Outputs  []any    `json:"outputs"`
		Source   []string `json:"source"`
	}
	streamOutput struct {
		Name string   `json:"name"`
		Type string   `json:"output_type"`
		Text []string `json:"text"`
	}
	displayOutput struct {
		Data     map[string]any `json:"data"`
		Metadata map[string]any `json:"metadata"`
		Type     string         `json:"output_type"`
	}
	size struct {
		Height int `json:"height"`
		Width  int `json:"width"`
	}
)

// WriteIPYNB writes the notebook with the outputs recorded so far as a Jupyter notebook, format 4.5. command is the one
// that runs it, for the reader. The same outputs give the same bytes.
func (r *Recorder) WriteIPYNB(w io.Writer, command string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	f := file{NBFormat: 4, NBFormatMinor: 5, Metadata: fileMetadata{
		// gonb is the Go kernel of https://github.com/janpfeifer/gonb.
		Kernel:   kernel{DisplayName: "Go (gonb)", Language: "go", Name: "gonb"},
		Language: language{Name: "go", Extension: ".go", Mime: "text/x-go", Version: runtime.Version()},
		Title:    r.nb.Name,
	}}
	seen := map[string]int{}
	markdown := func(text string) {
		f.Cells = append(f.Cells, markdownCell{Type: "markdown", ID: cellID(seen, "markdown", text), Source: lines(text)})
	}
	about := fmt.Sprintf("> Written by `%s`. The cells are the body of a Go function, from %s, with what they printed and drew.\n"+
		"> That command runs them; a kernel that takes cells one by one does not.", command, strings.Join(r.nb.Files(), ", "))
	count := 0
	for i, c := range r.nb.Cells {
		if i == 1 || i == 0 && !c.Markdown {
			markdown(about)
		}
		if c.Markdown {
			markdown(c.Source)
			continue
		}
		count++
		cell := codeCell{Type: "code", Count: count, ID: cellID(seen, "code", c.Source), Outputs: []any{}, Source: lines(c.Source)}
		for _, o := range r.outputs[i] {
			cell.Outputs = append(cell.Outputs, o.encode())
		}
		f.Cells = append(f.Cells, cell)
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ") // as Jupyter does
	return enc.Encode(f)
}

func (o output) encode() any {
	if o.stream() {
		return streamOutput{Name: "stdout", Type: "stream", Text: lines(o.text)}
	}
	d := displayOutput{Data: map[string]any{"text/plain": lines(o.text)}, Metadata: map[string]any{}, Type: "display_data"}
	if o.markdown != "" {
		d.Data["text/markdown"] = lines(o.markdown)
	}
	if o.png != nil {
		d.Data["image/png"] = o.png // base64, as package json writes bytes
		d.Metadata["image/png"] = size{o.height, o.width}
	}
	return d
}

// cellID returns the identifier of a cell. It follows from the content, so an inserted cell changes no other's.
func cellID(seen map[string]int, kind, text string) string {
	sum := sha256.Sum256([]byte(kind + "\n" + text))
	id := hex.EncodeToString(sum[:4])
	seen[id]++
	if n := seen[id]; n > 1 {
		id = fmt.Sprintf("%s-%d", id, n)
	}
	return id
}

func lines(text string) []string {
	if text == "" {
		return []string{}
	}
	l := strings.SplitAfter(text, "\n")
	if l[len(l)-1] == "" {
		l = l[:len(l)-1]
	}
	return l
}
