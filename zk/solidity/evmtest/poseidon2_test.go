package evmtest

import (
	"bytes"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr/poseidon2"

	"github.com/signet-ml/signet/zk/commit"
)

// TestPoseidon2 compares the library with gnark-crypto's permutation and, for lists of elements, with commit.Hash.
//
// Soundness: S23.
func TestPoseidon2(t *testing.T) {
	c := newChain(t)
	contract, _ := c.deploy("harness", nil)
	first := func(state []fr.Element) []byte {
		t.Helper()
		call := selector("first(uint256[8])")
		for _, x := range state {
			b := x.Bytes()
			call = append(call, b[:]...)
		}
		out, err := c.call(contract, call, enough)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}

	var minusOne fr.Element
	minusOne.SetInt64(-1)
	random := func(n int) []fr.Element {
		x := make([]fr.Element, n)
		for i := range x {
			x[i].MustSetRandom()
		}
		return x
	}
	fill := func(x fr.Element) []fr.Element {
		s := make([]fr.Element, 8)
		for i := range s {
			s[i] = x
		}
		return s
	}
	states := [][]fr.Element{fill(fr.Element{}), fill(minusOne)} // the largest intermediate values come from the largest inputs
	for i := range 8 {
		s := fill(fr.Element{})
		s[i] = minusOne
		states = append(states, s)
	}
	for range 100 {
		states = append(states, random(8))
	}
	permutation := poseidon2.NewPermutation(8, 8, 57)
	for _, s := range states {
		got := first(s)
		if err := permutation.Permutation(s); err != nil {
			t.Fatal(err)
		}
		if want := s[0].Bytes(); !bytes.Equal(got, want[:]) {
			t.Fatalf("the library gives %x, gnark-crypto %x", got, want)
		}
	}

	for n := range 8 {
		elems := random(n)
		state := make([]fr.Element, 8)
		copy(state, elems)
		state[7] = commit.NewTranscript("signet/zk/poseidon2/v1").Text(string(commit.TagStatement)).Uint(uint64(n)).Uint(8).Challenge()
		h := commit.Hash(commit.TagStatement, elems...)
		if got, want := first(state), h.Bytes(); !bytes.Equal(got, want[:]) {
			t.Errorf("%d elements: the library gives %x, commit.Hash %x", n, got, want)
		}
	}
}
