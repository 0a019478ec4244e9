//go:build darwin || freebsd

package commit

import (
	"errors"
	"os"
	"syscall"
)

// identify returns the file's inode and time of birth, which together no other file of its file system ever has: the
// number alone is used again once a file is deleted. The device's number is left out, since it may change when a
// machine restarts.
func identify(f *os.File) (identity, error) {
	info, err := f.Stat()
	if err != nil {
		return identity{}, err
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return identity{}, errors.New("commit: the budget's file has no inode")
	}
	return identity{inode: uint64(stat.Ino), born: stat.Birthtimespec.Nano()}, nil
}
