package gnarkx

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"slices"
	"testing"

	"github.com/consensys/gnark-crypto/ecc"
	groth16 "github.com/consensys/gnark/backend/groth16/bn254"
	cs "github.com/consensys/gnark/constraint/bn254"
	"github.com/consensys/gnark/frontend"
	"github.com/consensys/gnark/frontend/cs/r1cs"
)

func plainTwo(api frontend.API, c *twoPublic) error {
	return plain(api, c.Context, c.Statement, c.A, c.B)
}

// TestVerifyingKey encodes and decodes a key, and looks at what its challenge absorbs.
//
// Soundness: S1.
func TestVerifyingKey(t *testing.T) {
	k := toyKeys()
	b, err := k.VerifyingKey().MarshalBinary()
	if err != nil || len(b) != VerifyingKeySize || VerifyingKeySize != 568 {
		t.Fatalf("%d bytes, VerifyingKeySize is %d, want 568, %v", len(b), VerifyingKeySize, err)
	}
	if k.VerifyingKey().Digest() != sha256.Sum256(b) {
		t.Error("the digest is not SHA-256 of the bytes")
	}
	vk, err := UnmarshalVerifyingKey(b)
	if err != nil {
		t.Fatal(err)
	}
	v := good()
	if err := Verify(vk, Native, mustProve(t, k, Native, v), v.context, v.statement); err != nil {
		t.Error(err)
	}
	digest := vk.Digest()
	clear(b)
	if again, _ := vk.MarshalBinary(); vk.Digest() != digest || bytes.Equal(again, b) {
		t.Error("the key shares memory with its caller")
	}
	// The list that names the context: what the challenge depends on.
	if got := k.vk.key.PublicAndCommitmentCommitted; len(got) != 1 || !slices.Equal(got[0], []int{1}) {
		t.Errorf("PublicAndCommitmentCommitted is %v, want [[1]]", got)
	}
}

// TestMalformedVerifyingKey cuts, extends and spoils keys.
//
// Soundness: S22.
func TestMalformedVerifyingKey(t *testing.T) {
	key, _ := toyKeys().vk.MarshalBinary()
	with := func(at int, b ...byte) []byte {
		changed := slices.Clone(key)
		copy(changed[at:], b)
		return changed
	}
	infinity := append([]byte{0x40}, make([]byte, 63)...)
	var raw bytes.Buffer
	if _, err := toyKeys().vk.key.WriteRawTo(&raw); err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string][]byte{
		"nil": nil, "short": key[:567], "long": append(slices.Clone(key), 0), "raw": raw.Bytes(), "zero": make([]byte, VerifyingKeySize),
		"three-publics":      with(291, 5),
		"no-commitment":      with(423, 0),
		"nothing-committed":  with(427, 0),
		"statement-named":    with(435, 2),
		"two-keys":           with(439, 2),
		"alpha-infinity":     with(0, infinity[:32]...),
		"beta-infinity":      with(64, infinity...),
		"gamma-infinity":     with(128, infinity...),
		"delta-infinity":     with(224, infinity...),
		"context-infinity":   with(324, infinity[:32]...),
		"statement-infinity": with(356, infinity[:32]...),
		"G-infinity":         with(440, infinity...),
		"sigma-infinity":     with(504, infinity...),
		"beta-not-in-group":  with(64, outsideG2(t)...),
	} {
		t.Run(name, func(t *testing.T) {
			var format *FormatError
			if _, err := UnmarshalVerifyingKey(b); !errors.As(err, &format) || format.What != "verifying key" {
				t.Errorf("got %v", err)
			}
		})
	}
}

// A change of any byte gives no key, or one with another digest that verifies nothing. β and δ in G1 are no part of
// verification, in gnark's format for compatibility only: there the digest alone differs.
//
// Soundness: S16, S22.
func TestMauledVerifyingKey(t *testing.T) {
	k := toyKeys()
	v := good()
	proof := mustProve(t, k, Native, v)
	key, _ := k.vk.MarshalBinary()
	read := 0
	for at := range key {
		mauled := slices.Clone(key)
		mauled[at] ^= 1
		vk, err := UnmarshalVerifyingKey(mauled)
		var format *FormatError
		if errors.As(err, &format) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		read++
		if vk.Digest() == k.vk.Digest() {
			t.Errorf("byte %d: the digest is the same", at)
		}
		unused := at >= 32 && at < 64 || at >= 192 && at < 224
		if err := Verify(vk, Native, proof, v.context, v.statement); !unused && !errors.Is(err, ErrProof) {
			t.Errorf("byte %d: %v", at, err)
		}
	}
	if read == 0 {
		t.Error("no mauled key is read: nothing was verified")
	}
}

// Keys of circuits that Compile refuses do not pass either.
//
// Soundness: S16, S24.
func TestVerifyingKeyOfOtherShape(t *testing.T) {
	for name, c := range map[string]frontend.Circuit{
		"two-commitments": &twoPublic{define: func(api frontend.API, c *twoPublic) error {
			return errors.Join(plainTwo(api, c), commitTo(api, c.Context, c.A))
		}},
		"no-commitment": &twoPublic{define: func(api frontend.API, c *twoPublic) error {
			api.AssertIsEqual(api.Mul(c.Context, c.A, c.B), c.Statement)
			return nil
		}},
		"three-publics": &threePublic{},
		"unconstrained-statement": &twoPublic{define: func(api frontend.API, c *twoPublic) error {
			return plain(api, c.Context, c.A, c.B)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			system, err := frontend.Compile(ecc.BN254.ScalarField(), r1cs.NewBuilder, c)
			if err != nil {
				t.Fatal(err)
			}
			var pk groth16.ProvingKey
			var vk groth16.VerifyingKey
			if err := groth16.Setup(system.(*cs.R1CS), &pk, &vk); err != nil {
				t.Fatal(err)
			}
			var format *FormatError
			if _, err := newVerifyingKey(&vk); !errors.As(err, &format) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// FuzzVerifyingKey decodes whatever it is given.
//
// Soundness: S22.
func FuzzVerifyingKey(f *testing.F) {
	f.Add(unhex(f, readVectors(f).Key))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		vk, err := UnmarshalVerifyingKey(b)
		if err != nil {
			var format *FormatError
			if !errors.As(err, &format) {
				t.Error(err)
			}
			return
		}
		if again, _ := vk.MarshalBinary(); !bytes.Equal(again, b) {
			t.Errorf("%x is read, and written as %x", b, again)
		}
		var encoded bytes.Buffer
		if _, err := vk.key.WriteTo(&encoded); err != nil || !bytes.Equal(encoded.Bytes(), b) {
			t.Errorf("gnark writes %x as %x", b, encoded.Bytes())
		}
	})
}
