package commit

import (
	"bytes"
	"encoding/hex"
	"flag"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

var update = flag.Bool("update", false, "rewrite the goldens in testdata")

// golden compares got with a file of testdata, or rewrites the file.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs from its golden; if the change is meant, run with -update:\n%s", name, got)
	}
}

// stream returns deterministic words that look random: splitmix64.
func stream(seed uint64) func() uint64 {
	return func() uint64 {
		seed += 0x9e3779b97f4a7c15
		z := seed
		z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
		z = (z ^ z>>27) * 0x94d049bb133111eb
		return z ^ z>>31
	}
}

// element returns a deterministic element that looks random.
func element(next func() uint64) fr.Element {
	x := fr.Element{next(), next(), next(), 0} // below the modulus, as Montgomery form
	return *x.Square(&x)
}

func elements(seed uint64, n int) []fr.Element {
	next := stream(seed)
	out := make([]fr.Element, n)
	for i := range out {
		out[i] = element(next)
	}
	return out
}

func hexLine(b []byte) []byte { return []byte(hex.EncodeToString(b)) }

// allocated returns how many bytes f allocates.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}
