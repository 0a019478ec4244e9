package atomicfile

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

func TestWrite(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a")
	write := func(text string, mode os.FileMode, fail error) error {
		return Write(path, mode, func(w io.Writer) error {
			_, err := io.WriteString(w, text)
			return errors.Join(err, fail)
		})
	}
	holds := func(text string, mode os.FileMode) {
		t.Helper()
		b, err := os.ReadFile(path)
		if err != nil || string(b) != text {
			t.Errorf("%q, %v, want %q", b, err, text)
		}
		if info, err := os.Stat(path); err != nil || runtime.GOOS != "windows" && info.Mode() != mode {
			t.Errorf("%v, %v, want %v", info.Mode(), err, mode)
		}
		if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
			t.Errorf("%v, %v, want one file", entries, err)
		}
	}
	if err := write("one", 0o600, nil); err != nil {
		t.Fatal(err)
	}
	holds("one", 0o600)
	if err := write("two", 0o644, nil); err != nil {
		t.Fatal(err)
	}
	holds("two", 0o644)
	if err := write("three", 0o644, io.ErrClosedPipe); !errors.Is(err, io.ErrClosedPipe) {
		t.Error(err)
	}
	holds("two", 0o644)

	if err := Write(filepath.Join(dir, "absent", "a"), 0o600, func(io.Writer) error { return nil }); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a folder that is not there: %v", err)
	}
	path = filepath.Join(dir, "folder")
	if err := os.Mkdir(path, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := write("four", 0o600, nil); err == nil {
		t.Error("a folder was replaced by a file")
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 2 {
		t.Errorf("%v, %v: what could not be renamed was left", entries, err)
	}
}
