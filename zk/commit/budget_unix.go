//go:build darwin || freebsd || linux

package commit

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// lock takes the file for this open file alone, until it is closed.
func lock(f *os.File) error {
	err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return ErrBudgetInUse
	}
	if err != nil {
		return fmt.Errorf("commit: lock the budget: %w", err)
	}
	return nil
}

// syncFolder makes a new file's name last.
func syncFolder(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
