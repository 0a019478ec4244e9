//go:build race

package polyeval_test

import "time"

// The race detector slows big integers down five times; this budget only catches a recording that hangs.
func init() { recordingBudget = 10 * time.Second }
