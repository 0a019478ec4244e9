package ui

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"
)

func TestBars(t *testing.T) {
	defer goleak.VerifyNone(t)
	var b bytes.Buffer
	for range 2 { // one bar after the other
		set, done := Bars{&b}.Start("work", 3)
		for i := range 4 {
			set(i)
		}
		done()
	}
	set, done := Bars{&b}.Start("stopped early", 100)
	set(1)
	done()
}

func TestSilent(t *testing.T) {
	defer goleak.VerifyNone(t)
	f, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	set, done := ForTerminal(f).Start("work", 3)
	set(2)
	done()
	if st, err := f.Stat(); err != nil || st.Size() != 0 {
		t.Errorf("a file that is no terminal: %v bytes, %v", st.Size(), err)
	}
	set, done = Bars{}.Start("nothing to do", 0)
	set(0)
	done()
}
