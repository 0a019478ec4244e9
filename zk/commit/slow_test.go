//go:build prover_checks

package commit

import "testing"

func TestCompactSizeMLP(t *testing.T) { openMLP(t, Compact) }
