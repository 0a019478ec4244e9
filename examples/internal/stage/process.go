package stage

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"

	"github.com/signet-ml/signet/ml/report"
)

// Homes are the folders of the data's owner, the model's owner and two servers, apart as on four machines. The embedded
// Dirs are everybody's together: each owner's own folder, and those of the first server.
type Homes struct {
	Dirs
	Server     string // the first server's only folder
	Again      string // the second server's
	DataOwner  string
	ModelOwner string

	root string
}

// NewHomes returns homes in a new temporary folder. Call Remove when done.
func NewHomes() (*Homes, error) {
	root, err := os.MkdirTemp("", "signet-examples-")
	if err != nil {
		return nil, err
	}
	h := &Homes{Server: filepath.Join(root, "server"), Again: filepath.Join(root, "server-again"), root: root}
	h.DataOwner, h.ModelOwner = filepath.Join(root, "owner"), filepath.Join(root, "model-owner")
	h.Dirs = At(h.Server)
	owner := At(h.DataOwner)
	h.Secret, h.Data, h.Model = owner.Secret, owner.Data, At(h.ModelOwner).Model
	return h, nil
}

// Remove removes the folders.
func (h *Homes) Remove() error { return os.RemoveAll(h.root) }

// Serve runs the run step as a process of its own, with the files below dir and nothing else, and returns what it
// reports. command is what "run" and its flags are added to. 0 threads are as many as there are processors.
func Serve(ctx context.Context, command []string, dir string, threads int) (*Served, error) {
	args := slices.Concat(command[1:], []string{"run", "--json", "--dir", dir, "--threads", fmt.Sprint(threads)})
	cmd := exec.CommandContext(ctx, command[0], args...)
	cmd.Dir = dir
	cmd.Stderr = os.Stderr // progress and errors
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("server process: %w", err)
	}
	var s Served
	if err := json.Unmarshal(out, &s); err != nil {
		return nil, fmt.Errorf("server process: its report: %w", err)
	}
	return &s, nil
}

// CopySome gives the second server the public files and the first inputs of the first. Files are linked: they never
// change.
func (h *Homes) CopySome(inputs int) error {
	for _, sub := range []string{"public", "in", "weights"} {
		entries, err := os.ReadDir(filepath.Join(h.Server, sub))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		if err := os.MkdirAll(filepath.Join(h.Again, sub), 0o755); err != nil {
			return err
		}
		if sub == "in" {
			entries = entries[:min(inputs, len(entries))]
		}
		for _, e := range entries {
			if err := linkOrCopy(filepath.Join(h.Server, sub, e.Name()), filepath.Join(h.Again, sub, e.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

func linkOrCopy(from, to string) error {
	err := os.Link(from, to)
	if err == nil || errors.Is(err, fs.ErrExist) {
		return err
	}
	b, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return report.WriteFile(to, 0o644, func(w io.Writer) error { _, err := io.Copy(w, bytes.NewReader(b)); return err })
}
