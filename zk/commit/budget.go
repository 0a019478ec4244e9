package commit

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
)

// Errors of budgets that callers branch on.
var (
	// ErrBudgetSpent says that no proof is left: commit again with fresh blinds.
	ErrBudgetSpent = errors.New("commit: the budget of proofs is spent")
	// ErrBudgetRestored says that the journal is a copy, so proofs may have been made that it does not know of. It
	// counts as spent: commit again with fresh blinds.
	ErrBudgetRestored = errors.New("commit: the journal of the budget is a copy")
	// ErrBudgetInUse says that another Budget, perhaps of another process, has the journal open.
	ErrBudgetInUse = errors.New("commit: the budget is in use")
)

// A Budget counts the proofs that may still be made about one commitment, in a journal on disk. A unit is reserved
// before its proof exists and never given back, so that a crash loses units and reveals nothing. It is safe for
// concurrent use; a journal is open once at a time, in all processes.
//
// The journal is a header and one record a unit, appended and flushed to disk. A record that was cut short counts. The
// header names the file's own inode and time of birth: a journal that was copied, moved between file systems or
// restored from a backup is refused. What it cannot notice is a whole disk or virtual machine set back to an earlier
// state, or an older content written into the same file: do not restore what holds journals. On systems other than
// Linux, macOS and FreeBSD there is neither this check nor the lock.
type Budget struct {
	mu     sync.Mutex
	file   *os.File
	covers [32]byte
	count  int
	spent  int
	err    error // once set, nothing can be reserved
}

// The journal's header: magic, version, whose blinds, count, inode, time of birth, SHA-256 of all before.
const (
	budgetMagic   = "SGBJ"
	budgetVersion = 1
	budgetHeader  = 4 + 1 + 32 + 3*8 + sha256.Size
	budgetRecord  = 8       // the unit's number
	maxBudget     = 1 << 32 // units
)

// An identity tells a file from its copies. born is in nanoseconds since 1970.
type identity struct {
	inode uint64
	born  int64
}

// CreateBudget makes a journal for count proofs with the blinds of one commitment, whose Blinds are given, and opens
// it. It fails if the file exists.
func CreateBudget(path string, blinds [32]byte, count int) (*Budget, error) {
	if count < 1 || int64(count) > maxBudget {
		return nil, fmt.Errorf("commit: a budget of %d proofs: want 1 to 2^32", count)
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	b := &Budget{file: file, covers: blinds, count: count}
	if err := b.begin(path); err != nil {
		return nil, errors.Join(err, file.Close(), os.Remove(path))
	}
	return b, nil
}

func (b *Budget) begin(path string) error {
	if err := lock(b.file); err != nil {
		return err
	}
	id, err := identify(b.file)
	if err != nil {
		return err
	}
	if _, err := b.file.Write(header(b.covers, b.count, id)); err != nil {
		return err
	}
	if err := b.file.Sync(); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(path)) // or the file itself may be gone after a crash
}

func header(blinds [32]byte, count int, id identity) []byte {
	h := append([]byte(budgetMagic), budgetVersion)
	h = append(h, blinds[:]...)
	for _, x := range []uint64{uint64(count), id.inode, uint64(id.born)} {
		h = binary.BigEndian.AppendUint64(h, x)
	}
	sum := sha256.Sum256(h)
	return append(h, sum[:]...)
}

// OpenBudget opens the journal for the blinds of one commitment. It fails with ErrBudgetInUse, ErrBudgetRestored, or a
// *FormatError if the file is no journal or one for another commitment. A spent journal opens.
func OpenBudget(path string, blinds [32]byte) (*Budget, error) {
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	b := &Budget{file: file, covers: blinds}
	if err := b.resume(); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return b, nil
}

func (b *Budget) resume() error {
	if err := lock(b.file); err != nil {
		return err
	}
	h := make([]byte, budgetHeader)
	if _, err := io.ReadFull(b.file, h); err != nil {
		return badFormat("budget", "the header is incomplete: %v", err)
	}
	d := &decoder{what: "budget", b: h}
	d.checksum()
	d.magic(budgetMagic)
	d.version(budgetVersion)
	if !bytes.Equal(d.take(len(b.covers)), b.covers[:]) {
		d.fail("it belongs to another commitment")
	}
	count, born := d.int64(), identity{uint64(d.int64()), d.int64()}
	if count < 1 || count > maxBudget {
		d.fail("a count of %d", count)
	}
	if err := d.end(); err != nil {
		return err
	}
	if id, err := identify(b.file); err != nil {
		return err
	} else if id != born {
		return ErrBudgetRestored
	}
	info, err := b.file.Stat()
	if err != nil {
		return err
	}
	b.count = int(count)
	b.spent = int(min(count, (info.Size()-budgetHeader+budgetRecord-1)/budgetRecord))
	return nil
}

// Covers returns Blinds of the commitment whose proofs are counted.
func (b *Budget) Covers() [32]byte { return b.covers }

// Left returns how many proofs may still be made.
func (b *Budget) Left() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.count - b.spent
}

// Reserve takes one unit for a proof and returns how many are left after it. When it returns without an error the unit
// is on disk as spent. It fails with ErrBudgetSpent, or with what kept it from writing: then the unit is lost, and so
// is the use of b, which must be closed and opened again.
func (b *Budget) Reserve() (left int, err error) { return b.take(1) }

// Forfeit spends n units at once without proofs and returns how many are left: to give them to another machine, which
// makes a journal of n units of its own with CreateBudget. It fails like Reserve, with ErrBudgetSpent if fewer than n
// are left.
func (b *Budget) Forfeit(n int) (left int, err error) {
	if n < 1 {
		return b.Left(), fmt.Errorf("commit: forfeit %d units: want at least one", n)
	}
	return b.take(n)
}

func (b *Budget) take(n int) (left int, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	left = b.count - b.spent
	switch {
	case b.err != nil:
		return left, b.err
	case n > left:
		return left, ErrBudgetSpent
	}
	records := make([]byte, 0, n*budgetRecord)
	for i := range n {
		records = binary.BigEndian.AppendUint64(records, uint64(b.spent+i))
	}
	// A record that a crash cut short is left as it is: the next begins where it would have ended.
	at := int64(budgetHeader + b.spent*budgetRecord)
	b.spent += n
	if _, err := b.file.WriteAt(records, at); err != nil {
		b.err = fmt.Errorf("commit: reserve a proof: %w", err)
	} else if err := b.file.Sync(); err != nil {
		// A second attempt may succeed without having written what the first one lost.
		b.err = fmt.Errorf("commit: reserve a proof: %w", err)
	}
	return b.count - b.spent, b.err
}

// Close releases the journal. Nothing can be reserved afterwards.
func (b *Budget) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err == nil {
		b.err = os.ErrClosed
	}
	return b.file.Close()
}
