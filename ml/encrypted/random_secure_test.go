//go:build secure

package encrypted

import "testing"

// TestManyRandomArchitectures goes on where TestRandomArchitectures ends, and runs every small plan.
func TestManyRandomArchitectures(t *testing.T) {
	randomArchitectures(t, defaultArchitectures, 1000, 1000)
}

// TestManyRandomTables goes on where TestRandomTables ends.
func TestManyRandomTables(t *testing.T) { randomTables(t, defaultTables, 500) }
