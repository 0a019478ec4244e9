// Package files reads and writes the files in which the steps of an example meet, and says of one that cannot be used
// which step makes it.
package files

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/ml/fixedpoint"
	"github.com/signet-ml/signet/ml/report"
	"github.com/signet-ml/signet/zk"
	"github.com/signet-ml/signet/zk/commit"
)

// Error says which file a step could not use and what to do about it.
type Error struct {
	Path string // folder and name: "public/program"
	Step string // the step that makes the file
	Err  error
}

// NewError returns the error of a step's file.
func NewError(path, step string, err error) error {
	return &Error{filepath.Base(filepath.Dir(path)) + "/" + filepath.Base(path), step, err}
}

func (e *Error) Error() string {
	switch {
	case errors.Is(e.Err, fs.ErrNotExist):
		return fmt.Sprintf("%s does not exist: run stage %s first", e.Path, e.Step)
	case is[*fhe.MismatchError](e.Err), is[*MismatchError](e.Err):
		return fmt.Sprintf("%s does not belong to the other files (%v): run stage %s again", e.Path, e.Err, e.Step)
	case is[*fhe.FormatError](e.Err), is[*zk.FormatError](e.Err), is[*commit.FormatError](e.Err), is[*fixedpoint.FormatError](e.Err), is[*FormatError](e.Err):
		return fmt.Sprintf("%s is damaged (%v): run stage %s again", e.Path, e.Err, e.Step)
	}
	return fmt.Sprintf("%s: %v", e.Path, e.Err)
}

func is[T error](err error) bool {
	var target T
	return errors.As(err, &target)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// FormatError reports bytes that are not what a file should hold. Err, when set, is the error underneath.
type FormatError struct {
	Reason string
	Err    error
}

func (e *FormatError) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("%s: %v", e.Reason, e.Err)
	}
	return e.Reason
}

// Unwrap returns the error underneath, or nil.
func (e *FormatError) Unwrap() error { return e.Err }

// MismatchError says that a file is a good one, but not one of these.
type MismatchError struct{ With string }

func (e *MismatchError) Error() string { return "it is not the one of " + e.With }

// Read opens a file that a step makes and gives it to f, whose error it explains.
func Read[T any](path, step string, f func(io.Reader) (T, error)) (T, error) {
	var zero T
	file, err := os.Open(path)
	if err != nil {
		return zero, NewError(path, step, err)
	}
	defer file.Close()
	v, err := f(bufio.NewReaderSize(file, 1<<20))
	if err != nil {
		return zero, NewError(path, step, err)
	}
	return v, nil
}

// Write writes a file whole or not at all, making its folder, which is its owner's alone if the file is.
func Write(path string, mode os.FileMode, f func(io.Writer) error) error {
	dirMode := os.FileMode(0o755)
	if mode == 0o600 {
		dirMode = 0o700
	}
	if err := os.MkdirAll(filepath.Dir(path), dirMode); err != nil {
		return err
	}
	return report.WriteFile(path, mode, func(w io.Writer) error {
		bw := bufio.NewWriterSize(w, 1<<20)
		if err := f(bw); err != nil {
			return err
		}
		return bw.Flush()
	})
}
