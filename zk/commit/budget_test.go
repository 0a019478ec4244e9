package commit

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
)

var journalOf = [32]byte{7: 1}

func createBudget(t *testing.T, count int) (path string, b *Budget) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "budget")
	b, err := CreateBudget(path, journalOf, count)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return path, b
}

func reopen(t *testing.T, path string, b *Budget) *Budget {
	t.Helper()
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	b, err := OpenBudget(path, journalOf)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

func TestBudgetCounts(t *testing.T) {
	path, b := createBudget(t, 5)
	for _, tt := range []struct {
		name string
		take func() (int, error)
		left int
		err  error
	}{
		{"reserve", b.Reserve, 4, nil},
		{"forfeit two", func() (int, error) { return b.Forfeit(2) }, 2, nil},
		{"forfeit too many", func() (int, error) { return b.Forfeit(3) }, 2, ErrBudgetSpent},
		{"reserve again", b.Reserve, 1, nil},
		{"reserve the last", b.Reserve, 0, nil},
		{"reserve one more", b.Reserve, 0, ErrBudgetSpent},
		{"forfeit one more", func() (int, error) { return b.Forfeit(1) }, 0, ErrBudgetSpent},
	} {
		left, err := tt.take()
		if left != tt.left || !errors.Is(err, tt.err) {
			t.Errorf("%s: %d left, %v; want %d, %v", tt.name, left, err, tt.left, tt.err)
		}
		if b.Left() != left {
			t.Errorf("%s: Left is %d, want %d", tt.name, b.Left(), left)
		}
	}
	for _, n := range []int{0, -1} {
		if _, err := b.Forfeit(n); err == nil {
			t.Errorf("forfeiting %d units is allowed", n)
		}
	}
	b = reopen(t, path, b)
	if _, err := b.Reserve(); !errors.Is(err, ErrBudgetSpent) || b.Left() != 0 {
		t.Errorf("opened again: %d left, %v", b.Left(), err)
	}
}

func TestBudgetResumes(t *testing.T) {
	path, b := createBudget(t, 10)
	for want := 9; want >= 0; want-- {
		if left, err := b.Reserve(); left != want || err != nil {
			t.Fatalf("%d left, %v; want %d", left, err, want)
		}
		if b = reopen(t, path, b); b.Left() != want {
			t.Fatalf("opened again: %d left, want %d", b.Left(), want)
		}
	}
}

// TestBudgetConcurrent reserves from many goroutines: no unit is given twice.
//
// Soundness: P25.
func TestBudgetConcurrent(t *testing.T) {
	_, b := createBudget(t, 40)
	var wg sync.WaitGroup
	var mu sync.Mutex
	seen := map[int]bool{}
	for range 60 {
		wg.Go(func() {
			left, err := b.Reserve()
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				if seen[left] {
					t.Errorf("%d left, twice", left)
				}
				seen[left] = true
			}
		})
	}
	wg.Wait()
	if len(seen) != 40 {
		t.Errorf("%d units of 40 were given out", len(seen))
	}
}

// TestBudgetTorn cuts the last record short: it counts, and the next one leaves it alone.
//
// Soundness: P12.
func TestBudgetTorn(t *testing.T) {
	for cut := range budgetRecord {
		t.Run(fmt.Sprintf("cut=%d", cut), func(t *testing.T) {
			path, b := createBudget(t, 5)
			for range 2 {
				if _, err := b.Reserve(); err != nil {
					t.Fatal(err)
				}
			}
			if err := os.Truncate(path, int64(budgetHeader+2*budgetRecord-cut)); err != nil {
				t.Fatal(err)
			}
			b = reopen(t, path, b)
			if b.Left() != 3 {
				t.Errorf("%d left, want 3", b.Left())
			}
			if left, err := b.Reserve(); left != 2 || err != nil {
				t.Errorf("%d left, %v; want 2", left, err)
			}
			if b = reopen(t, path, b); b.Left() != 2 {
				t.Errorf("%d left after the next, want 2", b.Left())
			}
		})
	}
}

// TestBudgetLongJournal has more records than units, as a forfeit that was cut short cannot leave.
func TestBudgetLongJournal(t *testing.T) {
	path, b := createBudget(t, 2)
	if err := os.Truncate(path, budgetHeader+100*budgetRecord); err != nil {
		t.Fatal(err)
	}
	if b = reopen(t, path, b); b.Left() != 0 {
		t.Errorf("%d left, want 0", b.Left())
	}
}

func TestBudgetRefuses(t *testing.T) {
	path, b := createBudget(t, 5)
	if _, err := CreateBudget(path, journalOf, 5); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a second journal of one name: %v", err)
	}
	if _, err := OpenBudget(path, journalOf); !errors.Is(err, ErrBudgetInUse) {
		t.Errorf("opened twice: %v", err)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Reserve(); err == nil {
		t.Error("reserved after closing")
	}
	var format *FormatError
	if _, err := OpenBudget(path, [32]byte{}); !errors.As(err, &format) {
		t.Errorf("another commitment's digest: %v", err)
	}
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := range good {
		bad := bytes.Clone(good)
		bad[i] ^= 1
		if err := os.WriteFile(path, bad, 0); err != nil {
			t.Fatal(err)
		}
		if _, err := OpenBudget(path, journalOf); !errors.As(err, &format) {
			t.Errorf("byte %d of the header changed: %v", i, err)
		}
	}
	for n := range budgetHeader {
		if err := os.WriteFile(path, good[:n], 0); err != nil {
			t.Fatal(err)
		}
		if _, err := OpenBudget(path, journalOf); !errors.As(err, &format) {
			t.Errorf("%d bytes of the header: %v", n, err)
		}
	}
	if _, err := OpenBudget(filepath.Join(t.TempDir(), "none"), journalOf); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no journal: %v", err)
	}
	for _, count := range []int{0, -1, maxBudget + 1} {
		path := filepath.Join(t.TempDir(), "budget")
		if _, err := CreateBudget(path, journalOf, count); err == nil {
			t.Errorf("a budget of %d", count)
		}
	}
}

// TestBudgetRestored puts a backup of the journal in its place, in ways that may give it the inode of the old one.
//
// Soundness: P12.
func TestBudgetRestored(t *testing.T) {
	path, b := createBudget(t, 5)
	backup, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Reserve(); err != nil {
		t.Fatal(err)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name    string
		restore func() error
	}{
		{"delete and write", func() error {
			return errors.Join(os.Remove(path), os.WriteFile(path, backup, 0o600))
		}},
		{"rename", func() error {
			return errors.Join(os.WriteFile(path+".new", backup, 0o600), os.Rename(path+".new", path))
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := tt.restore(); err != nil {
				t.Fatal(err)
			}
			if _, err := OpenBudget(path, journalOf); !errors.Is(err, ErrBudgetRestored) {
				t.Errorf("a restored journal: %v", err)
			}
		})
	}
}

// TestBudgetMoved renames the journal, which keeps it what it is.
func TestBudgetMoved(t *testing.T) {
	path, b := createBudget(t, 5)
	if _, err := b.Reserve(); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path, path+".moved"); err != nil {
		t.Fatal(err)
	}
	if b = reopen(t, path+".moved", b); b.Left() != 4 {
		t.Errorf("%d left, want 4", b.Left())
	}
}

// journalVariable names the journal that a child process reserves from.
const journalVariable = "SIGNET_TEST_JOURNAL"

// TestMain is the child of TestBudgetCrash and TestBudgetProcesses if the variable is set: it reserves a unit and dies
// before it could release a proof, without closing.
func TestMain(m *testing.M) {
	path := os.Getenv(journalVariable)
	if path == "" {
		os.Exit(m.Run())
	}
	b, err := OpenBudget(path, journalOf)
	if errors.Is(err, ErrBudgetInUse) {
		os.Exit(3)
	}
	if err != nil {
		os.Exit(4)
	}
	if _, err := b.Reserve(); err != nil {
		os.Exit(5)
	}
	p, err := os.FindProcess(os.Getpid())
	if err != nil {
		os.Exit(6)
	}
	p.Kill()
	select {}
}

func child(t *testing.T, path string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), journalVariable+"="+path)
	return cmd
}

// TestBudgetCrash kills a process between counting and releasing.
//
// Soundness: P11.
func TestBudgetCrash(t *testing.T) {
	path, b := createBudget(t, 5)
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	for want := 4; want >= 2; want-- {
		out, err := child(t, path).CombinedOutput()
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.Exited() {
			t.Fatalf("the child was not killed: %v\n%s", err, out)
		}
		if b, err = OpenBudget(path, journalOf); err != nil {
			t.Fatal(err)
		}
		if b.Left() != want {
			t.Errorf("%d left, want %d", b.Left(), want)
		}
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestBudgetProcesses opens one journal in two processes.
//
// Soundness: P12.
func TestBudgetProcesses(t *testing.T) {
	path, b := createBudget(t, 5)
	out, err := child(t, path).CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 3 {
		t.Errorf("a second process: %v, want exit status 3\n%s", err, out)
	}
	if b.Left() != 5 {
		t.Errorf("%d left, want 5", b.Left())
	}
}

func FuzzOpenBudget(f *testing.F) {
	id := identity{inode: 5, born: 6}
	f.Add(header(journalOf, 5, id))
	f.Add(append(header(journalOf, 5, id), 1, 2, 3))
	f.Add(header(journalOf, 5, id)[:40])
	dir := f.TempDir()
	n := 0
	f.Fuzz(func(t *testing.T, data []byte) {
		n++
		path := filepath.Join(dir, strconv.Itoa(n))
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		defer os.Remove(path)
		b, err := OpenBudget(path, journalOf)
		if err == nil {
			b.Close()
			t.Fatal("a file that nobody made as a journal opens")
		}
		var format *FormatError
		if !errors.As(err, &format) && !errors.Is(err, ErrBudgetRestored) {
			t.Fatalf("error %v", err)
		}
	})
}
