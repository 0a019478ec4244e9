package gnarkx

import "testing"

// TestForeseen compares what is known of keys before they are made with the keys.
func TestForeseen(t *testing.T) {
	s := mustCompile(t, &toy{})
	dir, _ := cacheDir(t, s)
	if Cached(s, dir) {
		t.Error("an empty folder is said to hold keys")
	}
	k, _, _ := cached(t, s, dir)
	if !Cached(s, dir) {
		t.Error("the keys are not found")
	}
	if got, want := s.ProvingKeyBytes(), k.ProvingKeyBytes(); got != want {
		t.Errorf("a proving key of %d bytes was foreseen, it has %d", got, want)
	}
}
