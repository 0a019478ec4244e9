package verifier

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

var update = flag.Bool("update", false, "rewrite the values of transcripts")

// Goldens, seen from this folder.
const (
	proofs   = "../../v1"
	commits  = "../../../commit/testdata"
	circuits = "../../../internal/gnarkx/testdata/vectors.json"
)

func read(t *testing.T, parts ...string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(parts...))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func fromHex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func element(t *testing.T, s string) (x fr.Element) {
	t.Helper()
	if err := x.SetBytesCanonical(fromHex(t, s)); err != nil {
		t.Fatal(err)
	}
	return x
}

func folder(t *testing.T, form string) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	for _, name := range []string{"vk.bin", "statement.json", "proof.bin", "registration-vk.bin", "registration.bin"} {
		if b, err := os.ReadFile(filepath.Join(proofs, form, name)); err == nil {
			files[name] = b
		}
	}
	if len(files) < 3 {
		t.Fatalf("%s: no files", form)
	}
	return files
}

func evidence(files map[string][]byte) Evidence {
	return Evidence{Key: files["vk.bin"], Statement: files["statement.json"], Proof: files["proof.bin"],
		RegistrationKey: files["registration-vk.bin"], Registration: files["registration.bin"], Registrant: [32]byte{31: 7}}
}

// TestVectors verifies the goldens with every change of the list.
func TestVectors(t *testing.T) {
	var vectors []struct {
		Name    string
		Forms   []string
		Changes []struct {
			File, Old, New, Xor, Put, Append, From string
			At, Cut                                int
			Absent                                 bool
			Registrant                             string
		}
		Expected, Reason string
	}
	if err := json.Unmarshal(read(t, proofs, "vectors.json"), &vectors); err != nil {
		t.Fatal(err)
	}
	verdicts := map[string]int{}
	for _, v := range vectors {
		for _, form := range v.Forms {
			files, registrant := folder(t, form), ""
			for _, c := range v.Changes {
				b := bytes.Clone(files[c.File])
				at := c.At
				if at < 0 {
					at += len(b)
				}
				switch {
				case c.Registrant != "":
					registrant = c.Registrant
				case c.Old != "":
					b = bytes.Replace(b, []byte(c.Old), []byte(c.New), 1)
				case c.Xor != "":
					for i, x := range fromHex(t, c.Xor) {
						b[at+i] ^= x
					}
				case c.Put != "":
					copy(b[at:], fromHex(t, c.Put))
				case c.Append != "":
					b = append(b, fromHex(t, c.Append)...)
				case c.Cut > 0:
					b = b[:len(b)-c.Cut]
				case c.From != "":
					b = folder(t, c.From)[c.File]
				case c.Absent:
					b = nil
				default:
					t.Fatalf("%s: a change of no kind", v.Name)
				}
				files[c.File] = b
			}
			e := evidence(files)
			if registrant != "" {
				e.Registrant = word(fromHex(t, registrant))
			}
			_, err := Verify(e)
			var refusal *Refusal
			reason := ""
			if errors.As(err, &refusal) {
				reason = refusal.Check
			}
			if (err == nil) != (v.Expected == "accept") || reason != v.Reason {
				t.Errorf("%s, %s: %v, want %s %s", v.Name, form, err, v.Expected, v.Reason)
			}
			verdicts[v.Expected]++
		}
	}
	if verdicts["accept"] < 3 || verdicts["reject"] < 100 {
		t.Errorf("verdicts %v: too few", verdicts)
	}
}

// TestTranscripts compares every value on the way with the stored one. That the proofs verify shows that they are right.
func TestTranscripts(t *testing.T) {
	for _, form := range []string{"rows", "compact", "public"} {
		values, err := Verify(evidence(folder(t, form)))
		if err != nil {
			t.Fatal(err)
		}
		var got strings.Builder
		for _, v := range values {
			fmt.Fprintf(&got, "%s: %x\n", v.Name, v.Word)
		}
		if *update {
			if err := os.WriteFile(filepath.Join(proofs, form, "transcript.txt"), []byte(got.String()), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if want := string(read(t, proofs, form, "transcript.txt")); got.String() != want {
			t.Errorf("%s:\n%s\nwant\n%s", form, got.String(), want)
		}
	}
}

// TestConstants compares the derived constants with the page's digests of them.
func TestConstants(t *testing.T) {
	for width, want := range map[int]string{
		8:  "e04af536114e6af5970f7216fbd09e561e3766de410fd3216e85db2a2a831783",
		16: "66d1282beb6886608841a1eb2860ff4d83b000944695259938ed19a58d119624",
	} {
		p := permutations()[width]
		h := sha256.New()
		for _, x := range append(append([]fr.Element{}, p.constants...), p.diagonal...) {
			b := x.Bytes()
			h.Write(b[:])
		}
		if got := hex.EncodeToString(h.Sum(nil)); got != want {
			t.Errorf("width %d: %s", width, got)
		}
	}
}

// TestHash compares P2 of 1 … n.
func TestHash(t *testing.T) {
	lines := 0
	for line := range strings.Lines(string(read(t, commits, "hash.txt"))) {
		var tag, want string
		var n int
		if _, err := fmt.Sscan(line, &tag, &n, &want); err != nil {
			t.Fatal(err)
		}
		x := make([]fr.Element, n)
		for i := range x {
			x[i].SetInt64(int64(i + 1))
		}
		if p2(tag, x...) != element(t, want) {
			t.Errorf("%s of %d elements", tag, n)
		}
		lines++
	}
	if lines < 40 {
		t.Errorf("%d lines", lines)
	}
}

// TestHeaders compares headers of packings.
func TestHeaders(t *testing.T) {
	lines := 0
	for line := range strings.Lines(string(read(t, commits, "packing.txt"))) {
		var p packing
		var header, digest string
		if _, err := fmt.Sscanf(line, "%d [%d, %d] header %s digest %s", &p.Count, &p.Lo, &p.Hi, &header, &digest); err != nil {
			t.Fatal(err)
		}
		if p.header() != element(t, header) {
			t.Errorf("header of %v", p)
		}
		lines++
	}
	if lines < 5 {
		t.Errorf("%d lines", lines)
	}
}

// TestCommitments compares srsDigest and cd of commitments in both encodings.
func TestCommitments(t *testing.T) {
	layout := word(fromHex(t, strings.Fields(string(read(t, commits, "layout.txt")))[0]))
	for i, form := range []string{"rows", "compact"} {
		srs := strings.Fields(string(read(t, commits, "srskey-"+form+".txt")))
		k, bad := readStringKey(fromHex(t, srs[0]))
		if bad != "" {
			t.Fatal(bad)
		}
		if d := k.digest(); !bytes.Equal(d[:], fromHex(t, srs[1])) {
			t.Errorf("%s: srsDigest", form)
		}
		golden := map[string]string{}
		for line := range strings.Lines(string(read(t, commits, "opening-"+form+".txt"))) {
			name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
			golden[name] = value
		}
		var m model
		if err := json.Unmarshal([]byte(golden["json"]), &m); err != nil {
			t.Fatal(err)
		}
		b := fromHex(t, golden["commitment"])
		r := &reader{rest: b[2:]}
		var points []bn254.G1Affine
		for range m.Points {
			points = append(points, r.g1())
		}
		if bad := r.end(); bad != "" || b[0] != 1 || int(b[1]) != i+1 || m.Form != form {
			t.Errorf("%s: %q", form, bad)
		}
		for j, p := range m.Points {
			if p.G1Affine != points[j] {
				t.Errorf("%s: point %d", form, j)
			}
		}
		if d := commitmentDigest(b[1], k.digest(), layout, word{1, 2, 3}, points); !bytes.Equal(d[:], fromHex(t, golden["cd"])) {
			t.Errorf("%s: cd", form)
		}
	}
}

// TestCircuits verifies proofs of a circuit alone, for both targets.
func TestCircuits(t *testing.T) {
	var vectors struct {
		Key    string
		Proofs []struct {
			Name, Target, Proof, Context, Statement, Challenge string
			Accept                                             bool
		}
	}
	if err := json.Unmarshal(read(t, circuits), &vectors); err != nil {
		t.Fatal(err)
	}
	k, bad := readGroth16Key(fromHex(t, vectors.Key))
	if bad != "" {
		t.Fatal(bad)
	}
	accepted := 0
	for _, v := range vectors.Proofs {
		p, bad := readGroth16Proof(fromHex(t, v.Proof))
		if bad != "" {
			t.Fatal(bad)
		}
		context := element(t, v.Context)
		h := challenge(map[string]byte{"native": native, "solidity": solidity}[v.Target], p.d, context)
		if h != element(t, v.Challenge) {
			t.Errorf("%s, %s: h", v.Target, v.Name)
		}
		if k.holds(p, context, element(t, v.Statement), h) != v.Accept {
			t.Errorf("%s, %s: want accept %t", v.Target, v.Name, v.Accept)
		}
		if v.Accept {
			accepted++
		}
	}
	if accepted < 4 {
		t.Errorf("%d accepted", accepted)
	}
}
