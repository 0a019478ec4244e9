package docs_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"slices"
	"testing"

	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/client"
	"github.com/signet-ml/signet/fhe/program"
)

// decoder reads wire forms as reference/wire.md describes them. It uses nothing of the library.
type decoder struct {
	b       []byte
	logN    int
	q, p    []uint64
	digest  [32]byte
	ternary bool
}

func (d *decoder) take(n int) []byte {
	if n < 0 || n > len(d.b) {
		panic(fmt.Sprintf("%d bytes wanted, %d left", n, len(d.b)))
	}
	out := d.b[:n]
	d.b = d.b[n:]
	return out
}

func (d *decoder) u8() int     { return int(d.take(1)[0]) }
func (d *decoder) u32() int    { return int(binary.LittleEndian.Uint32(d.take(4))) }
func (d *decoder) u64() uint64 { return binary.LittleEndian.Uint64(d.take(8)) }

func (d *decoder) uvarint() int {
	x, n := binary.Uvarint(d.b)
	d.take(n)
	return int(x)
}

func (d *decoder) must(ok bool, what string) {
	if !ok {
		panic(what)
	}
}

func (d *decoder) open(b []byte, magic string) {
	d.b = b
	d.must(string(d.take(4)) == magic && d.u8() == 1, "magic or version")
	if magic != "SGPA" {
		d.must(bytes.Equal(d.take(32), d.digest[:]), "parameters digest")
	}
}

func (d *decoder) limb(q uint64) {
	for range 1 << d.logN {
		d.must(d.u64() < q, "a word is not below its prime")
	}
}

func (d *decoder) parameters(b []byte) {
	d.open(b, "SGPA")
	d.logN = d.u8()
	d.must(d.u8() == 0, "ring type")
	d.u8() // security level
	d.must(d.u8() <= 1, "flags")
	d.ternary = d.u8() == 0
	d.u32() // Hamming weight
	d.must(d.u8() <= 60, "default scale")
	nq, np := d.u8(), d.u8()
	d.must(len(b) == 17+16*(nq+np), "size")
	d.q, d.p = nil, nil
	for range nq {
		d.q = append(d.q, d.u64())
	}
	for range np {
		d.p = append(d.p, d.u64())
	}
	for _, q := range slices.Concat(d.q, d.p) {
		x := d.u64()
		for range d.logN { // ψ^N = −1: the root is a primitive 2N-th one
			x = mulMod(x, x, q)
		}
		d.must(q%(2<<d.logN) == 1 && x == q-1, "root of unity")
	}
	d.digest = sha256.Sum256(append([]byte("signet/parameters/v1"), b...))
}

func mulMod(a, b, q uint64) uint64 {
	var r uint64
	for ; b > 0; b >>= 1 {
		if b&1 == 1 {
			r = (r + a) % q
		}
		a = 2 * a % q
	}
	return r
}

func (d *decoder) scale() {
	hi, _, exp := d.u64(), d.u64(), int32(d.u32())
	d.must(hi>>63 == 1 && exp > -16512 && exp <= 16256, "scale")
}

func (d *decoder) ciphertext() {
	degree, level, logSlots := d.u8(), d.u8(), d.u8()
	d.must(degree <= 2 && level < len(d.q) && logSlots < d.logN, "header of a ciphertext")
	d.scale()
	for range degree + 1 {
		for _, q := range d.q[:level+1] {
			d.limb(q)
		}
	}
}

func (d *decoder) bundle() (ciphertexts int) {
	d.take(16 + 32)
	for range d.uvarint() {
		d.take(d.uvarint())
		for range d.uvarint() {
			d.ciphertext()
			ciphertexts++
		}
	}
	return ciphertexts
}

func (d *decoder) keys() (count int) {
	d.take(16)
	count = d.u32()
	last := int64(-1)
	for range count {
		g := int64(d.u64())
		d.must(g > last && (g == 0 || g&1 == 1 && g > 1 && g < 2<<d.logN), "Galois element")
		last = g
		level := d.u8()
		rows := slices.Concat(d.q[:level+1], d.p)
		for range (level + len(d.p)) / len(d.p) {
			for range 2 {
				for _, q := range rows {
					d.limb(q)
				}
			}
		}
	}
	return count
}

func (d *decoder) secretKey(b []byte) {
	d.b = b
	d.must(string(d.take(4)) == "SGSK" && d.u8() == 1, "magic or version")
	sum := sha256.Sum256(append([]byte("signet/secret-key/v1"), b[5:len(b)-32]...))
	d.must(bytes.Equal(sum[:], b[len(b)-32:]), "digest")
	d.take(32 + 16)
	weight := 0
	coefficients := d.take(len(b) - 85)
	for _, c := range coefficients {
		for range 4 {
			d.must(c&3 != 3, "coefficient")
			if c&3 != 0 {
				weight++
			}
			c >>= 2
		}
	}
	n := 4 * len(coefficients)
	d.must(n&(n-1) == 0 && weight > n/2 && weight < n*5/6, "not uniform ternary")
	d.take(32)
}

// TestWirePage decodes goldens and fresh artefacts with nothing but what the page says.
func TestWirePage(t *testing.T) {
	read := func(name string) []byte {
		b, err := os.ReadFile("../fhe/" + name)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	written := func(v io.WriterTo, err error) []byte {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if _, err := v.WriteTo(&b); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	params, err := fhe.NewParameters(fhe.ParametersLiteral{LogN: 12, LogQ: []int{30, 20, 20}, LogP: []int{31}})
	if err != nil {
		t.Fatal(err)
	}
	kg, err := client.NewKeyGenerator(params)
	if err != nil {
		t.Fatal(err)
	}
	sk := kg.GenSecretKey()
	layout := program.Layout{Shape: []int{4}, Runs: []program.Run{{SlotStep: 1, IndexStep: 1, Length: 4}}}
	in, err := client.NewEncryptor(sk).Encrypt(program.Port{Name: "x", Count: 1, Level: 1, Degree: 1, LogSlots: 3,
		Scale: fhe.PowerOfTwo(20), Bound: 1, Layout: layout}, make([]float64, 4))
	if err != nil {
		t.Fatal(err)
	}
	keys, err := kg.GenEvaluationKeys(t.Context(), sk, []program.KeyRequirement{{Level: 2}, {GaloisElement: 5, Level: 1}})

	var d decoder
	for _, step := range []struct {
		name string
		do   func()
	}{
		{"golden-parameters", func() {
			d.parameters(read("testdata/parameters-v1.bin"))
			want := bytes.TrimSpace(read("testdata/parameters-v1.digest"))
			d.must(fmt.Sprintf("%x", d.digest) == string(want), fmt.Sprintf("digest %x, want %s", d.digest, want))
		}},
		{"golden-secret-key", func() { d.secretKey(read("client/testdata/secretkey_v1.bin")) }},
		{"parameters", func() { d.parameters(written(params, nil)) }},
		{"secret-key", func() { d.secretKey(written(sk, nil)) }},
		{"ciphertext", func() {
			b := written(in.Get("x")[0], nil)
			d.must(len(b) == 60+(8<<12)*2*2, "size")
			d.open(b, "SGCT")
			d.ciphertext()
		}},
		{"bundle", func() {
			d.open(written(in, nil), "SGBU")
			d.must(d.bundle() == 1, "number of ciphertexts")
		}},
		{"keys", func() {
			b := written(keys, err)
			d.must(len(b) == 57+9+2*3*4*(8<<12)+9+2*2*3*(8<<12), "size")
			d.open(b, "SGEK")
			d.must(d.keys() == 2, "number of keys")
		}},
	} {
		t.Run(step.name, func(t *testing.T) {
			defer func() {
				if v := recover(); v != nil {
					t.Fatal(v)
				}
			}()
			step.do()
			if len(d.b) != 0 {
				t.Errorf("%d bytes left", len(d.b))
			}
		})
	}
}
