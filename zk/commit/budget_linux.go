package commit

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// identify returns the file's inode and time of birth, which together no other file of its file system ever has: the
// number alone is used again once a file is deleted. Where times of birth are not kept it is zero. The device's number
// is left out, since it may change when a machine restarts.
func identify(f *os.File) (identity, error) {
	var x unix.Statx_t
	if err := unix.Statx(int(f.Fd()), "", unix.AT_EMPTY_PATH, unix.STATX_INO|unix.STATX_BTIME, &x); err != nil {
		return identity{}, fmt.Errorf("commit: identify the budget's file: %w", err)
	}
	id := identity{inode: x.Ino}
	if x.Mask&unix.STATX_BTIME != 0 {
		id.born = x.Btime.Sec*1e9 + int64(x.Btime.Nsec)
	}
	return id, nil
}
