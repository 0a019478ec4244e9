package fhe

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// treeHead is RFC 6962, section 2.1, word for word: MTH({}) = SHA-256(), MTH({d}) = SHA-256(0x00 || d), and for n > 1
// MTH(D[n]) = SHA-256(0x01 || MTH(D[0:k]) || MTH(D[k:n])), k the largest power of two smaller than n.
func treeHead(d [][]byte) [32]byte {
	n := len(d)
	if n == 0 {
		return sha256.Sum256(nil)
	}
	if n == 1 {
		return sha256.Sum256(append([]byte{0}, d[0]...))
	}
	k := 1
	for k*2 < n {
		k *= 2
	}
	l, r := treeHead(d[:k]), treeHead(d[k:])
	return sha256.Sum256(append(append([]byte{1}, l[:]...), r[:]...))
}

func TestMerkleRoot(t *testing.T) {
	for n := range 70 {
		var leaves []Digest
		var data [][]byte
		for i := range n {
			b := []byte(fmt.Sprintf("leaf %d", i))
			data = append(data, b)
			leaves = append(leaves, sha256.Sum256(append([]byte{0}, b...)))
		}
		if MerkleRoot(leaves) != treeHead(data) {
			t.Errorf("%d leaves", n)
		}
	}
	// Known answers of certificate transparency's own tests (github.com/transparency-dev/merkle, rfc6962).
	if d := MerkleRoot(nil).String(); d != "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" {
		t.Error(d)
	}
	one := MerkleRoot([]Digest{sha256.Sum256([]byte{0})})
	if d := one.String(); d != "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d" {
		t.Error(d)
	}
}

func TestLimbDigest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limb := rapid.SliceOfN(rapid.Uint64(), 0, 40).Draw(t, "start")
		next := stream(uint64(len(limb)))
		for n := rapid.SampledFrom([]int{0, 984, 1024, 1025, 3000, 8192}).Draw(t, "more"); n > 0; n-- {
			limb = append(limb, next())
		}
		var blocks [][]byte
		var raw []byte
		for _, w := range limb {
			raw = binary.LittleEndian.AppendUint64(raw, w)
		}
		for len(raw) > 0 {
			n := min(len(raw), 8192)
			blocks, raw = append(blocks, raw[:n]), raw[n:]
		}
		if LimbDigest(limb) != treeHead(blocks) {
			t.Fatalf("%d words", len(limb))
		}
	})
}

// TestDigestGoldens pins limb, value, key and bundle digests. The value digest is computed a second time from the
// documentation's bytes.
func TestDigestGoldens(t *testing.T) {
	p := toy(t, 5)
	var out strings.Builder
	for _, n := range []int{0, 1, 16, 1024, 1025, 4096, 8192, 10000} {
		limb := make([]uint64, n)
		fill(limb, 1<<61-1, stream(7))
		fmt.Fprintf(&out, "limb %d %v\n", n, LimbDigest(limb))
	}
	ct := testCiphertext(t, p, 1, 2, 1)
	fmt.Fprintf(&out, "parameters %v\nvalue %v\nkey %v\nbundle %v\n", p.Digest(), ct.Digest(), testKey(t, p, p.GaloisElement(1), 1).Digest(), testBundleV1(t, p).Digest())
	golden(t, "digests-v1.txt", []byte(out.String()))

	// What the independent decoder of docs must find in the goldens, whichever version of the wire form they have.
	golden(t, "parameters-toy-v1.bin", encoded(t, p))
	out.Reset()
	for _, f := range []struct {
		name string
		v    interface{ Digest() Digest }
	}{
		{"parameters-toy-v1.bin", p}, {"ciphertext-v1.bin", testCiphertext(t, p, 1, 1, 1)}, {"ciphertext-v2.bin", testCiphertext(t, p, 1, 1, 1)},
		{"ciphertext-seeded-v2.bin", testSeeded(t, p, 1, 1)}, {"bundle-v1.bin", testBundleV1(t, p)}, {"bundle-v2.bin", testBundle(t, p)},
		{"keys-v1.bin", testKeysV1(t, p)}, {"keys-v2.bin", testKeys(t, p)}, {"publickey-v1.bin", testPublicKey(t, p)},
	} {
		fmt.Fprintf(&out, "%s %v\n", f.name, f.v.Digest())
	}
	golden(t, "files.txt", []byte(out.String()))

	h := sha256.New()
	h.Write([]byte("signet/value/v1"))
	pd := p.Digest()
	h.Write(pd[:])
	h.Write([]byte{'c', 2, 1, 4})
	hi, lo, exp := ct.Scale().Words()
	for _, x := range []any{hi, lo, exp} {
		if err := binary.Write(h, binary.LittleEndian, x); err != nil {
			t.Fatal(err)
		}
	}
	for part := range 2 {
		for i := range 3 {
			d := LimbDigest(ct.Limb(part, i))
			h.Write(d[:])
		}
	}
	if Digest(h.Sum(nil)) != ct.Digest() {
		t.Error("value digest")
	}
}

// TestDigestsDiffer checks that whatever a value or key is made of changes its digest.
func TestDigestsDiffer(t *testing.T) {
	p := toy(t, 5)
	seen := map[Digest]string{}
	add := func(name string, d Digest) {
		t.Helper()
		if seen[d] != "" {
			t.Errorf("%s and %s have one digest", name, seen[d])
		}
		seen[d] = name
	}
	zero := func(p Parameters, degree, level, logSlots int, s Scale) Digest {
		ct, err := NewCiphertext(p, degree, level, logSlots, s)
		if err != nil {
			t.Fatal(err)
		}
		return ct.Digest()
	}
	s := PowerOfTwo(20)
	add("value", zero(p, 1, 1, 4, s))
	add("degree", zero(p, 2, 1, 4, s))
	add("level", zero(p, 1, 2, 4, s))
	add("slots", zero(p, 1, 1, 3, s))
	add("scale", zero(p, 1, 1, 4, Scale{s.hi, s.lo | 1, s.exp}))
	add("exponent", zero(p, 1, 1, 4, PowerOfTwo(21)))
	add("parameters", zero(toy(t, 6), 1, 1, 4, s))
	add("degree 2, level 1 as degree 1, level 2", zero(p, 2, 1, 4, s.Mul(s)))
	ct, _ := NewCiphertext(p, 1, 1, 4, s)
	ct.limbs[1][1][31] = 1
	add("last word", ct.Digest())
	for _, c := range []struct {
		g     uint64
		level int
	}{{0, 1}, {5, 1}, {5, 0}, {63, 1}} {
		add(fmt.Sprint("key ", c), testKey(t, p, c.g, c.level).Digest())
	}
	bundle := func(key KeyID, program Digest, ports ...string) Digest {
		b := NewBundle(p, key, program)
		for _, name := range ports {
			if err := b.Add(name, ct); err != nil {
				t.Fatal(err)
			}
		}
		return b.Digest()
	}
	add("bundle", bundle(KeyID{}, Digest{}, "a", "b"))
	add("bundle key", bundle(KeyID{1}, Digest{}, "a", "b"))
	add("bundle program", bundle(KeyID{}, Digest{1}, "a", "b"))
	add("bundle ports", bundle(KeyID{}, Digest{}, "ab"))
	add("bundle names", bundle(KeyID{}, Digest{}, "a", "c"))
	add("bundle empty", bundle(KeyID{}, Digest{}))
	two := NewBundle(p, KeyID{}, Digest{})
	if err := two.Add("a", ct, ct); err != nil {
		t.Fatal(err)
	}
	add("bundle of two", two.Digest())
}

func TestDigestText(t *testing.T) {
	d := Tagged("a", []byte("b"), []byte("c"))
	if d != sha256.Sum256([]byte("abc")) {
		t.Error("Tagged")
	}
	if s := d.String(); s != "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" {
		t.Error(s)
	}
	if d.Short() != d.String()[:8] || d.IsZero() || !(Digest{}).IsZero() {
		t.Error("Short or IsZero")
	}
}

// TestTags checks that no tag of a digest is the start of another, which would let two kinds of artefact hash the same
// bytes, and that the reference names each.
func TestTags(t *testing.T) {
	page, err := os.ReadFile("../docs/reference/program.md")
	if err != nil {
		t.Fatal(err)
	}
	var tags []string
	for _, pattern := range []string{"*.go", "*/*.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range regexp.MustCompile(`"(signet/[^"]*)"`).FindAllSubmatch(b, -1) {
				tags = append(tags, string(m[1]))
			}
		}
	}
	slices.Sort(tags)
	if len(tags) < 11 {
		t.Errorf("found %d tags only: %q", len(tags), tags)
	}
	for i, tag := range tags {
		if i > 0 && strings.HasPrefix(tag, tags[i-1]) {
			t.Errorf("%q starts with %q", tag, tags[i-1])
		}
		if !bytes.Contains(page, []byte("`"+tag+"`")) && !bytes.Contains(page, []byte(`"`+tag+`"`)) {
			t.Errorf("docs/reference/program.md does not name %q", tag)
		}
	}
}
