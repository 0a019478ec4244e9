package client

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/cryptotest"
	"testing/iotest"

	"github.com/signet-ml/signet/fhe"
)

var update = flag.Bool("update", false, "rewrite testdata")

func tiny(t testing.TB) fhe.Parameters {
	return params(t, fhe.ParametersLiteral{LogN: 11, LogQ: []int{25}, LogP: []int{27}})
}

func write(t testing.TB, sk *SecretKey) []byte {
	t.Helper()
	var b bytes.Buffer
	n, err := sk.WriteTo(&b)
	if err != nil || n != int64(b.Len()) || n != SecretKeyBytes(sk.Parameters()) {
		t.Fatalf("wrote %d of %d bytes: %v", n, b.Len(), err)
	}
	return b.Bytes()
}

func read(b []byte, p fhe.Parameters) (*SecretKey, error) {
	return ReadSecretKey(bytes.NewReader(b), p, 1<<20)
}

func TestSecretKeyWire(t *testing.T) {
	for _, s := range []fhe.SecretDistribution{{}, {Gaussian: true}, {Hamming: 128}} {
		t.Run(s.String(), func(t *testing.T) {
			p := params(t, fhe.ParametersLiteral{LogN: 14, LogQ: []int{38, 28}, LogP: []int{40}, Secret: s, SparseSecret: s.Hamming > 0})
			sk := generator(t, p).GenSecretKey()
			b := write(t, sk)
			got, err := ReadSecretKey(iotest.HalfReader(bytes.NewReader(b)), p, int64(len(b)))
			if err != nil {
				t.Fatal(err)
			}
			if got.ID() != sk.ID() || !got.Parameters().Equal(p) || !slices.Equal(got.key.Coefficients(), sk.key.Coefficients()) {
				t.Error("another key")
			}
			if !bytes.Equal(write(t, got), b) {
				t.Error("other bytes")
			}
			port := vector(p, 1, 6, 64)
			x := values(64, 2)
			near(t, "old key, new ciphertext", decrypt(t, sk, port, encrypt(t, got, port, x)), x, fresh(6, port.Scale))
			near(t, "new key, old ciphertext", decrypt(t, got, port, encrypt(t, sk, port, x)), x, fresh(6, port.Scale))
		})
	}
}

func TestSecretKeyGolden(t *testing.T) {
	p := tiny(t)
	const file = "testdata/secretkey_v1.bin"
	if *update {
		cryptotest.SetGlobalRandom(t, 1)
		if err := os.WriteFile(file, write(t, generator(t, p).GenSecretKey()), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	sk, err := read(b, p)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(write(t, sk), b) {
		t.Error("other bytes")
	}
}

func TestReadSecretKeyRefuses(t *testing.T) {
	p := tiny(t)
	good := write(t, generator(t, p).GenSecretKey())
	format := func(name string, b []byte, p fhe.Parameters, limit int64) {
		t.Helper()
		_, err := ReadSecretKey(bytes.NewReader(b), p, limit)
		var f *fhe.FormatError
		if !errors.As(err, &f) {
			t.Errorf("%s: error %v", name, err)
		}
	}
	for n := 0; n < len(good); n += 97 {
		format(fmt.Sprintf("first %d bytes", n), good[:n], p, 1<<20)
	}
	format("last byte missing", good[:len(good)-1], p, 1<<20)
	format("trailing byte", append(slices.Clone(good), 0), p, 1<<20)
	format("version", append([]byte("SGSK\x02"), good[5:]...), p, 1<<20)
	if _, err := ReadSecretKey(bytes.NewReader(good), p, int64(len(good))-1); !errors.Is(err, fhe.ErrLimit) {
		t.Errorf("limit: %v", err)
	}
	for i := range good {
		b := slices.Clone(good)
		b[i] ^= 1 << (i % 8)
		_, err := read(b, p)
		var f *fhe.FormatError
		var m *fhe.MismatchError
		if !errors.As(err, &f) && !errors.As(err, &m) {
			t.Fatalf("bit %d of byte %d flipped: error %v", i%8, i, err)
		}
	}
	var m *fhe.MismatchError
	if _, err := read(good, small(t)); !errors.As(err, &m) || m.What != "parameters" {
		t.Errorf("other parameters: %v", err)
	}
	if _, err := read(good, fhe.Parameters{}); err == nil {
		t.Error("zero parameters: no error")
	}
	format("all zero", forge(good, func(payload []byte) { clear(payload) }), p, 1<<20)
	format("all one", forge(good, func(payload []byte) { copy(payload, bytes.Repeat([]byte{0x55}, len(payload))) }), p, 1<<20)
	format("not ternary", forge(good, func(payload []byte) { payload[9] |= 3 }), p, 1<<20)
	if _, err := (SecretKey{}).WriteTo(io.Discard); err == nil {
		t.Error("zero key written")
	}
	if _, err := read(forge(good, func(payload []byte) { payload[0] = 0x06 }), p); err != nil { // -1, 1, 0, 0
		t.Errorf("another key of the same parameters: %v", err)
	}
}

// forge changes the coefficients and makes the digest at the end match.
func forge(good []byte, change func(payload []byte)) []byte {
	b := slices.Clone(good)
	const head, tail = 5 + 32 + 16, 32
	payload := b[head : len(b)-tail]
	change(payload)
	sum := secretKeySum(fhe.Digest(b[5:37]), fhe.KeyID(b[37:head]), payload)
	copy(b[len(b)-tail:], sum[:])
	return b
}

func FuzzReadSecretKey(f *testing.F) {
	p := tiny(f)
	golden, err := os.ReadFile("testdata/secretkey_v1.bin")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(golden)
	f.Add(golden[:100])
	f.Add(forge(golden, func(payload []byte) { payload[3] = 0xff }))
	f.Fuzz(func(t *testing.T, b []byte) {
		inputs := [][]byte{b}
		if len(b) == len(golden) { // let mutations pass the digest
			inputs = append(inputs, forge(b, func([]byte) {}))
		}
		for _, b := range inputs {
			sk, err := read(b, p)
			var fe *fhe.FormatError
			var me *fhe.MismatchError
			switch {
			case err == nil && !bytes.Equal(write(t, sk), b):
				t.Error("read and written: other bytes")
			case err != nil && !errors.As(err, &fe) && !errors.As(err, &me):
				t.Errorf("error %T", err)
			}
		}
	})
}

func TestSecretKeyNeverPrinted(t *testing.T) {
	sk := generator(t, tiny(t)).GenSecretKey()
	want := "client.SecretKey(" + sk.ID().String() + ")"
	verbs := []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%08.3f"}
	for _, verb := range verbs {
		for name, v := range map[string]any{"pointer": sk, "value": *sk, "field": struct{ Key SecretKey }{*sk}} {
			if s := fmt.Sprintf(verb, v); !strings.Contains(s, want) || len(s) > 120 {
				t.Errorf("%s of %s: %.200q", verb, name, s)
			}
		}
		for name, v := range map[string]any{"hidden value": struct{ k SecretKey }{*sk}, "hidden pointer": struct{ k *SecretKey }{sk},
			"inner": sk.key, "inner value": *sk.key, "slice": []any{sk.key}, "inner encryptor": sk.key.NewEncryptor(),
			"encryptor": NewEncryptor(sk), "decryptor": NewDecryptor(sk), "held": struct{ E *Encryptor }{NewEncryptor(sk)}} {
			if s := fmt.Sprintf(verb, v); len(s) > 2000 { // ids and addresses, never 2048 coefficients, which take twice that
				t.Errorf("%s of %s: %d bytes", verb, name, len(s))
			}
		}
	}
	if sk.String() != want || sk.GoString() != want {
		t.Errorf("%s, %s", sk.String(), sk.GoString())
	}
	var b bytes.Buffer
	slog.New(slog.NewTextHandler(&b, nil)).Info("made", "key", sk, "value", *sk)
	slog.New(slog.NewJSONHandler(&b, nil)).Info("made", "key", sk, "value", *sk)
	if b.Len() > 600 {
		t.Errorf("logged %d bytes", b.Len())
	}
	for _, v := range []any{sk, *sk, NewEncryptor(sk), NewDecryptor(sk)} {
		if j, err := json.Marshal(v); err != nil || string(j) != "{}" {
			t.Errorf("as JSON: %.100s, %v", j, err)
		}
	}
}
