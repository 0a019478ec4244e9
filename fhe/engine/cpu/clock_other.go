//go:build !unix

package cpu

import "time"

// processorTime returns the processor time that this process has used, where the system says.
func processorTime() (time.Duration, bool) { return 0, false }
