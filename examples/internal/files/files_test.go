package files_test

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/signet-ml/signet/examples/internal/files"
	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/ml/fixedpoint"
	"github.com/signet-ml/signet/zk"
	"github.com/signet-ml/signet/zk/commit"
)

func TestError(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want string
	}{
		{fmt.Errorf("open: %w", fs.ErrNotExist), "public/vk.bin does not exist: run stage setup first"},
		{&files.MismatchError{With: "the rest"}, "public/vk.bin does not belong to the other files (it is not the one of the rest): run stage setup again"},
		{&fhe.MismatchError{What: "program", Want: "a", Have: "b"}, "public/vk.bin does not belong to the other files (" + (&fhe.MismatchError{What: "program", Want: "a", Have: "b"}).Error() + "): run stage setup again"},
		{&files.FormatError{Reason: "no line", Err: io.EOF}, "public/vk.bin is damaged (no line: EOF): run stage setup again"},
		{&zk.FormatError{What: "proof", Reason: "too short"}, "public/vk.bin is damaged (zk: proof: too short): run stage setup again"},
		{&commit.FormatError{What: "opening", Reason: "odd"}, "public/vk.bin is damaged (commit: read opening: odd): run stage setup again"},
		{&fixedpoint.FormatError{Reason: "odd"}, "public/vk.bin is damaged (fixedpoint: model file: odd): run stage setup again"},
		{io.ErrUnexpectedEOF, "public/vk.bin: unexpected EOF"},
	} {
		err := files.NewError("/a/b/public/vk.bin", "setup", tt.err)
		if err.Error() != tt.want {
			t.Errorf("%T: %q, want %q", tt.err, err, tt.want)
		}
		if !errors.Is(err, tt.err) {
			t.Errorf("%T is not in the error", tt.err)
		}
	}
}

func TestReadWrite(t *testing.T) {
	path := filepath.Join(t.TempDir(), "secret", "key")
	read := func() (string, error) {
		return files.Read(path, "make", func(r io.Reader) (string, error) {
			b, err := io.ReadAll(r)
			return string(b), err
		})
	}
	var missing *files.Error
	if _, err := read(); !errors.As(err, &missing) || missing.Path != "secret/key" || missing.Step != "make" {
		t.Errorf("a file that is not there: %v", err)
	}
	write := func(text string, fail error) error {
		return files.Write(path, 0o600, func(w io.Writer) error {
			_, err := io.WriteString(w, text)
			return errors.Join(err, fail)
		})
	}
	if err := write("one", nil); err != nil {
		t.Fatal(err)
	}
	if st, err := os.Stat(filepath.Dir(path)); err != nil || st.Mode().Perm() != 0o700 {
		t.Errorf("the folder of a private file has mode %v: %v", st.Mode(), err)
	}
	broken := errors.New("broken")
	if err := write("two", broken); !errors.Is(err, broken) {
		t.Errorf("a write that fails: %v", err)
	}
	if got, err := read(); err != nil || got != "one" {
		t.Errorf("after a write that failed: %q, %v", got, err)
	}
	if left, err := os.ReadDir(filepath.Dir(path)); err != nil || len(left) != 1 {
		t.Errorf("%d files are left: %v", len(left), err)
	}
}
