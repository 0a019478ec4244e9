package gnarkx

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	groth16 "github.com/consensys/gnark/backend/groth16/bn254"
	"github.com/consensys/gnark/frontend"
)

// cached runs Setup with a cache and returns the phases too.
func cached(t *testing.T, s *System, dir string) (k *Keys, hit bool, phases []string) {
	t.Helper()
	k, hit, err := Setup(t.Context(), s, dir, func(phase string) { phases = append(phases, phase) })
	if err != nil {
		t.Fatal(err)
	}
	return k, hit, phases
}

// cacheDir returns a folder that Setup makes, and the entry of the toy in it.
func cacheDir(t testing.TB, s *System) (dir, entry string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "a", "b")
	c, err := openCache(dir, s)
	if err != nil {
		t.Fatal(err)
	}
	return dir, c.entry()
}

func TestCache(t *testing.T) {
	s := mustCompile(t, &toy{})
	dir, entry := cacheDir(t, s)
	made, hit, phases := cached(t, s, dir)
	if hit || !slices.Equal(phases, []string{PhaseLoad, PhaseSetup, PhaseStore}) {
		t.Errorf("the first time: hit %v, phases %v", hit, phases)
	}
	loaded, hit, phases := cached(t, mustCompile(t, &toy{}), dir)
	if !hit || !slices.Equal(phases, []string{PhaseLoad}) {
		t.Errorf("the second time: hit %v, phases %v", hit, phases)
	}
	if loaded.VerifyingKey().Digest() != made.VerifyingKey().Digest() || loaded.pk.IsDifferent(made.pk) {
		t.Error("other keys came back")
	}
	if loaded.Provenance() != "local" || loaded.System().Digest() != s.Digest() {
		t.Errorf("provenance %q, system %x", loaded.Provenance(), loaded.System().Digest())
	}
	// Loaded keys prove what the made ones verify.
	v := good()
	if err := Verify(made.VerifyingKey(), Native, mustProve(t, loaded, Native, v), v.context, v.statement); err != nil {
		t.Error(err)
	}

	// For the user alone, and nothing left over.
	if hasModes {
		want := map[string]fs.FileMode{dir: 0o700, entry: 0o700}
		for _, name := range []string{provingFile, verifyingFile, sumFile} {
			want[filepath.Join(entry, name)] = 0o600
		}
		filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			info, err2 := os.Stat(path)
			if err != nil || err2 != nil || info.Mode().Perm() != want[path] {
				t.Errorf("%s: mode %v, want %v", path, info.Mode().Perm(), want[path])
			}
			delete(want, path)
			return nil
		})
		if len(want) > 0 {
			t.Errorf("missing: %v", want)
		}
	}
	dump, err := os.Stat(filepath.Join(entry, provingFile))
	if err != nil {
		t.Fatal(err)
	}
	if got := made.ProvingKeyBytes(); got > dump.Size() || got < dump.Size()*8/10 {
		t.Errorf("ProvingKeyBytes %d, the dump has %d", got, dump.Size())
	}
	if key, _ := made.VerifyingKey().MarshalBinary(); len(key) != VerifyingKeySize {
		t.Errorf("VerifyingKeySize %d, not %d", VerifyingKeySize, len(key))
	}

	other, hit, _ := cached(t, mustCompile(t, &twoPublic{define: func(api frontend.API, c *twoPublic) error {
		return plain(api, c.Context, c.Statement, c.A, c.B)
	}}), dir)
	if hit || other.VerifyingKey().Digest() == made.VerifyingKey().Digest() {
		t.Error("another circuit got the toy's keys")
	}
}

func TestNoCache(t *testing.T) {
	_, hit, phases := cached(t, mustCompile(t, &toy{}), "")
	if hit || !slices.Equal(phases, []string{PhaseSetup}) {
		t.Errorf("hit %v, phases %v", hit, phases)
	}
}

// Every kind of damage is a miss that heals: Setup returns good new keys and the next call hits.
//
// Soundness: S16, S22.
func TestCacheDamage(t *testing.T) {
	s := mustCompile(t, &toy{})
	rewrite := func(name string, change func([]byte) []byte) func(t *testing.T, entry string) {
		return func(t *testing.T, entry string) {
			path := filepath.Join(entry, name)
			b, err := os.ReadFile(path)
			if err == nil {
				err = os.WriteFile(path, change(b), 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	flip := func(at int) func([]byte) []byte {
		return func(b []byte) []byte {
			b[(at+len(b))%len(b)] ^= 4
			return b
		}
	}
	// keys puts foreign keys into the entry, with sums that are right.
	keys := func(make func() *Keys) func(t *testing.T, entry string) {
		return func(t *testing.T, entry string) {
			c := &cache{filepath.Dir(entry), filepath.Base(entry), s}
			if err := os.RemoveAll(entry); err != nil {
				t.Fatal(err)
			}
			if _, err := c.store(make()); err != nil {
				t.Fatal(err)
			}
		}
	}
	fresh := func() *Keys { return mustSetup(t, s) }
	damages := map[string]func(t *testing.T, entry string){
		"no-sums": func(t *testing.T, entry string) { os.Remove(filepath.Join(entry, sumFile)) },
		"no-dump": func(t *testing.T, entry string) { os.Remove(filepath.Join(entry, provingFile)) },
		"no-key":  func(t *testing.T, entry string) { os.Remove(filepath.Join(entry, verifyingFile)) },
		"empty-folder": func(t *testing.T, entry string) {
			os.RemoveAll(entry)
			os.Mkdir(entry, 0o700)
		},
		"a-file": func(t *testing.T, entry string) {
			os.RemoveAll(entry)
			os.WriteFile(entry, []byte("x"), 0o600)
		},
		"other-setup-dump": func(t *testing.T, entry string) {
			k := fresh()
			os.Remove(filepath.Join(entry, provingFile))
			if _, err := writeFile(filepath.Join(entry, provingFile), k.pk.WriteDump); err != nil {
				t.Fatal(err)
			}
		},
		"two-setups": keys(func() *Keys { return &Keys{s, fresh().pk, fresh().vk} }),
		"two-commitment-setups": keys(func() *Keys {
			k := fresh()
			k.pk.CommitmentKeys[0].BasisExpSigma = fresh().pk.CommitmentKeys[0].BasisExpSigma
			return k
		}),
		"dummy-setup": keys(func() *Keys {
			k := &Keys{s, new(groth16.ProvingKey), fresh().vk}
			if err := groth16.DummySetup(s.r1cs, k.pk); err != nil {
				t.Fatal(err)
			}
			return k
		}),
		"other-basis": keys(func() *Keys {
			k := fresh()
			_, _, g1, _ := bn254.Generators()
			for i := range k.pk.CommitmentKeys[0].Basis {
				k.pk.CommitmentKeys[0].Basis[i] = g1
			}
			return k
		}),
		"other-circuit": keys(func() *Keys {
			return mustSetup(t, mustCompile(t, &twoPublic{define: func(api frontend.API, c *twoPublic) error {
				return plain(api, c.Context, c.Statement, c.A, c.B)
			}}))
		}),
	}
	for _, name := range []string{provingFile, verifyingFile, sumFile} {
		damages["empty/"+name] = rewrite(name, func([]byte) []byte { return nil })
		damages["short/"+name] = rewrite(name, func(b []byte) []byte { return b[:len(b)-1] })
		damages["long/"+name] = rewrite(name, func(b []byte) []byte { return append(b, 0) })
		for _, at := range []int{0, 8, 100, -1} {
			damages[fmt.Sprintf("flip/%d/%s", at, name)] = rewrite(name, flip(at))
		}
	}
	if hasModes {
		damages["readable-by-others"] = func(t *testing.T, entry string) { os.Chmod(entry, 0o755) }
		damages["a-link"] = func(t *testing.T, entry string) {
			os.Rename(entry, entry+"-moved")
			os.Symlink(entry+"-moved", entry)
		}
	}
	for name, damage := range damages {
		t.Run(name, func(t *testing.T) {
			dir, entry := cacheDir(t, s)
			made, _, _ := cached(t, s, dir)
			damage(t, entry)
			again, hit, _ := cached(t, s, dir)
			if hit {
				t.Fatal("a damaged entry was loaded")
			}
			if again.VerifyingKey().Digest() == made.VerifyingKey().Digest() {
				t.Error("the keys are not new")
			}
			mustProve(t, again, Native, good())
			healed, hit, _ := cached(t, s, dir)
			if !hit || healed.VerifyingKey().Digest() != again.VerifyingKey().Digest() {
				t.Errorf("not healed: hit %v", hit)
			}
		})
	}
}

// The name of an entry holds the circuit's digest, so an entry that was moved has the wrong sums.
//
// Soundness: S16.
func TestCacheMovedEntry(t *testing.T) {
	s := mustCompile(t, &toy{})
	dir, entry := cacheDir(t, s)
	cached(t, s, dir)
	c := &cache{dir, "moved", s}
	if err := os.Rename(entry, c.entry()); err != nil {
		t.Fatal(err)
	}
	if _, err := c.load(); err == nil {
		t.Error("loaded under another name")
	}
}

// All who set up at once get the same keys, and the entry is good.
func TestCacheAtOnce(t *testing.T) {
	s := mustCompile(t, &toy{})
	dir, _ := cacheDir(t, s)
	digests := make([][32]byte, 8)
	var wg sync.WaitGroup
	for i := range digests {
		wg.Go(func() {
			k, _, err := Setup(t.Context(), s, dir, nil)
			if err != nil {
				t.Error(err)
				return
			}
			digests[i] = k.VerifyingKey().Digest()
		})
	}
	wg.Wait()
	k, hit, _ := cached(t, s, dir)
	if !hit {
		t.Error("no entry is left")
	}
	for i, d := range digests {
		if d != k.VerifyingKey().Digest() {
			t.Errorf("caller %d got keys of its own", i)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "new-*")); len(left) > 0 {
		t.Errorf("left over: %v", left)
	}
}

func TestSetupFails(t *testing.T) {
	s := mustCompile(t, &toy{})
	t.Run("cancelled", func(t *testing.T) {
		for _, at := range []string{"", PhaseLoad, PhaseSetup} { // in this phase the context is cancelled
			ctx, cancel := context.WithCancel(t.Context())
			if at == "" {
				cancel()
			}
			dir, entry := cacheDir(t, s)
			_, _, err := Setup(ctx, s, dir, func(phase string) {
				if phase == at {
					cancel()
				}
			})
			if _, missing := os.Stat(entry); !errors.Is(err, context.Canceled) || missing == nil {
				t.Errorf("cancelled in %q: %v, entry %v", at, err, missing)
			}
			cancel()
		}
	})
	t.Run("open-to-others", func(t *testing.T) {
		if !hasModes {
			t.Skip("no Unix permissions")
		}
		dir := t.TempDir()
		if err := os.Chmod(dir, 0o777); err != nil {
			t.Fatal(err)
		}
		if _, _, err := Setup(t.Context(), s, dir, nil); err == nil {
			t.Error("keys would be stored where others may write")
		}
	})
	t.Run("no-folder", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, _, err := Setup(t.Context(), s, file, nil); err == nil {
			t.Error("no error")
		}
	})
}
