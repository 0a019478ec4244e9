package fhetest

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// RunForeign runs the tests of a module of its own that lies in dir and uses this one as any user's does, through what
// it exports. root is this module's folder, seen from the test. It is what .ci/run does: the module's go.mod is copied,
// with our checksums, so that no version has to be looked up.
func RunForeign(t *testing.T, dir, root string) {
	t.Helper()
	if testing.Short() {
		t.Skip("builds a module of its own")
	}
	root, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	// The test cache knows what this process opens, not what its children read. Walking over the sources makes a change
	// of any of them count.
	for _, d := range []string{filepath.Join(root, "fhe"), filepath.Join(root, "ml"), filepath.Join(root, "zk"), dir} {
		if err := filepath.WalkDir(d, func(_ string, _ fs.DirEntry, err error) error { return err }); err != nil {
			t.Fatal(err)
		}
	}
	tmp := t.TempDir()
	for from, to := range map[string]string{filepath.Join(dir, "go.mod"): "go.mod", filepath.Join(root, "go.sum"): "go.sum"} {
		b, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(tmp, to), b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	mod := filepath.Join(tmp, "go.mod")
	run := func(args ...string) {
		t.Helper()
		cmd := exec.Command("go", args...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GOFLAGS="+strings.TrimSpace(os.Getenv("GOFLAGS")+" -mod=mod -modfile="+mod))
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
	run("mod", "edit", "-replace=github.com/signet-ml/signet="+root, mod)
	run("test", "./...")
}
