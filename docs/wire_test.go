package docs_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"math/bits"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/client"
	"github.com/signet-ml/signet/fhe/program"
)

// decode runs testdata/decode.py, which was written from reference/wire.md and program.md alone and uses Python's standard
// library only. It returns what it printed, or fails to if there is no Python.
func decode(t *testing.T, files ...string) ([]byte, error) {
	t.Helper()
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("python3 is not installed: the wire format is not checked by the independent decoder")
	}
	var stderr bytes.Buffer
	cmd := exec.Command(python, append([]string{"testdata/decode.py"}, files...)...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return out, fmt.Errorf("%w: %s", err, stderr.Bytes())
	}
	return out, nil
}

// TestWirePage decodes the goldens and fresh artefacts of every kind with nothing but what the pages say, and compares the
// digests of what was decoded.
func TestWirePage(t *testing.T) {
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	dir := t.TempDir()
	var files []string
	want := map[string]string{}
	golden := func(file, digest string) { files, want[file] = append(files, file), digest }
	fresh := func(name string, v io.WriterTo, digest string, size int64) {
		t.Helper()
		path := filepath.Join(dir, name)
		f, err := os.Create(path)
		must(err)
		n, err := v.WriteTo(f)
		must(err)
		must(f.Close())
		if n != size {
			t.Errorf("%s: %d bytes, the page says %d", name, n, size)
		}
		golden(path, digest)
	}
	sum := func(file string) (d fhe.Digest) {
		b, err := os.ReadFile(file)
		must(err)
		copy(d[:], b[len(b)-32:])
		return d
	}

	// The goldens of fhe, whose parameters are toys: a reader of Signet refuses them, a decoder need not.
	list, err := os.ReadFile("../fhe/testdata/files.txt")
	must(err)
	for line := range strings.Lines(string(list)) {
		name, digest, _ := strings.Cut(strings.TrimSpace(line), " ")
		golden("../fhe/testdata/"+name, digest)
	}
	digest, err := os.ReadFile("../fhe/testdata/parameters-v1.digest")
	must(err)
	golden("../fhe/testdata/parameters-v1.bin", string(bytes.TrimSpace(digest)))
	golden("../fhe/client/testdata/secretkey_v1.bin", sum("../fhe/client/testdata/secretkey_v1.bin").String())
	consts, err := os.Open("../fhe/program/testdata/constants-v1.bin")
	must(err)
	defer consts.Close()
	cs, err := program.ReadConstants(consts, 1<<24)
	must(err)
	all := sha256.New()
	for _, c := range cs.All() {
		d := c.Digest()
		all.Write(d[:])
	}
	golden("../fhe/program/testdata/constants-v1.bin", fmt.Sprintf("%x", all.Sum(nil)))
	params, err := fhe.NewParameters(fhe.ParametersLiteral{LogN: 12, LogQ: []int{30, 22, 22}, LogP: []int{31}})
	must(err)
	fresh("parameters-of-program", params, params.Digest().String(), 17+16*4)
	encoded, err := os.ReadFile("../fhe/program/testdata/program-v1.bin")
	must(err)
	golden("../fhe/program/testdata/program-v1.bin", fhe.Tagged("signet/program/v1", encoded).String())
	encoded, err = os.ReadFile("../fhe/program/testdata/program-v2.bin")
	must(err)
	golden("../fhe/program/testdata/program-v2.bin", fhe.Tagged("signet/program/v1", encoded).String())

	// Fresh ones, with the sizes that the page states.
	params, err = fhe.NewParameters(fhe.ParametersLiteral{LogN: 12, LogQ: []int{30, 20, 20}, LogP: []int{31}})
	must(err)
	var limb []int64 // bytes of a limb: N words of as many bits as q - 1 has
	for _, q := range append(params.Q(), params.P()...) {
		limb = append(limb, 4096/8*int64(bits.Len64(q-1)))
	}
	q01, q02, p := limb[0]+limb[1], limb[0]+limb[1]+limb[2], limb[3]
	kg, err := client.NewKeyGenerator(params)
	must(err)
	sk := kg.GenSecretKey()
	pk, err := kg.GenPublicKey(sk)
	must(err)
	layout := program.Layout{Shape: []int{4}, Runs: []program.Run{{SlotStep: 1, IndexStep: 1, Length: 4}}}
	port := program.Port{Name: "x", Count: 1, Level: 1, Degree: 1, LogSlots: 3, Scale: fhe.PowerOfTwo(20), Bound: 1, Layout: layout}
	in, err := client.NewEncryptor(sk).Encrypt(port, make([]float64, 4))
	must(err)
	public, err := client.NewPublicKeyEncryptor(pk).Encrypt(port, make([]float64, 4))
	must(err)
	keys, err := kg.GenEvaluationKeys(t.Context(), sk, []program.KeyRequirement{{Level: 2}, {GaloisElement: 5, Level: 1}})
	must(err)
	fresh("parameters", params, params.Digest().String(), 17+16*4)
	fresh("secret-key", sk, "", 85+4096/4)
	want[filepath.Join(dir, "secret-key")] = sum(filepath.Join(dir, "secret-key")).String()
	fresh("seeded", in.Get("x")[0], in.Get("x")[0].Digest().String(), 37+23+33+q01)
	fresh("plain", public.Get("x")[0], public.Get("x")[0].Digest().String(), 37+23+1+2*q01)
	fresh("bundle", in, in.Digest().String(), 85+1+2+1+23+33+q01)
	fresh("keys", keys, keys.Digest().String(), 57+9+33+3*(q02+p)+9+33+2*(q01+p))
	fresh("public-key", pk, pk.Digest().String(), 85+q02+p)

	out, err := decode(t, files...)
	must(err)
	got := map[string]string{}
	for line := range strings.Lines(string(out)) {
		f := strings.Fields(line)
		got[f[0]] = f[len(f)-1]
	}
	if len(got) != len(files) {
		t.Errorf("%d files decoded, of %d", len(got), len(files))
	}
	for file, digest := range want {
		if got[file] != digest {
			t.Errorf("%s: decoded to %q, want %s", file, got[file], digest)
		}
	}

	// It does refuse: a byte less, and a byte more.
	whole, err := os.ReadFile(filepath.Join(dir, "seeded"))
	must(err)
	for name, b := range map[string][]byte{"short": whole[:len(whole)-1], "long": append(whole, 0)} {
		bad := filepath.Join(dir, name)
		must(os.WriteFile(bad, b, 0o644))
		if out, err := decode(t, filepath.Join(dir, "parameters"), bad); err == nil {
			t.Errorf("%s: decoded to %s", name, out)
		}
	}
}
