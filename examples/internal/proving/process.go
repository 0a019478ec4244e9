package proving

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"slices"
	"strings"
)

// VerifyProcess runs the verify step as a process of its own, with the files below dir and nothing else, and returns
// what it reports. command is what "verify" and its flags are added to.
func VerifyProcess(ctx context.Context, command []string, dir string, pins Pins) (*Verified, error) {
	args := slices.Concat(command[1:], []string{"verify", "--json", "--dir", dir})
	if pins.VerifyingKey != nil {
		args = append(args, "--vk-digest", pins.VerifyingKey.String())
	}
	if pins.Model != nil {
		args = append(args, "--model-digest", pins.Model.String())
	}
	cmd := exec.CommandContext(ctx, command[0], args...)
	cmd.Dir = dir
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("verifying process: %w: %s", err, strings.TrimSpace(errs.String()))
	}
	var v Verified
	if err := json.Unmarshal(out, &v); err != nil {
		return nil, fmt.Errorf("verifying process: its report: %w", err)
	}
	return &v, nil
}
