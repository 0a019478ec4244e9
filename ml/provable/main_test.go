package provable_test

import (
	"fmt"
	"os"
	"testing"
)

// cacheDir holds the keys of this run.
var cacheDir string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "provable-keys-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	cacheDir = dir
	code := m.Run()
	if err := os.RemoveAll(dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}
