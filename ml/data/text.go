package data

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/signet-ml/signet/ml/internal/sniff"
)

const mark = "\ufeff" // byte-order mark, which some programs put in front of UTF-8

// windowLen is how much of a table is looked at before its first line is read.
const windowLen = 1 << 16

// textReader returns a reader of the table in r, and the first lines of what it will read.
// It skips a byte-order mark and fails when the bytes are no text in UTF-8.
func textReader(r io.Reader) (io.Reader, []byte, error) {
	br := bufio.NewReaderSize(r, windowLen)
	head, err := br.Peek(windowLen)
	whole := err != nil
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, nil, err
	}
	if err := checkText(head); err != nil {
		return nil, nil, &CSVError{Line: 1, Err: err}
	}
	if bytes.HasPrefix(head, []byte(mark)) {
		if _, err := br.Discard(len(mark)); err != nil {
			return nil, nil, err
		}
		head = head[len(mark):]
	}
	head = endLines(bytes.Clone(head), 0) // the buffer that it lies in goes on to other bytes
	if i := bytes.LastIndexByte(head, '\n'); !whole && i > 0 {
		head = head[:i+1]
	}
	return &lineReader{br}, head, nil
}

// checkText says what bytes are that start no table.
func checkText(head []byte) error {
	kind := sniff.Of(head[:min(len(head), sniff.Len)])
	switch {
	case kind == sniff.UTF16:
		return fmt.Errorf("%s: save the table as UTF-8 (\"CSV UTF-8\" in Excel)", kind)
	case kind != sniff.Unknown:
		return fmt.Errorf("%s, not a table in text: %s", kind, kind.Remedy("export the table as comma-separated text in UTF-8"))
	case bytes.IndexByte(head, 0) >= 0:
		return errors.New("bytes of zero, so this is not text: export the table as comma-separated text in UTF-8")
	}
	return nil
}

// lineReader reads lines that end in a carriage return alone, as old spreadsheets write
// them, as if they ended in a line feed. encoding/csv would take the file for one line.
type lineReader struct{ r *bufio.Reader }

func (l *lineReader) Read(p []byte) (int, error) {
	n, err := l.r.Read(p)
	if n == 0 {
		return n, err
	}
	var next byte // at the end of the file no line feed follows
	if p[n-1] == '\r' {
		if b, err := l.r.Peek(1); err == nil {
			next = b[0]
		}
	}
	endLines(p[:n], next)
	return n, err
}

// endLines turns each carriage return that no line feed follows into one, in place, and
// returns b. The byte after b is next.
func endLines(b []byte, next byte) []byte {
	for i := len(b) - 1; i >= 0; i-- {
		c := b[i]
		if c == '\r' && next != '\n' {
			b[i] = '\n'
		}
		next = c
	}
	return b
}
