package solidity

import (
	"os"
	"path/filepath"
	"testing"
)

// golden compares got with a file of testdata, or writes it with -update.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs; go test -update rewrites it", path)
	}
}

func TestExport(t *testing.T) {
	for _, variant := range variants {
		t.Run("weights="+variant, func(t *testing.T) {
			c, err := Export(readFixture(t, variant).vk)
			if err != nil {
				t.Fatal(err)
			}
			for _, file := range c.Files {
				name := filepath.Join(variant, file.Name)
				if file.Name == "Poseidon2.sol" {
					name = file.Name // the same for all keys
				}
				golden(t, name, file.Source)
			}
		})
	}
}
