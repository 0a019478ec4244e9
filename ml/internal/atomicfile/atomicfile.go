// Package atomicfile writes files of which a reader sees all or nothing, for the packages of ml.
package atomicfile

import (
	"io"
	"os"
	"path/filepath"
)

// Write writes a file through write, under a temporary name in the same folder that becomes path when all is written
// and on disk: path holds either the old content or all of the new one, after a crash of the machine as well. When it
// fails the temporary file is gone. The mode is the file's, whatever the umask; until then only the user can read it.
func Write(path string, mode os.FileMode, write func(io.Writer) error) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".tmp-"+filepath.Base(path)+"-*") // mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			f.Close() // fails harmlessly after the Close below
			os.Remove(f.Name())
		}
	}()
	if err := write(f); err != nil {
		return err
	}
	if err := f.Chmod(mode); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
