package gnarkx

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"math/big"
	"os"
	"runtime"
	"slices"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fp"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	groth16 "github.com/consensys/gnark/backend/groth16/bn254"
	"golang.org/x/crypto/sha3"
)

// vectors are one key and proofs under it, for all verifiers. They were written once and must be judged the same for
// ever.
type vectors struct {
	Key    string
	Proofs []struct {
		Name, Target, Proof, Context, Statement, Challenge string
		Accept                                             bool
	}
}

const vectorsFile = "testdata/vectors.json"

func readVectors(t testing.TB) (v vectors) {
	t.Helper()
	b, err := os.ReadFile(vectorsFile)
	if err == nil {
		err = json.Unmarshal(b, &v)
	}
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func unhexElement(t testing.TB, s string) (e fr.Element) {
	t.Helper()
	if err := e.SetBytesCanonical(unhex(t, s)); err != nil {
		t.Fatal(err)
	}
	return e
}

func writeVectors(t *testing.T) {
	k := toyKeys()
	key, _ := k.vk.MarshalBinary()
	v := vectors{Key: hex.EncodeToString(key)}
	add := func(name string, judged Target, proof []byte, context, statement fr.Element, accept bool) {
		h, err := Challenge(k.vk, judged, proof, context)
		if err != nil {
			t.Fatal(err)
		}
		c, s, b := context.Bytes(), statement.Bytes(), h.Bytes()
		v.Proofs = append(v.Proofs, struct {
			Name, Target, Proof, Context, Statement, Challenge string
			Accept                                             bool
		}{name, judged.String(), hex.EncodeToString(proof), hex.EncodeToString(c[:]), hex.EncodeToString(s[:]), hex.EncodeToString(b[:]), accept})
	}
	for _, target := range targets {
		x := good()
		proof := mustProve(t, k, target, x)
		add("good", target, proof, x.context, x.statement, true)
		add("another of the same values", target, rerandomise(t, k, proof), x.context, x.statement, true)
		add("other context", target, proof, element(78), x.statement, false)
		add("other statement", target, proof, x.context, element(78), false)
		add("other target", Native+Solidity-target, proof, x.context, x.statement, false)
	}
	b, err := json.MarshalIndent(v, "", "\t")
	if err == nil {
		err = os.WriteFile(vectorsFile, append(b, '\n'), 0o666)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestVectors(t *testing.T) {
	if *update {
		writeVectors(t)
	}
	v := readVectors(t)
	vk, err := UnmarshalVerifyingKey(unhex(t, v.Key))
	if err != nil {
		t.Fatal(err)
	}
	if len(v.Proofs) < 10 {
		t.Errorf("%d proofs", len(v.Proofs))
	}
	for _, p := range v.Proofs {
		target := Native
		if p.Target == Solidity.String() {
			target = Solidity
		}
		t.Run(p.Target+"/"+p.Name, func(t *testing.T) {
			proof, context, statement := unhex(t, p.Proof), unhexElement(t, p.Context), unhexElement(t, p.Statement)
			err := Verify(vk, target, proof, context, statement)
			if p.Accept && err != nil || !p.Accept && !errors.Is(err, ErrProof) {
				t.Errorf("accept is %v, got %v", p.Accept, err)
			}
			if h, err := Challenge(vk, target, proof, context); err != nil || h != unhexElement(t, p.Challenge) {
				t.Errorf("challenge %v, %v", h, err)
			}
		})
	}
}

// The challenge of the Solidity target, written out: keccak256 of the point's coordinates and the context.
func TestChallengeSolidity(t *testing.T) {
	k := toyKeys()
	v := good()
	proof := mustProve(t, k, Solidity, v)
	p, err := decodeProof(proof)
	if err != nil {
		t.Fatal(err)
	}
	x, y, c := p.Commitments[0].X.Bytes(), p.Commitments[0].Y.Bytes(), v.context.Bytes()
	hash := sha3.NewLegacyKeccak256()
	hash.Write(slices.Concat(x[:], y[:], c[:]))
	var want fr.Element
	want.SetBigInt(new(big.Int).SetBytes(hash.Sum(nil)))
	if got, err := Challenge(k.vk, Solidity, proof, v.context); err != nil || got != want {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
	if got, err := Challenge(k.vk, Native, proof, v.context); err != nil || got == want {
		t.Errorf("the native challenge is the same, %v", err)
	}
	if got, err := Challenge(k.vk, Solidity, proof, element(78)); err != nil || got == want {
		t.Errorf("the challenge does not depend on the context, %v", err)
	}
	if _, err := Challenge(k.vk, 3, proof, v.context); err == nil {
		t.Error("an unknown target: no error")
	}
	var format *FormatError
	if _, err := Challenge(k.vk, Solidity, proof[1:], v.context); !errors.As(err, &format) {
		t.Errorf("a short proof: %v", err)
	}
}

// TestVerifyRejects shows a proof for what it does not prove.
//
// Soundness: S1, S16, S24.
func TestVerifyRejects(t *testing.T) {
	k := toyKeys()
	var zero, minus fr.Element
	minus.SetOne().Neg(&minus)
	other := mustSetup(t, k.system)
	tiny := mustSetup(t, mustCompile(t, &twoPublic{define: plainTwo}))
	for _, target := range targets {
		v := good()
		proof := mustProve(t, k, target, v)
		for _, tt := range []struct {
			name               string
			vk                 *VerifyingKey
			target             Target
			context, statement fr.Element
		}{
			{"other-context", k.vk, target, element(78), v.statement},
			{"zero-context", k.vk, target, zero, v.statement},
			{"other-statement", k.vk, target, v.context, element(78)},
			{"zero-statement", k.vk, target, v.context, zero},
			{"swapped", k.vk, target, v.statement, v.context},
			{"minus-one", k.vk, target, minus, minus},
			{"other-target", k.vk, Native + Solidity - target, v.context, v.statement},
			{"other-setup", other.vk, target, v.context, v.statement},
			{"other-circuit", tiny.vk, target, v.context, v.statement},
		} {
			t.Run(target.String()+"/"+tt.name, func(t *testing.T) {
				if err := Verify(tt.vk, tt.target, proof, tt.context, tt.statement); !errors.Is(err, ErrProof) {
					t.Errorf("got %v", err)
				}
			})
		}
		if err := Verify(k.vk, 9, proof, v.context, v.statement); err == nil || errors.Is(err, ErrProof) {
			t.Errorf("an unknown target: %v", err)
		}
		// Parts of another proof of the same statement's values do not fit.
		second := mustProve(t, k, target, v)
		for i, cut := range []int{32, 96, 128, 164} {
			mixed := slices.Concat(proof[:cut], second[cut:])
			if err := Verify(k.vk, target, mixed, v.context, v.statement); !errors.Is(err, ErrProof) {
				t.Errorf("mix %d: %v", i, err)
			}
		}
	}
}

// Anybody can do this to a proof, so bytes of proofs must never identify work that was done.
func rerandomise(t testing.TB, k *Keys, proof []byte) []byte {
	t.Helper()
	p, err := decodeProof(proof)
	if err != nil {
		t.Fatal(err)
	}
	scalar := func() *big.Int {
		r, err := rand.Int(rand.Reader, fr.Modulus())
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	// A' = A/r, B' = rB + rsδ, C' = C + sA leave e(A,B) - e(C,δ) as it is.
	r, s := scalar(), scalar()
	var sA bn254.G1Affine
	sA.ScalarMultiplication(&p.Ar, s)
	p.Krs.Add(&p.Krs, &sA)
	var delta bn254.G2Affine
	delta.ScalarMultiplication(&k.vk.key.G2.Delta, s)
	p.Bs.Add(&p.Bs, &delta)
	p.Bs.ScalarMultiplication(&p.Bs, r)
	p.Ar.ScalarMultiplication(&p.Ar, new(big.Int).ModInverse(r, fr.Modulus()))
	var b bytes.Buffer
	if _, err := p.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestProofsAreMalleable turns a proof into other bytes that prove the same.
//
// Soundness: S15.
func TestProofsAreMalleable(t *testing.T) {
	k := toyKeys()
	v := good()
	proof := mustProve(t, k, Native, v)
	again := rerandomise(t, k, proof)
	if bytes.Equal(proof[:128], again[:128]) || !bytes.Equal(proof[128:], again[128:]) {
		t.Error("not the change that was meant")
	}
	if err := Verify(k.vk, Native, again, v.context, v.statement); err != nil {
		t.Errorf("a re-randomised proof does not verify: %v: the doc comment of Verify is out of date", err)
	}
}

// Two changes of each byte.
//
// Soundness: P21, S22.
func TestMauledProof(t *testing.T) {
	k := toyKeys()
	v := good()
	proof := mustProve(t, k, Native, v)
	format := 0
	for at := range proof {
		for _, bits := range []byte{0x01, 0x80} {
			mauled := slices.Clone(proof)
			mauled[at] ^= bits
			err := Verify(k.vk, Native, mauled, v.context, v.statement)
			var malformed *FormatError
			switch {
			case errors.As(err, &malformed):
				format++
			case !errors.Is(err, ErrProof):
				t.Errorf("byte %d ^ %#x: %v", at, bits, err)
			}
		}
	}
	if format == 0 || format == 2*len(proof) {
		t.Errorf("%d of the changes are malformed: the points in between are not tried", format)
	}
}

// TestMalformedProof cuts, extends and spoils proofs.
//
// Soundness: S22.
func TestMalformedProof(t *testing.T) {
	k := toyKeys()
	v := good()
	proof := mustProve(t, k, Native, v)
	with := func(at int, b ...byte) []byte {
		changed := slices.Clone(proof)
		copy(changed[at:], b)
		return changed
	}
	infinity1 := append([]byte{0x40}, make([]byte, 31)...)
	infinity2 := append([]byte{0x40}, make([]byte, 63)...)
	modulus := fp.Modulus().Bytes()
	modulus[0] |= 0x80
	for name, b := range map[string][]byte{
		"nil": nil, "empty": {}, "short": proof[:195], "long": append(slices.Clone(proof), 0), "doubled": slices.Concat(proof, proof),
		"no-commitment":    proof[:164],
		"raw":              raw(t, proof),
		"count-0":          with(128, 0, 0, 0, 0),
		"count-2":          with(128, 0, 0, 0, 2),
		"count-huge":       with(128, 0xff, 0xff, 0xff, 0xff),
		"Ar-infinity":      with(0, infinity1...),
		"Bs-infinity":      with(32, infinity2...),
		"Krs-infinity":     with(96, infinity1...),
		"D-infinity":       with(132, infinity1...),
		"pok-infinity":     with(164, infinity1...),
		"infinity-dirty":   with(0, append([]byte{0x40, 1}, make([]byte, 30)...)...),
		"x-is-the-modulus": with(0, modulus...),
		"x-all-ones":       with(0, bytes.Repeat([]byte{0xff}, 32)...),
		"zero":             make([]byte, ProofSize),
		"Bs-not-in-group":  with(32, outsideG2(t)...),
	} {
		t.Run(name, func(t *testing.T) {
			var format *FormatError
			if err := Verify(k.vk, Native, b, v.context, v.statement); !errors.As(err, &format) || format.What != "proof" {
				t.Errorf("got %v", err)
			}
			if _, err := SolidityProof(b); !errors.As(err, &format) {
				t.Errorf("SolidityProof: %v", err)
			}
		})
	}
}

// raw returns the proof in gnark's uncompressed encoding, which gnark's decoder would read too.
func raw(t *testing.T, proof []byte) []byte {
	p, err := decodeProof(proof)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if _, err := p.WriteRawTo(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// outsideG2 returns a compressed point of the twist that is not in the group.
func outsideG2(t *testing.T) []byte {
	b := make([]byte, g2Bytes)
	b[0] = 0x80
	for b[63] = 1; b[63] < 255; b[63]++ {
		var p bn254.G2Affine
		dec := bn254.NewDecoder(bytes.NewReader(b), bn254.NoSubgroupChecks())
		if dec.Decode(&p) == nil && p.IsOnCurve() && !p.IsInSubGroup() {
			return b
		}
	}
	t.Fatal("none found")
	return nil
}

// allocated returns the bytes that f allocates.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// Whatever the counts say, hostile bytes cost nothing.
//
// Soundness: S22.
func TestHostileBytesAllocateLittle(t *testing.T) {
	k := toyKeys()
	v := good()
	proof := mustProve(t, k, Native, v)
	key, _ := k.vk.MarshalBinary()
	const limit = 1 << 20
	huge := []byte{0xff, 0xff, 0xff, 0xff}
	long := make([]byte, 10<<20)
	for name, f := range map[string]func() error{
		"proof-count": func() error {
			return Verify(k.vk, Native, slices.Concat(proof[:128], huge, proof[132:]), v.context, v.statement)
		},
		"proof-count-then-nothing": func() error {
			return Verify(k.vk, Native, slices.Concat(proof[:128], huge), v.context, v.statement)
		},
		"proof-long": func() error { return Verify(k.vk, Native, long, v.context, v.statement) },
		"key-publics": func() error {
			_, err := UnmarshalVerifyingKey(slices.Concat(key[:288], huge, key[292:]))
			return err
		},
		"key-commitments": func() error {
			_, err := UnmarshalVerifyingKey(slices.Concat(key[:420], huge, key[424:]))
			return err
		},
		"key-committed": func() error {
			_, err := UnmarshalVerifyingKey(slices.Concat(key[:424], huge, key[428:]))
			return err
		},
		"key-keys": func() error {
			_, err := UnmarshalVerifyingKey(slices.Concat(key[:436], huge, key[440:]))
			return err
		},
		"key-long": func() error {
			_, err := UnmarshalVerifyingKey(long)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			var err error
			if n := allocated(func() { err = f() }); n > limit {
				t.Errorf("%d bytes allocated, limit %d", n, limit)
			}
			var format *FormatError
			if !errors.As(err, &format) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// FuzzProof verifies whatever it is given.
//
// Soundness: S22.
func FuzzProof(f *testing.F) {
	v := readVectors(f)
	vk, err := UnmarshalVerifyingKey(unhex(f, v.Key))
	if err != nil {
		f.Fatal(err)
	}
	good := map[string]bool{}
	for _, p := range v.Proofs {
		f.Add(unhex(f, p.Proof))
		good[p.Proof] = true
	}
	context, statement := unhexElement(f, v.Proofs[0].Context), unhexElement(f, v.Proofs[0].Statement)
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, target := range targets {
			if err := Verify(vk, target, b, context, statement); err == nil && !good[hex.EncodeToString(b)] {
				t.Errorf("accepted %x", b)
			}
		}
		p, err := decodeProof(b)
		if err != nil {
			return
		}
		var again bytes.Buffer
		if _, err := p.WriteTo(&again); err != nil || !bytes.Equal(again.Bytes(), b) {
			t.Errorf("%x is read, and written as %x", b, again.Bytes())
		}
		if s, err := SolidityProof(b); err != nil || len(s) != SolidityProofSize {
			t.Errorf("SolidityProof: %d bytes, %v", len(s), err)
		}
		if _, err := new(groth16.Proof).ReadFrom(bytes.NewReader(b)); err != nil {
			t.Errorf("gnark does not read %x: %v", b, err)
		}
	})
}
