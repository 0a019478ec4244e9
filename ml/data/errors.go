package data

import (
	"errors"
	"fmt"
	"strings"
)

// ErrLimit is wrapped by the error of a reader that met more bytes, after
// decompression, than its limit allows. Raise the limit if the file is trusted.
var ErrLimit = errors.New("data: more bytes than the limit allows")

// FormatError reports an IDX file that is not well formed. Err, when set, is the
// error underneath: io.ErrUnexpectedEOF for a truncated file, [ErrLimit] for a large
// one, or an error of gzip.
type FormatError struct {
	Name   string // file name, empty for a reader
	Reason string
	Err    error
}

func (e *FormatError) Error() string {
	s := "data: "
	if e.Name != "" {
		s += e.Name + ": "
	}
	s += e.Reason
	if e.Err != nil {
		s += ": " + strings.TrimPrefix(e.Err.Error(), "data: ")
	}
	return s
}

// Unwrap returns the error underneath, or nil.
func (e *FormatError) Unwrap() error { return e.Err }

// CSVError reports a table that cannot be read and the place where reading stopped.
type CSVError struct {
	Name   string // file name, empty for a reader
	Line   int    // from 1; 0 when the error has no line
	Column int    // from 1; 0 when the error concerns the line
	Field  string // name of the column, empty when it has none
	Err    error
}

func (e *CSVError) Error() string {
	s := "data: "
	if e.Name != "" {
		s += e.Name + ": "
	}
	if e.Line > 0 {
		s += fmt.Sprintf("line %d: ", e.Line)
	}
	if e.Column > 0 {
		s += fmt.Sprintf("column %d", e.Column)
		if e.Field != "" {
			s += fmt.Sprintf(" (%q)", e.Field)
		}
		s += ": "
	}
	return s + strings.TrimPrefix(e.Err.Error(), "data: ")
}

// Unwrap returns the error underneath.
func (e *CSVError) Unwrap() error { return e.Err }

// MissingFileError reports a folder without a file that a loader needs. It matches
// fs.ErrNotExist under errors.Is.
type MissingFileError struct {
	Dir   string   // folder that was given
	Tried []string // paths that were looked for
	Hint  string   // where the file comes from
	Err   error
}

func (e *MissingFileError) Error() string {
	return fmt.Sprintf("data: nothing usable in %q (looked for %s): %s", e.Dir, strings.Join(e.Tried, ", "), e.Hint)
}

// Unwrap returns the error of opening the file.
func (e *MissingFileError) Unwrap() error { return e.Err }
