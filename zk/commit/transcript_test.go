package commit

import (
	"encoding/hex"
	"math"
	"math/big"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"golang.org/x/crypto/sha3"
)

// TestTranscriptWords spells every kind of word out as hexadecimal digits.
func TestTranscriptWords(t *testing.T) {
	_, _, g1, g2 := bn254.Generators()
	zero := "0000000000000000000000000000000000000000000000000000000000000000"
	text := func(s string) string {
		h := sha3.NewLegacyKeccak256()
		h.Write([]byte(s))
		return hex.EncodeToString(h.Sum(nil))
	}
	for _, tt := range []struct {
		name, words string
		append      func(*Transcript) *Transcript
	}{
		{"word", "ff" + zero[2:], func(t *Transcript) *Transcript { return t.Word([32]byte{0xff}) }},
		{"text", text("abc"), func(t *Transcript) *Transcript { return t.Text("abc") }},
		{"uint", zero[16:] + "ffffffffffffffff", func(t *Transcript) *Transcript { return t.Uint(math.MaxUint64) }},
		{"int", zero[16:] + "8000000000000001", func(t *Transcript) *Transcript { return t.Int(1) }},
		{"negative", zero, func(t *Transcript) *Transcript { return t.Int(math.MinInt64) }},
		{"element", zero[2:] + "05", func(t *Transcript) *Transcript { return t.Element(fr.NewElement(5)) }},
		{"point", zero[2:] + "01" + zero[2:] + "02", func(t *Transcript) *Transcript { return t.Point(g1) }},
		{"infinity", zero + zero, func(t *Transcript) *Transcript { return t.Point(bn254.G1Affine{}) }},
		// The order in which EIP-197 writes its generator.
		{"point of G2", "198e9393920d483a7260bfb731fb5d25f1aa493335a9e71297e485b7aef312c2" +
			"1800deef121f1e76426a00665e5c4479674322d4f75edadd46debd5cd992f6ed" +
			"090689d0585ff075ec9e99ad690c3395bc4b313370b38ef355acdadcd122975b" +
			"12c85ea5db8c6deb4aab71808dcb408fe3d1e7690c43d37b4ce6cc0166fa7daa", func(t *Transcript) *Transcript { return t.PointG2(g2) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b, err := hex.DecodeString(text("signet/test") + tt.words)
			if err != nil {
				t.Fatal(err)
			}
			h := sha3.NewLegacyKeccak256()
			h.Write(b)
			got := tt.append(NewTranscript("signet/test"))
			if sum := got.Sum(); string(sum[:]) != string(h.Sum(nil)) {
				t.Errorf("digest %x, want %x", sum, h.Sum(nil))
			}
			sum := got.Sum()
			want := new(big.Int).Rsh(new(big.Int).SetBytes(sum[:]), 8)
			challenge := got.Challenge()
			if challenge.BigInt(new(big.Int)).Cmp(want) != 0 {
				t.Errorf("challenge %s, want %s", challenge.String(), want)
			}
		})
	}
}
